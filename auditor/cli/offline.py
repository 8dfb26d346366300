"""What the commands that only judge share: a snapshot judged offline, and results on stdout."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from auditor.config import Sender
    from auditor.verdict import Judgement


def format_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """`--format`: the result stands on stdout in either form."""
    return click.option(
        "--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True,
        help="For people, or for machines.",
    )(function)  # fmt: skip


def judged(path: Path, config_path: Path | None, now: datetime | None) -> tuple[Judgement, Sequence[Sender]]:
    """(judgement, the tenant's declared senders) of a snapshot's folder; resolves no credential.

    Raises UsageError where the folder holds no evidence, or no moment to judge for is known."""
    from auditor.config import EMPTY, load
    from auditor.evaluate import verdicts
    from auditor.run import moment_of
    from auditor.snapshot import Snapshot

    config = (load(config_path) if config_path else EMPTY).config
    snapshot = Snapshot.open(path)
    judgement = verdicts(snapshot, config, moment_of(snapshot, now))
    return judgement, judgement.senders


def say(text: str) -> None:
    """Writes a result to stdout; what its encoding cannot hold is shown as `?` (a console of an older Windows)."""
    encoding = sys.stdout.encoding or "utf-8"
    click.echo(text.encode(encoding, "replace").decode(encoding))
