"""One gate per service limit, and one retry loop: the only place that waits.

A gate is a token bucket with the limit that Microsoft documents, closed for a while when the service says so. Sources:
https://learn.microsoft.com/graph/throttling-limits and https://learn.microsoft.com/graph/throttling.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from auditor.catalogue import Bucket
from auditor.clock import Clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limit:
    """`burst` units at once, refilled over `seconds`; `shared`: our quota share applies (others use it as well)."""

    burst: float
    seconds: float
    shared: bool = False


LIMITS: dict[Bucket, Limit] = {
    # Resource units per 10 s of the smallest tenant size; larger tenants allow more, the service says when it is less.
    "directory": Limit(3500, 10, shared=True),
    # 1 request per second per tenant for all apps, and its 429 carries no Retry-After.
    "conditional-access": Limit(1, 1.1),
    "reports": Limit(5, 10),
    "usage-reports": Limit(14, 600),
    "exchange": Limit(20, 10),
}


class Gate:
    """A token bucket over one clock. Not fair between waiters, never over the limit."""

    def __init__(self, limit: Limit, clock: Clock, share: float = 1.0) -> None:
        self._clock = clock
        self._burst = limit.burst * (share if limit.shared else 1.0)
        self._rate = self._burst / limit.seconds
        self._level = self._burst
        self._filled = clock.monotonic()
        self._closed_until = self._filled

    async def pass_(self, cost: float = 1.0) -> None:
        """Waits until `cost` units are there and the gate is open, then takes them."""
        needed = min(cost, self._burst)
        while True:
            now = self._clock.monotonic()
            self._level = min(self._burst, self._level + (now - self._filled) * self._rate)
            self._filled = now
            wait = max(self._closed_until - now, (needed - self._level) / self._rate)
            if wait <= 1e-9:
                self._level -= needed
                return
            await self._clock.sleep(wait)

    def close(self, seconds: float) -> None:
        """Nobody passes for that long: the service asked for it."""
        self._closed_until = max(self._closed_until, self._clock.monotonic() + seconds)


class Gates:
    """The gates of one tenant. `share` (0 to 1) is how much of the shared limits we take."""

    def __init__(self, clock: Clock, share: float = 0.8, limits: Mapping[Bucket, Limit] = LIMITS) -> None:
        self.clock = clock
        self._gates = {bucket: Gate(limit, clock, share) for bucket, limit in limits.items()}

    def __getitem__(self, bucket: Bucket) -> Gate:
        return self._gates[bucket]


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


class Throttled(Exception):  # noqa: N818 - it says what happened, and never reaches a person
    """An attempt that may be repeated. `after`: seconds the service asked for, None where it named none;
    `final`: what to raise when no attempt is left."""

    def __init__(self, final: Exception, *, after: float | None = None, closes_gate: bool = False) -> None:
        super().__init__(str(final))
        self.final = final
        self.after = after
        self.closes_gate = closes_gate


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one request may be repeated. `longest` bounds one wait, `total` all waits of a request (seconds)."""

    attempts: int = 6
    first: float = 1.0
    longest: float = 300.0
    total: float = 900.0


async def retrying(
    attempt: Callable[[], Awaitable[T]], gate: Gate, clock: Clock, *, cost: float = 1.0, patience: Patience = Patience()
) -> T:
    """Runs `attempt` behind the gate until it gives a result; Throttled is repeated, every other error passes.

    A Retry-After is honoured to the second and never cut short: where the service asks for more than patience has,
    the attempt ends with its own error. Without one the wait doubles from `first`."""
    waited = 0.0
    for number in range(patience.attempts):
        await gate.pass_(cost)
        try:
            return await attempt()
        except Throttled as throttled:
            wait = throttled.after if throttled.after is not None else patience.first * 2**number
            last = number + 1 == patience.attempts
            if last or wait > patience.longest or waited + wait > patience.total:
                raise throttled.final from None
            waited += wait
            if throttled.closes_gate:
                gate.close(wait)
            else:
                await clock.sleep(wait)
    raise AssertionError("patience allows at least one attempt")


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds of a Retry-After header: an integer, a fraction (both are seen), or an HTTP date against the service's
    own Date header, else `now`. None where there is none or it cannot be read."""
    text = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        until = http_date(text)
        if until is None:
            return None
        return max(0.0, (until - (service_time(headers) or now)).total_seconds())
    return seconds if 0 <= seconds < float("inf") else None


def service_time(headers: Mapping[str, str]) -> datetime | None:
    """The service's clock: its Date header."""
    return http_date(next((value for name, value in headers.items() if name.lower() == "date"), ""))


def http_date(text: str) -> datetime | None:
    """An HTTP date as aware UTC, None where it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
