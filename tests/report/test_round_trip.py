"""Triage goes out in a workbook, through the hands of people and other programs, and comes back whole."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zipfile import ZipFile

import openpyxl
import pandas as pd
import pytest
from foreign import as_excel_for_the_web, as_google_sheets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.cell import Cell
from openpyxl.worksheet.table import Table, TableColumn

from auditor import report
from auditor.evaluate import Evaluation
from auditor.previous import load_previous
from auditor.triage import COLUMNS, Triage

RULES = ("exposed-account", "sender-blocked", "legacy-tls-allowed", "data-problem", "licence-error", "ca-gap")

TYPED: list[dict[str, Any]] = [
    {"Status": "In progress", "Owner": "Ann Müller", "Due date": date(2026, 12, 15), "Ticket": "SEC-1",
     "Analyst comment": "Asked the team.\nWaiting."},
    {"Status": "Risk accepted", "Owner": "ciso@contoso.example", "Analyst comment": "Replaced in spring",
     "Waiver until": date(2027, 3, 31)},
    {"Status": "False positive", "Analyst comment": "not = a formula; \U0001f600 é \u202eabc <&> 'quoted'"},
    {"Owner": "Bert", "Due date": "15.1.2027", "Ticket": 4711},
    {"Status": "fixed", "Ticket": "007"},
    {},
]  # fmt: skip
"""What an analyst types into the rows of Findings, from the top down: dates typed and written, a number as ticket."""

OWN = {
    "CAB date": [date(2027, 1, 15), datetime.fromisoformat("2027-02-01T09:30:00"), "after Easter"],
    "Cost (€)": [1250, 99.5, 0],
    "Client's = note": ["x = 1\ny = 2", "007", "\U0001f600 é <&> 'quoted'"],
    "Agreed": [True, False],
}
"""Columns that the analyst added, each with the values of the first rows."""

MEANT = [
    Triage("In progress", "Ann Müller", "2026-12-15", "SEC-1", "Asked the team.\nWaiting."),
    Triage("Risk accepted", "ciso@contoso.example", "", "", "Replaced in spring", "2027-03-31"),
    Triage("False positive", comment="not = a formula; \U0001f600 é \u202eabc <&> 'quoted'"),
    Triage(owner="Bert", due="2027-01-15", ticket="4711"),
    Triage("Fixed", ticket="007"),
    Triage(),
]
MEANT[:3] = [
    replace(mine, own=tuple((header, values[number]) for header, values in OWN.items() if number < len(values)))
    for number, mine in enumerate(MEANT[:3])
]


@pytest.fixture(scope="module")
def evaluation(make: SimpleNamespace) -> Evaluation:
    findings = [make.finding(rule, object_id=str(number), accounts=(0, 1)) for number, rule in enumerate(RULES)]
    made: Evaluation = make.evaluation(findings)
    return made


@pytest.fixture(scope="module")
def run(evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder whose workbook somebody has filled in, with openpyxl in the place of Excel."""
    folder = tmp_path_factory.mktemp("run")
    report.write(evaluation, folder)
    book = openpyxl.load_workbook(folder / "findings.xlsx")
    sheet = book["Findings"]
    places = {cell.value: cell.column for cell in sheet[1]}
    for number, values in enumerate(TYPED, 2):
        for header, value in values.items():
            write(sheet.cell(number, places[header]), value)
    table = next(iter(sheet.tables.values()))
    for place, (header, values) in enumerate(OWN.items(), sheet.max_column + 1):
        for number, value in enumerate([header, *values], 1):
            write(sheet.cell(number, place), value)
        # As Excel does it: what is typed beside a table widens it.
        table.tableColumns.append(TableColumn(id=place, name=header))
    table.ref = table.autoFilter.ref = sheet.dimensions
    book.save(folder / "findings.xlsx")
    return folder


def write(cell: Cell, value: Any) -> None:
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"


@pytest.fixture(scope="module")
def meant(run: Path) -> dict[str, Triage]:
    """Finding id → what was meant; the rows stand in the order in which they were filled in."""
    sheet = openpyxl.load_workbook(run / "findings.xlsx", read_only=True)["Findings"]
    ids = [str(row[0]) for row in sheet.iter_rows(min_row=2, values_only=True)]
    return dict(zip(ids, MEANT, strict=True))


def came_back(run: Path, workbook: Path, folder: Path) -> Mapping[str, Triage]:
    """What the next run takes from `run`, had its workbook been saved as `workbook`; own columns in their order."""
    copied = folder / "copy"
    shutil.rmtree(copied, ignore_errors=True)
    shutil.copytree(run, copied)
    name = "findings.xlsx" if workbook.suffix == ".xlsx" else workbook.name
    shutil.copy(workbook, copied / name)
    previous = load_previous(copied if name == "findings.xlsx" else copied / name)
    return {
        identity: replace(mine, own=tuple(sorted(mine.own, key=lambda pair: list(OWN).index(pair[0]))))
        for identity, mine in previous.triage.items()
    }


def test_saved_by_openpyxl(run: Path, meant: dict[str, Triage], tmp_path: Path) -> None:
    book = openpyxl.load_workbook(run / "findings.xlsx")
    book.save(tmp_path / "again.xlsx")
    assert came_back(run, tmp_path / "again.xlsx", tmp_path) == meant


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_opened_and_saved_by_libreoffice(
    run: Path, meant: dict[str, Triage], tool: Callable[[str], Path], tmp_path: Path, kind: str
) -> None:
    command = [tool("soffice"), "--headless", f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}",
               "--convert-to", kind, "--outdir", tmp_path / "out", run / "findings.xlsx"]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=240)
    assert came_back(run, tmp_path / "out" / f"findings.{kind}", tmp_path) == meant


@pytest.mark.parametrize("imitated", [as_google_sheets, as_excel_for_the_web])
def test_saved_by_google_sheets_and_excel_for_the_web(
    run: Path, meant: dict[str, Triage], tmp_path: Path, imitated: Callable[[Path, Path], Path]
) -> None:
    saved = imitated(run / "findings.xlsx", tmp_path / "saved.xlsx")
    assert came_back(run, saved, tmp_path) == meant
    alone = load_previous(saved)
    assert {key: mine.comment for key, mine in alone.triage.items()} == {
        key: mine.comment for key, mine in meant.items()
    }
    assert {found["id"] for found in alone.findings.values() if found["evidence"]} == set(meant)
    assert openpyxl.load_workbook(saved)["Findings"].max_row >= len(meant), "openpyxl opens the imitation too"


def by_pandas(source: Path, target: Path, change: Callable[[pd.DataFrame], pd.DataFrame] = lambda frame: frame) -> Path:
    """Every sheet through pandas: no styles, tables, links or properties are left."""
    frames = pd.read_excel(source, sheet_name=None, engine="openpyxl", keep_default_na=False)
    with pd.ExcelWriter(target, engine="openpyxl") as writer:
        for name, frame in frames.items():
            (change(frame) if name == "Findings" else frame).to_excel(writer, sheet_name=name, index=False)
    return target


def test_saved_by_pandas(run: Path, meant: dict[str, Triage], tmp_path: Path) -> None:
    assert came_back(run, by_pandas(run / "findings.xlsx", tmp_path / "pandas.xlsx"), tmp_path) == meant


@pytest.fixture(scope="module")
def frame(run: Path) -> pd.DataFrame:
    return pd.read_excel(run / "findings.xlsx", sheet_name="Findings", engine="openpyxl", keep_default_na=False)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32 - 1))
def test_rows_and_columns_shuffled(
    run: Path, meant: dict[str, Triage], frame: pd.DataFrame, tmp_path: Path, seed: int
) -> None:
    columns = list(frame.columns)
    random.Random(seed).shuffle(columns)
    shuffled = frame.sample(frac=1, random_state=seed)[columns]
    shuffled.to_excel(tmp_path / "shuffled.xlsx", sheet_name="Findings", index=False)
    assert came_back(run, tmp_path / "shuffled.xlsx", tmp_path) == meant


def test_what_looks_like_a_formula_stays_a_text(run: Path, meant: dict[str, Triage], tmp_path: Path) -> None:
    book = openpyxl.load_workbook(run / "findings.xlsx")
    sheet = book["Findings"]
    for header in ("Analyst comment", "Client's = note"):
        [place] = [cell.column for cell in sheet[1] if cell.value == header]
        write(sheet.cell(2, place), "=1+1")
    book.save(tmp_path / "again.xlsx")
    mine = came_back(run, tmp_path / "again.xlsx", tmp_path)[next(iter(meant))]
    assert (mine.comment, dict(mine.own)["Client's = note"]) == ("=1+1", "=1+1")


def test_sorted_filtered_widened_and_without_its_table(run: Path, meant: dict[str, Triage], tmp_path: Path) -> None:
    """What people do in a spreadsheet: a title above, a column inserted, rows hidden by a filter, no table any more."""
    book = openpyxl.load_workbook(run / "findings.xlsx")
    sheet = book["Findings"]
    table: Table
    for table in list(sheet.tables.values()):
        del sheet.tables[table.displayName]
    sheet.insert_cols(3)
    sheet.cell(1, 3, "Our own")
    sheet.insert_rows(1, 3)
    sheet.cell(1, 1, "Review of 1 December")
    for number in (5, 7):
        sheet.row_dimensions[number].hidden = True
    book.save(tmp_path / "worked.xlsx")
    assert came_back(run, tmp_path / "worked.xlsx", tmp_path) == meant


def test_ids_as_formulas_with_their_values(
    run: Path, meant: dict[str, Triage], frame: pd.DataFrame, tmp_path: Path
) -> None:
    """A program may write a link as a formula; its stored value counts, the formula is never run."""
    frame.to_excel(tmp_path / "plain.xlsx", sheet_name="Findings", index=False)
    with ZipFile(tmp_path / "plain.xlsx") as old, ZipFile(tmp_path / "formulas.xlsx", "w") as new:
        for name in old.namelist():
            data = old.read(name).decode()
            if name == "xl/worksheets/sheet1.xml":
                data, count = re.subn(
                    r'<c r="(A[2-9])"[^>]*><is><t[^>]*>(.*?)</t></is></c>',
                    r'<c r="\1" t="str"><f>HYPERLINK("#gid=1","x")</f><v>\2</v></c>',
                    data,
                )
                assert count == len(meant)
            new.writestr(name, data)
    assert came_back(run, tmp_path / "formulas.xlsx", tmp_path) == meant


def test_the_next_workbook_shows_it_all_and_gives_it_back_again(
    evaluation: Evaluation, run: Path, meant: dict[str, Triage], tmp_path: Path
) -> None:
    """Out, back, out again: nothing is lost, and nothing piles up."""
    columns = tuple(OWN)
    first = replace(evaluation, triage={key: mine for key, mine in meant.items() if mine}, own_columns=columns)
    for round_trip in (1, 2):
        folder = tmp_path / str(round_trip)
        report.write(first, folder)
        previous = load_previous(folder)
        assert {key: mine for key, mine in previous.triage.items() if mine} == first.triage
        assert (previous.remarks, previous.own_columns) == ((), columns)
        first = replace(
            evaluation, triage={key: mine for key, mine in previous.triage.items() if mine}, own_columns=columns
        )
    frame = pd.read_excel(
        tmp_path / "2" / "findings.xlsx", sheet_name="Findings", engine="openpyxl", keep_default_na=False
    )
    shown = frame.set_index("id").loc[next(iter(meant)), list(COLUMNS.values())].tolist()
    assert shown[:2] == ["In progress", "Ann Müller"]
    assert shown[2].date() == date(2026, 12, 15)
    assert frame["Waiver until"].map(type).nunique() == 2, "days are typed, the rest is empty"
    assert list(frame.columns[-4:]) == list(OWN)
    assert [str(value) for value in frame["CAB date"][:3]] == [
        "2027-01-15 00:00:00", "2027-02-01 09:30:00", "after Easter",
    ]  # fmt: skip


def test_a_comment_longer_than_a_cell_is_kept_whole_in_the_json(evaluation: Evaluation, tmp_path: Path) -> None:
    identity = evaluation.findings[0].id
    long = Triage(comment="x" * 32_700)
    report.write(replace(evaluation, triage={identity: long}), tmp_path)
    assert {key: mine for key, mine in load_previous(tmp_path).triage.items() if mine} == {identity: long}
    (tmp_path / "findings.xlsx").rename(tmp_path / "elsewhere.xlsx")
    assert load_previous(tmp_path).triage == {identity: long}
