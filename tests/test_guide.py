"""docs/guide.md: every line of the set-up guide has its place, and none of its bad advice is repeated as advice."""

from __future__ import annotations

import re

import pytest

from auditor import blockers

SECTIONS = {
    "Solution 1": "Solution 1", "Solution 2": "Solution 2", "Solution 3": "Solution 3", "Solution 4": "Solution 4",
    "Solution 5": "Solution 5", "Error:": "The error", "SMTP Settings Checklist": "Settings checklist",
    "PowerShell Diagnostic Commands": "Diagnostic commands", "Testing SMTP Connection": "Test script",
    "Common Error Codes": "Error table", "Alternative: Use Microsoft Graph": "Graph as the alternative",
    "Need Help?": "Order of help", "References": "References of the guide",
}  # fmt: skip
"""heading of the set-up guide → heading here"""

JUDGEMENTS = {"right", "partly", "wrong", "outdated", "missing", "not verified"}


@pytest.fixture(scope="module")
def page(root) -> str:
    return (root / "docs" / "guide.md").read_text("utf-8")


@pytest.fixture(scope="module")
def guide(shared) -> str:
    return (shared / "seed" / "smtp-auth-setup-guide.md").read_text("utf-8")


@pytest.fixture(scope="module")
def tables(page) -> dict[str, list[list[str]]]:
    """Heading → the cells of each row below it."""
    found: dict[str, list[list[str]]] = {}
    for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        lines = [line for line in part.splitlines()[1:] if line.startswith("|")]
        rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]
        found[part.splitlines()[0].partition(":")[0]] = rows
    return found


def test_every_heading_of_the_guide_has_a_section(guide, tables):
    headings = re.findall(r"^## (.+)$", guide, re.MULTILINE)
    assert len(headings) == len(SECTIONS)
    for heading in headings:
        [section] = [ours for theirs, ours in SECTIONS.items() if heading.startswith(theirs)]
        assert tables[section], heading


@pytest.mark.parametrize(
    ("ours", "pattern"),
    [
        ("Settings checklist", r"^✅ "),
        ("Diagnostic commands", r"^# .*\n[A-Z][a-z]+-\w+"),
        ("Error table", r"^\| \d"),
        ("Graph as the alternative", r"^- (?!\[)(?=OAuth|Better|No need|RESTful)"),
        ("Order of help", r"^\d\. (?=Check SMTP AUTH status|Verify MFA|Review Conditional|Check mailbox|Contact)"),
        ("References of the guide", r"^- \["),
        ("Solution 4", r"^- (?=Exchange Online|Microsoft 365 Business|Office 365 E)"),
    ],
)
def test_every_line_of_its_lists_has_a_row(guide, tables, ours, pattern):
    body = guide[guide.index("## SMTP Settings") :] if ours == "Diagnostic commands" else guide
    theirs = re.findall(pattern, body, re.MULTILINE)
    rows = [row for row in tables[ours] if not row[0].startswith("beside the guide")]
    assert len(rows) == len(theirs) > 1


def test_every_cmdlet_and_code_of_the_guide_is_named(guide, page):
    cmdlets = set(re.findall(r"\b(?:Get|Set|Install|Connect)-[A-Z]\w+", guide))
    codes = set(re.findall(r"\b5\.\d\.\d+\b", guide))
    assert len(cmdlets) > 6
    assert len(codes) > 3
    assert [name for name in sorted(cmdlets | codes) if name not in page] == []


def test_every_row_is_judged_and_told_what_the_product_does(tables):
    for section, rows in tables.items():
        for row in rows:
            assert all(row), (section, row)
            if section != "What the guide does not mention":
                judgement = re.sub(r" (as|of) .*$", "", row[1])
                assert judgement in JUDGEMENTS, (section, row[1])


def test_every_blocker_is_met_on_the_way(page):
    assert [one.id for one in blockers.BLOCKERS if f"blockers/{one.id}.md" not in page] == []


def test_what_is_wrong_has_a_source_or_says_how_it_is_known(tables):
    known = re.compile(r"\]\[\w+\]|\*(observed|inferred|not verified)\*|Exchange team blog")
    loose = [
        (section, row[0])
        for section, rows in tables.items()
        for row in rows
        if row[1].startswith(("wrong", "outdated")) and not known.search(row[2])
    ]
    assert loose == []


def test_every_reference_is_defined_and_used_once_or_more(page):
    used = set(re.findall(r"\]\[(\w+)\]", page))
    assert used == set(re.findall(r"^\[(\w+)\]: https://learn\.microsoft\.com/", page, re.MULTILINE))


def test_it_quotes_no_sentence_of_the_guide(guide, page):
    def runs(text, length=7):
        prose = re.sub(r"```.*?```|https://\S+", " ", text, flags=re.DOTALL)
        words = re.findall(r"\w+", prose.lower())
        return {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}

    assert not runs(guide) & runs(page)


ADVICE = (
    r"^(then )?(disable|switch off|turn off) security defaults",
    r"use (an|the) app password",
    r"SmtpClientAuthenticationDisabled \$false",
    r"consider using",
)


def test_no_bad_advice_as_advice(page):
    for pattern in ADVICE:
        assert not re.search(pattern, page, re.IGNORECASE | re.MULTILINE), pattern
