"""Which replies of the catalogue stand in a pasted text.

The text decides. A reply counts where one of its phrases stands, or one of its general phrases beside its own code, or
where a code with a single meaning stands alone. A code with many meanings and an unknown text is no match: it is told
apart as not recognised. Adding text to a paste adds matches and never takes one away.
"""

from __future__ import annotations

import bisect
import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from auditor.explain.pasted import Code, Reading, squeeze
from auditor.replies import REPLIES, Reply

By = Literal["text", "code"]

LEAD = squeeze("Authentication unsuccessful")
"""how every text of 5.7.139 begins; a general phrase right behind it needs no code"""
LEAD_CODE = "5.7.139"
BEFORE, AFTER = 60, 40
"""How many letters a general phrase may stand behind its code, or before it: some clients print the code last."""
SEGMENT = 600
"""How many letters behind a code may still belong to it."""
WRAPPERS = frozenset({"not-authenticated", "not-authenticated-anonymous"})
"""Replies that Exchange repeats at MAIL FROM, with the reply that matters behind "Error:"."""
WRAPS = squeeze("Error:")


@dataclass(frozen=True, slots=True)
class Match:
    """A reply of the catalogue in a text: the first line where it stands, the code as it stands there (empty if none),
    whether text or code told it, and how often it stands. `wraps`: the code of the inner reply where this one is only
    its wrapper, which then points at nothing itself."""

    reply: Reply
    line: int
    code: str
    by: By
    times: int
    wraps: str = ""

    @property
    def blockers(self) -> tuple[str, ...]:
        return () if self.wraps else self.reply.blockers


@dataclass(frozen=True, slots=True)
class Unrecognised:
    """A refusal whose text is not in the catalogue: the first line where its code stands so, and how often it does.
    `said` is the text there as a stream holds it: for comparing, never for showing, because it may hold a secret."""

    line: int
    code: str
    enhanced: str
    said: str
    certain: bool
    """three digits stand before the code; without them it may be a version number"""
    times: int = 1


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a reply stands in a stream."""

    start: int
    end: int
    reply: Reply
    by: By
    general: bool = False
    """told by a phrase that needed a code beside it"""


_Entry = tuple[tuple[int, int], Match]
"""A match behind its order in the text."""


def find(views: Sequence[Reading]) -> tuple[list[Match], list[Unrecognised]]:
    """The matches in the order of the text, an inner reply before its wrapper, each reply once; and the refusals that
    no reading recognised."""
    found: dict[str, _Entry] = {}
    known: set[tuple[int, str]] = set()
    unknown: list[Unrecognised] = []
    for view in views:
        places = _places(view)
        for reply_id, entry in _matches(view, places).items():
            found[reply_id] = _joined(found[reply_id], entry) if reply_id in found else entry
        known |= {(code.line, code.enhanced) for code in view.codes if _of(view, code, places)}
        unknown = list(_unrecognised(view, places))  # the last reading is the one in which everything is undone
    matches = [match for _, match in sorted(found.values(), key=lambda entry: entry[0])]
    return matches, _by_their_code(one for one in unknown if (one.line, one.enhanced) not in known)


def covers(reply: Reply, enhanced: str) -> bool:
    """Whether an enhanced code is one of the reply's."""
    number = _number(enhanced)
    return any(low <= number <= high for _, low, high in codes_of(reply))


@functools.cache
def codes_of(reply: Reply) -> tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...]:
    """(three digits or empty, first, last enhanced code) of each alternative in `Reply.code`."""
    result, basic = [], ""
    for part in reply.code.split(" / "):
        parsed = re.fullmatch(r"(?:(\d{3}) )?(\d\.\d+\.\d+)(?: - (\d\.\d+\.\d+))?", part)
        assert parsed, f"{reply.id}: {part}"
        basic = parsed[1] or basic
        result.append((basic, _number(parsed[2]), _number(parsed[3] or parsed[2])))
    return tuple(result)


def _number(enhanced: str) -> tuple[int, ...]:
    return tuple(map(int, enhanced.split(".")))


def _places(view: Reading) -> list[_Place]:
    by_text = _without_contained(_by_text(view))
    return _told_once(view, sorted([*by_text, *_by_code(view, by_text)], key=lambda place: (place.start, place.end)))


_PHRASES = tuple(
    (squeeze(phrase), reply, general)
    for reply in REPLIES
    for phrases, general in ((reply.phrases, False), (reply.beside_code, True))
    for phrase in phrases
)


def _by_text(view: Reading) -> Iterator[_Place]:
    for phrase, reply, general in _PHRASES:
        at = view.stream.find(phrase)
        while at >= 0:
            end = at + len(phrase)
            led = at >= len(LEAD) and view.stream.startswith(LEAD, at - len(LEAD))
            start = at - len(LEAD) if led else at
            if not general or (led and covers(reply, LEAD_CODE)) or _beside(view, reply, start, end):
                yield _Place(start, end, reply, "text", general)
            at = view.stream.find(phrase, at + 1)


def _beside(view: Reading, reply: Reply, start: int, end: int) -> bool:
    """Does the text stand beside one of the reply's codes? Right behind another code it is that one's text."""
    before = view.code_before(start)
    if before and start - before.at <= BEFORE + 1 and covers(reply, before.enhanced):
        return True
    if before and start == before.at + 1:
        return False
    after = view.code_after(end)
    return after is not None and after.at - end <= AFTER and covers(reply, after.enhanced)


def _by_code(view: Reading, by_text: Sequence[_Place]) -> Iterator[_Place]:
    """Codes with one meaning, where no text tells it already."""
    for code in view.codes:
        fitting = [reply for reply in REPLIES if reply.by_code and _same(reply, code)] if code.certain else []
        if len(fitting) == 1 and not any(covers(place.reply, code.enhanced) for place in _of(view, code, by_text)):
            yield _Place(code.at, code.at + 1, fitting[0], "code")


def _same(reply: Reply, code: Code) -> bool:
    """The enhanced code, and the three digits where both are known."""
    number = _number(code.enhanced)
    return any(
        low <= number <= high and (not basic or not code.basic or basic == code.basic)
        for basic, low, high in codes_of(reply)
    )


def _of(view: Reading, code: Code, places: Sequence[_Place]) -> Sequence[_Place]:
    """The places that belong to a code: from it to the next one. `places` are in the order of the stream."""
    end = min(view.end_of(code), code.at + SEGMENT)
    first = bisect.bisect_left(places, code.at, key=lambda place: place.start)
    last = bisect.bisect_left(places, end, key=lambda place: place.start)
    return places[first:last]


def _without_contained(places: Iterable[_Place]) -> list[_Place]:
    """Without the phrases that are only a part of a longer one that was found."""
    kept: list[_Place] = []
    outer = (-1, -1)
    for place in sorted(places, key=lambda place: (place.start, -place.end)):
        if place.end > outer[1]:
            outer = (place.start, place.end)
        if (place.start, place.end) == outer:
            kept.append(place)
    return kept


def _told_once(view: Reading, places: Sequence[_Place]) -> list[_Place]:
    """One reply may name its cause twice, by its code's own text and by an exception: the first kind is enough."""

    def told(place: _Place) -> bool:
        code = view.code_before(place.start)
        if place.by == "code" or place.general or not place.reply.blockers or code is None:
            return False
        if place.start >= code.at + SEGMENT or covers(place.reply, code.enhanced):
            return False
        return any(
            covers(other.reply, code.enhanced) and other.reply.blockers == place.reply.blockers
            for other in _of(view, code, places)
        )

    return [place for place in places if not told(place)]


def _matches(view: Reading, places: Sequence[_Place]) -> dict[str, _Entry]:
    """Reply id → (its order in the text, match)."""
    found: dict[str, _Entry] = {}
    for place in places:
        inner = _inner(view, place)
        # A wrapper comes behind everything that belongs to the reply it wraps.
        at = view.end_of(inner) if inner else place.start
        order = (view.line(min(at, len(view.stream) - 1)), at)
        match = Match(
            place.reply,
            view.line(place.start),
            _code_of(view, place),
            place.by,
            1,
            inner.text if inner else "",
        )
        entry = (order, match)
        found[place.reply.id] = _again(found[place.reply.id], entry) if place.reply.id in found else entry
    return found


def _inner(view: Reading, place: _Place) -> Code | None:
    """The code of the reply that this one wraps."""
    if place.reply.id not in WRAPPERS or place.by == "code":
        return None
    code = view.code_after(place.end)
    return code if code and view.stream[place.end : code.at] == WRAPS else None


def _code_of(view: Reading, place: _Place) -> str:
    if place.by == "code":
        code = view.code_after(place.start)
        return code.text if code else ""
    code = view.code_before(place.start)
    own = code and place.start < code.at + SEGMENT and covers(place.reply, code.enhanced)
    return code.text if code and own else ""


def _again(first: _Entry, second: _Entry) -> _Entry:
    """The same reply twice in one text: the first place counts, and it wraps only if it does so everywhere."""
    order, match = first
    if match.wraps and not second[1].wraps:
        order, match = second
    by: By = "text" if "text" in (first[1].by, second[1].by) else "code"
    return order, replace(match, by=by, times=first[1].times + 1)


def _joined(first: _Entry, second: _Entry) -> _Entry:
    """The same reply in two readings of one text: they show the same places, perhaps not all of them."""
    order, match = min(first, second, key=lambda entry: (entry[1].by != "text", not entry[1].wraps, entry[0]))
    return order, replace(match, times=max(first[1].times, second[1].times))


def _by_their_code(unknown: Iterable[Unrecognised]) -> list[Unrecognised]:
    """One entry per code, so that a log with thousands of lines is told in a few."""
    first: dict[str, Unrecognised] = {}
    for one in unknown:
        before = first.get(one.code)
        first[one.code] = replace(before, times=before.times + 1) if before else one
    return list(first.values())


def _unrecognised(view: Reading, places: Sequence[_Place]) -> Iterator[Unrecognised]:
    """Refusals whose own text is none of the catalogue's."""
    for code in view.codes:
        if code.refuses and not _of(view, code, places):
            said = view.stream[code.at + 1 : min(view.end_of(code), code.at + 1 + SEGMENT)]
            yield Unrecognised(code.line, code.text, code.enhanced, said.removeprefix(LEAD), bool(code.basic))
