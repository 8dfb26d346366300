"""Every fault against every kind of dataset: success after all, or cut with its reason; never a silent gap.

One collection per fault, over real TLS, on a clock that never waits; the fault strikes each of the datasets' paths. The
table stands at the end of the tests' output.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditor.config import load
from auditor.demo.conditions import Conditions
from auditor.demo.conditions.faults import (
    Certificate,
    DeadToken,
    Duplicates,
    EmptyPage,
    FaultPlan,
    ForeignLink,
    Garbled,
    LinkLoop,
    NoCloseNotify,
    RelativeLink,
    Reset,
    Slow,
    Status,
    TokenRevoked,
    Truncated,
    UserDeleted,
)
from auditor.demo.server import Emulator
from auditor.demo.settings import write_config
from auditor.demo.tenant import generate
from auditor.snapshot import verify

from ..clocks import FakeClock
from .small_pages import collect_small

PATHS = {
    "users": "/users",
    "userRegistrationDetails": "/reports/authenticationMethods/userRegistrationDetails",
    "conditionalAccessPolicies": "/identity/conditionalAccess/policies",
    "signIns": "/auditLogs/signIns",
    "groups": "/$batch",
    "groupMembers": "/groups/*/transitiveMembers/microsoft.graph.user",
    "mailboxUsage": "/reports/getMailboxUsageDetail*",
    "casMailboxes": "/Get-CASMailbox",
}

FAULTS = {
    "429, Retry-After 30": (Status, {"status": 429, "retry_after": 30}),
    "429, Retry-After 2.128": (Status, {"status": 429, "retry_after": 2.128}),
    "429, Retry-After a date": (Status, {"status": 429, "retry_after": "date+180"}),
    "429, Retry-After 200": (Status, {"status": 429, "retry_after": 200}),
    "429 without Retry-After": (Status, {"status": 429, "times": 3}),
    "500": (Status, {"status": 500}),
    "502": (Status, {"status": 502}),
    "503, Retry-After 10": (Status, {"status": 503, "retry_after": 10}),
    "504": (Status, {"status": 504}),
    "503 for good": (Status, {"status": 503, "times": 0}),
    "reset before the answer": (Reset, {"at": 0}),
    "reset in mid-body": (Reset, {"at": 0.5}),
    "body cut": (Truncated, {}),
    "no JSON": (Garbled, {}),
    "no JSON for good": (Garbled, {"times": 0}),
    "answer after 120 s": (Slow, {"seconds": 120}),
    "no close_notify": (NoCloseNotify, {}),
    "token revoked, claims": (TokenRevoked, {"claims": True}),
    "token expired": (TokenRevoked, {"claims": False}),
    "other certificate": (Certificate, {"authority": "same"}),
    "page token dead, 400": (DeadToken, {"status": 400}),
    "page token dead, 410": (DeadToken, {"status": 410}),
    "page token dead for good": (DeadToken, {"status": 410, "times": 0}),
    "empty page": (EmptyPage, {}),
    "nextLink in a circle": (LinkLoop, {}),
    "nextLink elsewhere": (ForeignLink, {}),
    "nextLink relative": (RelativeLink, {}),
    "records twice": (Duplicates, {"records": 5}),
    "user deleted": (UserDeleted, {}),
}
ON_LATER_PAGES = (DeadToken, Duplicates, UserDeleted)
MAY_CUT = {"503 for good", "no JSON for good", "page token dead for good", "nextLink in a circle", "nextLink elsewhere"}
"""what no patience overcomes; every other fault ends in success"""


@pytest.fixture(scope="module")
def tenant():
    return generate(accounts=60, seed=7, scenario="default", quarter=1, now=None)


def _service(path: str) -> str:
    return "exchange" if path.startswith("/Get-") else "graph"


def _collected(tenant, folder: Path, name: str = ""):
    """(manifest's datasets, folder, paths that were struck) of a collection while the fault strikes."""
    clock = FakeClock()
    faults = []
    if name:
        kind, keys = FAULTS[name]
        nth = 2 if issubclass(kind, ON_LATER_PAGES) else 1
        nth += 1 if issubclass(kind, UserDeleted) else 0
        # The first request to /users only counts them.
        # One service has one certificate: it changes once, at the first page that is asked for.
        paths = list(PATHS.values())[: 1 if kind is Certificate else None]
        faults = [
            kind(**({"path": path, "service": _service(path), "nth": nth + (path == "/users")} | keys))
            for path in paths
        ]
    conditions = Conditions(clock=clock, faults=FaultPlan(faults=tuple(faults)))
    with Emulator(tenant, folder / "emulator", conditions=conditions) as emulator:
        write_config(tenant, emulator, folder / "config.toml")
        text, *senders = (folder / "config.toml").read_text("utf-8").split("[[senders]]")
        (folder / "config.toml").write_text("[[senders]]".join([text, *senders[:1]]), "utf-8")
        collect_small(load(folder / "config.toml"), folder / "snapshot", clock)
        struck = {strike.fault.path for strike in emulator.struck}
    manifest = json.loads((folder / "snapshot" / "manifest.json").read_text("utf-8"))
    return manifest["datasets"], folder / "snapshot", struck


@pytest.fixture(scope="module")
def sound(tenant, tmp_path_factory):
    return _collected(tenant, tmp_path_factory.mktemp("sound"))[0]


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_ends_in_success_or_is_told(name, tenant, sound, table_row, tmp_path):
    datasets, folder, struck = _collected(tenant, tmp_path, name)
    assert struck
    outcomes = {}
    for dataset, path in PATHS.items():
        entry, right = datasets[dataset], sound[dataset]
        same = entry["sha256"] == right["sha256"]
        told = entry["state"] in ("cut", "failed", "denied") and bool(entry["reason"])
        noted = entry["state"] == "complete" and 0 < entry["records"] <= right["records"]
        if name in MAY_CUT:
            assert told or same, (dataset, entry)
        elif name == "user deleted":
            assert noted, (dataset, entry)
        else:
            assert same, (dataset, entry)
            assert entry["state"] == "complete", (dataset, entry)
        again = entry["requests"] - right["requests"]
        outcome = entry["state"] + (f" +{again}" if again > 0 else "")
        outcomes[dataset] = outcome if path in struck else "–"
    assert verify(folder) == []
    table_row("fault \\ dataset: how it ended, +requests; – where it has nothing to strike", {"": name} | outcomes)
