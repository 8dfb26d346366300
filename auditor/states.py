"""States, the columns they stand in, and how they join.

A judgement is three-valued at heart (blocks, clear, unknown) with two refinements: `conditional` (it depends on
place, risk or time) and `not_applicable`. Codes rise with strength, so that joining is `max`:
any `blocks` → blocked; else any `unknown` → unknown; else any `conditional` → conditional; else any `clear` → open.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


class State(IntEnum):
    """What a blocker is for one account; the number is its strength in a join."""

    NOT_APPLICABLE = 0
    CLEAR = 1
    CONDITIONAL = 2
    UNKNOWN = 3
    BLOCKS = 4

    @property
    def word(self) -> str:
        return self.name.lower()


VERDICT_WORDS = ("not_applicable", "open", "conditional", "unknown", "blocked")
"""The word of a verdict, indexed by the code of the strongest state."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a blocker has its state: `text` is one plain sentence; `facts` are (property, value) pairs as read, one
    fact each; `datasets` names what the state rests on (for `unknown`: what was not read); `reply` is the id of the
    documented SMTP reply in `replies.py` that this state makes likely, empty if none is documented."""

    state: State
    text: str
    facts: tuple[tuple[str, str], ...] = ()
    datasets: tuple[str, ...] = ()
    reply: str = ""


@dataclass(frozen=True)
class Column:
    """One small code per case and a table of reasons; texts are looked up only when something is written."""

    codes: NDArray[np.int32]
    reasons: tuple[Reason, ...]

    @cached_property
    def states(self) -> NDArray[np.uint8]:
        """The state code of each case (`State` values), shape (cases,)."""
        table = np.array([reason.state for reason in self.reasons], dtype=np.uint8)
        return table[self.codes]

    def reason(self, row: int) -> Reason:
        return self.reasons[int(self.codes[row])]

    @classmethod
    def constant(cls, size: int, reason: Reason) -> Column:
        return cls(np.zeros(size, dtype=np.int32), (reason,))

    @classmethod
    def select(cls, size: int, choices: Sequence[tuple[Mask, Reason]], default: Reason) -> Column:
        """The first mask that holds gives the reason, else `default`."""
        codes = np.full(size, len(choices), dtype=np.int32)
        for code in range(len(choices) - 1, -1, -1):
            codes[choices[code][0]] = code
        return cls(codes, (*(reason for _, reason in choices), default))


def join(columns: Iterable[Column], size: int) -> NDArray[np.uint8]:
    """The strongest state over several columns, per case: index it into `VERDICT_WORDS`."""
    strongest = np.zeros(size, dtype=np.uint8)
    for column in columns:
        np.maximum(strongest, column.states, out=strongest)
    return strongest
