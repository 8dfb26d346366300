"""A signed webhook, for a service desk or an automation that is none of the systems here.

Every event is one POST, signed by the Standard Webhooks specification
(https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md), for which receivers find
ready libraries: `webhook-id`, `webhook-timestamp` (Unix seconds) and `webhook-signature`, `v1,` and the base64 of
HMAC-SHA256 over `id.timestamp.body`. docs/tickets/webhook.md has the events' JSON Schema.

The id is made of the event's own content. The same event sent twice has the same id, so a receiver that keeps the ids
it has seen makes nothing twice; here an event is repeated until it was taken. A webhook tells nothing of what the
receiver holds: the journal alone knows it, and must be kept.

Least rights: the shared secret is all. Keys: `url`, `secret_env` (`whsec_` and base64, at least 24 bytes), and
`waived_state = "waived"`, where accepted tickets shall be an event of their own.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import httpx

from auditor.clock import BlockingClock
from auditor.errors import ConfigError, TicketRefusal
from auditor.tickets import markup
from auditor.tickets.base import Attachment, Draft, Limits, Refused, Text, Ticket
from auditor.tickets.http import Connection, Credential, secret
from auditor.tickets.settings import TicketSettings
from auditor.tickets.systems.common import Target

SHORTEST_SECRET = 24
"""bytes, as the specification asks"""

WAIVED = "waived"
"""The journal's word, which stands for the receiver's."""

_EVENTS: Mapping[Target, str] = {"open": "ticket.reopened", "done": "ticket.closed", "waived": "ticket.waived"}
_TAKES_NOT = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)


class WebhookSettings(TicketSettings, frozen=True, kw_only=True):
    secret_env: str


SETTINGS = WebhookSettings


def connect(settings: WebhookSettings, environment: Mapping[str, str], clock: BlockingClock) -> Webhook:
    if settings.waived_state not in ("", WAIVED):
        raise ConfigError(
            f'[[tickets]] "{settings.name}": waived_state is no state of a webhook.',
            remedy=f'Write "{WAIVED}" for an event of its own, or leave it out for a comment.',
        )
    text = secret(environment, settings, "secret_env")
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if len(key) < SHORTEST_SECRET:
        raise ConfigError(
            f'[[tickets]] "{settings.name}": secret_env: {settings.secret_env} holds no webhook secret.',
            remedy=f"It is whsec_ and the base64 of at least {SHORTEST_SECRET} random bytes.",
        )
    return Webhook(settings, key, Credential({}, (text, text.removeprefix("whsec_"))), clock)


class Webhook:
    limits = Limits(title=0, body=0, readable=False)

    def __init__(self, settings: WebhookSettings, key: bytes, credential: Credential, clock: BlockingClock) -> None:
        self.settings = settings
        self.connection = Connection(settings, credential, clock, sign=self._sign)
        self._key = key
        self._clock = clock

    def check(self) -> None:
        """Nothing can be asked of a webhook."""

    def find(self, tenant: str, recent: Sequence[str] = ()) -> list[Ticket]:  # noqa: ARG002
        """Never called, as `limits.readable` says: the receiver tells nothing."""
        return []

    def create(self, drafts: Sequence[Draft]) -> Iterator[Ticket | Refused]:
        for draft in drafts:
            try:
                self._send("ticket.created", draft.marker, _told(draft))
            except TicketRefusal as refusal:
                if refusal.status not in _TAKES_NOT:
                    raise
                yield Refused(draft.marker, refusal.reason)
            else:
                yield Ticket(draft.marker, draft.marker, "", draft.marker, "open", "open", draft.title)

    def rewrite(self, ticket: Ticket, draft: Draft) -> None:
        self._send("ticket.updated", ticket.marker, _told(draft))

    def comment(self, ticket: Ticket, text: Text) -> None:
        self._send("ticket.commented", ticket.marker, {"text": _texts(text)})

    def attach(self, ticket: Ticket, attachment: Attachment) -> None:
        content = base64.b64encode(attachment.content).decode()
        file = {"name": attachment.name, "media_type": attachment.media_type, "content_base64": content}
        self._send("ticket.attached", ticket.marker, {"file": file})

    def move(self, ticket: Ticket, to: Target, text: Text) -> None:
        self._send(_EVENTS[to], ticket.marker, {"text": _texts(text)})

    def _send(self, kind: str, marker: str, data: Mapping[str, Any]) -> None:
        event = {"type": kind, "data": {"marker": marker, **data}}
        body = json.dumps(event, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
        identity = f"{marker}.{kind}.{hashlib.sha256(body).hexdigest()[:16]}"
        headers = {"Content-Type": "application/json", "webhook-id": identity}
        self.connection.send("POST", "", content=body, headers=headers, repeatable=True)

    def _sign(self, request: httpx.Request) -> None:
        """Every try anew: receivers refuse an old timestamp."""
        timestamp = str(int(self._clock.now().timestamp()))
        signed = f"{request.headers['webhook-id']}.{timestamp}.".encode() + request.content
        signature = base64.b64encode(hmac.digest(self._key, signed, "sha256")).decode()
        request.headers["webhook-timestamp"] = timestamp
        request.headers["webhook-signature"] = f"v1,{signature}"


def _told(draft: Draft) -> dict[str, Any]:
    return {
        "tenant": draft.tenant,
        "run": draft.run,
        "title": markup.line(draft.title),
        "severity": draft.severity,
        "owner": draft.owner,
        "due": draft.due,
        "labels": list(draft.labels),
        "fields": dict(draft.fields or {}),
        "text": _texts(draft.body),
    }


def _texts(text: Text) -> dict[str, str]:
    return {"plain": markup.plain(text), "markdown": markup.markdown(text), "html": markup.html(text)}
