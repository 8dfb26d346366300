"""Changes of what an app that signs in as itself may do over SMTP.

Lists of apps that were not read whole are not assumed: what they hold about other apps cannot be made up. The change
then leaves the question open, and a note says so.

https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
"""

from __future__ import annotations

from dataclasses import dataclass

from auditor.blockers.names import plain
from auditor.blockers.oauth_grant import SEND_AS_APP
from auditor.what_if.model import Change, Draft


@dataclass(frozen=True)
class App:
    """`app_id`: the application (client) id, lower case; `name`: the service principal's, else the id."""

    app_id: str
    name: str


def principal_ids(draft: Draft, app: App) -> list[str]:
    """Object ids of the app's service principals; one is made up where none is listed."""
    found = [key for key, one in draft.field("service_principals").items() if plain(one.get("appId")) == app.app_id]
    known = [plain(one.get("ObjectId")) for one in draft.field("exchange_service_principals")
             if plain(one.get("AppId")) == app.app_id]  # fmt: skip
    return found or [one for one in known if one][:1] or [f"what-if-principal-{app.app_id}"]


@dataclass(frozen=True)
class AppPermission(Change):
    """The application permission SMTP.SendAsApp is granted, with an administrator's consent."""

    app: App

    @property
    def key(self) -> tuple[str, ...]:
        return "app-permission", self.app.app_id

    @property
    def option(self) -> tuple[str, ...]:
        return "--app-permission", self.app.app_id

    @property
    def text(self) -> str:
        return f"app {self.app.name} holds the permission SMTP.SendAsApp"

    def apply(self, draft: Draft) -> None:
        draft.needs("servicePrincipals", "appRoleAssignments")
        permission = min(SEND_AS_APP)
        for principal in principal_ids(draft, self.app):
            if principal not in draft.field("service_principals"):
                made = {"id": principal, "appId": self.app.app_id, "displayName": self.app.name}
                draft.put("service_principals", principal, {**made, "accountEnabled": True})
            draft.append("app_role_assignments", {"principalId": principal, "appRoleId": permission})


@dataclass(frozen=True)
class AppRegistered(Change):
    """The app's service principal is registered in Exchange Online under its own object id (New-ServicePrincipal)."""

    app: App

    @property
    def key(self) -> tuple[str, ...]:
        return "app-registered", self.app.app_id

    @property
    def option(self) -> tuple[str, ...]:
        return "--app-registered", self.app.app_id

    @property
    def text(self) -> str:
        return f"app {self.app.name} is registered in Exchange Online"

    def apply(self, draft: Draft) -> None:
        draft.needs("exchangeServicePrincipals")
        draft.append(
            "exchange_service_principals",
            *({"AppId": self.app.app_id, "ObjectId": principal} for principal in principal_ids(draft, self.app)),
        )


@dataclass(frozen=True)
class AppFullAccess(Change):
    """The app's service principal holds FullAccess on one mailbox (Add-MailboxPermission)."""

    account_id: str
    account: str
    app: App

    @property
    def key(self) -> tuple[str, ...]:
        return "app-full-access", self.account_id, self.app.app_id

    @property
    def option(self) -> tuple[str, ...]:
        return "--app-full-access", f"{self.account}={self.app.app_id}"

    @property
    def text(self) -> str:
        return f"app {self.app.name} holds FullAccess on mailbox {self.account}"

    def apply(self, draft: Draft) -> None:
        draft.needs("mailboxPermissions", "exchangeServicePrincipals")
        right = {"Identity": self.account_id, "User": self.app.app_id, "AccessRights": ["FullAccess"], "Deny": False}
        draft.append("mailbox_permissions", right)


@dataclass(frozen=True)
class AppEnabled(Change):
    """The app's service principal in Microsoft Entra may sign in, or not."""

    app: App
    enabled: bool

    @property
    def key(self) -> tuple[str, ...]:
        return "app", self.app.app_id

    @property
    def option(self) -> tuple[str, ...]:
        return "--app", f"{self.app.app_id}={'enabled' if self.enabled else 'disabled'}"

    @property
    def text(self) -> str:
        return f"app {self.app.name} is {'enabled' if self.enabled else 'disabled'}"

    def apply(self, draft: Draft) -> None:
        draft.needs("servicePrincipals")
        for principal in principal_ids(draft, self.app):
            before = draft.field("service_principals").get(principal, {"id": principal, "appId": self.app.app_id})
            draft.put("service_principals", principal, {**before, "accountEnabled": self.enabled})
