"""Same seed, same company: on every machine, at every size, in every quarter."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from auditor.catalogue import CATALOGUE, EXCHANGE_DATASETS, ROLE_IDS, USER_PROPERTIES
from auditor.demo.tenant import DEFAULT_NOW, QUARTER_DAYS, SCENARIOS, generate
from auditor.errors import UsageError


def fingerprint(tenant):
    """A digest over everything, key order included."""
    fields = dataclasses.asdict(dataclasses.replace(tenant, app=None))
    return hashlib.sha256(json.dumps(fields, default=str).encode()).hexdigest()


def ids_by_name(tenant):
    return {row["userPrincipalName"]: row["id"] for row in tenant.graph["users"]}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_same_arguments_give_the_same_tenant(scenario, tenants):
    again = generate(scenario=scenario)
    assert fingerprint(again) == fingerprint(tenants[scenario])
    assert again.app == tenants[scenario].app


def test_hash_order_plays_no_part(tenant):
    """A new process with another hash seed makes the same bytes."""
    program = (
        "import dataclasses, hashlib, json\n"
        "from auditor.demo.tenant import generate\n"
        "fields = dataclasses.asdict(dataclasses.replace(generate(), app=None))\n"
        "print(hashlib.sha256(json.dumps(fields, default=str).encode()).hexdigest())\n"
    )
    environment = os.environ | {"PYTHONHASHSEED": "77"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == fingerprint(tenant)


def test_another_seed_is_another_tenant(tenant):
    other = generate(seed=2)
    assert other.tenant_id != tenant.tenant_id
    assert not set(ids_by_name(other).values()) & set(ids_by_name(tenant).values())
    assert other.app.secret != tenant.app.secret


def test_every_dataset_of_the_catalogue_is_there(tenant):
    served = {dataset.name for dataset in CATALOGUE if dataset.service in ("graph", "graph-beta")}
    assert served <= set(tenant.graph)
    assert "groups" in tenant.graph
    assert set(tenant.exchange) == set(EXCHANGE_DATASETS)
    empty = [name for name, rows in {**tenant.graph, **tenant.exchange}.items() if not rows]
    assert not empty


def test_ids_are_unique(tenant):
    users = tenant.graph["users"]
    assert len({row["id"] for row in users}) == len(users) == 400
    assert len({row["userPrincipalName"].lower() for row in users}) == len(users)
    for name in ("conditionalAccessPolicies", "groups", "signIns", "directoryAudits", "servicePrincipals"):
        rows = tenant.graph[name]
        assert len({row["id"] for row in rows}) == len(rows), name
    identities = [row["Identity"].lower() for row in tenant.exchange["mailboxes"]]
    assert len(set(identities)) == len(identities)


def test_an_account_keeps_its_id_at_every_size_and_in_every_quarter(tenant):
    here = ids_by_name(tenant)
    for other in (generate(accounts=30), generate(accounts=900), generate(quarter=3)):
        shared = here.keys() & ids_by_name(other).keys()
        assert len(shared) > 100
        assert all(ids_by_name(other)[name] == here[name] for name in shared)


def test_a_larger_company_holds_the_smaller_one(tenant):
    larger = generate(accounts=700)
    assert larger.graph["users"][: len(tenant.graph["users"])] == tenant.graph["users"]


def test_the_special_accounts_stay_when_few_are_asked_for(tenant):
    few = generate(accounts=30)
    assert {sender["name"] for sender in few.senders} == {sender["name"] for sender in tenant.senders}
    assert len(few.graph["users"]) < 130


def test_size_costs_memory_for_accounts_not_for_licences():
    """Eight thousand accounts share a few dozen plan lists."""
    large = generate(accounts=8_000)
    users = large.graph["users"]
    assert len(users) == 8_000
    assert len(large.exchange["mailboxes"]) > 6_000
    assert len({id(row["assignedPlans"]) for row in users}) < 60
    assert len(large.graph["signIns"]) < 6_000


def test_a_user_holds_every_property_that_is_read_and_more(tenant):
    for row in tenant.graph["users"]:
        assert set(USER_PROPERTIES) < set(row)
    assert len(tenant.graph["users"][0]) > len(USER_PROPERTIES) + 5


def test_dates_hang_on_the_clock_that_is_given():
    moment = datetime(2030, 5, 1, 12, tzinfo=UTC)
    later = generate(accounts=30, now=moment)
    assert later.now == moment
    newest = later.graph["signIns"][0]["createdDateTime"]
    assert "2030-04-30T00:00:00Z" < newest <= "2030-05-01T12:00:00Z"
    assert all(row["createdDateTime"] > "2030-03-31" for row in later.graph["signIns"])


def test_each_quarter_has_its_own_clock(tenants):
    assert tenants["default"].now == DEFAULT_NOW == datetime(2026, 11, 23, 16, tzinfo=UTC)
    assert generate(accounts=30, quarter=3).now == DEFAULT_NOW + timedelta(days=2 * QUARTER_DAYS)
    assert tenants["after-retirement"].now == datetime(2027, 1, 15, 16, tzinfo=UTC)


def test_the_auditor_holds_every_permission_of_the_catalogue(tenant):
    assert set(ROLE_IDS) <= tenant.app.graph_roles | tenant.app.exchange_roles
    principals = {row["appId"]: row["id"] for row in tenant.graph["servicePrincipals"]}
    assert principals[tenant.app.client_id] == tenant.app.object_id
    granted = [row for row in tenant.graph["appRoleAssignments"] if row["principalId"] == tenant.app.object_id]
    assert len(granted) == len(tenant.app.graph_roles | tenant.app.exchange_roles)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"scenario": "tropical"}, "default, security-defaults, no-exchange, after-retirement"),
        ({"accounts": 0}, "from 1"),
        ({"quarter": 0}, "from 1"),
        ({"now": datetime(2026, 11, 23)}, "UTC"),  # noqa: DTZ001 - the missing zone is the point
    ],
)
def test_bad_arguments_are_told(arguments, part):
    with pytest.raises(UsageError) as caught:
        generate(**arguments)
    assert part in caught.value.remedy
