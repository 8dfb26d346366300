"""Snapshot → Tenant: everything that was read, as columns. Reads the snapshot and nothing else.

A dataset that is not complete contributes nothing that decides (pure evidence is used as far as it was read; of a cut
`users` the rows that were read are judged). Whatever is not as Microsoft documents it leaves its property unread and is
named in `Tenant.problems`.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import numpy as np

from auditor.compact import Coded
from auditor.load.addresses import AddressBook, tell_shared
from auditor.load.directory import read_groups, read_roles, role_definitions
from auditor.load.evidence import (
    read_app_passwords,
    read_mailbox_usage,
    read_per_user_mfa,
    read_registration,
    read_sign_ins,
    read_smtp_apps,
    smtp_use,
)
from auditor.load.exchange import (
    Join,
    default_policy,
    read_cas_mailboxes,
    read_exchange_users,
    read_mailboxes,
    read_policies,
    setting,
)
from auditor.load.kinds import kinds
from auditor.load.licences import read_skus
from auditor.load.source import Source
from auditor.load.users import NOBODY, Users, password_ages, read_users
from auditor.load.what_if import read_what_if
from auditor.snapshot import Snapshot
from auditor.tenant import UNREAD, UNREADABLE_POLICY, Accounts, Tenant, Tri

__all__ = ["load"]


@contextmanager
def _no_cycles_sought() -> Iterator[None]:
    """Python looks for cycles each time some hundred objects more are alive. Records hold none, and there are millions
    of them: the search is a twentieth of the time."""
    sought = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if sought:
            gc.enable()


@_no_cycles_sought()
def load(
    snapshot: Snapshot,
    *,
    now: datetime,
    cloud: str | None = None,
    max_age_days: int = 30,
    declared: Sequence[str] = (),
    tenant_id: str = "",
) -> Tenant:
    """The tenant that a snapshot shows.

    `now`: the moment the judgement is made for (without a zone it is read as UTC). `cloud`: of the config, else the
    snapshot's. `max_age_days`: Exchange exports older than that decide nothing. `declared`: the accounts of the
    declared senders (UPN, address or object id); they only help to tell service accounts. `tenant_id`: of the config,
    for a snapshot that does not know its own.

    Raises UsageError where a file of the snapshot is damaged."""
    now = now.replace(tzinfo=UTC) if now.tzinfo is None else now.astimezone(UTC)
    source = Source(snapshot, now, max_age_days)
    organization = source.first("organization") or {}
    skus = read_skus(source)
    users = read_users(source, skus)
    origin = users.origin
    addresses = AddressBook(users.user_principal_name, users.addresses)
    tell_shared(addresses, users, source)
    join = Join(users, addresses)
    policies = read_policies(source)
    mailbox = read_mailboxes(source, users, join)
    smtp_auth_disabled = read_cas_mailboxes(source, users, join)
    exchange_user, authentication_policy = read_exchange_users(source, users, join, policies.resolve)
    usage = read_mailbox_usage(source, users, join)
    groups = read_groups(source, users)
    definitions = role_definitions(source)
    roles = read_roles(source, users.row_of, groups, definitions)
    held = Coded(roles.held)
    registration = read_registration(source, users)
    mfa_registered = registration.mfa.column(UNREAD).numbers(int)
    per_user_mfa = read_per_user_mfa(source, users)
    sign_ins = read_sign_ins(source, users, join)
    use = smtp_use(sign_ins, len(users))
    kind = kinds(
        users,
        mailbox,
        usage,
        exchange_user,
        mfa_registered,
        held,
        _rows_of(declared, users, addresses),
        recipients_read=source.complete("mailboxes"),
    )
    accounts = Accounts(
        id=users.id,
        user_principal_name=users.user_principal_name,
        display_name=users.display_name,
        addresses=users.addresses,
        kind=kind,
        user_type=origin.mapped(lambda one: one.user_type),
        is_external=origin.numbers(lambda one: one.is_external),
        external_kinds=origin.mapped(lambda one: one.kinds),
        enabled=_tri(users.enabled),
        synced=_tri(users.synced),
        created=users.created,
        password_changed=users.password_changed,
        password_age_days=password_ages(users, source),
        password_never_expires=users.password_never_expires,
        domain=users.domain,
        is_admin=_tri(roles.is_admin()),
        roles=held,
        roles_uncertain=roles.uncertain,
        mailbox_plan=users.entitlement.mapped(lambda one: one.plan),
        mailbox_plan_note=users.entitlement.mapped(lambda one: one.note),
        ever_had_mailbox_plan=users.entitlement.numbers(lambda one: one.ever),
        mailbox=mailbox,
        mailbox_usage=usage,
        exchange_user=exchange_user,
        smtp_auth_disabled=smtp_auth_disabled,
        authentication_policy=authentication_policy,
        per_user_mfa=per_user_mfa,
        mfa_registered=mfa_registered,
        methods=registration.methods.column(()),
        methods_as_of=registration.as_of.column(""),
        smtp_last_success=Coded(use.last_success),
        smtp_last_failure=Coded(use.last_failure),
        smtp_failure_codes=Coded(use.failure_codes),
        smtp_app_used=_tri(read_smtp_apps(source, users, join)),
        addresses_unread=frozenset(users.addresses_unread),
    )
    transport = source.first("transportConfig")
    configuration = source.first("organizationConfig")
    rest = _objects(source)
    return Tenant(
        tenant_id=(_text(organization, "id") or snapshot.tenant_id or tenant_id).lower(),
        name=_text(organization, "displayName"),
        cloud=cloud or snapshot.cloud,
        now=now,
        accounts=accounts,
        row_of=users.row_of,
        row_of_address=addresses,
        verified_domains=_verified_domains(organization),
        security_defaults=_security_defaults(source),
        role_definitions=definitions,
        uncertain_roles=roles.uncertain_roles,
        groups=groups,
        sku_names=skus.names,
        org_smtp_auth_disabled=setting(source, "transportConfig", transport, "SmtpClientAuthenticationDisabled"),
        allow_legacy_tls=setting(source, "transportConfig", transport, "AllowLegacyTLSClients"),
        send_from_alias=setting(source, "organizationConfig", configuration, "SendFromAliasEnabled"),
        reject_direct_send=setting(source, "organizationConfig", configuration, "RejectDirectSend"),
        authentication_policies=policies.policies,
        default_authentication_policy=default_policy(source, configuration, policies),
        sign_ins=sign_ins,
        app_password_events=read_app_passwords(source, users, join),
        what_if=read_what_if(source, users),
        **rest,
        # last, because reading settles both
        status=source.finish(),
        problems=source.problems.result(source.distinct),
    )


def _objects(source: Source) -> dict[str, Any]:
    """The datasets that are handed on as they are: by id where others refer to them, else as lists."""
    return {
        "policies": _policies(source),
        "named_locations": source.indexed("namedLocations", "id"),
        "authentication_strengths": source.indexed("authenticationStrengthPolicies", "id"),
        "authentication_methods_policy": source.first("authenticationMethodsPolicy"),
        "domains": source.indexed("domains", "id"),
        "service_principals": source.indexed("servicePrincipals", "id"),
        "app_role_assignments": source.objects_of("appRoleAssignments"),
        "oauth2_permission_grants": source.objects_of("oauth2PermissionGrants"),
        "recipient_permissions": source.objects_of("recipientPermissions"),
        "mailbox_permissions": source.objects_of("mailboxPermissions"),
        "exchange_service_principals": source.objects_of("exchangeServicePrincipals"),
        "management_role_assignments": source.objects_of("managementRoleAssignments"),
        "management_scopes": source.objects_of("managementScopes"),
        "application_access_policies": source.objects_of("applicationAccessPolicies"),
        "inbound_connectors": source.objects_of("inboundConnectors"),
        "accepted_domains": source.objects_of("acceptedDomains"),
        "hve_accounts": source.objects_of("hveAccounts"),
        "smtp_replies": source.objects_of("smtpReplies"),
    }


def _policies(source: Source) -> list[Mapping[str, Any]]:
    """`Tenant.policies`. A record that is no object could be a policy for anybody: a policy of unknown state stands for
    it, so that nobody is promised anything."""
    found: list[Mapping[str, Any]] = list(source.objects_of("conditionalAccessPolicies"))
    if any("id" not in policy for policy in found):
        source.problems.add("conditionalAccessPolicies", "", "id", "missing: the policy is known by its name alone")
    ids = [str(policy.get("id", "")).lower() for policy in found]
    for twice in {one for one in ids if one and ids.count(one) > 1}:
        source.problems.add(
            "conditionalAccessPolicies", twice, "", "stands more than once with different values: each is judged"
        )
    lost = source.lost("conditionalAccessPolicies")
    return found + [
        {"id": f"unreadable-{number}", "displayName": "a record that is no policy object", "state": UNREADABLE_POLICY}
        for number in range(1, lost + 1)
    ]


def _verified_domains(organization: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(_text(domain, "name").lower() for domain in organization.get("verifiedDomains") or ()) - {""}


def _security_defaults(source: Source) -> int:
    name = "identitySecurityDefaultsEnforcementPolicy"
    return setting(source, name, source.first(name), "isEnabled")


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""


def _rows_of(declared: Sequence[str], users: Users, addresses: Mapping[str, int]) -> frozenset[int]:
    names = [name.strip().lower() for name in declared]
    rows = (users.row_of.get(name, addresses.get(name, NOBODY)) for name in names)
    return frozenset(row for row in rows if row >= 0)


def _tri(values: Sequence[int]) -> Tri:
    return np.array(values, dtype=np.int8)
