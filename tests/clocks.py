"""A clock on which waiting takes no time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

ELSEWHEN = datetime(2031, 1, 1, tzinfo=UTC)
"""far from every time in the emulated tenant: whatever takes this machine's time for the service's is seen"""


class FakeClock:
    """`auditor.clock.Clock`: time passes only by sleeping, from `start` on; `slept` remembers how long."""

    def __init__(self, start: datetime = ELSEWHEN) -> None:
        self.start = start
        self.seconds = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds
