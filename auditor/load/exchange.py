"""What Exchange says: mailboxes, the SMTP switch, authentication policies, each joined to its account.

A property that is absent from every object of a dataset was not read; absent or null in some, it is null (contract).
An account for which two rows disagree is unread, so that the order of rows never matters.

Sources: https://learn.microsoft.com/powershell/module/exchange/get-casmailbox,
https://learn.microsoft.com/powershell/module/exchange/get-user,
https://learn.microsoft.com/powershell/module/exchange/get-authenticationpolicy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from auditor.compact import Coded, Value
from auditor.load.addresses import AddressBook
from auditor.load.settled import Settled
from auditor.load.source import Source
from auditor.load.users import NOBODY, Users
from auditor.load.values import NULL, exchange_boolean
from auditor.tenant import NO, UNREAD, AuthenticationPolicy, Tri

UNKNOWN_TYPE = "Unknown"
"""Stands for a row whose recipient type could not be read: there is a mailbox, of which kind is not known."""


class ExchangeRow(msgspec.Struct, gc=False):
    """Whatever of these a cmdlet gives; Exchange writes the same value as text, GUID or null, so each is checked."""

    ExternalDirectoryObjectId: Any = UNSET
    UserPrincipalName: Any = UNSET
    PrimarySmtpAddress: Any = UNSET
    Guid: Any = UNSET
    RecipientTypeDetails: Any = UNSET
    SmtpClientAuthenticationDisabled: Any = UNSET
    AuthenticationPolicy: Any = UNSET


_KEYS = ("ExternalDirectoryObjectId", "UserPrincipalName", "PrimarySmtpAddress", "Guid")
NO_KEY = -2


class Join:
    """Finds the account of an Exchange object: by directory object id, else UPN, else primary SMTP address (of an
    account's addresses, else its UPN), else the mailbox GUID. An id that belongs to no account is somebody else's, even
    where a name fits."""

    def __init__(self, users: Users, book: AddressBook) -> None:
        self._users = users
        self._book = book
        # an address that nobody has may belong to an account whose addresses were not read
        self._stranger = NO_KEY if users.addresses_unread else NOBODY
        self._read_guids: Callable[[], Mapping[str, int]] = dict
        self._guids: Mapping[str, int] | None = None

    def learn_guids(self, read: Callable[[], Mapping[str, int]]) -> None:
        """How to find out whose mailbox a GUID names; asked only if an object has no other name."""
        self._read_guids = read
        self._guids = None

    def of_ids(self, ids: Sequence[object]) -> list[int]:
        """The rows of directory object ids; NOBODY for what is none, or another's."""
        return self._users.rows_of([one if isinstance(one, str) else "" for one in ids])

    def row(self, found: ExchangeRow) -> int:
        """A row of Accounts, NOBODY where the object belongs to no account, NO_KEY where that cannot be told."""
        row = self.row_by_name(found)
        if row is not None:
            return row
        if self._guids is None:
            self._guids = self._read_guids()
        return self._guids.get(_text(found.Guid).lower(), NO_KEY)

    def row_by_name(self, found: ExchangeRow) -> int | None:
        """The same by anything but the GUID; None where the object has nothing else."""
        object_id = _text(found.ExternalDirectoryObjectId)
        if object_id:
            return self._users.row_of.get(object_id.lower(), NOBODY)
        upn = _text(found.UserPrincipalName)
        if upn:
            return next(iter(self._book.principals(upn.lower())), NOBODY)
        address = _text(found.PrimarySmtpAddress)
        if address:
            return self._address(address.lower(), self._stranger)
        return None

    def named(self, name: str) -> int:
        """The account of a UPN or address, as reports write it; NOBODY where there is none."""
        key = name.strip().lower()
        for row in self._book.principals(key):
            return row
        return max(NOBODY, self._address(key, NOBODY))

    def all_named(self, names: Sequence[str]) -> list[int]:
        """`named` of many names, most of which are UPNs."""
        found = self._book.first_principals([name.strip().lower() for name in names])
        return [row if row >= 0 else self.named(name) for name, row in zip(names, found, strict=True)]

    def _address(self, address: str, otherwise: int) -> int:
        owners = self._book.owners(address)
        if owners:
            return owners[0] if len(owners) == 1 else NO_KEY
        return next(iter(self._book.principals(address)), otherwise)


class Rows(NamedTuple):
    """Some objects of a dataset: the row of Accounts of each (or NOBODY, NO_KEY), the object, its name for problems."""

    rows: list[int]
    objects: list[ExchangeRow]
    labels: list[str]


def _joined(source: Source, name: str, join: Join) -> Iterator[Rows]:
    """Some hundred at a time; an object that names no account is a problem."""
    for block in source.blocks(name, ExchangeRow):
        ids = [found.ExternalDirectoryObjectId for found in block.records]
        rows = join.of_ids(ids)
        for position in [position for position, row in enumerate(rows) if row == NOBODY]:
            rows[position], ids[position] = _named(source, name, join, block.records[position], block.place(position))
        yield Rows(rows, block.records, ids)


def _named(source: Source, name: str, join: Join, found: ExchangeRow, place: str) -> tuple[int, str]:
    """(row, name for problems) of an object that is not found by its id."""
    keys = (found.ExternalDirectoryObjectId, found.UserPrincipalName, found.PrimarySmtpAddress, found.Guid)
    label = next((text for text in map(_text, keys) if text), place)
    for key, value in zip(_KEYS, keys, strict=True):
        if value is not UNSET and value is not None and not isinstance(value, str):
            source.problems.add(name, label, key, "no text: the object is joined by its other names")
    row = join.row(found)
    if row == NO_KEY:
        source.problems.add(
            name, label, "ExternalDirectoryObjectId", "no id or name that tells whose it is: it is not used"
        )
    return row, label


def _settle(
    source: Source, name: str, found: Settled[Value], rows: list[int], values: list[Value], users: Users
) -> None:
    for row in found.settle(rows, values):
        problem = "two objects for this account disagree: what they say is not used"
        source.problems.add(name, users.id[row], "", problem)


def read_mailboxes(source: Source, users: Users, join: Join) -> Coded[str]:
    """`Accounts.mailbox`; teaches the join the GUIDs by which `casMailboxes` may be joined."""
    name, nameless = "mailboxes", 0
    found = Settled(len(users), UNKNOWN_TYPE)
    if not source.complete(name):
        return found.column("")
    for some in _joined(source, name, join):
        nameless += some.rows.count(NO_KEY)
        _settle(source, name, found, some.rows, _recipients(source, name, some), users)
    join.learn_guids(lambda: dict(_guids(source, join)))
    nameless += source.lost(name)
    if nameless:
        # any account without a row may own one of them: its missing row says nothing any more
        source.distrust(name, f"{nameless} objects do not tell whose mailbox they are")
    return found.column("")


def _guids(source: Source, join: Join) -> Iterator[tuple[str, int]]:
    """(mailbox GUID, row) of the mailboxes whose account is known. Rare, so the file is read a second time instead of
    keeping a GUID for every account."""
    for line in source.snapshot.lines("mailboxes"):
        record = json.loads(line)
        mailbox = ExchangeRow(**{key: record.get(key) for key in _KEYS}) if isinstance(record, dict) else ExchangeRow()
        guid, row = _text(mailbox.Guid), join.row_by_name(mailbox)
        if guid and row is not None and row >= 0:
            yield guid.lower(), row


def read_exchange_users(
    source: Source, users: Users, join: Join, resolve: Callable[[object], str | None]
) -> tuple[Coded[str], Coded[str]]:
    """(`Accounts.exchange_user`, `Accounts.authentication_policy`)."""
    name, carried = "exchangeUsers", False
    types, policies = Settled(len(users), UNKNOWN_TYPE), Settled(len(users), "unread")
    if not source.complete(name):
        return types.column(""), policies.column("unread")
    for some in _joined(source, name, join):
        _settle(source, name, types, some.rows, _recipients(source, name, some), users)
        given = [user.AuthenticationPolicy for user in some.objects]
        carried = carried or any(value is not UNSET for value in given)
        resolved = list(map(resolve, given))
        if None in resolved:
            for row, policy, label in zip(some.rows, resolved, some.labels, strict=True):
                if row >= 0 and policy is None:
                    source.problems.add(name, label, "AuthenticationPolicy", "neither a text nor null")
        read = ["unread" if policy is None else policy for policy in resolved]
        _settle(source, name, policies, some.rows, read, users)
    if not carried and source.records[name]:
        source.problems.add(name, "", "AuthenticationPolicy", _NEVER_CARRIED)
        policies = Settled(len(users), "unread")
    return types.column(""), policies.column("unread")


def read_cas_mailboxes(source: Source, users: Users, join: Join) -> Tri:
    """`Accounts.smtp_auth_disabled`."""
    name, switch, carried = "casMailboxes", "SmtpClientAuthenticationDisabled", False
    found = Settled(len(users), UNREAD)
    if not source.complete(name):
        return found.column(UNREAD).numbers(int)
    for some in _joined(source, name, join):
        given = [mailbox.SmtpClientAuthenticationDisabled for mailbox in some.objects]
        carried = carried or any(value is not UNSET for value in given)
        values = [NULL if value is UNSET else exchange_boolean(value) for value in given]
        if UNREAD in values:
            for label, value, raw in zip(some.labels, values, given, strict=True):
                if value == UNREAD:
                    source.problems.add(name, label, switch, f"`{raw}` is neither true, false nor null")
        _settle(source, name, found, some.rows, values, users)
    if not carried:
        if source.records[name]:
            source.problems.add(name, "", switch, _NEVER_CARRIED)
        found = Settled(len(users), UNREAD)
    # a configuration snapshot types the switch as true or false, so that its false may stand for null
    unproved = NO if source.status[name].configuration_snapshot else UNREAD
    return found.column(UNREAD).numbers(lambda value: UNREAD if value == unproved else value)


_NEVER_CARRIED = "absent from every object: it was not read (Get-EXOCasMailbox and the like leave it out)"


def _recipients(source: Source, name: str, some: Rows) -> list[str]:
    types = [_text(found.RecipientTypeDetails) or UNKNOWN_TYPE for found in some.objects]
    if UNKNOWN_TYPE in types:
        for row, found, label in zip(*some, strict=True):
            if row >= 0 and not _text(found.RecipientTypeDetails):
                problem = "missing or no text: which kind it is is unknown"
                source.problems.add(name, label, "RecipientTypeDetails", problem)
    return types


class Policies:
    """`authenticationPolicies`, found by every form in which Exchange names one; letter case is ignored."""

    def __init__(self, policies: Mapping[str, AuthenticationPolicy], forms: Mapping[str, str]) -> None:
        self.policies = policies
        self._forms = forms

    def resolve(self, value: object) -> str | None:
        """`` for none assigned, a key of `policies`, `?name` for one that is not in the list, None for a value that is
        neither a name nor null."""
        if value is None or value is UNSET:
            return ""
        names = _names(value)
        if names is None:
            return None
        if not names or set(names) <= _NO_GUID:
            return ""
        keys = {self._forms[form] for name in names for form in name_forms(name) if form in self._forms}
        return keys.pop() if len(keys) == 1 and "" not in keys else f"?{names[0]}"


_NO_GUID = {"00000000-0000-0000-0000-000000000000"}
_NAME_PROPERTIES = ("Name", "Identity", "DistinguishedName", "Guid", "ExchangeObjectId", "ObjectGuid")


def _names(value: object) -> list[str] | None:
    """The names in a reference: a text, or an object of names as some exports write it."""
    if value is UNSET or value is None:
        return []
    if isinstance(value, str):
        return [value.strip()] if value.strip() else []
    if isinstance(value, dict):
        found = [text for text in (_text(value.get(name)) for name in _NAME_PROPERTIES) if text]
        return found or None
    return None


def name_forms(name: str) -> Iterator[str]:
    """The forms to compare, in lower case: as it stands, the CN of a distinguished name, and the last part of
    `tenant.onmicrosoft.com\\Name` or of a canonical name with slashes."""
    text = name.strip().lower()
    yield text
    common = re.match(r"cn=((?:\\.|[^,\\])*)", text)
    if common:
        yield re.sub(r"\\(.)", r"\1", common.group(1))
        return
    for separator in ("\\", "/"):
        if separator in text:
            yield text.rpartition(separator)[2]


def read_policies(source: Source) -> Policies:
    """Empty where the dataset may not be used; a name that two policies share finds none of them."""
    name = "authenticationPolicies"
    if not source.complete(name):
        return Policies({}, {})
    objects = source.objects_of(name)
    carried = any("AllowBasicAuthSmtp" in policy for policy in objects)
    if objects and not carried:
        source.problems.add(name, "", "AllowBasicAuthSmtp", _NEVER_CARRIED)
    policies: dict[str, AuthenticationPolicy] = {}
    forms: dict[str, str] = {}
    for number, policy in enumerate(objects, 1):
        names = _names(policy)
        if not names:
            source.problems.add(name, f"record {number}", "Name", "missing: the policy cannot be told from others")
            continue
        key = names[0].lower()
        allow = exchange_boolean(policy.get("AllowBasicAuthSmtp"))
        if allow not in {NO, 1}:
            if carried:
                source.problems.add(name, names[0], "AllowBasicAuthSmtp", "neither true nor false")
            allow = UNREAD
        if key in policies:
            source.problems.add(name, names[0], "", "two policies of this name: neither is used")
            allow = allow if allow == policies[key].allow_smtp else UNREAD
        policies[key] = AuthenticationPolicy(key, names[0], allow)
        for form in {form for text in names for form in name_forms(text)} - _NO_GUID:
            if forms.setdefault(form, key) != key:
                forms[form] = ""
    return Policies(policies, forms)


def setting(source: Source, dataset: str, record: Mapping[str, Any] | None, name: str) -> int:
    """A switch of a singleton: YES, NO, or UNREAD where it was not read, is null or no boolean."""
    if record is None:
        return UNREAD
    source.distinct[dataset] = 1
    if name not in record:
        source.problems.missing(dataset, "", name)
        return UNREAD
    value = exchange_boolean(record[name])
    if value in {NULL, UNREAD}:
        source.problems.add(dataset, "", name, f"`{record[name]}` is neither true nor false")
        return UNREAD
    return value


def default_policy(source: Source, record: Mapping[str, Any] | None, policies: Policies) -> str:
    """`Tenant.default_authentication_policy`."""
    name = "DefaultAuthenticationPolicy"
    if record is None:
        return "unread"
    if name not in record:
        source.problems.missing("organizationConfig", "", name)
        return "unread"
    found = policies.resolve(record[name])
    if found is None:
        source.problems.add("organizationConfig", "", name, "neither a text nor null")
        return "unread"
    return found


def _text(value: object) -> str:
    """A name or id; Exchange also writes a GUID of zeros for none."""
    text = value.strip() if isinstance(value, str) else ""
    return "" if text in _NO_GUID else text
