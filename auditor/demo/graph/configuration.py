"""Tenant configuration management: jobs that somebody else started, and what they brought.

A snapshot is made of the tenant's Exchange objects when it is asked for. Its booleans have two values, as in
Microsoft's schema of the resource types (https://learn.microsoft.com/graph/utcm-exchange-resources): a blank of the
mailbox switch comes out as false, the form that a reader must not trust.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from auditor.demo.graph.call import not_found
from auditor.demo.model import DemoTenant

Record = Mapping[str, Any]

_PROTOCOLS = ("ActiveSync", "Autodiscover", "Imap", "Mapi", "Pop", "Powershell", "Rpc", "Smtp")


def jobs(tenant: DemoTenant) -> list[dict[str, Any]]:
    return tenant.configuration_jobs


def snapshot(tenant: DemoTenant, snapshot_id: str) -> Record:
    """configurationBaseline. Raises GraphError 404 where no job brought it."""
    for job in jobs(tenant):
        if f"'{snapshot_id}'" in str(job["resourceLocation"]):
            resources = [one for kind in job["resources"] for one in _resources(tenant, kind)]
            return {
                "id": snapshot_id, "displayName": job["displayName"], "description": job["description"],
                "parameters": [], "resources": resources,
            }  # fmt: skip
    raise not_found(snapshot_id)


def _resources(tenant: DemoTenant, kind: str) -> Iterator[Record]:
    dataset, properties = _TYPES[kind.lower()]
    names = {one.get("ExternalDirectoryObjectId"): one.get("UserPrincipalName") for one in tenant.exchange["mailboxes"]}
    for number, found in enumerate(tenant.exchange.get(dataset, ()), 1):
        written = properties({"UserPrincipalName": names.get(found.get("ExternalDirectoryObjectId")), **found})
        if written is not None:
            yield {"displayName": f"{kind.rpartition('.')[2]}-{number}", "resourceType": kind, "properties": written}


def _single(*names: str) -> Callable[[Record], Record | None]:
    return lambda found: {"IsSingleInstance": "Yes", **{name: found.get(name) for name in names}}


def _named(identity: str, *names: str) -> Callable[[Record], Record | None]:
    return lambda found: (
        {"Identity": found.get(identity), "Ensure": "Present"} | {name: found.get(name) for name in names}
    )


def _cas_mailbox(found: Record) -> Record:
    return {
        "Identity": found["UserPrincipalName"],
        "SmtpClientAuthenticationDisabled": bool(found.get("SmtpClientAuthenticationDisabled")),
        "ImapEnabled": bool(found.get("ImapEnabled")),
        "PopEnabled": bool(found.get("PopEnabled")),
    }


def _shared_mailbox(found: Record) -> Record | None:
    if found.get("RecipientTypeDetails") != "SharedMailbox":
        return None
    return {
        "Identity": found.get("Identity"),
        "DisplayName": found.get("DisplayName"),
        "PrimarySMTPAddress": found.get("PrimarySmtpAddress"),
        "EmailAddresses": found.get("EmailAddresses"),
        "Ensure": "Present",
    }


_TYPES: dict[str, tuple[str, Callable[[Record], Record | None]]] = {
    "microsoft.exchange.transportconfig": (
        "transportConfig", _single("SmtpClientAuthenticationDisabled", "AllowLegacyTLSClients", "MessageExpiration"),
    ),
    "microsoft.exchange.organizationconfig": (
        "organizationConfig",
        _single("DefaultAuthenticationPolicy", "OAuth2ClientProfileEnabled", "SendFromAliasEnabled", "AuditDisabled"),
    ),
    "microsoft.exchange.casmailboxsettings": ("casMailboxes", _cas_mailbox),
    "microsoft.exchange.authenticationpolicy": (
        "authenticationPolicies", _named("Name", *(f"AllowBasicAuth{protocol}" for protocol in _PROTOCOLS)),
    ),
    "microsoft.exchange.sharedmailbox": ("mailboxes", _shared_mailbox),
    "microsoft.exchange.inboundconnector": (
        "inboundConnectors",
        _named(
            "Name", "Enabled", "ConnectorType", "SenderIPAddresses", "SenderDomains", "RequireTls",
            "RestrictDomainsToIPAddresses", "RestrictDomainsToCertificate", "TlsSenderCertificateName",
        ),
    ),
    "microsoft.exchange.accepteddomain": ("acceptedDomains", _named("DomainName", "DomainType")),
}  # fmt: skip
"""resource type → dataset and what its properties hold; those that the tenant's jobs name"""
