"""What stands in each declared sender's way: the sheet Sender blockers, a row for each blocker in the order of work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from auditor.accounts import reply_text
from auditor.blockers import BLOCKERS
from auditor.config import Sender
from auditor.report.cells import Field, Link, Rows, row_targets
from auditor.states import Reason, State
from auditor.verdict import Judgement

TITLE = "Sender blockers"

FIELDS = (
    Field("Sender", 26, "wrap"),
    Field("Uses", 8),
    Field("Step", 7, "number"),
    Field("Blocker", 22),
    Field("Channels", 12),
    Field("State", 14, words="state"),
    Field("Reason", 66, "wrap", full="report.html"),
    Field("Likely reply", 46, "wrap"),
    Field("Read from", 36, "wrap"),
)


@dataclass(frozen=True)
class Standing:
    """A blocker that is neither clear nor out of the question for a sender. `other`: the channel that it is about,
    where that is not the sender's; `reply` as in `likely_reply`."""

    blocker: str
    reason: Reason
    other: str
    reply: str


def declared(judgement: Judgement, case: int) -> Sender:
    sender = judgement.cases.senders[case]
    assert sender is not None, "sender cases carry their sender"
    return sender


def standings(judgement: Judgement, case: int) -> list[Standing]:
    """Those of the channel in use first, then the strongest."""
    channel = declared(judgement, case).auth
    found = []
    for blocker in BLOCKERS:
        reason = judgement.columns[blocker.id].reason(case)
        if reason.state >= State.CONDITIONAL:
            other = "" if channel in blocker.channels else next(iter(blocker.channels))
            found.append(Standing(blocker.id, reason, other, likely_reply(blocker.id, reason)))
    return sorted(found, key=lambda standing: (bool(standing.other), -standing.reason.state))


def likely_reply(blocker: str, reason: Reason) -> str:
    """The documented reply that a reason makes likely, with its confidence; empty where it stops nothing."""
    if not reason.reply and reason.state != State.BLOCKS:
        return ""
    return reply_text(((blocker, reason.reply),)).removeprefix(f"{blocker}: ")


def standing_rows(judgement: Judgement, targets: Mapping[int, str]) -> Rows:
    """Every blocker of every sender. `targets`: sender case → link to its row in Senders."""
    for case in judgement.sender_cases():
        sender = declared(judgement, case)
        for step, blocker in enumerate(BLOCKERS, 1):
            reason = judgement.columns[blocker.id].reason(case)
            yield (
                Link(sender.name, targets[case]), sender.auth, step, blocker.id, ", ".join(sorted(blocker.channels)),
                reason.state.word, reason.text, likely_reply(blocker.id, reason), ", ".join(reason.datasets),
            )  # fmt: skip


def standing_targets(judgement: Judgement, max_rows: int) -> dict[int, str]:
    """Sender case → link to its first blocker."""
    return row_targets(TITLE, ((case, len(BLOCKERS)) for case in judgement.sender_cases()), max_rows)
