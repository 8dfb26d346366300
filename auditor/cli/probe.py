"""`auditor probe`: tries declared senders' settings on the wire."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from auditor.cli.options import PATH, config_option
from auditor.errors import UsageError

if TYPE_CHECKING:
    from auditor.config import LoadedConfig, Sender, TenantConfig
    from auditor.probe import Job, Memory, ProbeResult, Tools
    from auditor.probe.transcript import Evidence, PrivateFile

WARNING = (
    "A refused password counts towards the account's lock-out, also for the device that uses it; each is tried once."
)


@click.command("probe")
@config_option()
@click.option("--sender", "names", multiple=True, help="Only this sender of the config; repeatable.")
@click.option("--tenant", "tenant_name", help="Whose senders they are, where the config has several tenants.")
@click.option("--send", "send_to", metavar="TO", default="", help="Also send a short test message to this address.")
@click.option("--yes", is_flag=True, help="Do not ask before it begins.")
@click.option("--again", is_flag=True, help="Try a password again that was refused within the hour.")
@click.option("--transcript", type=PATH, help="A new private file for what was said; secrets are masked.")
@click.option("--replies", type=PATH, help="Append the replies to this file, as [audit] smtp_replies reads them.")
@click.option(
    "--timeout", type=click.FloatRange(0.1, 300), default=15, show_default=True, help="Seconds for each phase."
)
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
def command(
    config_path: Path,
    names: tuple[str, ...],
    tenant_name: str | None,
    send_to: str,
    yes: bool,
    again: bool,
    transcript: Path | None,
    replies: Path | None,
    timeout: float,
    form: str,
) -> int:
    """Try the settings of declared senders on the wire: DNS, TLS, one sign-in, sender and recipient, and no message
    unless --send is given. It says what it will do and asks before it does it."""
    from auditor.clock import SystemClock
    from auditor.config import load
    from auditor.probe import Memory, Tools, default_folder, prepare
    from auditor.probe.credential import SystemKeyring
    from auditor.probe.show import as_json, as_text
    from auditor.probe.transcript import Evidence, PrivateFile

    config = load(config_path)
    tenant = _chosen_tenant(config, tenant_name)
    senders = _chosen_senders(config, names, tenant)
    clock = SystemClock()
    memory = Memory(default_folder(os.environ, Path.home()), clock)
    jobs = prepare(config, tenant, senders, send_to, SystemKeyring())
    if not again:
        _hold_back(jobs, memory)
    _agree(jobs, asked=not yes)
    tools = Tools(clock, memory, again=again, phase_seconds=timeout, total_seconds=6 * timeout)
    evidence = Evidence(replies) if replies else None
    results: list[ProbeResult] = []
    with closing(PrivateFile(transcript)) if transcript else nullcontext() as kept:
        try:
            for job in jobs:
                results.append(_probe(job, tools, kept, evidence))  # noqa: PERF401 - what is done is kept on Ctrl-C
        finally:
            click.echo(as_json(results) if form == "json" else as_text(results), nl=False)
    return 0 if any(result.reached for result in results) else 5


def _chosen_senders(config: LoadedConfig, names: Sequence[str], tenant: TenantConfig | None) -> Sequence[Sender]:
    """Those named, else all; never one that says it is another tenant's."""
    owner = tenant.name.lower() if tenant else ""
    senders = [sender for sender in config.config.senders if sender.tenant.lower() in ("", owner)]
    if not senders:
        raise UsageError("The config has no [[senders]].", remedy="config.example.toml shows one.")
    known = {sender.name: sender for sender in senders}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(f"No sender named {', '.join(unknown)}.", remedy=f"The config has: {', '.join(known)}.")
    return [known[name] for name in dict.fromkeys(names)] if names else senders


def _chosen_tenant(config: LoadedConfig, name: str | None) -> TenantConfig | None:
    """The tenant that gives cloud and sign-in address; none where the config has none and none is asked for."""
    tenants = {tenant.name: tenant for tenant in config.config.tenants}
    if name is None and len(tenants) > 1:
        raise UsageError("The config has several tenants.", remedy=f"Name one with --tenant: {', '.join(tenants)}.")
    if name is not None and name not in tenants:
        raise UsageError(f"No tenant named {name}.", remedy=f"The config has: {', '.join(tenants) or 'none'}.")
    return tenants[name] if name is not None else next(iter(tenants.values()), None)


def _hold_back(jobs: Sequence[Job], memory: Memory) -> None:
    """A password that was refused lately is not tried again by accident."""
    lately = [(job, memory.held_back(job.login)) for job in jobs if job.password]
    held = {job.sender.name: attempt for job, attempt in lately if attempt is not None}
    if held:
        told = "; ".join(f"{name}: {attempt}" for name, attempt in held.items())
        raise UsageError(
            f"A sign-in did not succeed within the hour, and is not repeated ({told}).",
            remedy="Mend the password first, then --again; or choose other senders with --sender.",
        )


def _agree(jobs: Sequence[Job], *, asked: bool) -> None:
    """Says what will be done, and asks. Raises UsageError where there is nobody to ask, click.Abort on a no."""
    from auditor.probe import plan

    click.echo("This is what will be done, from this machine:", err=True)
    for job in jobs:
        for line in plan(job):
            click.echo(f"  {line}", err=True)
    if any(job.password for job in jobs):
        click.echo(WARNING, err=True)
    if not asked:
        return
    if not sys.stdin.isatty():
        raise UsageError("Nobody is there to agree: this is no terminal.", remedy="Go on with --yes.")
    click.confirm("Go on?", abort=True, err=True)


def _probe(job: Job, tools: Tools, kept: PrivateFile | None, evidence: Evidence | None) -> ProbeResult:
    from auditor.probe import probe

    click.echo(f"probing {job.sender.name} …", err=True)
    result, transcript = probe(job, tools)
    if kept is not None:
        kept.write(f"{result.sender}, {result.time}, {result.contacted}", transcript.lines)
    if evidence is not None:
        evidence.add(result.account, result.time, result.said())
    return result
