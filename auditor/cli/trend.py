"""`auditor trend`: the numbers of every run in a folder."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli.options import PATH


@click.command("trend")
@click.argument("folder", type=PATH, default=Path("reports"))
@click.option(
    "--format", "form", type=click.Choice(("md", "json", "csv")), default="md", show_default=True, help="What to print."
)
def command(folder: Path, form: str) -> int:
    """Print one row per finished run in FOLDER (default: reports): findings by severity, senders by verdict, accounts
    by exposure."""
    from auditor.report.history import trend_csv, trend_json, trend_markdown
    from auditor.trend import trend

    points, problems = trend(folder)
    for problem in problems:
        click.echo(f"auditor: {problem}", err=True)
    shown = {"md": trend_markdown, "json": trend_json, "csv": trend_csv}[form](points)
    click.echo(shown)
    return 0
