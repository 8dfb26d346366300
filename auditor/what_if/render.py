"""The answer for machines (JSON) and for people (text). Text from the tenant is shown with its control characters as
pictures, and texts of both kinds are the same on every machine."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from auditor.states import Reason
from auditor.what_if.compare import BlockerChange, Shift, WhatIf

SCHEMA = 1
WIDTH = 110
NAMED = 10
"""How many accounts that change in the same way are named in the text; the JSON names all."""


def as_json(answer: WhatIf) -> str:
    """One document: what was changed, counts, and every case that changes. ASCII, so that any console can hold it."""
    judgement = answer.before
    senders = sum(shift.sender is not None for shift in answer.shifts)
    document = {
        "schema": SCHEMA,
        "tenant_id": judgement.tenant.tenant_id,
        "now": judgement.tenant.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "changes": [{"option": list(change.option), "text": change.text} for change in answer.changes],
        "notes": list(answer.notes),
        "counts": {
            "accounts": len(answer.shifts) - senders,
            "senders": senders,
            "judged_accounts": judgement.cases.accounts,
            "judged_senders": len(judgement.sender_cases()),
            "transitions": {
                name: [{"before": pair[0], "after": pair[1], "count": counter[pair]} for pair in sorted(counter)]
                for name, counter in answer.counts.items()
            },
        },
        "changed": [_case(answer, shift) for shift in answer.shifts],
    }
    return json.dumps(document, indent=2)


def _case(answer: WhatIf, shift: Shift) -> Mapping[str, Any]:
    accounts = answer.before.tenant.accounts
    return {
        "sender": shift.sender.name if shift.sender else None,
        "user_id": accounts.id[shift.row],
        "user_principal_name": accounts.user_principal_name[shift.row],
        **{name: {"before": before, "after": after} for name, before, after in shift.fields},
        "reasons": [
            {"blocker": one.blocker, "client": one.client, "before": _reason(one.before), "after": _reason(one.after)}
            for one in shift.reasons
        ],
    }


def _reason(reason: Reason) -> Mapping[str, Any]:
    return {"state": reason.state.word, "text": reason.text, "facts": [list(fact) for fact in reason.facts]}


def as_text(answer: WhatIf) -> str:
    """For people: the changes, then senders and accounts, together where they change in the same way."""
    return "\n".join(map(printable, _lines(answer)))


def _lines(answer: WhatIf) -> Iterator[str]:
    yield "What if:" if answer.changes else "What if nothing changes:"
    yield from (f"  {change.text}" for change in answer.changes)
    yield from (f"  (note: {note})" for note in answer.notes)
    senders = [shift for shift in answer.shifts if shift.sender]
    others = [shift for shift in answer.shifts if not shift.sender]
    judged = answer.before.cases.accounts
    yield ""
    if not answer.shifts:
        yield f"Nothing changes: every verdict of {_count(judged, 'account')} stays as it is."
        return
    yield (
        f"Changes: {len(senders)} of {_count(len(answer.before.sender_cases()), 'declared sender')}, "
        f"{len(others)} of {_count(judged, 'account')}."
    )
    for name, counter in answer.counts.items():
        pairs = ", ".join(f"{counter[pair]:,} {_arrow(*pair)}" for pair in sorted(counter))
        if pairs:
            yield f"  {_label(name)}: {pairs}"
    for alike in (*_alike(senders), *_alike(others)):
        yield ""
        yield from wrapped(_who(answer, alike), "")
        yield from _what(alike[0])


def _who(answer: WhatIf, shifts: Sequence[Shift]) -> str:
    upns = answer.before.tenant.accounts.user_principal_name
    senders = [f"{shift.sender.name} ({upns[shift.row]})" for shift in shifts if shift.sender]
    if senders:
        return f"Sender{'' if len(senders) == 1 else 's'} {', '.join(senders)}"
    names = [upns[shift.row] for shift in shifts]
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"{_count(len(names), 'account')}: {', '.join(names[:NAMED])}{more}"


def _what(shift: Shift) -> Iterator[str]:
    for name, before, after in shift.changed:
        yield f"  {_label(name)}: {_arrow(before, after)}"
    for one in shift.reasons:
        where = " (any client, any place)" if one.client == "any" else ""
        yield f"  {one.blocker}{where}: {_arrow(one.before.state.word, one.after.state.word)}"
        yield from wrapped(f"was: {one.before.text}", "    ")
        yield from wrapped(f"now: {one.after.text}", "    ")


def _alike(shifts: Sequence[Shift]) -> list[list[Shift]]:
    """Cases that change in the same way, for the same reasons, in the order in which they come."""
    groups: dict[tuple[Any, ...], list[Shift]] = {}
    for shift in shifts:
        groups.setdefault((shift.before, shift.after, *map(_same, shift.reasons)), []).append(shift)
    return list(groups.values())


def _same(one: BlockerChange) -> tuple[str, str, str]:
    return one.blocker, one.before.text, one.after.text


def _arrow(before: str, after: str) -> str:
    return f"{before or 'none'} -> {after or 'none'}"


def _label(name: str) -> str:
    return name.replace("_", " ")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        printable(text), WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ",
        break_on_hyphens=False, break_long_words=False,
    )  # fmt: skip


def printable(text: str) -> str:
    """The text with every character that a terminal would act on, or not show, written out."""
    return "".join(letter if letter.isprintable() else _written_out(letter) for letter in text)


def _written_out(letter: str) -> str:
    return f"\\u{ord(letter):04x}"
