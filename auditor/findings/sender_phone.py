"""A sender's account with a person's phone registered: when that person leaves, so does the second factor."""

from __future__ import annotations

from collections.abc import Iterator

import auditor.findings.references as references
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import declared_sender, make, sender
from auditor.findings.severity import Doubt, Impact, Reach, severity
from auditor.verdict import Judgement

ON_A_PHONE = frozenset(
    {
        "mobilephone",
        "alternatemobilephone",
        "phone",
        "sms",
        "voice",
        "microsoftauthenticator",
        "microsoftauthenticatorpush",
        "microsoftauthenticatorpasswordless",
    }
)
"""methodsRegistered (userRegistrationDetails) and kinds of authentication methods that live on somebody's phone."""


def _kind(method: str) -> str:
    """`#microsoft.graph.phoneAuthenticationMethod` and `mobilePhone` alike, as one lower-case word."""
    return method.rpartition(".")[2].removesuffix("AuthenticationMethod").lower()


def find(judgement: Judgement) -> Iterator[Finding]:
    accounts = judgement.tenant.accounts
    for case in judgement.sender_cases():
        row = int(judgement.cases.account[case])
        phones = [method for method in accounts.methods[row] if _kind(method) in ON_A_PHONE]
        if not phones:
            continue
        declared = declared_sender(judgement, case)
        yield make(
            RULE,
            judgement,
            severity=severity(Impact.ABUSE, Reach.NAMED, Doubt.DEPENDS),
            title=f"Sender {declared.name}: its account has a person's phone registered",
            evidence=[
                Fact("methodsRegistered", ", ".join(phones), "userRegistrationDetails"),
                Fact("lastUpdatedDateTime", accounts.methods_as_of[row] or "unknown", "userRegistrationDetails"),
            ],
            target=sender(judgement, case),
            accounts=[row],
        )


RULE = Rule(
    id="sender-personal-phone",
    title="A person's phone is registered for a sender's account",
    datasets=("userRegistrationDetails", "authenticationMethods"),
    remedy=(
        "Move the sender to app-only OAuth or Graph, which need no method. Else replace the phone by a method that the "
        "owning team holds. A registered method never protects basic SMTP AUTH: the bare password still works there."
    ),
    remedy_risk="Removing the only method stops every sign-in of the account that asks for MFA.",
    references=(references.METHODS_ACTIVITY, references.OAUTH),
    controls=(),
    find=find,
)
