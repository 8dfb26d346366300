"""What was seen and registered: SMTP sign-ins, app passwords, usage reports, authentication methods, per-user MFA.

Pure evidence may only add, so it is used as far as it was read; absence of a row proves nothing and stays unread.

Sources: https://learn.microsoft.com/graph/api/resources/signin,
https://learn.microsoft.com/graph/api/resources/userregistrationdetails,
https://learn.microsoft.com/graph/api/reportroot-getemailappusageuserdetail.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from types import NoneType
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from auditor.compact import Coded
from auditor.load.exchange import Join
from auditor.load.settled import Settled
from auditor.load.source import UNREADABLE, Block, Source, as_answered
from auditor.load.users import NOBODY, Users
from auditor.load.values import exchange_boolean, graph_booleans, stamp
from auditor.tenant import NO, UNREAD, YES, SignIn

Text = str | None | UnsetType

SMTP_CLIENTS = frozenset({"authenticated smtp", "smtp"})
APP_PASSWORD_ACTIVITIES = frozenset({"create application password for user", "delete application password for user"})


class _Status(msgspec.Struct, gc=False):
    errorCode: int | None = None  # noqa: N815 - Graph's own names, here and below
    failureReason: str | None = None  # noqa: N815


class _Applied(msgspec.Struct, gc=False):
    id: str | None = None
    result: str | None = None


class _SignIn(msgspec.Struct, gc=False):
    id: Text = UNSET
    createdDateTime: Text = UNSET  # noqa: N815
    userId: Text = UNSET  # noqa: N815
    userPrincipalName: Text = UNSET  # noqa: N815
    clientAppUsed: Text = UNSET  # noqa: N815
    ipAddress: Text = UNSET  # noqa: N815
    status: _Status | UnsetType | None = UNSET
    appliedConditionalAccessPolicies: list[_Applied] | UnsetType | None = UNSET  # noqa: N815


def read_sign_ins(source: Source, users: Users, join: Join) -> list[SignIn]:
    """SMTP sign-ins, each id once, newest first."""
    if not source.usable("signIns"):
        return []
    found: dict[str, SignIn] = {}
    for event, bad, place in source.decoded("signIns", _SignIn):
        label = event.id or place
        if not event.clientAppUsed or not isinstance(event.clientAppUsed, str):
            if "clientAppUsed" not in bad:
                source.problems.add("signIns", label, "clientAppUsed", "missing: whether it was SMTP is unknown")
            source.lose("signIns")
            continue
        if event.clientAppUsed.strip().lower() not in SMTP_CLIENTS:
            continue
        one = _sign_in(source, event, label, bad, users, join)
        if one is None:
            source.lose("signIns")
        elif found.setdefault(label, one) != one:
            source.problems.add("signIns", label, "", "stands twice with different values: the first is used")
    if source.lost("signIns"):
        source.distrust("signIns", f"{source.lost('signIns')} of its records cannot be read")
    return [one for _, one in sorted(found.items(), key=lambda item: (item[1].time, item[0]), reverse=True)]


def _sign_in(
    source: Source, event: _SignIn, label: str, bad: frozenset[str], users: Users, join: Join
) -> SignIn | None:
    time = stamp(event.createdDateTime or "")
    if not time:
        if "createdDateTime" not in bad:
            source.problems.add("signIns", label, "createdDateTime", "missing or no time: the event is left out")
        return None
    status = event.status or None
    if status is None or status.errorCode is None:
        if "status" not in bad:
            source.problems.add("signIns", label, "status", "no errorCode: whether it succeeded is unknown, left out")
        return None
    user_id = (event.userId or "").lower()
    account = users.row_of.get(user_id, NOBODY) if user_id else join.named(event.userPrincipalName or "")
    policies = tuple((policy.id or "", policy.result or "") for policy in event.appliedConditionalAccessPolicies or ())
    return SignIn(
        account,
        user_id or (users.id[account] if account >= 0 else ""),
        time,
        event.ipAddress or "",
        status.errorCode,
        status.failureReason or "",
        event.clientAppUsed or "",
        policies,
    )


@dataclass
class SmtpUse:
    last_success: list[str]
    last_failure: list[str]
    failure_codes: list[tuple[int, ...]]


def smtp_use(sign_ins: list[SignIn], size: int) -> SmtpUse:
    """Per account: newest success and failure, and the failure codes by falling frequency (then by number)."""
    use = SmtpUse([""] * size, [""] * size, [()] * size)
    codes: dict[int, Counter[int]] = {}
    for event in sign_ins:
        if event.account < 0:
            continue
        last = use.last_failure if event.error_code else use.last_success
        last[event.account] = max(last[event.account], event.time)
        if event.error_code:
            codes.setdefault(event.account, Counter())[event.error_code] += 1
    for account, counted in codes.items():
        use.failure_codes[account] = tuple(sorted(counted, key=lambda code: (-counted[code], code)))
    return use


def read_app_passwords(source: Source, users: Users, join: Join) -> dict[int, tuple[tuple[str, str], ...]]:
    """`Tenant.app_password_events`, oldest first: the audit log's dated traces of app passwords."""
    events: dict[int, set[tuple[str, str]]] = {}
    for number, audit in enumerate(source.objects_of("directoryAudits"), 1):
        activity, result = audit.get("activityDisplayName"), audit.get("result")
        label = _text(audit, "id") or f"record {number}"
        if not isinstance(activity, str):
            source.problems.add("directoryAudits", label, "activityDisplayName", "missing or no text: left out")
            continue
        if activity.lower() not in APP_PASSWORD_ACTIVITIES:
            continue
        if result is not None and not isinstance(result, str):
            source.problems.add("directoryAudits", label, "result", "no text: the event is left out")
            continue
        if result not in {None, "success"}:
            continue
        time = stamp(_text(audit, "activityDateTime"))
        if not time:
            source.problems.add("directoryAudits", label, "activityDateTime", "missing or no time: left out")
            continue
        targets = audit.get("targetResources")
        if not isinstance(targets, list) or not targets:
            source.problems.add("directoryAudits", label, "targetResources", "missing: whose app password is unknown")
            continue
        if not any(map(_names_somebody, targets)):
            source.problems.add("directoryAudits", label, "targetResources", "names nobody: left out")
        for account in {_target(target, users, join) for target in targets} - {NOBODY}:
            events.setdefault(account, set()).add((time, activity))
    return {account: tuple(sorted(found)) for account, found in sorted(events.items())}


def _names_somebody(target: object) -> bool:
    return isinstance(target, dict) and bool(_text(target, "id") or _text(target, "userPrincipalName"))


def _target(target: object, users: Users, join: Join) -> int:
    if not isinstance(target, dict):
        return NOBODY
    row = users.row_of.get(_text(target, "id").lower())
    return join.named(_text(target, "userPrincipalName")) if row is None else row


class _Registration(msgspec.Struct, gc=False):
    id: str | UnsetType = UNSET
    isMfaRegistered: bool | UnsetType | None = UNSET  # noqa: N815
    methodsRegistered: tuple[str, ...] | UnsetType | None = UNSET  # noqa: N815
    lastUpdatedDateTime: Text = UNSET  # noqa: N815


_WholeRegistration = as_answered(_Registration)


class Registration:
    """Registered methods as the report knows them. Of rows that disagree the first is used."""

    def __init__(self, accounts: int) -> None:
        self.mfa = Settled[int](accounts)
        self.methods = Settled[tuple[str, ...]](accounts)
        self.as_of = Settled[str](accounts)


def read_registration(source: Source, users: Users) -> Registration:
    """Of the report, and fresher from `authenticationMethods` where those were read."""
    name = "userRegistrationDetails"
    found = Registration(len(users))
    if source.complete(name):
        for block in source.blocks(name, _Registration, _WholeRegistration):
            rows = _rows(source, name, users, block)
            if not block.whole:
                _tell_missing(source, name, users, block, rows, "isMfaRegistered")
            differing = {
                *found.mfa.settle(rows, graph_booleans([record.isMfaRegistered for record in block.records])),
                *found.methods.settle(rows, map(_listed, block.records)),
                *found.as_of.settle(rows, [record.lastUpdatedDateTime or "" for record in block.records]),
            }
            for row in differing:
                source.problems.add(name, users.id[row], "", "stands twice with different values: the first is used")
        source.distinct[name] = int(found.mfa.seen().sum())
    _add_methods(source, users, found)
    return found


def _listed(record: _Registration) -> tuple[str, ...]:
    methods = record.methodsRegistered
    return _sorted(methods) if methods else ()


@lru_cache(maxsize=4096)
def _sorted(methods: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(methods)))


_METHODS = {
    "microsoftAuthenticator": "microsoftAuthenticatorPush",
    "softwareOath": "softwareOneTimePasscode",
    "hardwareOath": "hardwareOneTimePasscode",
    "fido2": "fido2SecurityKey",
    "mobile": "mobilePhone",
    "alternateMobile": "alternateMobilePhone",
    "office": "officePhone",
    "phone": "mobilePhone",
}
"""Method types of `authentication/methods` in the words of `methodsRegistered`; others keep their own word."""


def _add_methods(source: Source, users: Users, found: Registration) -> None:
    name = "authenticationMethods"
    for number, record in enumerate(source.objects_of(name), 1):
        given = record.get("id")
        row = users.row_of.get(given.lower(), NOBODY) if isinstance(given, str) else NOBODY
        if not isinstance(given, str) or not given:
            source.problems.add(name, f"record {number}", "id", _NOBODYS)
        methods = record.get("methods")
        if row < 0:
            continue
        if not isinstance(methods, list):
            source.problems.add(name, users.id[row], "methods", "missing or no list")
            continue
        found.methods.replace(row, tuple(sorted({word for word in map(_method, methods) if word})))
        if source.status[name].as_of:
            found.as_of.replace(row, source.status[name].as_of)


def _method(method: object) -> str:
    """The word of one method; empty for the password, which everybody has, and for what is none."""
    if not isinstance(method, dict):
        return ""
    kind = _text(method, "@odata.type").removeprefix("#microsoft.graph.").removesuffix("AuthenticationMethod")
    if kind == "phone":
        kind = _text(method, "phoneType") or kind
    return "" if kind == "password" else _METHODS.get(kind, kind)


class _PerUserMfa(msgspec.Struct, gc=False):
    id: str | UnsetType = UNSET
    perUserMfaState: Text = UNSET  # noqa: N815


_WholePerUserMfa = as_answered(_PerUserMfa)


def read_per_user_mfa(source: Source, users: Users) -> Coded[str]:
    """`Accounts.per_user_mfa`; two rows that disagree are unknown."""
    name, prop = "perUserMfa", "perUserMfaState"
    found = Settled(len(users), "unknown")
    if not source.complete(name):
        return found.column("unknown")
    for block in source.blocks(name, _PerUserMfa, _WholePerUserMfa):
        rows = _rows(source, name, users, block)
        words = [record.perUserMfaState or "" for record in block.records]
        words = [word.lower() for word in words]
        if not _MFA_STATES.issuperset(words):
            _tell_missing(source, name, users, block, rows, prop)
            for position, word in enumerate(words):
                if word in _MFA_STATES:
                    continue
                words[position] = "unknown"
                given, row = block.records[position].perUserMfaState, rows[position]
                if given is not UNSET and row >= 0:
                    problem = f"`{given}` is none of disabled, enabled, enforced"
                    source.problems.add(name, users.id[row], prop, problem)
        for row in found.settle(rows, words):
            source.problems.add(name, users.id[row], "", "two objects for this account disagree")
    source.distinct[name] = int(found.seen().sum())
    return found.column("unknown")


_MFA_STATES = frozenset({"disabled", "enabled", "enforced"})
_NOBODYS = "missing: whose it is is unknown"


def _rows(source: Source, name: str, users: Users, block: Block[_Registration] | Block[_PerUserMfa]) -> list[int]:
    """The rows of objects whose `id` is the user's; NOBODY where it is another's or missing."""
    ids = [record.id or "" for record in block.records]
    rows = users.rows_of(ids)
    if NOBODY in rows:
        for position, one in enumerate(ids):
            if not one and "id" not in block.malformed(position):
                source.problems.add(name, block.place(position), "id", _NOBODYS)
    return rows


def _tell_missing(
    source: Source,
    name: str,
    users: Users,
    block: Block[_Registration] | Block[_PerUserMfa],
    rows: list[int],
    prop: str,
) -> None:
    for position, record in enumerate(block.records):
        if rows[position] >= 0 and getattr(record, prop) is UNSET and prop not in block.malformed(position):
            source.problems.missing(name, users.id[rows[position]], prop)


def read_mailbox_usage(source: Source, users: Users, join: Join) -> Coded[str]:
    """`Accounts.mailbox_usage`: user, shared, deleted, or empty where there is no row."""
    name = "mailboxUsage"
    found = [""] * len(users)
    if source.complete(name):
        for row, deleted, kind in _report(source, name, join, "isdeleted", "recipienttype"):
            if not isinstance(kind, _TEXT):
                source.problems.add(name, users.id[row], "recipientType", "no text: which kind it is is unknown")
            gone = NO if deleted is UNSET else exchange_boolean(deleted)
            if gone == UNREAD:
                source.problems.add(name, users.id[row], "isDeleted", "neither true nor false: the row tells nothing")
                word = "unread"
            elif gone == YES:
                word = "deleted"
            else:
                word = "shared" if "shared" in str(kind).lower() else "user"
            # a live mailbox beside a deleted one of the same name is what counts
            if not found[row] or found[row] in {"deleted", "unread"}:
                found[row] = word
            elif word not in {"deleted", "unread", found[row]}:
                source.problems.add(name, users.id[row], "", "two rows for this account disagree: the first is used")
    return Coded(found if source.complete(name) else [""] * len(users))


def read_smtp_apps(source: Source, users: Users, join: Join) -> list[int]:
    """`Accounts.smtp_app_used`: YES by either report; NO where the usage report has a row that says no."""
    found = [UNREAD] * len(users)
    seen = bytearray(len(users))
    name = "emailAppUsage"
    if source.usable(name):
        for row, used in _report(source, name, join, "smtpapp"):
            seen[row] = 1
            if used is UNSET:
                source.problems.missing(name, users.id[row], "SMTP App")
            elif not isinstance(used, _YES_OR_NO):
                source.problems.add(name, users.id[row], "SMTP App", "neither yes nor no")
            else:
                said = str(used or "").strip().lower() not in {"", "no", "false", "0"}
                found[row] = max(found[row], YES if said else NO)
        source.distinct[name] = sum(seen)
        if source.status[name].state == "cut" and source.status[name].reason == CONCEALED:
            found = [UNREAD] * len(users)
    for number, record in enumerate(source.objects_of("smtpAuthClients"), 1):
        row = next((row for row in map(join.named, _addresses(record)) if row >= 0), NOBODY)
        if row >= 0:
            found[row] = YES
        elif not any(_addresses(record)):
            source.problems.add("smtpAuthClients", f"record {number}", "", "no address: whose use it is is unknown")
    return found


CONCEALED = (
    "the tenant conceals user names in usage reports, so the rows name nobody "
    "(Microsoft 365 admin center > Settings > Org settings > Reports)"
)
_NAMELESS = "missing: whose row it is is unknown"
_TEXT = (str, NoneType, UnsetType)
_YES_OR_NO = (str, bool, NoneType)
_HASH = re.compile(r"[0-9a-fA-F]{32,64}")


def _report(source: Source, name: str, join: Join, *wanted: str) -> Iterator[tuple[Any, ...]]:
    """(row of Accounts, value of each wanted column or UNSET) of the report's rows that name an account. `wanted`: the
    columns' names in lower case, without spaces.

    Where names are concealed the dataset is no longer complete, and a note says so once."""
    concealed, nameless = False, 0
    needed = ("userprincipalname", *wanted)
    for block in source.objects(name, _row_kind(source, name, needed)):
        upns, *columns = (_column(block, column) for column in needed)
        names = [upn if isinstance(upn, str) else "" for upn in upns]
        rows = join.all_named(names)
        for position in [position for position, row in enumerate(rows) if row < 0]:
            if not names[position]:
                source.problems.add(name, block.place(position), "userPrincipalName", _NAMELESS)
                nameless += 1
            elif _HASH.fullmatch(names[position]):
                concealed = True
        yield from [told for told in zip(rows, *columns, strict=True) if told[0] >= 0]
    nameless += source.lost(name)
    if nameless:
        source.distrust(name, f"{nameless} of its rows name nobody")
    if concealed:
        source.distrust(name, CONCEALED)
        source.problems.add(name, "", "userPrincipalName", CONCEALED)


def _row_kind(source: Source, name: str, needed: Sequence[str]) -> type[msgspec.Struct] | None:
    """The needed columns of a report as its first row spells them, which nearly always all rows do; None where that
    row lacks one."""
    first = next(source.snapshot.lines(name), b"")
    with suppress(*UNREADABLE, KeyError):
        spelt = _spelling(tuple(msgspec.json.decode(first, type=dict[str, Any])))
        fields = [(column, Any, msgspec.field(name=spelt[column])) for column in needed]
        return msgspec.defstruct("Row", fields, gc=False)
    return None


def _column(block: Block[Any], name: str) -> list[Any]:
    """A report's column, UNSET where a row lacks it."""
    if block.whole:
        return list(map(attrgetter(name), block.records))
    return [record.get(_spelling(tuple(record)).get(name, ""), UNSET) for record in block.records]


@lru_cache(maxsize=64)
def _spelling(keys: tuple[str, ...]) -> Mapping[str, str]:
    """The keys by their lower-case letters and digits."""
    return {re.sub(r"[^a-z0-9]", "", key.lower()): key for key in keys}


def _addresses(record: Mapping[str, Any]) -> list[str]:
    return [value for value in record.values() if isinstance(value, str) and "@" in value]


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""
