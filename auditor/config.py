"""config.toml into typed settings. Errors name the file, the key and the remedy; secrets never stand in the file.

Loading resolves nothing: no environment variable, no secret file and no network is touched here.
"""

from __future__ import annotations

import datetime
import difflib
import hashlib
import ipaddress
import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar, get_args

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
    smtp_host: str = ""
    smtp_port: int = 0
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
    tenant: str = ""
    """the name of the [[tenants]] entry that it belongs to; empty: those whose verified domains hold its account's"""
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
    password_env: str = ""
    password_keyring: str = ""
    oauth_secret_env: str = ""
    oauth_certificate_path: str = ""
    oauth_certificate_password_env: str = ""
    oauth_token_env: str = ""
    recipients: Literal["internal", "external", ""] = ""
    recipients_per_day: int | None = None
    messages_per_minute: int | None = None
    connections: int | None = None
    owner: str = ""


ExchangeWay = Literal["export", "admin-api", "configuration-snapshot"]


class ExchangeConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`also`: further ways of reading, for what those before did not read completely and recently."""

    source: ExchangeWay | Literal["none"] = "none"
    also: tuple[ExchangeWay, ...] = ()
    export_path: str = ""
    max_age_days: int = 30

    @property
    def ways(self) -> tuple[str, ...]:
        """Every way of reading Exchange in the order in which it is asked, none for `none`."""
        return () if self.source == "none" else (self.source, *self.also)


class AuditConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    quota_share: float = 0.8
    per_user_mfa_limit: int = 2000
    sign_in_days: int = 30
    smtp_replies: str = ""


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
    """Read and check a config file. Raises ConfigError with file, key and remedy; never with a secret's value."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}).", remedy="`auditor init --out config.toml` writes a new one."
        ) from error
    try:
        document = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}: line {line} is not UTF-8.", remedy="Save the file as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}.", remedy="Mend that line and try again.") from error
    config = _Checker(path).config(document)
    return LoadedConfig(config, path.resolve().parent, hashlib.sha256(data).hexdigest())


TABLES: Mapping[str, type[msgspec.Struct]] = {
    "exchange": ExchangeConfig,
    "audit": AuditConfig,
    "report": ReportConfig,
}
"""Tables that stand once: `[exchange]`"""

LISTS: Mapping[str, type[msgspec.Struct]] = {"tenants": TenantConfig, "senders": Sender, "waivers": Waiver}
"""Tables that may be repeated: `[[tenants]]`. `[[tickets]]` differs from system to system."""

CREDENTIALS = (
    "client_secret_env", "client_secret_file", "certificate_path", "managed_identity", "federated_token_file",
)  # fmt: skip
"""Ways for an app to sign in, of which a tenant has at most one"""

SENDER_CREDENTIALS = {
    "basic": ("password_env", "password_keyring"),
    "oauth": ("oauth_secret_env", "oauth_certificate_path", "oauth_token_env"),
}
"""Ways for a probe to sign in as a sender, by its `auth`; at most one each"""

_SECRET = re.compile(r"(secret|password|passwd|pwd|token|api_?key|private_?key|credential)s?(_?value)?$")
_EXAMPLE = "config.example.toml explains every key."

S = TypeVar("S", bound=msgspec.Struct)


class _Checker:
    """From the TOML document to typed settings; the first problem found is raised."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fail(self, key: str, problem: str, remedy: str = _EXAMPLE) -> NoReturn:
        raise ConfigError(f"{self.path}: {key}: {problem}.", remedy=remedy)

    def config(self, document: Mapping[str, Any]) -> Config:
        self._known("", document, Config)
        parts: dict[str, Any] = {"tickets": self._tickets(document.get("tickets", []))}
        for name, single in TABLES.items():
            parts[name] = self._table(f"[{name}]", document.get(name, {}), single)
        for name, repeated in LISTS.items():
            tables = self._tables(name, document.get(name, []))
            parts[name] = tuple(self._table(place, table, repeated) for place, table in tables)
        config = Config(**parts)
        self._tenants(config)
        self._senders(config)
        self._settings(config)
        self._waivers(config.waivers)
        return config

    def _tables(self, name: str, value: Any) -> list[tuple[str, Any]]:
        """(how a message calls it, table): numbered from 1, with its name where it has one."""
        if not isinstance(value, list):
            self.fail(f"[{name}]", "may be repeated, so it has two brackets", f"Write [[{name}]].")
        places = []
        for number, table in enumerate(value, 1):
            label = table.get("name") if isinstance(table, dict) else None
            places.append((f"[[{name}]] {number}" + (f' "{label}"' if isinstance(label, str) else ""), table))
        return places

    def _tickets(self, value: Any) -> tuple[dict[str, Any], ...]:
        for place, table in self._tables("tickets", value):
            if not isinstance(table, dict):
                self.fail(place, "is no table", "Write it as a heading in brackets with its keys below.")
            self._no_secrets(place, table)
        return tuple(value)

    def _no_secrets(self, place: str, value: Any) -> None:
        """In tables of any depth."""
        for key, inner in value.items() if isinstance(value, dict) else ():
            self._no_secret(f"{place}: {key}", key, f"{key}_env")
            self._no_secrets(f"{place}: {key}", inner)
        for inner in value if isinstance(value, list) else ():
            self._no_secrets(place, inner)

    def _table(self, place: str, table: Any, kind: type[S]) -> S:
        if not isinstance(table, dict):
            self.fail(place, "is no table", "Write it as a heading in brackets with its keys below.")
        self._known(f"{place}: ", table, kind)
        # A bare TOML date is as good as a quoted one.
        plain = {key: str(value) if type(value) is datetime.date else value for key, value in table.items()}
        try:
            return msgspec.convert(plain, kind)
        except msgspec.ValidationError as error:
            self._mistyped(place, plain, kind, str(error))

    def _known(self, place: str, table: Mapping[str, Any], kind: type[msgspec.Struct]) -> None:
        names = [field.encode_name for field in msgspec.structs.fields(kind)]
        for key in table:
            if key in names:
                continue
            wanted = "client_secret_env or client_secret_file"
            self._no_secret(f"{place}{key}", key, "certificate_password_env" if "cert" in key.lower() else wanted)
            near = difflib.get_close_matches(key, names, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(names)}."
            raise ConfigError(f"{self.path}: {place}unknown key `{key}`: {hint}", remedy=_EXAMPLE)

    def _no_secret(self, place: str, key: str, instead: str) -> None:
        """A secret in the file is refused, and its value is not repeated."""
        if _SECRET.search(key.lower()):
            self.fail(
                place,
                "a secret must not stand in this file",
                f"Use {instead}, which names where the secret is found; and renew the secret that stood here.",
            )

    def _mistyped(self, place: str, table: Mapping[str, Any], kind: type[msgspec.Struct], message: str) -> NoReturn:
        missing = re.search(r"missing required field `(\w+)`", message)
        if missing:
            self.fail(place, f"`{missing[1]}` is missing")
        at = re.search(r"`\$\.(\w+)", message)
        key = at[1] if at else ""
        field = next((field for field in msgspec.structs.fields(kind) if field.encode_name == key), None)
        allowed = _literals(field.type) if field else ()
        if allowed and isinstance(table[key], str):
            near = difflib.get_close_matches(table[key], allowed, n=1)
            hint = f"did you mean `{near[0]}`" if near else f"allowed: {', '.join(allowed)}"
            self.fail(f"{place}: {key}", f"`{table[key]}` is not known; {hint}")
        self.fail(f"{place}: {key}" if key else place, message.partition(" - at")[0])

    def _tenants(self, config: Config) -> None:
        seen: set[str] = set()
        for number, tenant in enumerate(config.tenants, 1):
            place = f'[[tenants]] {number} "{tenant.name}"'
            folder = slug(tenant.name)
            if not tenant.name.strip():
                self.fail(f"{place}: name", "is empty", "Give each tenant a name; its reports' folder is made of it.")
            if folder in seen or folder == "sample":
                self.fail(f"{place}: name", f"the folder name `{folder}` is taken or reserved", "Choose another name.")
            seen.add(folder)
            if not re.fullmatch(r"[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?", tenant.tenant_id):
                self.fail(
                    f"{place}: tenant_id", "is neither a GUID nor a domain name", "Copy it from the Entra portal."
                )
            self._addresses(place, tenant)
            self._credential(place, tenant)
            if "admin-api" in config.exchange.ways and tenant.cloud == "custom" and not tenant.exchange_url:
                self.fail(place, '"admin-api" of [exchange] in a custom cloud needs `exchange_url`', "Add it.")

    def _addresses(self, place: str, tenant: TenantConfig) -> None:
        if tenant.cloud == "custom" and not (tenant.authority and tenant.graph_url):
            self.fail(place, "cloud = custom needs `authority` and `graph_url`", "Add both, as https:// addresses.")
        for name in ("authority", "graph_url", "exchange_url"):
            value: str = getattr(tenant, name)
            if value and tenant.cloud != "custom":
                self.fail(f"{place}: {name}", "only for cloud = custom", 'Drop the key or set cloud = "custom".')
            if value and not value.lower().startswith("https://"):
                self.fail(f"{place}: {name}", "is no https:// address", "The token only travels over TLS.")
        if (tenant.smtp_host or tenant.smtp_port) and tenant.cloud != "custom":
            self.fail(f"{place}: smtp_host", "only for cloud = custom", "Drop it and smtp_port.")
        if bool(tenant.smtp_host) != bool(tenant.smtp_port) or not 0 <= tenant.smtp_port <= 65535:
            self.fail(f"{place}: smtp_port", "smtp_host and smtp_port (1 to 65535) stand together", "Name both.")

    def _credential(self, place: str, tenant: TenantConfig) -> None:
        ways = [name for name in CREDENTIALS if getattr(tenant, name)]
        if len(ways) > 1:
            self.fail(place, f"several credentials: {', '.join(ways)}", "Keep exactly one.")
        if tenant.certificate_password_env and not tenant.certificate_path:
            self.fail(f"{place}: certificate_password_env", "there is no certificate_path", "Add it or drop this key.")
        self._variables(place, tenant, ("client_secret_env", "certificate_password_env"))

    def _variables(self, place: str, table: TenantConfig | Sender, names: Sequence[str]) -> None:
        for name in names:
            value: str = getattr(table, name)
            if value and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
                self.fail(
                    f"{place}: {name}",
                    "is no name of an environment variable",
                    "Name the variable that holds the secret; if the secret itself stood here, renew it.",
                )

    def _senders(self, config: Config) -> None:
        seen: set[str] = set()
        tenants = {tenant.name.lower(): tenant.name for tenant in config.tenants}
        for number, sender in enumerate(config.senders, 1):
            place = f'[[senders]] {number} "{sender.name}"'
            name = sender.name.strip().lower()
            if not name or name in seen:
                self.fail(f"{place}: name", "is empty or taken", "Give each sender its own name.")
            seen.add(name)
            if not sender.account.strip():
                self.fail(f"{place}: account", "is empty", "Name the account's UPN, address or object id.")
            if sender.tenant and sender.tenant.lower() not in tenants:
                known = ", ".join(tenants.values()) or "there is none"
                self.fail(f"{place}: tenant", f"no [[tenants]] is called `{sender.tenant}`", f"Known: {known}.")
            for address in sender.egress_ips:
                try:
                    ipaddress.ip_network(address, strict=False)
                except ValueError:
                    self.fail(f"{place}: egress_ips", f"`{address}` is no IP address or CIDR range", "Mend it.")
            if not 1 <= sender.port <= 65535:
                self.fail(f"{place}: port", f"{sender.port} is no port", "587 is the usual one.")
            for key in ("recipients_per_day", "messages_per_minute", "connections"):
                value: int | None = getattr(sender, key)
                if value is not None and value < 0:
                    self.fail(f"{place}: {key}", f"{value} is negative", "Drop the key where the number is not known.")
            self._sender_credential(place, sender)

    def _sender_credential(self, place: str, sender: Sender) -> None:
        for auth, names in SENDER_CREDENTIALS.items():
            named = [name for name in names if getattr(sender, name)]
            if named and auth != sender.auth:
                self.fail(f"{place}: {named[0]}", f'only for auth = "{auth}"', "Drop the key or change auth.")
            if len(named) > 1:
                self.fail(place, f"several credentials: {', '.join(named)}", "Keep exactly one.")
        if sender.oauth_certificate_password_env and not sender.oauth_certificate_path:
            self.fail(
                f"{place}: oauth_certificate_password_env", "there is no oauth_certificate_path", "Add it or drop this."
            )
        names = ("password_env", "oauth_secret_env", "oauth_certificate_password_env", "oauth_token_env")
        self._variables(place, sender, names)

    def _settings(self, config: Config) -> None:
        exchange, audit = config.exchange, config.audit
        if exchange.source == "none" and exchange.also:
            self.fail("[exchange]: also", 'source = "none" reads nothing', "Name the first way of reading as source.")
        if len(set(exchange.ways)) < len(exchange.ways):
            self.fail("[exchange]: also", "a way of reading stands twice", "Name each of them once.")
        if "export" in exchange.ways and not exchange.export_path:
            self.fail("[exchange]", '"export" needs export_path', "Name the exported folder or file.")
        if not 0 < audit.quota_share <= 1:
            self.fail(
                "[audit]: quota_share", f"{audit.quota_share} is not above 0 and at most 1", "The default is 0.8."
            )
        for place, value, least, most in (
            ("[exchange]: max_age_days", exchange.max_age_days, 1, 3650),
            ("[audit]: per_user_mfa_limit", audit.per_user_mfa_limit, 0, 1_000_000),
            ("[audit]: sign_in_days", audit.sign_in_days, 1, 30),
        ):
            if not least <= value <= most:
                self.fail(place, f"{value} is not between {least} and {most}")
        if not config.report.folder.strip():
            self.fail("[report]: folder", "is empty", 'The default is "reports".')

    def _waivers(self, waivers: Sequence[Waiver]) -> None:
        for number, waiver in enumerate(waivers, 1):
            place = f"[[waivers]] {number}"
            for key in ("rule", "owner", "reason"):
                if not getattr(waiver, key).strip():
                    self.fail(f"{place}: {key}", "is empty", "A waiver names what is accepted, by whom and why.")
            if not _is_date(waiver.until):
                self.fail(f"{place}: until", f"`{waiver.until}` is no date", "Write it as YYYY-MM-DD.")


def _literals(kind: Any) -> tuple[str, ...]:
    """The words that a Literal, or a union of them, allows; nothing for other types."""
    words: list[str] = []
    for part in get_args(kind):
        words += [part] if isinstance(part, str) else _literals(part)
    return tuple(word for word in words if word)


def _is_date(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return len(text) == len("2026-12-31")


_WINDOWS_NAMES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}


def slug(name: str) -> str:
    """A folder name that Windows accepts, lower case: letters, digits, dots and dashes; accents are dropped."""
    letters = "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    cleaned = re.sub(r"[^a-z0-9.-]+", "-", letters.lower()).strip("-.")[:80].rstrip("-.") or "tenant"
    # Windows reserves these also with an ending, so they get something in front.
    return f"tenant-{cleaned}" if cleaned.split(".")[0] in _WINDOWS_NAMES else cleaned
