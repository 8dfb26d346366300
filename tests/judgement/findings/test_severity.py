"""The model of severity: its page says what the code does."""

from __future__ import annotations

import re

import pytest

from auditor.findings.base import SEVERITIES
from auditor.findings.severity import Doubt, Impact, Reach, severity


def test_the_extremes():
    assert severity(Impact.LOSS, Reach.TENANT) == "critical"
    assert severity(Impact.NOTE, Reach.ONE, Doubt.UNKNOWN) == "info"


@pytest.mark.parametrize("impact", Impact)
@pytest.mark.parametrize("reach", Reach)
def test_more_doubt_never_raises_it(impact, reach):
    ranks = [SEVERITIES.index(severity(impact, reach, doubt)) for doubt in Doubt]
    assert ranks == sorted(ranks)


def test_every_example_of_the_page_holds(root):
    text = (root / "docs" / "severity.md").read_text(encoding="utf-8")
    examples = re.findall(r"^\| .+ \| (\d) \| (\d) \| (\d) \| (\w+) \|$", text, re.MULTILINE)
    assert len(examples) >= 10
    for impact, reach, doubt, word in examples:
        assert severity(Impact(int(impact)), Reach(int(reach)), Doubt(int(doubt))) == word
