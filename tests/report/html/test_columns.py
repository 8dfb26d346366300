from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.report.html.columns import CodedColumn, Interned, base64_codes, deltas, digits, dumps, text_column


@pytest.mark.parametrize(("words", "width"), [(0, 1), (1, 1), (64, 1), (65, 2), (4096, 2), (4097, 3), (10**6, 4)])
def test_a_code_has_as_many_digits_as_its_words_need(words: int, width: int) -> None:
    assert digits(words) == width


@given(st.lists(st.integers(0, 9_999), max_size=50), st.integers(10_000, 300_000))
def test_codes_are_read_back_as_they_were(codes: list[int], words: int) -> None:
    encoded = "".join(base64_codes(np.array(codes, dtype=np.int64), words))
    assert len(encoded) == len(codes) * digits(words)


def test_codes_longer_than_a_slice_stay_in_order(read: SimpleNamespace) -> None:
    codes = np.arange(25_000) % 70
    assert read.decoded("".join(base64_codes(codes, 70)), 70) == codes.tolist()


def test_more_words_than_two_bytes_can_count_are_kept_apart(read: SimpleNamespace) -> None:
    size = 70_000
    column = CodedColumn(size)
    for row in range(size):
        column.put(row, str(size - row))
    assert read.column(json.loads("".join(column.json()))) == [str(size - row) for row in range(size)]


def test_words_stand_in_the_given_order_and_then_by_alphabet(read: SimpleNamespace) -> None:
    column = CodedColumn(5, ("open", "closed"))
    for row, word in enumerate(("zebra", "closed", "ant", "open", "zebra")):
        column.put(row, word)
    raw = json.loads("".join(column.json()))
    assert raw["words"] == ["open", "closed", "ant", "zebra"]
    assert read.column(raw) == ["zebra", "closed", "ant", "open", "zebra"]


@given(st.lists(st.text(), max_size=30))
def test_any_text_column_is_json_without_markup(values: list[str]) -> None:
    text = "".join(text_column(values))
    assert "<" not in text
    assert len(json.loads(text)["text"]) == len(values)


def test_a_column_longer_than_a_slice_is_one_list() -> None:
    values = [str(number) for number in range(20_001)]
    assert json.loads("".join(text_column(values)))["text"] == values


def test_markup_in_json_is_escaped_and_read_back() -> None:
    assert "<" not in dumps(["</script>", "<!--"])
    assert json.loads(dumps(["</script>", "<!--"])) == ["</script>", "<!--"]


def test_interned_values_stand_once_in_the_order_they_were_met() -> None:
    table = Interned()
    assert [table.number(value) for value in (("b",), ("a",), ("b",))] == [0, 1, 0]
    assert json.loads("".join(table.json())) == [["b"], ["a"]]
    assert json.loads("".join(Interned().json())) == []


@given(st.sets(st.integers(0, 10**6)))
def test_distances_add_up_to_the_rows(rows: set[int]) -> None:
    assert np.cumsum(deltas(rows)).tolist() == sorted(rows)
