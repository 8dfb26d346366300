"""The journal: what a crash leaves, who may hold it, and that nothing but its last line may be damaged."""

from __future__ import annotations

import os

import pytest

from auditor.errors import TicketError, UsageError
from auditor.tickets.base import Ticket
from auditor.tickets.journal import Entry, open_journal, read_journal, recent, unanswered

TICKET = Ticket("7", "OPS-7", "https://tickets.example/7", "marker", "open", "New")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tickets" / "ops.jsonl"


def test_what_was_written_is_read(path, clock):
    entry = Entry(did="closed", findings={"a": {"id": "a"}}, said="stands", owed=("t.csv",), run="2026-11-23T16:00:00Z")
    with open_journal(path, clock) as journal:
        journal.begin("tenant", "2026-11-23T16:00:00Z")
        journal.before("create", "marker", "other")
        journal.made(TICKET)
        journal.told("marker", TICKET, entry)
        journal.before("close", "marker")
    state = read_journal(path)
    held = state.entries["marker"]
    assert (held.handle, held.key, held.did, held.findings, held.pending) == (
        "7",
        "OPS-7",
        "closed",
        entry.findings,
        "close",
    )
    assert unanswered(state) == ["other"]
    assert state.runs == {"tenant": "2026-11-23T16:00:00Z"}
    assert state.asked == clock.now()
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700


def test_what_failed_for_certain_is_not_looked_for(path, clock):
    with open_journal(path, clock) as journal:
        journal.before("create", "marker")
        journal.failed("marker", "a field is missing")
    assert unanswered(read_journal(path)) == []


def test_a_line_that_a_crash_cut_short_is_dropped_and_written_over(path, clock):
    with open_journal(path, clock) as journal:
        journal.before("create", "marker")
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"op":"made","mar')
    assert unanswered(read_journal(path)) == ["marker"]
    with open_journal(path, clock) as journal:
        journal.made(TICKET)
    assert path.read_bytes().startswith(whole)
    assert unanswered(read_journal(path)) == []


@pytest.mark.parametrize("line", [b"no json", b"[]", b'{"op":"told"}', b'{"at":"yesterday","op":"begin"}'])
def test_damage_in_the_middle_is_named_by_its_line(path, clock, line):
    with open_journal(path, clock) as journal:
        journal.before("create", "marker")
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(UsageError, match="line 2 is damaged"):
        read_journal(path)


def test_only_one_holds_it_and_it_is_free_afterwards(path, clock):
    with open_journal(path, clock), pytest.raises(TicketError, match="another sync"), open_journal(path, clock):
        pass
    with open_journal(path, clock):
        pass


def test_an_error_in_a_sync_is_not_taken_for_one_of_the_file(path, clock):
    with pytest.raises(PermissionError, match="somebody else's"), open_journal(path, clock):
        raise PermissionError("somebody else's")


def test_a_place_that_cannot_be_written_is_told(tmp_path, clock):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be written"), open_journal(tmp_path / "file" / "j.jsonl", clock):
        pass


def test_recent_tickets_are_those_that_an_index_may_not_show(path, clock):
    with open_journal(path, clock) as journal:
        journal.made(TICKET)
        clock.pause(100)
        journal.made(Ticket("8", "OPS-8", "", "other", "open", "New"))
    state = read_journal(path)
    assert recent(state, clock.now(), 50) == ["8"]
    assert recent(state, clock.now(), 1000) == ["8", "7"]
