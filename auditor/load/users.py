"""Dataset `users` into columns: identity, addresses, externality, password and licences of each account."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count, islice, repeat, starmap
from typing import Any, NamedTuple

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType
from numpy.typing import NDArray

from auditor.compact import Coded, TextLists, Texts, Value
from auditor.load.licences import (
    Entitlement,
    Entitlements,
    Licences,
    Plans,
    Skus,
    States,
    unknown_state,
    unknown_status,
)
from auditor.load.source import CONTRADICTED, Block, Source, agreed, as_answered
from auditor.load.values import graph_booleans, moment
from auditor.tenant import NO, UNREAD, YES, Tri

Text = str | None | UnsetType


class GraphUser(msgspec.Struct, gc=False):
    """The properties that are read; UNSET where the object does not hold it, None where Graph says null."""

    id: str | UnsetType = UNSET
    userPrincipalName: Text = UNSET  # noqa: N815 - Graph's own names, here and below
    displayName: Text = UNSET  # noqa: N815
    mail: Text = UNSET
    proxyAddresses: tuple[str, ...] | UnsetType | None = UNSET  # noqa: N815
    accountEnabled: bool | UnsetType | None = UNSET  # noqa: N815
    userType: Text = UNSET  # noqa: N815
    creationType: Text = UNSET  # noqa: N815
    externalUserState: Text = UNSET  # noqa: N815
    onPremisesSyncEnabled: bool | UnsetType | None = UNSET  # noqa: N815
    passwordPolicies: Text = UNSET  # noqa: N815
    lastPasswordChangeDateTime: Text = UNSET  # noqa: N815
    createdDateTime: Text = UNSET  # noqa: N815
    isResourceAccount: bool | UnsetType | None = UNSET  # noqa: N815
    assignedLicenses: Licences = UNSET  # noqa: N815
    assignedPlans: Plans = UNSET  # noqa: N815
    licenseAssignmentStates: States = UNSET  # noqa: N815


_PROPERTIES = tuple(name for name in GraphUser.__struct_fields__ if name != "id")
_NEVER_NULL = (
    "userPrincipalName", "accountEnabled", "proxyAddresses", "assignedLicenses", "assignedPlans",
    "licenseAssignmentStates",
)  # fmt: skip


_WholeUser = as_answered(GraphUser, _NEVER_NULL)

Signs = tuple[bool, Text, Text, bool, bool, bool]
"""What tells where an account is from: the arguments of `externality`."""


class Origin(NamedTuple):
    user_type: str
    is_external: int
    kinds: frozenset[str]
    """the guest kinds of Conditional Access that it may be"""


def _coded() -> Any:
    return Coded()


def _numbers() -> array[int]:
    return array("b")


NOBODY = -1
"""Stands for a row of somebody who is no user."""

Bad = Mapping[int, frozenset[str]]
"""By position the names of the properties that are not used, malformed ones and those in doubt."""


@dataclass
class Users:
    """Columns of the users that were read, each id once; the meaning of each is in `Accounts`."""

    id: list[str] = field(default_factory=list)
    user_principal_name: Texts = field(default_factory=Texts)
    display_name: Texts = field(default_factory=Texts)
    addresses: TextLists = field(default_factory=TextLists)
    addresses_unread: set[int] = field(default_factory=set)
    signs: Coded[Signs] = field(default_factory=_coded)
    enabled: array[int] = field(default_factory=_numbers)
    synced: array[int] = field(default_factory=_numbers)
    created: Texts = field(default_factory=Texts)
    password_changed: Texts = field(default_factory=Texts)
    password_policies: Coded[Text] = field(default_factory=_coded)
    domain: Coded[str] = field(default_factory=_coded)
    entitlement: Coded[Entitlement] = field(default_factory=_coded)
    resource_account: array[int] = field(default_factory=_numbers)
    row_of: dict[str, int] = field(default_factory=dict)

    @property
    def origin(self) -> Coded[Origin]:
        return self.signs.mapped(lambda signs: externality(*signs))

    @property
    def password_never_expires(self) -> Tri:
        return self.password_policies.numbers(_never_expires)

    def rows_of(self, ids: Sequence[str]) -> list[int]:
        """The row of each id in any letter case, NOBODY for what is no user's."""
        rows = list(map(self.row_of.get, ids, repeat(NOBODY)))
        if NOBODY in rows:  # Microsoft writes lower case
            rows = [
                self.row_of.get(one.lower(), NOBODY) if row < 0 else row for one, row in zip(ids, rows, strict=True)
            ]
        return rows

    def __len__(self) -> int:
        return len(self.id)


def read_users(source: Source, skus: Skus) -> Users:
    """Every user that was read, also of a dataset that was cut: each row's own data is as read."""
    if not source.status["users"].asked:
        return Users()
    entitlements = Entitlements(skus)
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
    for block in source.blocks("users", GraphUser, _WholeUser):
        them, bad = _distinct(users, block, contradicted, twice, source)
        if bad or not block.whole:
            _tell_gaps(users, them, bad, source)
        _append(users, them, bad, entitlements)
    _tell_unknown_words(users, source)
    return users, twice


def _distinct(
    users: Users, block: Block[GraphUser], contradicted: Mapping[str, frozenset[str]], twice: set[str], source: Source
) -> tuple[list[GraphUser], Bad]:
    """Those of the block that were not there before, which get their rows, and what is bad of whom of them."""
    if block.whole and not contradicted and _all_new(users, block.records):
        return block.records, {}
    fresh: list[GraphUser] = []
    bad: dict[int, frozenset[str]] = {}
    for position, user in enumerate(block.records):
        if not user.id:
            if "id" not in block.malformed(position):
                source.problems.add("users", block.place(position), "id", "missing: the object is left out")
            source.lose("users")
            continue
        user_id = user.id.lower()
        if user_id in users.row_of:
            twice.add(user_id)
            continue
        users.row_of[user_id] = len(users)
        users.id.append(user_id)
        if position in block.bad or user_id in contradicted:
            doubted = contradicted.get(user_id, frozenset())
            known = {name: getattr(user, name) for name in _PROPERTIES if name not in doubted}
            user = GraphUser(id=user.id, **known)
            bad[len(fresh)] = block.malformed(position) | doubted
        fresh.append(user)
    return fresh, bad


def _all_new(users: Users, them: list[GraphUser]) -> bool:
    """Gives all of them their rows, if each has an id that was not there before."""
    ids = [(user.id or "").lower() for user in them]
    rows = dict(zip(ids, count(len(users)), strict=False))
    if len(rows) < len(ids) or "" in rows or not users.row_of.keys().isdisjoint(rows):
        return False
    users.row_of.update(rows)
    users.id += ids
    return True


def _append(users: Users, them: list[GraphUser], malformed: Bad, entitlements: Entitlements) -> None:
    """The columns of those who are the last in `users.id`."""
    upns = [user.userPrincipalName or "" for user in them]
    lower = [upn.lower() for upn in upns]
    signs: list[Signs] = [
        ("#ext#" in upn, user.userType, user.creationType, bool(user.externalUserState), False, not upn)
        for user, upn in zip(them, lower, strict=True)
    ]
    licences = [(user.assignedLicenses, user.assignedPlans, user.licenseAssignmentStates) for user in them]
    for position, bad in malformed.items():
        origin_malformed = not upns[position] or not bad.isdisjoint(("creationType", "externalUserState"))
        signs[position] = (*signs[position][:4], "userType" in bad, origin_malformed)
        if "licenseAssignmentStates" in bad:
            licences[position] = (*licences[position][:2], None)
    users.user_principal_name.extend(upns)
    users.display_name.extend([user.displayName or "" for user in them])
    users.addresses.extend(map(_addresses, them))
    users.signs.extend(signs)
    users.enabled.extend(graph_booleans([user.accountEnabled for user in them]))
    # null means that it was never synchronised
    synced = [user.onPremisesSyncEnabled for user in them]
    users.synced.extend(graph_booleans([False if value is None else value for value in synced]))
    users.created.extend([user.createdDateTime or "" for user in them])
    users.password_changed.extend([user.lastPasswordChangeDateTime or "" for user in them])
    users.password_policies.extend([user.passwordPolicies for user in them])
    users.domain.extend([upn.rpartition("@")[2] if "@" in upn else "" for upn in lower])
    users.entitlement.extend(starmap(entitlements.judge, licences))
    users.resource_account.extend(graph_booleans([user.isResourceAccount for user in them]))


def _tell_unknown_words(users: Users, source: Source) -> None:
    def tell(name: str, column: Coded[Value], problem: Callable[[Value], str]) -> None:
        for row in np.flatnonzero(column.where(problem)).tolist():
            source.problems.add("users", users.id[row], name, problem(column[row]))

    tell("userType", users.signs, _unknown_type)
    tell("creationType", users.signs, _unknown_creation)
    tell("passwordPolicies", users.password_policies, _unknown_policies)
    tell("assignedPlans", users.entitlement, unknown_status)
    tell("licenseAssignmentStates", users.entitlement, unknown_state)


def _tell_gaps(users: Users, them: list[GraphUser], malformed: Bad, source: Source) -> None:
    """Of those who are the last in `users.id`."""
    first = len(users) - len(them)
    for position, user in enumerate(them):
        row, bad = first + position, malformed.get(position, frozenset())
        for name in _PROPERTIES:
            value = getattr(user, name)
            if value is UNSET and name not in bad:
                source.problems.missing("users", users.id[row], name)
            elif value is None and name in _NEVER_NULL:
                source.problems.add("users", users.id[row], name, "null, which Graph never answers for it")
        if user.proxyAddresses is UNSET or user.proxyAddresses is None or user.mail is UNSET:
            users.addresses_unread.add(row)


def externality(
    outside_name: bool, user_type: Text, creation: Text, invited: bool, type_malformed: bool, origin_malformed: bool
) -> Origin:
    """`outside_name`: the UPN holds `#EXT#`; `invited`: externalUserState is set.

    A missing user type is no guest (contract); a malformed one, or one that is neither Member nor Guest, leaves it
    open, as does a malformed or unknown sign of where the account comes from while no other sign stands.
    Source: https://learn.microsoft.com/graph/api/resources/user (creationType)"""
    word = user_type.lower() if isinstance(user_type, str) else ""
    known = word if word in _USER_TYPES else ""
    type_open = type_malformed or word != known
    made = creation.lower() if isinstance(creation, str) else ""
    origin_open = origin_malformed or made not in _FROM_OUTSIDE | _FROM_INSIDE
    if outside_name or invited or made in _FROM_OUTSIDE:
        if known == "guest":
            return Origin(known, YES, _B2B_GUEST)
        return Origin(known, YES, _B2B_GUEST | _B2B_MEMBER if type_open else _B2B_MEMBER)
    if known == "guest":
        return Origin(known, YES, _INTERNAL_GUEST | _B2B_GUEST if origin_open else _INTERNAL_GUEST)
    if type_open or origin_open:
        kinds = (_INTERNAL_GUEST if type_open else _NOBODY) | (_B2B_MEMBER if origin_open else _NOBODY)
        return Origin(known, UNREAD, kinds)
    return Origin(known, NO, _NOBODY)


_USER_TYPES = frozenset({"member", "guest"})
_FROM_OUTSIDE = frozenset({"invitation", "selfservicesignup"})
_FROM_INSIDE = frozenset({"", "emailverified", "localaccount"})
"""`creationType` of accounts of this tenant: EmailVerified is an internal user's own sign-up."""
_NOBODY: frozenset[str] = frozenset()
_INTERNAL_GUEST = frozenset({"internalGuest"})
_B2B_GUEST = frozenset({"b2bCollaborationGuest"})
_B2B_MEMBER = frozenset({"b2bCollaborationMember"})


def _addresses(user: GraphUser) -> tuple[str, ...]:
    """Each SMTP address once, the primary one first, then `mail`."""
    found: dict[str, None] = {}
    others = []
    for proxy in user.proxyAddresses or ():
        scheme, _, address = proxy.partition(":")
        if scheme == "SMTP":
            found[address.lower()] = None
        elif scheme == "smtp" or scheme.lower() == "smtp":
            others.append(address.lower())
    if user.mail:
        found[user.mail.lower()] = None
    for address in others:
        found[address] = None
    found.pop("", None)
    return tuple(found)


def password_ages(users: Users, source: Source) -> NDArray[np.float64]:
    """Days since each password changed; NaN where unread, and for year 1, which Graph writes for "not yet"."""
    ages = np.full(len(users), np.nan)
    changed = iter(users.password_changed)
    start = 0
    while some := [one or _NOT_YET for one in islice(changed, _SOME)]:
        ages[start : start + len(some)] = _ages_at_once(some, source.now)
        start += len(some)
    for row in np.flatnonzero(np.isnan(ages)).tolist():
        ages[row] = _age(users.password_changed[row], users.id[row], source)
    return ages


_SOME = 4096
_NOT_YET = "0001-01-01T00:00:00Z"


def _ages_at_once(changed: list[str], now: datetime) -> NDArray[np.float64] | float:
    """NaN where any of them is not written as Graph writes it, in whole seconds."""
    if {one[19:] for one in changed} != {"Z"}:
        return np.nan
    try:
        times = np.array([one[:19] for one in changed], dtype="datetime64[s]")
    except ValueError:
        return np.nan
    microseconds = (np.datetime64(now.replace(tzinfo=None), "us") - times).astype(np.int64)
    return np.where(times < _YEAR_2, np.nan, microseconds / 1e6 / 86400)


_YEAR_2 = np.datetime64("0002-01-01")


def _age(changed: str, user_id: str, source: Source) -> float:
    if not changed:
        return np.nan
    parsed = moment(changed)
    if parsed is None:
        source.problems.add("users", user_id, "lastPasswordChangeDateTime", f"`{changed}` is no time")
    if parsed is None or parsed.year == 1:
        return np.nan
    return (source.now - parsed).total_seconds() / 86400


def _unknown_type(signs: Signs) -> str:
    word = signs[1] or ""
    return f"`{word}` is neither Member nor Guest" if word.lower() not in _USER_TYPES | {""} else ""


def _unknown_creation(signs: Signs) -> str:
    word = signs[2] or ""
    return f"`{word}` is not known" if word.lower() not in _FROM_OUTSIDE | _FROM_INSIDE else ""


def _unknown_policies(policies: Text) -> str:
    return f"`{policies}` is not known" if policies and _never_expires(policies) == UNREAD else ""


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
