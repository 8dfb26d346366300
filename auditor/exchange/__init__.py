"""Exchange Online: the settings that Microsoft Graph does not show.

`make_source` gives the way of reading that the config names; all of them answer as `base.ExchangeSource`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from auditor.config import LoadedConfig
from auditor.errors import ConfigError
from auditor.exchange.base import ExchangeRead, ExchangeSource, GetToken
from auditor.exchange.export import ExportSource
from auditor.exchange.mixed import MixedSource
from auditor.exchange.none import NoSource
from auditor.exchange.script import export_script

if TYPE_CHECKING:
    import httpx

    from auditor.graph.gates import Gate
    from auditor.graph.reader import Reader

__all__ = ["Access", "ExchangeRead", "ExchangeSource", "export_script", "make_source"]


@dataclass(frozen=True, slots=True)
class Access:
    """What the ways of reading may use. `exchange_url` is the cloud's Exchange root without a trailing slash, empty
    where it has none; after `renew` `get_token` gives a new token; requests to Exchange pass `gate`; `now` gives the
    service's clock; `national`: the cloud lacks configuration snapshots."""

    tenant_id: str
    exchange_url: str
    client: httpx.AsyncClient
    get_token: GetToken
    renew: Callable[[], None]
    gate: Gate
    reader: Reader
    now: Callable[[], datetime]
    national: bool = False


def make_source(config: LoadedConfig, access: Access) -> ExchangeSource:
    """The configured way of reading Exchange, or several behind one.

    Raises ConfigError where the exported files are not there, or where the cloud has no address for Exchange."""
    sources = [_source(way, config, access) for way in config.config.exchange.ways]
    if len(sources) > 1:
        return MixedSource(sources, access.now, config.config.exchange.max_age_days)
    return sources[0] if sources else NoSource()


def _source(way: str, config: LoadedConfig, access: Access) -> ExchangeSource:
    settings = config.config.exchange
    if way == "export":
        return ExportSource.open(config.path(settings.export_path))
    if way == "configuration-snapshot":
        from auditor.exchange.configuration_snapshot import ConfigurationSnapshotSource

        if access.national:
            return NoSource("National clouds have no configuration snapshots.")
        return ConfigurationSnapshotSource(access.reader, access.now, settings.max_age_days)
    if not access.exchange_url:
        raise ConfigError(
            '[exchange]: "admin-api" needs the address of Exchange, and this cloud has none.',
            remedy='Add `exchange_url` to the tenant, or use source = "export".',
        )
    from auditor.exchange.admin_api import AdminApiSource

    return AdminApiSource(
        access.tenant_id,
        access.exchange_url,
        access.client,
        access.get_token,
        access.gate,
        access.now,
        access.renew,
    )
