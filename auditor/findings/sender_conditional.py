"""A declared sender that can send only from some places or states."""

from __future__ import annotations

from collections.abc import Iterator

import auditor.findings.references as references
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import declared_sender, make, reason_facts, sender
from auditor.findings.sender_registration import breaks_at_registration
from auditor.findings.severity import Doubt, Impact, Reach, severity
from auditor.states import State
from auditor.verdict import RETIREMENT, Judgement


def find(judgement: Judgement) -> Iterator[Finding]:
    for case in judgement.sender_cases():
        declared = declared_sender(judgement, case)
        verdicts = judgement.basic_cases if declared.auth == "basic" else judgement.oauth_cases
        if verdicts[case] != State.CONDITIONAL:
            continue
        conditions = judgement.in_state(case, declared.auth, State.CONDITIONAL)
        if _told_elsewhere(judgement, case, conditions):
            continue
        evidence = [Fact("account", declared.account), Fact("safestExit", judgement.safest_exit[case])]
        for blocker in conditions:
            evidence += reason_facts(blocker, judgement.columns[blocker].reason(case))
        yield make(
            RULE,
            judgement,
            severity=severity(Impact.LOSS, Reach.NAMED, Doubt.DEPENDS),
            title=f"Sender {declared.name} can send only under conditions ({', '.join(conditions)})",
            evidence=evidence,
            target=sender(judgement, case),
            accounts=[judgement.cases.account[case]],
        )


def _told_elsewhere(judgement: Judgement, case: int, conditions: list[str]) -> bool:
    """One cause, one finding: the announced date and a registration to come have rules of their own."""
    told = set()
    if judgement.retirement_stops(case) != "false":
        told.add(RETIREMENT)
    if breaks_at_registration(judgement, case):
        told.add("per-user-mfa")
    return set(conditions) <= told


RULE = Rule(
    id="sender-conditional",
    title="Declared sender can send only under conditions",
    datasets=(),
    remedy=(
        "Read each condition in the evidence and settle it: declare the sender's egress IPs, or mend the setting that "
        f"is named. {references.SAFER_WAYS}"
    ),
    remedy_risk="A condition that is loosened for the sender is loosened for whoever holds its password.",
    references=(references.SMTP_AUTH, references.CA_CONDITIONS),
    controls=(),
    find=find,
)
