"""The emulated SMTP service, met with Python's own smtplib."""

from __future__ import annotations

import base64
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from auditor.demo.entra.tokens import Authority
from auditor.demo.model import DemoTenant
from auditor.demo.server import Emulator
from auditor.demo.smtp.sign_in import Client, Gate, Lockout
from auditor.demo.smtp.submission import Desk
from auditor.demo.tenant import generate

OFFICE = "[203.0.113.10]"
SUBMISSION = "smtp.office365.com"


class Clock:
    """Seconds that a test moves by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Connection(smtplib.SMTP):
    """smtplib, told which of Microsoft's names it means."""

    def __init__(self, emulator: Emulator, *, host: str = SUBMISSION, name: str = OFFICE) -> None:
        super().__init__(emulator.smtp_host, emulator.smtp_port, local_hostname=name, timeout=20)
        self._context = ssl.create_default_context(cafile=str(emulator.ca_bundle))
        self._host = host

    def secured(self) -> Connection:
        self.ehlo()
        assert self.starttls(context=self._context)[0] == 220
        self.ehlo()
        return self

    def password(self, login: str, password: str) -> str:
        """AUTH LOGIN by hand: the final reply, as one text."""
        assert self.docmd("AUTH", "LOGIN")[0] == 334
        assert self.docmd(encoded(login))[0] == 334
        return said(self.docmd(encoded(password)))

    def token(self, login: str, token: str) -> str:
        return said(
            self.docmd("AUTH", f"XOAUTH2 {encoded(f'user={login}{chr(1)}auth=Bearer {token}{chr(1)}{chr(1)}')}")
        )


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def said(answer: tuple[int, bytes]) -> str:
    return f"{answer[0]} {answer[1].decode()}"


@pytest.fixture
def tenant() -> DemoTenant:
    """A tenant of one's own, free to be changed."""
    return generate(accounts=100)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[DemoTenant], Emulator]]:
    """Serves a tenant with SMTP until the test ends."""
    with ExitStack() as stack:
        yield lambda tenant: stack.enter_context(Emulator(tenant, tmp_path / "emulator", smtp=True))


@pytest.fixture(scope="session")
def emulator(tmp_path_factory) -> Iterator[Emulator]:
    """One served tenant for all tests that only read."""
    with Emulator(generate(accounts=100), tmp_path_factory.mktemp("emulator"), smtp=True) as emulator:
        yield emulator


@pytest.fixture
def connect() -> Iterator[Callable[..., Connection]]:
    """(emulator, host=…, name=…) → a connection that ends with the test."""
    with ExitStack() as stack:
        yield lambda *arguments, **options: stack.enter_context(Connection(*arguments, **options))


@pytest.fixture
def gate(tenant, clock) -> Gate:
    """Decides sign-ins of the tenant, without any wire."""
    return Gate(tenant, Authority(tenant.tenant_id), "https://exchange.example", Lockout(clock))


@pytest.fixture
def desk(tenant) -> Desk:
    return Desk(tenant)


@pytest.fixture
def user(tenant) -> Callable[[str], dict]:
    """The Graph object of an account, by the name before its @."""
    return lambda key: next(one for one in tenant.graph["users"]
                            if one["userPrincipalName"].partition("@")[0] == key)  # fmt: skip


@pytest.fixture
def sign_in(tenant, gate, user) -> Callable[..., object]:
    """(account, …) → what its right password gets, from the office and at the usual endpoint."""

    def attempt(key: str, *, host: str = SUBMISSION, address: str = "203.0.113.10", password: str | None = None):
        account = user(key)
        known = tenant.app_passwords.get(account["id"]) or tenant.passwords[account["id"]]
        client = Client(host, address)
        return gate.password(client, account["userPrincipalName"], (known if password is None else password).encode())

    return attempt
