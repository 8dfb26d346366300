"""What every ticket system must go through, the real servers and the stand-ins alike.

A test module makes `class TestX(Scenarios)` and a fixture `desk`: the system as the program sees it (`system()`), and
as people see it. Every scenario is of a tenant of its own, so that one server serves them all.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec
import pytest
from runs import Runs

from auditor.clock import BlockingClock
from auditor.config import Config
from auditor.errors import TicketError
from auditor.tickets.base import Attachment, Draft, Limits, Refused, System, Text, Ticket
from auditor.tickets.settings import TicketSettings
from auditor.tickets.source import Source, read_source
from auditor.tickets.sync import Outcome, show, sync

RULE, OTHER = "exposed-account", "shared-mailbox-sign-in"


@dataclass(frozen=True)
class Seen:
    """A ticket as a person reads it: plain text or the system's markup, without a promise which."""

    title: str
    body: str
    comments: Sequence[str]
    assignee: str
    files: Mapping[str, bytes]


class Desk(Protocol):
    """`settings` name the system; `waived_state` is one that it has, or empty where it has none to spare."""

    settings: TicketSettings

    def system(self) -> System: ...

    def look(self, ticket: Ticket) -> Seen: ...

    def edit_by_hand(self, ticket: Ticket) -> None:
        """Another title (`Edited by hand`) and assignee."""

    def close_by_hand(self, ticket: Ticket, *, declined: bool = False) -> None: ...


class Killed(BaseException):
    """The process ends here: no handler of the program sees it."""


class Dying:
    """A system whose caller is killed as soon as the n-th call of one kind has been carried out."""

    def __init__(self, system: System, call: str, number: int = 1) -> None:
        self._system, self._call, self._left = system, call, number
        self.limits: Limits = system.limits

    def _dead(self, call: str) -> None:
        if call == self._call:
            self._left -= 1
            if not self._left:
                raise Killed

    def check(self) -> None:
        self._system.check()

    def find(self, tenant: str, recent: Sequence[str] = ()) -> list[Ticket]:
        return self._system.find(tenant, recent)

    def create(self, drafts: Sequence[Draft]) -> Iterator[Ticket | Refused]:
        for answer in self._system.create(drafts):
            self._dead("create")
            yield answer

    def rewrite(self, ticket: Ticket, draft: Draft) -> None:
        self._system.rewrite(ticket, draft)
        self._dead("rewrite")

    def comment(self, ticket: Ticket, text: Text) -> None:
        self._system.comment(ticket, text)
        self._dead("comment")

    def attach(self, ticket: Ticket, attachment: Attachment) -> None:
        self._system.attach(ticket, attachment)
        self._dead("attach")

    def move(self, ticket: Ticket, to: Any, text: Text) -> None:
        self._system.move(ticket, to, text)
        self._dead("move")


class Late(Dying):
    """A system in which somebody else does something between our look and our first new ticket."""

    def __init__(self, system: System, meanwhile: Any) -> None:
        super().__init__(system, "")
        self._meanwhile = meanwhile

    def create(self, drafts: Sequence[Draft]) -> Iterator[Ticket | Refused]:
        meanwhile, self._meanwhile = self._meanwhile, lambda: None
        meanwhile()
        return super().create(drafts)


@dataclass
class Office:
    """A tenant, its runs, and the desk that its tickets go to."""

    runs: Runs
    desk: Desk
    clock: BlockingClock
    folder: Path

    def sync(
        self, run: Path, *, journal: str = "journal", system: System | None = None, **changed: Any
    ) -> list[Outcome]:
        settings = msgspec.structs.replace(
            self.desk.settings, journal=str(self.folder / f"{journal}.jsonl"), **({"group_by": "finding"} | changed)
        )
        return sync(system or self.desk.system(), self.source(run), settings, self.clock)

    def show(self, run: Path) -> list[Outcome]:
        settings = msgspec.structs.replace(
            self.desk.settings, journal=str(self.folder / "journal.jsonl"), group_by="finding"
        )
        return show(self.desk.system(), self.source(run), settings, self.clock)

    def source(self, run: Path) -> Source:
        return read_source(run, Config())

    def tickets(self) -> list[Ticket]:
        """All of the tenant, by marker."""
        tenant = self.source(self.runs.last).tenant
        self.clock.pause(self.desk.system().limits.index_lag)
        return sorted(self.desk.system().find(tenant), key=lambda ticket: ticket.marker)

    def ticket(self) -> Ticket:
        [ticket] = self.tickets()
        return ticket


def did(outcomes: Sequence[Outcome]) -> list[str]:
    """What was done, without what was left as it is."""
    assert not [outcome.problem for outcome in outcomes if outcome.bad]
    return sorted(outcome.action.kind for outcome in outcomes if outcome.result == "done")


class Scenarios:
    @pytest.fixture
    def office(self, desk: Desk, clock: BlockingClock, tmp_path: Path) -> Office:
        return Office(Runs(tmp_path / "reports", str(uuid.uuid4())), desk, clock, tmp_path)

    def test_makes_tickets_once_and_a_second_sync_changes_nothing(self, office):
        run = office.runs.run([office.runs.of(RULE, 1), office.runs.of(OTHER, 2)])
        assert [outcome.result for outcome in office.show(run)] == ["planned", "planned"]
        assert office.tickets() == []
        assert did(office.sync(run)) == ["create", "create"]
        made = office.tickets()
        assert [ticket.standing for ticket in made] == ["open", "open"]
        assert {ticket.marker for ticket in made} == {office.runs.of(RULE, 1)["id"], office.runs.of(OTHER, 2)["id"]}
        seen = [office.desk.look(ticket) for ticket in made]
        assert did(office.sync(run)) == []
        assert did(office.sync(run, journal="lost")) in ([], ["update", "update"])
        assert office.tickets() == made
        assert [office.desk.look(ticket) for ticket in made] == seen

    def test_closes_what_is_fixed_and_reopens_what_returns(self, office):
        runs = office.runs
        did(office.sync(runs.run([runs.of(RULE, 1)])))
        assert did(office.sync(runs.run([]))) == ["close"]
        assert office.ticket().standing == "done"
        assert "read whole" in office.desk.look(office.ticket()).comments[-1]
        assert did(office.sync(runs.run([]))) == []
        assert did(office.sync(runs.run([runs.of(RULE, 1)]))) == ["reopen"]
        assert office.ticket().standing == "open"
        assert did(office.sync(runs.last)) == []

    def test_what_could_not_be_checked_stays_open_with_one_comment(self, office):
        runs = office.runs
        did(office.sync(runs.run([runs.of(RULE, 1)])))
        blind = {"users": "cut"}
        assert did(office.sync(runs.run([], datasets=blind))) == ["comment"]
        assert "could not be checked" in office.desk.look(office.ticket()).comments[-1]
        assert did(office.sync(runs.run([], datasets=blind))) == []
        assert office.ticket().standing == "open"
        assert did(office.sync(runs.run([]))) == ["close"]

    def test_an_update_says_what_changed_and_leaves_what_people_wrote(self, office):
        runs = office.runs
        did(office.sync(runs.run([runs.of(RULE, 1)])))
        office.desk.edit_by_hand(office.ticket())
        people = office.desk.look(office.ticket())
        assert did(office.sync(runs.run([runs.of(RULE, 1, severity="critical")]))) == ["update"]
        seen = office.desk.look(office.ticket())
        assert (seen.title, seen.assignee) == ("Edited by hand", people.assignee)
        assert people.assignee
        assert len(seen.comments) == len(people.comments) + 1
        assert "high → critical" in seen.comments[-1]
        assert "critical" in seen.body
        assert "critical" not in people.body

    def test_a_persons_word_counts(self, office):
        runs = office.runs
        did(office.sync(runs.run([runs.of(RULE, 1), runs.of(RULE, 2)])))
        first, second = office.tickets()
        office.desk.close_by_hand(first)
        office.desk.close_by_hand(second, declined=True)
        assert did(office.sync(runs.run([runs.of(RULE, 1), runs.of(RULE, 2)]))) == ["comment"]
        assert did(office.sync(runs.last)) == []
        assert [ticket.standing for ticket in office.tickets()] == ["done", "declined"]
        assert did(office.sync(runs.run([]))) == []
        assert did(office.sync(runs.run([runs.of(RULE, 1), runs.of(RULE, 2)]))) == ["reopen"]
        assert [ticket.standing for ticket in office.tickets()] == ["open", "declined"]

    def test_accepted_findings_move_where_the_config_says_and_come_back(self, office):
        runs = office.runs
        did(office.sync(runs.run([runs.of(RULE, 1)])))
        accepted = [runs.of(RULE, 1, outcome="waived")]
        kind = "waive" if office.desk.settings.waived_state else "comment"
        assert did(office.sync(runs.run(accepted))) == [kind]
        if kind == "waive":
            assert office.ticket().state.casefold() == office.desk.settings.waived_state.casefold()
        assert did(office.sync(runs.run(accepted))) == []
        again = "reopen" if kind == "waive" else "update"
        assert did(office.sync(runs.run([runs.of(RULE, 1)]))) == [again]
        assert office.ticket().standing == "open"

    @pytest.mark.parametrize("number", [1, 2])
    def test_a_crash_between_request_and_journal_makes_no_duplicate(self, office, number):
        run = office.runs.run([office.runs.of(RULE, 1), office.runs.of(RULE, 2)])
        with pytest.raises(Killed):
            office.sync(run, system=Dying(office.desk.system(), "create", number))
        office.sync(run)
        assert len(office.tickets()) == 2
        assert did(office.sync(run)) == []
        assert [ticket.standing for ticket in office.tickets()] == ["open", "open"]

    @pytest.mark.parametrize("call", ["rewrite", "comment", "move"])
    def test_a_crash_anywhere_else_is_made_good(self, office, call):
        runs = office.runs
        did(office.sync(runs.run([runs.of(RULE, 1), runs.of(RULE, 2)])))
        run = runs.run([runs.of(RULE, 1, severity="critical")])
        with pytest.raises(Killed):
            office.sync(run, system=Dying(office.desk.system(), call))
        office.sync(run)
        assert did(office.sync(run)) == []
        standing = {ticket.marker: ticket.standing for ticket in office.tickets()}
        assert standing == {runs.of(RULE, 1)["id"]: "open", runs.of(RULE, 2)["id"]: "done"}

    def test_two_at_once_with_one_journal_make_no_duplicate(self, office):
        run = office.runs.run([office.runs.of(RULE, 1)])
        told = []

        def meanwhile() -> None:
            with pytest.raises(TicketError, match="another sync"):
                office.sync(run)
            told.append("refused")

        assert did(office.sync(run, system=Late(office.desk.system(), meanwhile))) == ["create"]
        assert told == ["refused"]
        assert len(office.tickets()) == 1

    def test_two_at_once_that_never_heard_of_each_other_end_with_one_open_ticket(self, office):
        run = office.runs.run([office.runs.of(RULE, 1)])
        late = Late(office.desk.system(), lambda: office.sync(run, journal="elsewhere"))
        office.sync(run, system=late)
        assert office.tickets()  # an index that lags shows them by now
        office.sync(run)
        office.sync(run, journal="elsewhere")
        open_ones = [ticket for ticket in office.tickets() if ticket.standing == "open"]
        assert len(open_ones) == 1
        assert did(office.sync(run)) == did(office.sync(run, journal="elsewhere")) == []

    def test_many_findings_of_a_rule_are_one_ticket_with_a_table(self, office):
        runs = office.runs
        run = runs.run([runs.of(RULE, number) for number in range(1, 31)])
        assert did(office.sync(run, group_by="rule")) == ["create"]
        seen = office.desk.look(office.ticket())
        [(name, content)] = seen.files.items()
        assert name.endswith(".csv")
        assert content.decode("utf-8-sig").count("\r\n") == 31
        assert did(office.sync(run, group_by="rule")) == []

    def test_another_grouping_makes_no_second_ticket_for_what_is_told(self, office):
        runs = office.runs
        did(office.sync(runs.run([runs.of(RULE, 1)]), group_by="rule"))
        assert did(office.sync(runs.run([runs.of(RULE, 1)]), group_by="finding")) == []
        assert did(office.sync(runs.run([]), group_by="finding")) == ["close"]
        assert len(office.tickets()) == 1
