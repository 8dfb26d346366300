"""Shared mailboxes whose own account may sign in."""

from __future__ import annotations

from collections.abc import Iterator

import auditor.findings.references as references
from auditor.blockers.columns import words
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import account_facts, counted, make, rows_where
from auditor.findings.severity import Doubt, Impact, Reach, severity
from auditor.tenant import YES
from auditor.verdict import CLOSED, Judgement


def find(judgement: Judgement) -> Iterator[Finding]:
    accounts = judgement.tenant.accounts
    rows = rows_where(words(accounts.kind, ("shared",)) & (accounts.enabled == YES))
    if not rows:
        return
    exposed = [row for row in rows if judgement.exposure[row] != CLOSED]
    yield make(
        RULE,
        judgement,
        severity=severity(Impact.ABUSE, Reach.NAMED, Doubt.CERTAIN if exposed else Doubt.DEPENDS),
        title=f"Sign-in is enabled on {counted(rows, 'shared mailbox', 'shared mailboxes')}",
        evidence=[
            Fact("accountEnabled", "true", "users"),
            *account_facts(judgement, rows),
            Fact("notClosedOverSmtp", str(len(exposed))),
        ],
        accounts=rows,
    )


RULE = Rule(
    id="shared-mailbox-sign-in",
    title="Sign-in enabled on shared mailboxes",
    datasets=("users", "mailboxes"),
    remedy=(
        "Block sign-in: a shared mailbox is opened by its members, not by its own account. A sender that needs it "
        "authenticates as a licensed account with Send As, or by app-only OAuth."
    ),
    remedy_risk="A device that signs in as the shared mailbox itself stops; look at the evidence of use first.",
    references=(references.SHARED_MAILBOXES, references.OAUTH),
    controls=(),
    find=find,
)
