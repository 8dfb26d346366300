"""A clock on which nothing waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)


class FakeClock:
    """Time passes only by pausing; `paused` remembers how long."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.paused: list[float] = []

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def pause(self, seconds: float) -> None:
        self.paused.append(seconds)
        self.seconds += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
