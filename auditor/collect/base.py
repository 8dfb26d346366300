"""What the parts of the collection share: the job, how a dataset ended, and reading back what is already on disk."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from auditor.catalogue import Dataset
from auditor.clock import iso
from auditor.collect.sink import Sink
from auditor.collect.writer import Place, SnapshotWriter
from auditor.config import LoadedConfig, Sender, TenantConfig
from auditor.snapshot import lines_of
from auditor.tenant import DatasetStatus

if TYPE_CHECKING:
    from kiota_abstractions.request_information import RequestInformation

    from auditor.graph.reader import Page, Reader
    from auditor.graph.refusal import ReadError
    from auditor.graph.session import GraphSession
    from auditor.graph.throttle import Patience

T = TypeVar("T")
Keep = Callable[[Sequence[bytes]], None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How reading one dataset ended; records and time are filled in by whoever wrote the file. `error`: what Graph
    ended it with."""

    status: DatasetStatus
    notes: tuple[str, ...] = ()
    error: ReadError | None = None

    @classmethod
    def complete(cls, dataset: Dataset, source: str, notes: Sequence[str] = ()) -> Outcome:
        return cls(DatasetStatus(dataset.name, "complete", source=source), tuple(notes))

    @classmethod
    def cut(cls, dataset: Dataset, reason: str, source: str, notes: Sequence[str] = ()) -> Outcome:
        return cls(DatasetStatus(dataset.name, "cut", reason=reason, source=source), tuple(notes))

    @classmethod
    def not_asked(cls, dataset: Dataset, reason: str) -> Outcome:
        return cls(DatasetStatus(dataset.name, "not-asked", reason=reason))


def ended(dataset: Dataset, sink: Sink, error: ReadError | None, source: str, notes: Sequence[str] = ()) -> Outcome:
    """The outcome of reading a dataset: complete without an `error`."""
    from auditor.graph.refusal import status_of

    told = (*notes, *sink.once.notes())
    if error is None:
        return Outcome.complete(dataset, source, told)
    return Outcome(status_of(dataset, error, sink.records, source), told, error)


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
    others: Callable[[str], Awaitable[None]] = field(init=False)
    """waits until all datasets but the named one have ended (and but those that wait for everything)"""

    @property
    def senders(self) -> tuple[Sender, ...]:
        """The declared senders that may be this tenant's: all but those that name another."""
        names = ("", self.tenant.name.lower())
        return tuple(sender for sender in self.config.config.senders if sender.tenant.lower() in names)

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
        decode = msgspec.json.Decoder(shape).decode
        for line in lines_of(self.writer.folder, dataset):
            try:
                yield decode(line)
            except msgspec.ValidationError:
                if odd is not None:
                    odd.append(dataset)

    async def read(
        self,
        dataset: Dataset,
        info: RequestInformation,
        sink: Sink,
        *,
        step: str = "",
        memo: dict[str, Any] | None = None,
        reshape: Callable[[list[bytes]], list[bytes]] | None = None,
        patience: Patience | None = None,
    ) -> ReadError | None:
        """One collection into the sink, from where an earlier run stopped in this `step`. `reshape` turns a page's
        records into what is kept of them. Returns why it ended early, None where it is whole."""
        start = sink.start(step)
        if start is None:
            return None

        async def keep(page: Page) -> None:
            records = reshape(page.records) if reshape else page.records
            more = page.link or step  # the last page of a dataset's only step needs no place to go on from
            await sink.page(records, Place(step, page.link, memo or {}) if more else Place())

        return await self.reader.collection(
            info, dataset.bucket, keep, start=start, cost=cost_of(dataset), patience=patience
        )

    def since(self, days: int) -> str:
        """The start of a window that ends when this collection started, by the service's clock."""
        return iso(datetime.fromisoformat(self.writer.started) - timedelta(days=days))

    def filled(self, dataset: Dataset, days: int) -> str:
        return dataset.filter.replace("{since}", self.since(days))


def cost_of(dataset: Dataset) -> float:
    """Of one page, in the units of its service's limit."""
    from auditor.graph.gates import resource_units

    if dataset.bucket != "directory":
        return 1
    return resource_units(dataset.path, selects=bool(dataset.select), top=dataset.page_size)


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
    return replace(outcome, status=replace(outcome.status, **changes))
