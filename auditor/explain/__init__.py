"""From an SMTP error that somebody pasted to the blockers it points at.

`explain(text)` is pure and light: no network, no file, no numpy. `auditor.explain.join` puts an explanation beside a
judged tenant and is imported only then; `auditor.explain.show` renders both.
"""

from __future__ import annotations

from auditor.explain.find import Match, Unrecognised, find
from auditor.explain.nearest import Near, hints, meanings, nearest
from auditor.explain.pasted import decode, readings
from auditor.explain.result import Explanation, Joined, Standing

__all__ = ["Explanation", "Joined", "Match", "Near", "Standing", "Unrecognised", "decode", "explain", "meanings"]


def explain(text: str) -> Explanation:
    """The replies in a text, in order, or where none is known what comes nearest. Never raises."""
    views = readings(text)
    matches, unknown = find(views)
    unrecognised = [one for one in unknown if one.certain]
    if matches:
        return Explanation(matches, unrecognised)
    # Without anything better, a bare 5.7.139 is worth telling; beside a reply it may be anything.
    unrecognised = unrecognised or [one for one in unknown if meanings(one)]
    known = {near.reply.id: near for one in unrecognised for near in meanings(one)}
    return Explanation([], unrecognised, list(known.values()) or nearest(views), hints(views))
