from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from types import SimpleNamespace

import pytest

from auditor import accounts
from auditor.blockers import BLOCKERS
from auditor.config import Sender
from auditor.findings.base import Fact
from auditor.previous_workbook import PLAIN
from auditor.report import evidence, sheets, standings
from auditor.report.cells import Link, Styled
from auditor.report.csvfiles import COVERAGE_COLUMNS, FINDING_COLUMNS
from auditor.triage import COLUMNS, Triage

CALL = datetime.fromisoformat("2026-12-01T09:30:00")


def columns(fields: tuple[sheets.Field, ...], rows: object) -> list[dict[str, object]]:
    return [dict(zip([field.header for field in fields], row, strict=True)) for row in rows]  # type: ignore[call-overload]


def findings_sheet(evaluation: object, **links: dict[str, str]) -> list[dict[str, object]]:
    found = sheets.FindingLinks(*(links.get(name, {}) for name in ("affected", "evidence", "remedies")))
    fields = sheets.finding_fields(evaluation.own_columns)  # type: ignore[attr-defined]
    return columns(fields, sheets.finding_rows(evaluation, found))  # type: ignore[arg-type]


def test_findings_have_the_contracts_columns_but_lists_and_those_of_triage() -> None:
    headers = [field.header for field in sheets.FINDING_FIELDS]
    assert set(FINDING_COLUMNS) - set(headers) == {"evidence", "references"}, "in columns of their own"
    triage = [field for field in sheets.FINDING_FIELDS if field.style.startswith("triage")]
    assert [field.header for field in triage] == [
        "Status", "Owner", "Due date", "Ticket", "Analyst comment", "Waiver until",
    ]  # fmt: skip
    assert triage[0].choices == ("Open", "In progress", "Risk accepted", "False positive", "Fixed")


def test_the_reader_of_triage_knows_every_header() -> None:
    known = {*PLAIN, *COLUMNS.values()}
    assert {field.header for field in sheets.FINDING_FIELDS} == known


def test_findings_read_from_the_most_urgent_down(make: SimpleNamespace) -> None:
    findings = [make.finding("b", severity="low"), make.finding("a", severity="critical", accounts=(1, 2))]
    rows = findings_sheet(make.evaluation(findings), affected={findings[1].id: "#'Affected'!A2"})
    assert [row["severity"] for row in rows] == ["critical", "low"]
    assert rows[0]["id"] == Link(findings[1].id, "#'Affected'!A2")
    assert rows[0]["facts"] == Link(1, "")
    assert str(rows[0]["reference 2"].text).endswith("/exchange/two")  # type: ignore[attr-defined]
    assert (rows[0]["accounts"], rows[0]["Status"], rows[0]["Analyst comment"]) == (2, "Open", "")


def test_what_analysts_wrote_is_shown_again_days_as_days(make: SimpleNamespace) -> None:
    finding = make.finding()
    triage = {finding.id: Triage("In progress", "Ann", "2026-12-15", "T-1", "asked", "2027-01-31")}
    (row,) = findings_sheet(replace(make.evaluation([finding]), triage=triage))
    assert [row[name] for name in COLUMNS.values()] == [
        "In progress", "Ann", date(2026, 12, 15), "T-1", "asked", date(2027, 1, 31),
    ]  # fmt: skip


def test_the_analysts_own_columns_stand_last_with_their_values_as_they_were(make: SimpleNamespace) -> None:
    finding, other = make.finding(), make.finding("other")
    own = (("CAB", date(2027, 1, 31)), ("Call", CALL), ("Effort", 2.5), ("Asked", True))
    evaluation = replace(
        make.evaluation([finding, other]),
        triage={finding.id: Triage(own=own)},
        own_columns=("Note", "Asked", "CAB", "Call", "Effort"),
    )
    first, second = findings_sheet(evaluation)
    assert list(first)[-5:] == ["Note", "Asked", "CAB", "Call", "Effort"]
    assert list(first.values())[-5:] == [
        None, True, Styled(date(2027, 1, 31), "triage date"), Styled(CALL, "triage time"), 2.5,
    ]  # fmt: skip
    assert list(second.values())[-5:] == [None] * 5


def test_evidence_has_one_fact_a_row_and_a_blockers_state_in_a_cell_of_its_own(make: SimpleNamespace) -> None:
    facts = (
        Fact("mailbox", "blocks: It has none.", "mailboxes"),
        Fact("note", "blocks: none"),
        Fact("sender", "yes"),
    )
    findings = [make.finding("b", severity="low"), make.finding("a", evidence=facts)]
    targets = {finding.id: f"#'Findings'!A{number}" for number, finding in enumerate(reversed(findings), 2)}
    rows = columns(evidence.FIELDS, evidence.evidence_rows(make.evaluation(findings), targets))
    assert [(row["fact"], row["state"], row["value"], row["dataset"]) for row in rows] == [
        ("mailbox", "blocks", "It has none.", "mailboxes"),
        ("note", "", "blocks: none", ""),
        ("sender", "", "yes", ""),
        ("SmtpClientAuthenticationDisabled", "", "false", "transportConfig"),
    ]
    assert rows[0]["finding_id"] == Link(findings[1].id, "#'Findings'!A2")
    assert evidence.evidence_targets(findings, max_rows=3) == {
        findings[1].id: "#'Evidence'!A2", findings[0].id: "#'Evidence (2)'!A3",
    }  # fmt: skip


def test_a_waiver_shows_as_accepted_and_leaves_the_analysts_columns_alone(make: SimpleNamespace) -> None:
    evidence = (Fact("x", "1"), Fact("waiver", "until 2027-01-31: Ann, replaced"))
    waived = make.finding(outcome="waived", evidence=evidence)
    (row,) = findings_sheet(make.evaluation([waived]))
    assert row["Status"] == "Risk accepted"
    assert row["waiver"] == "until 2027-01-31: Ann, replaced"
    assert (row["Owner"], row["Analyst comment"], row["Waiver until"]) == ("", "", None)


def test_a_lapsed_waiver_is_told_and_accepts_nothing(make: SimpleNamespace) -> None:
    (row,) = findings_sheet(make.evaluation([make.finding(evidence=(Fact("waiver", "lapsed on 2026-01-31: Ann, x"),))]))
    assert (row["Status"], row["waiver"]) == ("Open", "lapsed on 2026-01-31: Ann, x")


def test_every_sender_has_a_row_also_the_one_whose_account_is_gone(make: SimpleNamespace) -> None:
    senders = [
        Sender(name="scanner", account="person0@contoso.example", egress_ips=("192.0.2.1",)),
        Sender(name="erp", account="person1@contoso.example", auth="oauth"),
        Sender(name="gone", account="gone@contoso.example"),
    ]
    rows = columns(sheets.SENDER_FIELDS, sheets.sender_rows(make.judgement(senders=senders, reason="Because.")))
    assert [(row["Sender"], row["Account found"], row["Verdict"]) for row in rows] == [
        ("gone", "no", "unknown"), (Link("scanner", ""), "yes", "blocked"), (Link("erp", ""), "yes", "open"),
    ]  # fmt: skip
    assert [rows[1][blocker.id] for blocker in BLOCKERS] == ["blocks"] * len(BLOCKERS)
    assert rows[1]["Why"] == "Because."
    assert rows[2]["Why"] == "No blocker was found in the tenant's settings."
    assert rows[1]["Egress IPs"] == "192.0.2.1"


def test_what_stands_in_a_senders_way_is_told_the_strongest_first(make: SimpleNamespace) -> None:
    senders = [
        Sender(name="scanner", account="person0@contoso.example"),
        Sender(name="erp", account="person0@contoso.example", auth="oauth"),
        Sender(name="clear", account="person1@contoso.example"),
    ]
    judgement = make.judgement(senders=senders, reason="So.")
    scanner, erp, clear = (standings.standings(judgement, case) for case in judgement.sender_cases())
    assert [standing.blocker for standing in scanner][:1] == ["mailbox"]
    assert [standing.blocker for standing in scanner][-1:] == ["oauth-grant"]
    assert [standing.other for standing in scanner] == [""] * (len(BLOCKERS) - 1) + ["oauth"]
    assert {standing.blocker for standing in erp if standing.other} >= {"security-defaults", "credential"}
    assert clear == []


def test_every_blocker_of_every_sender_has_a_row(make: SimpleNamespace) -> None:
    senders = [Sender(name=name, account="person0@contoso.example") for name in ("scanner", "erp")]
    judgement = make.judgement(senders=senders, reason="So.")
    links = sheets.sender_targets(judgement, max_rows=100)
    rows = columns(standings.FIELDS, standings.standing_rows(judgement, links))
    assert [(str(row["Sender"].text), row["Blocker"]) for row in rows] == [  # type: ignore[attr-defined]
        (name, blocker.id) for name in ("scanner", "erp") for blocker in BLOCKERS
    ]
    assert {(row["State"], row["Reason"]) for row in rows} == {("blocks", "So.")}
    assert rows[-1]["Sender"] == Link("erp", "#'Senders'!A3")
    assert set(standings.standing_targets(judgement, 100).values()) == {
        "#'Sender blockers'!A2", f"#'Sender blockers'!A{2 + len(BLOCKERS)}",
    }  # fmt: skip


def test_accounts_are_those_of_accounts_csv(make: SimpleNamespace) -> None:
    judgement = make.judgement(count=4)
    assert [field.header for field in sheets.account_fields()] == list(accounts.COLUMNS)
    assert list(sheets.account_rows(judgement)) == list(accounts.rows(judgement))
    coloured = {field.header for field in sheets.account_fields() if field.words == "state"}
    assert {blocker.id for blocker in BLOCKERS} | {"basic", "oauth"} == coloured


def test_affected_lists_the_accounts_of_wide_findings_only(make: SimpleNamespace) -> None:
    wide = make.finding("wide", accounts=(0, 1, 2))
    policy = make.finding("policy", object_type="policy", accounts=(3,))
    single = make.finding("single", object_type="account", accounts=(4,))
    none = make.finding("none")
    rows = columns(sheets.AFFECTED_FIELDS, sheets.affected_rows(make.evaluation([wide, policy, single, none])))
    assert [(str(row["finding_id"]).partition("-")[0], row["user_principal_name"]) for row in rows] == [
        ("wide", "person0@contoso.example"), ("wide", "person1@contoso.example"), ("wide", "person2@contoso.example"),
        ("policy", "person3@contoso.example"),
    ]  # fmt: skip
    assert [row["is_admin"] for row in rows] == ["false", "true", "false", "false"]
    assert [row["exposure"] for row in rows] == ["closed", "limited", "unknown", "open"]


def test_links_to_affected_count_over_the_sheets_that_follow(make: SimpleNamespace) -> None:
    findings = [make.finding(f"r{number}", accounts=(0, 1, 2)) for number in range(3)]
    targets = sheets.affected_targets(findings, max_rows=5)
    assert [targets[finding.id] for finding in findings] == ["#'Affected'!A2", "#'Affected'!A5", "#'Affected (2)'!A4"]


def test_coverage_is_that_of_coverage_csv(make: SimpleNamespace) -> None:
    rows = columns(sheets.COVERAGE_FIELDS, sheets.coverage_rows(make.coverage("users")))
    assert [field.header for field in sheets.COVERAGE_FIELDS] == list(COVERAGE_COLUMNS)
    assert [row["dataset"] for row in rows] == sorted(row.dataset for row in make.coverage())


@pytest.mark.parametrize(("value", "word"), [(1, "true"), (0, "false"), (-1, "unknown")])
def test_tri_states_have_three_words(value: int, word: str) -> None:
    assert sheets.tri(value) == word
