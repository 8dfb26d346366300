"""Evaluations to write in every format: the generator's tenant, one with hostile texts, and one that was compared."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from auditor.diff import Comparison, FindingChange
from auditor.evaluate import Evaluation
from auditor.findings.base import Fact

HOSTILE = (
    "</failure><system-out>x</system-out> ]]> <!-- &amp; &#0;",
    "[click](http://evil.example) {0} ![x](http://evil.example/x.png) <img src=x>",
    "| a | b |\n|---|---|\n# Heading\n\n- list\n1. one",
    "control \x00\x07\x1b \ud800 \u202etxt\u2028",
    "*bold* _under_ `code` ~~gone~~ www.evil.example \\",
    "- [ ] task",
)


@pytest.fixture(scope="session")
def hostile(make: SimpleNamespace) -> Evaluation:
    outcomes = ("fail", "unknown", "waived")
    severities = ("critical", "high", "medium", "low", "info")
    findings = [
        make.finding(
            severity=severities[number % 5],
            outcome=outcomes[number % 3],
            object_id=f"object {number}",
            object_name=text,
            title=text,
            evidence=(Fact(text, text, "users"), Fact("waiver", f"until 2027-01-01: {text}")),
            remedy=text,
            remedy_risk=text,
            references=(text, "https://learn.microsoft.com/exchange/one"),
            controls=(text,),
            accounts=(0, 1),
        )
        for number, text in enumerate(HOSTILE)
    ]
    return make.evaluation(findings, "casMailboxes", names=HOSTILE, reason=HOSTILE[1], tenant_name=HOSTILE[0])


def _change(kind: str, rule: str = "exposed-account", note: str = "") -> FindingChange:
    return FindingChange(
        kind=kind,  # type: ignore[arg-type]
        id=f"{rule}-{kind}",
        rule=rule,
        severity="high",
        outcome="fail",
        object_type="account",
        object_name="ana@contoso.example",
        title=f"Was {kind}",
        first_seen="2026-05-01T00:00:00Z",
        last_seen="2026-08-24T16:00:00Z",
        note=note,
    )


@pytest.fixture(scope="session")
def compared(make: SimpleNamespace) -> Evaluation:
    """Four findings, one of each change, and three that are gone."""
    changes = ("new", "persisting", "changed", "returned")
    findings = [make.finding(object_id=change, change=change, title=f"Is {change}") for change in changes]
    gone = (
        _change("fixed"),
        _change("not-checked", note="Not read whole this time: users (denied)."),
        _change("not-checked", rule="rule-of-another-version", note="This version of the program has no such rule."),
    )
    comparison = Comparison("2026-08-24T16:00:00Z", "2026-11-23T16:00:00Z", gone, (), {})
    return replace(make.evaluation(findings), comparison=comparison)


@pytest.fixture(scope="session")
def schemas() -> Path:
    """Where the schemas lie that the files are checked against."""
    return Path(__file__).parent
