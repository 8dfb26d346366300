"""`auditor what-if`: judges a snapshot with changes applied, offline; touches neither the tenant nor the snapshot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from auditor.cli.offline import format_option, judged, say
from auditor.cli.options import PATH, config_option, now_option
from auditor.what_if.parse import OPTIONS, Given, changes, from_file, from_option


def change_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Every change of the grammar as an option; those with a value may be repeated."""
    for option in reversed(OPTIONS):
        name, text = f"--{option.name}", f"{option.help[0].upper()}{option.help[1:]}."
        if option.form:
            decorate = click.option(name, multiple=True, metavar=option.form, help=text)
        else:
            decorate = click.option(name, is_flag=True, help=text)
        function = decorate(function)
    return function


def given(options: Mapping[str, Any]) -> list[Given]:
    """What stands on the command line, as the grammar reads it."""
    found: list[Given] = []
    for option in OPTIONS:
        value = options[option.name.replace("-", "_")]
        if option.form:
            found += [from_option(option.name, one) for one in value]
        elif value:
            found.append((option.name, "", ""))
    return found


@click.command("what-if")
@click.argument("snapshot", type=PATH)
@config_option(required=False)
@now_option
@format_option
@click.option("--changes", "file", type=PATH, help="A TOML file with changes; docs/what-if.md shows one.")
@change_options
def command(
    snapshot: Path, config_path: Path | None, now: datetime | None, form: str, file: Path | None, **options: Any
) -> int:
    """Judge a snapshot again with changes applied: which verdicts change, and why. Touches nothing.

    An ACCOUNT is a user principal name, address or object id; a POLICY, group or app its name or id. Put each value
    between double quotes."""
    from auditor.what_if import as_json, as_text, what_if

    wanted = [*(from_file(file) if file else []), *given(options)]
    before, senders = judged(snapshot, config_path, now)
    answer = what_if(before, senders, changes(before.tenant, senders, wanted))
    say(as_json(answer) if form == "json" else as_text(answer))
    return 0
