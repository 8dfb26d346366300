"""Conditional Access, groups and roles: each shape that the judgement must tell apart is there."""

from __future__ import annotations

import pytest

from auditor.demo.tenant.policies import EXCHANGE_ONLINE


@pytest.fixture
def policies(tenant):
    return {row["displayName"].partition(" ")[0]: row for row in tenant.graph["conditionalAccessPolicies"]}


def groups_named(tenant):
    named = set()
    for policy in tenant.graph["conditionalAccessPolicies"]:
        people = policy["conditions"]["users"]
        named |= {*people["includeGroups"], *people["excludeGroups"]}
    return named


def inside(tenant, group, seen=()):
    """Users in a group at any depth, and how deep the nesting went."""
    users, depth = set(), 1
    for member in tenant.group_members.get(group, ()):
        if member in tenant.group_members:
            if member not in seen:
                more, deeper = inside(tenant, member, (*seen, group))
                users |= more
                depth = max(depth, deeper + 1)
        else:
            users.add(member)
    return users, depth


def group(tenant, name):
    [found] = [row["id"] for row in tenant.graph["groups"] if row["displayName"] == name]
    return found


def test_states(tenant):
    states = [row["state"] for row in tenant.graph["conditionalAccessPolicies"]]
    assert set(states) == {"enabled", "disabled", "enabledForReportingButNotEnforced"}
    managed = [row for row in tenant.graph["conditionalAccessPolicies"]
               if row["displayName"].startswith("Microsoft-managed: Block legacy")]  # fmt: skip
    assert [row["state"] for row in managed] == ["enabledForReportingButNotEnforced"]


def test_the_baseline(policies, tenant, user):
    legacy, everyone = policies["CA001"], policies["CA002"]
    emergency = {user(tenant, f"breakglass{number}")["id"] for number in (1, 2)}
    assert legacy["conditions"]["clientAppTypes"] == ["exchangeActiveSync", "other"]
    assert legacy["grantControls"]["builtInControls"] == ["block"]
    assert everyone["grantControls"]["builtInControls"] == ["mfa"]
    for policy in (legacy, everyone):
        assert policy["conditions"]["users"]["includeUsers"] == ["All"]
        assert emergency <= set(policy["conditions"]["users"]["excludeUsers"])
    assert policies["CA003"]["conditions"]["users"]["includeRoles"]
    assert policies["CA003"]["grantControls"]["authenticationStrength"]["requirementsSatisfied"] == "mfa"
    assert policies["CA004"]["conditions"]["users"]["includeGuestsOrExternalUsers"]
    assert policies["CA009"]["grantControls"] is None
    assert policies["CA009"]["sessionControls"]["signInFrequency"]["isEnabled"]


def test_conditions_of_each_kind(policies):
    conditions = {name: row["conditions"] for name, row in policies.items()}
    assert conditions["CA005"]["locations"]["includeLocations"] == ["All"]
    assert conditions["CA006"]["signInRiskLevels"] == ["high", "medium"]
    assert conditions["CA007"]["userRiskLevels"] == ["high"]
    assert conditions["CA008"]["insiderRiskLevels"] == "elevated"
    assert conditions["CA021"]["locations"]["excludeLocations"] == ["AllTrusted"]
    assert conditions["CA023"]["clientApplications"]["includeServicePrincipals"]
    assert conditions["CA024"]["applications"]["includeApplications"] == [EXCHANGE_ONLINE]
    assert conditions["CA024"]["devices"]["deviceFilter"]["mode"] == "exclude"
    assert conditions["CA027"]["applications"]["excludeApplications"] == [EXCHANGE_ONLINE]
    assert policies["CA030"]["grantControls"]["builtInControls"] == ["unknownFutureValue"]
    assert "verifiedIdRiskLevels" in conditions["CA031"]
    assert conditions["CA032"]["times"]
    assert policies["CA033"]["grantControls"]["authenticationStrength"]["allowedCombinations"] == ["password"]
    assert conditions["CA034"]["platforms"]["excludePlatforms"]
    assert conditions["CA035"]["applications"]["applicationFilter"]
    assert policies["CA036"]["grantControls"]["builtInControls"] == ["approvedApplication"]


def test_policies_only_name_what_exists_but_for_one_group_and_one_user(tenant):
    groups = {row["id"] for row in tenant.graph["groups"]}
    assert len(groups_named(tenant) - groups) == 1
    users = {row["id"] for row in tenant.graph["users"]} | {"All", "None"}
    named = {
        name
        for policy in tenant.graph["conditionalAccessPolicies"]
        for key in ("includeUsers", "excludeUsers")
        for name in policy["conditions"]["users"][key]
    }
    assert len(named - users) == 1
    places = {row["id"] for row in tenant.graph["namedLocations"]} | {"All", "AllTrusted"}
    roles = {row["templateId"] for row in tenant.graph["roleDefinitions"]}
    for policy in tenant.graph["conditionalAccessPolicies"]:
        where = policy["conditions"]["locations"] or {"includeLocations": [], "excludeLocations": []}
        assert {*where["includeLocations"], *where["excludeLocations"]} <= places
        assert set(policy["conditions"]["users"]["includeRoles"]) <= roles


def test_groups_nest_three_deep_and_in_a_cycle(tenant, user):
    devices, depth = inside(tenant, group(tenant, "CA-Exclude-LegacyAuth"))
    assert depth == 3
    assert user(tenant, "svc.erp")["id"] in devices
    assert group(tenant, "SMTP Senders") in tenant.group_members[group(tenant, "SMTP Devices")]
    assert group(tenant, "SMTP Devices") in tenant.group_members[group(tenant, "SMTP Senders")]
    employees, depth = inside(tenant, group(tenant, "All Employees"))
    assert (depth, len(employees) > 100) == (3, True)


def test_a_hidden_group_and_a_role_assignable_one(tenant, user):
    hidden = [row for row in tenant.graph["groups"] if row["visibility"] == "HiddenMembership"]
    assert [row["id"] in groups_named(tenant) for row in hidden] == [True]
    [assignable] = [row for row in tenant.graph["groups"] if row["isAssignableToRole"]]
    assert assignable["id"] in {row["principalId"] for row in tenant.graph["roleAssignments"]}
    assert user(tenant, "admin.helpdesk1")["id"] in tenant.group_members[assignable["id"]]


def test_roles_direct_scoped_and_custom(tenant, user):
    rows = tenant.graph["roleAssignments"]
    built_in = {row["id"]: row["isBuiltIn"] for row in tenant.graph["roleDefinitions"]}
    assert any(row["directoryScopeId"].startswith("/administrativeUnits/") for row in rows)
    assert any(not built_in[row["roleDefinitionId"]] for row in rows)
    assert user(tenant, "admin.ravel")["id"] in {row["principalId"] for row in rows}
    assert tenant.app.object_id in {row["principalId"] for row in rows}


def test_named_locations(tenant):
    rows = tenant.graph["namedLocations"]
    by_ip = [row for row in rows if row["@odata.type"].endswith("ipNamedLocation")]
    assert {row["isTrusted"] for row in by_ip} == {True, False}
    kinds = {cidr["@odata.type"] for row in by_ip for cidr in row["ipRanges"]}
    assert kinds == {"#microsoft.graph.iPv4CidrRange", "#microsoft.graph.iPv6CidrRange"}
    assert any(row["@odata.type"].endswith("countryNamedLocation") for row in rows)


def test_security_defaults_and_conditional_access_exclude_each_other(tenants):
    for name, tenant in tenants.items():
        enabled = tenant.graph["identitySecurityDefaultsEnforcementPolicy"]["isEnabled"]
        acting = [row for row in tenant.graph["conditionalAccessPolicies"] if row["state"] == "enabled"]
        assert enabled == (name == "security-defaults")
        assert bool(acting) != enabled
