"""One gate per service limit. Each is the service's own token bucket as far as it can be known from here: the limit
that Microsoft documents, corrected by what the answers say.

Sources: https://learn.microsoft.com/graph/throttling-limits and https://learn.microsoft.com/graph/throttling.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from auditor.catalogue import Bucket
from auditor.clock import Clock


@dataclass(frozen=True, slots=True)
class Limit:
    """`burst` units at once, refilled over `seconds`."""

    burst: float
    seconds: float


LIMITS: dict[Bucket, Limit] = {
    # Resource units per 10 s of the smallest tenant; `Gates.size` raises it once the size is known.
    "directory": Limit(3500, 10),
    # 1 request per second per tenant for all apps, and its 429 carries no Retry-After.
    "conditional-access": Limit(1, 1),
    "reports": Limit(5, 10),
    "usage-reports": Limit(14, 600),
    "usage-reports-json": Limit(100, 600),
    # Not documented; more in a row than an administrator's session sends, less than would be noticed.
    "exchange": Limit(60, 30),
}

DIRECTORY_SIZES = ((50, Limit(3500, 10)), (501, Limit(5000, 10)))
"""resource units of tenants with fewer users than this"""
LARGE_DIRECTORY = Limit(8000, 10)

_RATE = 0.99
"""of the documented rate, so that no rounding makes a request come a moment too early"""
_SLOWEST = 1 / 16
_MOMENT = 1e-6
"""seconds; less is no reason to wait, and a clock that shows a year may not even count it"""


class Gate:
    """A token bucket over one clock: first come, first served, and never over `share` of the limit.

    The service's own bucket is never emptier than ours while we are alone. What we spend it sees later, when the
    request arrives: until its answer proves that, it may still stand full there, and ours does not fill beyond what
    will then be left."""

    def __init__(self, limit: Limit, clock: Clock, share: float = 1.0) -> None:
        self.clock = clock
        self._share = share
        self._turn = asyncio.Lock()
        self._answered = asyncio.Event()
        self._limit = limit
        self._under_way = 0.0
        """units of requests without an answer"""
        self._level = self._burst
        self._filled = clock.monotonic()
        self._closed_until = self._filled
        self._pace = 1.0

    @property
    def _burst(self) -> float:
        return max(1.0, self._limit.burst * self._share)

    @property
    def _rate(self) -> float:
        return self._limit.burst * self._share / self._limit.seconds * _RATE * self._pace

    @property
    def used(self) -> float:
        """How much of the service's whole limit we have in use, 0 to 1."""
        self._fill()
        return min(1.0, max(0.0, (self._burst - self._level) / self._limit.burst))

    @asynccontextmanager
    async def passing(self, cost: float = 1.0) -> AsyncIterator[None]:
        """Waits until `cost` units are there and the gate is open, then takes them; the block is the request, and its
        end the answer."""
        needed = min(cost, self._burst)
        async with self._turn:
            while (wait := self._wait(needed)) > _MOMENT:
                if self._burst - self._under_way < needed:
                    self._answered.clear()
                    await self._answered.wait()
                else:
                    await self.clock.sleep(wait)
            self._level -= needed
            self._under_way += needed
        try:
            yield
        finally:
            self._fill()
            self._under_way -= needed
            self._answered.set()

    def heed(self, cost: float, headers: Mapping[str, str]) -> None:
        """Corrects the bucket by what an answer says of it: what the request really cost, and how full the service's
        own bucket is. That header comes only from 0.8 on; 1.0 is the limit, and others of our app may use it too."""
        self._level -= max(0.0, _number(headers.get("x-ms-resource-unit"), cost) - cost)
        percentage = _number(headers.get("x-ms-throttle-limit-percentage"), 0.0)
        if percentage:
            self._level = min(self._level, (self._share - percentage) * self._limit.burst)
        else:
            self._pace = min(1.0, self._pace * 1.1)

    def close(self, seconds: float) -> None:
        """Nobody passes for that long: the service asked for it."""
        self._closed_until = max(self._closed_until, self.clock.monotonic() + seconds)

    def refused(self) -> None:
        """A 429: the service's bucket is empty although ours is not, so others use it as well."""
        self._fill()
        self._level = min(self._level, 0.0)
        self._pace = max(_SLOWEST, self._pace / 2)

    def grow(self, limit: Limit) -> None:
        """Another limit from now on; what is spent stays spent."""
        self._fill()
        before = self._burst
        self._limit = limit
        self._level += self._burst - before

    def _wait(self, needed: float) -> float:
        self._fill()
        return max(self._closed_until - self._filled, (needed - self._level) / self._rate)

    def _fill(self) -> None:
        now = self.clock.monotonic()
        self._level = min(self._burst - self._under_way, self._level + (now - self._filled) * self._rate)
        self._filled = now


class Gates:
    """The gates of one tenant. `share` (0 to 1] is how much of every limit we take."""

    def __init__(self, clock: Clock, share: float = 0.8, limits: Mapping[Bucket, Limit] = LIMITS) -> None:
        self.clock = clock
        self._gates = {bucket: Gate(limit, clock, share) for bucket, limit in limits.items()}

    def __getitem__(self, bucket: Bucket) -> Gate:
        return self._gates[bucket]

    def size(self, users: int) -> None:
        """The directory's limit depends on how many users the tenant has."""
        limit = next((limit for below, limit in DIRECTORY_SIZES if users < below), LARGE_DIRECTORY)
        self["directory"].grow(limit)


def resource_units(path: str, *, selects: bool, top: int | None) -> int:
    """What a directory request costs (https://learn.microsoft.com/graph/throttling-limits, resource units)."""
    if "/transitiveMembers" in path:
        base = 5
    elif path.endswith("/members") or path == "/subscribedSkus":
        base = 3
    elif path in ("/users", "/oauth2PermissionGrants") or path.endswith(("/appRoleAssignedTo", "/transitiveMemberOf")):
        base = 2
    else:
        base = 1
    return max(1, base - int(selects) - int(top is not None and top < 20))


def _number(text: str | None, otherwise: float) -> float:
    try:
        number = float(text or otherwise)
    except ValueError:
        return otherwise
    return number if 0 <= number < float("inf") else otherwise
