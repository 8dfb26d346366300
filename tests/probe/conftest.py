"""Probes on loopback: a clock that stands still, servers that say what a test wants, and whole emulated tenants."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import trustme

from auditor.config import LoadedConfig, Sender, load
from auditor.demo.model import DemoTenant
from auditor.demo.server import Emulator
from auditor.demo.settings import SENDER_SECRETS, write_config
from auditor.probe import Job, Memory, ProbeResult, Tools, prepare, probe
from auditor.probe.credential import Nothing, Password

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
PLANTED = "planted-Passw0rd-7f3a9c"


class StandingClock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.moment = NOW
        self.seconds = 0.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class NoKeyring:
    """A system without a keyring."""

    def get_password(self, service: str, username: str) -> str | None:
        return None


@pytest.fixture(scope="session")
def standing_clock() -> type[StandingClock]:
    return StandingClock


@pytest.fixture(scope="session")
def planted() -> str:
    """The password of every job that a test makes: it must be seen nowhere."""
    return PLANTED


@pytest.fixture
def clock() -> StandingClock:
    return StandingClock()


@pytest.fixture
def memory(tmp_path, clock) -> Memory:
    return Memory(tmp_path / "memory", clock)


@pytest.fixture
def tools(clock, memory) -> Tools:
    return Tools(clock, memory, phase_seconds=5.0, total_seconds=30.0)


@pytest.fixture
def job() -> Callable[..., Job]:
    """(port, sender's keys, …) → a job for a server on loopback, with a password and STARTTLS unless told otherwise."""

    def make(port: int, *, ca_file: Path | None = None, host: str = "localhost", **more: object) -> Job:
        keys = ("tls", "auth", "account", "username", "egress_ips", "route")
        sender = Sender(name="scanner", account="scanner@contoso.example")
        sender = msgspec.structs.replace(sender, **{key: more.pop(key) for key in keys if key in more})
        made = Job(
            sender=sender,
            route=sender.route or "client-submission",
            channel=sender.auth,
            login=sender.username or sender.account,
            from_="scanner@contoso.example",
            to="scanner@contoso.example",
            host=host,
            port=port,
            contact=("127.0.0.1", port),
            greeting="",
            credential=Password("a test", PLANTED) if sender.auth == "basic" else Nothing("none"),
            ca_file=ca_file,
            send=False,
        )
        return replace(made, **more)

    return make


# --- servers that say what a test wants -----------------------------------------------------------------------------

Talk = Callable[["Line"], None]


class Line:
    """The server's side of one connection."""

    def __init__(self, connection: socket.socket, context: ssl.SSLContext | None, stop: threading.Event) -> None:
        self.connection = connection
        self.context = context
        self.stop = stop
        self.heard: list[str] = []
        self._reader = connection.makefile("rb")

    def say(self, *lines: str) -> None:
        self.connection.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def hear(self) -> str:
        data = self._reader.readline()
        if not data:
            raise ConnectionResetError("the client is gone")
        self.heard.append(data.decode("utf-8", "replace").rstrip("\r\n"))
        return self.heard[-1]

    def secure(self) -> None:
        assert self.context is not None
        self.connection = self.context.wrap_socket(self.connection, server_side=True)
        self._reader = self.connection.makefile("rb")

    def begin(self, *offers: str) -> None:
        """Greeting, EHLO, STARTTLS and EHLO again, as any server does."""
        self.say("220 server.example ready")
        self.hear()
        self.say("250-server.example", "250 STARTTLS")
        self.hear()
        self.say("220 go ahead")
        self.secure()
        self.hear()
        self.say("250-server.example", *(f"250-{offer}" for offer in offers[:-1]), f"250 {offers[-1]}")

    def close(self) -> None:
        self._reader.close()
        self.connection.close()

    def until_stopped(self) -> None:
        """Says nothing more."""
        self.stop.wait()


class Scripted:
    """A server on loopback that follows a script for each connection; `heard` is what clients said to it."""

    def __init__(self, talk: Talk, context: ssl.SSLContext | None) -> None:
        self.heard: list[list[str]] = []
        self._talk = talk
        self._context = context
        self._stop = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            line = Line(connection, self._context, self._stop)
            self.heard.append(line.heard)
            thread = threading.Thread(target=self._serve, args=(line,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, line: Line) -> None:
        with contextlib.suppress(OSError):
            self._talk(line)
        with contextlib.suppress(OSError):
            line.connection.shutdown(socket.SHUT_RDWR)
        line.close()

    def close(self) -> None:
        self._stop.set()
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(10)


@dataclass(frozen=True)
class Trust:
    """A certificate authority for loopback: its file, and a server's context with a certificate of it."""

    authority: trustme.CA
    ca_file: Path

    def context(self, *names: str, **more: datetime) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert(*(names or ("localhost",)), **more).configure_cert(context)
        return context


@pytest.fixture(scope="session")
def trust(tmp_path_factory) -> Trust:
    authority = trustme.CA()
    path = tmp_path_factory.mktemp("trust") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return Trust(authority, path)


@pytest.fixture
def serve(trust) -> Iterator[Callable[..., Scripted]]:
    """(script, names=…) → a server that follows it until the test ends."""
    with ExitStack() as stack:

        def start(talk: Talk, *names: str, **more: datetime) -> Scripted:
            server = Scripted(talk, trust.context(*names, **more))
            stack.callback(server.close)
            return server

        yield start


# --- whole emulated tenants -----------------------------------------------------------------------------------------


@dataclass
class Company:
    """An emulated tenant with an SMTP service, its config, and the secrets of its senders in the environment."""

    tenant: DemoTenant
    emulator: Emulator
    config: LoadedConfig
    config_path: Path
    secrets: Mapping[str, str]

    def jobs(self, *names: str, send_to: str = "") -> list[Job]:
        senders = [sender for sender in self.config.config.senders if not names or sender.name in names]
        with environment(self.secrets):
            return prepare(self.config, self.config.config.tenants[0], senders, send_to, NoKeyring())

    def probe(self, name: str, tools: Tools, *, send_to: str = "", **changes: object) -> ProbeResult:
        (job,) = self.jobs(name, send_to=send_to)
        with environment(self.secrets):
            return probe(replace(job, **changes), tools)[0]


@contextlib.contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """The environment with these values while the context is open."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def company_of(tenant: DemoTenant, folder: Path) -> Iterator[Company]:
    with Emulator(tenant, folder / "private", smtp=True) as emulator:
        path = folder / "config.toml"
        write_config(tenant, emulator, path)
        lines = (folder / SENDER_SECRETS).read_text(encoding="utf-8").splitlines()[1:]
        secrets = {name: value.strip("'") for name, _, value in (line.partition("=") for line in lines)}
        yield Company(tenant, emulator, load(path), path, secrets)


@pytest.fixture(scope="session")
def emulated() -> Callable[[DemoTenant, Path], contextlib.AbstractContextManager[Company]]:
    """(tenant, folder) → the tenant served while the context is open."""
    return company_of


@pytest.fixture(scope="session")
def with_environment() -> Callable[[Mapping[str, str]], contextlib.AbstractContextManager[None]]:
    return environment


@pytest.fixture
def open_company(tmp_path) -> Iterator[Callable[[DemoTenant], Company]]:
    """Serves a tenant until the test ends."""
    with ExitStack() as stack:
        yield lambda tenant: stack.enter_context(company_of(tenant, tmp_path / "company"))
