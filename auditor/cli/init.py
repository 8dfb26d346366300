"""`auditor init`: a commented config and the steps to register the app with least privilege."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli.options import PATH
from auditor.errors import UsageError


@click.command("init")
@click.option("--out", type=PATH, default=Path("config.toml"), show_default=True, help="Where to write the config.")
def command(out: Path) -> int:
    """Write a commented config and print the steps to register the app."""
    from auditor.registration import config_template, steps

    try:
        with out.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(config_template())
    except FileExistsError as error:
        raise UsageError(f"{out}: exists already.", remedy="Name another file with --out.") from error
    except OSError as error:
        raise UsageError(f"{out}: cannot be written ({error.strerror}).", remedy="Name another file.") from error
    click.echo(steps())
    click.echo(f"Wrote {out}. Fill in tenant_id and client_id, then: auditor doctor --config {out}", err=True)
    return 0
