"""`auditor tickets`: findings into tickets, once each, and closed when they are really fixed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from auditor.cli.options import PATH, SEVERITY_CHOICES

if TYPE_CHECKING:
    from auditor.findings.base import Severity
    from auditor.tickets.base import System
    from auditor.tickets.settings import TicketSettings
    from auditor.tickets.source import Source
    from auditor.tickets.sync import Outcome

FORMATS = ("jira-csv", "servicenow", "azure-devops-csv", "defectdojo")


@click.group("tickets")
def command() -> None:
    """Findings into tickets, once each, and closed when they are really fixed."""


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--remake", is_flag=True, help="Make tickets anew that were made and are not found any more."),
        click.option("--max-new", type=click.IntRange(min=0), help="At most N new tickets. Default: the config's, 25."),
        click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True),
        click.option("--config", "config_path", type=PATH, help="Default: config.toml in RUN, else in this folder."),
        click.option("--to", "name", required=True, help="The [[tickets]] entry of the config."),
        click.argument("run", type=PATH),
    ):
        function = option(function)
    return function


@command.command("plan")
@_options
def plan(run: Path, name: str, config_path: Path | None, form: str, max_new: int | None, remake: bool) -> int:
    """Show what a sync of RUN would make, update, comment, close and reopen, and why. Writes nothing."""
    from auditor.clock import SystemClock
    from auditor.tickets.sync import show

    source, settings, system = _opened(run, name, config_path, max_new)
    return _tell(show(system, source, settings, SystemClock(), remake=remake), form)


@command.command("sync")
@_options
@click.option("--dry-run", is_flag=True, help="The same as `plan`.")
def sync(
    run: Path, name: str, config_path: Path | None, form: str, max_new: int | None, remake: bool, dry_run: bool
) -> int:
    """Bring the tickets to what RUN says, and say what was done. Exits with 5 where something was not done; the next
    sync tries that again."""
    from auditor.clock import SystemClock
    from auditor.tickets import keys
    from auditor.tickets.sync import show, tickets_of
    from auditor.tickets.sync import sync as bring

    source, settings, system = _opened(run, name, config_path, max_new)
    if dry_run:
        return _tell(show(system, source, settings, SystemClock(), remake=remake), form)
    outcomes = bring(system, source, settings, SystemClock(), remake=remake)
    code = _tell(outcomes, form)
    for remark in keys.hand_back(source.folder, settings.name, tickets_of(outcomes)):
        click.echo(f"auditor: {remark}", err=True)
    return code


@command.command("export")
@click.argument("run", type=PATH)
@click.option("--to", "form", type=click.Choice(FORMATS), required=True, help="Which system's import reads the files.")
@click.option("--out", type=PATH, help="The file; several parts are numbered. Default: named by the format, in RUN.")
@click.option("--min-severity", type=click.Choice(SEVERITY_CHOICES), default="medium", show_default=True)
@click.option("--pseudonymise", is_flag=True, help="Ids instead of names.")
def export(run: Path, form: str, out: Path | None, min_severity: Severity, pseudonymise: bool) -> int:
    """Write RUN's findings as a file for the import of a ticket system without an API."""
    from auditor.config import Config
    from auditor.tickets.files import write
    from auditor.tickets.privacy import pseudonymised
    from auditor.tickets.source import read_source

    source = read_source(run, Config())
    for path in write(pseudonymised(source) if pseudonymise else source, form, min_severity, out):
        click.echo(str(path))
    return 0


def _opened(
    run: Path, name: str, config_path: Path | None, max_new: int | None
) -> tuple[Source, TicketSettings, System]:
    import msgspec

    from auditor.clock import SystemClock
    from auditor.config import load
    from auditor.tickets.privacy import pseudonymised
    from auditor.tickets.settings import load_settings
    from auditor.tickets.source import read_source
    from auditor.tickets.systems import connect

    beside = run / "config.toml"
    path = config_path or (beside if beside.is_file() else Path("config.toml"))
    config = load(path)
    settings = load_settings(config, path, name)
    if max_new is not None:
        settings = msgspec.structs.replace(settings, max_new=max_new)
    source = read_source(run, config.config)
    system = connect(settings, os.environ, SystemClock())
    return (pseudonymised(source) if settings.pseudonymise else source), settings, system


def _tell(outcomes: list[Outcome], form: str) -> int:
    """Prints, and returns 5 where something was not done."""
    from auditor.tickets.outcomes import as_json, as_text, summary

    click.echo(as_json(outcomes) if form == "json" else as_text(outcomes))
    if form == "json":
        click.echo(summary(outcomes), err=True)
    return 5 if any(outcome.bad for outcome in outcomes) else 0
