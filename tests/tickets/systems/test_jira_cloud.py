"""Jira Cloud on a stand-in that keeps Atlassian's rules, and every request against Atlassian's own description."""

from __future__ import annotations

import json

import pytest
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse
from scenarios import Scenarios, Seen
from standins.jira import USER, JiraCloudStandin, said
from wire import BODY, COMMENT, TENANT, Bench, Wire, draft, started

from auditor.errors import ConfigError, TicketError, TicketRefusal
from auditor.tickets.base import Paragraph, Refused, Ticket
from auditor.tickets.systems.jira_cloud import SETTINGS

__all__ = ["started"]

KEYS = {"system": "jira-cloud", "project": "OPS", "user": USER, "token_env": "TICKETS_SECRET"}


class Desk(Bench[JiraCloudStandin]):
    def look(self, ticket: Ticket) -> Seen:
        issue = self.standin.issues[int(ticket.handle)]
        comments = [said(comment) for comment in issue.comments]
        fields = issue.fields
        return Seen(fields["summary"], said(fields["description"]), comments, fields.get("assignee", ""), issue.files)

    def edit_by_hand(self, ticket: Ticket) -> None:
        self.standin.issues[int(ticket.handle)].fields |= {"summary": "Edited by hand", "assignee": "someone"}

    def close_by_hand(self, ticket: Ticket, *, declined: bool = False) -> None:
        self.standin.issues[int(ticket.handle)].status = "Won't Do" if declined else "Done"

    def fill(self, count: int) -> None:
        list(self.system().create([draft(number) for number in range(count)]))
        self.clock.seconds += 3600


@pytest.fixture
def desk(started, clock) -> Desk:
    return Desk(started(JiraCloudStandin(clock)), SETTINGS, clock, **KEYS, waived_state="Risk accepted")


class TestScenarios(Scenarios):
    pass


class TestWire(Wire):
    create = ("POST", "/issue/bulk")
    find_bound = 40


def test_at_most_fifty_are_made_at_once_and_partial_refusals_find_their_drafts(desk):
    drafts = [draft(number, fields={"customfield_1": "x"} if number in (3, 60) else None) for number in range(70)]
    answers = list(desk.system().create(drafts))
    assert [answer.marker for answer in answers] == [one.marker for one in drafts]
    refused = {number: answer for number, answer in enumerate(answers) if isinstance(answer, Refused)}
    assert list(refused) == [3, 60]
    assert refused[3].reason == (
        "customfield_1: Field 'customfield_1' cannot be set. It is not on the appropriate screen, or unknown."
    )
    assert desk.standin.count("/issue/bulk").total() == 2
    assert len(desk.standin.issues) == 68


def test_a_batch_that_is_refused_whole_is_told_draft_by_draft(desk):
    answers = list(desk.system().create([draft(1, fields={"other": 1}), draft(2, fields={"other": 1})]))
    assert all(isinstance(answer, Refused) for answer in answers)


def test_a_refusal_does_not_repeat_our_text(desk):
    [answer] = desk.system().create([draft(1, fields={"labels_": "x"}, labels=("l" * 300,))])
    assert isinstance(answer, Refused)
    assert "lll" not in answer.reason


def test_a_new_issue_is_found_at_once_when_its_handle_is_known(desk):
    [ticket] = desk.system().create([draft(1)])
    assert desk.system().find(TENANT) == []
    assert [one.handle for one in desk.system().find(TENANT, [ticket.handle])] == [ticket.handle]


def test_more_new_issues_than_a_search_reconciles_are_fetched_by_the_hundred(desk):
    tickets = list(desk.system().create([draft(number) for number in range(160)]))
    before = len(desk.standin.seen)
    assert len(desk.system().find(TENANT, [ticket.handle for ticket in reversed(tickets)])) == 160
    assert len(desk.standin.seen) - before == 3


def test_a_persons_clone_is_not_ours(desk):
    [ticket] = desk.system().create([draft(1)])
    original = desk.standin.issues[int(ticket.handle)]
    desk.standin.issues[99] = type(original)(99, "OPS-99", 0.0, dict(original.fields))
    desk.clock.seconds += 3600
    assert [one.key for one in desk.system().find(TENANT)] == [ticket.key]


def test_check_names_what_is_missing(desk):
    standin = desk.standin
    standin.held.discard("CREATE_ATTACHMENTS")
    with pytest.raises(TicketError, match="the account has not CREATE_ATTACHMENTS"):
        desk.system().check()
    standin.held.add("CREATE_ATTACHMENTS")
    with pytest.raises(TicketError, match=r"no issue type Story.*Epic, Bug, Task"):
        desk.system(issue_type="Story").check()
    with pytest.raises(TicketError, match=r"no field prioritty.*Did you mean priority"):
        desk.system(fields={"prioritty": "High"}).check()
    standin.required.add("duedate")
    with pytest.raises(TicketError, match=r"requires the field duedate .*under fields"):
        desk.system().check()
    desk.system(due_field="duedate").check()
    with pytest.raises(TicketRefusal, match="No project could be found"):
        desk.system(project="NONE").check()
    standin.screen.remove("labels")
    with pytest.raises(TicketError, match="no field labels"):
        desk.system(due_field="duedate").check()
    assert [method for method, path in standin.writes() if "createmeta" in path] == []


def test_a_resolution_is_set_where_the_screen_asks_for_it(desk):
    desk.standin.resolution_on_screen = True
    [ticket] = desk.system().create([draft(1)])
    text = (Paragraph(("because",)),)
    for to, state, resolution in (
        ("done", "Done", "Done"),
        ("open", "To Do", ""),
        ("waived", "Risk accepted", "Won't Do"),
    ):
        desk.system().move(ticket, to, text)
        issue = desk.standin.issues[int(ticket.handle)]
        assert (issue.status, issue.resolution) == (state, resolution)


def test_a_workflow_without_a_way_is_told_with_what_it_offers(desk):
    [ticket] = desk.system().create([draft(1)])
    with pytest.raises(TicketError, match=r"no transition leads to Closed.*Move to Done \(to Done\)"):
        desk.system(done_state="Closed").move(ticket, "done", (Paragraph(("x",)),))
    desk.system(done_state="move to in progress").move(ticket, "done", (Paragraph(("x",)),))
    assert desk.standin.issues[int(ticket.handle)].status == "In Progress"


def test_the_token_must_be_set(desk):
    desk.environment.clear()
    with pytest.raises(ConfigError, match="TICKETS_SECRET is empty or not set"):
        desk.system()


# --- Atlassian's own description ---


@pytest.fixture(scope="module")
def described(shared) -> OpenAPI:
    document = json.loads((shared / "contract/vendor/jira-cloud-v3-openapi.json").read_bytes())
    document["servers"] = [{"url": "https://jira.example"}]
    return OpenAPI.from_dict(document, config=Config(spec_validator_cls=None))


def test_every_request_and_answer_is_what_atlassian_describes(desk, described):
    desk.standin.resolution_on_screen = True
    system = desk.system()
    system.check()
    tickets = list(system.create([draft(1), draft(2, fields={"other": "refused"})]))
    desk.clock.seconds += 3600
    system.find(TENANT, [tickets[0].handle])
    desk.clock.seconds -= 3600
    system.find(TENANT, [tickets[0].handle] * 51)
    system.comment(tickets[0], BODY)
    system.rewrite(tickets[0], draft(1))
    for to in ("done", "open", "waived"):
        system.move(tickets[0], to, COMMENT)
    list(system.create([draft(3, fields={"other": "refused"})]))
    for exchange in desk.standin.exchanges:
        asked = MockRequest(
            "https://jira.example", exchange.method.lower(), exchange.path, args=exchange.query,
            headers={"Authorization": "Basic eDp5"}, data=exchange.body or None, content_type=exchange.content_type,
        )  # fmt: skip
        described.validate_request(asked)
        if exchange.answer:
            told = MockResponse(exchange.answer, status_code=exchange.status, content_type=exchange.answer_type)
            described.validate_response(asked, told)
    assert len({(exchange.method, exchange.path.split("/")[-1]) for exchange in desk.standin.exchanges}) >= 9
