from __future__ import annotations

import io
from datetime import UTC, datetime

import openpyxl

from auditor.report.guide import RETIREMENT, SECTIONS, add_guide
from auditor.report.palettes import PALETTES
from auditor.report.styles import add_styles
from auditor.report.xlsx import Book
from auditor.states import VERDICT_WORDS, State
from auditor.verdict import EXPOSURE_WORDS


def terms(heading: str) -> set[str]:
    return {term for name, entries in SECTIONS if name == heading for term, _ in entries}


def test_every_state_verdict_and_exposure_is_explained() -> None:
    assert {state.word for state in State} <= terms("States of a blocker")
    assert set(VERDICT_WORDS) == terms("Verdicts (columns basic, oauth)")
    assert set(EXPOSURE_WORDS) == terms("Exposure")


def test_the_retirement_is_told_in_the_announcements_sense() -> None:
    for part in ("27 January 2026", "off by default", "end of December 2026", "switch it on again",
                 "second half of 2027", "not published", "test after the change", "OAuth senders"):  # fmt: skip
        assert part in RETIREMENT


def test_colour_only_repeats_a_word_and_is_readable() -> None:
    """WCAG contrast of every fill and font, at least 4.5:1."""

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for palette in PALETTES.values():
        for fill, font in palette.values():
            low, high = sorted((luminance(fill), luminance(font)))
            assert (high + 0.05) / (low + 0.05) >= 4.5


def test_the_sheet_holds_every_text() -> None:
    book = Book(datetime(2026, 11, 23, tzinfo=UTC))
    add_styles(book)
    add_guide(book)
    stream = io.BytesIO()
    book.save(stream)
    sheet = openpyxl.load_workbook(stream)["How to read this"]
    shown = {cell.value for row in sheet.iter_rows() for cell in row}
    assert {text for _, entries in SECTIONS for _, text in entries} <= shown
