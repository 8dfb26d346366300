"""Azure DevOps Boards, REST API 7.1.

Pages: https://learn.microsoft.com/rest/api/azure/devops/wit/work-items,
https://learn.microsoft.com/rest/api/azure/devops/wit/wiql/query-by-wiql,
https://learn.microsoft.com/azure/devops/organizations/settings/work/object-limits and
https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits (a Retry-After may come with a success).

Least rights: a personal access token with the scope Work items (read & write) of an account that may view and edit work
items in the project's area, or a Microsoft Entra token (`token_kind = "entra"`). Keys: `url` (with the organization),
`project`, `work_item_type`, `token_env`, `token_kind`, `marker_field`, `body_field`, `done_state`, `open_state`,
`declined`, `owner_field` (System.AssignedTo), `due_field` (Microsoft.VSTS.Scheduling.DueDate).

All tickets of a tenant carry its tag. The marker stands in `marker_field`, a text field of the process, or else in a
tag of its own: a project holds 150,000 tags, so many tickets want the field.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from auditor.clock import BlockingClock
from auditor.errors import TicketRefusal
from auditor.tickets import markup
from auditor.tickets.base import TOOL, Attachment, Draft, Limits, Paragraph, Refused, Standing, Text, Ticket
from auditor.tickets.http import Connection, Credential, basic, bearer, secret
from auditor.tickets.settings import fields_at
from auditor.tickets.systems.common import (
    MappedSettings,
    Target,
    chunks,
    labels_of,
    mapped,
    marker_in,
    marker_label,
    same,
)

TITLE = 255
BODY = 1_000_000
PAGE = 10_000
"""Ids of one query; it may give 20,000."""

READ = 200
ATTEMPTS = 3
"""of an update that somebody else's came before"""

_VERSION = {"api-version": "7.1"}
_CONFLICT = (409, 412)
_OPEN = ("Proposed", "InProgress")
_DONE = ("Completed", "Resolved")
_DECLINED = ("Removed",)
_PATCH = {"Content-Type": "application/json-patch+json"}


class AzureDevOpsSettings(MappedSettings, frozen=True, kw_only=True):
    """`done_state`, `open_state`: states for closing and reopening; empty: the first of the category Completed, and the
    first of the category Proposed or InProgress. `declined`: states that mean a person will not do it, besides those of
    the category Removed."""

    project: str
    token_env: str
    token_kind: Literal["pat", "entra"] = "pat"
    work_item_type: str = "Task"
    marker_field: str = ""
    body_field: str = "System.Description"
    done_state: str = ""
    open_state: str = ""
    declined: tuple[str, ...] = ()


SETTINGS = AzureDevOpsSettings


def connect(settings: AzureDevOpsSettings, environment: Mapping[str, str], clock: BlockingClock) -> AzureDevOps:
    token = secret(environment, settings, "token_env")
    return AzureDevOps(settings, basic("", token) if settings.token_kind == "pat" else bearer(token), clock)


class _Item(msgspec.Struct, frozen=True):
    id: int
    rev: int = 0
    fields: dict[str, Any] = {}


class _Items(msgspec.Struct, frozen=True):
    value: tuple[_Item | None, ...]


class _Found(msgspec.Struct, frozen=True, rename="camel"):
    work_items: tuple[_Item, ...]


class _State(msgspec.Struct, frozen=True):
    name: str
    category: str


class _States(msgspec.Struct, frozen=True):
    value: tuple[_State, ...]


class _Field(msgspec.Struct, frozen=True, rename="camel"):
    reference_name: str


class _Fields(msgspec.Struct, frozen=True):
    value: tuple[_Field, ...]


class _Uploaded(msgspec.Struct, frozen=True):
    url: str


class AzureDevOps:
    limits = Limits(title=TITLE, body=BODY)

    def __init__(self, settings: AzureDevOpsSettings, credential: Credential, clock: BlockingClock) -> None:
        self.settings = settings
        self.connection = Connection(settings, credential, clock)
        self._project = f"/{quote(settings.project, safe='')}"
        self._api = f"{self._project}/_apis/wit"
        self._type = quote(settings.work_item_type, safe="")
        self._known_states: tuple[_State, ...] = ()

    def check(self) -> None:
        """A work item is put together as for a finding, and checked by the service without being saved."""
        path = f"{self._api}/workitemtypes/{self._type}/fields"
        fields = {field.reference_name for field in self.connection.json(_Fields, "GET", path, params=_VERSION).value}
        settings = self.settings
        for name in (*settings.fields, settings.owner_field, settings.due_field, settings.marker_field):
            if name and name not in fields:
                near = difflib.get_close_matches(name, fields, n=1)
                raise self.connection.error(
                    f"{settings.work_item_type} of {settings.project} has no field {name}",
                    f"Did you mean {near[0]}?" if near else "Write its reference name, as System.AreaPath.",
                )
        for state in (settings.done_state, settings.open_state, settings.waived_state):
            names = [known.name for known in self._states()]
            if state and not same(state, names):
                raise self.connection.error(
                    f"{settings.work_item_type} has no state {state}", f"It has: {', '.join(names)}."
                )
        fields_now = fields_at(settings.fields, settings.min_severity)
        text = (Paragraph(("check",)),)
        draft = Draft("check", f"{TOOL}-{'0' * 12}", "check", text, settings.min_severity, fields=fields_now)
        self._make(draft, validate=True)

    # --- reading ---

    def find(self, tenant: str, recent: Sequence[str] = ()) -> list[Ticket]:  # noqa: ARG002 - queries do not lag
        ids: list[int] = []
        while True:
            page = self._query(tenant, after=ids[-1] if ids else 0)
            ids += page
            if len(page) < PAGE:
                break
        fields = ["System.Title", "System.State", "System.Tags", *filter(None, [self.settings.marker_field])]
        tickets: list[Ticket] = []
        for chunk in chunks(ids, READ):
            asked = {"ids": chunk, "fields": fields, "errorPolicy": "omit"}
            path = f"{self._api}/workitemsbatch"
            items = self.connection.json(_Items, "POST", path, params=_VERSION, json=asked, repeatable=True).value
            tickets += [self._ticket(item) for item in items if item is not None and tenant in _tags(item)]
        return [ticket for ticket in tickets if ticket.marker]

    def _query(self, tenant: str, *, after: int) -> list[int]:
        tag = tenant.replace("'", "''")
        wiql = (
            "SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project "  # noqa: S608 - escaped
            f"AND [System.Tags] CONTAINS '{tag}' AND [System.Id] > {after} ORDER BY [System.Id]"
        )
        asked = {**_VERSION, "$top": PAGE}
        path = f"{self._api}/wiql"
        found = self.connection.json(_Found, "POST", path, params=asked, json={"query": wiql}, repeatable=True)
        return [item.id for item in found.work_items]

    def _ticket(self, item: _Item) -> Ticket:
        state = str(item.fields.get("System.State", ""))
        marker = item.fields.get(self.settings.marker_field) if self.settings.marker_field else marker_in(_tags(item))
        return Ticket(
            handle=str(item.id),
            key=f"#{item.id}",
            url=f"{self.connection.base}{self._project}/_workitems/edit/{item.id}",
            marker=str(marker or ""),
            standing=self._standing(state),
            state=state,
            title=str(item.fields.get("System.Title", "")),
        )

    def _standing(self, state: str) -> Standing:
        category = next((known.category for known in self._states() if same(state, [known.name])), "")
        if category in _DECLINED or same(state, self.settings.declined):
            return "declined"
        return "done" if category in _DONE else "open"

    def _states(self) -> tuple[_State, ...]:
        if not self._known_states:
            path = f"{self._api}/workitemtypes/{self._type}/states"
            self._known_states = self.connection.json(_States, "GET", path, params=_VERSION).value
        return self._known_states

    # --- making ---

    def create(self, drafts: Sequence[Draft]) -> Iterator[Ticket | Refused]:
        for draft in drafts:
            try:
                item = self._make(draft)
            except TicketRefusal as refusal:
                if refusal.status != 400:
                    raise
                yield Refused(draft.marker, refusal.reason)
            else:
                yield self._ticket(item)

    def _make(self, draft: Draft, *, validate: bool = False) -> _Item:
        settings = self.settings
        labels = labels_of(draft)
        fields = mapped(draft, settings)
        if settings.marker_field:
            labels.remove(marker_label(draft.marker))
            fields[settings.marker_field] = draft.marker
        fields |= {
            "System.Title": markup.line(draft.title, TITLE),
            settings.body_field: markup.html(draft.body, BODY),
            "System.Tags": "; ".join(re.sub(r"[,;]", " ", label) for label in labels),
        }
        asked = {**_VERSION, "validateOnly": "true"} if validate else _VERSION
        path = f"{self._api}/workitems/${self._type}"
        return self.connection.json(
            _Validated if validate else _Item,
            "POST",
            path,
            params=asked,
            json=_set(fields),
            headers=_PATCH,
            repeatable=validate,
        )

    # --- changing ---

    def rewrite(self, ticket: Ticket, draft: Draft) -> None:
        self._update(ticket, _set({self.settings.body_field: markup.html(draft.body, BODY)}))

    def comment(self, ticket: Ticket, text: Text) -> None:
        self._update(ticket, _set({"System.History": markup.html(text, BODY)}))

    def attach(self, ticket: Ticket, attachment: Attachment) -> None:
        uploaded = self.connection.json(
            _Uploaded,
            "POST",
            f"{self._api}/attachments",
            params={**_VERSION, "fileName": attachment.name},
            content=attachment.content,
            headers={"Content-Type": "application/octet-stream"},
        )
        relation = {"rel": "AttachedFile", "url": uploaded.url, "attributes": {"comment": attachment.name}}
        self._update(ticket, [{"op": "add", "path": "/relations/-", "value": relation}])

    def move(self, ticket: Ticket, to: Target, text: Text) -> None:
        """State and reason in one revision."""
        settings = self.settings
        wanted = {"open": settings.open_state, "done": settings.done_state, "waived": settings.waived_state}[to]
        state = wanted or self._first(_OPEN if to == "open" else _DONE)
        self._update(ticket, _set({"System.State": state, "System.History": markup.html(text, BODY)}))

    def _first(self, categories: Sequence[str]) -> str:
        """The first state of the first category that has one."""
        for category in categories:
            for state in self._states():
                if state.category == category and not same(state.name, self.settings.declined):
                    return state.name
        raise self.connection.error(
            f"{self.settings.work_item_type} has no state of the category {' or '.join(categories)}",
            "Name the states in done_state and open_state.",
        )

    def _update(self, ticket: Ticket, changes: Sequence[Mapping[str, Any]]) -> None:
        """On the revision that was just read, so that nothing which somebody writes at the same moment is lost."""
        path = f"{self._api}/workitems/{quote(ticket.handle, safe='')}"
        asked = {**_VERSION, "fields": "System.Id"}
        for attempt in range(ATTEMPTS):
            rev = self.connection.json(_Item, "GET", path, params=asked).rev
            response = self.connection.send(
                "PATCH",
                path,
                params=_VERSION,
                json=[{"op": "test", "path": "/rev", "value": rev}, *changes],
                headers=_PATCH,
                repeatable=False,  # a comment would stand there twice
                accept=_CONFLICT if attempt + 1 < ATTEMPTS else (),
            )
            if response.is_success:
                return


class _Validated(_Item, frozen=True):
    """What is only validated gets no id."""

    id: int = 0


def _set(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"op": "add", "path": f"/fields/{name}", "value": value} for name, value in fields.items()]


def _tags(item: _Item) -> list[str]:
    return [tag.strip() for tag in str(item.fields.get("System.Tags", "")).split(";")]
