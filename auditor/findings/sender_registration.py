"""A basic sender with per-user MFA `enabled` and nothing registered: it breaks when somebody registers a method."""

from __future__ import annotations

from collections.abc import Iterator

import auditor.findings.references as references
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import declared_sender, make, sender
from auditor.findings.severity import Doubt, Impact, Reach, severity
from auditor.tenant import NO, YES
from auditor.verdict import Judgement


def breaks_at_registration(judgement: Judgement, case: int) -> bool:
    """A basic sender whose password works only until its account registers a method."""
    accounts = judgement.tenant.accounts
    row = int(judgement.cases.account[case])
    return (
        declared_sender(judgement, case).auth == "basic"
        and judgement.uses_smtp_auth(case)
        and accounts.per_user_mfa[row] == "enabled"
        and bool(accounts.mfa_registered[row] != YES)
    )


def find(judgement: Judgement) -> Iterator[Finding]:
    accounts = judgement.tenant.accounts
    for case in judgement.sender_cases():
        if not breaks_at_registration(judgement, case):
            continue
        declared = declared_sender(judgement, case)
        row = int(judgement.cases.account[case])
        known = "no" if accounts.mfa_registered[row] == NO else "unknown"
        yield make(
            RULE,
            judgement,
            severity=severity(Impact.LOSS, Reach.NAMED, Doubt.DEPENDS),
            title=f"Sender {declared.name} breaks at registration: per-user MFA is enabled for its account",
            evidence=[
                Fact("perUserMfaState", "enabled", "perUserMfa"),
                Fact("isMfaRegistered", known, "userRegistrationDetails"),
                Fact("lastUpdatedDateTime", accounts.methods_as_of[row] or "unknown", "userRegistrationDetails"),
            ],
            target=sender(judgement, case),
            accounts=[row],
        )


RULE = Rule(
    id="sender-breaks-at-registration",
    title="Sender breaks when its account registers for MFA",
    datasets=("perUserMfa", "userRegistrationDetails"),
    remedy=(
        "The plain password works only until the account registers a method; then the state turns to enforced. "
        f"{references.SAFER_WAYS}"
    ),
    remedy_risk="Taking per-user MFA away from an account that people sign in with leaves its other sign-ins bare.",
    references=(references.PER_USER_MFA, references.OAUTH),
    controls=(),
    find=find,
)
