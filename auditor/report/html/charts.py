"""Bar charts as numbers: where each bar stands and how long it is. The template draws them as inline SVG.

Every bar carries its number as text, every chart a description with all of them, and the same numbers stand in a table
beside it: nothing is told by colour or length alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH = 440
"""Units of the drawing, about pixels on a desktop."""

_LABEL = 96
_NUMBER = 62
_ROOM = WIDTH - _LABEL - _NUMBER
_BAR, _GAP, _BETWEEN = 13, 2, 9
_LEGEND = 22
_LEAST = 2.0
"""A number above zero is always to be seen."""


@dataclass(frozen=True)
class Bar:
    """A piece of a bar: `series` counts from 0 and chooses colour and hatching."""

    series: int
    x: float
    y: float
    width: float
    height: float = _BAR


@dataclass(frozen=True)
class Text:
    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Chart:
    """`labels` are right-aligned names of the rows, `numbers` stand at the ends of the bars."""

    id: str
    title: str
    description: str
    height: float
    series: Sequence[str]
    bars: Sequence[Bar]
    labels: Sequence[Text]
    numbers: Sequence[Text]


def grouped(identity: str, title: str, series: Sequence[str], rows: Mapping[str, Sequence[int]]) -> Chart:
    """One bar per series and row, one below the other."""
    scale = _scale(max((number for numbers in rows.values() for number in numbers), default=0))
    bars, labels, numbers = [], [], []
    y = float(_LEGEND)
    for word, counts in rows.items():
        block = len(counts) * (_BAR + _GAP) - _GAP
        labels.append(Text(_LABEL - 8, y + block / 2, _shown(word)))
        for index, count in enumerate(counts):
            width = _length(count, scale)
            bars.append(Bar(index, _LABEL, y, width))
            numbers.append(Text(round(_LABEL + width + 5, 1), y + _BAR / 2, f"{count:,}"))
            y += _BAR + _GAP
        y += _BETWEEN
    return Chart(identity, title, _description(series, rows), y - _BETWEEN, series, bars, labels, numbers)


def stacked(identity: str, title: str, series: Sequence[str], rows: Mapping[str, Sequence[int]]) -> Chart:
    """One bar per row, made of its series; the number at its end is their sum."""
    scale = _scale(max((sum(counts) for counts in rows.values()), default=0))
    bars, labels, numbers = [], [], []
    y = float(_LEGEND)
    for word, counts in rows.items():
        height = _BAR + 5
        labels.append(Text(_LABEL - 8, y + height / 2, _shown(word)))
        x = float(_LABEL)
        for index, count in enumerate(counts):
            width = _length(count, scale)
            if width:
                bars.append(Bar(index, round(x, 1), y, width, height))
            x += width
        numbers.append(Text(round(x + 5, 1), y + height / 2, f"{sum(counts):,}"))
        y += height + _BETWEEN
    return Chart(identity, title, _description(series, rows), y - _BETWEEN, series, bars, labels, numbers)


def _scale(most: int) -> float:
    return _ROOM / most if most else 0.0


def _length(count: int, scale: float) -> float:
    return round(max(count * scale, _LEAST), 1) if count else 0.0


def _shown(word: str) -> str:
    return word.replace("_", " ")


def _description(series: Sequence[str], rows: Mapping[str, Sequence[int]]) -> str:
    """All numbers in one sentence."""
    told = [
        f"{_shown(word)}: " + ", ".join(f"{count:,} {name}" for name, count in zip(series, counts, strict=True))
        for word, counts in rows.items()
    ]
    return "; ".join(told) + "."
