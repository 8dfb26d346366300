"""What a sync does when a part of it fails: what is done stands, the rest is told, and the next sync makes it good."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from memory import Memory
from runs import Runs
from scenarios import Office

from auditor.errors import OutcomeUnknown, TicketError, TicketRefusal
from auditor.tickets.base import Limits, Ticket
from auditor.tickets.journal import read_journal
from auditor.tickets.plan import plan
from auditor.tickets.sync import tickets_of

RULE = "exposed-account"


@pytest.fixture(params=[1, 50])
def office(request, clock, tmp_path):
    desk = Memory(clock, Limits(title=255, body=32_767, batch=request.param, index_lag=20))
    return Office(Runs(tmp_path / "reports", "tenant"), desk, clock, tmp_path)


def results(outcomes):
    return [(outcome.action.kind, outcome.result) for outcome in outcomes]


def failing(desk, error, *, call, number=1, before=True):
    """The n-th call of one kind raises, before or after it had its effect."""
    left = [number]

    def disturb(called: str, marker: str, is_before: bool) -> None:
        if called == call and is_before == before:
            left[0] -= 1
            if left[0] == 0:
                raise error

    desk.disturb = disturb


def calm(desk):
    desk.disturb = lambda call, marker, before: None


def test_a_refused_ticket_stops_nothing_and_is_tried_again(office):
    run = office.runs.run(office.runs.of(RULE, number) for number in (1, 2, 3))
    second = sorted(office.runs.of(RULE, number)["id"] for number in (1, 2, 3))[1]
    office.desk.refuses = {second: "priority: is required"}
    outcomes = office.sync(run)
    assert results(outcomes) == [("create", "done"), ("create", "failed"), ("create", "done")]
    assert outcomes[1].problem == "priority: is required"
    office.desk.refuses = {}
    assert ("create", "done") in results(office.sync(run))
    assert len(office.tickets()) == 3


def test_a_system_that_is_gone_stops_the_sync_and_the_rest_is_not_tried(office):
    runs = office.runs
    office.sync(runs.run(runs.of(RULE, number) for number in (1, 2, 3)))
    failing(office.desk, TicketError("not reached"), call="move done", number=2)
    outcomes = office.sync(runs.run([]))
    assert results(outcomes) == [("close", "done"), ("close", "failed"), ("close", "not tried")]
    assert outcomes[2].problem == "not reached"
    calm(office.desk)
    assert sorted(results(office.sync(runs.last))) == [
        ("close", "done"),
        ("close", "done"),
        ("unchanged", "nothing to do"),
    ]


@pytest.mark.parametrize("before", [True, False])
def test_a_connection_that_breaks_during_a_create_makes_no_duplicate(office, before):
    run = office.runs.run([office.runs.of(RULE, 1)])
    failing(office.desk, OutcomeUnknown("the connection broke"), call="create", before=before)
    [outcome] = office.sync(run)
    assert outcome.result == "unknown"
    calm(office.desk)
    started = office.clock.monotonic()
    office.sync(run)
    assert office.clock.monotonic() - started >= 20, "the index was given its time"
    assert len(office.tickets()) == 1
    assert results(office.sync(run)) == [("unchanged", "nothing to do")]


def test_a_refusal_of_one_ticket_does_not_stop_the_others(office):
    runs = office.runs
    office.sync(runs.run(runs.of(RULE, number) for number in (1, 2)))
    refusal = TicketRefusal("the workflow has no way", status=400, reason="no way")
    failing(office.desk, refusal, call="move done")
    assert results(office.sync(runs.run([]))) == [("close", "failed"), ("close", "done")]


def test_a_table_that_could_not_be_attached_is_owed(office):
    run = office.runs.run(office.runs.of(RULE, number) for number in range(10))
    failing(office.desk, TicketRefusal("too large", status=413, reason="too large"), call="attach")
    [outcome] = office.sync(run, group_by="rule")
    assert (outcome.result, outcome.ticket.key) == ("failed", "MEM-1")
    assert "The table could not be attached" in outcome.problem
    calm(office.desk)
    assert results(office.sync(run, group_by="rule")) == [("attach", "done")]
    assert results(office.sync(run, group_by="rule")) == [("unchanged", "nothing to do")]
    assert len(office.desk.look(office.ticket()).files) == 1


def test_a_ticket_that_is_gone_is_not_made_again_unless_asked_for(office):
    run = office.runs.run([office.runs.of(RULE, 1)])
    office.sync(run)
    office.clock.pause(10_000)
    office.desk.held.clear()
    [outcome] = office.sync(run)
    assert outcome.action.kind == "left"
    assert "MEM-1 is not found any more" in outcome.action.why
    settings = msgspec.structs.replace(office.desk.settings, group_by="finding")
    [planned] = plan(office.source(run), settings, [], read_journal(office.folder / "journal.jsonl"), remake=True)
    assert planned.kind == "create"


def test_a_persons_copy_is_left_and_lends_nobody_its_key(office):
    run = office.runs.run([office.runs.of(RULE, 1)])
    office.sync(run)
    mine = office.ticket()
    copy = Ticket("99", "MEM-99", "", mine.marker, "open", "New", "a clone")
    office.desk.held["99"] = type(office.desk.held["1"])(copy, office.source(run).tenant, 0, "text")
    outcomes = office.sync(run)
    assert results(outcomes) == [("left", "nothing to do"), ("unchanged", "nothing to do")]
    assert tickets_of(outcomes) == {mine.marker: mine}
    assert office.desk.held["99"].ticket.standing == "open"


def test_a_person_who_opens_again_what_we_closed_is_left_in_peace(office):
    runs = office.runs
    office.sync(runs.run([runs.of(RULE, 1)]))
    office.sync(runs.run([]))
    held = office.desk.held["1"]
    held.ticket = replace(held.ticket, standing="open", state="New")
    assert results(office.sync(runs.run([]))) == [("unchanged", "nothing to do")]
    assert results(office.sync(runs.run([runs.of(RULE, 1)]))) == [("update", "done")]


def test_with_reopen_done_a_persons_close_does_not_hold(office):
    runs = office.runs
    office.sync(runs.run([runs.of(RULE, 1)]))
    office.desk.close_by_hand(office.ticket())
    assert results(office.sync(runs.run([runs.of(RULE, 1)]), reopen_done=True)) == [("reopen", "done")]


def test_a_group_closes_when_all_of_it_is_fixed_and_says_what_is_left(office):
    runs = office.runs
    office.sync(runs.run([runs.of(RULE, 1), runs.of(RULE, 2)]), group_by="rule")
    assert results(office.sync(runs.run([runs.of(RULE, 2)]), group_by="rule")) == [("update", "done")]
    assert "Fixed" in office.desk.look(office.ticket()).comments[-1]
    blind = {"users": "denied"}
    assert results(office.sync(runs.run([], datasets=blind), group_by="rule")) == [("comment", "done")]
    assert office.ticket().standing == "open"
    assert results(office.sync(runs.run([]), group_by="rule")) == [("close", "done")]


def test_a_finding_that_could_not_be_checked_keeps_its_group_open(office):
    """One of two is fixed, the other not looked at: the group stays open, and is not closed by forgetting the other."""
    runs = office.runs
    other = runs.of("smtp-use-undeclared", 2)
    office.sync(runs.run([runs.of(RULE, 1), other]), group_by="owner")
    office.sync(runs.run([runs.of(RULE, 1), other]), group_by="owner")
    for _ in range(2):
        office.sync(runs.run([], datasets={"signIns": "denied"}, chained=False), group_by="owner")
        standing = {ticket.standing for ticket in office.tickets()}
        assert "open" in standing
    office.sync(runs.run([], chained=False), group_by="owner")
    assert {ticket.standing for ticket in office.tickets()} == {"done"}
