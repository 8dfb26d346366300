"""`auditor diff` and `auditor trend`: output for people and programs on stdout, errors with exit code 2."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

READ = {"users": "complete", "transportConfig": "complete"}


def auditor(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "auditor", *(str(argument) for argument in arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def finding(rule: str, **more: Any) -> dict[str, Any]:
    return {"id": f"{rule}-0123456789ab", "rule": rule, "severity": "high", "outcome": "fail", "title": f"About {rule}",
            "object_type": "tenant", "object_id": "t", "object_name": "T", "first_seen": "2026-08-24T16:00:00Z",
            "evidence": [], "accounts": [], **more}  # fmt: skip


def write(folder: Path, now: str, *findings: dict[str, Any], **more: Any) -> Path:
    folder.mkdir(parents=True)
    document = {"findings": list(findings), "tenant_id": "t-1", "now": now, "datasets": READ, **more}
    (folder / "findings.json").write_text(json.dumps(document), encoding="utf-8")
    summary = {"findings": {"high": len(findings)}, "senders": {"blocked": 2}, "exposure": {"open": 3}}
    run = {"tenant_id": "t-1", "now": now, "summary": summary}
    (folder / "run.json").write_text(json.dumps(run), encoding="utf-8")
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    old = write(tmp_path / "1", "2026-08-24T16:00:00Z", finding("legacy-tls-allowed"), finding("data-problem"))
    returned = finding("ca-gap", first_seen="2026-05-25T16:00:00Z")
    new = write(tmp_path / "2", "2026-11-23T16:00:00Z", finding("data-problem", severity="low"), returned)
    return old, new


def test_json_for_programs_on_stdout_a_line_for_people_on_stderr(runs: tuple[Path, Path]) -> None:
    done = auditor("diff", *runs, "--format", "json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert {change["rule"]: change["kind"] for change in document["findings"]} == {
        "ca-gap": "returned", "data-problem": "changed", "legacy-tls-allowed": "fixed",
    }  # fmt: skip
    assert "1 returned, 1 changed, 1 fixed" in done.stderr


def test_markdown_by_default(runs: tuple[Path, Path]) -> None:
    done = auditor("diff", *runs)
    assert done.stdout.startswith("# From 2026-08-24T16:00:00Z to 2026-11-23T16:00:00Z")
    assert "severity: high → low" in done.stdout


def test_wrong_order_missing_and_foreign_runs_are_exit_code_2(runs: tuple[Path, Path], tmp_path: Path) -> None:
    old, new = runs
    foreign = write(tmp_path / "3", "2027-01-01T00:00:00Z", tenant_id="t-2")
    for arguments, words in (((new, old), "older run first"), ((old, tmp_path / "none"), "cannot be read"),
                             ((old, foreign), "of tenant t-1")):  # fmt: skip
        done = auditor("diff", *arguments)
        assert done.returncode == 2, arguments
        assert words in done.stderr
        assert done.stdout == ""
        assert "Traceback" not in done.stderr


def test_a_trend_of_a_folder(runs: tuple[Path, Path], tmp_path: Path) -> None:
    done = auditor("trend", tmp_path, "--format", "json")
    assert [(run["now"][:7], run["high"], run["senders blocked"], run["exposure open"])
            for run in json.loads(done.stdout)["runs"]] == [("2026-08", 2, 2, 3), ("2026-11", 2, 2, 3)]  # fmt: skip
    assert auditor("trend", tmp_path, "--format", "csv").stdout.startswith("tenant,now,critical,high")
    (runs[0] / "run.json").write_text("broken")
    done = auditor("trend", tmp_path)
    assert (done.returncode, "left out" in done.stderr, done.stdout.count("\n")) == (0, True, 3)
    empty = auditor("trend", tmp_path / "1" / "nothing")
    assert (empty.returncode, empty.stdout) == (2, "")
