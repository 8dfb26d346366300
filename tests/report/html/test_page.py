"""The page as a file: what it may do, what it says without its script; only the evaluation decides its bytes."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

from auditor.config import Config, Sender
from auditor.diff import Comparison, FindingChange
from auditor.evaluate import Evaluation
from auditor.report.html import filters, inline_script, style_sheet
from auditor.report.html.page import senders
from auditor.triage import Triage


class Outline(HTMLParser):
    """Tags with their attributes, and the text outside scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Iterable[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] not in ("script", "style"):
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]

    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


@pytest.fixture(scope="module")
def page(demo: tuple[Evaluation, Config], read: SimpleNamespace) -> str:
    return read.rendered(demo[0])


@pytest.fixture(scope="module")
def hostile_text(hostile: Evaluation, read: SimpleNamespace) -> str:
    return read.rendered(hostile)


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_policy_allows_one_script_and_one_style_by_digest_and_nothing_else(page: str) -> None:
    outline = Outline(page)
    [policy] = [meta["content"] for meta in outline.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    [script] = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    [style] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == digest(script)
    assert rules["style-src"] == digest(style)
    assert rules["img-src"] == "data:"
    assert {"base-uri", "form-action", "require-trusted-types-for"} <= set(rules)
    assert "unsafe" not in policy
    assert outline.all("script") == [{"type": "application/json", "id": "data"}, {}]


def test_nothing_is_loaded_and_nothing_is_inline(page: str, hostile_text: str) -> None:
    for text in (page, hostile_text):
        for tag, attributes in Outline(text).tags:
            assert not {name for name in attributes if name.startswith("on")}, (tag, attributes)
            assert not {"style", "src", "srcset", "action", "background", "poster", "ping"} & set(attributes), tag
            target = attributes.get("href", "#")
            assert target.startswith(("#", "https://learn.")) or (tag, target) == ("link", "data:,")
            if target.startswith("https:"):
                assert tag == "a"
                assert attributes["rel"] == "noopener noreferrer"


def test_the_script_makes_no_markup_and_runs_no_text() -> None:
    script = inline_script()
    for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "fetch(",
                 "XMLHttpRequest", "import(", "WebSocket", "sendBeacon", "DOMParser"):  # fmt: skip
        assert sink not in script
    assert "</script" not in script
    assert "<!--" not in script
    assert "</style" not in style_sheet()
    assert "@import" not in style_sheet()
    assert not re.search(r"url\((?!#)", style_sheet())


def test_hostile_text_stays_text(hostile_text: str) -> None:
    outline = Outline(hostile_text)
    assert not outline.all("img")
    assert not outline.all("b")
    assert len(outline.all("script")) == 2
    assert "<script>document.title" in outline.words()
    assert "‹U+202E›gpj.exe" in hostile_text
    for hidden in ("\u202e", "\u2066", "\u200b", "\u2028", "\u2029", "\x00", "\x07"):
        assert hidden not in hostile_text
    assert "{{ 7 * 7 }}" in hostile_text


def test_the_same_evaluation_gives_the_same_bytes_with_line_feeds_only(
    demo: tuple[Evaluation, Config], page: str, read: SimpleNamespace
) -> None:
    assert read.rendered(demo[0]) == page
    assert "\r" not in page


def test_the_summary_says_who_when_and_the_run_in_figures(page: str) -> None:
    text = Outline(page).words()
    assert "Contoso Demo (fictional)" in text
    assert "Judged for 2026-11-23, 16:00 UTC" in text
    assert re.search(r"\d+ of 4\d\d accounts exposed", text)
    assert "Five things to do first" in text
    assert "off by default for existing tenants at the end of December 2026" in text
    assert "promises no delivery" in text


def test_every_chart_has_a_text_and_its_numbers_in_a_table(page: str) -> None:
    charts = re.findall(r'<svg class="bars".*?</svg>', page, re.DOTALL)
    assert len(charts) == 3
    for chart in charts:
        identities = re.search(r'role="img" aria-labelledby="(\S+) (\S+)"', chart)
        assert f'<title id="{identities[1]}">' in chart
        assert f'<desc id="{identities[2]}">' in chart
    assert page.count('<table class="numbers">') == 3


def test_every_table_has_a_caption_and_every_column_a_head(page: str) -> None:
    outline = Outline(page)
    assert len(outline.all("caption")) == len(outline.all("table")) == 6
    assert all("scope" in head for head in outline.all("th"))


def test_senders_stand_there_without_the_script_the_worst_first(demo: tuple[Evaluation, Config], page: str) -> None:
    text = Outline(page).words()
    for sender in demo[1].senders:
        assert sender.name in text
    rows = senders(demo[0].judgement)
    assert [row["case"] for row in rows].count(None) == 1
    assert rows[0]["case"] is None
    assert rows[1]["Verdict"] == "blocked"
    states = [[reason["state"] for reason in row["reasons"] if not reason["other"]] for row in rows]
    assert all("blocks" in own for own, row in zip(states, rows, strict=True) if row["Verdict"] == "blocked")


def test_a_sender_without_a_reason_says_so(make: SimpleNamespace, read: SimpleNamespace) -> None:
    evaluation = make.evaluation(senders=[Sender(name="clear", account="person1@contoso.example")])
    assert "No blocker was found in the tenant's settings." in Outline(read.rendered(evaluation)).words()


def test_gaps_are_told_by_cause_and_in_the_coverage(make: SimpleNamespace, read: SimpleNamespace) -> None:
    text = Outline(read.rendered(make.evaluation([], "casMailboxes", "transportConfig"))).words()
    assert re.search(r"transportConfig, casMailboxes|casMailboxes, transportConfig", text)
    assert "To close the gap: Grant the permission." in text
    assert "Every dataset was read whole." in Outline(read.rendered(make.evaluation())).words()


def test_nothing_read_is_no_pass(make: SimpleNamespace, read: SimpleNamespace) -> None:
    text = Outline(read.rendered(make.evaluation([], "users", count=0))).words()
    assert "Nothing on this page may be taken as a pass" in text
    assert "workbook may be taken" not in text
    assert "Five things to do first No finding above info stands." in text


def test_changes_and_triage_are_shown_where_there_are_any(make: SimpleNamespace, read: SimpleNamespace) -> None:
    finding = make.finding(change="persisting")
    evaluation = make.evaluation([finding])
    assert "Change since" not in read.rendered(evaluation)
    assert "status" not in read.data_of(read.rendered(evaluation))["findings"]["columns"]
    changes = tuple(
        FindingChange(kind, f"id-{kind}", "exposed-account", "high", "fail", "tenant", "Contoso", "Title", "")
        for kind in ("persisting", "fixed", "not-checked")
    )
    compared = replace(
        evaluation,
        comparison=Comparison("2026-08-24T16:00:00Z", "2026-11-23T16:00:00Z", changes, (), {}),
        triage={finding.id: Triage(status="In progress", owner="<b>Ana</b>", due="2026-12-15")},
    )
    page = read.rendered(compared)
    assert "Change since 2026-08-24" in page
    assert "gone, perhaps for want of evidence" in page
    columns = {name: read.column(raw) for name, raw in read.data_of(page)["findings"]["columns"].items()}
    assert (columns["status"], columns["owner"], columns["due"]) == (["In progress"], ["<b>Ana</b>"], ["2026-12-15"])


def test_texts_for_people() -> None:
    assert str(filters.rich("run `a < b` & go")) == "run <code>a &lt; b</code> &amp; go"
    assert filters.words("not_applicable") == "not applicable"
    assert filters.words("smtp_use Ana") == "smtp_use Ana"
    assert filters.opening("Short.") == "Short."
    assert filters.opening("First. " + "x" * 300) == "First. …"
    assert filters.opening("word " * 100, 12) == "word word …"
