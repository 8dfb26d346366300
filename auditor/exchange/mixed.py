"""Several ways of reading Exchange Online behind one: each dataset comes from the first that holds it well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from auditor.catalogue import Dataset
from auditor.exchange.base import ExchangeRead, ExchangeSource, Keep, moment

_WORTH = {"complete": 0, "cut": 1, "denied": 2, "failed": 2, "not-asked": 3}


@dataclass(frozen=True, slots=True)
class _Attempt:
    read: ExchangeRead
    records: list[bytes]
    stale: bool

    @property
    def worth(self) -> tuple[int, bool, bool]:
        """The smaller, the more it decides."""
        return _WORTH[self.read.state], self.stale, self.read.coarse


class _Held:
    """A dataset's records in memory."""

    start = ""

    def __init__(self) -> None:
        self.records: list[bytes] = []

    async def __call__(self, records: Sequence[bytes], link: str = "") -> None:  # noqa: ARG002
        self.records.extend(records)


@dataclass(frozen=True, slots=True)
class MixedSource:
    """Asks `sources` in their order and takes a dataset from the first that gives it whole, in full detail and no older
    than `max_age_days`; where none does, from the one that gives most, whose state and reason then say what is missing.

    The records of one dataset are held in memory until it is known which source they are taken from. `now` gives the
    service's clock."""

    sources: Sequence[ExchangeSource]
    now: Callable[[], datetime]
    max_age_days: int

    @property
    def label(self) -> str:
        return ", then ".join(source.label for source in self.sources)

    def notes(self) -> Sequence[str]:
        return tuple(note for source in self.sources for note in source.notes())

    async def read(self, dataset: Dataset, identities: Sequence[str], keep: Keep) -> ExchangeRead:
        """See `ExchangeSource.read`."""
        attempts: list[_Attempt] = []
        for source in self.sources:
            held = _Held()
            read = await source.read(dataset, identities, held)
            attempts.append(_Attempt(read, held.records, self._stale(read)))
            if attempts[-1].worth == (0, False, False):
                break
        best = min(attempts, key=lambda attempt: attempt.worth)
        await keep(best.records)
        requests = sum(attempt.read.requests for attempt in attempts)
        if best.read.state == "complete":
            return replace(best.read, requests=requests)
        reasons = dict.fromkeys(attempt.read.reason for attempt in attempts if attempt.read.reason)
        return replace(best.read, requests=requests, reason=" ".join(reasons))

    def _stale(self, read: ExchangeRead) -> bool:
        """Older than what may decide; without a time it counts as read now (contract)."""
        taken = moment(read.as_of)
        return taken is not None and self.now() - taken > timedelta(days=self.max_age_days)
