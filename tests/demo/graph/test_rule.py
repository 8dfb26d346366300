"""Rules over attributes of devices and apps."""

from __future__ import annotations

import pytest

from auditor.demo.graph.rule import RuleError, holds

DEVICE = {"device.model": "Surface Pro", "device.isCompliant": True, "device.trustType": "ServerAD"}


@pytest.mark.parametrize(
    ("rule", "known", "unregistered"),
    [
        ("device.isCompliant -eq True", True, False),
        ("device.isCompliant -ne True", False, True),
        ('device.model -startsWith "surface"', True, False),
        ('device.model -notStartsWith "Surface"', False, True),
        ("device.model -endsWith 'Pro'", True, False),
        ('device.model -contains "face"', True, False),
        ('device.model -notContains "face"', False, True),
        ('device.trustType -in ["AzureAD", "ServerAD"]', True, False),
        ('device.trustType -notIn ["AzureAD", "ServerAD"]', False, True),
        ('device.trustType -in ["AzureAD"]', False, False),
        ('device.model -eq "x" -or device.isCompliant -eq True', True, False),
        ('device.model -eq "x" -and device.isCompliant -eq True', False, False),
        ('not (device.model -eq "x")', True, True),
        ('(device.model -ne "x" -and device.trustType -ne "y") -or device.isCompliant -eq True', True, True),
        ('device.model -eq "x" -and device.model -eq "y" -or device.isCompliant -eq True', True, False),
    ],
)
def test_a_device_that_is_known_and_one_that_is_not(rule, known, unregistered):
    assert holds(rule, DEVICE.get) is known
    assert holds(rule, lambda name: None) is unregistered


@pytest.mark.parametrize(
    "rule",
    ["", "device.model", "device.model -eq", 'device.model -like "x"', '(device.model -eq "x"', 'device.model -eq "x',
     'device.model -eq "x")', 'device.model -eq "x" device.model -eq "x"'],
)  # fmt: skip
def test_what_is_no_rule_is_refused(rule):
    with pytest.raises(RuleError):
        holds(rule, DEVICE.get)
