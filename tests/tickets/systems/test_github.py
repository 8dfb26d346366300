"""GitHub issues on a stand-in that keeps GitHub's rules."""

from __future__ import annotations

import pytest
from scenarios import RULE, Scenarios, Seen, did
from standins.github import REPOSITORY, GitHubStandin, Issue
from standins.server import Trouble
from wire import COMMENT, TENANT, Bench, Wire, draft, started

from auditor.errors import ConfigError, TicketError, TicketRefusal
from auditor.tickets.base import Attachment, Refused, Ticket
from auditor.tickets.systems.github import SETTINGS

__all__ = ["started"]

KEYS = {"system": "github", "repository": REPOSITORY, "token_env": "TICKETS_SECRET", "waived_state": "not_planned"}
USED_UP = {"x-ratelimit-remaining": "0", "Date": "Mon, 23 Nov 2026 16:00:00 GMT"}


class Desk(Bench[GitHubStandin]):
    def _issue(self, ticket: Ticket) -> Issue:
        return self.standin.issues[int(ticket.handle) - 1]

    def look(self, ticket: Ticket) -> Seen:
        issue = self._issue(ticket)
        return Seen(issue.title, issue.body, tuple(issue.comments), issue.assignee, {})

    def edit_by_hand(self, ticket: Ticket) -> None:
        self._issue(ticket).title = "Edited by hand"
        self._issue(ticket).assignee = "someone"

    def close_by_hand(self, ticket: Ticket, *, declined: bool = False) -> None:
        issue = self._issue(ticket)
        issue.state, issue.reason = "closed", "not_planned" if declined else "completed"

    def fill(self, count: int) -> None:
        [ticket] = self.system().create([draft(0)])
        first = self._issue(ticket)
        for number in range(1, count):
            body = first.body.replace(draft(0).marker, draft(number).marker)
            self.standin.issues.append(Issue(number + 1, first.title, body, first.labels))


@pytest.fixture
def desk(started, clock) -> Desk:
    return Desk(started(GitHubStandin(clock)), SETTINGS, clock, **KEYS)


class TestScenarios(Scenarios):
    def test_many_findings_of_a_rule_are_one_ticket_with_a_table(self, office):
        """There is no interface for attachments: the table is a comment."""
        runs = office.runs
        run = runs.run([runs.of(RULE, number) for number in range(1, 31)])
        assert did(office.sync(run, group_by="rule")) == ["create"]
        [table] = office.desk.look(office.ticket()).comments
        assert table.startswith("### tenant-auditor-")
        assert table.count("\n| ") == 31
        assert did(office.sync(run, group_by="rule")) == []


class TestWire(Wire):
    create = ("POST", "/issues")
    find_bound = 40

    def sees_attachment(self, seen):
        assert seen.comments[1] == "### accounts 1\\.csv\n\n| a | b |\n|---|---|\n| 1 | ä |"


def test_an_issue_holds_the_marker_unseen_and_no_label_of_its_own(desk):
    [ticket] = desk.system().create([draft(1, labels=("smtp auth",))])
    issue = desk.standin.issues[0]
    assert issue.labels == ["tenant-auditor", TENANT, "smtp-auth"]
    assert issue.body.endswith(f"\n\n<!-- tenant-auditor: {draft(1).marker} -->")
    assert (ticket.key, ticket.url) == ("#1", f"https://github.example/{REPOSITORY}/issues/1")


def test_no_text_mentions_anybody_or_refers_to_an_issue(desk):
    list(desk.system().create([draft(1)]))
    assert "second {code} <b> @everyone #1" not in desk.standin.issues[0].body
    assert "`@everyone` `#1`" in desk.standin.issues[0].body


def test_pull_requests_and_issues_without_a_marker_are_not_ours(desk):
    list(desk.system().create([draft(1)]))
    ours = desk.standin.issues[0]
    desk.standin.issues.append(Issue(2, "by hand", "no marker", ours.labels))
    desk.standin.issues.append(Issue(3, "a pull request", ours.body, ours.labels, pull_request=True))
    desk.standin.issues.append(Issue(4, "a stranger's", ours.body, []))
    assert [ticket.key for ticket in desk.system().find(TENANT)] == ["#1"]


def test_the_pace_is_kept_so_that_nothing_is_refused(desk):
    answers = list(desk.system().create([draft(number) for number in range(200)]))
    assert all(isinstance(answer, Ticket) for answer in answers)
    assert desk.clock.paused == [60, 60]
    assert len(desk.standin.issues) == 200


def test_what_would_take_an_hour_is_left_to_the_next_sync(desk):
    made = []
    with pytest.raises(TicketError, match="would break the service's limit for the next"):
        made.extend(desk.system().create([draft(number) for number in range(600)]))
    assert len(made) == len(desk.standin.issues) == 500


@pytest.mark.parametrize(
    ("headers", "body", "waits"),
    [
        ({}, {"message": "You have exceeded a secondary rate limit."}, [60, 120]),
        ({"Retry-After": "30"}, {"message": "slow down"}, [30, 30]),
        ({"x-ratelimit-reset": "1795449700", **USED_UP}, {"message": "limit"}, [100, 100]),
    ],
)
def test_403_may_only_mean_later(desk, headers, body, waits):
    desk.standin.troubles.append(Trouble("POST", "/issues", 403, headers, body, times=2))
    list(desk.system().create([draft(1)]))
    assert desk.clock.paused == waits


def test_a_limit_that_is_used_up_for_long_is_left_to_the_next_sync(desk):
    headers = {"x-ratelimit-reset": "1795453200", **USED_UP}
    desk.standin.troubles.append(Trouble("POST", "/issues", 403, headers, {"message": "limit"}))
    with pytest.raises(TicketError, match=r"still throttles .* asks to wait 3600 seconds"):
        list(desk.system().create([draft(1)]))
    assert desk.clock.paused == []


def test_a_403_that_is_a_refusal_is_not_repeated(desk):
    body = {"message": "Resource not accessible by personal access token"}
    desk.standin.troubles.append(Trouble("POST", "/issues", 403, {}, body))
    with pytest.raises(TicketRefusal, match="not accessible"):
        list(desk.system().create([draft(1)]))
    assert desk.clock.paused == []


def test_an_issue_without_its_label_is_told_at_once(desk):
    desk.standin.pushes = False
    with pytest.raises(TicketError, match=r"issue #1 was made, but did not get its label"):
        list(desk.system().create([draft(1)]))


def test_check_tells_what_is_missing(desk):
    desk.standin.pushes = False
    with pytest.raises(TicketError, match="may not label issues"):
        desk.system().check()
    desk.standin.repository["archived"] = True
    with pytest.raises(TicketError, match="takes no issues"):
        desk.system().check()
    with pytest.raises(TicketRefusal, match="Not Found"):
        desk.system(repository="contoso/none").check()


def test_a_field_that_github_does_not_know_refuses_that_draft_only(desk):
    answers = list(desk.system().create([draft(1, fields={"colour": "red"}), draft(2, fields={"milestone": 3})]))
    assert isinstance(answers[0], Refused)
    assert answers[0].reason == "Validation Failed; colour: colour is not valid"
    assert isinstance(answers[1], Ticket)


def test_settings_are_checked_before_anything_is_sent(desk):
    with pytest.raises(ConfigError, match="owner/name"):
        desk.system(repository="https://github.com/a/b")
    with pytest.raises(ConfigError, match="not_planned"):
        desk.system(waived_state="wontfix")


def test_a_table_with_line_breaks_in_its_cells_stays_a_table(desk):
    [ticket] = desk.system().create([draft(1)])
    desk.system().attach(ticket, Attachment("x.csv", b'a,b\r\n"1\n2",@me\r\n'))
    desk.system().attach(ticket, Attachment("empty.csv", b""))
    [comment] = desk.standin.issues[0].comments
    assert comment.endswith("| a | b |\n|---|---|\n| 1 2 | `@me` |")


def test_waived_moves_close_with_the_reason_of_the_config(desk):
    [ticket] = desk.system().create([draft(1)])
    desk.system(waived_state="completed").move(ticket, "waived", COMMENT)
    assert (desk.standin.issues[0].state, desk.standin.issues[0].reason) == ("closed", "completed")
