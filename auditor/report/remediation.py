"""The Remediation sheet: what to do for each finding and blocker, step by step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from auditor.blockers import BLOCKERS
from auditor.evaluate import Evaluation
from auditor.findings import RULES
from auditor.findings.base import Finding
from auditor.report.cells import Field, Link, Value, row_targets
from auditor.report.order import by_urgency
from auditor.report.steps import STEPS
from auditor.states import State

TITLE = "Remediation"

FIELDS = (
    Field("Id", 32, "wrap"),
    Field("Kind", 10),
    Field("Title", 40, "wrap"),
    Field("Findings", 10, "number"),
    Field("Accounts", 10, "number"),
    Field("Step", 7, "number"),
    Field("What to do", 64, "wrap"),
    Field("Where", 44, "wrap"),
    Field("Admin center", 30, "wrap"),
    Field("PowerShell", 64, "wrap"),
    Field("Risk", 44, "wrap"),
    Field("How to undo it", 50, "wrap"),
    Field("Controls", 20, "wrap"),
    Field("Reference 1", 44, "wrap"),
    Field("Reference 2", 44, "wrap"),
    Field("More references", 44, "wrap"),
)

_RULES = {rule.id: rule for rule in RULES}


def remediation_rows(evaluation: Evaluation) -> Iterator[Sequence[Value]]:
    """What stands in this run: first the rules that found something, the most urgent first; then every blocker. Step 0
    is the remedy in one sentence, the steps say how."""
    judgement = evaluation.judgement
    for rule, found in by_rule(evaluation.findings).items():
        first, record = found[0], _RULES.get(rule)
        alone = len(found) == 1 or record is None
        yield from _rows(
            (
                rule, "rule", first.title if alone or not record else record.title, len(found),
                len({row for finding in found for row in finding.accounts}),
            ),
            first.remedy if alone or not record else record.remedy,
            first.remedy_risk if alone or not record else record.remedy_risk,
            (", ".join(first.controls), *references(first.references)),
        )  # fmt: skip
    count = len(judgement.tenant.accounts)
    for blocker in BLOCKERS:
        blocked = int((judgement.columns[blocker.id].states[:count] == State.BLOCKS).sum())
        head = (blocker.id, "blocker", blocker.title, None, blocked)
        yield from _rows(head, blocker.remedy, blocker.remedy_risk, (None, *references(blocker.source)))


def _rows(head: Sequence[Value], remedy: str, risk: str, tail: Sequence[Value]) -> Iterator[Sequence[Value]]:
    yield (*head, 0, remedy, None, None, None, risk, None, *tail)
    for number, step in enumerate(STEPS.get(str(head[0]), ()), 1):
        center = link(step.address) if step.address else None
        yield (*head, number, step.what, step.where, center, step.command, step.risk, step.undo, *tail)


def remediation_targets(findings: Iterable[Finding], max_rows: int) -> dict[str, str]:
    """Rule → link to its first row in Remediation."""
    return row_targets(TITLE, ((rule, 1 + len(STEPS.get(rule, ()))) for rule in by_rule(findings)), max_rows)


def by_rule(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    grouped: dict[str, list[Finding]] = {}
    for finding in by_urgency(findings):
        grouped.setdefault(finding.rule, []).append(finding)
    return grouped


def references(addresses: Sequence[str]) -> tuple[Value, Value, Value]:
    linked: list[Value] = [link(address) for address in addresses[:2]]
    linked += [None] * (2 - len(linked))
    return linked[0], linked[1], "\n".join(addresses[2:])


def link(address: str) -> Value:
    """A reference as a link where it is an https address, else as text."""
    return Link(address, address) if address.startswith("https://") else address
