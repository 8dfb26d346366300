"""Whom a name in Exchange's permission lists means.

Exchange writes identities and trustees as it likes: an object id, an address, an alias, a display name, a security
identifier. So the answer has three values: it certainly means this account (or app), it certainly means somebody else,
or it cannot be told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from functools import cached_property
from typing import Any

from auditor.tenant import Group, Tenant


class Means(IntEnum):
    """Does a name mean the one in question? The number is the strength of an OR over several names."""

    NO = 0
    PERHAPS = 1
    YES = 2


LISTS = ("servicePrincipals", "exchangeServicePrincipals")
"""Without both, another app of the same name may exist unseen."""

SELF = frozenset({"nt authority\\self", "s-1-5-10"})


def plain(value: Any) -> str:
    """A name, lower case; whatever is no text is its text."""
    return str(value if value is not None else "").strip().lower()


def rights(value: Any) -> frozenset[str]:
    """Access rights, as a list or one text with commas, lower case without blanks."""
    items: Iterable[Any] = value if isinstance(value, list) else str(value or "").strip("{}").split(",")
    return frozenset(str(item).replace(" ", "").lower() for item in items)


def _letters(name: str) -> str:
    return "".join(character for character in name.partition("@")[0].lower() if character.isalnum())


class Names:
    """The names of a tenant's accounts, groups and apps; built once per judgement, and only when asked."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant

    @cached_property
    def _weak(self) -> Mapping[str, frozenset[int]]:
        """Names that several accounts may share: aliases and display names."""
        found: dict[str, set[int]] = {}
        accounts = self.tenant.accounts
        for row in range(len(accounts)):
            addresses = (accounts.user_principal_name[row], *accounts.addresses[row])
            names = {address.partition("@")[0].lower() for address in addresses} | {accounts.display_name[row].lower()}
            for name in names - {""}:
                found.setdefault(name, set()).add(row)
        return {name: frozenset(rows) for name, rows in found.items()}

    def rows(self, name: str) -> frozenset[int]:
        """The accounts that a name may mean; a certain one (id, UPN, address) alone."""
        row = self.tenant.find(name)
        return frozenset({row}) if row >= 0 else self._weak.get(name, frozenset())

    def account(self, name: str, row: int) -> Means:
        """Does the name mean the account of this row? A name that nobody bears may still be a name of it."""
        rows = self.rows(name)
        if row in rows:
            return Means.YES if len(rows) == 1 else Means.PERHAPS
        return Means.NO if rows else Means.PERHAPS

    def address(self, name: str, address: str) -> Means:
        """Does the name mean the recipient that has this address, which may be no account (a group, a contact)?"""
        row = self.tenant.row_of_address.get(address, -1)
        if row >= 0:
            return self.account(name, row)
        if name in (address, address.partition("@")[0]):
            return Means.YES if name == address else Means.PERHAPS
        return Means.NO if self.rows(name) else Means.PERHAPS

    def holder(self, name: str, row: int) -> Means:
        """Does the trustee take in the account: itself, or a group that it is a member of?"""
        if self.rows(name):
            return self.account(name, row)
        if name.startswith("s-1-5-"):
            return Means.PERHAPS
        found = self._groups(name)
        if not found:
            return Means.PERHAPS
        answers = {self._member(group, row) for group in found}
        return answers.pop() if len(answers) == 1 else Means.PERHAPS

    def _groups(self, name: str) -> list[Group]:
        """By id, address or display name; an address also by its alias, which is the name without blanks and signs."""
        groups = self.tenant.groups
        if name in groups:
            return [groups[name]]
        addressed = [group for group in groups.values() if group.mail and group.mail == name]
        if addressed:
            return addressed
        exact = [group for group in groups.values() if group.name.lower() == name]
        return exact or [group for group in groups.values() if group.name and _letters(group.name) == _letters(name)]

    def _member(self, group: Group, row: int) -> Means:
        if group.state == "deleted":
            return Means.NO
        if group.state != "read" or not self.tenant.complete("groups", "groupMembers"):
            return Means.PERHAPS
        return Means.YES if row in group.members else Means.NO


class App:
    """An app's own names: ids of its service principal, its application id, and what Exchange calls it."""

    def __init__(self, names: Names, app_id: str) -> None:
        tenant = names.tenant
        self._names = names
        self.app_id = app_id.strip().lower()
        self.principals = [principal for principal in tenant.service_principals.values()
                           if plain(principal.get("appId")) == self.app_id]  # fmt: skip
        self.in_exchange = [principal for principal in tenant.exchange_service_principals
                            if plain(principal.get("AppId")) == self.app_id]  # fmt: skip
        self.certain = {self.app_id, *(plain(principal.get("id")) for principal in self.principals)}
        self.certain |= {plain(principal.get(key)) for principal in self.in_exchange
                         for key in ("ObjectId", "Identity", "Name", "Guid", "Sid")}  # fmt: skip
        self.shared = {plain(principal.get("displayName")) for principal in self.principals}
        self.shared |= {plain(principal.get("DisplayName")) for principal in self.in_exchange}
        self.certain -= {""}
        self.shared -= {"", *self.certain}
        self.sid_known = any(plain(principal.get("Sid")) for principal in self.in_exchange)

    def means(self, name: str) -> Means:
        """Does a trustee's name mean the app? Nobody's name may still be one of a group that holds it."""
        if name in self.certain:
            return Means.YES
        if name in SELF or self._names.tenant.find(name) >= 0:
            return Means.NO
        theirs = self._theirs
        if name in self.shared:
            alone = name not in theirs and not self._names.rows(name)
            return Means.YES if alone and self._names.tenant.complete(*LISTS) else Means.PERHAPS
        if name in theirs or self._names.rows(name):
            return Means.NO
        if name.startswith("s-1-5-"):
            return Means.NO if self.sid_known else Means.PERHAPS
        return Means.PERHAPS

    @cached_property
    def _theirs(self) -> frozenset[str]:
        """The names of all other apps."""
        tenant = self._names.tenant
        everyone = (*tenant.service_principals.values(), *tenant.exchange_service_principals)
        keys = ("id", "appId", "displayName", "ObjectId", "AppId", "DisplayName", "Identity", "Name", "Guid", "Sid")
        return frozenset(
            plain(principal.get(key))
            for principal in everyone
            if plain(principal.get("appId", principal.get("AppId"))) != self.app_id
            for key in keys
        )
