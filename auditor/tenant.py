"""The tenant as columns: what `load.py` makes of a snapshot and the blockers, verdicts and findings read.

Types only. Rows of `Accounts` are the users of the snapshot, in its order, each id once. Ids are lower case
everywhere (Microsoft compares them without letter case). "Unread" and "empty" are never the same thing: tri-state
columns hold UNREAD where the dataset or the property was not read, and `Tenant.status` tells why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

UNREAD, NO, YES = -1, 0, 1
"""Tri-state values of int8 columns."""

INHERIT = 2
"""`Accounts.smtp_auth_disabled` only: the mailbox has no setting of its own (null), the organisation's decides."""

Tri = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class DatasetStatus:
    """How reading one dataset ended. Only `complete` may decide anything but `unknown`."""

    name: str
    state: str
    """complete, cut, denied, failed or not-asked (contract, run.json)"""
    records: int = 0
    reason: str = ""
    permission: str = ""
    """what would open it, when `denied` for want of a permission or licence"""
    source: str = ""
    """of derived or imported data: where it came from, e.g. `users?$select=id,perUserMfaState`, `export`"""
    as_of: str = ""
    """ISO 8601 UTC: the age of imported data, else when it was read; empty if unknown"""
    asked_for: frozenset[str] | None = None
    """the mailboxes that it was read for, lower case; None: all"""

    @property
    def complete(self) -> bool:
        return self.state == "complete"

    @property
    def asked(self) -> bool:
        return self.state != "not-asked"

    @property
    def exported(self) -> bool:
        """Brought as a file by an administrator."""
        return "export" in self.source.lower()

    @property
    def configuration_snapshot(self) -> bool:
        """Read through Graph's tenant configuration management, whose booleans know no null: its false proves little.
        A file of that name that an administrator exported is none."""
        way = "".join(letter for letter in self.source.lower().partition(": ")[0] if letter.isalpha())
        return "configurationsnapshot" in way or "configurationmanagement" in way


@dataclass(frozen=True, slots=True)
class DataProblem:
    """An object that is not what Microsoft documents: what it touches is unknown, and a finding names it."""

    dataset: str
    object_id: str
    property: str
    problem: str


@dataclass(frozen=True)
class Accounts:
    """One row per user object. All sequences have the same length n."""

    id: Sequence[str]
    user_principal_name: Sequence[str]
    display_name: Sequence[str]
    addresses: Sequence[tuple[str, ...]]
    """every SMTP address (mail and proxyAddresses), lower case, primary first; UPN not included"""
    kind: Sequence[str]
    """user, shared, room, equipment, guest, service, sync or unknown"""
    user_type: Sequence[str]
    """`userType` lower case: member, guest, or empty when missing"""
    is_external: Tri
    """guest, internal guest or external member: userType guest, creationType Invitation, externalUserState set or
    `#EXT#` in the UPN"""
    external_kinds: Sequence[frozenset[str]]
    """members of Graph's guestOrExternalUserTypes this account may be (`internalGuest`, `b2bCollaborationGuest`,
    `b2bCollaborationMember`, …); empty for an ordinary member"""
    enabled: Tri
    """accountEnabled"""
    synced: Tri
    """onPremisesSyncEnabled"""
    created: Sequence[str]
    """createdDateTime as read; empty if null or unread"""
    password_changed: Sequence[str]
    """lastPasswordChangeDateTime as read; empty if null or unread"""
    password_age_days: NDArray[np.float64]
    """days between password change and `now`; NaN if unread"""
    password_never_expires: Tri
    """passwordPolicies holds DisablePasswordExpiration"""
    domain: Sequence[str]
    """the UPN's domain, lower case"""

    is_admin: Tri
    """holds an active, tenant-wide directory role, also through a group; UNREAD where that could not be read"""
    roles: Sequence[frozenset[str]]
    """built-in role template ids (lower case) that are active and tenant-wide, direct or through groups"""
    roles_uncertain: NDArray[np.bool_]
    """this account may hold more roles than `roles` says; which ones: `Tenant.uncertain_roles`"""

    mailbox_plan: Sequence[str]
    """of the licences: `enabled`, `pending` (pending or suspended), `none`, `unread` (users or subscribedSkus not
    complete where they decide), `unverified` (a plan whose mailbox right is not verified, e.g. M365 F1 community)"""
    mailbox_plan_note: Sequence[str]
    """the fact behind `mailbox_plan`: SKU and plan names, the error or the switched-off plan"""
    ever_had_mailbox_plan: Tri
    """assignedPlans names a mailbox plan, also a deleted one, or a plan of service exchange that is not known to be
    without a mailbox"""
    mailbox: Sequence[str]
    """recipient type of the row in dataset `mailboxes` (RecipientTypeDetails, e.g. UserMailbox, SharedMailbox);
    `Unknown` where there is a row without a readable type; empty where there is no row"""
    mailbox_usage: Sequence[str]
    """of `mailboxUsage`: `user`, `shared`, `deleted`, `unread` (a row that does not tell), or empty where there is no
    row"""
    exchange_user: Sequence[str]
    """RecipientTypeDetails of the row in `exchangeUsers` (UserMailbox, MailUser, User, …), empty where no row"""
    smtp_auth_disabled: Tri
    """of `casMailboxes`: SmtpClientAuthenticationDisabled YES, NO, INHERIT (null) or UNREAD (no row, or not read)"""
    authentication_policy: Sequence[str]
    """index key into `Tenant.authentication_policies` (its key), `` for none assigned, `?name` for one that is named
    but not in the list, `unread` where exchangeUsers has no row or was not read"""

    per_user_mfa: Sequence[str]
    """disabled, enabled, enforced, or unknown"""
    mfa_registered: Tri
    """isMfaRegistered; UNREAD where there is no row ("unknown", never "not registered")"""
    methods: Sequence[tuple[str, ...]]
    """methodsRegistered, or from `authenticationMethods` for declared senders; sorted"""
    methods_as_of: Sequence[str]
    """when the registration report was updated (lastUpdatedDateTime); empty if unread"""

    smtp_last_success: Sequence[str]
    """ISO 8601 UTC, from signIns (errorCode 0) ; empty if none seen"""
    smtp_last_failure: Sequence[str]
    smtp_failure_codes: Sequence[tuple[int, ...]]
    """distinct error codes, most frequent first"""
    smtp_app_used: Tri
    """`SMTP App` in the e-mail app usage report, or a row in `smtpAuthClients`"""

    addresses_unread: frozenset[int] = frozenset()
    """rows whose `mail` or `proxyAddresses` was not read: `addresses` may lack some of theirs"""

    def __len__(self) -> int:
        return len(self.id)


UNREADABLE_POLICY = "unreadable"
"""The `state` of what stands in `Tenant.policies` for a record that is no object."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """One SMTP sign-in. `account` is a row of Accounts, -1 where the user is not (or no longer) in the tenant."""

    account: int
    user_id: str
    time: str
    ip: str
    error_code: int
    failure_reason: str
    client: str
    policies: tuple[tuple[str, str], ...]
    """(policy id, result) of appliedConditionalAccessPolicies"""


@dataclass(frozen=True, slots=True)
class WhatIfResult:
    """What Microsoft's What If action said of one policy. `reasons`: its analysisReasons; `modified`: the policy's
    modifiedDateTime when it was asked, empty if null or unread."""

    policy: str
    """id, lower case"""
    applies: bool
    reasons: tuple[str, ...]
    modified: str


@dataclass(frozen=True, slots=True)
class WhatIfAnswer:
    """One sign-in over SMTP that the action was asked about. `account`: row of Accounts; `ip`: the address, empty
    where none was given; `error`: why the service refused, empty where it answered."""

    account: int
    ip: str
    results: tuple[WhatIfResult, ...]
    error: str


@dataclass(frozen=True, slots=True)
class Group:
    """A group that a policy names, that holds a role, or that is a trustee."""

    id: str
    name: str
    state: str
    """`read`; `deleted` (Request_ResourceNotFound: nobody); `unreadable` (denied, hidden membership, cut)"""
    members: frozenset[int] | NDArray[np.int32]
    """rows of Accounts: the transitive user members"""
    mail: str = ""
    """the group's SMTP address, lower case: Exchange names trustees by it"""


@dataclass(frozen=True, slots=True)
class AuthenticationPolicy:
    """An Exchange authentication policy. `allow_smtp` is AllowBasicAuthSmtp (UNREAD if not read)."""

    key: str
    name: str
    allow_smtp: int


@dataclass(frozen=True)
class Tenant:
    """Everything the judgement knows. Pure data: the same snapshot gives the same Tenant."""

    tenant_id: str
    name: str
    cloud: str
    now: datetime
    """timezone-aware UTC: the moment the judgement is made for"""
    status: Mapping[str, DatasetStatus]
    """every dataset of the catalogue, also those not asked for"""
    accounts: Accounts
    row_of: Mapping[str, int]
    """account id (lower case) → row"""
    row_of_address: Mapping[str, int]
    """UPN or any SMTP address (lower case) → row; UPNs win"""

    verified_domains: frozenset[str] = frozenset()
    """of the organisation, lower case; empty where they were not read"""
    security_defaults: int = UNREAD
    policies: Sequence[Mapping[str, Any]] = ()
    """conditionalAccessPolicies, raw Graph JSON; access/ reads them"""
    named_locations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """id (lower case) → raw Graph JSON"""
    authentication_strengths: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    role_definitions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """template id (lower case) → raw Graph JSON, and id → the same"""
    uncertain_roles: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    """template id of a role, or `*` for any role → the accounts (one entry each) that may hold it beside `roles`. A
    role that is not in here is certain for everybody"""
    groups: Mapping[str, Group] = field(default_factory=dict)
    """by id, lower case. An id that is missing here was not read, whether or not `groups` is complete: it counts as
    unreadable (`Tenant.group` answers so)"""
    domains: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """by name, lower case"""
    sku_names: Mapping[str, str] = field(default_factory=dict)
    authentication_methods_policy: Mapping[str, Any] | None = None

    org_smtp_auth_disabled: int = UNREAD
    """TransportConfig.SmtpClientAuthenticationDisabled"""
    allow_legacy_tls: int = UNREAD
    """TransportConfig.AllowLegacyTLSClients"""
    send_from_alias: int = UNREAD
    """OrganizationConfig.SendFromAliasEnabled"""
    reject_direct_send: int = UNREAD
    authentication_policies: Mapping[str, AuthenticationPolicy] = field(default_factory=dict)
    default_authentication_policy: str = "unread"
    """as `Accounts.authentication_policy`: key, `` for none, `?name`, or `unread`"""

    sign_ins: Sequence[SignIn] = ()
    app_password_events: Mapping[int, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    """account row → ((time, activity), …) of directoryAudits: app password created or deleted"""
    smtp_replies: Sequence[Mapping[str, Any]] = ()
    what_if: Sequence[WhatIfAnswer] = ()
    """Microsoft's own answers for a sample of accounts; evidence to compare with, which decides nothing"""

    service_principals: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """object id (lower case) → raw Graph JSON"""
    app_role_assignments: Sequence[Mapping[str, Any]] = ()
    oauth2_permission_grants: Sequence[Mapping[str, Any]] = ()
    recipient_permissions: Sequence[Mapping[str, Any]] = ()
    mailbox_permissions: Sequence[Mapping[str, Any]] = ()
    exchange_service_principals: Sequence[Mapping[str, Any]] = ()
    management_role_assignments: Sequence[Mapping[str, Any]] = ()
    management_scopes: Sequence[Mapping[str, Any]] = ()
    application_access_policies: Sequence[Mapping[str, Any]] = ()
    inbound_connectors: Sequence[Mapping[str, Any]] = ()
    accepted_domains: Sequence[Mapping[str, Any]] = ()
    hve_accounts: Sequence[Mapping[str, Any]] = ()

    problems: Sequence[DataProblem] = ()

    def complete(self, *datasets: str) -> bool:
        return all(self.status[name].complete for name in datasets)

    def group(self, group_id: str) -> Group:
        """The group of an id in any letter case; one that was not read is `unreadable`, never empty."""
        wanted = group_id.strip().lower()
        return self.groups.get(wanted) or Group(wanted, "", "unreadable", frozenset())

    def find(self, account: str) -> int:
        """The row of an account given by UPN, address or object id; -1 if there is none."""
        wanted = account.strip().lower()
        return self.row_of.get(wanted, self.row_of_address.get(wanted, -1))
