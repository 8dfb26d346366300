"""What the parts of the collection share: the job, how a dataset ended, and reading back what is already on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from auditor.catalogue import Dataset
from auditor.clock import iso
from auditor.config import LoadedConfig, TenantConfig
from auditor.snapshot import SnapshotWriter
from auditor.tenant import DatasetStatus

if TYPE_CHECKING:
    from auditor.graph.reader import Reader, Reading
    from auditor.graph.session import GraphSession

T = TypeVar("T")
Keep = Callable[[Sequence[bytes]], None]


class Progress(Protocol):
    """Told what happens while a collection runs; the core knows no terminal."""

    def started(self, dataset: str) -> None: ...

    def page(self, dataset: str, records: int) -> None:
        """`records`: how many were kept so far."""

    def finished(self, dataset: str, status: DatasetStatus) -> None: ...


class Silent:
    """Progress that nobody watches."""

    def started(self, dataset: str) -> None:
        pass

    def page(self, dataset: str, records: int) -> None:
        pass

    def finished(self, dataset: str, status: DatasetStatus) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Outcome:
    """How reading one dataset ended; records and time are filled in by whoever wrote the file."""

    status: DatasetStatus
    notes: tuple[str, ...] = ()

    @classmethod
    def complete(cls, dataset: Dataset, source: str, notes: Sequence[str] = ()) -> Outcome:
        return cls(DatasetStatus(dataset.name, "complete", source=source), tuple(notes))

    @classmethod
    def cut(cls, dataset: Dataset, reason: str, source: str, notes: Sequence[str] = ()) -> Outcome:
        return cls(DatasetStatus(dataset.name, "cut", reason=reason, source=source), tuple(notes))

    @classmethod
    def not_asked(cls, dataset: Dataset, reason: str) -> Outcome:
        return cls(DatasetStatus(dataset.name, "not-asked", reason=reason))


def ended(dataset: Dataset, reading: Reading, source: str) -> Outcome:
    """The outcome of one read."""
    from auditor.graph.refusal import status_of

    if reading.error is None:
        return Outcome.complete(dataset, source, reading.notes)
    return Outcome(status_of(dataset, reading.error, reading.records, source), tuple(reading.notes))


@dataclass
class Job:
    """One tenant's collection while it runs."""

    config: LoadedConfig
    tenant: TenantConfig
    session: GraphSession
    reader: Reader
    writer: SnapshotWriter
    cross_check: int = 0
    """how many accounts to ask Microsoft's What If action about"""

    def status(self, dataset: str) -> DatasetStatus:
        """How a dataset that this one builds on has ended; not-asked before its turn."""
        entry = self.writer.entries.get(dataset)
        return entry.status if entry else DatasetStatus(dataset, "not-asked")

    def incomplete(self, *datasets: str) -> list[str]:
        """Those that were asked for and are not whole."""
        return [name for name in datasets if self.status(name).asked and not self.status(name).complete]

    def records(self, dataset: str, shape: type[T], odd: list[str] | None = None) -> Iterator[T]:
        """A dataset's records as read back from disk, in a small shape. One that is not of that shape is left out and
        the dataset named in `odd`; whoever judges the record names it in a finding."""
        path = self.writer.folder / f"{dataset}.jsonl"
        if not path.is_file():
            return
        decode = msgspec.json.Decoder(shape).decode
        with path.open("rb") as stream:
            for line in stream:
                try:
                    yield decode(line)
                except msgspec.ValidationError:
                    if odd is not None:
                        odd.append(dataset)

    def since(self, days: int) -> str:
        """The start of a window that ends when this collection started, by the service's clock."""
        return iso(datetime.fromisoformat(self.writer.started) - timedelta(days=days))

    def filled(self, dataset: Dataset, days: int) -> str:
        return dataset.filter.replace("{since}", self.since(days))


def shaped(record: bytes, shape: type[T]) -> T:
    """A record that just arrived, in a small shape. Raises ReadError (malformed) where it is not of it."""
    from auditor.graph.refusal import ReadError

    try:
        return msgspec.json.decode(record, type=shape)
    except msgspec.DecodeError as error:
        raise ReadError("malformed", f"an object is not of the documented form ({error})") from None


def encode(record: Any) -> bytes:
    return msgspec.json.encode(record)


def with_source(outcome: Outcome, **changes: Any) -> Outcome:
    return Outcome(replace(outcome.status, **changes), outcome.notes)
