"""A licence assignment in error that leaves an account without a mailbox plan."""

from __future__ import annotations

from collections.abc import Iterator

import auditor.findings.references as references
from auditor.blockers.columns import words
from auditor.compact import where
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import account_facts, counted, is_guest_without_mailbox, make, rows_where
from auditor.findings.severity import Doubt, Impact, Reach, severity
from auditor.verdict import Judgement

IN_ERROR = "assignment is in error"
"""How `Accounts.mailbox_plan_note` tells it."""


def find(judgement: Judgement) -> Iterator[Finding]:
    accounts = judgement.tenant.accounts
    in_error = where(accounts.mailbox_plan_note, lambda note: IN_ERROR in note)
    in_error &= words(accounts.mailbox_plan, ("none",))
    rows = [row for row in rows_where(in_error) if not is_guest_without_mailbox(judgement, row)]
    if not rows:
        return
    senders = [row for row in rows if judgement.is_sender(row)]
    notes = sorted({accounts.mailbox_plan_note[row] for row in rows})
    yield make(
        RULE,
        judgement,
        severity=severity(Impact.LOSS if senders else Impact.ABUSE, Reach.NAMED, Doubt.DEPENDS),
        title=f"The licence of {counted(rows)} is in error and gives no mailbox",
        evidence=[
            *account_facts(judgement, rows),
            *(Fact("licenseAssignmentStates", note, "users") for note in notes[:5]),
        ],
        accounts=rows,
    )


RULE = Rule(
    id="licence-error",
    title="Licence assignment in error",
    datasets=("users", "subscribedSkus"),
    remedy=(
        "Mend the assignment: free or buy units (CountViolation), remove the plan that conflicts "
        "(MutuallyExclusiveViolation), add the one it needs (DependencyViolation), or set a usage location. At SMTP an "
        "invalid licence shows as 550 5.2.253."
    ),
    remedy_risk="Removing a licence to assign another can start the mailbox's grace period; assign the new one first.",
    references=(references.DEVICES,),
    controls=(),
    find=find,
)
