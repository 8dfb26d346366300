"""Results of probes as text for people and as JSON for programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from auditor.explain.advice import ADVICE
from auditor.probe.result import Phase, ProbeResult

WIDTH = 110
ENDINGS = {
    "sent": "The test message was taken.",
    "accepted": "The settings work as far as RCPT TO.",
    "refused": "It was refused.",
    "stopped": "The probe could not go on.",
    "unreachable": "The server could not be reached.",
}
SURE = {
    "documented": "documented by Microsoft",
    "observed": "seen in public logs",
    "unverified": "not verified",
    "": "seen on the wire",
}
_ADVICE = {advice.id: advice for advice in ADVICE}


def as_json(results: Sequence[ProbeResult]) -> str:
    """One JSON object, ASCII, with a line feed at its end."""
    return json.dumps({"probes": [_json(result) for result in results]}, indent=2) + "\n"


def _json(result: ProbeResult) -> dict[str, Any]:
    return {
        "sender": result.sender,
        "account": result.account,
        "login": result.login,
        "route": result.route,
        "channel": result.channel,
        "declared": result.declared,
        "contacted": result.contacted,
        "time": result.time,
        "ending": result.ending,
        "phases": [_phase_json(phase) for phase in result.phases],
        "replies": list(result.replies),
        "blockers": list(result.blockers),
        "pointers": [
            {
                "blocker": pointer.blocker,
                "why": pointer.why,
                "reply": pointer.reply,
                "confidence": pointer.confidence,
                "source": pointer.source,
            }
            for pointer in result.pointers
        ],
        "notes": list(result.notes),
    }


def _phase_json(phase: Phase) -> dict[str, Any]:
    return {
        "phase": phase.name,
        "outcome": phase.outcome,
        "detail": phase.detail,
        "reply": {"code": phase.reply.code, "text": phase.reply.text} if phase.reply else None,
        "facts": dict(phase.facts),
    }


def as_text(results: Sequence[ProbeResult]) -> str:
    return "\n".join("\n".join(_lines(result)) + "\n" for result in results)


def _lines(result: ProbeResult) -> Iterator[str]:
    way = {"basic": "password", "oauth": "OAuth", "none": "no sign-in"}[result.channel]
    yield f"{result.sender}: {result.login}, {result.route}, {way}, {result.declared}"
    if result.contacted != result.declared:
        yield f"  probed at {result.contacted}"
    for phase in result.phases:
        yield from phase_lines(phase)
    yield f"  => {ENDINGS[result.ending]}"
    for blocker in result.blockers:
        yield from _pointer_lines(result, blocker)
    for note in result.notes:
        yield from _wrapped(f"Note: {note}", "  ")


def phase_lines(phase: Phase) -> Iterator[str]:
    """One phase: its name and outcome, then what was said and seen."""
    said = " ".join(part for part in (str(phase.reply) if phase.reply else "", phase.detail) if part)
    yield from _wrapped(f"{phase.name:<10} {phase.outcome:<8} {said}".rstrip(), "  ", 20)
    for name, value in phase.facts:
        if value:
            yield from _wrapped(f"{name}: {value}", " " * 22)


def _pointer_lines(result: ProbeResult, blocker: str) -> Iterator[str]:
    pointers = [pointer for pointer in result.pointers if pointer.blocker == blocker]
    for pointer in pointers:
        yield from _wrapped(f"Points at {blocker} ({SURE[pointer.confidence]}): {pointer.why}", "  ")
    if blocker in _ADVICE and len(result.blockers) <= 2:
        yield from _wrapped(f"What to do: {_ADVICE[blocker].remedy}", "    ")


def _wrapped(text: str, margin: str, hanging: int = 2) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=margin, subsequent_indent=margin + " " * hanging, break_on_hyphens=False
    )
