"""What a probe is going to do for one sender, worked out and checked before anything is sent."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from auditor.blockers.routes import WITHOUT_SMTP_AUTH, host, route_of
from auditor.config import LoadedConfig, Route, Sender, TenantConfig
from auditor.errors import ConfigError, UsageError
from auditor.graph.clouds import CLOUDS, endpoints
from auditor.graph.signin import ca_file
from auditor.probe.credential import Credential, Keyring, Nothing, Password, Token, resolve
from auditor.probe.result import Channel

SUBMISSION_HOST = CLOUDS["public"].smtp_host
HVE_HOST = "smtp.hve.mx.microsoft"
_ADDRESS = re.compile(r"[^\s<>@\x00-\x1f\x7f]+@[^\s<>@\x00-\x1f\x7f]+")
_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")


@dataclass(frozen=True, slots=True)
class Job:
    """One sender's probe. `host` and `port` are declared; `contact` is where the probe goes, elsewhere where `moved`.
    `greeting` is the name to announce in EHLO, empty for the own address. `send` says whether a message goes out."""

    sender: Sender
    route: Route
    channel: Channel
    login: str
    from_: str
    to: str
    host: str
    port: int
    contact: tuple[str, int]
    greeting: str
    credential: Credential
    ca_file: Path | None
    send: bool

    @property
    def moved(self) -> bool:
        return self.contact != (self.host, self.port)

    @property
    def on_the_wire(self) -> bool:
        """Graph is no SMTP at all."""
        return self.route != "graph"

    @property
    def password(self) -> str:
        """What smart lockout counts; empty where no password will be sent."""
        return self.credential.value if isinstance(self.credential, Password) and self.sender.tls != "none" else ""


def prepare(
    config: LoadedConfig,
    tenant: TenantConfig | None,
    senders: Sequence[Sender],
    send_to: str,
    keyring: Keyring,
) -> list[Job]:
    """The jobs of the chosen senders. `send_to` is whom a message goes to, empty where none is sent.

    Raises ConfigError or UsageError for whatever is missing or does not fit; nothing is sent."""
    if send_to and not _ADDRESS.fullmatch(send_to):
        raise UsageError(f"--send {send_to}: no e-mail address.", remedy="Name the recipient of the test message.")
    return [_job(config, tenant, sender, send_to, keyring) for sender in senders]


def _job(config: LoadedConfig, tenant: TenantConfig | None, sender: Sender, send_to: str, keyring: Keyring) -> Job:
    route = route_of(sender)
    server = _server(tenant, sender, route)
    login = (sender.username or sender.account).strip()
    if "@" not in login and route not in WITHOUT_SMTP_AUTH:
        raise ConfigError(
            f"sender {sender.name}: account is no user name to sign in with.", remedy="Set `username` to its UPN."
        )
    address = (sender.from_ or login).strip()
    if not _ADDRESS.fullmatch(address):
        raise ConfigError(f"sender {sender.name}: from: no e-mail address.", remedy="Name the address to send from.")
    credential: Credential = Nothing("This route uses no sign-in.")
    if route not in WITHOUT_SMTP_AUTH:
        credential = resolve(config, tenant, sender, login, keyring)
    moved = tenant is not None and bool(tenant.smtp_host)
    return Job(
        sender=sender,
        route=route,
        channel="none" if route in WITHOUT_SMTP_AUTH else sender.auth,
        login=login,
        from_=address,
        to=send_to or address,
        host=server,
        port=sender.port,
        contact=(tenant.smtp_host, tenant.smtp_port) if tenant and moved else (server, sender.port),
        greeting=_literal(sender.egress_ips) if moved else "",
        credential=credential,
        ca_file=ca_file(config, tenant) if tenant and tenant.ca_bundle else None,
        send=bool(send_to) and route != "graph",
    )


def _server(tenant: TenantConfig | None, sender: Sender, route: Route) -> str:
    """The declared server, else the one that Microsoft documents for the route and cloud."""
    name = host(sender).strip("[]")
    if not name and route == "hve":
        name = HVE_HOST
    if not name and route == "client-submission":
        name = SUBMISSION_HOST if tenant is None or tenant.cloud == "custom" else endpoints(tenant).smtp_host
    if not name and route == "graph":
        return ""
    if not (_HOST.fullmatch(name) or is_address(name)):
        raise ConfigError(
            f"sender {sender.name}: server: " + ("no host name." if name else "missing, and none is known for it."),
            remedy="Name the server as it is set in the device.",
        )
    return name


def _literal(egress: Sequence[str]) -> str:
    """The first declared egress address as RFC 5321 writes one in EHLO; the first address of a range."""
    if not egress:
        return ""
    return literal(
        str(ipaddress.ip_network(egress[0], strict=False).network_address if "/" in egress[0] else egress[0])
    )


def is_address(name: str) -> bool:
    """An IP address rather than a host name."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def literal(address: str) -> str:
    """An IP address as an address literal (RFC 5321, section 4.1.3)."""
    plain = address.partition("%")[0]
    return f"[IPv6:{plain}]" if ":" in plain else f"[{plain}]"


def plan(job: Job) -> list[str]:
    """What will be done, in lines for people; holds no secret."""
    if not job.on_the_wire:
        return [f"{job.sender.name}: nothing; this sender uses Graph, not SMTP."]
    lines = [f"{job.sender.name}: connect to {job.host}, port {job.port}{_detour(job)}", f"  {_tls(job)}"]
    lines.append(f"  {_sign_in(job)}")
    lines.append(f"  MAIL FROM {job.from_}, RCPT TO {job.to}" + _message(job))
    return lines


def _detour(job: Job) -> str:
    if not job.moved:
        return ""
    place = f", which this custom cloud answers at {job.contact[0]}:{job.contact[1]}"
    return place + (f"; EHLO says {job.greeting}" if job.greeting else "")


def _tls(job: Job) -> str:
    kinds = {"starttls": "STARTTLS", "implicit": "TLS from the first byte", "none": "no TLS, as declared"}
    return kinds[job.sender.tls]


def _sign_in(job: Job) -> str:
    if isinstance(job.credential, Nothing):
        return f"no sign-in: {job.credential.why[0].lower()}{job.credential.why[1:]}"
    if job.sender.tls == "none":
        return "ask for a sign-in, but send no password or token: without TLS it would be readable"
    if isinstance(job.credential, Token):
        return f"sign in once as {job.login} by XOAUTH2 with {job.credential.where}"
    return f"sign in once as {job.login} by LOGIN with {job.credential.where}"


def _message(job: Job) -> str:
    return ", then send a short test message" if job.send else "; no message is sent"
