"""What bench/collect.py reckons with: the requests that are allowed, and the least time that the limits ask for."""

from __future__ import annotations

import importlib.util

import pytest

from auditor.catalogue import BY_NAME


@pytest.fixture(scope="module")
def bench(root):
    specification = importlib.util.spec_from_file_location("bench_collect", root / "bench" / "collect.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_requests_allowed_go_by_pages_of_bulk_datasets(bench):
    datasets = {"users": {"records": 10_000}, "mailboxes": {"records": 1000}, "organization": {"records": 1}}
    assert bench.budget(datasets) == (pytest.approx(40 + 1.05 * (11 + 1)), 12)
    assert bench.budget({name: {"records": 0} for name in BY_NAME}) == (40, 0)


@pytest.mark.parametrize(
    ("units", "burst", "seconds", "share", "least"),
    [
        (5, 5, 10, 1.0, 0),
        (105, 5, 10, 1.0, 200),  # 100 more at one in two seconds
        (105, 5, 10, 0.5, 410),  # half the burst, half the rate
        (11, 1, 1, 0.5, 20),  # one always fits
        (3, 8000, 10, 1.0, 0),
    ],
)
def test_the_quota_floor(bench, units, burst, seconds, share, least):
    assert bench.quota_floor(units, burst, seconds, share) == pytest.approx(least)


def test_a_lone_burst_passes_an_emulated_limit_in_the_floors_time(bench):
    """The floor and the emulated limit are written apart; they agree to the second."""
    from auditor.demo.conditions.limits import Limits, Meter

    class Clock:
        seconds = 0.0

        def monotonic(self):
            return self.seconds

    for rival in (0.0, 0.5):
        clock = Clock()
        meter = Meter(Limits(rival), 1000, clock)
        for _ in range(60):
            draw = meter.take("reports")
            while not draw.admitted:
                clock.seconds += draw.wait
                draw = meter.take("reports")
        assert clock.seconds == pytest.approx(bench.quota_floor(60, 5, 10, 1 - rival))
