"""The order in which people should read: what is urgent first."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.findings.base import SEVERITIES, Finding

_OUTCOMES = ("fail", "unknown", "waived")


def by_urgency(findings: Iterable[Finding]) -> list[Finding]:
    """Standing findings before accepted ones, then by severity, certainty, the number of accounts and id."""
    return sorted(
        findings,
        key=lambda finding: (
            finding.outcome == "waived",
            SEVERITIES.index(finding.severity),
            _OUTCOMES.index(finding.outcome),
            -len(finding.accounts),
            finding.id,
        ),
    )
