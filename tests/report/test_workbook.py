from __future__ import annotations

import io
import posixpath
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest
from lxml import etree

from auditor.config import Config, Sender
from auditor.evaluate import Evaluation
from auditor.previous_workbook import TITLES
from auditor.report.workbook import CONTENTS, write_workbook

SHEETS = [
    "Summary", "Findings", "Evidence", "Senders", "Sender blockers", "Accounts", "Affected", "Policies", "Remediation",
    "Changes", "Waivers", "Coverage", "How to read this",
]  # fmt: skip
Written = Callable[..., bytes]


def written(evaluation: Evaluation, config: Config | None = None, **more: Any) -> bytes:
    stream = io.BytesIO()
    write_workbook(stream, evaluation, **more)
    return stream.getvalue()


@pytest.fixture(scope="module")
def demo_bytes(demo: tuple[Evaluation, Config]) -> bytes:
    return written(*demo)


@pytest.fixture(scope="module")
def demo_book(demo_bytes: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(demo_bytes))


def test_the_sheets_stand_in_their_order_and_the_summary_lists_them(demo_book: Any) -> None:
    assert demo_book.sheetnames == SHEETS
    assert ["Summary", *CONTENTS] == SHEETS == list(TITLES)


def test_every_data_sheet_is_one_table_with_filters_and_its_own_header_cells(demo_book: Any) -> None:
    names = []
    for title in SHEETS[1:-1]:
        sheet = demo_book[title]
        (table,) = sheet.tables.values()
        names.append(table.displayName)
        assert table.ref == sheet.dimensions == table.autoFilter.ref
        assert table.column_names == [cell.value for cell in sheet[1]]
        assert len(set(table.column_names)) == len(table.column_names)
        assert sheet.freeze_panes
    assert len(set(names)) == len(names)


def test_every_sheet_prints_fitted_with_header_page_numbers_and_marked(demo_book: Any) -> None:
    for sheet in demo_book:
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert (sheet.page_setup.fitToWidth or 1) <= 4
        assert sheet.page_setup.fitToHeight == (1 if sheet.title == "Summary" else 0)
        assert sheet.oddFooter.right.text == "Page &P of &N"
        assert sheet.oddHeader.right.text == "Confidential"
        if sheet.title in SHEETS[1:-1]:
            assert sheet.page_setup.orientation == "landscape"
            assert sheet.print_title_rows == "$1:$1"
    findings = demo_book["Findings"]
    last = next(cell.column_letter for cell in findings[1] if cell.value == "accounts")
    assert findings.print_area == f"'Findings'!$A$1:${last}${findings.max_row}"
    assert (findings.page_setup.fitToWidth or 1) == 1


def test_the_properties_name_tenant_run_schema_and_no_other_time(
    demo: tuple[Evaluation, Config], demo_book: Any
) -> None:
    tenant = demo[0].judgement.tenant
    properties = demo_book.properties
    assert properties.created == properties.modified == tenant.now.replace(tzinfo=None)
    assert tenant.name in properties.title
    assert properties.creator.startswith("tenant-auditor ")
    assert properties.language == "en"
    assert {found.name: found.value for found in demo_book.custom_doc_props.props} == {
        "run": "20261123T160000Z", "tenant": tenant.tenant_id, "schema": "1",
    }  # fmt: skip


def test_no_cell_of_any_sheet_is_a_formula_or_an_error(demo_book: Any) -> None:
    kinds = {cell.data_type for sheet in demo_book for row in sheet.iter_rows() for cell in row}
    assert kinds <= {"s", "n"}


def test_every_link_inside_leads_to_the_row_it_names(demo_book: Any) -> None:
    followed = 0
    for title in ("Summary", "Findings", "Evidence", "Senders", "Sender blockers"):
        places = {cell.value: cell.column - 1 for cell in demo_book[title][1]}
        for row in demo_book[title].iter_rows():
            for cell in row:
                if cell.hyperlink and cell.hyperlink.location:
                    place, _, corner = cell.hyperlink.location.rpartition("!")
                    target = demo_book[place.strip("'")][corner]
                    followed += 1
                    if title != "Summary" and cell.column == 1:
                        assert target.value == cell.value
                    elif cell.value == row[0].value or title == "Findings":
                        assert target.value in {row[0].value, row[places["rule"]].value}
    assert followed > 500


def test_links_outside_are_microsofts_pages_only(demo_bytes: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(demo_bytes)) as archive:
        targets = {
            relationship.get("Target", "")
            for part in archive.namelist()
            if part.startswith("xl/worksheets/_rels/")
            for relationship in etree.fromstring(archive.read(part))
            if relationship.get("TargetMode") == "External"
        }
    assert targets
    assert all(target.startswith("https://") for target in targets)


def test_every_part_is_well_formed_and_every_relationship_leads_to_a_part(demo_bytes: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(demo_bytes)) as archive:
        parts = set(archive.namelist())
        types = etree.fromstring(archive.read("[Content_Types].xml"))
        assert {entry.get("PartName", "").lstrip("/") for entry in types if entry.get("PartName")} <= parts
        for part in parts:
            root = etree.fromstring(archive.read(part))
            if part.endswith(".rels"):
                base = part.replace("_rels/", "").rpartition("/")[0]
                for relationship in root:
                    if relationship.get("TargetMode") != "External":
                        assert posixpath.join(f"/{base}", relationship.get("Target", "")).lstrip("/") in parts


def test_charts_carry_a_text_for_those_who_do_not_see_them(demo_bytes: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(demo_bytes)) as archive:
        drawing = etree.fromstring(archive.read("xl/drawings/drawing1.xml"))
    described = [node.get("descr") for node in drawing.iter("{*}cNvPr") if node.get("descr")]
    assert described == [
        "Accounts by verdict: the numbers stand in the table beside it.",
        "Findings by severity and outcome: the numbers stand in the table beside it.",
    ]


def test_the_status_column_offers_the_five_words(demo_book: Any) -> None:
    sheet = demo_book["Findings"]
    lists = [found for found in sheet.data_validations.dataValidation if found.type == "list"]
    assert [found.formula1 for found in lists] == ['"Open,In progress,Risk accepted,False positive,Fixed"']
    assert {cell.value for cell in sheet["D"][1:]} <= {"Open", "Risk accepted"}


def test_nothing_read_still_gives_a_whole_workbook_that_says_so(make: SimpleNamespace) -> None:
    book = openpyxl.load_workbook(io.BytesIO(written(make.evaluation([], "users", count=0))))
    assert book.sheetnames == SHEETS
    told = " ".join(str(cell.value) for row in book["Summary"].iter_rows() for cell in row if cell.value)
    assert "No account was judged" in told
    assert book["Accounts"].tables["tblAccounts"].ref.endswith("2")


HOSTILE = [
    "=HYPERLINK(A1)", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "\x00\x07\x1b", "\ud800", "_x000D_",
    "x" * 50_000, "#REF!", "]]><!--&lt;", "'quoted", "\ufffe", " ", "é\u202e", "😀" * 20_000,
]  # fmt: skip


def test_hostile_names_everywhere_stay_text(make: SimpleNamespace) -> None:
    findings = [
        make.finding(rule=f"rule-{number}", title=name, object_name=name, remedy=name, accounts=(0, 1))
        for number, name in enumerate(HOSTILE)
    ]
    senders = [
        Sender(name=name, account="person0@contoso.example", username=name, owner=name, server="=1") for name in HOSTILE
    ]
    evaluation = make.evaluation(
        findings, count=len(HOSTILE), names=HOSTILE, senders=senders, reason="=1+1", tenant_name="=Evil & Co\x07"
    )
    data = written(evaluation)
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row} <= {"s", "n"}
    assert len(book["Findings"]["A"]) == len(HOSTILE) + 1
    assert "=Evil &" in book.properties.title
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for part in archive.namelist():
            root = etree.fromstring(archive.read(part))
            assert not list(root.iter("{http://schemas.openxmlformats.org/spreadsheetml/2006/main}f"))


def test_sheets_that_overflow_go_on_and_links_follow(make: SimpleNamespace) -> None:
    findings = [make.finding(f"rule-{number}", accounts=(0, 1, 2)) for number in range(4)]
    book = openpyxl.load_workbook(io.BytesIO(written(make.evaluation(findings, count=5), max_rows=5)))
    assert [name for name in book.sheetnames if name.startswith("Affected")] == [
        "Affected", "Affected (2)", "Affected (3)",
    ]  # fmt: skip
    assert "Accounts (2)" in book.sheetnames
    for cell in book["Findings"]["A"][1:]:
        place, _, corner = cell.hyperlink.location.rpartition("!")
        assert book[place.strip("'")][corner].value == cell.value


def test_bytes_depend_on_the_evaluation_alone(
    demo: tuple[Evaluation, Config], demo_bytes: bytes, tmp_path: Path
) -> None:
    assert written(*demo) == demo_bytes
    path = tmp_path / "elsewhere.xlsx"
    with path.open("w+b") as stream:
        write_workbook(stream, demo[0])
    assert path.read_bytes() == demo_bytes
