"""Accounts that only Conditional Access closes: a refused sign-in still tells whether the password is right."""

from __future__ import annotations

from collections.abc import Iterator

import auditor.findings.references as references
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import account_facts, counted, mailbox_rows, make
from auditor.findings.severity import Doubt, Impact, Reach, severity
from auditor.states import State
from auditor.verdict import CLOSED, Judgement


def find(judgement: Judgement) -> Iterator[Finding]:
    states = judgement.columns["conditional-access"].states
    rows = [
        row
        for row in mailbox_rows(judgement)
        if judgement.exposure[row] == CLOSED
        and judgement.password_guessing[row] == "open"
        and states[row] == State.BLOCKS
    ]
    if not rows:
        return
    yield make(
        RULE,
        judgement,
        severity=severity(Impact.ABUSE, Reach.TENANT, Doubt.DEPENDS),
        title=f"Passwords of {counted(rows)} can be guessed over SMTP: only Conditional Access closes them",
        evidence=[*account_facts(judgement, rows), Fact("password_guessing", "open")],
        accounts=rows,
    )


RULE = Rule(
    id="password-guessing-open",
    title="Password guessing is left open by Conditional Access alone",
    datasets=("conditionalAccessPolicies", "authenticationPolicies", "organizationConfig", "exchangeUsers"),
    remedy=(
        "Conditional Access acts after the first factor. Add an authentication policy that refuses basic SMTP for "
        "these accounts: it refuses before Microsoft Entra sees the password."
    ),
    remedy_risk=(
        "The policy refuses every basic protocol that it does not allow, wherever the account is; check the declared "
        "senders first."
    ),
    references=(references.CA_OVERVIEW, references.NO_BASIC, references.SMART_LOCKOUT),
    controls=(),
    find=find,
)
