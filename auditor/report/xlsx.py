"""A workbook of many rows in little memory, the same to the byte wherever it is written.

openpyxl makes every part of the package (styles, tables, validations, conditional formats, charts, properties); the
rows are streamed by this module into their sheets. Two reasons: openpyxl's XML differs with the presence of lxml, and
its cell writer needs ten times the time. No formula is written. Short texts that come early (headers, states, kinds) go
into the table of shared strings, which stays small; all others stand in their cells.

The bytes are kept stable by `package`, and by properties that carry `now`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from math import ceil
from types import SimpleNamespace
from typing import IO, Any
from xml.sax.saxutils import escape

from auditor.report.cells import MAX_ROWS, Field, Link, Styled, Value, sheet_title
from auditor.report.package import Part, write_package
from auditor.report.palettes import colour_words
from auditor.report.text import cell_text, is_formula_like

MAX_LINKS = 20_000
"""Hyperlinks in a sheet; Excel gives up at 65,530, and readers get slow long before."""

MAX_HEIGHT = 330
"""Points of a row whose height follows its text; Excel's limit is 409. Longer texts are there, below the fold."""

SHARED_LENGTH, SHARED_LIMIT = 48, 10_000
"""Characters of a text that may be shared, and how many may be."""

_PAGE_WIDTH = 240
"""Characters of width that a landscape page holds at a size that can still be read."""
_DAY_ZERO = date(1899, 12, 30)
"""Excel counts days from here (its first day is 31 December 1899, and it believes in 29 February 1900)."""


@dataclass
class Sheet:
    """One worksheet: openpyxl's object for everything but the rows, and the stream the rows go to."""

    book: Book
    title: str
    raw: Any
    stream: IO[bytes]
    widths: Sequence[float]
    rows: int = 0
    columns: int = 0
    links: int = 0
    tallest: float = MAX_HEIGHT
    alt_texts: list[str] = field(default_factory=list)

    def append(
        self, values: Sequence[Value], styles: Sequence[str], *, full: Sequence[str] = (), height: float = 0
    ) -> int:
        """Write one row, one style per value; returns its number. `height` in points; 0 makes room for wrapped text."""
        self.rows += 1
        number = self.rows
        cells = [
            self._cell(_letter(index), number, value, styles[index], full[index] if full else "")
            for index, value in enumerate(values)
        ]
        self.columns = max(self.columns, len(cells))
        height = height or self._height(values, styles)
        attributes = f' ht="{height:g}" customHeight="1"' if height else ""
        self.stream.write(f'<row r="{number}"{attributes}>{"".join(cells)}</row>'.encode())
        return number

    def _cell(self, letter: str, number: int, value: Value, style: str, full: str) -> str:
        if isinstance(value, Styled):
            style, value = value.style, value.value
        if isinstance(value, Link):
            style = self._link(f"{letter}{number}", value, style)
            value = value.text
        if value is None or value == "":
            return f'<c r="{letter}{number}" s="{self.book.style(style)}"/>' if style in self.book.tinted else ""
        if isinstance(value, str):
            identity = self.book.style(style, quoted=is_formula_like(value))
            text = cell_text(value, full=full)
            shared = self.book.share(text)
            if shared is not None:
                return f'<c r="{letter}{number}" s="{identity}" t="s"><v>{shared}</v></c>'
            inline = f'<is><t xml:space="preserve">{escape(text)}</t></is>'
            return f'<c r="{letter}{number}" s="{identity}" t="inlineStr">{inline}</c>'
        kind = ' t="b"' if isinstance(value, bool) else ""
        return f'<c r="{letter}{number}" s="{self.book.style(style)}"{kind}><v>{_number(value)}</v></c>'

    def _height(self, values: Sequence[Value], styles: Sequence[str]) -> float:
        """Room for the row's wrapped texts, as readers do not make it themselves; 0 where nothing wraps."""
        heights = [
            text_height(_shown(value), self.widths[index])
            for index, (value, style) in enumerate(zip(values, styles, strict=True))
            if style in self.book.wrapped
        ]
        return min(max(heights, default=0), self.tallest)

    def _link(self, cell: str, link: Link, style: str) -> str:
        from openpyxl.worksheet.hyperlink import Hyperlink

        if not link.target or self.links >= MAX_LINKS:
            return style
        self.links += 1
        inside = link.target.startswith("#")
        where = {"location": link.target[1:]} if inside else {"target": link.target}
        self.raw._hyperlinks.append(Hyperlink(ref=cell, **where))
        return style if style == "jump" else "link"


class Book:
    """A workbook being written. `save` may be called once."""

    def __init__(self, now: datetime, *, max_rows: int = MAX_ROWS) -> None:
        """`now`: timezone-aware UTC; it stands in the document's properties in place of the clock's time."""
        from openpyxl import Workbook

        self.raw = Workbook(write_only=True)
        self.max_rows = max_rows
        self.sheets: list[Sheet] = []
        self.tinted: set[str] = set()
        self.wrapped: set[str] = set()
        self._ids: dict[tuple[str, bool], int] = {}
        self._shared: dict[str, int] = {}
        self._uses = 0
        moment = now.replace(tzinfo=None)
        self.raw.properties.created = moment
        self.raw.properties.modified = moment

    def add_style(self, name: str, *, tinted: bool = False, **parts: Any) -> None:
        """`parts` are openpyxl's (font, alignment, fill, border, number_format); a tinted style also marks empty
        cells."""
        from openpyxl.styles import NamedStyle

        self.raw.add_named_style(NamedStyle(name=f"auditor {name}", **parts))
        self._ids[name, False] = self._style_id(name, quoted=False)
        self._ids[name, True] = self._style_id(name, quoted=True)
        if tinted:
            self.tinted.add(name)
        if parts["alignment"].wrap_text:
            self.wrapped.add(name)

    def share(self, text: str) -> int | None:
        """The place of a short text in the table of shared strings; None where it stands in its cell."""
        place = self._shared.get(text)
        if place is None and len(text) <= SHARED_LENGTH and len(self._shared) < SHARED_LIMIT:
            place = self._shared[text] = len(self._shared)
        self._uses += place is not None
        return place

    def style(self, name: str, *, quoted: bool = False) -> int:
        return self._ids[name, quoted]

    def _style_id(self, name: str, *, quoted: bool) -> int:
        from openpyxl.styles.styleable import StyleableObject

        cell = StyleableObject(SimpleNamespace(parent=self.raw))
        cell.style = f"auditor {name}"
        cell.quotePrefix = quoted
        return int(cell.style_id)

    def add_sheet(self, title: str, widths: Sequence[float]) -> Sheet:
        """An empty sheet; the title must be one that `sheet_title` gives."""
        from openpyxl.utils import get_column_letter

        raw = self.raw.create_sheet(title)
        raw._hyperlinks = []
        for index, width in enumerate(widths, 1):
            raw.column_dimensions[get_column_letter(index)].width = width
        rows = tempfile.TemporaryFile()  # noqa: SIM115 - lives until the book is saved
        sheet = Sheet(self, title, raw, rows, widths)
        self.sheets.append(sheet)
        return sheet

    def add_table(
        self,
        title: str,
        fields: Sequence[Field],
        rows: Iterable[Sequence[Value]],
        *,
        frozen: str = "A2",
        printed: int = 0,
        tallest: float = MAX_HEIGHT,
    ) -> list[Sheet]:
        """A sheet with one table: header in row 1, filters, frozen header. More rows than a sheet can hold go on in
        `title (2)` and so on. `printed`: how many of the columns go on paper, 0 for all; `tallest`: points."""
        made: list[Sheet] = []
        remaining = iter(rows)
        pending = next(remaining, None)
        while pending is not None or not made:
            sheet = self._begin_table(sheet_title(title, len(made) + 1), fields, frozen, printed)
            sheet.tallest = tallest
            made.append(sheet)
            styles = [column.style for column in fields]
            full = [column.full for column in fields]
            while pending is not None and sheet.rows < self.max_rows:
                if len(pending) != len(fields):
                    raise ValueError(f"{title}: a row of {len(pending)} values for {len(fields)} columns")
                sheet.append(pending, styles, full=full)
                pending = next(remaining, None)
            self._end_table(sheet, fields, f"{_identifier(title)}{len(made) if len(made) > 1 else ''}")
            if printed:
                sheet.raw.print_area = f"A1:{_letter(printed - 1)}{sheet.rows}"
        return made

    def _begin_table(self, title: str, fields: Sequence[Field], frozen: str, printed: int) -> Sheet:
        sheet = self.add_sheet(title, [column.width for column in fields])
        sheet.raw.freeze_panes = frozen
        sheet.raw.print_title_rows = "1:1"
        sheet.raw.print_title_cols = f"A:{frozen[0]}" if frozen[0] == "A" else f"A:{chr(ord(frozen[0]) - 1)}"
        sheet.raw.page_setup.fitToWidth = ceil(sum(sheet.widths[: printed or None]) / _PAGE_WIDTH)
        sheet.raw.page_setup.pageOrder = "overThenDown"
        sheet.append([column.header for column in fields], ["header"] * len(fields), height=30)
        return sheet

    def _end_table(self, sheet: Sheet, fields: Sequence[Field], name: str) -> None:
        from openpyxl.worksheet.table import Table, TableStyleInfo

        if sheet.rows == 1:
            # A table needs one data row; an empty one is what Excel itself keeps for a table without data.
            sheet.append([None] * len(fields), [column.style for column in fields])
        table = Table(displayName=name, ref=f"A1:{_letter(len(fields) - 1)}{sheet.rows}")
        table._initialise_columns()
        for column, spec in zip(table.tableColumns, fields, strict=True):
            column.name = spec.header
        table.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=True)
        sheet.raw.tables.add(table)
        for index, spec in enumerate(fields):
            self._dress_column(sheet, _letter(index), spec)

    def _dress_column(self, sheet: Sheet, letter: str, spec: Field) -> None:
        from openpyxl.worksheet.datavalidation import DataValidation

        cells = f"{letter}2:{letter}{sheet.rows}"
        if spec.words:
            colour_words(sheet.raw, cells, spec.words)
        if spec.choices:
            validation = DataValidation(
                type="list", formula1=f'"{",".join(spec.choices)}"', allow_blank=True, showErrorMessage=True
            )
            validation.errorTitle, validation.error = spec.header, f"One of: {', '.join(spec.choices)}."
        elif spec.date:
            validation = DataValidation(
                type="date", operator="greaterThan", formula1="43831", allow_blank=True, showErrorMessage=True
            )
            validation.errorTitle, validation.error = spec.header, "A date, for instance 2026-12-15."
        else:
            return
        validation.add(cells)
        sheet.raw.data_validations.append(validation)

    def save(self, stream: IO[bytes]) -> None:
        """Write the package to a seekable binary stream."""

        for sheet in self.sheets:
            reference = f"A1:{_letter(max(sheet.columns, 1) - 1)}{max(sheet.rows, 1)}"
            sheet.raw.calculate_dimension = lambda reference=reference: reference
        # WriteOnlyWorksheet resets its links when its writer is made: put them back in between.
        for sheet in self.sheets:
            links = sheet.raw._hyperlinks
            sheet.raw._get_writer()
            sheet.raw._hyperlinks = links
        parts = [Part(sheet.stream, sheet.alt_texts) for sheet in self.sheets]
        write_package(stream, self.raw, parts, list(self._shared), self._uses)
        for sheet in self.sheets:
            sheet.stream.close()


def text_height(text: str, width: float, *, per_width: float = 1.25, line: float = 12.8) -> float:
    """Points that a wrapped text needs in a column of `width` characters, estimated for Calibri at 10 points."""
    lines = sum(max(1, ceil(len(part) / (width * per_width))) for part in text[:20_000].split("\n"))
    return lines * line + 3


def _number(value: float | date) -> str:
    """A value that is no text as a cell holds it: days and times as days since `_DAY_ZERO`."""
    if isinstance(value, datetime):
        return repr((value.date() - _DAY_ZERO).days + (value - datetime.combine(value, time())) / timedelta(days=1))
    if isinstance(value, date):
        return str((value - _DAY_ZERO).days)
    return str(int(value) if isinstance(value, bool) else value)


def _shown(value: Value) -> str:
    if isinstance(value, Styled):
        value = value.value
    if isinstance(value, Link):
        value = value.text
    return "" if value is None else str(value)


def _identifier(title: str) -> str:
    """A table's name: letters and digits, unique because sheet titles are."""
    return "tbl" + "".join(part.capitalize() for part in title.split() if part.isalnum())


_LETTERS: list[str] = []


def _letter(index: int) -> str:
    """Column letters of a zero-based index: 0 → A, 26 → AA."""
    while len(_LETTERS) <= index:
        number, letters = len(_LETTERS) + 1, ""
        while number:
            number, rest = divmod(number - 1, 26)
            letters = chr(65 + rest) + letters
        _LETTERS.append(letters)
    return _LETTERS[index]
