"""Apps that may send mail as anyone in the tenant.

`Mail.Send` as an application permission reaches every mailbox unless an application access policy restricts the app.
Whether a scoped role of RBAC for Applications narrows a permission that was consented beside it is not verified here:
unknown. `SMTP.SendAsApp` alone reaches only mailboxes on which the app's service principal was given FullAccess; its
RBAC role without a scope reaches all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import auditor.findings.references as references
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import NAMED, make
from auditor.findings.severity import Doubt, Impact, Reach, severity
from auditor.verdict import Judgement

Json = Mapping[str, Any]

MAIL_SEND = "b633e1c5-b582-4048-a93e-9f11b44c7e96"
"""Mail.Send, application permission of Microsoft Graph"""
SCOPE_PROPERTIES = (
    "CustomResourceScope", "CustomRecipientWriteScope", "RecipientAdministrativeUnitScope", "RecipientGroupScope",
)  # fmt: skip
SENDING_ROLES = frozenset({"application mail.send", "application smtp.sendasapp"})
SCOPES = ("applicationAccessPolicies", "managementRoleAssignments")


def find(judgement: Judgement) -> Iterator[Finding]:
    tenant = judgement.tenant
    consented = _consented(judgement) if tenant.complete("servicePrincipals", "appRoleAssignments") else []
    read = tenant.complete(*SCOPES)
    if consented and not read:
        yield _scope_unread(judgement, consented)
    if read:
        for app in consented:
            yield from _consented_finding(judgement, app)
    if tenant.complete("managementRoleAssignments"):
        yield from _unscoped_roles(judgement, {_key(app) for app in consented} if read else set())


def _consented(judgement: Judgement) -> list[Json]:
    """Enabled service principals that hold Mail.Send as an application permission, by id."""
    holders = {
        str(grant.get("principalId", "")).lower()
        for grant in judgement.tenant.app_role_assignments
        if str(grant.get("appRoleId", "")).lower() == MAIL_SEND
    }
    apps = judgement.tenant.service_principals
    return [apps[key] for key in sorted(holders) if key in apps and apps[key].get("accountEnabled") is not False]


def _consented_finding(judgement: Judgement, app: Json) -> Iterator[Finding]:
    if _restricted(judgement, app):
        return
    scoped = [role for role in _roles(judgement, app) if _scope(role)]
    evidence = [
        Fact("appId", str(app.get("appId", "")), "servicePrincipals"),
        Fact("permission", "Mail.Send (application)", "appRoleAssignments"),
        Fact("applicationAccessPolicy", "none restricts it", "applicationAccessPolicies"),
    ]
    if scoped:
        evidence.append(Fact("scopedRole", ", ".join(sorted(map(_role, scoped))), "managementRoleAssignments"))
        yield make(
            RULE,
            judgement,
            outcome="unknown",
            severity=severity(Impact.ABUSE, Reach.TENANT, Doubt.UNKNOWN),
            title=f"App {_name(app)} holds Mail.Send for the whole tenant beside a scoped role",
            evidence=evidence,
            target=("app", _key(app), _name(app)),
            remedy=(
                "Whether the scoped role narrows the permission that was consented in Microsoft Entra is not verified. "
                "Withdraw the consented Mail.Send and leave only the scoped role."
            ),
        )
        return
    yield make(
        RULE,
        judgement,
        severity=severity(Impact.ABUSE, Reach.TENANT),
        title=f"App {_name(app)} may send as anyone in the tenant",
        evidence=evidence,
        target=("app", _key(app), _name(app)),
    )


def _unscoped_roles(judgement: Judgement, told: set[str]) -> Iterator[Finding]:
    """Apps that may send as anyone by an RBAC role without a scope."""
    for key, app in sorted(_known_apps(judgement).items()):
        wide = [role for role in _roles(judgement, app) if not _scope(role)]
        if not wide or key in told or app.get("accountEnabled") is False:
            continue
        yield make(
            RULE,
            judgement,
            severity=severity(Impact.ABUSE, Reach.TENANT),
            title=f"App {_name(app)} may send as anyone in the tenant",
            evidence=[
                Fact("appId", str(app.get("appId") or app.get("AppId") or ""), "servicePrincipals"),
                Fact("role", ", ".join(sorted(map(_role, wide))), "managementRoleAssignments"),
                Fact("scope", "none", "managementRoleAssignments"),
            ],
            target=("app", key, _name(app)),
        )


def _scope_unread(judgement: Judgement, apps: list[Json]) -> Finding:
    missing = [name for name in SCOPES if not judgement.tenant.complete(name)]
    names = sorted(map(_name, apps))
    return make(
        RULE,
        judgement,
        outcome="unknown",
        severity=severity(Impact.ABUSE, Reach.TENANT, Doubt.UNKNOWN),
        title=f"{len(apps)} app(s) hold Mail.Send for the tenant; whether they are restricted was not read",
        evidence=[
            Fact("apps", ", ".join(names[:NAMED]), "appRoleAssignments"),
            Fact("notRead", ", ".join(missing)),
        ],
        target=("dataset", SCOPES[0], SCOPES[0]),
    )


def _known_apps(judgement: Judgement) -> dict[str, Json]:
    apps: dict[str, Json] = {
        str(app.get("ObjectId", "")).lower(): app
        for app in judgement.tenant.exchange_service_principals
        if app.get("ObjectId")
    }
    return apps | {key: app for key, app in judgement.tenant.service_principals.items() if key}


def _roles(judgement: Judgement, app: Json) -> list[Json]:
    """The app's enabled sending roles of RBAC for Applications."""
    mine = {_key(app), str(app.get("appId") or app.get("AppId") or "").lower()} - {""}
    return [
        role
        for role in judgement.tenant.management_role_assignments
        if str(role.get("Role", "")).lower() in SENDING_ROLES
        and role.get("Enabled") is not False
        and mine & {str(role.get(name) or "").lower() for name in ("App", "RoleAssignee", "RoleAssigneeName")}
    ]


def _scope(role: Json) -> str:
    return next((str(role[name]) for name in SCOPE_PROPERTIES if role.get(name)), "")


def _restricted(judgement: Judgement, app: Json) -> bool:
    """An application access policy limits the app to some mailboxes; a denying one only takes some away."""
    mine = str(app.get("appId", "")).lower()
    return any(
        str(policy.get("AppId", "")).lower() == mine and str(policy.get("AccessRight", "")).lower() == "restrictaccess"
        for policy in judgement.tenant.application_access_policies
    )


def _role(role: Json) -> str:
    scope = _scope(role)
    return f"{role.get('Role')}" + (f" ({scope})" if scope else "")


def _key(app: Json) -> str:
    return str(app.get("id") or app.get("ObjectId") or "").lower()


def _name(app: Json) -> str:
    return str(app.get("displayName") or app.get("DisplayName") or app.get("appId") or "without a name")


RULE = Rule(
    id="app-may-send-as-anyone",
    title="An app may send as anyone in the tenant",
    datasets=(
        "servicePrincipals", "appRoleAssignments", "applicationAccessPolicies", "managementRoleAssignments",
        "exchangeServicePrincipals",
    ),
    remedy=(
        "Scope the app to the mailboxes that it needs: a management role assignment of RBAC for Applications with a "
        "management scope, and withdraw the permission that was consented for the whole tenant."
    ),
    remedy_risk="A scope that misses a mailbox stops the app there; list the mailboxes that it sends from first.",
    references=(references.OAUTH, references.APPLICATION_ACCESS_POLICY),
    controls=(),
    find=find,
)  # fmt: skip
