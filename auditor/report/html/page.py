"""What the page says without its script: summary, charts, senders, policies, coverage and how to read it.

Every text that comes from the tenant or the config passes `visible`; the template escapes all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from auditor import __version__
from auditor.blockers import BLOCKERS
from auditor.evaluate import Evaluation
from auditor.report import guide, sheets
from auditor.report.cells import Link
from auditor.report.csvfiles import COVERAGE_COLUMNS, coverage_row
from auditor.report.figures import EXPOSURES, OUTCOMES, VERDICTS, Figures, Gap, figures
from auditor.report.html.charts import grouped, stacked
from auditor.report.html.visible import visible
from auditor.report.policies import POLICY_FIELDS, policy_rows
from auditor.report.standings import standings
from auditor.report.summary import headlines, sources, waivers
from auditor.tenant import Tenant
from auditor.verdict import Judgement

SECTIONS = {
    "summary": "Summary",
    "findings": "Findings",
    "accounts": "Accounts",
    "senders": "Senders",
    "policies": "Policies",
    "coverage": "Coverage",
    "guide": "How to read",
}
"""Anchor → heading, in the page's order."""

EXPOSURE_TEXT = {
    "open": "anyone with the password, from anywhere",
    "limited": "some places, or app passwords only",
    "unknown": "what decides it was not read",
    "closed": "a setting closes it for everyone",
}

CHANGE_TEXT = {
    "new": "not known from any earlier run",
    "returned": "fixed once, and standing again",
    "changed": "standing, but not as before",
    "fixed": "gone, and all behind it was read",
    "not-checked": "gone, perhaps for want of evidence",
    "persisting": "standing as before",
}

_NOTHING = (
    "No account was judged: the accounts (dataset users) were not read. Nothing on this page may be taken as a pass; "
    "what is missing stands below and under Coverage."
)

_SHARED_GUIDE = (
    "Two questions, kept apart",
    "Verdicts (columns basic, oauth)",
    "States of a blocker",
    "Exposure",
    "Evidence",
    "What nobody can read from a tenant",
)
"""Sections of the workbook's guide that hold for this page too."""

_OWN_GUIDE: Mapping[str, Sequence[tuple[str, str]]] = {
    "Findings": (
        ("One cause, one finding", "A cause that is tenant-wide gives one finding; open it to list its accounts. A "
         "finding of its own is made for declared senders, administrators, explicit mailbox overrides and evidence of "
         "use."),
        ("severity", "critical, high, medium, low, info: what an attacker or an outage gains, plus how much it "
         "touches, minus how unsure the evidence leaves us."),
        ("outcome", "fail: it stands. unknown: it could not be judged for want of evidence. waived: accepted, with "
         "owner, reason and end date; it is still listed."),
        ("change", "Against the previous run, where one was given: new, persisting, changed, returned. Without a "
         "previous run everything is new and first seen now."),
        ("id", "Stable across runs and machines for the same rule, tenant and object: use it as the key in tickets."),
    ),
    "The path of blockers": (
        ("The path", "Every gate that stands between a client and Exchange Online, in an order of work: what to look "
         "at first. It is not Exchange's own order, which is not documented. All gates must let the sign-in pass, so "
         "each one that blocks has to go; removing the first alone changes nothing."),
        ("The line", "Unbroken up to the first gate that blocks, broken after it."),
    ),
    "This file": (
        ("Self-contained", "It loads nothing, sends nothing and stores only the choice of light or dark. Links lead to "
         "Microsoft's pages and open only when you follow them."),
        ("Characters that hide", "Control characters are shown as pictures, characters that turn the reading direction "
         "or show nothing are written out, such as ‹U+202E›. The exact text stands in findings.json."),
        ("The files beside it", "findings.xlsx is the workbook to work in; findings.csv, accounts.csv, coverage.csv "
         "and findings.json hold the same for programs; run.json says when and how long was read."),
    ),
}  # fmt: skip


def page_context(evaluation: Evaluation) -> dict[str, Any]:
    """Everything the template needs but the rows. Texts are plain, not yet escaped."""
    judgement = evaluation.judgement
    numbers = figures(evaluation)
    return {
        "version": __version__,
        "sections": SECTIONS,
        "tenant": _tenant(judgement.tenant),
        "headlines": _headlines(numbers),
        "waivers": waivers(numbers),
        "since": _since(numbers),
        "actions": _actions(numbers),
        "charts": _charts(numbers),
        "verdicts": numbers.verdicts,
        "exposure": {word: (EXPOSURE_TEXT[word], numbers.exposure[word]) for word in EXPOSURES},
        "severities": numbers.findings,
        "outcomes": OUTCOMES,
        "accounts": numbers.accounts,
        "gaps": [_gap(gap) for gap in numbers.gaps if gap.blockers],
        "weightless": [name for gap in numbers.gaps if not gap.blockers for name in gap.datasets],
        "complete": not numbers.gaps,
        "retirement": guide.RETIREMENT,
        "senders": senders(judgement),
        "policies": policies(judgement),
        "coverage": _coverage(evaluation),
        "guide": _guide(),
        "sources": tuple((blocker.id, blocker.title, blocker.source) for blocker in BLOCKERS),
    }


def _tenant(tenant: Tenant) -> dict[str, str]:
    return {
        "name": visible(tenant.name) or "Tenant without a name",
        "id": visible(tenant.tenant_id) or "not known",
        "cloud": tenant.cloud,
        "date": f"{tenant.now:%Y-%m-%d, %H:%M} UTC",
        "moment": tenant.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "sources": visible(sources(tenant)),
    }


# ---------------------------------------------------------------------------------------------------- summary


def _headlines(numbers: Figures) -> list[dict[str, str]]:
    """The run in four figures, each with its sentence."""
    if not numbers.accounts:
        return [{"label": "Nothing judged", "figure": "0", "of": "accounts", "text": _NOTHING, "tone": "bad"}]
    exposed = numbers.exposure["open"][0]
    stopped = numbers.senders_by_verdict["blocked"] + numbers.senders_missing
    read, asked = numbers.datasets_complete, numbers.datasets_asked
    figure = {
        "Exposure": (f"{exposed:,}", f"of {numbers.accounts:,} accounts exposed", _tone(exposed)),
        "Senders": (f"{stopped:,}", f"of {numbers.senders:,} senders cannot send", _tone(stopped)),
        "Retirement": (f"{numbers.breaking:,}", "accounts break at retirement", _tone(numbers.breaking)),
        "Coverage": (f"{read:,}", f"of {asked:,} datasets read whole", _tone(asked - read)),
    }
    return [
        {"label": label, "figure": figure[label][0], "of": figure[label][1], "tone": figure[label][2], "text": text}
        for label, text in headlines(numbers)
    ]


def _tone(bad: int) -> str:
    return "bad" if bad else "good"


def _since(numbers: Figures) -> dict[str, Any] | None:
    """What became of the findings since the previous run; None where none was given."""
    since = numbers.since
    if since is None:
        return None
    kinds = {kind: (CHANGE_TEXT[kind], (urgent, other)) for kind, (urgent, other) in since.findings.items()}
    return {"before": since.before[:10], "kinds": kinds, "senders": since.senders, "exposure": since.exposure}


def _actions(numbers: Figures) -> list[dict[str, Any]]:
    return [
        {
            "id": action.finding.id,
            "severity": action.finding.severity,
            "title": visible(action.finding.title),
            "more": action.more,
            "accounts": action.accounts,
            "unsure": action.finding.outcome == "unknown",
            "remedy": visible(action.finding.remedy),
        }
        for action in numbers.actions
    ]


def _charts(numbers: Figures) -> dict[str, Any]:
    return {
        "verdicts": grouped("chart-verdicts", "Accounts by verdict", ("basic", "oauth"), numbers.verdicts),
        "exposure": grouped(
            "chart-exposure",
            "Accounts by exposure",
            ("all", "administrators", "senders"),
            {word: numbers.exposure[word] for word in EXPOSURES},
        ),
        "findings": stacked("chart-findings", "Findings by severity and outcome", OUTCOMES, numbers.findings),
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "state": gap.state,
        "datasets": gap.datasets,
        "reason": visible(gap.reason).rstrip("."),
        "blockers": gap.blockers,
        "unknown": gap.unknown_accounts,
        "remedy": visible(gap.remedy),
    }


# ---------------------------------------------------------------------------------------------------- tables


def senders(judgement: Judgement) -> list[dict[str, Any]]:
    """The rows of the workbook's Senders sheet, the worst verdict first. `case` counts the senders whose account exists
    (None where it does not), `reasons` are all that stand in its way."""
    names = [field.header for field in sheets.SENDER_FIELDS]
    missing = len(judgement.missing_senders)
    rows = []
    for number, values in enumerate(sheets.sender_rows(judgement)):
        case = number - missing if number >= missing else None
        reasons = [] if case is None else _reasons(judgement, judgement.sender_cases()[case])
        rows.append({**_named(names, values), "case": case, "reasons": reasons})
    rows.sort(key=lambda row: (row["case"] is not None, VERDICTS.index(row["Verdict"])))
    return rows


def _reasons(judgement: Judgement, case: int) -> list[dict[str, str]]:
    return [
        {
            "id": standing.blocker,
            "state": standing.reason.state.word,
            "other": f"{standing.other} only" if standing.other else "",
            "text": visible(standing.reason.text),
            "reply": standing.reply,
        }
        for standing in standings(judgement, case)
    ]


def policies(judgement: Judgement) -> list[dict[str, Any]]:
    """The rows of the workbook's Policies sheet."""
    names = [field.header for field in POLICY_FIELDS]
    return [_named(names, row) for row in policy_rows(judgement)]


def _coverage(evaluation: Evaluation) -> list[dict[str, Any]]:
    rows = sorted(evaluation.coverage, key=lambda row: (row.state == "complete", row.dataset))
    return [_named(COVERAGE_COLUMNS, coverage_row(row)) for row in rows]


def _named(names: Iterable[str], values: Sequence[object]) -> dict[str, Any]:
    """Column → value; texts are made visible, nothing is the empty text, the workbook's links are their text."""
    plain = (value.text if isinstance(value, Link) else value for value in values)
    return {
        name: visible(value) if isinstance(value, str) else "" if value is None else value
        for name, value in zip(names, plain, strict=True)
    }


def _guide() -> list[tuple[str, Sequence[tuple[str, str]]]]:
    shared = dict(guide.SECTIONS)
    parts = [(heading, shared[heading]) for heading in _SHARED_GUIDE]
    return [*parts[:3], ("The path of blockers", _OWN_GUIDE["The path of blockers"]), parts[3],
            ("Findings", _OWN_GUIDE["Findings"]), *parts[4:], ("This file", _OWN_GUIDE["This file"])]  # fmt: skip
