from __future__ import annotations

import io
from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import openpyxl
import pytest

from auditor.config import Sender
from auditor.diff import compare
from auditor.evaluate import Previous
from auditor.record import record
from auditor.report.figures import figures
from auditor.report.guide import RETIREMENT
from auditor.report.styles import add_styles
from auditor.report.summary import add_summary, headlines
from auditor.report.xlsx import Book
from auditor.triage import Remark, Triage
from auditor.waivers import Accepted, Waivers


def page(evaluation: Any, targets: dict[str, str] | None = None) -> Any:
    book = Book(evaluation.judgement.tenant.now)
    add_styles(book)
    sheets = {"Findings": "What to act on"}
    add_summary(book, evaluation.judgement.tenant, figures(evaluation), sheets, targets or {})
    stream = io.BytesIO()
    book.save(stream)
    return openpyxl.load_workbook(stream)["Summary"]


def texts(sheet: Any) -> list[str]:
    return [cell.value for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)]


def test_the_page_tells_who_when_and_from_what(make: SimpleNamespace) -> None:
    waivers = Waivers([Accepted("config", "x", "", "Ann", "y", date(2026, 1, 31))]).uses([], [], make.now)
    evaluation = replace(make.evaluation(tenant_name="Contoso & Söhne"), waivers=waivers)
    told = " ".join(texts(page(evaluation)))
    for part in ("Contoso & Söhne", "11111111-2222-3333-4444-555555555555", "2026-11-23, 16:00 UTC",
                 "Microsoft Graph and Exchange Online", "1 waiver, 0 findings accepted", "To mend: 1 lapsed, 1 unused",
                 "No previous run was named", RETIREMENT):  # fmt: skip
        assert part in told


def test_numbers_are_static_and_no_formula_stands_there(make: SimpleNamespace) -> None:
    sheet = page(make.evaluation([make.finding()], count=11))
    rows = {row[1].value: [cell.value for cell in row[3:7]] for row in sheet.iter_rows() if row[1].value}
    assert rows["blocked"][:2] == [3, 3]
    assert rows["high"] == [1, 0, 0, 1]
    assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)


def test_the_first_things_to_do_lead_to_their_findings(make: SimpleNamespace) -> None:
    finding = make.finding(title="=cmd()", remedy="Close it.", accounts=(1, 2))
    sheet = page(make.evaluation([finding]), targets={finding.id: "#'Findings'!A2"})
    (cell,) = [cell for row in sheet.iter_rows() for cell in row if cell.value == "=cmd()"]
    assert (cell.data_type, cell.hyperlink.location) == ("s", "'Findings'!A2")
    assert "Close it. Touches 2 accounts." in texts(sheet)


def test_what_changed_is_counted_and_who_owes_an_answer_is_named(make: SimpleNamespace) -> None:
    findings = [make.finding("exposed-account", object_id=str(number)) for number in range(9)]
    before = Previous({}, now="2026-08-24T16:00:00Z", datasets={"users": "complete"})
    triage = {finding.id: Triage(owner=f"Owner {number % 7}", due="2026-11-01") for number, finding in
              enumerate(findings)}  # fmt: skip
    triage[findings[0].id] = Triage(status="False positive", owner="Owner 0")
    evaluation = make.evaluation(findings)
    comparison = compare(before, record(evaluation.judgement, evaluation.findings))
    sheet = page(replace(evaluation, comparison=comparison, triage=triage, remarks=[Remark("look")]))
    told = " ".join(texts(sheet))
    assert "Change since 2026-08-24" in told
    assert "1 remark about the triage" in told
    rows = {row[1].value: [cell.value for cell in row[3:6]] for row in sheet.iter_rows() if row[1].value}
    assert rows["new"] == [9, 0, 9]
    assert rows["fixed"] == [0, 0, 0]
    owners = {row[8].value: [cell.value for cell in row[10:13]] for row in sheet.iter_rows() if row[8].value}
    assert owners["Owner 1"] == [2, 2, "2026-11-01"]
    assert owners["2 more"] == [2, 2, None]
    assert "Owner 0" in owners


def test_two_charts_draw_the_tables_and_carry_a_text(make: SimpleNamespace) -> None:
    sheet = page(make.evaluation([make.finding()]))
    assert len(sheet._charts) == 2
    for chart in sheet._charts:
        assert all(series.val.numRef.f.startswith("'Summary'!$") for series in chart.series)


def test_what_was_not_read_is_told_with_its_consequence_and_remedy(make: SimpleNamespace) -> None:
    told = texts(page(make.evaluation([], "casMailboxes")))
    assert "casMailboxes (Forbidden): leaves mailbox unknown for 2 accounts." in told
    assert "To close the gap: Grant the permission." in told


def test_without_accounts_nothing_looks_like_a_pass(make: SimpleNamespace) -> None:
    lines = headlines(figures(make.evaluation([], "users", count=0)))
    assert [label for label, _ in lines] == ["Nothing judged"]
    assert "may be taken as a pass" in lines[0][1]


@pytest.mark.parametrize(
    ("senders", "expected"),
    [
        ((), "None is declared"),
        ((Sender(name="a", account="person0@contoso.example"), Sender(name="b", account="gone@x.example")),
         "2 declared senders, each by the channel it uses: 1 blocked, 1 whose account was not found."),
    ],
)  # fmt: skip
def test_senders_are_told_in_one_sentence(make: SimpleNamespace, senders: tuple[Sender, ...], expected: str) -> None:
    lines = dict(headlines(figures(make.evaluation(senders=senders))))
    assert lines["Senders"].startswith(expected)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (
            "denied",
            "40 of 41 datasets asked for were read whole. What is missing leaves results unknown, never passed.",
        ),
        ("not-asked", "40 of 40 datasets asked for were read whole. 1 dataset not asked for. What is missing leaves"),
        ("complete", "41 of 41 datasets asked for were read whole. Nothing is missing."),
    ],
)
def test_coverage_is_told_in_one_sentence(make: SimpleNamespace, state: str, expected: str) -> None:
    evaluation = make.evaluation([], "casMailboxes")
    rows = [replace(row, state=state) if row.state == "denied" else row for row in evaluation.coverage]
    lines = dict(headlines(figures(replace(evaluation, coverage=rows))))
    assert lines["Coverage"].startswith(expected)


def test_long_texts_get_rows_high_enough(make: SimpleNamespace) -> None:
    finding = make.finding(title="word " * 100, remedy="This comes first. " + "word " * 200)
    sheet = page(make.evaluation([finding]))
    (row,) = [cell.row for cells in sheet.iter_rows() for cell in cells if str(cell.value).startswith("word word")]
    assert sheet.row_dimensions[row].height > 50
    assert "This comes first. …" in texts(sheet)
