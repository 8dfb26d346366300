"""What an administrator does for each kind of change, what it costs, and how heavily that weighs.

Weights: 0 a client's setting, 1 to 4 one account, 5 and 6 protection taken from one account, 20 the whole tenant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from auditor.plan.model import Step
from auditor.what_if.apps import AppEnabled, AppFullAccess, AppPermission, AppRegistered
from auditor.what_if.conditional_access import Exclusion
from auditor.what_if.directory import MailboxLicence, PasswordChanged, PerUserMfa, SignInEnabled
from auditor.what_if.exchange import (
    AssignedAuthenticationPolicy,
    AuthenticationPolicySmtp,
    DefaultAuthenticationPolicy,
    MailboxSwitch,
    OrganisationSwitch,
    SendAsGranted,
)
from auditor.what_if.model import Change
from auditor.what_if.sender import SenderSetting

WHOLE_TENANT = 20


@dataclass(frozen=True)
class About:
    """Of one kind of change. `how` takes the change."""

    weight: int
    how: Callable[[Any], str]
    cost: Callable[[Any], str]


def quoted(name: str) -> str:
    """A name as PowerShell takes it literally."""
    return "'" + name.replace("'", "''") + "'"


def _exclusion_cost(change: Exclusion) -> str:
    if change.kind == "app":
        return "Somebody blocked this app by a policy: ask why before it is excluded."
    return (
        "The account is then protected by its password alone as far as this policy goes; bind it to its place by a "
        "policy of its own."
    )


def _exclusion_how(change: Exclusion) -> str:
    where = "Workload identities" if change.kind == "app" else "Users"
    return (
        f"Microsoft Entra admin center > Conditional Access > {change.policy.name} > {where} > Exclude: {change.label}."
    )


def _setting_cost(change: SenderSetting) -> str:
    if change.setting == "egress_ips":
        return "None in security: the client has to send from that address only, or the others stay refused."
    if change.setting == "oauth_flow":
        return "The app signs in as itself: its secret or certificate is the key to the mailbox, so keep it safe."
    if change.setting in ("messages_per_minute", "connections"):
        return "None in security: mail goes out more slowly, and is not delayed by Exchange Online."
    if change.setting == "from":
        return "None in security: mail shows the mailbox's own address."
    return "None in security; a client that cannot be set so has to be replaced or sent through a relay connector."


ABOUT: dict[type[Change], About] = {
    SenderSetting: About(
        0, lambda change: f"At the client of {change.name}: {change.setting} = {change.value or 'its own'}.",
        _setting_cost,
    ),
    AppRegistered: About(
        1, lambda change: f"New-ServicePrincipal -AppId {change.app.app_id} -ObjectId (that of the enterprise app)",
        lambda _: "None by itself: Exchange learns that the app exists.",
    ),
    AppEnabled: About(
        1, lambda change: f"Microsoft Entra admin center > Enterprise applications > {change.app.name}: enable.",
        lambda _: "Somebody switched the app off: ask why first.",
    ),
    AppFullAccess: About(
        2, lambda change: f"Add-MailboxPermission {quoted(change.account)} -User (the app) -AccessRights FullAccess",
        lambda _: "The app can read and send as this one mailbox; its secret or certificate is the key to it.",
    ),
    AppPermission: About(
        2, lambda change: f"Grant app {change.app.name} the application permission SMTP.SendAsApp, with admin consent.",
        lambda _: "The permission counts for every mailbox on which the app holds FullAccess: grant that singly.",
    ),
    PasswordChanged: About(
        1, lambda change: f"Set a new long random password for {change.account} and store it with the device.",
        lambda _: "It must reach every device that holds the old one, or repeated failures lock the account.",
    ),
    MailboxLicence: About(
        2, lambda change: f"Assign a licence with an Exchange mailbox plan to {change.account}.",
        lambda _: "A licence costs money, and its mailbox is one more to protect and to watch.",
    ),
    SendAsGranted: About(
        2, lambda change: f"Add-RecipientPermission {quoted(change.address)} -Trustee {quoted(change.label)} "
        "-AccessRights SendAs",
        lambda change: f"Whoever holds {change.label} can write in the name of {change.address}.",
    ),
    MailboxSwitch: About(
        3, lambda change: f"Set-CASMailbox {quoted(change.account)} -SmtpClientAuthenticationDisabled $false",
        lambda _: "The mailbox takes passwords over SMTP wherever no authentication policy or Conditional Access "
        "narrows that.",
    ),
    AuthenticationPolicySmtp: About(
        1, lambda change: f"New-AuthenticationPolicy -Name {quoted(change.name)} -AllowBasicAuthSmtp",
        lambda _: "None until an account is given the policy.",
    ),
    AssignedAuthenticationPolicy: About(
        4, lambda change: f"Set-User {quoted(change.account)} -AuthenticationPolicy {quoted(change.name)} (takes up to "
        "24 hours)",
        lambda _: "Passwords of this account can be guessed over SMTP again: nothing else refuses before the password "
        "is checked.",
    ),
    Exclusion: About(5, _exclusion_how, _exclusion_cost),
    SignInEnabled: About(
        5, lambda change: f"Enable the sign-in of {change.account}, after asking who switched it off and why.",
        lambda _: "Warning: the account can be attacked by its password again. A shared mailbox is not meant to sign "
        "in, and a leaver's account must stay off.",
    ),
    PerUserMfa: About(
        6, lambda change: f"Set per-user MFA of {change.account} to disabled, after a Conditional Access policy took "
        "its place.",
        lambda _: "Without a policy in its place the password alone opens every sign-in of the account, not only SMTP.",
    ),
    OrganisationSwitch: About(
        WHOLE_TENANT, lambda _: "Set-TransportConfig -SmtpClientAuthenticationDisabled $false",
        lambda _: "Every mailbox without a setting of its own opens, not only this one: prefer the mailbox's switch.",
    ),
    DefaultAuthenticationPolicy: About(
        WHOLE_TENANT, lambda change: f"Set-OrganizationConfig -DefaultAuthenticationPolicy {quoted(change.name)}",
        lambda _: "Every account without a policy of its own may use basic SMTP: prefer a policy for this account.",
    ),
}  # fmt: skip


def step(change: Change) -> Step:
    about = ABOUT[type(change)]
    return Step(change, about.how(change), about.cost(change), about.weight)
