"""Where a sender can go instead, and what that still needs in this tenant. What was not read is unknown, never there.

Sources: Microsoft's pages on OAuth for SMTP, Graph sendMail, High Volume Email and relay connectors, as cited by the
blockers and in docs/plan.md.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from auditor.blockers import BY_ID
from auditor.blockers.base import Cases
from auditor.blockers.names import plain
from auditor.blockers.oauth_grant import SCOPES, WHOLE
from auditor.blockers.routes import WITHOUT_SMTP_AUTH, route_of
from auditor.blockers.sender_settings import SUBMISSION_HOST
from auditor.config import Sender
from auditor.plan.candidates import app_changes
from auditor.plan.model import Have, Move, Requirement
from auditor.plan.situation import Situation
from auditor.states import Reason, State
from auditor.tenant import NO, YES, Tenant
from auditor.what_if import Change, apply
from auditor.what_if.apps import AppEnabled, AppFullAccess, AppPermission, AppRegistered

TITLES = {
    "oauth-app-only": "OAuth over SMTP, the app signs in as itself",
    "oauth-delegated": "OAuth over SMTP, a person signs in to the app",
    "graph-send": "Microsoft Graph sendMail",
    "hve": "High Volume Email (internal recipients only)",
    "relay": "SMTP relay connector",
    "keep-and-restrict": "Keep basic authentication, held to one mailbox and one place",
}
CAUTIONS = {
    "oauth-app-only": "SMTP.SendAsApp counts for every mailbox on which the app holds FullAccess: grant that singly. "
    "The mailbox's SMTP AUTH switch has to be on, which opens basic authentication too where nothing else refuses it.",
    "oauth-delegated": "Somebody has to sign in again when the token ends; a sender without a person is better off "
    "with an app that signs in as itself.",
    "graph-send": "Mail.Send reaches every mailbox unless it is scoped (RBAC for Applications).",
    "hve": "Mail reaches recipients inside the organisation only. Basic authentication stays there until September "
    "2028, but not where security defaults are on or an authentication policy refuses it.",
    "relay": "The connector trusts whoever sends from its address or holds its certificate.",
    "keep-and-restrict": "The password stays the only key; plan the day on which the device is replaced.",
}
BY_MAILBOX = ("oauth-app-only", "oauth-delegated", "graph-send", "keep-and-restrict")
"""Routes that a mailbox's limits hold for."""
MAIL_SEND = "b633e1c5-b582-4048-a93e-9f11b44c7e96"
"""Mail.Send, application permission of Microsoft Graph"""
SEND_ROLE = "application mail.send"
_STATE: dict[State, Have] = {
    State.CLEAR: "have",
    State.NOT_APPLICABLE: "have",
    State.CONDITIONAL: "missing",
    State.UNKNOWN: "unknown",
    State.BLOCKS: "missing",
}


def moves(at: Situation, exit_: str) -> tuple[Move, ...]:
    """The safest exit first, then the other routes that fit the sender; none where no SMTP AUTH is needed. What a
    mailbox's limits stop comes last where they stop the sender."""
    if exit_ == "none-needed":
        return ()
    others = ["graph-send", "relay"]
    if at.sender.auth == "basic":
        others = ["oauth-app-only", "graph-send", *(["hve"] if at.sender.recipients != "external" else []), "relay"]
    if route_of(at.sender) in WITHOUT_SMTP_AUTH:
        others = []
    names = list(dict.fromkeys((exit_, *others)))
    if at.reason("sending-limits").state == State.BLOCKS:
        names.sort(key=lambda name: name in BY_MAILBOX)
    return tuple(_move(at, name) for name in names)


def _move(at: Situation, name: str) -> Move:
    route = route_of(at.sender)
    there = {"hve": route == "hve", "relay": route == "relay", "graph-send": route == "graph"}
    flow = "oauth-app-only" if at.sender.oauth_flow == "app-only" else "oauth-delegated"
    already = there.get(name, False) or (at.sender.auth == "oauth" and name == flow)
    return Move(name, TITLES[name], tuple(REQUIREMENTS[name](at)), CAUTIONS[name], already)


def _submission(at: Situation, flow: str) -> Situation:
    """The same sender with OAuth at the documented endpoint."""
    changed = msgspec.structs.replace(
        at.sender, auth="oauth", oauth_flow=flow, route="client-submission", server=SUBMISSION_HOST
    )
    return Situation.of(at.tenant, changed)


def _of_blocker(at: Situation, blocker: str, text: str) -> Requirement:
    reason = at.reason(blocker)
    return Requirement(text, _STATE[reason.state], reason.text)


def _switch(at: Situation) -> Requirement:
    """Without a mailbox there is no switch, so it is missing too."""
    reason = at.reason("smtp-auth-switch")
    state: Have = "missing" if reason.state == State.NOT_APPLICABLE else _STATE[reason.state]
    return Requirement("SMTP AUTH switched on for the mailbox", state, reason.text)


def _mailbox(at: Situation) -> Iterator[Requirement]:
    yield _of_blocker(at, "mailbox", "a mailbox in Exchange Online")
    yield _of_blocker(at, "licence", "a licence that gives the mailbox")
    if at.reason("sending-limits").state > State.CLEAR:
        yield _of_blocker(at, "sending-limits", "a volume within what a mailbox may send")


def _oauth_app_only(at: Situation) -> Iterator[Requirement]:
    there = _submission(at, "app-only")
    yield from _mailbox(there)
    yield _switch(there)
    yield from _app_chain(there)
    yield _of_blocker(there, "send-as", "the right to use the From address")


LINKS: dict[type[Change], str] = {
    AppEnabled: "the app enabled in Microsoft Entra",
    AppPermission: "the application permission SMTP.SendAsApp (or the Exchange role), with admin consent",
    AppRegistered: "the app's service principal registered in Exchange Online",
    AppFullAccess: "FullAccess for the app on this mailbox",
}


def _app_chain(at: Situation) -> Iterator[Requirement]:
    """Each link of the chain: what is found wrong when every other one is taken to be there."""
    if not at.sender.oauth_app_id.strip():
        yield Requirement("an app registration of its own", "missing", "No app is declared (oauth_app_id).")
        for text in list(LINKS.values())[1:]:
            yield Requirement(text, "missing", "There is no app that could hold it.")
        return
    wanted = app_changes(at)
    whole = _grant(at, wanted)
    for kind, text in LINKS.items():
        reason = _grant(at, [change for change in wanted if not isinstance(change, kind)])
        yield _link(text, reason, whole)
    policies = [change for change in wanted if type(change) not in LINKS]
    if policies:
        reason = _grant(at, [change for change in wanted if change not in policies])
        yield _link("no Conditional Access policy for workload identities that stops the app", reason, whole)


def _link(text: str, reason: Reason, whole: Reason) -> Requirement:
    if reason.state == State.CLEAR:
        return Requirement(text, "have", reason.text)
    if reason == whole:
        return Requirement(text, "unknown", f"Cannot be told apart from this: {reason.text}")
    return Requirement(text, _STATE[reason.state], reason.text)


def _grant(at: Situation, changes: Sequence[Change]) -> Reason:
    tenant, senders, _ = apply(at.tenant, [at.sender], changes)
    return BY_ID["oauth-grant"].judge(tenant, Cases.alone(at.row, senders[0])).reason(at.case)


def _oauth_delegated(at: Situation) -> Iterator[Requirement]:
    there = _submission(at, "delegated")
    yield from _mailbox(there)
    yield _switch(there)
    yield _of_blocker(there, "oauth-grant", "an app with consent to SMTP.Send that the account may sign in to")
    registered = at.tenant.accounts.mfa_registered[at.row]
    state: Have = "have" if registered == YES else "missing" if registered == NO else "unknown"
    words = {"have": "A method is registered.", "missing": "None is registered.", "unknown": "It was not read."}
    yield Requirement("a registered sign-in method, for when MFA is asked", state, words[state])


def _graph(at: Situation) -> Iterator[Requirement]:
    yield from _mailbox(_submission(at, "app-only"))
    app_id = plain(at.sender.oauth_app_id)
    if not app_id:
        yield Requirement("an app registration of its own", "missing", "No app is declared (oauth_app_id).")
        yield Requirement("Mail.Send for the app, with admin consent", "missing", "There is no app that could hold it.")
        yield Requirement("the app held to this mailbox", "missing", "There is no app that could be held.")
        return
    yield _mail_send(at.tenant, app_id)
    yield _scope(at.tenant, app_id)


def _principals(tenant: Tenant, app_id: str) -> set[str]:
    own = {key for key, one in tenant.service_principals.items() if plain(one.get("appId")) == app_id}
    return own | {app_id}


def _mail_send(tenant: Tenant, app_id: str) -> Requirement:
    text = "Mail.Send for the app, with admin consent, or the Exchange role Application Mail.Send"
    if any(role for role, _ in _send_roles(tenant, app_id)):
        return Requirement(text, "have", "The app holds the Exchange role.")
    datasets = ("servicePrincipals", "appRoleAssignments")
    if not tenant.complete(*datasets):
        return Requirement(text, "unknown", f"{_unread(tenant, *datasets)}.")
    own = _principals(tenant, app_id)
    held = any(
        plain(grant.get("principalId")) in own and plain(grant.get("appRoleId")) == MAIL_SEND
        for grant in tenant.app_role_assignments
    )
    if held:
        return Requirement(text, "have", "The app holds Mail.Send.")
    if not tenant.complete("managementRoleAssignments"):
        return Requirement(text, "unknown", f"{_unread(tenant, 'managementRoleAssignments')}.")
    return Requirement(text, "missing", "The app holds neither.")


def _send_roles(tenant: Tenant, app_id: str) -> Iterator[tuple[str, bool]]:
    """(role, narrowed to a scope) of the app's enabled assignments of Application Mail.Send."""
    own = _principals(tenant, app_id)
    for assignment in tenant.management_role_assignments:
        assignees = {plain(assignment.get(key)) for key in ("App", "RoleAssignee", "RoleAssigneeName")}
        if (
            plain(assignment.get("Role")) == SEND_ROLE
            and plain(assignment.get("Enabled")) != "false"
            and own & assignees
        ):
            yield SEND_ROLE, any(plain(assignment.get(key)) not in WHOLE for key in SCOPES)


def _scope(tenant: Tenant, app_id: str) -> Requirement:
    text = "the app held to this mailbox (RBAC for Applications)"
    datasets = ("managementRoleAssignments", "applicationAccessPolicies")
    restricted = any(
        plain(policy.get("AppId")) == app_id and plain(policy.get("AccessRight")) == "restrictaccess"
        for policy in tenant.application_access_policies
    )
    if restricted or any(narrowed for _, narrowed in _send_roles(tenant, app_id)):
        return Requirement(text, "have", "A scope or application access policy holds it; check that it fits.")
    if not tenant.complete(*datasets):
        return Requirement(text, "unknown", f"{_unread(tenant, *datasets)}.")
    return Requirement(text, "missing", "Nothing narrows the app.")


def _hve(at: Situation) -> Iterator[Requirement]:
    tenant = at.tenant
    declared: dict[str, tuple[Have, str]] = {
        "internal": ("have", "Declared as internal."),
        "external": ("missing", "Declared as external."),
        "": ("unknown", "Not declared (recipients)."),
    }
    yield Requirement("recipients inside the organisation only", *declared[at.sender.recipients])
    names = sorted(str(one.get("PrimarySmtpAddress") or one.get("Identity") or "") for one in tenant.hve_accounts)
    text = "a High Volume Email account"
    if not tenant.complete("hveAccounts"):
        yield Requirement(text, "unknown", f"{_unread(tenant, 'hveAccounts')}.")
    elif names:
        yield Requirement(text, "have", f"There is {', '.join(names)}.")
    else:
        yield Requirement(text, "missing", "There is none.")
    yield _of_blocker(at, "security-defaults", "security defaults off, or OAuth for High Volume Email")
    yield _default_policy(tenant)


def _default_policy(tenant: Tenant) -> Requirement:
    text = "an authentication policy that allows basic SMTP for that account, or none at all"
    default = tenant.default_authentication_policy
    if default == "":
        return Requirement(text, "have", "The organisation has no default authentication policy.")
    policy = tenant.authentication_policies.get(default)
    if policy is None or policy.allow_smtp not in (NO, YES):
        return Requirement(text, "unknown", "The organisation's default authentication policy was not read.")
    verb = "allows" if policy.allow_smtp == YES else "refuses"
    state: Have = "have" if policy.allow_smtp == YES else "missing"
    return Requirement(text, state, f"The organisation's default policy '{policy.name}' {verb} it.")


def _relay(at: Situation) -> Iterator[Requirement]:
    yield _connector(at.tenant, at.sender)
    yield _accepted_domain(at.tenant, at.sender.from_ or at.upn)


def _connector(tenant: Tenant, sender: Sender) -> Requirement:
    text = "an inbound connector that knows the sender by its address or certificate"
    if not tenant.complete("inboundConnectors"):
        return Requirement(text, "unknown", f"{_unread(tenant, 'inboundConnectors')}.")
    active = [one for one in tenant.inbound_connectors if _relays(one)]
    by_address = [one for one in active if sender.egress_ips and all(_holds(one, place) for place in sender.egress_ips)]
    if by_address:
        return Requirement(text, "have", f"Connector '{by_address[0].get('Name')}' takes its address.")
    by_certificate = [str(one.get("Name")) for one in active if plain(one.get("TlsSenderCertificateName"))]
    hint = f" Connector '{by_certificate[0]}' takes a sender that shows its certificate." if by_certificate else ""
    if not sender.egress_ips:
        return Requirement(text, "missing", f"The sender declares no egress address.{hint}")
    return Requirement(text, "missing", f"No enabled connector takes {', '.join(sender.egress_ips)}.{hint}")


def _relays(connector: Mapping[str, Any]) -> bool:
    kind = plain(connector.get("ConnectorType"))
    return plain(connector.get("Enabled")) != "false" and kind in ("", "onpremises")


def _holds(connector: Mapping[str, Any], place: str) -> bool:
    wanted = ipaddress.ip_network(place, strict=False)
    addresses = connector.get("SenderIPAddresses")
    for text in addresses if isinstance(addresses, list) else str(addresses or "").split(","):
        try:
            network = ipaddress.ip_network(str(text).strip(), strict=False)
        except ValueError:
            continue
        if network.version == wanted.version and wanted.subnet_of(network):  # type: ignore[arg-type]
            return True
    return False


def _accepted_domain(tenant: Tenant, address: str) -> Requirement:
    domain = plain(address).rpartition("@")[2]
    text = "a From address in an accepted domain"
    if not tenant.complete("acceptedDomains"):
        return Requirement(text, "unknown", f"{_unread(tenant, 'acceptedDomains')}.")
    known = {plain(one.get("DomainName")) for one in tenant.accepted_domains}
    if domain in known:
        return Requirement(text, "have", f"{domain} is one.")
    return Requirement(text, "missing", f"{domain} is none of them.")


def _keep(at: Situation) -> Iterator[Requirement]:
    yield _switch(at)
    yield _of_blocker(at, "authentication-policy", "an authentication policy that allows this account basic SMTP")
    place: Have = "have" if at.sender.egress_ips else "missing"
    named = ", ".join(at.sender.egress_ips) or "The sender declares no egress address."
    yield Requirement("a place to bind the account to by Conditional Access", place, named)


def _unread(tenant: Tenant, *datasets: str) -> str:
    return ", ".join(f"{name} is {tenant.status[name].state}" for name in datasets if not tenant.complete(name))


REQUIREMENTS = {
    "oauth-app-only": _oauth_app_only,
    "oauth-delegated": _oauth_delegated,
    "graph-send": _graph,
    "hve": _hve,
    "relay": _relay,
    "keep-and-restrict": _keep,
}
