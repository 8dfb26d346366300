from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import pytest

from auditor import accounts
from auditor.blockers import BLOCKERS
from auditor.config import Sender
from auditor.findings.base import Fact
from auditor.previous_workbook import PLAIN
from auditor.report import sheets
from auditor.report.csvfiles import COVERAGE_COLUMNS, FINDING_COLUMNS
from auditor.report.xlsx import Link
from auditor.triage import COLUMNS, Triage


def columns(fields: tuple[sheets.Field, ...], rows: object) -> list[dict[str, object]]:
    return [dict(zip([field.header for field in fields], row, strict=True)) for row in rows]  # type: ignore[call-overload]


def findings_sheet(evaluation: object, **links: dict[str, str]) -> list[dict[str, object]]:
    rows = sheets.finding_rows(evaluation, links.get("affected", {}), links.get("remedies", {}))  # type: ignore[arg-type]
    return columns(sheets.FINDING_FIELDS, rows)


def test_findings_have_the_contracts_columns_and_the_analysts_own() -> None:
    headers = [field.header for field in sheets.FINDING_FIELDS]
    assert set(FINDING_COLUMNS) <= set(headers)
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
    assert (rows[0]["accounts"], rows[0]["Status"], rows[0]["Analyst comment"]) == (2, "Open", "")


def test_what_analysts_wrote_is_shown_again_days_as_days(make: SimpleNamespace) -> None:
    finding = make.finding()
    triage = {finding.id: Triage("In progress", "Ann", "2026-12-15", "T-1", "asked", "2027-01-31")}
    (row,) = findings_sheet(replace(make.evaluation([finding]), triage=triage))
    assert [row[name] for name in COLUMNS.values()] == [
        "In progress", "Ann", date(2026, 12, 15), "T-1", "asked", date(2027, 1, 31),
    ]  # fmt: skip


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
        ("gone", "no", "unknown"), ("scanner", "yes", "blocked"), ("erp", "yes", "open"),
    ]  # fmt: skip
    assert [rows[1][blocker.id] for blocker in BLOCKERS] == ["blocks"] * len(BLOCKERS)
    assert "mailbox (blocks): Because." in str(rows[1]["Why"])
    assert str(rows[1]["Likely replies"]).startswith("mailbox: ")
    assert rows[2]["Why"] == "No blocker was found in the tenant's settings."
    assert rows[1]["Egress IPs"] == "192.0.2.1"


def test_reasons_name_what_stands_the_strongest_first(make: SimpleNamespace) -> None:
    judgement = make.judgement(reason="So.")
    lines = sheets.reasons(judgement, 0, "basic").split("\n")
    assert len(lines) == len(BLOCKERS)
    assert lines[0] == "mailbox (blocks): So."
    assert lines[-1] == "oauth-grant (blocks, oauth only): So."
    assert "security-defaults (blocks, basic only): So." in sheets.reasons(judgement, 0, "oauth")
    assert "(conditional)" in sheets.reasons(judgement, 2, "basic")
    assert "(unknown)" in sheets.reasons(judgement, 3, "basic")
    assert sheets.reasons(judgement, 4, "basic") == "No blocker was found in the tenant's settings."


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
