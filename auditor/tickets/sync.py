"""Does what the plan says, action by action, and stands by what it did: each request is in the journal before it is
sent and after it was answered. What fails is told, the rest is done, and the next sync tries again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Literal

from auditor.clock import BlockingClock
from auditor.config import slug
from auditor.errors import OutcomeUnknown, SignInError, TicketError, TicketRefusal, UsageError
from auditor.tickets.base import Attachment, Draft, Refused, System, Ticket
from auditor.tickets.draft import Drafter
from auditor.tickets.journal import Entry, Journal, State, open_journal, read_journal, recent, unanswered
from auditor.tickets.plan import WRITES, Action, merges, plan
from auditor.tickets.settings import TicketSettings
from auditor.tickets.source import Source

Result = Literal["done", "failed", "unknown", "not tried", "planned", "nothing to do"]

RECENT = 3600.0
"""Seconds within which a ticket of ours is asked for by its handle as well: an index may not show it yet."""
_MOVES: dict[str, Literal["open", "done", "waived"]] = {
    "close": "done", "merge": "done", "reopen": "open", "waive": "waived",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an action. `unknown`: the connection broke, so the next sync looks whether it was done."""

    action: Action
    result: Result
    ticket: Ticket | None = None
    problem: str = ""

    @property
    def bad(self) -> bool:
        return self.result in ("failed", "unknown", "not tried")


def journal_path(source: Source, settings: TicketSettings) -> Path:
    """`reports/<tenant>/tickets/<name>.jsonl`, or what the config names."""
    if settings.journal:
        return Path(settings.journal)
    return source.folder.resolve().parent / "tickets" / f"{slug(settings.name)}.jsonl"


def show(
    system: System, source: Source, settings: TicketSettings, clock: BlockingClock, *, remake: bool = False
) -> list[Outcome]:
    """What `sync` would do now. Writes nothing, in the system or elsewhere; waits for no lock."""
    _check(system)
    state = read_journal(journal_path(source, settings))
    _refuse_older(source, state)
    actions = plan(source, settings, _found(system, source, settings, state, clock), state, remake=remake)
    _drafts(actions, source, settings)
    return [_idle(action, "planned") for action in actions]


def sync(
    system: System, source: Source, settings: TicketSettings, clock: BlockingClock, *, remake: bool = False
) -> list[Outcome]:
    """Brings the system to what the run says. Raises UsageError for a run older than the last, ConfigError for a
    template that cannot be used, SignInError where the system refuses the credential, and TicketError where another
    sync is at work or the system cannot be read: then nothing was written."""
    _check(system)
    with open_journal(journal_path(source, settings), clock) as journal:
        _refuse_older(source, journal.state)
        found = _found(system, source, settings, journal.state, clock)
        actions = plan(source, settings, found, journal.state, remake=remake)
        work = _Work(system, _drafts(actions, source, settings), journal)
        journal.begin(source.tenant, source.run.now)
        outcomes = work.perform(actions)
        made = [outcome.ticket.handle for outcome in outcomes if outcome.action.kind == "create" and outcome.ticket]
        if made and system.limits.readable and not work.stopped:
            outcomes += work.perform(_twins(system, source, made, journal.state, clock))
        return outcomes


def _drafts(actions: Sequence[Action], source: Source, settings: TicketSettings) -> dict[str, Draft]:
    """By marker, before anything is sent: a template that cannot be filled stops nothing halfway."""
    drafter = Drafter(source, settings)
    return {action.marker: drafter.draft(action.topic) for action in actions if action.rewrite or action.attach}


def _check(system: System) -> None:
    try:
        system.check()
    except TicketRefusal as error:
        if error.status in (401, 403):
            raise SignInError(error.message, remedy=error.remedy) from error
        raise


def _refuse_older(source: Source, state: State) -> None:
    last = state.runs.get(source.tenant, "")
    if source.run.now < last:
        raise UsageError(
            f"The run is of {source.run.now}, and the tickets were already brought to the run of {last}.",
            remedy="Name that run or a newer one.",
        )


def _found(
    system: System, source: Source, settings: TicketSettings, state: State, clock: BlockingClock
) -> list[Ticket]:
    """The tenant's tickets. Where a sync broke off and nobody knows what the system made, its index is given time."""
    if not system.limits.readable:
        return [_remembered(marker, entry, settings) for marker, entry in state.entries.items() if entry.handle]
    if unanswered(state) and state.asked:
        shown = state.asked + timedelta(seconds=system.limits.index_lag)
        wait = (shown - clock.now()).total_seconds()
        if wait > 0:
            clock.pause(wait)
    return system.find(source.tenant, recent(state, clock.now(), RECENT))


def _remembered(marker: str, entry: Entry, settings: TicketSettings) -> Ticket:
    standing: Literal["open", "done"] = "done" if entry.did == "closed" else "open"
    state = settings.waived_state if entry.did == "waived" else entry.did
    return Ticket(entry.handle, entry.key, entry.url, marker, standing, state)


def _twins(system: System, source: Source, made: Sequence[str], before: State, clock: BlockingClock) -> list[Action]:
    """What another sync, which shares no journal with this one, made at the same time."""
    ours = replace(before, made={**before.made, **dict.fromkeys(made, clock.now())})
    try:
        return [action for action in merges(system.find(source.tenant, made), ours) if action.kind == "merge"]
    except TicketError:
        return []  # the next sync looks again


def _idle(action: Action, result: Result) -> Outcome:
    return Outcome(action, result if action.kind in WRITES else "nothing to do", action.ticket)


class _Work:
    def __init__(self, system: System, drafts: Mapping[str, Draft], journal: Journal) -> None:
        self._system, self._drafts, self._journal = system, drafts, journal
        self.stopped = ""
        """why nothing more is tried; empty while the system answers"""

    def perform(self, actions: Sequence[Action]) -> list[Outcome]:
        new = [action for action in actions if action.kind == "create"]
        size = max(1, self._system.limits.batch)
        outcomes: list[Outcome] = []
        for start in range(0, len(new), size):
            outcomes += self._create(new[start : start + size])
        outcomes += [self._one(action) for action in actions if action.kind != "create"]
        return outcomes

    # --- new tickets ---

    def _create(self, actions: Sequence[Action]) -> list[Outcome]:
        if self.stopped:
            return [self._not_tried(action) for action in actions]
        drafts = [self._drafts[action.marker] for action in actions]
        self._journal.before("create", *(action.marker for action in actions))
        answers: dict[str, Ticket | Refused] = {}
        broken: TicketError | None = None
        try:
            for answer in self._system.create(drafts):
                answers[answer.marker] = answer
                if isinstance(answer, Ticket):
                    self._journal.made(answer)
        except TicketError as error:
            broken = error
        return [
            self._created(action, answers.get(action.marker), draft.attachments, broken)
            for action, draft in zip(actions, drafts, strict=True)
        ]

    def _created(
        self, action: Action, answer: Ticket | Refused | None, tables: Sequence[Attachment], broken: TicketError | None
    ) -> Outcome:
        if isinstance(answer, Refused):
            return self._failed(action, answer.reason)
        if answer is None:
            assert broken is not None, "every draft is answered, or the call raises"
            return self._broken(action, broken)
        assert action.entry is not None
        self._journal.told(action.marker, answer, replace(action.entry, owed=tuple(table.name for table in tables)))
        return self._attach(action, answer, tables) if tables else Outcome(action, "done", answer)

    def _attach(self, action: Action, ticket: Ticket, tables: Sequence[Attachment]) -> Outcome:
        """The ticket stands already; what is not attached now is owed."""
        if self.stopped:
            return Outcome(action, "failed", ticket, f"The table is still to be attached: {self.stopped}")
        try:
            for table in tables:
                self._system.attach(ticket, table)
        except TicketError as error:
            if not isinstance(error, TicketRefusal | OutcomeUnknown):
                self.stopped = str(error)
            return Outcome(action, "failed", ticket, f"The table could not be attached: {error}")
        assert action.entry is not None
        self._journal.told(action.marker, ticket, action.entry)
        return Outcome(action, "done", ticket)

    # --- tickets that are there ---

    def _one(self, action: Action) -> Outcome:
        if action.kind in WRITES and self.stopped:
            return self._not_tried(action)
        try:
            self._send(action)
        except TicketError as error:
            return self._broken(action, error)
        if action.entry is not None and action.ticket is not None:
            self._journal.told(action.marker, action.ticket, action.entry)
        return _idle(action, "done")

    def _send(self, action: Action) -> None:
        """The requests of one action, the comment last: what goes before may be repeated after a failure."""
        ticket = action.ticket
        if action.kind not in WRITES or ticket is None:
            return
        self._journal.before(action.kind, action.marker)
        if action.rewrite:
            self._system.rewrite(ticket, self._drafts[action.marker])
        for table in self._drafts[action.marker].attachments if action.attach else ():
            self._system.attach(ticket, table)
        if action.kind in _MOVES:
            self._system.move(ticket, _MOVES[action.kind], action.text)
        elif action.text:
            self._system.comment(ticket, action.text)

    # --- what went wrong ---

    def _broken(self, action: Action, error: TicketError) -> Outcome:
        if isinstance(error, OutcomeUnknown):
            return Outcome(action, "unknown", action.ticket, str(error))
        if not isinstance(error, TicketRefusal):
            self.stopped = str(error)
        return self._failed(action, str(error))

    def _failed(self, action: Action, problem: str) -> Outcome:
        self._journal.failed(action.marker, problem)
        return Outcome(action, "failed", action.ticket, problem)

    def _not_tried(self, action: Action) -> Outcome:
        return Outcome(action, "not tried", action.ticket, self.stopped)


def tickets_of(outcomes: Sequence[Outcome]) -> dict[str, Ticket]:
    """Finding id → the ticket in which it stands."""
    return {
        found["id"]: outcome.ticket
        for outcome in outcomes
        if outcome.ticket and outcome.action.kind != "merge"
        for found in (*outcome.action.topic.chosen, *outcome.action.topic.accepted)
    }
