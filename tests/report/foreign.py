"""Workbooks as Google Sheets and Excel for the web write them, imitated part by part: neither can run here.

What is imitated was reported by people who read such files (readxl 26 and saulpw/visidata 103: Google's sheets have no
`<dimension>`; PHPSpreadsheet 2184: threaded comments and their placeholders; ECMA-376 18.4 for shared strings):

| | Google Sheets | Excel for the web |
|---|---|---|
| texts | all in shared strings, no `xml:space` | shared strings, some rich text with phonetic runs, CR `_x000D_` |
| numbers, days | always with a point (`46371.0`) | as short as they are |
| links | the formula HYPERLINK with its stored value | as they were |
| lost | tables, properties, validations, frozen panes, the sheet's dimension | nothing |
| added | empty cells with a style to the right, empty rows down to 1000 | threaded comments, `spans`, `x14ac` |
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
from openpyxl.utils import get_column_letter

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
DAY, MOMENT = 1, 2
"""Styles of the imitated files."""
NARROW = 30
"""Google pads what it shows: this many columns at least, and a thousand rows."""

STYLES = (
    f'{HEAD}<styleSheet xmlns="{MAIN}"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd"/>'
    '<numFmt numFmtId="165" formatCode="yyyy&quot;-&quot;mm&quot;-&quot;dd&quot; &quot;h:mm:ss"/></numFmts>'
    '<fonts count="1"><font><sz val="10.0"/><color rgb="FF000000"/><name val="Arial"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="lightGray"/></fill>'
    '</fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf borderId="0" fillId="0" fontId="0" '
    'numFmtId="0"/></cellStyleXfs><cellXfs count="3"><xf borderId="0" fillId="0" fontId="0" numFmtId="0" xfId="0"/>'
    '<xf borderId="0" fillId="0" fontId="0" numFmtId="164" xfId="0" applyNumberFormat="1"/><xf borderId="0" fillId="0" '
    'fontId="0" numFmtId="165" xfId="0" applyNumberFormat="1"/></cellXfs><cellStyles count="1"><cellStyle xfId="0" '
    'name="Normal" builtinId="0"/></cellStyles></styleSheet>'
)


class Texts:
    """A table of shared strings. `written`: a text → what stands between `<si>` and `</si>`."""

    def __init__(self, written: Callable[[str], str]) -> None:
        self.written = written
        self.places: dict[str, int] = {}

    def cell(self, place: str, text: str) -> str:
        return f'<c r="{place}" t="s"><v>{self.places.setdefault(text, len(self.places))}</v></c>'

    def part(self) -> str:
        items = "".join(f"<si>{self.written(text)}</si>" for text in self.places)
        return f'{HEAD}<sst xmlns="{MAIN}" count="{len(self.places)}" uniqueCount="{len(self.places)}">{items}</sst>'


def as_google_sheets(source: Path, target: Path) -> Path:
    texts = Texts(lambda text: f"<t>{escape(text)}</t>")

    def sheet(rows: Iterable[list[Any]], linked: set[str]) -> str:
        written = []
        for number, row in enumerate(rows, 1):
            cells = []
            for column, value in enumerate(row, 1):
                place = f"{get_column_letter(column)}{number}"
                if place in linked and isinstance(value, str):
                    cells.append(f'<c r="{place}" t="str"><f>HYPERLINK(&quot;#gid=0&quot;,&quot;x&quot;)</f>'
                                 f"<v>{escape(value)}</v></c>")  # fmt: skip
                else:
                    cells.append(_cell(place, value, texts, lambda number: repr(float(number))))
            cells += [f'<c r="{get_column_letter(column)}{number}" s="0"/>' for column in range(len(row) + 1, NARROW)]
            written.append(f'<row r="{number}" ht="15.75" customHeight="1">{"".join(cells)}</row>')
        written += [f'<row r="{number}" ht="15.75" customHeight="1"/>' for number in range(len(written) + 1, 1001)]
        return (
            f'{HEAD}<worksheet xmlns="{MAIN}" xmlns:r="{OFFICE}" xmlns:mx="http://schemas.microsoft.com/office/mac/'
            'excel/2008/main"><sheetPr><outlinePr summaryBelow="0" summaryRight="0"/></sheetPr><sheetViews><sheetView '
            'workbookViewId="0"/></sheetViews><sheetFormatPr customHeight="1" defaultColWidth="12.63" '
            f'defaultRowHeight="15.75"/><sheetData>{"".join(written)}</sheetData></worksheet>'
        )

    return _package(source, target, sheet, texts, {})


def as_excel_for_the_web(source: Path, target: Path) -> Path:
    texts = Texts(_rich)

    def sheet(rows: Iterable[list[Any]], linked: set[str]) -> str:
        written = []
        for number, row in enumerate(rows, 1):
            cells = "".join(
                _cell(f"{get_column_letter(column)}{number}", value, texts, lambda number: f"{number:g}")
                for column, value in enumerate(row, 1)
            )
            written.append(f'<row r="{number}" spans="1:{len(row)}" x14ac:dyDescent="0.25">{cells}</row>')
        return (
            f'{HEAD}<worksheet xmlns="{MAIN}" xmlns:r="{OFFICE}" xmlns:mc="http://schemas.openxmlformats.org/'
            'markup-compatibility/2006" mc:Ignorable="x14ac" xmlns:x14ac="http://schemas.microsoft.com/office/'
            f'spreadsheetml/2009/9/ac"><dimension ref="A1:C3"/><sheetData>{"".join(written)}</sheetData></worksheet>'
        )

    with ZipFile(source) as archive:
        kept = {name: archive.read(name).decode() for name in archive.namelist() if name.startswith("docProps/")}
    comments = (
        f'{HEAD}<comments xmlns="{MAIN}"><authors><author>tc=1</author></authors><commentList><comment ref="E4" '
        'authorId="0"><text><t>[Threaded comment]</t></text></comment></commentList></comments>'
    )
    return _package(source, target, sheet, texts, {**kept, "xl/comments1.xml": comments})


def _rich(text: str) -> str:
    """Half of a longer text in bold, with a reading aid; line ends as a browser sends them."""
    shown = escape(text).replace("\n", "_x000D_\n")
    if len(text) < 8 or "&" in shown or "_x" in shown:
        return f'<t xml:space="preserve">{shown}</t>'
    return (
        f'<r><t xml:space="preserve">{shown[:4]}</t></r><r><rPr><b/><sz val="10"/></rPr><t xml:space="preserve">'
        f'{shown[4:]}</t></r><rPh sb="0" eb="1"><t>reading</t></rPh><phoneticPr fontId="0"/>'
    )


def _cell(place: str, value: Any, texts: Texts, number: Callable[[float], str]) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, str):
        return texts.cell(place, value)
    if isinstance(value, date):
        moment = datetime.fromisoformat(value.isoformat())
        days = (moment - datetime.fromisoformat("1899-12-30")) / timedelta(days=1)
        style, shown = (DAY, number(days)) if days.is_integer() else (MOMENT, repr(days))
        return f'<c r="{place}" s="{style}"><v>{shown}</v></c>'
    return f'<c r="{place}"><v>{number(value)}</v></c>'


def _package(
    source: Path, target: Path, sheet: Callable[[Iterable[list[Any]], set[str]], str], texts: Texts,
    more: dict[str, str],
) -> Path:  # fmt: skip
    book = openpyxl.load_workbook(source)
    entries, relations, overrides = [], [], []
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for number, raw in enumerate(book, 1):
            rows = [[cell.value for cell in row] for row in raw.iter_rows()]
            linked = {cell.coordinate for row in raw.iter_rows() for cell in row if cell.hyperlink}
            archive.writestr(f"xl/worksheets/sheet{number}.xml", sheet(rows, linked))
            entries.append(f'<sheet name="{escape(raw.title)}" sheetId="{number}" state="visible" r:id="rId{number}"/>')
            relations.append(_relationship(f"rId{number}", "worksheet", f"worksheets/sheet{number}.xml"))
            overrides.append(_override(f"xl/worksheets/sheet{number}.xml", "worksheet"))
        relations += [
            _relationship("rIdS", "styles", "styles.xml"),
            _relationship("rIdT", "sharedStrings", "sharedStrings.xml"),
        ]
        parts = {
            "xl/workbook.xml": f'{HEAD}<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><workbookPr/><sheets>'
            f"{''.join(entries)}</sheets></workbook>",
            "xl/_rels/workbook.xml.rels": _relationships(relations),
            "_rels/.rels": _relationships([_relationship("rId1", "officeDocument", "xl/workbook.xml")]),
            "xl/styles.xml": STYLES,
            "xl/sharedStrings.xml": texts.part(),
            "[Content_Types].xml": f'{HEAD}<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" '
            'ContentType="application/xml"/><Default Extension="rels" '
            f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{"".join(overrides)}'
            f"{_override('xl/workbook.xml', 'sheet.main')}{_override('xl/styles.xml', 'styles')}"
            f"{_override('xl/sharedStrings.xml', 'sharedStrings')}</Types>",
            **more,
        }
        for name, part in parts.items():
            archive.writestr(name, part)
    assert re.search("<si>", texts.part()), "a workbook without a text imitates nothing"
    return target


def _relationships(entries: Iterable[str]) -> str:
    return f'{HEAD}<Relationships xmlns="{PACKAGE}/relationships">{"".join(entries)}</Relationships>'


def _relationship(identity: str, kind: str, target: str) -> str:
    return f'<Relationship Id="{identity}" Type="{OFFICE}/{kind}" Target="{target}"/>'


def _override(part: str, kind: str) -> str:
    return (
        f'<Override PartName="/{part}" '
        f'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.{kind}+xml"/>'
    )
