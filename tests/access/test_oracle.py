"""The engine against the naive oracle, over generated small tenants."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.access import Match, judge, reach
from auditor.blockers.base import Cases
from auditor.states import State

EXO = "00000002-0000-0ff1-ce00-000000000000"
LOCATIONS = {
    "office": {"@odata.type": "#microsoft.graph.ipNamedLocation", "id": "office", "isTrusted": True,
               "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24"}]},
    "lab": {"@odata.type": "#microsoft.graph.ipNamedLocation", "id": "lab", "isTrusted": False,
            "ipRanges": [{"@odata.type": "#microsoft.graph.iPv6CidrRange", "cidrAddress": "2001:db8::/32"}]},
    "land": {"@odata.type": "#microsoft.graph.countryNamedLocation", "id": "land", "countriesAndRegions": ["CH"]},
    "gsa": {"@odata.type": "#microsoft.graph.compliantNetworkNamedLocation", "id": "gsa"},
}  # fmt: skip
DEFINITIONS = {"admin-1": {"isBuiltIn": True}, "reader-1": {"isBuiltIn": True}, "custom-1": {"isBuiltIn": False}}
STRENGTHS = {
    "strong": {"allowedCombinations": ["password,sms"]},
    "weak": {"allowedCombinations": ["password", "fido2"]},
}
KINDS = ("internalGuest", "b2bCollaborationGuest", "b2bCollaborationMember")
PEOPLE = ("a1", "a2", "a3", "a4")


def some(*values):
    return st.lists(st.sampled_from(values), max_size=2, unique=True)


def rarely(common, *rest):
    """Mostly what restricts nothing, so that the rest of the policy matters."""
    return st.one_of(st.just(common), st.just(common), st.just(common), st.sampled_from(rest))


guests = st.one_of(
    st.none(),
    st.none(),
    st.fixed_dictionaries(
        {
            "guestOrExternalUserTypes": st.sampled_from(
                (
                    "internalGuest",
                    "b2bCollaborationGuest,b2bCollaborationMember",
                    "none",
                    "internalGuest,unknownFutureValue",
                )
            ),
            "externalTenants": st.sampled_from((None, {"membershipKind": "all"}, {"membershipKind": "enumerated"})),
        }
    ),
)
users = st.fixed_dictionaries(
    {
        "includeUsers": st.one_of(st.just(["All"]), some("All", "None", "A1", "a2", "gone-1", "GuestsOrExternalUsers")),
        "excludeUsers": some("a1", "A3", "gone-2", "GuestsOrExternalUsers", "somethingNew"),
        "includeGroups": some("g-read", "g-gone", "g-hidden", "g-missing"),
        "excludeGroups": some("G-Read", "g-gone", "g-hidden"),
        "includeRoles": some("admin-1", "reader-1", "custom-1"),
        "excludeRoles": some("ADMIN-1", "custom-1"),
        "includeGuestsOrExternalUsers": guests,
        "excludeGuestsOrExternalUsers": guests,
    }
)
applications = st.fixed_dictionaries(
    {
        "includeApplications": rarely(["All"], ["Office365"], [EXO], ["other-1"], [], ["None"], "All"),
        "excludeApplications": rarely([], ["office365"], [EXO.upper()], ["other-1"]),
        "includeUserActions": rarely([], ["urn:user:registersecurityinfo"]),
        "applicationFilter": rarely(None, {"mode": "include", "rule": "x"}),
    }
)
locations = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {
            "includeLocations": st.one_of(st.just(["All"]), some("All", "AllTrusted", "office", "lab", "land", "gone")),
            "excludeLocations": some("AllTrusted", "Office", "lab", "land", "gsa", "gone"),
        }
    ),
)
conditions = st.fixed_dictionaries(
    {
        "clientAppTypes": rarely(["all"], None, [], ["other"], ["browser"], ["exchangeActiveSync", "other"],
                                 ["future"], "all"),
        "applications": st.one_of(applications, applications, applications, st.none()),
        "users": st.one_of(users, users, users, users, st.none()),
        "locations": locations,
        "platforms": rarely(
            None,
            {"includePlatforms": ["all"], "excludePlatforms": []},
            {"includePlatforms": ["all"], "excludePlatforms": ["iOS"]},
            {"includePlatforms": ["windows"], "excludePlatforms": []},
        ),
        "devices": rarely(
            None,
            {"deviceFilter": {"mode": "exclude", "rule": "device.isCompliant -eq True"}},
            {"deviceFilter": {"mode": "include", "rule": 'device.trustType -ne "AzureAD"'}},
            {"deviceFilter": {"mode": "include", "rule": 'device.model -contains "x" -and device.model -eq "y"'}},
            {"deviceFilter": {"mode": "include", "rule": 'device.model -contains "x" -or device.model -ne "y"'}},
        ),
        "authenticationFlows": rarely(None, {"transferMethods": "deviceCodeFlow"}, {"transferMethods": "none"},
                                      {"transferMethods": "future"}),
        "userRiskLevels": rarely([], ["high"], ["strange"]),
        "signInRiskLevels": rarely([], ["low", "medium"]),
        "insiderRiskLevels": rarely(None, "minor,elevated", "minor,strange"),
        "times": rarely(None, {"includedRanges": ["x"]}),
        "clientApplications": rarely(None, {"includeServicePrincipals": ["sp-1"]}),
        "newCondition": rarely(None, [], {"values": ["x"]}),
    }
)  # fmt: skip
grants = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {
            "operator": st.sampled_from(("AND", "OR")),
            "builtInControls": some("block", "mfa", "approvedApplication", "passwordChange", "unknownFutureValue"),
            "termsOfUse": rarely([], ["tou-1"]),
            "authenticationStrength": rarely(
                None, {"id": "strong"}, {"id": "weak"}, {"id": "gone"}, {"id": "gone", "allowedCombinations": ["fido2"]}
            ),
        }
    ),
)
policies = st.fixed_dictionaries(
    {
        "id": st.just("policy-1"),
        "displayName": st.just("Policy"),
        "state": rarely("enabled", "disabled", "enabledForReportingButNotEnforced", "future"),
        "conditions": st.one_of(conditions, conditions, conditions, conditions, st.none()),
        "grantControls": grants,
    }
)
DATASETS = ("conditionalAccessPolicies", "namedLocations", "authenticationStrengthPolicies", "roleDefinitions",
            "roleAssignments", "groups", "groupMembers", "users")  # fmt: skip
missing = st.one_of(st.just(frozenset()), st.sets(st.sampled_from(DATASETS), max_size=2).map(frozenset))
ips = st.sampled_from(((), ("203.0.113.7",), ("2001:db8::7",), ("198.51.100.7",), ("203.0.113.7", "198.51.100.7")))


def people(build):
    person = st.builds(
        build["Person"],
        id=st.just("x"),
        roles=st.sampled_from((frozenset(), frozenset({"admin-1"}), frozenset({"admin-1", "reader-1"}))),
        unsure=st.booleans(),
        external=st.sampled_from((False, False, True, None)),
        kinds=st.sampled_from((frozenset(), frozenset({KINDS[0]}), frozenset({KINDS[1]}), frozenset(KINDS[1:]))),
    )
    return st.lists(person, min_size=4, max_size=4)


@settings(
    max_examples=250, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_engine_says_what_the_oracle_says(data, build, oracle):
    drawn = data.draw(people(build))
    world = build["World"](
        people=tuple(
            build["Person"](
                name, one.roles, one.unsure, one.external, frozenset() if one.external is False else one.kinds
            )
            for name, one in zip(PEOPLE, drawn, strict=True)
        ),
        policies=tuple(data.draw(st.lists(policies, min_size=1, max_size=3))),
        groups={"g-read": ("read", frozenset({"a1", "a2"})), "g-gone": ("deleted", frozenset()),
                "g-hidden": ("unreadable", frozenset())},
        role_definitions=DEFINITIONS,
        uncertain_roles=data.draw(st.sampled_from((frozenset(), frozenset({"reader-1"}), frozenset({"*"})))),
        locations=LOCATIONS,
        strengths=STRENGTHS,
        missing=data.draw(missing),
    )  # fmt: skip
    place = data.draw(ips)
    tenant = world.tenant()
    cases = Cases.of(tenant, [build["sender"](name, egress_ips=list(place)) for name in PEOPLE])
    found = [State(code).word for code in judge(tenant, cases).states.tolist()]
    assert found[:4] == [oracle.state(world, person, ()) for person in world.people]
    assert found[4:] == [oracle.state(world, person, place) for person in world.people]


@settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(policy=policies, place=ips)
def test_reach_agrees_with_the_oracle_for_each_policy(policy, place, build, oracle):
    world = build["World"](
        people=tuple(build["Person"](name) for name in PEOPLE),
        policies=(policy,),
        groups={"g-read": ("read", frozenset({"a1", "a2"})), "g-gone": ("deleted", frozenset())},
        role_definitions=DEFINITIONS,
        locations=LOCATIONS,
    )
    words = {Match.REACHES: "yes", Match.CONDITIONAL: "conditional", Match.UNKNOWN: "unknown", Match.MISSES: "no"}
    for found in reach(world.tenant(), egress_ips=place).policies:
        assert [words[Match(code)] for code in found.match.tolist()] == [
            oracle.reach(world, policy, person, place) for person in world.people
        ]
        assert all(found.outcome(row).match == found.match[row] for row in range(len(PEOPLE)))


@settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(policy=policies, lost=st.sampled_from(DATASETS), place=ips)
def test_losing_a_dataset_only_turns_a_state_into_unknown(policy, lost, place, build):
    people = tuple(
        build["Person"](name, frozenset({"admin-1"}) if name == "a1" else frozenset(), False, name == "a2",
                        frozenset({KINDS[1]}) if name == "a2" else frozenset())
        for name in PEOPLE
    )  # fmt: skip
    groups = {"g-read": ("read", frozenset({"a1", "a2"})), "g-gone": ("deleted", frozenset())}

    def states(missing):
        unsure = {"roleDefinitions", "roleAssignments", "groups", "groupMembers"} & missing
        world = build["World"](
            # without these, load.py leaves role holders uncertain
            people=tuple(build["Person"](p.id, p.roles, bool(unsure), p.external, p.kinds) for p in people),
            policies=(policy,), groups=groups, role_definitions=DEFINITIONS, locations=LOCATIONS, strengths=STRENGTHS,
            uncertain_roles=frozenset({"*"}) if unsure else frozenset(), missing=missing,
        )  # fmt: skip
        tenant = world.tenant()
        cases = Cases.of(tenant, [build["sender"](name, egress_ips=list(place)) for name in PEOPLE])
        return judge(tenant, cases).states.tolist()

    for before, after in zip(states(frozenset()), states(frozenset({lost})), strict=True):
        assert after in (before, State.UNKNOWN)
