"""Import files for teams without an API: Jira CSV, a ServiceNow import set, Azure DevOps CSV, DefectDojo findings.

One row per finding, with the same markers as `sync` writes, so that a later sync takes up what was imported. An import
cannot close anything, and Jira's and Azure DevOps' make everything again that is imported twice.

Sources: https://support.atlassian.com/jira-cloud-administration/docs/import-data-from-a-csv-file/ (250 issues a file
for who is no administrator), https://learn.microsoft.com/azure/devops/boards/queries/import-work-items-from-csv,
https://docs.defectdojo.com/supported_tools/parsers/generic/ (an unknown key fails the import; by default duplicates are
found by title and description, so nothing stands there that changes from run to run).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from auditor.findings.base import Severity
from auditor.report.files import Batch
from auditor.tickets import markup
from auditor.tickets.base import TOOL, Draft
from auditor.tickets.draft import Drafter, csv_bytes, evidence_lines
from auditor.tickets.settings import TicketSettings
from auditor.tickets.source import Source, text
from auditor.tickets.systems.common import labels_of
from auditor.tickets.topics import Topic, topics

JIRA_ROWS = 250
_BOM = b"\xef\xbb\xbf"

_JIRA_PRIORITY = {"critical": "Highest", "high": "High", "medium": "Medium", "low": "Low", "info": "Lowest"}
_LEVEL = {"critical": 1, "high": 1, "medium": 2, "low": 3, "info": 3}
"""ServiceNow's impact and urgency; together they give the priority."""
_AZURE_PRIORITY = {"critical": 1, "high": 2, "medium": 3, "low": 4, "info": 4}

Row = Sequence[object]


def write(source: Source, form: str, min_severity: Severity, out: Path | None = None) -> list[Path]:
    """The files, private ones. `form`: jira-csv, servicenow, azure-devops-csv or defectdojo. Raises UsageError where
    one cannot be written."""
    if form == "defectdojo":
        path = out or source.folder / "findings.defectdojo.json"
        _save(path, _defectdojo(source, min_severity))
        return [path]
    header, row, size, name = _TABLES[form]
    drafts = list(_drafts(source, min_severity))
    path = out or source.folder / name
    parts = [drafts[start : start + size] for start in range(0, len(drafts), size)] if size else [drafts]
    paths = []
    for number, part in enumerate(parts or [[]], 1):
        paths.append(path if len(parts) < 2 else path.with_name(f"{path.stem}-{number}{path.suffix}"))
        _save(paths[-1], _table(header, [row(draft, source) for draft in part]))
    return paths


def _save(path: Path, data: bytes) -> None:
    with Batch(path.parent) as files, files.new(path.name) as stream:
        stream.write(data)


def _drafts(source: Source, min_severity: Severity) -> Iterator[Draft]:
    settings = TicketSettings(name="export", system="", url="", group_by="finding", min_severity=min_severity)
    drafter = Drafter(source, settings)
    for _, topic in sorted(topics(source, settings).items()):
        if topic.chosen:
            yield drafter.draft(topic)


def _table(header: Sequence[str], rows: Sequence[Row]) -> bytes:
    """Without the mark of byte order, which importers take for a part of the first header."""
    return csv_bytes(header, rows).removeprefix(_BOM)


# --- tables ----------------------------------------------------------------------------------------------------------


def _jira(draft: Draft, source: Source) -> Row:  # noqa: ARG001 - as the others
    labels = labels_of(draft)[:3]
    priority = _JIRA_PRIORITY[draft.severity]
    return (
        markup.line(draft.title, 255),
        markup.wiki(draft.body, 32_767),
        priority,
        *labels,
        draft.due,
        draft.marker,
        "",
    )


def _servicenow(draft: Draft, source: Source) -> Row:
    level = _LEVEL[draft.severity]
    urgency = 1 if draft.severity == "critical" else 2 if level == 1 else level
    title, body = markup.line(draft.title, 160), markup.plain(draft.body, 4_000)
    return (draft.marker, source.tenant, title, body, level, urgency, draft.due)


def _azure(draft: Draft, source: Source) -> Row:  # noqa: ARG001 - as the others
    tags = "; ".join(labels_of(draft))
    title, body = markup.line(draft.title, 255), markup.html(draft.body)
    return ("", "Issue", title, body, tags, _AZURE_PRIORITY[draft.severity])


_TABLES: Mapping[str, tuple[Sequence[str], Callable[[Draft, Source], Row], int, str]] = {
    "jira-csv": (
        # Several labels are several columns of one name. `Issue key` stays empty: these are new.
        ("Summary", "Description", "Priority", "Labels", "Labels", "Labels", "Due date", "External ID", "Issue key"),
        _jira,
        JIRA_ROWS,
        "findings.jira.csv",
    ),
    "servicenow": (
        ("u_correlation_id", "u_correlation_display", "u_short_description", "u_description", "u_impact", "u_urgency",
         "u_due_date"),
        _servicenow,
        0,
        "findings.servicenow.csv",
    ),
    "azure-devops-csv": (
        ("ID", "Work Item Type", "Title", "Description", "Tags", "Priority"),
        _azure,
        0,
        "findings.azure-devops.csv",
    ),
}  # fmt: skip
"""Format → its header, a draft's row, rows in a file (0: any), the file's name."""


# --- DefectDojo ------------------------------------------------------------------------------------------------------


def _defectdojo(source: Source, min_severity: Severity) -> bytes:
    settings = TicketSettings(
        name="export", system="", url="", group_by="finding", min_severity=min_severity, outcomes=("fail", "waived")
    )
    entries = [_entry(topic, source) for _, topic in sorted(topics(source, settings).items()) if topic.chosen]
    document = {"name": f"{TOOL} {source.run.tenant_id}", "type": TOOL, "findings": entries}
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _entry(topic: Topic, source: Source) -> dict[str, Any]:
    """Title and description are the same in every run as long as the finding is the same; what changes (evidence,
    counts, names) stands elsewhere. `service` keeps one tenant's import from closing another's findings."""
    [found] = topic.chosen
    accepted = found.get("outcome") == "waived"
    rule = text(found, "rule")
    return {
        "title": markup.line(f"{rule}: {text(found, 'object_type')} {text(found, 'object_id')}", 511),
        "severity": topic.severity.capitalize(),
        "description": f"Finding {found['id']} of the rule {rule}; docs/findings/{rule}.md in {TOOL}.",
        "component_name": text(found, "object_name"),
        "mitigation": text(found, "remedy"),
        "impact": text(found, "remedy_risk"),
        "references": "\n".join(found.get("references") or ()),
        "steps_to_reproduce": "\n".join([text(found, "title"), *evidence_lines(found)]),
        "unique_id_from_tool": found["id"],
        "vuln_id_from_tool": rule,
        "service": source.run.tenant_id,
        "date": text(found, "first_seen")[:10] or source.run.now[:10],
        "active": not accepted,
        "risk_accepted": accepted,
        "verified": False,
        "tags": [TOOL],
    }
