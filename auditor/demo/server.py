"""The emulated tenant on loopback: login, Graph, Exchange and the reports host, each on its own port, over real TLS;
and SMTP, where it is asked for.

The services run in a thread with an event loop of their own, so that a program can audit the tenant that it serves.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import trustme
from aiohttp import web

from auditor.demo.conditions import Conditions
from auditor.demo.conditions.certificates import Certificates
from auditor.demo.conditions.faults import Service
from auditor.demo.conditions.injector import Injector, Struck
from auditor.demo.conditions.limits import Meter, Name, Tally
from auditor.demo.entra.service import Login
from auditor.demo.entra.tokens import Authority
from auditor.demo.exchange.service import Exchange
from auditor.demo.graph.limits import ServiceLimits
from auditor.demo.graph.service import Graph
from auditor.demo.model import DemoTenant
from auditor.demo.smtp.apps import sender_apps
from auditor.demo.smtp.service import SmtpService
from auditor.demo.wire import RequestLog
from auditor.errors import ServiceError, UsageError

SERVICES = ("login", "graph", "exchange", "reports")
"""the services in the order of their ports"""

SMTP = "smtp"
"""the service on the next port, where it is asked for"""

START_LIMIT = 30.0
"""seconds that starting or stopping may take"""


class Emulator:
    """Serves `tenant` while the context is open; `folder` receives `ca.pem` and `client-secret.txt` (private).

    `port`: the login service's port, the other services take the next three; 0 takes any free ones. With `smtp` there
    is an SMTP service too, on the port after them. `conditions`: limits, latency, faults and time (not SMTP's).
    Entering raises UsageError where a port is taken or the folder
    cannot be written, ServiceError where loopback cannot be used.
    Attributes: `authority`, `graph_url`, `exchange_url`, `reports_url` (https addresses without a slash at the end),
    `ca_bundle`, `secret_file`, `requests` (what each service was asked), `tokens` (the tenant's signing key);
    `smtp_host` and `smtp_port` (empty and 0 without SMTP) and `smtp`, what that service saw."""

    def __init__(
        self,
        tenant: DemoTenant,
        folder: Path,
        port: int = 0,
        *,
        smtp: bool = False,
        conditions: Conditions | None = None,
    ) -> None:
        self.tenant = tenant
        self.conditions = conditions or Conditions()
        self.folder = folder
        self.requests = RequestLog()
        self.tokens = Authority(tenant.tenant_id)
        self.authority = self.graph_url = self.exchange_url = self.reports_url = ""
        self.ca_bundle = folder / "ca.pem"
        self.secret_file = folder / "client-secret.txt"
        self.smtp_host, self.smtp_port = "", 0
        self.smtp: SmtpService | None = None
        self._with_smtp = smtp
        self._port = port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._runners: list[web.AppRunner] = []
        self._injector: Injector | None = None
        self._meter: Meter | None = None

    @property
    def tallies(self) -> Mapping[tuple[Name, str], Tally]:
        """What each service limit was asked for, by limit and by what it holds for separately."""
        return dict(self._meter.tallies) if self._meter else {}

    @property
    def struck(self) -> Sequence[Struck]:
        """The faults that struck so far, in order."""
        return tuple(self._injector.struck) if self._injector else ()

    def __enter__(self) -> Emulator:
        authority = trustme.CA()
        certificates = Certificates(authority)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.ca_bundle.write_bytes(authority.cert_pem.bytes())
            write_private(self.secret_file, self.tenant.app.secret)
        except OSError as error:
            raise UsageError(
                f"{self.folder}: cannot be written ({error.strerror}).", remedy="Name another folder with --out."
            ) from error
        listeners = _listen(self._port, (*SERVICES, SMTP) if self._with_smtp else SERVICES)
        urls = {name: f"https://localhost:{listener.port}" for name, listener in listeners.items()}
        self.authority, self.graph_url = urls["login"], urls["graph"]
        self.exchange_url, self.reports_url = urls["exchange"], urls["reports"]
        if self._with_smtp:
            self.smtp = SmtpService(self.tenant, self.tokens, self.exchange_url)
            self.smtp.secure(authority)
            self.smtp_host, self.smtp_port = "localhost", listeners[SMTP].port
        self._start(listeners, certificates)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(self._close(), loop).result(START_LIMIT)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(START_LIMIT)
        self._loop = self._thread = None

    def _applications(self, certificates: Certificates) -> dict[Service, web.Application]:
        conditions, now = self.conditions, self.tenant.now
        injector = self._injector = Injector(
            conditions.faults, conditions.latency, conditions.clock, now, certificates, conditions.told_scale,
            self.authority,
        )  # fmt: skip
        meter = self._meter = Meter(conditions.limits, len(self.tenant.graph.get("users", ())), conditions.clock)
        limits = ServiceLimits(meter, self.tenant.tenant_id, conditions.told_scale)
        resources = {self.graph_url: "graph", self.exchange_url: "exchange"}
        login = Login(self.tenant, self.tokens, self.authority, resources, sender_apps(self.tenant))
        graph = Graph(self.tenant, self.tokens, self.graph_url, self.reports_url, limits)
        exchange = Exchange(self.tenant, self.tokens, self.exchange_url, meter, conditions.told_scale)
        return {
            "login": login.application(self.requests, injector.middleware("login")),
            "graph": graph.application(self.requests, injector.middleware("graph")),
            "exchange": exchange.application(self.requests, injector.middleware("exchange")),
            "reports": graph.downloads.application(self.requests, injector.middleware("reports")),
        }

    def _start(self, listeners: dict[str, Listener], certificates: Certificates) -> None:
        loop = asyncio.new_event_loop()
        self._loop = loop
        self._thread = threading.Thread(target=_run, args=(loop,), name="emulated tenant", daemon=True)
        self._thread.start()
        try:
            asyncio.run_coroutine_threadsafe(self._serve(listeners, certificates), loop).result(START_LIMIT)
        except (OSError, TimeoutError) as error:
            self.__exit__(None, None, None)
            for listener in listeners.values():
                _close(listener.sockets)
            raise ServiceError(
                f"The emulated tenant could not start: {error}.", remedy="Check that loopback connections are allowed."
            ) from error

    async def _serve(self, listeners: dict[str, Listener], certificates: Certificates) -> None:
        for name, application in self._applications(certificates).items():
            runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
            self._runners.append(runner)
            await runner.setup()
            certificates.watch(name, partial(_connections, runner))
            context = certificates.context(name)
            for listening in listeners[name].sockets:
                await web.SockSite(runner, listening, ssl_context=context).start()
        if self.smtp is not None:
            await self.smtp.start(listeners[SMTP].sockets)

    async def _close(self) -> None:
        if self.smtp is not None:
            await self.smtp.close()
        while self._runners:
            await self._runners.pop().cleanup()


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _connections(runner: web.AppRunner) -> Sequence[object]:
    return runner.server.connections if runner.server else ()


def write_private(path: Path, text: str) -> None:
    """A file that only its owner may read, from its first byte on (on Windows the folder's rights decide)."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)


@dataclass(frozen=True, slots=True)
class Listener:
    """One port, on every loopback address that the machine has."""

    port: int
    sockets: tuple[socket.socket, ...]


_COUNTS = {4: "four", 5: "five"}


def _listen(first: int, services: Sequence[str]) -> dict[str, Listener]:
    """A listener per service: consecutive ports from `first`, or free ones for 0."""
    if first and not 1 <= first <= 65536 - len(services):
        raise UsageError(
            f"--port {first}: {_COUNTS[len(services)]} consecutive ports are needed, up to 65535.",
            remedy=f"Take a number below {65537 - len(services)}.",
        )
    listeners: dict[str, Listener] = {}
    try:
        for number, name in enumerate(services):
            listeners[name] = _bind(first + number) if first else _bind_any()
    except OSError as error:
        for listener in listeners.values():
            _close(listener.sockets)
        if first:
            raise UsageError(
                f"Port {first + len(listeners)} cannot be used ({error.strerror}).",
                remedy=f"Name another with --port; the {_COUNTS[len(services)]} ports from there on are used.",
            ) from error
        raise ServiceError(
            f"No port on loopback can be opened ({error.strerror}).", remedy="Check the machine's loopback network."
        ) from error
    return listeners


def _bind_any() -> Listener:
    """A port that is free on IPv4 and on IPv6, so that `localhost` never reaches somebody else."""
    for _ in range(20):
        try:
            return _bind(0)
        except OSError as error:
            taken = error
    raise taken


def _bind(port: int) -> Listener:
    four = _socket(socket.AF_INET, "127.0.0.1", port)
    try:
        chosen = int(four.getsockname()[1])
        six = _socket(socket.AF_INET6, "::1", chosen) if _has_ipv6() else None
    except OSError:
        four.close()
        raise
    return Listener(chosen, (four,) if six is None else (four, six))


def _has_ipv6() -> bool:
    if not socket.has_ipv6:
        return False
    try:
        _socket(socket.AF_INET6, "::1", 0).close()
    except OSError as error:
        if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL):
            return False
        raise
    return True


def _socket(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":  # there SO_REUSEADDR would let two programs share a port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind((host, port))
        listening.listen(128)
    except OSError:
        listening.close()
        raise
    return listening


def _close(sockets: tuple[socket.socket, ...]) -> None:
    for listening in sockets:
        listening.close()


@contextlib.contextmanager
def stop_signals(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C and SIGTERM set `stop` while the context is open. Only for the main thread, as Python asks."""

    def handle(_number: int, _frame: Any) -> None:
        stop.set()

    numbers = [signal.SIGINT, signal.SIGTERM]
    if sys.platform == "win32":
        numbers.append(signal.SIGBREAK)
    before = [(number, signal.signal(number, handle)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def wait_until_stopped(stop: threading.Event | None = None) -> None:
    """Blocks until Ctrl-C, SIGTERM or `stop`, and returns as if nothing had happened."""
    stopped = stop or threading.Event()
    with stop_signals(stopped):
        while not stopped.wait(0.5):  # Windows delivers Ctrl-C only between waits
            pass
