"""Request Tracker 5, REST API version 2 (https://docs.bestpractical.com/rt/5.0/RT/REST2.html); tried with 5.0.3.

Set-up by an administrator of RT, once: a custom field for tickets of type *Enter multiple values*, applied to the
queue, named `tenant-auditor` (or as `marker_field` says). Least rights, on that queue alone: SeeQueue, ShowTicket,
CreateTicket, CommentOnTicket, ModifyTicket, and SeeCustomField and ModifyCustomField on the field. Keys: `queue`,
`marker_field`; `token_env`, or `user` and `password_env`; `open_state`, `done_state`, `declined`; `owner_field`,
`due_field` (`Owner`, `Due`).

RT keeps what was written: a text cannot be replaced, so a changed one is added as a comment, whole. Two answers of RT
look like success and are none, and are looked at again: a custom field that it does not know is left out, and a status
that the lifecycle does not allow is not set.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any
from urllib.parse import quote

import msgspec

from auditor.clock import BlockingClock
from auditor.errors import TicketRefusal
from auditor.tickets import markup
from auditor.tickets.base import Attachment, Draft, Limits, Refused, Text, Ticket
from auditor.tickets.http import Connection, Credential, basic, bearer, secret
from auditor.tickets.systems.common import MappedSettings, Target, labels_of, mapped, marker_in, same, standing_of

API = "/REST/2.0"
PAGE = 100
"""the most that RT gives"""


class RequestTrackerSettings(MappedSettings, frozen=True, kw_only=True):
    """The states are those of RT's lifecycle `default`."""

    queue: str
    marker_field: str = "tenant-auditor"
    token_env: str = ""
    user: str = ""
    password_env: str = ""
    open_state: str = "open"
    done_state: str = "resolved"
    declined: tuple[str, ...] = ("rejected",)


SETTINGS = RequestTrackerSettings


def connect(settings: RequestTrackerSettings, environment: Mapping[str, str], clock: BlockingClock) -> RequestTracker:
    if settings.password_env:
        return RequestTracker(settings, basic(settings.user, secret(environment, settings, "password_env")), clock)
    return RequestTracker(settings, bearer(secret(environment, settings, "token_env"), "token"), clock)


# --- what RT answers, as far as it is read ---------------------------------------------------------------------------


class _Field(msgspec.Struct, frozen=True):
    name: str = ""
    values: tuple[str, ...] = ()


class _Queue(msgspec.Struct, frozen=True, rename="pascal"):
    ticket_custom_fields: tuple[_Field, ...] = ()


class _Found(msgspec.Struct, frozen=True):
    id: str
    subject: str = msgspec.field(name="Subject", default="")
    status: str = msgspec.field(name="Status", default="")
    fields: tuple[_Field, ...] = msgspec.field(name="CustomFields", default=())


class _Page(msgspec.Struct, frozen=True):
    """Who may not see every ticket of RT is not told how many there are."""

    items: tuple[_Found, ...]
    total: int | None = None


class _Made(msgspec.Struct, frozen=True):
    id: str


class _Status(msgspec.Struct, frozen=True, rename="pascal"):
    status: str


class RequestTracker:
    limits = Limits(title=200, body=0)

    def __init__(self, settings: RequestTrackerSettings, credential: Credential, clock: BlockingClock) -> None:
        self.settings = settings
        self.connection = Connection(settings, credential, clock)

    def check(self) -> None:
        settings = self.settings
        queue = self.connection.json(_Queue, "GET", f"{API}/queue/{quote(settings.queue, safe='')}")
        names = [field.name for field in queue.ticket_custom_fields]
        wanted = [settings.marker_field, *(settings.fields.get("CustomFields") or ())]
        for name in wanted:
            if name not in names:
                raise self.connection.error(
                    f"queue {settings.queue} has no custom field {name} for tickets, or the account may not see it",
                    f"It has: {', '.join(names) or 'none'}. docs/tickets.md says how to make it.",
                )

    def find(self, tenant: str, recent: Sequence[str] = ()) -> list[Ticket]:  # noqa: ARG002 - there is no index to lag
        settings = self.settings
        query = f"Queue = {_quoted(settings.queue)} AND 'CF.{{{settings.marker_field}}}' = {_quoted(tenant)}"
        asked = {"query": query, "fields": "Subject,Status,CustomFields", "orderby": "id", "order": "ASC"}
        found: list[Ticket] = []
        for number in count(1):
            params = {**asked, "per_page": PAGE, "page": number}
            page = self.connection.json(_Page, "GET", f"{API}/tickets", params=params)
            found += [ticket for item in page.items if (ticket := self._ticket(item))]
            if not page.items or (page.total is not None and number * PAGE >= page.total):
                break
        return found

    def create(self, drafts: Sequence[Draft]) -> Iterator[Ticket | Refused]:
        for draft in drafts:
            fields = self._fields(draft)
            try:
                made = self.connection.json(_Made, "POST", f"{API}/ticket", json=fields)
            except TicketRefusal as refusal:
                if refusal.status != 400:
                    raise
                yield Refused(draft.marker, refusal.reason)
            else:
                url = self._url(made.id)
                yield Ticket(made.id, f"#{made.id}", url, draft.marker, "open", "new", fields["Subject"])

    def rewrite(self, ticket: Ticket, draft: Draft) -> None:
        self.comment(ticket, draft.body)

    def comment(self, ticket: Ticket, text: Text) -> None:
        self._comment(ticket, {"Content": markup.html(text), "ContentType": "text/html"})

    def attach(self, ticket: Ticket, attachment: Attachment) -> None:
        file = {
            "FileName": attachment.name,
            "FileType": attachment.media_type,
            "FileContent": b64encode(attachment.content).decode(),
        }
        self._comment(ticket, {"Attachments": [file]})

    def move(self, ticket: Ticket, to: Target, text: Text) -> None:
        settings = self.settings
        state = {"open": settings.open_state, "done": settings.done_state, "waived": settings.waived_state}[to]
        self._comment(ticket, {"Content": markup.html(text), "ContentType": "text/html", "Status": state})
        stands = self.connection.json(_Status, "GET", f"{API}/ticket/{ticket.handle}").status
        if not same(stands, [state]):
            raise self.connection.error(
                f"{ticket.key} stays {stands}: its lifecycle or the account's rights do not allow {state}",
                "Name a state in open_state, done_state or waived_state that it may go to.",
            )

    def _comment(self, ticket: Ticket, message: Mapping[str, Any]) -> None:
        self.connection.send("POST", f"{API}/ticket/{ticket.handle}/comment", json=message)

    def _fields(self, draft: Draft) -> dict[str, Any]:
        own = mapped(draft, self.settings)
        return {
            **own,
            "Queue": self.settings.queue,
            "Subject": markup.line(draft.title, self.limits.title),
            "Content": markup.html(draft.body),
            "ContentType": "text/html",
            "CustomFields": {**own.get("CustomFields", {}), self.settings.marker_field: labels_of(draft)},
        }

    def _ticket(self, item: _Found) -> Ticket | None:
        labels = [value for field in item.fields if field.name == self.settings.marker_field for value in field.values]
        marker = marker_in(labels)
        if not marker:
            return None
        settings = self.settings
        declined = (*settings.declined, *filter(None, [settings.waived_state]))
        standing = standing_of(item.status, done=(settings.done_state,), declined=declined)
        return Ticket(item.id, f"#{item.id}", self._url(item.id), marker, standing, item.status, item.subject)

    def _url(self, handle: str) -> str:
        return f"{self.settings.url.rstrip('/')}/Ticket/Display.html?id={handle}"


def _quoted(text: str) -> str:
    """A text in RT's query language."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
