"""The sheets Changes and Waivers: one fact a row, nothing glued, nothing hidden."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import openpyxl

from auditor.config import Waiver
from auditor.diff import Run, compare
from auditor.evaluate import Evaluation
from auditor.findings import to_json
from auditor.record import record
from auditor.report import changes, waived
from auditor.report.cells import Link
from auditor.report.workbook import write_workbook
from auditor.triage import Remark, Triage
from auditor.waivers import Waivers, from_config

BEFORE = "2026-08-24T16:00:00Z"


def rows(module: Any, written: Any) -> list[dict[str, Any]]:
    names = [field.header for field in module.FIELDS]
    return [dict(zip(names, row, strict=True)) for row in written]


def compared(evaluation: Evaluation, *before: Any, **more: Any) -> Evaluation:
    """The evaluation with the comparison to a run that held `before`, with every dataset read."""
    known = {one.id: {**to_json(one, evaluation.judgement), "first_seen": BEFORE} for one in before}
    now = record(evaluation.judgement, evaluation.findings)
    old = Run(known, **{"now": BEFORE, "datasets": now.datasets, "senders": now.senders, "accounts": now.accounts,
                        "policies": now.policies, **more})  # fmt: skip
    return replace(evaluation, comparison=compare(old, now))


def test_without_a_previous_run_the_sheet_says_so(make: SimpleNamespace) -> None:
    (row,) = rows(changes, changes.change_rows(make.evaluation([make.finding()]), {}))
    assert (row["change"], row["note"]) == ("none", changes.ALONE)


def test_every_fact_has_a_row_with_before_and_now(make: SimpleNamespace) -> None:
    same, old, gone = (make.finding("exposed-account", object_id=key) for key in "abc")
    new = make.finding("exposed-account", object_id="d")
    now = replace(old, severity="low", outcome="waived")
    evaluation = compared(make.evaluation([same, now, new]), same, old, gone)
    evaluation = replace(evaluation, triage={gone.id: Triage("Fixed", "Ann", "2026-12-15", "T-1", "done")})
    told = rows(changes, changes.change_rows(evaluation, {now.id: "#'Findings'!A2"}))
    assert [(row["change"], row["fact"], row["before"], row["now"]) for row in told] == [
        ("new", "", "", ""),
        ("changed", "severity", "high", "low"),
        ("changed", "outcome", "fail", "waived"),
        ("fixed", "", "", ""),
        ("persisting", "", "", ""),
    ]
    assert told[1]["finding_id"] == Link(now.id, "#'Findings'!A2")
    fixed = told[3]
    assert (fixed["Status"], fixed["Owner"], fixed["Due date"], fixed["Ticket"], fixed["Analyst comment"]) == (
        "Fixed", "Ann", date(2026, 12, 15), "T-1", "done",
    )  # fmt: skip
    assert (fixed["first_seen"], fixed["last_seen"]) == (BEFORE, BEFORE)
    assert fixed["finding_id"] == Link(gone.id, "")


def test_what_only_aged_is_no_row_of_its_own_but_named(make: SimpleNamespace) -> None:
    from auditor.findings.base import Fact

    old = make.finding("exposed-account", evidence=(Fact("smtpLastSuccess", BEFORE),))
    now = replace(old, evidence=(Fact("smtpLastSuccess", "2026-11-20T08:00:00Z"),))
    told = rows(changes, changes.change_rows(compared(make.evaluation([now]), old), {}))
    assert [(row["change"], row["note"]) for row in told] == [
        ("none", changes.SAME), ("persisting", "Only the time differs of: smtpLastSuccess."),
    ]  # fmt: skip


def test_senders_accounts_policies_datasets_and_remarks_follow(make: SimpleNamespace) -> None:
    evaluation = make.evaluation([make.finding("exposed-account")])
    accounts = dict(record(evaluation.judgement, ()).accounts)
    key = min(accounts)
    accounts[key] = (*accounts[key][:3], "open")
    now = record(evaluation.judgement, ())
    evaluation = compared(evaluation, accounts=accounts, datasets={**now.datasets, "signIns": "denied"}, policies=None)
    evaluation = replace(evaluation, remarks=[Remark("Look here.", evaluation.findings[0].id, "Findings, row 3")])
    told = rows(changes, changes.change_rows(evaluation, {}))
    shown = [(row["change"], row["subject"], row["title"], row["fact"], row["before"], row["now"]) for row in told]
    assert ("changed", "account", "person0@contoso.example", "exposure", "open", "closed") in shown
    assert ("changed", "dataset", "signIns", "state", "denied", "complete") in shown
    assert ("none", "policies", "", "", "", "") in shown
    remark = told[-1]
    assert (remark["change"], remark["note"], remark["fact"], remark["title"]) == (
        "triage", "Look here.", "Findings, row 3", "Something stands",
    )  # fmt: skip


def waivers(*more: Waiver) -> Waivers:
    return Waivers(from_config(more))


def test_each_waiver_stands_with_what_it_accepts(make: SimpleNamespace) -> None:
    findings = [make.finding("exposed-account", object_id=key, object_type="account", object_name=key) for key in "ab"]
    written = waivers(
        Waiver(rule="exposed-account", owner="Ann", reason="why", until="2027-01-31"),
        Waiver(rule="exposed-account", object="c", owner="Bert", reason="old", until="2026-01-31"),
    )
    evaluation = make.evaluation(findings)
    evaluation = replace(evaluation, waivers=written.uses(evaluation.findings, (), make.now))
    told = rows(waived, waived.waiver_rows(evaluation, {findings[0].id: "#'Findings'!A2"}))
    assert [(row["state"], row["use"], row["breadth"], row["object"], row["owner"], row["until"]) for row in told] == [
        ("in force", "used", "broader than needed", "(every object)", "Ann", date(2027, 1, 31)),
        ("in force", "used", "broader than needed", "(every object)", "Ann", date(2027, 1, 31)),
        ("lapsed", "unused", "", "c", "Bert", date(2026, 1, 31)),
    ]
    assert {row["finding_id"].text for row in told[:2]} == {finding.id for finding in findings}
    assert (told[2]["finding_id"], told[2]["source"]) == (None, "config, [[waivers]] 2")
    assert all(row["note"] for row in told)


def test_without_waivers_the_sheet_says_so(make: SimpleNamespace) -> None:
    (row,) = rows(waived, waived.waiver_rows(make.evaluation(), {}))
    assert row["note"] == waived.NONE


def test_days_are_days_and_links_lead_to_findings(make: SimpleNamespace) -> None:
    finding = make.finding("exposed-account")
    written = waivers(Waiver(rule="exposed-account", owner="Ann", reason="why", until="2027-01-31"))
    evaluation = make.evaluation([finding])
    evaluation = replace(
        compared(evaluation), waivers=written.uses(evaluation.findings, (), make.now),
        triage={finding.id: Triage(due="2026-12-15", waiver_until="2027-01-31")},
    )  # fmt: skip
    stream = io.BytesIO()
    write_workbook(stream, evaluation)
    book = openpyxl.load_workbook(stream)
    for title, header in (("Findings", "Due date"), ("Findings", "Waiver until"), ("Changes", "Due date"),
                          ("Waivers", "until")):  # fmt: skip
        sheet = book[title]
        [place] = [cell.column for cell in sheet[1] if cell.value == header]
        assert sheet.cell(2, place).is_date, title
    for title in ("Changes", "Waivers"):
        [cell] = [cell for cell in book[title][2] if cell.value == finding.id]
        place, _, corner = cell.hyperlink.location.rpartition("!")
        assert book[place.strip("'")][corner].value == finding.id
