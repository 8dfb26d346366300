"""The Summary sheet's numbers and sentences. Static numbers: a viewer that computes nothing shows them too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from auditor.diff import Comparison
from auditor.evaluate import CoverageRow, Evaluation
from auditor.findings.base import SEVERITIES, Finding
from auditor.report.order import by_urgency
from auditor.states import VERDICT_WORDS
from auditor.tenant import YES
from auditor.triage import FALSE_POSITIVE, FIXED, NONE
from auditor.verdict import EXPOSURE_WORDS, Judgement

VERDICTS = ("blocked", "unknown", "conditional", "open", "not_applicable")
EXPOSURES = ("open", "limited", "unknown", "closed")
OUTCOMES = ("fail", "unknown", "waived")


@dataclass(frozen=True)
class Action:
    """One of the things to do first: the most urgent finding of a rule, and how many more of that rule there are."""

    finding: Finding
    more: int
    accounts: int


@dataclass(frozen=True)
class Gap:
    """Datasets that were not read whole for one and the same reason."""

    state: str
    reason: str
    datasets: tuple[str, ...]
    blockers: tuple[str, ...]
    unknown_accounts: int
    remedy: str


@dataclass(frozen=True)
class Since:
    """What changed since the previous run. `findings`: kind → critical and high, the others. `senders`, `exposure`:
    how many senders' verdicts and accounts' exposures differ."""

    before: str
    findings: dict[str, tuple[int, int]]
    senders: int
    exposure: int
    remarks: int


@dataclass(frozen=True)
class Owed:
    """Who still owes an answer: findings that stand and were neither accepted nor called a false positive."""

    owner: str
    findings: int
    overdue: int
    next_due: str


@dataclass(frozen=True)
class Waived:
    """Waivers, findings accepted by them, and the waivers that have lapsed, name nothing, or take in too much."""

    waivers: int
    findings: int
    lapsed: int
    unused: int
    broad: int


@dataclass(frozen=True)
class Figures:
    """`verdicts`: word → accounts by basic, by oauth. `exposure`: word → accounts in all, administrators, declared
    senders. `findings`: severity → fail, unknown, waived."""

    accounts: int
    verdicts: dict[str, tuple[int, int]]
    exposure: dict[str, tuple[int, int, int]]
    findings: dict[str, tuple[int, int, int]]
    senders: int
    senders_missing: int
    senders_by_verdict: dict[str, int]
    breaking: int
    breaking_unknown: int
    actions: tuple[Action, ...]
    gaps: tuple[Gap, ...]
    datasets_complete: int
    datasets_asked: int
    since: Since | None
    owed: tuple[Owed, ...]
    waived: Waived


def figures(evaluation: Evaluation) -> Figures:
    judgement = evaluation.judgement
    used = sender_verdicts(judgement)
    return Figures(
        accounts=len(judgement.tenant.accounts),
        verdicts=_verdicts(judgement),
        exposure=_exposure(judgement),
        findings=_findings(evaluation.findings),
        senders=len(used) + len(judgement.missing_senders),
        senders_missing=len(judgement.missing_senders),
        senders_by_verdict={word: used.count(word) for word in VERDICTS},
        breaking=sum(value == "true" for value in judgement.breaks_at_retirement),
        breaking_unknown=sum(value == "unknown" for value in judgement.breaks_at_retirement),
        actions=_actions(evaluation.findings),
        gaps=_gaps(evaluation.coverage),
        datasets_complete=sum(row.state == "complete" for row in evaluation.coverage),
        datasets_asked=sum(row.state != "not-asked" for row in evaluation.coverage),
        since=_since(evaluation.comparison, len(evaluation.remarks)) if evaluation.comparison else None,
        owed=_owed(evaluation),
        waived=_waived(evaluation),
    )


def sender_verdicts(judgement: Judgement) -> list[str]:
    """Per sender case, the verdict of the channel that the sender uses."""
    words = []
    for case in judgement.sender_cases():
        sender = judgement.cases.senders[case]
        channel = judgement.oauth_cases if sender and sender.auth == "oauth" else judgement.basic_cases
        words.append(VERDICT_WORDS[int(channel[case])])
    return words


def sender_rows(judgement: Judgement) -> frozenset[int]:
    """Rows of the accounts that are declared senders."""
    return frozenset(int(judgement.cases.account[case]) for case in judgement.sender_cases())


def _verdicts(judgement: Judgement) -> dict[str, tuple[int, int]]:
    basic = np.bincount(judgement.basic, minlength=len(VERDICT_WORDS))
    oauth = np.bincount(judgement.oauth, minlength=len(VERDICT_WORDS))
    return {word: (int(basic[VERDICT_WORDS.index(word)]), int(oauth[VERDICT_WORDS.index(word)])) for word in VERDICTS}


def _exposure(judgement: Judgement) -> dict[str, tuple[int, int, int]]:
    import pandas as pd

    senders = sender_rows(judgement)
    frame = pd.DataFrame(
        {
            "exposure": pd.Categorical.from_codes(judgement.exposure.astype(np.int8), categories=EXPOSURE_WORDS),
            "administrator": judgement.tenant.accounts.is_admin == YES,
            "sender": np.isin(np.arange(len(judgement.exposure)), list(senders)),
        }
    )
    frame["all"] = True
    table = frame.groupby("exposure", observed=False)[["all", "administrator", "sender"]].sum()
    return {word: (int(row["all"]), int(row["administrator"]), int(row["sender"]))
            for word, row in ((word, table.loc[word]) for word in EXPOSURES)}  # fmt: skip


def _findings(findings: Sequence[Finding]) -> dict[str, tuple[int, int, int]]:
    import pandas as pd

    table = pd.crosstab(
        pd.Categorical([finding.severity for finding in findings], categories=SEVERITIES),
        pd.Categorical([finding.outcome for finding in findings], categories=OUTCOMES),
        dropna=False,
    ).reindex(index=SEVERITIES, columns=OUTCOMES, fill_value=0)
    return {
        severity: (int(row["fail"]), int(row["unknown"]), int(row["waived"]))
        for severity, row in ((severity, table.loc[severity]) for severity in SEVERITIES)
    }


def _actions(findings: Iterable[Finding], limit: int = 5) -> tuple[Action, ...]:
    """The most urgent findings, one per rule; accepted (waived) ones are nothing to do."""
    by_rule: dict[str, list[Finding]] = {}
    for finding in by_urgency(findings):
        if finding.outcome != "waived" and finding.severity != "info":
            by_rule.setdefault(finding.rule, []).append(finding)
    return tuple(
        Action(same[0], len(same) - 1, len({row for finding in same for row in finding.accounts}))
        for same in list(by_rule.values())[:limit]
    )


def _gaps(coverage: Iterable[CoverageRow]) -> tuple[Gap, ...]:
    """What was not read, gathered by cause; what leaves most accounts unknown comes first."""
    by_cause: dict[tuple[str, str, str], list[CoverageRow]] = {}
    for row in coverage:
        if row.state != "complete":
            by_cause.setdefault((row.state, row.reason, row.remedy), []).append(row)
    gaps = [
        Gap(
            state,
            reason,
            tuple(row.dataset for row in rows),
            tuple(dict.fromkeys(blocker for row in rows for blocker in row.decides)),
            max(row.unknown_accounts for row in rows),
            remedy,
        )
        for (state, reason, remedy), rows in by_cause.items()
    ]
    return tuple(sorted(gaps, key=lambda gap: (-gap.unknown_accounts, not gap.blockers, gap.state == "not-asked")))


def _since(comparison: Comparison, remarks: int) -> Since:
    urgent: Counter[str] = Counter(
        change.kind for change in comparison.findings if change.severity in ("critical", "high")
    )
    differing = [
        (thing.subject, fact.name) for thing in comparison.objects if thing.kind == "changed" for fact in thing.facts
    ]
    return Since(
        before=comparison.before,
        findings={kind: (urgent[kind], count - urgent[kind]) for kind, count in comparison.counts.items()},
        senders=differing.count(("sender", "verdict")),
        exposure=differing.count(("account", "exposure")),
        remarks=remarks,
    )


def _owed(evaluation: Evaluation) -> tuple[Owed, ...]:
    """By owner, the most overdue first; findings without an owner last, and nothing where nobody has written one."""
    today = evaluation.judgement.tenant.now.date().isoformat()
    due: dict[str, list[str]] = {}
    for finding in evaluation.findings:
        triage = evaluation.triage.get(finding.id, NONE)
        if finding.outcome != "waived" and triage.status not in (FALSE_POSITIVE, FIXED):
            due.setdefault(triage.owner, []).append(triage.due)
    if not set(due) - {""}:
        return ()
    owed = [
        Owed(owner, len(days), sum(day != "" and day < today for day in days), min(filter(None, days), default=""))
        for owner, days in due.items()
    ]
    return tuple(sorted(owed, key=lambda one: (not one.owner, -one.overdue, -one.findings, one.owner)))


def _waived(evaluation: Evaluation) -> Waived:
    uses = evaluation.waivers
    return Waived(
        waivers=len(uses),
        findings=sum(finding.outcome == "waived" for finding in evaluation.findings),
        lapsed=sum(use.force == "lapsed" for use in uses),
        unused=sum(use.use == "unused" for use in uses),
        broad=sum(use.breadth == "broader than needed" for use in uses),
    )
