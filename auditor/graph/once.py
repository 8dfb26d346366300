"""Which records came before: eight bytes each, so that a million accounts fit beside everything else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

import msgspec
import numpy as np
from numpy.typing import NDArray

Kept = Callable[[], Iterable[bytes]]
"""reads back what was kept so far"""

_LEADING = b'{"id":"'
_PAGE = 1000


class _Id(msgspec.Struct):
    id: str | None = None


def identity(record: bytes) -> bytes | None:
    """A Graph object's id; None where it has none."""
    if record.startswith(_LEADING):
        found = record[len(_LEADING) : record.index(b'"', len(_LEADING))]
        if found and b"\\" not in found:
            return found
    try:
        decoded = msgspec.json.decode(record, type=_Id).id
    except msgspec.DecodeError:
        return None
    return decoded.encode() if decoded else None


def whole_line(record: bytes) -> bytes:
    """The identity of a record that is nothing but its values."""
    return record


class Once:
    """Drops a record that is byte for byte one that came before under the same id, and says so. One that differs is
    kept: it is evidence that the object changed while we read.

    Only a fingerprint of each id is remembered; where one comes again, what is on disk decides."""

    def __init__(self, kept: Kept, identity: Callable[[bytes], bytes | None] = identity) -> None:
        self._kept = kept
        self._identity = identity
        self._ids = Fingerprints()
        self._repeated = 0
        self._changed = 0
        lines = iter(kept())
        while before := list(islice(lines, _PAGE)):
            self._known(before)

    def new(self, records: Sequence[bytes]) -> list[bytes]:
        """Those to keep; the caller keeps them before it asks again."""
        known = self._known(records)
        again = {self._identity(record) for record, came in zip(records, known, strict=True) if came} - {None}
        if not again:
            return list(records)
        earlier = {record for record in self._kept() if self._identity(record) in again}
        ids = {self._identity(record) for record in earlier}
        fresh = []
        for record in records:
            name = self._identity(record)
            if record in earlier:
                self._repeated += 1
                continue
            self._changed += name in ids
            if name in again:
                earlier.add(record)
                ids.add(name)
            fresh.append(record)
        return fresh

    def notes(self) -> list[str]:
        notes = []
        if self._repeated:
            notes.append(f"{self._repeated} records came twice and are kept once")
        if self._changed:
            notes.append(
                f"{self._changed} objects came again with other values (changed while being read); all are kept"
            )
        return notes

    def _known(self, records: Sequence[bytes]) -> NDArray[np.bool_]:
        names = map(self._identity, records)
        return self._ids.add(np.fromiter(map(hash, names), dtype=np.int64, count=len(records)))


class Fingerprints:
    """A set of 64-bit numbers at eight bytes each: sorted runs, every one at least twice as long as the next."""

    def __init__(self) -> None:
        self._runs: list[NDArray[np.int64]] = []

    def add(self, prints: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Adds them, and says of each whether it was there before, earlier ones of the same call included."""
        fresh, first = np.unique(prints, return_index=True)
        there = np.zeros(len(fresh), dtype=bool)
        for run in self._runs:
            place = np.searchsorted(run, fresh)
            there |= run[np.minimum(place, len(run) - 1)] == fresh
        if not there.all():
            self._runs.append(fresh[~there])
        while len(self._runs) > 1 and len(self._runs[-2]) < 2 * len(self._runs[-1]):
            last = self._runs.pop()
            self._runs[-1] = np.sort(np.concatenate((self._runs[-1], last)), kind="stable")
        known = np.ones(len(prints), dtype=bool)
        known[first] = there
        return known
