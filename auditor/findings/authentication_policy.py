"""No authentication policy refuses basic SMTP: nothing stops a password before Microsoft Entra has checked it."""

from __future__ import annotations

from collections.abc import Iterator

import auditor.findings.references as references
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import account_facts, counted, mailbox_rows, make
from auditor.findings.severity import Doubt, Impact, Reach, severity
from auditor.states import State
from auditor.tenant import YES
from auditor.verdict import Judgement


def find(judgement: Judgement) -> Iterator[Finding]:
    tenant = judgement.tenant
    default = tenant.default_authentication_policy
    if not tenant.complete("organizationConfig", "authenticationPolicies") or default == "unread":
        return
    if default:
        policy = tenant.authentication_policies.get(default)
        if policy is None or policy.allow_smtp != YES:
            return
    states = judgement.columns["authentication-policy"].states
    rows = [row for row in mailbox_rows(judgement) if states[row] == State.CLEAR]
    if not rows:
        return
    yield make(
        RULE,
        judgement,
        severity=severity(Impact.ABUSE, Reach.TENANT, Doubt.DEPENDS),
        title=f"No authentication policy refuses basic SMTP for {counted(rows, 'mailbox', 'mailboxes')}",
        evidence=[
            Fact("DefaultAuthenticationPolicy", _name(judgement, default), "organizationConfig"),
            *account_facts(judgement, rows, "exchangeUsers"),
        ],
        accounts=rows,
    )


def _name(judgement: Judgement, default: str) -> str:
    policy = judgement.tenant.authentication_policies.get(default)
    return f"{policy.name} (AllowBasicAuthSmtp True)" if policy else "none"


RULE = Rule(
    id="no-authentication-policy",
    title="No authentication policy refuses basic SMTP by default",
    datasets=("authenticationPolicies", "organizationConfig", "exchangeUsers"),
    remedy=(
        "Make a policy that refuses basic SMTP (New-AuthenticationPolicy refuses every protocol that is not allowed) "
        "and set it as the organisation's default; give only the senders that still need it a policy that allows it. "
        "It is the only documented layer that refuses before Entra sees the password, so it stops guessing too."
    ),
    remedy_risk=(
        "Basic senders without an allowing policy of their own stop, and so does every other basic protocol that the "
        "policy does not allow; up to 24 hours pass before it acts."
    ),
    references=(references.NO_BASIC, references.AUTHENTICATION_POLICY),
    controls=(),
    find=find,
)
