"""What a probe found: phases in their order, each with its outcome and reply, and what they point at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["done", "refused", "failed", "skipped"]
"""`refused`: the other side said no in words; `failed`: it did not get that far; `skipped`: not tried, and why"""

Ending = Literal["sent", "accepted", "refused", "stopped", "unreachable"]
"""`accepted`: sender and recipient were taken, and nothing was sent; `refused`: by the server, or by Entra ID where an
app asked for its token; `stopped`: the probe could not go on, for instance because TLS failed"""

Channel = Literal["basic", "oauth", "none"]


@dataclass(frozen=True, slots=True)
class Reply:
    """An SMTP reply, its lines joined by a blank, without the codes that each line repeats; fit to be shown."""

    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip()


@dataclass(frozen=True, slots=True)
class Phase:
    """One step on the wire. `detail` is a sentence; `facts` are (name, value) pairs of what was seen."""

    name: str
    outcome: Outcome
    detail: str = ""
    reply: Reply | None = None
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Pointer:
    """A blocker that something points at. `reply`: the id in the reply catalogue, empty where the wire itself showed
    it, or what the probe could not do; `confidence` and `source` are the catalogue's."""

    blocker: str
    why: str
    reply: str = ""
    confidence: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """How probing one sender ended. Holds no secret."""

    sender: str
    account: str
    login: str
    route: str
    channel: Channel
    declared: str
    """server and port as the sender declares them"""
    contacted: str
    """where the probe went, which is another place in a custom cloud"""
    time: str
    """ISO 8601 UTC"""
    phases: tuple[Phase, ...]
    replies: tuple[str, ...]
    """ids of the catalogue's replies that were recognised"""
    pointers: tuple[Pointer, ...]
    notes: tuple[str, ...]
    ending: Ending

    @property
    def blockers(self) -> tuple[str, ...]:
        """Ids of the blockers that were pointed at, each once."""
        return tuple(dict.fromkeys(pointer.blocker for pointer in self.pointers))

    @property
    def succeeded(self) -> bool:
        return self.ending in ("sent", "accepted")

    @property
    def reached(self) -> bool:
        return self.ending != "unreachable"

    def phase(self, name: str) -> Phase | None:
        """The last phase of a name."""
        return next((phase for phase in reversed(self.phases) if phase.name == name), None)

    def said(self) -> list[str]:
        """The replies from the sign-in on, and any refusal before it, as evidence."""
        late = ("auth", "mail-from", "rcpt-to", "data")
        return [str(phase.reply) for phase in self.phases
                if phase.reply and (phase.name in late or phase.outcome == "refused")]  # fmt: skip
