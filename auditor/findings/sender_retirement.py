"""A declared sender that the end of basic authentication for SMTP AUTH stops."""

from __future__ import annotations

from collections.abc import Iterator

import auditor.findings.references as references
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import declared_sender, make, sender, use_facts
from auditor.findings.severity import Doubt, Impact, Reach, severity
from auditor.states import VERDICT_WORDS
from auditor.verdict import RETIREMENT, Judgement


def find(judgement: Judgement) -> Iterator[Finding]:
    for case in judgement.sender_cases():
        declared = declared_sender(judgement, case)
        verdict = judgement.basic_cases[case]
        stops = judgement.retirement_stops(case)
        if stops == "false":
            continue
        row = int(judgement.cases.account[case])
        doubt = Doubt.CERTAIN if stops == "true" else Doubt.DEPENDS
        yield make(
            RULE,
            judgement,
            severity=severity(Impact.LOSS, Reach.NAMED, doubt),
            title=f"Sender {declared.name} depends on basic authentication, which Microsoft switches off by default",
            evidence=[
                Fact("account", declared.account),
                Fact("basicToday", VERDICT_WORDS[verdict]),
                Fact(RETIREMENT, judgement.columns[RETIREMENT].reason(case).text),
                Fact("safestExit", judgement.safest_exit[case]),
                *use_facts(judgement, row),
            ],
            target=sender(judgement, case),
            accounts=[row],
        )


RULE = Rule(
    id="sender-retirement",
    title="Declared sender stops when basic authentication is switched off",
    datasets=(),
    remedy=f"Move the sender before the change. {references.SAFER_WAYS} {references.ANNOUNCEMENT}",
    remedy_risk=(
        "Test the new way beside the old one before the old one goes; an app permission to send must be scoped, or it "
        "can send as anyone."
    ),
    references=(references.RETIREMENT, references.OAUTH, references.DEVICES),
    controls=(),
    find=find,
)
