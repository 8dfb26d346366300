"""findings.xlsx: the sheets in their order, how they print, and the document's properties."""

from __future__ import annotations

from typing import IO

from auditor import __version__
from auditor.evaluate import Evaluation
from auditor.report import changes, evidence, remediation, sheets, standings, waived
from auditor.report.cells import MAX_ROWS, row_targets
from auditor.report.figures import figures
from auditor.report.guide import TITLE as GUIDE
from auditor.report.guide import add_guide
from auditor.report.order import by_urgency
from auditor.report.policies import POLICY_FIELDS, policy_rows
from auditor.report.styles import NAVY, add_styles
from auditor.report.summary import TITLE as SUMMARY
from auditor.report.summary import add_summary
from auditor.report.text import cell_text
from auditor.report.xlsx import Book
from auditor.tenant import Tenant

SCHEMA = 1
"""Rises when a sheet or column is renamed or dropped (custom property `schema`)."""

_A4 = 9

CONTENTS = {
    sheets.FINDINGS: "What to act on, the most urgent first; the tinted columns are for triage",
    evidence.TITLE: "What each finding rests on, fact by fact, with the dataset it was read from",
    sheets.SENDERS: "Every declared sender: its verdicts, what stands first in its way, its safest exit",
    standings.TITLE: "Every blocker of every declared sender in the order of work, with its reason and likely reply",
    sheets.ACCOUNTS: "Every account with every blocker's state (the same as accounts.csv)",
    sheets.AFFECTED: "The accounts behind each tenant-wide finding",
    sheets.POLICIES: "Each Conditional Access policy: whether it reaches SMTP, whom, and which senders it stops",
    remediation.TITLE: "What to do for each finding and blocker, step by step, with its risk and how to undo it",
    changes.TITLE: "What is different from the previous run, fact by fact, and what became of the triage",
    waived.TITLE: "Every waiver and what it accepts; which have lapsed, are unused or take in too much",
    sheets.COVERAGE: "What was read and what was not, what that leaves unknown, and how to close the gap",
    GUIDE: "Every word of this workbook, the severity model, and what cannot be known",
}


def write_workbook(stream: IO[bytes], evaluation: Evaluation, *, max_rows: int = MAX_ROWS) -> None:
    """Write the workbook to a seekable binary stream. `max_rows` per sheet, header included; more go to a next one."""
    judgement = evaluation.judgement
    book = Book(judgement.tenant.now, max_rows=max_rows)
    add_styles(book)
    urgent = by_urgency(evaluation.findings)
    targets = row_targets(sheets.FINDINGS, ((finding.id, 1) for finding in urgent), max_rows)
    links = sheets.FindingLinks(
        sheets.affected_targets(urgent, max_rows),
        evidence.evidence_targets(urgent, max_rows),
        remediation.remediation_targets(urgent, max_rows),
    )
    standing = standings.standing_targets(judgement, max_rows)
    add_summary(book, judgement.tenant, figures(evaluation), CONTENTS, targets)
    findings = sheets.finding_rows(evaluation, links)
    book.add_table(
        sheets.FINDINGS, sheets.finding_fields(evaluation.own_columns), findings, frozen="B2",
        printed=sheets.FINDINGS_PRINTED, tallest=sheets.FINDINGS_TALLEST,
    )  # fmt: skip
    book.add_table(evidence.TITLE, evidence.FIELDS, evidence.evidence_rows(evaluation, targets))
    book.add_table(sheets.SENDERS, sheets.SENDER_FIELDS, sheets.sender_rows(judgement, standing), frozen="B2")
    senders = sheets.sender_targets(judgement, max_rows)
    book.add_table(standings.TITLE, standings.FIELDS, standings.standing_rows(judgement, senders))
    book.add_table(sheets.ACCOUNTS, sheets.account_fields(), sheets.account_rows(judgement), frozen="C2")
    book.add_table(sheets.AFFECTED, sheets.AFFECTED_FIELDS, sheets.affected_rows(evaluation))
    book.add_table(sheets.POLICIES, POLICY_FIELDS, policy_rows(judgement), frozen="B2")
    book.add_table(remediation.TITLE, remediation.FIELDS, remediation.remediation_rows(evaluation), frozen="B2")
    book.add_table(changes.TITLE, changes.FIELDS, changes.change_rows(evaluation, targets))
    book.add_table(waived.TITLE, waived.FIELDS, waived.waiver_rows(evaluation, targets))
    book.add_table(sheets.COVERAGE, sheets.COVERAGE_FIELDS, sheets.coverage_rows(evaluation.coverage), frozen="B2")
    add_guide(book)
    _print_setup(book, judgement.tenant)
    _properties(book, judgement.tenant)
    book.save(stream)


def _print_setup(book: Book, tenant: Tenant) -> None:
    """A4 landscape (the two sheets of text: portrait), fitted to the width, page x of y, marked confidential."""
    from openpyxl.worksheet.properties import PageSetupProperties

    name = (tenant.name or tenant.tenant_id or "tenant").replace("&", "&&")
    for sheet in book.sheets:
        raw = sheet.raw
        text = sheet.title in (SUMMARY, GUIDE)
        raw.page_setup.orientation = "portrait" if text else "landscape"
        raw.page_setup.paperSize = _A4
        raw.page_setup.fitToWidth = raw.page_setup.fitToWidth or 1
        raw.page_setup.fitToHeight = 1 if sheet.title == SUMMARY else 0
        raw.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        raw.sheet_properties.tabColor = NAVY if text else None
        margins = raw.page_margins
        margins.left = margins.right = 0.4
        margins.top, margins.bottom, margins.header, margins.footer = 0.6, 0.6, 0.3, 0.3
        raw.oddHeader.left.text = cell_text(f"SMTP AUTH audit · {name}")
        raw.oddHeader.right.text = "Confidential"
        raw.oddFooter.left.text = f"{sheet.title} · {tenant.now:%Y-%m-%d %H:%M} UTC"
        raw.oddFooter.right.text = "Page &P of &N"


def _properties(book: Book, tenant: Tenant) -> None:
    from openpyxl.packaging.custom import StringProperty

    properties = book.raw.properties
    properties.title = cell_text(f"SMTP AUTH audit of {tenant.name or tenant.tenant_id or 'a tenant'}")
    properties.subject = "SMTP AUTH: verdicts, blockers and findings per account"
    properties.creator = properties.lastModifiedBy = f"tenant-auditor {__version__}"
    properties.language = "en"
    custom = {
        "run": tenant.now.strftime("%Y%m%dT%H%M%SZ"),
        "tenant": tenant.tenant_id,
        "schema": str(SCHEMA),
    }
    for name, value in custom.items():
        book.raw.custom_doc_props.append(StringProperty(name=name, value=cell_text(value)))
