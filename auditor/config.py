"""config.toml into typed settings. Errors name the file, the key and the remedy; secrets never stand in the file.

Loading resolves nothing: no environment variable, no secret file and no network is touched here.
"""

from __future__ import annotations

import difflib
import hashlib
import ipaddress
import re
import tomllib
from pathlib import Path
from typing import Any, Literal

import msgspec

from auditor.errors import ConfigError

Cloud = Literal["public", "gcc-high", "dod", "china", "custom"]
Route = Literal["client-submission", "hve", "relay", "direct-send", "graph"]


class TenantConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One Microsoft Entra organisation and how to sign in to it."""

    name: str
    tenant_id: str
    client_id: str = ""
    cloud: Cloud = "public"
    authority: str = ""
    graph_url: str = ""
    exchange_url: str = ""
    ca_bundle: str = ""
    client_secret_env: str = ""
    client_secret_file: str = ""
    certificate_path: str = ""
    certificate_password_env: str = ""
    managed_identity: bool = False
    federated_token_file: str = ""


class Sender(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An account that must send mail by SMTP, with its client's settings."""

    name: str
    account: str
    username: str = ""
    from_: str = msgspec.field(default="", name="from")
    server: str = ""
    port: int = 587
    tls: Literal["starttls", "implicit", "none"] = "starttls"
    auth: Literal["basic", "oauth"] = "basic"
    route: Route | Literal[""] = ""
    egress_ips: tuple[str, ...] = ()
    oauth_app_id: str = ""
    oauth_flow: Literal["app-only", "delegated"] = "app-only"
    recipients: Literal["internal", "external", ""] = ""
    recipients_per_day: int | None = None
    messages_per_minute: int | None = None
    connections: int | None = None
    owner: str = ""


class ExchangeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    source: Literal["export", "admin-api", "none"] = "none"
    export_path: str = ""
    max_age_days: int = 30


class AuditConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    quota_share: float = 0.8
    per_user_mfa_limit: int = 2000
    sign_in_days: int = 30


class ReportConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    folder: str = "reports"


class Waiver(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An accepted finding: who, why, until when (ISO date, inclusive)."""

    rule: str
    object: str = ""
    owner: str
    reason: str
    until: str


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    tenants: tuple[TenantConfig, ...] = ()
    senders: tuple[Sender, ...] = ()
    exchange: ExchangeConfig = ExchangeConfig()
    audit: AuditConfig = AuditConfig()
    report: ReportConfig = ReportConfig()
    waivers: tuple[Waiver, ...] = ()
    tickets: tuple[dict[str, Any], ...] = ()


class LoadedConfig(msgspec.Struct, frozen=True):
    """A checked config, the folder that its relative paths start from, and the digest of the file's bytes."""

    config: Config
    folder: Path
    sha256: str

    def path(self, value: str) -> Path:
        """A path of the config; relative ones start at the config's folder."""
        return (self.folder / value).resolve()


EMPTY = LoadedConfig(Config(), Path(), "")


def load(path: Path) -> LoadedConfig:
    """Read and check a config file. Raises ConfigError with file, key and remedy."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}).", remedy="`auditor init --out config.toml` writes a new one."
        ) from error
    try:
        document = tomllib.loads(data.decode("utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}.", remedy="Mend that line and try again.") from error
    try:
        config = msgspec.convert(document, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(
            f"{path}: {_explain(str(error))}", remedy="config.example.toml explains every key."
        ) from error
    _check(config, path)
    return LoadedConfig(config, path.resolve().parent, hashlib.sha256(data).hexdigest())


_TABLES: dict[str, type[msgspec.Struct]] = {
    "": Config,
    "tenants": TenantConfig,
    "senders": Sender,
    "exchange": ExchangeConfig,
    "audit": AuditConfig,
    "report": ReportConfig,
    "waivers": Waiver,
}


def _explain(message: str) -> str:
    """msgspec's message, with the nearest known key where one is misspelt."""
    unknown = re.search(r"unknown field `(\w+)`", message)
    if not unknown:
        return f"{message}."
    table = re.search(r"\$\.(\w+)", message)
    known = _TABLES.get(table.group(1) if table else "", Config)
    names = [field.encode_name for field in msgspec.structs.fields(known)]
    near = difflib.get_close_matches(unknown.group(1), names, n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(names)}."
    return f"{message}: {hint}"


def _check(config: Config, path: Path) -> None:
    def fail(key: str, problem: str, remedy: str) -> None:
        raise ConfigError(f"{path}: {key}: {problem}.", remedy=remedy)

    seen: set[str] = set()
    for number, tenant in enumerate(config.tenants):
        key = f"tenants[{number}]"
        if slug(tenant.name) in seen or slug(tenant.name) == "sample":
            fail(f"{key}.name", f"`{tenant.name}` is taken or reserved", "Give each tenant its own name.")
        seen.add(slug(tenant.name))
        if tenant.cloud == "custom" and not (tenant.authority and tenant.graph_url):
            fail(key, "cloud = custom needs `authority` and `graph_url`", "Add both, as https:// addresses.")
        for name in ("authority", "graph_url", "exchange_url"):
            value = getattr(tenant, name)
            if value and tenant.cloud != "custom":
                fail(f"{key}.{name}", "only for cloud = custom", 'Drop the key or set cloud = "custom".')
            if value and not value.startswith("https://"):
                fail(f"{key}.{name}", f"`{value}` is no https:// address", "The token only travels over TLS.")
        ways = [
            name
            for name in ("client_secret_env", "client_secret_file", "certificate_path", "managed_identity",
                         "federated_token_file")
            if getattr(tenant, name)
        ]  # fmt: skip
        if len(ways) > 1:
            fail(key, f"several credentials: {', '.join(ways)}", "Keep exactly one.")
    for number, sender in enumerate(config.senders):
        for address in sender.egress_ips:
            try:
                ipaddress.ip_network(address, strict=False)
            except ValueError:
                fail(f"senders[{number}].egress_ips", f"`{address}` is no IP address or CIDR range", "Mend it.")
        if not 1 <= sender.port <= 65535:
            fail(f"senders[{number}].port", f"{sender.port} is no port", "587 is the usual one.")
    if config.exchange.source == "export" and not config.exchange.export_path:
        fail("exchange", 'source = "export" needs export_path', "Name the folder or file the administrator exported.")
    if not 0 < config.audit.quota_share <= 1:
        fail("audit.quota_share", f"{config.audit.quota_share} is not above 0 and at most 1", "0.8 is the default.")
    for number, waiver in enumerate(config.waivers):
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", waiver.until):
            fail(f"waivers[{number}].until", f"`{waiver.until}` is no date", "Write it as YYYY-MM-DD.")


_WINDOWS_NAMES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}


def slug(name: str) -> str:
    """A folder name that Windows accepts, lower case: letters, digits, dots and dashes."""
    cleaned = re.sub(r"[^a-z0-9.-]+", "-", name.lower()).strip("-.") or "tenant"
    return f"{cleaned}-" if cleaned.split(".")[0] in _WINDOWS_NAMES else cleaned[:80]
