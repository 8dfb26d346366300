"""Azure DevOps Boards on a stand-in that keeps Microsoft's rules."""

from __future__ import annotations

import pytest
from scenarios import Scenarios, Seen
from standins.azure_devops import PROJECT, AzureDevOpsStandin
from standins.server import Trouble
from wire import COMMENT, TENANT, Bench, Wire, draft, started

from auditor.errors import OutcomeUnknown, TicketError, TicketRefusal
from auditor.tickets.base import Refused, Ticket
from auditor.tickets.systems.azure_devops import SETTINGS

__all__ = ["started"]

KEYS = {
    "system": "azure-devops", "project": PROJECT, "token_env": "TICKETS_SECRET", "waived_state": "Accepted",
    "done_state": "Closed",
}  # fmt: skip


class Desk(Bench[AzureDevOpsStandin]):
    def __init__(self, standin: AzureDevOpsStandin, clock, **keys) -> None:
        super().__init__(standin, SETTINGS, clock, **KEYS, **keys, url=f"{standin.url}/contoso")

    def look(self, ticket: Ticket) -> Seen:
        item = self.standin.items[int(ticket.handle)]
        files = {one["attributes"]["comment"]: self.standin.uploads[one["url"]] for one in item.relations}
        fields = item.fields
        assignee = fields.get("System.AssignedTo", "")
        return Seen(fields["System.Title"], fields["System.Description"], tuple(item.history), assignee, files)

    def edit_by_hand(self, ticket: Ticket) -> None:
        item = self.standin.items[int(ticket.handle)]
        item.fields |= {"System.Title": "Edited by hand", "System.AssignedTo": "someone"}
        item.rev += 1

    def close_by_hand(self, ticket: Ticket, *, declined: bool = False) -> None:
        self.standin.items[int(ticket.handle)].fields["System.State"] = "Removed" if declined else "Closed"

    def fill(self, count: int) -> None:
        list(self.system().create([draft(number) for number in range(count)]))


@pytest.fixture
def desk(started, clock) -> Desk:
    return Desk(started(AzureDevOpsStandin(clock)), clock)


class TestScenarios(Scenarios):
    pass


class TestScenariosWithAFieldForTheMarker(Scenarios):
    @pytest.fixture
    def desk(self, started, clock):
        return Desk(started(AzureDevOpsStandin(clock)), clock, marker_field="Custom.Marker")


class TestWire(Wire):
    create = ("POST", "/workitems/$Task")
    find_bound = 22
    rehearsals = 1


def test_the_marker_is_a_tag_or_a_field(desk):
    [by_tag] = desk.system().create([draft(1, labels=("blue; green, red",))])
    [by_field] = desk.system(marker_field="Custom.Marker").create([draft(2)])
    tags = desk.standin.items[int(by_tag.handle)].fields["System.Tags"].split("; ")
    assert tags == ["tenant-auditor", TENANT, f"tenant-auditor-{draft(1).marker}", "blue -green -red"]
    fields = desk.standin.items[int(by_field.handle)].fields
    assert fields["System.Tags"] == f"tenant-auditor; {TENANT}"
    assert fields["Custom.Marker"] == draft(2).marker


def test_check_validates_a_work_item_that_is_never_saved(desk):
    desk.system().check()
    assert desk.standin.items == {}
    desk.standin.required.add("Custom.Cost")
    with pytest.raises(TicketRefusal, match=r"Rule Error for field Custom.Cost"):
        desk.system().check()
    desk.system(fields={"Custom.Cost": {"critical": 3, "medium": 1}}).check()
    assert desk.standin.items == {}


def test_a_check_is_repeated_after_a_broken_connection(desk):
    desk.standin.troubles.append(Trouble("POST", "/workitems/$Task", effect=True))
    desk.system().check()
    assert desk.standin.items == {}


def test_check_names_what_is_missing(desk):
    with pytest.raises(TicketError, match=r"no field Custom.Markr.*Did you mean Custom.Marker"):
        desk.system(marker_field="Custom.Markr").check()
    with pytest.raises(TicketError, match=r"Task has no state Done.*New, Active, Closed"):
        desk.system(done_state="Done").check()
    with pytest.raises(TicketRefusal, match="type does not exist"):
        desk.system(work_item_type="Story").check()
    with pytest.raises(TicketRefusal, match="project does not exist"):
        desk.system(project="None").check()


def test_a_refused_draft_does_not_stop_the_others_and_repeats_nothing_of_ours(desk):
    answers = list(desk.system().create([draft(1, fields={"Custom.None": "secret value"}), draft(2)]))
    assert isinstance(answers[0], Refused)
    assert answers[0].reason == "TF51535: Cannot find field Custom.None."
    assert isinstance(answers[1], Ticket)


def test_what_somebody_saved_a_moment_before_is_kept(desk):
    [ticket] = desk.system().create([draft(1)])
    desk.standin.overtaken = 2
    desk.system().comment(ticket, COMMENT)
    item = desk.standin.items[int(ticket.handle)]
    assert len(item.history) == 1
    assert item.fields["System.AssignedTo"] == "somebody"
    desk.standin.overtaken = 3
    with pytest.raises(TicketRefusal, match="refused with HTTP 412"):
        desk.system().comment(ticket, COMMENT)
    assert len(item.history) == 1


def test_a_delay_that_comes_with_a_success_is_kept(desk):
    system = desk.system()
    desk.standin.slow = 2
    [ticket] = system.create([draft(1)])
    system.comment(ticket, COMMENT)
    assert desk.clock.paused == [9, 9]


def test_state_and_reason_are_one_revision(desk):
    [ticket] = desk.system().create([draft(1)])
    desk.system().move(ticket, "done", COMMENT)
    item = desk.standin.items[int(ticket.handle)]
    assert (item.rev, item.fields["System.State"], len(item.history)) == (2, "Closed", 1)
    assert "&lt;b&gt;" in item.history[0]


def test_states_are_found_by_their_category(desk):
    [ticket] = desk.system(done_state="").create([draft(1)])
    system = desk.system(done_state="", declined=("Closed",))
    system.move(ticket, "done", COMMENT)
    assert desk.standin.items[int(ticket.handle)].fields["System.State"] == "Accepted"
    system.move(ticket, "open", COMMENT)
    assert desk.standin.items[int(ticket.handle)].fields["System.State"] == "New"


def test_an_entra_token_is_a_bearer_token(desk):
    with pytest.raises(TicketRefusal) as caught:
        desk.system(token_kind="entra").find(TENANT)
    assert caught.value.status == 401


def test_a_comment_is_not_sent_twice_after_a_broken_connection(desk):
    [ticket] = desk.system().create([draft(1)])
    desk.standin.troubles.append(Trouble("PATCH", "/workitems/", effect=True))
    with pytest.raises(OutcomeUnknown):
        desk.system().comment(ticket, COMMENT)
    assert len(desk.standin.items[int(ticket.handle)].history) == 1


def test_more_than_a_query_gives_are_read_page_by_page(desk):
    desk.fill(1)
    made = desk.standin.items[1]
    for number in range(2, 10_002):
        desk.standin.items[number] = type(made)(number, 1, made.fields)
    assert len(desk.system().find(TENANT)) == 10_001
    assert desk.standin.count("/wiql").total() == 2
