"""`auditor diff`: what changed between two runs."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli.options import PATH


@click.command("diff")
@click.argument("old", type=PATH)
@click.argument("new", type=PATH)
@click.option(
    "--format", "form", type=click.Choice(("md", "json")), default="md", show_default=True, help="What to print."
)
def command(old: Path, new: Path, form: str) -> int:
    """Print the findings that are new, returned, changed, fixed, not checked or unchanged from the run OLD to the run
    NEW (run folders, or their findings.json), and what changed of senders, accounts and policies."""
    from auditor.previous import compare_runs
    from auditor.report.history import comparison_json, comparison_markdown

    comparison = compare_runs(old, new)
    click.echo(comparison_json(comparison) if form == "json" else comparison_markdown(comparison))
    told = ", ".join(f"{count:,} {kind}" for kind, count in comparison.counts.items() if count)
    click.echo(f"{old} → {new}: {told or 'no findings'}", err=True)
    return 0
