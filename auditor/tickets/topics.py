"""Which findings stand in which ticket. Pure.

A finding stays in the ticket in which it was told as long as that ticket lives: a new grouping in the config, another
owner or another sender make no second ticket for it. What is told nowhere goes where the config's grouping puts it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from auditor.diff import Document
from auditor.findings.base import SEVERITIES, Severity
from auditor.tickets.settings import Grouping, TicketSettings
from auditor.tickets.source import GROUPINGS, Source, text


@dataclass(frozen=True, slots=True)
class Topic:
    """What one ticket is about. `chosen`: the findings that it is made for, worst first; `accepted`: those that a
    waiver stands for; `others`: those that stand, and that the config does not choose."""

    marker: str
    grouping: Grouping
    heading: str
    chosen: tuple[Document, ...] = ()
    accepted: tuple[Document, ...] = ()
    others: tuple[Document, ...] = ()

    @property
    def severity(self) -> Severity:
        """The worst that is chosen."""
        return severity(self.chosen[0]) if self.chosen else "info"

    @property
    def standing(self) -> dict[str, Document]:
        """All that stand, by id."""
        return {document["id"]: document for document in (*self.chosen, *self.accepted, *self.others)}


def topics(
    source: Source,
    settings: TicketSettings,
    live: Collection[str] = (),
    told: Mapping[str, Collection[str]] | None = None,
) -> dict[str, Topic]:
    """Marker → topic, of all that stands. `live`: the markers of tickets that are not done; `told`: marker → ids of the
    findings that its ticket speaks of, as far as that is known."""
    speaking: dict[str, list[str]] = {}
    for marker, ids in (told or {}).items():
        for identity in ids if marker in live else ():
            speaking.setdefault(identity, []).append(marker)
    placed: dict[str, list[Document]] = {}
    for identity, document in source.run.findings.items():
        own = source.places[identity]
        lives_in = speaking.get(identity) or sorted({marker for marker in own.values() if marker in live})
        for marker in lives_in or [own[settings.group_by]]:
            placed.setdefault(marker, []).append(document)
    return {marker: _topic(marker, documents, source, settings) for marker, documents in placed.items()}


def grouping_of(marker: str) -> Grouping:
    """The grouping that a marker belongs to."""
    return next((grouping for grouping in GROUPINGS[1:] if marker.startswith(f"by-{grouping}-")), "finding")


def severity(document: Document) -> Severity:
    """A finding's severity; the lowest where a foreign file holds another word."""
    return next((word for word in SEVERITIES if word == document.get("severity")), "info")


def _topic(marker: str, documents: list[Document], source: Source, settings: TicketSettings) -> Topic:
    parts: dict[str, list[Document]] = {"chosen": [], "accepted": [], "others": []}
    for document in sorted(documents, key=lambda document: (SEVERITIES.index(severity(document)), document["id"])):
        parts[_part(document, settings)].append(document)
    heading = source.headings.get(marker, "") or text(documents[0], "rule")
    return Topic(marker, grouping_of(marker), heading, **{name: tuple(found) for name, found in parts.items()})


def _part(document: Document, settings: TicketSettings) -> str:
    outcome = document.get("outcome")
    severe = SEVERITIES.index(severity(document)) <= SEVERITIES.index(settings.min_severity)
    if severe and outcome in settings.outcomes:
        return "chosen"
    return "accepted" if outcome == "waived" else "others"
