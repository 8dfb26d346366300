"""Small hand-made snapshot folders, and the tenants that they load as."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from auditor.load import load
from auditor.snapshot import Snapshot
from auditor.tenant import Tenant

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
E3 = "6fd2c87f-b296-42f0-b197-1e91e994b900"
STANDARD = "9aaf7827-d63c-4b61-89c3-182f06f82e5c"
ENTERPRISE = "efb87545-963c-4e0d-99df-69c6916d9eb0"


def write(folder: Path, datasets: dict[str, Any], manifest: dict[str, Any] | None = None) -> Path:
    """NAME.jsonl for each dataset (a value of bytes is written as it stands); with `manifest`, its dataset entries."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, records in datasets.items():
        path = folder / f"{name}.jsonl"
        data = records if isinstance(records, bytes) else b"".join(json.dumps(one).encode() + b"\n" for one in records)
        path.write_bytes(data)
    if manifest is not None:
        document = {"tenant_id": "T-Manifest", "cloud": "public", "ended": "2026-11-23T16:00:00Z", "datasets": manifest}
        (folder / "manifest.json").write_text(json.dumps(document))
    return folder


def user(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A licensed member as Graph answers it, with every selected property."""
    base = {
        "id": f"00000000-0000-0000-0000-{number:012}",
        "userPrincipalName": f"person{number}@contoso.example",
        "displayName": f"Person {number}",
        "mail": f"person{number}@contoso.example",
        "proxyAddresses": [f"SMTP:person{number}@contoso.example"],
        "accountEnabled": True,
        "userType": "Member",
        "creationType": None,
        "externalUserState": None,
        "onPremisesSyncEnabled": None,
        "passwordPolicies": None,
        "lastPasswordChangeDateTime": "2026-11-13T16:00:00Z",
        "createdDateTime": "2024-01-02T03:04:05Z",
        "isResourceAccount": None,
        "usageLocation": "CH",
        "assignedLicenses": [{"skuId": E3, "disabledPlans": []}],
        "assignedPlans": [
            {"servicePlanId": ENTERPRISE, "service": "exchange", "capabilityStatus": "Enabled", "assignedDateTime": "x"}
        ],
        "licenseAssignmentStates": [{"skuId": E3, "state": "Active", "error": "None", "disabledPlans": []}],
    }
    return {**base, **changes}


def without(record: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in names}


def sku(sku_id: str = E3, name: str = "ENTERPRISEPACK", plans: tuple[str, ...] = (ENTERPRISE,)) -> dict[str, Any]:
    return {
        "id": f"tenant_{sku_id}",
        "skuId": sku_id,
        "skuPartNumber": name,
        "servicePlans": [{"servicePlanId": plan, "servicePlanName": "any"} for plan in plans],
    }


class Build:
    """`build(users=[…], mailboxes=[…])` → Tenant; what pytest modules need of this file, as one fixture."""

    now = NOW
    e3, standard, enterprise = E3, STANDARD, ENTERPRISE
    user = staticmethod(user)
    sku = staticmethod(sku)
    without = staticmethod(without)
    write = staticmethod(write)

    def __init__(self, folder: Callable[[], Path]) -> None:
        self._folder = folder

    def __call__(self, *, options: dict[str, Any] | None = None, manifest: Any = None, **datasets: Any) -> Tenant:
        folder = write(self._folder(), datasets, manifest)
        return load(Snapshot.open(folder), **{"now": NOW, **(options or {})})

    def one(self, record: dict[str, Any], **datasets: Any) -> Tenant:
        """A tenant of one user, with E3 subscribed unless said otherwise."""
        return self(**{"users": [record], "subscribedSkus": [sku()], **datasets})

    @staticmethod
    def id(number: int) -> str:
        return f"00000000-0000-0000-0000-{number:012}"

    @staticmethod
    def problems(tenant: Tenant) -> list[tuple[str, str, str]]:
        return [(problem.dataset, problem.object_id, problem.property) for problem in tenant.problems]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    count = iter(range(1_000_000))
    return Build(lambda: tmp_path / str(next(count)))
