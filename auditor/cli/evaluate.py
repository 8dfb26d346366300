"""`auditor evaluate`: only the judgement and the reports, offline."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from auditor.cli.options import (
    PATH,
    config_option,
    fail_on_option,
    format_option,
    now_option,
    out_option,
    previous_option,
    strict_option,
)
from auditor.cli.terminal import finish


@click.command("evaluate")
@click.argument("snapshot", type=PATH)
@config_option(required=False)
@out_option
@now_option
@previous_option
@format_option
@strict_option
@fail_on_option
def command(
    snapshot: Path,
    config_path: Path | None,
    out: Path | None,
    now: datetime | None,
    previous: Path | None,
    formats: tuple[str, ...],
    strict: bool,
    fail_on: str | None,
) -> int:
    """Judge a snapshot again, offline; resolves no credential."""
    from auditor.config import EMPTY, load
    from auditor.run import RunOptions, judge_snapshot

    config = load(config_path) if config_path else EMPTY
    options = RunOptions(out=out, previous=previous, now=now, formats=formats)
    return finish([judge_snapshot(snapshot, config, options)], strict=strict, fail_on=fail_on)
