"""What a collection tells whoever watches: the core knows no terminal."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from auditor.clock import Clock
from auditor.graph.gates import Gate
from auditor.tenant import DatasetStatus


@dataclass
class Pace:
    """How a dataset gets on. `expected`: how many records it will have, None where nobody knows; `earlier`: how many
    an interrupted run had kept already. `gate`: of the service limit that it is read under, None where it has none."""

    clock: Clock
    expected: int | None = None
    earlier: int = 0
    gate: Gate | None = None
    records: int = field(init=False)
    _began: float = field(init=False)

    def __post_init__(self) -> None:
        self.records = self.earlier
        self._began = self.clock.monotonic()

    @property
    def seconds(self) -> float:
        return self.clock.monotonic() - self._began

    @property
    def rate(self) -> float:
        """Records a second of this run, waiting for the service included; 0 before the first page."""
        return (self.records - self.earlier) / self.seconds if self.seconds > 0 else 0.0

    @property
    def quota(self) -> float | None:
        """How much of the service's limit is in use by us, 0 to 1."""
        return self.gate.used if self.gate else None

    @property
    def seconds_left(self) -> float | None:
        """By the rate until now; None where it cannot be known: nothing expected, or nothing seen yet."""
        if self.expected is None or not self.rate:
            return None
        return max(0, self.expected - self.records) / self.rate


class Progress(Protocol):
    """Told what happens while a collection runs; several datasets are read at once."""

    def started(self, dataset: str) -> None: ...

    def page(self, dataset: str, pace: Pace) -> None:
        """Records were kept."""

    def finished(self, dataset: str, status: DatasetStatus) -> None: ...


class Silent:
    """Progress that nobody watches."""

    def started(self, dataset: str) -> None:
        pass

    def page(self, dataset: str, pace: Pace) -> None:
        pass

    def finished(self, dataset: str, status: DatasetStatus) -> None:
        pass
