from __future__ import annotations

import io
import os
import posixpath
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import openpyxl
import pytest
from lxml import etree
from python_calamine import CalamineWorkbook

from auditor.report import styles
from auditor.report.cells import Field, Link, Value, sheet_title
from auditor.report.xlsx import MAX_HEIGHT, MAX_LINKS, Book, text_height

NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
NAMESPACE = {"s": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
FIELDS = (Field("name", 20), Field("text", 30, "wrap", full="names.csv"), Field("count", 8, "number"))


def package(
    rows: Iterable[Sequence[Value]], fields: Sequence[Field] = FIELDS, *, max_rows: int = 1000, title: str = "Names"
) -> bytes:
    book = Book(NOW, max_rows=max_rows)
    styles.add_styles(book)
    book.add_table(title, fields, rows)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def opened(data: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data))


def sheet_xml(data: bytes, number: int = 1) -> etree._Element:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return etree.fromstring(archive.read(f"xl/worksheets/sheet{number}.xml"))


def test_texts_and_numbers_read_back_by_two_readers() -> None:
    rows = [("a", "one\ntwo", 1), ("b", "  led by blanks", 2.5), ("c", None, 0), ("é😀", "<&>\"'", -3)]
    data = package(rows)
    sheet = opened(data)["Names"]
    assert [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)] == [list(row) for row in rows]
    read = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name("Names").to_python()
    assert read[1:] == [["a", "one\ntwo", 1.0], ["b", "  led by blanks", 2.5], ["c", "", 0.0], ["é😀", "<&>\"'", -3.0]]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", '=HYPERLINK("http://x")', "#N/A", "1", "TRUE"])
def test_no_text_becomes_a_formula_an_error_or_a_number(text: str) -> None:
    data = package([(text, text, 1)])
    cell = opened(data)["Names"]["A2"]
    assert (cell.data_type, cell.value) == ("s", text)
    assert cell.quotePrefix == (text[0] in "=+-@\t")
    assert not sheet_xml(data).findall(".//s:f", NAMESPACE)


def test_what_xml_cannot_hold_is_shown() -> None:
    cell = opened(package([("\x07bell\ud800", "a_x000D_b", 1)]))["Names"]["A2"]
    assert cell.value == "␇bell\ufffd"


def test_a_very_long_text_points_to_its_file() -> None:
    value = opened(package([("a", "x" * 40_000, 1)]))["Names"]["B2"].value
    assert len(value) < 32_767
    assert value.endswith("the full text is in names.csv)")


def test_the_table_covers_the_rows_and_its_columns_are_the_header_cells() -> None:
    sheet = opened(package([("a", "b", 1), ("c", "d", 2)]))["Names"]
    (table,) = sheet.tables.values()
    assert (table.displayName, table.ref, table.autoFilter.ref) == ("tblNames", "A1:C3", "A1:C3")
    assert table.column_names == [cell.value for cell in sheet[1]] == ["name", "text", "count"]
    assert sheet.freeze_panes == "A2"
    assert sheet.print_title_rows == "$1:$1"


def test_a_table_without_rows_keeps_its_header_and_stays_valid() -> None:
    sheet = opened(package([]))["Names"]
    assert sheet.tables["tblNames"].ref == "A1:C2"
    assert [cell.value for cell in sheet[2]] == [None, None, None]


def test_rows_beyond_the_limit_go_on_in_further_sheets() -> None:
    book = opened(package([(f"n{number}", "t", number) for number in range(7)], max_rows=4))
    assert book.sheetnames == ["Names", "Names (2)", "Names (3)"]
    assert [sheet.max_row for sheet in book] == [4, 4, 2]
    assert [name for sheet in book for name in sheet.tables] == ["tblNames", "tblNames2", "tblNames3"]
    assert [sheet["A1"].value for sheet in book] == ["name"] * 3
    read = [row[0] for sheet in book for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert read == [f"n{number}" for number in range(7)]


def test_exactly_full_makes_no_empty_sheet() -> None:
    assert opened(package([("a", "b", 1)] * 3, max_rows=4)).sheetnames == ["Names"]


def test_a_row_of_the_wrong_length_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="Names: a row of 2 values for 3 columns"):
        package([("a", "b")])


def test_links_lead_inside_and_outside() -> None:
    sheet = opened(package([(Link("in", "#'Names'!A1"), Link("out", "https://example.org/?a=1&b=2"), 1)]))["Names"]
    assert (sheet["A2"].value, sheet["A2"].hyperlink.location) == ("in", "'Names'!A1")
    assert (sheet["B2"].value, sheet["B2"].hyperlink.target) == ("out", "https://example.org/?a=1&b=2")


def test_a_link_without_a_target_is_text_and_links_are_limited() -> None:
    data = package(((Link(f"n{number}", "#'Names'!A1"), Link("x", ""), 1) for number in range(MAX_LINKS + 5)),
                   max_rows=MAX_LINKS + 10)  # fmt: skip
    links = sheet_xml(data).findall(".//s:hyperlink", NAMESPACE)
    assert len(links) == MAX_LINKS
    assert all(link.get("ref", "").startswith("A") for link in links)


def test_choices_dates_and_colours_follow_the_rows() -> None:
    fields = (Field("Status", 10, "triage", choices=("Open", "Fixed")), Field("Due", 10, "triage date", date=True),
              Field("state", 10, words="state"))  # fmt: skip
    sheet = opened(package([(None, None, "blocks"), ("Open", None, "clear")], fields))["Names"]
    status, due = sheet.data_validations.dataValidation
    assert (status.type, status.formula1, str(status.sqref)) == ("list", '"Open,Fixed"', "A2:A3")
    assert (due.type, str(due.sqref)) == ("date", "B2:B3")
    rules = [rule for found in sheet.conditional_formatting for rule in found.rules]
    assert '"blocks"' in {rule.formula[0] for rule in rules}
    assert {str(found.sqref) for found in sheet.conditional_formatting} == {"C2:C3"}
    assert sheet["A2"].fill.fgColor.rgb.endswith("FFFBEB")


def test_row_heights_make_room_for_wrapped_text_up_to_a_limit() -> None:
    sheet = opened(package([("a", "short", 1), ("b", "word " * 40, 1), ("c", "line\n" * 500, 1)]))["Names"]
    assert sheet.row_dimensions[2].height < sheet.row_dimensions[3].height < sheet.row_dimensions[4].height
    assert sheet.row_dimensions[4].height == MAX_HEIGHT
    assert text_height("a\nb", 10) > text_height("ab", 10)


@pytest.mark.parametrize(
    ("title", "number", "expected"),
    [
        ("Findings", 1, "Findings"),
        ("Findings", 2, "Findings (2)"),
        ("a:b\\c/d?e*f[g]", 1, "a-b-c-d-e-f-g-"),
        ("x" * 40, 1, "x" * 31),
        ("x" * 40, 12, "x" * 26 + " (12)"),
        ("''", 1, "Sheet"),
    ],
)
def test_sheet_titles_are_ones_that_excel_accepts(title: str, number: int, expected: str) -> None:
    assert sheet_title(title, number) == expected


def test_every_part_is_well_formed_and_every_relationship_leads_to_a_part() -> None:
    data = package([(Link("in", "#'Names'!A1"), Link("out", "https://example.org"), 1)])
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        parts = set(archive.namelist())
        for part in parts:
            etree.fromstring(archive.read(part))
        for part in sorted(part for part in parts if part.endswith(".rels")):
            base = part.replace("_rels/", "").rpartition("/")[0]
            for relationship in etree.fromstring(archive.read(part)):
                if relationship.get("TargetMode") != "External":
                    target = relationship.get("Target", "")
                    assert posixpath.join(f"/{base}", target).lstrip("/") in parts


def test_the_bytes_depend_on_nothing_but_the_content() -> None:
    rows = [("a", "b", 1), ("é😀", "=c", 2)]
    data = package(rows)
    assert package(rows) == data
    assert package([*rows, ("x", "y", 3)]) != data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.create_system for entry in archive.infolist()} == {3}
        assert b"2026-11-23T16:00:00Z" in archive.read("docProps/core.xml")


SCRIPT = """
import io, sys
from datetime import UTC, datetime
from auditor.report import styles
from auditor.report.cells import Field
from auditor.report.xlsx import Book
book = Book(datetime(2026, 11, 23, 16, 0, tzinfo=UTC))
styles.add_styles(book)
book.add_table("Names", (Field("name", 20, words="state"),), [("é😀 < & >",)])
stream = io.BytesIO()
book.save(stream)
sys.stdout.buffer.write(stream.getvalue())
"""


def test_the_bytes_are_the_same_without_lxml() -> None:
    """openpyxl writes other XML where lxml is missing: what is installed beside us must not change a report."""
    runs = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT], capture_output=True, check=True,
            env={**os.environ, "OPENPYXL_LXML": with_lxml, "PYTHONHASHSEED": seed},
        ).stdout
        for with_lxml, seed in (("True", "1"), ("False", "2"))
    ]  # fmt: skip
    assert runs[0] == runs[1] != b""
