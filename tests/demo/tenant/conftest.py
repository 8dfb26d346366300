"""The demo company of each scenario, generated once."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditor.demo.model import DemoTenant
from auditor.demo.tenant import SCENARIOS, generate


@pytest.fixture(scope="session")
def tenants() -> dict[str, DemoTenant]:
    return {scenario: generate(scenario=scenario) for scenario in SCENARIOS}


@pytest.fixture(scope="session")
def tenant(tenants: dict[str, DemoTenant]) -> DemoTenant:
    return tenants["default"]


@pytest.fixture(scope="session")
def user() -> Callable[[DemoTenant, str], dict[str, Any]]:
    """(tenant, local part of the UPN) → the Graph user."""

    def find(tenant: DemoTenant, local: str) -> dict[str, Any]:
        [found] = [row for row in tenant.graph["users"] if row["userPrincipalName"].partition("@")[0] == local]
        return found

    return find


@pytest.fixture(scope="session")
def openapi() -> dict[str, Any]:
    """Graph's own description, where it lies beside the repository."""
    path = Path(__file__).parents[3] / "../shared/contract/graph-openapi.json"
    if not path.exists():
        pytest.skip("graph-openapi.json is not here")
    return json.loads(path.read_bytes())
