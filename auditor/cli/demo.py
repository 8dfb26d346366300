"""`auditor demo`: the whole job against an emulated tenant on loopback, over TLS with the real SDK."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

import click

from auditor.cli.options import (
    demo_options,
    fail_on_option,
    format_option,
    out_option,
    previous_option,
    strict_option,
)
from auditor.cli.progress import Terminal
from auditor.cli.terminal import finish


@click.command("demo")
@demo_options
@out_option
@previous_option
@format_option
@strict_option
@fail_on_option
def command(
    accounts: int,
    seed: int,
    scenario: str,
    quarter: int,
    now: datetime | None,
    out: Path | None,
    previous: Path | None,
    formats: tuple[str, ...],
    strict: bool,
    fail_on: str | None,
) -> int:
    """Run the main job on an emulated tenant; no tenant needed."""
    from auditor.config import load
    from auditor.demo.server import Emulator
    from auditor.demo.settings import write_config
    from auditor.demo.tenant import generate
    from auditor.run import RunOptions, run, run_folder

    tenant = generate(accounts=accounts, seed=seed, scenario=scenario, quarter=quarter, now=now)
    folder = run_folder(Path("reports"), tenant.name, out, resume=False)
    with tempfile.TemporaryDirectory() as private, Emulator(tenant, Path(private)) as emulator:
        write_config(tenant, emulator, folder / "config.toml")
        config = load(folder / "config.toml")
        options = RunOptions(out=folder, resume=True, previous=previous, formats=formats)
        results = run(config, config.config.tenants, options, Terminal())
    return finish(results, strict=strict, fail_on=fail_on)
