"""SMTP AUTH on for the whole organisation: every mailbox without a setting of its own inherits it."""

from __future__ import annotations

from collections.abc import Iterator

import auditor.findings.references as references
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import account_facts, mailbox_rows, make
from auditor.findings.severity import Impact, Reach, severity
from auditor.tenant import INHERIT, NO
from auditor.verdict import Judgement


def find(judgement: Judgement) -> Iterator[Finding]:
    tenant = judgement.tenant
    if not tenant.complete("transportConfig") or tenant.org_smtp_auth_disabled != NO:
        return
    rows = [row for row in mailbox_rows(judgement) if tenant.accounts.smtp_auth_disabled[row] == INHERIT]
    yield make(
        RULE,
        judgement,
        severity=severity(Impact.ABUSE, Reach.TENANT),
        title="SMTP AUTH is on for the whole organisation",
        evidence=[
            Fact("SmtpClientAuthenticationDisabled", "False", "transportConfig"),
            *(
                account_facts(judgement, rows, "casMailboxes")
                if tenant.complete("casMailboxes")
                else [Fact("accounts", "unknown: not read", "casMailboxes")]
            ),
        ],
        accounts=rows,
    )


RULE = Rule(
    id="smtp-auth-organisation-on",
    title="SMTP AUTH is on for the whole organisation",
    datasets=("transportConfig",),
    remedy=(
        "First set SMTP AUTH to on for the mailboxes that must send (Set-CASMailbox, one by one), then off for the "
        "organisation (Set-TransportConfig -SmtpClientAuthenticationDisabled $true). The mailbox's setting takes "
        "precedence."
    ),
    remedy_risk=(
        "Every mailbox that inherits the switch stops sending by SMTP AUTH, with OAuth too. Find the senders first: "
        "sign-in log, e-mail app usage and the SMTP AUTH clients report."
    ),
    references=(references.SMTP_AUTH, references.TRANSPORT_CONFIG, references.CAS_MAILBOX),
    controls=(references.CIS_SMTP, references.CISA_SMTP),
    find=find,
)
