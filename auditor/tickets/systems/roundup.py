"""Roundup, REST API (https://www.roundup-tracker.org/docs/rest.html); tried with 2.6.

Least rights: a user with a role that has *Rest Access*, may view, create and edit the item class (`issue`), `msg`,
`file` and `keyword`, and view `status` and what `fields` link to. Keys: `user`, `password_env`; `item_class`,
`keyword_property`; `open_state`, `done_state`, `declined`; `owner_field`, `due_field`.

A ticket carries its marker as a keyword; keywords are made as they are needed. Its text is its first message. A
keyword, a message and the item are three requests; the last makes the ticket, with its marker. What people change at
the same time is kept: changes name the state that they start from (ETag).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from itertools import count
from typing import Any, Generic, TypeVar

import httpx
import msgspec

from auditor.clock import BlockingClock
from auditor.errors import TicketRefusal
from auditor.tickets import markup
from auditor.tickets.base import Attachment, Draft, Limits, Refused, Text, Ticket
from auditor.tickets.http import Connection, Credential, basic, secret
from auditor.tickets.systems.common import MappedSettings, Target, labels_of, mapped, marker_in, standing_of

PAGE = 200
_CONFLICTS = 5
"""How often a change is tried again that somebody else's came before."""


class RoundupSettings(MappedSettings, frozen=True, kw_only=True):
    """The defaults are those of Roundup's template `classic`."""

    user: str
    password_env: str
    item_class: str = "issue"
    keyword_property: str = "keyword"
    open_state: str = "unread"
    done_state: str = "resolved"
    declined: tuple[str, ...] = ("done-cbb", "deferred")


SETTINGS = RoundupSettings


def connect(settings: RoundupSettings, environment: Mapping[str, str], clock: BlockingClock) -> Roundup:
    return Roundup(settings, basic(settings.user, secret(environment, settings, "password_env")), clock)


# --- what Roundup answers, as far as it is read ----------------------------------------------------------------------

_T = TypeVar("_T")


class _Envelope(msgspec.Struct, Generic[_T], frozen=True):
    data: _T


class _Id(msgspec.Struct, frozen=True):
    id: str


class _Collection(msgspec.Struct, frozen=True):
    collection: tuple[dict[str, Any], ...]


class _Item(msgspec.Struct, frozen=True):
    attributes: dict[str, Any]
    etag: str = msgspec.field(name="@etag")


def explain(body: Any) -> str:
    error = body.get("error") if isinstance(body, dict) else None
    return str(error.get("msg", "")) if isinstance(error, dict) else ""


class Roundup:
    limits = Limits(title=255, body=0)

    def __init__(self, settings: RoundupSettings, credential: Credential, clock: BlockingClock) -> None:
        self.settings = settings
        site = httpx.URL(settings.url)
        # Without these three Roundup takes a change for a forged one.
        headers = {
            "X-Requested-With": "rest",
            "Referer": settings.url.rstrip("/") + "/",
            "Origin": f"{site.scheme}://{site.netloc.decode()}",
        }
        self.connection = Connection(settings, credential, clock, explain=explain, headers=headers)

    def check(self) -> None:
        settings = self.settings
        statuses = {one["name"].casefold() for one in self._all("status", {"@fields": "name"})}
        for key in ("open_state", "done_state", "waived_state"):
            state: str = getattr(settings, key)
            if state and state.casefold() not in statuses:
                raise self.connection.error(
                    f"{key}: there is no status {state}", f"It has: {', '.join(sorted(statuses))}."
                )
        self._page(settings.item_class, {"@fields": f"title,status,{settings.keyword_property}", "@page_size": 1})

    def find(self, tenant: str, recent: Sequence[str] = ()) -> list[Ticket]:  # noqa: ARG002 - there is no index to lag
        if not self._page("keyword", {"name:": tenant}):
            return []
        wanted = {
            self.settings.keyword_property: tenant,
            "@fields": f"title,status,{self.settings.keyword_property}",
            "@verbose": 2,
        }
        return [ticket for item in self._all(self.settings.item_class, wanted) if (ticket := self._ticket(item))]

    def create(self, drafts: Sequence[Draft]) -> Iterator[Ticket | Refused]:
        for draft in drafts:
            try:
                yield self._made(draft)
            except TicketRefusal as refusal:
                yield Refused(draft.marker, refusal.reason)

    def rewrite(self, ticket: Ticket, draft: Draft) -> None:
        """The first message is ours; where somebody took it off the ticket, a new one is written."""
        messages = self._item(self.settings.item_class, ticket.handle).attributes["messages"]
        first = min((int(message["id"]) for message in messages), default=0)
        if first:
            self._change("msg", str(first), lambda _: {"content": markup.plain(draft.body)})
        else:
            self._say(ticket, draft.body)

    def comment(self, ticket: Ticket, text: Text) -> None:
        self._say(ticket, text)

    def attach(self, ticket: Ticket, attachment: Attachment) -> None:
        answer = self.connection.send(
            "POST",
            _path("file"),
            data={"name": attachment.name, "type": attachment.media_type},
            files={"content": (attachment.name, attachment.content, attachment.media_type)},
        )
        new = self.connection.decode(_Envelope[_Id], answer).data.id
        self._change(self.settings.item_class, ticket.handle, lambda item: {"files": [*_ids(item["files"]), new]})

    def move(self, ticket: Ticket, to: Target, text: Text) -> None:
        settings = self.settings
        state = {"open": settings.open_state, "done": settings.done_state, "waived": settings.waived_state}[to]
        self._say(ticket, text, state)

    # --- items ---

    def _made(self, draft: Draft) -> Ticket:
        settings = self.settings
        labels = labels_of(draft)
        for label in labels:
            # 409: it is there already.
            self.connection.send("POST", _path("keyword"), json={"name": label}, accept=(409,), repeatable=True)
        title = markup.line(draft.title, self.limits.title)
        fields = {
            **mapped(draft, settings),
            "title": title,
            "status": settings.open_state,
            settings.keyword_property: labels,
            "messages": [self._message(markup.plain(draft.body))],
        }
        handle = self._new(settings.item_class, fields)
        key = f"{settings.item_class}{handle}"
        return Ticket(handle, key, self._url(key), draft.marker, "open", settings.open_state, title)

    def _ticket(self, item: Mapping[str, Any]) -> Ticket | None:
        marker = marker_in(keyword["name"] for keyword in item[self.settings.keyword_property])
        if not marker:
            return None
        state = (item["status"] or {}).get("name", "")
        standing = standing_of(state, done=(self.settings.done_state,), declined=self._declined)
        key = f"{self.settings.item_class}{item['id']}"
        return Ticket(item["id"], key, self._url(key), marker, standing, state, item["title"] or "")

    @property
    def _declined(self) -> tuple[str, ...]:
        return (*self.settings.declined, *filter(None, [self.settings.waived_state]))

    def _say(self, ticket: Ticket, text: Text, state: str = "") -> None:
        """With the status in the same change: a message alone makes Roundup open what is done."""
        message = self._message(markup.plain(text))

        def said(item: Mapping[str, Any]) -> dict[str, Any]:
            status = state or (item["status"] or {}).get("id")
            return {"messages": [*_ids(item["messages"]), message]} | ({"status": status} if status else {})

        self._change(self.settings.item_class, ticket.handle, said)

    def _message(self, words: str) -> str:
        return self._new("msg", {"content": words, "author": self.settings.user, "date": "."})

    def _new(self, kind: str, fields: Mapping[str, Any]) -> str:
        return self.connection.json(_Envelope[_Id], "POST", _path(kind), json=fields).data.id

    def _change(self, kind: str, identity: str, changed: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
        """`changed`: what stands now → its new values. Done anew where somebody else's change comes in between."""
        path = _path(kind, identity)
        for attempt in range(_CONFLICTS):
            item = self._item(kind, identity)
            accept = (HTTPStatus.PRECONDITION_FAILED,) if attempt + 1 < _CONFLICTS else ()
            fields = {"@op": "replace", **changed(item.attributes)}
            if self.connection.send(
                "PATCH", path, json=fields, headers={"If-Match": item.etag}, accept=accept
            ).is_success:
                return

    def _item(self, kind: str, identity: str) -> _Item:
        return self.connection.json(_Envelope[_Item], "GET", _path(kind, identity)).data

    def _all(self, kind: str, wanted: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for number in count(1):
            page = self._page(kind, {**wanted, "@sort": "id", "@page_size": PAGE, "@page_index": number})
            yield from page
            if len(page) < PAGE:
                return

    def _page(self, kind: str, wanted: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
        return self.connection.json(_Envelope[_Collection], "GET", _path(kind), params=wanted).data.collection

    def _url(self, key: str) -> str:
        return f"{self.settings.url.rstrip('/')}/{key}"


def _ids(linked: Sequence[Mapping[str, str]]) -> list[str]:
    return [one["id"] for one in linked]


def _path(kind: str, identity: str = "") -> str:
    return f"/rest/data/{kind}" + (f"/{identity}" if identity else "")
