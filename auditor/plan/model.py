"""What a plan is made of: steps and their cost, ways to open a sender, routes to move it to and what those need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from auditor.blockers.base import Channel
from auditor.config import Sender
from auditor.states import Reason
from auditor.what_if.model import Change

Have = Literal["have", "missing", "unknown"]


@dataclass(frozen=True)
class Step:
    """One change, what an administrator does for it, and what it costs in security or work. `weight` orders steps from
    harmless to what opens others too."""

    change: Change
    how: str
    cost: str
    weight: int


@dataclass(frozen=True)
class Opening:
    """A set of changes after which the sender's verdict is `open`, and none of which can be left out.

    `exposure` and `password_guessing` of the account are (before, after). `others`: how many other accounts get more
    exposed. `companion`: a further change that keeps the sender open and binds the account to its place; with it the
    exposure is `companion_exposure`. None where no place is declared, or where that could not be shown."""

    steps: tuple[Step, ...]
    exposure: tuple[str, str]
    password_guessing: tuple[str, str]
    others: int
    companion: Change | None = None
    companion_exposure: str = ""

    @property
    def changes(self) -> tuple[Change, ...]:
        return tuple(step.change for step in self.steps)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that a route needs in this tenant. `detail`: how it is known, or what is missing."""

    text: str
    state: Have
    detail: str


@dataclass(frozen=True)
class Move:
    """A route that the sender could take. `exit`: one of `exits.EXITS`; `already`: it is declared to take it."""

    exit: str
    title: str
    requirements: tuple[Requirement, ...]
    caution: str
    already: bool

    def of_state(self, state: Have) -> tuple[Requirement, ...]:
        return tuple(requirement for requirement in self.requirements if requirement.state == state)


@dataclass(frozen=True)
class SenderPlan:
    """The plan of one declared sender. `row` is -1 where its account is not in the tenant; `standing`: the blockers of
    its channel that are not clear, in the order of work; `why`: for each reason why no change opens it, one sentence
    (empty where there are openings, or where it is open already)."""

    sender: Sender
    row: int
    channel: Channel
    verdict: str
    """of the declared channel; `missing` where the account is not in the tenant"""
    standing: tuple[tuple[str, Reason], ...]
    exit: str
    headline: str
    openings: tuple[Opening, ...]
    why: tuple[str, ...]
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Loss:
    """A declared sender, or an account that was seen using SMTP, that a set of changes stops, or may stop.

    `verdicts`: (channel, before, after) of what gets worse; `evidence`: what was seen, with the sources and their
    windows."""

    who: str
    row: int
    verdicts: tuple[tuple[Channel, str, str], ...]
    evidence: str


@dataclass(frozen=True)
class Closing:
    """A set of changes that closes basic SMTP for everyone but the declared senders, as it was judged.

    `exposure` and `password_guessing`: word → how many accounts that are no declared basic sender, (before, after).
    `left`: rows of those that it was not shown to close. `senders` and `users`: what stops; `unseen`: rows of accounts
    that stop sending and whose use could not be seen, `quiet`: of those without use in any source's window."""

    title: str
    text: str
    changes: tuple[Change, ...]
    notes: tuple[str, ...]
    exposure: tuple[dict[str, int], dict[str, int]]
    password_guessing: tuple[dict[str, int], dict[str, int]]
    left: tuple[int, ...]
    senders: tuple[Loss, ...]
    users: tuple[Loss, ...]
    unseen: tuple[int, ...]
    quiet: tuple[int, ...]


@dataclass(frozen=True)
class ClosingPlan:
    """`kept`: the declared senders that stay open. `windows`: which sources of use were read, with their windows, and
    which were not. `remark`: what closes it already, and how far; empty where nothing does."""

    kept: tuple[Sender, ...]
    closings: tuple[Closing, ...]
    windows: str
    guessing: str
    remark: str = ""


@dataclass(frozen=True)
class Plan:
    """Everything that `auditor plan` answers; `closing` is None where only senders were asked for."""

    senders: tuple[SenderPlan, ...]
    closing: ClosingPlan | None
