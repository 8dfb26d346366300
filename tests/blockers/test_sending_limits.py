from __future__ import annotations

import pytest

HVE = {"server": "smtp.hve.mx.microsoft"}
TABLE = [
    ({}, "not_applicable"),
    ({"recipients_per_day": 10_000}, "clear"),
    ({"recipients_per_day": 10_001}, "blocks"),
    ({"messages_per_minute": 30}, "clear"),
    ({"messages_per_minute": 31}, "conditional"),
    ({"connections": 3}, "clear"),
    ({"connections": 4}, "conditional"),
    ({"recipients_per_day": 0}, "clear"),
    ({"recipients_per_day": 20_000, "connections": 9}, "blocks"),
    ({"recipients_per_day": 20_000, **HVE}, "unknown"),
    ({"recipients_per_day": 20, **HVE}, "clear"),
]


@pytest.mark.parametrize(("settings", "expected"), TABLE)
def test_limits(says, settings, expected):
    assert says("sending-limits", settings=settings) == expected
