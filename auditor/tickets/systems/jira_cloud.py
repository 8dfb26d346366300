"""Jira Cloud, REST API version 3.

Pages: https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/ (bulk create: at most 50, partly
refused), https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-search/ (a search may not show
what was made a moment ago), https://developer.atlassian.com/cloud/jira/platform/rate-limiting/.

Least rights: an account with Browse Projects, Create, Edit and Transition Issues, Add Comments and Create Attachments
in one project; its API token, or a scoped token with read:jira-work and write:jira-work. Keys: `project`, `issue_type`,
`user` (the account's address), `token_env`, `site_url`, `done_state`, `open_state`, `resolution`, `waived_resolution`,
`declined`, `owner_field`, `due_field`.

The marker stands in a label, by which issues are searched, and in the entity property `tenant-auditor`, which decides:
a person who clones an issue copies its labels, not its properties.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from auditor.clock import BlockingClock
from auditor.tickets import markup
from auditor.tickets.base import TOOL, Draft, Limits, Refused, Ticket
from auditor.tickets.http import Credential, basic, bearer, secret, texts
from auditor.tickets.systems.common import chunks
from auditor.tickets.systems.jira import BODY, FOUND, TITLE, Created, Issue, Jira, JiraSettings, explain

API = "/rest/api/3"
BULK = 50
RECONCILED = 50
PAGE = 100
FETCHED = 100


class JiraCloudSettings(JiraSettings, frozen=True, kw_only=True):
    """`user` and the token sign in as Atlassian documents it; without `user` the token is sent as a bearer token.
    `site_url`: where people read issues, where `url` is https://api.atlassian.com/ex/jira/<cloud id>."""

    token_env: str
    site_url: str = ""


SETTINGS = JiraCloudSettings


def connect(settings: JiraCloudSettings, environment: Mapping[str, str], clock: BlockingClock) -> JiraCloud:
    token = secret(environment, settings, "token_env")
    return JiraCloud(settings, basic(settings.user, token) if settings.user else bearer(token), clock)


class JiraCloud(Jira):
    limits = Limits(title=TITLE, body=BODY, batch=BULK, index_lag=120.0)

    def __init__(self, settings: JiraCloudSettings, credential: Credential, clock: BlockingClock) -> None:
        site = settings.site_url or settings.url
        super().__init__(settings, credential, clock, api=API, site=site, write=markup.adf)

    def find(self, tenant: str, recent: Sequence[str] = ()) -> list[Ticket]:
        issues: dict[str, Issue] = {}
        asked: dict[str, Any] = {
            "jql": self.jql(tenant),
            "fields": FOUND,
            "properties": [TOOL],
            "maxResults": PAGE,
            "reconcileIssues": [int(handle) for handle in recent[:RECONCILED] if handle.isdecimal()],
        }
        while True:
            page = self.connection.json(_Issues, "POST", f"{API}/search/jql", json=asked, repeatable=True)
            issues |= {issue.id: issue for issue in page.issues}
            if not page.next_page_token:
                break
            asked["nextPageToken"] = page.next_page_token
        for handles in chunks([handle for handle in recent if handle not in issues], FETCHED):
            fetched = {"issueIdsOrKeys": handles, "fields": FOUND, "properties": [TOOL]}
            page = self.connection.json(_Issues, "POST", f"{API}/issue/bulkfetch", json=fetched, repeatable=True)
            issues |= {issue.id: issue for issue in page.issues if tenant in issue.fields.labels}
        owned = [(issue, issue.properties.get(TOOL)) for issue in issues.values()]
        return [
            self.ticket(issue, own["marker"])
            for issue, own in owned
            if isinstance(own, dict) and own.get("tenant") == tenant and "marker" in own
        ]

    def create(self, drafts: Sequence[Draft]) -> Iterator[Ticket | Refused]:
        for chunk in chunks(drafts, BULK):
            yield from self._bulk(chunk)

    def _bulk(self, drafts: Sequence[Draft]) -> Iterator[Ticket | Refused]:
        updates = [{"fields": self.fields(draft), "properties": [_property(draft)]} for draft in drafts]
        response = self.connection.send("POST", f"{API}/issue/bulk", json={"issueUpdates": updates}, accept=(400,))
        try:
            answer = msgspec.json.decode(response.content, type=_Bulk)
        except msgspec.DecodeError:
            raise self.connection.refusal(response, tuple(texts(updates))) from None
        refused = {error.failed_element_number: error for error in answer.errors}
        if len(answer.issues) + len(refused) != len(drafts):
            raise self.connection.error(
                f"Jira answered {len(drafts)} drafts with {len(answer.issues)} issues and {len(refused)} refusals",
                "Run the sync again: it looks for them by their markers.",
            )
        issues = iter(answer.issues)
        for number, draft in enumerate(drafts):
            if error := refused.get(number):
                told = explain(error.element_errors) or f"HTTP {error.status}"
                yield Refused(draft.marker, self.connection.words(told, tuple(texts(updates[number]))))
            else:
                yield self.made(next(issues), draft)


class _Issues(msgspec.Struct, frozen=True, rename="camel"):
    issues: tuple[Issue, ...]
    next_page_token: str | None = None


class _ElementError(msgspec.Struct, frozen=True, rename="camel"):
    failed_element_number: int
    status: int = 400
    element_errors: Any = None


class _Bulk(msgspec.Struct, frozen=True, rename="camel"):
    """`errors`: the drafts that were not taken, by their place; the others stand in `issues`, in order."""

    issues: tuple[Created, ...]
    errors: tuple[_ElementError, ...]


def _property(draft: Draft) -> dict[str, Any]:
    return {"key": TOOL, "value": {"marker": draft.marker, "tenant": draft.tenant}}
