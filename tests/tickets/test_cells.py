"""Ticket keys, back into the run: tickets.json, the workbook's cells, and the next run's column."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile

import openpyxl
import pandas
import pytest

from auditor.errors import UsageError
from auditor.previous import load_previous, ticket_keys
from auditor.previous_workbook import read_workbook
from auditor.tickets.base import Ticket
from auditor.tickets.cells import fill
from auditor.tickets.keys import hand_back


@pytest.fixture
def run(root, tmp_path):
    """A copy of the sample run."""
    target = tmp_path / "run"
    target.mkdir()
    for name in ("findings.json", "findings.xlsx", "accounts.csv"):
        shutil.copy(root / "reports" / "sample" / name, target / name)
    return target


@pytest.fixture
def ids(run):
    return [found["id"] for found in json.loads((run / "findings.json").read_text("utf-8"))["findings"]]


def ticket(key: str) -> Ticket:
    return Ticket(key, key, f"https://tickets.example/{key}", "marker", "open", "New")


def shown(path):
    """Finding id → its cell under Ticket, by calamine."""
    return {row.id: row.triage["ticket"] for row in read_workbook(path).rows}


def test_keys_fill_empty_cells_and_nothing_else_changes(run, ids):
    path = run / "findings.xlsx"
    before = zipfile.ZipFile(path)
    keys = {ids[0]: "OPS-1", ids[1]: "#2", "no-such-finding": "OPS-9"}
    assert fill(path, keys) == 2
    cells = shown(path)
    assert (cells[ids[0]], cells[ids[1]]) == ("OPS-1", "#2")
    assert {identity for identity, key in cells.items() if key} == {ids[0], ids[1]}
    after = zipfile.ZipFile(path)
    assert before.namelist() == after.namelist()
    differing = [name for name in before.namelist() if before.read(name) != after.read(name)]
    assert len(differing) == 1
    assert differing[0].startswith("xl/worksheets/")
    sheet = openpyxl.load_workbook(path)["Findings"]
    header = [cell.value for cell in sheet[1]]
    column = header.index("Ticket") + 1
    found = {sheet.cell(row, 1).value: sheet.cell(row, column) for row in range(2, sheet.max_row + 1)}
    assert found[ids[0]].value == "OPS-1"
    assert found[ids[0]].style == found[ids[2]].style
    frame = pandas.read_excel(path, sheet_name="Findings", engine="calamine").set_index("id")
    assert frame.loc[ids[1], "Ticket"] == "#2"


def test_what_the_analyst_wrote_stays(run, ids):
    path = run / "findings.xlsx"
    assert fill(path, {ids[0]: "OPS-1"}) == 1
    assert fill(path, {ids[0]: "OPS-2", ids[1]: "OPS-3"}) == 1
    assert (shown(path)[ids[0]], shown(path)[ids[1]]) == ("OPS-1", "OPS-3")
    size = path.stat()
    assert fill(path, {ids[0]: "OPS-2"}) == 0
    assert path.stat() == size, "the file was touched for nothing"


def test_a_key_that_looks_like_a_formula_or_markup_is_text(run, ids):
    fill(run / "findings.xlsx", {ids[0]: '=1+1 & <b> "x"'})
    sheet = openpyxl.load_workbook(run / "findings.xlsx")["Findings"]
    column = [cell.value for cell in sheet[1]].index("Ticket")
    [cell] = [row[column] for row in sheet.iter_rows() if row[0].value == ids[0]]
    assert (cell.value, cell.data_type) == ('=1+1 & <b> "x"', "s")


def test_a_workbook_that_openpyxl_saved_is_filled(run, ids):
    path = run / "findings.xlsx"
    book = openpyxl.load_workbook(path)
    book["Findings"].insert_cols(3)
    book["Findings"].insert_rows(1)
    book.save(path)
    assert fill(path, {ids[0]: "OPS-1"}) == 1
    assert shown(path)[ids[0]] == "OPS-1"


def test_a_workbook_that_libreoffice_saved_is_filled(run, ids, tmp_path):
    if not shutil.which("soffice"):
        pytest.skip("LibreOffice is not installed")
    out = tmp_path / "saved"
    profile = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
    subprocess.run(
        ["soffice", profile, "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", out,
         run / "findings.xlsx"], check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    path = out / "findings.xlsx"
    assert fill(path, {ids[0]: "OPS-1", ids[3]: "OPS-2"}) == 2
    assert (shown(path)[ids[0]], shown(path)[ids[3]]) == ("OPS-1", "OPS-2")
    assert openpyxl.load_workbook(path)["Findings"]


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_workbook_is_left_alone(run, content):
    path = run / "findings.xlsx"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="cannot be read as a workbook"):
        fill(path, {"id": "OPS-1"})
    assert path.read_bytes() == content


def test_keys_reach_the_next_run_also_without_the_workbook(run, ids):
    assert hand_back(run, "desk", {ids[0]: ticket("OPS-1")}) == []
    assert hand_back(run, "other", {ids[0]: ticket("#7"), ids[1]: ticket("#8")}) == []
    assert ticket_keys(run) == {ids[0]: "OPS-1, #7", ids[1]: "#8"}
    assert shown(run / "findings.xlsx")[ids[0]] == "OPS-1", (
        "the cell was filled first, and is the analyst's from then on"
    )
    (run / "findings.xlsx").unlink()
    triage = load_previous(run).triage
    assert (triage[ids[0]].ticket, triage[ids[1]].ticket) == ("OPS-1, #7", "#8")
    if os.name == "posix":
        assert (run / "tickets.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("lock", ["~$findings.xlsx", ".~lock.findings.xlsx#"])
def test_an_open_workbook_is_not_touched_and_nothing_is_lost(run, ids, lock):
    (run / lock).write_text("", encoding="utf-8")
    before = (run / "findings.xlsx").read_bytes()
    [remark] = hand_back(run, "desk", {ids[0]: ticket("OPS-1")})
    assert "open in another program" in remark
    assert (run / "findings.xlsx").read_bytes() == before
    assert ticket_keys(run) == {ids[0]: "OPS-1"}


def test_a_damaged_tickets_json_is_told_and_kept(run, ids):
    (run / "tickets.json").write_text("{", encoding="utf-8")
    [remark] = hand_back(run, "desk", {ids[0]: ticket("OPS-1")})
    assert "no JSON" in remark
    assert (run / "tickets.json").read_text("utf-8") == "{"
