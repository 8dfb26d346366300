"""`auditor exchange-script`: the read-only PowerShell export script."""

from __future__ import annotations

import click


@click.command("exchange-script")
def command() -> int:
    """Print the PowerShell script that an Exchange administrator runs; it only reads."""
    from auditor.exchange import export_script

    click.echo(export_script())
    return 0
