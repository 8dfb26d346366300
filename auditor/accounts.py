"""accounts.csv as rows: identity, can it send, can it be abused, evidence, and one column per blocker (contract)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from auditor.blockers import BLOCKERS
from auditor.compact import Coded, combined, of_codes, take, where
from auditor.replies import by_id
from auditor.states import VERDICT_WORDS, State
from auditor.tenant import UNREAD, YES
from auditor.verdict import DECIDING_ORDER, EXPOSURE_WORDS, Judgement

BLOCKER_IDS = (
    "account-state",
    "mailbox",
    "licence",
    "smtp-auth-switch",
    "authentication-policy",
    "credential",
    "per-user-mfa",
    "security-defaults",
    "conditional-access",
    "sender-settings",
    "send-as",
    "sending-limits",
    "oauth-grant",
    "basic-auth-retirement",
)
"""In the contract's order."""

COLUMNS: tuple[str, ...] = (
    "user_id",
    "user_principal_name",
    "display_name",
    "kind",
    "is_admin",
    "sender",
    "basic",
    "oauth",
    "breaks_at_retirement",
    "deciding_blocker",
    "likely_replies",
    "safest_exit",
    "exposure",
    "password_guessing",
    "smtp_last_success",
    "smtp_last_failure",
    "smtp_failure_codes",
    "smtp_evidence",
    "mfa_registered",
    "methods_registered",
    "methods_as_of",
    "per_user_mfa",
    "password_last_changed",
    *BLOCKER_IDS,
)

NOT_DOCUMENTED = "not documented"
_USAGE_DAYS = 180
"""getEmailAppUsageUserDetail(period='D180')"""
_TRI = ("false", "true", "unknown")
"""By tri-state value: UNREAD is -1, the last."""
_BOOLEAN = ("false", "true")
_UNKNOWN = "unknown"
"""Of an account without a row: never "none registered"."""
_STATE_WORDS = tuple(state.word for state in State)


_CHUNK = 10_000
"""Rows that are made at a time: enough to be quick, few enough to need no memory."""


def rows(judgement: Judgement) -> Iterator[tuple[str, ...]]:
    """One row per account in the order of COLUMNS, sorted by user_id. Times are ISO 8601 UTC, booleans true or false.

    Nothing is escaped here: defusing text that looks like a formula is the writer's work."""
    for columns in parts(judgement):
        yield from zip(*columns, strict=True)


def parts(judgement: Judgement) -> Iterator[list[Sequence[str]]]:
    """The same as columns, some rows at a time."""
    ids = judgement.tenant.accounts.id
    order = np.array(sorted(range(len(ids)), key=ids.__getitem__), dtype=np.int64)
    table = _Table(judgement)
    for start in range(0, len(order), _CHUNK):
        yield list(table.columns(order[start : start + _CHUNK]))


class _Table:
    """The columns of accounts.csv, for some rows at a time."""

    def __init__(self, judgement: Judgement) -> None:
        self._judgement = judgement
        self._states = {blocker: judgement.row_states(blocker) for blocker in BLOCKER_IDS}
        self._deciding = _deciding(self._states)
        self._replies = _Replies(judgement)
        self._evidence = SmtpEvidence(judgement)
        self._senders = np.zeros(judgement.cases.accounts, dtype=np.uint8)
        self._senders[judgement.cases.account[judgement.cases.accounts :]] = 1

    def columns(self, rows: NDArray[np.int64]) -> Iterator[Sequence[str]]:
        """In the order of COLUMNS, one entry per row."""
        judgement, accounts = self._judgement, self._judgement.tenant.accounts
        yield take(accounts.id, rows)
        yield take(accounts.user_principal_name, rows)
        yield take(accounts.display_name, rows)
        yield take(accounts.kind, rows)
        yield of_codes(_TRI, accounts.is_admin[rows])
        yield of_codes(_BOOLEAN, self._senders[rows])
        yield of_codes(VERDICT_WORDS, judgement.basic[rows])
        yield of_codes(VERDICT_WORDS, judgement.oauth[rows])
        yield take(judgement.breaks_at_retirement, rows)
        yield of_codes((*DECIDING_ORDER, ""), self._deciding[rows])
        yield self._replies.of(rows, self._senders[rows])
        yield take(judgement.safest_exit, judgement.case_of[rows])
        yield of_codes(EXPOSURE_WORDS, judgement.exposure[rows])
        yield take(judgement.password_guessing, rows)
        yield take(accounts.smtp_last_success, rows)
        yield take(accounts.smtp_last_failure, rows)
        yield [" ".join(map(str, codes)) for codes in take(accounts.smtp_failure_codes, rows)]
        yield self._evidence.of_all(rows)
        yield of_codes(_TRI, accounts.mfa_registered[rows])
        as_of = take(accounts.methods_as_of, rows)
        read = (accounts.mfa_registered[rows] != UNREAD).tolist()
        told = zip(take(accounts.methods, rows), as_of, read, strict=True)
        yield [", ".join(methods) if methods or time or row else _UNKNOWN for methods, time, row in told]
        yield as_of
        yield take(accounts.per_user_mfa, rows)
        yield take(accounts.password_changed, rows)
        for states in self._states.values():
            yield of_codes(_STATE_WORDS, states[rows])


def _deciding(states: Mapping[str, NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Per account the place in DECIDING_ORDER of the first blocker that blocks; one past its end where none does."""
    found = np.full(len(states[DECIDING_ORDER[0]]), len(DECIDING_ORDER), dtype=np.uint8)
    for place in range(len(DECIDING_ORDER) - 1, -1, -1):
        found[states[DECIDING_ORDER[place]] == State.BLOCKS] = place
    return found


class _Replies:
    """`likely_replies` of accounts: few different texts, each made once for all that share it."""

    def __init__(self, judgement: Judgement) -> None:
        self._judgement = judgement
        # blocker → reply per reason, None for a reason that does not block
        self._of_reason = {
            blocker.id: Coded([reason.reply if reason.state == State.BLOCKS else None
                               for reason in judgement.columns[blocker.id].reasons]) for blocker in BLOCKERS
        }  # fmt: skip

    def of(self, rows: NDArray[np.int64], senders: NDArray[np.uint8]) -> list[str]:
        columns = self._judgement.columns
        standing = combined(
            *(of_reason.at(columns[blocker].codes[rows]) for blocker, of_reason in self._of_reason.items())
        )
        texts = standing.mapped(self._text).copy()
        for one in np.flatnonzero(senders).tolist():
            texts[one] = reply_text(_sender_replies(self._judgement, int(rows[one])))
        return texts

    def _text(self, replies: tuple[str | None, ...]) -> str:
        standing = zip(self._of_reason, replies, strict=True)
        return reply_text([(blocker, reply) for blocker, reply in standing if reply is not None])


def _sender_replies(judgement: Judgement, row: int) -> tuple[tuple[str, str], ...]:
    """Each blocker's reply comes from the sender case that it stands for."""
    by_case = {blocker: judgement.row_case(blocker, row) for blocker in DECIDING_ORDER}
    return tuple(
        pair
        for blocker, case in by_case.items()
        if judgement.columns[blocker].states[case] == State.BLOCKS
        for pair in standing_replies(judgement, case, [blocker])
    )


def standing_replies(judgement: Judgement, case: int, standing: Collection[str]) -> tuple[tuple[str, str], ...]:
    """(blocker, id of its documented reply) of the blockers that stand for one case, in the order of work."""
    return tuple(
        (blocker.id, judgement.columns[blocker.id].reason(case).reply) for blocker in BLOCKERS if blocker.id in standing
    )


def case_replies(judgement: Judgement, case: int) -> str:
    """`likely_replies` of one case, for the Senders sheet."""
    standing = [blocker for blocker in BLOCKER_IDS if judgement.columns[blocker].states[case] == State.BLOCKS]
    return reply_text(standing_replies(judgement, case, standing))


def reply_text(standing: Sequence[tuple[str, str]]) -> str:
    """Each standing blocker with the documented reply that it makes likely and how sure that is."""
    return " | ".join(f"{blocker}: {_reply(reply)}" for blocker, reply in standing)


def _reply(reply: str) -> str:
    if not reply:
        return NOT_DOCUMENTED
    known = by_id(reply)
    spoken = f"Authentication unsuccessful, {known.text}" if known.code == "535 5.7.139" else known.text
    return f"{known.code} {spoken} ({known.confidence})"


def _ended(state: str) -> str:
    return "not asked for" if state == "not-asked" else f"not read in full ({state})"


class SmtpEvidence:
    """What was seen of an account's SMTP use, with the sources and their windows. Absence is never "unused"."""

    def __init__(self, judgement: Judgement) -> None:
        self._accounts = judgement.tenant.accounts
        status = judgement.tenant.status
        windows = {
            "signIns": f"{judgement.sign_in_days} days in signIns",
            "emailAppUsage": f"{_USAGE_DAYS} in emailAppUsage",
        }
        if not status["signIns"].complete:
            windows["emailAppUsage"] = f"{_USAGE_DAYS} days in emailAppUsage"
        read = [text for name, text in windows.items() if status[name].complete]
        unread = [f"{name} {_ended(status[name].state)}" for name in windows if not status[name].complete]
        if status["smtpAuthClients"].complete:
            read.append("smtpAuthClients as brought")
        self._not_read = "".join(f"; {text}" for text in unread)
        self.nothing = (
            f"no use seen in {', '.join(read)}" if read else "no source of SMTP use was read"
        ) + self._not_read
        """of an account without any sign of use: the sources that were read, their windows, and those not read"""
        accounts = self._accounts
        self._signs = accounts.smtp_app_used == YES
        self._signs |= where(accounts.smtp_last_success, bool) | where(accounts.smtp_last_failure, bool)

    def of_all(self, rows: NDArray[np.int64]) -> list[str]:
        """The texts of several accounts."""
        texts = [self.nothing] * len(rows)
        for place in np.flatnonzero(self._signs[rows]).tolist():
            texts[place] = self.of(int(rows[place]))
        return texts

    def of(self, row: int) -> str:
        accounts = self._accounts
        seen = []
        if accounts.smtp_last_success[row]:
            seen.append(f"last success {accounts.smtp_last_success[row]} in signIns")
        if accounts.smtp_app_used[row] == YES:
            seen.append("SMTP use reported in emailAppUsage or smtpAuthClients")
        if accounts.smtp_last_failure[row]:
            seen.append(f"last refusal {accounts.smtp_last_failure[row]} in signIns")
        if accounts.smtp_last_success[row] or accounts.smtp_app_used[row] == YES:
            return "; ".join(seen) + self._not_read
        return "; ".join([self.nothing, *seen])
