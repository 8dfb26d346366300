"""ServiceNow, by the Table API, and for new tickets by the Import Set API where the config names a staging table.

Pages: https://www.servicenow.com/docs/r/api-reference/rest-apis/c_TableAPI.html,
https://www.servicenow.com/docs/r/api-reference/rest-apis/c_ImportSetAPI.html and
https://www.servicenow.com/docs/r/api-reference/rest-apis/c_AttachmentAPI.html.

Least rights: an account with web service access only, a role that reads, creates and writes the one table (for
incidents `itil`, or one with ACLs for the fields named here), and for the staging table `import_set_loader`. Keys:
`table`, `user` and `password_env`, or `token_env` (OAuth); `open_state`, `reopened_state`, `done_state`,
`closed_states`, `declined_states`, `close_code`, `journal_field`, `html_journal`, `staging_table`, `staging_prefix`,
`owner_field`, `due_field`. States are numbers that differ from table to table; `waived_state` is one too.

The marker stands in `correlation_id`, the tenant in `correlation_display`. ServiceNow passes over what it does not
know: a condition on an unknown field finds every record, and an unknown or protected field is dropped without a word.
So what comes back is looked at, always.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from auditor.clock import BlockingClock
from auditor.errors import TicketRefusal
from auditor.tickets import markup
from auditor.tickets.base import Attachment, Draft, Limits, Refused, Text, Ticket
from auditor.tickets.http import Connection, Credential, basic, bearer, secret
from auditor.tickets.systems.common import MappedSettings, Target, chunks, mapped, standing_of

TITLE = 160
BODY = 4_000
MARKER = 100
"""The sizes of short_description, description and correlation_id as a new instance has them."""

PAGE = 1_000
IMPORTED = 50
TRANSFORM_WAITS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds between looks for what an import set is to make: unless an administrator changed it, that happens later."""

_FOUND = "sys_id,number,short_description,state,correlation_id,correlation_display"
_BODY_FIELD = "description"


class ServiceNowSettings(MappedSettings, frozen=True, kw_only=True):
    """The defaults are those of the incident table. `open_state` empty: what the table gives a new record."""

    table: str = "incident"
    user: str = ""
    password_env: str = ""
    token_env: str = ""
    open_state: str = ""
    reopened_state: str = "2"
    done_state: str = "6"
    closed_states: tuple[str, ...] = ("6", "7")
    declined_states: tuple[str, ...] = ("8",)
    close_code: str = "Solution provided"
    journal_field: str = "work_notes"
    html_journal: bool = False
    """that the instance shows HTML in journals (glide.ui.security.allow_codetag)"""
    staging_table: str = ""
    """an import set table whose transform map coalesces on correlation_id"""
    staging_prefix: str = "u_"


SETTINGS = ServiceNowSettings


def connect(settings: ServiceNowSettings, environment: Mapping[str, str], clock: BlockingClock) -> ServiceNow:
    if settings.token_env:
        return ServiceNow(settings, bearer(secret(environment, settings, "token_env")), clock)
    return ServiceNow(settings, basic(settings.user, secret(environment, settings, "password_env")), clock)


class _Record(msgspec.Struct, frozen=True):
    sys_id: str
    number: str = ""
    short_description: str = ""
    state: str = ""
    correlation_id: str = ""
    correlation_display: str = ""


class _One(msgspec.Struct, frozen=True):
    result: _Record


class _Many(msgspec.Struct, frozen=True):
    result: tuple[_Record, ...]


class _Rows(msgspec.Struct, frozen=True):
    result: tuple[dict[str, Any], ...]


def explain(body: Any) -> str:
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return str(error or "")
    return ": ".join(str(part) for part in (error.get("message"), error.get("detail")) if part)


class ServiceNow:
    limits = Limits(title=TITLE, body=BODY)

    def __init__(self, settings: ServiceNowSettings, credential: Credential, clock: BlockingClock) -> None:
        self.settings = settings
        self.connection = Connection(settings, credential, clock, explain=explain)
        self._clock = clock
        self._path = f"/api/now/table/{quote(settings.table, safe='')}"
        if settings.staging_table:
            self.limits = Limits(title=TITLE, body=BODY, batch=IMPORTED, index_lag=sum(TRANSFORM_WAITS))

    def check(self) -> None:
        """That the table can be read, and has the fields of the config as far as one of its records shows them."""
        rows = self.connection.json(_Rows, "GET", self._path, params={"sysparm_limit": 1}).result
        ours = ("correlation_id", "correlation_display", "short_description", _BODY_FIELD, "state")
        wanted = [*ours, *self.settings.fields, self.settings.owner_field, self.settings.due_field]
        missing = [name for name in wanted if rows and name and name not in rows[0]]
        if missing:
            raise self.connection.error(
                f"{self.settings.table} has no {', '.join(missing)}, or the account may not read it",
                "ServiceNow would drop it without a word. Correct the field, or give the account the right.",
            )
        if staging := self.settings.staging_table:
            path = f"/api/now/table/{quote(staging, safe='')}"
            self.connection.json(_Rows, "GET", path, params={"sysparm_limit": 1})

    # --- reading ---

    def find(self, tenant: str, recent: Sequence[str] = ()) -> list[Ticket]:  # noqa: ARG002 - the table does not lag
        return [self._ticket(record) for record in self._records(f"correlation_display={_literal(tenant)}", tenant)]

    def _records(self, query: str, tenant: str) -> Iterator[_Record]:
        """Every page, and only records of the tenant: access rules take records out of pages that were counted
        before, so a short page is not the last."""
        offset = 0
        while True:
            asked = {
                "sysparm_query": f"{query}^ORDERBYsys_created_on^ORDERBYsys_id",
                "sysparm_fields": _FOUND,
                "sysparm_limit": PAGE,
                "sysparm_offset": offset,
            }
            response = self.connection.send("GET", self._path, params=asked)
            for record in self.connection.decode(_Many, response).result:
                if record.correlation_display == tenant and record.correlation_id:
                    yield record
            if "next" not in response.links:
                return
            offset += PAGE

    def _ticket(self, record: _Record) -> Ticket:
        url = f"{self.connection.base}/{quote(self.settings.table)}.do?sys_id={record.sys_id}"
        closed, declined = self.settings.closed_states, self.settings.declined_states
        standing = standing_of(record.state, done=closed, declined=declined)
        title = record.short_description
        return Ticket(record.sys_id, record.number, url, record.correlation_id, standing, record.state, title)

    # --- making ---

    def create(self, drafts: Sequence[Draft]) -> Iterator[Ticket | Refused]:
        for draft in drafts:
            if len(draft.marker) > MARKER:
                yield Refused(draft.marker, f"its marker is longer than correlation_id takes ({MARKER})")
        fitting = [draft for draft in drafts if len(draft.marker) <= MARKER]
        if self.settings.staging_table:
            for chunk in chunks(fitting, IMPORTED):
                yield from self._import(chunk)
        else:
            for draft in fitting:
                yield self._insert(draft)

    def _fields(self, draft: Draft) -> dict[str, Any]:
        state = {"state": self.settings.open_state} if self.settings.open_state else {}
        return {
            **mapped(draft, self.settings),
            **state,
            "short_description": markup.line(draft.title, TITLE),
            _BODY_FIELD: markup.plain(draft.body, BODY),
            "correlation_id": draft.marker,
            "correlation_display": draft.tenant,
        }

    def _insert(self, draft: Draft) -> Ticket | Refused:
        asked = {"sysparm_fields": _FOUND}
        try:
            made = self.connection.json(_One, "POST", self._path, json=self._fields(draft), params=asked).result
        except TicketRefusal as refusal:
            if refusal.status != 400:
                raise
            return Refused(draft.marker, refusal.reason)
        if (made.correlation_id, made.correlation_display) != (draft.marker, draft.tenant):
            raise self.connection.error(
                f"{made.number} was made, but did not keep correlation_id and correlation_display",
                "Give the account the right to write both, and delete that record: it cannot be found again.",
            )
        return self._ticket(made)

    def _import(self, drafts: Sequence[Draft]) -> Iterator[Ticket | Refused]:
        """Safe to send twice: the transform map updates the record that has the marker already. The answer says only
        that rows were staged, so the records themselves are looked for."""
        prefix = self.settings.staging_prefix
        rows = [{f"{prefix}{name}": value for name, value in self._fields(draft).items()} for draft in drafts]
        path = f"/api/now/import/{quote(self.settings.staging_table, safe='')}/insertMultiple"
        self.connection.send("POST", path, json={"records": rows}, repeatable=True)
        made: dict[str, _Record] = {}
        for wait in (0.0, *TRANSFORM_WAITS):
            self._clock.pause(wait)
            markers = ",".join(_literal(draft.marker) for draft in drafts)
            records = self._records(f"correlation_idIN{markers}", drafts[0].tenant)
            made = {record.correlation_id: record for record in records}
            if len(made) == len(drafts):
                break
        for draft in drafts:
            if record := made.get(draft.marker):
                yield self._ticket(record)
        if len(made) < len(drafts):
            raise self.connection.error(
                f"{len(drafts) - len(made)} of {len(drafts)} rows are not transformed yet, or were refused",
                f"See the import sets of {self.settings.staging_table}; the next sync looks for the records again.",
            )

    # --- changing ---

    def rewrite(self, ticket: Ticket, draft: Draft) -> None:
        self._patch(ticket, {_BODY_FIELD: markup.plain(draft.body, BODY)}, repeatable=True)

    def comment(self, ticket: Ticket, text: Text) -> None:
        self._patch(ticket, {self.settings.journal_field: self._note(text)})

    def attach(self, ticket: Ticket, attachment: Attachment) -> None:
        asked = {
            "table_name": self.settings.table,
            "table_sys_id": ticket.handle,
            "file_name": attachment.name,
        }
        self.connection.send(
            "POST",
            "/api/now/attachment/file",
            params=asked,
            content=attachment.content,
            headers={"Content-Type": attachment.media_type},
        )

    def move(self, ticket: Ticket, to: Target, text: Text) -> None:
        settings = self.settings
        states = {"open": settings.reopened_state, "done": settings.done_state, "waived": settings.waived_state}
        fields = {"state": states[to], settings.journal_field: self._note(text)}
        if states[to] in settings.closed_states:
            fields |= {"close_code": settings.close_code, "close_notes": markup.plain(text, BODY)}
        changed = self._patch(ticket, fields)
        if changed.state != states[to]:
            raise self.connection.error(
                f"{ticket.key} stays in state {changed.state}, not {states[to]}",
                "A rule of the instance or a missing right keeps it there; state numbers differ from table to table.",
            )

    def _patch(self, ticket: Ticket, fields: Mapping[str, Any], *, repeatable: bool = False) -> _Record:
        """A note in a journal would stand there twice, so it is not repeated after a broken connection."""
        path = f"{self._path}/{quote(ticket.handle, safe='')}"
        asked = {"sysparm_fields": _FOUND}
        return self.connection.json(_One, "PATCH", path, json=fields, params=asked, repeatable=repeatable).result

    def _note(self, text: Text) -> str:
        if self.settings.html_journal:
            return f"[code]{markup.html(text, BODY)}[/code]"
        return _CODE.sub(r"[ \1", markup.plain(text, BODY))


_CODE = re.compile(r"\[(/?code\b)", re.IGNORECASE)
"""What begins and ends HTML in a journal, where the instance shows it."""


def _literal(text: str) -> str:
    """A value in an encoded query, where `^` joins conditions."""
    return text.replace("^", "^^")
