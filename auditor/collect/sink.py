"""Where a reader puts the records of one dataset: onto disk, each once, with a place to go on from after every page."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from auditor.collect.progress import Pace, Progress
from auditor.collect.writer import DatasetFile, Place
from auditor.graph.once import Once
from auditor.graph.session import Tally


class Sink:
    """`place`: where an earlier run stopped; its default where the dataset is read from the start."""

    def __init__(self, dataset: str, file: DatasetFile, tally: Tally, pace: Pace, progress: Progress) -> None:
        self._dataset = dataset
        self._file = file
        self._tally = tally
        self._pace = pace
        self._progress = progress
        self.place = file.checkpoint.place if file.checkpoint else Place()
        self._fresh = file.checkpoint is None
        self.once = Once(file.lines)

    @property
    def records(self) -> int:
        return self._file.records

    def lines(self) -> Iterator[bytes]:
        """What was kept until now."""
        return self._file.lines()

    def remaining(self, steps: Sequence[str]) -> Sequence[str]:
        """Of the steps of a dataset, in their order, those that an earlier run did not finish."""
        if self._fresh or self.place.step not in steps:
            return steps
        at = steps.index(self.place.step)
        return steps[at if self.place.link else at + 1 :]

    def start(self, step: str = "") -> str | None:
        """The nextLink to go on from in this step: empty where it is read from its start, None where it is done."""
        if self._fresh or self.place.step != step:
            return ""
        return self.place.link or None

    def keep(self, records: Sequence[bytes]) -> None:
        """Records in the order of the service, not safe before the next `save`."""
        self._file.keep(records)
        self._told()

    async def page(self, records: Sequence[bytes], place: Place) -> None:
        """Keeps those of a page's records that did not come before and makes them safe, while the next page is on its
        way. A resume goes on at `place`; with none to go on from, the dataset ends here, which makes all of it safe."""

        def written() -> None:
            self._file.keep(self.once.new(records))
            if place != Place():
                self._file.save(place, self._tally.requests, self._tally.inner_requests)

        await asyncio.to_thread(written)
        self._told()

    def restart(self) -> None:
        """The dataset is read from its start, as if nothing had been kept."""
        self._file.restart()
        self._fresh = True
        self.place = Place()
        self.once = Once(self._file.lines)

    def _told(self) -> None:
        self._pace.records = self._file.records
        self._progress.page(self._dataset, self._pace)
