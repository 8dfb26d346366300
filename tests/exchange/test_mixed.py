"""Several ways of reading: each dataset comes whole from one of them, and says from which."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from auditor.catalogue import BY_NAME, Dataset
from auditor.exchange.base import ExchangeRead, Keep
from auditor.exchange.mixed import MixedSource

from .conftest import Kept

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
FRESH, OLD = "2026-11-22T00:00:00Z", "2026-10-01T00:00:00Z"


@dataclass
class Canned:
    """A way of reading that answers what a test tells it to."""

    label: str
    state: str
    as_of: str = FRESH
    coarse: bool = False
    asked: int = 0

    def notes(self) -> Sequence[str]:
        return (f"note of {self.label}",)

    async def read(self, dataset: Dataset, identities: Sequence[str], keep: Keep) -> ExchangeRead:
        self.asked += 1
        records = [self.label.encode()] if self.state in ("complete", "cut") else []
        await keep(records)
        reason = "" if self.state == "complete" else f"{self.label} is {self.state}."
        return ExchangeRead(self.state, len(records), reason, "", 1, self.label, self.as_of, self.coarse)


def mixed(*sources: Canned) -> tuple[ExchangeRead, list[bytes]]:
    kept = Kept()
    read = MixedSource(sources, lambda: NOW, 30).read(BY_NAME["casMailboxes"], (), kept)
    return asyncio.run(read), kept.records


def test_the_first_that_is_whole_and_recent_is_taken_and_the_rest_not_asked() -> None:
    first, second = Canned("first", "complete"), Canned("second", "complete")
    result, kept = mixed(first, second)
    assert (result.source, kept, second.asked) == ("first", [b"first"], 0)


@pytest.mark.parametrize("state", ["cut", "denied", "failed", "not-asked"])
def test_what_the_first_does_not_give_whole_comes_from_the_next(state: str) -> None:
    result, kept = mixed(Canned("first", state), Canned("second", "complete"))
    assert (result.state, result.source, result.reason, kept) == ("complete", "second", "", [b"second"])
    assert result.requests == 2


def test_a_stale_export_yields_to_a_fresh_snapshot_and_stands_where_there_is_none() -> None:
    result, _ = mixed(Canned("old", "complete", OLD), Canned("fresh", "complete"))
    assert result.source == "fresh"
    result, kept = mixed(Canned("old", "complete", OLD), Canned("part", "cut"))
    assert (result.source, result.as_of, kept) == ("old", OLD, [b"old"])


def test_what_says_less_yields_to_full_detail_but_not_to_what_is_stale_or_cut() -> None:
    less = Canned("less", "complete", coarse=True)
    assert mixed(less, Canned("full", "complete"))[0].source == "full"
    assert mixed(less, Canned("old", "complete", OLD))[0].source == "less"
    assert mixed(Canned("old", "complete", OLD), less)[0].source == "less"
    assert mixed(less, Canned("part", "cut"))[0].source == "less"


def test_a_time_that_nobody_knows_counts_as_now() -> None:
    assert mixed(Canned("first", "complete", ""), Canned("second", "complete"))[0].source == "first"


@pytest.mark.parametrize(
    ("first", "second", "taken"),
    [("denied", "cut", "cut"), ("failed", "denied", "failed"), ("not-asked", "denied", "denied")],
)
def test_where_none_is_whole_the_most_telling_stands_with_every_reason(first: str, second: str, taken: str) -> None:
    result, _ = mixed(Canned("a", first), Canned("b", second))
    assert result.state == taken
    assert result.reason == f"a is {first}. b is {second}."


def test_label_and_notes_are_those_of_all() -> None:
    source = MixedSource([Canned("a", "cut"), Canned("b", "cut")], lambda: NOW, 30)
    assert source.label == "a, then b"
    assert source.notes() == ("note of a", "note of b")
