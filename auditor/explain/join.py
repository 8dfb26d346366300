"""A pasted reply beside what a judged tenant shows for one account: confirmed, contradicted or not visible.

The snapshot of a finished run (or any snapshot folder) is judged again, offline. A blocker that a reply points at is
confirmed where it blocks the account as a default client or as one of its declared senders, and contradicted where it
is clear for all of them, unless the cause of the reply stands in no setting (`Reply.unseen`). Everything else is not
visible: not read, conditional, or judged for declared senders only.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from auditor.blockers.base import Channel
from auditor.config import EMPTY, LoadedConfig, load
from auditor.coverage import closing
from auditor.errors import UsageError
from auditor.evaluate import evaluate
from auditor.explain.result import ADVICE_OF, Explanation, Joined, Standing, Visible
from auditor.snapshot import Snapshot
from auditor.states import VERDICT_WORDS, Reason, State
from auditor.verdict import DECIDING_ORDER, Judgement, channel_blockers

SNAPSHOT, RUN_JSON, CONFIG = "snapshot", "run.json", "config.toml"
NO_SETTING = "That does not speak against the reply: its cause stands in no setting that can be read."
ELSEWHERE = (
    "Nothing that was read confirms the reply. It may be older or younger than the snapshot, or come from another "
    "account: read the tenant again and try once more."
)
NOTHING_STANDS = "No blocker was found for this account. Find the reply of the server and explain that."


def join(
    explanation: Explanation,
    folder: Path,
    account: str,
    *,
    config: LoadedConfig | None = None,
    now: datetime | None = None,
) -> Explanation:
    """The explanation with `joined` filled in. `folder`: a run's folder or a snapshot's; `config` and `now` come from
    the run where they are not given. `account`: UPN, address or object id.

    Raises UsageError for a folder without evidence, a moment that is not known, and an account that is not in it."""
    run = _run_folder(folder)
    snapshot = Snapshot.open(run / SNAPSHOT if run else folder)
    if config is None:
        config = load(run / CONFIG) if run and (run / CONFIG).is_file() else EMPTY
    return beside(explanation, evaluate(snapshot, config.config, now or _moment(run, snapshot)).judgement, account)


def beside(explanation: Explanation, judgement: Judgement, account: str) -> Explanation:
    """As `join`, for a tenant that is judged already. Raises UsageError for an account that is not in it."""
    return replace(explanation, joined=_joined(explanation, judgement, _row(judgement, account)))


def _run_folder(folder: Path) -> Path | None:
    """The run that a folder is, or whose snapshot it is; None for a snapshot that lies by itself."""
    if (folder / SNAPSHOT).is_dir():
        return folder
    return folder.parent if folder.name == SNAPSHOT and (folder.parent / RUN_JSON).is_file() else None


def _moment(run: Path | None, snapshot: Snapshot) -> datetime:
    """The moment that the run was judged for, else the end of the snapshot."""
    text = snapshot.ended
    if run and (run / RUN_JSON).is_file():
        try:
            text = str(json.loads((run / RUN_JSON).read_bytes())["now"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UsageError(
                f"{run / RUN_JSON}: cannot be read ({error!r}).", remedy="Name the snapshot folder and --now."
            ) from error
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{snapshot.folder}: says nothing about when it was read.",
            remedy="Name the moment to judge for with --now, for instance --now 2026-11-23T16:00:00Z.",
        ) from error
    return moment.replace(tzinfo=moment.tzinfo or UTC)


def _row(judgement: Judgement, account: str) -> int:
    tenant = judgement.tenant
    row = tenant.find(account)
    if row >= 0:
        return row
    names = tenant.accounts.user_principal_name
    if not len(names):
        raise UsageError(
            "The snapshot holds no accounts.", remedy="Collect again; `auditor doctor` says what is missing."
        )
    near = difflib.get_close_matches(account.strip().lower(), [name.lower() for name in names], n=3, cutoff=0.5)
    remedy = f"Nearest: {', '.join(near)}." if near else "Give the account's UPN, address or object id."
    raise UsageError(f"No account {account} in the snapshot.", remedy=remedy)


def _joined(explanation: Explanation, judgement: Judgement, row: int) -> Joined:
    channel = _channel(explanation, judgement, row)
    unseen = {blocker for match in explanation.matches for blocker in match.reply.unseen}
    standings = [_standing(judgement, blocker, row, unseen) for blocker in explanation.blockers]
    confirmed = {standing.blocker for standing in standings if standing.visible == "confirmed"}
    met = channel_blockers(channel)
    blocking = [
        blocker
        for blocker in DECIDING_ORDER
        if blocker in confirmed or (blocker in met and judgement.row_states(blocker)[row] == State.BLOCKS)
    ]
    also = [_standing(judgement, blocker, row, set()) for blocker in blocking if blocker not in explanation.blockers]
    deciding = blocking[0] if blocking else ""
    return Joined(
        account=judgement.tenant.accounts.user_principal_name[row],
        now=judgement.tenant.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        basic=VERDICT_WORDS[judgement.basic[row]],
        oauth=VERDICT_WORDS[judgement.oauth[row]],
        safest_exit=judgement.safest_exit[judgement.case_of[row]],
        standings=standings,
        also_stands=also,
        deciding_blocker=deciding,
        first=_decided(deciding, explanation) if deciding else _undecided(explanation, standings, judgement, row),
    )


def _channel(explanation: Explanation, judgement: Judgement, row: int) -> Channel:
    """Of the replies; where they fit both ways of signing in, of the declared sender; else basic authentication."""
    channels = {match.reply.channel for match in explanation.matches if not match.wraps}
    if channels == {"oauth"}:
        return "oauth"
    sender = judgement.cases.senders[judgement.case_of[row]]
    return sender.auth if sender and channels != {"basic"} else "basic"


def _standing(judgement: Judgement, blocker: str, row: int, unseen: set[str]) -> Standing:
    case, reason = _telling(judgement, blocker, row)
    sender = judgement.cases.senders[case]
    name = sender.name if sender else ""
    if reason.state == State.BLOCKS:
        return Standing(blocker, "confirmed", name, reason.text)
    if reason.state != State.CLEAR:
        return Standing(blocker, "not_visible", name, reason.text)
    visible: Visible = "not_visible" if blocker in unseen else "contradicted"
    return Standing(blocker, visible, name, f"{reason.text} {NO_SETTING}" if blocker in unseen else reason.text)


def _telling(judgement: Judgement, blocker: str, row: int) -> tuple[int, Reason]:
    """The case with the strongest state among the account's own, its declared senders before the default client."""
    senders = [case for case in judgement.sender_cases() if judgement.cases.account[case] == row]
    column = judgement.columns[blocker]
    case = max([*senders, row], key=lambda case: int(column.states[case]))
    return case, column.reason(case)


def _decided(deciding: str, explanation: Explanation) -> str:
    advice = ADVICE_OF[deciding]
    remedy = f"{advice.title}: {advice.remedy}"
    if deciding in explanation.blockers or not explanation.blockers:
        return remedy
    pointed = ", ".join(explanation.blockers)
    return f"The reply points at {pointed}; {deciding} stands as well and comes first in the order of work. {remedy}"


def _undecided(explanation: Explanation, standings: Sequence[Standing], judgement: Judgement, row: int) -> str:
    """Nothing blocks: what would show more, else the reply's own first step, else that the two do not meet."""
    hidden = [standing.blocker for standing in standings if standing.visible == "not_visible"]
    status = judgement.tenant.status
    for blocker in hidden:
        reason = _telling(judgement, blocker, row)[1]
        unread = [name for name in reason.datasets if not status[name].complete]
        if reason.state == State.UNKNOWN and unread:
            return f"Make {blocker} visible. {closing(status[unread[0]])}"
    steps = [match.reply.first for match in explanation.matches if match.reply.first and not match.wraps]
    if steps and (hidden or not standings):
        return steps[0]
    if hidden:
        return ADVICE_OF[hidden[0]].remedy
    return ELSEWHERE if standings else NOTHING_STANDS
