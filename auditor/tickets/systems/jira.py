"""What Jira Cloud and Jira Data Center share: fields, permissions, transitions, comments, attachments.

A ticket carries its marker as the label `tenant-auditor-<marker>`. Its scope is one project: an issue that somebody
moves into another is that project's from then on.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar
from urllib.parse import quote

import msgspec

from auditor.clock import BlockingClock
from auditor.tickets import markup
from auditor.tickets.base import Attachment, Draft, Limits, Standing, Text, Ticket
from auditor.tickets.http import Connection, Credential
from auditor.tickets.systems.common import MappedSettings, Target, labels_of, mapped, same

TITLE = 255
BODY = 32_767
FOUND = ("summary", "status", "resolution", "labels")
"""The fields that a search reads."""

_GIVEN = frozenset({"project", "issuetype", "summary", "description", "labels", "reporter"})
"""Fields that an issue has from us, or from Jira by itself."""

_PERMISSIONS = (
    "BROWSE_PROJECTS", "CREATE_ISSUES", "EDIT_ISSUES", "ADD_COMMENTS", "CREATE_ATTACHMENTS", "TRANSITION_ISSUES",
)  # fmt: skip


class JiraSettings(MappedSettings, frozen=True, kw_only=True):
    """`done_state`, `open_state`: the status or transition for closing and reopening; empty: the first that leads there
    by its category. `declined`: statuses and resolutions that mean a person will not do it. `resolution` and
    `waived_resolution` are set where the transition's screen asks for one."""

    project: str
    issue_type: str = "Task"
    user: str = ""
    done_state: str = ""
    open_state: str = ""
    resolution: str = "Done"
    waived_resolution: str = "Won't Do"
    declined: tuple[str, ...] = ("Won't Do", "Won't Fix", "Declined", "Duplicate", "Cannot Reproduce", "Rejected")


# --- what Jira answers, as far as it is read -------------------------------------------------------------------------


class _Answer(msgspec.Struct, frozen=True, rename="camel"):
    pass


class _Named(_Answer, frozen=True):
    name: str


class _Category(_Answer, frozen=True):
    key: str


class _Status(_Answer, frozen=True):
    name: str
    status_category: _Category


class _IssueFields(_Answer, frozen=True):
    status: _Status
    summary: str | None = None
    resolution: _Named | None = None
    labels: tuple[str, ...] = ()


class Issue(_Answer, frozen=True):
    id: str
    key: str
    fields: _IssueFields
    properties: Mapping[str, Any] = {}


class Created(_Answer, frozen=True):
    id: str
    key: str


class _Held(_Answer, frozen=True):
    have_permission: bool = False


class _Permissions(_Answer, frozen=True):
    permissions: Mapping[str, _Held]


class _Kind(_Answer, frozen=True):
    id: str
    name: str


class _Field(_Answer, frozen=True):
    field_id: str
    name: str
    required: bool
    has_default_value: bool = False


_T = TypeVar("_T")


class _Page(_Answer, Generic[_T], frozen=True):
    """A page of createmeta. Cloud calls the list `issueTypes` or `fields`, Data Center `values`."""

    total: int
    issue_types: tuple[_T, ...] = ()
    fields: tuple[_T, ...] = ()
    values: tuple[_T, ...] = ()


class _Transition(_Answer, frozen=True):
    id: str
    name: str
    to: _Status
    fields: Mapping[str, Any] = {}


class _Transitions(_Answer, frozen=True):
    transitions: tuple[_Transition, ...]


def explain(body: Any) -> str:
    """Jira's ErrorCollection: `errorMessages`, and `errors` by field."""
    if not isinstance(body, dict):
        return ""
    fields = body.get("errors")
    by_field = [f"{name}: {text}" for name, text in fields.items()] if isinstance(fields, dict) else []
    return "; ".join([*map(str, body.get("errorMessages") or ()), *by_field]) or str(body.get("message", ""))


# --- the system ------------------------------------------------------------------------------------------------------


class Jira:
    """`api`: `/rest/api/2` or `/rest/api/3`; `write` gives the text in the form that this Jira reads."""

    limits: Limits

    def __init__(
        self,
        settings: JiraSettings,
        credential: Credential,
        clock: BlockingClock,
        *,
        api: str,
        site: str,
        write: Callable[[Text, int], Any],
    ) -> None:
        self.settings = settings
        self.connection = Connection(settings, credential, clock, explain=explain)
        self.api = api
        self._site = site.rstrip("/")
        self._write = write

    # --- is everything there ---

    def check(self) -> None:
        self._check_permissions()
        fields = {field.field_id: field for field in self._meta(_Page[_Field], f"/{quote(self._type_id())}")}
        what = f"{self.settings.issue_type} of {self.settings.project}"
        wanted = {*self.settings.fields, self.settings.owner_field, self.settings.due_field} - {""}
        for name in ("description", "labels", *sorted(wanted)):
            if name not in fields:
                near = difflib.get_close_matches(name, fields, n=1)
                hint = f"Did you mean {near[0]}?" if near else f"It has: {', '.join(sorted(fields))}."
                raise self.connection.error(f"{what} has no field {name} on its create screen", hint)
        for name, field in fields.items():
            if field.required and not field.has_default_value and name not in wanted | _GIVEN:
                raise self.connection.error(
                    f"{what} requires the field {name} ({field.name})", "Give it a value under fields."
                )

    def _check_permissions(self) -> None:
        asked = {"projectKey": self.settings.project, "permissions": ",".join(_PERMISSIONS)}
        held = self.connection.json(_Permissions, "GET", f"{self.api}/mypermissions", params=asked).permissions
        missing = [name for name in _PERMISSIONS if name not in held or not held[name].have_permission]
        if missing:
            raise self.connection.error(
                f"project {self.settings.project}: the account has not {', '.join(missing)}",
                "Give it these project permissions.",
            )

    def _type_id(self) -> str:
        kinds = self._meta(_Page[_Kind])
        for kind in kinds:
            if same(kind.name, [self.settings.issue_type]):
                return kind.id
        raise self.connection.error(
            f"project {self.settings.project} has no issue type {self.settings.issue_type}",
            f"It has: {', '.join(kind.name for kind in kinds)}.",
        )

    def _meta(self, kind: type[_Page[_T]], below: str = "") -> list[_T]:
        """All pages of what an issue of the project may be, or of the fields that it may have."""
        path = f"{self.api}/issue/createmeta/{quote(self.settings.project, safe='')}/issuetypes{below}"
        rows: list[_T] = []
        while True:
            page = self.connection.json(kind, "GET", path, params={"startAt": len(rows), "maxResults": 50})
            new = page.issue_types or page.fields or page.values
            rows += new
            if not new or len(rows) >= page.total:
                return rows

    # --- reading ---

    def jql(self, tenant: str) -> str:
        """In the order of creation, so that of two tickets with one marker the elder comes first."""
        return (
            f"project = {_quoted(self.settings.project)} AND labels = {_quoted(tenant)} ORDER BY created ASC, key ASC"
        )

    def ticket(self, issue: Issue, marker: str) -> Ticket:
        return Ticket(
            handle=issue.id,
            key=issue.key,
            url=self.url(issue.key),
            marker=marker,
            standing=self._standing(issue.fields),
            state=issue.fields.status.name,
            title=issue.fields.summary or "",
        )

    def url(self, key: str) -> str:
        return f"{self._site}/browse/{key}"

    def _standing(self, fields: _IssueFields) -> Standing:
        if fields.status.status_category.key != "done":
            return "open"
        declined = self.settings.declined
        refused = same(fields.status.name, declined) or (fields.resolution and same(fields.resolution.name, declined))
        return "declined" if refused else "done"

    # --- writing ---

    def fields(self, draft: Draft) -> dict[str, Any]:
        return {
            **mapped(draft, self.settings),
            "project": {"key": self.settings.project},
            "issuetype": {"name": self.settings.issue_type},
            "summary": markup.line(draft.title, TITLE),
            "description": self._write(draft.body, BODY),
            "labels": labels_of(draft),
        }

    def made(self, created: Created, draft: Draft) -> Ticket:
        """What a create answers names no state: a new issue is open in every workflow."""
        title = markup.line(draft.title, TITLE)
        return Ticket(created.id, created.key, self.url(created.key), draft.marker, "open", "", title)

    def rewrite(self, ticket: Ticket, draft: Draft) -> None:
        body = {"fields": {"description": self._write(draft.body, BODY)}}
        self.connection.send("PUT", self._issue(ticket), json=body)

    def comment(self, ticket: Ticket, text: Text) -> None:
        self.connection.send("POST", f"{self._issue(ticket)}/comment", json={"body": self._write(text, BODY)})

    def attach(self, ticket: Ticket, attachment: Attachment) -> None:
        self.connection.send(
            "POST",
            f"{self._issue(ticket)}/attachments",
            files={"file": (attachment.name, attachment.content, attachment.media_type)},
            headers={"X-Atlassian-Token": "no-check"},  # Jira refuses uploads without it
        )

    def move(self, ticket: Ticket, to: Target, text: Text) -> None:
        path = f"{self._issue(ticket)}/transitions"
        offered = self.connection.json(_Transitions, "GET", path, params={"expand": "transitions.fields"}).transitions
        chosen = self._transition(offered, to)
        if chosen is None:
            names = ", ".join(f"{one.name} (to {one.to.name})" for one in offered) or "none"
            raise self.connection.error(
                f"{ticket.key}: no transition leads to {self._wanted(to) or to}; its workflow offers: {names}",
                "Name a status or transition in done_state, open_state or waived_state.",
            )
        body: dict[str, Any] = {"transition": {"id": chosen.id}}
        if to != "open" and "resolution" in chosen.fields:
            name = self.settings.resolution if to == "done" else self.settings.waived_resolution
            body["fields"] = {"resolution": {"name": name}}
        self.connection.send("POST", path, json=body)
        self.comment(ticket, text)

    def _wanted(self, to: Target) -> str:
        settings = self.settings
        return {"open": settings.open_state, "done": settings.done_state, "waived": settings.waived_state}[to]

    def _transition(self, offered: Sequence[_Transition], to: Target) -> _Transition | None:
        """The one that the config names, else the first that leads to the category and declines nothing."""
        if wanted := self._wanted(to):
            return next((one for one in offered if same(wanted, (one.to.name, one.name))), None)
        for one in offered:
            is_done = one.to.status_category.key == "done"
            if is_done == (to == "done") and not same(one.to.name, self.settings.declined):
                return one
        return None

    def _issue(self, ticket: Ticket) -> str:
        return f"{self.api}/issue/{quote(ticket.handle, safe='')}"


def _quoted(text: str) -> str:
    """A text in JQL (https://support.atlassian.com/jira-software-cloud/docs/jql-reserved-words-and-characters/)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
