"""What the parts of the ticket room share: what a ticket is about, how it is told, and what a ticket system can do.

The plan is pure (`plan`), the systems are thin (`systems/`), and only `sync` writes. Words:

| word | means |
|---|---|
| topic | what one ticket is about: one finding, or several under one heading (per rule, sender or owner) |
| marker | the topic's id as it stands in the ticket (label, tag, correlation id, property); it is found again by it |
| draft | the ticket as this run would write it |
| ticket | what the system holds under a marker |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from auditor.findings.base import Severity

TOOL = "tenant-auditor"
"""How every ticket of ours is labelled, whatever it is about."""

Standing = Literal["open", "done", "declined"]
"""`declined`: closed by a person who will not do it (won't do, not planned, duplicate); never reopened by us."""


# --- text, before a system's own markup ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Link:
    text: str
    url: str


Run = str | Link
"""A piece of a line: plain text, never markup, or a link."""


@dataclass(frozen=True, slots=True)
class Heading:
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Bullets:
    items: tuple[tuple[Run, ...], ...]


@dataclass(frozen=True, slots=True)
class Table:
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Heading | Paragraph | Bullets | Table
Text = tuple[Block, ...]
"""A ticket's body or a comment. `markup` writes it as plain text, Markdown, HTML, wiki markup or ADF."""


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    content: bytes
    media_type: str = "text/csv"


# --- tickets ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Draft:
    """A ticket as this run would write it. `marker` names the topic, `tenant` (`tenant-auditor-` and 12 hex digits) all
    tickets of one audited tenant. `title` is one line. `fields`: the system's own fields, from the config."""

    marker: str
    tenant: str
    title: str
    body: Text
    severity: Severity
    owner: str = ""
    due: str = ""
    """a day, ISO 8601"""
    labels: tuple[str, ...] = ()
    fields: Mapping[str, Any] | None = None
    attachments: tuple[Attachment, ...] = ()
    run: str = ""
    """the moment that the run was judged for, ISO 8601"""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a system holds. `handle` is its own id for calls, `key` what people write (`OPS-12`, `#34`); `state` is the
    system's own word for the standing."""

    handle: str
    key: str
    url: str
    marker: str
    standing: Standing
    state: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The system's answer to one draft that it did not take; `reason` names field and problem, without our text."""

    marker: str
    reason: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What the vendor documents, in characters and pieces; 0 is no known limit. A longer title or body is cut by
    whoever renders it, with a note where the whole is."""

    title: int
    body: int
    batch: int = 1
    """drafts that one request makes"""
    index_lag: float = 0.0
    """seconds within which a new ticket may not be found by its marker yet"""
    readable: bool = True
    """False: the system tells nothing of what it holds, so the journal's word is taken for it (`find` is not called)"""


class System(Protocol):
    """One ticket system, signed in and pointed at one project. Every method raises `TicketError` (auditor.errors)
    where the service refuses, is not reached, or stays throttled after the retries of `http`."""

    limits: Limits

    def check(self) -> None:
        """That the credential, the project and the fields named in the config are there; writes nothing."""

    def find(self, tenant: str, recent: Sequence[str] = ()) -> list[Ticket]:
        """Every ticket that carries the tenant's label, open or not, in pages: never a request per ticket. `recent`:
        handles made lately, which a lagging index may not show yet."""

    def create(self, drafts: Sequence[Draft]) -> Iterator[Ticket | Refused]:
        """Makes the tickets with their markers in the same call that makes them, and yields each as soon as the system
        has said so, in order: what was yielded stands in the journal before the next request is sent. Does not attach:
        `sync` calls `attach` for each of `draft.attachments` afterwards, so that a crash in between can be mended."""

    def rewrite(self, ticket: Ticket, draft: Draft) -> None:
        """Replaces what we own, the body; title, assignee, state and everything else are people's."""

    def comment(self, ticket: Ticket, text: Text) -> None: ...

    def attach(self, ticket: Ticket, attachment: Attachment) -> None: ...

    def move(self, ticket: Ticket, to: Literal["open", "done", "waived"], text: Text) -> None:
        """Closes, reopens, or moves to the state that the config names for accepted findings (`waived_state`; never
        called with "waived" where it names none), with `text` as the comment that says why."""
