"""What might open a sender, blocker by blocker. Only sane things: the smallest reach first, never "security defaults
off", never an app password, nothing against the announced end of basic authentication.

A candidate is a guess; `search` judges whether it opens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from auditor.access import Demand, Match, reach
from auditor.access.shapes import blank
from auditor.blockers.mailbox import MAIL_USERS
from auditor.blockers.names import plain
from auditor.blockers.routes import HVE_HOSTS, host
from auditor.blockers.sender_settings import PORTS, SUBMISSION_HOST
from auditor.blockers.sending_limits import CONNECTIONS, MESSAGES_PER_MINUTE
from auditor.plan.costs import step
from auditor.plan.model import Step
from auditor.plan.situation import Situation
from auditor.states import State
from auditor.tenant import INHERIT, NO, YES
from auditor.what_if.apps import AppEnabled, AppFullAccess, AppPermission, AppRegistered
from auditor.what_if.conditional_access import Exclusion, excluded
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
from auditor.what_if.targets import Targets

NEW_POLICY = "Allow basic SMTP for declared senders"
"""The name of an allowing authentication policy where the tenant has none."""


@dataclass(frozen=True)
class Candidates:
    """Alternatives, each a tuple of steps that are done together, safest first; or why there is none."""

    alternatives: tuple[tuple[Step, ...], ...] = ()
    why: str = ""


def _one(*changes: Change) -> tuple[Step, ...]:
    return tuple(map(step, changes))


def candidates(at: Situation, blocker: str) -> Candidates:
    """What might make a standing blocker clear."""
    return READERS[blocker](at)


def _mailbox(at: Situation) -> Candidates:
    tenant = at.tenant
    if at.reason("mailbox").state != State.BLOCKS or not tenant.complete("mailboxes"):
        return Candidates(why="Whether there is a mailbox has to be read first; no change tells.")
    if tenant.accounts.exchange_user[at.row] in MAIL_USERS or tenant.accounts.is_external[at.row] != NO:
        return Candidates(why="The account's mail is elsewhere: a mailbox here would be a migration, not a switch.")
    return Candidates((_one(MailboxLicence(*at.account, given=True)),))


def _authentication_policy(at: Situation) -> Candidates:
    """A policy for this account alone, before anything about the default."""
    tenant = at.tenant
    allowing = sorted(policy.name for policy in tenant.authentication_policies.values() if policy.allow_smtp == YES)
    if allowing:
        key, name = plain(allowing[0]), allowing[0]
        own = _one(AssignedAuthenticationPolicy(*at.account, key, name))
    else:
        key, name = plain(NEW_POLICY), NEW_POLICY
        new = AuthenticationPolicySmtp(key, name, allow=True, new=True)
        own = _one(new, AssignedAuthenticationPolicy(*at.account, key, name))
    by_default = tenant.accounts.authentication_policy[at.row] == ""
    if by_default and allowing and at.reason("authentication-policy").state == State.BLOCKS:
        return Candidates((own, _one(DefaultAuthenticationPolicy(key, name))))
    return Candidates((own,))


def _switch(at: Situation) -> Candidates:
    tenant = at.tenant
    own = _one(MailboxSwitch(*at.account, "on"))
    if tenant.accounts.smtp_auth_disabled[at.row] == INHERIT and tenant.org_smtp_auth_disabled == YES:
        return Candidates((own, _one(OrganisationSwitch(on=True))))
    return Candidates((own,))


def _account_state(at: Situation) -> Candidates:
    return Candidates((_one(SignInEnabled(*at.account, enabled=True)),))


def _credential(at: Situation) -> Candidates:
    if ("authenticationType", "Federated") in at.reason("credential").facts:
        return Candidates(
            why="The password is checked by the organisation's own sign-in server (federated domain), which no setting "
            "here shows or changes."
        )
    return Candidates((_one(PasswordChanged(*at.account)),))


def _security_defaults(at: Situation) -> Candidates:
    if at.reason("security-defaults").state == State.UNKNOWN:
        return Candidates(why="Whether security defaults are on has to be read first; no change here may decide it.")
    return Candidates(
        why="Security defaults refuse basic authentication for the whole tenant and know no exclusion. They protect "
        "every account, so opening one sender is no reason to give them up: move it."
    )


def _conditional_access(at: Situation) -> Candidates:
    """Sending from a better place, or an exclusion of this one account from every policy that may refuse it."""
    tenant = at.tenant
    if not tenant.complete("conditionalAccessPolicies"):
        return Candidates(why="The Conditional Access policies have to be read first.")
    book = Targets(tenant, [at.sender]).policies()
    places = at.sender.egress_ips
    meant = [
        book[policy.index]
        for policy in reach(tenant, egress_ips=places, only=np.array([at.row], dtype=np.int32)).policies
        if policy.grant.demand != Demand.NOTHING and policy.match[0] != Match.MISSES
    ]
    closed = [policy.name for policy in meant if excluded(tenant.policies[policy.index], "user") is None]
    moves = [_one(SenderSetting(at.sender.name, "egress_ips", place)) for place in places if len(places) > 1]
    if closed:
        why = f"Policy '{closed[0]}' was not read as Graph documents it, so nothing about it can be judged."
        return Candidates(tuple(moves), why)
    exclusions = [Exclusion(policy, "user", *at.account) for policy in meant]
    return Candidates((*moves, _one(*exclusions)))


def _licence(at: Situation) -> Candidates:
    return Candidates((_one(MailboxLicence(*at.account, given=True)),))


def _per_user_mfa(at: Situation) -> Candidates:
    return Candidates((_one(PerUserMfa(*at.account, "disabled")),))


def _sender_settings(at: Situation) -> Candidates:
    wanted = dict(_better_settings(at))
    if not wanted:
        return Candidates(why="Microsoft documents no other setting for this cloud that could be tried.")
    return Candidates((_one(*(SenderSetting(at.sender.name, key, value) for key, value in wanted.items())),))


def _better_settings(at: Situation) -> Iterator[tuple[str, str]]:
    sender, tenant = at.sender, at.tenant
    if sender.port not in PORTS:
        yield "port", "587"
    if sender.tls != "starttls":
        yield "tls", "starttls"
    if host(sender) not in ("", SUBMISSION_HOST, *HVE_HOSTS) and tenant.cloud in ("public", "custom"):
        yield "server", SUBMISSION_HOST
    if sender.username and sender.username.strip().lower() != at.upn.lower():
        yield "username", at.upn


def _send_as(at: Situation) -> Candidates:
    """The mailbox's own address as From, or the right to use the declared one."""
    addresses = at.tenant.accounts.addresses[at.row]
    wanted = at.sender.from_.strip().lower()
    own = _one(SenderSetting(at.sender.name, "from", addresses[0] if addresses else ""))
    if wanted in addresses or not addresses:
        return Candidates((own,))
    trustee = at.account
    if at.sender.auth == "oauth" and at.sender.oauth_flow == "app-only":
        trustee = (plain(at.sender.oauth_app_id), at.sender.oauth_app_id)
    return Candidates((own, _one(SendAsGranted(*trustee, wanted))) if trustee[0] else (own,))


def _sending_limits(at: Situation) -> Candidates:
    if at.reason("sending-limits").state != State.CONDITIONAL:
        return Candidates(
            why="The sender needs more than a mailbox may send, and no setting of the tenant changes that."
        )
    limits = {"messages_per_minute": MESSAGES_PER_MINUTE, "connections": CONNECTIONS}
    over = {key: most for key, most in limits.items() if (getattr(at.sender, key) or 0) > most}
    return Candidates((_one(*(SenderSetting(at.sender.name, key, str(most)) for key, most in over.items())),))


def _oauth_grant(at: Situation) -> Candidates:
    if not at.sender.oauth_app_id.strip():
        return Candidates(why="No app is declared for the sender (oauth_app_id), so none can be judged.")
    if at.sender.oauth_flow == "app-only":
        return Candidates((_one(*app_changes(at)),))
    by_itself = _one(SenderSetting(at.sender.name, "oauth_flow", "app-only"), *app_changes(at))
    if at.tenant.accounts.enabled[at.row] == NO:
        return Candidates((by_itself, _account_state(at).alternatives[0]))
    return Candidates((by_itself,))


def app_changes(at: Situation) -> tuple[Change, ...]:
    """Everything that an app that signs in as itself needs; what it has already, leaving it out shows."""
    app = Targets(at.tenant, [at.sender]).app(at.sender.oauth_app_id)
    grants = (
        AppEnabled(app, enabled=True),
        AppPermission(app),
        AppRegistered(app),
        AppFullAccess(*at.account, app),
    )
    return *grants, *_app_exclusions(at, app.app_id)


def _app_exclusions(at: Situation, app_id: str) -> Iterator[Exclusion]:
    """The app is excluded from every enabled policy for workload identities that has room for it."""
    principals = [key for key, one in at.tenant.service_principals.items() if plain(one.get("appId")) == app_id]
    for policy in Targets(at.tenant, [at.sender]).policies():
        raw = at.tenant.policies[policy.index]
        conditions = raw.get("conditions")
        if raw.get("state") != "enabled" or not isinstance(conditions, Mapping):
            continue
        if not blank(conditions.get("clientApplications")) and excluded(raw, "app") is not None:
            yield from (Exclusion(policy, "app", principal, app_id) for principal in principals)


def _retirement(at: Situation) -> Candidates:
    reason = at.reason("basic-auth-retirement")
    if reason.state == State.UNKNOWN:
        return Candidates(why=f"{reason.text} No change decides it.")
    end = "Which setting brings it back is not published, so no change can be shown to open it."
    return Candidates(why=f"{reason.text} {end}")


READERS: dict[str, Callable[[Situation], Candidates]] = {
    "mailbox": _mailbox,
    "authentication-policy": _authentication_policy,
    "smtp-auth-switch": _switch,
    "account-state": _account_state,
    "credential": _credential,
    "security-defaults": _security_defaults,
    "conditional-access": _conditional_access,
    "licence": _licence,
    "per-user-mfa": _per_user_mfa,
    "sender-settings": _sender_settings,
    "send-as": _send_as,
    "sending-limits": _sending_limits,
    "oauth-grant": _oauth_grant,
    "basic-auth-retirement": _retirement,
}
"""Blocker id → its candidates; a test keeps this the set of all blockers."""
