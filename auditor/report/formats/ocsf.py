"""findings.ocsf.json: an array of OCSF 1.5.0 Compliance Findings (class 2003), for security data lakes and SIEMs.

`finding_info.uid` is the finding's id, the same in every run, so that a store can follow it. Activity: created (new,
returned), updated (persisting, changed, not checked this time), closed (fixed). A finding that could not be judged has
compliance status Unknown, never Pass; an accepted one is Suppressed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from auditor import __version__
from auditor.diff import FindingChange
from auditor.evaluate import Evaluation
from auditor.findings import RULES, evidence_json
from auditor.findings.base import Finding
from auditor.report.formats.common import gone, milliseconds, waiver, write_array
from auditor.tenant import Tenant

VERSION = "1.5.0"
CATEGORY, CLASS = 2, 2003

_SEVERITIES = {
    "critical": (5, "Critical"), "high": (4, "High"), "medium": (3, "Medium"), "low": (2, "Low"),
    "info": (1, "Informational"),
}  # fmt: skip
_ACTIVITIES = {
    "new": (1, "Create"), "returned": (1, "Create"), "changed": (2, "Update"), "persisting": (2, "Update"),
    "not-checked": (2, "Update"), "fixed": (3, "Close"),
}  # fmt: skip
_NEW, _SUPPRESSED, _RESOLVED, _UNDETERMINED = (1, "New"), (3, "Suppressed"), (4, "Resolved"), (0, "Unknown")
_FAIL, _PASS, _NOT_JUDGED = (3, "Fail"), (1, "Pass"), (0, "Unknown")
_TITLES = {rule.id: rule.title for rule in RULES}


def write_ocsf(stream: IO[bytes], evaluation: Evaluation) -> None:
    """Write the array, one event a line."""
    write_array(stream, _events(evaluation))
    stream.write(b"\n")


def _events(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    tenant = evaluation.judgement.tenant
    for finding in sorted(evaluation.findings, key=lambda finding: finding.id):
        yield _event(finding, tenant)
    for change in gone(evaluation):
        yield _gone(change, tenant)


def _event(finding: Finding, tenant: Tenant) -> dict[str, Any]:
    waived = finding.outcome == "waived"
    event = _frame(tenant, finding.id, finding.rule, finding.severity, finding.change, finding.title)
    status = _SUPPRESSED if waived else _NEW if event["activity_id"] == 1 else _UNDETERMINED
    event |= {
        "status_id": status[0],
        "status": status[1],
        "compliance": _compliance(
            finding.rule, finding.controls, _NOT_JUDGED if finding.outcome == "unknown" else _FAIL
        ),
        "remediation": {
            "desc": f"{finding.remedy} Risk: {finding.remedy_risk}",
            "references": list(finding.references),
        },
        "resources": [_resource(tenant, finding.object_type, finding.object_id, finding.object_name)],
        "unmapped": {
            "outcome": finding.outcome,
            "change": finding.change,
            "accounts": len(finding.accounts),
            "evidence": evidence_json(finding),
        },
    }
    if waived:
        event["comment"] = waiver(finding)
    event["finding_info"]["data_sources"] = sorted({fact.dataset for fact in finding.evidence if fact.dataset})
    if finding.first_seen:
        event["finding_info"]["first_seen_time"] = milliseconds(finding.first_seen)
    event["finding_info"]["last_seen_time"] = event["time"]
    return event


def _gone(change: FindingChange, tenant: Tenant) -> dict[str, Any]:
    fixed = change.kind == "fixed"
    event = _frame(tenant, change.id, change.rule, change.severity, change.kind, change.title)
    status = _RESOLVED if fixed else _UNDETERMINED
    event |= {
        "status_id": status[0],
        "status": status[1],
        "status_detail": change.note or "No longer found; all that it rests on was read.",
        "compliance": _compliance(change.rule, (), _PASS if fixed else _NOT_JUDGED),
        "resources": [_resource(tenant, change.object_type, "", change.object_name)],
        "unmapped": {"outcome": "gone", "change": change.kind},
    }
    if change.last_seen:
        event["finding_info"]["last_seen_time"] = milliseconds(change.last_seen)
    return event


def _frame(tenant: Tenant, identity: str, rule: str, severity: str, change: str, title: str) -> dict[str, Any]:
    """What every event has."""
    activity, activity_name = _ACTIVITIES[change]
    severity_id, severity_name = _SEVERITIES.get(severity, (0, "Unknown"))
    return {
        "activity_id": activity,
        "activity_name": activity_name,
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Compliance Finding",
        "type_uid": CLASS * 100 + activity,
        "type_name": f"Compliance Finding: {activity_name}",
        "time": milliseconds(tenant.now),
        "severity_id": severity_id,
        "severity": severity_name,
        "message": title,
        "metadata": {
            "version": VERSION,
            "uid": f"{identity}/{tenant.now:%Y%m%dT%H%M%SZ}",
            "tenant_uid": tenant.tenant_id,
            "product": {"name": "tenant-auditor", "vendor_name": "tenant-auditor", "version": __version__},
        },
        "finding_info": {
            "uid": identity,
            "title": title,
            "types": ["SMTP AUTH"],
            "analytic": {"uid": rule, "name": _TITLES.get(rule, rule), "type_id": 1, "type": "Rule"},
        },
    }


def _compliance(rule: str, controls: tuple[str, ...], status: tuple[int, str]) -> dict[str, Any]:
    """`controls` are such as `CIS 6.5.4` and `CISA MS.EXO.5.1`: the first word is the standard."""
    number, name = status
    return {
        "control": f"{rule}: {_TITLES.get(rule, rule)}",
        "standards": sorted({control.split(" ", 1)[0] for control in controls}) or ["tenant-auditor"],
        "requirements": list(controls),
        "checks": [{"uid": rule, "name": _TITLES.get(rule, rule), "status_id": number, "status": name}],
        "status_id": number,
        "status": name,
    }


def _resource(tenant: Tenant, kind: str, identity: str, name: str) -> dict[str, Any]:
    resource = {"type": kind, "name": name, "namespace": tenant.tenant_id}
    return resource | ({"uid": identity} if identity else {})
