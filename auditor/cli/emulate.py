"""`auditor emulate`: the emulated tenant alone, for trying `run` from another shell."""

from __future__ import annotations

import tempfile
import threading
from datetime import datetime
from pathlib import Path

import click

from auditor.cli.options import PATH, demo_options


@click.command("emulate")
@demo_options
@click.option("--port", type=click.IntRange(0, 65000), default=0, help="The first of five ports. Default: free ones.")
@click.option(
    "--config-out", type=PATH, default=Path("config.toml"), show_default=True, help="Where to write a config."
)
def command(
    accounts: int, seed: int, scenario: str, quarter: int, now: datetime | None, port: int, config_out: Path
) -> int:
    """Serve an emulated tenant until stopped; writes a config that `run` can use."""
    from auditor.demo.server import Emulator, stop_signals, wait_until_stopped
    from auditor.demo.settings import SENDER_SECRETS, write_config
    from auditor.demo.tenant import generate

    tenant = generate(accounts=accounts, seed=seed, scenario=scenario, quarter=quarter, now=now)
    stop = threading.Event()
    with (
        stop_signals(stop),
        tempfile.TemporaryDirectory() as private,
        Emulator(tenant, Path(private), port, smtp=True) as emulator,
    ):
        write_config(tenant, emulator, config_out)
        click.echo(f"The emulated tenant {tenant.name} answers on loopback. In another shell:", err=True)
        click.echo(f"    auditor run --config {config_out}", err=True)
        secrets = config_out.parent / SENDER_SECRETS
        click.echo(f"    set -a; . {secrets.resolve()}; auditor probe --config {config_out}", err=True)
        click.echo("Ctrl-C stops it.", err=True)
        wait_until_stopped(stop)
    return 0
