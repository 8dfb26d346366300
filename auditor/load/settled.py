"""A column that grows from rows which may name an account more than once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic

import numpy as np
from numpy.typing import NDArray

from auditor.compact import Coded, Numbered, Value

_NONE = -1


class Settled(Generic[Value]):
    """One value per account. Where two rows disagree `contradiction` stays, or the first value where none is given, so
    that with a contradiction the order of rows never matters."""

    def __init__(self, accounts: int, contradiction: Value | None = None) -> None:
        self._numbers = Numbered[Value]()
        self._codes = np.full(accounts, _NONE, dtype=np.int32)
        self._contradiction = None if contradiction is None else self._numbers[contradiction]

    def settle(self, rows: Iterable[int], values: Iterable[Value]) -> list[int]:
        """Takes a value for each row of Accounts (a negative one is nobody's); the rows whose values disagree."""
        places = np.fromiter(rows, dtype=np.int32)
        codes = np.fromiter(map(self._numbers.__getitem__, values), dtype=np.int32)
        mine = places >= 0
        if not mine.all():
            places, codes = places[mine], codes[mine]
        fresh = self._codes[places] == _NONE
        # backwards, so that of several values for one account the first stays
        self._codes[places[fresh][::-1]] = codes[fresh][::-1]
        differing = places[self._codes[places] != codes]
        if self._contradiction is not None:
            self._codes[differing] = self._contradiction
        found: list[int] = differing.tolist()
        return found

    def replace(self, row: int, value: Value) -> None:
        """What is known better."""
        self._codes[row] = self._numbers[value]

    def seen(self) -> NDArray[np.bool_]:
        """Which accounts have a value."""
        found: NDArray[np.bool_] = self._codes != _NONE
        return found

    def column(self, otherwise: Value) -> Coded[Value]:
        """The values; `otherwise` for an account without any."""
        number = self._numbers[otherwise]
        return Coded.of(self._numbers, np.where(self.seen(), self._codes, number))
