"""Waits are what the service asked for, and patience ends."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from auditor.graph.gates import Gate, Limit
from auditor.graph.throttle import Patience, Throttled, retry_after, retrying, service_time

NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30.0),
        ("2.128", 2.128),
        ("Mon, 23 Nov 2026 16:00:45 GMT", 45.0),
        ("Mon, 23 Nov 2026 15:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("inf", None),
        ("", None),
    ],
)
def test_retry_after_in_every_form(header, seconds):
    assert retry_after({"Retry-After": header}, NOW) == seconds


def test_an_http_date_is_measured_on_the_services_own_clock():
    headers = {"retry-after": "Tue, 01 Jan 2030 00:01:00 GMT", "date": "Tue, 01 Jan 2030 00:00:00 GMT"}
    assert retry_after(headers, NOW) == 60.0


def test_no_header_no_wait_named():
    assert retry_after({}, NOW) is None
    assert service_time({"date": "not a date"}) is None


class _GoneError(Exception):
    pass


def _run(clock, outcomes, **patience):
    """Runs attempts that end as `outcomes` say: a Throttled is raised, anything else returned."""
    left = list(outcomes)

    async def attempt():
        outcome = left.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    gate = Gate(Limit(100, 1), clock)
    return asyncio.run(retrying(attempt, gate, patience=Patience(**patience))), left


def test_a_throttled_attempt_is_repeated_after_the_named_wait(clock):
    result, _ = _run(
        clock, [Throttled(_GoneError(), after=7.5), Throttled(_GoneError(), after=2.0, refused=True), "done"]
    )
    assert result == "done"
    assert clock.seconds == pytest.approx(9.5)


def test_without_a_named_wait_it_doubles(clock):
    result, _ = _run(clock, [Throttled(_GoneError())] * 3 + ["done"])
    assert result == "done"
    assert clock.slept == [1.0, 2.0, 4.0]


def test_the_last_attempt_ends_with_the_services_own_error(clock):
    with pytest.raises(_GoneError):
        _run(clock, [Throttled(_GoneError())] * 3, attempts=3)
    assert len(clock.slept) == 2


def test_a_wait_beyond_patience_is_never_cut_short(clock):
    with pytest.raises(_GoneError):
        _run(clock, [Throttled(_GoneError(), after=301.0), "done"])
    assert clock.slept == []


def test_all_waits_of_a_request_are_bounded(clock):
    with pytest.raises(_GoneError):
        _run(clock, [Throttled(_GoneError(), after=250.0)] * 6, attempts=6, total=600.0)
    assert clock.seconds <= 600.0


def test_other_errors_are_not_repeated(clock):
    with pytest.raises(_GoneError):
        _run(clock, [_GoneError(), "done"])
