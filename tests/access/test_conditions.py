"""A base policy that blocks everybody, and one changed field each: conditions that are the same for every
account."""

from __future__ import annotations

import pytest

from auditor.access import Match, reach
from auditor.access.conditions import MODERN

EXO = "00000002-0000-0ff1-ce00-000000000000"
POSITIVE = 'device.trustType -eq "AzureAD"'


def device(mode, rule):
    return {"devices": {"deviceFilter": {"mode": mode, "rule": rule}}}


CONDITIONS = [
    ({}, "blocks"),
    ({"clientAppTypes": None}, "blocks"),
    ({"clientAppTypes": []}, "blocks"),
    ({"clientAppTypes": ["other"]}, "blocks"),
    ({"clientAppTypes": ["exchangeActiveSync", "other"]}, "blocks"),
    ({"clientAppTypes": ["exchangeActiveSync"]}, "clear"),
    ({"clientAppTypes": ["browser", "mobileAppsAndDesktopClients"]}, "clear"),
    ({"clientAppTypes": ["unknownFutureValue"]}, "unknown"),
    ({"clientAppTypes": ["other", "unknownFutureValue"]}, "unknown"),
    ({"clientAppTypes": "all"}, "unknown"),
    ({"clientAppTypes": [1]}, "unknown"),
    ({"platforms": {"includePlatforms": ["all"], "excludePlatforms": []}}, "blocks"),
    ({"platforms": {"includePlatforms": [], "excludePlatforms": []}}, "blocks"),
    ({"platforms": {"includePlatforms": ["all"], "excludePlatforms": ["iOS"]}}, "unknown"),
    ({"platforms": {"includePlatforms": ["windows"], "excludePlatforms": []}}, "unknown"),
    ({"platforms": {"includePlatforms": ["toaster"]}}, "unknown"),
    ({"platforms": ["all"]}, "unknown"),
    (device("include", POSITIVE), "clear"),
    (device("exclude", POSITIVE), "blocks"),
    (device("include", 'device.trustType -ne "AzureAD"'), "blocks"),
    (device("exclude", 'device.trustType -ne "AzureAD"'), "clear"),
    (device("include", 'device.model -contains "x" -or device.model -ne "y"'), "unknown"),
    (device("someday", POSITIVE), "unknown"),
    (device("include", None), "unknown"),
    ({"devices": {"deviceFilter": None}}, "blocks"),
    ({"devices": {"includeDeviceStates": ["All"]}}, "unknown"),
    ({"authenticationFlows": {"transferMethods": "deviceCodeFlow"}}, "clear"),
    ({"authenticationFlows": {"transferMethods": "deviceCodeFlow,authenticationTransfer"}}, "clear"),
    ({"authenticationFlows": {"transferMethods": "none"}}, "blocks"),
    ({"authenticationFlows": {"transferMethods": None}}, "blocks"),
    ({"authenticationFlows": {"transferMethods": "unknownFutureValue"}}, "unknown"),
    ({"authenticationFlows": {"transferMethods": ["deviceCodeFlow"]}}, "unknown"),
    ({"userRiskLevels": ["high"]}, "conditional"),
    ({"signInRiskLevels": ["low", "medium"]}, "conditional"),
    ({"signInRiskLevels": ["extreme"]}, "unknown"),
    ({"signInRiskLevels": "high"}, "unknown"),
    ({"insiderRiskLevels": "minor,elevated"}, "conditional"),
    ({"insiderRiskLevels": "extreme"}, "unknown"),
    ({"insiderRiskLevels": 3}, "unknown"),
    ({"times": {"includedRanges": ["Mon-Fri"]}}, "conditional"),
    ({"times": {}}, "blocks"),
    ({"servicePrincipalRiskLevels": ["high"]}, "unknown"),
    ({"agentContext": {"mode": "x"}}, "unknown"),
    ({"brandNew": {"values": ["x"]}}, "unknown"),
    ({"brandNew": {"values": []}}, "blocks"),
    ({"brandNew@odata.type": "#Collection(String)"}, "blocks"),
    ({"clientApplications": {"includeServicePrincipals": ["sp-1"]}}, "clear"),
    ({"clientApplications": {"includeServicePrincipals": ["None"]}}, "blocks"),
    ({"clientApplications": "sp-1"}, "unknown"),
    # a definite mismatch beats whatever else the policy holds; an unknown value beats what cannot be decided
    ({"brandNew": ["x"], "clientAppTypes": ["browser"]}, "clear"),
    ({"brandNew": ["x"], "userRiskLevels": ["high"]}, "unknown"),
    ({"userRiskLevels": ["high"], "clientAppTypes": ["browser"]}, "clear"),
]


@pytest.mark.parametrize(("patch", "expected"), CONDITIONS)
def test_condition(state, patch, expected):
    assert state({"conditions": patch}) == expected


APPLICATIONS = [
    ({"includeApplications": ["Office365"]}, "blocks"),
    ({"includeApplications": [EXO]}, "blocks"),
    ({"includeApplications": [EXO.upper()]}, "blocks"),
    ({"includeApplications": ["all"]}, "blocks"),
    ({"includeApplications": ["None"]}, "clear"),
    ({"includeApplications": []}, "clear"),
    ({"includeApplications": ["00000003-0000-0ff1-ce00-000000000000"]}, "clear"),
    ({"includeApplications": ["MicrosoftAdminPortals"]}, "clear"),
    ({"includeApplications": ["SomethingNew"]}, "unknown"),
    ({"includeApplications": "All"}, "unknown"),
    ({"excludeApplications": [EXO]}, "clear"),
    ({"excludeApplications": ["Office365"]}, "clear"),
    ({"excludeApplications": ["00000003-0000-0ff1-ce00-000000000000"]}, "blocks"),
    ({"excludeApplications": ["SomethingNew"]}, "unknown"),
    ({"applicationFilter": {"mode": "exclude", "rule": "x"}}, "unknown"),
    ({"applicationFilter": {"mode": "exclude", "rule": "x"}, "excludeApplications": [EXO]}, "clear"),
    ({"includeApplications": [], "includeUserActions": ["urn:user:registerdevice"]}, "clear"),
    ({"includeApplications": [], "includeAuthenticationContextClassReferences": ["c1"]}, "clear"),
    ({"includeApplications": [], "networkAccess": {"trafficProfiles": ["internet"]}}, "clear"),
    ({"includeApplications": [], "globalSecureAccess": {"profiles": ["x"]}}, "clear"),
    ({"brandNew": ["x"]}, "unknown"),
]


@pytest.mark.parametrize(("patch", "expected"), APPLICATIONS)
def test_applications(state, patch, expected):
    assert state({"applications": patch}) == expected


@pytest.mark.parametrize("applications", [None, {}, "All", {"excludeApplications": []}])
def test_applications_that_were_not_read_are_unknown(state, applications):
    assert state({"conditions": {"applications": applications}}) == "unknown"


@pytest.mark.parametrize("conditions", [None, "x", [], 1])
def test_conditions_that_were_not_read_are_unknown(build, conditions):
    policy = build["policy"]() | {"conditions": conditions}
    assert build["reason_of"](build["World"](policies=(policy,))).state.word == "unknown"


@pytest.mark.parametrize("key", ["conditions", "grantControls", "state"])
def test_a_missing_part_of_the_policy_is_unknown(build, key):
    policy = build["policy"]()
    del policy[key]
    assert build["reason_of"](build["World"](policies=(policy,))).state.word == "unknown"


STATES = [
    ("enabled", "blocks"),
    ("enabledForReportingButNotEnforced", "clear"),
    ("disabled", "clear"),
    ("enabledForSome", "unknown"),
    (None, "unknown"),
]


@pytest.mark.parametrize(("value", "expected"), STATES)
def test_state(state, value, expected):
    assert state({"state": value}) == expected


def test_partial_enablement_is_unknown(state):
    assert state({"partialEnablementStrategy": {"percent": 20}}) == "unknown"


MODERN_CLIENTS = [
    ({}, Match.REACHES),
    ({"clientAppTypes": ["mobileAppsAndDesktopClients"]}, Match.REACHES),
    ({"clientAppTypes": ["other", "exchangeActiveSync"]}, Match.MISSES),
    ({"platforms": {"includePlatforms": ["windows"]}}, Match.CONDITIONAL),
    (device("include", POSITIVE), Match.CONDITIONAL),
    ({"authenticationFlows": {"transferMethods": "deviceCodeFlow"}}, Match.CONDITIONAL),
]


@pytest.mark.parametrize(("patch", "expected"), MODERN_CLIENTS)
def test_modern_clients_have_devices_and_flows(build, patch, expected):
    world = build["World"](policies=(build["policy"](conditions=patch),))
    assert reach(world.tenant(), client=MODERN).policies[0].match[0] == expected
