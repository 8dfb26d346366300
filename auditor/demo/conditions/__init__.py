"""The conditions under which the emulated tenant answers: service limits, latency, faults, and its time.

All are off by default. Tests and `auditor emulate` make them the same way:

    from auditor.demo.conditions import Conditions, Latency, Limits, ScaledClock
    from auditor.demo.conditions.faults import FaultPlan, Slow, Status

    plan = FaultPlan(faults=(Status(path="/users", nth=2, status=429, retry_after=2.128), Slow(service="exchange")))
    with Emulator(tenant, folder, conditions=Conditions(clock=fake, limits=Limits(), faults=plan)) as emulator:
        ...
        assert emulator.struck  # which faults did strike, in order

- **Time.** Limits refill, latency passes and slow answers wait on `clock`. Give a test's fake clock to the emulator
  and to the client, and a ten-minute wait costs nothing; give both a `ScaledClock(60)` in two processes, and it takes
  ten seconds. A client that lives in real time beside a scaled emulator must be told its waits in real seconds:
  `told_scale` divides every Retry-After (`auditor emulate --time-scale 60` sets both).
- **Limits** (`limits.py`). Graph's documented ones, each inner call of a `$batch` by itself; `Limits(rival=0.5)` has a
  second client eat half of each. A 429 carries the documented headers, but Conditional Access's, which has none.
- **Latency** (`pace.py`). The same for the same seed and request number.
- **Faults** (`faults.py` lists them and the file's form). They enter in one middleware (`injector.py`).

To stop a collector at a chosen request, let `Slow(seconds=3600, nth=k)` hold it on the system's clock, wait until
`emulator.struck` is not empty, and kill it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from auditor.clock import Clock, SystemClock
from auditor.demo.conditions.faults import FaultPlan
from auditor.demo.conditions.limits import Limits
from auditor.demo.conditions.pace import Latency, ScaledClock

__all__ = ["Conditions", "FaultPlan", "Latency", "Limits", "ScaledClock"]


@dataclass(frozen=True)
class Conditions:
    clock: Clock = field(default_factory=SystemClock)
    limits: Limits | None = None
    latency: Latency | None = None
    faults: FaultPlan = field(default_factory=FaultPlan)
    told_scale: float = 1.0
