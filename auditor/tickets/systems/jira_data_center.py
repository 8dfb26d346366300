"""Jira Data Center, REST API version 2.

Pages: https://developer.atlassian.com/server/jira/platform/rest/ and
https://confluence.atlassian.com/enterprise/using-personal-access-tokens-1026032365.html.

Least rights: an account with Browse Projects, Create, Edit and Transition Issues, Add Comments and Create Attachments
in one project, and its personal access token. Keys: `project`, `issue_type`, `token_env`, or `user` and `password_env`
where the server has no tokens; `done_state`, `open_state`, `resolution`, `waived_resolution`, `declined`,
`owner_field`, `due_field`.

Issues are made one by one: what one request makes then stands in the journal before the next is sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from auditor.clock import BlockingClock
from auditor.errors import TicketRefusal
from auditor.tickets import markup
from auditor.tickets.base import Draft, Limits, Refused, Ticket
from auditor.tickets.http import Credential, basic, bearer, secret
from auditor.tickets.systems.common import marker_in
from auditor.tickets.systems.jira import BODY, FOUND, TITLE, Created, Issue, Jira, JiraSettings

API = "/rest/api/2"
PAGE = 500
INDEX_LAG = 10.0
"""Seconds that the nodes of a cluster need to share their index."""


class JiraDataCenterSettings(JiraSettings, frozen=True, kw_only=True):
    token_env: str = ""
    password_env: str = ""


SETTINGS = JiraDataCenterSettings


def connect(settings: JiraDataCenterSettings, environment: Mapping[str, str], clock: BlockingClock) -> JiraDataCenter:
    if settings.password_env:
        return JiraDataCenter(settings, basic(settings.user, secret(environment, settings, "password_env")), clock)
    return JiraDataCenter(settings, bearer(secret(environment, settings, "token_env")), clock)


class JiraDataCenter(Jira):
    limits = Limits(title=TITLE, body=BODY, index_lag=INDEX_LAG)

    def __init__(self, settings: JiraDataCenterSettings, credential: Credential, clock: BlockingClock) -> None:
        super().__init__(settings, credential, clock, api=API, site=settings.url, write=markup.wiki)

    def find(self, tenant: str, recent: Sequence[str] = ()) -> list[Ticket]:  # noqa: ARG002 - its index hardly lags
        issues: list[Issue] = []
        while True:
            asked = {"jql": self.jql(tenant), "fields": ",".join(FOUND), "maxResults": PAGE, "startAt": len(issues)}
            page = self.connection.json(_Issues, "GET", f"{API}/search", params=asked)
            issues += page.issues
            if not page.issues or len(issues) >= page.total:
                return [self.ticket(issue, marker) for issue in issues if (marker := marker_in(issue.fields.labels))]

    def create(self, drafts: Sequence[Draft]) -> Iterator[Ticket | Refused]:
        for draft in drafts:
            try:
                created = self.connection.json(Created, "POST", f"{API}/issue", json={"fields": self.fields(draft)})
            except TicketRefusal as refusal:
                if refusal.status != 400:
                    raise
                yield Refused(draft.marker, refusal.reason)
            else:
                yield self.made(created, draft)


class _Issues(msgspec.Struct, frozen=True):
    issues: tuple[Issue, ...]
    total: int
