"""What one run hands over: the workbook, the CSV and the JSON agree, and only the inputs decide their bytes."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import openpyxl
import pandas
import pytest

from auditor.accounts import COLUMNS
from auditor.findings.base import finding_id

FILES = ("findings.xlsx", "findings.csv", "accounts.csv", "coverage.csv", "findings.json", "report.html", "run.json")
PURE = ("findings.xlsx", "findings.csv", "accounts.csv", "coverage.csv", "findings.json", "report.html")

GUARD = """
import socket, sys
def audit(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        raise SystemExit(f"network used: {event} {args}")
sys.addaudithook(audit)
from auditor.cli import main
sys.argv = ["auditor", *sys.argv[1:]]
main()
"""


def auditor(*arguments: str | Path, cwd: Path, guard: bool = False) -> subprocess.CompletedProcess[str]:
    start = ["-c", GUARD] if guard else ["-m", "auditor"]
    command = [sys.executable, *start, *(str(argument) for argument in arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, encoding="utf-8", timeout=240, check=False)


def read_csv(path: Path) -> list[dict[str, str]]:
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf"), "CSV starts with a BOM"
    assert b"\r\n" in data
    return list(csv.DictReader(data.decode("utf-8-sig").splitlines(keepends=True)))


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Path:
    """The folder of `auditor demo`, run as a user runs it."""
    folder = tmp_path_factory.mktemp("demo") / "run"
    done = auditor("demo", "--out", folder, cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(folder / "findings.xlsx")
    assert "Traceback" not in done.stderr
    return folder


def test_a_run_leaves_the_contracts_files(demo):
    assert {*FILES, "snapshot", "config.toml"} <= {path.name for path in demo.iterdir()}


def test_files_are_private(demo):
    if os.name == "nt":
        return
    for path in [demo, *demo.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_accounts_csv_has_the_contracts_columns_in_order_sorted(demo):
    rows = read_csv(demo / "accounts.csv")
    assert tuple(rows[0]) == COLUMNS
    ids = [row["user_id"] for row in rows]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids) >= 400


def test_workbook_agrees_with_csv_and_json(demo):
    findings = json.loads((demo / "findings.json").read_bytes())["findings"]
    sheet = pandas.read_excel(demo / "findings.xlsx", sheet_name="Findings", dtype=str, keep_default_na=False)
    assert set(sheet.iloc[:, 0]) == {finding["id"] for finding in findings}
    accounts = read_csv(demo / "accounts.csv")
    table = pandas.read_excel(demo / "findings.xlsx", sheet_name="Accounts", dtype=str, keep_default_na=False)
    assert len(table) == len(accounts)
    by_id = {row["user_id"]: row for row in accounts}
    headers = {name: header for header in table.columns for name in COLUMNS if header.lower().replace(" ", "_") == name}
    assert {"user_id", "basic", "oauth", "exposure", "deciding_blocker"} <= set(headers)
    for _, row in table.iterrows():
        for name in ("basic", "oauth", "exposure", "deciding_blocker", "breaks_at_retirement"):
            assert row[headers[name]] == by_id[row[headers["user_id"]]][name]


def test_findings_csv_json_and_ids_agree(demo):
    document = json.loads((demo / "findings.json").read_bytes())
    rows = read_csv(demo / "findings.csv")
    assert [row["id"] for row in rows] == sorted(finding["id"] for finding in document["findings"])
    tenant_id = json.loads((demo / "run.json").read_bytes())["tenant_id"]
    for row in rows:
        assert row["id"] == finding_id(row["rule"], tenant_id, row["object_id"])
        assert row["severity"] in ("critical", "high", "medium", "low", "info")
        assert row["outcome"] in ("fail", "unknown", "waived")
        assert row["change"] == "new"
        assert row["first_seen"] == "2026-11-23T16:00:00Z"
        assert row["remedy"]
        assert row["title"]
        assert row["evidence"]


def test_run_json_tells_requests_datasets_and_stages(demo):
    run = json.loads((demo / "run.json").read_bytes())
    assert run["now"] == "2026-11-23T16:00:00Z"
    assert run["requests"] >= sum(entry["requests"] for entry in run["datasets"].values()) > 0
    assert run["datasets"]["users"]["state"] == "complete"
    assert run["datasets"]["users"]["records"] >= 400
    assert {"collect", "evaluate", "report"} <= set(run["stages"])


def test_the_workbook_opens_without_the_program(demo):
    book = openpyxl.load_workbook(demo / "findings.xlsx")
    wanted = {"Summary", "Findings", "Senders", "Accounts", "Policies", "Coverage", "How to read this"}
    assert wanted <= set(book.sheetnames)
    text = " ".join(str(cell.value) for row in book["Summary"].iter_rows() for cell in row if cell.value is not None)
    assert "SMTP" in text


def test_evaluate_gives_the_same_bytes_with_the_network_off(demo, tmp_path):
    again = tmp_path / "again"
    done = auditor(
        "evaluate", demo / "snapshot", "--config", demo / "config.toml", "--out", again, cwd=tmp_path, guard=True
    )
    assert done.returncode == 0, done.stderr
    for name in PURE:
        assert (again / name).read_bytes() == (demo / name).read_bytes(), name


def test_emulate_and_run_give_the_bytes_of_demo(demo, tmp_path):
    config = tmp_path / "c.toml"
    command = [sys.executable, "-m", "auditor", "emulate", "--config-out", str(config)]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, encoding="utf-8") as emulator:
        try:
            lines = iter(emulator.stderr.readline, "")
            assert any("Ctrl-C stops it" in line for line in lines), "the emulated tenant started"
            done = auditor("run", "--config", config, "--out", tmp_path / "run", cwd=tmp_path)
        finally:
            emulator.terminate()
    assert done.returncode == 0, done.stderr
    for name in PURE:
        assert (tmp_path / "run" / name).read_bytes() == (demo / name).read_bytes(), name


def test_verify_holds_and_finds_a_flipped_byte(demo, tmp_path):
    import shutil

    assert auditor("verify", demo / "snapshot", cwd=tmp_path).returncode == 0
    copy = tmp_path / "copy"
    shutil.copytree(demo / "snapshot", copy)
    [users] = copy.glob("users.jsonl*")
    data = bytearray(users.read_bytes())
    data[len(data) // 2] ^= 1
    users.write_bytes(data)
    damaged = auditor("verify", copy, cwd=tmp_path)
    assert damaged.returncode != 0
    assert "users" in damaged.stderr


def test_previous_run_makes_findings_persist(demo, tmp_path):
    again = tmp_path / "again"
    done = auditor(
        "evaluate", demo / "snapshot", "--config", demo / "config.toml", "--previous", demo,
        "--now", "2026-12-01T00:00:00Z", "--out", again, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = read_csv(again / "findings.csv")
    assert {row["change"] for row in rows} <= {"persisting", "changed", "new"}
    assert any(row["change"] == "persisting" and row["first_seen"] == "2026-11-23T16:00:00Z" for row in rows)


def test_fail_on_and_strict_set_the_exit_code(demo, tmp_path):
    common = ["evaluate", demo / "snapshot", "--config", demo / "config.toml"]
    assert auditor(*common, "--out", tmp_path / "a", "--fail-on", "critical", cwd=tmp_path).returncode == 1
    assert auditor(*common, "--out", tmp_path / "b", "--strict", cwd=tmp_path).returncode == 0


def test_the_sample_is_what_the_demo_makes(demo, root):
    """reports/sample/ is made by `python -m auditor demo --out …`; contents are compared, zlib's bytes may differ."""
    sample = root / "reports" / "sample"
    for name in ("findings.csv", "accounts.csv", "coverage.csv", "findings.json"):
        assert (sample / name).read_bytes() == (demo / name).read_bytes(), name
    old, new = (openpyxl.load_workbook(folder / "findings.xlsx", read_only=True) for folder in (sample, demo))
    assert old.sheetnames == new.sheetnames
    for name in new.sheetnames:
        assert list(old[name].values) == list(new[name].values), name
