"""What a table of the workbook is made of: columns, values, and links from one sheet to a row of another."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

MAX_ROWS = 1_048_576
"""Excel's limit, header included."""

MAX_NAME = 31

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Link:
    """A text or number that leads somewhere: `target` is `#'Sheet'!A1` inside the workbook, else an https address."""

    text: str | int
    target: str


@dataclass(frozen=True, slots=True)
class Styled:
    """A value in a style of its own, where the column's does not fit."""

    value: Plain
    style: str


Plain = str | int | float | bool | date | datetime | Link | None
Value = Plain | Styled
Rows = Iterator[Sequence[Value]]


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a sheet. `width` in characters; `style` names a style of `Book`; `full` is the file that holds the
    whole text where a cell has to be cut; `words` colours the column's cells by their word (a key of
    `palettes.PALETTES`);
    `choices` is what a drop-down offers; `date` accepts dates only."""

    header: str
    width: float = 14
    style: str = "cell"
    full: str = ""
    words: str = ""
    choices: tuple[str, ...] = ()
    date: bool = False


def sheet_title(title: str, number: int = 1) -> str:
    """A title that Excel accepts: at most 31 characters, none of `:\\/?*[]`; the second part of a sheet is `… (2)`."""
    cleaned = "".join("-" if character in ":\\/?*[]" else character for character in title).strip("'") or "Sheet"
    suffix = f" ({number})" if number > 1 else ""
    return cleaned[: MAX_NAME - len(suffix)] + suffix


def row_targets(title: str, sizes: Iterable[tuple[Key, int]], max_rows: int) -> dict[Key, str]:
    """Key → link to the first of its rows in a table, also where the sheet goes on in a second one. `sizes`: each key
    of the table in its order, with the number of its rows."""
    targets: dict[Key, str] = {}
    before = 0
    for key, size in sizes:
        number, offset = divmod(before, max_rows - 1)
        if size:
            targets[key] = f"#'{sheet_title(title, number + 1)}'!A{offset + 2}"
        before += size
    return targets
