"""`auditor verify`: checks every digest of the evidence."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli.options import PATH


@click.command("verify")
@click.argument("snapshot", type=PATH)
def command(snapshot: Path) -> int:
    """Check every digest of a snapshot's evidence."""
    from auditor.snapshot import verify

    problems = verify(snapshot)
    for problem in problems:
        click.echo(problem, err=True)
    click.echo(f"{snapshot}: {'damaged or changed' if problems else 'every digest holds'}.", err=True)
    return 2 if problems else 0
