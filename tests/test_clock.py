from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone

from auditor.clock import SystemClock, iso


def test_times_are_written_in_utc_to_the_second():
    moment = datetime(2026, 11, 23, 17, 0, 0, 900_000, tzinfo=timezone(timedelta(hours=1)))
    assert iso(moment) == "2026-11-23T16:00:00Z"


def test_the_machines_clock_is_aware_and_monotonic():
    clock = SystemClock()
    before = clock.monotonic()
    asyncio.run(clock.sleep(0))
    clock.pause(0)
    assert clock.monotonic() >= before
    assert clock.now().tzinfo is UTC
