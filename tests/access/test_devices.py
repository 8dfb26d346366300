from __future__ import annotations

import pytest

from auditor.access.devices import matches_no_device

RULES = [
    ('device.trustType -eq "AzureAD"', False),
    ("device.isCompliant -eq True", False),
    ('device.model -in ["x", "y"]', False),
    ('(device.model -startsWith "x") -or (device.model -endsWith "y")', False),
    ('device.model -contains "x" -and device.manufacturer -eq "y"', False),
    ('device.trustType -ne "AzureAD"', True),
    ('device.model -notIn ["x"] and device.model -notContains "y"', True),
    ("device.displayName -notStartsWith 'kiosk -eq 1'", True),
    ('device.model -eq "x" -or device.model -ne "y"', None),
    ("device.model -eq null", None),
    ('-not (device.model -eq "x")', None),
    ('device.model -matches "x"', None),
    ('device.model -eq "x" -xor device.model -eq "y"', None),
    ('(device.model -eq "x"', None),
    ('device.model -eq "x" -and', None),
    ('user.name -eq "x"', None),
    ("", None),
]


@pytest.mark.parametrize(("rule", "expected"), RULES)
def test_rule(rule, expected):
    assert matches_no_device(rule) is expected
