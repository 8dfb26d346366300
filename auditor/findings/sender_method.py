"""A sender with delegated OAuth whose account has no method registered: it cannot answer the next request for MFA."""

from __future__ import annotations

from collections.abc import Iterator

import auditor.findings.references as references
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import declared_sender, make, sender
from auditor.findings.severity import Doubt, Impact, Reach, severity
from auditor.tenant import NO
from auditor.verdict import Judgement


def find(judgement: Judgement) -> Iterator[Finding]:
    accounts = judgement.tenant.accounts
    for case in judgement.sender_cases():
        declared = declared_sender(judgement, case)
        row = int(judgement.cases.account[case])
        if declared.auth != "oauth" or declared.oauth_flow != "delegated" or accounts.mfa_registered[row] != NO:
            continue
        yield make(
            RULE,
            judgement,
            severity=severity(Impact.LOSS, Reach.NAMED, Doubt.DEPENDS),
            title=f"Sender {declared.name} signs in as a user that has no method registered",
            evidence=[
                Fact("isMfaRegistered", "no", "userRegistrationDetails"),
                Fact("lastUpdatedDateTime", accounts.methods_as_of[row] or "unknown", "userRegistrationDetails"),
                Fact("oauth_flow", "delegated"),
            ],
            target=sender(judgement, case),
            accounts=[row],
        )


RULE = Rule(
    id="delegated-sender-without-method",
    title="Delegated OAuth sender without a registered method",
    datasets=("userRegistrationDetails",),
    remedy=(
        "Use the app-only flow: nobody has to sign in, and policies for users do not stop it. Else register a method "
        "that the owning team holds, not one person."
    ),
    remedy_risk="App-only access must be limited to the one mailbox; without a scope the app can send as anyone.",
    references=(references.OAUTH, references.METHODS_ACTIVITY),
    controls=(),
    find=find,
)
