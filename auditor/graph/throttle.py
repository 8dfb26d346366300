"""One retry loop for every request, and what the service says about waiting.

https://learn.microsoft.com/graph/throttling
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

from auditor.graph.gates import Gate

T = TypeVar("T")


class Throttled(Exception):  # noqa: N818 - it says what happened, and never reaches a person
    """An attempt that may be repeated. `after`: seconds the service asked for, None where it named none;
    `final`: what to raise when no attempt is left. `refused`: the limit is reached (429), which is no failure."""

    def __init__(self, final: Exception, *, after: float | None = None, refused: bool = False) -> None:
        super().__init__(str(final))
        self.final = final
        self.after = after
        self.refused = refused


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one request may be repeated. `attempts`: how many may fail; a 429 is none, it is only bounded by
    `refusals` and the waits. `longest` bounds one wait, `total` all waits of a request (seconds)."""

    attempts: int = 6
    refusals: int = 20
    first: float = 1.0
    longest: float = 300.0
    total: float = 900.0


async def retrying(
    attempt: Callable[[], Awaitable[T]], gate: Gate, *, cost: float = 1.0, patience: Patience = Patience()
) -> T:
    """Runs `attempt` behind the gate until it gives a result; Throttled is repeated, every other error passes.

    A Retry-After is honoured to the second and never cut short: where the service asks for more than patience has,
    the attempt ends with its own error. Without one the wait doubles from `first`. A 429 closes the gate for all who
    stand before it."""
    failures = refusals = 0
    waited = 0.0
    while True:
        try:
            async with gate.passing(cost):
                return await attempt()
        except Throttled as throttled:
            tried = refusals if throttled.refused else failures
            wait = throttled.after if throttled.after is not None else patience.first * 2 ** min(tried, 8)
            refusals += throttled.refused
            failures += not throttled.refused
            spent = failures >= patience.attempts or refusals >= patience.refusals
            if spent or wait > patience.longest or waited + wait > patience.total:
                raise throttled.final from None
            waited += wait
            again = throttled
        if again.refused:
            gate.refused()
            gate.close(wait)
        else:
            await gate.clock.sleep(wait)


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
