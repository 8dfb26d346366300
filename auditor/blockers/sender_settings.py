"""Do the client's own settings fit Exchange Online's endpoint?

Client submission is smtp.office365.com on port 587 (recommended) or 25 with STARTTLS. Port 465 and implicit TLS are not
offered, and a password never travels without TLS. Devices that only speak TLS 1.0 or 1.1 have an endpoint of their own,
which works only while the tenant allows it (`AllowLegacyTLSClients`). The user name is the account's UPN, and the
server is given by name, never by IP address. The host names of the national clouds could not be verified: unknown.
"""

from __future__ import annotations

import ipaddress

from auditor.blockers.base import Blocker, Cases
from auditor.blockers.columns import for_senders, unread
from auditor.blockers.routes import HVE_HOSTS, host
from auditor.config import Sender
from auditor.states import Column, Reason, State
from auditor.tenant import NO, YES, Tenant

SUBMISSION_HOST = "smtp.office365.com"
LEGACY_HOSTS = frozenset({"smtp-legacy.office365.com", "smtp-legacy.partner.outlook.cn"})
PORTS = (587, 25)
USED = ("transportConfig",)


def judge(tenant: Tenant, cases: Cases) -> Column:
    return for_senders(cases, lambda row, sender: _sender(tenant, row, sender))


def _sender(tenant: Tenant, row: int, sender: Sender) -> Reason:
    """The weightiest of what is wrong, else that nothing is."""
    found = [reason for reason in (_port(sender), _tls(sender), _host(tenant, sender), _username(tenant, row, sender))
             if reason]  # fmt: skip
    if found:
        return max(found, key=lambda reason: reason.state)
    facts = (("server", host(sender) or SUBMISSION_HOST), ("port", str(sender.port)), ("tls", sender.tls))
    return Reason(State.CLEAR, "Server, port, TLS and user name are as Microsoft documents them.", facts)


def _port(sender: Sender) -> Reason | None:
    if sender.port in PORTS:
        return None
    facts = (("port", str(sender.port)),)
    if sender.port == 465:
        return Reason(State.BLOCKS, "The client uses port 465, which Exchange Online does not offer.", facts)
    return Reason(State.UNKNOWN, f"The client uses port {sender.port}; only 587 and 25 are documented.", facts)


def _tls(sender: Sender) -> Reason | None:
    facts = (("tls", sender.tls),)
    if sender.tls == "none":
        text = "The client uses no TLS, without which Exchange Online takes no password or token."
        return Reason(State.BLOCKS, text, facts, reply="starttls-first")
    if sender.tls == "implicit":
        text = "The client starts with TLS at once (implicit); Exchange Online expects STARTTLS."
        return Reason(State.BLOCKS, text, facts)
    return None


def _host(tenant: Tenant, sender: Sender) -> Reason | None:
    server = host(sender) or SUBMISSION_HOST
    facts = (("server", server),)
    if server in LEGACY_HOSTS:
        return _legacy(tenant, facts)
    if server in HVE_HOSTS or (server == SUBMISSION_HOST and tenant.cloud in ("public", "custom")):
        return None
    try:
        ipaddress.ip_address(server.strip("[]"))
    except ValueError:
        text = (
            f"The client's server {server} is no endpoint that Microsoft documents for this cloud, so nothing is known."
        )
        return Reason(State.UNKNOWN, text, facts)
    text = (
        "The client names the server by IP address; Exchange Online's addresses change, and Microsoft asks for "
        "the name."
    )
    return Reason(State.CONDITIONAL, text, facts)


def _legacy(tenant: Tenant, facts: tuple[tuple[str, str], ...]) -> Reason | None:
    allowed = tenant.allow_legacy_tls if tenant.complete("transportConfig") else -1
    if allowed == YES and tenant.cloud not in ("gcc-high", "dod"):
        return None
    if allowed == NO:
        text = "The client uses the endpoint for old TLS versions, which the tenant does not allow."
        return Reason(State.BLOCKS, text, (*facts, ("AllowLegacyTLSClients", "False")), USED, "old-tls")
    if allowed == YES:
        text = "The client uses the endpoint for old TLS versions, which Microsoft does not list for this cloud."
        return Reason(State.UNKNOWN, text, (*facts, ("AllowLegacyTLSClients", "True")), USED)
    return unread(tenant, "Whether the tenant allows old TLS versions", *USED)


def _username(tenant: Tenant, row: int, sender: Sender) -> Reason | None:
    """An undeclared user name is taken to be the UPN."""
    name = sender.username.strip()
    principal = tenant.accounts.user_principal_name[row]
    if not name or name.lower() == principal.lower():
        return None
    text = "The client's user name is not the account's UPN, which is the name to sign in with."
    return Reason(State.CONDITIONAL, text, (("username", name), ("userPrincipalName", principal)))


BLOCKER = Blocker(
    id="sender-settings",
    title="The client's settings do not fit",
    channels=frozenset({"basic", "oauth"}),
    senders_only=True,
    datasets=USED,
    source=(
        "https://learn.microsoft.com/exchange/mail-flow-best-practices/how-to-set-up-a-multifunction-device-or-application-to-send-email-using-microsoft-365-or-office-365",
        "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/opt-in-exchange-online-endpoint-for-legacy-tls-using-smtp-auth",
    ),
    remedy="Set the client to smtp.office365.com, port 587, STARTTLS with TLS 1.2 or later, and the account's UPN as "
    "the user name. Replace a device that cannot, or let it send through a relay connector.",
    remedy_risk="None for the settings. Allowing old TLS versions weakens every client that uses that endpoint.",
    judge=judge,
)
