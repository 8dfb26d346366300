"""Every scenario against a real Roundup (PyPI), on loopback."""

from __future__ import annotations

import httpx
import msgspec
import pytest
from runs import Runs
from scenarios import Scenarios, Seen
from servers import roundup

from auditor.clock import SystemClock
from auditor.config import Config
from auditor.errors import SignInError, TicketError
from auditor.tickets.base import Ticket
from auditor.tickets.source import read_source
from auditor.tickets.sync import sync
from auditor.tickets.systems.roundup import Roundup, RoundupSettings, connect

PASSWORD = "a password for loopback"


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    with roundup(tmp_path_factory.mktemp("roundup"), PASSWORD) as url:
        yield url


class RoundupDesk:
    def __init__(self, url: str, clock) -> None:
        self.settings = RoundupSettings(
            name="roundup", system="roundup", url=url, user="admin", password_env="PW", waived_state="deferred",
            fields={"priority": {"critical": "critical", "high": "urgent"}},
        )  # fmt: skip
        self._clock = clock
        headers = {"X-Requested-With": "rest", "Referer": url, "Origin": url.rstrip("/")}
        self._http = httpx.Client(base_url=f"{url}rest/data/", auth=("admin", PASSWORD), headers=headers)

    def system(self) -> Roundup:
        return connect(self.settings, {"PW": PASSWORD}, self._clock)

    def look(self, ticket: Ticket) -> Seen:
        issue = self._get(f"issue/{ticket.handle}")
        words = [self._get(f"msg/{message['id']}", **{"@verbose": 3})["content"] for message in issue["messages"]]
        names = {file["id"]: self._get(f"file/{file['id']}")["name"] for file in issue["files"]}
        assignee = (issue["assignedto"] or {}).get("id", "")
        content = {name: self._http.get(f"file/{key}/binary_content").content for key, name in names.items()}
        return Seen(issue["title"], words[0], words[1:], assignee, content)

    def edit_by_hand(self, ticket: Ticket) -> None:
        self._patch(ticket, {"title": "Edited by hand", "assignedto": "admin"})

    def close_by_hand(self, ticket: Ticket, *, declined: bool = False) -> None:
        self._patch(ticket, {"status": "done-cbb" if declined else "resolved"})

    def _get(self, path: str, **params):
        return self._http.get(path, params=params).raise_for_status().json()["data"]["attributes"]

    def _patch(self, ticket: Ticket, fields) -> None:
        etag = self._http.get(f"issue/{ticket.handle}").json()["data"]["@etag"]
        self._http.patch(f"issue/{ticket.handle}", json=fields, headers={"If-Match": etag}).raise_for_status()


class TestRoundup(Scenarios):
    @pytest.fixture
    def desk(self, server, clock):
        return RoundupDesk(server, clock)


def test_a_state_that_the_tracker_does_not_have_is_named(server):
    settings = RoundupSettings(
        name="r", system="roundup", url=server, user="admin", password_env="PW", done_state="finished"
    )
    with pytest.raises(TicketError, match="done_state: there is no status finished"):
        connect(settings, {"PW": PASSWORD}, SystemClock()).check()


def test_a_wrong_password_is_refused_before_anything_is_written(server, clock, tmp_path):
    runs = Runs(tmp_path / "reports", "a tenant")
    run = runs.run([runs.of("exposed-account")])
    desk = RoundupDesk(server, clock)
    system = connect(desk.settings, {"PW": "not-it-4711"}, clock)
    settings = msgspec.structs.replace(desk.settings, journal=str(tmp_path / "journal.jsonl"))
    with pytest.raises(SignInError) as refused:
        sync(system, read_source(run, Config()), settings, clock)
    assert "not-it-4711" not in str(refused.value)
    assert not (tmp_path / "journal.jsonl").exists()
