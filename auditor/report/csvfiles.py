"""findings.csv, accounts.csv and coverage.csv: UTF-8 with BOM, RFC 4180, one header row, sorted by id."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Sequence
from itertools import chain, islice
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
    _write(stream, header, (",".join(map(_field, row)) for row in rows))


def write_columns(stream: IO[bytes], header: Sequence[str], parts: Iterable[Sequence[Sequence[str]]]) -> None:
    """The same for many rows, which come as the columns of some of them after the other. They say the same few words
    over and over: the `csv` module, which looks at every character of every field, takes many times as long."""
    lines = (map(",".join, zip(*map(_fields, columns), strict=True)) for columns in parts)
    _write(stream, header, chain.from_iterable(lines))


def _write(stream: IO[bytes], header: Sequence[str], lines: Iterable[str]) -> None:
    lines = chain([",".join(map(_quoted, header))], lines)
    with stream:
        stream.write(codecs.BOM_UTF8)
        while some := list(islice(lines, _LINES)):
            stream.write("\r\n".join([*some, ""]).encode())


_LINES = 1000
"""Lines that are written at a time."""


def _fields(column: Sequence[str]) -> Sequence[str]:
    """A column's texts as CSV fields: most columns are that already, and of the others each distinct text is looked at
    once."""
    distinct = set(column)
    if _all_plain(distinct):
        return column
    changed = {text: field for text in distinct if (field := _field(text)) != text}
    return [changed.get(text, text) for text in column] if changed else column


def _all_plain(texts: set[str]) -> bool:
    """Whether every text is empty or `_PLAIN`; their first characters and all of them together tell it at once."""
    starts = "".join({text[:1] for text in texts})
    return _STARTS.fullmatch(starts) is not None and _PLAIN.fullmatch("".join(["x", *texts])) is not None


def _field(value: object) -> str:
    if not isinstance(value, str):
        return "" if value is None else str(value)
    return value if _PLAIN.fullmatch(value) else _quoted(csv_text(value))


_PLAIN = re.compile(r"[A-Za-z0-9][ !#-+\--~]*")
"""The common case: printable, without comma or quote, and no formula starts with a letter or digit."""
_STARTS = re.compile(r"[A-Za-z0-9]*")
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

    write_columns(stream, accounts.COLUMNS, accounts.parts(evaluation.judgement))


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
