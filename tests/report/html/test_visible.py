from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.report.html.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Plain name", "Plain name"),
        ("Šimůnková 王芳 🦊", "Šimůnková 王芳 🦊"),
        ("Anna \u202egpj.exe\u202c", "Anna ‹U+202E›gpj.exe‹U+202C›"),
        ("ad\u200bmin", "ad‹U+200B›min"),
        ("a\u2028b", "a‹U+2028›b"),
        ("soft\u00adhyphen", "soft‹U+00AD›hyphen"),
        ("tag \U000e0041", "tag ‹U+E0041›"),
        ("bell\x07", "bell␇"),
        ("lone \ud800", "lone \ufffd"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_what_hides_is_written_out_and_what_scripts_need_stays(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text())
def test_no_direction_control_and_no_unseen_control_is_left(text: str) -> None:
    shown = visible(text)
    turning = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    assert not any(unicodedata.bidirectional(character) in turning for character in shown)
    assert not any(unicodedata.category(character) == "Cc" and character not in "\t\n" for character in shown)
    shown.encode("utf-8")
    assert visible(shown) == shown
