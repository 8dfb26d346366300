"""Rows as compact JSON for a browser: one column after another, each word once, rows as short codes.

A column is `{"words": […], "codes": "…"}` or `{"text": […]}`. `codes` holds one number per row in base 64 with the
digits of `ALPHABET`, the highest first, as many digits as the number of words needs. Sorting by code is sorting by
word: words stand in the order they were given, those met later in alphabetical order after them.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditor.report.html.visible import visible

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_DIGITS = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)
_NARROW = 0xFFFF
"""The highest code of two bytes."""

_SLICE = 10_000
"""Rows that are made into text at a time, to keep memory bounded."""


def dumps(value: Any) -> str:
    """JSON that may stand inside a `<script>` element: no `<` in it. Texts are expected to be `visible` already."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def base64_codes(codes: NDArray[np.integer[Any]], words: int) -> Iterator[str]:
    """The codes of all rows as text, in slices. `words`: how many words there are."""
    width = digits(words)
    powers = 64 ** np.arange(width - 1, -1, -1, dtype=np.int64)
    for start in range(0, len(codes), _SLICE):
        part = codes[start : start + _SLICE].astype(np.int64)
        yield _DIGITS[part[:, None] // powers % 64].tobytes().decode("ascii")


def digits(words: int) -> int:
    """How many digits a code needs where there are so many words."""
    width = 1
    while 64**width < words:
        width += 1
    return width


def text_column(values: Iterable[str]) -> Iterator[str]:
    """A column of texts that mostly differ from row to row."""
    yield '{"text":['
    rest, separator = iter(values), ""
    while part := list(islice(rest, _SLICE)):
        yield separator + dumps([visible(value) for value in part])[1:-1]
        separator = ","
    yield "]}"


class CodedColumn:
    """A column of words, filled row by row in any order."""

    def __init__(self, size: int, words: Sequence[str] = ()) -> None:
        self._codes = array("H", bytes(2 * size))
        self._index = {word: code for code, word in enumerate(words)}
        self._given = len(words)

    def put(self, row: int, word: str) -> None:
        code = self._index.setdefault(word, len(self._index))
        if code > _NARROW and self._codes.typecode == "H":
            self._codes = array("I", self._codes)
        self._codes[row] = code

    def json(self) -> Iterator[str]:
        """The column, in slices of text."""
        words = list(self._index)
        met = sorted(words[self._given :])
        order = np.arange(len(words), dtype=np.uint32)
        order[[self._index[word] for word in met]] = np.arange(self._given, len(words), dtype=np.uint32)
        yield f'{{"words":{dumps([visible(word) for word in [*words[: self._given], *met]])},"codes":"'
        yield from base64_codes(order[np.frombuffer(self._codes, dtype=self._codes.typecode)], len(words))
        yield '"}'


class Interned:
    """A table of values that rows name by number, each value once, in the order they are met."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}

    def number(self, value: Any) -> int:
        """The value's number; `value` must be hashable."""
        return self._numbers.setdefault(value, len(self._numbers))

    def json(self) -> Iterator[str]:
        yield "["
        rest, separator = iter(self._numbers), ""
        while part := list(islice(rest, _SLICE)):
            yield separator + dumps(part)[1:-1]
            separator = ","
        yield "]"


def deltas(rows: Iterable[int]) -> list[int]:
    """Row numbers in rising order, each as the distance from the one before: short where there are many."""
    result, last = [], 0
    for row in sorted(rows):
        result.append(row - last)
        last = row
    return result
