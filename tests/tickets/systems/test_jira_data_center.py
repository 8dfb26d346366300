"""Jira Data Center on jira820, a mock that others wrote."""

from __future__ import annotations

import copy

import pytest
from scenarios import Scenarios, Seen
from standins.jira_data_center import JiraDataCenterStandin
from wire import BODY, COMMENT, TENANT, Bench, Wire, draft, started

from auditor.errors import ConfigError, TicketError
from auditor.tickets.base import Refused, Ticket
from auditor.tickets.systems.jira_data_center import SETTINGS

__all__ = ["started"]

KEYS = {"system": "jira-data-center", "project": "OPS", "token_env": "TICKETS_SECRET", "waived_state": "Risk accepted"}


class Desk(Bench[JiraDataCenterStandin]):
    def _issue(self, ticket: Ticket) -> dict:
        return self.standin.store.issues[ticket.key]

    def look(self, ticket: Ticket) -> Seen:
        issue = self._issue(ticket)
        comments = tuple(comment["body"] for comment in issue["comments"])
        held = [one for one in self.standin.store.attachments.values() if one["issueKey"] == ticket.key]
        files = {one["filename"]: one["data"] for one in held}
        return Seen(issue["summary"], issue["description"], comments, issue["assignee"] or "", files)

    def edit_by_hand(self, ticket: Ticket) -> None:
        self._issue(ticket).update(summary="Edited by hand", assignee="someone")

    def close_by_hand(self, ticket: Ticket, *, declined: bool = False) -> None:
        status = "Rejected" if declined else "Done"
        self._issue(ticket).update(statusName=status, statusCategory="done", resolution="Done")

    def fill(self, count: int) -> None:
        [ticket] = self.system().create([draft(0)])
        first = self._issue(ticket)
        for number in range(1, count):
            issue = copy.copy(first) | {"key": f"OPS-{100_000 + number}"}
            labels = [label.replace(draft(0).marker, draft(number).marker) for label in first["labels"]]
            self.standin.store.issues[issue["key"]] = issue | {"labels": labels}


@pytest.fixture
def desk(started, clock) -> Desk:
    return Desk(started(JiraDataCenterStandin(clock)), SETTINGS, clock, **KEYS)


class TestScenarios(Scenarios):
    pass


class TestWire(Wire):
    create = ("POST", "/rest/api/2/issue")
    find_bound = 8


def test_texts_are_wiki_markup_in_which_nothing_of_the_text_acts(desk):
    [ticket] = desk.system().create([draft(1, body=BODY)])
    desk.system().comment(ticket, COMMENT)
    seen = desk.look(ticket)
    assert "[the page|https://learn.example/smtp]" in seen.body
    assert "second &#123;code&#125; &#60;b&#62; &#64;everyone &#35;1" in seen.body
    assert "|a&#124;b|open|" in seen.body
    assert "&#91;code&#93;" in seen.comments[0]


def test_a_resolution_is_set_where_the_screen_asks_for_it(desk):
    [ticket] = desk.system().create([draft(1)])
    for to, resolution in (("done", "Done"), ("open", None), ("waived", "Won't Do")):
        desk.system().move(ticket, to, COMMENT)
        assert desk.standin.store.issues[ticket.key]["resolution"] == resolution


def test_a_refused_draft_does_not_stop_the_others(desk):
    answers = list(desk.system().create([draft(1, title=" "), draft(2)]))
    assert isinstance(answers[0], Refused)
    assert "summary is required" in answers[0].reason
    assert isinstance(answers[1], Ticket)


def test_check_names_what_is_missing(desk):
    with pytest.raises(TicketError, match=r"no issue type Incident.*Bug, Epic"):
        desk.system(issue_type="Incident").check()
    with pytest.raises(TicketError, match="no field customfield_1"):
        desk.system(fields={"customfield_1": "x"}).check()


def test_a_password_signs_in_where_there_are_no_tokens(desk):
    with pytest.raises(TicketError) as caught:
        desk.system(token_env="", user="auditor", password_env="TICKETS_SECRET").find(TENANT)
    assert "HTTP 401" in str(caught.value)
    with pytest.raises(ConfigError, match="token_env is missing"):
        desk.system(token_env="")
