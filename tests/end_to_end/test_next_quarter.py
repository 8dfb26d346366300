"""Quarter after quarter as a user runs it: the demo twice, with a workbook that somebody worked in between."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import openpyxl
import pytest

pytestmark = pytest.mark.slow

PURE = ("findings.xlsx", "findings.csv", "accounts.csv", "coverage.csv", "findings.json", "report.html")


def auditor(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "auditor", *(str(argument) for argument in arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, encoding="utf-8", timeout=240, check=False)


@dataclass(frozen=True)
class Quarters:
    first: Path
    second: Path
    stderr: str


@pytest.fixture(scope="module")
def quarters(tmp_path_factory: pytest.TempPathFactory) -> Quarters:
    folder = tmp_path_factory.mktemp("quarters")
    done = auditor("demo", "--quarter", "1", "--out", "q1", cwd=folder)
    assert done.returncode == 0, done.stderr
    work_in(folder / "q1" / "findings.xlsx")
    done = auditor("demo", "--quarter", "2", "--previous", "q1", "--out", "q2", cwd=folder)
    assert done.returncode == 0, done.stderr
    return Quarters(folder / "q1", folder / "q2", done.stderr)


TYPED = {
    "smtp-auth-organisation-on": {"Status": "In progress", "Owner": "anna", "Due date": date(2027, 1, 15),
                                  "Ticket": "SEC-1", "Analyst comment": "Asked."},
    "exposed-accounts": {"Status": "Risk accepted", "Owner": "ciso", "Analyst comment": "Until spring",
                         "Waiver until": date(2027, 4, 30)},
    "legacy-tls-allowed": {"Status": "Fixed"},
    "password-spray": {"Status": "later", "Owner": "bert"},
    "admin.migration@contoso.example": {"Status": "Fixed", "Ticket": "SEC-2"},
}  # fmt: skip
"""Rule or object → what an analyst typed beside its finding in the first quarter."""


def work_in(path: Path) -> None:
    book = openpyxl.load_workbook(path)
    sheet = book["Findings"]
    places = {cell.value: cell.column for cell in sheet[1]}
    for number in range(2, sheet.max_row + 1):
        for known in ("rule", "object_name"):
            for header, value in TYPED.get(sheet.cell(number, places[known]).value, {}).items():
                sheet.cell(number, places[header], value)
    book.save(path)


def rows(folder: Path, sheet: str) -> list[dict[str, object]]:
    header, *values = openpyxl.load_workbook(folder / "findings.xlsx", read_only=True)[sheet].values
    return [dict(zip(header, row, strict=True)) for row in values]


def test_triage_is_carried_over_and_a_waiver_of_the_workbook_waives(quarters: Quarters) -> None:
    told = {row["rule"]: row for row in rows(quarters.second, "Findings")}
    first = told["smtp-auth-organisation-on"]
    assert [first[name] for name in ("Status", "Owner", "Ticket", "Analyst comment")] == [
        "In progress", "anna", "SEC-1", "Asked.",
    ]  # fmt: skip
    assert first["Due date"].date() == date(2027, 1, 15)  # type: ignore[attr-defined]
    waived = told["exposed-accounts"]
    assert (waived["outcome"], waived["Status"]) == ("waived", "Risk accepted")
    assert waived["waiver"] == "until 2027-04-30: ciso, Until spring"
    assert told["password-spray"]["Analyst comment"] == "Status: later"
    (waiver,) = rows(quarters.second, "Waivers")
    assert (waiver["source"], waiver["state"], waiver["use"]) == ("workbook", "in force", "used")


def test_conflicts_are_told_in_the_sheet_and_on_stderr(quarters: Quarters) -> None:
    told = {str(row["note"]) for row in rows(quarters.second, "Changes") if row["change"] == "triage"}
    assert "Status is Fixed, but it still stands." in told
    assert any("`later` is none of the statuses" in note for note in told)
    assert "since 2026-11-23T16:00:00Z: 3 new," in quarters.stderr
    assert "triage carried over: 5 findings" in quarters.stderr
    assert "Status is Fixed, but it still stands." in quarters.stderr


def test_what_is_gone_keeps_its_triage_for_its_return(quarters: Quarters) -> None:
    [row] = [row for row in rows(quarters.second, "Changes") if row["change"] == "fixed" and row["Ticket"]]
    assert "admin.migration@contoso.example" in str(row["title"])
    assert (row["Status"], row["Ticket"]) == ("Fixed", "SEC-2")
    gone = json.loads((quarters.second / "findings.json").read_bytes())["gone"]
    [entry] = [entry for entry in gone if entry["object_name"] == "admin.migration@contoso.example"]
    assert entry["triage"]["ticket"] == "SEC-2"


def test_the_same_inputs_give_the_same_bytes_with_a_previous_run_too(quarters: Quarters, tmp_path: Path) -> None:
    done = auditor(
        "evaluate", quarters.second / "snapshot", "--config", quarters.second / "config.toml", "--previous",
        quarters.first, "--out", tmp_path / "again", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name in PURE:
        assert (tmp_path / "again" / name).read_bytes() == (quarters.second / name).read_bytes(), name


def test_diff_of_the_folders_tells_what_the_sheet_tells(quarters: Quarters, tmp_path: Path) -> None:
    done = auditor("diff", quarters.first, quarters.second, "--format", "json", cwd=tmp_path)
    document = json.loads(done.stdout)
    from_diff = {(change["kind"], change["id"], fact["name"]) for change in document["findings"]
                 for fact in change["facts"] or [{"name": None}]}  # fmt: skip
    in_sheet = {(row["change"], row["finding_id"], row["fact"]) for row in rows(quarters.second, "Changes")
                if row["subject"] == "finding"}  # fmt: skip
    assert from_diff == in_sheet
    assert document["not_compared"] == []
    trend = auditor("trend", quarters.first.parent, "--format", "json", cwd=tmp_path)
    assert [run["now"][:10] for run in json.loads(trend.stdout)["runs"]] == ["2026-11-23", "2027-02-22"]


def test_another_tenants_run_is_refused_before_anything_is_read(quarters: Quarters, tmp_path: Path) -> None:
    done = auditor("demo", "--seed", "2", "--previous", quarters.first, "--out", "other", cwd=tmp_path)
    assert done.returncode == 2
    assert "is of another tenant" in done.stderr
    assert not (tmp_path / "other" / "snapshot").exists()


def test_a_damaged_workbook_or_another_tenants_stops_with_exit_code_2(quarters: Quarters, tmp_path: Path) -> None:
    def evaluate(previous: Path) -> subprocess.CompletedProcess[str]:
        return auditor(
            "evaluate", quarters.second / "snapshot", "--config", quarters.second / "config.toml", "--previous",
            previous, "--out", tmp_path / "out", cwd=tmp_path,
        )  # fmt: skip

    damaged = tmp_path / "damaged"
    shutil.copytree(quarters.first, damaged, ignore=shutil.ignore_patterns("snapshot"))
    whole = (damaged / "findings.xlsx").read_bytes()
    (damaged / "findings.xlsx").write_bytes(whole[: len(whole) // 2])
    done = evaluate(damaged)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert "findings.xlsx: cannot be read as a workbook" in done.stderr
    assert not (tmp_path / "out").exists()
    document = json.loads((damaged / "findings.json").read_bytes())
    document["tenant_id"] = ""
    for finding in document["findings"]:
        finding["object_id"] += "x"
    (damaged / "findings.json").write_text(json.dumps(document))
    (damaged / "findings.xlsx").unlink()
    (damaged / "run.json").unlink()
    done = evaluate(damaged)
    assert done.returncode == 2
    assert "is of another tenant (by the ids of its findings" in done.stderr
