"""An earlier run's workbook, as analysts left it: read by the names of its headers, never by position.

Rows may be sorted, filtered or deleted, columns moved, added or deleted, and the file saved by another program
(LibreOffice, Excel Online, Google Sheets, openpyxl, pandas). What cannot be understood becomes a remark; a file that
cannot be read is an error.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile

from auditor.errors import UsageError
from auditor.triage import COLUMNS, Cell, Remark, text

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")

SHEET = "Findings"

PLAIN = (
    "id", "severity", "outcome", "title", "object_name", "object_type", "accounts", "evidence", "remedy", "remedy_risk",
    "waiver", "change", "first_seen", "rule", "controls", "references", "object_id",
)  # fmt: skip
"""Headers of Findings that are the program's own."""

_IDS = ("id", "finding id")
_HEADER_ROWS = 30
"""How far down the header is looked for: people put a title above a table."""
_PROPERTIES = "docProps/custom.xml"
_PROPERTIES_LIMIT = 1 << 20
_NO_PROPERTIES = (BadZipFile, zlib.error, KeyError, ET.ParseError, EOFError, OSError, ValueError, RuntimeError)
"""What reading one part of a damaged or foreign zip may raise (NotImplementedError is a RuntimeError)."""
_CUT = re.compile(r"… \(cut; [^()]*\)\Z")
_FACT = re.compile(r"(?P<name>[^:\n]{1,80}): (?P<value>.*?)(?: \[(?P<dataset>[^\[\]]+)\])?", re.DOTALL)

_AGAIN = "Open it in a spreadsheet program and save it again as .xlsx, or name the run without it."


@dataclass(frozen=True, slots=True)
class Row:
    """One finding's row. `triage`: field of Triage → cell, without those whose column is missing; `plain`: header →
    text; `where`: sheet and row, for messages."""

    id: str
    triage: Mapping[str, Cell]
    plain: Mapping[str, str]
    where: str


@dataclass(frozen=True, slots=True)
class Worked:
    """A workbook as it was read. `tenant_id` and `run` (`20261123T160000Z`) are empty where its properties are lost."""

    rows: Sequence[Row]
    remarks: Sequence[Remark]
    tenant_id: str
    run: str


def read_workbook(path: Path) -> Worked:
    """Raises UsageError for a file that cannot be read, or holds no sheet with findings."""
    with _opened(path) as book:
        tables, titles = _tables(path, book)
    if not tables:
        raise UsageError(
            f"{path}: no sheet has a column `id` beside one of {', '.join(COLUMNS.values())} (sheets: {titles}).",
            remedy=f"Name a workbook of this program; its sheet {SHEET} must keep the header `id`.",
        )
    properties = _properties(path)
    return Worked(
        [row for table in tables for row in table.rows()],
        [remark for table in tables for remark in table.remarks()],
        properties.get("tenant", ""),
        properties.get("run", ""),
    )


def _tables(path: Path, book: CalamineWorkbook) -> tuple[list[_Table], str]:
    """The sheets with findings, and the titles of all. Where Findings kept its name, the others, which may be large,
    are not read."""
    from python_calamine import SheetTypeEnum

    titles = [sheet.name for sheet in book.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    ours = [title for title in titles if title.casefold().startswith(SHEET.casefold())]
    tables: list[_Table] = []
    for title in [*ours, *(title for title in titles if title not in ours)]:
        if tables and title not in ours:
            break
        table = _Table.of(title, _grid(path, book, title))
        tables += [table] if table else []
    return tables, ", ".join(titles)


def evidence(shown: str) -> list[dict[str, str]] | None:
    """The facts of an evidence cell (`name: value [dataset]`, one a line); None where the cell was cut."""
    if _CUT.search(shown):
        return None
    facts: list[dict[str, str]] = []
    for line in shown.split("\n"):
        found = _FACT.fullmatch(line)
        if found:
            facts.append({"name": found["name"], "value": found["value"], "dataset": found["dataset"] or ""})
        elif facts:
            facts[-1]["value"] += f"\n{line}"
    return facts


class _Table:
    """A sheet's rows below a header that names an id and at least one column of triage."""

    def __init__(self, title: str, header: Sequence[str], first: int, grid: Sequence[Sequence[Cell]]) -> None:
        self.title = title
        self._first = first
        self._grid = grid
        self._place = {name: place for place, name in reversed(list(enumerate(header))) if name}
        self._triage = {field: self._place[name.casefold()] for field, name in COLUMNS.items()
                        if name.casefold() in self._place}  # fmt: skip
        self._id = next(self._place[name] for name in _IDS if name in self._place)
        self._header = header

    @classmethod
    def of(cls, title: str, grid: Sequence[Sequence[Cell]]) -> _Table | None:
        wanted = {name.casefold() for name in COLUMNS.values()}
        for number, row in enumerate(grid[:_HEADER_ROWS]):
            header = [" ".join(text(cell).split()).casefold() for cell in row]
            if wanted & set(header) and any(name in header for name in _IDS):
                return cls(title, header, number + 1, grid)
        return None

    def rows(self) -> Iterator[Row]:
        for number, row in enumerate(self._grid[self._first :], self._first + 1):
            identity = text(row[self._id]).strip()
            if identity:
                yield Row(
                    identity,
                    {field: row[place] for field, place in self._triage.items()},
                    {name: text(row[self._place[name]]) for name in PLAIN if name in self._place},
                    f"{self.title}, row {number}",
                )

    def remarks(self) -> Iterator[Remark]:
        missing = [name for field, name in COLUMNS.items() if field not in self._triage]
        if missing:
            yield Remark(f"There is no column {', '.join(missing)}; what was there before is kept.", where=self.title)
        known = {*_IDS, *PLAIN, *(name.casefold() for name in COLUMNS.values())}
        for place, name in enumerate(self._header):
            added = name not in known or self._place[name] != place
            if added and any(text(row[place]) for row in self._grid[self._first :]):
                shown = text(self._grid[self._first - 1][place]) or f"number {place + 1}, without a name"
                yield Remark(f"Column {shown} is not of this program and is not carried over.", where=self.title)
        for number, row in enumerate(self._grid[self._first :], self._first + 1):
            written = [text(row[place]) for place in self._triage.values() if text(row[place])]
            if written and not text(row[self._id]).strip():
                told = f"The row has no id, so this was not carried over: {'; '.join(written)}."
                yield Remark(told, where=f"{self.title}, row {number}")


# --- the file -------------------------------------------------------------------------------------------------------


@contextmanager
def _opened(path: Path) -> Iterator[CalamineWorkbook]:
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    try:
        with path.open("rb"):  # the operating system's own words for a file that is missing or locked
            pass
        book = CalamineWorkbook.from_path(path)
    except PermissionError as error:
        raise UsageError(
            f"{path}: is open in another program or not readable.",
            remedy="Close it there (Excel locks an open workbook) and try again.",
        ) from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).", remedy="Name an earlier run.") from error
    except PasswordError as error:
        raise UsageError(
            f"{path}: is encrypted.", remedy="Save a copy without password or sensitivity label and name that."
        ) from error
    except CalamineError as error:
        raise UsageError(f"{path}: cannot be read as a workbook ({error}).", remedy=_AGAIN) from error
    with book:
        yield book


def _grid(path: Path, book: CalamineWorkbook, title: str) -> list[list[Any]]:
    """All cells of a sheet; rows are of one length, the first is row 1."""
    from python_calamine import CalamineError

    try:
        return list(book.get_sheet_by_name(title).to_python(skip_empty_area=False))
    except CalamineError as error:
        raise UsageError(f"{path}: sheet {title} cannot be read ({error}).", remedy=_AGAIN) from error


def _properties(path: Path) -> dict[str, str]:
    """The custom document properties, by name; nothing where a program dropped them or the file is of another kind."""
    try:
        with ZipFile(path) as archive:
            if archive.getinfo(_PROPERTIES).file_size > _PROPERTIES_LIMIT:
                return {}
            data = archive.read(_PROPERTIES)
        # A document type could define entities that grow without bound.
        root = ET.Element("none") if b"<!DOCTYPE" in data else ET.fromstring(data)  # noqa: S314
    except _NO_PROPERTIES:
        return {}
    return {entry.get("name", ""): "".join(entry.itertext()).strip() for entry in root}
