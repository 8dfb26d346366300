"""An earlier run's workbook, as analysts left it: read by the names of its headers, never by position.

Rows may be sorted, filtered or deleted, columns moved, added or deleted, and the file saved by another program
(LibreOffice, Excel Online, Google Sheets, openpyxl, pandas). Columns that analysts added come back as their own. What
cannot be understood or carried over becomes a remark; a file that cannot be read is an error.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile

from auditor.errors import UsageError
from auditor.triage import COLUMNS, CUT, Cell, Remark, text

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")

SHEET = "Findings"

PLAIN = (
    "id", "severity", "outcome", "title", "object_name", "object_type", "accounts", "facts", "remedy", "remedy_risk",
    "waiver", "change", "first_seen", "rule", "controls", "reference 1", "reference 2", "more references", "object_id",
)  # fmt: skip
"""Headers of Findings that are the program's own."""

TITLES = (
    "Summary", SHEET, "Evidence", "Senders", "Sender blockers", "Accounts", "Affected", "Policies", "Remediation",
    "Changes", "Waivers", "Coverage", "How to read this",
)  # fmt: skip
"""Sheets of the program; one that goes on has a number behind its name, `Accounts (2)`."""

_EVIDENCE = "evidence"
_FACT = ("finding_id", "fact", "value", "state", "dataset")
"""Headers of Evidence; the first three it cannot do without."""

_IDS = ("id", "finding id")
_HEADER_ROWS = 30
"""How far down the header is looked for: people put a title above a table."""
_LONGEST_HEADER = 200
_NAMED = 10
_PROPERTIES = re.compile(r"docProps/custom\.xml")
_NOTES = re.compile(r"xl/(comments/)?comments?\d*\.xml")
_PART_LIMIT = 1 << 20
_UNREADABLE = (BadZipFile, zlib.error, KeyError, ET.ParseError, EOFError, OSError, ValueError, RuntimeError)
"""What reading one part of a damaged or foreign zip may raise (NotImplementedError is a RuntimeError)."""
_AGAIN = "Open it in a spreadsheet program and save it again as .xlsx, or name the run without it."


@dataclass(frozen=True, slots=True)
class Row:
    """One finding's row. `triage`: field of Triage → cell, without those whose column is missing; `own`: header → cell
    of the columns that analysts added; `plain`: header → text; `where`: sheet and row, for messages."""

    id: str
    triage: Mapping[str, Cell]
    own: Mapping[str, Cell]
    plain: Mapping[str, str]
    where: str


@dataclass(frozen=True, slots=True)
class Worked:
    """A workbook as it was read. `own_columns`: headers of the columns that analysts added, in their order;
    `evidence`: finding id → its facts, for findings whose facts stand there whole; `tenant_id` and `run`
    (`20261123T160000Z`) are empty where its properties are lost."""

    rows: Sequence[Row]
    own_columns: tuple[str, ...]
    evidence: Mapping[str, Sequence[Mapping[str, str]]]
    remarks: Sequence[Remark]
    tenant_id: str
    run: str


def read_workbook(path: Path) -> Worked:
    """Raises UsageError for a file that cannot be read, or holds no sheet with findings."""
    with _opened(path) as book:
        titles = [sheet.name for sheet in book.sheets_metadata if sheet.typ == _worksheet()]
        tables = _tables(path, book, titles)
        facts = _facts(_grid(path, book, title) for title in titles if title.casefold().startswith(_EVIDENCE))
        strange = [title for title in titles if not _is_ours(title, tables) and any(_grid(path, book, title))]
    if not tables:
        raise UsageError(
            f"{path}: no sheet has a column `id` beside one of {', '.join(COLUMNS.values())} (sheets: "
            f"{', '.join(titles)}).",
            remedy=f"Name a workbook of this program; its sheet {SHEET} must keep the header `id`.",
        )
    properties = {entry.get("name", ""): "".join(entry.itertext()).strip()
                  for root in _parts(path, _PROPERTIES) for entry in root}  # fmt: skip
    return Worked(
        rows=[row for table in tables for row in table.rows()],
        own_columns=tuple(dict.fromkeys(header for table in tables for header in table.own)),
        evidence=facts,
        remarks=[*(remark for table in tables for remark in table.remarks()), *_left_behind(path, strange)],
        tenant_id=properties.get("tenant", ""),
        run=properties.get("run", ""),
    )


def _tables(path: Path, book: CalamineWorkbook, titles: Sequence[str]) -> list[_Table]:
    """The sheets with findings. Where Findings kept its name, the others, which may be large, are not read."""
    ours = [title for title in titles if title.casefold().startswith(SHEET.casefold())]
    tables: list[_Table] = []
    for title in [*ours, *(title for title in titles if title not in ours)]:
        if tables and title not in ours:
            break
        table = _Table.of(title, _grid(path, book, title))
        tables += [table] if table else []
    return tables


def _is_ours(title: str, tables: Sequence[_Table]) -> bool:
    name = re.sub(r" \(\d+\)\Z", "", title).casefold()
    return name in {one.casefold() for one in TITLES} or any(table.title == title for table in tables)


def _left_behind(path: Path, strange: Sequence[str]) -> Iterator[Remark]:
    """What people made beside the tables and no later workbook will hold."""
    for title in strange:
        yield Remark(
            f"This sheet is not of this program: it is not carried over and stands only in {path}.", where=title
        )
    notes = [note for root in _parts(path, _NOTES) for note in root.iter() if note.tag.endswith("}comment")]
    if notes:
        named = ", ".join(note.get("ref", "?") for note in notes[:_NAMED])
        more = f" and {len(notes) - _NAMED} more" if len(notes) > _NAMED else ""
        yield Remark(f"Notes on cells ({named}{more}) are not carried over; they stand only in {path}.")


def _facts(grids: Iterable[Sequence[Sequence[Cell]]]) -> dict[str, list[dict[str, str]]]:
    """Finding id → its facts as findings.json has them; without those of which a cell was cut."""
    found: dict[str, list[dict[str, str]]] = {}
    cut: set[str] = set()
    for grid in grids:
        place: dict[str, int] = {}
        for row in grid:
            if not place:
                header = [" ".join(text(cell).split()).casefold() for cell in row]
                place = (
                    {name: header.index(name) for name in _FACT if name in header}
                    if set(_FACT[:3]) <= set(header)
                    else {}
                )
                continue
            identity, name, value, state, dataset = (text(row[place[one]]) if one in place else "" for one in _FACT)
            shown = f"{state}: {value}" if state else value
            found.setdefault(identity, []).append({"name": name, "value": shown, "dataset": dataset})
            cut |= {identity} if CUT.search(name) or CUT.search(value) else set()
    return {identity: facts for identity, facts in found.items() if identity and identity not in cut}


class _Table:
    """A sheet's rows below a header that names an id and at least one column of triage. `own`: header → place of the
    columns that are not the program's."""

    def __init__(self, title: str, header: Sequence[str], first: int, grid: Sequence[Sequence[Cell]]) -> None:
        self.title = title
        self._first = first
        self._grid = grid
        folded = [name.casefold() for name in header]
        self._place = {name: place for place, name in reversed(list(enumerate(folded))) if name}
        self._triage = {field: self._place[name.casefold()] for field, name in COLUMNS.items()
                        if name.casefold() in self._place}  # fmt: skip
        self._id = next(self._place[name] for name in _IDS if name in self._place)
        self._renamed: list[str] = []
        self.own = self._own(header)

    @classmethod
    def of(cls, title: str, grid: Sequence[Sequence[Cell]]) -> _Table | None:
        wanted = {name.casefold() for name in COLUMNS.values()}
        for number, row in enumerate(grid[:_HEADER_ROWS]):
            header = [" ".join(text(cell).split())[:_LONGEST_HEADER] for cell in row]
            folded = {name.casefold() for name in header}
            if wanted & folded and any(name in folded for name in _IDS):
                return cls(title, header, number + 1, grid)
        return None

    def _own(self, header: Sequence[str]) -> dict[str, int]:
        """A column without a header, or with one that stands before it already, gets one that no other has."""
        taken = {*_IDS, *PLAIN, *(name.casefold() for name in COLUMNS.values())}
        own: dict[str, int] = {}
        for place, name in enumerate(header):
            first = self._place.get(name.casefold()) == place
            if first and name.casefold() in taken:
                continue
            if not name and not any(text(row[place]) for row in self._grid[self._first :]):
                continue
            unique = name or f"Column {place + 1}"
            number = 1
            while unique.casefold() in taken:
                number += 1
                unique = f"{name} ({number})"
            if unique != name:
                self._renamed.append(unique)
            taken.add(unique.casefold())
            own[unique] = place
        return own

    def rows(self) -> Iterator[Row]:
        for number, row in enumerate(self._grid[self._first :], self._first + 1):
            identity = text(row[self._id]).strip()
            if identity:
                yield Row(
                    identity,
                    {field: row[place] for field, place in self._triage.items()},
                    {header: row[place] for header, place in self.own.items()},
                    {name: text(row[self._place[name]]) for name in PLAIN if name in self._place},
                    f"{self.title}, row {number}",
                )

    def remarks(self) -> Iterator[Remark]:
        missing = [name for field, name in COLUMNS.items() if field not in self._triage]
        if missing:
            yield Remark(f"There is no column {', '.join(missing)}; what was there before is kept.", where=self.title)
        for header in self._renamed:
            yield Remark(f"A column without a header of its own is carried over as `{header}`.", where=self.title)
        places = [*self._triage.values(), *self.own.values()]
        for number, row in enumerate(self._grid[self._first :], self._first + 1):
            written = [text(row[place]) for place in places if text(row[place])]
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


def _worksheet() -> object:
    from python_calamine import SheetTypeEnum

    return SheetTypeEnum.WorkSheet


def _grid(path: Path, book: CalamineWorkbook, title: str) -> list[list[Any]]:
    """All cells of a sheet; rows are of one length, the first is row 1."""
    from python_calamine import CalamineError

    try:
        return list(book.get_sheet_by_name(title).to_python(skip_empty_area=False))
    except CalamineError as error:
        raise UsageError(f"{path}: sheet {title} cannot be read ({error}).", remedy=_AGAIN) from error


def _parts(path: Path, wanted: re.Pattern[str]) -> list[ET.Element]:
    """The XML parts of a package with a fitting name; those that are damaged, huge or of another kind of file are left
    out."""
    found = []
    try:
        with ZipFile(path) as archive:
            for entry in archive.infolist():
                if wanted.fullmatch(entry.filename) and entry.file_size <= _PART_LIMIT:
                    data = archive.read(entry)
                    if b"<!DOCTYPE" not in data:  # it could define entities that grow without bound
                        found.append(ET.fromstring(data))  # noqa: S314
    except _UNREADABLE:
        return found
    return found
