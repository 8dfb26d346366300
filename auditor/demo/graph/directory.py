"""Look-ups in the emulated tenant: objects by id, and groups with everything inside them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from auditor.demo.model import DemoTenant

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Member:
    """An object inside a group; `kind` is its type: user, group or servicePrincipal."""

    kind: str
    record: Record


@dataclass(frozen=True, slots=True)
class _Index:
    source: Sequence[Record]
    size: int
    by_key: Mapping[str, Record]


@dataclass
class Directory:
    """The tenant's objects with an index per list, rebuilt when a list was replaced, grew or shrank."""

    tenant: DemoTenant
    _indexes: dict[tuple[str, str], _Index] = field(default_factory=dict)
    _expanded: dict[str, tuple[int, list[Member]]] = field(default_factory=dict)

    def records(self, dataset: str) -> Sequence[Record]:
        """A dataset's objects; a singleton is a list of one."""
        stored = self.tenant.graph.get(dataset, ())
        return [stored] if isinstance(stored, Mapping) else stored

    def find(self, dataset: str, key: str, by: str = "id") -> Record | None:
        records = self.records(dataset)
        index = self._indexes.get((dataset, by))
        if index is None or index.source is not records or index.size != len(records):
            by_key = {str(record[by]).lower(): record for record in records if record.get(by)}
            index = self._indexes[dataset, by] = _Index(records, len(records), by_key)
        return index.by_key.get(key.lower())

    def user(self, key: str) -> Record | None:
        """By id or user principal name, as Graph takes both."""
        return self.find("users", key) or self.find("users", key, "userPrincipalName")

    def group(self, key: str) -> Record | None:
        """A group that exists; one that is stored with an error was deleted."""
        found = self.find("groups", key)
        return None if found is None or "error" in found else found

    def direct_members(self, group_id: str) -> list[Member]:
        """The members that exist, in the group's order."""
        found = (self._member(member) for member in self._member_ids(group_id))
        return [member for member in found if member is not None]

    def transitive_members(self, group_id: str) -> list[Member]:
        """Everything inside a group, at any depth, once each; cycles end. Kept until a membership changes."""
        memberships = tuple((group, tuple(members)) for group, members in self.tenant.group_members.items())
        state = hash((memberships, len(self.records("users")), len(self.records("groups"))))
        known, found = self._expanded.get(group_id, (None, []))
        if known != state:
            found = self._expand(group_id)
            self._expanded[group_id] = (state, found)
        return found

    def _expand(self, group_id: str) -> list[Member]:
        seen = {group_id.lower()}
        waiting = deque([group_id])
        found: list[Member] = []
        while waiting:
            for member_id in self._member_ids(waiting.popleft()):
                if member_id.lower() in seen:
                    continue
                seen.add(member_id.lower())
                member = self._member(member_id)
                if member is None:
                    continue
                found.append(member)
                if member.kind == "group":
                    waiting.append(member_id)
        return found

    def _member_ids(self, group_id: str) -> Sequence[str]:
        members = self.tenant.group_members
        return members.get(group_id) or members.get(group_id.lower()) or ()

    def _member(self, object_id: str) -> Member | None:
        for kind, dataset in (("user", "users"), ("group", "groups"), ("servicePrincipal", "servicePrincipals")):
            found = self.group(object_id) if kind == "group" else self.find(dataset, object_id)
            if found is not None:
                return Member(kind, found)
        return None
