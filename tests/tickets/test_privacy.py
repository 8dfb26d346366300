"""With `pseudonymise = true` no name of the tenant leaves: looked for in everything that a ticket system would get."""

from __future__ import annotations

import csv
import json
import re

import msgspec
import pytest
from memory import Memory

from auditor.config import Config
from auditor.findings import RULES
from auditor.tickets import markup
from auditor.tickets.draft import Drafter
from auditor.tickets.journal import State
from auditor.tickets.outcomes import as_json, as_text
from auditor.tickets.plan import plan
from auditor.tickets.privacy import pseudonymised
from auditor.tickets.source import GROUPINGS, read_source
from auditor.tickets.sync import sync
from auditor.tickets.topics import topics


@pytest.fixture(scope="module")
def sample(root):
    """The demo's whole tenant, by the run that the repository holds."""
    return root / "reports" / "sample"


@pytest.fixture(scope="module")
def names(sample):
    """Every UPN, display name and address of the tenant, and the names of senders; but for those that are words of the
    rules' own texts: somebody is called `New Password`."""
    with (sample / "accounts.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    document = json.loads((sample / "findings.json").read_text("utf-8"))
    people = {row[column] for row in rows for column in ("user_principal_name", "display_name")}
    addresses = set(re.findall(r"[\w.+-]+@[\w.-]+\w", json.dumps(document)))
    senders = {sender["name"] for sender in document["senders"].values()}
    found = {name.lower() for name in people | addresses | senders if len(name) > 3}
    fixed = leaks("\n".join(f"{rule.title} {rule.remedy} {rule.remedy_risk}" for rule in RULES), found)
    assert len(found) > 500 > 10 > len(fixed)
    return found - fixed


def leaks(told: str, names) -> set[str]:
    """By words: a name counts where no letter goes before or after it."""
    lower = told.lower()
    return {name for name in names if name in lower and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", lower)}


@pytest.mark.parametrize("grouping", GROUPINGS)
def test_no_ticket_holds_a_name(sample, names, grouping, clock):
    desk = Memory(clock)
    settings = msgspec.structs.replace(desk.settings, group_by=grouping, min_severity="info", pseudonymise=True)
    source = read_source(sample, Config())
    assert leaks(_everything(pseudonymised(source), settings), names) == set()


def test_without_pseudonyms_names_are_told(sample, names, clock):
    """Else the test above would look at nothing."""
    settings = msgspec.structs.replace(Memory(clock).settings, group_by="rule")
    assert len(leaks(_everything(read_source(sample, Config()), settings), names)) > 50


def _everything(source, settings) -> str:
    drafter = Drafter(source, settings)
    drafts = [drafter.draft(topic) for topic in topics(source, settings).values() if topic.chosen]
    told = [draft.title + draft.owner + markup.plain(draft.body) for draft in drafts]
    return "\n".join(told + [table.content.decode() for draft in drafts for table in draft.attachments])


def test_no_comment_journal_or_output_holds_a_name(sample, names, clock, tmp_path):
    """Also where the next run finds nothing, and could check only a part."""
    desk = Memory(clock)
    settings = msgspec.structs.replace(
        desk.settings, group_by="finding", min_severity="info", max_new=500, journal=str(tmp_path / "journal.jsonl")
    )
    told = ""
    for path in (sample, _next(sample, tmp_path, changed=True), _next(sample, tmp_path, changed=False)):
        outcomes = sync(desk, pseudonymised(read_source(path, Config())), settings, clock)
        told += as_json(outcomes) + as_text(outcomes)
    told += "\n".join(line for held in desk.held.values() for line in (held.ticket.title, held.body, *held.comments))
    told += (tmp_path / "journal.jsonl").read_text("utf-8")
    kinds = {kind for kind, _ in desk.writes()}
    assert {"create", "rewrite", "comment", "move done"} <= kinds
    assert leaks(told, names) == set()


def _next(sample, folder, *, changed: bool):
    """A later run: with `changed`, other severities and exposures that are not known; else nothing is found."""
    document = json.loads((sample / "findings.json").read_text("utf-8"))
    document["now"] = "2027-02-23T16:00:00Z" if changed else "2027-05-23T16:00:00Z"
    for found in document["findings"]:
        found["severity"] = "critical"
    document["findings"] = document["findings"][::2] if changed else []
    document["datasets"]["signIns"] = "denied"
    target = folder / ("changed" if changed else "none")
    target.mkdir()
    (target / "findings.json").write_text(json.dumps(document), encoding="utf-8")
    rows = (sample / "accounts.csv").read_text("utf-8-sig").replace(",open,", ",unknown,")
    (target / "accounts.csv").write_text(rows, encoding="utf-8-sig")
    return target


def test_markers_are_those_of_the_names(sample, clock):
    """So that switching pseudonyms on makes no second ticket."""
    source = read_source(sample, Config())
    for grouping in GROUPINGS:
        settings = msgspec.structs.replace(Memory(clock).settings, group_by=grouping, max_new=500)
        plain = {action.marker for action in plan(source, settings, [], State())}
        assert plain == {action.marker for action in plan(pseudonymised(source), settings, [], State())}
