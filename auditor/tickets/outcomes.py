"""What a plan or a sync says of itself, action by action and finding by finding: for people, and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from auditor.report.text import clean
from auditor.tickets.plan import KINDS, WRITES
from auditor.tickets.source import text
from auditor.tickets.sync import Outcome

_LISTED = 10
"""Findings of one ticket that the text names; the JSON names all."""


def as_json(outcomes: Sequence[Outcome]) -> str:
    """`{"counts": {kind: n}, "failed": n, "actions": […]}`."""
    return json.dumps(
        {
            "counts": counts(outcomes),
            "failed": sum(outcome.bad for outcome in outcomes),
            "actions": [_action(outcome) for outcome in outcomes],
        },
        indent=2,
        ensure_ascii=False,
    )


def as_text(outcomes: Sequence[Outcome]) -> str:
    """A line for each ticket, its findings below; what stays as it is only counts."""
    lines = [line for outcome in outcomes if outcome.action.kind != "unchanged" for line in _lines(outcome)]
    return "\n".join([*lines, summary(outcomes)])


def summary(outcomes: Sequence[Outcome]) -> str:
    told = ", ".join(f"{count:,} {kind}" for kind, count in counts(outcomes).items())
    failed = Counter(outcome.result for outcome in outcomes if outcome.bad)
    problems = "".join(f"; {count:,} {result}" for result, count in failed.items())
    return f"{told or 'no tickets, and nothing to make one of'}{problems}"


def counts(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """By kind, in the order of KINDS; only what was done, or would be, and what was left."""
    counted = Counter(outcome.action.kind for outcome in outcomes if not outcome.bad)
    return {kind: counted[kind] for kind in KINDS if counted[kind]}


def _lines(outcome: Outcome) -> Iterator[str]:
    action = outcome.action
    key = outcome.ticket.key if outcome.ticket else "(new)" if action.kind == "create" else "–"
    what = action.kind if not outcome.bad else f"{action.kind} {outcome.result}"
    yield f"{what:<12} {key:<12} {action.topic.severity:<9} {action.marker}: {_line(outcome.problem or action.why)}"
    if action.kind not in WRITES and action.kind != "held-back":
        return
    for found in action.topic.chosen[:_LISTED]:
        yield f"    {found['id']}  {_line(text(found, 'title'))}"
    if len(action.topic.chosen) > _LISTED:
        yield f"    and {len(action.topic.chosen) - _LISTED:,} more"


def _line(words: str) -> str:
    return " ".join(clean(words).split())


def _action(outcome: Outcome) -> dict[str, Any]:
    action, ticket = outcome.action, outcome.ticket
    return {
        "action": action.kind,
        "result": outcome.result,
        "marker": action.marker,
        "grouping": action.topic.grouping,
        "severity": action.topic.severity,
        "why": action.why,
        "problem": outcome.problem,
        "ticket": {"key": ticket.key, "url": ticket.url, "state": ticket.state} if ticket else None,
        "findings": [found["id"] for found in action.topic.chosen],
        "accepted": [found["id"] for found in action.topic.accepted],
    }
