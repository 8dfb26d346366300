from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.compact import Coded, TextLists, Texts, combined, of_codes, take, where

ANY_TEXT = st.text(st.characters(), max_size=4)
"""Lone surrogates included: evidence may hold them."""


@given(st.lists(ANY_TEXT), st.integers(min_value=0, max_value=3))
def test_every_column_gives_back_what_it_took(texts: list[str], split: int) -> None:
    pairs = list(pairwise(texts))
    for column, values in ((Texts(), texts), (Coded[str](), texts), (TextLists(), pairs)):
        column.extend(values[:split])
        column.extend(values[split:])
        assert len(column) == len(values)
        assert list(column) == values
        assert column == values
        assert [column[place] for place in range(-len(values), len(values))] == values * 2
        assert column[1:-1] == values[1:-1]
        assert take(column, np.arange(len(values))[::-1]) == values[::-1]
    assert Texts(texts).lengths().tolist() == list(map(len, texts))


def test_texts_are_found_at_the_edges_of_their_parts() -> None:
    texts = [f"text {number}" for number in range(5000)]
    column = Texts(texts)
    places = [0, 1, 1023, 1024, 1025, 2047, 2048, 4095, 4096, 4999]
    assert take(column, np.array(places)) == [texts[place] for place in places]
    assert list(column) == texts
    assert column.lengths().tolist() == list(map(len, texts))
    with pytest.raises(IndexError):
        column[5000]


def test_texts_that_were_read_take_no_more() -> None:
    column = Texts(["one"])
    assert column[0] == "one"
    with pytest.raises(ValueError, match="nothing can be appended"):
        column.extend(["two"])


def test_lists_tell_how_many_texts_they_hold() -> None:
    column = TextLists([("a", "b"), (), ("c",)])
    assert column.counts().tolist() == [2, 0, 1]
    assert list(column.texts) == ["a", "b", "c"]


@pytest.mark.parametrize("distinct", [0, 1, 2**16, 2**16 + 1, 70_000])
def test_a_coded_column_holds_any_number_of_distinct_values(distinct: int) -> None:
    values = list(range(distinct))
    column = Coded(values)
    column.extend(values[:3])
    assert list(column) == values + values[:3]
    assert column.table == values
    halves = column.mapped(lambda value: value // 2)
    assert list(halves) == [value // 2 for value in column]
    assert len(halves.table) == (distinct + 1) // 2


@pytest.mark.parametrize("rows", [[], [1], [2, 0, 1, -1]])
def test_values_of_codes_stay_what_they_are(rows: list[int]) -> None:
    table = [("a", "b"), ("c", "d"), "text"]
    assert of_codes(table, np.array(rows, dtype=np.int8)) == [table[row] for row in rows]


def test_combined_columns_hold_their_values_together() -> None:
    pairs = [("a", 1), ("b", 2), ("a", 2), ("b", 2), ("a", 1)]
    found = combined(*(Coded(values) for values in zip(*pairs, strict=True)))
    assert list(found) == pairs
    assert len(found.table) == 3
    assert list(combined(Coded(()), Coded(()))) == []


def test_each_distinct_value_is_asked_about_once() -> None:
    asked: list[str] = []
    column = Coded(["b", "a", "b", "b"])
    assert column.numbers(lambda value: asked.append(value) or len(asked)).tolist() == [1, 2, 1, 1]
    assert where(column, lambda value: value == "b").tolist() == [True, False, True, True]
    assert asked == ["b", "a"]
