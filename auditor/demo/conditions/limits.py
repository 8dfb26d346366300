"""The service limits that Microsoft documents, enforced as token buckets.

https://learn.microsoft.com/graph/throttling-limits; all of Graph's are per app and tenant, but Conditional Access,
which all apps of a tenant share. Exchange's admin endpoint has no published limit: the one here is only plausible.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from auditor.clock import Clock

Name = Literal[
    "directory", "reports", "sign-in-activity", "conditional-access", "usage-csv", "usage-json", "exchange"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rate:
    """`units` at once, refilled evenly over `seconds`."""

    units: float
    seconds: float

    @property
    def per_second(self) -> float:
        return self.units / self.seconds


_FIXED: Mapping[Name, Rate] = {
    "reports": Rate(5, 10),
    "sign-in-activity": Rate(10, 60),
    "conditional-access": Rate(1, 1),
    "usage-csv": Rate(14, 600),
    "usage-json": Rate(100, 600),
    "exchange": Rate(60, 30),
}


def documented(users: int) -> Mapping[Name, Rate]:
    """The limits of a tenant of that many users. The directory counts resource units, the others requests."""
    units = 3500 if users < 50 else 5000 if users <= 500 else 8000
    return {"directory": Rate(units, 10), **_FIXED}


@dataclass(frozen=True, slots=True)
class Limits:
    """`rival`: the share of every limit (0 to 1) that a second client eats without pause. At least one request fits
    into what is left, so that a small limit becomes slower and not impassable."""

    rival: float = 0.0


@dataclass(frozen=True, slots=True)
class Draw:
    """`wait`: seconds until it would fit, 0 where it was admitted; `used`: share of the limit in use, above 1 where
    requests are being refused."""

    admitted: bool
    wait: float
    used: float


@dataclass(slots=True)
class Tally:
    """What a limit was asked for, on the emulator's clock. `units` are those of the admitted requests."""

    units: float = 0.0
    admitted: int = 0
    refused: int = 0
    first: float = 0.0
    last: float = 0.0
    """when the first and the last request was admitted"""

    def add(self, draw: Draw, cost: float, now: float) -> None:
        if not draw.admitted:
            self.refused += 1
            return
        self.first = self.first if self.admitted else now
        self.last = now
        self.units += cost
        self.admitted += 1


@dataclass
class _Bucket:
    rate: Rate
    rival: float
    at: float
    used: float = 0.0
    refused: float = 0.0

    def take(self, cost: float, now: float) -> Draw:
        room = max(self.rate.units * (1 - self.rival), cost)
        speed = self.rate.per_second * (1 - self.rival)
        drained = (now - self.at) * speed
        self.at = now
        self.used, self.refused = max(0.0, self.used - drained), max(0.0, self.refused - drained)
        excess = self.used + cost - room
        admitted = excess <= 1e-9
        if admitted:
            self.used += cost
        else:
            self.refused += cost
        share = self.rival + (self.used + self.refused) / self.rate.units
        return Draw(admitted, 0.0 if admitted else excess / speed, share)


@dataclass
class Meter:
    """Every limit of one tenant of `users` users; without `limits` everything is admitted. `tallies` goes by limit and
    key."""

    limits: Limits | None
    users: int
    clock: Clock
    tallies: dict[tuple[Name, str], Tally] = field(default_factory=dict)
    _buckets: dict[tuple[Name, str], _Bucket] = field(default_factory=dict)

    def take(self, name: Name, cost: float = 1.0, key: str = "") -> Draw:
        """Takes `cost` units where they are there. `key`: a limit that holds for each thing separately."""
        now = self.clock.monotonic()
        draw = self._draw(name, cost, key, now)
        self.tallies.setdefault((name, key), Tally()).add(draw, cost, now)
        return draw

    def _draw(self, name: Name, cost: float, key: str, now: float) -> Draw:
        if self.limits is None:
            return Draw(True, 0.0, 0.0)
        if (name, key) not in self._buckets:
            self._buckets[name, key] = _Bucket(documented(self.users)[name], self.limits.rival, now)
        return self._buckets[name, key].take(cost, now)
