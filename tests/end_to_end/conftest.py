"""Whole runs against the emulated tenant: the real SDK over real TLS, real files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from auditor.collect.progress import Silent
from auditor.config import Config, load
from auditor.demo.model import DemoTenant
from auditor.demo.server import Emulator
from auditor.demo.settings import write_config
from auditor.demo.tenant import SCENARIOS, generate
from auditor.evaluate import Evaluation, evaluate
from auditor.run import RunOptions, run
from auditor.snapshot import MANIFEST, Snapshot


@dataclass(frozen=True)
class Done:
    """One finished run of the main job."""

    tenant: DemoTenant
    folder: Path
    config: Config
    evaluation: Evaluation


@pytest.fixture(scope="session")
def run_against() -> Callable[..., Done]:
    return _run_against


def _run_against(tenant: DemoTenant, folder: Path, options: RunOptions | None = None) -> Done:
    folder.mkdir(parents=True, exist_ok=True)
    private = folder.parent / f"{folder.name}-private"
    private.mkdir()
    with Emulator(tenant, private) as emulator:
        config_path = private / "config.toml"
        write_config(tenant, emulator, config_path)
        config = load(config_path)
        [result] = run(config, config.config.tenants, options or RunOptions(out=folder), Silent())
        if result.error:
            raise result.error
        return Done(tenant, folder, config.config, result.evaluation)


@pytest.fixture(scope="session")
def runs(tmp_path_factory) -> dict[str, Done]:
    """One finished run of each scenario."""
    return {
        scenario: _run_against(generate(scenario=scenario), tmp_path_factory.mktemp("runs") / scenario)
        for scenario in SCENARIOS
    }


@pytest.fixture(scope="session")
def without() -> Callable[..., Snapshot]:
    """(snapshot, target, dataset, state="denied") → a copy of a snapshot in which one dataset was not read."""
    return _without


def _without(snapshot: Path, target: Path, dataset: str, state: str = "denied") -> Snapshot:
    shutil.copytree(snapshot, target)
    manifest = json.loads((target / MANIFEST).read_bytes())
    for path in target.glob(f"{dataset}.json*"):
        path.unlink()
    manifest["datasets"][dataset] = {
        "state": state,
        "records": 0,
        "reason": "taken away",
        "permission": "Some.Permission",
    }
    (target / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    return Snapshot.open(target)


@pytest.fixture(scope="session")
def judged() -> Callable[[Done, Snapshot], Evaluation]:
    """(done, snapshot) → the snapshot judged with the run's config and moment."""
    return lambda done, snapshot: evaluate(snapshot, done.config, done.evaluation.judgement.tenant.now)
