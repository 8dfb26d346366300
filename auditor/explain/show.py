"""An explanation as text for people and as JSON for programs; the JSON's names are the contract's."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from auditor.explain.find import Match, Unrecognised
from auditor.explain.nearest import Near, meanings
from auditor.explain.result import ADVICE_OF, Explanation, Joined, Standing
from auditor.replies import Reply

WIDTH = 100
LABEL = 14
FEW = 2
"""A reply that points at more blockers than this names no cause, so no way out is listed for each."""
VISIBLE = {"confirmed": "Confirmed", "contradicted": "Contradicted", "not_visible": "Not visible"}
SURE = {
    "documented": "documented by Microsoft",
    "observed": "seen in public logs, with an agreed meaning",
    "unverified": "not verified: the text was seen, its cause is not known for certain",
}


def as_json(explanation: Explanation) -> str:
    """One JSON object, ASCII, with a line feed at its end."""
    document: dict[str, Any] = {"matches": [_match_json(match) for match in explanation.matches]}
    if not explanation.matches:
        document["nearest"] = [_near_json(near) for near in explanation.nearest]
        document["hints"] = list(explanation.hints)
    document["unrecognised"] = [
        {
            "code": unknown.code,
            "line": unknown.line,
            "times": unknown.times,
            "meanings": [near.reply.id for near in meanings(unknown)],
        }
        for unknown in explanation.unrecognised
    ]
    document["also_check"] = list(explanation.also_check)
    document["joined"] = _joined_json(explanation.joined) if explanation.joined else None
    return json.dumps(document, indent=2) + "\n"


def _match_json(match: Match) -> dict[str, Any]:
    return {
        "reply": match.reply.id,
        "blockers": list(match.blockers),
        "confidence": match.reply.confidence,
        "source": match.reply.source,
        "code": match.code or match.reply.code,
        "text": match.reply.text,
        "meaning": match.reply.meaning,
        "line": match.line,
        "times": match.times,
        "by": match.by,
        "wraps": match.wraps,
        "first": _first(match.reply),
    }


def _near_json(near: Near) -> dict[str, Any]:
    reply = near.reply
    return {
        "reply": reply.id,
        "code": reply.code,
        "text": reply.text,
        "blockers": list(reply.blockers),
        "likeness": near.likeness,
    }


def _joined_json(joined: Joined) -> dict[str, Any]:
    told = [*joined.standings, *joined.also_stands]
    return {
        "account": joined.account,
        "confirmed": joined.of("confirmed"),
        "contradicted": joined.of("contradicted"),
        "not_visible": joined.of("not_visible"),
        "also_stands": [standing.blocker for standing in joined.also_stands],
        "reasons": {standing.blocker: standing.reason for standing in told},
        "deciding_blocker": joined.deciding_blocker,
        "first": joined.first,
        "basic": joined.basic,
        "oauth": joined.oauth,
        "safest_exit": joined.safest_exit,
        "now": joined.now,
    }


def as_text(explanation: Explanation) -> str:
    """For a terminal: plain ASCII of our own, with a line feed at its end."""
    parts = [_match(match) for match in explanation.matches]
    if not explanation.matches:
        parts.append(_nothing(explanation))
    parts += [_unrecognised(unknown) for unknown in explanation.unrecognised]
    parts += [[_wrapped("", hint)] for hint in explanation.hints]
    if explanation.matches:
        parts.append([_not_proven(explanation)])
    if explanation.joined:
        parts.append(list(_joined(explanation.joined)))
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _match(match: Match) -> list[str]:
    reply = match.reply
    lines = [
        f"{_place(match.line, match.times)}: {match.code or reply.code}",
        _wrapped("", reply.text if match.by == "text" else f"{reply.text} (told by its code alone)"),
        _wrapped("Means", reply.meaning),
    ]
    if match.wraps:
        return [*lines, _wrapped("Only wraps", f"the reply {match.wraps} behind it, which is the one to read")]
    for number, blocker in enumerate(match.blockers):
        lines.append(_wrapped("or" if number else "Points at", f"{blocker}: {ADVICE_OF[blocker].title}"))
    if not match.blockers:
        lines.append(_wrapped("Points at", "none of the blockers that this program judges"))
    lines.append(_wrapped("How sure", f"{SURE[reply.confidence]} ({reply.source})"))
    lines.append(_wrapped("Do first", _first(reply)))
    if len(match.blockers) > FEW:
        return lines
    return lines + [line for blocker in match.blockers for line in _way_out(reply, blocker)]


def _place(line: int, times: int) -> str:
    return f"Line {line}, {times} times in all" if times > 1 else f"Line {line}"


def _first(reply: Reply) -> str:
    """The reply's own first step, else the remedy of the first blocker that it points at."""
    return reply.first or ADVICE_OF[reply.blockers[0]].remedy


def _way_out(reply: Reply, blocker: str) -> Iterator[str]:
    advice = ADVICE_OF[blocker]
    if advice.remedy != _first(reply):
        yield _wrapped("Way out", f"{blocker}: {advice.remedy}")
    yield _wrapped("Its risk", advice.remedy_risk)


def _nothing(explanation: Explanation) -> list[str]:
    lines = ["No reply of the catalogue was found in the text."]
    if not any(meanings(unknown) for unknown in explanation.unrecognised):
        lines.append("Nearest, which is no match:")
        lines += [_near(near) for near in explanation.nearest]
    return lines


def _near(near: Near) -> str:
    reply = near.reply
    return _wrapped(f"{near.likeness:.0%} alike" if near.likeness else "-", f"{reply.code} {reply.text} ({reply.id})")


def _unrecognised(unknown: Unrecognised) -> list[str]:
    known = meanings(unknown)
    lines = [f"{_place(unknown.line, unknown.times)}: {unknown.code}, but no known text of it."]
    if not known:
        return [*lines, _wrapped("", "The code is not in the catalogue either; it may be another server's.")]
    lines.append(_wrapped("", "The text decides; it was not found. What the code is known to mean, likest first:"))
    return lines + [_near(near) for near in known]


def _not_proven(explanation: Explanation) -> str:
    text = "A reply names at most the first thing that Exchange met: other blockers may stand behind it."
    if explanation.also_check:
        text += f" Check also, in this order: {', '.join(explanation.also_check)}."
    return _wrapped("Not proven", text)


def _joined(joined: Joined) -> Iterator[str]:
    yield f"What the tenant shows for {joined.account}, judged for {joined.now}:"
    yield _wrapped("Verdicts", f"basic {joined.basic}, oauth {joined.oauth}; safest exit {joined.safest_exit}")
    for visible, label in VISIBLE.items():
        yield from _standings(label, [one for one in joined.standings if one.visible == visible])
    yield from _standings("Also stands", joined.also_stands)
    yield _wrapped("Do first", joined.first)


def _standings(label: str, standings: Sequence[Standing]) -> Iterator[str]:
    for standing in standings:
        who = f" (sender {standing.case})" if standing.case else ""
        yield _wrapped(label, f"{standing.blocker}{who}: {standing.reason}")


def _wrapped(label: str, text: str) -> str:
    """A labelled paragraph; words are not broken, so that addresses can be copied."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=f"  {label:<{LABEL}}" if label else "  ",
        subsequent_indent=" " * (LABEL + 2) if label else "  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
