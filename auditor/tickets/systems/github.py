"""GitHub issues, REST API version 2022-11-28.

Pages: https://docs.github.com/rest/issues/issues,
https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api and
https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api (80 requests a minute and 500 an hour that
make content).

Least rights: a fine-grained token for the one repository with Issues (read and write). Keys: `url`
(https://api.github.com, or https://HOST/api/v3), `repository` (`owner/name`), `token_env`. `waived_state`:
`not_planned` or `completed`, the reason with which an accepted issue is closed.

An issue carries the tenant's label, by which issues are listed (a search would lag behind), and the marker in a comment
of its text that is not shown. Who files an issue without the right to label cannot set the label, so the text alone
makes nothing ours. There is no interface for attachments: a table is written as a comment, cut where it is too long.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import httpx
import msgspec

from auditor.clock import BlockingClock
from auditor.errors import ConfigError, TicketRefusal
from auditor.tickets import markup
from auditor.tickets.base import TOOL, Attachment, Draft, Heading, Limits, Refused, Standing, Table, Text, Ticket
from auditor.tickets.http import Connection, Credential, bearer, secret, too_many
from auditor.tickets.pace import Window
from auditor.tickets.settings import TicketSettings
from auditor.tickets.systems.common import Target, labels_of, marker_label

TITLE = 256
BODY = 65_536
LABEL = 50
PAGE = 100
PACE = (Window(80, 60.0), Window(500, 3600.0))
SECONDARY_WAIT = 60.0
"""Seconds that GitHub asks to wait where it names no time."""

_REASONS = ("completed", "not_planned")
_DECLINED = ("not_planned", "duplicate")
_MARK = re.compile(rf"<!-- {TOOL}: (\S+) -->\s*$")
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


class GitHubSettings(TicketSettings, frozen=True, kw_only=True):
    repository: str
    token_env: str


SETTINGS = GitHubSettings


def connect(settings: GitHubSettings, environment: Mapping[str, str], clock: BlockingClock) -> GitHub:
    place = f'[[tickets]] "{settings.name}"'
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", settings.repository, re.ASCII):
        raise ConfigError(f"{place}: repository is no repository.", remedy="Write it as owner/name.")
    if settings.waived_state not in ("", *_REASONS):
        raise ConfigError(f"{place}: waived_state is no reason.", remedy=f"Write {' or '.join(_REASONS)}.")
    return GitHub(settings, bearer(secret(environment, settings, "token_env")), clock)


class _Label(msgspec.Struct, frozen=True):
    name: str


class _Issue(msgspec.Struct, frozen=True):
    number: int
    html_url: str
    title: str
    state: str
    state_reason: str | None = None
    body: str | None = None
    labels: tuple[_Label, ...] = ()
    pull_request: Any = None


class _Repository(msgspec.Struct, frozen=True):
    full_name: str
    has_issues: bool = True
    archived: bool = False
    permissions: Mapping[str, bool] = {}


def explain(body: Any) -> str:
    if not isinstance(body, dict):
        return ""
    errors = [error for error in body.get("errors") or () if isinstance(error, dict)]
    by_field = [f"{error.get('field')}: {error.get('message') or error.get('code')}" for error in errors]
    return "; ".join([str(body.get("message", "")), *by_field])


def throttled(response: httpx.Response) -> bool:
    """The secondary limits answer 403 as well, with a time to wait or only with words."""
    if too_many(response):
        return True
    if response.status_code != HTTPStatus.FORBIDDEN:
        return False
    used_up = response.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in response.headers
    return used_up or b"rate limit" in response.content.lower()


class GitHub:
    limits = Limits(title=TITLE, body=BODY)

    def __init__(self, settings: GitHubSettings, credential: Credential, clock: BlockingClock) -> None:
        self.settings = settings
        self.connection = Connection(
            settings,
            credential,
            clock,
            explain=explain,
            throttled=throttled,
            pace=PACE,
            throttled_wait=SECONDARY_WAIT,
            headers=_HEADERS,
        )
        self._repository = f"/repos/{settings.repository}"

    def check(self) -> None:
        found = self.connection.json(_Repository, "GET", self._repository)
        name = self.settings.repository
        if not found.has_issues or found.archived:
            raise self.connection.error(f"{name} takes no issues", "Turn issues on, or name another repository.")
        if found.permissions and not (found.permissions.get("triage") or found.permissions.get("push")):
            raise self.connection.error(
                f"{name}: the token may not label issues",
                "Give it Issues (read and write); without the label they are lost.",
            )

    # --- reading ---

    def find(self, tenant: str, recent: Sequence[str] = ()) -> list[Ticket]:  # noqa: ARG002 - listing does not lag
        return [
            self._ticket(issue, mark[1])
            for issue in self._issues(tenant)
            if issue.pull_request is None and (mark := _MARK.search(issue.body or ""))
        ]

    def _issues(self, label: str) -> Iterator[_Issue]:
        asked: dict[str, Any] | None = {
            "labels": label, "state": "all", "per_page": PAGE, "sort": "created", "direction": "asc",
        }  # fmt: skip
        path = f"{self._repository}/issues"
        while True:
            response = self.connection.send("GET", path, params=asked)
            yield from self.connection.decode(tuple[_Issue, ...], response)
            if "next" not in response.links:
                return
            path, asked = response.links["next"]["url"], None

    def _ticket(self, issue: _Issue, marker: str) -> Ticket:
        state = issue.state_reason or issue.state if issue.state == "closed" else issue.state
        standing: Standing = "open" if issue.state == "open" else "declined" if state in _DECLINED else "done"
        return Ticket(str(issue.number), f"#{issue.number}", issue.html_url, marker, standing, state, issue.title)

    # --- making ---

    def create(self, drafts: Sequence[Draft]) -> Iterator[Ticket | Refused]:
        for draft in drafts:
            try:
                yield self._make(draft)
            except TicketRefusal as refusal:
                if refusal.status != HTTPStatus.UNPROCESSABLE_ENTITY:
                    raise
                yield Refused(draft.marker, refusal.reason)

    def _make(self, draft: Draft) -> Ticket:
        # The marker stands in the text: as a label it would make a label of the repository for every ticket.
        labels = [label[:LABEL] for label in labels_of(draft) if label != marker_label(draft.marker)]
        body = {"title": markup.line(draft.title, TITLE), "body": _body(draft), "labels": labels}
        issue = self.connection.json(
            _Issue, "POST", f"{self._repository}/issues", json={**(draft.fields or {}), **body}
        )
        if draft.tenant not in [label.name for label in issue.labels]:
            raise self.connection.error(
                f"issue #{issue.number} was made, but did not get its label",
                "The token may not label issues: give it Issues (read and write), and delete that issue.",
            )
        return self._ticket(issue, draft.marker)

    # --- changing ---

    def rewrite(self, ticket: Ticket, draft: Draft) -> None:
        self.connection.send("PATCH", self._issue(ticket), json={"body": _body(draft)})

    def comment(self, ticket: Ticket, text: Text) -> None:
        body = {"body": markup.markdown(text, BODY)}
        self.connection.send("POST", f"{self._issue(ticket)}/comments", json=body)

    def attach(self, ticket: Ticket, attachment: Attachment) -> None:
        lines = list(csv.reader(io.StringIO(attachment.content.decode("utf-8-sig"), newline="")))
        if lines:
            table = Table(tuple(lines[0]), tuple(map(tuple, lines[1:])))
            self.comment(ticket, (Heading(attachment.name), table))

    def move(self, ticket: Ticket, to: Target, text: Text) -> None:
        reason = {"open": "reopened", "done": "completed", "waived": self.settings.waived_state}[to]
        state = "open" if to == "open" else "closed"
        self.connection.send("PATCH", self._issue(ticket), json={"state": state, "state_reason": reason})
        self.comment(ticket, text)

    def _issue(self, ticket: Ticket) -> str:
        return f"{self._repository}/issues/{ticket.handle}"


def _body(draft: Draft) -> str:
    mark = f"\n\n<!-- {TOOL}: {draft.marker} -->"
    return markup.markdown(draft.body, BODY - len(mark)) + mark
