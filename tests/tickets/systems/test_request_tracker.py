"""Every scenario against a real Request Tracker (Debian's package), on loopback."""

from __future__ import annotations

import base64
import html
import re
import shutil

import httpx
import msgspec
import pytest
from runs import Runs
from scenarios import RULE, Office, Scenarios, Seen, did
from servers import RT_ACCOUNT, RT_FIELD, RT_SETUP, request_tracker

from auditor.errors import TicketError
from auditor.tickets.base import Ticket
from auditor.tickets.systems.request_tracker import RequestTracker, RequestTrackerSettings, connect

PASSWORD = "a password for loopback"


@pytest.fixture(scope="session")
def server():
    if not shutil.which(RT_SETUP):
        pytest.skip("request-tracker5 is not installed")
    with request_tracker(PASSWORD) as url:
        yield url


class RequestTrackerDesk:
    def __init__(self, url: str, clock) -> None:
        self.settings = RequestTrackerSettings(
            name="rt", system="request-tracker", url=url, queue="General", user=RT_ACCOUNT, password_env="PW",
            waived_state="stalled", due_field="Due", fields={"Priority": {"critical": 90, "high": 70}},
        )  # fmt: skip
        self._clock = clock
        self._http = httpx.Client(base_url=f"{url}REST/2.0/", auth=("root", PASSWORD))

    def system(self) -> RequestTracker:
        return connect(self.settings, {"PW": PASSWORD}, self._clock)

    def look(self, ticket: Ticket) -> Seen:
        """RT's history: the newest whole text is the body, what else was said the comments."""
        head = self._get(f"ticket/{ticket.handle}")
        said, files = [], {}
        for entry in self._get(f"ticket/{ticket.handle}/history", per_page=100)["items"]:
            for part in self._get(f"transaction/{entry['id']}/attachments", fields="Filename,ContentType")["items"]:
                content = self._http.get(f"attachment/{part['id']}").raise_for_status().json()
                data = base64.b64decode(content["Content"] or "")
                if content.get("Filename"):
                    files[content["Filename"]] = data
                elif content["ContentType"].startswith("text/html"):
                    said.append(re.sub("<[^>]+>", "", html.unescape(data.decode())))
        bodies = [words for words in said if "The text below is tenant-auditor's" in words]
        return Seen(head["Subject"], bodies[-1], [words for words in said if words not in bodies],
                    head["Owner"]["id"], files)  # fmt: skip

    def edit_by_hand(self, ticket: Ticket) -> None:
        self._put(ticket, {"Subject": "Edited by hand", "Owner": "root"})

    def close_by_hand(self, ticket: Ticket, *, declined: bool = False) -> None:
        self._put(ticket, {"Status": "rejected" if declined else "resolved"})

    def _get(self, path: str, **params):
        return self._http.get(path, params=params).raise_for_status().json()

    def _put(self, ticket: Ticket, fields) -> None:
        self._http.put(f"ticket/{ticket.handle}", json=fields).raise_for_status()


class TestRequestTracker(Scenarios):
    @pytest.fixture
    def desk(self, server, clock):
        return RequestTrackerDesk(server, clock)


def test_a_field_that_the_queue_does_not_have_is_named(server, clock):
    desk = RequestTrackerDesk(server, clock)
    desk.settings = msgspec.structs.replace(desk.settings, marker_field="no-such-field")
    with pytest.raises(TicketError, match=f"no custom field no-such-field.*It has: {RT_FIELD}"):
        desk.system().check()


def test_a_state_that_the_lifecycle_does_not_allow_is_no_success(server, clock, tmp_path):
    """RT answers 201 to it."""
    desk = RequestTrackerDesk(server, clock)
    desk.settings = msgspec.structs.replace(desk.settings, done_state="finished")
    office = Office(Runs(tmp_path / "reports", "rt-states"), desk, clock, tmp_path)
    did(office.sync(office.runs.run([office.runs.of(RULE, 1)])))
    [outcome] = office.sync(office.runs.run([]))
    assert outcome.result == "failed"
    assert "stays new" in outcome.problem
