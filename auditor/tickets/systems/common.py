"""What several ticket systems share: labels that carry the marker, owner and due day, and the words of a standing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Literal, TypeVar

from auditor.tickets.base import TOOL, Draft, Standing
from auditor.tickets.settings import TicketSettings

_T = TypeVar("_T")
_TENANT = re.compile(rf"{TOOL}-[0-9a-f]{{12}}")

Target = Literal["open", "done", "waived"]
"""Where `System.move` moves a ticket."""


class MappedSettings(TicketSettings, frozen=True, kw_only=True):
    """`owner_field`, `due_field`: the system's fields that take the owner and the due day; empty: only the text says
    them."""

    owner_field: str = ""
    due_field: str = ""


def mapped(draft: Draft, settings: MappedSettings) -> dict[str, Any]:
    """The fields that the config names, with owner and due day where the draft has them."""
    ours = {settings.owner_field: draft.owner, settings.due_field: draft.due}
    return {**(draft.fields or {}), **{name: value for name, value in ours.items() if name and value}}


def labels_of(draft: Draft) -> list[str]:
    """All labels of a ticket, without spaces, each once."""
    labels = (TOOL, draft.tenant, marker_label(draft.marker), *("-".join(label.split()) for label in draft.labels))
    return list(dict.fromkeys(label for label in labels if label))


def marker_label(marker: str) -> str:
    return f"{TOOL}-{marker}"


def marker_in(labels: Iterable[str]) -> str:
    """The marker among a ticket's labels; empty where none is there."""
    for label in labels:
        if label.startswith(f"{TOOL}-") and not _TENANT.fullmatch(label):
            return label.removeprefix(f"{TOOL}-")
    return ""


def standing_of(state: str, *, done: Collection[str], declined: Collection[str]) -> Standing:
    """By the system's word for the state, in any letter case."""
    if same(state, declined):
        return "declined"
    return "done" if same(state, done) else "open"


def same(word: str, words: Collection[str]) -> bool:
    return word.casefold() in {other.casefold() for other in words}


def chunks(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
