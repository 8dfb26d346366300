"""What several formats share: findings that are gone, what was not read, and JSON that UTF-8 can hold."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import IO, Any

from auditor.coverage import CoverageRow
from auditor.diff import FindingChange
from auditor.evaluate import Evaluation
from auditor.findings.base import Finding

_SURROGATE = re.compile("[\ud800-\udfff]")


def gone(evaluation: Evaluation) -> list[FindingChange]:
    """Findings of the previous run that do not stand any more: `fixed`, or `not-checked` where that may be for want of
    evidence. Empty where no previous run was given."""
    changes = evaluation.comparison.findings if evaluation.comparison else ()
    return [change for change in changes if change.kind in ("fixed", "not-checked")]


def gaps(evaluation: Evaluation) -> list[CoverageRow]:
    """Datasets that were not read whole, in catalogue order."""
    return [row for row in evaluation.coverage if row.state != "complete"]


def gap_text(row: CoverageRow) -> str:
    """One gap as a sentence."""
    reason = f" ({row.reason.rstrip('.')})" if row.reason else ""
    decides = f"; it decides {', '.join(row.decides)}" if row.decides else ""
    unknown = f", unknown for {row.unknown_accounts:,} accounts" if row.unknown_accounts else ""
    return f"Dataset {row.dataset} was not read whole: {row.state}{reason}{decides}{unknown}."


def waiver(finding: Finding) -> str:
    """What the evidence says of the waiver: who accepted the finding, why and until when; empty without one."""
    return "; ".join(fact.value for fact in finding.evidence if fact.name == "waiver")


def milliseconds(moment: datetime | str) -> int:
    """Milliseconds since 1970 in UTC, of a timezone-aware moment or its ISO 8601 text."""
    parsed = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return round(parsed.timestamp() * 1000)


def encoded(value: Any, *, indent: int | None = None) -> bytes:
    """JSON as UTF-8. A lone surrogate becomes U+FFFD."""
    separators = (",", ":") if indent is None else None
    text = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)
    return _SURROGATE.sub("\ufffd", text).encode()


def write_array(stream: IO[bytes], items: Iterable[Any]) -> None:
    """The items of a JSON array, one a line, between its brackets."""
    rest: Iterator[Any] = iter(items)
    separator = b"[\n"
    for item in rest:
        stream.write(separator + encoded(item))
        separator = b",\n"
    stream.write(b"[]" if separator == b"[\n" else b"\n]")
