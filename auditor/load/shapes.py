"""What the judgement reads of the datasets that it takes as they are, and of which kind each value is.

A property without a default must be there: without it the object cannot be told from any other. Sources: Microsoft
Graph's own description (https://learn.microsoft.com/graph/api/resources/conditionalaccesspolicy and its neighbours) and
the output of the cmdlets (https://learn.microsoft.com/powershell/module/exchangepowershell/).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

Id = Annotated[str, msgspec.Meta(min_length=1)]
Text = str | None | UnsetType
Names = str | list[str] | None | UnsetType
Flag = bool | Annotated[str, msgspec.Meta(pattern="(?i)^(true|false|)$")] | None | UnsetType
"""Exchange's boolean: exports write it as text too."""


class _Organization(msgspec.Struct):
    id: Id
    displayName: Text = UNSET  # noqa: N815 - Microsoft's own names, here and below
    verifiedDomains: list[dict[str, Any]] | UnsetType | None = UNSET  # noqa: N815


class _NamedLocation(msgspec.Struct):
    id: Id
    displayName: Text = UNSET  # noqa: N815
    isTrusted: bool | UnsetType | None = UNSET  # noqa: N815
    ipRanges: list[dict[str, Any]] | UnsetType = UNSET  # noqa: N815
    countriesAndRegions: list[str] | UnsetType = UNSET  # noqa: N815
    kind: str | UnsetType = msgspec.field(default=UNSET, name="@odata.type")


class _Strength(msgspec.Struct):
    id: Id
    displayName: Text = UNSET  # noqa: N815
    allowedCombinations: list[Id] | UnsetType = UNSET  # noqa: N815


class _Domain(msgspec.Struct):
    id: Id
    authenticationType: Literal["Managed", "Federated"] | UnsetType = UNSET  # noqa: N815
    passwordValidityPeriodInDays: Annotated[int, msgspec.Meta(gt=0)] | UnsetType | None = UNSET  # noqa: N815


class _RoleDefinition(msgspec.Struct):
    id: Id
    templateId: Text = UNSET  # noqa: N815
    displayName: Text = UNSET  # noqa: N815
    isBuiltIn: bool | UnsetType = UNSET  # noqa: N815


class _ServicePrincipal(msgspec.Struct):
    id: Id
    appId: Id  # noqa: N815
    displayName: Text = UNSET  # noqa: N815
    accountEnabled: bool | UnsetType | None = UNSET  # noqa: N815
    servicePrincipalType: Text = UNSET  # noqa: N815
    signInAudience: Text = UNSET  # noqa: N815
    appOwnerOrganizationId: Text = UNSET  # noqa: N815


class _Policy(msgspec.Struct):
    """Its conditions and controls are checked by the judgement itself (auditor/access)."""

    id: Id | UnsetType = UNSET
    displayName: Text = UNSET  # noqa: N815
    createdDateTime: Text = UNSET  # noqa: N815
    modifiedDateTime: Text = UNSET  # noqa: N815


class _AppRoleAssignment(msgspec.Struct):
    principalId: Id  # noqa: N815
    appRoleId: Id  # noqa: N815


class _Grant(msgspec.Struct):
    clientId: Id  # noqa: N815
    scope: str
    consentType: Text = UNSET  # noqa: N815
    principalId: Text = UNSET  # noqa: N815


class _RecipientPermission(msgspec.Struct):
    Identity: Id
    Trustee: Id
    AccessRights: str | list[str]
    AccessControlType: Text = UNSET


class _MailboxPermission(msgspec.Struct):
    Identity: Id
    User: Id
    AccessRights: str | list[str]
    Deny: Flag = UNSET


class _ExchangePrincipal(msgspec.Struct):
    AppId: Id
    ObjectId: Text = UNSET
    Identity: Text = UNSET
    Name: Text = UNSET
    DisplayName: Text = UNSET
    Guid: Text = UNSET
    Sid: Text = UNSET


class _RoleAssignment(msgspec.Struct):
    Role: Id
    Enabled: Flag = UNSET
    App: Text = UNSET
    RoleAssignee: Text = UNSET
    RoleAssigneeName: Text = UNSET
    RecipientWriteScope: Text = UNSET
    CustomRecipientWriteScope: Text = UNSET
    CustomResourceScope: Text = UNSET
    RecipientAdministrativeUnitScope: Text = UNSET
    RecipientGroupScope: Text = UNSET


class _ApplicationAccessPolicy(msgspec.Struct):
    AppId: Id
    AccessRight: Id


class _Connector(msgspec.Struct):
    Name: Text = UNSET
    Enabled: Flag = UNSET
    ConnectorType: Text = UNSET
    SenderIPAddresses: Names = UNSET
    TlsSenderCertificateName: Text = UNSET


class _AcceptedDomain(msgspec.Struct):
    DomainName: Id


class _HveAccount(msgspec.Struct):
    Identity: Text = UNSET
    PrimarySmtpAddress: Text = UNSET


class _Reply(msgspec.Struct):
    text: str
    account: Text = UNSET


LOOKUPS: Mapping[str, type[msgspec.Struct]] = {
    "organization": _Organization,
    "namedLocations": _NamedLocation,
    "authenticationStrengthPolicies": _Strength,
    "domains": _Domain,
    "roleDefinitions": _RoleDefinition,
    "servicePrincipals": _ServicePrincipal,
    "conditionalAccessPolicies": _Policy,
}
"""Found by their ids: without a malformed property the rest of an object is still of use."""

LISTS: Mapping[str, type[msgspec.Struct]] = {
    "appRoleAssignments": _AppRoleAssignment,
    "oauth2PermissionGrants": _Grant,
    "recipientPermissions": _RecipientPermission,
    "mailboxPermissions": _MailboxPermission,
    "exchangeServicePrincipals": _ExchangePrincipal,
    "managementRoleAssignments": _RoleAssignment,
    "applicationAccessPolicies": _ApplicationAccessPolicy,
    "inboundConnectors": _Connector,
    "acceptedDomains": _AcceptedDomain,
    "hveAccounts": _HveAccount,
    "smtpReplies": _Reply,
}
"""Searched whole: an object with a malformed property may say anything, so that nothing is proved by its absence."""
