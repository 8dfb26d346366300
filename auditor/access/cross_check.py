"""What this program judges of each policy, beside what Microsoft's What If action answered for the same sign-in.

Only definite answers are compared: what this program leaves conditional or unknown, and what the action could not
evaluate, is counted apart. Compared is whether a policy takes in the sign-in, not what its grant controls then do. The
action knows Conditional Access alone: no security defaults, no per-user MFA, no service dependencies. Source:
https://learn.microsoft.com/entra/identity/conditional-access/what-if-tool
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from auditor.access.engine import reach
from auditor.access.model import Match, Outcome, PolicyReach
from auditor.load.values import stamp
from auditor.tenant import Tenant, WhatIfAnswer, WhatIfResult

INCONCLUSIVE = frozenset({"notEnoughInformation", "invalidCondition", "invalidPolicy", "unknownFutureValue"})
"""Reasons of the action that say only that it did not evaluate the policy."""

OURS_OPEN = "conditional or unknown to this program"
THEIRS_OPEN = "not evaluated by the action"
CHANGED = "changed between the two readings"
MISSING = "not in the action's answer"
UNREAD = "not among the policies that were read"


@dataclass(frozen=True, slots=True)
class Difference:
    """One sign-in that the two judge differently. `row` of Accounts, `ip` as it was asked for, empty for none."""

    row: int
    ip: str
    ours: Outcome
    theirs: WhatIfResult


@dataclass(eq=False)
class PolicyCheck:
    """One policy over all sign-ins that were compared. Of `policy` only what no place changes is meant."""

    policy: PolicyReach
    agree: int = 0
    differ: list[Difference] = field(default_factory=list)


@dataclass(eq=False)
class CrossCheck:
    """`answered` and `refused`: accounts; `not_compared`: why → how many pairs of account and policy."""

    answered: int = 0
    refused: int = 0
    policies: dict[int, PolicyCheck] = field(default_factory=dict)
    """by position in `Tenant.policies`"""
    not_compared: Counter[str] = field(default_factory=Counter)

    @property
    def agree(self) -> int:
        return sum(check.agree for check in self.policies.values())

    @property
    def differ(self) -> int:
        return sum(len(check.differ) for check in self.policies.values())

    def text(self) -> str:
        """One sentence for people."""
        apart = ", ".join(f"{count} {why}" for why, count in sorted(self.not_compared.items()))
        said = (
            f"Microsoft's What If action answered for {self.answered} account(s): {self.agree} judgements agree, "
            f"{self.differ} differ, {self.not_compared.total()} not compared{f' ({apart})' if apart else ''}"
        )
        return f"{said}; it refused {self.refused}." if self.refused else f"{said}."


def compare(tenant: Tenant) -> CrossCheck:
    """Every answer of `Tenant.what_if` beside the engine's own."""
    found = CrossCheck()
    by_place: dict[str, list[WhatIfAnswer]] = {}
    for answer in tenant.what_if:
        if answer.error:
            found.refused += 1
        else:
            found.answered += 1
            by_place.setdefault(answer.ip, []).append(answer)
    for ip, answers in by_place.items():
        policies = list(_policies(tenant, ip))
        for answer in answers:
            _compare(tenant, policies, answer, found)
    return found


def _policies(tenant: Tenant, ip: str) -> Iterator[PolicyReach]:
    place = (ip,) if ip else ()
    yield from reach(tenant, egress_ips=place).policies
    yield from reach(tenant, state="report-only", egress_ips=place).policies


def _compare(tenant: Tenant, policies: list[PolicyReach], answer: WhatIfAnswer, found: CrossCheck) -> None:
    results = {result.policy: result for result in answer.results}
    ids = Counter(policy.id for policy in policies)
    unread = len(results.keys() - ids.keys())
    if unread:
        found.not_compared[UNREAD] += unread
    for policy in policies:
        theirs = results.get(policy.id)
        if theirs is None:
            found.not_compared[MISSING] += 1
            continue
        why = CHANGED if ids[policy.id] > 1 or _changed(tenant, policy, theirs) else _open(policy, answer, theirs)
        if why:
            found.not_compared[why] += 1
            continue
        check = found.policies.setdefault(policy.index, PolicyCheck(policy))
        ours = policy.outcome(answer.account)
        if (policy.match[answer.account] == Match.REACHES) == theirs.applies:
            check.agree += 1
        else:
            check.differ.append(Difference(answer.account, answer.ip, ours, theirs))


def _open(policy: PolicyReach, answer: WhatIfAnswer, theirs: WhatIfResult) -> str:
    """Which side gives no definite answer; empty where both do."""
    if policy.match[answer.account] not in (Match.REACHES, Match.MISSES):
        return OURS_OPEN
    return THEIRS_OPEN if not theirs.applies and not INCONCLUSIVE.isdisjoint(theirs.reasons) else ""


def _changed(tenant: Tenant, policy: PolicyReach, theirs: WhatIfResult) -> bool:
    """Was the policy changed after it was read? Unknown times tell nothing."""
    read = stamp(str(tenant.policies[policy.index].get("modifiedDateTime") or ""))
    return bool(read and stamp(theirs.modified)) and read != stamp(theirs.modified)
