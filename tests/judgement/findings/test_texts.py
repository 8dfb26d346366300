"""What the findings say to people: no superseded date, no promise, no bad advice, and only named pages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import auditor.findings
from auditor.findings import RULES
from auditor.findings.references import ANNOUNCEMENT


def texts() -> list[str]:
    """Everything that the rules can say: the string literals of their modules."""
    folder = Path(auditor.findings.__file__).parent
    return [
        node.value
        for path in sorted(folder.glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        r"September\s2025",
        r"30\sApril\s2026",
        r"cannot\sbe\sre-?enabled",
        r"will\ssurvive",
        r"use an app password",
        r"(disable|turn off|switch off) security defaults",
    ],
)
def test_no_superseded_date_promise_or_bad_advice(wrong):
    assert not [text for text in texts() if re.search(wrong, text, re.IGNORECASE)]


def test_the_announcement_has_every_part():
    for part in (
        "27 January 2026", "off by default", "end of December 2026", "switch it on again", "new tenants",
        "second half of 2027", "is not published", "test after the change", "OAuth senders that inherit",
    ):  # fmt: skip
        assert part in ANNOUNCEMENT


def test_references_are_pages_or_named_announcements():
    for rule in RULES:
        for reference in rule.references:
            assert reference.startswith(("https://learn.microsoft.com/", "Exchange Team Blog, 27 January 2026")), (
                reference
            )
