"""The emulated tenant's time and how long its answers take."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random


class ScaledClock:
    """The machine's clock run faster: `scale` 60 lets ten minutes pass in ten seconds. A `auditor.clock.Clock`, so
    that a client which is to live in the same time can be given one as well."""

    def __init__(self, scale: float) -> None:
        self.scale = scale
        self._began, self._start = datetime.now(UTC), time.monotonic()

    def now(self) -> datetime:
        return self._began + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return (time.monotonic() - self._start) * self.scale

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.scale)


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds before each answer: drawn evenly between the two, by seed and request number."""

    shortest: float = 0.0
    longest: float = 0.0
    seed: int = 1

    def of(self, number: int) -> float:
        """For the `number`-th request; the same whatever happened in between."""
        return Random(f"{self.seed}:latency:{number}").uniform(self.shortest, self.longest)
