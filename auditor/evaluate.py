"""The judgement, whole: snapshot + config + now (+ previous run) → verdicts, findings and coverage. No I/O but reading
the snapshot; the same inputs give the same bytes on any machine, years later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime

from auditor.clock import iso
from auditor.config import Config, Sender, TenantConfig
from auditor.coverage import CoverageRow, coverage
from auditor.diff import Comparison, Run, compare
from auditor.errors import UsageError
from auditor.findings import find_all
from auditor.findings.base import Change, Finding, finding_id
from auditor.load import load
from auditor.record import record
from auditor.snapshot import Snapshot
from auditor.tenant import Tenant
from auditor.triage import ACCEPTED, FIXED, Remark, Triage, told
from auditor.verdict import Judgement, judge
from auditor.waivers import Waivers, WaiverUse, from_config, from_triage, waive

__all__ = ["CoverageRow", "Evaluation", "Previous", "evaluate", "refuse_foreign", "verdicts"]


@dataclass(frozen=True)
class Evaluation:
    judgement: Judgement
    findings: Sequence[Finding]
    """sorted by id"""
    coverage: Sequence[CoverageRow]
    """in catalogue order, every dataset"""
    comparison: Comparison | None = None
    """with the previous run, where one was given"""
    triage: Mapping[str, Triage] = field(default_factory=dict)
    """finding id → what analysts wrote beside it, also of findings that are gone"""
    waivers: Sequence[WaiverUse] = ()
    """those of the config, then those of the previous run's workbook"""
    remarks: Sequence[Remark] = ()
    """what somebody must know about the triage that was carried over"""
    own_columns: tuple[str, ...] = ()
    """headers of the columns that analysts added beside those of triage"""


@dataclass(frozen=True)
class Previous(Run):
    """An earlier run, and what analysts wrote into its workbook since."""

    triage: Mapping[str, Triage] = field(default_factory=dict)
    remarks: Sequence[Remark] = ()
    own_columns: tuple[str, ...] = ()


def evaluate(snapshot: Snapshot, config: Config, now: datetime, previous: Previous | None = None) -> Evaluation:
    """Judge a snapshot and find what to act on. `now` is timezone-aware.

    Raises ConfigError for a waiver whose `until` is no day of the calendar, UsageError for damaged evidence and for a
    previous run of another tenant."""
    judgement = verdicts(snapshot, config, now)
    found = find_all(judgement)
    triage: dict[str, Triage] = {}
    remarks: list[Remark] = []
    if previous:
        refuse_foreign(previous, judgement.tenant.tenant_id)
        triage, strangers = _triage(found, previous)
        remarks += [*previous.remarks, *strangers]
        if previous.now > iso(now):
            remarks.append(Remark(f"The previous run was judged for a later moment ({previous.now}) than this one."))
    recent = {finding.id for finding in found} | (previous.findings.keys() if previous else set())
    accepted, unfit = from_triage({identity: mine for identity, mine in triage.items() if identity in recent})
    waivers = Waivers([*from_config(config.waivers), *accepted])
    findings = sorted((waive(finding, waivers, now) for finding in found), key=lambda finding: finding.id)
    comparison = compare(previous, record(judgement, findings)) if previous else None
    findings = [_dated(finding, comparison, now) for finding in findings]
    unread = [status.name for status in judgement.tenant.status.values() if status.asked and not status.complete]
    return Evaluation(
        judgement,
        findings,
        coverage(judgement),
        comparison,
        triage,
        waivers.uses(findings, unread, now),
        (*remarks, *unfit, *_conflicts(findings, triage)),
        previous.own_columns if previous else (),
    )


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
    return judge(tenant, _senders(tenant, config), sign_in_days=config.audit.sign_in_days)


def _senders(tenant: Tenant, config: Config) -> list[Sender]:
    """The declared senders of this tenant: all, unless the config names several tenants."""
    if len(config.tenants) < 2:
        return list(config.senders)
    names = {one.name.lower() for one in config.tenants
             if one.tenant_id.lower() in (tenant.tenant_id, *tenant.verified_domains)}  # fmt: skip
    return [sender for sender in config.senders if _belongs(sender, tenant, names)]


def _belongs(sender: Sender, tenant: Tenant, names: Set[str]) -> bool:
    """`names`: what the config calls this tenant. The sender's own key decides, else whether the account is here, else
    whether its domain is; where that cannot be told it is judged."""
    if sender.tenant and names:
        return sender.tenant.lower() in names
    domain = sender.account.strip().lower().rpartition("@")[2]
    elsewhere = "@" in sender.account and tenant.verified_domains and domain not in tenant.verified_domains
    return not elsewhere or tenant.find(sender.account) >= 0


def _tenant_of(snapshot: Snapshot, config: Config) -> TenantConfig | None:
    """The config's entry for this snapshot: the same tenant id, or the only entry for a hand-made folder."""
    same = [tenant for tenant in config.tenants if tenant.tenant_id.lower() == snapshot.tenant_id.lower()]
    if same:
        return same[0]
    return config.tenants[0] if len(config.tenants) == 1 and not snapshot.tenant_id else None


def refuse_foreign(previous: Previous, tenant_id: str) -> None:
    """Raises UsageError for a previous run of another tenant: by its tenant id, else by the ids of its findings, which
    are made of it."""
    theirs, mine = previous.tenant_id.lower(), tenant_id.lower()
    checkable = [found for found in previous.findings.values() if found.get("rule") and "object_id" in found]
    other = bool(theirs and mine and theirs != mine)
    strange = checkable and not any(
        found["id"] == finding_id(str(found["rule"]), tenant_id, str(found["object_id"])) for found in checkable
    )
    if other or strange:
        how = f"of tenant {previous.tenant_id}" if other else "by the ids of its findings"
        raise UsageError(
            f"{previous.source or 'The previous run'}: is of another tenant ({how}, not of {tenant_id or '?'}).",
            remedy="Name a run of this tenant with --previous.",
        )


def _triage(found: Sequence[Finding], previous: Previous) -> tuple[dict[str, Triage], list[Remark]]:
    """The triage of what stands, and of what once stood; and what was written beside an id that no run knows."""
    wanted = {finding.id for finding in found} | previous.findings.keys() | previous.gone.keys()
    kept = {identity: mine for identity, mine in previous.triage.items() if mine and identity in wanted}
    strangers = [
        Remark(f"No run knows this finding, so its triage was not carried over ({told(mine)}).", identity)
        for identity, mine in previous.triage.items()
        if mine and identity not in wanted
    ]
    return kept, strangers


def _dated(finding: Finding, comparison: Comparison | None, now: datetime) -> Finding:
    """`first_seen` and `change` from the comparison; without one the finding is new, and seen first now."""
    if comparison is None:
        return replace(finding, first_seen=iso(now), change="new")
    became = comparison.by_id[finding.id]
    change: Change = became.kind if became.kind in ("new", "returned", "changed") else "persisting"
    return replace(finding, first_seen=became.first_seen, change=change)


def _conflicts(findings: Sequence[Finding], triage: Mapping[str, Triage]) -> list[Remark]:
    """Where what an analyst says and what stands do not agree."""
    remarks = []
    for finding in findings:
        status = triage[finding.id].status if finding.id in triage else ""
        if status == FIXED and finding.outcome != "waived":
            again = "stands again" if finding.change == "returned" else "still stands"
            remarks.append(Remark(f"Status is {FIXED}, but it {again}.", finding.id))
        elif status not in ("", ACCEPTED) and finding.outcome == "waived":
            remarks.append(Remark(f"Status is {status}, but a waiver of the config accepts it.", finding.id))
    return remarks
