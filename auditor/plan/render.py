"""A plan for machines (JSON) and for people (text)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from auditor.plan.model import Closing, ClosingPlan, Have, Loss, Move, Opening, Plan, SenderPlan
from auditor.tenant import Tenant
from auditor.what_if.model import Change
from auditor.what_if.parse import written
from auditor.what_if.render import NAMED, printable, wrapped

SCHEMA = 1
MANY = 6
"""From so many changes on, a text names the first few and counts the rest; the JSON names all."""


def as_json(tenant: Tenant, plan: Plan) -> str:
    """One document, in ASCII."""
    document = {
        "schema": SCHEMA,
        "tenant_id": tenant.tenant_id,
        "now": tenant.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "senders": [_sender(tenant, one) for one in plan.senders],
        "closing": _closing_plan(tenant, plan.closing) if plan.closing else None,
    }
    return json.dumps(document, indent=2)


def _sender(tenant: Tenant, one: SenderPlan) -> Mapping[str, Any]:
    return {
        "sender": one.sender.name,
        "account": one.sender.account,
        "user_id": tenant.accounts.id[one.row] if one.row >= 0 else "",
        "channel": one.channel,
        "verdict": one.verdict,
        "headline": one.headline,
        "safest_exit": one.exit,
        "standing": [
            {"blocker": blocker, "state": reason.state.word, "text": reason.text} for blocker, reason in one.standing
        ],
        "openings": [_opening(opening) for opening in one.openings],
        "why_not": list(one.why),
        "moves": [
            {
                "exit": move.exit,
                "title": move.title,
                "already": move.already,
                "caution": move.caution,
                "requirements": [
                    {"text": need.text, "state": need.state, "detail": need.detail} for need in move.requirements
                ],
            }
            for move in one.moves
        ],
    }


def _opening(opening: Opening) -> Mapping[str, Any]:
    return {
        "changes": [
            {"option": list(step.change.option), "text": step.change.text, "how": step.how, "cost": step.cost}
            for step in opening.steps
        ],
        "exposure": {"before": opening.exposure[0], "after": opening.exposure[1]},
        "password_guessing": {"before": opening.password_guessing[0], "after": opening.password_guessing[1]},
        "other_accounts_more_exposed": opening.others,
        "companion": _change(opening.companion) if opening.companion else None,
        "exposure_with_companion": opening.companion_exposure,
    }


def _change(change: Change) -> Mapping[str, Any]:
    return {"option": list(change.option), "text": change.text}


def _closing_plan(tenant: Tenant, one: ClosingPlan) -> Mapping[str, Any]:
    return {
        "kept": [sender.name for sender in one.kept],
        "remark": one.remark,
        "guessing": one.guessing,
        "windows": one.windows,
        "ways": [_closing(tenant, closing) for closing in one.closings],
    }


def _closing(tenant: Tenant, one: Closing) -> Mapping[str, Any]:
    def names(rows: Sequence[int]) -> list[str]:
        return [tenant.accounts.user_principal_name[row] for row in rows]

    def losses(found: Sequence[Loss]) -> list[Mapping[str, Any]]:
        return [
            {
                "name": loss.who,
                "verdicts": [{"channel": one[0], "before": one[1], "after": one[2]} for one in loss.verdicts],
                "evidence": loss.evidence,
            }
            for loss in found
        ]

    return {
        "title": one.title,
        "text": one.text,
        "changes": [_change(change) for change in one.changes],
        "notes": list(one.notes),
        "exposure": {"before": one.exposure[0], "after": one.exposure[1]},
        "password_guessing": {"before": one.password_guessing[0], "after": one.password_guessing[1]},
        "not_shown_closed": names(one.left),
        "stops": {
            "declared_senders": losses(one.senders),
            "use_seen": losses(one.users),
            "could_not_be_seen": names(one.unseen),
            "no_use_seen_in_the_windows": names(one.quiet),
        },
    }


def as_text(tenant: Tenant, plan: Plan) -> str:
    return "\n".join(map(printable, _lines(tenant, plan)))


def _lines(tenant: Tenant, plan: Plan) -> Iterator[str]:
    for one in plan.senders:
        yield from _sender_lines(one)
        yield ""
    if plan.closing:
        yield from _closing_plan_lines(tenant, plan.closing)


def _sender_lines(one: SenderPlan) -> Iterator[str]:
    yield f"Sender {one.sender.name} ({one.sender.account}), {one.channel}: {one.verdict}"
    yield from wrapped(one.headline, "  ")
    for blocker, reason in one.standing:
        yield from wrapped(f"stands: {blocker} ({reason.state.word}): {reason.text}", "  ")
    for move in one.moves[:1]:
        yield from _move_lines(move, "Move it")
    for number, opening in enumerate(one.openings, 1):
        yield from _opening_lines(number, opening)
    if one.why:
        yield "  No change opens it:"
        for why in one.why:
            yield from wrapped(why, "    ")
    for move in one.moves[1:]:
        yield from _move_lines(move, "Or move it")


def _opening_lines(number: int, opening: Opening) -> Iterator[str]:
    yield "  To open it, safest:" if number == 1 else "  Or to open it:"
    for step in opening.steps:
        yield from wrapped(f"{step.change.text}", "    ")
        yield from wrapped(f"how: {step.how}", "      ")
        yield from wrapped(f"cost: {step.cost}", "      ")
    others = f"; {opening.others:,} other accounts get more exposed" if opening.others else ""
    yield (f"    exposure {_arrow(opening.exposure)}, password guessing {_arrow(opening.password_guessing)}{others}")
    if opening.companion:
        yield from wrapped(
            f"with it, keep the exposure {opening.companion_exposure}: {opening.companion.text} (it stays open)", "    "
        )
    yield f"    try: auditor what-if SNAPSHOT {' '.join(map(written, opening.changes))}"


def _move_lines(move: Move, verb: str) -> Iterator[str]:
    """What is there on one line, what is not with its reason."""
    yield f"  {'The route it takes' if move.already else verb}: {move.title}"
    there = "; ".join(need.text for need in move.of_state("have"))
    if there:
        yield from wrapped(f"there: {there}", "    ")
    words: tuple[Have, ...] = ("missing", "unknown")
    for word in words:
        for need in move.of_state(word):
            yield from wrapped(f"{word}: {need.text}. {need.detail}", "    ")
    yield from wrapped(f"mind: {move.caution}", "    ")


def _closing_plan_lines(tenant: Tenant, one: ClosingPlan) -> Iterator[str]:
    yield "To close basic SMTP for everyone but the declared senders"
    nobody = "nobody, because no sender with basic authentication is declared (--config)"
    yield from wrapped(f"kept: {', '.join(sender.name for sender in one.kept) or nobody}", "  ")
    if one.remark:
        yield from wrapped(one.remark, "  ")
    yield from wrapped(one.guessing, "  ")
    yield from wrapped(f"Sources of use: {one.windows}.", "  ")
    for closing in one.closings:
        yield ""
        yield from _closing_lines(tenant, closing)


def _closing_lines(tenant: Tenant, one: Closing) -> Iterator[str]:
    yield f"  {one.title}"
    yield from wrapped(one.text, "    ")
    for change in one.changes[:MANY]:
        yield from wrapped(f"- {change.text}", "    ")
    if len(one.changes) > MANY:
        yield f"    - and {len(one.changes) - MANY:,} more changes (--format json names all)"
    for note in one.notes:
        yield from wrapped(f"(note: {note})", "    ")
    yield f"    exposure of all others: {_numbers(one.exposure[0])} -> {_numbers(one.exposure[1])}"
    yield f"    password guessing: {_numbers(one.password_guessing[0])} -> {_numbers(one.password_guessing[1])}"
    yield from _named(tenant, "not shown to be closed", one.left)
    for what, losses in (("declared senders it stops", one.senders), ("accounts it stops that were seen", one.users)):
        yield f"    {what}: {len(losses):,}"
        for loss in losses[:NAMED]:
            verdicts = ", ".join(f"{channel} {before} -> {after}" for channel, before, after in loss.verdicts)
            yield from wrapped(f"{loss.who}: {verdicts}; {loss.evidence}", "      ")
        if len(losses) > NAMED:
            yield f"      and {len(losses) - NAMED:,} more"
    yield from _named(tenant, "accounts it stops whose use could not be seen", one.unseen)
    yield from _named(tenant, "accounts it stops that showed no use in these windows", one.quiet)


def _named(tenant: Tenant, what: str, rows: Sequence[int]) -> Iterator[str]:
    names = [tenant.accounts.user_principal_name[row] for row in rows]
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    text = f": {', '.join(names[:NAMED])}{more}" if names else ""
    yield from wrapped(f"{what}: {len(names):,}{text}", "    ")


def _numbers(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {word}" for word, count in sorted(counts.items())) or "nobody"


def _arrow(pair: tuple[str, str]) -> str:
    return f"{pair[0]} -> {pair[1]}"
