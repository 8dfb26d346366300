"""The emulated tenant over TLS, a clock that never waits, and a collection in one call."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from auditor.collect import CollectResult, collect
from auditor.config import LoadedConfig, load
from auditor.demo.server import Emulator
from auditor.demo.settings import write_config
from auditor.demo.tenant import generate

from ..clocks import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    tenant = generate(accounts=95, seed=7, scenario="default", quarter=1, now=None)
    with Emulator(tenant, tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


@pytest.fixture
def emulator(served: Emulator) -> Iterator[Emulator]:
    """The emulated tenant; what a test changes on it is put back."""
    tenant = served.tenant
    before = {name: copy.copy(getattr(tenant, name)) for name in vars(tenant)}
    before["app"] = copy.deepcopy(tenant.app)
    before["graph"] = dict(tenant.graph)
    yield served
    for name, value in before.items():
        setattr(tenant, name, value)


@pytest.fixture
def config(emulator: Emulator, tmp_path: Path) -> LoadedConfig:
    return _config(emulator, tmp_path)


def _config(emulator: Emulator, folder: Path) -> LoadedConfig:
    """Few senders: each costs requests, and three say as much as thirty."""
    write_config(emulator.tenant, emulator, folder / "config.toml")
    config = load(folder / "config.toml")
    return changed(config, senders=config.config.senders[:3])


def changed(config: LoadedConfig, **tables: Any) -> LoadedConfig:
    """The config with other settings in some tables: `audit={"sign_in_days": 5}`."""
    inner = config.config
    for name, values in tables.items():
        new = msgspec.structs.replace(getattr(inner, name), **values) if isinstance(values, dict) else values
        inner = msgspec.structs.replace(inner, **{name: new})
    return msgspec.structs.replace(config, config=inner)


@pytest.fixture
def change() -> Callable[..., LoadedConfig]:
    return changed


class Read:
    """A snapshot as a test looks at it."""

    def __init__(self, result: CollectResult) -> None:
        self.result = result
        self.folder = result.folder
        self.manifest = json.loads((self.folder / "manifest.json").read_text())
        self.datasets: dict[str, dict[str, Any]] = self.manifest["datasets"]

    def state(self, name: str) -> str:
        return self.datasets[name]["state"]

    def records(self, name: str) -> list[Any]:
        return [json.loads(line) for line in (self.folder / f"{name}.jsonl").read_bytes().splitlines()]


@pytest.fixture
def run(tmp_path: Path, clock: FakeClock) -> Callable[..., Read]:
    """Collects into a folder of its own."""

    def go(config: LoadedConfig, folder: str = "snapshot", **options: Any) -> Read:
        tenant = options.pop("tenant", None) or config.config.tenants[0]
        return Read(asyncio.run(collect(config, tenant, tmp_path / folder, clock=clock, **options)))

    return go


@pytest.fixture(scope="session")
def whole(served: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Read:
    """A collection with every right, to compare others with."""
    folder = tmp_path_factory.mktemp("whole")
    config = _config(served, folder)
    return Read(asyncio.run(collect(config, config.config.tenants[0], folder / "snapshot", clock=FakeClock())))
