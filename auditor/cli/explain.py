"""`auditor explain`: reads an SMTP error and names the blockers it points at."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import click

from auditor.cli.options import PATH, config_option, now_option


class _Pasted(click.Command):
    """A text that begins with a dash looks like an option; the error must not repeat it, for it may hold a secret."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption:
            known = ", ".join(option for parameter in self.params for option in parameter.opts if option[:2] == "--")
            message = (
                f"No such option (there are {known}). Give a text that begins with a dash on stdin or behind `--`."
            )
        raise click.UsageError(message, ctx)  # outside, so that the first error is not chained


@click.command("explain", cls=_Pasted)
@click.argument("text", nargs=-1)
@click.option("--run", "run", type=PATH, help="A run's folder or a snapshot's: what the tenant really shows.")
@click.option("--account", help="With --run: the account's UPN, address or object id.")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
@config_option(required=False)
@now_option
def command(
    text: tuple[str, ...],
    run: Path | None,
    account: str | None,
    form: str,
    config_path: Path | None,
    now: datetime | None,
) -> int:
    """Read an SMTP error (TEXT, or stdin) and name the blockers it points at; with --run and --account, what the tenant
    shows for that account. The text is not repeated in the answer."""
    from auditor.explain import explain
    from auditor.explain.show import as_json, as_text

    if bool(run) != bool(account):
        raise click.UsageError("--run and --account go together.")
    if not run and (config_path or now):
        raise click.UsageError("--config and --now only serve with --run.")
    explanation = explain(_pasted(text))
    if run and account:
        from auditor.config import load
        from auditor.explain.join import join

        config = load(config_path) if config_path else None
        explanation = join(explanation, run, account, config=config, now=now)
    click.echo(as_json(explanation) if form == "json" else as_text(explanation), nl=False)
    return 0


def _pasted(words: tuple[str, ...]) -> str:
    """The words of the command line, else stdin; raises UsageError where there is nothing to read."""
    from auditor.errors import UsageError
    from auditor.explain.pasted import MOST_BYTES, decode

    text = " ".join(words)
    if words in ((), ("-",)):
        if sys.stdin.isatty():
            click.echo("Paste the error, then end the input (Ctrl-D, on Windows Ctrl-Z and Enter).", err=True)
        text = decode(sys.stdin.buffer.read(MOST_BYTES + 1))
    if not text.strip("\ufeff\0 \t\r\n"):
        raise UsageError(
            "There is no text to explain.", remedy='Give it as an argument or on stdin: auditor explain "535 5.7.139 …"'
        )
    return text
