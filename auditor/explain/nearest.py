"""For a text that holds no known reply: what comes nearest (a help, never a guess) and how to see the real reply."""

from __future__ import annotations

import difflib
import heapq
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auditor.explain.find import LEAD, Unrecognised, covers
from auditor.explain.pasted import MARK, Reading, squeeze
from auditor.replies import REPLIES, Reply

SHOWN = 3
LINES = 12
"""lines that are compared at most; those with a code or a word of trouble first"""
LENGTH = 160
"""letters of a text that are compared at most"""
CUT = 12
"""letters that must be left before a text is compared as if it had been cut off"""
_TROUBLE = re.compile(rf"{MARK}|error|fail|denied|reject|auth|login|refus|smtp|mail")


@dataclass(frozen=True, slots=True)
class Near:
    """A reply that is not in the text, and how alike the two are, from 0 to 1."""

    reply: Reply
    likeness: float


@dataclass(frozen=True, slots=True)
class Hint:
    """What a client prints instead of the server's reply, and how it shows the reply."""

    phrase: str
    advice: str


LEAVE_OUT = "Leave out the lines of the sign-in itself: they hold the password or token."
HINTS: tuple[Hint, ...] = (
    Hint("(67) Login denied",
         "curl's (67) only says that the sign-in was refused. Run it with -v: the server's reply begins with `< 535`. "
         + LEAVE_OUT),
    Hint("SMTP Error: Could not authenticate",
         "PHPMailer keeps the server's reply: set SMTPDebug to SMTP::DEBUG_SERVER. " + LEAVE_OUT),
    Hint("The SMTP server requires a secure connection or the client was not authenticated",
         "This sentence is .NET's own, for every such refusal. Print the whole exception, inner ones too."),
    Hint("Failure sending mail", ".NET keeps the reason inside: print the whole exception, inner ones too."),
    Hint("AuthenticationFailedException",
         "Jakarta Mail shows the server's reply with mail.debug=true. " + LEAVE_OUT),
    Hint("Invalid login", "nodemailer keeps the server's reply in the error's `response`."),
)  # fmt: skip


def hints(views: Sequence[Reading]) -> list[str]:
    """How to make the client that printed the text show the server's reply."""
    return [hint.advice for hint in HINTS if any(squeeze(hint.phrase) in view.stream for view in views)]


def meanings(unknown: Unrecognised) -> list[Near]:
    """Everything that the code of an unknown text is known to mean, the likest text first."""
    found = [Near(reply, likeness(unknown.said, reply)) for reply in REPLIES if covers(reply, unknown.enhanced)]
    return sorted(found, key=lambda near: -near.likeness)


def nearest(views: Sequence[Reading]) -> list[Near]:
    """The replies whose texts are likest to any part of the text."""
    best: dict[str, Near] = {}
    for said in _candidates(views):
        for reply in REPLIES:
            near = Near(reply, likeness(said, reply))
            if near.likeness > (best[reply.id].likeness if reply.id in best else -1.0):
                best[reply.id] = near
    return heapq.nlargest(SHOWN, best.values(), key=lambda near: near.likeness)


def likeness(said: str, reply: Reply) -> float:
    """How alike a squeezed text and a reply are, from 0 to 1; a text that was cut off is compared as far as it goes."""
    known = squeeze(reply.text)[:LENGTH]
    said = said.replace(MARK, "")
    said = (said.replace(LEAD, "") or said)[:LENGTH]
    length = min(len(said), len(known))
    pairs = {(said, known), (said[:length], known[:length])} if length >= CUT else {(said, known)}
    return round(max(difflib.SequenceMatcher(None, *pair, autojunk=False).ratio() for pair in pairs), 2)


def _candidates(views: Sequence[Reading]) -> Iterator[str]:
    """The lines that speak of trouble, else the first ones; a short text also whole, in case it is wrapped."""
    lines = [line for view in views for line in view.lines() if line]
    telling = [line for line in lines if _TROUBLE.search(line)]
    yield from list(dict.fromkeys(telling or lines))[:LINES]
    yield from {view.stream for view in views if len(view.stream) <= LENGTH}
