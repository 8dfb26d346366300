"""Our probe against an SMTP server that is not ours: aiosmtpd as it comes, with TLS and a password of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest
from aiosmtpd.handlers import Message
from aiosmtpd.smtp import SMTP, AuthResult

from auditor.probe import probe
from auditor.probe.credential import Password

PASSWORD = "correct-Horse-battery-1"


class Inbox(Message):
    """Keeps what it is given."""

    def __init__(self):
        super().__init__()
        self.received = []

    def handle_message(self, message):
        self.received.append(message)


class Plain:
    """aiosmtpd on loopback; signing in is required, and only over TLS."""

    def __init__(self, context):
        self.inbox = Inbox()
        self.tried = []
        self._context = context
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)

    async def _start(self):
        return await self._loop.create_server(self._conversation, sock=self._listening)

    def _conversation(self):
        return SMTP(self.inbox, tls_context=self._context, require_starttls=True, auth_required=True,
                    authenticator=self._check, hostname="mail.example", loop=self._loop)  # fmt: skip

    def _check(self, server, session, envelope, mechanism, data):
        self.tried.append((mechanism, data.login.decode()))
        return AuthResult(success=data.password.decode() == PASSWORD, handled=False)

    def close(self):
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()


@pytest.fixture
def server(trust) -> Iterator[Plain]:
    plain = Plain(trust.context())
    yield plain
    plain.close()


def test_the_right_password_goes_through_and_no_message_is_sent(server, job, tools, trust):
    result, _ = probe(job(server.port, ca_file=trust.ca_file, credential=Password("a test", PASSWORD)), tools)
    assert result.ending == "accepted", result.phases
    assert [phase.name for phase in result.phases] == [
        "dns", "connect", "greeting", "ehlo", "starttls", "tls", "ehlo", "auth", "mail-from", "rcpt-to",
    ]  # fmt: skip
    assert server.tried == [("LOGIN", "scanner@contoso.example")]
    assert server.inbox.received == []


def test_a_message_arrives_where_it_was_asked_for(server, job, tools, trust):
    made = job(server.port, ca_file=trust.ca_file, credential=Password("a test", PASSWORD), send=True,
               to="me@contoso.example")  # fmt: skip
    result, transcript = probe(made, tools)
    assert result.ending == "sent"
    (message,) = server.inbox.received
    assert (message["From"], message["To"], message["Subject"]) == (
        "scanner@contoso.example", "me@contoso.example", "SMTP test",
    )  # fmt: skip
    assert message.get_payload() not in "\n".join(transcript.lines)


def test_a_wrong_password_is_one_attempt_and_an_unknown_text_stays_unknown(server, job, tools, trust, planted):
    result, transcript = probe(job(server.port, ca_file=trust.ca_file), tools)
    assert (result.ending, result.replies) == ("refused", ())
    assert result.phase("auth").reply.code == 535
    assert len(server.tried) == 1
    assert planted not in str(result) + "\n".join(transcript.lines)
