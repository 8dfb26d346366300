"""The clouds of Microsoft 365: where to sign in, where Graph and Exchange answer, which host takes mail.

Source: https://learn.microsoft.com/graph/deployments for authority and Graph root. The SMTP hosts of the national
clouds are not on Microsoft's pages that could be read; `smtp_verified` says so. GCC (moderate) is the public cloud.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from auditor.config import TenantConfig
from auditor.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses without a trailing slash. `graph` is the root without version; `exchange` and `smtp_host` are empty
    where nobody knows them. `portal` is the Entra admin centre, empty where there is none."""

    authority: str
    graph: str
    exchange: str
    smtp_host: str
    smtp_verified: bool
    portal: str = ""

    @property
    def graph_host(self) -> str:
        """host or host:port, lower case: the only place where a Graph token may go."""
        return urlsplit(self.graph).netloc.lower()

    @property
    def graph_scope(self) -> str:
        return f"{self.graph}/.default"

    @property
    def exchange_scope(self) -> str:
        return f"{self.exchange}/.default" if self.exchange else ""


CLOUDS: dict[str, Endpoints] = {
    "public": Endpoints(
        "https://login.microsoftonline.com",
        "https://graph.microsoft.com",
        "https://outlook.office365.com",
        "smtp.office365.com",
        smtp_verified=True,
        portal="https://entra.microsoft.com",
    ),
    "gcc-high": Endpoints(
        "https://login.microsoftonline.us",
        "https://graph.microsoft.us",
        "https://outlook.office365.us",
        "smtp.office365.us",
        smtp_verified=False,
        portal="https://entra.microsoft.us",
    ),
    "dod": Endpoints(
        "https://login.microsoftonline.us",
        "https://dod-graph.microsoft.us",
        "https://outlook-dod.office365.us",
        "",
        smtp_verified=False,
        portal="https://entra.microsoft.us",
    ),
    "china": Endpoints(
        "https://login.chinacloudapi.cn",
        "https://microsoftgraph.chinacloudapi.cn",
        "https://partner.outlook.cn",
        "smtp.partner.outlook.cn",
        smtp_verified=False,
        portal="https://entra.microsoftonline.cn",
    ),
}

NATIONAL = frozenset({"gcc-high", "dod", "china"})
"""Clouds that lack the datasets marked `national=False` in the catalogue."""


def endpoints(tenant: TenantConfig) -> Endpoints:
    """The addresses for a tenant; raises ConfigError where `custom` names one that is no plain https:// root."""
    if tenant.cloud != "custom":
        return CLOUDS[tenant.cloud]
    return Endpoints(
        _root(tenant, "authority"), _root(tenant, "graph_url"), _root(tenant, "exchange_url"), "", smtp_verified=False
    )


def _root(tenant: TenantConfig, key: str) -> str:
    value: str = getattr(tenant, key).strip().rstrip("/")
    if not value and key == "exchange_url":
        return ""
    try:
        parts = urlsplit(value)
        sound = parts.scheme == "https" and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        sound = False
        parts = urlsplit("")
    if not sound or parts.query or parts.fragment:
        raise ConfigError(
            f"tenant {tenant.name}: {key}: not an https:// address of a host.",
            remedy='Write it as "https://host" or "https://host:port".',
        )
    if key == "graph_url" and parts.path.rstrip("/").endswith(("/v1.0", "/beta")):
        raise ConfigError(
            f"tenant {tenant.name}: graph_url: ends in a version.", remedy="Name the root without /v1.0 or /beta."
        )
    return value
