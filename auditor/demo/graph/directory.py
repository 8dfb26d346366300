"""Look-ups in the emulated tenant: objects by id, and groups with everything inside them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from auditor.demo.model import DemoTenant
from auditor.demo.rows import Rows

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Member:
    """An object inside a group; `kind` is its type: user, group or servicePrincipal."""

    kind: str
    id: str


_DATASETS = {"group": "groups", "servicePrincipal": "servicePrincipals", "user": "users"}
"""Where the objects of each kind are; users come last, because there are most of them"""


def is_inside(members: Sequence[str], object_id: str) -> bool:
    """An id is among a group's members, without letter case."""
    wanted = object_id.lower()
    return any(member.lower() == wanted for member in members) if isinstance(members, list) else wanted in members


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
    _expanded: dict[tuple[str, bool, str], tuple[int | None, Sequence[Member]]] = field(default_factory=dict)

    def records(self, dataset: str) -> Sequence[Record]:
        """A dataset's objects; a singleton is a list of one."""
        stored = self.tenant.graph.get(dataset, ())
        return [stored] if isinstance(stored, Mapping) else stored

    def find(self, dataset: str, key: str, by: str = "id") -> Record | None:
        records = self.records(dataset)
        if isinstance(records, Rows):
            found: Record | None = records.find(key, by)
            return found
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

    def members(self, group_id: str, *, transitive: bool, kind: str = "", only_ids: bool = False) -> Sequence[Record]:
        """The members that exist, in the group's order, each once, of all kinds or one; without a `kind` each record
        tells its own. Transitive: at any depth, and cycles end. `only_ids`: nothing else is asked for."""
        found = self._found(group_id, transitive, kind)
        if kind and only_ids:
            return Rows(found, lambda member: {"id": member.id})
        return Rows(found, self._record if kind else self._typed)

    def _found(self, group_id: str, transitive: bool, kind: str) -> Sequence[Member]:
        """Kept until a membership changes."""
        memberships = tuple(
            (group, tuple(members) if isinstance(members, list) else len(members))
            for group, members in self.tenant.group_members.items()
        )
        state = hash((memberships, len(self.records("users")), len(self.records("groups"))))
        known, found = self._expanded.get((group_id, transitive, kind), (None, ()))
        if known != state:
            inside = self._expand(group_id) if transitive else self._direct(group_id)
            found = [member for member in inside if kind in ("", member.kind)]
            self._expanded[group_id, transitive, kind] = (state, found)
        return found

    def _direct(self, group_id: str) -> Iterator[Member]:
        found = (self._member(member) for member in self._member_ids(group_id))
        return (member for member in found if member is not None)

    def _expand(self, group_id: str) -> Iterator[Member]:
        seen = {group_id.lower()}
        waiting = deque([group_id])
        while waiting:
            for member_id in self._member_ids(waiting.popleft()):
                if member_id.lower() in seen:
                    continue
                seen.add(member_id.lower())
                member = self._member(member_id)
                if member is None:
                    continue
                yield member
                if member.kind == "group":
                    waiting.append(member_id)

    def _member_ids(self, group_id: str) -> Sequence[str]:
        members = self.tenant.group_members
        return members.get(group_id) or members.get(group_id.lower()) or ()

    def _member(self, object_id: str) -> Member | None:
        for kind, dataset in _DATASETS.items():
            if self.group(object_id) if kind == "group" else self._has(dataset, object_id):
                return Member(kind, object_id)
        return None

    def _has(self, dataset: str, object_id: str) -> bool:
        records = self.records(dataset)
        return records.has(object_id) if isinstance(records, Rows) else self.find(dataset, object_id) is not None

    def _record(self, member: Member) -> Record:
        found = self.find(_DATASETS[member.kind], member.id)
        assert found is not None
        return found

    def _typed(self, member: Member) -> Record:
        return {"@odata.type": f"#microsoft.graph.{member.kind}", **self._record(member)}
