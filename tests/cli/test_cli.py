"""The command line's own promises: it lists the contract's commands and answers without heavy imports."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from auditor.cli import COMMANDS, auditor

HEAVY = ("msgraph", "pandas", "openpyxl", "numpy", "aiohttp", "httpx", "azure")


def test_help_lists_every_command():
    result = CliRunner().invoke(auditor, ["--help"])
    assert result.exit_code == 0
    for name in COMMANDS:
        assert name in result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name):
    result = CliRunner().invoke(auditor, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage" in result.output


def test_help_imports_nothing_heavy():
    code = (
        "import sys\nfrom auditor.cli import auditor\n"
        "try:\n    auditor.main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\nassert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "No such command"),
        (["run"], "--config"),
        (["demo", "--now", "yesterday"], "ISO 8601"),
        (["demo", "--accounts", "0"], "--accounts"),
        (["run", "--config", "c.toml", "--fail-on", "awful"], "--fail-on"),
    ],
)
def test_wrong_usage_is_exit_code_2(arguments, words):
    done = subprocess.run(
        [sys.executable, "-m", "auditor", *arguments], capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_init_writes_a_config_once_and_prints_the_steps(tmp_path):
    config = tmp_path / "config.toml"
    command = [sys.executable, "-m", "auditor", "init", "--out", str(config)]
    first = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert first.returncode == 0, first.stderr
    assert "Policy.Read.All" in first.stdout
    for never in ("Directory.Read.All", "MailboxSettings.Read", "ConfigurationMonitoring.ReadWrite.All"):
        assert never not in first.stdout
    second = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert second.returncode == 2
    assert "exists already" in second.stderr
