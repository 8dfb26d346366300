"""The config names the way of reading; each answers alike."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from auditor.catalogue import BY_NAME, EXCHANGE_DATASETS
from auditor.config import Config, ExchangeConfig, LoadedConfig
from auditor.errors import ConfigError
from auditor.exchange import Access, ExchangeSource, make_source
from auditor.graph.gates import LIMITS, Gate

from ..clocks import FakeClock
from .conftest import Kept

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)


async def no_token(scope: str) -> str:
    raise AssertionError(f"a token for {scope} was asked for")


class NoReader:
    """Stands where Microsoft Graph must not be asked."""


def source_of(
    folder: Path, url: str = "https://exchange.example", *, national: bool = False, **settings: object
) -> ExchangeSource:
    config = LoadedConfig(Config(exchange=ExchangeConfig(**settings)), folder, "")  # type: ignore[arg-type]
    gate = Gate(LIMITS["exchange"], FakeClock())
    access = Access("tenant", url, httpx.AsyncClient(), no_token, lambda: None, gate, NoReader(), lambda: NOW, national)
    return make_source(config, access)


def test_by_default_exchange_is_not_read(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    for name in (*EXCHANGE_DATASETS, "smtpAuthClients"):
        result = asyncio.run(source.read(BY_NAME[name], ["a@x"], Kept()))
        assert (result.state, result.requests) == ("not-asked", 0)
        assert "none" in result.reason
    assert source.label == "Exchange not read"
    assert source.notes() == ()


def test_export_paths_start_at_the_configs_folder(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "mailboxes.csv").write_text("Name\none\n", encoding="utf-8")
    source = source_of(tmp_path, source="export", export_path="exports")
    result = asyncio.run(source.read(BY_NAME["mailboxes"], (), Kept()))
    assert result.state == "complete"
    assert source.label == "Exchange export by an administrator"


def test_an_export_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="export_path"):
        source_of(tmp_path, source="export", export_path="missing")


def test_the_admin_api_needs_an_address(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="admin-api") as caught:
        source_of(tmp_path, "", source="admin-api")
    assert "exchange_url" in caught.value.remedy


def test_the_admin_api_sends_nothing_when_it_is_made(tmp_path: Path) -> None:
    assert "not documented by Microsoft" in source_of(tmp_path, source="admin-api").label


def test_configuration_snapshots_are_asked_for_nothing_when_the_source_is_made(tmp_path: Path) -> None:
    assert source_of(tmp_path, source="configuration-snapshot").label == "Graph configuration snapshot"


def test_national_clouds_have_no_configuration_snapshots(tmp_path: Path) -> None:
    source = source_of(tmp_path, source="configuration-snapshot", national=True)
    result = asyncio.run(source.read(BY_NAME["transportConfig"], (), Kept()))
    assert result.state == "not-asked"
    assert "National clouds" in result.reason


def test_several_ways_stand_behind_one(tmp_path: Path) -> None:
    (tmp_path / "mailboxes.csv").write_text("Name\none\n", encoding="utf-8")
    source = source_of(tmp_path, source="export", also=("admin-api", "configuration-snapshot"), export_path=".")
    assert source.label == (
        "Exchange export by an administrator, then Exchange admin API (InvokeCommand), not documented by Microsoft, "
        "then Graph configuration snapshot"
    )
    result = asyncio.run(source.read(BY_NAME["mailboxes"], (), Kept()))
    assert result.source == "Exchange export by an administrator: mailboxes.csv"
