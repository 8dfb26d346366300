"""The one model of severity (docs/severity.md): impact × reach × certainty, each a small ordinal.

score = impact + reach - doubt
5 critical · 4 high · 3 medium · 2 low · 1 and below info
"""

from __future__ import annotations

from enum import IntEnum

from auditor.findings.base import Severity


class Impact(IntEnum):
    """What an attacker or an outage gains."""

    NOTE = 0
    """nothing by itself: housekeeping, or a fact to know"""
    WEAKENS = 1
    """one defence of several is missing, or something will need care later"""
    ABUSE = 2
    """a mailbox can send for whoever holds its password, or a defence is absent altogether"""
    LOSS = 3
    """an administrator's password is usable alone, or mail that must go stops"""


class Reach(IntEnum):
    """How much it touches."""

    ONE = 0
    """one ordinary object"""
    NAMED = 1
    """a declared sender, or an account singled out by an override or by evidence of use"""
    TENANT = 2
    """the tenant, many accounts, or an administrator (who is the tenant)"""


class Doubt(IntEnum):
    """How sure we are not."""

    CERTAIN = 0
    """read from the settings or the log"""
    DEPENDS = 1
    """on place, risk, a state or a date; or another layer may still hold"""
    UNKNOWN = 2
    """what decides it was not read or is not documented"""


_LADDER: tuple[Severity, ...] = ("info", "info", "low", "medium", "high", "critical")


def severity(impact: Impact, reach: Reach, doubt: Doubt = Doubt.CERTAIN) -> Severity:
    """The severity of a finding; the only place where one is made."""
    return _LADDER[max(0, impact + reach - doubt)]
