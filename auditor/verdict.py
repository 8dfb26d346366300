"""Blocker states joined into verdicts: per account and channel, with exposure and guessing kept apart.

`judge(tenant, senders)` is pure. Rules: contract, "accounts.csv" and "What each blocker says".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from auditor.access import Reach, reach
from auditor.blockers import BLOCKERS
from auditor.blockers.base import Cases, Channel
from auditor.blockers.routes import route_of
from auditor.compact import where
from auditor.config import Sender
from auditor.exits import safest_exits
from auditor.states import Column, State, join
from auditor.tenant import NO, UNREAD, YES, Tenant

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
CLOSED, LIMITED, UNDECIDED, OPEN = range(4)
"""Codes of `Judgement.exposure`: indexes into EXPOSURE_WORDS."""

RETIREMENT = "basic-auth-retirement"

_BEFORE_ENTRA = ("authentication-policy", "account-state")
"""What refuses a guess without telling whether the password is right."""
_ORDER_NOT_DOCUMENTED = ("mailbox", "smtp-auth-switch", "security-defaults")
"""Blockers of which Microsoft doesn't say whether they act before or after the password is checked."""


@dataclass(frozen=True)
class Judgement:
    """Everything the findings and reports read. Arrays named *_cases have one entry per case (`Cases`), the others
    one per account. Verdict arrays hold State codes: index them into `VERDICT_WORDS`."""

    tenant: Tenant
    cases: Cases
    senders: Sequence[Sender]
    """every declared sender of this tenant, in the config's order"""
    missing_senders: Sequence[Sender]
    """those whose account is not in the tenant"""
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
    """per case: one of the contract's values (exits.py)"""
    basic_without_date: NDArray[np.uint8]
    """per case: `basic_cases` without the condition that only the announced retirement date makes"""
    sign_in_days: int = 30
    """the window of `signIns` in days, as the config asks for it"""

    def sender_cases(self) -> range:
        return range(self.cases.accounts, len(self.cases))

    @cached_property
    def acting_policies(self) -> Reach:
        """Which enabled Conditional Access policies reach whom, without any place."""
        return reach(self.tenant)

    def row_states(self, blocker: str) -> NDArray[np.uint8]:
        """State of one blocker per account row: the worst of the account's sender cases, else its default case.

        Joining these over a channel's blockers gives exactly `basic` and `oauth`."""
        return _per_account(self.columns[blocker].states, self.cases)

    def is_sender(self, row: int) -> bool:
        """Whether the account is a declared sender."""
        return bool((self.cases.account[self.cases.accounts :] == row).any())

    def row_case(self, blocker: str, row: int) -> int:
        """The case whose reason explains `row_states(blocker)[row]`."""
        column = self.columns[blocker]
        own = [case for case in self.sender_cases() if self.cases.account[case] == row]
        return max(own, key=lambda case: int(column.states[case])) if own else row

    def uses_smtp_auth(self, case: int) -> bool:
        """Whether the case signs in over SMTP at all; a relay, Direct Send and Graph do not."""
        sender = self.cases.senders[case]
        return sender is None or route_of(sender) in ("client-submission", "hve")

    def retirement_stops(self, case: int) -> str:
        """`true`, `false` or `unknown`: does a declared sender stop when basic authentication goes off by default?"""
        sender = self.cases.senders[case]
        if sender is None or sender.auth != "basic" or route_of(sender) != "client-submission":
            return "false"
        state = self.basic_without_date[case]
        return "false" if state == State.BLOCKS else "unknown" if state == State.UNKNOWN else "true"

    def blocking(self, case: int, channel: Channel) -> list[str]:
        """Ids of the blockers that stop a channel for one case, in the order of work."""
        return [blocker for blocker in channel_blockers(channel) if self.columns[blocker].states[case] == State.BLOCKS]

    def in_state(self, case: int, channel: Channel, state: State) -> list[str]:
        """Ids of a channel's blockers that have `state` for one case, in the order of work."""
        return [blocker for blocker in channel_blockers(channel) if self.columns[blocker].states[case] == state]


def channel_blockers(channel: Channel) -> tuple[str, ...]:
    """Ids of the blockers of a channel, in the order of work."""
    ids = {blocker.id for blocker in BLOCKERS if channel in blocker.channels}
    return tuple(blocker for blocker in DECIDING_ORDER if blocker in ids)


def judge(tenant: Tenant, senders: Sequence[Sender], *, sign_in_days: int = 30) -> Judgement:
    """Judge every account as a default client, and every declared sender with its own settings and place."""
    cases = Cases.of(tenant, senders)
    columns = {blocker.id: blocker.judge(tenant, cases) for blocker in BLOCKERS}
    return joined(tenant, senders, cases, columns, sign_in_days=sign_in_days)


def joined(
    tenant: Tenant, senders: Sequence[Sender], cases: Cases, columns: Mapping[str, Column], *, sign_in_days: int = 30
) -> Judgement:
    """The verdicts that follow from the blockers' columns, one by each id."""
    size = len(cases)
    basic_cases = join((columns[blocker] for blocker in channel_blockers("basic")), size)
    oauth_cases = join((columns[blocker] for blocker in channel_blockers("oauth")), size)
    case_of = _case_of(cases, basic_cases, oauth_cases)
    without_date = _without_date(columns, size)
    return Judgement(
        tenant=tenant,
        cases=cases,
        senders=tuple(senders),
        missing_senders=tuple(sender for sender in senders if tenant.find(sender.account) < 0),
        columns=columns,
        basic_cases=basic_cases,
        oauth_cases=oauth_cases,
        basic=_per_account(basic_cases, cases),
        oauth=_per_account(oauth_cases, cases),
        case_of=case_of,
        exposure=exposure(tenant, cases, columns),
        password_guessing=password_guessing(cases, columns),
        breaks_at_retirement=_breaks_at_retirement(tenant, cases, without_date, case_of),
        deciding_blocker=_deciding(columns, size),
        safest_exit=safest_exits(tenant, cases, columns, smtp_use_seen(tenant)),
        basic_without_date=without_date,
        sign_in_days=sign_in_days,
    )


def _per_account(states: NDArray[np.uint8], cases: Cases) -> NDArray[np.uint8]:
    """Codes per case → per account: the worst of its sender cases, else its default case."""
    result = states[: cases.accounts].copy()
    own = cases.account[cases.accounts :]
    result[own] = 0
    np.maximum.at(result, own, states[cases.accounts :])
    return result


def _case_of(cases: Cases, basic: NDArray[np.uint8], oauth: NDArray[np.uint8]) -> NDArray[np.int32]:
    result = np.arange(cases.accounts, dtype=np.int32)
    for case in range(cases.accounts, len(cases)):
        row = cases.account[case]
        shown = int(result[row])
        if shown < cases.accounts or (basic[case], oauth[case]) > (basic[shown], oauth[shown]):
            result[row] = case
    return result


def exposure(tenant: Tenant, cases: Cases, columns: Mapping[str, Column]) -> NDArray[np.uint8]:
    """Can anyone who has the password use it over SMTP, from anywhere? Default cases only, so that a declared egress
    IP closes nothing. Per-user MFA: `enforced` limits it to app passwords, `enabled` leaves it open, unread is left
    out (and said in the evidence)."""
    count = cases.accounts
    gates = [columns[blocker].states[:count] for blocker in EXPOSURE_BLOCKERS if blocker != "per-user-mfa"]
    worst = np.maximum.reduce(gates)
    enforced = where(tenant.accounts.per_user_mfa, lambda state: state == "enforced")
    enforced = enforced[cases.account[:count]] & tenant.complete("perUserMfa")
    result = np.full(count, OPEN, dtype=np.uint8)
    result[enforced | (worst == State.CONDITIONAL)] = LIMITED
    result[worst == State.UNKNOWN] = UNDECIDED
    result[worst == State.BLOCKS] = CLOSED
    return result


def password_guessing(cases: Cases, columns: Mapping[str, Column]) -> list[str]:
    """Does a refused sign-in still tell an attacker whether the password is right?

    Only an authentication policy or a disabled account closes it. Conditional Access acts after the first factor and
    is left out. A missing mailbox, the SMTP switch and security defaults give `unknown`: where they stand in the order
    is not documented."""
    count = cases.accounts
    refused = np.maximum.reduce([columns[blocker].states[:count] for blocker in _BEFORE_ENTRA])
    unclear = np.maximum.reduce([columns[blocker].states[:count] for blocker in _ORDER_NOT_DOCUMENTED])
    codes = np.where(
        refused == State.BLOCKS, 0, np.where((refused == State.UNKNOWN) | (unclear >= State.UNKNOWN), 1, 2)
    )
    words = np.array(["closed", "unknown", "open"], dtype=object)
    result: list[str] = words[codes].tolist()
    return result


def smtp_use_seen(tenant: Tenant) -> NDArray[np.int8]:
    """Per account: was SMTP use seen? YES, NO, or UNREAD where a source that would show it was not read.

    A refused sign-in is no use. Where a national cloud has no usage report, the sign-in log alone answers."""
    accounts = tenant.accounts
    signed_in = where(accounts.smtp_last_success, bool)
    reports_exist = tenant.cloud in ("public", "custom")
    read = tenant.complete("signIns") and (tenant.complete("emailAppUsage") or not reports_exist)
    result = np.full(len(accounts), NO if read else UNREAD, dtype=np.int8)
    result[signed_in | (accounts.smtp_app_used == YES)] = YES
    return result


def _without_date(columns: Mapping[str, Column], size: int) -> NDArray[np.uint8]:
    """The basic verdict of each case as if the announced date were not there: other states of that blocker count."""
    others = join((columns[blocker] for blocker in channel_blockers("basic") if blocker != RETIREMENT), size)
    retirement = columns[RETIREMENT].states
    result: NDArray[np.uint8] = np.where(retirement == State.CONDITIONAL, others, np.maximum(others, retirement))
    return result


def _breaks_at_retirement(
    tenant: Tenant, cases: Cases, today: NDArray[np.uint8], case_of: NDArray[np.int32]
) -> list[str]:
    """Three-valued: basic is not blocked today (the announced date left out), and the account is a declared basic
    sender or SMTP use was seen. High Volume Email keeps basic authentication until at least September 2028, and a route
    without SMTP AUTH has nothing to lose."""
    shown = today[case_of]
    basic = np.where(shown == State.NOT_APPLICABLE, today[: cases.accounts], shown)
    need = _needs_basic(tenant, cases)
    false = (basic == State.BLOCKS) | (need == NO)
    unknown = (basic == State.UNKNOWN) | (need == UNREAD)
    words = np.array(["false", "unknown", "true"], dtype=object)
    result: list[str] = words[np.where(false, 0, np.where(unknown, 1, 2))].tolist()
    return result


def _needs_basic(tenant: Tenant, cases: Cases) -> NDArray[np.int8]:
    """Per account: a declared basic sender, or SMTP use was seen (tri-state). The use of an account that is declared
    for High Volume Email only is explained by that."""
    need = smtp_use_seen(tenant)
    declared = [(int(cases.account[case]), sender) for case, sender in enumerate(cases.senders) if sender is not None]
    for row, sender in declared:
        if route_of(sender) == "hve":
            need[row] = NO
    for row, sender in declared:
        if sender.auth == "basic" and route_of(sender) == "client-submission":
            need[row] = YES
    return need


def _deciding(columns: Mapping[str, Column], size: int) -> list[str]:
    """Per case the first blocker in the order of work that blocks."""
    codes = np.full(size, len(DECIDING_ORDER), dtype=np.int64)
    for position in range(len(DECIDING_ORDER) - 1, -1, -1):
        codes[columns[DECIDING_ORDER[position]].states == State.BLOCKS] = position
    words = np.array([*DECIDING_ORDER, ""], dtype=object)
    result: list[str] = words[codes].tolist()
    return result
