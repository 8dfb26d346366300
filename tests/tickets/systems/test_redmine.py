"""Every scenario against a real Redmine (Debian's package), on loopback."""

from __future__ import annotations

import os
import shutil

import httpx
import msgspec
import pytest
from scenarios import Scenarios, Seen
from servers import REDMINE, REDMINE_DATABASE, REDMINE_FIELD, redmine

from auditor.errors import TicketError
from auditor.tickets.base import Ticket
from auditor.tickets.systems.redmine import Redmine, RedmineSettings, connect

KEY, ADMIN_KEY = "0123456789abcdef0123456789abcdef01234567", "fedcba9876543210fedcba9876543210fedcba98"


@pytest.fixture(scope="session")
def server():
    if not (REDMINE.is_dir() and REDMINE_DATABASE.parent.is_dir() and shutil.which("puma")):
        pytest.skip("redmine, redmine-sqlite and puma are not installed")
    if os.getuid() != 0:
        pytest.skip("Redmine's package lets only root and its own user read it")
    with redmine(KEY, ADMIN_KEY) as url:
        yield url


class RedmineDesk:
    def __init__(self, url: str, clock) -> None:
        self.settings = RedmineSettings(
            name="redmine", system="redmine", url=url, project="audit", key_env="KEY", waived_state="Feedback",
            due_field="due_date", fields={"priority_id": {"critical": 4, "high": 3}},
        )  # fmt: skip
        self._clock = clock
        self._http = httpx.Client(base_url=url, headers={"X-Redmine-API-Key": ADMIN_KEY})

    def system(self) -> Redmine:
        return connect(self.settings, {"KEY": KEY}, self._clock)

    def look(self, ticket: Ticket) -> Seen:
        issue = self._get(f"issues/{ticket.handle}.json", include="journals,attachments")["issue"]
        comments = [journal["notes"] for journal in issue["journals"] if journal.get("notes")]
        files = {one["filename"]: self._http.get(one["content_url"]).content for one in issue["attachments"]}
        assignee = issue.get("assigned_to", {}).get("name", "")
        return Seen(issue["subject"], issue["description"], comments, assignee, files)

    def edit_by_hand(self, ticket: Ticket) -> None:
        mine = self._get("users/current.json")["user"]["id"]
        self._put(ticket, {"subject": "Edited by hand", "assigned_to_id": mine})

    def close_by_hand(self, ticket: Ticket, *, declined: bool = False) -> None:
        statuses = {one["name"]: one["id"] for one in self._get("issue_statuses.json")["issue_statuses"]}
        self._put(ticket, {"status_id": statuses["Rejected" if declined else "Closed"]})

    def _get(self, path: str, **params):
        return self._http.get(path, params=params).raise_for_status().json()

    def _put(self, ticket: Ticket, fields) -> None:
        self._http.put(f"issues/{ticket.handle}.json", json={"issue": fields}).raise_for_status()


class TestRedmine(Scenarios):
    @pytest.fixture
    def desk(self, server, clock):
        return RedmineDesk(server, clock)


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("marker_field", "no-such-field", f"no custom field for issues named no-such-field.*It has: {REDMINE_FIELD}"),
        ("tracker", "Nothing", "the project has no tracker Nothing.*Support"),
        ("done_state", "Finished", "done_state: there is no status Finished.*Closed"),
    ],
)
def test_what_the_project_does_not_have_is_named(server, clock, key, value, told):
    desk = RedmineDesk(server, clock)
    desk.settings = msgspec.structs.replace(desk.settings, **{key: value})
    with pytest.raises(TicketError, match=told):
        desk.system().check()
