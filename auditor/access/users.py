"""The user condition of a policy, for every account at once: include minus exclude, exclude wins.

Whom the policy names certainly and whom it may name are kept apart: a group or role that could not be read leaves the
accounts it could decide unknown, and only those. Source:
https://learn.microsoft.com/entra/identity/conditional-access/concept-conditional-access-users-groups
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from auditor.access.model import Codes, Match, Outcome
from auditor.access.shapes import Malformed, blank, flags, foreign, is_word, lower, section, strange, strings, unknown
from auditor.compact import Coded, coded
from auditor.states import Mask
from auditor.tenant import UNREAD, YES, Tenant

CONDITION = "conditions.users"
KNOWN = tuple(
    f"{side}{kind}" for side in ("include", "exclude") for kind in ("Users", "Groups", "Roles", "GuestsOrExternalUsers")
)
KINDS = frozenset(
    {"none", "internalguest", "b2bcollaborationguest", "b2bcollaborationmember", "b2bdirectconnectuser",
     "otherexternaluser", "serviceprovider"}
)  # fmt: skip
"""Graph's guestOrExternalUserTypes, lower case."""
AT_HOME = frozenset({"internalguest"})
"""Guest kinds whose home is this tenant: a list of external tenants does not concern them."""
ANY_ROLE = "*"
OF_GROUPS = ("groups", "groupMembers")
OF_ROLES = ("roleAssignments", "roleDefinitions", *OF_GROUPS)

Rows = NDArray[np.integer[Any]] | Mask | slice
EVERYBODY = slice(None)


class Named(NamedTuple):
    """Accounts that one entry of a policy names: certainly, or perhaps (`outcome.match` is UNKNOWN)."""

    rows: Rows
    outcome: Outcome


@dataclass(frozen=True, eq=False)
class UserReach:
    """The user condition's answer: per account `Match` and the outcome that decided it."""

    match: NDArray[np.uint8]
    by: Codes
    outcomes: tuple[Outcome, ...]


@dataclass(eq=False)
class People:
    """Who is in which group, role or guest kind: built once per tenant, used by every policy. `only`: rows of the
    accounts that are asked about, which everything here is then counted by; None for all."""

    tenant: Tenant
    only: NDArray[np.int32] | None = None
    _roles: dict[str, NDArray[np.intp]] = field(default_factory=dict)

    @cached_property
    def size(self) -> int:
        return len(self.tenant.accounts) if self.only is None else len(self.only)

    def column(self, values: NDArray[Any]) -> NDArray[Any]:
        """Of one value per account those of the accounts that are asked about."""
        return values if self.only is None else values[self.only]

    def places(self, rows: NDArray[np.int32]) -> NDArray[Any]:
        """Where these rows stand among the accounts that are asked about."""
        return rows if self.only is None else np.flatnonzero(np.isin(self.only, rows))

    @cached_property
    def externals(self) -> tuple[Mask, Mask]:
        """(certainly, perhaps) a guest, internal guest or external member."""
        external = self.column(self.tenant.accounts.is_external)
        if not self.tenant.complete("users"):
            return np.zeros(self.size, dtype=np.bool_), np.ones(self.size, dtype=np.bool_)
        return external == YES, external == UNREAD

    @cached_property
    def kinds(self) -> tuple[NDArray[Any], tuple[frozenset[str], ...]]:
        """Code per account and the sets of guest kinds (lower case) that it may be."""
        kinds_of = coded(self.tenant.accounts.external_kinds)
        return self.column(kinds_of.codes), tuple(frozenset(map(str.lower, kinds)) for kinds in kinds_of.table)

    def role(self, role: str) -> NDArray[np.intp]:
        """Who holds it."""
        if role not in self._roles:
            self._roles[role] = np.flatnonzero(self.column(self._held.where(lambda held: role in held)))
        return self._roles[role]

    @cached_property
    def _held(self) -> Coded[frozenset[str]]:
        return coded(self.tenant.accounts.roles)

    def perhaps_role(self, role: str) -> Mask:
        """Who may hold the role beside those who certainly do."""
        tenant = self.tenant
        if not tenant.complete("roleAssignments"):
            return np.ones(self.size, dtype=np.bool_)
        if not tenant.complete("roleDefinitions"):
            return self.column(tenant.accounts.roles_uncertain)  # of no assignment is known which role it is
        nobody = np.zeros(len(tenant.accounts), dtype=np.bool_)
        return self.column(tenant.uncertain_roles.get(role, nobody) | tenant.uncertain_roles.get(ANY_ROLE, nobody))


def user_reach(people: People, conditions: Mapping[str, Any]) -> UserReach:
    """The user condition over all accounts.

    `users` that is absent or null, or that holds none of its `include…` properties, was read in part only and decides
    nothing; one whose lists are there and empty names nobody."""
    users = conditions.get("users")
    if not isinstance(users, Mapping) or not any(key in users for key in KNOWN if key.startswith("include")):
        return _same_for_all(people.size, strange(CONDITION, "whom the policy includes was not read"))
    include = list(_entries(people, users, "include"))
    exclude = list(_entries(people, users, "exclude"))
    for key in foreign(users, KNOWN):
        # a property that is not known may name anybody, on either side
        doubt = Named(EVERYBODY, strange(f"{CONDITION}.{key}", "the property is not known"))
        include.append(doubt)
        exclude.append(doubt)
    return _minus(people.size, include, exclude)


def _same_for_all(size: int, outcome: Outcome) -> UserReach:
    return UserReach(np.full(size, outcome.match, dtype=np.uint8), np.zeros(size, dtype=np.uint8), (outcome,))


NOT_INCLUDED = Outcome(Match.MISSES, CONDITION, "the account is not included")
INCLUDED = Outcome(Match.REACHES, CONDITION, "the account is included")


def _minus(size: int, include: list[Named], exclude: list[Named]) -> UserReach:
    """Certain exclusions win, then certain non-inclusion, then any doubt; who is left is reached.

    Written in that order of strength from the weakest up, so that each stronger answer overwrites."""
    outcomes = [NOT_INCLUDED, INCLUDED]
    by = np.zeros(size, dtype=np.min_scalar_type(len(outcomes) + len(include) + len(exclude)))
    included = np.zeros(size, dtype=np.bool_)

    def put(rows: Rows | Mask, outcome: Outcome) -> None:
        by[rows] = len(outcomes)
        outcomes.append(outcome)

    for named in reversed(include):
        if named.outcome.match == Match.UNKNOWN:
            put(named.rows, named.outcome)
    for named in include:
        if named.outcome.match != Match.UNKNOWN:
            included[named.rows] = True
    by[included] = 1
    reachable = by != 0
    for named in reversed(exclude):
        if named.outcome.match == Match.UNKNOWN:
            put(_within(named.rows, reachable), named.outcome)
    for named in reversed(exclude):
        if named.outcome.match != Match.UNKNOWN:
            put(_within(named.rows, reachable), named.outcome)
    match = np.array([outcome.match for outcome in outcomes], dtype=np.uint8)[by]
    return UserReach(match, by, tuple(outcomes))


def _within(rows: Rows, mask: Mask) -> Mask:
    inside = np.zeros_like(mask)
    inside[rows] = True
    inside &= mask
    return inside


def _entries(people: People, users: Mapping[str, Any], side: str) -> Iterator[Named]:
    """What one side names, entry by entry. The outcome of an included account is not told apart; an excluded one's
    is."""
    readers = {"Users": _user, "Groups": _group, "Roles": _role}
    for kind, read in readers.items():
        key = f"{side}{kind}"
        try:
            for token in dict.fromkeys(lower(strings(users, key))):
                yield from read(people, f"{CONDITION}.{key}", token)
        except Malformed as problem:
            yield Named(EVERYBODY, strange(f"{CONDITION}.{key}", str(problem)))
    key = f"{side}GuestsOrExternalUsers"
    try:
        guests = section(users, key)
        if guests is not None:
            yield from _guests(people, f"{CONDITION}.{key}", guests)
    except Malformed as problem:
        yield Named(EVERYBODY, strange(f"{CONDITION}.{key}", str(problem)))


def _outcome(condition: str, detail: str, *objects: str) -> Outcome:
    """Of a certain entry; on the include side only its certainty counts."""
    return Outcome(Match.MISSES, condition, f"excluded: {detail}", (), objects)


def _user(people: People, condition: str, token: str) -> Iterator[Named]:
    """An account by id; a special word; an id that belongs to no account is a deleted user and names nobody."""
    row = people.tenant.row_of.get(token)
    if row is not None:
        yield Named(people.places(np.array([row], dtype=np.int32)), _outcome(condition, "the account itself", token))
    elif token == "all":
        yield Named(EVERYBODY, _outcome(condition, "all users"))
    elif token == "guestsorexternalusers":
        certain, perhaps = people.externals
        yield Named(certain, _outcome(condition, "guests and external users"))
        if perhaps.any():
            yield Named(perhaps, unknown(condition, "whether the account is a guest was not read", "users"))
    elif token != "none" and is_word(token):
        yield Named(EVERYBODY, strange(condition, f"'{token}' is not known"))


def _group(people: People, condition: str, token: str) -> Iterator[Named]:
    group = people.tenant.groups.get(token)
    readable = people.tenant.complete(*OF_GROUPS)
    if group is not None and group.state == "deleted":
        return
    name = group.name or token if group is not None else token
    if group is None or group.state != "read" or not readable:
        missing = tuple(name for name in OF_GROUPS if not people.tenant.complete(name)) or OF_GROUPS
        outcome = Outcome(Match.UNKNOWN, condition, f"the members of group '{name}' were not read", missing, (token,))
        yield Named(EVERYBODY, outcome)
        return
    members = group.members
    rows = members if isinstance(members, np.ndarray) else np.fromiter(members, dtype=np.int32, count=len(members))
    yield Named(people.places(rows), _outcome(condition, f"a member of group '{name}'", token))


def _role(people: People, condition: str, token: str) -> Iterator[Named]:
    """Built-in roles by template id; a custom role does not count."""
    tenant = people.tenant
    definition = tenant.role_definitions.get(token, {})
    if tenant.complete("roleDefinitions") and definition.get("isBuiltIn") is False:
        return
    name = definition.get("displayName") or token
    if tenant.complete("roleAssignments", "roleDefinitions"):
        yield Named(people.role(token), _outcome(condition, f"holds role '{name}'", token))
    doubted = people.perhaps_role(token)
    if doubted.any():
        missing = tuple(name for name in OF_ROLES if not tenant.complete(name)) or OF_ROLES[:2]
        detail = f"who holds role '{name}' was not read whole"
        yield Named(doubted, Outcome(Match.UNKNOWN, condition, detail, missing, (token,)))


def _guests(people: People, condition: str, guests: Mapping[str, Any]) -> Iterator[Named]:
    """Guest kinds as flags, perhaps narrowed to some external tenants. Whose home an account has, Graph does not
    show."""
    wanted = frozenset(lower(flags(guests, "guestOrExternalUserTypes")))
    if not wanted and blank(guests):
        return
    doubt = "a guest kind of it is not known" if wanted - KINDS else ""
    if not wanted or foreign(guests, ("guestOrExternalUserTypes", "externalTenants")):
        doubt = "which guests it names was not read"
    if wanted == {"none"} and not doubt:
        return
    narrowed = _narrowed(guests)
    codes, table = people.kinds
    certain = np.zeros(len(table), dtype=np.bool_)
    perhaps = np.zeros(len(table), dtype=np.bool_)
    for code, kinds in enumerate(table):
        hit = kinds & wanted
        certain[code] = bool(hit) and kinds <= wanted and not (narrowed and not kinds <= AT_HOME)
        perhaps[code] = not certain[code] and bool(hit or doubt or not kinds)
    external, open_question = people.externals
    yield Named(certain[codes] & external, _outcome(condition, "a guest or external user"))
    rest = (perhaps[codes] & external) | ((perhaps | certain)[codes] & open_question)
    if not people.tenant.complete("users"):
        rest = open_question
    if doubt:
        yield Named(rest, strange(condition, doubt))
    elif rest.any():
        detail = narrowed or "what kind of guest the account is was not read"
        yield Named(rest, unknown(condition, detail, *(() if narrowed else ("users",))))


def _narrowed(guests: Mapping[str, Any]) -> str:
    """Why external tenants leave it open; empty where all of them count."""
    tenants = guests.get("externalTenants")
    if tenants is None or tenants == {}:
        return ""
    if not isinstance(tenants, Mapping):
        raise Malformed("externalTenants is no object")
    kind = tenants.get("membershipKind")
    every = str(tenants.get("@odata.type", "")).endswith("AllExternalTenants") if kind is None else kind == "all"
    return "" if every else "it names some external tenants, and the account's home is not known"
