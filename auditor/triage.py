"""What an analyst wrote beside a finding, as a workbook's cells say it. Pure; `previous_workbook` reads the cells.

Nothing that a person typed is dropped: a status or a date that this program does not know goes on as part of the
comment, and a remark says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any

STATUSES = ("Open", "In progress", "Risk accepted", "False positive", "Fixed")
"""What an analyst may choose; the program itself only ever shows the first and, for a waived finding, the third."""
OPEN, IN_PROGRESS, ACCEPTED, FALSE_POSITIVE, FIXED = STATUSES

COLUMNS = {
    "status": "Status",
    "owner": "Owner",
    "due": "Due date",
    "ticket": "Ticket",
    "comment": "Analyst comment",
    "waiver_until": "Waiver until",
}
"""Field of Triage → its column's header in Findings."""

DAYS = ("due", "waiver_until")
"""Fields that hold a day."""

Cell = str | int | float | bool | date | datetime | time | timedelta | None
"""A cell as a reader gives it; a datetime is a date as well."""

Own = str | int | float | bool | date | datetime
"""What stands in a column that analysts added: never empty, a day without a time is a date."""


@dataclass(frozen=True, slots=True)
class Triage:
    """The analyst's columns of one finding. `status` is empty where the analyst left the program's own; days are ISO
    8601 (`2026-12-15`). `own`: (header, value) of the columns that analysts added, where something stands there."""

    status: str = ""
    owner: str = ""
    due: str = ""
    ticket: str = ""
    comment: str = ""
    waiver_until: str = ""
    own: tuple[tuple[str, Own], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.own) or any(getattr(self, name) for name in COLUMNS)


NONE = Triage()
NO_CELLS: Mapping[str, Cell] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about the triage that a person must know. `finding` is an id, or empty; `where` a sheet and row."""

    text: str
    finding: str = ""
    where: str = ""


def read(
    cells: Mapping[str, Cell], outcome: str = "", before: Triage = NONE, own: Mapping[str, Cell] = NO_CELLS
) -> tuple[Triage, list[str]]:
    """The triage of one row, and what could not be taken as it stands. `cells`: field → cell; a field whose column is
    missing is left out and stays as in `before`, the triage that the program had when it wrote the workbook. `own`:
    header → cell of the analysts' own columns. `outcome` (what the row says of the finding) and `before` tell the
    status that the program itself wrote from a chosen one."""
    problems: list[str] = []
    values = {name: _whole(text(cells[name]), getattr(before, name)) if name in cells else getattr(before, name)
              for name in COLUMNS}  # fmt: skip
    kept: list[str] = []
    for name in (name for name in DAYS if name in cells):
        cell = cells[name]
        day = parse_day(cell)
        values[name] = day or ""
        if day is None:
            kept.append(f"{COLUMNS[name]}: {text(cell)}")
            problems.append(f"`{text(cell)}` under {COLUMNS[name]} is no date that can be read in one way only")
    written = values["status"]
    status = parse_status(written)
    if status is None:
        kept.append(f"Status: {written}")
        problems.append(f"`{written}` is none of the statuses ({', '.join(STATUSES)})")
    by_config = outcome == "waived" and not values["waiver_until"] and before.status != ACCEPTED
    values["status"] = "" if status in (None, ACCEPTED if by_config else OPEN) else status
    triage = Triage(**values, own=_owned(own, before))
    if kept:
        triage = replace(triage, comment="\n".join(part for part in (triage.comment, *kept) if part))
        problems = [f"{problem}; it is kept in the comment." for problem in problems]
    problems += [f"{header} was cut when the workbook was written, and edited since: its end stands only in the run's "
                 "findings.json." for header, value in _named(triage) if CUT.search(str(value))]  # fmt: skip
    return triage, problems


CUT = re.compile(r"… \(cut; [^()]*\)\Z")
"""How a cell ends whose text was too long for it."""


def _whole(shown: str, before: str) -> str:
    """What a cell stands for: the whole text where it shows only the beginning of what the program knew before."""
    cut = CUT.search(shown)
    return before if cut and before.startswith(shown[: cut.start()]) else shown


def _owned(cells: Mapping[str, Cell], before: Triage) -> tuple[tuple[str, Own], ...]:
    known = dict(before.own)
    values = {header: own_value(cell) for header, cell in cells.items()}
    return tuple(
        (header, _whole(value, str(known.get(header, ""))) if isinstance(value, str) else value)
        for header, value in values.items()
        if value is not None
    )


def own_value(cell: Cell) -> Own | None:
    """A cell of an own column: numbers and days as such, what else there is as text; None where it is empty."""
    if isinstance(cell, datetime):
        day_only = cell.time() == time()
        return cell.date() if day_only else cell.replace(tzinfo=None)
    if isinstance(cell, float) and cell.is_integer():
        return int(cell)
    return cell if isinstance(cell, bool | int | float | date) else text(cell) or None


def _named(triage: Triage) -> Iterator[tuple[str, Own]]:
    """(header, value) of all that somebody wrote."""
    yield from ((COLUMNS[name], value) for name in COLUMNS if (value := getattr(triage, name)))
    yield from triage.own


def from_json(value: Any) -> Triage:
    """As findings.json holds it; what is of another kind is left out."""
    known = value if isinstance(value, dict) else {}
    own = known.get("own")
    return Triage(
        **{name: known[name] for name in COLUMNS if isinstance(known.get(name), str)},
        own=tuple((header, _from_json(cell)) for header, cell in own.items()) if isinstance(own, dict) else (),
    )


def _from_json(cell: Any) -> Own:
    if isinstance(cell, dict) and isinstance(cell.get("time"), str):
        moment = _moment(cell["time"])
        return cell["time"] if moment is None else moment
    return cell if isinstance(cell, bool | int | float | str) else str(cell)


def _moment(written: str) -> date | datetime | None:
    try:
        return date.fromisoformat(written) if len(written) == len("2026-12-15") else datetime.fromisoformat(written)
    except ValueError:
        return None


def to_json(triage: Triage) -> dict[str, Any]:
    """`own` only where there is any; a day or time in it is `{"time": ISO 8601}`, to tell it from a text."""
    document: dict[str, Any] = {name: getattr(triage, name) for name in COLUMNS}
    if triage.own:
        document["own"] = {header: {"time": value.isoformat()} if isinstance(value, date) else value
                           for header, value in triage.own}  # fmt: skip
    return document


def told(triage: Triage) -> str:
    """In one line, for a message."""
    return "; ".join(f"{header}: {text(value)}" for header, value in _named(triage)) or "nothing"


# --- cells ----------------------------------------------------------------------------------------------------------


def text(cell: Cell) -> str:
    """A cell as text: whole numbers without a point, days and times in ISO 8601."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime) and not (cell.hour or cell.minute or cell.second):
        return cell.date().isoformat()
    if isinstance(cell, date | datetime):
        return cell.isoformat()
    return str(cell).replace("\r\n", "\n").replace("_x000D_\n", "\n").strip()


def parse_status(written: str) -> str | None:
    """The status as this program writes it; empty for none, None for one that it does not know."""
    wanted = " ".join(written.replace("-", " ").replace("_", " ").lower().split())
    known = {status.lower(): status for status in STATUSES} | {"": ""}
    return known.get(wanted)


_SERIAL_DAYS = range(36_526, 73_051)
"""Excel's day numbers of the years 2000 to 2099."""
_EXCEL_DAY_ZERO = date(1899, 12, 30)

_MONTHS = (
    ("jan", "ene", "gen"),
    ("feb", "fév", "fev"),
    ("mar", "mär", "mrz", "maa"),
    ("apr", "avr", "abr"),
    ("may", "mai", "mag", "mei"),
    ("jun", "juin", "giu"),
    ("jul", "juil", "lug"),
    ("aug", "aoû", "aou", "ago"),
    ("sep", "set"),
    ("oct", "okt", "ott", "out"),
    ("nov",),
    ("dec", "dez", "déc", "dic"),
)
"""How the names of the months begin in English, German, French, Spanish, Italian, Dutch and Portuguese."""

_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?")
_DOTTED = re.compile(r"(\d{1,2})\.\s*(\d{1,2})\.\s*(\d{4})")
_SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")
_WORDED = re.compile(
    r"(?:\w+,?\s+)?(\d{1,2})(?:\.|st|nd|rd|th|er)?[\s-]+(?:de\s+)?([^\W\d_]+)\.?,?[\s-]+(?:de\s+)?(\d{4})"
)
_AMERICAN = re.compile(r"([^\W\d_]+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})")


def parse_day(cell: Cell) -> str | None:
    """A day as ISO 8601: from a typed date, Excel's number of a day, or text. Empty for an empty cell; None for what is
    no day, or could be two (`03/04/2027`)."""
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int | float):
        return (_EXCEL_DAY_ZERO + timedelta(days=int(cell))).isoformat() if int(cell) in _SERIAL_DAYS else None
    written = text(cell)
    if not written:
        return ""
    day = _from_text(written)
    return day.isoformat() if day else None


def _from_text(written: str) -> date | None:
    if found := _ISO.fullmatch(written):
        return _day(found[1], found[2], found[3])
    if found := _DOTTED.fullmatch(written):
        return _day(found[3], found[2], found[1])
    if found := _SLASHED.fullmatch(written):
        readings = {_day(found[3], found[2], found[1]), _day(found[3], found[1], found[2])} - {None}
        return readings.pop() if len(readings) == 1 else None
    if found := _WORDED.fullmatch(written):
        return _day(found[3], _month(found[2]), found[1])
    if found := _AMERICAN.fullmatch(written):
        return _day(found[3], _month(found[1]), found[2])
    return None


def _month(word: str) -> int:
    """1 to 12; 0 for a word that is no month."""
    return next((number for number, starts in enumerate(_MONTHS, 1) if word.lower().startswith(starts)), 0)


def _day(year: str | int, month: str | int, day: str | int) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
