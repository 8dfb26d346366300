"""`auditor emulate`: the emulated tenant alone, for trying `run` from another shell."""

from __future__ import annotations

import tempfile
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from auditor.cli.options import PATH, demo_options
from auditor.errors import UsageError

SHARE = click.FloatRange(0.0, 1.0, max_open=True)


class Seconds(click.ParamType[tuple[float, float]]):
    """One number of seconds, or two with a dash between: the shortest and the longest."""

    name = "SECONDS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, float]:
        if isinstance(value, tuple):
            return value
        shortest, _, longest = str(value).partition("-")
        try:
            found = float(shortest), float(longest or shortest)
        except ValueError:
            found = -1.0, -1.0
        if not 0 <= found[0] <= found[1] < float("inf"):
            self.fail(f"{value!r} is no number of seconds, nor two such as 0.1-0.5.", param, ctx)
        return found


@click.command("emulate")
@demo_options
@click.option("--port", type=click.IntRange(0, 65000), default=0, help="The first of five ports. Default: free ones.")
@click.option(
    "--config-out", type=PATH, default=Path("config.toml"), show_default=True, help="Where to write a config."
)
@click.option("--plans", type=click.IntRange(0, 200), default=0, help="At least so many plans in each large licence.")
@click.option("--limits", is_flag=True, help="Enforce the documented service limits.")
@click.option("--rival", type=SHARE, default=0.0, help="With --limits: the share of each that a second client eats.")
@click.option("--latency", type=Seconds(), help="Seconds before each answer: 0.2, or 0.1-0.5 at random by the seed.")
@click.option("--faults", "plan", type=PATH, help="A plan of faults (TOML or JSON; docs/emulator.md).")
@click.option("--time-scale", type=click.FloatRange(1.0), default=1.0, help="How much faster the emulated time runs.")
def command(
    accounts: int,
    seed: int,
    scenario: str,
    quarter: int,
    now: datetime | None,
    port: int,
    config_out: Path,
    plans: int,
    limits: bool,
    rival: float,
    latency: tuple[float, float] | None,
    plan: Path | None,
    time_scale: float,
) -> int:
    """Serve an emulated tenant until stopped; writes a config that `run` can use."""
    from auditor.demo.conditions import Conditions, FaultPlan, Latency, Limits, ScaledClock
    from auditor.demo.conditions.faults import load
    from auditor.demo.server import Emulator, stop_signals, wait_until_stopped
    from auditor.demo.settings import SENDER_SECRETS, write_config
    from auditor.demo.tenant import generate

    if rival and not limits:
        raise UsageError("--rival: there is nothing to share without --limits.", remedy="Give --limits as well.")
    conditions = Conditions(
        clock=ScaledClock(time_scale),
        limits=Limits(rival) if limits else None,
        latency=Latency(*latency, seed=seed) if latency else None,
        faults=load(plan) if plan else FaultPlan(),
        told_scale=time_scale,
    )
    tenant = generate(accounts=accounts, seed=seed, scenario=scenario, quarter=quarter, now=now, plans=plans)
    stop = threading.Event()
    with (
        stop_signals(stop),
        tempfile.TemporaryDirectory() as private,
        Emulator(tenant, Path(private), port, smtp=True, conditions=conditions) as emulator,
    ):
        write_config(tenant, emulator, config_out)
        click.echo(f"The emulated tenant {tenant.name} answers on loopback. In another shell:", err=True)
        click.echo(f"    auditor run --config {config_out}", err=True)
        secrets = config_out.parent / SENDER_SECRETS
        click.echo(f"    set -a; . {secrets.resolve()}; auditor probe --config {config_out}", err=True)
        click.echo("Ctrl-C stops it.", err=True)
        wait_until_stopped(stop)
    return 0
