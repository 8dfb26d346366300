"""What was done in a ticket system, line by line, beside the reports: each write before and after it.

The journal spares requests and says what a ticket was told. It is not what keeps tickets single: markers are looked up
in the system, so a lost journal makes no duplicate. A line that a crash cut short is dropped when the file is opened.

| `op` | says |
|---|---|
| `begin` | a sync of the run judged for `run` began |
| `create`, `update`, `comment`, `attach`, `close`, `reopen`, `waive`, `merge` | the request that is sent next |
| `made` | the system made the ticket |
| `told` | all that belonged to the action is done: what the ticket says now |
| `failed` | the system did not take it; it is tried again by the next sync |
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from auditor.clock import BlockingClock, iso
from auditor.diff import Document
from auditor.errors import TicketError, UsageError
from auditor.tickets.base import Ticket

Did = Literal["open", "closed", "waived"]
"""What we made of a ticket last."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one marker. `findings`: those that the ticket speaks of, as they were told, each with
    `rests_on`, and `unchecked` where it could not be checked since; `said`: the remark that stands last, so that it is
    not made again; `owed`: attachments that are still missing; `pending`: a request whose end is not known; `run`: the
    moment of the run that was told last."""

    handle: str = ""
    key: str = ""
    url: str = ""
    did: Did = "open"
    findings: Mapping[str, Document] = field(default_factory=dict)
    said: str = ""
    owed: tuple[str, ...] = ()
    run: str = ""
    pending: str = ""


@dataclass(frozen=True)
class State:
    """A journal as it was read. `made`: handle → the moment at which we made that ticket; `runs`: tenant label → the
    newest run that was brought to the system; `asked`: when the last request was sent."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    made: Mapping[str, datetime] = field(default_factory=dict)
    runs: Mapping[str, str] = field(default_factory=dict)
    asked: datetime | None = None


def read_journal(path: Path) -> State:
    """Empty where there is no file. Raises UsageError for one that is damaged elsewhere than at its end."""
    try:
        lines = path.read_bytes().split(b"\n") if path.is_file() else []
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).", remedy="Check the file's rights.") from error
    folded = _Fold()
    for number, line in enumerate(lines[:-1], 1):  # the last is empty, or was cut short
        try:
            folded.take(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(
                f"{path}: line {number} is damaged.",
                remedy="Take that line out, or the whole file away: tickets are found again by their markers.",
            ) from error
    return State(folded.entries, folded.made, folded.runs, folded.asked)


class _Fold:
    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.made: dict[str, datetime] = {}
        self.runs: dict[str, str] = {}
        self.asked: datetime | None = None

    def take(self, line: Mapping[str, Any]) -> None:
        op, at = line["op"], datetime.fromisoformat(line["at"])
        if op == "begin":
            self.runs[line["tenant"]] = line["run"]
            return
        marker = line["marker"]
        entry = self.entries.get(marker, Entry())
        named = {name: line[name] for name in ("handle", "key", "url") if name in line}
        if op == "made":
            self.made[line["handle"]] = at
            # The ticket that is told next may be another: the elder of two.
            self.entries[marker] = replace(entry, pending="", **named)
        elif op == "told":
            findings = {document["id"]: document for document in line["findings"]}
            more = {"did": line["did"], "said": line["said"], "owed": tuple(line["owed"]), "run": line["run"]}
            self.entries[marker] = Entry(**named, findings=findings, **more)
        elif op == "failed":
            self.entries[marker] = replace(entry, pending="")
        elif op != "merge":
            self.asked = at
            self.entries[marker] = replace(entry, pending=op)


class Journal:
    """The journal, open for one sync; made by `open_journal`. `state` is what stood when it was opened."""

    def __init__(self, path: Path, clock: BlockingClock) -> None:
        self._clock = clock
        self.state = read_journal(path)
        path.touch(mode=0o600)
        self._stream = path.open("r+b")
        data = self._stream.read()
        self._stream.seek(data.rfind(b"\n") + 1)
        self._stream.truncate()

    def begin(self, tenant: str, run: str) -> None:
        self._write({"op": "begin", "tenant": tenant, "run": run})

    def before(self, op: str, *markers: str) -> None:
        """Stands on the disk before the request is sent."""
        for marker in markers:
            self._write({"op": op, "marker": marker})
        self._sync()

    def made(self, ticket: Ticket) -> None:
        """Stands on the disk before the next request is sent."""
        self._write({"op": "made", "marker": ticket.marker, **_named(ticket)})
        self._sync()

    def told(self, marker: str, ticket: Ticket, entry: Entry) -> None:
        """`entry` gives all but the ticket's names. Where this line is lost, the next sync does the action again, or
        sees that it was done."""
        self._write({
            "op": "told",
            "marker": marker,
            **_named(ticket),
            "did": entry.did,
            "said": entry.said,
            "owed": list(entry.owed),
            "run": entry.run,
            "findings": list(entry.findings.values()),
        })  # fmt: skip

    def failed(self, marker: str, reason: str) -> None:
        self._write({"op": "failed", "marker": marker, "reason": reason})

    def close(self) -> None:
        self._sync()
        self._stream.close()

    def _write(self, line: Mapping[str, Any]) -> None:
        stamped = {"at": iso(self._clock.now()), **line}
        self._stream.write(json.dumps(stamped, ensure_ascii=True, separators=(",", ":")).encode() + b"\n")
        self._stream.flush()

    def _sync(self) -> None:
        os.fsync(self._stream.fileno())


@contextmanager
def open_journal(path: Path, clock: BlockingClock) -> Iterator[Journal]:
    """The journal, for this process alone. Raises TicketError where another sync holds it, UsageError where it cannot
    be written or is damaged."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(f"{path}.lock", mode=0o600)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise TicketError(
            f"{path}: another sync is at work with it.", remedy="Try again when that one has ended."
        ) from error
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        try:
            journal = Journal(path, clock)
        except OSError as error:
            raise _unwritable(path, error) from error
        try:
            yield journal
        finally:
            journal.close()
    finally:
        lock.release()


def _unwritable(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"{path}: cannot be written ({error.strerror}).", remedy="Check the folder's rights, or set `journal`."
    )


def recent(state: State, now: datetime, within: float) -> list[str]:
    """Handles of tickets that were made within so many seconds, newest first."""
    young = [handle for handle, at in state.made.items() if (now - at.astimezone(UTC)).total_seconds() <= within]
    return young[::-1]


def unanswered(state: State) -> Sequence[str]:
    """Markers of tickets that were asked for, and of which no answer is known: they may be there."""
    return [marker for marker, entry in state.entries.items() if entry.pending == "create"]


def _named(ticket: Ticket) -> dict[str, str]:
    return {"handle": ticket.handle, "key": ticket.key, "url": ticket.url}
