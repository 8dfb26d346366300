from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.load.settled import Settled

ROWS = st.lists(st.tuples(st.integers(min_value=-2, max_value=3), st.sampled_from("abc")))


def settled(rows: list[tuple[int, str]], contradiction: str | None, parts: int = 1) -> tuple[list[str], set[int]]:
    """(the column of four accounts, the accounts whose values disagree)."""
    column, differing = Settled(4, contradiction), set()
    for part in np.array_split(np.arange(len(rows)), parts):
        some = [rows[place] for place in part.tolist()]
        differing |= set(column.settle([row for row, _ in some], [value for _, value in some]))
    return list(column.column("none")), differing


@given(ROWS)
def test_of_values_that_disagree_the_contradiction_stays(rows: list[tuple[int, str]]) -> None:
    given_to = {row: {value for one, value in rows if one == row} for row in range(4)}
    expected = [{0: "none", 1: "".join(given_to[row])}.get(len(given_to[row]), "?") for row in range(4)]
    assert settled(rows, "?") == (expected, {row for row in range(4) if expected[row] == "?"})


@given(ROWS)
def test_without_a_contradiction_the_first_stays(rows: list[tuple[int, str]]) -> None:
    values, differing = settled(rows, None)
    firsts = dict(reversed(rows))
    assert values == [firsts.get(row, "none") for row in range(4)]
    assert differing == {row for row, value in rows if row >= 0 and value != firsts[row]}


@given(ROWS, st.integers(min_value=1, max_value=4), st.sampled_from(["?", None]))
def test_how_rows_are_parted_changes_nothing(
    rows: list[tuple[int, str]], parts: int, contradiction: str | None
) -> None:
    assert settled(rows, contradiction, parts) == settled(rows, contradiction)


@pytest.mark.parametrize("contradiction", ["?", None])
def test_what_is_known_better_replaces_anything(contradiction: str | None) -> None:
    column = Settled(2, contradiction)
    column.settle([0, 0], ["a", "b"])
    column.replace(0, "c")
    assert list(column.column("")) == ["c", ""]
    assert column.seen().tolist() == [True, False]
