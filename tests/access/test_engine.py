"""Several policies together, what the reasons say, and `reach`."""

from __future__ import annotations

from auditor.access import Demand, Match, judge, reach
from auditor.blockers.base import Cases
from auditor.states import State

RISK = {"conditions": {"userRiskLevels": ["high"]}, "displayName": "Risk"}
NEW = {"conditions": {"brandNew": ["x"]}, "displayName": "New"}
OTHERS = {"conditions": {"clientAppTypes": ["browser"]}, "displayName": "Browser"}


def test_the_strongest_over_all_policies_wins(build):
    block, policy = build["policy"](displayName="Block"), build["policy"]
    table = [
        ([], "clear"),
        ([policy(**OTHERS)], "clear"),
        ([policy(**OTHERS), policy(**RISK)], "conditional"),
        ([policy(**RISK), policy(**NEW)], "unknown"),
        ([policy(**NEW), policy(**RISK), block], "blocks"),
    ]
    for policies, expected in table:
        assert build["reason_of"](build["World"](policies=tuple(policies))).state.word == expected


def test_the_reason_names_every_deciding_policy_and_only_those(build):
    policies = (build["policy"](displayName="One"), build["policy"](**RISK), build["policy"](displayName="Two"))
    reason = build["reason_of"](build["World"](policies=policies))
    assert [name for name, _ in reason.facts] == ["policy 'One'", "policy 'Two'"]
    assert reason.text == "Conditional Access policy 'One' (and 1 more) reaches the account and asks for block."
    assert reason.reply == "conditional-access"
    assert reason.datasets == ("conditionalAccessPolicies",)


def test_the_reason_of_a_conditional_names_the_condition(build):
    reason = build["reason_of"](build["World"](policies=(build["policy"](**RISK),)))
    assert "conditions.userRiskLevels" in reason.text
    assert reason.reply == "conditional-access"


def test_the_reason_of_a_doubtful_control_names_the_control(build):
    policy = build["policy"](**RISK, grantControls={"operator": "OR", "builtInControls": ["unknownFutureValue"]})
    reason = build["reason_of"](build["World"](policies=(policy,)))
    assert "unknownFutureValue" in reason.text
    assert reason.reply == ""


def test_policies_that_were_not_read_are_unknown_for_everybody(build):
    world = build["World"](policies=(build["policy"](),), missing=frozenset({"conditionalAccessPolicies"}))
    reason = build["reason_of"](world)
    assert (reason.state, reason.datasets) == (State.UNKNOWN, ("conditionalAccessPolicies",))


def test_each_account_and_sender_gets_its_own_answer(build):
    office = {"@odata.type": "#microsoft.graph.ipNamedLocation", "isTrusted": True,
              "ipRanges": [{"cidrAddress": "203.0.113.0/24"}]}  # fmt: skip
    world = build["World"](
        people=tuple(build["Person"](name) for name in ("a1", "a2", "a3")),
        policies=(
            build["policy"](users={"excludeUsers": ["a2"]},
                            conditions={"locations": {"includeLocations": ["All"], "excludeLocations": ["office"]}}),
            build["policy"](users={"includeUsers": ["a3"]}),
        ),
        locations={"office": office},
    )  # fmt: skip
    tenant = world.tenant()
    senders = [build["sender"]("a1", egress_ips=["203.0.113.4"]), build["sender"]("a1", egress_ips=["192.0.2.4"]),
               build["sender"]("a3", egress_ips=["203.0.113.4"]), build["sender"]("a2")]  # fmt: skip
    column = judge(tenant, Cases.of(tenant, senders))
    words = [State(code).word for code in column.states.tolist()]
    assert words == ["conditional", "clear", "blocks", "clear", "blocks", "blocks", "clear"]


def test_an_empty_tenant(build):
    world = build["World"](people=(), policies=(build["policy"](),))
    tenant = world.tenant()
    assert judge(tenant, Cases.of(tenant, [])).states.tolist() == []
    assert len(reach(tenant).policies[0].match) == 0


def test_many_policies_do_not_mix_up_accounts(build):
    """More combinations than one machine number holds at once: each account keeps its own set of policies."""
    names = [f"a{number}" for number in range(40)]
    people = tuple(build["Person"](name) for name in names)
    groups = {
        f"g-{k}": ("read", frozenset(names[row] for row in range(40) if (row * (k + 3)) % 7 < 3)) for k in range(90)
    }
    policies = tuple(
        build["policy"](displayName=f"P{k}", users={"includeUsers": [], "includeGroups": [f"g-{k}"]}) for k in range(90)
    )
    tenant = build["World"](people=people, policies=policies, groups=groups).tenant()
    column = judge(tenant, Cases.of(tenant, []))
    for row, name in enumerate(names):
        expected = [f"policy 'P{k}'" for k in range(90) if name in groups[f"g-{k}"][1]]
        assert [fact for fact, _ in column.reason(row).facts] == sorted(expected)


def test_accounts_that_differ_in_one_early_policy_only_stay_apart(build):
    """The sets differ in their first member alone, more than 64 policies before the last."""
    people = (build["Person"]("a1"), build["Person"]("a2"))
    policies = (
        build["policy"](displayName="First", users={"includeUsers": ["a1"]}),
        *(build["policy"](displayName=f"P{k}") for k in range(80)),
    )
    tenant = build["World"](people=people, policies=policies).tenant()
    column = judge(tenant, Cases.of(tenant, []))
    assert [len(column.reason(row).facts) for row in (0, 1)] == [81, 80]


def test_reach_tells_who_is_missed_by_which_condition(build):
    world = build["World"](
        people=tuple(build["Person"](name) for name in ("a1", "a2", "a3")),
        policies=(
            build["policy"](users={"includeUsers": ["All"], "excludeGroups": ["g-out"], "excludeUsers": ["a3"]}),
            build["policy"](**OTHERS),
            build["policy"](state="enabledForReportingButNotEnforced", displayName="Future"),
            build["policy"](state="disabled"),
            build["policy"](state="someday", displayName="Odd"),
        ),
        groups={"g-out": ("read", frozenset({"a2"}))},
    )
    found = reach(world.tenant())
    assert [policy.name for policy in found.policies] == ["Base", "Browser", "Odd"]
    first, second, odd = found.policies
    assert first.match.tolist() == [Match.REACHES, Match.MISSES, Match.MISSES]
    assert first.grant.demand == Demand.BLOCKS
    assert first.outcome(1).condition == "conditions.users.excludeGroups"
    assert first.outcome(1).objects == ("g-out",)
    assert first.outcome(2).condition == "conditions.users.excludeUsers"
    assert second.outcome(0).condition == "conditions.clientAppTypes"
    assert second.static.match == Match.MISSES
    assert odd.match.tolist() == [Match.UNKNOWN] * 3
    assert found.complete


def test_reach_of_report_only_policies_tells_the_future(build):
    world = build["World"](
        policies=(build["policy"](), build["policy"](state="enabledForReportingButNotEnforced", displayName="Future"))
    )
    found = reach(world.tenant(), state="report-only")
    assert [(policy.name, policy.match[0]) for policy in found.policies] == [("Future", Match.REACHES)]
    assert found.policies[0].index == 1


def test_reach_says_when_the_list_is_not_whole(build):
    world = build["World"](policies=(build["policy"](),), missing=frozenset({"conditionalAccessPolicies"}))
    assert not reach(world.tenant()).complete


def test_a_policy_without_names_still_has_one(build):
    policy = build["policy"]() | {"displayName": None, "id": None}
    assert reach(build["World"](policies=(policy,)).tenant()).policies[0].name == "policy 1"
