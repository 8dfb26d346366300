"""What is to be done in a ticket system: a pure function of the run, the tickets found there, and the journal.

| what stands | no ticket | open | done | declined |
|---|---|---|---|---|
| chosen findings | create, within `max_new` | update what changed | reopen what returned; else one remark | left |
| only accepted ones | – | waive | – | left |
| none, all fixed | – | close | noted | left |
| none, but not all could be checked | – | one remark | – | left |
| only such that the config does not choose | – | left | – | left |
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from auditor.findings.base import SEVERITIES
from auditor.tickets import tell
from auditor.tickets.base import Text, Ticket
from auditor.tickets.journal import Did, Entry, State
from auditor.tickets.news import News, news
from auditor.tickets.settings import TicketSettings
from auditor.tickets.source import Source
from auditor.tickets.topics import Topic, grouping_of, topics

Kind = Literal[
    "create", "update", "comment", "attach", "close", "reopen", "waive", "merge", "held-back", "left", "unchanged"
]
WRITES: tuple[Kind, ...] = ("create", "update", "comment", "attach", "close", "reopen", "waive", "merge")
KINDS: tuple[Kind, ...] = (*WRITES, "held-back", "left", "unchanged")


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do about one ticket. `why` is for people; `text` the comment; `entry` what the journal holds when it
    is done (None: nothing to note). `ticket` is None for one that is to be made, or held back. `rewrite`: the body is
    written anew; `attach`: the table is attached again."""

    kind: Kind
    marker: str
    why: str
    topic: Topic
    ticket: Ticket | None = None
    text: Text = ()
    entry: Entry | None = None
    rewrite: bool = False
    attach: bool = False


def plan(
    source: Source, settings: TicketSettings, found: Sequence[Ticket], state: State, *, remake: bool = False
) -> list[Action]:
    """Every topic and every ticket of the tenant once, in the order of KINDS, the worst first. `remake`: tickets that
    the journal knows and the system does not are made again."""
    held, spare = _single(found)
    live = {marker for marker, ticket in held.items() if ticket.standing != "done"}
    told = {marker: entry.findings.keys() for marker, entry in state.entries.items()}
    placed = topics(source, settings, live, told)
    actions = []
    for marker in sorted(placed.keys() | held.keys()):
        entry = state.entries.get(marker, Entry())
        topic = placed.get(marker) or Topic(marker, grouping_of(marker), source.headings.get(marker, ""))
        if ticket := held.get(marker):
            actions.append(_Case(source, settings, topic, ticket, entry).action())
        elif topic.chosen:
            actions.append(_absent(topic, entry, source, remake=remake))
    actions += [_spare(ticket, held[ticket.marker], state) for ticket in spare]
    return sorted(_bounded(actions, settings.max_new), key=_order)


def merges(found: Sequence[Ticket], state: State) -> list[Action]:
    """Only what two syncs made twice."""
    held, spare = _single(found)
    return [_spare(ticket, held[ticket.marker], state) for ticket in spare]


def _order(action: Action) -> tuple[int, int, str, str]:
    severity = SEVERITIES.index(action.topic.severity)
    return KINDS.index(action.kind), severity, action.marker, action.ticket.handle if action.ticket else ""


def _bounded(actions: Sequence[Action], most: int) -> list[Action]:
    new = sorted((action for action in actions if action.kind == "create"), key=_order)
    why = f"Over the bound of {most:,} new tickets in one sync (max_new)."
    late = [replace(action, kind="held-back", why=why, entry=None) for action in new[most:]]
    return [*(action for action in actions if action.kind != "create"), *new[:most], *late]


# --- one ticket for each marker --------------------------------------------------------------------------------------


def _single(found: Sequence[Ticket]) -> tuple[dict[str, Ticket], list[Ticket]]:
    """(marker → its ticket, the others under the same marker). Of several the oldest that is open counts, by the number
    in its key: two syncs that never heard of each other must choose alike."""
    held: dict[str, Ticket] = {}
    spare = []
    for ticket in sorted(found, key=lambda ticket: (ticket.standing != "open", _age(ticket))):
        if ticket.marker in held:
            spare.append(ticket)
        else:
            held[ticket.marker] = ticket
    return held, spare


def _age(ticket: Ticket) -> tuple[int, str, str]:
    digits = re.search(r"\d+$", ticket.key)
    return int(digits[0]) if digits else 0, ticket.key, ticket.handle


def _spare(ticket: Ticket, first: Ticket, state: State) -> Action:
    """A second ticket under one marker: ours is closed, a person's copy is theirs."""
    topic = Topic(ticket.marker, grouping_of(ticket.marker), "")
    if ticket.standing == "open" and ticket.handle in state.made:
        return Action("merge", ticket.marker, f"The same as {first.key}.", topic, ticket, tell.duplicate(first.key))
    why = f"It carries the marker of {first.key}, which is the one that is kept up to date."
    return Action("left", ticket.marker, why, topic, ticket)


def _absent(topic: Topic, entry: Entry, source: Source, *, remake: bool) -> Action:
    if entry.handle and entry.did != "closed" and not remake:
        why = (
            f"{entry.key} is not found any more: deleted, moved away, or its marker was taken off. Nothing is made in "
            "its place unless --remake is given."
        )
        return Action("left", topic.marker, why, topic)
    fresh = news(Entry(), topic, source)
    after = Entry(findings=fresh.findings, run=source.run.now)
    return Action("create", topic.marker, _stands(topic), topic, entry=after, rewrite=True, attach=True)


def _stands(topic: Topic) -> str:
    count = len(topic.chosen)
    return "The finding stands, and has no ticket." if count == 1 else f"{count:,} findings stand, and have no ticket."


# --- what becomes of a ticket ----------------------------------------------------------------------------------------


class _Case:
    """One ticket that the system holds, and what the run says of it."""

    def __init__(self, source: Source, settings: TicketSettings, topic: Topic, ticket: Ticket, entry: Entry) -> None:
        self.settings, self.topic, self.ticket, self.entry = settings, topic, ticket, entry
        self.run = source.run.now
        self.news: News = news(entry, topic, source)
        self.stands_elsewhere = any(key in source.run.findings for key in entry.findings.keys() - topic.standing.keys())
        in_waived = bool(settings.waived_state) and ticket.state.casefold() == settings.waived_state.casefold()
        self.did = _did(entry, ticket, in_waived=in_waived)
        self.shelved = self.did == "waived" and in_waived
        """It lies where we put it when it was accepted."""

    def action(self) -> Action:
        if self.ticket.standing == "declined" and not self.shelved:
            return replace(self._unchanged("A person declined it."), kind="left")
        if self.topic.chosen:
            shut = self.ticket.standing != "open" or self.shelved
            return self._standing_shut() if shut else self._standing_open()
        if self.topic.accepted and not self.topic.others and not self.news.unread:
            return self._accepted()
        if self.topic.standing or self.stands_elsewhere:
            return self._left("What it is about stands, but is not what the config chooses for it now.")
        return self._gone()

    # chosen findings stand

    def _standing_open(self) -> Action:
        if not self.entry.run:
            return self._write("update", "The journal does not know what it says; its text is written anew.", ())
        if self.news.fresh:
            return self._write("update", _summary(self.news), tell.changed(self.news, self.run))
        if self.entry.owed:
            return self._act("attach", "A table is still missing.", (), self._after(owed=()), attach=True)
        return self._unchanged("It stands, and says so.", did="open")

    def _standing_shut(self) -> Action:
        why = self._why_reopen()
        if why:
            return self._write("reopen", why, tell.reopened(self.news, self.run, why))
        if self.entry.said == "stands":
            return self._unchanged("A person closed it, and was told that it stands.")
        why = "A person closed it as done, and it stands."
        return self._act("comment", why, tell.stands(self.topic.chosen, self.run), self._after(said="stands"))

    def _why_reopen(self) -> str:
        """Empty where a person's word counts."""
        if self.shelved:
            return "The waiver does not stand any more, and the finding does."
        if self.did == "closed":
            return "It was fixed, and has returned."
        seen_before = self.entry.said == "stands" or self.entry.run == self.run
        if not seen_before and any(found.get("change") == "returned" for found in self.topic.chosen):
            return "It was fixed, and has returned."
        if self.entry.findings and self.news.added:
            return "Further findings came."
        return "It stands, and the config says to reopen it (reopen_done)." if self.settings.reopen_done else ""

    # all that stands is accepted

    def _accepted(self) -> Action:
        why = "All that it is about is accepted by a waiver."
        if self.ticket.standing == "done" or self.did == "waived":
            return self._unchanged(why, did=self.did)
        kind: Kind = "waive" if self.settings.waived_state else "comment"
        words = tell.accepted(self.topic.accepted, self.run)
        return self._act(kind, why, words, self._after(did="waived", said=""))

    # nothing stands

    def _gone(self) -> Action:
        known = bool(self.entry.findings) or (self.topic.grouping == "finding" and bool(self.news.fixed))
        proved = known and bool(self.news.fixed) and not self.news.unread
        if self.ticket.standing == "done":
            return self._unchanged("It is done, and nothing of it stands.", did="closed" if proved else self.did)
        if self.did == "closed":
            return self._unchanged("A person opened it again, and nothing of it stands.", did=self.did)
        if proved:
            why = "Fixed: it is gone, and all that it rests on was read whole."
            return self._act("close", why, tell.closed(self.news, self.run), self._after(did="closed", said=""))
        if self.news.unread:
            if not self.news.fresh:
                return self._unchanged("It could not be checked, and says so.")
            why = f"Gone, but not proved: {self.news.unread[0].note or 'not read whole'}"
            return self._act("comment", why, tell.unchecked(self.news, self.run), self._after(said="unread"))
        why = "Nothing stands, and it is not known what it stood for."
        if self.entry.said == "unknown":
            return self._unchanged(why)
        return self._act("comment", why, tell.unknown(self.run), self._after(said="unknown"))

    # what is made of a decision

    def _after(self, *, did: Did | None = None, said: str | None = None, owed: tuple[str, ...] | None = None) -> Entry:
        entry = self.entry
        return Entry(
            did=did or self.did,
            findings=self.news.findings,
            said=entry.said if said is None else said,
            owed=entry.owed if owed is None else owed,
            run=self.run,
        )

    def _act(self, kind: Kind, why: str, words: Text, after: Entry, *, attach: bool = False) -> Action:
        return Action(kind, self.topic.marker, why, self.topic, self.ticket, words, after, attach=attach)

    def _write(self, kind: Kind, why: str, words: Text) -> Action:
        again = not self.entry.run or self.news.new_members or bool(self.entry.owed)
        after = self._after(did="open", said="", owed=())
        return replace(self._act(kind, why, words, after, attach=again), rewrite=True)

    def _unchanged(self, why: str, did: Did | None = None) -> Action:
        """Where the journal holds something else than what is seen, that is noted without a request."""
        after, entry = self._after(did=did), self.entry
        known = after.did == entry.did and after.findings.keys() == entry.findings.keys() and not entry.pending
        return Action(
            "unchanged", self.topic.marker, why, self.topic, self.ticket, entry=None if known and entry.run else after
        )

    def _left(self, why: str) -> Action:
        return Action("left", self.topic.marker, why, self.topic, self.ticket)


def _did(entry: Entry, ticket: Ticket, *, in_waived: bool) -> Did:
    """What we made of it last; a request without a known answer counts where its effect is seen."""
    if entry.pending == "close" and ticket.standing == "done":
        return "closed"
    if entry.pending == "reopen" and ticket.standing == "open":
        return "open"
    return "waived" if entry.pending == "waive" and in_waived else entry.did


def _summary(told: News) -> str:
    counts = {
        "added": len(told.added),
        "changed": len(told.changed),
        "fixed": len(told.fixed),
        "not checked": len(told.unread),
        "checked again": len(told.again),
    }
    return ", ".join(f"{count:,} {word}" for word, count in counts.items() if count) + "."
