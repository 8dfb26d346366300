"""The runs of a folder over time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auditor.errors import UsageError
from auditor.trend import trend

SUMMARY = {
    "accounts": 400, "findings": {"critical": 1, "high": 2}, "waived": 3, "senders": {"blocked": 4},
    "exposure": {"open": 5},
}  # fmt: skip


def write(folder: Path, now: str, **more: Any) -> Path:
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"now": now, "tenant_id": "t-1", **more}))
    return folder


def test_finished_runs_stand_by_tenant_and_moment(tmp_path: Path) -> None:
    write(tmp_path / "contoso" / "b", "2026-11-23T16:00:00Z", summary=SUMMARY)
    write(tmp_path / "contoso" / "a", "2026-08-24T16:00:00Z", summary=SUMMARY)
    write(tmp_path / "fabrikam", "2026-01-01T00:00:00Z", summary=SUMMARY, tenant_id="a-0")
    (tmp_path / "contoso" / "unfinished" / "snapshot").mkdir(parents=True)
    points, problems = trend(tmp_path)
    assert [(point.tenant, point.now[:7]) for point in points] == [
        ("a-0", "2026-01"), ("t-1", "2026-08"), ("t-1", "2026-11"),
    ]  # fmt: skip
    assert points[0].findings == {"critical": 1, "high": 2, "medium": 0, "low": 0, "info": 0}
    assert (points[0].waived, points[0].senders, points[0].exposure) == (3, {"blocked": 4}, {"open": 5})
    assert problems == []
    assert len(trend(tmp_path / "contoso" / "a")[0]) == 1


def test_an_older_run_is_counted_from_its_findings(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", "2026-08-24T16:00:00Z")
    findings = [{"severity": "high", "outcome": "fail"}, {"severity": "high", "outcome": "waived"}]
    (folder / "findings.json").write_text(json.dumps({"findings": findings}))
    ((point,), _) = trend(tmp_path)
    assert (point.findings["high"], point.waived, point.senders, point.accounts) == (1, 1, None, None)


def test_a_damaged_run_is_left_out_and_told(tmp_path: Path) -> None:
    write(tmp_path / "a", "2026-08-24T16:00:00Z", summary=SUMMARY)
    write(tmp_path / "b", "2026-08-24T16:00:00Z")
    broken = write(tmp_path / "c", "x")
    (broken / "run.json").write_text("[]")
    points, problems = trend(tmp_path)
    assert len(points) == 1
    assert [str(tmp_path / name) in problem for name, problem in zip("bc", problems, strict=True)] == [True, True]


def test_no_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="holds no finished run"):
        trend(tmp_path)
