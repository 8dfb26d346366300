from __future__ import annotations

import io
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from auditor.config import Config
from auditor.evaluate import Evaluation
from auditor.report.formats.markdown import escaped, write_markdown
from auditor.report.html.visible import visible

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
MARKUP = st.sampled_from("\\`*_{}[]()<>#+-.!|~$^=&;:@\"' \n\t\u00a019abhtpsw/xX")
HARMLESS = {"text", "softbreak", "text_special"}


def written(evaluation: Evaluation) -> str:
    stream = io.BytesIO()
    write_markdown(stream, evaluation)
    return stream.getvalue().decode()


def tokens(text: str) -> Iterator[Token]:
    for token in READER.parse(text):
        yield token
        yield from token.children or ()


def shown(text: str) -> str:
    return "".join(token.content for token in tokens(text) if token.type in ("text", "text_special"))


@pytest.mark.parametrize("before", ["", "- ", "### high: ", "- Object: account "])
@given(text=st.text(MARKUP) | st.text())
def test_any_text_shows_as_it_is_and_does_nothing(before: str, text: str) -> None:
    line = " ".join(visible(text).split())
    parsed = list(tokens(f"{before}{escaped(text)}"))
    inline = [token for token in parsed if token.type == "inline"]
    assert len(inline) <= 1
    assert {child.type for token in inline for child in token.children or ()} <= HARMLESS
    assert {token.type for token in parsed} <= HARMLESS | {
        "inline", "paragraph_open", "paragraph_close", "heading_open", "heading_close", "bullet_list_open",
        "bullet_list_close", "list_item_open", "list_item_close",
    }  # fmt: skip
    if before in ("", "- "):
        assert not any(token.type == "heading_open" for token in parsed)
        assert shown(f"{before}{escaped(text)}").strip() == line


@pytest.mark.parametrize("text", ["http://evil.example", "https://evil.example", "WWW.evil.example", "ftp://x"])
def test_bare_addresses_do_not_become_links(text: str) -> None:
    assert text not in escaped(text)
    assert shown(escaped(text)) == text


def test_hostile_findings_are_text(hostile: Evaluation) -> None:
    text = written(hostile)
    parsed = list(tokens(text))
    assert not {"html_inline", "html_block", "image", "code_inline", "s_open", "fence"} & {
        token.type for token in parsed
    }
    links = {token.attrs["href"] for token in parsed if token.type == "link_open"}
    assert links == {"https://learn.microsoft.com/exchange/one"}
    heads = [token.tag for token in parsed if token.type == "heading_open"]
    assert heads.count("h1") == 1
    assert heads.count("h3") == len(hostile.findings)
    for finding in hostile.findings:
        assert " ".join(visible(finding.title).split()) in shown(text)
    assert "## Accepted findings" in text


def test_the_demo_names_every_finding_the_most_urgent_first(demo: tuple[Evaluation, Config]) -> None:
    text = written(demo[0])
    order = [text.index(f"Id: {finding.id}") for finding in demo[0].findings]
    assert len(set(order)) == len(demo[0].findings)
    severities = [line.split(":")[0].removeprefix("### ") for line in text.splitlines() if line.startswith("### ")]
    assert severities == sorted(severities, key=("critical", "high", "medium", "low", "info").index)
    tables = [token for token in tokens(text) if token.type == "table_open"]
    assert len(tables) == 3


def test_what_was_not_read_and_what_is_gone_is_told(make: SimpleNamespace, compared: Evaluation) -> None:
    assert "Dataset casMailboxes was not read whole: denied \\(Forbidden" not in written(make.evaluation())
    assert "Dataset casMailboxes was not read whole: denied (Forbidden)" in shown(
        written(make.evaluation([], "casMailboxes"))
    )
    text = shown(written(compared))
    assert "fixed: Was fixed (exposed-account-fixed)." in text
    assert "not-checked: Was not-checked (exposed-account-not-checked). Not read whole this time" in text
    assert "Gone since" not in written(make.evaluation())


def test_nothing_read_is_no_pass(make: SimpleNamespace) -> None:
    text = written(make.evaluation([], "users", count=0))
    assert "Nothing here may be taken as a pass." in text
    assert "\nNone.\n" in text


def test_bytes_are_the_same_every_time(hostile: Evaluation) -> None:
    assert written(hostile) == written(hostile)
