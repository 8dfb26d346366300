"""ServiceNow on a stand-in that keeps its rules, by the Table API and by import sets."""

from __future__ import annotations

import pytest
from scenarios import Scenarios, Seen
from standins.server import Trouble
from standins.servicenow import USER, ServiceNowStandin
from wire import COMMENT, TENANT, Bench, Wire, draft, started

from auditor.errors import TicketError, TicketRefusal
from auditor.tickets.base import Refused, Ticket
from auditor.tickets.systems.servicenow import SETTINGS

__all__ = ["started"]

KEYS = {"system": "servicenow", "user": USER, "password_env": "TICKETS_SECRET", "waived_state": "3"}
STAGING = {"staging_table": "u_tickets"}


class Desk(Bench[ServiceNowStandin]):
    def look(self, ticket: Ticket) -> Seen:
        record = self.standin.records[ticket.handle]
        fields = record.fields
        title, body = fields["short_description"], fields["description"]
        return Seen(title, body, tuple(record.notes), fields.get("assigned_to", ""), record.files)

    def edit_by_hand(self, ticket: Ticket) -> None:
        fields = {"short_description": "Edited by hand", "assigned_to": "someone"}
        self.standin.records[ticket.handle].fields |= fields

    def close_by_hand(self, ticket: Ticket, *, declined: bool = False) -> None:
        closing = {"state": "6", "close_code": "Known error", "close_notes": "by hand"}
        self.standin.records[ticket.handle].fields |= {"state": "8"} if declined else closing

    def fill(self, count: int) -> None:
        list(self.system().create([draft(number) for number in range(count)]))


@pytest.fixture
def desk(started, clock) -> Desk:
    return Desk(started(ServiceNowStandin(clock)), SETTINGS, clock, **KEYS)


@pytest.fixture
def importing(started, clock) -> Desk:
    return Desk(started(ServiceNowStandin(clock)), SETTINGS, clock, **KEYS, **STAGING)


class TestScenarios(Scenarios):
    pass


class TestScenariosByImportSet(Scenarios):
    @pytest.fixture
    def desk(self, importing):
        importing.standin.transform_after = 5.0
        return importing


class TestWire(Wire):
    create = ("POST", "/table/incident")
    find_bound = 4


def test_a_record_that_did_not_keep_its_marker_is_told_at_once(desk):
    desk.standin.writable.discard("correlation_id")
    with pytest.raises(TicketError, match=r"INC0000001 was made, but did not keep correlation_id"):
        list(desk.system().create([draft(1)]))


def test_a_query_that_finds_too_much_takes_nothing_of_others(desk):
    list(desk.system().create([draft(1), draft(2, tenant="tenant-auditor-ffffffffffff")]))
    desk.standin.columns.discard("correlation_display")
    assert desk.system().find(TENANT) == []


def test_pages_from_which_access_rules_took_records_are_not_the_last(desk):
    desk.fill(2300)
    for number, record in enumerate(desk.standin.records.values()):
        record.hidden = number < 1500
    assert len(desk.system().find(TENANT)) == 800


def test_check_names_fields_that_would_be_dropped(desk):
    desk.system(fields={"u_unknown": "x"}).check()  # an empty table shows nothing
    list(desk.system().create([draft(1)]))
    with pytest.raises(TicketError, match=r"incident has no u_unknown, due_dat"):
        desk.system(fields={"u_unknown": "x"}, due_field="due_dat").check()
    desk.system(fields={"impact": "2"}, due_field="due_date", owner_field="assigned_to").check()
    with pytest.raises(TicketRefusal, match="Invalid table u_none"):
        desk.system(table="u_none").check()
    with pytest.raises(TicketRefusal, match="Invalid table u_none"):
        desk.system(staging_table="u_none").check()


def test_owner_due_day_and_fields_are_set(desk):
    system = desk.system(owner_field="assigned_to", due_field="due_date", open_state="2")
    [ticket] = system.create([draft(1, owner="ann", due="2026-12-24", fields={"impact": "1"})])
    fields = desk.standin.records[ticket.handle].fields
    assert (fields["assigned_to"], fields["due_date"], fields["impact"], fields["state"]) == (
        "ann", "2026-12-24", "1", "2",
    )  # fmt: skip


def test_a_marker_that_does_not_fit_is_refused_before_anything_is_sent(desk):
    [answer] = desk.system().create([draft(1, marker="m" * 101)])
    assert isinstance(answer, Refused)
    assert desk.standin.writes() == []


def test_closing_needs_a_code_that_the_instance_has(desk):
    [ticket] = desk.system().create([draft(1)])
    with pytest.raises(TicketRefusal, match="close_code is mandatory"):
        desk.system(close_code="Solved (Permanently)").move(ticket, "done", COMMENT)
    desk.system().move(ticket, "done", COMMENT)
    fields = desk.standin.records[ticket.handle].fields
    assert fields["close_notes"].startswith("Closed by the run of 2026-11-23")


def test_a_state_that_is_dropped_is_told(desk):
    [ticket] = desk.system().create([draft(1)])
    desk.standin.writable.discard("state")
    with pytest.raises(TicketError, match="stays in state 1, not 6"):
        desk.system().move(ticket, "done", COMMENT)


def test_a_closed_incident_cannot_be_reopened_and_the_instance_says_so(desk):
    [ticket] = desk.system().create([draft(1)])
    desk.standin.records[ticket.handle].fields["state"] = "7"
    with pytest.raises(TicketRefusal, match="the state may not be left so"):
        desk.system().move(ticket, "open", COMMENT)


def test_code_tags_of_a_text_run_in_no_journal(desk):
    [ticket] = desk.system().create([draft(1)])
    desk.system().comment(ticket, COMMENT)
    desk.system(html_journal=True).comment(ticket, COMMENT)
    plain, html = desk.standin.records[ticket.handle].notes
    assert "[code]" not in plain
    assert "[ code]<b>[ /code]" in plain
    assert html.startswith("[code]<p>")
    assert html.endswith("</p>[/code]")
    assert html.count("[code]") == html.count("[/code]") == 1
    assert "<b>" not in html


def test_a_broken_connection_repeats_no_note(desk):
    [ticket] = desk.system().create([draft(1)])
    desk.standin.troubles.append(Trouble("PATCH", "/table/incident", effect=True))
    with pytest.raises(TicketError, match="unknown"):
        desk.system().comment(ticket, COMMENT)
    assert len(desk.standin.records[ticket.handle].notes) == 1


# --- import sets ---


def test_rows_are_staged_fifty_at_a_time_and_looked_for_until_they_are_there(importing):
    importing.standin.transform_after = 6.0
    answers = list(importing.system().create([draft(number) for number in range(120)]))
    assert [answer.marker for answer in answers] == [draft(number).marker for number in range(120)]
    assert importing.standin.count("insertMultiple").total() == 3
    assert importing.standin.count("/table/incident").total() == 3 * 4


def test_rows_that_are_sent_twice_make_no_second_record(importing):
    importing.standin.troubles.append(Trouble("POST", "insertMultiple", effect=True))
    answers = list(importing.system().create([draft(1), draft(2)]))
    assert len(answers) == len(importing.standin.records) == 2


def test_rows_that_never_come_out_are_told(importing):
    importing.standin.refused_rows = 1
    answers: list[str] = []
    made = (answer.marker for answer in importing.system().create([draft(1), draft(2), draft(3)]))
    with pytest.raises(TicketError, match=r"1 of 3 rows are not transformed yet, or were refused.*u_tickets"):
        answers.extend(made)
    assert answers == [draft(2).marker, draft(3).marker]
    assert sum(importing.clock.paused) == 60
