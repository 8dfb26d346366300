from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from openpyxl.utils.escape import unescape

from auditor.report.text import CELL_LIMIT, cell_text, clean, csv_text, is_formula_like

FORMULAS = [
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\x00=1", " =1", "\xa0=1", "＝1", "＋1", "－1", "＠x",
    "\ttext",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_a_spreadsheet_could_run_gets_an_apostrophe(text: str) -> None:
    assert is_formula_like(text)
    assert csv_text(text).startswith("'")
    assert csv_text(text)[1:] == clean(text)


@pytest.mark.parametrize("text", ["", "plain", "a=b", "1-2", "user@contoso.example", "'=quoted", "<b>bold</b>", "#N/A"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert not is_formula_like(text)
    assert csv_text(text) == text


def test_control_characters_are_shown_and_none_is_dropped() -> None:
    assert clean("a\x07b\x1bc\x00d\x7fe") == "a␇b␛c␀d␡e"
    assert clean("a\x85b\x9fc") == "a\\x85b\\x9fc"
    assert clean("one\r\ntwo\rthree\nfour\tfive") == "one\ntwo␍three\nfour\tfive"


def test_what_utf8_cannot_hold_becomes_the_replacement_character() -> None:
    assert clean("a\ud800b\udfffc\ufffe") == "a\ufffdb\ufffdc\ufffd"


def test_an_escape_that_excel_would_read_is_shown_literally() -> None:
    assert cell_text("a_x000D_b") == "a_x005F_x000D_b"
    assert unescape(cell_text("a_x000D_b")) == "a_x000D_b"
    assert cell_text("user_xenia_x12") == "user_xenia_x12"


def test_a_text_at_the_limit_is_whole_and_one_beyond_it_points_to_the_file() -> None:
    whole = "x" * CELL_LIMIT
    assert cell_text(whole) == whole
    cut = cell_text(whole + "y", full="accounts.csv")
    assert cut.startswith(whole + "…")
    assert cut.endswith("(cut; the full text is in accounts.csv)")
    assert "32,001 characters in all" in cell_text(whole + "y")


def test_the_limit_counts_utf16_units_and_halves_no_character() -> None:
    cut = cell_text("😀" * CELL_LIMIT)
    assert cut.startswith("😀" * (CELL_LIMIT // 2) + "…")
    assert len(cut.encode("utf-16-le")) // 2 < 32_767
    assert cell_text("a" + "😀" * CELL_LIMIT).startswith("a" + "😀" * (CELL_LIMIT // 2 - 1) + "…")


ANY_TEXT = st.text(st.characters(), max_size=60)


@given(ANY_TEXT)
def test_every_text_fits_into_xml_and_utf8(text: str) -> None:
    element = etree.Element("t")
    element.text = cell_text(text)
    assert etree.fromstring(etree.tostring(element, encoding="utf-8")).text == (cell_text(text) or None)


@given(ANY_TEXT)
def test_a_csv_field_never_starts_a_formula_and_reads_back_whole(text: str) -> None:
    field = csv_text(text)
    assert not is_formula_like(field)
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerow(["id", field])
    assert next(csv.reader(io.StringIO(buffer.getvalue(), newline=""))) == ["id", field]


@given(st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"]), max_size=60))
def test_printable_text_loses_nothing(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) == len(text)
    assert all(old == new for old, new in zip(text, cleaned, strict=True) if new != "\ufffd")
