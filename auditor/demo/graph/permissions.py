"""What each path of Graph asks of a token, and how its service says no.

Written from Graph's own description (`x-permission-least`) and its permission map, not from the auditor's catalogue:
two lists that disagree are a mistake worth finding. Application permissions only.
"""

from __future__ import annotations

from auditor.demo.entra.tokens import AccessToken
from auditor.demo.graph.call import GraphError, Workload

DIRECTORY = "Directory.Read.All"

ORGANIZATION = ("Organization.Read.All", "User.Read.All", DIRECTORY)
DOMAINS = ("Domain.Read.All", DIRECTORY)
SKUS = ("LicenseAssignment.Read.All", "Organization.Read.All", DIRECTORY)
POLICY = ("Policy.Read.All",)
METHOD_POLICIES = ("Policy.Read.AuthenticationMethod", "Policy.Read.All")
ROLES = ("RoleManagement.Read.Directory", "RoleManagement.Read.All", DIRECTORY)
USERS = ("User.Read.All", DIRECTORY)
GROUPS = ("GroupMember.Read.All", "Group.Read.All", DIRECTORY)
MEMBERS = ("GroupMember.ReadBasic.All", *GROUPS)
AUDIT = ("AuditLog.Read.All",)
REPORTS = ("Reports.Read.All",)
APPLICATIONS = ("Application.Read.All", DIRECTORY)
GRANTS = (DIRECTORY, "DelegatedPermissionGrant.Read.All")
METHODS = ("UserAuthenticationMethod.Read.All",)
CONFIGURATION = ("ConfigurationMonitoring.Read.All", "ConfigurationMonitoring.ReadWrite.All")
HIDDEN_MEMBERS = "Member.Read.Hidden"
WHAT_IF = ("Policy.Read.ConditionalAccess", "Policy.Read.All")
CONDITIONAL_ACCESS_DETAIL = ("Policy.Read.All", "Policy.Read.ConditionalAccess")


def require(token: AccessToken, accepted: tuple[str, ...], workload: Workload) -> None:
    """Raises GraphError 403, in the words of the service behind the path, where the token holds none of them."""
    if token.roles.isdisjoint(accepted):
        raise _refusal(accepted, workload)


def _refusal(accepted: tuple[str, ...], workload: Workload) -> GraphError:
    if workload == "directory":
        return GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    if workload == "policy":
        return GraphError(
            403,
            "AccessDenied",
            "You cannot perform the requested operation, required scopes are missing in the token.",
        )
    return GraphError(
        403,
        "Authentication_MSGraphPermissionMissing",
        f"The principal does not have required Microsoft Graph permission(s): {accepted[0]} to call this API. For "
        "more information about Microsoft Graph permissions, please visit "
        "https://learn.microsoft.com/graph/permissions-overview.",
    )


def require_mailbox_settings(token: AccessToken) -> None:
    """Mailbox settings are Exchange's, which refuses in words of its own."""
    if "MailboxSettings.Read" not in token.roles:
        raise GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def require_premium(premium: bool) -> None:
    """Raises GraphError 403: a licence is missing, not a consent."""
    if not premium:
        raise GraphError(
            403,
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
            "Neither tenant is B2C or tenant doesn't have premium license",
        )
