"""What a comment in a ticket says: always which run it speaks of, never a name that the run does not hold. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditor.diff import Document, FactChange, FindingChange
from auditor.tickets.base import Block, Bullets, Paragraph, Text
from auditor.tickets.news import News
from auditor.tickets.source import text

_LISTED = 30
_SHOWN = 300
"""Characters of a fact's value in a comment."""


def changed(news: News, run: str) -> Text:
    blocks: list[Block] = [_line(f"What changed by the run of {run}:")]
    blocks += _list("Added", (_named(change) for change in news.added))
    blocks += _list("Changed", (f"{_named(change)}: {_facts(change.facts, change.note)}" for change in news.changed))
    blocks += _list("Fixed, and all that they rest on was read whole", (_fixed(change) for change in news.fixed))
    blocks += _list("Could not be checked", (_unread(change) for change in news.unread))
    blocks += _list("Checked again, and it stands", (_titled(document) for document in news.again))
    return tuple(blocks)


def closed(news: News, run: str) -> Text:
    head = f"Closed: by the run of {run} this is gone, and all the data that it rests on was read whole."
    return (_line(head), *_list("Fixed", (_fixed(change) for change in news.fixed)))


def unchecked(news: News, run: str) -> Text:
    head = f"In the run of {run} this was not found, but that proves nothing: it could not be checked. It stays open."
    blocks: list[Block] = [_line(head), *_list("Could not be checked", (_unread(change) for change in news.unread))]
    return (*blocks, *_list("Fixed, and all that they rest on was read whole", (_fixed(one) for one in news.fixed)))


def unknown(run: str) -> Text:
    return (
        _line(
            f"In the run of {run} nothing stands under this ticket, but it is not known what it stood for (the journal "
            "does not say), so nothing was proved. It stays open; close it by hand if it is done."
        ),
    )


def reopened(news: News, run: str, why: str) -> Text:
    return (_line(f"Reopened: {why}"), *changed(news, run)[1:], _line(f"Run of {run}."))


def stands(documents: Sequence[Document], run: str) -> Text:
    head = (
        f"This was closed as done, and still stands by the run of {run}. It stays closed; reopen it if work is left "
        "to do."
    )
    return (_line(head), *_list("Stands", map(_titled, documents)))


def accepted(documents: Sequence[Document], run: str) -> Text:
    head = f"Accepted: by the run of {run} a waiver stands for all that this ticket is about."
    return (_line(head), *_list("Accepted", map(_titled, documents)))


def duplicate(key: str) -> Text:
    return (_line(f"This is the same as {key}, made twice by two syncs at once. Go on there."),)


def _line(words: str) -> Paragraph:
    return Paragraph((words,))


def _list(heading: str, items: Iterable[str]) -> list[Block]:
    told = list(items)
    if not told:
        return []
    more = [f"and {len(told) - _LISTED:,} more"] if len(told) > _LISTED else []
    return [_line(f"{heading}:"), Bullets(tuple((item,) for item in (*told[:_LISTED], *more)))]


def _named(change: FindingChange) -> str:
    return f"{change.title} ({change.severity}, {change.id})"


def _titled(document: Document) -> str:
    return f"{text(document, 'title')} ({text(document, 'severity')}, {document['id']})"


def _fixed(change: FindingChange) -> str:
    return f"{change.title} ({change.id}). {change.note}".strip().removesuffix(".")


def _unread(change: FindingChange) -> str:
    return f"{change.title} ({change.id}): {change.note or 'the data behind it was not read whole'}"


def _facts(facts: Sequence[FactChange], note: str) -> str:
    told = "; ".join(f"{fact.name}: {_value(fact.before)} → {_value(fact.after)}" for fact in facts)
    return f"{told}. {note}" if note else told


def _value(value: str) -> str:
    shown = " ".join(value.split()) or "(none)"
    return f"{shown[:_SHOWN]}…" if len(shown) > _SHOWN else shown
