from datetime import UTC, datetime

import pytest
from msgspec import UNSET

from auditor.load.values import NULL, exchange_boolean, graph_booleans, moment, stamp
from auditor.tenant import NO, UNREAD, YES


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, YES), (False, NO), (None, NULL), ("True", YES), ("False", NO), ("TRUE", YES), (" false ", NO),
        ("", NULL),
        ("$true", YES), ("yes", UNREAD), (1, UNREAD), (0, UNREAD), ([], UNREAD), ({"value": True}, UNREAD),
    ],
)  # fmt: skip
def test_exchange_boolean_in_every_spelling(value, expected):
    assert exchange_boolean(value) == expected


def test_graph_booleans_are_unread_where_they_are_null_or_missing():
    assert graph_booleans([True, False, None, UNSET]) == [YES, NO, UNREAD, UNREAD]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T16:00:00Z", "2026-11-23T16:00:00Z"),
        ("2026-11-23T17:00:00+01:00", "2026-11-23T16:00:00Z"),
        ("2026-11-23T16:00:00.1234567Z", "2026-11-23T16:00:00Z"),
        ("2026-11-23T16:00:00", "2026-11-23T16:00:00Z"),
        ("yesterday", ""),
        ("", ""),
        ("0001-01-01T00:00:00+14:00", ""),
    ],
)
def test_times_become_comparable_text(text, expected):
    assert stamp(text) == expected


def test_a_time_without_an_offset_is_utc():
    assert moment("2026-11-23T16:00:00") == datetime(2026, 11, 23, 16, tzinfo=UTC)
