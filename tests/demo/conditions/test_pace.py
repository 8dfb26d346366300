from __future__ import annotations

import asyncio

from auditor.demo.conditions import Conditions, Latency, ScaledClock


def test_latency_passes_on_the_emulators_clock_and_repeats_with_the_seed(serve, tenant, clock):
    latency = Latency(0.5, 2.0, seed=3)
    client = serve(tenant, Conditions(clock=clock, latency=latency))
    client.graph("/organization")
    assert clock.slept == [latency.of(number) for number in range(1, len(clock.slept) + 1)]
    assert all(0.5 <= seconds <= 2.0 for seconds in clock.slept)
    assert len(set(clock.slept)) == len(clock.slept)
    assert Latency(0.25, 0.25).of(7) == 0.25


def test_a_scaled_clock_runs_faster():
    clock = ScaledClock(1000)
    before, began = clock.monotonic(), clock.now()
    asyncio.run(clock.sleep(20))
    assert clock.monotonic() - before >= 20
    assert (clock.now() - began).total_seconds() >= 20
