"""States join by strength; columns keep one code per case."""

from __future__ import annotations

import numpy as np
import pytest

from auditor.states import VERDICT_WORDS, Column, Reason, State, join

N, C, D, U, B = State.NOT_APPLICABLE, State.CLEAR, State.CONDITIONAL, State.UNKNOWN, State.BLOCKS


def column(*states: State) -> Column:
    return Column(np.array([int(state) for state in states], dtype=np.int32), tuple(Reason(s, s.word) for s in State))


@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        ((B, U, D, C, N), "blocked"),
        ((U, D, C, N), "unknown"),
        ((D, C, N), "conditional"),
        ((C, N), "open"),
        ((N, N), "not_applicable"),
        ((), "not_applicable"),
    ],
)
def test_the_strongest_state_is_the_verdict_in_any_order(states, verdict):
    for order in (states, states[::-1]):
        assert VERDICT_WORDS[join([column(state) for state in order], 1)[0]] == verdict


def test_select_takes_the_first_mask_that_holds():
    first, second = np.array([True, True, False]), np.array([False, True, True])
    choices = [(np.append(first, False), Reason(B, "one")), (np.append(second, False), Reason(U, "two"))]
    chosen = Column.select(4, choices, Reason(C, "else"))
    assert [chosen.reason(row).text for row in range(4)] == ["one", "one", "two", "else"]
    assert chosen.states.tolist() == [B, B, U, C]


def test_constant():
    assert Column.constant(3, Reason(U, "unread")).states.tolist() == [U, U, U]
