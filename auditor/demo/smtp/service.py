"""The SMTP service of the emulated tenant: STARTTLS, AUTH LOGIN and XOAUTH2 as Exchange Online offers them.

The protocol is aiosmtpd's (https://aiosmtpd.readthedocs.io); what is ours is what Exchange Online does otherwise: which
mechanisms it offers when, and its replies. One port stands for every host name of Microsoft's: the name that a client
asks for in its TLS handshake (SNI) tells which endpoint it means. A client says in EHLO, as an address literal, from
which IP address it would come; on loopback there is no other way to know. Messages are counted and thrown away.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import ssl
import time
import weakref
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from socket import socket
from typing import Any, Protocol

from aiosmtpd.smtp import SMTP, Envelope, Session, TLSSetupException

from auditor.demo.entra.tokens import Authority
from auditor.demo.model import DemoTenant
from auditor.demo.smtp import mailboxes, texts
from auditor.demo.smtp.sign_in import Client, Gate, Lockout, SignedIn, decoded
from auditor.demo.smtp.submission import Desk

NAMES = (
    "localhost",
    "127.0.0.1",
    "::1",
    "smtp.office365.com",
    "smtp-legacy.office365.com",
    "smtp.hve.mx.microsoft",
    "smtp-hve.office365.com",
    "*.mail.protection.outlook.com",
)
"""what the certificate is issued for: Microsoft's documented endpoints, and loopback"""

LEGACY_HOST = "smtp-legacy.office365.com"
OLD_VERSIONS = frozenset({"TLSv1", "TLSv1.1"})
MECHANISMS = ("LOGIN", "XOAUTH2")
LARGEST_MESSAGE = 36_700_160
LONGEST_LINE = 16_384
"""letters of a command: a token is far longer than other commands (RFC 4954, section 4)"""
IDLE_SECONDS = 60.0


class Issuer(Protocol):
    """A certificate authority as trustme makes one."""

    def issue_cert(self, *identities: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class Visit:
    """One sign-in that was answered: `reply` is the answer without its stamp, `login` what the client called itself."""

    host: str
    address: str
    mechanism: str
    login: str
    reply: str


@dataclass(frozen=True, slots=True)
class Submission:
    """One message that was taken: of the message itself nothing but its size is kept."""

    login: str
    sender: str
    recipients: tuple[str, ...]
    size: int


@dataclass
class SmtpService:
    """Serves one tenant on sockets that are given. `visits` and `submissions` are what it saw; `troubles` holds the
    errors of its own that a client was told of as a temporary one."""

    tenant: DemoTenant
    tokens: Authority
    audience: str
    clock: Callable[[], float] = time.monotonic
    visits: list[Visit] = field(default_factory=list)
    submissions: list[Submission] = field(default_factory=list)
    troubles: list[Exception] = field(default_factory=list)
    gate: Gate = field(init=False)
    desk: Desk = field(init=False)
    _names: weakref.WeakKeyDictionary[Any, str] = field(default_factory=weakref.WeakKeyDictionary)
    _open: weakref.WeakSet[Conversation] = field(default_factory=weakref.WeakSet)
    _servers: list[asyncio.Server] = field(default_factory=list)
    _context: ssl.SSLContext | None = None
    _refusals: int = 0

    def __post_init__(self) -> None:
        self.gate = Gate(self.tenant, self.tokens, self.audience, Lockout(self.clock))
        self.desk = Desk(self.tenant)
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # it would tell every line of every client

    def secure(self, issuer: Issuer) -> None:
        """Gives the service a certificate. It takes TLS of any version, as the real front end does, so that an old one
        can be refused in words."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.sni_callback = self._named
        issuer.issue_cert(*NAMES).configure_cert(context)
        self._context = context

    def _named(self, connection: Any, name: str | None, _: ssl.SSLContext) -> None:
        self._names[connection] = (name or "").lower()

    def host_of(self, connection: Any) -> str:
        """The name that a TLS client asked for."""
        return self._names.get(connection, "")

    async def start(self, listening: Sequence[socket]) -> None:
        """Serves until `close`; `secure` comes first."""
        loop = asyncio.get_running_loop()
        for one in listening:
            self._servers.append(await loop.create_server(self._conversation, sock=one))

    def _conversation(self) -> Conversation:
        assert self._context is not None
        conversation = Conversation(self, self._context)
        self._open.add(conversation)
        return conversation

    async def close(self) -> None:
        """Stops listening and drops every connection."""
        for server in self._servers:
            server.close()
        for conversation in list(self._open):
            conversation.drop()
        self._servers.clear()

    def stamped(self, text: str) -> str:
        self._refusals += text[0] in "45"
        return texts.stamped(text, self.tenant.now, self._refusals)


class Conversation(SMTP):
    """One client's connection."""

    line_length_limit = LONGEST_LINE
    command_size_limit = LONGEST_LINE
    command_size_limits: dict[str, int] = defaultdict(lambda: LONGEST_LINE)  # noqa: RUF012 - aiosmtpd keeps it so

    def __init__(self, service: SmtpService, context: ssl.SSLContext) -> None:
        self.service = service
        self.signed_in: SignedIn | None = None
        super().__init__(
            Hooks(service),
            data_size_limit=LARGEST_MESSAGE,
            enable_SMTPUTF8=True,
            hostname=texts.HOST,
            ident="Microsoft ESMTP MAIL Service ready (emulated)",
            tls_context=context,
            timeout=IDLE_SECONDS,
            auth_exclude_mechanism=("PLAIN",),
            loop=asyncio.get_running_loop(),
        )

    @property
    def connection(self) -> Any:
        """The TLS connection, None before STARTTLS."""
        return (self.session.ssl or {}).get("ssl_object") if self.session else None

    @property
    def client(self) -> Client:
        host = self.service.host_of(self.connection) if self.connection is not None else ""
        return Client(host, _address(self.session.host_name or "") if self.session else "")

    def drop(self) -> None:
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    async def answer(self, text: str) -> None:
        await self.push(self.service.stamped(text))

    def speaks_old_tls(self) -> bool:
        """TLS 1.0 or 1.1, which only its own endpoint takes, and only where the tenant allows it."""
        if self.connection is None or self.connection.version() not in OLD_VERSIONS:
            return False
        return self.client.host != LEGACY_HOST or not mailboxes.allows_old_tls(self.service.tenant)

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802 - aiosmtpd finds commands by name
        if self.speaks_old_tls():
            await self._refuse_old_tls()
        else:
            await super().smtp_EHLO(hostname)

    async def _refuse_old_tls(self) -> None:
        await self.answer(texts.OLD_TLS)
        if self.transport is not None:
            self.transport.close()

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802
        """AUTH with Exchange Online's own replies; aiosmtpd still asks for name and password."""
        mechanism, _, initial = (arg or "").partition(" ")
        if self.connection is None:
            await self.answer(texts.STARTTLS_FIRST)
        elif self.speaks_old_tls():
            await self._refuse_old_tls()
        elif await self.check_helo_needed("EHLO"):
            return
        elif self.signed_in is not None:
            await self.push("503 5.5.2 Already authenticated")
        elif mechanism.upper() not in MECHANISMS:
            await self.answer(texts.OTHER_MECHANISM)
        else:
            exchange = self._login if mechanism.upper() == "LOGIN" else self._xoauth2
            await exchange(initial.strip())

    async def _login(self, initial: str) -> None:
        name = decoded(initial) if initial else await self.challenge_auth("Username:")
        if name is None:
            await self.push("501 5.5.2 Cannot decode base64")
            return
        if isinstance(name, bytes):
            password = await self.challenge_auth("Password:")
            if isinstance(password, bytes):
                login = name.decode("utf-8", "replace")
                await self._answered("LOGIN", login, self.service.gate.password(self.client, login, password))

    async def _xoauth2(self, initial: str) -> None:
        response = decoded(initial) if initial else await self.challenge_auth(b"", encode_to_b64=False)
        if response is None:
            await self.answer(texts.TOKEN_MALFORMED)
        elif isinstance(response, bytes):
            login = response.decode("utf-8", "replace").partition("\x01")[0].removeprefix("user=")
            await self._answered("XOAUTH2", login, self.service.gate.token(self.client, response))

    async def _answered(self, mechanism: str, login: str, outcome: SignedIn | str) -> None:
        if isinstance(outcome, SignedIn):
            self.signed_in = outcome
        reply = texts.SIGNED_IN if isinstance(outcome, SignedIn) else outcome
        client = self.client
        self.service.visits.append(Visit(client.host, client.address, mechanism, login, reply))
        await self.answer(reply)


class Hooks:
    """What aiosmtpd asks: the capabilities, and whether sender, recipient and message are taken."""

    def __init__(self, service: SmtpService) -> None:
        self.service = service

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's names
        self, server: Conversation, session: Session, _: Envelope, hostname: str, __: list[str]
    ) -> list[str]:
        session.host_name = hostname
        offers = [f"SIZE {LARGEST_MESSAGE}", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8"]
        offers.insert(2, "STARTTLS" if server.connection is None else f"AUTH {' '.join(MECHANISMS)}")
        lines = [f"{texts.HOST} Hello [{_address(hostname) or '127.0.0.1'}]", *offers]
        return [f"250-{line}" for line in lines[:-1]] + [f"250 {lines[-1]}"]

    async def handle_MAIL(  # noqa: N802
        self, server: Conversation, _: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.service.desk.sender(server.client, server.signed_in, address)
        if reply == texts.SENDER_OK:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return self.service.stamped(reply)

    async def handle_RCPT(  # noqa: N802
        self, server: Conversation, _: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.service.desk.recipient(server.client, server.signed_in, address, len(envelope.rcpt_tos))
        if reply == texts.RECIPIENT_OK:
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return self.service.stamped(reply)

    async def handle_DATA(self, server: Conversation, _: Session, envelope: Envelope) -> str:  # noqa: N802
        login = server.signed_in.user["userPrincipalName"] if server.signed_in else ""
        size = len(envelope.original_content or b"")
        taken = Submission(login, envelope.mail_from or "", tuple(envelope.rcpt_tos), size)
        self.service.submissions.append(taken)
        return f"250 2.0.0 OK <{len(self.service.submissions)}@{texts.HOST}> [Hostname={texts.HOST}]"

    async def handle_exception(self, error: Exception) -> str:
        if not isinstance(error, TLSSetupException):  # a client that does not trust us, which is its right
            self.service.troubles.append(error)
        return self.service.stamped(texts.TROUBLE)


def _address(hostname: str) -> str:
    """The IP address of an address literal (RFC 5321, section 4.1.3), empty for a name or a loopback address."""
    literal = hostname.strip()
    if not (literal.startswith("[") and literal.endswith("]")):
        return ""
    try:
        address = ipaddress.ip_address(literal[1:-1].removeprefix("IPv6:"))
    except ValueError:
        return ""
    return "" if address.is_loopback else str(address)
