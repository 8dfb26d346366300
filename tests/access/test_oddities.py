"""What in policies and named locations is not as Microsoft documents it is named, one entry per value."""

from __future__ import annotations

import pytest

from auditor.access import oddities

POLICY = {
    "id": "P", "displayName": "policy", "state": "enabled",
    "conditions": {"clientAppTypes": ["all"], "applications": {"includeApplications": ["All"]},
                   "users": {"includeUsers": ["All"]}},
    "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
}  # fmt: skip


def changed(path, value):
    policy = {**POLICY}
    holder = policy
    *steps, last = path.split(".")
    for step in steps:
        holder[step] = {**holder.get(step, {})}
        holder = holder[step]
    holder[last] = value
    return policy


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("state", "someday", "state"),
        ("conditions", None, "conditions"),
        ("conditions.clientAppTypes", ["future"], "conditions.clientAppTypes"),
        ("conditions.brandNew", {"x": 1}, "conditions.brandNew"),
        ("conditions.users.includeUsers", ["BrandNew"], "conditions.users.includeUsers"),
        ("conditions.users.excludeGroups", "text", "conditions.users.excludeGroups"),
        ("conditions.users.brandNew", ["x"], "conditions.users.brandNew"),
        ("conditions.applications.includeApplications", ["BrandNew"], "conditions.applications"),
        ("conditions.locations", {"includeLocations": 7}, "conditions.locations"),
        ("conditions.platforms", {"includePlatforms": ["amiga"]}, "conditions.platforms"),
        ("conditions.authenticationFlows", {"transferMethods": []}, "conditions"),
        ("conditions.clientApplications", {"includeServicePrincipals": ["a"], "excludeServicePrincipals": 7},
         "conditions"),
        ("grantControls.builtInControls", ["mfa", "brandNew"], "grantControls"),
        ("grantControls.operator", "XOR", "grantControls"),
        ("grantControls", "mfa", "grantControls"),
    ],
)  # fmt: skip
def test_a_strange_value_is_named(build, path, value, told):
    [found] = oddities(build["World"](policies=(changed(path, value),)).tenant())
    assert (found.dataset, found.object_id, found.property) == ("conditionalAccessPolicies", "P", told)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("state", "disabled"),
        ("conditions.platforms", {"includePlatforms": ["android"], "excludePlatforms": []}),
        ("conditions.applications.applicationFilter", {"mode": "include", "rule": "x"}),
        ("conditions.devices", {"deviceFilter": {"mode": "include", "rule": "device.model -any x"}}),
        ("conditions.users.includeGroups", ["never-read-1"]),
        ("grantControls.builtInControls", ["approvedApplication"]),
        ("grantControls.authenticationStrength", {"id": "s", "allowedCombinations": ["password"]}),
    ],
)
def test_what_is_only_not_decidable_is_not_strange(build, path, value):
    assert oddities(build["World"](policies=(changed(path, value),)).tenant()) == []


def test_conditions_of_policies_for_apps_are_known_there(build):
    policy = changed("conditions.servicePrincipalRiskLevels", ["high"])
    [found] = oddities(build["World"](policies=(policy,)).tenant())
    assert found.property == "conditions.servicePrincipalRiskLevels"
    policy["conditions"]["clientApplications"] = {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]}
    assert oddities(build["World"](policies=(policy,)).tenant()) == []


@pytest.mark.parametrize("ranges", [None, "text", [{"cidrAddress": 7}], [{"cidrAddress": "203.0.113.0/99"}], [{}]])
def test_a_range_that_is_none_is_named(build, ranges):
    location = {"@odata.type": "#microsoft.graph.ipNamedLocation", "ipRanges": ranges}
    [found] = oddities(build["World"](locations={"office": location}).tenant())
    assert (found.dataset, found.object_id, found.property) == ("namedLocations", "office", "ipRanges")
