"""Redmine, REST API (https://www.redmine.org/projects/redmine/wiki/Rest_api); tried with 5.0.4.

Set-up by an administrator of Redmine, once: REST switched on; a custom field for issues of format *Text*, used as a
filter, for the tracker and for the project by name (fields for all projects are not shown to an account), named
`tenant-auditor` (or as `marker_field` says). Least rights: a role in that one project with View, Add and Edit issues
and Add notes, and a workflow that lets it open and close. Keys: `project`, `tracker`, `marker_field`, `key_env`,
`text_formatting`; `open_state`, `done_state`, `declined`; `owner_field`, `due_field` (`assigned_to_id`, `due_date`).

Redmine answers with success where it left something out: a field that the tracker does not have, a status that the
workflow does not allow. So what comes back is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from auditor.clock import BlockingClock
from auditor.errors import TicketRefusal
from auditor.tickets import markup
from auditor.tickets.base import Attachment, Draft, Limits, Refused, Standing, Text, Ticket
from auditor.tickets.http import Connection, Credential, header, secret
from auditor.tickets.systems.common import MappedSettings, Target, labels_of, mapped, marker_in, same

PAGE = 100
"""the most that Redmine gives"""


class RedmineSettings(MappedSettings, frozen=True, kw_only=True):
    """The states are those of Redmine's default configuration."""

    project: str
    key_env: str
    tracker: str = "Support"
    marker_field: str = "tenant-auditor"
    text_formatting: Literal["textile", "markdown"] = "textile"
    open_state: str = "New"
    done_state: str = "Closed"
    declined: tuple[str, ...] = ("Rejected",)


SETTINGS = RedmineSettings


def connect(settings: RedmineSettings, environment: Mapping[str, str], clock: BlockingClock) -> Redmine:
    return Redmine(settings, header("X-Redmine-API-Key", secret(environment, settings, "key_env")), clock)


# --- what Redmine answers, as far as it is read ----------------------------------------------------------------------


class _Named(msgspec.Struct, frozen=True):
    id: int
    name: str


class _Status(_Named, frozen=True):
    is_closed: bool = False


class _Field(_Named, frozen=True):
    value: Any = None


class _Issue(msgspec.Struct, frozen=True):
    id: int
    status: _Named
    subject: str = ""
    custom_fields: tuple[_Field, ...] = ()


class _OneIssue(msgspec.Struct, frozen=True):
    issue: _Issue


class _Issues(msgspec.Struct, frozen=True):
    issues: tuple[_Issue, ...]
    total_count: int


class _Project(msgspec.Struct, frozen=True):
    id: int
    trackers: tuple[_Named, ...] = ()
    issue_custom_fields: tuple[_Named, ...] = ()


class _OneProject(msgspec.Struct, frozen=True):
    project: _Project


class _Statuses(msgspec.Struct, frozen=True):
    issue_statuses: tuple[_Status, ...]


class _Token(msgspec.Struct, frozen=True):
    token: str


class _Upload(msgspec.Struct, frozen=True):
    upload: _Token


def explain(body: Any) -> str:
    return "; ".join(map(str, body.get("errors") or ())) if isinstance(body, dict) else ""


class Redmine:
    limits = Limits(title=255, body=0)

    def __init__(self, settings: RedmineSettings, credential: Credential, clock: BlockingClock) -> None:
        self.settings = settings
        self.connection = Connection(settings, credential, clock, explain=explain)
        self._write = markup.textile if settings.text_formatting == "textile" else markup.markdown

    def check(self) -> None:
        for key in ("open_state", "done_state", "waived_state"):
            if state := getattr(self.settings, key):
                self._id(self._statuses, state, f"{key}: there is no status")
        assert self._marker_field
        assert self._tracker

    def find(self, tenant: str, recent: Sequence[str] = ()) -> list[Ticket]:  # noqa: ARG002 - there is no index to lag
        asked = {
            "project_id": self.settings.project,
            "status_id": "*",
            f"cf_{self._marker_field}": f"~{tenant}",
            "sort": "id",
            "limit": PAGE,
        }
        found: list[Ticket] = []
        start = 0
        while True:
            page = self.connection.json(_Issues, "GET", "/issues.json", params={**asked, "offset": start})
            found += [ticket for issue in page.issues if (ticket := self._ticket(issue))]
            start += len(page.issues)
            if not page.issues or start >= page.total_count:
                return found

    def create(self, drafts: Sequence[Draft]) -> Iterator[Ticket | Refused]:
        for draft in drafts:
            body = {"issue": self._fields(draft)}
            try:
                made = self.connection.json(_OneIssue, "POST", "/issues.json", json=body).issue
            except TicketRefusal as refusal:
                if refusal.status != 422:
                    raise
                yield Refused(draft.marker, refusal.reason)
                continue
            ticket = self._ticket(made)
            if ticket is None:
                raise self.connection.error(
                    f"#{made.id} was made without its marker: the tracker {self.settings.tracker} does not have the "
                    f"custom field {self.settings.marker_field}",
                    f"Give it the field, and delete #{made.id}.",
                )
            yield ticket

    def rewrite(self, ticket: Ticket, draft: Draft) -> None:
        self._change(ticket, {"description": self._write(draft.body)})

    def comment(self, ticket: Ticket, text: Text) -> None:
        self._change(ticket, {"notes": self._write(text)})

    def attach(self, ticket: Ticket, attachment: Attachment) -> None:
        answer = self.connection.send(
            "POST",
            "/uploads.json",
            params={"filename": attachment.name},
            content=attachment.content,
            headers={"Content-Type": "application/octet-stream"},
        )
        token = self.connection.decode(_Upload, answer).upload.token
        upload = {"token": token, "filename": attachment.name, "content_type": attachment.media_type}
        self._change(ticket, {"uploads": [upload]})

    def move(self, ticket: Ticket, to: Target, text: Text) -> None:
        settings = self.settings
        state = {"open": settings.open_state, "done": settings.done_state, "waived": settings.waived_state}[to]
        status = self._id(self._statuses, state, "there is no status")
        self._change(ticket, {"status_id": status, "notes": self._write(text)})
        stands = self.connection.json(_OneIssue, "GET", f"/issues/{ticket.handle}.json").issue.status.name
        if not same(stands, [state]):
            raise self.connection.error(
                f"{ticket.key} stays {stands}: the workflow does not let the account set {state}",
                "Allow it in the workflow of the account's role, or name another state.",
            )

    def _change(self, ticket: Ticket, fields: Mapping[str, Any]) -> None:
        # Notes and uploads are added, so a request of theirs is not one that may be repeated.
        repeatable = fields.keys() == {"description"}
        path = f"/issues/{ticket.handle}.json"
        self.connection.send("PUT", path, json={"issue": fields}, repeatable=repeatable)

    def _fields(self, draft: Draft) -> dict[str, Any]:
        own = mapped(draft, self.settings)
        marker = {"id": self._marker_field, "value": " ".join(labels_of(draft))}
        return {
            **own,
            "project_id": self._project.id,
            "tracker_id": self._tracker,
            "subject": markup.line(draft.title, self.limits.title),
            "description": self._write(draft.body),
            "custom_fields": [*own.get("custom_fields", ()), marker],
        }

    def _ticket(self, issue: _Issue) -> Ticket | None:
        values = [str(field.value or "") for field in issue.custom_fields if field.id == self._marker_field]
        marker = marker_in(" ".join(values).split())
        if not marker:
            return None
        handle = str(issue.id)
        url = f"{self.settings.url.rstrip('/')}/issues/{handle}"
        state = issue.status.name
        return Ticket(handle, f"#{handle}", url, marker, self._standing(state), state, issue.subject)

    def _standing(self, state: str) -> Standing:
        if same(state, [*self.settings.declined, *filter(None, [self.settings.waived_state])]):
            return "declined"
        closed = any(status.is_closed for status in self._statuses if same(status.name, [state]))
        return "done" if closed else "open"

    # --- what the project has, asked once ---

    @cached_property
    def _statuses(self) -> tuple[_Status, ...]:
        return self.connection.json(_Statuses, "GET", "/issue_statuses.json").issue_statuses

    @cached_property
    def _project(self) -> _Project:
        path = f"/projects/{quote(self.settings.project, safe='')}.json"
        asked = {"include": "trackers,issue_custom_fields"}
        return self.connection.json(_OneProject, "GET", path, params=asked).project

    @cached_property
    def _tracker(self) -> int:
        return self._id(self._project.trackers, self.settings.tracker, "tracker: the project has no tracker")

    @cached_property
    def _marker_field(self) -> int:
        problem = "marker_field: the project has no custom field for issues named"
        return self._id(self._project.issue_custom_fields, self.settings.marker_field, problem)

    def _id(self, known: Sequence[_Named], name: str, problem: str) -> int:
        for one in known:
            if same(one.name, [name]):
                return one.id
        names = ", ".join(one.name for one in known) or "none"
        raise self.connection.error(f"{problem} {name}", f"It has: {names}.")
