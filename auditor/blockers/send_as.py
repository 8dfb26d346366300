"""May the login send from the declared From address?

Exchange Online takes any address of the signed-in mailbox, and any address for which the login holds Send As, directly
or through a group. An alias is rewritten to the primary address unless the organisation allows sending from aliases
(`SendFromAliasEnabled`). An app that signs in as itself needs Send As for its own service principal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.blockers.base import Blocker, Cases
from auditor.blockers.columns import for_senders, unread
from auditor.blockers.names import SELF, App, Means, Names, plain, rights
from auditor.config import Sender
from auditor.states import Column, Reason, State
from auditor.tenant import NO, YES, Tenant

QUESTION = "Whether the sender may use its From address"
REPLY = "send-as-denied"
PERMISSIONS = ("recipientPermissions",)


def judge(tenant: Tenant, cases: Cases) -> Column:
    names = Names(tenant)
    return for_senders(cases, lambda row, sender: _sender(names, row, sender))


def _sender(names: Names, row: int, sender: Sender) -> Reason:
    tenant = names.tenant
    wanted = sender.from_.strip().lower()
    if not wanted:
        return Reason(State.CLEAR, "No From address is declared, so the mailbox's own is taken to be used.")
    if not tenant.complete("users"):
        return unread(tenant, QUESTION, "users")
    addresses = tenant.accounts.addresses[row]
    if addresses and wanted == addresses[0]:
        facts = (("from", wanted), ("primary address", addresses[0]))
        return Reason(State.CLEAR, "The From address is the account's primary address.", facts, ("users",))
    if wanted in addresses:
        return _alias(tenant, wanted, addresses[0])
    return _foreign(names, row, sender, wanted)


def _alias(tenant: Tenant, wanted: str, primary: str) -> Reason:
    used = ("users", "organizationConfig")
    facts = (("from", wanted), ("primary address", primary))
    allowed = tenant.send_from_alias if tenant.complete("organizationConfig") else -1
    if allowed == YES:
        text = "The From address is an alias of the account, and the organisation keeps aliases."
        return Reason(State.CLEAR, text, (*facts, ("SendFromAliasEnabled", "True")), used)
    if allowed == NO:
        text = "The From address is an alias of the account; Exchange Online rewrites it to the primary address."
        return Reason(State.CONDITIONAL, text, (*facts, ("SendFromAliasEnabled", "False")), used)
    return unread(tenant, "Whether the organisation keeps an alias as From address", "organizationConfig")


def _foreign(names: Names, row: int, sender: Sender, wanted: str) -> Reason:
    """Not one of the account's addresses, as far as they were read."""
    tenant = names.tenant
    facts = (("from", wanted),)
    if not tenant.complete(*PERMISSIONS):
        return unread(tenant, QUESTION, *PERMISSIONS)
    granted = _granted(names, row, sender, wanted)
    if granted == Means.YES:
        text = "The From address belongs to somebody else, and the login holds Send As for it."
        return Reason(State.CLEAR, text, (*facts, ("AccessRights", "SendAs")), PERMISSIONS)
    if row in tenant.accounts.addresses_unread or _is_bare_upn(tenant, row, wanted):
        text = f"{QUESTION} is not known: the account's addresses were not read whole."
        return Reason(State.UNKNOWN, text, facts, ("users",))
    if granted == Means.PERHAPS:
        text = f"{QUESTION} is not known: a Send As permission names somebody who could not be told."
        return Reason(State.UNKNOWN, text, facts, (*PERMISSIONS, "groups", "groupMembers"))
    text = "The From address is none of the account's addresses, and the login holds no Send As for it."
    return Reason(State.BLOCKS, text, facts, ("users", *PERMISSIONS), REPLY)


def _is_bare_upn(tenant: Tenant, row: int, wanted: str) -> bool:
    """From is the UPN of an account without any address: Exchange may have given it that address since."""
    return not tenant.accounts.addresses[row] and wanted == tenant.accounts.user_principal_name[row].lower()


def _granted(names: Names, row: int, sender: Sender, wanted: str) -> Means:
    """Does the login hold Send As for the address? A permission to somebody else's or an unknown name leaves it open;
    an explicit denial wins."""
    app = App(names, sender.oauth_app_id) if sender.auth == "oauth" and sender.oauth_flow == "app-only" else None
    allowed, denied = Means.NO, Means.NO
    for permission in names.tenant.recipient_permissions:
        if "sendas" not in rights(permission.get("AccessRights")):
            continue
        answer = _permission(names, row, app, permission, wanted)
        kind = plain(permission.get("AccessControlType"))
        if kind == "deny":
            denied = max(denied, answer)
        else:
            allowed = max(allowed, answer if kind in ("", "allow") else min(answer, Means.PERHAPS))
    return min(allowed, Means(Means.YES - denied))


def _permission(names: Names, row: int, app: App | None, permission: Mapping[str, Any], wanted: str) -> Means:
    trustee = plain(permission.get("Trustee"))
    if trustee in SELF:
        return Means.NO
    mailbox = names.address(plain(permission.get("Identity")), wanted)
    if mailbox == Means.NO:
        return Means.NO
    if app is None:
        return min(mailbox, names.holder(trustee, row))
    own = app.means(trustee) if app.app_id else Means.PERHAPS
    # whether the account's own Send As serves an app that signs in as itself is not documented
    return min(mailbox, own if own == Means.YES else min(Means.PERHAPS, max(own, names.holder(trustee, row))))


BLOCKER = Blocker(
    id="send-as",
    title="The login may not use the From address",
    channels=frozenset({"basic", "oauth"}),
    senders_only=True,
    datasets=(
        "users",
        "recipientPermissions",
        "organizationConfig",
        "groups",
        "groupMembers",
        "servicePrincipals",
        "exchangeServicePrincipals",
    ),
    source=(
        "https://learn.microsoft.com/exchange/mail-flow-best-practices/fix-issues-with-printers-scanners-and-lob-applications-that-send-email-using-off",
        "https://learn.microsoft.com/powershell/module/exchangepowershell/set-organizationconfig",
    ),
    remedy="Use an address of the account itself as From, or grant the login Send As for exactly that mailbox.",
    remedy_risk="Send As lets whoever holds the login write in the other mailbox's name; grant it on one mailbox, "
    "never on all.",
    judge=judge,
)
