"""A worked-on workbook is read by the names of its headers, whatever was done to it; a damaged one is an error."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.comments import Comment

from auditor.errors import UsageError
from auditor.previous_workbook import TITLES, read_workbook

HEADER = ("id", "severity", "outcome", "Status", "title", "Owner", "Due date", "Ticket", "Analyst comment",
          "Waiver until")  # fmt: skip
ROWS = [
    (f"rule-{number:012x}", "high", "fail", status, "T", owner, day, ticket, comment, None)
    for number, (status, owner, day, ticket, comment) in enumerate([
        ("In progress", "Ann", date(2026, 12, 15), "T-1", "asked\nagain"),
        ("Open", None, None, 4711, None),
        ("False positive", "Bert", None, None, "=not a formula"),
        (None, None, None, None, None),
    ])
]  # fmt: skip


def save(path: Path, rows: Sequence[Sequence[Any]], title: str = "Findings", **more: Sequence[Sequence[Any]]) -> Path:
    book = openpyxl.Workbook()
    for name, grid in {title: rows, **more}.items():
        sheet = book.create_sheet(name)
        for number, row in enumerate(grid, 1):
            for column, value in enumerate(row, 1):
                cell = sheet.cell(number, column, value)
                if isinstance(value, str):
                    cell.data_type = "s"
    del book["Sheet"]
    book.save(path)
    return path


def told(path: Path) -> dict[str, tuple[Any, ...]]:
    """Id → the cells of triage, as a reader of the sheet sees them."""
    return {row.id: tuple(row.triage.values()) for row in read_workbook(path).rows}


def test_every_row_is_found_with_its_cells_and_place(tmp_path: Path) -> None:
    worked = read_workbook(save(tmp_path / "a.xlsx", [HEADER, *ROWS]))
    assert [row.id for row in worked.rows] == [row[0] for row in ROWS]
    first = worked.rows[0]
    assert first.triage["owner"] == "Ann"
    assert first.triage["due"] == date(2026, 12, 15)
    assert first.triage["comment"] == "asked\nagain"
    assert (first.plain["severity"], first.where) == ("high", "Findings, row 2")
    assert worked.remarks == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.integers(0, 5), st.integers(0, 3), st.integers(0, 4))
def test_rows_and_columns_may_be_moved_and_added(
    tmp_path: Path, seed: int, above: int, before: int, added: int
) -> None:
    """Sorted otherwise, columns moved, others added between them, a title above and empty columns to the left."""
    dice = random.Random(seed)
    header = [*HEADER, *(f"Extra {number}" for number in range(added))]
    rows = [[*row, *([None] * added)] for row in ROWS]
    order = list(range(len(header)))
    dice.shuffle(order)
    dice.shuffle(rows)
    grid = [[None] * before + [row[place] for place in order] for row in [header, *rows]]
    path = save(tmp_path / f"{seed}.xlsx", [*([["A title"], *[[]] * 4][:above]), *grid])
    plain = told(save(tmp_path / "plain.xlsx", [HEADER, *ROWS]))
    assert told(path) == plain
    path.unlink()


def test_headers_are_known_in_any_case_and_spacing(tmp_path: Path) -> None:
    header = [f" {name.upper()} ".replace(" ", "  ") for name in HEADER]
    assert told(save(tmp_path / "b.xlsx", [header, *ROWS])) == told(save(tmp_path / "a.xlsx", [HEADER, *ROWS]))


def test_findings_over_several_sheets_and_under_another_name(tmp_path: Path) -> None:
    parts = save(tmp_path / "a.xlsx", [HEADER, *ROWS[:2]], **{"Findings (2)": [HEADER, *ROWS[2:]]})
    assert len(told(parts)) == len(ROWS)
    renamed = save(tmp_path / "b.xlsx", [["Nothing"]], title="Notes", Befunde=[HEADER, *ROWS])
    assert len(told(renamed)) == len(ROWS)


def test_the_sheet_of_changes_is_not_taken_for_findings(tmp_path: Path) -> None:
    changes = [("change", "Status", "Owner", "finding_id"), ("fixed", "Fixed", "Ann", ROWS[0][0])]
    with pytest.raises(UsageError, match="no sheet has a column `id`"):
        read_workbook(save(tmp_path / "a.xlsx", changes, title="Changes"))


def test_deleted_columns_are_left_out_and_told(tmp_path: Path) -> None:
    grid = [(row[0], *row[3:5]) for row in [HEADER, *ROWS]]
    worked = read_workbook(save(tmp_path / "a.xlsx", grid))
    assert set(worked.rows[0].triage) == {"status"}
    assert "no column Owner, Due date, Ticket, Analyst comment, Waiver until" in worked.remarks[0].text


def test_own_columns_come_back_under_a_header_that_no_other_has(tmp_path: Path) -> None:
    grid = [
        [*HEADER, "Client contact", "Owner", "Empty", None, None, "client  CONTACT"],
        [*ROWS[0], "Mr X", "Zoe", None, "?", None, 7.5],
        [*ROWS[1], "=1+1", None, None, date(2027, 1, 31), None, True],
        [None, *[None] * 4, "Lost", *[None] * 4, "Mr Y", *[None] * 5],
    ]
    worked = read_workbook(save(tmp_path / "a.xlsx", grid))
    assert worked.own_columns == ("Client contact", "Owner (2)", "Empty", "Column 14", "client CONTACT (2)")
    first, second = worked.rows
    assert first.triage["owner"] == "Ann"
    assert first.own == {
        "Client contact": "Mr X", "Owner (2)": "Zoe", "Empty": "", "Column 14": "?", "client CONTACT (2)": 7.5,
    }  # fmt: skip
    assert second.own["Client contact"] == "=1+1"
    assert (second.own["Column 14"], second.own["client CONTACT (2)"]) == (date(2027, 1, 31), True)
    assert [remark.text for remark in worked.remarks] == [
        *(f"A column without a header of its own is carried over as `{name}`."
          for name in ("Owner (2)", "Column 14", "client CONTACT (2)")),
        "The row has no id, so this was not carried over: Lost; Mr Y.",
    ]  # fmt: skip


def test_own_sheets_and_notes_are_told_and_the_programs_own_are_not(tmp_path: Path) -> None:
    ours = {title: [["x"]] for title in (*TITLES[2:], "Accounts (2)")}
    path = save(tmp_path / "a.xlsx", [HEADER, *ROWS], **ours, **{"Call notes": [["asked"]], "Sheet1": []})
    book = openpyxl.load_workbook(path)
    book["Findings"]["D2"].comment = Comment("Ask again", "Ann")
    book["Findings"]["D3"].comment = Comment("And again", "Ann")
    book.save(path)
    assert [(remark.where, remark.text.partition(" stand")[0]) for remark in read_workbook(path).remarks] == [
        ("Call notes", "This sheet is not of this program: it is not carried over and"),
        ("", "Notes on cells (D2, D3) are not carried over; they"),
    ]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no zip", b"{}", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600])
def test_what_is_no_workbook_is_an_error_that_says_what_to_do(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "findings.xlsx"
    path.write_bytes(data)
    with pytest.raises(UsageError, match="cannot be read as a workbook") as caught:
        read_workbook(path)
    assert str(path) in caught.value.message
    assert "save it again as .xlsx" in caught.value.remedy


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_workbook(tmp_path / "none.xlsx")


def rewritten(path: Path, part: str, data: bytes | None) -> Path:
    """The same package with one part replaced, or taken out."""
    target = path.with_name(f"damaged-{path.name}")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if name != part:
                new.writestr(name, old.read(name))
            elif data is not None:
                new.writestr(name, data)
    return target


def test_a_damaged_sheet_is_named(tmp_path: Path) -> None:
    path = save(tmp_path / "a.xlsx", [HEADER, *ROWS])
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    for broken in (sheet[: len(sheet) // 2], b"<not xml"):
        with pytest.raises(UsageError, match=r"Findings|cannot be read"):
            read_workbook(rewritten(path, "xl/worksheets/sheet1.xml", broken))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_damage_is_an_error_or_harmless_never_a_crash(tmp_path: Path, data: st.DataObject) -> None:
    whole = tmp_path / "whole.xlsx"
    if not whole.exists():
        save(whole, [HEADER, *ROWS])
    bytes_ = bytearray(whole.read_bytes())
    at = data.draw(st.integers(0, len(bytes_) - 1))
    if data.draw(st.booleans()):
        bytes_[at] ^= data.draw(st.integers(1, 255))
    else:
        del bytes_[at:]
    damaged = tmp_path / "damaged.xlsx"
    damaged.write_bytes(bytes_)
    try:
        told = f"{damaged}: {len(read_workbook(damaged).rows)} rows"
    except UsageError as error:
        told = error.message
    assert told.startswith(str(damaged))


def test_the_properties_name_tenant_and_run_and_may_be_lost(tmp_path: Path) -> None:
    path = save(tmp_path / "a.xlsx", [HEADER, *ROWS])
    book = openpyxl.load_workbook(path)
    for name, value in {"tenant": "t-1", "run": "20261123T160000Z"}.items():
        book.custom_doc_props.append(openpyxl.packaging.custom.StringProperty(name=name, value=value))
    book.save(path)
    worked = read_workbook(path)
    assert (worked.tenant_id, worked.run) == ("t-1", "20261123T160000Z")
    for lost in (None, b"<!DOCTYPE x [<!ENTITY a 'b'>]><Properties/>", b"<broken", b"<P>" + b" " * (1 << 20) + b"</P>"):
        other = read_workbook(rewritten(path, "docProps/custom.xml", lost))
        assert (other.tenant_id, other.run, len(other.rows)) == ("", "", len(ROWS))


def test_evidence_is_read_back_a_fact_a_row_and_not_where_a_cell_was_cut(tmp_path: Path) -> None:
    facts = [
        ("severity", "fact", "finding_id", "state", "value", "dataset"),
        ("high", "mailbox", "r-1", "blocks", "It has none.", "mailboxes"),
        ("high", "note", "r-1", None, "a: b\nsecond line", None),
        ("high", "note", "r-2", None, "long… (cut; the full text is in findings.json)", None),
        ("high", "other", "r-2", None, "short", None),
    ]
    path = save(tmp_path / "a.xlsx", [HEADER, *ROWS], Evidence=[["Our review"], *facts])
    assert read_workbook(path).evidence == {
        "r-1": [
            {"name": "mailbox", "value": "blocks: It has none.", "dataset": "mailboxes"},
            {"name": "note", "value": "a: b\nsecond line", "dataset": ""},
        ]
    }
    assert (
        read_workbook(save(tmp_path / "b.xlsx", [HEADER, *ROWS], Evidence=[["fact", "value"], ["a", 1]])).evidence == {}
    )
