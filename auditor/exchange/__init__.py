"""Exchange Online: the settings that Microsoft Graph does not show.

`make_source` gives the way of reading that the config names; all of them answer as `base.ExchangeSource`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.config import LoadedConfig
from auditor.errors import ConfigError
from auditor.exchange.base import ExchangeRead, ExchangeSource, GetToken, Sleep
from auditor.exchange.export import ExportSource
from auditor.exchange.none import NoSource
from auditor.exchange.script import export_script

if TYPE_CHECKING:
    import httpx

__all__ = ["ExchangeRead", "ExchangeSource", "export_script", "make_source"]


def make_source(
    config: LoadedConfig,
    tenant_id: str,
    exchange_url: str,
    client: httpx.AsyncClient,
    get_token: GetToken,
    sleep: Sleep,
) -> ExchangeSource:
    """The configured way of reading Exchange. `exchange_url` is the cloud's Exchange root without a trailing slash.

    Raises ConfigError where the exported files are not there, or where the cloud has no address for Exchange."""
    settings = config.config.exchange
    if settings.source == "export":
        return ExportSource.open(config.path(settings.export_path))
    if settings.source == "admin-api":
        if not exchange_url:
            raise ConfigError(
                'exchange: source = "admin-api" needs the address of Exchange, and this cloud has none.',
                remedy='Add `exchange_url` to the tenant, or use source = "export".',
            )
        from auditor.exchange.admin_api import AdminApiSource

        return AdminApiSource(tenant_id, exchange_url, client, get_token, sleep)
    return NoSource()
