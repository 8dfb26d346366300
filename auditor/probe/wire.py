"""One SMTP conversation: smtplib's commands over a socket of ours, each line written down as it may be shown.

What is ours: replies are read with a limit on their length, TLS is started with the name that the sender declares, and
signing in is one exchange that never tries again and never writes down what it sends.
"""

from __future__ import annotations

import base64
import smtplib
import socket
import ssl
from collections.abc import Sequence

from auditor.probe.result import Reply
from auditor.probe.transcript import Transcript

MOST_LINES = 100
LONGEST_LINE = 8192
SECRET = "****"


class NotSmtp(Exception):  # noqa: N818 - it says what the other side is not
    """The other side sent something that is no SMTP reply, or ended the conversation. Its text is not repeated."""


class Conversation(smtplib.SMTP):
    """A conversation over a connected socket; the greeting is the first reply to read."""

    def __init__(self, connected: socket.socket, transcript: Transcript, seconds: float) -> None:
        super().__init__(local_hostname="localhost", timeout=seconds)
        self.sock = connected
        self.file = None
        self._transcript = transcript
        self._shown = ""
        self._signing_in = False

    # --- what smtplib calls ------------------------------------------------------------------------------------------

    def send(self, s: object) -> None:
        """Each line goes into the transcript, unless it is a part of the sign-in."""
        text = s.decode("utf-8", "replace") if isinstance(s, (bytes, bytearray)) else str(s)
        self._transcript.client(self._shown or text)
        super().send(s)  # type: ignore[arg-type]

    def getreply(self) -> tuple[int, bytes]:
        """Raises NotSmtp for anything but a reply of reasonable length, OSError where the connection breaks."""
        if self.file is None:
            self.file = self._connected.makefile("rb")
        texts: list[bytes] = []
        for _ in range(MOST_LINES):
            line = self.file.readline(LONGEST_LINE + 1)
            if not line:
                raise NotSmtp("the connection was closed")
            if len(line) > LONGEST_LINE or not line[:3].isdigit() or line[3:4] not in (b" ", b"-", b"\r", b"\n"):
                raise NotSmtp("the answer is no SMTP reply")
            self._transcript.server(line.decode("utf-8", "replace"))
            texts.append(line[4:].strip(b" \t\r\n"))
            if line[3:4] != b"-":
                self._signing_in = self._signing_in and line[:3] == b"334"
                return int(line[:3]), b"\n".join(texts)
        raise NotSmtp("the answer does not end")

    # --- what a probe calls ------------------------------------------------------------------------------------------

    def greeting(self) -> Reply:
        return read(self.getreply())

    def hello(self, name: str) -> Reply:
        """The first line of the answer; `offers` tells the rest."""
        code, text = self.ehlo(name)
        return read((code, text.partition(b"\n")[0] if code == 250 else text))

    def offers(self) -> tuple[str, ...]:
        """Capabilities by name, with AUTH's mechanisms."""
        return tuple(
            f"AUTH {' '.join(self.mechanisms())}" if name == "auth" else name.upper() for name in self.esmtp_features
        )

    def mechanisms(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.esmtp_features.get("auth", "").upper().split()))

    def start_tls(self) -> Reply:
        """Asks for TLS; where the answer is 220, `secure` comes next."""
        return read(self.docmd("STARTTLS"))

    def secure(self, context: ssl.SSLContext, name: str) -> None:
        """The TLS handshake. Raises ssl.SSLError or OSError. What was said before counts for nothing (RFC 3207)."""
        secured = context.wrap_socket(self._connected, server_hostname=name)
        self.sock, self.file = secured, None
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features = {}
        self.does_esmtp = False
        self._transcript.note(f"TLS started: {secured.version()}")

    def begin_login(self, login: str) -> Reply:
        """AUTH LOGIN up to the question for the password: 334 where that comes next."""
        asked = self._ask_for_login()
        return asked if asked.code != 334 else self._answer(login)

    def give_password(self, password: str) -> Reply:
        """The answer to the password. A server that asks on is left: nothing is ever sent twice."""
        answer = self._answer(password)
        return self.abandon() if answer.code == 334 else answer

    def give_token(self, login: str, token: str) -> Reply:
        """AUTH XOAUTH2 in one line; an explanation that the server puts into a challenge is acknowledged."""
        # https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
        self._signing_in = True
        response = base64.b64encode(_bytes(f"user={login}\x01auth=Bearer {token}\x01\x01")).decode()
        answer = self._masked("AUTH", f"XOAUTH2 {response}", f"AUTH XOAUTH2 {SECRET}")
        return answer if answer.code != 334 else self._masked("", "", SECRET)

    def offer_login(self) -> Reply:
        """AUTH LOGIN without TLS, only to see what the server says; nothing secret follows."""
        asked = self._ask_for_login()
        if asked.code == 334:
            self.abandon()
        return asked

    def _ask_for_login(self) -> Reply:
        self._signing_in = True
        return read(self.docmd("AUTH", "LOGIN"))

    def abandon(self) -> Reply:
        """Ends a sign-in in the middle (RFC 4954, section 4)."""
        return read(self.docmd("*"))

    def mail_from(self, address: str, recipient: str) -> Reply:
        """Raises smtplib.SMTPNotSupportedError where an address has letters that the server does not take."""
        options: Sequence[str] = () if (address + recipient).isascii() else ("SMTPUTF8",)
        return read(self.mail(address, options))

    def rcpt_to(self, address: str) -> Reply:
        return read(self.rcpt(address))

    def deliver(self, message: bytes) -> Reply:
        """DATA with the message; the transcript only learns its size."""
        asked = read(self.docmd("DATA"))
        if asked.code != 354:
            return asked
        self._shown = f"[a message of {len(message)} bytes]"
        try:
            self.send(message + b"\r\n.\r\n")
        finally:
            self._shown = ""
        return read(self.getreply())

    def leave(self) -> None:
        """Says goodbye; whether anybody listens no longer matters. In the middle of a sign-in nothing is said: a server
        that waits for a password would take the goodbye for one, and count it."""
        if self._signing_in:
            self.cut()
            return
        try:
            self.docmd("QUIT")
        except (OSError, NotSmtp, smtplib.SMTPException):
            self._transcript.note("the connection ended without a goodbye")

    @property
    def _connected(self) -> socket.socket:
        if self.sock is None:
            raise NotSmtp("the connection was closed")
        return self.sock

    def cut(self) -> None:
        """Ends the connection at once, also for a thread that still waits on it."""
        if self.sock is None:
            return
        try:
            self.sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            self._transcript.note("the connection was gone already")
        self.close()

    def _answer(self, text: str) -> Reply:
        return self._masked(base64.b64encode(_bytes(text)).decode(), "", SECRET)

    def _masked(self, command: str, argument: str, shown: str) -> Reply:
        """Sends a line of which the transcript learns only `shown`."""
        self._shown = shown
        try:
            self.putcmd(command, argument)
        finally:
            self._shown = ""
        return read(self.getreply())


def _bytes(text: str) -> bytes:
    """UTF-8; what the environment held that was none stays as it was."""
    return text.encode("utf-8", "surrogateescape")


def read(answer: tuple[int, bytes]) -> Reply:
    """The lines of a reply as one text; an enhanced code that each line repeats stands once."""
    code, data = answer
    lines = data.decode("utf-8", "replace").split("\n")
    enhanced, _, _ = lines[0].partition(" ")
    if enhanced.count(".") == 2:
        lines[1:] = [line.removeprefix(enhanced).strip() for line in lines[1:]]
    return Reply(code, " ".join(line.strip() for line in lines if line.strip()))
