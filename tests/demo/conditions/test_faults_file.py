"""The plan of faults as a file: both forms, and errors that say where."""

from __future__ import annotations

import json

import msgspec
import pytest

from auditor.demo.conditions import faults
from auditor.demo.conditions.faults import FaultPlan, Slow, Status
from auditor.errors import UsageError

PLAN = FaultPlan(
    seed=7,
    faults=(
        Status(path="/users", nth=2, times=3, status=503, retry_after="date+180"),
        Slow(service="exchange", path="/Get-Mailbox", probability=0.5, seconds=120.0),
    ),
)


def test_toml(tmp_path):
    path = tmp_path / "faults.toml"
    path.write_text(
        """seed = 7
        [[faults]]
        what = "status"
        path = "/users"
        nth = 2
        times = 3
        status = 503
        retry_after = "date+180"
        [[faults]]
        what = "slow"
        service = "exchange"
        path = "/Get-Mailbox"
        probability = 0.5
        seconds = 120
        """,
        encoding="utf-8",
    )
    assert faults.load(path) == PLAN


def test_json_with_a_bom(tmp_path):
    path = tmp_path / "faults.json"
    path.write_text(json.dumps(msgspec.to_builtins(PLAN)), encoding="utf-8-sig")
    assert faults.load(path) == PLAN


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[faults]]\nwhat = "stat"', "Invalid value 'stat' - at `$.faults[0].what`"),
        ('[[faults]]\nwhat = "slow"\n[[faults]]\npath = "/users"', "missing required field `what` - at `$.faults[1]`"),
        ('[[faults]]\nwhat = "status"\nnth = 0', "Expected `int` >= 1 - at `$.faults[0].nth`"),
        ('[[faults]]\nwhat = "slow"\nstatus = 500', "unknown field `status` - at `$.faults[0]`"),
        ('[[faults]]\nwhat = "status"\nservice = "teams"', "Invalid enum value 'teams' - at `$.faults[0].service`"),
        ('[[faults]]\nwhat = "reset"\nat = 1.5', "at `$.faults[0].at`"),
        ("faults = 3", "Expected `array`"),
        ("[[faults]", "no valid TOML"),
    ],
)
def test_a_mistake_names_the_file_and_the_place(tmp_path, text, told):
    path = tmp_path / "plan.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        faults.load(path)
    assert str(path) in caught.value.message
    assert told in caught.value.message
    assert caught.value.remedy


def test_broken_json_a_missing_file_and_another_encoding(tmp_path):
    path = tmp_path / "plan.json"
    with pytest.raises(UsageError, match="cannot be read"):
        faults.load(path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match="no valid JSON"):
        faults.load(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="UTF-8"):
        faults.load(path)


def test_every_kind_of_fault_is_described(root):
    text = (root / "docs" / "emulator.md").read_text(encoding="utf-8")
    tags = {kind.__struct_config__.tag for kind in faults.AnyFault.__args__}
    assert {tag for tag in tags if f"| `{tag}` |" not in text} == set()
