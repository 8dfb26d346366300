"""The Waivers sheet: every waiver, what it accepts, and which have lapsed, are unused or take in too much."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from auditor.evaluate import Evaluation
from auditor.report.cells import Field, Link, Value

TITLE = "Waivers"

FIELDS = (
    Field("state", 11, words="waiver"),
    Field("use", 12, words="waiver"),
    Field("breadth", 20, words="waiver"),
    Field("rule", 28, "wrap"),
    Field("object", 38, "wrap"),
    Field("owner", 26, "wrap"),
    Field("reason", 46, "wrap"),
    Field("until", 12, "day"),
    Field("source", 22, "wrap"),
    Field("finding_id", 40, "wrap"),
    Field("severity", 10, words="severity"),
    Field("outcome", 10, words="outcome"),
    Field("title", 46, "wrap", full="findings.csv"),
    Field("note", 60, "wrap"),
)

NONE = "No waiver is written, neither in the config ([[waivers]]) nor in the previous run's workbook."


def waiver_rows(evaluation: Evaluation, targets: Mapping[str, str]) -> Iterator[Sequence[Value]]:
    """A row for each waiver and finding that it names; one for a waiver that names none. `targets`: finding id → link
    to its row in Findings."""
    findings = {finding.id: finding for finding in evaluation.findings}
    if not evaluation.waivers:
        yield (*(None for _ in FIELDS[1:]), NONE)
    for use in evaluation.waivers:
        waiver = use.waiver
        head = (
            use.force, use.use, use.breadth, waiver.rule, waiver.object or "(every object)", waiver.owner,
            waiver.reason, waiver.until, waiver.source,
        )  # fmt: skip
        for identity in use.findings:
            finding = findings[identity]
            link = Link(identity, targets.get(identity, ""))
            yield (*head, link, finding.severity, finding.outcome, finding.title, use.note)
        if not use.findings:
            yield (*head, None, None, None, None, use.note)
