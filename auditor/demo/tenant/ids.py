"""Stable ids: each is a hash of the seed and a key, so that no id depends on the order or number of accounts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_VARIANT = {digit: "89ab"[number % 4] for number, digit in enumerate("0123456789abcdef")}
"""the fourth group's first digit in a UUID of RFC 9562"""


@dataclass(frozen=True, slots=True)
class Ids:
    """Ids of one demo tenant; the same seed and key give the same id in every quarter and at every size."""

    seed: int

    def uuid(self, key: str) -> str:
        """A version-4-shaped UUID, lower case with dashes."""
        digits = hashlib.blake2b(f"{self.seed}\n{key}".encode(), digest_size=16).hexdigest()
        variant = _VARIANT[digits[16]]
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"

    def hex(self, key: str, length: int = 16) -> str:
        """`length` lower-case hex digits (at most 128)."""
        return hashlib.blake2b(f"{self.seed}\n{key}".encode()).hexdigest()[:length]


@dataclass(frozen=True, slots=True)
class Clock:
    """The two moments everything is dated from, so that a company ages between quarters: what was set up long ago
    hangs on `base` (quarter 1), what the services log hangs on `now`."""

    now: datetime
    base: datetime

    @classmethod
    def of(cls, now: datetime, quarter: int) -> Clock:
        return cls(now, now - timedelta(days=QUARTER_DAYS * (quarter - 1)))

    def ago(self, days: float) -> str:
        """ISO 8601 UTC: so many days before quarter 1's clock."""
        return iso(self.base - timedelta(days=days))

    def recent(self, days: float) -> str:
        """ISO 8601 UTC: so many days before `now`."""
        return iso(self.now - timedelta(days=days))


QUARTER_DAYS = 91


def iso(moment: datetime) -> str:
    """Graph's form of a UTC moment, to the second."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"
