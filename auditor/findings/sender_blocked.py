"""A declared sender that cannot send with its own settings: every blocker is named, never only the first."""

from __future__ import annotations

from collections.abc import Iterator

import auditor.findings.references as references
from auditor.accounts import reply_text, standing_replies
from auditor.blockers import BLOCKERS
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import declared_sender, make, reason_facts, sender
from auditor.findings.severity import Impact, Reach, severity
from auditor.states import State
from auditor.verdict import Judgement


def find(judgement: Judgement) -> Iterator[Finding]:
    records = {blocker.id: blocker for blocker in BLOCKERS}
    for case in judgement.sender_cases():
        declared = declared_sender(judgement, case)
        standing = judgement.blocking(case, declared.auth)
        if not standing:
            continue
        evidence = [
            Fact("account", declared.account),
            Fact("auth", declared.auth),
            Fact("blockers", ", ".join(standing)),
            Fact("safestExit", judgement.safest_exit[case]),
            Fact("likelyReplies", reply_text(standing_replies(judgement, case, standing))),
        ]
        for blocker in standing:
            evidence += reason_facts(blocker, judgement.columns[blocker].reason(case))
        undecided = judgement.in_state(case, declared.auth, State.UNKNOWN)
        if undecided:
            evidence.append(Fact("alsoUnknown", ", ".join(undecided)))
        steps = " ".join(f"{records[blocker].title}: {records[blocker].remedy}" for blocker in standing)
        risks = " ".join(dict.fromkeys(records[blocker].remedy_risk for blocker in standing))
        count = "1 blocker" if len(standing) == 1 else f"{len(standing)} blockers"
        yield make(
            RULE,
            judgement,
            severity=severity(Impact.LOSS, Reach.NAMED),
            title=f"Sender {declared.name} cannot send: {count} ({', '.join(standing)})",
            evidence=evidence,
            target=sender(judgement, case),
            accounts=[judgement.cases.account[case]],
            remedy=f"{RULE.remedy} {steps}",
            remedy_risk=f"{RULE.remedy_risk} {risks}".strip(),
        )


RULE = Rule(
    id="sender-blocked",
    title="Declared sender cannot send",
    datasets=(),
    remedy=(
        f"{references.SAFER_WAYS} To keep this sender as it is, every blocker that is named has to go, one after the "
        "other; removing the first alone changes nothing."
    ),
    remedy_risk="Each blocker protects the account from whoever holds its password; opening it opens it to them too.",
    references=(references.SMTP_AUTH, references.DEVICES),
    controls=(),
    find=find,
)
