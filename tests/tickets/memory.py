"""A ticket system in memory, for the laws of the plan and the sync: no network, the same promises as a real one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from scenarios import Seen

from auditor.clock import BlockingClock
from auditor.tickets import markup
from auditor.tickets.base import Attachment, Draft, Limits, Refused, Text, Ticket
from auditor.tickets.settings import TicketSettings


@dataclass
class Held:
    ticket: Ticket
    tenant: str
    made: float
    body: str
    comments: list[str] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    assignee: str = ""


class Memory:
    """`disturb(call, marker, before)` is called before and after every effect, and may raise. `calls` lists them."""

    def __init__(self, clock: BlockingClock, limits: Limits | None = None) -> None:
        self.limits = limits or Limits(title=255, body=32_767)
        self.clock = clock
        self.held: dict[str, Held] = {}
        self.calls: list[tuple[str, str]] = []
        self.disturb: Callable[[str, str, bool], None] = lambda call, marker, before: None
        self.refuses: dict[str, str] = {}
        self.settings = TicketSettings(name="memory", system="memory", url="https://tickets.example")

    # --- as the program sees it ---

    def check(self) -> None:
        self.calls.append(("check", ""))

    def find(self, tenant: str, recent: Sequence[str] = ()) -> list[Ticket]:
        self.calls.append(("find", tenant))
        now = self.clock.monotonic()
        return [
            held.ticket
            for handle, held in self.held.items()
            if held.tenant == tenant and (handle in recent or now - held.made >= self.limits.index_lag)
        ]

    def create(self, drafts: Sequence[Draft]) -> Iterator[Ticket | Refused]:
        for draft in drafts:
            self._call("create", draft.marker, before=True)
            if draft.marker in self.refuses:
                yield Refused(draft.marker, self.refuses[draft.marker])
                continue
            handle = str(len(self.held) + 1)
            ticket = Ticket(handle, f"MEM-{handle}", f"https://tickets.example/{handle}", draft.marker, "open", "New",
                            draft.title)  # fmt: skip
            body = markup.plain(draft.body)
            self.held[handle] = Held(ticket, draft.tenant, self.clock.monotonic(), body, assignee=draft.owner)
            self._call("create", draft.marker, before=False)
            yield ticket

    def rewrite(self, ticket: Ticket, draft: Draft) -> None:
        self._effect("rewrite", ticket, lambda held: setattr(held, "body", markup.plain(draft.body)))

    def comment(self, ticket: Ticket, text: Text) -> None:
        self._effect("comment", ticket, lambda held: held.comments.append(markup.plain(text)))

    def attach(self, ticket: Ticket, attachment: Attachment) -> None:
        self._effect("attach", ticket, lambda held: held.files.update({attachment.name: attachment.content}))

    def move(self, ticket: Ticket, to: str, text: Text) -> None:
        def moved(held: Held) -> None:
            standing = "declined" if to == "waived" else to
            state = {"open": "New", "done": "Done", "waived": self.settings.waived_state}[to]
            held.ticket = replace(held.ticket, standing=standing, state=state)
            held.comments.append(markup.plain(text))

        self._effect(f"move {to}", ticket, moved)

    def _effect(self, call: str, ticket: Ticket, change: Callable[[Held], Any]) -> None:
        self._call(call, ticket.marker, before=True)
        change(self.held[ticket.handle])
        self._call(call, ticket.marker, before=False)

    def _call(self, call: str, marker: str, *, before: bool) -> None:
        if before:
            self.calls.append((call, marker))
        self.disturb(call, marker, before)

    # --- as people see it ---

    def system(self) -> Memory:
        return self

    def look(self, ticket: Ticket) -> Seen:
        held = self.held[ticket.handle]
        return Seen(held.ticket.title, held.body, tuple(held.comments), held.assignee, dict(held.files))

    def edit_by_hand(self, ticket: Ticket) -> None:
        held = self.held[ticket.handle]
        held.ticket = replace(held.ticket, title="Edited by hand")
        held.assignee = "someone"

    def close_by_hand(self, ticket: Ticket, *, declined: bool = False) -> None:
        held = self.held[ticket.handle]
        held.ticket = replace(held.ticket, standing="declined" if declined else "done", state="Closed")

    def writes(self) -> list[tuple[str, str]]:
        return [call for call in self.calls if call[0] not in ("check", "find")]
