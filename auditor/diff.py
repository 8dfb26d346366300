"""What changed from one run to another: findings, senders, accounts, policies, coverage. Pure; no file is touched.

Three things must never be confused with a fix: a finding that is only not looked for any more (its data were not read
whole this time, its sender is no longer declared), one whose evidence only aged (the log shows a later time), and one
that the calendar brought. So each has its own word:

| word | means |
|---|---|
| new | not known from any earlier run |
| returned | it was fixed once, and stands again |
| changed | its severity, outcome, evidence or accounts differ: each difference is named |
| fixed | it is gone, and all that it rests on was read whole this time |
| not-checked | it is gone, and that may be for want of evidence |
| persisting | it stands as before |
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import zip_longest
from typing import Any, Literal

from auditor.findings import RULES
from auditor.findings.build import READ_FROM
from auditor.findings.exposed_account import RULE as EXPOSED_ACCOUNT
from auditor.findings.exposed_accounts import RULE as EXPOSED_ACCOUNTS
from auditor.findings.sender_unknown import RULE as SENDER_UNKNOWN

Kind = Literal["new", "returned", "changed", "fixed", "not-checked", "persisting"]
KINDS: tuple[Kind, ...] = ("new", "returned", "changed", "fixed", "not-checked", "persisting")

Subject = Literal["sender", "account", "policy", "dataset"]
Came = Literal["new", "removed", "changed"]

TIMES_SEEN = frozenset({"smtpLastSuccess", "newestSuccess", "newestRefusal", "first", "last", "lastUpdatedDateTime"})
"""Facts that say when something was seen or reported: a later time alone is no change of the tenant."""
LOG_ENTRIES = frozenset({"auditEvent"})
"""Facts that quote a log: a new entry is a change, one that left the log's window is none."""
CALENDAR = frozenset({"basic-auth-retirement", "off by default"})
"""Facts that the announced date decides, without anybody's doing."""
_CALENDAR_FOLLOWS = frozenset({"basicToday"})
BY_DATE = "Brought by the announced date, not by a change in the tenant."
_NAMED = "accountNames"
"""A fact that names some of the accounts; where all accounts are known, who joined and who left says more."""
_SHOWN = 10

_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?")
_DATASETS = {rule.id: rule.datasets for rule in RULES}
_RESTS_ON_EXPOSURE = (EXPOSED_ACCOUNT.id, EXPOSED_ACCOUNTS.id)
_MISSING = "missing"

Document = Mapping[str, Any]
"""A finding as findings.json holds it."""


@dataclass(frozen=True)
class Run:
    """What a run left behind, as far as it can be compared. What an older version or a lone file does not hold is
    empty (`findings`, `gone`, `datasets`) or None (`senders`, `accounts`, `policies`: then they are not compared)."""

    findings: Mapping[str, Document]
    """by id"""
    gone: Mapping[str, Document] = field(default_factory=dict)
    """by id: findings of earlier runs that do not stand any more (`Comparison.gone`)"""
    tenant_id: str = ""
    now: str = ""
    """the moment it was judged for, ISO 8601 UTC"""
    datasets: Mapping[str, str] = field(default_factory=dict)
    """name → state (complete, cut, denied, failed, not-asked)"""
    senders: Mapping[str, Mapping[str, str]] | None = None
    """object id → name, account, verdict, basic, oauth, deciding_blocker, exposure, breaks_at_retirement, …"""
    accounts: Mapping[str, tuple[str, ...]] | None = None
    """id → (user principal name, then the values of ACCOUNT_FACTS)"""
    policies: Mapping[str, Mapping[str, str]] | None = None
    """id → name, state, modified"""
    source: str = ""
    """how a message calls it"""


ACCOUNT_FACTS = ("kind", "is_admin", "exposure")
"""What is compared of every account."""
SENDER_FACTS = ("account", "auth", "verdict", "basic", "oauth", "deciding_blocker", "exposure", "breaks_at_retirement")
POLICY_FACTS = ("name", "state", "modified")


@dataclass(frozen=True, slots=True)
class FactChange:
    """One fact, before and now; empty where it was not there."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class FindingChange:
    """What became of one finding. `severity` … `title` are today's, or the last known ones of a finding that is gone;
    `facts` are the differences, `aged` those that time alone brought; `last_seen` is set where it is gone."""

    kind: Kind
    id: str
    rule: str
    severity: str
    outcome: str
    object_type: str
    object_name: str
    title: str
    first_seen: str
    last_seen: str = ""
    facts: tuple[FactChange, ...] = ()
    aged: tuple[FactChange, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """A sender, account, policy or dataset that came, went or changed."""

    subject: Subject
    kind: Came
    key: str
    name: str
    facts: tuple[FactChange, ...]


@dataclass(frozen=True)
class Comparison:
    """`findings`: by kind in the order of KINDS, what the calendar brought last, then by id. `objects`: by subject,
    then name. `gone`: what the next run must know of findings that do not stand, by id. `not_compared`: what one of the
    two runs does not hold."""

    before: str
    now: str
    findings: tuple[FindingChange, ...]
    objects: tuple[ObjectChange, ...]
    gone: Mapping[str, Document]
    not_compared: tuple[str, ...] = ()

    @property
    def counts(self) -> dict[Kind, int]:
        counted = Counter(change.kind for change in self.findings)
        return {kind: counted[kind] for kind in KINDS}

    @cached_property
    def by_id(self) -> Mapping[str, FindingChange]:
        """Finding id → what became of it."""
        return {change.id: change for change in self.findings}


def compare(old: Run, new: Run) -> Comparison:
    """What changed from `old` to `new`, which is of the same tenant and not earlier."""
    changes = [_standing(document, old, new) for document in new.findings.values()]
    missing = {**old.gone, **old.findings}
    changes += [
        change
        for identity, document in missing.items()
        if identity not in new.findings and (change := _missing(document, old, new, told=identity in old.findings))
    ]
    changes.sort(key=lambda change: (KINDS.index(change.kind), change.note == BY_DATE, change.id))
    return Comparison(
        before=old.now,
        now=new.now,
        findings=tuple(changes),
        objects=tuple(_objects(old, new)),
        gone=_gone(missing, changes, old, new),
        not_compared=tuple(_not_compared(old, new)),
    )


# --- findings that stand --------------------------------------------------------------------------------------------


def _standing(now: Document, old: Run, new: Run) -> FindingChange:
    identity = now["id"]
    before = old.findings.get(identity)
    left = old.gone.get(identity)
    if before is not None:
        return _compared(before, now, old, new)
    if left is not None and left.get("state") != "not-checked":
        note = f"It was not found on {_day(left.get('gone_since'))}."
        return _change("returned", now, first_seen=_text(left, "first_seen"), note=note)
    if left is not None:
        change = _compared(left, now, old, new)
        return _noted(change, f"It could not be checked on {_day(left.get('gone_since'))}.")
    told = _text(now, "first_seen")
    # The newer run may know more: it was compared with a run before `old`.
    returned = bool(told and old.now) and told < old.now
    return _change("returned" if returned else "new", now, first_seen=told or new.now)


def _compared(before: Document, now: Document, old: Run, new: Run) -> FindingChange:
    facts = [FactChange(name, _text(before, name), _text(now, name)) for name in ("severity", "outcome")]
    facts = [fact for fact in facts if fact.before and fact.before != fact.after]
    members = _members(before, now, old, new)
    differing, aged = _evidence(before, now)
    facts += [fact for fact in differing if not (members and fact.name == _NAMED)] + members
    return _change(
        "changed" if facts else "persisting",
        now,
        first_seen=_text(before, "first_seen") or _text(now, "first_seen"),
        facts=tuple(facts),
        aged=tuple(aged),
        note=_cause(facts),
    )


def _evidence(before: Document, now: Document) -> tuple[list[FactChange], list[FactChange]]:
    """Nothing where one of the runs does not hold the evidence."""
    known = before.get("evidence") is not None and now.get("evidence") is not None
    return fact_changes(before["evidence"], now["evidence"]) if known else ([], [])


def fact_changes(
    before: Iterable[Mapping[str, str]], now: Iterable[Mapping[str, str]]
) -> tuple[list[FactChange], list[FactChange]]:
    """(the facts that differ, those that only aged), in the order in which the evidence names them."""
    old, new = _by_name(before), _by_name(now)
    changed: list[FactChange] = []
    aged: list[FactChange] = []
    for name in dict.fromkeys([*old, *new]):
        left = list((Counter(old.get(name, ())) - Counter(new.get(name, ()))).elements())
        came = list((Counter(new.get(name, ())) - Counter(old.get(name, ()))).elements())
        if name in LOG_ENTRIES:
            changed += [FactChange(name, "", value) for value in came]
            aged += [FactChange(name, value, "") for value in left]
            continue
        for value, other in zip_longest(left, came, fillvalue=""):
            only_later = name == READ_FROM or (
                name in TIMES_SEEN and value and other and _timeless(value) == _timeless(other)
            )
            (aged if only_later else changed).append(FactChange(name, value, other))
    return changed, aged


def _by_name(evidence: Iterable[Mapping[str, str]]) -> dict[str, list[str]]:
    named: dict[str, list[str]] = {}
    for fact in evidence:
        named.setdefault(str(fact.get("name", "")), []).append(str(fact.get("value", "")))
    return named


def _timeless(value: str) -> str:
    return _TIME.sub("", value)


def _members(before: Document, now: Document, old: Run, new: Run) -> list[FactChange]:
    """Who joined and who left the accounts that a finding touches; nothing where one run does not list them."""
    if before.get("accounts") is None or now.get("accounts") is None:
        return []
    earlier, later = set(before["accounts"]), set(now["accounts"])
    joined, left = _names(later - earlier, new, old), _names(earlier - later, old, new)
    changes = [FactChange("accounts that joined", "", joined)] if joined else []
    return changes + ([FactChange("accounts that left", left, "")] if left else [])


def _names(identities: Collection[str], *runs: Run) -> str:
    names = sorted(_name(identity, runs) for identity in identities)
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _name(identity: str, runs: Iterable[Run]) -> str:
    known = (run.accounts[identity][0] for run in runs if run.accounts and identity in run.accounts)
    return next(known, identity)


def _cause(facts: Sequence[FactChange]) -> str:
    names = {fact.name for fact in facts}
    by_date = names & CALENDAR and names <= CALENDAR | _CALENDAR_FOLLOWS
    return BY_DATE if by_date else ""


# --- findings that are gone -----------------------------------------------------------------------------------------


def _missing(before: Document, old: Run, new: Run, *, told: bool) -> FindingChange | None:
    """What became of a finding that the new run does not hold; None where an earlier run told so already."""
    settled = not told and before.get("state") != "not-checked"
    if settled:
        return None
    why_not = unchecked(before, old, new)
    last_seen = old.now if told else _text(before, "last_seen")
    first_seen = _text(before, "first_seen")
    if why_not:
        return _change("not-checked", before, first_seen=first_seen, last_seen=last_seen, note=why_not)
    return _change("fixed", before, first_seen=first_seen, last_seen=last_seen, note=_how_fixed(before, new))


def unchecked(before: Document, old: Run, new: Run) -> str:
    """Why the absence of a finding proves nothing; empty where it is a fix: everything that it rests on was read whole
    this time, and its sender or accounts have a verdict."""
    if not new.datasets:
        return "It is not known what was read this time."
    if before.get("rule") not in _DATASETS:
        return "This version of the program has no such rule."
    unread = [name for name in rests_on(before, old) if new.datasets.get(name, "complete") != "complete"]
    if unread:
        states = ", ".join(f"{name} ({new.datasets[name]})" for name in unread)
        return f"Not read whole this time: {states}."
    if before.get("object_type") == "sender" and not _DATASETS[str(before.get("rule"))]:
        return _sender_unchecked(before, new)
    if before.get("rule") in _RESTS_ON_EXPOSURE and new.accounts is not None:
        place = 1 + ACCOUNT_FACTS.index("exposure")
        unknown = [
            identity
            for identity in before.get("accounts") or ()
            if new.accounts.get(identity, ("",) * (place + 1))[place] == "unknown"
        ]
        if unknown:
            return f"The exposure is unknown this time of: {_names(unknown, new)}."
    return ""


def rests_on(before: Document, old: Run) -> list[str]:
    """The datasets behind a finding: the rule's and those that its evidence names. What was not there when it was found
    is not behind it. Without `users` nothing is found at all."""
    if "rests_on" in before:
        return [str(name) for name in before["rests_on"]]
    names = ["users", *_DATASETS.get(str(before.get("rule")), ())]
    for fact in before.get("evidence") or ():
        names += [name.strip() for name in str(fact.get("dataset", "")).split(",") if name.strip()]
    return [name for name in dict.fromkeys(names) if old.datasets.get(name) not in ("denied", "not-asked")]


def _sender_unchecked(before: Document, new: Run) -> str:
    if new.senders is None:
        return ""
    now = new.senders.get(str(before.get("object_id")))
    if now is None:
        return "The sender is no longer declared in the config, so it was not judged."
    if now.get("verdict") == _MISSING:
        return "The sender's account was not found this time, so it was not judged."
    if now.get("verdict") == "unknown":
        return f"The sender's verdict is unknown this time ({SENDER_UNKNOWN.id})."
    return ""


def _how_fixed(before: Document, new: Run) -> str:
    gone = before.get("object_type") == "account" and new.accounts is not None
    return "The account no longer exists." if gone and before.get("object_id") not in (new.accounts or {}) else ""


def _gone(
    missing: Mapping[str, Document], changes: Iterable[FindingChange], old: Run, new: Run
) -> dict[str, dict[str, Any]]:
    """What the next run must know: each finding once seen that does not stand now."""
    told = {change.id: change for change in changes}
    entries = {}
    for identity in sorted(missing.keys() - new.findings.keys()):
        before = missing[identity]
        entries[identity] = _entry(before, told[identity], old, new) if identity in told else dict(before)
    return entries


def _entry(before: Document, change: FindingChange, old: Run, new: Run) -> dict[str, Any]:
    entry: dict[str, Any] = {name: _text(before, name) for name in _KEPT}
    entry |= {"state": change.kind, "reason": change.note, "last_seen": change.last_seen, "gone_since": new.now}
    if change.kind == "not-checked":
        # Found again later, it is compared with what stood.
        entry["gone_since"] = _text(before, "gone_since") or new.now
        entry["evidence"] = before.get("evidence")
        entry["rests_on"] = rests_on(before, old)
        if before.get("accounts") is not None:
            entry["accounts"] = list(before["accounts"])
    return entry


_KEPT = ("id", "rule", "severity", "outcome", "object_type", "object_id", "object_name", "title", "first_seen")


# --- senders, accounts, policies, datasets --------------------------------------------------------------------------


def _objects(old: Run, new: Run) -> Iterator[ObjectChange]:
    yield from _records("sender", old.senders, new.senders, SENDER_FACTS)
    yield from _accounts(old, new)
    yield from _records("policy", old.policies, new.policies, POLICY_FACTS)
    if old.datasets and new.datasets:
        before, now = (
            {name: {"name": name, "state": state} for name, state in run.datasets.items()} for run in (old, new)
        )
        yield from (change for change in _records("dataset", before, now, ("state",)) if change.kind == "changed")


def _records(
    subject: Subject,
    old: Mapping[str, Mapping[str, str]] | None,
    new: Mapping[str, Mapping[str, str]] | None,
    facts: Sequence[str],
) -> Iterator[ObjectChange]:
    if old is None or new is None:
        return
    everyone = {**old, **new}
    for key in sorted(everyone, key=lambda key: (everyone[key].get("name", ""), key)):
        before, after = old.get(key), new.get(key)
        differing = tuple(
            FactChange(name, (before or {}).get(name, ""), (after or {}).get(name, ""))
            for name in facts
            if (before or {}).get(name, "") != (after or {}).get(name, "")
        )
        if differing:
            yield ObjectChange(subject, _came(before, after), key, everyone[key].get("name", "") or key, differing)


def _accounts(old: Run, new: Run) -> Iterator[ObjectChange]:
    """As `_records`, on tuples: there may be many."""
    if old.accounts is None or new.accounts is None:
        return
    differing = {key for key, value in new.accounts.items() if old.accounts.get(key, ("",))[1:] != value[1:]}
    differing |= old.accounts.keys() - new.accounts.keys()
    blank = ("",) * (1 + len(ACCOUNT_FACTS))
    everyone = {key: (new.accounts.get(key) or old.accounts[key])[0] for key in differing}
    for key in sorted(everyone, key=lambda key: (everyone[key], key)):
        before, after = old.accounts.get(key), new.accounts.get(key)
        facts = tuple(
            FactChange(name, was, is_now)
            for name, was, is_now in zip(ACCOUNT_FACTS, (before or blank)[1:], (after or blank)[1:], strict=True)
            if was != is_now
        )
        yield ObjectChange("account", _came(before, after), key, everyone[key], facts)


def _came(before: object, after: object) -> Came:
    return "new" if before is None else "removed" if after is None else "changed"


def _not_compared(old: Run, new: Run) -> Iterator[str]:
    for what in ("senders", "accounts", "policies"):
        if getattr(new, what) is None or getattr(old, what) is None:
            yield what
    if not (old.datasets and new.datasets):
        yield "datasets"


# --- small ----------------------------------------------------------------------------------------------------------


def _change(kind: Kind, document: Document, **more: Any) -> FindingChange:
    named: dict[str, Any] = {name: _text(document, name) for name in _TOLD}
    return FindingChange(kind=kind, **named, **more)


_TOLD = ("id", "rule", "severity", "outcome", "object_type", "object_name", "title")


def _noted(change: FindingChange, note: str) -> FindingChange:
    return replace(change, note=f"{note} {change.note}".strip())


def _text(document: Document, name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""


def _day(moment: Any) -> str:
    return str(moment)[:10] if moment else "an earlier day"
