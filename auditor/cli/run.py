"""`auditor run`: collect, judge, report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

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
from auditor.cli.progress import LogFormat, log, log_format_option, progress_of
from auditor.cli.terminal import chosen_tenants, finish

if TYPE_CHECKING:
    from auditor.config import TenantConfig


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
    from auditor.run import RunOptions, run, unclaimed

    config = load(config_path)
    options = RunOptions(
        out=out, resume=resume, previous=previous, now=now, cross_check=cross_check or 0, formats=formats
    )
    tenants = chosen_tenants(config, names)
    if previous is None:
        _hint(Path(config.config.report.folder), tenants, now, log_format)
    results = run(config, tenants, options, progress_of(log_format))
    for sender in unclaimed(config, results):
        _nobodys(sender, log_format)
    return finish(results, strict=strict, fail_on=fail_on, log_format=log_format)


def _hint(reports: Path, tenants: Sequence[TenantConfig], now: datetime | None, log_format: LogFormat) -> None:
    """Nothing is compared that was not named; but somebody may have forgotten to name it."""
    from auditor.previous import newest_run

    for tenant in tenants:
        earlier = newest_run(reports, tenant.name, now)
        if earlier and log_format == "json":
            log("earlier-run", tenant=tenant.name, folder=str(earlier))
        elif earlier:
            click.echo(
                f"{tenant.name}: {earlier} holds an earlier run; with --previous {earlier} this one would tell what "
                "changed and carry its triage over.",
                err=True,
            )


def _nobodys(sender: str, log_format: LogFormat) -> None:
    if log_format == "json":
        log("unclaimed-sender", sender=sender)
        return
    click.echo(
        f"Sender {sender}: its account's domain belongs to none of the tenants, so no report speaks of it. Mend the "
        "account, or name the tenant in the sender's `tenant`.",
        err=True,
    )
