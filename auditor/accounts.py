"""accounts.csv as rows: identity, can it send, can it be abused, evidence, and one column per blocker (contract)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from auditor.blockers import BLOCKERS
from auditor.replies import by_id
from auditor.states import VERDICT_WORDS, State
from auditor.tenant import NO, UNREAD, YES
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
_TRI = {YES: "true", NO: "false", UNREAD: "unknown"}
_STATE_WORDS = tuple(state.word for state in State)


def rows(judgement: Judgement) -> Iterator[tuple[str, ...]]:
    """One row per account in the order of COLUMNS, sorted by user_id. Times are ISO 8601 UTC, booleans true or false.

    Nothing is escaped here: defusing text that looks like a formula is the writer's work."""
    accounts = judgement.tenant.accounts
    states = [judgement.row_states(blocker).tolist() for blocker in BLOCKER_IDS]
    senders = set(judgement.cases.account[judgement.cases.accounts :].tolist())
    evidence = SmtpEvidence(judgement)
    known_replies: dict[tuple[tuple[str, str], ...], str] = {}
    for row in sorted(range(len(accounts)), key=accounts.id.__getitem__):
        blocking = [blocker for blocker, column in zip(BLOCKER_IDS, states, strict=True) if column[row] == State.BLOCKS]
        standing = _row_replies(judgement, row, blocking, row in senders)
        reply = known_replies.get(standing)
        if reply is None:
            reply = known_replies[standing] = reply_text(standing)
        yield (
            accounts.id[row],
            accounts.user_principal_name[row],
            accounts.display_name[row],
            accounts.kind[row],
            _TRI[int(accounts.is_admin[row])],
            "true" if row in senders else "false",
            VERDICT_WORDS[judgement.basic[row]],
            VERDICT_WORDS[judgement.oauth[row]],
            judgement.breaks_at_retirement[row],
            next((blocker for blocker in DECIDING_ORDER if blocker in blocking), ""),
            reply,
            judgement.safest_exit[judgement.case_of[row]],
            EXPOSURE_WORDS[judgement.exposure[row]],
            judgement.password_guessing[row],
            accounts.smtp_last_success[row],
            accounts.smtp_last_failure[row],
            " ".join(map(str, accounts.smtp_failure_codes[row])),
            evidence.of(row),
            _TRI[int(accounts.mfa_registered[row])],
            ", ".join(accounts.methods[row]),
            accounts.methods_as_of[row],
            accounts.per_user_mfa[row],
            accounts.password_changed[row],
            *(_STATE_WORDS[column[row]] for column in states),
        )


def _row_replies(judgement: Judgement, row: int, blocking: Sequence[str], sender: bool) -> tuple[tuple[str, str], ...]:
    """The replies of an account's row; each blocker's reason comes from the sender case that it stands for."""
    if not sender:
        return standing_replies(judgement, row, blocking)
    by_case = {blocker: judgement.row_case(blocker, row) for blocker in blocking}
    return tuple(
        pair
        for blocker in DECIDING_ORDER
        if blocker in by_case
        for pair in standing_replies(judgement, by_case[blocker], [blocker])
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
