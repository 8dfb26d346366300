"""Comparisons and trends on standard output."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from auditor.diff import Run, compare
from auditor.report.history import (
    TREND_COLUMNS,
    comparison_json,
    comparison_markdown,
    trend_csv,
    trend_json,
    trend_markdown,
)
from auditor.trend import Point

NASTY = "a|b\n`c` <script> *d* [e](f) \x1b[31m"


def comparison() -> object:
    old = {"id": "data-problem-1", "rule": "data-problem", "severity": "low", "title": NASTY, "object_type": "tenant",
           "first_seen": "2026-08-24", "evidence": [{"name": "values", "value": "x"}]}  # fmt: skip
    new = {**old, "severity": "high", "evidence": [{"name": "values", "value": NASTY}]}
    gone = {**old, "id": "data-problem-2", "title": "Gone"}
    read = {"users": "complete"}
    return compare(
        Run({"data-problem-1": old, "data-problem-2": gone}, now="2026-08-24T16:00:00Z", datasets=read,
            senders={"s": {"name": NASTY, "verdict": "open"}}),
        Run({"data-problem-1": new}, now="2026-11-23T16:00:00Z", datasets=read,
            senders={"s": {"name": NASTY, "verdict": "blocked"}}),
    )  # fmt: skip


def test_json_holds_every_kind_with_its_facts() -> None:
    document = json.loads(comparison_json(comparison()))  # type: ignore[arg-type]
    assert document["counts"] == {"new": 0, "returned": 0, "changed": 1, "fixed": 1, "not-checked": 0, "persisting": 0}
    changed, fixed = document["findings"]
    assert changed["facts"] == [
        {"name": "severity", "before": "low", "after": "high"},
        {"name": "values", "before": "x", "after": NASTY},
    ]
    assert (fixed["kind"], fixed["last_seen"]) == ("fixed", "2026-08-24T16:00:00Z")
    assert document["objects"][0]["facts"] == [{"name": "verdict", "before": "open", "after": "blocked"}]
    assert document["not_compared"] == ["accounts", "policies"]


def test_markdown_shows_the_tenants_words_as_they_are() -> None:
    told = comparison_markdown(comparison())  # type: ignore[arg-type]
    assert "## Changed (1)" in told
    assert "## Fixed (1)" in told
    assert "severity: low → high" in told
    assert "\x1b" not in told
    assert "a\\|b \\`c\\` \\<script\\> \\*d\\* \\[e\\](f)" in told
    [row] = [line for line in told.splitlines() if line.startswith("| sender")]
    assert row.replace("\\|", "").count("|") == 7
    assert "Not compared, for one of the two runs does not hold it: accounts, policies." in told


POINTS = [
    Point("t-1", "2026-08-24T16:00:00Z", Path("a"), {"critical": 2, "high": 1, "medium": 0, "low": 0, "info": 0},
          None, None, None, None),
    Point("=t", "2026-11-23T16:00:00Z", Path("b"), {"critical": 1, "high": 0, "medium": 0, "low": 0, "info": 0},
          1, {"blocked": 3, "open": 4}, {"open": 5, "closed": 6}, 11),
]  # fmt: skip


def test_a_trend_in_three_forms_says_the_same() -> None:
    runs = json.loads(trend_json(POINTS))["runs"]
    assert list(runs[0]) == list(TREND_COLUMNS)
    assert (runs[0]["critical"], runs[0]["waived"], runs[0]["senders blocked"]) == (2, None, None)
    assert (runs[1]["senders blocked"], runs[1]["exposure open"], runs[1]["accounts"]) == (3, 5, 11)
    rows = list(csv.DictReader(io.StringIO(trend_csv(POINTS))))
    assert [row["critical"] for row in rows] == ["2", "1"]
    assert (rows[0]["waived"], rows[1]["tenant"]) == ("", "'=t")
    lines = trend_markdown(POINTS).splitlines()
    assert len(lines) == 4
    assert lines[2].startswith("| t-1 | 2026-08-24T16:00:00Z | 2 | 1 |")
