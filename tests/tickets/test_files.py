"""The import files: what their readers demand, and what makes duplicates or loses rows."""

from __future__ import annotations

import csv
import io
import json
import os

import pytest
from runs import Runs

from auditor.config import Config
from auditor.tickets.files import write
from auditor.tickets.source import read_source

DOJO_KEYS = {
    "title", "severity", "description", "mitigation", "impact", "references", "steps_to_reproduce",
    "unique_id_from_tool", "vuln_id_from_tool", "component_name", "service", "date", "active", "risk_accepted",
    "verified", "tags",
}  # fmt: skip
"""Of those that DefectDojo's generic parser knows; any other fails the import."""

TITLES = ("Summary", "Title", "u_short_description")


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path / "reports", "tenant")


def table(path):
    data = path.read_bytes()
    assert not data.startswith(b"\xef\xbb\xbf"), "importers take it for a part of the first header"
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


def test_jira_files_hold_250_rows_each_with_the_markers_that_a_sync_looks_for(runs):
    source = read_source(runs.run(runs.of("exposed-account", number) for number in range(1, 502)), Config())
    paths = write(source, "jira-csv", "medium")
    assert [path.name for path in paths] == [f"findings.jira-{number}.csv" for number in (1, 2, 3)]
    tables = [table(path) for path in paths]
    assert [len(rows) for rows in tables] == [251, 251, 2]
    header, first = tables[0][:2]
    assert header.count("Labels") == 3
    labels = [value for name, value in zip(header, first, strict=True) if name == "Labels"]
    marker = first[header.index("External ID")]
    assert labels == ["tenant-auditor", source.tenant, f"tenant-auditor-{marker}"]
    assert all(" " not in label for label in labels)
    assert first[header.index("Issue key")] == ""


def test_formulas_in_names_are_defused_and_titles_are_one_line(runs):
    source = read_source(runs.run([runs.of("exposed-account", 1, title="=cmd|' /c calc'!A0\nsecond line")]), Config())
    for form in ("jira-csv", "azure-devops-csv", "servicenow"):
        [path] = write(source, form, "medium")
        header, row = table(path)
        [title] = [value for name, value in zip(header, row, strict=True) if name in TITLES]
        assert title.startswith("'=cmd")
        assert "\n" not in title
        assert len(title) <= 256


def test_defectdojo_knows_every_key_and_title_and_description_are_steady(runs):
    first = runs.of("exposed-account", 1)
    later = runs.of("exposed-account", 1, severity="critical", title="now 7 accounts", object_name="renamed",
                    evidence=[{"name": "smtpLastSuccess", "value": "2027-01-01", "dataset": "signIns"}])  # fmt: skip
    entries = []
    for found in (first, later):
        [path] = write(read_source(runs.run([found, runs.of("exposed-account", 2, outcome="waived")]), Config()),
                       "defectdojo", "medium")  # fmt: skip
        document = json.loads(path.read_text("utf-8"))
        assert set(document) == {"name", "type", "findings"}
        assert all(set(entry) == DOJO_KEYS for entry in document["findings"])
        by_id = {entry["unique_id_from_tool"]: entry for entry in document["findings"]}
        entries.append(by_id[first["id"]])
        waived = by_id[runs.of("exposed-account", 2)["id"]]
        assert (waived["active"], waived["risk_accepted"]) == (False, True)
    before, after = entries
    assert [before[key] for key in ("title", "description", "service", "date")] == [
        after[key] for key in ("title", "description", "service", "date")
    ]
    assert (before["severity"], after["severity"]) == ("High", "Critical")
    assert len(before["title"]) <= 511


def test_files_are_private_and_go_where_they_are_asked_for(runs, tmp_path):
    source = read_source(runs.run([runs.of("exposed-account", 1), runs.of("exposed-account", 2, severity="low")]),
                         Config())  # fmt: skip
    out = tmp_path / "out" / "issues.csv"
    assert write(source, "azure-devops-csv", "low", out) == [out]
    assert len(table(out)) == 3
    if os.name == "posix":
        assert out.stat().st_mode & 0o777 == 0o600


def test_an_empty_run_gives_a_file_with_a_header(runs):
    [path] = write(read_source(runs.run([]), Config()), "servicenow", "medium")
    assert len(table(path)) == 1
