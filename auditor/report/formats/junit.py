"""findings.junit.xml: JUnit XML as Jenkins, GitLab and Azure Pipelines read it, one suite per rule.

Each finding is a test case: `failure` where it stands, `error` where it could not be judged, `skipped` where it is
accepted. A rule that found nothing is one passed case only where all that it rests on was read whole; else it is
`skipped`, with what was not read. A finding of the previous run that was not checked this time is an `error`. There are
no durations in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import IO
from xml.etree import ElementTree as ET

from auditor.diff import FindingChange
from auditor.evaluate import Evaluation
from auditor.findings import RULES
from auditor.findings.base import Finding, Rule
from auditor.report.csvfiles import evidence_text
from auditor.report.formats.common import gone, waiver
from auditor.report.order import by_urgency
from auditor.report.text import clean

_OUTCOMES = {"fail": "failure", "unknown": "error", "waived": "skipped"}


def write_junit(stream: IO[bytes], evaluation: Evaluation) -> None:
    """Write the file. Characters that XML cannot hold are shown by their pictures."""
    tenant = evaluation.judgement.tenant
    suites = ET.Element("testsuites", name=clean(f"SMTP AUTH audit of {tenant.name or tenant.tenant_id or 'a tenant'}"))
    found: dict[str, list[Finding]] = {}
    for finding in by_urgency(evaluation.findings):
        found.setdefault(finding.rule, []).append(finding)
    unchecked: dict[str, list[FindingChange]] = {}
    for change in gone(evaluation):
        if change.kind == "not-checked":
            unchecked.setdefault(change.rule, []).append(change)
    totals: Counter[str] = Counter()
    moment = tenant.now.strftime("%Y-%m-%dT%H:%M:%S")
    known = {rule.id for rule in RULES}
    for rule in RULES:
        suite = _suite(suites, rule.id, moment)
        suite.extend(_cases(rule, found.get(rule.id, ()), unchecked.get(rule.id, ()), evaluation))
        totals += _count(suite)
    for identity, changes in unchecked.items():
        if identity not in known:
            suite = _suite(suites, identity, moment)
            suite.extend(_not_checked(change) for change in changes)
            totals += _count(suite)
    for name in ("tests", "failures", "errors"):
        suites.set(name, str(totals[name]))
    ET.indent(suites)
    stream.write(b'<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, "utf-8") + b"\n")


def _suite(parent: ET.Element, rule: str, moment: str) -> ET.Element:
    return ET.SubElement(parent, "testsuite", name=rule, timestamp=moment)


def _count(suite: ET.Element) -> Counter[str]:
    """Sets the suite's numbers and returns them."""
    numbers = Counter({"tests": len(suite)})
    for case in suite:
        for result in case:
            numbers[{"failure": "failures", "error": "errors", "skipped": "skipped"}[result.tag]] += 1
    for name in ("tests", "failures", "errors", "skipped"):
        suite.set(name, str(numbers[name]))
    return numbers


def _cases(
    rule: Rule, findings: Sequence[Finding], unchecked: Sequence[FindingChange], evaluation: Evaluation
) -> list[ET.Element]:
    cases = [_case(finding) for finding in findings] + [_not_checked(change) for change in unchecked]
    return cases or [_nothing_found(rule, evaluation)]


def _case(finding: Finding) -> ET.Element:
    case = _test(finding.rule, f"{finding.object_type} {finding.object_name or finding.object_id} ({finding.id})")
    message = f"{finding.severity}: {finding.title}"
    if finding.outcome == "waived":
        message = f"Accepted: {waiver(finding)}. {message}"
    text = f"{evidence_text(finding)}\n\nWhat to do: {finding.remedy}\nRisk: {finding.remedy_risk}"
    _outcome(case, _OUTCOMES[finding.outcome], finding.severity, message, text)
    return case


def _not_checked(change: FindingChange) -> ET.Element:
    case = _test(change.rule, f"{change.object_type} {change.object_name} ({change.id})")
    _outcome(case, "error", change.severity, f"Not checked this time: {change.title}", change.note)
    return case


def _nothing_found(rule: Rule, evaluation: Evaluation) -> ET.Element:
    case = _test(rule.id, rule.title)
    status = evaluation.judgement.tenant.status
    unread = [f"{name} ({status[name].state})" for name in ("users", *rule.datasets) if not status[name].complete]
    if unread:
        message = f"Nothing found, but not read whole: {', '.join(dict.fromkeys(unread))}"
        _outcome(case, "skipped", "not-read", message, "")
    return case


def _test(rule: str, name: str) -> ET.Element:
    return ET.Element("testcase", classname=rule, name=clean(name))


def _outcome(case: ET.Element, tag: str, kind: str, message: str, text: str) -> None:
    element = ET.SubElement(case, tag, type=kind, message=clean(message))
    element.text = clean(text)
