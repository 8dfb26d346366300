"""When the next request may be sent: within a service's documented limits, and not before the time that it named."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from auditor.clock import BlockingClock


@dataclass(frozen=True, slots=True)
class Window:
    """At most `count` requests that make something within any `seconds`."""

    count: int
    seconds: float


class Pace:
    def __init__(self, windows: Sequence[Window], clock: BlockingClock) -> None:
        self._clock = clock
        self._made = [(window, deque[float](maxlen=window.count)) for window in windows]
        self._closed_until = clock.monotonic()

    def close(self, seconds: float) -> None:
        """Nothing is sent for that long: the service asked for it."""
        self._closed_until = max(self._closed_until, self._clock.monotonic() + seconds)

    def wait(self, *, makes: bool) -> float:
        """Seconds until the next request may be sent."""
        full = [made[0] + window.seconds for window, made in self._made if makes and len(made) == window.count]
        return max(0.0, max((self._closed_until, *full)) - self._clock.monotonic())

    def sent(self, *, makes: bool) -> None:
        for _, made in self._made if makes else ():
            made.append(self._clock.monotonic())
