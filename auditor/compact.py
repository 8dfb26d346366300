"""Sequences that hold a value per account in little memory: a tenant may have a million of them.

`Coded` keeps each distinct value once, `Texts` and `TextLists` the characters of many texts in one. They grow by
`extend`, some hundred values at a time, while a tenant is loaded and are only read afterwards.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import accumulate, chain, islice, pairwise
from typing import Any, TypeVar, cast, overload

import numpy as np
from numpy.typing import NDArray

Value = TypeVar("Value", bound=Hashable)
Other = TypeVar("Other", bound=Hashable)


class Numbered(dict[Value, int]):
    """The number of each distinct value, given when it is first asked for; `table` holds the values by number."""

    def __init__(self) -> None:
        self.table: list[Value] = []

    def __missing__(self, value: Value) -> int:
        number = self[value] = len(self.table)
        self.table.append(value)
        return number


class Coded(Sequence[Value]):
    """A column whose values repeat: `table` holds the distinct ones, `codes` the place of each entry's value in it."""

    __slots__ = ("_codes", "_known", "table")

    def __init__(self, values: Iterable[Value] = ()) -> None:
        self._known = Numbered[Value]()
        self.table = self._known.table
        self._codes: array[int] = array("H")
        self.extend(values)

    @classmethod
    def of(cls, known: Numbered[Value], codes: NDArray[Any]) -> Coded[Value]:
        """The column of values that are numbered already."""
        found = cls()
        found._known, found.table = known, known.table
        typecode = "H" if len(known) <= 2**16 else "I"
        found._codes = array(typecode, codes.astype(typecode).tobytes())
        return found

    def extend(self, values: Iterable[Value]) -> None:
        codes = list(map(self._known.__getitem__, values))
        if len(self.table) > 2**16 and self._codes.typecode == "H":
            self._codes = array("I", self._codes)
        self._codes.extend(codes)

    @property
    def codes(self) -> NDArray[Any]:
        """Per entry the position of its value in `table`; a view, so that nothing can be appended any more."""
        return np.frombuffer(self._codes, dtype=self._codes.typecode) if self._codes else np.zeros(0, dtype=np.uint16)

    def where(self, wanted: Callable[[Value], object]) -> NDArray[np.bool_]:
        """Which entries hold a value that `wanted` takes; it is asked once per distinct value."""
        chosen = np.fromiter(map(bool, map(wanted, self.table)), dtype=np.bool_)
        found: NDArray[np.bool_] = chosen[self.codes]
        return found

    def mapped(self, told: Callable[[Value], Other]) -> Coded[Other]:
        """The column of what `told` says of each value; it is asked once per distinct value."""
        known = Numbered[Other]()
        numbers = np.fromiter(map(known.__getitem__, map(told, self.table)), dtype=np.uint32)
        return Coded.of(known, numbers[self.codes])

    def numbers(self, told: Callable[[Value], int]) -> NDArray[np.int8]:
        """The same of small numbers."""
        numbers = np.fromiter(map(told, self.table), dtype=np.int8)
        found: NDArray[np.int8] = numbers[self.codes]
        return found

    def at(self, rows: Any) -> Coded[Value]:
        """The column of the entries at these places."""
        return Coded.of(self._known, self.codes[rows])

    def copy(self) -> list[Value]:
        """A list of the values, to be changed."""
        return list(self)

    def __len__(self) -> int:
        return len(self._codes)

    @overload
    def __getitem__(self, index: int) -> Value: ...
    @overload
    def __getitem__(self, index: slice) -> list[Value]: ...
    def __getitem__(self, index: int | slice) -> Value | list[Value]:
        if isinstance(index, slice):
            return [self.table[code] for code in self._codes[index]]
        return self.table[self._codes[index]]

    def __iter__(self) -> Iterator[Value]:
        return map(self.table.__getitem__, self._codes)

    def __eq__(self, other: object) -> bool:
        return _same(self, other)

    __hash__ = None  # type: ignore[assignment]


class Texts(Sequence[str]):
    """A column of texts that are mostly different: each `_PART` of them are one long text and the place where each
    ends in it; the last ones wait for theirs as they are."""

    __slots__ = ("_ends", "_last", "_parts")

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._parts: list[str] = []
        self._ends: array[int] = array("I")
        self._last: list[str] = []
        self.extend(values)

    def extend(self, texts: Iterable[str]) -> None:
        """Raises ValueError where a text was read before."""
        if len(self._ends) % _PART:
            raise ValueError("the texts were read, so that nothing can be appended any more")
        self._last.extend(texts)
        while len(self._last) >= _PART:
            self._close(self._last[:_PART])
            del self._last[:_PART]

    def _close(self, part: list[str]) -> None:
        self._ends.extend(accumulate(map(len, part)))
        self._parts.append("".join(part))

    def _whole(self) -> list[str]:
        """All parts, the last one as well."""
        if self._last:
            self._close(self._last)
            self._last = []
        return self._parts

    def copy(self) -> list[str]:
        """A list of the texts, to be changed."""
        return list(self)

    def __len__(self) -> int:
        return len(self._ends) + len(self._last)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return list(map(self._at, range(*index.indices(len(self)))))
        return self._at(range(len(self))[index] if index < 0 else index)

    def _at(self, index: int) -> str:
        part, place = divmod(index, _PART)
        return self._whole()[part][self._ends[index - 1] if place else 0 : self._ends[index]]

    def lengths(self) -> NDArray[np.int64]:
        """How many characters each text has."""
        self._whole()
        ends = np.array(self._ends, dtype=np.int64)
        lengths = np.diff(ends, prepend=0)
        lengths[::_PART] = ends[::_PART]
        return lengths

    def take(self, rows: NDArray[Any]) -> list[str]:
        """The texts at these places."""
        parts = self._whole()
        ends = np.frombuffer(self._ends, dtype=self._ends.typecode) if parts else np.zeros(0, dtype=np.uint32)
        starts = np.where(rows % _PART, ends[rows - 1], 0)
        places = zip((rows // _PART).tolist(), starts.tolist(), ends[rows].tolist(), strict=True)
        return [parts[part][start:end] for part, start, end in places]

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(map(self._texts_of, range(len(self._whole()))))

    def _texts_of(self, number: int) -> list[str]:
        part, ends = self._parts[number], self._ends[number * _PART : (number + 1) * _PART].tolist()
        return [part[start:end] for start, end in pairwise([0, *ends])]

    def __eq__(self, other: object) -> bool:
        return _same(self, other)

    __hash__ = None  # type: ignore[assignment]


_PART = 1024
"""Texts that are kept as one: some ten thousand characters, of which one outside Latin makes all of them wider."""


class TextLists(Sequence[tuple[str, ...]]):
    """A column of short lists of texts."""

    __slots__ = ("_ends", "_texts")

    def __init__(self, values: Iterable[Sequence[str]] = ()) -> None:
        self._texts = Texts()
        self._ends: array[int] = array("Q")
        self.extend(values)

    def extend(self, lists: Iterable[Sequence[str]]) -> None:
        lists = list(lists)
        ends = accumulate(map(len, lists), initial=len(self._texts))
        self._ends.extend(islice(ends, 1, None))
        self._texts.extend(chain.from_iterable(lists))

    def copy(self) -> list[tuple[str, ...]]:
        """A list of the lists, to be changed."""
        return list(self)

    def counts(self) -> NDArray[np.int64]:
        """How many texts each entry holds."""
        ends = np.array(self._ends, dtype=np.int64)
        ends[1:] -= ends[:-1].copy()
        return ends

    @property
    def texts(self) -> Texts:
        """The texts of all entries."""
        return self._texts

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> tuple[str, ...]: ...
    @overload
    def __getitem__(self, index: slice) -> list[tuple[str, ...]]: ...
    def __getitem__(self, index: int | slice) -> tuple[str, ...] | list[tuple[str, ...]]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        place = range(len(self._ends))[index]
        return tuple(self._texts[self._ends[place - 1] if place else 0 : self._ends[place]])

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        texts = iter(self._texts)
        start = 0
        for end in self._ends:
            yield tuple(islice(texts, end - start))
            start = end

    def __eq__(self, other: object) -> bool:
        return _same(self, other)

    __hash__ = None  # type: ignore[assignment]


def coded(values: Sequence[Value]) -> Coded[Value]:
    """Any column as one of values that repeat."""
    return values if isinstance(values, Coded) else Coded(values)


def combined(*columns: Coded[Any]) -> Coded[tuple[Any, ...]]:
    """The columns' values together, for columns of few distinct ones: the product of their numbers is below 2**63."""
    codes = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        codes = codes * len(column.table) + column.codes
    _, first, place = np.unique(codes, return_index=True, return_inverse=True)
    return Coded(tuple(column[row] for column in columns) for row in first.tolist()).at(place)


def where(values: Sequence[Value], wanted: Callable[[Value], object]) -> NDArray[np.bool_]:
    """Which entries of any column hold a value that `wanted` takes."""
    if isinstance(values, Coded):
        return values.where(wanted)
    return np.fromiter(map(wanted, values), dtype=np.bool_, count=len(values))


def take(values: Sequence[Value], rows: NDArray[Any]) -> list[Value]:
    """The entries of any column at these places."""
    if isinstance(values, Coded):
        return of_codes(values.table, values.codes[rows])
    if isinstance(values, Texts):
        return cast(list[Value], values.take(rows))
    return list(map(values.__getitem__, rows.tolist()))


def of_codes(table: Sequence[Value], codes: NDArray[Any]) -> list[Value]:
    """The values of `table` at these places."""
    if len(table) > len(codes):
        return list(map(table.__getitem__, codes.tolist()))
    found: list[Value] = np.fromiter(table, dtype=np.object_, count=len(table))[codes].tolist()
    return found


def _same(mine: Sequence[Any], other: object) -> bool:
    if not isinstance(other, Sequence) or isinstance(other, str) or len(mine) != len(other):
        return False
    return all(one == two for one, two in zip(mine, other, strict=True))
