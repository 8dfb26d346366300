"""The probe itself: one sender, phase after phase, each within its time, until something says no.

Order: DNS, connect, (TLS), greeting, EHLO, STARTTLS with EHLO again, token, AUTH, MAIL FROM, RCPT TO, and DATA only
where a message was asked for. No password and no token leaves before TLS is verified; a password leaves once.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, make_msgid
from typing import TypeVar

from auditor.clock import Clock, iso
from auditor.errors import AuditorError, SignInError
from auditor.probe import meaning, tls
from auditor.probe.bounded import Budget, Late, bounded
from auditor.probe.credential import Nothing, Password, Token
from auditor.probe.job import Job, is_address, literal
from auditor.probe.memory import Memory
from auditor.probe.redact import Redactor
from auditor.probe.result import Ending, Outcome, Phase, Pointer, ProbeResult, Reply
from auditor.probe.transcript import Transcript
from auditor.probe.wire import Conversation, NotSmtp

T = TypeVar("T")

PHASE_SECONDS = 15.0
TOTAL_SECONDS = 90.0
TOKEN_SECONDS = 30.0

LATER = (
    "Sender and recipient were taken, and no message was sent. Exchange Online may refuse a From address, a missing "
    "licence or a used-up limit only when a message is handed over (--send)."
)
ELSEWHERE = (
    "Exchange Online saw the address of this machine, not the sender's: Conditional Access policies that look at the "
    "place may answer the device otherwise."
)
NOT_IN_CATALOGUE = "The server's text is none that is known; `auditor explain` shows what comes nearest."
EXPECTED = {
    "greeting": (220,),
    "ehlo": (250,),
    "starttls": (220,),
    "auth": (235,),
    "mail-from": (250,),
    "rcpt-to": (250, 251, 252),
    "data": (250,),
}
"""the codes that let a phase go on; anything else below 400 is no answer to what was asked"""

TRANSIENT = (451, 454)
"""answers to a password that say nothing about it"""

PROXY = "Behind a proxy that opens TLS, name its certificate authority in ca_bundle; never go on without verification."

CLOCK = "Either the server's certificate is out of date, or this machine's clock is wrong."


class Stop(Exception):  # noqa: N818 - the probe has an end, which need not be an error
    """The phase that was just noted is the last one."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending)
        self.ending = ending


@dataclass
class Tools:
    """What a probe needs besides its job. `tried`: user name → the sender that signed in with it in this run;
    `announce` is told of each phase as it ends."""

    clock: Clock
    memory: Memory
    again: bool = False
    phase_seconds: float = PHASE_SECONDS
    total_seconds: float = TOTAL_SECONDS
    tried: dict[str, str] = field(default_factory=dict)
    announce: Callable[[Phase], None] = lambda _: None


def probe(job: Job, tools: Tools) -> tuple[ProbeResult, Transcript]:
    """Tries one sender's settings. Whatever the other side does is a result; raises only UsageError, where the memory
    of refused sign-ins cannot be used."""
    return _Probe(job, tools).run()


class _Probe:
    def __init__(self, job: Job, tools: Tools) -> None:
        self.job = job
        self.tools = tools
        self.redactor = Redactor()
        self.transcript = Transcript(self.redactor)
        self.budget = Budget(tools.clock, tools.total_seconds, tools.phase_seconds)
        self.phases: list[Phase] = []
        self.pointers: list[Pointer] = []
        self.replies: list[str] = []
        self.notes: list[str] = []
        self.smtp: Conversation | None = None
        self.peer, self.seen_as = "", ""
        for secret in _secrets(job):
            self.redactor.learn(secret)

    def run(self) -> tuple[ProbeResult, Transcript]:
        started = iso(self.tools.clock.now())
        try:
            ending = self._phases()
        except Stop as stop:
            ending = stop.ending
        finally:
            self._hang_up()
        if ending == "accepted":
            self.notes.append(LATER)
        signed_in = any(phase.name == "auth" and phase.reply for phase in self.phases)
        if signed_in and self.job.sender.egress_ips and not self.job.moved and self.job.channel == "basic":
            self.notes.append(ELSEWHERE)
        return self._result(started, ending), self.transcript

    def _phases(self) -> Ending:
        job = self.job
        if not job.on_the_wire:
            self._note("connect", "skipped", "This sender uses Graph, not SMTP.")
            return "stopped"
        self._connect(self._resolve())
        if job.sender.tls == "implicit":
            self._handshake(meaning.of_implicit_tls(job))
        self._said("greeting", self._smtp.greeting, unreachable=True)
        self._hello()
        if job.sender.tls == "starttls":
            self._start_tls()
        self._sign_in()
        self._said("mail-from", lambda: self._smtp.mail_from(job.from_, job.to))
        self._said("rcpt-to", lambda: self._smtp.rcpt_to(job.to))
        if not job.send:
            return "accepted"
        self._said("data", lambda: self._smtp.deliver(_message(job, self.tools.clock)))
        return "sent"

    # --- getting there -----------------------------------------------------------------------------------------------

    def _resolve(self) -> list[str]:
        name, port = self.job.contact
        if is_address(name):
            self._note("dns", "skipped", f"{name} is an address already.")
            return [name]
        try:
            found = self._bounded("dns", lambda: socket.getaddrinfo(name, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or "no host name"
            self._note("dns", "failed", f"{name} does not resolve ({why}).")
            raise Stop("unreachable") from None
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        self._note("dns", "done", f"{name} is {', '.join(addresses)}.")
        return addresses

    def _connect(self, addresses: list[str]) -> None:
        """The first address that answers counts; they share the phase's time."""
        port = self.job.contact[1]
        end = self.tools.clock.monotonic() + self.budget.seconds()
        problems = []
        for number, address in enumerate(addresses):
            seconds = max(0.001, (end - self.tools.clock.monotonic()) / (len(addresses) - number))
            try:
                connected = socket.create_connection((address, port), timeout=seconds)
            except TimeoutError:
                problems.append(f"{address}: no answer within {seconds:.0f} s")
            except OSError as error:
                problems.append(f"{address}: {error.strerror or type(error).__name__}")
            else:
                self._begin(connected, address)
                return
        self.pointers += meaning.of_port(self.job)
        self._note("connect", "failed", f"Port {port} cannot be reached ({'; '.join(problems)}).")
        raise Stop("unreachable")

    def _begin(self, connected: socket.socket, address: str) -> None:
        self.peer, self.seen_as = address, str(connected.getsockname()[0])
        connected.settimeout(self.tools.phase_seconds)
        self.smtp = Conversation(connected, self.transcript, self.tools.phase_seconds)
        self._note("connect", "done", f"Connected to {address}, port {self.job.contact[1]}.")

    @property
    def _smtp(self) -> Conversation:
        assert self.smtp is not None
        return self.smtp

    def _hello(self) -> None:
        name = self.job.greeting or literal(self.seen_as)
        self._said("ehlo", lambda: self._smtp.hello(name), facts=lambda: (("offers", ", ".join(self._smtp.offers())),))

    # --- TLS ---------------------------------------------------------------------------------------------------------

    def _start_tls(self) -> None:
        if not self._smtp.has_extn("starttls"):
            self.pointers += meaning.of_no_starttls()
            self._note("tls", "failed", "The server offers no STARTTLS, so nothing secret is sent.")
            raise Stop("stopped")
        self._said("starttls", self._smtp.start_tls)
        self._handshake(())
        self._hello()

    def _handshake(self, suspects: tuple[Pointer, ...]) -> None:
        """Verified TLS. `suspects` is what a handshake points at that never began."""
        context = tls.verified(self.job.ca_file)
        try:
            self._bounded("tls", lambda: self._smtp.secure(context, self.job.host))
        except ssl.SSLError as error:
            self._refused_certificate(error, suspects)
        except (OSError, NotSmtp):
            self.pointers += suspects
            self._note("tls", "failed", "The connection broke during the TLS handshake.")
            raise Stop("stopped") from None
        connection = self._smtp.sock
        assert isinstance(connection, ssl.SSLSocket)
        found = tls.facts(connection, self.tools.clock.now())
        self._note("tls", "done", f"{dict(found)['version']}, the certificate is trusted for {self.job.host}.",
                   facts=found)  # fmt: skip

    def _refused_certificate(self, error: ssl.SSLError, suspects: tuple[Pointer, ...]) -> None:
        certificate = isinstance(error, ssl.SSLCertVerificationError)
        if tls.wrong_name(error):
            self.pointers += meaning.of_wrong_name(self.job)
        elif certificate:
            self.notes.append(CLOCK if tls.out_of_date(error) else PROXY)
        else:
            self.pointers += suspects
        found = self._look() if certificate else ()
        detail = f"No TLS: {tls.cause(error)}. Nothing secret is sent."
        self._note("tls", "failed", detail, facts=found)
        raise Stop("stopped")

    def _look(self) -> tls.Facts:
        """Connects once more only to see which certificate was refused."""
        address = (self.peer, self.job.contact[1])
        seconds = self.budget.seconds()

        def look() -> tls.Facts:
            with socket.create_connection(address, timeout=seconds) as raw:
                conversation = Conversation(raw, Transcript(self.redactor), seconds)
                if self.job.sender.tls == "starttls":
                    conversation.greeting()
                    conversation.hello(self.job.greeting or literal(self.seen_as))
                    conversation.start_tls()
                conversation.secure(tls.unverified(), self.job.host)
                connection = conversation.sock
                assert isinstance(connection, ssl.SSLSocket)
                with connection:
                    return tls.facts(connection, self.tools.clock.now())

        try:
            return bounded(seconds, look)
        except (OSError, NotSmtp, Late):
            return ()

    # --- signing in --------------------------------------------------------------------------------------------------

    def _sign_in(self) -> None:
        job = self.job
        if job.channel == "none":
            self._note("auth", "skipped", "This route uses no sign-in.")
            return
        if isinstance(job.credential, Nothing):
            if job.credential.blocker:
                self.pointers.append(Pointer(job.credential.blocker, job.credential.why))
            self._note("auth", "skipped", job.credential.why)
            raise Stop("stopped")
        if job.sender.tls == "none":
            self._sign_in_without_tls()
        mechanism = "XOAUTH2" if isinstance(job.credential, Token) else "LOGIN"
        if mechanism not in self._smtp.mechanisms():
            self.pointers += meaning.of_no_mechanism(mechanism)
            self._note("auth", "failed", f"The server does not offer AUTH {mechanism}.")
            raise Stop("stopped")
        if isinstance(job.credential, Token):
            token = self._token(job.credential)
            self._said("auth", lambda: self._smtp.give_token(job.login, token))
        else:
            self._password(job.credential)

    def _sign_in_without_tls(self) -> None:
        """Asks, and goes no further."""
        asked = self._exchange("auth", self._smtp.offer_login)
        self.pointers += meaning.of_no_tls()
        if asked.code != 334:
            self._judge("auth", asked, ())
        self._note("auth", "skipped", "The server would take a sign-in without TLS; nothing secret is sent so.")
        raise Stop("stopped")

    def _token(self, credential: Token) -> str:
        try:
            token = bounded(self.budget.seconds(TOKEN_SECONDS), credential.obtain)
        except AuditorError as error:
            refused = isinstance(error, SignInError)
            if refused:
                self.pointers += meaning.of_token(self.redactor.clean(error.message))
            self._note("token", "refused" if refused else "failed", str(error))
            raise Stop("refused" if refused else "stopped") from None
        except Late as late:
            self._note("token", "failed", f"No token: {late}.")
            raise Stop("stopped") from None
        self.redactor.learn(token)
        self._note("token", "done", f"There is {credential.where}.")
        return token

    def _password(self, credential: Password) -> None:
        """One attempt for a user name and run, noted before the password leaves."""
        login = self.job.login
        before = self.tools.tried.setdefault(login.lower(), self.job.sender.name)
        if before != self.job.sender.name:
            self._note("auth", "skipped", f"{login} was tried already in this run, by {before}; one attempt is enough.")
            raise Stop("stopped")
        if not self.tools.again and self.tools.memory.held_back(login):
            self._note("auth", "skipped", f"{login} was tried lately without success.")
            raise Stop("stopped")
        asked = self._exchange("auth", lambda: self._smtp.begin_login(login))
        if asked.code != 334:
            self._judge("auth", asked, ())
            return
        if not self.tools.memory.begin(login, again=self.tools.again):
            self._note("auth", "skipped", f"{login} is being tried by another program at this moment.")
            raise Stop("stopped")
        answer = self._exchange("auth", lambda: self._smtp.give_password(credential.value))
        if answer.code in (*EXPECTED["auth"], *TRANSIENT):
            self.tools.memory.forget(login)
        else:
            self.tools.memory.refused(login, f"refused with {answer.code}")
        self._judge("auth", answer, ())

    # --- the common part of all phases -------------------------------------------------------------------------------

    def _said(
        self,
        name: str,
        ask: Callable[[], Reply],
        *,
        unreachable: bool = False,
        facts: Callable[[], tuple[tuple[str, str], ...]] = tuple,
    ) -> None:
        """A phase that is one command and its reply."""
        reply = self._exchange(name, ask, "unreachable" if unreachable else "stopped")
        self._judge(name, reply, facts() if reply.code < 400 else ())

    def _exchange(self, name: str, ask: Callable[[], Reply], ending: Ending = "stopped") -> Reply:
        try:
            return self._bounded(name, ask, ending)
        except smtplib.SMTPNotSupportedError:
            detail = "An address has letters that the server does not take (SMTPUTF8)."
        except NotSmtp as error:
            detail = f"{str(error)[0].upper()}{str(error)[1:]}."
        except OSError:
            detail = "The connection broke."
        self._note(name, "failed", detail)
        raise Stop(ending)

    def _judge(self, name: str, reply: Reply, facts: tuple[tuple[str, str], ...]) -> None:
        """Notes a reply; a refusal is explained and ends the probe."""
        if reply.code in EXPECTED[name]:
            self._note(name, "done", "", reply, facts)
            return
        if reply.code < 400:
            self._note(name, "failed", "The server's answer does not fit the command.", reply)
            raise Stop("stopped")
        found = meaning.of_reply(self.job, reply)
        self.pointers += found.pointers
        self.replies += found.replies
        if not found.known:
            self.notes.append(NOT_IN_CATALOGUE)
        self._note(name, "refused", "", reply)
        raise Stop("refused")

    def _bounded(self, name: str, work: Callable[[], T], ending: Ending | None = None) -> T:
        """Within the phase's time. On a phase that is late the connection is cut."""
        try:
            return bounded(self.budget.seconds(), work, self._cut)
        except Late as late:
            self._note(name, "failed", f"No answer within {late.seconds:.0f} s.")
            raise Stop(ending or ("unreachable" if name == "dns" else "stopped")) from None

    def _note(
        self,
        name: str,
        outcome: Outcome,
        detail: str,
        reply: Reply | None = None,
        facts: tuple[tuple[str, str], ...] = (),
    ) -> None:
        clean = self.redactor.clean
        shown = Reply(reply.code, clean(reply.text)) if reply else None
        phase = Phase(name, outcome, clean(detail), shown, tuple((key, clean(value)) for key, value in facts))
        self.phases.append(phase)
        self.tools.announce(phase)

    def _cut(self) -> None:
        if self.smtp is not None:
            self.smtp.cut()

    def _hang_up(self) -> None:
        if self.smtp is None or self.smtp.sock is None:
            return
        try:
            bounded(min(3.0, self.tools.phase_seconds), self.smtp.leave, self._cut)
        except Late:
            return
        finally:
            self.smtp.close()

    def _result(self, started: str, ending: Ending) -> ProbeResult:
        job = self.job
        return ProbeResult(
            sender=job.sender.name,
            account=job.sender.account,
            login=job.login,
            route=job.route,
            channel=job.channel,
            declared=f"{job.host}:{job.port}",
            contacted=f"{job.contact[0]}:{job.contact[1]}",
            time=started,
            phases=tuple(self.phases),
            replies=tuple(dict.fromkeys(self.replies)),
            pointers=tuple(dict.fromkeys(self.pointers)),
            notes=tuple(dict.fromkeys(self.notes)),
            ending=ending,
        )


def _secrets(job: Job) -> tuple[str, ...]:
    if isinstance(job.credential, Password):
        return (job.credential.value,)
    return job.credential.secrets if isinstance(job.credential, Token) else ()


def _message(job: Job, clock: Clock) -> bytes:
    """A message that says what it is."""
    message = EmailMessage(policy=SMTP if (job.from_ + job.to).isascii() else SMTPUTF8)
    message["From"] = Address(addr_spec=job.from_)
    message["To"] = Address(addr_spec=job.to)
    message["Subject"] = "SMTP test"
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = make_msgid(domain=job.from_.rpartition("@")[2])
    message.set_content(
        f"This message shows that the sender {job.sender.name} can send by SMTP.\n"
        "It was sent by auditor probe. Nobody needs to do anything.\n"
    )
    return message.as_bytes().rstrip(b"\r\n")
