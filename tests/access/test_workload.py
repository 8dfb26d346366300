"""Policies for workload identities: does one stop an app that signs in as itself?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.access.locations import place_of
from auditor.access.workload import judge_app

OWN = {"id": "sp-1", "appId": "app-1", "appOwnerOrganizationId": "tenant-1", "servicePrincipalType": "Application",
       "signInAudience": "AzureADMyOrg"}  # fmt: skip


def target(**applications):
    return {"conditions": {"clientApplications": applications}, "users": {"includeUsers": ["None"]}}


def include(*ids, **more):
    return target(includeServicePrincipals=list(ids), **more)


ALL = "ServicePrincipalsInMyTenant"
TABLE = [
    (include("sp-1"), OWN, "blocks"),
    (include("SP-1"), OWN, "blocks"),
    (include("sp-2"), OWN, "clear"),
    (include(ALL), OWN, "blocks"),
    (include(ALL, excludeServicePrincipals=["sp-1"]), OWN, "clear"),
    (include("SomethingNew"), OWN, "unknown"),
    (include(ALL, servicePrincipalFilter={"mode": "include", "rule": "x"}), OWN, "unknown"),
    (include("sp-1", brandNew=["x"]), OWN, "unknown"),
    (include(ALL), OWN | {"appOwnerOrganizationId": "tenant-2"}, "clear"),
    (include("sp-1"), OWN | {"signInAudience": "AzureADMultipleOrgs"}, "clear"),
    (include(ALL), OWN | {"signInAudience": "AzureADandPersonalMicrosoftAccount"}, "clear"),
    (include(ALL), OWN | {"signInAudience": None}, "unknown"),
    (include("sp-1"), OWN | {"signInAudience": None}, "blocks"),
    (include(ALL), OWN | {"servicePrincipalType": "ManagedIdentity"}, "clear"),
    (include(ALL), OWN | {"appOwnerOrganizationId": None}, "unknown"),
    (include("sp-1"), {}, "blocks"),
    (include("sp-1") | {"state": "disabled"}, OWN, "clear"),
    (include("sp-1") | {"state": "enabledForReportingButNotEnforced"}, OWN, "clear"),
    (include("sp-1") | {"state": "someday"}, OWN, "unknown"),
    (include("sp-1") | {"applications": {"includeApplications": ["other-1"]}}, OWN, "clear"),
    (include("sp-1") | {"grantControls": {"operator": "OR", "builtInControls": ["mfa"]}}, OWN, "unknown"),
    (include("sp-1") | {"grantControls": {"operator": "OR", "builtInControls": "block"}}, OWN, "unknown"),
    (include("sp-1") | {"grantControls": None}, OWN, "clear"),
    ({"conditions": {"clientApplications": {"includeServicePrincipals": ["sp-1"]},
                     "servicePrincipalRiskLevels": ["high"]}}, OWN, "conditional"),
    ({"conditions": {"clientApplications": {"includeServicePrincipals": ["sp-1"]}, "clientAppTypes": ["other"]}}, OWN,
     "unknown"),
    ({"conditions": {"clientApplications": {"includeServicePrincipals": ["sp-1"]}, "times": {"x": 1}}}, OWN, "unknown"),
    ({"conditions": {"clientApplications": {"includeServicePrincipals": "sp-1"}}}, OWN, "unknown"),
    ({}, OWN, "clear"),
]  # fmt: skip


@pytest.mark.parametrize(("patch", "principal", "expected"), TABLE)
def test_app(build, patch, principal, expected):
    tenant = replace(
        build["World"](policies=(build["policy"](**patch),)).tenant(),
        service_principals={"sp-1": principal} if principal else {},
    )
    assert judge_app(tenant, "SP-1", ()).state.word == expected


@pytest.mark.parametrize(("patch", "expected"), [({}, "unknown"), ({"state": "disabled"}, "clear"),
                                                 ({"grantControls": None}, "clear")])  # fmt: skip
def test_a_policy_whose_conditions_were_not_read_may_be_one_for_apps(build, patch, expected):
    world = build["World"](policies=(build["policy"](**patch) | {"conditions": None},))
    tenant = replace(world.tenant(), service_principals={"sp-1": OWN})
    assert judge_app(tenant, "sp-1", ()).state.word == expected


def test_place(build):
    office = {"@odata.type": "#microsoft.graph.ipNamedLocation", "ipRanges": [{"cidrAddress": "203.0.113.0/24"}]}
    where = {"locations": {"includeLocations": ["All"], "excludeLocations": ["office"]}}
    policy = build["policy"](conditions={"clientApplications": {"includeServicePrincipals": ["sp-1"]}, **where})
    tenant = replace(
        build["World"](policies=(policy,), locations={"office": office}).tenant(), service_principals={"sp-1": OWN}
    )
    assert judge_app(tenant, "sp-1", ()).state.word == "conditional"
    assert judge_app(tenant, "sp-1", place_of(["203.0.113.9"])).state.word == "clear"
    assert judge_app(tenant, "sp-1", place_of(["192.0.2.9"])).state.word == "blocks"


@pytest.mark.parametrize("lost", ["conditionalAccessPolicies", "servicePrincipals"])
def test_lost_data_is_unknown(build, lost):
    """An app that such policies do not reach must not turn blocked because its owner was not read."""
    world = build["World"](policies=(build["policy"](**include("sp-1")),), missing=frozenset({lost}))
    assert judge_app(world.tenant(), "sp-1", ()).state.word == "unknown"
