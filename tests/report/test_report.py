"""What `report.write` leaves in a folder: the files agree, and only the evaluation decides their bytes."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import openpyxl
import pandas as pd
import pytest
from openpyxl.utils.escape import unescape
from python_calamine import CalamineWorkbook

from auditor import report
from auditor.config import Config
from auditor.errors import UsageError
from auditor.evaluate import Evaluation
from auditor.report.text import is_formula_like

FILES = {"findings.xlsx", "findings.csv", "accounts.csv", "coverage.csv", "findings.json", "report.html"}
Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def folder(demo: tuple[Evaluation, Config], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generator's tenant, reported."""
    path = tmp_path_factory.mktemp("report") / "run"
    assert report.write(demo[0], path) == path / "findings.xlsx"
    return path


def from_csv(path: Path) -> Rows:
    """A CSV file with the apostrophe before formula-like text taken off."""
    text = path.read_bytes().decode("utf-8-sig")
    return [
        {name: value[1:] if value.startswith("'") and is_formula_like(value[1:]) else value
         for name, value in row.items()}
        for row in csv.DictReader(io.StringIO(text, newline=""))
    ]  # fmt: skip


def by_openpyxl(path: Path, sheet: str) -> Rows:
    header, *rows = openpyxl.load_workbook(path, read_only=True)[sheet].iter_rows(values_only=True)
    return [_texts(header, row) for row in rows]


def by_calamine(path: Path, sheet: str) -> Rows:
    header, *rows = CalamineWorkbook.from_path(path).get_sheet_by_name(sheet).to_python()
    return [_texts(header, row) for row in rows]


def by_pandas(path: Path, sheet: str) -> Rows:
    frame = pd.read_excel(path, sheet_name=sheet, engine="openpyxl", dtype=str, keep_default_na=False)
    return [_texts(tuple(frame.columns), row) for row in frame.itertuples(index=False)]


def _texts(header: object, row: object) -> dict[str, str]:
    pairs = zip(header, row, strict=True)  # type: ignore[call-overload]
    return {name: _text(value) for name, value in pairs}


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return unescape(str(value))


READERS = pytest.mark.parametrize("read", [by_openpyxl, by_calamine, by_pandas])


def test_the_files_are_there_private_and_nothing_else(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == FILES
    if os.name == "posix":
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@READERS
def test_the_accounts_sheet_is_accounts_csv(folder: Path, read: Callable[[Path, str], Rows]) -> None:
    rows = from_csv(folder / "accounts.csv")
    assert len(rows) >= 400
    assert read(folder / "findings.xlsx", "Accounts") == rows


@READERS
def test_the_coverage_sheet_is_coverage_csv(folder: Path, read: Callable[[Path, str], Rows]) -> None:
    assert read(folder / "findings.xlsx", "Coverage") == from_csv(folder / "coverage.csv")


@READERS
def test_the_findings_sheet_csv_and_json_agree(folder: Path, read: Callable[[Path, str], Rows]) -> None:
    findings = json.loads((folder / "findings.json").read_bytes())["findings"]
    rows = {row["id"]: row for row in read(folder / "findings.xlsx", "Findings")}
    in_csv = from_csv(folder / "findings.csv")
    assert set(rows) == {finding["id"] for finding in findings}
    assert [row["id"] for row in in_csv] == [finding["id"] for finding in findings]
    for finding, row in zip(findings, in_csv, strict=True):
        shown = rows[finding["id"]]
        for name in ("rule", "severity", "outcome", "object_type", "object_id", "object_name", "title", "remedy",
                     "remedy_risk", "first_seen", "change"):  # fmt: skip
            assert shown[name] == row[name] == finding[name]
        assert all(fact["value"] in row["evidence"] for fact in finding["evidence"])
        assert int(shown["facts"]) == len(finding["evidence"])
        assert row["references"] == "\n".join(finding["references"])
        linked = [shown["reference 1"], shown["reference 2"], *shown["more references"].split("\n")]
        assert [address for address in linked if address] == finding["references"]
        assert int(shown["accounts"]) == len(finding["accounts"])


@READERS
def test_the_evidence_sheet_holds_every_fact_of_findings_json(folder: Path, read: Callable[[Path, str], Rows]) -> None:
    listed: dict[str, list[tuple[str, str, str]]] = {}
    for row in read(folder / "findings.xlsx", "Evidence"):
        value = f"{row['state']}: {row['value']}" if row["state"] else row["value"]
        listed.setdefault(row["finding_id"], []).append((row["fact"], value, row["dataset"]))
    findings = json.loads((folder / "findings.json").read_bytes())["findings"]
    assert listed == {
        finding["id"]: [(fact["name"], fact["value"], fact["dataset"]) for fact in finding["evidence"]]
        for finding in findings
    }


def test_the_affected_sheet_lists_the_accounts_of_findings_json(folder: Path) -> None:
    findings = {row["id"]: row for row in json.loads((folder / "findings.json").read_bytes())["findings"]}
    listed: dict[str, list[str]] = {}
    for row in by_calamine(folder / "findings.xlsx", "Affected"):
        listed.setdefault(row["finding_id"], []).append(row["user_id"])
    assert listed
    for identity, accounts in listed.items():
        assert sorted(accounts) == findings[identity]["accounts"]
    several = {key for key, row in findings.items() if len(row["accounts"]) > 1}
    assert several <= set(listed)


def test_the_senders_sheet_has_every_declared_sender_once(folder: Path, demo: tuple[Evaluation, Config]) -> None:
    rows = by_calamine(folder / "findings.xlsx", "Senders")
    assert sorted(row["Sender"] for row in rows) == sorted(sender.name for sender in demo[1].senders)


def test_bytes_are_the_same_in_another_folder_and_over_old_files(
    folder: Path, demo: tuple[Evaluation, Config], tmp_path: Path
) -> None:
    report.write(demo[0], tmp_path)
    report.write(demo[0], tmp_path)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_a_locked_workbook_leaves_the_old_files_alone(make: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "findings.xlsx").mkdir()
    (tmp_path / "accounts.csv").write_bytes(b"old")
    with pytest.raises(UsageError, match=r"findings\.xlsx"):
        report.write(make.evaluation(), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"findings.xlsx", "accounts.csv"}
    assert (tmp_path / "accounts.csv").read_bytes() == b"old"


def test_nothing_read_gives_headers_and_a_valid_workbook(make: SimpleNamespace, tmp_path: Path) -> None:
    path = report.write(make.evaluation([], "users", count=0), tmp_path)
    assert from_csv(tmp_path / "accounts.csv") == []
    assert json.loads((tmp_path / "findings.json").read_bytes())["findings"] == []
    assert "Accounts" in openpyxl.load_workbook(path).sheetnames


@pytest.mark.slow
def test_libreoffice_reads_and_prints_the_workbook(folder: Path, tool: Callable[[str], Path], tmp_path: Path) -> None:
    """A second program opens it without repair: every row is there again. Printed, every text of the Summary can be
    read, and no sheet is empty."""
    office, reader = tool("soffice"), tool("pdftotext")
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    for kind in ("xlsx", "pdf"):
        command = [office, "--headless", profile, "--convert-to", kind, "--outdir", tmp_path / kind]
        subprocess.run([*command, folder / "findings.xlsx"], check=True, capture_output=True, timeout=240)
    again = tmp_path / "xlsx" / "findings.xlsx"
    for sheet in ("Findings", "Accounts", "Affected", "Policies", "Remediation", "Changes", "Coverage"):
        assert by_calamine(again, sheet) == by_calamine(folder / "findings.xlsx", sheet)
    assert openpyxl.load_workbook(again)["Findings"].tables
    printed = subprocess.run([reader, tmp_path / "pdf" / "findings.pdf", "-"], check=True, capture_output=True)
    pages = ["".join(page.split()) for page in printed.stdout.decode().split("\f")]
    for sheet in openpyxl.load_workbook(folder / "findings.xlsx", read_only=True):
        name = sheet.title.replace(" ", "")
        on_paper = "".join(page for page in pages if f"{name}·2026-11-23" in page)
        texts = [str(value) for row in sheet.values for value in row if isinstance(value, str) and value.strip()]
        missing = [
            text for text in (texts if name == "Summary" else texts[:3]) if "".join(text.split()) not in on_paper
        ]
        assert not missing, (sheet.title, missing[:3])
