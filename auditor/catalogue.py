"""Every dataset of the audit: where it is read, with which least permission and licence, under which service limit.

Pure data. Who needs a dataset is not written here: it follows from the blockers (`blockers.needs`).
Sources: Graph's permission map and reference pages as noted in docs/permissions.md; Exchange cmdlets by their names.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Service = Literal["graph", "graph-beta", "exchange", "derived", "brought"]
Bucket = Literal[
    "directory", "conditional-access", "reports", "usage-reports", "usage-reports-json", "exchange", "none"
]
Shape = Literal["singleton", "collection", "report", "cmdlet"]

POLICY = "Policy.Read.All"
USERS = "User.Read.All"
GROUPS = "GroupMember.Read.All"
ROLES = "RoleManagement.Read.Directory"
AUDIT = "AuditLog.Read.All"
DOMAINS = "Domain.Read.All"
ORGANIZATION = "Organization.Read.All"
REPORTS = "Reports.Read.All"
APPLICATIONS = "Application.Read.All"
METHODS = "UserAuthenticationMethod.Read.All"
GRANTS = "DelegatedPermissionGrant.Read.All"
DIRECTORY = "Directory.Read.All"
EXCHANGE = "Exchange.ManageAsApp"

ROLE_IDS = {
    POLICY: "246dd0d5-5bd0-4def-940b-0421030a5b68",
    USERS: "df021288-bdef-4463-88db-98f22de89214",
    GROUPS: "98830695-27a2-44f7-8c18-0c3ebc9698f6",
    ROLES: "483bed4a-2ad3-4361-a73b-c83ccdbdc53c",
    AUDIT: "b0afded3-3588-46d8-8b3d-9842eff778da",
    DOMAINS: "dbb9058a-0e50-45d7-ae91-66909b5d4664",
    ORGANIZATION: "498476ce-e0fe-48b0-b801-37ba7e2685c6",
    REPORTS: "230c1aed-a721-4c5d-9cb4-a90514e508ef",
    APPLICATIONS: "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    METHODS: "38d9df27-64da-44fd-b7c5-a6fbac20248f",
    GRANTS: "81b4724a-58aa-41c1-8a55-84ef97466587",
    EXCHANGE: "dc50a0fb-09a3-484d-be87-e023b12c6440",
}
"""Application role ids; all of Microsoft Graph but the last, which is Office 365 Exchange Online's."""

GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
EXCHANGE_APP_ID = "00000002-0000-0ff1-ce00-000000000000"


@dataclass(frozen=True, slots=True)
class Dataset:
    """`permission`: the least application permission; `accepted`: others that open it too. `licence`: what the
    tenant must own. `page_size`: Graph's maximum for `$top`, None where the call takes none. `optional`: pure
    evidence that only adds (contract, the law) and whose permission `init` offers as an option."""

    name: str
    service: Service
    shape: Shape
    path: str
    permission: str
    accepted: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    page_size: int | None = None
    filter: str = ""
    licence: str = ""
    bucket: Bucket = "directory"
    optional: bool = False
    personal: bool = False
    national: bool = True
    """False where the service does not exist outside the public cloud"""


USER_PROPERTIES = (
    "id", "userPrincipalName", "mail", "proxyAddresses", "displayName", "accountEnabled", "userType", "creationType",
    "externalUserState", "assignedLicenses", "assignedPlans", "licenseAssignmentStates", "onPremisesSyncEnabled",
    "passwordPolicies", "lastPasswordChangeDateTime", "isResourceAccount", "usageLocation", "createdDateTime",
)  # fmt: skip

MAIL_APP_ROLES = ("Mail.Send", "SMTP.SendAsApp")
MAIL_SCOPES = ("Mail.Send", "SMTP.Send")


def _graph(name: str, path: str, permission: str, *, shape: Shape = "collection", **more: Any) -> Dataset:
    return Dataset(name, "graph", shape, path, permission, **more)


def _cmdlet(name: str, cmdlet: str) -> Dataset:
    return Dataset(name, "exchange", "cmdlet", cmdlet, EXCHANGE, bucket="exchange", page_size=1000)


CATALOGUE: tuple[Dataset, ...] = (
    _graph("organization", "/organization", ORGANIZATION, accepted=(USERS, DIRECTORY)),
    _graph("domains", "/domains", DOMAINS, accepted=(DIRECTORY,)),
    _graph("subscribedSkus", "/subscribedSkus", ORGANIZATION, accepted=("LicenseAssignment.Read.All", DIRECTORY)),
    _graph("identitySecurityDefaultsEnforcementPolicy", "/policies/identitySecurityDefaultsEnforcementPolicy", POLICY,
           shape="singleton"),
    _graph("authenticationMethodsPolicy", "/policies/authenticationMethodsPolicy", POLICY, shape="singleton",
           accepted=("Policy.Read.AuthenticationMethod",)),
    _graph("conditionalAccessPolicies", "/identity/conditionalAccess/policies", POLICY, bucket="conditional-access"),
    _graph("namedLocations", "/identity/conditionalAccess/namedLocations", POLICY, bucket="conditional-access"),
    _graph("authenticationStrengthPolicies", "/policies/authenticationStrengthPolicies", POLICY,
           accepted=("Policy.Read.AuthenticationMethod",)),
    _graph("roleDefinitions", "/roleManagement/directory/roleDefinitions", ROLES, accepted=(DIRECTORY,),
           select=("id", "displayName", "isBuiltIn", "isEnabled", "templateId")),
    _graph("users", "/users", USERS, accepted=(DIRECTORY,), select=USER_PROPERTIES, page_size=999, personal=True),
    _graph("userRegistrationDetails", "/reports/authenticationMethods/userRegistrationDetails", AUDIT, page_size=999,
           licence="Entra ID P1", bucket="reports", personal=True),
    Dataset("authenticationMethods", "derived", "collection", "/users/{id}/authentication/methods", METHODS,
            optional=True, personal=True),
    Dataset("perUserMfa", "derived", "collection", "/users", USERS, accepted=(POLICY, DIRECTORY),
            select=("id", "perUserMfaState"), page_size=999, personal=True),
    Dataset("groups", "derived", "collection", "/groups/{id}", GROUPS, accepted=("Group.Read.All", DIRECTORY),
            select=("id", "displayName", "visibility", "mail")),
    Dataset("groupMembers", "derived", "collection", "/groups/{id}/transitiveMembers/microsoft.graph.user", GROUPS,
            accepted=("Group.Read.All", DIRECTORY), select=("id",), page_size=999, personal=True),
    _graph("roleAssignments", "/roleManagement/directory/roleAssignments", ROLES, accepted=(DIRECTORY,)),
    _graph("signIns", "/auditLogs/signIns", AUDIT, page_size=1000, licence="Entra ID P1", bucket="reports",
           optional=True, personal=True,
           filter="createdDateTime ge {since} and (clientAppUsed eq 'Authenticated SMTP' or clientAppUsed eq 'SMTP')"),
    _graph("directoryAudits", "/auditLogs/directoryAudits", AUDIT, bucket="reports", optional=True, personal=True,
           filter="activityDateTime ge {since} and (activityDisplayName eq 'Create application password for user' or "
                  "activityDisplayName eq 'Delete application password for user')"),
    _graph("emailAppUsage", "/reports/getEmailAppUsageUserDetail(period='D180')", REPORTS, shape="report",
           bucket="usage-reports", optional=True, personal=True, national=False),
    Dataset("mailboxUsage", "graph-beta", "collection", "/reports/getMailboxUsageDetail(period='D7')", REPORTS,
            page_size=999, bucket="usage-reports-json", personal=True, national=False),
    _graph("servicePrincipals", "/servicePrincipals", APPLICATIONS, accepted=(DIRECTORY,), page_size=999,
           select=("id", "appId", "displayName", "accountEnabled", "appOwnerOrganizationId", "servicePrincipalType",
                   "signInAudience")),
    Dataset("appRoleAssignments", "derived", "collection", "/servicePrincipals/{id}/appRoleAssignedTo", APPLICATIONS,
            accepted=(DIRECTORY,), page_size=999),
    _graph("oauth2PermissionGrants", "/oauth2PermissionGrants", GRANTS, accepted=(DIRECTORY,), page_size=999),
    _cmdlet("transportConfig", "Get-TransportConfig"),
    _cmdlet("organizationConfig", "Get-OrganizationConfig"),
    _cmdlet("casMailboxes", "Get-CASMailbox"),
    _cmdlet("authenticationPolicies", "Get-AuthenticationPolicy"),
    _cmdlet("exchangeUsers", "Get-User"),
    _cmdlet("mailboxes", "Get-Mailbox"),
    _cmdlet("recipientPermissions", "Get-RecipientPermission"),
    _cmdlet("mailboxPermissions", "Get-MailboxPermission"),
    _cmdlet("exchangeServicePrincipals", "Get-ServicePrincipal"),
    _cmdlet("managementRoleAssignments", "Get-ManagementRoleAssignment"),
    _cmdlet("managementScopes", "Get-ManagementScope"),
    _cmdlet("applicationAccessPolicies", "Get-ApplicationAccessPolicy"),
    _cmdlet("inboundConnectors", "Get-InboundConnector"),
    _cmdlet("acceptedDomains", "Get-AcceptedDomain"),
    _cmdlet("hveAccounts", "Get-MailUser"),
    Dataset("smtpAuthClients", "brought", "collection", "SMTP AUTH clients report (CSV)", "", bucket="none",
            optional=True, personal=True),
    Dataset("smtpReplies", "brought", "collection", "probe or administrator", "", bucket="none", optional=True,
            personal=True),
    Dataset("whatIf", "derived", "collection", "/identity/conditionalAccess/evaluate", POLICY,
            accepted=("Policy.Read.ConditionalAccess",), bucket="conditional-access", optional=True, personal=True),
)  # fmt: skip

BY_NAME = {dataset.name: dataset for dataset in CATALOGUE}

EXCHANGE_DATASETS = tuple(dataset.name for dataset in CATALOGUE if dataset.service == "exchange")

CONFIGURATION = "ConfigurationMonitoring.Read.All"
"""The least application permission of Microsoft Graph that reads configuration snapshots which somebody else takes;
only asked for where `[exchange]` names them as a source. Taking one would need ReadWrite, which is never asked for."""
CONFIGURATION_ROLE_ID = "aca929ec-9830-44dc-bda1-85cf938aaa95"
CONFIGURATION_TOO = "ConfigurationMonitoring.ReadWrite.All"
"""Opens them as well; an app that holds it is told to give it back."""

CONFIGURATION_TYPES = {
    "transportConfig": "microsoft.exchange.transportconfig",
    "organizationConfig": "microsoft.exchange.organizationconfig",
    "casMailboxes": "microsoft.exchange.casmailboxsettings",
    "authenticationPolicies": "microsoft.exchange.authenticationpolicy",
    "mailboxes": "microsoft.exchange.sharedmailbox",
    "inboundConnectors": "microsoft.exchange.inboundconnector",
    "acceptedDomains": "microsoft.exchange.accepteddomain",
}
"""Dataset → the resource type of a configuration snapshot that holds its objects. Services and pages write the types in
different letter case (https://learn.microsoft.com/graph/utcm-exchange-resources)."""
