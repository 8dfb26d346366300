"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from auditor.report.formats import FORMATS, check

PATH = click.Path(path_type=Path)
SEVERITY_CHOICES = ("critical", "high", "medium", "low", "info")

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


class Moment(click.ParamType[datetime]):
    """An ISO 8601 moment; without an offset it is UTC."""

    name = "ISO8601"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is no ISO 8601 time, for instance 2026-11-23T16:00:00Z.", param, ctx)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def config_option(*, required: bool = True) -> Decorator:
    return click.option(
        "--config", "config_path", type=PATH, required=required, help="The config; `auditor init` writes one."
    )


out_option = click.option(
    "--out", type=PATH, help="The run's folder; must be empty or absent. Default: below reports/."
)
now_option = click.option("--now", type=Moment(), help="The moment to judge for. Default: the end of the snapshot.")
previous_option = click.option(
    "--previous", type=PATH, help="An earlier run or its workbook: tells what changed, carries the triage over."
)
strict_option = click.option("--strict", is_flag=True, help="Exit 3 where a requested part could not be read.")
fail_on_option = click.option(
    "--fail-on", type=click.Choice(SEVERITY_CHOICES), help="Exit 1 where a finding at or above this severity stands."
)


def _formats(context: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:  # noqa: ARG001 - click's signature
    """Checked before anything is read: a run is too long to end in a missing package."""
    check(value)
    return value


format_option = click.option(
    "--format",
    "formats",
    type=click.Choice(FORMATS),
    multiple=True,
    callback=_formats,
    help="Also write the findings in this format; repeatable. json and csv are always there.",
)


def demo_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """What shapes the emulated tenant: the same options for `demo` and `emulate`."""
    for option in (
        click.option("--now", type=Moment(), help="The emulated tenant's fixed clock."),
        click.option("--quarter", type=click.IntRange(1), default=1, show_default=True, help="Which quarter to show."),
        click.option("--scenario", default="default", show_default=True, help="Which tenant to emulate."),
        click.option("--seed", type=int, default=1, show_default=True, help="Another seed, another tenant."),
        click.option("--accounts", type=click.IntRange(1), default=400, show_default=True, help="How many accounts."),
    ):
        function = option(function)
    return function
