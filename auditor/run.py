"""The main job: for each tenant collect a snapshot, judge it, write the reports. Folders are the contract's."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from auditor.config import LoadedConfig, TenantConfig, slug
from auditor.errors import AuditorError, UsageError
from auditor.evaluate import Evaluation, Previous
from auditor.findings.base import Finding
from auditor.snapshot import Snapshot
from auditor.tenant import DatasetStatus

RUN_JSON = "run.json"
SNAPSHOT = "snapshot"

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True)
class RunOptions:
    out: Path | None = None
    resume: bool = False
    previous: Path | None = None
    now: datetime | None = None
    cross_check: int = 0
    """how many accounts to compare with Microsoft's own What If answer"""
    formats: tuple[str, ...] = ()
    """further formats of the findings (report.formats)"""


@dataclass(frozen=True)
class RunResult:
    """How one tenant ended: an evaluation and its workbook, or an error."""

    tenant: str
    evaluation: Evaluation | None = None
    workbook: Path | None = None
    error: AuditorError | None = None

    @property
    def findings(self) -> Sequence[Finding]:
        return self.evaluation.findings if self.evaluation else ()

    @property
    def partial(self) -> bool:
        """A requested part could not be read."""
        rows = self.evaluation.coverage if self.evaluation else ()
        return any(row.state in ("cut", "denied", "failed") for row in rows)


@dataclass
class Stages:
    """Seconds and CPU seconds by stage, for run.json."""

    taken: dict[str, dict[str, float]] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.taken[name] = {
            "seconds": round(time.perf_counter() - wall, 3),
            "cpu_seconds": round(time.process_time() - cpu, 3),
        }


def run(
    config: LoadedConfig, tenants: Sequence[TenantConfig], options: RunOptions, progress: Any
) -> Sequence[RunResult]:
    """Runs each tenant in turn; one tenant's failure never stops the next."""
    return asyncio.run(_run_all(config, tenants, options, progress))


def unclaimed(config: LoadedConfig, results: Sequence[RunResult]) -> list[str]:
    """The declared senders that no tenant of the config takes as its own: no report speaks of them. Empty unless all
    tenants were judged."""
    judged = [result.evaluation.judgement for result in results if result.evaluation]
    if len(judged) < len(config.config.tenants):
        return []
    claimed = {sender.name for judgement in judged for sender in judgement.senders}
    return [sender.name for sender in config.config.senders if sender.name not in claimed]


async def _run_all(
    config: LoadedConfig, tenants: Sequence[TenantConfig], options: RunOptions, progress: Any
) -> list[RunResult]:
    results = []
    for tenant in tenants:
        out = options.out / slug(tenant.name) if options.out and len(tenants) > 1 else options.out
        try:
            results.append(await _run_one(config, tenant, out, options, progress))
        except AuditorError as error:
            results.append(RunResult(tenant.name, error=error))
    return results


async def _run_one(
    config: LoadedConfig, tenant: TenantConfig, out: Path | None, options: RunOptions, progress: Any
) -> RunResult:
    from auditor.collect import collect

    previous = _previous(tenant.name, options, options.now, tenant.tenant_id)
    folder = run_folder(Path(config.config.report.folder), tenant.name, out, resume=options.resume)
    stages = Stages()
    with stages.stage("collect"):
        collected = await collect(
            config,
            tenant,
            folder / SNAPSHOT,
            progress=progress,
            resume=options.resume,
            cross_check=options.cross_check,
        )
    snapshot = Snapshot.open(folder / SNAPSHOT)
    return _judge(tenant.name, snapshot, config, folder, options, stages, collected.requests, previous)


def collect_only(
    config: LoadedConfig, tenant: TenantConfig, folder: Path, resume: bool, progress: Any
) -> Mapping[str, DatasetStatus]:
    """Only the evidence; returns the datasets that were asked for and could not be read whole."""
    from auditor.collect import collect

    asyncio.run(collect(config, tenant, folder, progress=progress, resume=resume))
    status = Snapshot.open(folder).status
    return {name: entry for name, entry in status.items() if entry.asked and not entry.complete}


def judge_snapshot(path: Path, config: LoadedConfig, options: RunOptions) -> RunResult:
    """Judges an existing snapshot offline. Raises UsageError where no moment to judge for is known."""
    snapshot = Snapshot.open(path)
    tenants = config.config.tenants
    name = tenants[0].name if len(tenants) == 1 else snapshot.tenant_id or "tenant"
    previous = _previous(name, options, moment_of(snapshot, options.now))
    folder = run_folder(Path(config.config.report.folder), name, options.out, resume=False)
    requests = snapshot.manifest.get("requests", 0)
    return _judge(name, snapshot, config, folder, options, Stages(), requests, previous)


def _previous(tenant: str, options: RunOptions, now: datetime | None, tenant_id: str = "") -> Previous | None:
    """The run that --previous names, read before anything is begun that a damaged or foreign one would bring to
    nothing. `tenant_id`: as the config has it, which may be a domain name."""
    from auditor.evaluate import refuse_foreign
    from auditor.previous import load_previous

    previous = load_previous(options.previous, tenant, now) if options.previous else None
    if previous and _GUID.fullmatch(tenant_id):
        refuse_foreign(previous, tenant_id)
    return previous


def _judge(
    name: str,
    snapshot: Snapshot,
    config: LoadedConfig,
    folder: Path,
    options: RunOptions,
    stages: Stages,
    requests: int,
    previous: Previous | None,
) -> RunResult:
    from auditor import report
    from auditor.evaluate import evaluate

    now = moment_of(snapshot, options.now)
    with stages.stage("evaluate"):
        evaluation = evaluate(snapshot, config.config, now, previous)
    with stages.stage("report"):
        workbook = report.write(evaluation, folder, options.formats)
    report.run_json(
        folder,
        evaluation,
        snapshot=snapshot,
        config_sha256=config.sha256,
        requests=requests,
        stages=stages.taken,
    )
    return RunResult(name, evaluation, workbook)


def moment_of(snapshot: Snapshot, now: datetime | None) -> datetime:
    """The moment to judge for: `now`, else the end of the snapshot. Raises UsageError where neither is there."""
    if now:
        return now
    if not snapshot.ended:
        raise UsageError(
            f"{snapshot.folder}: says nothing about when it was read.",
            remedy="Name the moment to judge for with --now, for instance --now 2026-11-23T16:00:00Z.",
        )
    return datetime.fromisoformat(snapshot.ended).astimezone(UTC)


def run_folder(base: Path, tenant: str, out: Path | None, *, resume: bool) -> Path:
    """The folder of a run, made and checked: `out` as given, else reports/<tenant>/<UTC time>, or with `resume` the
    tenant's newest unfinished run."""
    if out is None:
        below = base / slug(tenant)
        unfinished = sorted(
            path.parent for path in below.glob(f"*/{SNAPSHOT}") if not (path.parent / RUN_JSON).exists()
        )
        if resume and not unfinished:
            raise UsageError(f"{below}: no unfinished run.", remedy="Start anew without --resume.")
        out = unfinished[-1] if resume else below / datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    prepare(out, resume=resume)
    return out


def prepare(folder: Path, *, resume: bool) -> None:
    """Makes a private folder. Raises UsageError where it is not empty, unless it holds an unfinished run to resume."""
    finished = (folder / RUN_JSON).exists()
    if folder.exists() and any(folder.iterdir()) and (finished or not resume):
        raise UsageError(
            f"{folder}: not empty.",
            remedy="Name another folder" + (" (this run is finished)." if finished else ", or go on with --resume."),
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be made ({error.strerror}).", remedy="Name another folder.") from error
