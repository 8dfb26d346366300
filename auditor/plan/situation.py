"""One declared sender, judged: what candidates and moves look at. Judging one sender alone gives the same answer for it
as judging all, and costs less."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from auditor.blockers.base import Channel
from auditor.config import Sender
from auditor.states import VERDICT_WORDS, Reason, State
from auditor.tenant import Tenant
from auditor.verdict import Judgement, channel_blockers, judge
from auditor.what_if import Change, apply


@dataclass(frozen=True)
class Situation:
    """A sender in a tenant. `judgement` holds that sender's case alone, after every account's."""

    judgement: Judgement
    sender: Sender
    row: int

    @classmethod
    def of(cls, tenant: Tenant, sender: Sender) -> Situation:
        """The account must be in the tenant."""
        return cls(judge(tenant, [sender]), sender, tenant.find(sender.account))

    def after(self, changes: Iterable[Change]) -> Situation:
        """The same sender with changes applied, judged anew."""
        tenant, senders, _ = apply(self.tenant, [self.sender], changes)
        return Situation.of(tenant, senders[0])

    @property
    def tenant(self) -> Tenant:
        return self.judgement.tenant

    @property
    def case(self) -> int:
        return self.judgement.cases.accounts

    @property
    def channel(self) -> Channel:
        return self.sender.auth

    @property
    def verdict(self) -> str:
        """Of the declared channel."""
        cases = self.judgement.basic_cases if self.channel == "basic" else self.judgement.oauth_cases
        return VERDICT_WORDS[cases[self.case]]

    @property
    def upn(self) -> str:
        return self.tenant.accounts.user_principal_name[self.row]

    @property
    def account(self) -> tuple[str, str]:
        """(object id, user principal name)"""
        return self.tenant.accounts.id[self.row], self.upn

    def reason(self, blocker: str) -> Reason:
        return self.judgement.columns[blocker].reason(self.case)

    def standing(self) -> tuple[tuple[str, Reason], ...]:
        """The blockers of the declared channel that are not clear, in the order of work."""
        found = ((blocker, self.reason(blocker)) for blocker in channel_blockers(self.channel))
        return tuple((blocker, reason) for blocker, reason in found if reason.state > State.CLEAR)
