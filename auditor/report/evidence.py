"""The Evidence sheet: what each finding rests on, one fact a row, its value and its dataset in cells of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from auditor.blockers import BLOCKERS
from auditor.evaluate import Evaluation
from auditor.findings.base import Fact, Finding
from auditor.report.cells import Field, Link, Rows, row_targets
from auditor.report.order import by_urgency
from auditor.states import State

TITLE = "Evidence"

FIELDS = (
    Field("finding_id", 38, "wrap"),
    Field("severity", 10, words="severity"),
    Field("object_name", 32, "wrap", full="findings.csv"),
    Field("fact", 36, "wrap", full="findings.json"),
    Field("state", 13, words="state"),
    Field("value", 76, "wrap", full="findings.json"),
    Field("dataset", 28, "wrap"),
)

_BLOCKERS = frozenset(blocker.id for blocker in BLOCKERS)
_STATES = frozenset(state.word for state in State)


def evidence_rows(evaluation: Evaluation, targets: Mapping[str, str]) -> Rows:
    """`targets`: finding id → link to its row in Findings."""
    for finding in by_urgency(evaluation.findings):
        for fact in finding.evidence:
            yield (
                Link(finding.id, targets[finding.id]), finding.severity, finding.object_name, fact.name,
                *_stated(fact), fact.dataset,
            )  # fmt: skip


def _stated(fact: Fact) -> tuple[str, str]:
    """A blocker's state and its reason, which the fact holds as `state: reason`; other facts have no state."""
    state, colon, reason = fact.value.partition(": ")
    return (state, reason) if colon and fact.name in _BLOCKERS and state in _STATES else ("", fact.value)


def evidence_targets(findings: Iterable[Finding], max_rows: int) -> dict[str, str]:
    """Finding id → link to its first fact."""
    return row_targets(TITLE, ((finding.id, len(finding.evidence)) for finding in by_urgency(findings)), max_rows)
