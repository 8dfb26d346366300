"""Exchange Online's side of the company: objects as the cmdlets return them over REST.

Property names: the cmdlets' reference, learn.microsoft.com/powershell/module/exchange.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from auditor.demo.rows import Rows
from auditor.demo.tenant.account import EXPIRING, FEDERATED, INITIAL, ROOT, SUB, UNSET, Account
from auditor.demo.tenant.crowd import Accounts
from auditor.demo.tenant.ids import Clock, Ids
from auditor.demo.tenant.users import proxy_addresses

Json = dict[str, Any]

POLICIES = {"Block Basic Auth": False, "Allow SMTP for devices": True, "Legacy – Übergang 2021": False}
"""Authentication policies: name → AllowBasicAuthSmtp"""


def policy_guid(ids: Ids, name: str) -> str:
    return ids.uuid(f"authentication-policy:{name}")


def distinguished_name(name: str) -> str:
    return (
        f"CN={name},CN=Auth Policies,CN=Configuration,CN={INITIAL},"
        "CN=ConfigurationUnits,DC=DEMOPR01A001,DC=PROD,DC=OUTLOOK,DC=COM"
    )


def authentication_policies(ids: Ids) -> list[Json]:
    protocols = ("ActiveSync", "Autodiscover", "Imap", "Mapi", "OfflineAddressBook", "OutlookService", "Pop",
                 "ReportingWebServices", "Rpc", "WebServices", "Powershell")  # fmt: skip
    return [
        {
            "Name": name,
            "Identity": name,
            "DistinguishedName": distinguished_name(name),
            "Guid": policy_guid(ids, name),
            "ExchangeObjectId": policy_guid(ids, name),
            "AllowBasicAuthSmtp": smtp,
            **{f"AllowBasicAuth{protocol}": False for protocol in protocols},
        }
        for name, smtp in POLICIES.items()
    ]


def assigned_policy(form: str | None, ids: Ids) -> str | None:
    """AuthenticationPolicy as written on an account; `{guid:NAME}` stands for that policy's GUID."""
    if form and form.startswith("{guid:"):
        return policy_guid(ids, form[len("{guid:") : -1])
    return form


def transport_config(smtp_disabled: bool, legacy_tls: bool) -> list[Json]:
    return [
        {
            "Name": "Transport Settings",
            "Identity": "Transport Settings",
            "SmtpClientAuthenticationDisabled": smtp_disabled,
            "AllowLegacyTLSClients": legacy_tls,
            "ExternalDelayDsnEnabled": True,
            "MaxRecipientEnvelopeLimit": "Unlimited",
            "MessageExpiration": "1.00:00:00",
            "JournalingReportNdrTo": "<>",
        }
    ]


def organization_config(ids: Ids, default_policy: str | None) -> list[Json]:
    return [
        {
            "Name": INITIAL,
            "Identity": INITIAL,
            "DisplayName": "Contoso Demo (fictional)",
            "Guid": ids.uuid("organization-config"),
            "DefaultAuthenticationPolicy": default_policy,
            "OAuth2ClientProfileEnabled": True,
            "SendFromAliasEnabled": False,
            "RejectDirectSend": False,
            "AuditDisabled": False,
            "IsDehydrated": False,
        }
    ]


def mailboxes(accounts: Accounts, ids: Ids, clock: Clock) -> Sequence[Json]:
    return Rows(accounts.where(lambda account: account.mailbox), partial(_mailbox, ids=ids, clock=clock))


def _mailbox(account: Account, *, ids: Ids, clock: Clock) -> Json:
    local = account.upn.partition("@")[0]
    return {
        "Name": local,
        "Identity": local,
        "Alias": local,
        "DisplayName": account.name,
        "Guid": ids.uuid(f"mailbox:{account.key}"),
        "ExchangeGuid": ids.uuid(f"store:{account.key}"),
        "ExternalDirectoryObjectId": account.id,
        "UserPrincipalName": account.upn,
        "PrimarySmtpAddress": account.address,
        "EmailAddresses": proxy_addresses(account),
        "RecipientType": "UserMailbox",
        "RecipientTypeDetails": account.mailbox,
        "IsDirSynced": account.synced,
        "AccountDisabled": not account.enabled,
        "SKUAssigned": bool(account.licences) if account.mailbox == "UserMailbox" else None,
        "MessageCopyForSMTPClientSubmissionEnabled": True,
        "WhenCreatedUTC": clock.ago(account.created_days),
    }


def cas_mailboxes(accounts: Accounts, ids: Ids) -> Sequence[Json]:
    listed = accounts.where(lambda account: account.mailbox and account.cas_row)
    return Rows(listed, partial(_cas_mailbox, ids=ids))


def _cas_mailbox(account: Account, *, ids: Ids) -> Json:
    local = account.upn.partition("@")[0]
    return {
        "Name": local,
        "Identity": local,
        "DisplayName": account.name,
        "Guid": ids.uuid(f"mailbox:{account.key}"),
        "ExternalDirectoryObjectId": account.id,
        "PrimarySmtpAddress": account.address,
        "SmtpClientAuthenticationDisabled": account.switch,
        "ActiveSyncEnabled": True,
        "ImapEnabled": False,
        "PopEnabled": False,
        "MAPIEnabled": True,
        "OWAEnabled": True,
        "EwsEnabled": None,
    }


def exchange_users(accounts: Accounts, ids: Ids) -> Sequence[Json]:
    return Rows(accounts.where(lambda account: account.exchange), partial(_exchange_user, ids=ids))


def _exchange_user(account: Account, *, ids: Ids) -> Json:
    local = account.upn.partition("@")[0]
    return {
        "Name": local,
        "Identity": local,
        "DisplayName": account.name,
        "Guid": ids.uuid(f"mailbox:{account.key}"),
        "ExternalDirectoryObjectId": account.id,
        "UserPrincipalName": account.upn,
        "RecipientType": "UserMailbox" if account.mailbox else _RECIPIENT_TYPES.get(account.exchange, "User"),
        "RecipientTypeDetails": account.exchange,
        "AuthenticationPolicy": assigned_policy(account.auth_policy, ids),
        "AccountDisabled": not account.enabled,
        "IsDirSynced": account.synced,
    }


_RECIPIENT_TYPES = {"MailUser": "MailUser", "GuestMailUser": "MailUser"}

SEND_AS = (("finance", "finance-senders@" + ROOT), ("support", "svc.crm@" + ROOT), ("press", "nils.hagen@" + ROOT))
"""mailbox → trustee: a group, and two users"""


def recipient_permissions(accounts: dict[str, Account]) -> list[Json]:
    """Send As. Every mailbox also carries SELF; only a few are listed with it here, as an export without a filter
    shows them."""
    rows = [_send_as(accounts[mailbox], trustee) for mailbox, trustee in SEND_AS if mailbox in accounts]
    own = ("payroll", "finance", "svc.erp", "svc.payroll")
    return rows + [_send_as(accounts[key], "NT AUTHORITY\\SELF") for key in own]


def _send_as(account: Account, trustee: str) -> Json:
    return {
        "Identity": account.upn.partition("@")[0],
        "Trustee": trustee,
        "AccessControlType": "Allow",
        "AccessRights": ["SendAs"],
        "IsInherited": False,
        "InheritanceType": "None",
    }


FULL_ACCESS = (("app.ticketing", "ticketing"), ("app.rbac", "rbac"), ("app.workload", "workload"))
"""mailbox → app whose service principal holds FullAccess"""


def mailbox_permissions(accounts: dict[str, Account], ids: Ids) -> list[Json]:
    rows = [_full_access(accounts[mailbox], ids.uuid(f"sp:{app}")) for mailbox, app in FULL_ACCESS]
    rows.append(_full_access(accounts["support"], f"admin.ravel@{ROOT}"))
    own = ("app.ticketing", "app.backup", "support", "finance")
    return rows + [_full_access(accounts[key], "NT AUTHORITY\\SELF") for key in own]


def _full_access(account: Account, user: str) -> Json:
    return {
        "Identity": account.upn.partition("@")[0],
        "User": user,
        "AccessRights": ["FullAccess", "ReadPermission"] if user.startswith("NT ") else ["FullAccess"],
        "Deny": False,
        "IsInherited": False,
        "InheritanceType": "All",
    }


def accepted_domains() -> list[Json]:
    return [
        {"Name": name, "DomainName": name, "DomainType": "Authoritative", "Default": name == ROOT,
         "InitialDomain": name == INITIAL}
        for name in (INITIAL, ROOT, SUB, FEDERATED, EXPIRING, UNSET)
    ]  # fmt: skip


def inbound_connectors(ids: Ids) -> list[Json]:
    return [
        _connector(ids, "Relay from headquarters", True, ["203.0.113.40"], None),
        _connector(ids, "Relay by certificate", True, [], f"relay.{ROOT}"),
        _connector(ids, "Old plant relay", False, ["198.51.100.9"], None),
    ]


def _connector(ids: Ids, name: str, enabled: bool, addresses: list[str], certificate: str | None) -> Json:
    return {
        "Name": name,
        "Identity": name,
        "Guid": ids.uuid(f"connector:{name}"),
        "Enabled": enabled,
        "ConnectorType": "OnPremises",
        "ConnectorSource": "Default",
        "SenderIPAddresses": addresses,
        "SenderDomains": ["smtp:*;1"],
        "TlsSenderCertificateName": certificate,
        "RequireTls": certificate is not None,
        "RestrictDomainsToCertificate": False,
        "RestrictDomainsToIPAddresses": False,
    }


def hve_accounts(accounts: dict[str, Account], ids: Ids) -> list[Json]:
    account = accounts["hve.internal"]
    local = account.upn.partition("@")[0]
    return [
        {
            "Name": local,
            "Identity": local,
            "DisplayName": account.name,
            "Guid": ids.uuid(f"mailbox:{account.key}"),
            "ExternalDirectoryObjectId": account.id,
            "UserPrincipalName": account.upn,
            "PrimarySmtpAddress": account.address,
            "RecipientType": "MailUser",
            "RecipientTypeDetails": "MailUser",
        }
    ]


SNAPSHOT_TYPES = ("transportConfig", "organizationConfig", "casMailboxSettings", "authenticationPolicy",
                  "sharedMailbox", "inboundConnector", "acceptedDomain")  # fmt: skip


def configuration_jobs(ids: Ids, clock: Clock, tenant_id: str) -> list[Json]:
    """A weekly snapshot of tenant configuration management that the company runs for itself."""
    snapshot = ids.uuid("configuration-snapshot")
    return [
        {
            "id": ids.uuid("configuration-job"),
            "displayName": "Weekly configuration",
            "description": "Every Sunday",
            "tenantId": tenant_id,
            "status": "succeeded",
            "resources": [f"microsoft.exchange.{name}" for name in SNAPSHOT_TYPES],
            "createdDateTime": clock.recent(1.6),
            "completedDateTime": clock.recent(1.59),
            "resourceLocation": "https://graph.microsoft.com/v1.0/admin/configurationManagement/"
            f"configurationSnapshots('{snapshot}')",
            "createdBy": None,
            "errorDetails": [],
        }
    ]
