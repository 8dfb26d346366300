"""How the workbook looks: one font, few colours, the same on every sheet."""

from __future__ import annotations

from auditor.report.xlsx import Book

FONT = "Calibri"
NAVY, SLATE, RULE, PALE, TRIAGE = "1F3A5F", "475569", "CBD5E1", "F1F5F9", "FFFBEB"
SERIES = (NAVY, "7A5AA6", "94A3B8")
"""The charts' series, in order."""


def add_styles(book: Book) -> None:
    """The named styles that the sheets use."""
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

    def font(size: float = 10, **more: object) -> Font:
        return Font(name=FONT, size=size, **more)

    def align(**more: object) -> Alignment:
        return Alignment(vertical="top", **more)

    def middle(**more: object) -> Alignment:
        return Alignment(vertical="center", **more)

    line = Side(style="thin", color=RULE)
    below, grid, box = Border(bottom=line), Border(bottom=line, right=line), Border(line, line, line, line)
    fill = {name: PatternFill("solid", fgColor=name) for name in (NAVY, PALE, TRIAGE)}
    wrap, left = align(wrap_text=True), align(horizontal="left")

    book.add_style("text", font=font(), alignment=align())
    book.add_style("cell", tinted=True, font=font(), alignment=align(), border=grid)
    book.add_style("wrap", tinted=True, font=font(), alignment=wrap, border=grid)
    book.add_style(
        "number",
        tinted=True,
        font=font(),
        alignment=align(horizontal="right", indent=1),
        border=grid,
        number_format="#,##0",
    )
    book.add_style("day", tinted=True, font=font(), alignment=left, border=grid, number_format="yyyy-mm-dd")
    book.add_style("link", font=font(color="0B5394", underline="single"), alignment=wrap, border=grid)
    book.add_style("jump", font=font(color="0B5394", underline="single"), alignment=wrap)
    book.add_style(
        "header",
        font=font(bold=True, color="FFFFFF"),
        fill=fill[NAVY],
        alignment=middle(wrap_text=True),
    )
    book.add_style("triage", tinted=True, font=font(), fill=fill[TRIAGE], alignment=wrap, border=box)
    book.add_style(
        "triage date", tinted=True, font=font(), fill=fill[TRIAGE], alignment=left, border=box,
        number_format="yyyy-mm-dd",
    )  # fmt: skip
    book.add_style(
        "triage time", tinted=True, font=font(), fill=fill[TRIAGE], alignment=left, border=box,
        number_format="yyyy-mm-dd hh:mm",
    )  # fmt: skip
    book.add_style("title", font=font(20, bold=True, color=NAVY), alignment=middle())
    book.add_style("subtitle", font=font(11, color=SLATE), alignment=middle())
    book.add_style(
        "heading", font=font(13, bold=True, color=NAVY), alignment=Alignment(vertical="bottom"), border=below
    )
    book.add_style("lead", font=font(11), alignment=wrap)
    book.add_style("note", font=font(9, italic=True, color=SLATE), alignment=wrap)
    book.add_style("label", tinted=True, font=font(10), alignment=wrap, border=below)
    book.add_style("count", tinted=True, font=font(10), alignment=align(horizontal="right"), border=below,
                   number_format="#,##0")  # fmt: skip
    book.add_style("total", tinted=True, font=font(10, bold=True), alignment=align(horizontal="right"), border=below,
                   number_format="#,##0")  # fmt: skip
    book.add_style("badge", tinted=True, font=font(10, bold=True), alignment=align(), border=below)
    book.add_style("strong", tinted=True, font=font(10, bold=True), alignment=wrap, border=below)
    book.add_style("column", tinted=True, font=font(10, bold=True, color=NAVY), fill=fill[PALE],
                   alignment=middle(horizontal="right", wrap_text=True), border=below)  # fmt: skip
    book.add_style("column left", tinted=True, font=font(10, bold=True, color=NAVY), fill=fill[PALE],
                   alignment=middle(wrap_text=True), border=below)  # fmt: skip
