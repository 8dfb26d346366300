"""Declared senders whose verdict is unknown: once per dataset that was not read, else once per sender."""

from __future__ import annotations

from collections.abc import Iterator

import auditor.findings.references as references
from auditor.coverage import closing
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import declared_sender, make, reason_facts, sender
from auditor.findings.severity import Doubt, Impact, Reach, severity
from auditor.states import State
from auditor.verdict import Judgement


def find(judgement: Judgement) -> Iterator[Finding]:
    by_dataset: dict[str, list[int]] = {}
    for case in judgement.sender_cases():
        declared = declared_sender(judgement, case)
        verdicts = judgement.basic_cases if declared.auth == "basic" else judgement.oauth_cases
        if verdicts[case] != State.UNKNOWN:
            continue
        unread = _unread(judgement, case)
        for dataset in unread:
            by_dataset.setdefault(dataset, []).append(case)
        if not unread:
            yield _for_sender(judgement, case)
    for dataset, cases in by_dataset.items():
        yield _for_dataset(judgement, dataset, cases)


def _unread(judgement: Judgement, case: int) -> list[str]:
    """Datasets that were not read and leave a blocker of the sender's channel unknown."""
    auth = declared_sender(judgement, case).auth
    named = [
        dataset
        for blocker in judgement.in_state(case, auth, State.UNKNOWN)
        for dataset in judgement.columns[blocker].reason(case).datasets
    ]
    return [name for name in dict.fromkeys(named) if not judgement.tenant.status[name].complete]


def _for_sender(judgement: Judgement, case: int) -> Finding:
    declared = declared_sender(judgement, case)
    undecided = judgement.in_state(case, declared.auth, State.UNKNOWN)
    evidence = [Fact("account", declared.account), Fact("safestExit", judgement.safest_exit[case])]
    for blocker in undecided:
        evidence += reason_facts(blocker, judgement.columns[blocker].reason(case))
    return make(
        RULE,
        judgement,
        outcome="unknown",
        severity=severity(Impact.LOSS, Reach.NAMED, Doubt.UNKNOWN),
        title=f"Sender {declared.name}: unknown whether it can send ({', '.join(undecided)})",
        evidence=evidence,
        target=sender(judgement, case),
        accounts=[judgement.cases.account[case]],
    )


def _for_dataset(judgement: Judgement, dataset: str, cases: list[int]) -> Finding:
    status = judgement.tenant.status[dataset]
    names = ", ".join(sorted(declared_sender(judgement, case).name for case in cases))
    return make(
        RULE,
        judgement,
        outcome="unknown",
        severity=severity(Impact.LOSS, Reach.NAMED, Doubt.UNKNOWN),
        title=f"Unknown whether {len(cases)} declared sender(s) can send: {dataset} was not read in full",
        evidence=[Fact("senders", names), Fact("state", f"{status.state}: {status.reason}".rstrip(": "), dataset)],
        target=("dataset", dataset, dataset),
        accounts=[judgement.cases.account[case] for case in cases],
        remedy=closing(status),
        remedy_risk="Reading more needs a permission more; grant the one named and no wider one.",
    )


RULE = Rule(
    id="sender-unknown",
    title="Unknown whether a declared sender can send",
    datasets=(),
    remedy=(
        "What decides it is not documented or is a value that this program does not know: test the sender with "
        f"`auditor probe`, and read the setting that is named. {references.SAFER_WAYS}"
    ),
    remedy_risk="A test with a wrong password counts towards smart lockout; test once, not in a loop.",
    references=(references.SMTP_AUTH,),
    controls=(),
    find=find,
)
