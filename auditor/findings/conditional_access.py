"""Holes in Conditional Access that open SMTP: exclusions of a policy, groups that policies exclude, and gaps.

Only policies count that are enabled, whose controls a password alone cannot meet, and that do reach SMTP; and only
accounts with a mailbox whose exposure is open or limited: a hole that something else closes is no finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

import auditor.findings.references as references
from auditor.access import Demand, Match, PolicyReach
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import account_facts, counted, mailbox_rows, make
from auditor.findings.exposed_account import exposed_rows
from auditor.findings.severity import Doubt, Impact, Reach, severity
from auditor.tenant import Group
from auditor.verdict import Judgement

USERS = "conditions.users"
"""The condition that misses an account which a policy does not include at all."""
EXCLUDE = "conditions.users.exclude"
EXCLUDE_GROUPS = "conditions.users.excludeGroups"


def blocking_policies(judgement: Judgement) -> list[PolicyReach]:
    """Enabled policies that refuse a password alone over SMTP, from whomever they reach."""
    return [
        policy
        for policy in judgement.acting_policies.policies
        if policy.grant.demand == Demand.BLOCKS and policy.static.match != Match.MISSES
    ]


def _holes(judgement: Judgement) -> list[int]:
    rows: list[int] = np.intersect1d(mailbox_rows(judgement), exposed_rows(judgement), assume_unique=True).tolist()
    return rows


def _missed(policy: PolicyReach, rows: list[int], by: Callable[[str], bool]) -> list[int]:
    """Those of the accounts that the policy never reaches, and that a condition takes out of it which `by` takes."""
    among = np.array(rows, dtype=np.intp)
    takes_out = np.array([by(outcome.condition) for outcome in policy.outcomes], dtype=np.bool_)
    missed: list[int] = among[(policy.match[among] == Match.MISSES) & takes_out[policy.by[among]]].tolist()
    return missed


def _excludes(condition: str) -> bool:
    return condition.startswith(EXCLUDE) and condition != EXCLUDE_GROUPS


def find_exclusions(judgement: Judgement) -> Iterator[Finding]:
    """Users, roles and guests that a policy excludes by itself; groups have a finding of their own."""
    holes = _holes(judgement)
    for policy in blocking_policies(judgement):
        rows = _missed(policy, holes, _excludes)
        if not rows:
            continue
        kinds = sorted({policy.outcome(row).condition for row in rows})
        yield make(
            EXCLUSION,
            judgement,
            severity=severity(Impact.ABUSE, Reach.NAMED),
            title=f"Policy '{policy.name}' excludes {counted(rows)} that a bare password opens over SMTP",
            evidence=[
                Fact("policy", policy.name, "conditionalAccessPolicies"),
                Fact("excludedBy", ", ".join(kinds), "conditionalAccessPolicies"),
                Fact("grantControls", ", ".join(policy.grant.controls), "conditionalAccessPolicies"),
                *account_facts(judgement, rows),
            ],
            target=("policy", policy.id, policy.name),
            accounts=rows,
        )


def find_groups(judgement: Judgement) -> Iterator[Finding]:
    """Groups whose members a policy leaves out: whoever is put into one is open."""
    holes = _holes(judgement)
    opened: dict[str, set[int]] = {}
    policies: dict[str, set[str]] = {}
    for policy in blocking_policies(judgement):
        for row in _missed(policy, holes, lambda condition: condition == EXCLUDE_GROUPS):
            for group in policy.outcome(row).objects:
                opened.setdefault(group, set()).add(row)
                policies.setdefault(group, set()).add(policy.name)
    for group_id, members in sorted(opened.items()):
        name = _name(judgement.tenant.groups.get(group_id), group_id)
        rows = sorted(members)
        yield make(
            EXCLUSION_GROUP,
            judgement,
            severity=severity(Impact.ABUSE, Reach.NAMED),
            title=f"Membership of '{name}' opens SMTP: {counted(rows)} excluded from Conditional Access",
            evidence=[
                Fact("group", name, "groups"),
                Fact("excludedFrom", ", ".join(sorted(policies[group_id])), "conditionalAccessPolicies"),
                *account_facts(judgement, rows, "groupMembers"),
            ],
            target=("group", group_id, name),
            accounts=rows,
        )


def _name(group: Group | None, group_id: str) -> str:
    return group.name if group and group.name else group_id


def find_gap(judgement: Judgement) -> Iterator[Finding]:
    """Accounts that no blocking policy includes, where such policies protect others."""
    policies = blocking_policies(judgement)
    boxes = mailbox_rows(judgement)
    protecting = [policy for policy in policies if boxes and np.any(policy.match[boxes] == Match.REACHES)]
    if not protecting:
        return
    rows = _holes(judgement)
    for policy in policies:
        rows = _missed(policy, rows, lambda condition: condition == USERS)
    if not rows:
        return
    names = sorted(policy.name for policy in protecting)
    yield make(
        GAP,
        judgement,
        severity=severity(Impact.ABUSE, Reach.TENANT, Doubt.DEPENDS),
        title=f"No Conditional Access policy that refuses SMTP includes {counted(rows)}",
        evidence=[
            Fact("policiesThatRefuse", ", ".join(names), "conditionalAccessPolicies"),
            *account_facts(judgement, rows),
        ],
        accounts=rows,
    )


_REMEDY_RISK = (
    "An account that loses its exclusion stops sending by basic SMTP AUTH within 24 hours; emergency accounts must "
    "keep a way in: exclude them, and close SMTP for them by an authentication policy."
)

EXCLUSION = Rule(
    id="ca-exclusion-opens-smtp",
    title="An exclusion from Conditional Access opens SMTP",
    datasets=("conditionalAccessPolicies", "users", "roleAssignments", "groups", "groupMembers"),
    remedy=(
        "Close SMTP for the excluded accounts by an authentication policy or the mailbox's switch; where one is a "
        f"sender, bind it to its place by a policy of its own. {references.SAFER_WAYS}"
    ),
    remedy_risk=_REMEDY_RISK,
    references=(references.CA_USERS, references.BLOCK_LEGACY),
    controls=(),
    find=find_exclusions,
)

EXCLUSION_GROUP = Rule(
    id="ca-exclusion-group-opens-smtp",
    title="Membership of an excluded group opens SMTP",
    datasets=("conditionalAccessPolicies", "groups", "groupMembers"),
    remedy=(
        "Review who may change the group, empty it of everybody who need not send, and close SMTP for its members by "
        f"an authentication policy, except declared senders. {references.KEEP_AND_RESTRICT}"
    ),
    remedy_risk=_REMEDY_RISK,
    references=(references.CA_USERS, references.BLOCK_LEGACY),
    controls=(),
    find=find_groups,
)

GAP = Rule(
    id="ca-gap",
    title="Accounts that no refusing policy includes",
    datasets=("conditionalAccessPolicies", "users", "groups", "groupMembers", "roleAssignments"),
    remedy=(
        "Let the policy that blocks legacy authentication include all users and exclude only named ones, instead of "
        "including lists."
    ),
    remedy_risk="Undeclared basic senders among these stop; run the policy report-only and read the log first.",
    references=(references.BLOCK_LEGACY, references.CA_USERS),
    controls=(),
    find=find_gap,
)
