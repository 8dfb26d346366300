"""Dataset `users` into columns: identity, addresses, externality, password and licences of each account."""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from operator import attrgetter

import msgspec
from msgspec import UNSET, UnsetType

from auditor.compact import Coded, TextLists, Texts
from auditor.load.licences import (
    AssignedLicence,
    AssignedPlan,
    AssignmentState,
    Entitlements,
    Skus,
    ever_had_mailbox_plan,
    exchange_plans,
)
from auditor.load.source import CONTRADICTED, Source, agreed
from auditor.load.values import graph_boolean, moment
from auditor.tenant import NO, UNREAD, YES

Text = str | None | UnsetType


class GraphUser(msgspec.Struct, gc=False):
    """The properties that are read; UNSET where the object does not hold it, None where Graph says null."""

    id: str | UnsetType = UNSET
    userPrincipalName: Text = UNSET  # noqa: N815 - Graph's own names, here and below
    displayName: Text = UNSET  # noqa: N815
    mail: Text = UNSET
    proxyAddresses: list[str] | UnsetType | None = UNSET  # noqa: N815
    accountEnabled: bool | UnsetType | None = UNSET  # noqa: N815
    userType: Text = UNSET  # noqa: N815
    creationType: Text = UNSET  # noqa: N815
    externalUserState: Text = UNSET  # noqa: N815
    onPremisesSyncEnabled: bool | UnsetType | None = UNSET  # noqa: N815
    passwordPolicies: Text = UNSET  # noqa: N815
    lastPasswordChangeDateTime: Text = UNSET  # noqa: N815
    createdDateTime: Text = UNSET  # noqa: N815
    isResourceAccount: bool | UnsetType | None = UNSET  # noqa: N815
    assignedLicenses: list[AssignedLicence] | UnsetType | None = UNSET  # noqa: N815
    assignedPlans: list[AssignedPlan] | UnsetType | None = UNSET  # noqa: N815
    licenseAssignmentStates: list[AssignmentState] | UnsetType | None = UNSET  # noqa: N815


_PROPERTIES = tuple(name for name in GraphUser.__struct_fields__ if name != "id")
_NEVER_NULL = (
    "userPrincipalName", "accountEnabled", "proxyAddresses", "assignedLicenses", "assignedPlans",
    "licenseAssignmentStates",
)  # fmt: skip
_never_null = attrgetter(*_NEVER_NULL)


def _words() -> Coded[str]:
    return Coded()


def _numbers() -> array[int]:
    return array("b")


@dataclass
class Users:
    """Columns of the users that were read, each id once; the meaning of each is in `Accounts`."""

    id: list[str] = field(default_factory=list)
    user_principal_name: Texts = field(default_factory=Texts)
    display_name: Texts = field(default_factory=Texts)
    addresses: TextLists = field(default_factory=TextLists)
    addresses_unread: set[int] = field(default_factory=set)
    user_type: Coded[str] = field(default_factory=_words)
    is_external: array[int] = field(default_factory=_numbers)
    external_kinds: Coded[frozenset[str]] = field(default_factory=lambda: Coded())
    enabled: array[int] = field(default_factory=_numbers)
    synced: array[int] = field(default_factory=_numbers)
    created: Texts = field(default_factory=Texts)
    password_changed: Texts = field(default_factory=Texts)
    password_age_days: array[float] = field(default_factory=lambda: array("d"))
    password_never_expires: array[int] = field(default_factory=_numbers)
    domain: Coded[str] = field(default_factory=_words)
    mailbox_plan: Coded[str] = field(default_factory=_words)
    mailbox_plan_note: Coded[str] = field(default_factory=_words)
    ever_had_mailbox_plan: array[int] = field(default_factory=_numbers)
    resource_account: array[int] = field(default_factory=_numbers)
    row_of: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.id)


def read_users(source: Source, skus: Skus) -> Users:
    """Every user that was read, also of a dataset that was cut: each row's own data is as read."""
    if not source.status["users"].asked:
        return Users()
    entitlements = Entitlements(skus, source)
    users, twice = _read(source, entitlements, {})
    contradicted = _contradicted(source, twice) if twice else {}
    if contradicted:
        users, _ = _read(source, entitlements, contradicted)
    source.distinct["users"] = len(users)
    return users


def _read(
    source: Source, entitlements: Entitlements, contradicted: Mapping[str, frozenset[str]]
) -> tuple[Users, set[str]]:
    """(the users, ids that stand more than once). `contradicted`: id → properties that are not used."""
    users = Users()
    twice: set[str] = set()
    for user, bad, place in source.decoded("users", GraphUser):
        if user.id is UNSET or not user.id:
            if "id" not in bad:
                source.problems.add("users", place, "id", "missing: the object is left out")
            source.lose("users")
            continue
        user_id = user.id.lower()
        if user_id in users.row_of:
            twice.add(user_id)
            continue
        users.row_of[user_id] = len(users)
        doubted = contradicted.get(user_id)
        if doubted:
            known = {name: getattr(user, name) for name in _PROPERTIES if name not in doubted}
            user, bad = GraphUser(id=user.id, **known), bad | doubted
        _append(users, user, user_id, bad, source, entitlements)
    return users, twice


def _append(
    users: Users, user: GraphUser, user_id: str, bad: frozenset[str], source: Source, entitlements: Entitlements
) -> None:
    if UNSET in msgspec.structs.astuple(user) or None in _never_null(user):
        _tell_gaps(user, user_id, bad, source)
    upn = user.userPrincipalName or ""
    users.id.append(user_id)
    users.user_principal_name.append(upn)
    users.display_name.append(user.displayName or "")
    if user.proxyAddresses is UNSET or user.proxyAddresses is None or user.mail is UNSET:
        users.addresses_unread.add(len(users.id) - 1)
    users.addresses.append(_addresses(user))
    known_type, external, kinds = externality(
        "#ext#" in upn.lower(),
        user.userType,
        user.creationType,
        user.externalUserState,
        type_malformed="userType" in bad,
        origin_malformed=not upn or not bad.isdisjoint(("creationType", "externalUserState")),
    )
    if user.userType and isinstance(user.userType, str) and not known_type:
        source.problems.add("users", user_id, "userType", f"`{user.userType}` is neither Member nor Guest")
    if user.passwordPolicies and _never_expires(user.passwordPolicies) == UNREAD:
        source.problems.add("users", user_id, "passwordPolicies", f"`{user.passwordPolicies}` is not known")
    if isinstance(user.creationType, str) and user.creationType.lower() not in _FROM_OUTSIDE | _FROM_INSIDE:
        source.problems.add("users", user_id, "creationType", f"`{user.creationType}` is not known")
    users.user_type.append(known_type)
    users.is_external.append(external)
    users.external_kinds.append(kinds)
    users.enabled.append(graph_boolean(user.accountEnabled))
    # null means that it was never synchronised
    users.synced.append(NO if user.onPremisesSyncEnabled is None else graph_boolean(user.onPremisesSyncEnabled))
    users.created.append(user.createdDateTime or "")
    users.password_changed.append(user.lastPasswordChangeDateTime or "")
    users.password_age_days.append(_age(user.lastPasswordChangeDateTime, user_id, source))
    users.password_never_expires.append(_never_expires(user.passwordPolicies))
    users.domain.append(upn.rpartition("@")[2].lower() if "@" in upn else "")
    plans = exchange_plans(user.assignedPlans)
    states_bad = "licenseAssignmentStates" in bad
    plan, note = entitlements.judge(
        user_id, user.assignedLicenses, plans, user.licenseAssignmentStates, states_bad=states_bad
    )
    users.mailbox_plan.append(plan)
    users.mailbox_plan_note.append(note)
    users.ever_had_mailbox_plan.append(ever_had_mailbox_plan(plans))
    users.resource_account.append(graph_boolean(user.isResourceAccount))


def _tell_gaps(user: GraphUser, user_id: str, bad: frozenset[str], source: Source) -> None:
    for name in _PROPERTIES:
        if getattr(user, name) is UNSET and name not in bad:
            source.problems.missing("users", user_id, name)
    for name in _NEVER_NULL:
        if getattr(user, name) is None:
            source.problems.add("users", user_id, name, "null, which Graph never answers for it")


@lru_cache(maxsize=1024)
def externality(
    outside_name: bool, user_type: Text, creation: Text, state: Text, *, type_malformed: bool, origin_malformed: bool
) -> tuple[str, int, frozenset[str]]:
    """(known user type, is external, the guest kinds of Conditional Access that it may be). `outside_name`: the UPN
    holds `#EXT#`.

    A missing user type is no guest (contract); a malformed one, or one that is neither Member nor Guest, leaves it
    open, as does a malformed or unknown sign of where the account comes from while no other sign stands.
    Source: https://learn.microsoft.com/graph/api/resources/user (creationType)"""
    word = user_type.lower() if isinstance(user_type, str) else ""
    known = word if word in {"member", "guest"} else ""
    type_open = type_malformed or word != known
    made = creation.lower() if isinstance(creation, str) else ""
    origin_open = origin_malformed or made not in _FROM_OUTSIDE | _FROM_INSIDE
    if outside_name or bool(state) or made in _FROM_OUTSIDE:
        if known == "guest":
            return known, YES, _B2B_GUEST
        return known, YES, _B2B_GUEST | _B2B_MEMBER if type_open else _B2B_MEMBER
    if known == "guest":
        return known, YES, _INTERNAL_GUEST | _B2B_GUEST if origin_open else _INTERNAL_GUEST
    if type_open or origin_open:
        kinds = (_INTERNAL_GUEST if type_open else _NOBODY) | (_B2B_MEMBER if origin_open else _NOBODY)
        return known, UNREAD, kinds
    return known, NO, _NOBODY


_FROM_OUTSIDE = frozenset({"invitation", "selfservicesignup"})
_FROM_INSIDE = frozenset({"", "emailverified", "localaccount"})
"""`creationType` of accounts of this tenant: EmailVerified is an internal user's own sign-up."""
_NOBODY: frozenset[str] = frozenset()
_INTERNAL_GUEST = frozenset({"internalGuest"})
_B2B_GUEST = frozenset({"b2bCollaborationGuest"})
_B2B_MEMBER = frozenset({"b2bCollaborationMember"})


def _addresses(user: GraphUser) -> tuple[str, ...]:
    primary: list[str] = []
    others: list[str] = []
    for address in user.proxyAddresses or ():
        scheme, _, rest = address.partition(":")
        if rest and scheme.lower() == "smtp":
            (primary if scheme == "SMTP" else others).append(rest.lower())
    mail = [user.mail.lower()] if user.mail else []
    return tuple(dict.fromkeys(primary + mail + others))


def _age(changed: Text, user_id: str, source: Source) -> float:
    """Days since the password changed; NaN where unread, and for year 1, which Graph writes for "not yet"."""
    if not changed:
        return float("nan")
    parsed = moment(changed)
    if parsed is None:
        source.problems.add("users", user_id, "lastPasswordChangeDateTime", f"`{changed}` is no time")
    if parsed is None or parsed.year == 1:
        return float("nan")
    return (source.now - parsed).total_seconds() / 86400


@lru_cache(maxsize=1024)
def _never_expires(policies: Text) -> int:
    if policies is UNSET:
        return UNREAD
    words = {word.strip().lower() for word in (policies or "").split(",")}
    if "disablepasswordexpiration" in words:
        return YES
    return NO if words <= _PASSWORD_POLICIES else UNREAD


_PASSWORD_POLICIES = frozenset({"", "none", "disablestrongpassword"})


def _contradicted(source: Source, twice: set[str]) -> dict[str, frozenset[str]]:
    """id → the properties that its objects do not agree on, which are then as good as unread. Rare, so the file is read
    again instead of keeping every object."""
    first: dict[str, dict[str, object]] = {}
    found: dict[str, frozenset[str]] = {}
    for line in source.snapshot.lines("users"):
        record = json.loads(line)
        if not isinstance(record, dict) or not isinstance(record.get("id"), str):
            continue
        user_id = record["id"].lower()
        if user_id not in twice or first.setdefault(user_id, record) == record:
            continue
        both = agreed(first[user_id], record)
        differing = {name for name in _PROPERTIES if name in first[user_id] or name in record} - both.keys()
        found[user_id] = found.get(user_id, frozenset()) | differing
        source.problems.add("users", user_id, "", CONTRADICTED)
    return found
