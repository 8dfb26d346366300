"""Report-only policies, Microsoft-managed ones among them, that will stop a declared sender once they act."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import auditor.findings.references as references
from auditor.access import Demand, Match, PolicyReach, reach
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import declared_sender, make
from auditor.findings.severity import Doubt, Impact, Reach, severity
from auditor.load.values import moment
from auditor.states import State
from auditor.verdict import Judgement

MANAGED = "microsoft-managed:"
"""How Microsoft begins the names of the policies that it makes; they cannot be renamed."""
NOTICE = timedelta(days=45)


def find(judgement: Judgement) -> Iterator[Finding]:
    met: dict[str, list[tuple[int, int]]] = {}
    policies: dict[str, PolicyReach] = {}
    reached: dict[tuple[str, ...], tuple[PolicyReach, ...]] = {}
    for case in judgement.sender_cases():
        declared = declared_sender(judgement, case)
        if declared.auth != "basic" or not judgement.uses_smtp_auth(case):
            continue
        if judgement.basic_cases[case] == State.BLOCKS:
            continue
        row = int(judgement.cases.account[case])
        place = declared.egress_ips
        if place not in reached:
            reached[place] = reach(judgement.tenant, state="report-only", egress_ips=place).policies
        for policy in reached[place]:
            if policy.grant.demand == Demand.BLOCKS and policy.match[row] != Match.MISSES:
                met.setdefault(policy.id, []).append((case, int(policy.match[row])))
                policies[policy.id] = policy
    for key, cases in sorted(met.items()):
        yield _finding(judgement, policies[key], cases)


def _finding(judgement: Judgement, policy: PolicyReach, cases: list[tuple[int, int]]) -> Finding:
    raw = judgement.tenant.policies[policy.index]
    managed = policy.name.lower().startswith(MANAGED)
    sure = [case for case, match in cases if match == Match.REACHES]
    names = sorted(declared_sender(judgement, case).name for case, _ in cases)
    doubt = Doubt.UNKNOWN if not sure else Doubt.CERTAIN if managed else Doubt.DEPENDS
    evidence = [
        Fact("policy", policy.name, "conditionalAccessPolicies"),
        Fact("state", policy.state, "conditionalAccessPolicies"),
        Fact("grantControls", ", ".join(policy.grant.controls), "conditionalAccessPolicies"),
        Fact("senders", ", ".join(names)),
        Fact("certainFor", str(len(sure))),
    ]
    if managed:
        evidence.append(
            Fact("createdDateTime", str(raw.get("createdDateTime") or "unknown"), "conditionalAccessPolicies")
        )
        evidence.append(Fact("earliestEnforcement", _earliest(raw.get("createdDateTime"))))
    plural = "sender" if len(names) == 1 else "senders"
    return make(
        RULE,
        judgement,
        severity=severity(Impact.LOSS, Reach.NAMED, doubt),
        title=(
            f"Microsoft will switch on '{policy.name}', which stops {len(names)} declared {plural}"
            if managed
            else f"Report-only policy '{policy.name}' will stop {len(names)} declared {plural} once it is switched on"
        ),
        evidence=evidence,
        target=("policy", policy.id, policy.name),
        accounts=[judgement.cases.account[case] for case, _ in cases],
    )


def _earliest(created: object) -> str:
    """Microsoft switches a managed policy on no less than 45 days after it made it."""
    made = moment(str(created))
    if made is None or made > datetime.max.replace(tzinfo=UTC) - NOTICE:
        return "unknown: no less than 45 days after it was made"
    return f"not before {(made + NOTICE).date().isoformat()}"


RULE = Rule(
    id="report-only-policy-will-block",
    title="A report-only policy will stop a declared sender",
    datasets=("conditionalAccessPolicies", "groups", "groupMembers", "roleAssignments", "namedLocations"),
    remedy=(
        "Move the sender before the policy acts. Until it is moved, exclude the one account from the policy and bind "
        f"it to its place by a policy of its own. {references.SAFER_WAYS}"
    ),
    remedy_risk="An account excluded from the policy stays open to its bare password; close it to every other place.",
    references=(references.MANAGED_POLICIES, references.BLOCK_LEGACY),
    controls=(),
    find=find,
)
