"""All the other accounts that whoever has the password can use over SMTP: one finding for the tenant."""

from __future__ import annotations

from collections.abc import Iterator

import auditor.findings.references as references
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import account_facts, counted, make
from auditor.findings.exposed_account import exposed_rows, singled_out
from auditor.findings.severity import Doubt, Impact, Reach, severity
from auditor.tenant import UNREAD, YES
from auditor.verdict import LIMITED, OPEN, Judgement


def find(judgement: Judgement) -> Iterator[Finding]:
    rows = [row for row in exposed_rows(judgement) if not singled_out(judgement, row)]
    if not rows:
        return
    accounts = judgement.tenant.accounts
    wide_open = [row for row in rows if judgement.exposure[row] == OPEN]
    limited = [row for row in rows if judgement.exposure[row] == LIMITED]
    registered = [row for row in rows if accounts.mfa_registered[row] == YES]
    evidence = [
        *account_facts(judgement, rows),
        Fact("open", str(len(wide_open))),
        Fact("limited", str(len(limited))),
        Fact("mfaRegisteredAndStillExposed", str(len(registered)), "userRegistrationDetails"),
    ]
    if any(accounts.is_admin[row] == UNREAD for row in rows):
        evidence.append(Fact("administrators", "unknown: some of these may hold a role", "roleAssignments"))
    if not judgement.tenant.complete("perUserMfa"):
        evidence.append(Fact("per-user-mfa", "left out: not read", "perUserMfa"))
    yield make(
        RULE,
        judgement,
        severity=severity(Impact.ABUSE, Reach.TENANT, Doubt.CERTAIN if wide_open else Doubt.DEPENDS),
        title=f"The bare password works over SMTP for {counted(rows)} that nobody declared as a sender",
        evidence=evidence,
        accounts=rows,
    )


RULE = Rule(
    id="exposed-accounts",
    title="Bare passwords work over SMTP although nobody needs it",
    datasets=(
        "users", "casMailboxes", "transportConfig", "authenticationPolicies", "conditionalAccessPolicies", "perUserMfa",
    ),
    remedy=(
        "Declare who must send, then close the rest: switch SMTP AUTH off for the organisation and on only for the "
        "mailboxes that need it, and make an authentication policy that refuses basic SMTP the organisation's default. "
        "Only the latter also stops guessing."
    ),
    remedy_risk=(
        "A sender that nobody declared stops. Look at the evidence of use and at the SMTP AUTH clients report of the "
        "Exchange admin centre (up to 90 days) first; a policy takes up to 24 hours to act."
    ),
    references=(references.SMTP_AUTH, references.NO_BASIC, references.BLOCK_LEGACY),
    controls=(references.CIS_SMTP, references.CISA_SMTP),
    find=find,
)  # fmt: skip
