"""`auditor doctor`: signs in and tells permissions, datasets and gaps."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli.options import config_option
from auditor.cli.terminal import chosen_tenants


@click.command("doctor")
@config_option()
@click.option("--tenant", "names", multiple=True, help="Only this tenant of the config; repeatable.")
def command(config_path: Path, names: tuple[str, ...]) -> int:
    """Sign in and say which permissions are there and what each gap leaves unknown."""
    import asyncio

    from auditor.config import load
    from auditor.doctor import examine, render

    config = load(config_path)
    for tenant in chosen_tenants(config, names):
        click.echo(render(asyncio.run(examine(config, tenant))))
    return 0
