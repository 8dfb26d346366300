"""What a ticket says: title, text, owner, due day, fields, table; and how findings are grouped."""

from __future__ import annotations

import csv
import io

import msgspec
import pytest
from memory import Memory
from runs import Runs

from auditor.config import Config, Sender
from auditor.errors import ConfigError
from auditor.tickets import markup
from auditor.tickets.draft import Drafter
from auditor.tickets.source import read_source
from auditor.tickets.topics import grouping_of, topics


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path / "reports", "tenant")


@pytest.fixture
def drafts(runs, clock):
    """(findings, config, **settings) → drafts by marker."""

    def write(findings, config=None, **changed):
        source = read_source(runs.run(findings), config or Config())
        settings = msgspec.structs.replace(Memory(clock).settings, **changed)
        drafter = Drafter(source, settings)
        return {marker: drafter.draft(topic) for marker, topic in topics(source, settings).items() if topic.chosen}

    return write


def test_the_text_has_evidence_remedy_risk_references_and_what_closes_it(drafts, runs):
    found = runs.of("exposed-account", 1)
    [draft] = drafts([found], group_by="finding").values()
    text = markup.plain(draft.body)
    parts = (found["id"], found["remedy"], found["remedy_risk"], *found["references"])
    for expected in (*parts, "accountEnabled: true (users)", "docs/findings/exposed-account.md", "read whole (users"):
        assert expected in text
    assert draft.title == found["title"]
    assert draft.attachments == ()


def test_title_and_body_templates_and_a_title_of_one_line(drafts, runs, tmp_path):
    intro = tmp_path / "intro.txt"
    intro.write_text("Handbook, page {{ count }}.\n\nOf {{ findings[0].rule }}.", encoding="utf-8")
    [draft] = drafts([runs.of("exposed-account", 1, title="a\n\tb\x07")], group_by="finding",
                     title="[{{ severity }}] {{ title }}", body=str(intro)).values()  # fmt: skip
    assert draft.title == "[high] a b␇"
    assert markup.plain(draft.body).startswith("Handbook, page 1.\n\nOf exposed-account.")


@pytest.mark.parametrize("template", ["{% for %}", "{{ nothing }}", "{{ title.__class__.__mro__ }}", "{{ 1 / 0 }}"])
def test_a_template_that_cannot_be_filled_is_the_configs_error(drafts, runs, template):
    with pytest.raises(ConfigError, match="title: the template cannot be used"):
        drafts([runs.of("exposed-account", 1)], title=template)


def test_fields_are_chosen_by_severity(drafts, runs):
    fields = {"priority": {"critical": "P1", "high": "P2"}, "impact": {"critical": "1"}, "area": {"name": "Mail"}}
    [draft] = drafts([runs.of("exposed-account", 1)], fields=fields).values()
    assert draft.fields == {"priority": "P2", "area": {"name": "Mail"}}


def test_owner_and_due_day_come_from_the_triage_the_owner_else_from_the_sender(drafts, runs):
    runs.senders = {"scanner": {"name": "Scanner", "account": "person1@contoso.example"}}
    of_sender = runs.of("sender-blocked", 9, object_type="sender", object_id="scanner", object_name="Scanner")
    config = Config(senders=(Sender(name="Scanner", account="person1@contoso.example", owner="Facility"),))
    triaged = runs.of("exposed-account", 2, triage={"owner": "Anna", "due": "2026-12-24"})
    by_account = runs.of("exposed-account", 1)
    made = drafts([of_sender, triaged, by_account], config, group_by="finding")
    owners = {marker: (draft.owner, draft.due) for marker, draft in made.items()}
    assert owners == {
        of_sender["id"]: ("Facility", ""),
        triaged["id"]: ("Anna", "2026-12-24"),
        by_account["id"]: ("Facility", ""),
    }
    by_owner = drafts([of_sender, triaged, by_account], config, group_by="owner")
    assert sorted(draft.title for draft in by_owner.values()) == [
        "SMTP AUTH: what Anna has to look at",
        "SMTP AUTH: what Facility has to look at",
    ]
    by_sender = drafts([of_sender, triaged, by_account], config, group_by="sender")
    assert sorted(map(grouping_of, by_sender)) == ["rule", "sender"], "what has no sender stands with its rule"
    [draft] = [draft for marker, draft in by_sender.items() if grouping_of(marker) == "sender"]
    assert draft.title == "Sender Scanner: SMTP AUTH"


def test_many_findings_stand_in_a_table_with_their_accounts(drafts, runs):
    runs_of = [runs.of("exposed-account", number) for number in range(1, 81)]
    [draft] = drafts(runs_of).values()
    text = markup.plain(draft.body)
    assert "and 30 more, in the attached table" in text
    [table] = draft.attachments
    rows = list(csv.DictReader(io.StringIO(table.content.decode("utf-8-sig"), newline="")))
    assert len(rows) == 80
    assert {row["finding_id"] for row in rows} == {found["id"] for found in runs_of}
    assert {row["user_principal_name"] for row in rows} == {
        f"person{number}@contoso.example" for number in range(1, 81)
    }


def test_what_is_below_the_floor_waived_or_unknown_makes_no_ticket(drafts, runs):
    findings = [
        runs.of("exposed-account", 1, severity="low"),
        runs.of("exposed-account", 2, outcome="waived"),
        runs.of("exposed-account", 3, outcome="unknown"),
    ]
    assert drafts(findings) == {}
    assert len(drafts(findings, min_severity="low", outcomes=("fail", "unknown"), group_by="finding")) == 2
