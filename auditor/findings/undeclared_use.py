"""SMTP use seen by accounts that nobody declared as a sender: either a forgotten sender or somebody else's hand."""

from __future__ import annotations

from collections.abc import Iterator

import auditor.findings.references as references
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import NAMED, account_facts, counted, is_guest_without_mailbox, make, used_rows
from auditor.findings.severity import Doubt, Impact, Reach, severity
from auditor.verdict import Judgement


def find(judgement: Judgement) -> Iterator[Finding]:
    accounts = judgement.tenant.accounts
    used = [
        row
        for row in used_rows(judgement)
        if not judgement.is_sender(row) and not is_guest_without_mailbox(judgement, row)
    ]
    if not used:
        return
    signed_in = sorted((row for row in used if accounts.smtp_last_success[row]), key=lambda row: accounts.id[row])
    last = [
        Fact(
            "smtpLastSuccess",
            ", ".join(f"{accounts.user_principal_name[row]} {accounts.smtp_last_success[row]}" for row in part),
            "signIns",
        )
        for part in (signed_in[:NAMED],)
        if part
    ]
    yield make(
        RULE,
        judgement,
        severity=severity(Impact.ABUSE, Reach.TENANT, Doubt.DEPENDS),
        title=f"SMTP use was seen by {counted(used)} that nobody declared as a sender",
        evidence=[
            *account_facts(judgement, used),
            Fact("successfulSignIns", str(len(signed_in)), "signIns"),
            Fact("onlyInUsageReport", str(len(used) - len(signed_in)), "emailAppUsage"),
            *last,
        ],
        accounts=used,
    )


RULE = Rule(
    id="smtp-use-undeclared",
    title="SMTP use by accounts that nobody declared",
    datasets=("signIns", "emailAppUsage", "smtpAuthClients"),
    remedy=(
        "Find each owner. A real sender belongs into the config and onto a safer way; anything else is a sign that "
        "somebody holds the password: change it, then close SMTP AUTH for the account. "
        f"{references.SAFER_WAYS}"
    ),
    remedy_risk="Closing before the owner is found stops mail that somebody may wait for.",
    references=(references.SMTP_AUTH, references.BLOCK_LEGACY),
    controls=(),
    find=find,
)
