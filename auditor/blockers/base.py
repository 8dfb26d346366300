"""What a blocker is: a record and one pure function over columns. One module per blocker uses these types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from auditor.config import Sender
from auditor.states import Column
from auditor.tenant import Tenant

Channel = Literal["basic", "oauth"]


@dataclass(frozen=True)
class Cases:
    """What is judged: first every account as a default client without a place (rows 0 … n-1, the same rows as
    `Tenant.accounts`), then one case per declared sender whose account exists. Or one account alone (`alone`): it as a
    default client, then its sender.

    Exposure is judged on the first n cases only, so a declared egress IP can never close it."""

    account: NDArray[np.int32]
    """case → row of Accounts"""
    senders: Sequence[Sender | None]
    """case → the declared sender, None for the default client"""
    accounts: int
    """n: how many leading cases are default clients"""

    def __len__(self) -> int:
        return len(self.account)

    @classmethod
    def of(cls, tenant: Tenant, senders: Sequence[Sender]) -> Cases:
        count = len(tenant.accounts)
        found = [(tenant.find(sender.account), sender) for sender in senders]
        present = [(row, sender) for row, sender in found if row >= 0]
        rows = np.concatenate([np.arange(count), np.array([row for row, _ in present], dtype=np.int64)])
        return cls(rows.astype(np.int32), [None] * count + [sender for _, sender in present], count)

    @classmethod
    def alone(cls, row: int, sender: Sender) -> Cases:
        return cls(np.array([row, row], dtype=np.int32), [None, sender], 1)


@dataclass(frozen=True, slots=True)
class Blocker:
    """One documented condition that stops SMTP AUTH.

    `judge(tenant, cases)` returns one code per case; `datasets` are those that decide it (`needs` is derived from
    them); `source` is the Microsoft page; `remedy` and `remedy_risk` are read by people."""

    id: str
    title: str
    channels: frozenset[Channel]
    senders_only: bool
    datasets: tuple[str, ...]
    source: tuple[str, ...]
    remedy: str
    remedy_risk: str
    judge: Callable[[Tenant, Cases], Column]
