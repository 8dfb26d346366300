"""`auditor plan`: for each declared sender what opens it and where to move it, and how to close the rest; offline."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from auditor.cli.offline import format_option, judged, say
from auditor.cli.options import PATH, config_option, now_option


@click.command("plan")
@click.argument("snapshot", type=PATH)
@config_option(required=False)
@now_option
@format_option
@click.option("--sender", "names", multiple=True, metavar="NAME", help="Only this declared sender.")
@click.option("--close", "closing", is_flag=True, help="Only how to close basic SMTP for everyone else.")
def command(
    snapshot: Path, config_path: Path | None, now: datetime | None, form: str, names: tuple[str, ...], closing: bool
) -> int:
    """Say what would open each declared sender, what it would cost, and where to move it instead; and how to close
    basic SMTP for everyone but the declared senders, with what that would stop. Touches nothing."""
    from auditor.plan import Plan, as_json, as_text, closing_plan, plan
    from auditor.what_if.targets import Targets

    judgement, senders = judged(snapshot, config_path, now)
    only = [Targets(judgement.tenant, senders).sender(name) for name in names]
    if closing:
        answer = Plan((), closing_plan(judgement, senders))
    else:
        answer = plan(judgement, senders, only=only, closing=not only)
    say(as_json(judgement.tenant, answer) if form == "json" else as_text(judgement.tenant, answer))
    return 0
