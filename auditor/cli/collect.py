"""`auditor collect`: only the evidence."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli.options import PATH, config_option, strict_option
from auditor.cli.progress import LogFormat, log, log_format_option, progress_of
from auditor.cli.terminal import chosen_tenants
from auditor.errors import UsageError


@click.command("collect")
@config_option()
@click.option("--tenant", "names", multiple=True, help="Which tenant of the config, where it has several.")
@click.option("--out", type=PATH, required=True, help="The snapshot's folder.")
@click.option("--resume", is_flag=True, help="Go on with an unfinished snapshot.")
@strict_option
@log_format_option
def command(
    config_path: Path, names: tuple[str, ...], out: Path, resume: bool, strict: bool, log_format: LogFormat
) -> int:
    """Collect the evidence into a snapshot, without judging it."""
    from auditor.config import load
    from auditor.run import collect_only, prepare

    config = load(config_path)
    tenants = chosen_tenants(config, names)
    if len(tenants) != 1:
        raise UsageError("A snapshot holds one tenant.", remedy="Name it with --tenant.")
    prepare(out, resume=resume)
    partial = collect_only(config, tenants[0], out, resume, progress_of(log_format))
    if log_format == "json":
        log("done", tenant=tenants[0].name, not_read=sorted(partial), snapshot=str(out))
    else:
        click.echo(f"snapshot: {out}", err=True)
    return 3 if strict and partial else 0
