"""Comparisons and trends for standard output: JSON for programs, Markdown for people, CSV for a chart."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict

from auditor.diff import KINDS, Comparison, FindingChange
from auditor.findings.base import SEVERITIES
from auditor.report.text import clean, csv_text
from auditor.trend import EXPOSURE, SENDERS, Point

SCHEMA = 1

_HEADINGS = {
    "new": "New",
    "returned": "Returned",
    "changed": "Changed",
    "fixed": "Fixed",
    "not-checked": "Could not be checked",
    "persisting": "Unchanged",
}


def comparison_json(comparison: Comparison) -> str:
    """`before`, `now`, `counts` (kind → findings), `findings`, `objects`, `not_compared`."""
    document = {
        "schema": SCHEMA,
        "before": comparison.before,
        "now": comparison.now,
        "counts": comparison.counts,
        "findings": [asdict(change) for change in comparison.findings],
        "objects": [asdict(change) for change in comparison.objects],
        "not_compared": list(comparison.not_compared),
    }
    return json.dumps(document, indent=2, ensure_ascii=False).encode("utf-8", "replace").decode()


def comparison_markdown(comparison: Comparison) -> str:
    counts = ", ".join(f"{count:,} {_HEADINGS[kind].lower()}" for kind, count in comparison.counts.items())
    lines = [f"# From {_moment(comparison.before)} to {_moment(comparison.now)}", "", f"Findings: {counts}.", ""]
    for kind in KINDS:
        changes = [change for change in comparison.findings if change.kind == kind]
        if changes:
            lines += [f"## {_HEADINGS[kind]} ({len(changes):,})", ""]
            lines += [line for change in changes for line in _finding(change)] + [""]
    if comparison.objects:
        rows = [
            (thing.subject, thing.kind, thing.name, fact.name, fact.before, fact.after)
            for thing in comparison.objects
            for fact in thing.facts
        ]
        lines += ["## Senders, accounts, policies, datasets", ""]
        lines += [*_table(("subject", "change", "name", "fact", "before", "now"), rows), ""]
    if comparison.not_compared:
        lines += [f"Not compared, for one of the two runs does not hold it: {', '.join(comparison.not_compared)}.", ""]
    return "\n".join(lines).rstrip()


def _finding(change: FindingChange) -> list[str]:
    since = f"since {change.first_seen[:10]}" if change.first_seen else ""
    last = f"last seen {change.last_seen[:10]}" if change.last_seen else ""
    told = "; ".join(part for part in (change.severity, since, last) if part)
    lines = [f"- **{_plain(change.title)}** ({told}) `{_plain(change.id)}`"]
    lines += [f"  - {_plain(fact.name)}: {_was(fact.before)} → {_was(fact.after)}" for fact in change.facts]
    return lines + ([f"  - {_plain(change.note)}"] if change.note else [])


def _was(value: str) -> str:
    return _plain(value) if value else "(none)"


TREND_COLUMNS = (
    "tenant", "now", *SEVERITIES, "waived", *(f"senders {word}" for word in SENDERS),
    *(f"exposure {word}" for word in EXPOSURE), "accounts",
)  # fmt: skip


def trend_rows(points: Iterable[Point]) -> list[tuple[str | int | None, ...]]:
    return [
        (
            point.tenant, point.now, *(point.findings[severity] for severity in SEVERITIES), point.waived,
            *((point.senders or {}).get(word) for word in SENDERS),
            *((point.exposure or {}).get(word) for word in EXPOSURE), point.accounts,
        )
        for point in points
    ]  # fmt: skip


def trend_markdown(points: Sequence[Point]) -> str:
    rows = [["" if value is None else str(value) for value in row] for row in trend_rows(points)]
    return "\n".join(_table(TREND_COLUMNS, rows))


def trend_json(points: Sequence[Point]) -> str:
    runs = [dict(zip(TREND_COLUMNS, row, strict=True)) for row in trend_rows(points)]
    return json.dumps({"schema": SCHEMA, "runs": runs}, indent=2, ensure_ascii=False)


def trend_csv(points: Sequence[Point]) -> str:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(TREND_COLUMNS)
    writer.writerows([csv_text(value) if isinstance(value, str) else value for value in row]
                     for row in trend_rows(points))  # fmt: skip
    return stream.getvalue().rstrip("\r\n")


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(header)} |", f"|{'---|' * len(header)}"]
    return lines + [f"| {' | '.join(_plain(value) for value in row)} |" for row in rows]


def _plain(text: str) -> str:
    """One line that Markdown shows as it is: names in a tenant are chosen by whoever writes them."""
    cleaned = " ".join(clean(text).split())
    for character in "\\`*_{}[]<>|#":
        cleaned = cleaned.replace(character, f"\\{character}")
    return cleaned


def _moment(moment: str) -> str:
    return moment or "an unknown moment"
