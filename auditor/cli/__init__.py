"""The command line: arguments in, exit code out. Each command is a module that is imported only when it is called."""

from __future__ import annotations

import importlib
import logging
import sys

import click

from auditor import __version__
from auditor.errors import AuditorError

COMMANDS = {
    "demo": "run the main job on an emulated tenant; no tenant needed",
    "emulate": "only the emulated tenant, until stopped",
    "init": "write a commented config and the steps to register the app",
    "doctor": "sign in and say which permissions are there and what each gap leaves unknown",
    "run": "collect, judge, report",
    "collect": "only the evidence, into a snapshot",
    "evaluate": "only the judgement and the reports, offline, from a snapshot",
    "what-if": "judge a snapshot with changes applied: which verdicts change, and why",
    "plan": "for each declared sender the smallest changes that open it and where to move; how to close the rest",
    "diff": "what changed between two runs: new, returned, changed, fixed, not checked, unchanged",
    "trend": "the numbers of every run in a folder",
    "tickets": "findings into tickets, once each, and closed when they are really fixed",
    "exchange-script": "print the read-only PowerShell script that exports Exchange settings",
    "explain": "read an SMTP error and name the blockers it points at",
    "probe": "try a declared sender's settings on the wire, without sending a message",
    "verify": "check every digest of a snapshot's evidence",
}


class _Lazy(click.Group):
    """Lists the commands without importing them, so that `--help` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"auditor.cli.{cmd_name.replace('-', '_')}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy)
@click.version_option(__version__, prog_name="auditor")
def auditor() -> None:
    """For each account of a Microsoft 365 tenant: can SMTP AUTH work, by basic authentication and by OAuth; if not,
    which documented blockers stand in the way, how do we know, and what is the safest way out?"""


def main() -> None:
    """Runs a command; every error a person can meet is one line of cause and remedy and the contract's exit code."""
    for library in ("azure", "msal"):  # they log what our errors say already, at greater length
        logging.getLogger(library).addHandler(logging.NullHandler())
    try:
        code = auditor.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except AuditorError as error:
        click.echo(f"auditor: {error}", err=True)
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("auditor: interrupted.", err=True)
        code = 130
    sys.exit(code if isinstance(code, int) else 0)
