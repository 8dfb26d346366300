"""Properties of Exchange objects that this program knows by name: what it asks for and how text becomes a value.

Pure data. The same lists serve the admin API (`$select`) and the export script (`Select-Object`), so that both ways
bring the same evidence and neither carries home telephone numbers and addresses that no blocker needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_UNLIMITED = {"ResultSize": "Unlimited"}
PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "casMailboxes": _UNLIMITED,
    "exchangeUsers": _UNLIMITED,
    "mailboxes": _UNLIMITED,
    "recipientPermissions": _UNLIMITED,
    "mailboxPermissions": _UNLIMITED,
    "inboundConnectors": _UNLIMITED,
    "hveAccounts": {**_UNLIMITED, "HVEAccount": True},
}
"""Dataset → parameters of its cmdlet. Without `ResultSize Unlimited` Exchange stops at 1,000 objects and only warns.

Role assignments are read whole: two roles let an app send (SMTP.SendAsApp, Mail.Send), and a list of one role only
would look complete and hide the other."""

SINGLE = frozenset({"transportConfig", "organizationConfig"})
"""Datasets that hold exactly one object: none at all means that it was not read."""

_RECIPIENT = ("Identity", "Name", "Guid", "ExternalDirectoryObjectId", "DisplayName")

SELECTED: Mapping[str, tuple[str, ...]] = {
    "casMailboxes": (*_RECIPIENT, "PrimarySmtpAddress", "SmtpClientAuthenticationDisabled"),
    "exchangeUsers": (
        *_RECIPIENT, "UserPrincipalName", "WindowsEmailAddress", "RecipientTypeDetails", "AuthenticationPolicy",
        "AccountDisabled",
    ),
    "mailboxes": (
        *_RECIPIENT, "UserPrincipalName", "PrimarySmtpAddress", "EmailAddresses", "Alias", "RecipientTypeDetails",
        "IsDirSynced", "AccountDisabled", "SKUAssigned", "MessageCopyForSMTPClientSubmissionEnabled",
    ),
}  # fmt: skip
"""Dataset → the properties to ask for; a dataset that is not here is read whole."""

EXPORTED: Mapping[str, tuple[str, ...]] = {
    "transportConfig": ("SmtpClientAuthenticationDisabled", "AllowLegacyTLSClients"),
    "organizationConfig": (
        "DefaultAuthenticationPolicy", "RejectDirectSend", "OAuth2ClientProfileEnabled", "SendFromAliasEnabled",
    ),
    **SELECTED,
    "authenticationPolicies": (
        "Name", "Identity", "Guid", "ExchangeObjectId", "DistinguishedName", "AllowBasicAuthSmtp",
    ),
    "recipientPermissions": ("Identity", "Trustee", "AccessControlType", "AccessRights", "IsInherited"),
    "mailboxPermissions": ("Identity", "User", "AccessRights", "IsInherited", "Deny"),
    "exchangeServicePrincipals": ("Identity", "Name", "Guid", "DisplayName", "AppId", "ObjectId", "Sid"),
    "managementRoleAssignments": (
        "Name", "Identity", "Role", "App", "RoleAssignee", "RoleAssigneeName", "RoleAssigneeType", "Enabled",
        "RecipientReadScope", "RecipientWriteScope", "CustomRecipientWriteScope", "CustomResourceScope",
        "RecipientAdministrativeUnitScope", "RecipientGroupScope",
    ),
    "managementScopes": (
        "Name", "Identity", "Guid", "ScopeRestrictionType", "RecipientFilter", "RecipientRoot", "Exclusive",
    ),
    "applicationAccessPolicies": ("Identity", "AppId", "ScopeName", "ScopeIdentity", "AccessRight", "IsValid"),
    "inboundConnectors": (
        "Name", "Identity", "Enabled", "ConnectorType", "SenderIPAddresses", "SenderDomains", "RequireTls",
        "RestrictDomainsToIPAddresses", "RestrictDomainsToCertificate", "TlsSenderCertificateName",
    ),
    "acceptedDomains": ("Name", "DomainName", "DomainType", "Default"),
    "hveAccounts": (
        *_RECIPIENT, "UserPrincipalName", "PrimarySmtpAddress", "EmailAddresses", "RecipientTypeDetails",
    ),
}  # fmt: skip
"""Dataset → the properties that the export script writes."""

DECISIVE: Mapping[str, str] = {
    "transportConfig": "SmtpClientAuthenticationDisabled",
    "organizationConfig": "DefaultAuthenticationPolicy",
    "casMailboxes": "SmtpClientAuthenticationDisabled",
    "authenticationPolicies": "AllowBasicAuthSmtp",
    "exchangeUsers": "AuthenticationPolicy",
    "mailboxes": "RecipientTypeDetails",
}
"""Dataset → the property without which it decides nothing: worth a word when a file lacks it."""

LISTS = frozenset({"AccessRights", "EmailAddresses", "SenderIPAddresses", "SenderDomains"})
"""Properties with several values: lists in the export and in the snapshot."""

BOOLEANS = frozenset(
    {
        "AccountDisabled", "AllowBasicAuthActiveSync", "AllowBasicAuthAutodiscover", "AllowBasicAuthImap",
        "AllowBasicAuthMapi", "AllowBasicAuthOfflineAddressBook", "AllowBasicAuthOutlookService", "AllowBasicAuthPop",
        "AllowBasicAuthPowershell", "AllowBasicAuthReportingWebServices", "AllowBasicAuthRpc", "AllowBasicAuthSmtp",
        "AllowBasicAuthWebServices", "AllowLegacyTLSClients", "Default", "Deny", "Enabled", "Exclusive", "Inherited",
        "IsDirSynced", "IsInherited", "IsValid", "MessageCopyForSMTPClientSubmissionEnabled",
        "OAuth2ClientProfileEnabled", "RejectDirectSend", "RequireTls", "RestrictDomainsToCertificate",
        "RestrictDomainsToIPAddresses", "SKUAssigned", "SendFromAliasEnabled", "SmtpClientAuthenticationDisabled",
    }
)  # fmt: skip
"""Properties whose text in a file stands for true, false or (empty) null."""

KNOWN = {name.lower(): name for names in EXPORTED.values() for name in names} | {
    name.lower(): name for name in BOOLEANS
}
"""Lower case → Microsoft's spelling: tables are exported with headers as somebody typed them."""

TRUE = frozenset(
    {"true", "$true", "1", "yes", "wahr", "ja", "vrai", "oui", "verdadero", "sí", "si", "vero", "verdadeiro", "sim",
     "waar", "prawda", "sant", "sand", "sann", "tosi", "pravda", "doğru", "истина"}
)  # fmt: skip
FALSE = frozenset(
    {"false", "$false", "0", "no", "falsch", "nein", "faux", "non", "falso", "não", "onwaar", "nee", "fałsz", "falskt",
     "falsk", "usann", "epätosi", "nepravda", "yanlış", "ложь"}
)  # fmt: skip
"""What PowerShell and localised spreadsheets write, lower case."""
