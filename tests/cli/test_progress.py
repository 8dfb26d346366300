"""Progress: quiet where nobody watches, one line for people, one object per line for machines."""

from __future__ import annotations

import json

import pytest

from auditor.cli.progress import JsonLog, Terminal
from auditor.collect.progress import Pace
from auditor.graph.gates import Gate, Limit
from auditor.tenant import DatasetStatus


class Clock:
    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def pace(clock):
    pace = Pace(clock, expected=10_000, earlier=2_000, gate=Gate(Limit(100, 10), clock))
    clock.seconds = 10.0
    pace.records = 4_000
    return pace


def test_the_rate_counts_this_run_only_and_time_left_follows_from_it(pace):
    assert pace.rate == 200.0
    assert pace.seconds_left == 30.0
    assert pace.quota == 0.0


def test_nothing_is_promised_that_nobody_knows(clock):
    assert Pace(clock, expected=100).seconds_left is None
    unknown = Pace(clock)
    clock.seconds = 5.0
    unknown.records = 50
    assert (unknown.rate, unknown.seconds_left, unknown.quota) == (10.0, None, None)


def test_more_than_was_expected_is_no_negative_time(pace):
    pace.records = 10_500
    assert pace.seconds_left == 0.0


def test_people_see_what_is_read_now(pace, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    terminal = Terminal(live=True)
    terminal.started("organization")
    terminal.page("users", pace)
    terminal.finished("users", DatasetStatus("users", "cut", 4_000, "HTTP 503."))
    shown = capsys.readouterr()
    lines = [line.strip() for line in shown.err.replace("\n", "\r").split("\r")]
    assert "reading users 4,000 of 10,000, 200/s, quota 0%, 0:30 left; organization" in lines
    assert "users: cut, 4,000 (HTTP 503.)" in lines
    assert shown.out == ""


def test_nobody_watches_nothing_is_said(pace, capsys):
    quiet = Terminal(live=False)
    quiet.started("users")
    quiet.page("users", pace)
    quiet.finished("users", DatasetStatus("users", "complete", 4_000))
    assert capsys.readouterr() == ("", "")


def test_machines_get_an_object_per_line_and_not_every_page(pace, clock, capsys):
    log = JsonLog(clock.monotonic)
    log.started("users")
    for seconds in (10.0, 10.4, 11.5):
        clock.seconds = seconds
        log.page("users", pace)
    log.finished("users", DatasetStatus("users", "complete", 4_000))
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [event["event"] for event in events] == ["started", "page", "page", "finished"]
    assert events[1].items() >= {
        "dataset": "users", "records": 4000, "expected": 10000, "records_per_second": 200.0, "quota": 0.0,
        "seconds_left": 30,
    }.items()  # fmt: skip
    assert all("time" in event for event in events)
