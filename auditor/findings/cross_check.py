"""Conditional Access policies that Microsoft's own What If action judges otherwise than this program: a finding about
the audit itself, one per policy, for the sample of `auditor run --cross-check N`.

Only definite answers are compared. What the action does not know is no disagreement: it covers neither security
defaults nor per-user MFA and evaluates no service dependencies; it insists on a device platform and is told `windows`,
which an SMTP client does not send. How many judgements agree stands in *Coverage*, beside the dataset `whatIf`.
"""

from __future__ import annotations

from collections.abc import Iterator

import auditor.findings.references as references
from auditor.access import Demand, Match
from auditor.access.cross_check import Difference, PolicyCheck, compare
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import NAMED, counted, make, name_list
from auditor.findings.severity import Impact, Reach, severity
from auditor.verdict import Judgement

DATASET = "whatIf"
POLICIES = "conditionalAccessPolicies"
SCOPE = "Conditional Access alone: not security defaults, not per-user MFA, and no service dependencies"


def find(judgement: Judgement) -> Iterator[Finding]:
    if not judgement.tenant.what_if:
        return
    found = compare(judgement.tenant)
    for _, check in sorted(found.policies.items()):
        if check.differ:
            yield _finding(judgement, check, found.text())


def _finding(judgement: Judgement, check: PolicyCheck, whole: str) -> Finding:
    policy = check.policy
    rows = sorted({difference.row for difference in check.differ})
    acts = policy.state == "enabled" and policy.grant.demand != Demand.NOTHING
    return make(
        RULE,
        judgement,
        severity=severity(Impact.ABUSE if acts else Impact.WEAKENS, Reach.NAMED),
        title=f"Microsoft's What If judges policy '{policy.name}' otherwise than this audit for {counted(rows)}",
        evidence=[
            Fact("policy", policy.name, POLICIES),
            Fact("state", policy.state, POLICIES),
            Fact("grantControls", ", ".join(policy.grant.controls) or "none", POLICIES),
            *_differences(judgement, check),
            Fact("agreeOnThisPolicy", str(check.agree), DATASET),
            Fact("crossCheck", whole, DATASET),
            Fact("scope", SCOPE),
        ],
        target=("policy", policy.id, policy.name),
        accounts=rows,
    )


def _differences(judgement: Judgement, check: PolicyCheck) -> Iterator[Fact]:
    """Both judgements side by side, each pair of them once, with the accounts that it concerns."""
    pairs: dict[tuple[str, str], list[Difference]] = {}
    for difference in check.differ:
        pairs.setdefault((_ours(difference), _theirs(difference)), []).append(difference)
    for (ours, theirs), differences in sorted(pairs.items())[:NAMED]:
        rows = sorted({difference.row for difference in differences})
        value = f"this audit: {ours}; Microsoft: {theirs}; {counted(rows)}: {name_list(judgement, rows)}"
        yield Fact("judgedDifferently", value, DATASET)
    if len(pairs) > NAMED:
        yield Fact("judgedDifferently", f"and {len(pairs) - NAMED} more pairs of reasons", DATASET)


def _ours(difference: Difference) -> str:
    ours = difference.ours
    if ours.match == Match.REACHES:
        return "it takes the sign-in in"
    return f"it does not ({ours.condition}: {ours.detail})"


def _theirs(difference: Difference) -> str:
    theirs = difference.theirs
    return "it applies" if theirs.applies else f"it does not apply ({', '.join(theirs.reasons) or 'no reason given'})"


RULE = Rule(
    id="cross-check-disagreement",
    title="Microsoft's own answer differs from this audit",
    datasets=(DATASET, POLICIES, "namedLocations", "groups", "groupMembers", "roleAssignments"),
    remedy=(
        "Do not trust the Conditional Access judgement of these accounts until this is explained: a membership that "
        "changed between the two readings, a condition that Microsoft judges otherwise, or an error of this program. "
        "Run again with --cross-check; where it stands, ask the What If tool of the Entra admin center for one of "
        "the accounts, with client app 'Other clients' and the address it sends from, and report it to this project. "
        "What If covers neither security defaults nor per-user MFA and evaluates no service dependencies."
    ),
    remedy_risk="None: nothing in the tenant changes.",
    references=(references.WHAT_IF, references.WHAT_IF_API, references.CA_CONDITIONS),
    controls=(),
    find=find,
)
