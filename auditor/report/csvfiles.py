"""findings.csv, accounts.csv and coverage.csv: UTF-8 with BOM, RFC 4180, one header row, sorted by id."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from typing import IO

from auditor.evaluate import CoverageRow, Evaluation
from auditor.findings.base import Finding
from auditor.report.text import csv_text

FINDING_COLUMNS = (
    "id", "rule", "severity", "outcome", "object_type", "object_id", "object_name", "title", "evidence", "remedy",
    "remedy_risk", "references", "controls", "first_seen", "change",
)  # fmt: skip

COVERAGE_COLUMNS = (
    "dataset", "state", "records", "reason", "permission", "licence", "source", "as_of", "decides",
    "unknown_accounts", "remedy",
)  # fmt: skip


def write_csv(stream: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """One CSV file. Every text is made safe to open (`csv_text`); numbers stay as they are. Closes the stream."""
    fields = _Fields()
    with io.TextIOWrapper(stream, "utf-8-sig", newline="") as text:
        text.write(",".join(map(_quoted, header)) + "\r\n")
        text.writelines(",".join(map(fields.__getitem__, row)) + "\r\n" for row in rows)


class _Fields(dict[object, str]):
    """A value as its CSV field. A million rows say the same few words over and over, so the first texts are kept: the
    `csv` module, which looks at every character of every field, takes three times as long."""

    _KEPT = 10_000

    def __missing__(self, value: object) -> str:
        if not isinstance(value, str):
            return "" if value is None else str(value)
        field = _quoted(csv_text(value))
        if len(self) < self._KEPT:
            self[value] = field
        return field


_SPECIAL = re.compile('[,"\r\n]')


def _quoted(text: str) -> str:
    """RFC 4180: in quotes only where the text holds a comma, a quote or a line end."""
    if _SPECIAL.search(text):
        return '"' + text.replace('"', '""') + '"'
    return text


def findings_csv(stream: IO[bytes], evaluation: Evaluation) -> None:
    findings = sorted(evaluation.findings, key=lambda finding: finding.id)
    write_csv(stream, FINDING_COLUMNS, (finding_row(finding) for finding in findings))


def accounts_csv(stream: IO[bytes], evaluation: Evaluation) -> None:
    from auditor import accounts

    write_csv(stream, accounts.COLUMNS, accounts.rows(evaluation.judgement))


def coverage_csv(stream: IO[bytes], evaluation: Evaluation) -> None:
    rows = sorted(evaluation.coverage, key=lambda row: row.dataset)
    write_csv(stream, COVERAGE_COLUMNS, (coverage_row(row) for row in rows))


def finding_row(finding: Finding) -> tuple[str, ...]:
    """The values of FINDING_COLUMNS."""
    return (
        finding.id,
        finding.rule,
        finding.severity,
        finding.outcome,
        finding.object_type,
        finding.object_id,
        finding.object_name,
        finding.title,
        evidence_text(finding),
        finding.remedy,
        finding.remedy_risk,
        "\n".join(finding.references),
        ", ".join(finding.controls),
        finding.first_seen,
        finding.change,
    )


def evidence_text(finding: Finding) -> str:
    """One fact a line: `name: value [dataset]`."""
    return "\n".join(
        f"{fact.name}: {fact.value} [{fact.dataset}]" if fact.dataset else f"{fact.name}: {fact.value}"
        for fact in finding.evidence
    )


def coverage_row(row: CoverageRow) -> tuple[str | int, ...]:
    """The values of COVERAGE_COLUMNS."""
    return (
        row.dataset,
        row.state,
        row.records,
        row.reason,
        row.permission,
        row.licence,
        row.source,
        row.as_of,
        ", ".join(row.decides),
        row.unknown_accounts,
        row.remedy,
    )
