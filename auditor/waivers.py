"""Waivers: findings that somebody accepted until a day, from the config or from a workbook's triage columns.

A waived finding is marked, never hidden. A waiver that lapsed, that nothing stands for, or that takes in more than it
has to is told (sheet Waivers).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Literal

from auditor.blockers import needs
from auditor.config import Waiver
from auditor.errors import ConfigError
from auditor.findings import RULES
from auditor.findings.base import Fact, Finding
from auditor.triage import ACCEPTED, Remark, Triage

Force = Literal["in force", "lapsed"]
Use = Literal["used", "unused", "not checked"]
Breadth = Literal["exact", "broader than needed", ""]

WORKBOOK = "workbook"
FACT = "waiver"

_RULES = {rule.id: rule for rule in RULES}
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Accepted:
    """A waiver, wherever it was written. `object`: an object's id or name, a finding's id, or empty for all that the
    rule finds. `until` is its last day."""

    source: str
    rule: str
    object: str
    owner: str
    reason: str
    until: date


@dataclass(frozen=True, slots=True)
class WaiverUse:
    """What a waiver does in this run. `findings`: ids of all that it names, waived by it or not."""

    waiver: Accepted
    force: Force
    use: Use
    breadth: Breadth
    findings: tuple[str, ...]
    note: str


def from_config(waivers: Sequence[Waiver]) -> list[Accepted]:
    """Raises ConfigError for an end that is no day of the calendar."""
    return [
        Accepted(
            f"config, [[waivers]] {number + 1}", waiver.rule, waiver.object.strip(), waiver.owner,
            " ".join(waiver.reason.split()), _until(number, waiver),
        )
        for number, waiver in enumerate(waivers)
    ]  # fmt: skip


def from_triage(triage: Mapping[str, Triage]) -> tuple[list[Accepted], list[Remark]]:
    """The waivers of a workbook: Status `Risk accepted` with an owner, an end and a comment as the reason, each for one
    finding; and what was accepted without one of these, which waives nothing."""
    accepted: list[Accepted] = []
    remarks: list[Remark] = []
    for identity, mine in sorted(triage.items()):
        if mine.status != ACCEPTED:
            continue
        parts = {"Waiver until": mine.waiver_until, "Owner": mine.owner, "Analyst comment (the reason)": mine.comment}
        missing = [name for name, value in parts.items() if not value]
        if missing:
            text = f"Status is {ACCEPTED}, but it waives nothing without {', '.join(missing)}."
            remarks.append(Remark(text, identity))
            continue
        rule = identity.rpartition("-")[0]
        reason = " ".join(mine.comment.split())
        accepted.append(Accepted(WORKBOOK, rule, identity, mine.owner, reason, date.fromisoformat(mine.waiver_until)))
    return accepted, remarks


class Waivers:
    """Waivers in the order in which they were written, found by what they name: a rule, and one object by id, name or
    finding id; without an object a waiver stands for the rule."""

    def __init__(self, accepted: Sequence[Accepted]) -> None:
        self._all = tuple(accepted)
        self._by_name: dict[tuple[str, str], list[int]] = {}
        for number, waiver in enumerate(accepted):
            self._by_name.setdefault((waiver.rule, waiver.object.lower()), []).append(number)

    def of(self, finding: Finding) -> list[Accepted]:
        """The waivers that name a finding."""
        return [self._all[number] for number in self._numbers(finding)]

    def _numbers(self, finding: Finding) -> list[int]:
        names = {"", finding.object_id.lower(), finding.object_name.lower(), finding.id}
        return sorted({number for name in names for number in self._by_name.get((finding.rule, name), ())})

    def uses(self, findings: Iterable[Finding], unread: Iterable[str], now: datetime) -> list[WaiverUse]:
        """What every waiver does, in their order. `unread`: datasets that were asked for and not read whole."""
        named: list[list[Finding]] = [[] for _ in self._all]
        ends: dict[str, date] = {}
        for finding in findings:
            for number in self._numbers(finding):
                named[number].append(finding)
                until = self._all[number].until
                ends[finding.id] = max(ends.get(finding.id, until), until)
        missing = frozenset(unread)
        return [_use(waiver, mine, ends, missing, now) for waiver, mine in zip(self._all, named, strict=True)]


def waive(finding: Finding, waivers: Waivers, now: datetime) -> Finding:
    """The finding, `waived` where a waiver stands for it on the day of `now`. One that has lapsed is told in the
    evidence and waives nothing."""
    mine = waivers.of(finding)
    if not mine:
        return finding
    waiver = max(mine, key=lambda waiver: waiver.until)
    if waiver.until < _today(now):
        told = Fact(FACT, f"lapsed on {waiver.until}: {waiver.owner}, {waiver.reason}")
        return replace(finding, evidence=(*finding.evidence, told))
    told = Fact(FACT, f"until {waiver.until}: {waiver.owner}, {waiver.reason}")
    return replace(finding, outcome="waived", evidence=(*finding.evidence, told))


def _use(
    waiver: Accepted, mine: Sequence[Finding], ends: Mapping[str, date], unread: frozenset[str], now: datetime
) -> WaiverUse:
    lapsed = waiver.until < _today(now)
    notes = [f"It ended on {waiver.until}; what it named stands again."] if lapsed and mine else []
    breadth, why = _breadth(waiver, mine)
    use: Use
    use, unused = _unused(waiver, unread) if not mine else ("used", "")
    outlived = [finding.id for finding in mine if ends[finding.id] > waiver.until]
    if outlived:
        notes.append(f"Another waiver names the same and ends later: {_some(outlived)}.")
    return WaiverUse(
        waiver,
        "lapsed" if lapsed else "in force",
        use,
        breadth,
        tuple(finding.id for finding in mine),
        " ".join(part for part in (*notes, why, unused) if part),
    )


def _breadth(waiver: Accepted, mine: Sequence[Finding]) -> tuple[Breadth, str]:
    """Broader than needed: it takes in, unseen, what was not known when it was written."""
    if not mine:
        return "", ""
    if not waiver.object:
        objects = [finding for finding in mine if finding.object_type != "tenant"]
        if objects:
            names = _some([finding.object_name for finding in objects])
            return (
                "broader than needed",
                f"It also accepts whatever this rule finds later; name what it is for: {names}.",
            )
        return "exact", ""
    if len(mine) > 1:
        names = _some([finding.object_id for finding in mine])
        return "broader than needed", f"The name fits {len(mine)} objects; use an object_id: {names}."
    return "exact", ""


def _unused(waiver: Accepted, unread: frozenset[str]) -> tuple[Use, str]:
    rule = _RULES.get(waiver.rule)
    if rule is None:
        return "unused", "No rule of this version has this id."
    missing = sorted({"users", *(rule.datasets or needs())} & unread)
    if missing:
        return "not checked", f"What it stands for may only not have been looked for: {', '.join(missing)}."
    if waiver.source == WORKBOOK:
        return "unused", "What it names does not stand any more."
    return "unused", "Nothing that it names stands in this tenant; take it out of the config if no other needs it."


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _today(now: datetime) -> date:
    return now.astimezone(UTC).date()


def _until(number: int, waiver: Waiver) -> date:
    try:
        return date.fromisoformat(waiver.until)
    except ValueError as error:
        raise ConfigError(
            f"waivers[{number}].until: `{waiver.until}` is no day of the calendar.", remedy="Write it as YYYY-MM-DD."
        ) from error
