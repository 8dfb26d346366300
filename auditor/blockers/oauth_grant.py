"""Is the sender's app allowed to send as the mailbox over SMTP by OAuth?

An app that signs in as itself (app-only) needs all of these: the application permission SMTP.SendAsApp (or the Exchange
role "Application SMTP.SendAsApp"), its service principal registered in Exchange under its own object id, and FullAccess
on the mailbox; and no Conditional Access policy for workload identities may stop it. An app that a person signed in to
(delegated) needs an account that may sign in, and meets the policies for modern clients.
"""

from __future__ import annotations

import numpy as np

from auditor.access.conditions import MODERN
from auditor.access.engine import reach
from auditor.access.locations import place_of
from auditor.access.model import Demand, Match
from auditor.access.workload import judge_app
from auditor.blockers.base import Blocker, Cases
from auditor.blockers.columns import for_senders, unread
from auditor.blockers.names import App, Means, Names, plain, rights
from auditor.config import Sender
from auditor.states import Column, Reason, State
from auditor.tenant import NO, YES, Tenant

SEND_AS_APP = frozenset({"7146a1f0-8703-45b3-9eae-527a64c00995", "ce81e10f-fda1-4348-8947-f7fdb6c649ad"})
"""Ids of the application permission SMTP.SendAsApp; both are in use."""
ROLE = "application smtp.sendasapp"
REPLY = "oauth-unsuccessful"
WHOLE = frozenset({"", "none", "organization", "notapplicable"})
"""Scopes that narrow nothing."""
SCOPES = (
    "RecipientWriteScope", "CustomRecipientWriteScope", "CustomResourceScope", "RecipientAdministrativeUnitScope",
    "RecipientGroupScope",
)  # fmt: skip

UNDECLARED = Reason(State.UNKNOWN, "No OAuth app is declared for the sender (oauth_app_id), so none can be judged.")


def judge(tenant: Tenant, cases: Cases) -> Column:
    names = Names(tenant)
    return for_senders(cases, lambda row, sender: _sender(names, row, sender))


def _sender(names: Names, row: int, sender: Sender) -> Reason:
    if not sender.oauth_app_id.strip():
        return UNDECLARED
    app = App(names, sender.oauth_app_id)
    chain = [_enabled(names.tenant, app)]
    if sender.oauth_flow == "delegated":
        chain += [_account(names.tenant, row), _consented(names.tenant, row, app), _modern(names.tenant, row, sender)]
    else:
        permission, by_role = _permission(names.tenant, app)
        chain += [permission, _registered(names.tenant, app), _full_access(names, row, app, by_role=by_role)]
        chain.append(_workload(names.tenant, app, sender))
    return _strongest(chain)


def _strongest(chain: list[Reason]) -> Reason:
    """The first of the strongest links; a chain without a weak one says so whole."""
    worst = max(chain, key=lambda reason: reason.state)
    if worst.state != State.CLEAR:
        return worst
    facts = tuple(fact for reason in chain for fact in reason.facts)
    datasets = tuple(dict.fromkeys(name for reason in chain for name in reason.datasets))
    return Reason(
        State.CLEAR, "The app holds everything that it needs to send as the mailbox by OAuth.", facts, datasets
    )


def _enabled(tenant: Tenant, app: App) -> Reason:
    """The list holds the apps that may send mail by Entra permissions; an app that Exchange's role alone allows is not
    in it."""
    used = ("servicePrincipals",)
    if not tenant.complete(*used):
        return unread(tenant, "Whether the app is enabled", *used)
    if any(principal.get("accountEnabled") is False for principal in app.principals):
        facts = (("servicePrincipal accountEnabled", "false"),)
        return Reason(State.BLOCKS, "The app's service principal is switched off.", facts, used, REPLY)
    if any(principal.get("accountEnabled") is not True for principal in app.principals):
        text = "Whether the app is enabled is not known: accountEnabled of its service principal was not read."
        return Reason(State.UNKNOWN, text, (), used)
    return Reason(State.CLEAR, "The app's service principal is not switched off.", (), used)


def _account(tenant: Tenant, row: int) -> Reason:
    used = ("users",)
    enabled = tenant.accounts.enabled[row] if tenant.complete(*used) else -1
    if enabled == NO:
        text = "The account's sign-in is switched off, so nobody can sign in to the app as it."
        return Reason(State.BLOCKS, text, (("accountEnabled", "false"),), used)
    if enabled == YES:
        return Reason(State.CLEAR, "The account may sign in.", (("accountEnabled", "true"),), used)
    return unread(tenant, "Whether sign-in of the account is enabled", *used)


def _consented(tenant: Tenant, row: int, app: App) -> Reason:
    """A missing consent may still be given at sign-in, so it leaves the question open and never blocks."""
    used = ("servicePrincipals", "oauth2PermissionGrants")
    if not tenant.complete(*used):
        return unread(tenant, "Whether the app was granted SMTP.Send", *used)
    ids = {plain(principal.get("id")) for principal in app.principals}
    for grant in tenant.oauth2_permission_grants:
        personal = plain(grant.get("consentType")) != "allprincipals"
        if personal and plain(grant.get("principalId")) != tenant.accounts.id[row]:
            continue
        if plain(grant.get("clientId")) in ids and "smtp.send" in plain(grant.get("scope")).split():
            return Reason(State.CLEAR, "The app was granted SMTP.Send.", (("scope", "SMTP.Send"),), used)
    text = "No consent to SMTP.Send was seen for the app; whether it is given at sign-in is not known."
    return Reason(State.UNKNOWN, text, (), used)


def _modern(tenant: Tenant, row: int, sender: Sender) -> Reason:
    """Policies that reach the account's modern clients: a person must meet their controls at sign-in."""
    used = ("conditionalAccessPolicies",)
    if not tenant.complete(*used):
        return unread(tenant, "Which policies a sign-in to the app meets", *used)
    certain, doubtful = [], []
    datasets = dict.fromkeys(used)
    alone = np.array([row], dtype=np.int32)
    policies = reach(tenant, egress_ips=sender.egress_ips, client=MODERN, only=alone).policies
    for policy in sorted(policies, key=lambda policy: (policy.name, policy.id)):
        match = policy.match[0]
        if policy.grant.demand == Demand.NOTHING or match == Match.MISSES:
            continue
        if match == Match.UNKNOWN or policy.grant.demand == Demand.UNKNOWN:
            doubtful.append(policy.name)
            datasets.update(dict.fromkeys((*policy.outcome(0).datasets, *policy.grant.datasets)))
        else:
            certain.append(policy.name)
    if certain:
        text = f"A person must meet Conditional Access policy '{certain[0]}' when signing in to the app."
        return Reason(State.CONDITIONAL, text, tuple(("policy", name) for name in certain), used)
    if doubtful:
        text = f"Whether Conditional Access policy '{doubtful[0]}' stops a sign-in to the app is not known."
        return Reason(State.UNKNOWN, text, tuple(("policy", name) for name in doubtful), tuple(datasets))
    return Reason(State.CLEAR, "No Conditional Access policy reaches a sign-in to the app.", (), used)


def _permission(tenant: Tenant, app: App) -> tuple[Reason, bool]:
    """(is the app permitted, and only by Exchange's role)."""
    granted, role = _granted(tenant, app), _role(tenant, app)
    if granted.state == State.CLEAR:
        return granted, False
    if role.state == State.CLEAR:
        return role, True
    unsure = [reason for reason in (granted, role) if reason.state == State.UNKNOWN]
    return (unsure or [granted])[0], role.state == State.UNKNOWN


def _granted(tenant: Tenant, app: App) -> Reason:
    used = ("servicePrincipals", "appRoleAssignments")
    if not tenant.complete(*used):
        return unread(tenant, "Whether the app holds SMTP.SendAsApp", *used)
    ids = {plain(principal.get("id")) for principal in app.principals}
    for assignment in tenant.app_role_assignments:
        if plain(assignment.get("principalId")) in ids and plain(assignment.get("appRoleId")) in SEND_AS_APP:
            return Reason(State.CLEAR, "The app holds SMTP.SendAsApp.", (("appRole", "SMTP.SendAsApp"),), used)
    text = "The app holds neither the permission SMTP.SendAsApp nor the Exchange role of that name."
    return Reason(State.BLOCKS, text, (("appRole", "none"),), (*used, "managementRoleAssignments"), REPLY)


def _role(tenant: Tenant, app: App) -> Reason:
    """RBAC for Applications. Which mailboxes a narrower scope holds is not computed: unknown."""
    used = ("managementRoleAssignments",)
    if not tenant.complete(*used, "exchangeServicePrincipals"):
        return unread(tenant, "Whether the app holds the Exchange role", *used, "exchangeServicePrincipals")
    best = Reason(State.BLOCKS, "The app holds no Exchange role that lets it send by SMTP.", (), used, REPLY)
    for assignment in tenant.management_role_assignments:
        if plain(assignment.get("Role")) != ROLE or plain(assignment.get("Enabled")) == "false":
            continue
        assignees = {plain(assignment.get(key)) for key in ("App", "RoleAssignee", "RoleAssigneeName")} - {""}
        means = max((app.means(assignee) for assignee in assignees), default=Means.PERHAPS)
        if means == Means.NO:
            continue
        narrowed = [plain(assignment.get(key)) for key in SCOPES if plain(assignment.get(key)) not in WHOLE]
        facts = (("Role", "Application SMTP.SendAsApp"), ("scope", narrowed[-1] if narrowed else "Organization"))
        if means == Means.YES and not narrowed:
            return Reason(State.CLEAR, "The app holds the Exchange role Application SMTP.SendAsApp.", facts, used)
        text = "The app holds the Exchange role within a scope; whether the mailbox is in it is not known."
        if means != Means.YES:
            text = "Whether the Exchange role is the app's is not known: it names somebody who could not be told."
        best = Reason(State.UNKNOWN, text, facts, (*used, "managementScopes"))
    return best


def _registered(tenant: Tenant, app: App) -> Reason:
    used = ("exchangeServicePrincipals",)
    if not tenant.complete(*used):
        return unread(tenant, "Whether the app is registered in Exchange", *used)
    if not app.in_exchange:
        text = "The app's service principal is not registered in Exchange (New-ServicePrincipal)."
        return Reason(State.BLOCKS, text, (("AppId", "not listed"),), used, REPLY)
    ids = {plain(principal.get("id")) for principal in app.principals} - {""}
    objects = {plain(principal.get("ObjectId")) for principal in app.in_exchange}
    if ids and not ids & objects:
        if objects == {""}:
            text = "Whether the app is registered in Exchange under its own object id was not read."
            return Reason(State.UNKNOWN, text, (), used)
        text = "Exchange knows the app under another object id than its service principal's."
        facts = (("ObjectId", ", ".join(sorted(objects))), ("service principal", ", ".join(sorted(ids))))
        return Reason(State.BLOCKS, text, facts, (*used, "servicePrincipals"), REPLY)
    return Reason(State.CLEAR, "The app is registered in Exchange.", (("AppId", app.app_id),), used)


def _full_access(names: Names, row: int, app: App, *, by_role: bool) -> Reason:
    """`by_role`: the app is (or may be) permitted by Exchange's role alone; whether it then needs FullAccess too is not
    documented, so its absence leaves that open."""
    tenant = names.tenant
    used = ("mailboxPermissions",)
    if not tenant.complete(*used, "exchangeServicePrincipals"):
        return unread(tenant, "Whether the app holds FullAccess on the mailbox", *used, "exchangeServicePrincipals")
    allowed, denied = Means.NO, Means.NO
    for permission in tenant.mailbox_permissions:
        if "fullaccess" not in rights(permission.get("AccessRights")):
            continue
        mailbox = names.account(plain(permission.get("Identity")), row)
        if mailbox == Means.NO:
            continue
        answer = min(mailbox, app.means(plain(permission.get("User"))))
        if plain(permission.get("Deny")) == "true":
            denied = max(denied, answer)
        else:
            allowed = max(allowed, answer)
    held = min(allowed, Means(Means.YES - denied))
    facts = (("FullAccess", held.name.lower()),)
    if held == Means.YES:
        return Reason(State.CLEAR, "The app holds FullAccess on the mailbox.", facts, used)
    if held == Means.PERHAPS:
        text = "Whether the app holds FullAccess is not known: a permission names somebody who could not be told."
        return Reason(State.UNKNOWN, text, facts, used)
    asked_for = tenant.status["mailboxPermissions"].asked_for
    if asked_for is not None and all(names.account(mailbox, row) != Means.YES for mailbox in asked_for):
        text = "The permissions on this mailbox were not read: it was no declared sender's when Exchange was read."
        return Reason(State.UNKNOWN, text, (), used)
    if by_role:
        text = "The app holds the Exchange role but no FullAccess; whether the role alone is enough is not documented."
        return Reason(State.UNKNOWN, text, facts, used)
    return Reason(State.BLOCKS, "The app holds no FullAccess on the mailbox.", facts, used, REPLY)


def _workload(tenant: Tenant, app: App, sender: Sender) -> Reason:
    """Judged by the service principal's own id; Exchange's entry names it where Entra's list does not hold it."""
    ids = [plain(principal.get("id")) for principal in app.principals]
    ids += [plain(principal.get("ObjectId")) for principal in app.in_exchange if not ids]
    found = [judge_app(tenant, identity, place_of(sender.egress_ips)) for identity in ids or [app.app_id]]
    return max(found, key=lambda reason: reason.state)


BLOCKER = Blocker(
    id="oauth-grant",
    title="The app may not send as the mailbox by OAuth",
    channels=frozenset({"oauth"}),
    senders_only=True,
    datasets=(
        "servicePrincipals",
        "appRoleAssignments",
        "oauth2PermissionGrants",
        "exchangeServicePrincipals",
        "mailboxPermissions",
        "managementRoleAssignments",
        "conditionalAccessPolicies",
        "namedLocations",
        "authenticationStrengthPolicies",
        "roleDefinitions",
        "roleAssignments",
        "groups",
        "groupMembers",
        "users",
    ),
    source=(
        "https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth",
        "https://learn.microsoft.com/entra/identity/conditional-access/concept-conditional-access-users-groups",
    ),
    remedy="Grant the app SMTP.SendAsApp with admin consent, register its service principal in Exchange with the "
    "object id of the enterprise application, and give it FullAccess on this one mailbox.",
    remedy_risk="SMTP.SendAsApp counts for every mailbox on which the app holds FullAccess: grant that on single "
    "mailboxes only, and keep the app's secret or certificate safe.",
    judge=judge,
)
