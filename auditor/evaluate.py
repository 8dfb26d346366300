"""The judgement, whole: snapshot + config + now (+ previous run) → verdicts, findings and coverage. No I/O but reading
the snapshot; the same inputs give the same bytes on any machine, years later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from auditor.config import Config, TenantConfig, Waiver
from auditor.coverage import CoverageRow, coverage
from auditor.errors import ConfigError
from auditor.findings import evidence_json, find_all
from auditor.findings.base import Change, Fact, Finding
from auditor.load import load
from auditor.snapshot import Snapshot
from auditor.verdict import Judgement, judge

__all__ = ["CoverageRow", "Evaluation", "Previous", "evaluate", "verdicts"]


@dataclass(frozen=True)
class Evaluation:
    judgement: Judgement
    findings: Sequence[Finding]
    """sorted by id"""
    coverage: Sequence[CoverageRow]
    """in catalogue order, every dataset"""


@dataclass(frozen=True, slots=True)
class Previous:
    """The findings of an earlier run, as its findings.json holds them, by id."""

    findings: Mapping[str, Mapping[str, Any]]


def evaluate(snapshot: Snapshot, config: Config, now: datetime, previous: Previous | None = None) -> Evaluation:
    """Judge a snapshot and find what to act on. `now` is timezone-aware.

    Raises ConfigError for a waiver whose `until` is no day of the calendar, UsageError for damaged evidence."""
    judgement = verdicts(snapshot, config, now)
    findings = [waive(finding, config.waivers, now) for finding in find_all(judgement)]
    findings = [compare(finding, previous, now) for finding in findings]
    findings.sort(key=lambda finding: finding.id)
    return Evaluation(judgement, findings, coverage(judgement))


def verdicts(snapshot: Snapshot, config: Config, now: datetime) -> Judgement:
    """The verdicts alone. `now` is timezone-aware. Raises UsageError for damaged evidence."""
    mine = _tenant_of(snapshot, config)
    tenant = load(
        snapshot,
        now=now,
        cloud=mine.cloud if mine and not snapshot.manifest else None,
        max_age_days=config.exchange.max_age_days,
        declared=[sender.account for sender in config.senders],
        tenant_id=mine.tenant_id if mine else "",
    )
    return judge(tenant, config.senders, sign_in_days=config.audit.sign_in_days)


def _tenant_of(snapshot: Snapshot, config: Config) -> TenantConfig | None:
    """The config's entry for this snapshot: the same tenant id, or the only entry for a hand-made folder."""
    same = [tenant for tenant in config.tenants if tenant.tenant_id.lower() == snapshot.tenant_id.lower()]
    if same:
        return same[0]
    return config.tenants[0] if len(config.tenants) == 1 and not snapshot.tenant_id else None


def waive(finding: Finding, waivers: Sequence[Waiver], now: datetime) -> Finding:
    """The finding, `waived` where a waiver stands for it on the day of `now`. It is never hidden, and a waiver that
    has lapsed is told in the evidence and waives nothing."""
    today = now.astimezone(UTC).date()
    mine = [(_until(number, waiver), waiver) for number, waiver in enumerate(waivers) if _meets(waiver, finding)]
    if not mine:
        return finding
    until, waiver = max(mine, key=lambda pair: pair[0])
    if until < today:
        return replace(finding, evidence=(*finding.evidence, Fact("waiver", f"lapsed on {until}: {_who(waiver)}")))
    return replace(
        finding, outcome="waived", evidence=(*finding.evidence, Fact("waiver", f"until {until}: {_who(waiver)}"))
    )


def compare(finding: Finding, previous: Previous | None, now: datetime) -> Finding:
    """`first_seen` and `change` from the previous run: `changed` when severity, outcome or evidence differ. One run
    knows nothing of the runs before it, so a finding that it does not hold is `new`."""
    before = previous.findings.get(finding.id) if previous else None
    if before is None:
        moment = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return replace(finding, first_seen=moment, change="new")
    same = (
        before.get("severity") == finding.severity
        and before.get("outcome") == finding.outcome
        and before.get("evidence") == evidence_json(finding)
    )
    change: Change = "persisting" if same else "changed"
    return replace(finding, first_seen=str(before.get("first_seen", "")), change=change)


def _meets(waiver: Waiver, finding: Finding) -> bool:
    """A waiver names a rule, and one object by id, name or finding id; without an object it stands for the rule."""
    wanted = waiver.object.strip().lower()
    names = (finding.object_id.lower(), finding.object_name.lower(), finding.id)
    return waiver.rule == finding.rule and (not wanted or wanted in names)


def _until(number: int, waiver: Waiver) -> date:
    try:
        return date.fromisoformat(waiver.until)
    except ValueError as error:
        raise ConfigError(
            f"waivers[{number}].until: `{waiver.until}` is no day of the calendar.", remedy="Write it as YYYY-MM-DD."
        ) from error


def _who(waiver: Waiver) -> str:
    return f"{waiver.owner}, {waiver.reason}"
