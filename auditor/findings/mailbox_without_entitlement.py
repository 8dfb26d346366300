"""User mailboxes that stand although no licence gives them one."""

from __future__ import annotations

from collections.abc import Iterator

import auditor.findings.references as references
from auditor.blockers.columns import words
from auditor.compact import where
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import account_facts, counted, make, rows_where
from auditor.findings.severity import Impact, Reach, severity
from auditor.verdict import Judgement


def find(judgement: Judgement) -> Iterator[Finding]:
    tenant = judgement.tenant
    if not tenant.complete("users", "subscribedSkus", "mailboxes"):
        return
    accounts = tenant.accounts
    standing = where(accounts.mailbox, lambda kind: kind.lower() == "usermailbox")
    rows = rows_where(standing & words(accounts.mailbox_plan, ("none",)))
    if not rows:
        return
    notes = sorted({accounts.mailbox_plan_note[row] for row in rows if accounts.mailbox_plan_note[row]})
    yield make(
        RULE,
        judgement,
        severity=severity(Impact.WEAKENS, Reach.NAMED),
        title=f"{counted(rows, 'user mailbox stands', 'user mailboxes stand')} without a licence that gives one",
        evidence=[
            *account_facts(judgement, rows, "mailboxes"),
            *(Fact("mailboxPlan", note, "subscribedSkus") for note in notes[:5]),
        ],
        accounts=rows,
    )


RULE = Rule(
    id="mailbox-without-entitlement",
    title="Mailbox without entitlement",
    datasets=("users", "subscribedSkus", "mailboxes"),
    remedy=(
        "Assign a licence with a mailbox plan, or let the mailbox go. Until then it may still send: a missing licence "
        "closes no exposure."
    ),
    remedy_risk="A delicensed mailbox is deleted after its grace period, with its mail.",
    references=(references.SMTP_AUTH, references.SHARED_MAILBOXES),
    controls=(),
    find=find,
)
