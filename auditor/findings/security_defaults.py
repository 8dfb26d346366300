"""Security defaults off with nothing in their place: neither Conditional Access nor a policy refuses basic SMTP."""

from __future__ import annotations

from collections.abc import Iterator

import auditor.findings.references as references
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import account_facts, mailbox_rows, make
from auditor.findings.severity import Impact, Reach, severity
from auditor.states import State
from auditor.tenant import NO
from auditor.verdict import Judgement


def find(judgement: Judgement) -> Iterator[Finding]:
    tenant = judgement.tenant
    if not tenant.complete("identitySecurityDefaultsEnforcementPolicy") or tenant.security_defaults != NO:
        return
    rows = mailbox_rows(judgement)
    access = judgement.columns["conditional-access"].states
    policy = judgement.columns["authentication-policy"].states
    if not rows or any(access[row] != State.CLEAR or policy[row] != State.CLEAR for row in rows):
        return
    yield make(
        RULE,
        judgement,
        severity=severity(Impact.ABUSE, Reach.TENANT),
        title="Security defaults are off and nothing stands in their place for SMTP",
        evidence=[
            Fact("isEnabled", "false", "identitySecurityDefaultsEnforcementPolicy"),
            Fact("conditional-access", "no policy reaches SMTP for any mailbox", "conditionalAccessPolicies"),
            Fact("authentication-policy", "none refuses basic SMTP", "authenticationPolicies"),
            *account_facts(judgement, rows),
        ],
        accounts=rows,
    )


RULE = Rule(
    id="security-defaults-off",
    title="Security defaults off with nothing in their place",
    datasets=(
        "identitySecurityDefaultsEnforcementPolicy", "conditionalAccessPolicies", "authenticationPolicies",
        "organizationConfig",
    ),
    remedy=(
        "With Microsoft Entra ID P1: Conditional Access policies that ask everyone for MFA and block legacy "
        "authentication. Without: switch security defaults on again. In both cases an authentication policy that "
        "refuses basic SMTP by default."
    ),
    remedy_risk=(
        "Security defaults know no exclusions: every basic sender stops. Move the declared senders first. "
        "A new block of legacy authentication stops undeclared senders; run it report-only and read the log first."
    ),
    references=(references.SECURITY_DEFAULTS, references.BLOCK_LEGACY, references.NO_BASIC),
    controls=(),
    find=find,
)  # fmt: skip
