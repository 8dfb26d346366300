"""Exchange's lists by the admin API: what broke off is gone on with after the last page that is safe."""

from __future__ import annotations

import pytest

from auditor.config import load
from auditor.demo.conditions import Conditions
from auditor.demo.conditions.faults import DeadToken, FaultPlan, Status
from auditor.demo.server import Emulator
from auditor.demo.settings import write_config
from auditor.demo.tenant import generate
from auditor.snapshot import Snapshot, verify

from ..clocks import FakeClock
from .small_pages import collect_small

CASES = {"service": "exchange", "path": "/Get-CASMailbox"}


@pytest.fixture(scope="module")
def tenant():
    return generate(accounts=60, seed=7, scenario="default", quarter=1, now=None)


def _serving(tenant, folder, *faults):
    conditions = Conditions(clock=FakeClock(), faults=FaultPlan(faults=faults))
    return Emulator(tenant, folder / "emulator", conditions=conditions)


def _collected(tenant, emulator, folder, *, source="admin-api", **options):
    """`casMailboxes` of the manifest after one run into `folder`."""
    path = folder / "config.toml"
    write_config(tenant, emulator, path)
    text, *senders = path.read_text("utf-8").split("[[senders]]")
    text = text.replace('source = "admin-api"', f'source = "{source}"')
    path.write_text("[[senders]]".join([text, *senders[:1]]), "utf-8")
    collect_small(load(path), folder / "snapshot", FakeClock(), **options)
    return Snapshot.open(folder / "snapshot").manifest["datasets"]["casMailboxes"]


@pytest.fixture(scope="module")
def whole(tenant, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    with _serving(tenant, folder) as emulator:
        return _collected(tenant, emulator, folder)


@pytest.fixture
def cut(tenant, tmp_path, whole):
    """A folder with a snapshot that holds the first page of `casMailboxes`, and the emulator, which is well again."""
    with _serving(tenant, tmp_path, Status(status=503, nth=2, times=6, **CASES)) as emulator:
        entry = _collected(tenant, emulator, tmp_path)
        assert (entry["state"], entry["records"]) == ("cut", 20)
        assert "HTTP 503" in entry["reason"]
        yield tmp_path, emulator


def test_a_resume_goes_on_after_the_last_safe_page(tenant, cut, whole):
    folder, emulator = cut
    before = emulator.requests.count("exchange")
    entry = _collected(tenant, emulator, folder, resume=True)
    assert (entry["state"], entry["sha256"]) == ("complete", whole["sha256"])
    assert emulator.requests.count("exchange") - before == whole["requests"] - 1
    assert verify(folder / "snapshot") == []


def test_another_way_of_reading_begins_anew(tenant, cut):
    folder, emulator = cut
    entry = _collected(tenant, emulator, folder, source="none", resume=True)
    assert (entry["state"], entry["records"], entry["file"]) == ("not-asked", 0, "")


def test_a_page_that_exchange_has_forgotten_is_read_from_the_start(tenant, tmp_path, whole):
    with _serving(tenant, tmp_path, DeadToken(status=400, nth=2, **CASES)) as emulator:
        entry = _collected(tenant, emulator, tmp_path)
    assert (entry["state"], entry["sha256"]) == ("complete", whole["sha256"])
    assert entry["requests"] == whole["requests"] + 2
