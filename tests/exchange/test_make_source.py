"""The config names the way of reading; each answers alike."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from auditor.catalogue import BY_NAME, EXCHANGE_DATASETS
from auditor.config import Config, ExchangeConfig, LoadedConfig
from auditor.errors import ConfigError
from auditor.exchange import ExchangeSource, make_source


async def no_token(scope: str) -> str:
    raise AssertionError(f"a token for {scope} was asked for")


async def no_sleep(seconds: float) -> None:
    raise AssertionError("nothing may wait")


def source_of(folder: Path, url: str = "https://exchange.example", **settings: str) -> ExchangeSource:
    config = LoadedConfig(Config(exchange=ExchangeConfig(**settings)), folder, "")  # type: ignore[arg-type]
    return make_source(config, "tenant", url, httpx.AsyncClient(), no_token, no_sleep)


def test_by_default_exchange_is_not_read(tmp_path: Path) -> None:
    source = source_of(tmp_path)
    for name in (*EXCHANGE_DATASETS, "smtpAuthClients"):
        result = asyncio.run(source.read(BY_NAME[name], ["a@x"], lambda records: None))
        assert (result.state, result.requests) == ("not-asked", 0)
        assert "none" in result.reason
    assert source.label == "Exchange not read"
    assert source.notes() == ()


def test_export_paths_start_at_the_configs_folder(tmp_path: Path) -> None:
    (tmp_path / "exports").mkdir()
    (tmp_path / "exports" / "mailboxes.csv").write_text("Name\none\n", encoding="utf-8")
    source = source_of(tmp_path, source="export", export_path="exports")
    result = asyncio.run(source.read(BY_NAME["mailboxes"], (), lambda records: None))
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
