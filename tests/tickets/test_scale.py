"""4,000 findings: how many requests a plan and a sync take, and that nobody is flooded by default."""

from __future__ import annotations

import sys

import msgspec
import pytest
from memory import Memory
from runs import Runs

from auditor.config import Config
from auditor.tickets.base import Limits
from auditor.tickets.source import read_source
from auditor.tickets.sync import show, sync

FINDINGS = 4_000
PAGE = 100


class Paged(Memory):
    """As a system that shows its tickets in pages: each page is a request, each call that changes something another."""

    @property
    def requests(self) -> int:
        return sum(1 + len(self.held) // PAGE if call == "find" else 1 for call, _ in self.calls)


pytestmark = pytest.mark.slow


@pytest.fixture
def office(clock, tmp_path):
    runs = Runs(tmp_path / "reports", "tenant")
    desk = Paged(clock, Limits(title=255, body=32_767, batch=50))
    journal = str(tmp_path / "journal.jsonl")

    def step(run, act, **changed):
        """(kinds of what was done or is planned, requests that it took)."""
        settings = msgspec.structs.replace(desk.settings, journal=journal, **changed)
        before = desk.requests
        outcomes = act(desk, read_source(run, Config()), settings, clock)
        kinds: dict[str, int] = {}
        for outcome in outcomes:
            assert not outcome.bad
            kinds[outcome.action.kind] = kinds.get(outcome.action.kind, 0) + 1
        return kinds, desk.requests - before

    return runs, desk, step


@pytest.fixture
def tell(capsys):
    """Shows a line also where the test passes."""

    def shown(line: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{line}\n")

    return shown


def test_4000_findings_of_a_rule_are_one_ticket_by_default(office, tell):
    runs, desk, step = office
    run = runs.run(runs.of("exposed-account", number) for number in range(FINDINGS))
    assert step(run, show) == ({"create": 1}, 2)
    kinds, requests = step(run, sync)
    assert kinds == {"create": 1}
    [held] = desk.held.values()
    [table] = held.files.values()
    assert table.count(b"\r\n") == FINDINGS + 1
    again, repeated = step(run, sync)
    assert again == {"unchanged": 1}
    tell(f"{FINDINGS:,} findings by rule: {requests} requests to make, {repeated} to repeat")
    assert requests <= 5
    assert repeated <= 2


def test_4000_findings_one_by_one_are_25_tickets_until_somebody_asks_for_more(office, tell):
    runs, _, step = office
    run = runs.run(runs.of("exposed-account", number) for number in range(FINDINGS))
    kinds, first = step(run, sync, group_by="finding")
    assert kinds == {"create": 25, "held-back": FINDINGS - 25}
    kinds, rest = step(run, sync, group_by="finding", max_new=FINDINGS)
    assert kinds == {"create": FINDINGS - 25, "unchanged": 25}
    planned, look = step(run, show, group_by="finding")
    kinds, again = step(run, sync, group_by="finding")
    assert planned == kinds == {"unchanged": FINDINGS}
    kinds, closing = step(runs.run([]), sync, group_by="finding")
    assert kinds == {"close": FINDINGS}
    tell(
        f"{FINDINGS:,} findings, a ticket each: {first} requests for the first 25, {rest} for the rest, "
        f"{look} for a plan, {again} for a sync without news, {closing} to close them all"
    )
    assert again == look <= 2 + FINDINGS // PAGE
    assert closing <= FINDINGS + 2 + FINDINGS // PAGE
