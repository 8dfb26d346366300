"""Members of a group that is deleted while its pages are read."""

from __future__ import annotations

from auditor.config import load
from auditor.demo.conditions import Conditions
from auditor.demo.conditions.faults import FaultPlan, Status
from auditor.demo.server import Emulator
from auditor.demo.settings import write_config
from auditor.demo.tenant import generate
from auditor.snapshot import Snapshot

from ..clocks import FakeClock
from .small_pages import collect_small

MEMBERS = {"path": "/groups/*/transitiveMembers/microsoft.graph.user"}


def test_a_group_that_is_deleted_between_two_runs_ends_with_the_pages_that_were_read(tmp_path):
    """The first group's first page comes in a batch, its second is refused until the run ends, and gone in the next."""
    tenant = generate(accounts=60, seed=7, scenario="default", quarter=1, now=None)
    faults = (Status(status=503, nth=2, times=6, **MEMBERS), Status(status=404, nth=8, **MEMBERS))
    conditions = Conditions(clock=FakeClock(), faults=FaultPlan(faults=faults))
    ended = []
    with Emulator(tenant, tmp_path / "emulator", conditions=conditions) as emulator:
        write_config(tenant, emulator, tmp_path / "config.toml")
        config = load(tmp_path / "config.toml")
        for resume in (False, True):
            collect_small(config, tmp_path / "snapshot", FakeClock(), resume=resume)
            entry = Snapshot.open(tmp_path / "snapshot").manifest["datasets"]["groupMembers"]
            ended.append((entry["state"], entry["records"]))
        assert len(emulator.struck) == 7
    assert ended[0] == ("cut", 20)
    assert ended[1][0] == "complete"
    assert ended[1][1] > 20
