from __future__ import annotations

import threading

import pytest

from auditor.probe.bounded import Budget, Late, bounded


def test_work_that_is_done_in_time_gives_its_result():
    assert bounded(30, lambda: 42) == 42


def test_what_work_raises_is_raised_here():
    def fail():
        raise KeyError("it")

    with pytest.raises(KeyError):
        bounded(30, fail)


def test_late_work_is_left_and_what_it_waits_for_is_taken_away():
    waiting, taken = threading.Event(), []

    def give_up():
        taken.append(True)
        waiting.set()

    with pytest.raises(Late, match=r"0\.05 s"):
        bounded(0.05, lambda: waiting.wait(60), give_up)
    assert taken == [True]


def test_work_that_timed_out_by_itself_is_late_too():
    def time_out():
        raise TimeoutError

    with pytest.raises(Late):
        bounded(30, time_out)


def test_work_in_time_is_not_given_up():
    taken = []
    bounded(30, lambda: None, lambda: taken.append(True))
    assert taken == []


def test_a_budget_runs_out(clock):
    budget = Budget(clock, total=20, phase=15)
    assert budget.seconds() == 15
    clock.seconds = 12
    assert budget.seconds() == 8
    assert budget.seconds(5) == 5
    clock.seconds = 100
    assert 0 < budget.seconds() < 0.01
