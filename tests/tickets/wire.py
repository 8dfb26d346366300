"""What every vendor's module goes through on its stand-in, besides the scenarios: limits, throttling, broken
connections, refused credentials, many tickets."""

from __future__ import annotations

import sys
import uuid
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
import pytest
from runs import Runs
from scenarios import RULE, Office, did
from standins.server import Standin, Trouble

from auditor.errors import OutcomeUnknown, TicketError, TicketRefusal
from auditor.tickets import systems
from auditor.tickets.base import Attachment, Bullets, Draft, Heading, Link, Paragraph, System, Table, Text, Ticket
from auditor.tickets.settings import TicketSettings

TENANT = "tenant-auditor-0123456789ab"
OTHER_TENANT = "tenant-auditor-ba9876543210"
BODY: Text = (
    Heading("What to do"),
    Paragraph(("Switch SMTP AUTH off, see ", Link("the page", "https://learn.example/smtp"), ".")),
    Bullets((("first",), ("second {code} <b> @everyone #1",))),
    Table(("Account", "State"), (("a|b", "open"), ("[x|http://evil.example]", ""))),
)
COMMENT: Text = (Paragraph(("Closed by the run of 2026-11-23: all data was read whole. [code]<b>[/code]",)),)
HOSTILE = 'A "title" with <script>, {noformat}, @everyone,\nanother line and \u202e'

S = TypeVar("S", bound=Standin)


def draft(number: int = 1, **more: Any) -> Draft:
    fields = {"marker": f"exposed-account-{number:012x}", "tenant": TENANT, "title": f"Finding {number}", "body": BODY}
    return Draft(**{**fields, "severity": "high", **more})


class Bench(Generic[S]):
    """A stand-in that runs, and the module that speaks to it; what people do and see is the subclass's."""

    def __init__(self, standin: S, settings: type[TicketSettings], clock: Any, **keys: Any) -> None:
        self.standin = standin
        self.clock = clock
        self.environment = {"TICKETS_SECRET": standin.token}
        self.settings = msgspec.convert(
            {"name": "ops", "url": standin.url, "ca_bundle": str(standin.ca_bundle)} | keys, settings
        )

    def system(self, **changed: Any) -> System:
        return systems.connect(msgspec.structs.replace(self.settings, **changed), self.environment, self.clock)

    def fill(self, count: int) -> None:
        """So many tickets of the tenant, made long ago."""
        raise NotImplementedError


class Wire:
    """`create`: method and path of the request that makes a ticket; `find_bound`: requests that find 4,000;
    `rehearsals`: requests of the first kind with which `check` tries it out."""

    create = ("POST", "")
    find_bound = 0
    rehearsals = 0

    def made(self, desk: Any, *drafts: Draft) -> list[Ticket]:
        tickets = list(desk.system().create(drafts))
        assert all(isinstance(ticket, Ticket) for ticket in tickets)
        desk.clock.seconds += 3600
        return tickets

    def test_a_ticket_is_made_found_and_only_that_tenants(self, desk):
        desk.system().check()
        [ticket] = self.made(desk, draft(1))
        self.made(desk, draft(2, tenant=OTHER_TENANT))
        [found] = desk.system().find(TENANT)
        assert (found.handle, found.key, found.url, found.marker) == (
            ticket.handle, ticket.key, ticket.url, draft(1).marker,
        )  # fmt: skip
        assert (found.standing, found.title) == ("open", "Finding 1")
        assert found.url.startswith("https://")

    def test_hostile_texts_stay_texts(self, desk):
        [ticket] = self.made(desk, draft(1, title=HOSTILE, labels=("two words", "a,b;c")))
        seen = desk.look(ticket)
        assert "\n" not in seen.title
        assert "‹U+202E›" in seen.title
        assert "Switch SMTP AUTH off" in seen.body

    def test_long_texts_are_cut_to_what_the_system_takes(self, desk):
        limits = desk.system().limits
        rows = tuple((f"account {number}", "open" * 20) for number in range(20_000))
        long = draft(1, title="word " * 200, body=(Heading("Accounts"), Table(("Account", "State"), rows)))
        [ticket] = self.made(desk, long)
        seen = desk.look(ticket)
        assert 0 < len(seen.title) <= limits.title
        assert "The text was cut here" in seen.body
        system = desk.system()
        system.comment(ticket, long.body)
        assert "The text was cut here" in desk.look(ticket).comments[-1]

    def test_comments_attachments_and_a_new_text_reach_the_ticket(self, desk):
        [ticket] = self.made(desk, draft(1))
        system = desk.system()
        system.comment(ticket, COMMENT)
        system.attach(ticket, Attachment("accounts 1.csv", "\ufeffa,b\r\n1,ä\r\n".encode()))
        system.rewrite(ticket, draft(1, title="Another", body=(Paragraph(("The new text.",)),)))
        seen = desk.look(ticket)
        assert "all data was read whole" in seen.comments[0]
        assert "The new text." in seen.body
        assert seen.title == "Finding 1"
        self.sees_attachment(seen)

    def sees_attachment(self, seen: Any) -> None:
        assert seen.files == {"accounts 1.csv": "\ufeffa,b\r\n1,ä\r\n".encode()}

    def test_a_connection_that_breaks_after_a_create_leaves_one_ticket_to_be_found(self, desk):
        method, path = self.create
        desk.standin.troubles.append(Trouble(method, path, effect=True))
        with pytest.raises(OutcomeUnknown):
            list(desk.system().create([draft(1)]))
        desk.clock.seconds += 3600
        [found] = desk.system().find(TENANT)
        assert found.marker == draft(1).marker

    def test_a_sync_whose_connection_broke_after_a_create_makes_no_second_ticket(self, desk, clock, tmp_path):
        office = Office(Runs(tmp_path / "reports", str(uuid.uuid4())), desk, clock, tmp_path)
        run = office.runs.run([office.runs.of(RULE, 1)])
        method, path = self.create
        desk.standin.troubles.append(Trouble(method, path, effect=True, skip=self.rehearsals))
        assert [outcome.result for outcome in office.sync(run)] == ["unknown"]
        office.sync(run)
        assert did(office.sync(run)) == []
        assert len(office.tickets()) == 1

    def test_a_connection_that_breaks_before_leaves_none(self, desk):
        method, path = self.create
        desk.standin.troubles.append(Trouble(method, path))
        with pytest.raises(OutcomeUnknown):
            list(desk.system().create([draft(1)]))
        desk.clock.seconds += 3600
        assert desk.system().find(TENANT) == []

    def test_reading_goes_on_after_broken_connections_and_gateway_errors(self, desk):
        self.made(desk, draft(1))
        for method in ("GET", "POST"):
            desk.standin.troubles.append(Trouble(method, "", times=1))
            desk.standin.troubles.append(Trouble(method, "", status=503, times=1))
        assert len(desk.system().find(TENANT)) == 1

    def test_throttled_requests_come_again_when_the_service_says(self, desk):
        method, path = self.create
        desk.standin.troubles.append(Trouble(method, path, status=429, headers={"Retry-After": "17"}, times=2))
        paused = len(desk.clock.paused)
        self.made(desk, draft(1))
        assert desk.clock.paused[paused:][:2] == [17, 17]
        assert len(desk.system().find(TENANT)) == 1

    def test_a_service_that_only_throttles_is_given_up(self, desk):
        method, path = self.create
        desk.standin.troubles.append(Trouble(method, path, status=429, headers={"Retry-After": "600"}, times=99))
        with pytest.raises(TicketError, match="asks to wait 600 seconds"):
            list(desk.system().create([draft(1)]))

    def test_a_refused_credential_is_told_without_it(self, desk):
        desk.environment["TICKETS_SECRET"] = "another-S3cret-90210"
        for call in (lambda system: system.check(), lambda system: list(system.create([draft(1)]))):
            with pytest.raises(TicketRefusal, match=r"credential|rights") as caught:
                call(desk.system())
            assert caught.value.status in (401, 403)
            assert "S3cret" not in str(caught.value)

    def test_a_page_that_is_no_answer_is_told(self, desk):
        trouble = Trouble("GET", "", status=200, body={"a": "sign-in page"}, times=99)
        desk.standin.troubles += [trouble, Trouble("POST", "", status=200, body={"a": "sign-in page"}, times=99)]
        for call in (lambda system: system.check(), lambda system: system.find(TENANT)):
            with pytest.raises(TicketError, match="something unexpected"):
                call(desk.system())

    def test_4000_tickets_are_found_in_bounded_requests(self, desk, capsys):
        desk.fill(4000)
        system = desk.system()
        before = len(desk.standin.seen)
        found = system.find(TENANT)
        requests = len(desk.standin.seen) - before
        with capsys.disabled():
            sys.stdout.write(f"\n{type(system).__name__}: 4,000 tickets found in {requests} requests\n")
        assert len({ticket.marker for ticket in found}) == 4000
        assert requests <= self.find_bound

    @pytest.mark.slow
    @pytest.mark.parametrize(("grouping", "first", "second"), [("rule", 1, 0), ("finding", 25, 25)])
    def test_4000_findings_flood_nothing(self, desk, clock, tmp_path, capsys, grouping, first, second):
        office = Office(Runs(tmp_path / "reports", str(uuid.uuid4())), desk, clock, tmp_path)
        run = office.runs.run([office.runs.of(RULE, number) for number in range(4000)])
        counts = []
        for created in (first, second):
            before = len(desk.standin.seen)
            assert did(office.sync(run, group_by=grouping)) == ["create"] * created
            counts.append(len(desk.standin.seen) - before)
            clock.seconds += 3600
        with capsys.disabled():
            name = desk.settings.system
            sys.stdout.write(f"\n{name}: 4,000 findings by {grouping}: syncs of {counts[0]} and {counts[1]} requests\n")
        assert max(counts) <= 12 + 2 * 25

    def test_every_request_carries_the_credential_over_tls_only(self, desk):
        with pytest.raises(TicketError, match="ca_bundle"):
            desk.system(ca_bundle="").find(TENANT)


@pytest.fixture
def started(tmp_path: Path):
    """Starts stand-ins, and stops them after the test."""
    running: list[Standin] = []

    def start(standin: S) -> S:
        standin.start(tmp_path)
        running.append(standin)
        return standin

    yield start
    for standin in running:
        standin.stop()
