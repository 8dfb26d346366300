"""What to do: for each declared sender the smallest changes that open it and where to move it, and how to close basic
SMTP for everyone else. Every set of changes is judged by `what_if`; nothing is promised that was not shown.

Moving comes first: opening basic authentication keeps a password usable over SMTP. Security defaults are never switched
off for a sender, and an app password is never a way.
"""

from __future__ import annotations

from collections.abc import Sequence

from auditor.blockers.routes import WITHOUT_SMTP_AUTH, route_of
from auditor.config import Sender
from auditor.plan.close import closing_plan
from auditor.plan.model import Closing, ClosingPlan, Loss, Move, Opening, Plan, Requirement, SenderPlan, Step
from auditor.plan.moves import TITLES, moves
from auditor.plan.render import as_json, as_text
from auditor.plan.search import openings
from auditor.plan.situation import Everybody, Situation
from auditor.states import State
from auditor.tenant import Tenant
from auditor.verdict import Judgement

__all__ = [
    "Closing",
    "ClosingPlan",
    "Loss",
    "Move",
    "Opening",
    "Plan",
    "Requirement",
    "SenderPlan",
    "Step",
    "as_json",
    "as_text",
    "closing_plan",
    "plan",
    "sender_plan",
]


def plan(judgement: Judgement, senders: Sequence[Sender], *, only: Sequence[Sender] = (), closing: bool = True) -> Plan:
    """The plan of every declared sender, or of those in `only`; with `closing` also how to close the rest."""
    everybody = Everybody(judgement.tenant)
    return Plan(
        tuple(sender_plan(judgement.tenant, sender, everybody) for sender in only or senders),
        closing_plan(judgement, senders) if closing else None,
    )


def sender_plan(tenant: Tenant, sender: Sender, everybody: Everybody | None = None) -> SenderPlan:
    """The plan of one declared sender. `everybody`: of this tenant, so that several plans judge it once."""
    if tenant.find(sender.account) < 0:
        return _missing(tenant, sender)
    at = Situation.of(tenant, sender, everybody)
    exit_ = at.exit
    found, why = openings(at)
    return SenderPlan(
        sender=sender,
        row=at.row,
        channel=at.channel,
        verdict=at.verdict,
        standing=at.standing(),
        exit=exit_,
        headline=_headline(at, exit_, can_open=bool(found)),
        openings=found,
        why=why,
        moves=moves(at, exit_),
    )


def _missing(tenant: Tenant, sender: Sender) -> SenderPlan:
    read = tenant.complete("users")
    fact = f"The account {sender.account} is not in the tenant" if read else "The users were not read whole"
    return SenderPlan(
        sender=sender,
        row=-1,
        channel=sender.auth,
        verdict="missing",
        standing=(),
        exit="",
        headline=f"{fact}: name the account that sends now, or drop the sender from the config.",
        openings=(),
        why=(f"{fact}, so there is nothing to open.",),
        moves=(),
    )


def _headline(at: Situation, exit_: str, *, can_open: bool) -> str:
    """One sentence: move it, or what else is honest."""
    title = TITLES.get(exit_, "")
    if route_of(at.sender) in WITHOUT_SMTP_AUTH:
        return f"It goes without SMTP AUTH ({route_of(at.sender)}): there is nothing to open."
    state = _state(at, can_open=can_open)
    if at.reason("sending-limits").state == State.BLOCKS:
        return (
            f"{state} It needs more than a mailbox may send: move it to a relay connector or a service for bulk mail."
        )
    if at.channel == "oauth":
        return (
            f"{state} Its way is the right one: {title}." if exit_.startswith("oauth") else f"{state} Safer: {title}."
        )
    if exit_ == "keep-and-restrict":
        return f"{state} Nothing better fits this client: {title}."
    if exit_ == "hve" and route_of(at.sender) == "hve":
        return f"{state} High Volume Email keeps basic authentication until September 2028."
    return f"{state} Better than opening a password: move it. Safest: {title}."


def _state(at: Situation, *, can_open: bool) -> str:
    if at.verdict == "open":
        return "It is open today."
    if at.verdict != "unknown":
        end = "the changes below open it" if can_open else "and no change that can be shown here opens it"
        return f"It is {at.verdict}{';' if can_open else ','} {end}."
    unread = [name for _, reason in at.standing() if reason.state == State.UNKNOWN for name in reason.datasets]
    names = ", ".join(name for name in dict.fromkeys(unread) if not at.tenant.complete(name))
    first = f"It is unknown{f': read {names} first' if names else ''}."
    return f"{first} The changes below would open it." if can_open else f"{first} No change that can be shown opens it."
