"""Evidence that contradicts a verdict: a finding about the audit itself, not about the tenant.

A success that is newer than the policy that should refuse it, and a refusal where nothing should refuse. Conditional
Access takes up to 24 hours to act on legacy authentication, so younger evidence contradicts nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np

import auditor.findings.references as references
from auditor.access import Match, PolicyReach
from auditor.compact import where
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import account_facts, counted, make
from auditor.findings.conditional_access import blocking_policies
from auditor.findings.severity import Doubt, Impact, Reach, severity
from auditor.load.values import moment
from auditor.states import State
from auditor.tenant import SignIn
from auditor.verdict import Judgement

DELAY = timedelta(hours=24)
REFUSALS = {
    53003: "conditional-access",
    530035: "security-defaults",
    50057: "account-state",
}
"""Sign-in errors that name what refused."""


def find(judgement: Judgement) -> Iterator[Finding]:
    yield from _successes(judgement)
    yield from _refusals(judgement)


def _successes(judgement: Judgement) -> Iterator[Finding]:
    accounts = judgement.tenant.accounts
    used = np.flatnonzero(where(accounts.smtp_last_success, bool))
    for policy in blocking_policies(judgement):
        changed = _changed(judgement, policy)
        if changed is None:
            continue
        reached = used[policy.match[used] == Match.REACHES].tolist()
        rows = [row for row in reached if _later(accounts.smtp_last_success[row], changed)]
        if not rows:
            continue
        newest = max(accounts.smtp_last_success[row] for row in rows)
        yield make(
            RULE,
            judgement,
            severity=severity(Impact.ABUSE, Reach.NAMED),
            title=f"{counted(rows)} signed in over SMTP although policy '{policy.name}' should refuse it",
            evidence=[
                Fact("policyChanged", changed.strftime("%Y-%m-%dT%H:%M:%SZ"), "conditionalAccessPolicies"),
                Fact("newestSuccess", newest, "signIns"),
                *account_facts(judgement, rows, "signIns"),
            ],
            target=("policy", policy.id, policy.name),
            accounts=rows,
        )


def _refusals(judgement: Judgement) -> Iterator[Finding]:
    latest: dict[tuple[str, int], SignIn] = {}
    for sign_in in judgement.tenant.sign_ins:
        blocker = REFUSALS.get(sign_in.error_code)
        if blocker is None or sign_in.account < 0 or not _unexplained(judgement, sign_in, blocker):
            continue
        key = (blocker, sign_in.account)
        if key not in latest or sign_in.time > latest[key].time:
            latest[key] = sign_in
    for blocker in dict.fromkeys(REFUSALS.values()):
        rows = sorted(row for name, row in latest if name == blocker)
        if not rows:
            continue
        newest = max((latest[blocker, row] for row in rows), key=lambda sign_in: (sign_in.time, sign_in.account))
        yield make(
            RULE,
            judgement,
            severity=severity(Impact.ABUSE, Reach.NAMED, Doubt.DEPENDS),
            title=f"{counted(rows)} refused over SMTP by {blocker} although it reads as clear",
            evidence=[
                Fact("errorCode", f"{newest.error_code} {newest.failure_reason}".strip(), "signIns"),
                Fact("newestRefusal", newest.time, "signIns"),
                *account_facts(judgement, rows, "signIns"),
            ],
            target=("blocker", blocker, blocker),
            accounts=rows,
        )


def _unexplained(judgement: Judgement, sign_in: SignIn, blocker: str) -> bool:
    """Nothing that was read refuses this account, and no change since then explains it."""
    row = sign_in.account
    states = judgement.columns[blocker].states
    if states[row] != State.CLEAR:
        return False
    own = [case for case in judgement.sender_cases() if judgement.cases.account[case] == row]
    if any(states[case] != State.CLEAR for case in own):
        return False
    if judgement.tenant.accounts.smtp_last_success[row] > sign_in.time:
        return False
    if blocker != "conditional-access":
        return True
    refused = {key.lower() for key, result in sign_in.policies if result == "failure"}
    changes = [
        _date(policy)
        for policy in judgement.tenant.policies
        if not refused or str(policy.get("id", "")).lower() in refused
    ]
    known = [change for change in changes if change is not None]
    if len(known) < max(1, len(refused)):
        return False
    return _later(sign_in.time, max(known))


def _later(seen: str, changed: datetime) -> bool:
    """Was it seen when the change had surely come into effect?"""
    time = moment(seen)
    return time is not None and time - changed > DELAY


def _changed(judgement: Judgement, policy: PolicyReach) -> datetime | None:
    return _date(judgement.tenant.policies[policy.index])


def _date(policy: object) -> datetime | None:
    """When a policy was last changed, else made; None where neither is a time."""
    if not hasattr(policy, "get"):
        return None
    return moment(str(policy.get("modifiedDateTime") or policy.get("createdDateTime") or ""))


RULE = Rule(
    id="audit-contradiction",
    title="Evidence contradicts a verdict of this audit",
    datasets=("signIns", "conditionalAccessPolicies"),
    remedy=(
        "Do not trust the verdict of these accounts until this is explained: a membership or setting that changed "
        "meanwhile, a condition that Microsoft judges otherwise, or an error of this program. Ask Microsoft's What If "
        "tool for one of them, and test with `auditor probe`."
    ),
    remedy_risk="None: nothing in the tenant changes.",
    references=(references.CA_CONDITIONS, references.SIGN_IN_ERRORS),
    controls=(),
    find=find,
)
