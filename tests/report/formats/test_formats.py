"""Asking for formats: what is written where, and what is refused before anything is read."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from auditor import report
from auditor.cli import auditor
from auditor.errors import UsageError
from auditor.report.formats import FILES, FORMATS, check


def test_the_contracts_formats_are_there() -> None:
    assert {"json", "csv", "sarif", "ocsf", "junit", "md"} <= set(FORMATS)


def test_every_format_adds_its_files_private_and_stable(make: SimpleNamespace, tmp_path: Path) -> None:
    evaluation = make.evaluation([make.finding()])
    report.write(evaluation, tmp_path / "plain")
    report.write(evaluation, tmp_path / "all", FORMATS)
    report.write(evaluation, tmp_path / "again", FORMATS)
    plain, added = ({path.name for path in (tmp_path / name).iterdir()} for name in ("plain", "all"))
    assert added - plain == {name for names in FILES.values() for name in names}
    assert "report.html" in plain
    for name in added:
        assert (tmp_path / "all" / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name
        if os.name == "posix":
            assert stat.S_IMODE((tmp_path / "all" / name).stat().st_mode) == 0o600


def test_one_format_adds_only_its_own(make: SimpleNamespace, tmp_path: Path) -> None:
    report.write(make.evaluation(), tmp_path, ["junit", "json"])
    assert {path.name for path in tmp_path.iterdir()} & {name for names in FILES.values() for name in names} == {
        "findings.junit.xml"
    }


def test_what_is_not_known_or_not_installed_is_said_with_a_remedy() -> None:
    check(FORMATS)
    with pytest.raises(UsageError, match="No format named pdf") as unknown:
        check(["pdf", "sarif"])
    assert "junit" in unknown.value.remedy
    with pytest.raises(UsageError, match="needs the package pyarrow") as missing:
        check(["parquet"], find=lambda name: None)
    assert "tenant-auditor[parquet]" in missing.value.remedy
    check(["sarif"], find=lambda name: None)


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    folder = tmp_path / "snapshot"
    folder.mkdir()
    user = {"id": "11111111-2222-3333-4444-555555555555", "userPrincipalName": "ana@contoso.example"}
    (folder / "users.json").write_text(json.dumps({"value": [user]}), "utf-8")
    return folder


def test_evaluate_writes_what_is_asked_for_and_stdout_stays_clean(snapshot: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = ["evaluate", snapshot, "--out", out, "--now", "2026-11-23T16:00:00Z", "--format", "sarif"]
    command = [sys.executable, "-m", "auditor", *map(str, arguments), "--format", "md", "--format", "csv"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(out / "findings.xlsx")
    assert {"findings.sarif", "findings.md", "report.html", "findings.csv"} <= {path.name for path in out.iterdir()}
    assert not (out / "findings.ocsf.json").exists()


@pytest.mark.parametrize("command", ["run", "evaluate", "demo"])
def test_the_command_line_refuses_an_unknown_format(command: str) -> None:
    result = CliRunner().invoke(auditor, [command, "--format", "pdf"])
    assert result.exit_code == 2
    assert "'pdf' is not one of" in result.output
