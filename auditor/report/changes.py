"""The Changes sheet: what is different from the previous run, one fact a row, and what became of the triage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from auditor.diff import Comparison, FindingChange, ObjectChange
from auditor.evaluate import Evaluation
from auditor.report.cells import Field, Link, Value
from auditor.report.sheets import day
from auditor.triage import COLUMNS, NONE, Remark, Triage

TITLE = "Changes"

FIELDS = (
    Field("change", 12, words="change"),
    Field("subject", 10),
    Field("severity", 10, words="severity"),
    Field("title", 46, "wrap", full="findings.csv"),
    Field("fact", 26, "wrap"),
    Field("before", 46, "wrap", full="findings.json"),
    Field("now", 46, "wrap", full="findings.json"),
    Field("note", 46, "wrap", full="findings.json"),
    Field("first_seen", 21),
    Field("last_seen", 21),
    Field(COLUMNS["status"], 13),
    Field(COLUMNS["owner"], 18, "wrap"),
    Field(COLUMNS["due"], 12, "day"),
    Field(COLUMNS["ticket"], 14, "wrap"),
    Field(COLUMNS["comment"], 34, "wrap", full="findings.json"),
    Field("finding_id", 40, "wrap"),
)
"""Not `id`: this sheet must not be taken for Findings when triage is read back."""

ALONE = "No previous run was named (--previous), so nothing is compared: every finding counts as new."
SAME = "Nothing differs from the previous run."


@dataclass(frozen=True)
class _Row:
    """One row, before the columns of triage are filled in."""

    change: str
    subject: str
    severity: str = ""
    title: str = ""
    fact: str = ""
    before: str = ""
    now: str = ""
    note: str = ""
    first_seen: str = ""
    last_seen: str = ""
    finding: str = ""


def change_rows(evaluation: Evaluation, targets: Mapping[str, str]) -> Iterator[Sequence[Value]]:
    """`targets`: finding id → link to its row in Findings. What differs first, what stands as before last."""
    comparison = evaluation.comparison
    if comparison is None:
        rows: Iterator[_Row] = iter([_Row("none", "run", note=ALONE)])
    else:
        rows = _compared(comparison, evaluation)
    for row in rows:
        yield _cells(row, evaluation.triage.get(row.finding, NONE), targets)


def _compared(comparison: Comparison, evaluation: Evaluation) -> Iterator[_Row]:
    standing = [change for change in comparison.findings if change.kind == "persisting"]
    differing = [change for change in comparison.findings if change.kind != "persisting"]
    if not (differing or comparison.objects):
        yield _Row("none", "run", note=SAME)
    for change in differing:
        yield from _finding(change)
    for thing in comparison.objects:
        yield from _object(thing)
    for what in comparison.not_compared:
        yield _Row("none", what, note="Not compared: one of the two runs does not hold it.")
    titles = {change.id: change.title for change in comparison.findings}
    for remark in evaluation.remarks:
        yield _remark(remark, titles.get(remark.finding, ""))
    for change in standing:
        yield from _finding(change)


def _finding(change: FindingChange) -> Iterator[_Row]:
    """A row for each fact that differs; one where none does. What only aged is no change: the note names it."""
    aged = ", ".join(dict.fromkeys(fact.name for fact in change.aged))
    note = f"{change.note} Only the time differs of: {aged}." if aged else change.note
    facts: list[tuple[str, str, str]] = [(fact.name, fact.before, fact.after) for fact in change.facts]
    for name, before, now in facts or [("", "", "")]:
        yield _Row(
            change.kind, "finding", change.severity, change.title, name, before, now, note.strip(), change.first_seen,
            change.last_seen, change.id,
        )  # fmt: skip


def _object(change: ObjectChange) -> Iterator[_Row]:
    for fact in change.facts:
        yield _Row(change.kind, change.subject, "", change.name, fact.name, fact.before, fact.after)


def _remark(remark: Remark, title: str) -> _Row:
    return _Row("triage", "triage", "", title, remark.where, note=remark.text, finding=remark.finding)


def _cells(row: _Row, triage: Triage, targets: Mapping[str, str]) -> Sequence[Value]:
    return (
        row.change, row.subject, row.severity, row.title, row.fact, row.before, row.now, row.note, row.first_seen,
        row.last_seen, triage.status, triage.owner, day(triage.due), triage.ticket, triage.comment,
        Link(row.finding, targets.get(row.finding, "")) if row.finding else None,
    )  # fmt: skip
