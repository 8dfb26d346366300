"""What became of the findings that a ticket speaks of, since it was told. Pure.

Gone is not fixed: `diff` tells one from the other, on the findings as the ticket was told them. Where the run itself
was compared with an earlier one, it may know of a fix that this run alone could not prove.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from auditor.diff import Document, FindingChange, Run, compare, rests_on
from auditor.tickets.journal import Entry
from auditor.tickets.source import Source, text
from auditor.tickets.topics import Topic

_TOLD = (
    "id", "rule", "severity", "outcome", "object_type", "object_id", "object_name", "title", "evidence", "accounts",
    "first_seen",
)  # fmt: skip
"""What the journal keeps of a finding."""

UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class News:
    """`added` … `unread` as `diff` tells them; `again`: findings that could not be checked and now stand. `fresh`: that
    there is something to tell. `findings`: what the ticket speaks of from now on, as the journal keeps it."""

    added: tuple[FindingChange, ...]
    changed: tuple[FindingChange, ...]
    fixed: tuple[FindingChange, ...]
    unread: tuple[FindingChange, ...]
    again: tuple[Document, ...]
    fresh: bool
    findings: Mapping[str, Document]

    @property
    def new_members(self) -> bool:
        """That accounts joined or left, or findings came: the attached table is another."""
        joined = any(fact.name.startswith("accounts that") for change in self.changed for fact in change.facts)
        return bool(self.added or self.fixed) or joined


def news(entry: Entry, topic: Topic, source: Source) -> News:
    """`topic`: what stands under the ticket's marker; one of its marker alone where nothing does."""
    told = entry.findings
    standing = {identity: found for identity, found in topic.standing.items() if identity in told}
    standing |= {document["id"]: document for document in topic.chosen}
    # What stands in another ticket is neither fixed nor news here.
    before = {key: document for key, document in told.items() if key in standing or key not in source.run.findings}
    old = Run(findings={**_gone_of(topic.marker, source, entry), **before}, now=entry.run)
    changes = [
        _settled(change, source, entry.run) for change in compare(old, replace(source.run, findings=standing)).findings
    ]
    kinds: dict[str, list[FindingChange]] = {}
    for change in changes:
        kinds.setdefault(change.kind, []).append(change)
    unread = kinds.get("not-checked", [])
    again = [found for key, found in standing.items() if told.get(key, {}).get(UNCHECKED)]
    added = (*kinds.get("new", ()), *kinds.get("returned", ()))
    changed, fixed = tuple(kinds.get("changed", ())), tuple(kinds.get("fixed", ()))
    kept: dict[str, Document] = {identity: _kept(found, source.run) for identity, found in standing.items()}
    kept |= {change.id: {**_kept(old.findings[change.id], old), UNCHECKED: change.note or "?"} for change in unread}
    kept |= {key: found for key, found in told.items() if key in source.run.findings and key not in standing}
    fresh = bool(added or changed or fixed or again) or any(_changed_reason(change, told) for change in unread)
    return News(added, changed, fixed, tuple(unread), tuple(again), fresh, kept)


def _gone_of(marker: str, source: Source, entry: Entry) -> dict[str, Document]:
    """What the run knows to be gone of this ticket, where the journal does not know the ticket."""
    if entry.run:
        return {}
    return {key: found for key, found in source.run.gone.items() if marker in source.places[key].values()}


def _settled(change: FindingChange, source: Source, told: str) -> FindingChange:
    """A finding that by the run's own history was fixed since it was told, or could not be checked, is that."""
    left = source.run.gone.get(change.id)
    if left is None or change.kind not in ("fixed", "not-checked") or text(left, "gone_since") <= told:
        return change
    if left.get("state") == "not-checked" and change.kind == "fixed":
        return replace(change, kind="not-checked", note=text(left, "reason"))
    if left.get("state") == "fixed" and change.kind == "not-checked":
        return replace(change, kind="fixed", note=text(left, "reason"))
    return change


def _changed_reason(change: FindingChange, told: Mapping[str, Document]) -> bool:
    return told.get(change.id, {}).get(UNCHECKED) != (change.note or "?")


def _kept(document: Document, run: Run) -> dict[str, Any]:
    kept = {name: document[name] for name in _TOLD if name in document}
    return {**kept, "rests_on": rests_on(document, run)}
