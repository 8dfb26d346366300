"""Blocker states joined into verdicts: per account and channel, with exposure and guessing kept apart.

`judge(tenant, senders)` is pure. Rules: contract, "accounts.csv" and "What each blocker says".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from auditor.blockers.base import Cases
from auditor.config import Sender
from auditor.states import Column
from auditor.tenant import Tenant

DECIDING_ORDER = (
    "mailbox",
    "authentication-policy",
    "smtp-auth-switch",
    "account-state",
    "credential",
    "security-defaults",
    "conditional-access",
    "licence",
    "per-user-mfa",
    "sender-settings",
    "send-as",
    "sending-limits",
    "oauth-grant",
    "basic-auth-retirement",
)
"""The order of work, not Exchange's order (which is not documented)."""

EXPOSURE_BLOCKERS = (
    "account-state",
    "mailbox",
    "smtp-auth-switch",
    "authentication-policy",
    "security-defaults",
    "conditional-access",
    "per-user-mfa",
)

EXPOSURE_WORDS = ("closed", "limited", "unknown", "open")


@dataclass(frozen=True)
class Judgement:
    """Everything the findings and reports read. Arrays named *_cases have one entry per case (`Cases`), the others
    one per account. Verdict arrays hold State codes: index them into `VERDICT_WORDS`."""

    tenant: Tenant
    cases: Cases
    missing_senders: Sequence[Sender]
    """declared senders whose account is not in the tenant"""
    columns: Mapping[str, Column]
    """blocker id → states and reasons of every case"""
    basic_cases: NDArray[np.uint8]
    oauth_cases: NDArray[np.uint8]
    basic: NDArray[np.uint8]
    """per account: the worst of its sender cases, else its default case"""
    oauth: NDArray[np.uint8]
    case_of: NDArray[np.int32]
    """per account: the case its row shows (its worst sender case by basic, then oauth; else the default case)"""
    exposure: NDArray[np.uint8]
    """per account: index into EXPOSURE_WORDS"""
    password_guessing: Sequence[str]
    """per account: open, unknown, closed"""
    breaks_at_retirement: Sequence[str]
    """per account: true, false, unknown"""
    deciding_blocker: Sequence[str]
    """per case: the first of DECIDING_ORDER that blocks, empty if none"""
    safest_exit: Sequence[str]
    """per case: one of the contract's six"""

    def sender_cases(self) -> range:
        return range(self.cases.accounts, len(self.cases))
