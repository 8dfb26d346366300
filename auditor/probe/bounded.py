"""Nothing waits longer than it may: work in a thread of its own that is left behind when its time is up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from auditor.clock import Clock

T = TypeVar("T")


class Late(Exception):  # noqa: N818 - it says when, not what
    """The work was not done in time; `seconds` is what it was given."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"not done within {seconds:g} s")
        self.seconds = seconds


class Budget:
    """The seconds that a whole probe may take, of which each phase takes at most its own share."""

    def __init__(self, clock: Clock, total: float, phase: float) -> None:
        self._clock = clock
        self._phase = phase
        self._end = clock.monotonic() + total

    def seconds(self, share: float | None = None) -> float:
        """What the next phase may take; never less than a moment, so that a used-up budget ends in `Late`."""
        return max(0.001, min(share or self._phase, self._end - self._clock.monotonic()))


def bounded(seconds: float, work: Callable[[], T], give_up: Callable[[], None] | None = None) -> T:
    """The result of `work`, or what it raised. Raises Late after `seconds`, or where the work timed out by itself.

    The work cannot be stopped from outside, so `give_up` takes away what it waits for (its socket) when nobody waits
    for it any more. Its thread never keeps the program from ending."""
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # carried over to the caller, who sees it as if it were its own
            outcome.set_exception(error)

    threading.Thread(target=run, name="probe", daemon=True).start()
    try:
        return outcome.result(seconds)
    except TimeoutError:
        raise Late(seconds) from None
    finally:
        if not outcome.done() and give_up is not None:
            give_up()
