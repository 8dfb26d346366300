"""The apps that the tenant's senders sign in with, each with a secret of its own, and what probing a sender needs.

Nothing here is stored with the tenant: it follows from the tenant's service principals, grants and declared senders.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.demo.entra.tokens import Authority
from auditor.demo.model import DemoApp, DemoTenant
from auditor.demo.smtp.mailboxes import user_named

EXCHANGE_ONLINE = "00000002-0000-0ff1-ce00-000000000000"
NO_SUCH_PASSWORD = "demo-nobody-has-this-one"

Record = Mapping[str, Any]


def sender_apps(tenant: DemoTenant) -> list[DemoApp]:
    """The registered apps that a declared sender names."""
    wanted = {str(sender["oauth_app_id"]).lower() for sender in tenant.senders if sender.get("oauth_app_id")}
    principals = [row for row in tenant.graph.get("servicePrincipals", ()) if str(row["appId"]).lower() in wanted]
    return [_app(tenant, principal) for principal in principals]


def _app(tenant: DemoTenant, principal: Record) -> DemoApp:
    secret = hmac.new(tenant.app.secret.encode(), str(principal["appId"]).encode(), hashlib.sha256).hexdigest()
    return DemoApp(
        client_id=str(principal["appId"]),
        object_id=str(principal["id"]),
        secret=f"demo-{secret[:40]}",
        graph_roles=set(),
        exchange_roles=_exchange_roles(tenant, str(principal["id"])),
        disabled=not principal.get("accountEnabled"),
    )


def _exchange_roles(tenant: DemoTenant, object_id: str) -> set[str]:
    """The application permissions on Exchange Online, by name. Two ids of SMTP.SendAsApp are in use; one that the
    resource does not list is the other."""
    principals = tenant.graph.get("servicePrincipals", ())
    resource = next((row for row in principals if row["appId"] == EXCHANGE_ONLINE), None)
    if resource is None:
        return set()
    names = {role["id"]: role["value"] for role in resource["appRoles"]}
    return {
        names.get(row["appRoleId"], "SMTP.SendAsApp")
        for row in tenant.graph.get("appRoleAssignments", ())
        if row["principalId"] == object_id and row["resourceId"] == resource["id"]
    }


@dataclass(frozen=True, slots=True)
class Credential:
    """What a probe of one sender needs: the config's `key` names the environment `variable` that holds `value`."""

    sender: str
    key: str
    variable: str
    value: str


def credentials(tenant: DemoTenant, tokens: Authority, audience: str) -> list[Credential]:
    """One for each sender that signs in: a password, an app password where the tenant has one, the app's secret, or for
    a delegated sender a token as its person would get one, good for an hour. None where no app is declared."""
    apps = {app.client_id.lower(): app for app in sender_apps(tenant)}
    found = []
    for sender in tenant.senders:
        key, value = _credential(tenant, tokens, audience, sender, apps)
        if value:
            found.append(Credential(sender["name"], key, f"AUDITOR_SENDER_{_variable(sender['name'])}", value))
    return found


def _credential(
    tenant: DemoTenant, tokens: Authority, audience: str, sender: Record, apps: Mapping[str, DemoApp]
) -> tuple[str, str]:
    if sender.get("route") in ("relay", "direct-send", "graph"):
        return "", ""
    user = user_named(tenant, str(sender["account"]))
    app = apps.get(str(sender.get("oauth_app_id", "")).lower())
    if sender.get("auth") != "oauth":
        user_id = user["id"] if user else ""
        return "password_env", tenant.app_passwords.get(user_id) or tenant.passwords.get(user_id) or NO_SUCH_PASSWORD
    if app is None or user is None:
        return "", ""
    if sender.get("oauth_flow") == "delegated":
        return "oauth_token_env", _delegated(tokens, audience, app, user)
    return "oauth_secret_env", app.secret


def _delegated(tokens: Authority, audience: str, app: DemoApp, user: Record) -> str:
    claims = {"scp": "SMTP.Send", "idtyp": "user", "upn": user["userPrincipalName"], "sub": user["id"]}
    return tokens.issue(audience, app.client_id, user["id"], (), claims=claims)


def _variable(name: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in name).upper()
