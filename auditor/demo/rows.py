"""Objects made at the moment they are served, so that a tenant of a million accounts fits into a small memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")
V = TypeVar("V")
R = TypeVar("R")


class Rows(Sequence[R], Generic[T, R]):
    """What `make` makes of each thing, anew each time it is asked for. `lookup(key, by)` finds the thing behind a row
    without a walk through all."""

    def __init__(
        self, things: Sequence[T], make: Callable[[T], R], lookup: Callable[[str, str], T | None] | None = None
    ) -> None:
        self._things = things
        self._make = make
        self._lookup = lookup

    def __len__(self) -> int:
        return len(self._things)

    @overload
    def __getitem__(self, place: int) -> R: ...
    @overload
    def __getitem__(self, place: slice) -> list[R]: ...
    def __getitem__(self, place: int | slice) -> R | list[R]:
        if isinstance(place, slice):
            return [self._make(thing) for thing in self._things[place]]
        return self._make(self._things[place])

    def __iter__(self) -> Iterator[R]:
        return map(self._make, self._things)

    def find(self, key: str, by: str) -> R | None:
        """The row whose property `by` is `key`, without letter case."""
        if self._lookup is not None:
            thing = self._lookup(key, by)
            return None if thing is None else self._make(thing)
        found = (row for row in self if isinstance(row, Mapping) and str(row.get(by)).lower() == key.lower())
        return next(found, None)

    def has(self, key: str) -> bool:
        """Is there a row with this id?"""
        return self.find(key, "id") is not None if self._lookup is None else self._lookup(key, "id") is not None


class Looked(Mapping[str, V]):
    """A value per key, looked up when asked for. `things` are walked only to list them all."""

    def __init__(self, things: Sequence[T], key: Callable[[T], str], lookup: Callable[[str], T | None],
                 value: Callable[[T], V]) -> None:  # fmt: skip
        self._keys: Sequence[str] = Rows(things, key)
        self._find: Callable[[str], Any] = lookup
        self._value: Callable[[Any], V] = value

    def __getitem__(self, key: str) -> V:
        thing = self._find(key)
        if thing is None:
            raise KeyError(key)
        return self._value(thing)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)
