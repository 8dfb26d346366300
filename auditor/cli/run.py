"""`auditor run`: collect, judge, report."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from auditor.cli.options import (
    config_option,
    fail_on_option,
    format_option,
    now_option,
    out_option,
    previous_option,
    strict_option,
)
from auditor.cli.progress import LogFormat, log_format_option, progress_of
from auditor.cli.terminal import chosen_tenants, finish


@click.command("run")
@config_option()
@click.option("--tenant", "names", multiple=True, help="Only this tenant of the config; repeatable.")
@out_option
@click.option("--resume", is_flag=True, help="Go on with an unfinished run instead of starting anew.")
@previous_option
@format_option
@now_option
@click.option(
    "--cross-check",
    type=click.IntRange(min=1),
    default=None,
    metavar="N",
    help="Compare with Microsoft's own What If answer for N accounts; takes about N seconds.",
)
@strict_option
@log_format_option
@fail_on_option
def command(
    config_path: Path,
    names: tuple[str, ...],
    out: Path | None,
    resume: bool,
    previous: Path | None,
    formats: tuple[str, ...],
    now: datetime | None,
    cross_check: int | None,
    strict: bool,
    log_format: LogFormat,
    fail_on: str | None,
) -> int:
    """Collect, judge, report."""
    from auditor.config import load
    from auditor.run import RunOptions, run

    config = load(config_path)
    options = RunOptions(
        out=out, resume=resume, previous=previous, now=now, cross_check=cross_check or 0, formats=formats
    )
    results = run(config, chosen_tenants(config, names), options, progress_of(log_format))
    return finish(results, strict=strict, fail_on=fail_on, log_format=log_format)
