"""A clock on which nothing waits. Beside this file, importable by the tests: runs to sync, the scenarios that every
system goes through, and a system in memory."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

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
