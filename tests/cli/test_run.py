"""`auditor run` before it reads anything: what it tells somebody who named no previous run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = """
[[tenants]]
name = "Contoso"
tenant_id = "11111111-2222-3333-4444-555555555555"
client_id = "66666666-7777-8888-9999-000000000000"
client_secret_env = "NO_SUCH_SECRET"

[report]
folder = "reports"
"""
"""Without its secret the run ends before any request."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.toml").write_text(CONFIG, "utf-8")
    for month in ("05", "08"):
        run = tmp_path / "reports" / "contoso" / f"2026{month}01T000000Z"
        run.mkdir(parents=True)
        (run / "findings.json").write_text(json.dumps({"findings": [], "now": f"2026-{month}-01T00:00:00Z"}), "utf-8")
        (run / "run.json").write_text(json.dumps({"now": f"2026-{month}-01T00:00:00Z"}), "utf-8")
    return tmp_path


def run(folder: Path, *options: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "auditor", "run", "--config", "config.toml", *map(str, options)]
    environment = {name: value for name, value in os.environ.items() if name != "NO_SUCH_SECRET"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )


def test_an_earlier_run_that_nobody_named_is_told(folder: Path) -> None:
    done = run(folder)
    earlier = Path("reports", "contoso", "20260801T000000Z")
    assert f"Contoso: {earlier} holds an earlier run; with --previous {earlier}" in done.stderr
    assert (done.stdout, done.returncode != 0) == ("", True)


def test_nothing_is_told_where_one_is_named_or_none_is_there(folder: Path) -> None:
    named = run(folder, "--previous", Path("reports", "contoso", "20260501T000000Z"))
    later = run(folder, "--now", "2026-01-01T00:00:00Z")
    for done in (named, later):
        assert "NO_SUCH_SECRET" in done.stderr
        assert "earlier run" not in done.stderr
