"""Apps of the demo company: service principals, what they were granted, and their registration in Exchange."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from auditor.catalogue import EXCHANGE, EXCHANGE_APP_ID, GRAPH_APP_ID, ROLE_IDS
from auditor.demo.model import DemoApp
from auditor.demo.tenant.account import ROOT
from auditor.demo.tenant.ids import Clock, Ids

Json = dict[str, Any]

MICROSOFT = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
"""The tenant that owns Microsoft's own apps"""

MAIL_SEND = "b633e1c5-b582-4048-a93e-9f11b44c7e96"
SEND_AS_APP = "7146a1f0-8703-45b3-9eae-527a64c00995"
SEND_AS_APP_TOO = "ce81e10f-fda1-4348-8947-f7fdb6c649ad"
USER_READ_ALL = ROLE_IDS["User.Read.All"]
GRANTS_READ = "81b4724a-58aa-41c1-8a55-84ef97466587"
"""DelegatedPermissionGrant.Read.All, the least that opens oauth2PermissionGrants"""

EXTRA_ROLES = {"DelegatedPermissionGrant.Read.All": GRANTS_READ, "Mail.Send": MAIL_SEND}


@dataclass(frozen=True, slots=True)
class App:
    """`roles`: (resource, appRoleId); `scopes`: (resource, space-separated delegated scopes); `exchange`: has a
    service principal in Exchange."""

    key: str
    name: str
    roles: tuple[tuple[str, str], ...] = ()
    scopes: tuple[tuple[str, str], ...] = ()
    exchange: bool = False
    enabled: bool = True


APPS = (
    App("ticketing", "Ticketing connector", (("exchange", SEND_AS_APP),), exchange=True),
    App("backup", "Backup reporter", (("exchange", SEND_AS_APP_TOO),), exchange=True),
    App("rbac", "Meter readings", exchange=True),
    App("workload", "Parcel labels (retired)", (("exchange", SEND_AS_APP),), exchange=True),
    App("portal", "Customer portal", scopes=(("exchange", "SMTP.Send offline_access"),)),
    App("newsletters", "Marketing cloud", (("graph", MAIL_SEND), ("graph", USER_READ_ALL))),
    App("scoped", "Quotes by Graph (scoped)", (("graph", MAIL_SEND),)),
    App("disabled", "Old CRM add-in", (("graph", MAIL_SEND),), enabled=False),
    App("addin", "Signature add-in", scopes=(("graph", "openid User.Read Mail.Send Mail.Read"),)),
    App("calendar", "Room planner", (("graph", USER_READ_ALL),), scopes=(("graph", "User.Read Calendars.Read"),)),
)


def client_id(ids: Ids, key: str) -> str:
    return ids.uuid(f"app:{key}")


def object_id(ids: Ids, key: str) -> str:
    return ids.uuid(f"sp:{key}")


def auditor_app(ids: Ids) -> DemoApp:
    """The registration that the auditor signs in as: every permission of the catalogue."""
    graph_roles = (set(ROLE_IDS) - {EXCHANGE}) | {"DelegatedPermissionGrant.Read.All"}
    return DemoApp(client_id(ids, "auditor"), object_id(ids, "auditor"), f"demo-{ids.hex('secret', 32)}",
                   graph_roles, {EXCHANGE})  # fmt: skip


def service_principals(ids: Ids, tenant_id: str) -> list[Json]:
    rows = [
        _principal(object_id(ids, "graph"), GRAPH_APP_ID, "Microsoft Graph", MICROSOFT,
                   roles={**{name: value for name, value in ROLE_IDS.items() if name != EXCHANGE}, **EXTRA_ROLES},
                   scopes={"Mail.Send": "e383f46e-2787-4529-855e-0e479a3ffac0",
                           "SMTP.Send": "258f6531-6087-4cc4-bb90-092c5fb3ed3f",
                           "User.Read": "e1fe6dd8-ba31-4d61-89e7-88639da4683d"}),
        _principal(object_id(ids, "exchange"), EXCHANGE_APP_ID, "Office 365 Exchange Online", MICROSOFT,
                   roles={EXCHANGE: ROLE_IDS[EXCHANGE], "SMTP.SendAsApp": SEND_AS_APP},
                   scopes={"SMTP.Send": "76faac2a-0f20-42f1-928a-50de5b9dbe52"}),
        _principal(object_id(ids, "auditor"), client_id(ids, "auditor"), "SMTP AUTH auditor", tenant_id),
    ]  # fmt: skip
    rows += [
        _principal(object_id(ids, app.key), client_id(ids, app.key), app.name, tenant_id, enabled=app.enabled)
        for app in APPS
    ]
    return rows


def _principal(
    identifier: str,
    app_id: str,
    name: str,
    owner: str,
    *,
    enabled: bool = True,
    roles: dict[str, str] | None = None,
    scopes: dict[str, str] | None = None,
) -> Json:
    return {
        "id": identifier,
        "deletedDateTime": None,
        "accountEnabled": enabled,
        "alternativeNames": [],
        "appDisplayName": name,
        "appId": app_id,
        "appOwnerOrganizationId": owner,
        "appRoleAssignmentRequired": False,
        "displayName": name,
        "servicePrincipalNames": [app_id],
        "servicePrincipalType": "Application",
        "signInAudience": "AzureADMyOrg",
        "tags": [],
        "appRoles": [
            {"allowedMemberTypes": ["Application"], "description": role, "displayName": role, "id": role_id,
             "isEnabled": True, "origin": "Application", "value": role}
            for role, role_id in (roles or {}).items()
        ],
        "oauth2PermissionScopes": [
            {"adminConsentDescription": scope, "adminConsentDisplayName": scope, "id": scope_id, "isEnabled": True,
             "type": "User", "userConsentDescription": scope, "userConsentDisplayName": scope, "value": scope}
            for scope, scope_id in (scopes or {}).items()
        ],
    }  # fmt: skip


_RESOURCE_NAMES = {"graph": "Microsoft Graph", "exchange": "Office 365 Exchange Online"}


def app_role_assignments(ids: Ids, clock: Clock, app: DemoApp) -> list[Json]:
    rows = [
        _assignment(ids, clock, spec.key, spec.name, resource, role_id)
        for spec in APPS
        for resource, role_id in spec.roles
    ]
    known = {**ROLE_IDS, **EXTRA_ROLES}
    rows += [_assignment(ids, clock, "auditor", "SMTP AUTH auditor", "graph", known[name])
             for name in sorted(app.graph_roles)]  # fmt: skip
    rows += [_assignment(ids, clock, "auditor", "SMTP AUTH auditor", "exchange", known[name])
             for name in sorted(app.exchange_roles)]  # fmt: skip
    return rows


def _assignment(ids: Ids, clock: Clock, key: str, name: str, resource: str, role_id: str) -> Json:
    return {
        "id": ids.hex(f"app-role:{key}:{resource}:{role_id}", 43),
        "deletedDateTime": None,
        "appRoleId": role_id,
        "createdDateTime": clock.ago(400),
        "principalDisplayName": name,
        "principalId": object_id(ids, key),
        "principalType": "ServicePrincipal",
        "resourceDisplayName": _RESOURCE_NAMES[resource],
        "resourceId": object_id(ids, resource),
    }


def oauth2_permission_grants(ids: Ids) -> list[Json]:
    return [
        {
            "id": ids.hex(f"grant:{app.key}:{resource}", 43),
            "clientId": object_id(ids, app.key),
            "consentType": "AllPrincipals",
            "principalId": None,
            "resourceId": object_id(ids, resource),
            "scope": scope,
        }
        for app in APPS
        for resource, scope in app.scopes
    ]


def exchange_service_principals(ids: Ids) -> list[Json]:
    return [
        {
            "DisplayName": app.name,
            "Name": object_id(ids, app.key),
            "Identity": object_id(ids, app.key),
            "Guid": ids.uuid(f"exchange-sp:{app.key}"),
            "AppId": client_id(ids, app.key),
            "ObjectId": object_id(ids, app.key),
            "Sid": f"S-1-5-21-1000000001-1000000002-{int(ids.hex(f'sid:{app.key}', 7), 16)}-1001",
        }
        for app in APPS
        if app.exchange
    ]


SCOPE = "Quotes mailboxes only"


def management_scopes(ids: Ids) -> list[Json]:
    return [
        {
            "Name": SCOPE,
            "Identity": SCOPE,
            "Guid": ids.uuid("scope:quotes"),
            "ScopeRestrictionType": "RecipientScope",
            "Exclusive": False,
            "RecipientFilter": f"PrimarySmtpAddress -eq 'svc.sales@{ROOT}'",
            "RecipientRoot": None,
        }
    ]


def management_role_assignments(ids: Ids) -> list[Json]:
    """RBAC for Applications: one over the whole organisation, one within a scope; and an unrelated one of a group."""
    return [
        _role(ids, "Application SMTP.SendAsApp", "rbac", None),
        _role(ids, "Application Mail.Send", "scoped", SCOPE),
        {
            "Name": "View-Only Recipients-Help Desk",
            "Identity": "View-Only Recipients-Help Desk",
            "Guid": ids.uuid("role-assignment:help-desk"),
            "Role": "View-Only Recipients",
            "RoleAssignee": "Help Desk",
            "RoleAssigneeName": "Help Desk",
            "RoleAssigneeType": "RoleGroup",
            "AssignmentMethod": "Direct",
            "Enabled": True,
            "RecipientReadScope": "Organization",
            "RecipientWriteScope": "Organization",
            "CustomResourceScope": None,
            "CustomRecipientWriteScope": None,
        },
    ]


def _role(ids: Ids, role: str, app: str, scope: str | None) -> Json:
    return {
        "Name": f"{role}-{object_id(ids, app)}",
        "Identity": f"{role}-{object_id(ids, app)}",
        "Guid": ids.uuid(f"role-assignment:{role}:{app}"),
        "Role": role,
        "RoleAssignee": object_id(ids, app),
        "RoleAssigneeName": object_id(ids, app),
        "RoleAssigneeType": "ServicePrincipal",
        "AssignmentMethod": "Direct",
        "Enabled": True,
        "RecipientReadScope": "Organization",
        "RecipientWriteScope": "CustomRecipientScope" if scope else "Organization",
        "CustomResourceScope": scope,
        "CustomRecipientWriteScope": None,
    }


def application_access_policies(ids: Ids) -> list[Json]:
    return [
        {
            "Identity": f"{ids.uuid('tenant')}\\{client_id(ids, 'scoped')}:S-1-5-21-1;{ids.uuid('access-policy')}",
            "AppId": client_id(ids, "scoped"),
            "ScopeName": "Quotes senders",
            "ScopeIdentity": f"quotes-senders@{ROOT}",
            "AccessRight": "RestrictAccess",
            "ShardType": "All",
            "IsValid": True,
            "Description": "Only the quotes mailbox",
        }
    ]
