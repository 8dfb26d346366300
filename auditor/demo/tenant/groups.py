"""Groups: nested three deep and in a cycle, role-assignable, with hidden members, and one that is gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, overload

from auditor.demo.tenant.account import ROOT, Account
from auditor.demo.tenant.crowd import Accounts
from auditor.demo.tenant.ids import Clock, Ids
from auditor.demo.tenant.people import DEPARTMENTS

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class GroupSpec:
    """`children`: keys of groups that are direct members; `mail`: its address, where it is mail-enabled."""

    key: str
    name: str
    children: tuple[str, ...] = ()
    visibility: str | None = None
    role_assignable: bool = False
    mail: str = ""


GROUPS = (
    GroupSpec("exc-legacy", "CA-Exclude-LegacyAuth", ("smtp-senders",)),
    GroupSpec("exc-mfa", "CA-Exclude-ServiceAccounts", ("smtp-senders",)),
    GroupSpec("smtp-senders", "SMTP Senders", ("smtp-devices",)),
    GroupSpec("smtp-devices", "SMTP Devices", ("smtp-senders",)),
    GroupSpec("office-only", "SVC-OfficeOnly"),
    GroupSpec("trusted-only", "SVC-TrustedNetworksOnly"),
    GroupSpec("modern-mfa", "SVC-Delegated-OAuth"),
    GroupSpec("frontline", "Frontline"),
    GroupSpec("vip", "Executives"),
    GroupSpec("pilot-future", "Pilot: new controls"),
    GroupSpec("pilot-hours", "Pilot: working hours"),
    GroupSpec("pilot-strength", "Pilot: device password strength"),
    GroupSpec("pilot-platform", "Pilot: platforms"),
    GroupSpec("pilot-filter", "Pilot: application filter"),
    GroupSpec("pilot-approved", "Pilot: approved apps"),
    GroupSpec("sync-accounts", "Directory Sync Accounts"),
    GroupSpec("board", "Board (hidden)", visibility="HiddenMembership"),
    GroupSpec("role-helpdesk", "Role: Helpdesk", role_assignable=True),
    GroupSpec("finance-senders", "Finance Senders", mail=f"finance-senders@{ROOT}"),
    GroupSpec("lic-e3", "Licence: Microsoft 365 E3"),
    GroupSpec("employees", "All Employees", tuple(f"dept-{name}" for name in DEPARTMENTS)),
    *(GroupSpec(f"dept-{name}", f"Department {name.title()}", (f"team-{name}",)) for name in DEPARTMENTS),
    *(GroupSpec(f"team-{name}", f"Team {name.title()}") for name in DEPARTMENTS),
    GroupSpec("unrelated", "Book Club", visibility="Public", mail=f"bookclub@{ROOT}"),
)

DELETED_GROUP = "deleted-exclusion"
"""Named by a policy, no longer in the tenant."""


def group_id(ids: Ids, key: str) -> str:
    return ids.uuid(f"group:{key}")


def graph_groups(ids: Ids, clock: Clock) -> list[Json]:
    return [_group(spec, ids, clock) for spec in GROUPS]


def _group(spec: GroupSpec, ids: Ids, clock: Clock) -> Json:
    return {
        "id": group_id(ids, spec.key),
        "deletedDateTime": None,
        "classification": None,
        "createdDateTime": clock.ago(1200),
        "description": None,
        "displayName": spec.name,
        "groupTypes": [],
        "isAssignableToRole": True if spec.role_assignable else None,
        "mail": spec.mail or None,
        "mailEnabled": bool(spec.mail),
        "mailNickname": spec.mail.partition("@")[0] or ids.hex(f"nickname:{spec.key}", 8),
        "onPremisesSyncEnabled": None,
        "proxyAddresses": [f"SMTP:{spec.mail}"] if spec.mail else [],
        "renewedDateTime": clock.ago(1200),
        "securityEnabled": True,
        "visibility": spec.visibility,
    }


def members(accounts: Accounts, ids: Ids) -> dict[str, Sequence[str]]:
    """Group id → direct members (ids of groups first, then of users)."""
    inside = accounts.by(_memberships, numbered=True)
    return {
        group_id(ids, spec.key): MemberIds(
            [group_id(ids, child) for child in spec.children], inside.get(spec.key, accounts.none())
        )
        for spec in GROUPS
    }


def _memberships(account: Account) -> Iterator[str]:
    """Keys of the groups that an account is a direct member of."""
    yield from account.groups
    if account.department in DEPARTMENTS:
        yield f"{'team' if account.number % 2 else 'dept'}-{account.department}"
    elif account.department == "frontline":
        yield "frontline"
    yield from (licence.group for licence in account.licences if licence.group == "lic-e3")


class MemberIds(Sequence[str]):
    """The ids of a group's members, each made when it is asked for."""

    def __init__(self, groups: Sequence[str], users: Accounts) -> None:
        self._groups = groups
        self._users = users

    def __len__(self) -> int:
        return len(self._groups) + len(self._users)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        places = range(len(self))[place]
        return self._at(places) if isinstance(places, int) else [self._at(one) for one in places]

    def __contains__(self, object_id: object) -> bool:
        return object_id in self._groups or self._users.has(str(object_id))

    def __iter__(self) -> Iterator[str]:
        yield from self._groups
        yield from self._users.ids()

    def _at(self, place: int) -> str:
        return self._groups[place] if place < len(self._groups) else self._users[place - len(self._groups)].id
