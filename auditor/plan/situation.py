"""One declared sender, judged: what candidates and moves look at.

Only its own case is judged, for each set of changes anew; what all other accounts are exposed to is judged when it is
asked for (`everybody`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from auditor.blockers import BLOCKERS
from auditor.blockers.base import Cases, Channel
from auditor.config import Sender
from auditor.exits import sender_exit
from auditor.states import VERDICT_WORDS, Column, Reason, State, join
from auditor.tenant import Tenant
from auditor.verdict import EXPOSURE_BLOCKERS, channel_blockers, exposure, password_guessing
from auditor.what_if import Change, apply


class Everybody:
    """The exposure of every account of a tenant, judged at most once."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    @cached_property
    def exposure(self) -> NDArray[np.uint8]:
        """Per account: index into EXPOSURE_WORDS"""
        cases = Cases.of(self._tenant, ())
        judged = {one.id: one.judge(self._tenant, cases) for one in BLOCKERS if one.id in EXPOSURE_BLOCKERS}
        return exposure(self._tenant, cases, judged)


@dataclass(frozen=True)
class Situation:
    """A sender in a tenant. `columns`: blocker id → its account as a default client, then the sender."""

    tenant: Tenant
    sender: Sender
    row: int
    cases: Cases
    columns: Mapping[str, Column]
    everybody: Everybody

    @classmethod
    def of(cls, tenant: Tenant, sender: Sender, everybody: Everybody | None = None) -> Situation:
        """The account must be in the tenant. `everybody`: of the same tenant, where somebody has judged it."""
        row = tenant.find(sender.account)
        cases = Cases.alone(row, sender)
        columns = {blocker.id: blocker.judge(tenant, cases) for blocker in BLOCKERS}
        return cls(tenant, sender, row, cases, columns, everybody or Everybody(tenant))

    def after(self, changes: Iterable[Change]) -> Situation:
        """The same sender with changes applied, judged anew."""
        tenant, senders, _ = apply(self.tenant, [self.sender], changes)
        return Situation.of(tenant, senders[0])

    @property
    def case(self) -> int:
        """The sender's case in `columns`."""
        return self.cases.accounts

    @property
    def channel(self) -> Channel:
        return self.sender.auth

    @property
    def verdict(self) -> str:
        """Of the declared channel."""
        states = join((self.columns[blocker] for blocker in channel_blockers(self.channel)), len(self.cases))
        return VERDICT_WORDS[states[self.case]]

    @property
    def exit(self) -> str:
        """The safest way out (`exits`)."""
        return sender_exit(self.tenant, self.cases, self.columns, self.case, self.sender)

    @property
    def exposure(self) -> int:
        """Of the account: index into EXPOSURE_WORDS"""
        return int(exposure(self.tenant, self.cases, self.columns)[0])

    @property
    def password_guessing(self) -> str:
        return password_guessing(self.cases, self.columns)[0]

    @property
    def upn(self) -> str:
        return self.tenant.accounts.user_principal_name[self.row]

    @property
    def account(self) -> tuple[str, str]:
        """(object id, user principal name)"""
        return self.tenant.accounts.id[self.row], self.upn

    def reason(self, blocker: str) -> Reason:
        return self.columns[blocker].reason(self.case)

    def standing(self) -> tuple[tuple[str, Reason], ...]:
        """The blockers of the declared channel that are not clear, in the order of work."""
        found = ((blocker, self.reason(blocker)) for blocker in channel_blockers(self.channel))
        return tuple((blocker, reason) for blocker, reason in found if reason.state > State.CLEAR)
