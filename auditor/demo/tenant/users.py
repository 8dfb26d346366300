"""Accounts written out as Graph users, with their registration rows, methods and per-user MFA states."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from auditor.demo.rows import Rows
from auditor.demo.tenant.account import INITIAL, Account
from auditor.demo.tenant.crowd import Accounts
from auditor.demo.tenant.ids import Clock, Ids
from auditor.demo.tenant.licences import Licensing

Json = dict[str, Any]


def graph_users(
    accounts: Accounts, licensing: Licensing, clock: Clock, ids: Ids, *, with_mfa: bool
) -> Rows[Account, Json]:
    """`users`. `with_mfa`: each carries its per-user MFA state, which is served only where it is selected."""

    def row(account: Account) -> Json:
        user = graph_user(account, licensing, clock, ids)
        return user | {"perUserMfaState": account.mfa} if with_mfa else user

    return Rows(accounts, row, accounts.lookup)


def graph_user(account: Account, licensing: Licensing, clock: Clock, ids: Ids) -> Json:
    """The full user object, as Graph's v1.0 holds it (learn.microsoft.com/graph/api/resources/user)."""
    assigned, plans, states = licensing.lists(account.licences, account.old_plans)
    given, _, surname = account.name.partition(" ")
    local = account.upn.partition("@")[0]
    created = clock.ago(account.created_days)
    return {
        "id": account.id,
        "deletedDateTime": None,
        "accountEnabled": account.enabled,
        "assignedLicenses": assigned,
        "assignedPlans": plans,
        "businessPhones": [],
        "city": None,
        "companyName": None,
        "country": "Switzerland",
        "createdDateTime": created,
        "creationType": account.creation_type,
        "department": account.department or None,
        "displayName": account.name,
        "employeeId": None,
        "externalUserState": account.external_state,
        "externalUserStateChangeDateTime": created if account.external_state else None,
        "givenName": given,
        "isResourceAccount": account.resource or None,
        "jobTitle": None,
        "lastPasswordChangeDateTime": _password_changed(account, clock),
        "licenseAssignmentStates": states,
        "mail": account.address,
        "mailNickname": local,
        "mobilePhone": None,
        "officeLocation": None,
        "onPremisesImmutableId": ids.hex(f"immutable:{account.key}", 22) + "==" if account.synced else None,
        "onPremisesLastSyncDateTime": clock.recent(0.02) if account.synced else None,
        "onPremisesSyncEnabled": True if account.synced else None,
        "passwordPolicies": _password_policies(account),
        "preferredLanguage": None,
        "proxyAddresses": proxy_addresses(account),
        "showInAddressList": None,
        "surname": surname or None,
        "usageLocation": "CH" if account.licences else None,
        "userPrincipalName": account.upn,
        "userType": account.user_type,
    }


def _password_changed(account: Account, clock: Clock) -> str | None:
    if account.password_days is None:
        return None
    return clock.recent(account.password_days) if account.rotates else clock.ago(account.password_days)


def _password_policies(account: Account) -> str | None:
    return "DisablePasswordExpiration" if account.never_expires else None


def proxy_addresses(account: Account) -> list[str]:
    """`SMTP:` is the primary address; every mailbox also has one in the tenant's initial domain."""
    if account.address is None:
        return []
    addresses = [f"SMTP:{account.address}", *(f"smtp:{alias}" for alias in account.aliases)]
    if account.mailbox:
        addresses.append(f"smtp:{account.upn.partition('@')[0]}@{INITIAL}")
    return addresses


def registration_details(accounts: Accounts, admins: set[str], clock: Clock) -> Sequence[Json]:
    """userRegistrationDetails: no row for some accounts (methods None)."""
    listed = accounts.where(lambda account: account.methods is not None)
    return Rows(listed, partial(_registration, admins=admins, updated=clock.recent(0.4)))


def _registration(account: Account, *, admins: set[str], updated: str) -> Json:
    methods = list(account.methods or ())
    strong = bool(methods) and methods != ["email"]
    preferred = {"microsoftAuthenticatorPush": "push", "mobilePhone": "sms"}.get(methods[0], "") if methods else ""
    return {
        "id": account.id,
        "userPrincipalName": account.upn,
        "userDisplayName": account.name,
        "userType": "guest" if account.user_type == "Guest" else "member",
        "isAdmin": account.id in admins,
        "isSsprRegistered": strong,
        "isSsprEnabled": account.user_type != "Guest",
        "isSsprCapable": strong,
        "isMfaRegistered": strong,
        "isMfaCapable": strong,
        "isPasswordlessCapable": "fido2SecurityKey" in methods,
        "methodsRegistered": methods,
        "isSystemPreferredAuthenticationMethodEnabled": True,
        "systemPreferredAuthenticationMethods": ["PhoneAppNotification"] if "push" in preferred else [],
        "userPreferredMethodForSecondaryAuthentication": preferred,
        "lastUpdatedDateTime": updated,
    }


_METHOD_TYPES: dict[str, tuple[str, Json]] = {
    "microsoftAuthenticatorPush": ("microsoftAuthenticatorAuthenticationMethod",
                                   {"displayName": "Phone", "deviceTag": "SoftwareTokenActivated",
                                    "phoneAppVersion": "6.2411.7713"}),
    "softwareOneTimePasscode": ("softwareOathAuthenticationMethod", {"secretKey": None}),
    "mobilePhone": ("phoneAuthenticationMethod", {"phoneNumber": "+41 555550100", "phoneType": "mobile",
                                                  "smsSignInState": "notAllowedByPolicy"}),
    "fido2SecurityKey": ("fido2AuthenticationMethod", {"displayName": "Security key", "model": "Demo key",
                                                       "attestationLevel": "attested"}),
}  # fmt: skip


def authentication_methods(account: Account, clock: Clock, ids: Ids) -> list[Json]:
    """What users/{id}/authentication/methods answers: everybody has a password, the rest as registered."""
    password: Json = {
        "@odata.type": "#microsoft.graph.passwordAuthenticationMethod",
        "id": "28c10230-6103-485e-b985-444c60001490",
        "password": None,
        "createdDateTime": _password_changed(account, clock),
    }
    rows = [password]
    for method in account.methods or ():
        kind, properties = _METHOD_TYPES[method]
        rows.append(
            {"@odata.type": f"#microsoft.graph.{kind}", "id": ids.uuid(f"method:{account.key}:{method}"), **properties}
        )
    return rows


def password(account: Account, ids: Ids) -> str:
    return f"Demo-{ids.hex(f'password:{account.key}', 14)}!"
