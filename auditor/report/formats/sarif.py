"""findings.sarif: SARIF 2.1.0 (OASIS), for viewers and vulnerability managers that take static analysis results.

A tenant has no source files. Results carry logical locations (the account, policy or setting), and as the physical
location that some viewers insist on, findings.json of the same folder. `kind` and `level`: a finding that stands is
`fail`; one that could not be judged is `open`, never a pass; an accepted one is `fail` with a suppression. With a
previous run each result has a `baselineState`: what is gone and was checked is `absent`; what was not checked this time
stays, as `open`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import IO, Any

from auditor import __version__
from auditor.coverage import CoverageRow
from auditor.diff import FindingChange
from auditor.evaluate import Evaluation
from auditor.findings import RULES, evidence_json
from auditor.findings.base import Finding, Rule
from auditor.report.formats.common import encoded, gap_text, gaps, gone, waiver, write_array

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
RANKS = {"critical": 95.0, "high": 75.0, "medium": 50.0, "low": 25.0, "info": 5.0}
BASELINES = {
    "new": "new", "returned": "new", "changed": "updated", "persisting": "unchanged", "fixed": "absent",
    "not-checked": "unchanged",
}  # fmt: skip
COVERAGE = "coverage"
FINGERPRINT = "findingId/v1"

_SECURITY_SEVERITY = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "3.0", "info": "0.0"}
"""GitHub's scale; a rule has that of its worst finding in this run."""
_NUMBER = {rule.id: number for number, rule in enumerate(RULES)}


def write_sarif(stream: IO[bytes], evaluation: Evaluation) -> None:
    """Write the file, one result a line."""
    tenant = evaluation.judgement.tenant
    moment = tenant.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    run = {
        "tool": {"driver": _driver(evaluation.findings)},
        "automationDetails": {"id": f"tenant-auditor/{tenant.tenant_id or 'unknown'}/{moment}"},
        "invocations": [
            {"executionSuccessful": True, "toolExecutionNotifications": [_notice(row) for row in gaps(evaluation)]}
        ],
        "columnKind": "utf16CodeUnits",
        "properties": {"tenantId": tenant.tenant_id, "tenantName": tenant.name, "judgedFor": moment},
    }
    head = encoded({"$schema": SCHEMA, "version": "2.1.0"}).removesuffix(b"}")
    stream.write(head + b',"runs":[' + encoded(run).removesuffix(b"}") + b',"results":')
    write_array(stream, _results(evaluation))
    stream.write(b"}]}\n")


def plain(text: str) -> str:
    """Text of a message: SARIF reads `{0}` as a placeholder and `[text](target)` as a link (2.1.0, 3.11.5, 3.11.6)."""
    return re.sub(r"([\\\[\]])", r"\\\1", text).replace("{", "{{").replace("}", "}}")


def _driver(findings: Sequence[Finding]) -> dict[str, Any]:
    worst: dict[str, str] = {}
    for finding in findings:
        worst[finding.rule] = max(worst.get(finding.rule, "info"), finding.severity, key=RANKS.__getitem__)
    return {
        "name": "tenant-auditor",
        "version": __version__,
        "rules": [_rule(rule, worst.get(rule.id)) for rule in RULES],
        "notifications": [
            {
                "id": COVERAGE,
                "shortDescription": {"text": "Part of the evidence was not read; what it decides is unknown."},
            }
        ],
    }


def _rule(rule: Rule, worst: str | None) -> dict[str, Any]:
    described: dict[str, Any] = {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "help": {"text": f"{rule.remedy}\n\nRisk: {rule.remedy_risk}"},
        "properties": {"tags": ["security", *rule.controls]},
    }
    pages = [page for page in rule.references if page.startswith("https://")]
    if pages:
        described["helpUri"] = pages[0]
    if worst:
        described["defaultConfiguration"] = {"level": LEVELS[worst], "rank": RANKS[worst]}
        described["properties"]["security-severity"] = _SECURITY_SEVERITY[worst]
    return described


def _notice(row: CoverageRow) -> dict[str, Any]:
    return {
        "descriptor": {"id": COVERAGE, "index": 0},
        "level": "note" if row.state == "not-asked" else "warning",
        "message": {"text": plain(f"{gap_text(row)} {row.remedy}".strip())},
    }


def _results(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    compared = evaluation.comparison is not None
    for finding in sorted(evaluation.findings, key=lambda finding: finding.id):
        yield _result(finding, compared)
    for change in gone(evaluation):
        yield _gone(change)


def _result(finding: Finding, compared: bool) -> dict[str, Any]:
    unknown = finding.outcome == "unknown"
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": _NUMBER[finding.rule],
        "kind": "open" if unknown else "fail",
        "level": "none" if unknown else LEVELS[finding.severity],
        "rank": RANKS[finding.severity],
        "message": {"text": plain(finding.title)},
        "locations": [_location(finding.object_type, finding.object_id, finding.object_name)],
        "partialFingerprints": {FINGERPRINT: finding.id},
        "properties": {
            "severity": finding.severity,
            "outcome": finding.outcome,
            "change": finding.change,
            "accounts": len(finding.accounts),
            "evidence": evidence_json(finding),
            "remedy": finding.remedy,
            "remedyRisk": finding.remedy_risk,
            "controls": list(finding.controls),
            "references": list(finding.references),
        },
    }
    if finding.first_seen:
        result["provenance"] = {"firstDetectionTimeUtc": finding.first_seen}
    if compared:
        result["baselineState"] = BASELINES[finding.change]
    if finding.outcome == "waived":
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": waiver(finding)}]
    return result


def _gone(change: FindingChange) -> dict[str, Any]:
    checked = change.kind == "fixed"
    told = f"{change.title} (no longer found)" if checked else f"{change.title} (not checked this time: {change.note})"
    result: dict[str, Any] = {
        "ruleId": change.rule,
        "kind": "fail" if checked else "open",
        "level": LEVELS.get(change.severity, "warning") if checked else "none",
        "message": {"text": plain(told)},
        "locations": [_location(change.object_type, "", change.object_name)],
        "partialFingerprints": {FINGERPRINT: change.id},
        "baselineState": BASELINES[change.kind],
        "properties": {"severity": change.severity, "change": change.kind, "lastSeen": change.last_seen},
    }
    if change.rule in _NUMBER:
        result["ruleIndex"] = _NUMBER[change.rule]
    return result


def _location(kind: str, identity: str, name: str) -> dict[str, Any]:
    logical = {"name": name or identity, "kind": kind}
    if identity:
        logical["fullyQualifiedName"] = f"{kind}/{identity}"
    return {"physicalLocation": {"artifactLocation": {"uri": "findings.json"}}, "logicalLocations": [logical]}
