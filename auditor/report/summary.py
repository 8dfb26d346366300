"""The Summary sheet: what stands, what to do first, what was not checked. For someone who reads nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from auditor import __version__
from auditor.catalogue import EXCHANGE_DATASETS
from auditor.report.cells import Link, Styled, Value
from auditor.report.figures import EXPOSURES, OUTCOMES, Figures, Gap, Owed
from auditor.report.guide import RETIREMENT
from auditor.report.palettes import colour_words
from auditor.report.styles import SERIES
from auditor.report.xlsx import Book, Sheet, text_height
from auditor.tenant import Tenant

TITLE = "Summary"
WIDTHS = (2, 14, 34, 9, 9, 9, 9, 2, 11, 11, 11, 11, 11)
_FIRST, _CHART = 1, 8
"""Columns (from zero) where texts and charts begin."""
_TEXT = len(WIDTHS) - _FIRST - 1
"""Columns of a text beside its label."""

_EXPOSURE_TEXT = {
    "open": "anyone with the password, anywhere",
    "limited": "some places, or app passwords only",
    "unknown": "what decides it was not read",
    "closed": "a setting closes it for everyone",
}


def add_summary(
    book: Book,
    tenant: Tenant,
    figures: Figures,
    sheets: Mapping[str, str],
    targets: Mapping[str, str],
) -> None:
    """`sheets`: title → what the sheet holds; `targets`: finding id → link to its row in Findings."""
    page = _Page(book.add_sheet(TITLE, WIDTHS))
    page.sheet.raw.sheet_view.showGridLines = False
    page.line("SMTP AUTH audit", "title", height=34)
    page.line(
        f"{tenant.name or 'Tenant without a name'} · tenant {tenant.tenant_id or 'not known'} · {tenant.cloud} cloud",
        "subtitle",
    )
    page.line(
        f"Judged for {tenant.now:%Y-%m-%d, %H:%M} UTC · tenant-auditor {__version__} · confidential: names accounts "
        "and their weaknesses", "subtitle",
    )  # fmt: skip
    page.line(sources(tenant), "subtitle")
    page.gap()
    accepted = waivers(figures)
    for label, sentence in [*headlines(figures), *([("Waivers", accepted)] if accepted else [])]:
        page.row(_Cell(label, "strong"), _Cell(sentence, "lead", _TEXT))
    page.gap()
    _actions(page, figures, targets)
    _since(page, figures)
    _numbers(page, figures)
    _gaps(page, figures)
    page.heading("December 2026")
    page.text(RETIREMENT)
    page.gap()
    page.heading("Sheets in this workbook")
    for title, text in sheets.items():
        page.row(_Cell(Link(title, f"#'{title}'!A1"), "jump"), _Cell(text, "lead", _TEXT))


def sources(tenant: Tenant) -> str:
    """Where the evidence comes from, in one line; cell by cell it stands in Coverage."""
    asked = [tenant.status[name] for name in EXCHANGE_DATASETS if tenant.status[name].asked]
    if not asked:
        return "Read from Microsoft Graph; Exchange Online was not asked"
    ways = sorted({status.source.partition(": ")[0] for status in asked if status.source})
    return "Read from Microsoft Graph and Exchange Online" + (f" ({', '.join(ways)})" if ways else "")


def waivers(figures: Figures) -> str:
    """What is accepted, and which waivers are to be mended; nothing where no waiver is written."""
    told = figures.waived
    if not told.waivers:
        return ""
    poor = [(told.lapsed, "lapsed"), (told.unused, "unused"), (told.broad, "broader than needed")]
    mend = ", ".join(f"{number:,} {word}" for number, word in poor if number)
    sentence = f"{_count(told.waivers, 'waiver')}, {_count(told.findings, 'finding')} accepted by them today."
    return f"{sentence} To mend: {mend}." if mend else sentence


def headlines(figures: Figures) -> list[tuple[str, str]]:
    """The run in sentences, each with its label."""
    if not figures.accounts:
        return [
            ("Nothing judged", "No account was judged: the accounts (dataset `users`) were not read. Nothing in this "
             "workbook may be taken as a pass; below and in the sheet Coverage stands what is missing."),
        ]  # fmt: skip
    everyone, administrators, _ = figures.exposure["open"]
    limited, unknown = figures.exposure["limited"][0], figures.exposure["unknown"][0]
    return [
        (
            "Exposure",
            f"{everyone:,} of {_count(figures.accounts, 'account')} can be used over SMTP by anyone who has the "
            f"password, from anywhere ({_count(administrators, 'administrator')} among them); {limited:,} more only "
            f"from some places or with an app password; for {unknown:,} it is unknown.",
        ),
        ("Senders", _senders_sentence(figures)),
        (
            "Retirement",
            f"{_count(figures.breaking, 'account')} in use or declared for basic SMTP, not blocked today: what sends "
            "there stops when Microsoft turns basic authentication for SMTP AUTH off by default at the end of December "
            f"2026. For {figures.breaking_unknown:,} more it is unknown.",
        ),
        (
            "Coverage",
            f"{figures.datasets_complete:,} of {_count(figures.datasets_asked, 'dataset')} asked for were read whole. "
            + _missing(figures),
        ),
    ]


def _missing(figures: Figures) -> str:
    """What was left out on purpose, and what a gap means."""
    if not figures.gaps:
        return "Nothing is missing."
    not_asked = sum(len(gap.datasets) for gap in figures.gaps if gap.state == "not-asked")
    left_out = f"{_count(not_asked, 'dataset')} not asked for. " if not_asked else ""
    return f"{left_out}What is missing leaves results unknown, never passed."


def _senders_sentence(figures: Figures) -> str:
    if not figures.senders:
        return "None is declared in the config, so nothing was judged with a sender's own settings and place."
    told = [f"{number:,} {word.replace('not_applicable', 'without SMTP AUTH')}"
            for word, number in figures.senders_by_verdict.items() if number]  # fmt: skip
    if figures.senders_missing:
        told.append(f"{figures.senders_missing:,} whose account was not found")
    return f"{_count(figures.senders, 'declared sender')}, each by the channel it uses: {', '.join(told)}."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _actions(page: _Page, figures: Figures, targets: Mapping[str, str]) -> None:
    page.heading("The five things to do first")
    if not figures.actions:
        page.text("No finding above `info` stands. Read below what was not checked before you rest.")
    for action in figures.actions:
        finding = action.finding
        more = f" (and {action.more:,} more of this kind)" if action.more else ""
        unsure = " Not certain: what decides it was not read." if finding.outcome == "unknown" else ""
        touched = f" Touches {_count(action.accounts, 'account')}." if action.accounts > 1 else ""
        title = Link(finding.title + more, targets.get(finding.id, ""))
        row = page.row(_Cell(finding.severity, "badge"), _Cell(title, "jump", _TEXT))
        colour_words(page.sheet.raw, f"B{row}", "severity")
        page.row(_Cell(None, "text"), _Cell(f"{_opening(finding.remedy)}{touched}{unsure}", "note", _TEXT))
    page.gap()


_CHANGE_TEXT = {
    "new": "not known from any earlier run",
    "returned": "fixed once, and standing again",
    "changed": "standing, but not as before",
    "fixed": "gone, and all behind it was read",
    "not-checked": "gone, perhaps for want of evidence",
    "persisting": "standing as before",
}


def _since(page: _Page, figures: Figures) -> None:
    """What the next quarter asks first: what changed, and beside it who still owes an answer."""
    since = figures.since
    if since is None:
        page.heading("Change since the last run")
        page.text("No previous run was named (--previous): nothing is compared, every finding counts as new.", "note")
        page.gap()
        return
    owed = _owed(figures.owed)
    page.heading(f"Change since {since.before[:10] or 'the last run'}", "Who owes an answer" if owed else "")
    names = [_Cell(name, "column") for name in ("urgent", "other", "all")]
    left = [[_Cell("Findings", "column left", 2), *names]]
    for kind, (urgent, other) in since.findings.items():
        counts = [_Cell(number, "count") for number in (urgent, other, urgent + other)]
        left.append([_Cell(kind, "badge"), _Cell(_CHANGE_TEXT[kind], "label"), *counts])
    head = page.sheet.rows + 1
    for ours, theirs in zip_longest(left, owed):
        between = _Cell(None, "text", _CHART - _FIRST - _SINCE_WIDTH)
        page.row(*(ours or [_Cell(None, "text", _SINCE_WIDTH)]), *([between, *theirs] if theirs else []))
    colour_words(page.sheet.raw, f"B{head + 1}:B{head + len(since.findings)}", "change")
    told = f"Urgent: critical and high. {_count(since.senders, 'sender')} with another verdict, "
    told += f"{_count(since.exposure, 'account')} with another exposure"
    told += f"; {_count(since.remarks, 'remark')} about the triage." if since.remarks else "."
    page.text(f"{told} Each fact stands in the sheet Changes.", "note")
    page.gap()


_SINCE_WIDTH = 5
"""Columns of the table of changes."""
_OWNERS = 5


def _owed(owed: Sequence[Owed]) -> list[list[_Cell]]:
    """Rows of the table of owners; nothing where no owner was ever written."""
    if not owed:
        return []
    rows = [[_Cell("Owner", "column left", 2), *(_Cell(name, "column") for name in ("open", "overdue", "next due"))]]
    for one in owed[:_OWNERS]:
        numbers = [_Cell(number, "count") for number in (one.findings, one.overdue)]
        rows.append([_Cell(one.owner or "(nobody)", "strong", 2), *numbers, _Cell(one.next_due or None, "count")])
    rest = owed[_OWNERS:]
    if rest:
        many = _Cell(f"{len(rest):,} more", "label", 2)
        rows.append([many, _Cell(sum(one.findings for one in rest), "count"),
                     _Cell(sum(one.overdue for one in rest), "count"), _Cell(None, "label")])  # fmt: skip
    return rows


def _opening(text: str, limit: int = 240) -> str:
    """The first sentences of a remedy; the Findings and Remediation sheets hold all of it."""
    if len(text) <= limit:
        return text
    end = text.rfind(". ", 0, limit)
    return f"{text[: end + 1]} …" if end > 0 else f"{text[:limit].rpartition(' ')[0]} …"


def _numbers(page: _Page, figures: Figures) -> None:
    """The three small tables, with the charts beside them."""
    page.heading("Accounts by verdict")
    head = page.row(_Cell("Can it send?", "column left", 2), _Cell("basic", "column"), _Cell("oauth", "column"))
    for word, (basic, oauth) in figures.verdicts.items():
        _counted(page, word, (basic, oauth))
    last = page.sheet.rows
    _counted(page, "all", (figures.accounts, figures.accounts), "total", "strong")
    colour_words(page.sheet.raw, f"B{head + 1}:B{last}", "state")
    _chart(page, head, last, 2, "Accounts by verdict", "clustered")
    page.gap()

    page.heading("Accounts by exposure")
    names = [_Cell(name, "column") for name in ("all", "admins", "senders")]
    head = page.row(_Cell("Can it be abused?", "column left", 2), *names)
    for word in EXPOSURES:
        page.row(_Cell(word, "badge"), _Cell(_EXPOSURE_TEXT[word], "label"),
                 *(_Cell(number, "count") for number in figures.exposure[word]))  # fmt: skip
    colour_words(page.sheet.raw, f"B{head + 1}:B{page.sheet.rows}", "exposure")
    page.gap()

    page.heading("Findings by severity")
    names = [_Cell(name, "column") for name in (*OUTCOMES, "all")]
    head = page.row(_Cell("Severity", "column left", 2), *names)
    for severity, counts in figures.findings.items():
        _counted(page, severity, (*counts, sum(counts)))
    last = page.sheet.rows
    totals = [sum(column) for column in zip(*figures.findings.values(), strict=True)]
    _counted(page, "all", (*totals, sum(totals)), "total", "strong")
    colour_words(page.sheet.raw, f"B{head + 1}:B{last}", "severity")
    _chart(page, head, last, 3, "Findings by severity and outcome", "stacked")
    page.gap()


def _counted(page: _Page, word: str, numbers: Sequence[int], style: str = "count", label: str = "badge") -> None:
    page.row(_Cell(word, label, 2), *(_Cell(number, style) for number in numbers))


def _chart(page: _Page, head: int, last: int, series: int, title: str, grouping: str) -> None:
    """A native bar chart of the table whose header is row `head`."""
    from openpyxl.chart import BarChart, Reference
    from openpyxl.chart.shapes import GraphicalProperties

    raw = page.sheet.raw
    chart = BarChart()
    chart.type, chart.grouping, chart.title = "bar", grouping, title
    chart.overlap = 100 if grouping == "stacked" else -10
    chart.gapWidth = 60
    chart.add_data(Reference(raw, min_col=4, max_col=3 + series, min_row=head, max_row=last), titles_from_data=True)
    chart.set_categories(Reference(raw, min_col=2, min_row=head + 1, max_row=last))
    for drawn, colour in zip(chart.series, SERIES, strict=False):
        drawn.graphicalProperties = GraphicalProperties(solidFill=colour)
    chart.title.tx.rich.p[0].pPr.defRPr.sz = 1100
    chart.x_axis.scaling.orientation = "maxMin"
    chart.y_axis.crosses = "max"
    chart.x_axis.delete = chart.y_axis.delete = False
    chart.y_axis.numFmt, chart.y_axis.majorGridlines = "#,##0", None
    chart.legend.position = "b"
    chart.width, chart.height = 10.6, 4.7
    raw.add_chart(chart, f"{_column(_CHART)}{head}")
    page.sheet.alt_texts.append(f"{title}: the numbers stand in the table beside it.")


def _gaps(page: _Page, figures: Figures) -> None:
    page.heading("What was not checked")
    telling = [gap for gap in figures.gaps if gap.blockers]
    rest = [name for gap in figures.gaps if not gap.blockers for name in gap.datasets]
    if not figures.gaps:
        page.text("Every dataset was read whole.")
    for gap in telling:
        row = page.row(_Cell(gap.state, "badge"), _Cell(_gap_text(gap), "lead", _TEXT))
        colour_words(page.sheet.raw, f"B{row}", "dataset")
        if gap.remedy:
            page.row(_Cell(None, "text"), _Cell(f"To close the gap: {gap.remedy}", "note", _TEXT))
    if rest:
        page.text(f"Not read and without weight for a verdict (evidence and context only): {', '.join(rest)}.", "note")
    page.text(
        "What no interface shows: whether the password is right, whether an app password exists, the client's TLS, the "
        "reputation of its address, and outbound-spam restrictions. A verdict `open` therefore promises no delivery.",
        "note",
    )
    page.gap()


def _gap_text(gap: Gap) -> str:
    names = ", ".join(gap.datasets)
    reason = f" ({gap.reason.rstrip('.')})" if gap.reason else ""
    left = (
        f"leaves {', '.join(gap.blockers)} unknown for {_count(gap.unknown_accounts, 'account')}"
        if gap.unknown_accounts
        else f"bears on {', '.join(gap.blockers)}; no account became unknown by it"
    )
    return f"{names}{reason}: {left}."


@dataclass(frozen=True)
class _Cell:
    """A value of the Summary, over `span` columns."""

    value: Value
    style: str
    span: int = 1


class _Page:
    """Rows of the Summary. Values start in the second column; a value over several columns merges them."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet

    def row(self, *cells: _Cell, height: float = 0) -> int:
        values: list[Value] = [None] * _FIRST
        styles = ["text"] * _FIRST
        number = self.sheet.rows + 1
        heights = [height]
        for cell in cells:
            start = len(values)
            values += [cell.value, *[None] * (cell.span - 1)]
            styles += [cell.style] * cell.span
            if cell.span > 1:
                self.sheet.raw.merged_cells.add(f"{_column(start)}{number}:{_column(start + cell.span - 1)}{number}")
            if not height and cell.style in self.sheet.book.wrapped:
                heights.append(_height(cell, sum(WIDTHS[start : start + cell.span])))
        return self.sheet.append(values, styles, height=max(heights))

    def text(self, text: str, style: str = "lead") -> int:
        """A text under its heading, in line with the texts above and below."""
        return self.row(_Cell(text, style, _TEXT + 1))

    def line(self, text: str, style: str, height: float = 18) -> int:
        return self.sheet.append([None, text], ["text", style], height=height)

    def heading(self, text: str, beside: str = "") -> int:
        """A heading over the whole width; `beside` is one for what stands to the right, where the charts do."""
        cells = [_Cell(text, "heading"), *[_Cell(Styled(None, "label"), "label")] * _TEXT]
        if beside:
            cells[_CHART - _FIRST] = _Cell(beside, "heading")
        return self.row(*cells, height=24)

    def gap(self) -> int:
        return self.sheet.append([None], ["text"], height=9)


def _height(cell: _Cell, width: float) -> float:
    text = str(cell.value.text if isinstance(cell.value, Link) else cell.value or "")
    if cell.style == "note":
        return text_height(text, width, per_width=1.5, line=12)
    return text_height(text, width, per_width=1.15, line=14.5)


def _column(index: int) -> str:
    return chr(ord("A") + index)
