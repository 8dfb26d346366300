"""Laws of the plan, over whatever happens to tickets and findings from run to run."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from conftest import FakeClock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from memory import Memory
from runs import Runs

from auditor.config import Config
from auditor.tickets.base import Limits
from auditor.tickets.journal import read_journal
from auditor.tickets.plan import WRITES
from auditor.tickets.source import read_source
from auditor.tickets.sync import show, sync

RULES = ("exposed-account", "shared-mailbox-sign-in")
GROUPINGS = ("finding", "rule", "sender", "owner")

finding = st.tuples(
    st.sampled_from(RULES),
    st.integers(1, 3),
    st.sampled_from(("critical", "high", "low")),
    st.sampled_from(("fail", "fail", "fail", "waived", "unknown")),
)
quarter = st.fixed_dictionaries(
    {
        "findings": st.lists(finding, max_size=5, unique_by=lambda one: one[:2]),
        "blind": st.sampled_from((None, None, "users", "signIns", "mailboxes")),
        "chained": st.booleans(),
        "grouping": st.sampled_from(GROUPINGS),
        "people": st.lists(st.tuples(st.integers(0, 5), st.sampled_from(("done", "declined"))), max_size=2),
        "journal": st.sampled_from(("kept", "kept", "lost")),
        "max_new": st.sampled_from((0, 1, 25)),
    }
)


@pytest.fixture
def world():
    """A new tenant, desk and folder for each example."""
    folders = []

    def make(waived_state: str = "Risk accepted", limits: Limits | None = None):
        folder = Path(tempfile.mkdtemp())
        folders.append(folder)
        clock = FakeClock()
        desk = Memory(clock, limits)
        desk.settings = msgspec.structs.replace(
            desk.settings, waived_state=waived_state, journal=str(folder / "journal.jsonl")
        )
        return World(Runs(folder / "reports", "tenant"), desk, clock, folder)

    yield make
    for folder in folders:
        shutil.rmtree(folder)


class World:
    def __init__(self, runs: Runs, desk: Memory, clock: FakeClock, folder: Path) -> None:
        self.runs, self.desk, self.clock, self.folder = runs, desk, clock, folder

    def quarter(self, told):
        """(run, settings) of a quarter: a day passed, and people did what they did."""
        self.clock.pause(86_400)
        for number, standing in told["people"]:
            if number < len(self.desk.held):
                self.desk.close_by_hand(self.desk.held[str(number + 1)].ticket, declined=standing == "declined")
        if told["journal"] == "lost":
            (self.folder / "journal.jsonl").unlink(missing_ok=True)
        found = [self.runs.of(rule, n, severity=severity, outcome=outcome)
                 for rule, n, severity, outcome in told["findings"]]  # fmt: skip
        blind = {told["blind"]: "denied"} if told["blind"] else {}
        run = self.runs.run(found, datasets=blind, chained=told["chained"])
        settings = msgspec.structs.replace(
            self.desk.settings, group_by=told["grouping"], max_new=told["max_new"], min_severity="medium"
        )
        return read_source(run, Config()), settings

    def sync(self, source, settings):
        return sync(self.desk, source, settings, self.clock)


law = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@law
@given(st.lists(quarter, min_size=1, max_size=4))
def test_a_second_sync_of_a_run_has_nothing_to_do_but_what_was_held_back(world, quarters):
    at = world()
    for told in quarters:
        source, settings = at.quarter(told)
        at.sync(source, settings)
        roomy = msgspec.structs.replace(settings, max_new=0)
        before = at.desk.writes()
        again = at.sync(source, roomy)
        assert [outcome.action for outcome in again if outcome.action.kind in WRITES] == []
        assert at.desk.writes() == before


@law
@given(st.lists(quarter, min_size=1, max_size=4))
def test_no_marker_has_two_tickets_and_no_sync_makes_more_than_it_may(world, quarters):
    at = world()
    for told in quarters:
        source, settings = at.quarter(told)
        before = len(at.desk.held)
        at.sync(source, settings)
        assert len(at.desk.held) - before <= settings.max_new
    markers = [held.ticket.marker for held in at.desk.held.values()]
    assert len(markers) == len(set(markers))


@law
@given(st.lists(quarter, min_size=2, max_size=5))
def test_what_a_person_declined_is_never_touched(world, quarters):
    at = world()
    for told in quarters:
        declined = {held.ticket.marker for held in at.desk.held.values() if held.ticket.state == "Closed"
                    and held.ticket.standing == "declined"}  # fmt: skip
        source, settings = at.quarter({**told, "people": []})
        before = len(at.desk.writes())
        at.sync(source, settings)
        assert declined.isdisjoint(marker for _, marker in at.desk.writes()[before:])
        for number, standing in told["people"]:
            if number < len(at.desk.held):
                at.desk.close_by_hand(at.desk.held[str(number + 1)].ticket, declined=standing == "declined")


@law
@given(st.lists(quarter, min_size=1, max_size=5), st.sampled_from(GROUPINGS))
def test_nothing_closes_while_a_finding_of_it_stands_or_could_not_be_checked(world, quarters, grouping):
    """By the journal before the sync: every finding that the closed ticket spoke of is gone from the run, and was not
    one of what a blind dataset could hide."""
    at = world()
    for told in quarters:
        source, settings = at.quarter({**told, "grouping": grouping})
        spoke_of = {marker: entry.findings for marker, entry in
                    read_journal(Path(settings.journal)).entries.items()}  # fmt: skip
        for outcome in at.sync(source, settings):
            if outcome.action.kind != "close":
                continue
            for identity in spoke_of.get(outcome.action.marker, {outcome.action.marker: {}}):
                assert identity not in source.run.findings
                settled = source.run.gone.get(identity, {}).get("state") == "fixed"
                assert settled or told["blind"] != "users"
            assert told["blind"] != "users" or told["chained"]


@law
@given(st.lists(quarter, min_size=1, max_size=3))
def test_a_plan_writes_nothing_and_says_what_the_sync_then_does(world, quarters):
    at = world()
    for told in quarters:
        source, settings = at.quarter(told)
        before = at.desk.writes()
        planned = [(one.action.kind, one.action.marker) for one in show(at.desk, source, settings, at.clock)]
        assert at.desk.writes() == before
        assert planned == [(one.action.kind, one.action.marker) for one in at.sync(source, settings)]


@law
@given(
    st.lists(quarter, min_size=1, max_size=3),
    st.integers(0, 12),
    st.booleans(),
    st.sampled_from((0.0, 30.0)),
    st.sampled_from((1, 3)),
)
def test_wherever_it_is_killed_the_next_sync_makes_it_good(world, quarters, at_call, before_effect, lag, batch):
    at = world(limits=Limits(title=255, body=32_767, index_lag=lag, batch=batch))

    class Kill(BaseException):
        pass

    for told in quarters:
        source, settings = at.quarter(told)
        left = [at_call]

        def disturb(call: str, marker: str, before: bool, left=left) -> None:
            if before == before_effect:
                left[0] -= 1
                if left[0] == 0:
                    raise Kill

        at.desk.disturb = disturb
        with suppress(Kill):
            at.sync(source, settings)
        at.desk.disturb = lambda call, marker, before: None
        at.sync(source, settings)
        before = at.desk.writes()
        at.sync(source, msgspec.structs.replace(settings, max_new=0))
        assert at.desk.writes() == before
    markers = [held.ticket.marker for held in at.desk.held.values()]
    assert len(markers) == len(set(markers))
