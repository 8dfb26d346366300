"""Groups and directory roles: who is in them, directly and through groups, and where that is not certain.

Sources: https://learn.microsoft.com/entra/identity/conditional-access/concept-conditional-access-users-groups,
https://learn.microsoft.com/graph/api/resources/unifiedroleassignment.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType
from numpy.typing import NDArray

from auditor.compact import Coded
from auditor.load.shapes import Id
from auditor.load.source import Block, Source, as_answered
from auditor.load.users import NOBODY, Users
from auditor.states import Mask
from auditor.tenant import NO, UNREAD, YES, Group

DELETED = "Request_ResourceNotFound"
ANY_ROLE = "*"


class _Group(msgspec.Struct, gc=False):
    id: str | UnsetType = UNSET
    displayName: str | UnsetType | None = UNSET  # noqa: N815 - Graph's own names, here and below
    visibility: str | UnsetType | None = UNSET
    mail: str | UnsetType | None = UNSET
    error: str | UnsetType | None = UNSET


class _Member(msgspec.Struct, gc=False):
    groupId: Id | UnsetType = UNSET  # noqa: N815
    id: Id | UnsetType = UNSET


_WholeMember = as_answered(_Member)


class _Assignment(msgspec.Struct, gc=False):
    principalId: str | UnsetType | None = UNSET  # noqa: N815
    roleDefinitionId: str | UnsetType | None = UNSET  # noqa: N815
    directoryScopeId: str | UnsetType | None = UNSET  # noqa: N815
    appScopeId: str | UnsetType | None = UNSET  # noqa: N815


def read_groups(source: Source, users: Users) -> dict[str, Group]:
    """`Tenant.groups`; empty where `groups` is not complete, and then every group is unreadable."""
    members = _members(source, users)
    if not source.complete("groups"):
        return {}
    listed: dict[str, _Group] = {}
    contradicted = set()
    for group, bad, place in source.decoded("groups", _Group):
        if group.id is UNSET or not group.id:
            if "id" not in bad:
                source.problems.add("groups", place, "id", "missing: the object is left out")
            source.lose("groups")
            continue
        group_id = group.id.lower()
        if bad or listed.setdefault(group_id, group) != group:
            listed[group_id] = group
            contradicted.add(group_id)
            if not bad:
                source.problems.add("groups", group_id, "", "stands twice with different values: it is unreadable")
    source.distinct["groups"] = len(listed)
    groups = {}
    for group_id, group in listed.items():
        state = "unreadable" if group_id in contradicted else _state(group, group_id, members, source)
        rows = members.of.get(group_id, _NOBODY) if state == "read" else _NOBODY
        groups[group_id] = Group(group_id, group.displayName or "", state, rows, (group.mail or "").lower())
    return groups


def _state(group: _Group, group_id: str, members: _Members, source: Source) -> str:
    if isinstance(group.error, str):
        return "deleted" if group.error == DELETED else "unreadable"
    if not members.known or group_id in members.unclear:
        return "unreadable"
    if group.visibility is UNSET:
        source.problems.missing("groups", group_id, "visibility")
        return "read" if group_id in members.of else "unreadable"
    visibility = (group.visibility or "").lower()
    if visibility not in ("", "public", "private", "hiddenmembership"):
        source.problems.add("groups", group_id, "visibility", f"`{group.visibility}` is not known: it is unreadable")
    return "read" if visibility in ("", "public", "private") else "unreadable"


_NOBODY: NDArray[np.int32] = np.zeros(0, dtype=np.int32)


@dataclass
class _Members:
    """`of`: group id → rows of Accounts; `unclear`: groups that lost a member; `known`: may members be used at all."""

    of: dict[str, NDArray[np.int32]]
    unclear: set[str]
    known: bool


def _members(source: Source, users: Users) -> _Members:
    name = "groupMembers"
    if not source.complete(name):
        return _Members({}, set(), known=False)
    groups, rows = Coded[str](), array("i")
    unclear: set[str] = set()
    for block in source.blocks(name, _Member, _WholeMember):
        members = block.records if block.whole else list(_certain(source, name, block, unclear))
        groups.extend([str(member.groupId).lower() for member in members])
        rows.extend(users.rows_of([str(member.id) for member in members]))
    if source.lost(name):
        source.distrust(name, f"{source.lost(name)} records name no group: every group may have more members")
    if not source.complete(name):
        return _Members({}, set(), known=False)
    return _Members(_each_once(groups, np.array(rows, dtype=np.int32)), unclear, known=True)


def _certain(source: Source, name: str, block: Block[_Member], unclear: set[str]) -> Iterator[_Member]:
    """Those that name a group and its member; of the others a problem, and their group is `unclear` or lost."""
    for position, member in enumerate(block.records):
        if member.groupId is not UNSET and member.id is not UNSET:
            yield member
            continue
        wrong = "groupId" if member.groupId is UNSET else "id"
        if wrong not in block.malformed(position):
            problem = "missing: who is in the group is not certain"
            source.problems.add(name, block.place(position), wrong, problem)
        if member.groupId is UNSET:
            source.lose(name)
        else:
            unclear.add(member.groupId.lower())


def _each_once(groups: Coded[str], rows: NDArray[np.int32]) -> dict[str, NDArray[np.int32]]:
    """Group id → the rows of its members in ascending order; without those that are no accounts."""
    accounts = rows != NOBODY
    pairs = np.unique(groups.codes[accounts].astype(np.int64) << 32 | rows[accounts])
    ends = np.searchsorted(pairs >> 32, np.arange(len(groups.table)), side="right").tolist()
    members = (pairs & 0xFFFFFFFF).astype(np.int32)
    return {group: members[start:end] for group, start, end in zip(groups.table, [0, *ends], ends, strict=False)}


@dataclass
class Roles:
    """Columns of roles; see `Accounts.roles`, `roles_uncertain`, `is_admin` and `Tenant.uncertain_roles`."""

    held: list[frozenset[str]]
    uncertain_roles: dict[str, Mask] = field(default_factory=dict)

    def doubt(self, role: str, rows: NDArray[np.int32] | slice) -> None:
        """These accounts may hold the role."""
        self.uncertain_roles.setdefault(role, np.zeros(len(self.held), dtype=np.bool_))[rows] = True

    @property
    def uncertain(self) -> Mask:
        """Accounts that may hold any role beside those held."""
        found = np.zeros(len(self.held), dtype=np.bool_)
        for rows in self.uncertain_roles.values():
            found |= rows
        return found

    def is_admin(self) -> list[int]:
        return [
            YES if held else UNREAD if unsure else NO for held, unsure in zip(self.held, self.uncertain, strict=True)
        ]


def role_definitions(source: Source) -> dict[str, Mapping[str, Any]]:
    """`Tenant.role_definitions`: by id and by template id."""
    if not source.complete("roleDefinitions"):
        return {}
    return dict(source.indexed("roleDefinitions", "id", "templateId"))


def read_roles(
    source: Source, row_of: Mapping[str, int], groups: Mapping[str, Group], definitions: Mapping[str, Mapping[str, Any]]
) -> Roles:
    """Built-in roles that are active and tenant-wide (`directoryScopeId` is `/`), direct or through a group. Custom
    roles and those scoped to an administrative unit or app don't count; eligible ones are not in the dataset."""
    roles = Roles([_NO_ROLE] * len(row_of))
    if not source.complete("roleAssignments"):
        roles.doubt(ANY_ROLE, EVERYBODY)
        return roles
    held: dict[int, set[str]] = {}
    for assignment, bad, place in source.decoded("roleAssignments", _Assignment):
        role, certain = _role(source, assignment, bad, place, definitions)
        if not role:
            continue
        rows = _holders(source, assignment, place, row_of, groups)
        if rows is None or not certain:
            roles.doubt(role, EVERYBODY if rows is None else rows)
        else:
            for row in rows.tolist():
                held.setdefault(row, set()).add(role)
    if source.lost("roleAssignments") or not source.complete("roleAssignments"):
        roles.doubt(ANY_ROLE, EVERYBODY)
    shared: dict[frozenset[str], frozenset[str]] = {}
    for row, mine in held.items():
        one = frozenset(mine)
        roles.held[row] = shared.setdefault(one, one)
    return roles


EVERYBODY = slice(None)
_NO_ROLE: frozenset[str] = frozenset()


def _role(
    source: Source,
    assignment: _Assignment,
    bad: frozenset[str],
    place: str,
    definitions: Mapping[str, Mapping[str, Any]],
) -> tuple[str, bool]:
    """(template id of the role, is it certain that it counts); an empty id where it certainly does not count."""
    scope = assignment.directoryScopeId
    if isinstance(scope, str) and scope not in ("", "/"):
        return "", True
    if not scope and isinstance(assignment.appScopeId, str) and assignment.appScopeId:
        return "", True
    scoped = scope == "/"
    if not scoped and "directoryScopeId" not in bad:
        source.problems.add("roleAssignments", place, "directoryScopeId", "missing: where the role acts is unknown")
    if not isinstance(assignment.roleDefinitionId, str) or not assignment.roleDefinitionId:
        if "roleDefinitionId" not in bad:
            source.problems.add("roleAssignments", place, "roleDefinitionId", "missing: which role it is is unknown")
        return ANY_ROLE, False
    role_id = assignment.roleDefinitionId.lower()
    definition = definitions.get(role_id)
    if definition is None:
        return role_id, False
    built_in = definition.get("isBuiltIn")
    if built_in is False:
        return "", True
    if built_in is not True:
        source.problems.add("roleDefinitions", role_id, "isBuiltIn", "neither true nor false")
        return role_id, False
    template = definition.get("templateId")
    return (template.lower() if isinstance(template, str) and template else role_id), scoped


def _holders(
    source: Source, assignment: _Assignment, place: str, row_of: Mapping[str, int], groups: Mapping[str, Group]
) -> NDArray[np.int32] | None:
    """Rows of the accounts that hold an assignment; None where that cannot be known."""
    if not isinstance(assignment.principalId, str) or not assignment.principalId:
        source.problems.add("roleAssignments", place, "principalId", "missing: who holds the role is unknown")
        return None
    principal = assignment.principalId.lower()
    row = row_of.get(principal)
    if row is not None:
        return np.array([row], dtype=np.int32)
    group = groups.get(principal)
    if group is not None:
        return None if group.state == "unreadable" else np.asarray(group.members, dtype=np.int32)
    # an application, or somebody deleted; without a complete list of groups it may be a group
    return _NOBODY if source.complete("groups") and not source.lost("groups") else None
