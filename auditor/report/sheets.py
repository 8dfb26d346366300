"""The workbook's tables, each as columns and a stream of rows. Column by column: docs/workbook.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from auditor import accounts
from auditor.blockers import BLOCKERS
from auditor.blockers.routes import route_of
from auditor.config import Sender
from auditor.evaluate import CoverageRow, Evaluation
from auditor.findings.base import Finding
from auditor.report.cells import Field, Link, Rows, Styled, Value, row_targets
from auditor.report.csvfiles import COVERAGE_COLUMNS, coverage_row
from auditor.report.order import by_urgency
from auditor.report.remediation import references
from auditor.report.standings import declared, standings
from auditor.states import VERDICT_WORDS
from auditor.tenant import NO, YES
from auditor.triage import ACCEPTED, COLUMNS, NONE, OPEN, STATUSES, Own
from auditor.verdict import EXPOSURE_WORDS, Judgement
from auditor.waivers import FACT as WAIVER

FINDINGS, SENDERS, ACCOUNTS, AFFECTED = "Findings", "Senders", "Accounts", "Affected"
POLICIES, COVERAGE = "Policies", "Coverage"

NO_LINKS: Mapping[int, str] = MappingProxyType({})


def tri(value: int) -> str:
    """The word of a tri-state."""
    return {YES: "true", NO: "false"}.get(int(value), "unknown")


# ---------------------------------------------------------------------------------------------------- Findings

FINDING_FIELDS = (
    Field("id", 37, "wrap"),
    Field("severity", 10, words="severity"),
    Field("outcome", 10, words="outcome"),
    Field(COLUMNS["status"], 13, "triage", choices=STATUSES),
    Field("title", 47, "wrap", full="findings.csv"),
    Field("object_name", 30, "wrap", full="findings.csv"),
    Field(COLUMNS["owner"], 16, "triage", full="findings.json"),
    Field(COLUMNS["due"], 12, "triage date", date=True),
    Field(COLUMNS["ticket"], 13, "triage", full="findings.json"),
    Field(COLUMNS["comment"], 30, "triage", full="findings.json"),
    Field(COLUMNS["waiver_until"], 12, "triage date", date=True),
    Field("accounts", 10, "number"),
    Field("facts", 8, "number"),
    Field("change", 11, words="change"),
    Field("first_seen", 21),
    Field("remedy", 130, "wrap", full="findings.csv"),
    Field("remedy_risk", 80, "wrap", full="findings.csv"),
    Field("rule", 30, "wrap"),
    Field("waiver", 34, "wrap"),
    Field("controls", 20, "wrap"),
    Field("reference 1", 44, "wrap"),
    Field("reference 2", 44, "wrap"),
    Field("more references", 44, "wrap", full="findings.csv"),
    Field("object_type", 11),
    Field("object_id", 38, "wrap", full="findings.csv"),
)


FINDINGS_PRINTED = 1 + [field.header for field in FINDING_FIELDS].index("accounts")
"""On paper Findings is a list to work down; evidence and remedies have sheets of their own."""
FINDINGS_TALLEST = 70
"""Points: a remedy in five lines, so that several findings fit on a screen."""


def finding_fields(own: Sequence[str]) -> tuple[Field, ...]:
    """The columns of Findings; `own`: the headers of the analysts' own columns, which stand last."""
    return (*FINDING_FIELDS, *(Field(header, 20, "triage", full="findings.json") for header in own))


@dataclass(frozen=True)
class FindingLinks:
    """Where a finding's cells lead: finding id → its first row in Affected and in Evidence, rule → its row in
    Remediation."""

    affected: Mapping[str, str]
    evidence: Mapping[str, str]
    remedies: Mapping[str, str]


def finding_rows(evaluation: Evaluation, links: FindingLinks) -> Rows:
    for finding in by_urgency(evaluation.findings):
        triage = evaluation.triage.get(finding.id, NONE)
        own = dict(triage.own)
        yield (
            Link(finding.id, links.affected.get(finding.id, "")),
            finding.severity,
            finding.outcome,
            triage.status or (ACCEPTED if finding.outcome == "waived" else OPEN),
            finding.title,
            finding.object_name,
            triage.owner,
            day(triage.due),
            triage.ticket,
            triage.comment,
            day(triage.waiver_until),
            len(finding.accounts),
            Link(len(finding.evidence), links.evidence.get(finding.id, "")),
            finding.change,
            finding.first_seen,
            finding.remedy,
            finding.remedy_risk,
            Link(finding.rule, links.remedies.get(finding.rule, "")),
            _waiver(finding),
            ", ".join(finding.controls),
            *references(finding.references),
            finding.object_type,
            finding.object_id,
            *(_own(own.get(header)) for header in evaluation.own_columns),
        )


def _own(value: Own | None) -> Value:
    """An analyst's own value in the style of its kind."""
    if isinstance(value, datetime):
        return Styled(value, "triage time")
    return Styled(value, "triage date") if isinstance(value, date) else value


def day(iso: str) -> date | None:
    """A day of the triage as a typed cell; None where there is none."""
    return date.fromisoformat(iso) if iso else None


def _waiver(finding: Finding) -> str | None:
    """What a waiver of the config or the workbook says of the finding: end, owner, reason; or that it lapsed."""
    told = [fact.value for fact in finding.evidence if fact.name == WAIVER]
    return told[-1] if told else None


# ---------------------------------------------------------------------------------------------------- Senders

SENDER_FIELDS = (
    Field("Sender", 26, "wrap"),
    Field("Account", 32, "wrap"),
    Field("Account found", 10),
    Field("Uses", 8),
    Field("Verdict", 12, words="state"),
    Field("basic", 12, words="state"),
    Field("oauth", 12, words="state"),
    Field("Deciding blocker", 22),
    Field("Why", 60, "wrap"),
    Field("Likely reply", 44, "wrap"),
    Field("Safest exit", 18),
    Field("Breaks at retirement", 12, words="exposure"),
    Field("Route", 18),
    Field("Server", 26),
    Field("Port", 7, "number"),
    Field("TLS", 9),
    Field("Username", 30, "wrap"),
    Field("From", 30, "wrap"),
    Field("Egress IPs", 20, "wrap"),
    Field("Owner", 20, "wrap"),
    *(Field(blocker.id, 14, words="state") for blocker in BLOCKERS),
)


def sender_rows(judgement: Judgement, standing: Mapping[int, str] = NO_LINKS) -> Rows:
    """One row per declared sender, those whose account was not found first. `standing`: sender case → link to its
    blockers. `Why` is the reason of the first that stands in the way; all of them stand in Sender blockers."""
    read = judgement.tenant.complete("users")
    for sender in judgement.missing_senders:
        yield (
            sender.name, sender.account, "no" if read else "unknown", sender.auth, *["unknown"] * 3, None,
            _GONE if read else _NOT_LOOKED_UP, None, None, "unknown", *_settings(sender), *(None for _ in BLOCKERS),
        )  # fmt: skip
    for case in judgement.sender_cases():
        sender = declared(judgement, case)
        row = int(judgement.cases.account[case])
        basic = VERDICT_WORDS[int(judgement.basic_cases[case])]
        oauth = VERDICT_WORDS[int(judgement.oauth_cases[case])]
        why, reply = _first(judgement, case)
        yield (
            Link(sender.name, standing.get(case, "")), judgement.tenant.accounts.user_principal_name[row], "yes",
            sender.auth, oauth if sender.auth == "oauth" else basic, basic, oauth, judgement.deciding_blocker[case],
            why, reply, judgement.safest_exit[case], judgement.breaks_at_retirement[row], *_settings(sender),
            *(judgement.columns[blocker.id].reason(case).state.word for blocker in BLOCKERS),
        )  # fmt: skip


def _first(judgement: Judgement, case: int) -> tuple[str, str]:
    """The reason and the likely reply of what stands first in the way of the channel that a sender uses."""
    for standing in standings(judgement, case):
        if not standing.other:
            return standing.reason.text, standing.reply
    return "No blocker was found in the tenant's settings.", ""


def sender_targets(judgement: Judgement, max_rows: int) -> dict[int, str]:
    """Sender case → link to its row in Senders."""
    missing = [(-1 - number, 1) for number in range(len(judgement.missing_senders))]
    return row_targets(SENDERS, [*missing, *((case, 1) for case in judgement.sender_cases())], max_rows)


_GONE = "No account of the tenant has this name or address: it was deleted, renamed or misspelt."
_NOT_LOOKED_UP = "The accounts were not read whole, so this one could not be looked up."


def _settings(sender: Sender) -> tuple[Value, ...]:
    return (
        route_of(sender), sender.server, sender.port, sender.tls, sender.username, sender.from_,
        ", ".join(sender.egress_ips), sender.owner,
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------------- Accounts

_ACCOUNT_WIDTHS = {
    "user_id": 38, "user_principal_name": 44, "display_name": 26, "likely_replies": 44, "smtp_evidence": 44,
    "safest_exit": 18, "deciding_blocker": 22, "methods_registered": 32, "password_last_changed": 22,
    "smtp_last_success": 22, "smtp_last_failure": 22, "methods_as_of": 22, "breaks_at_retirement": 19,
    "password_guessing": 17, "per_user_mfa": 12, "smtp_failure_codes": 14,
}  # fmt: skip
_ACCOUNT_WORDS = {
    "basic": "state", "oauth": "state", "exposure": "exposure", "password_guessing": "exposure",
    "breaks_at_retirement": "exposure",
}  # fmt: skip


def account_fields() -> tuple[Field, ...]:
    """The columns of accounts.csv, in its order."""
    blockers = {blocker.id for blocker in BLOCKERS}
    return tuple(
        Field(
            name,
            _ACCOUNT_WIDTHS.get(name, 13),
            full="accounts.csv",
            words="state" if name in blockers else _ACCOUNT_WORDS.get(name, ""),
        )
        for name in accounts.COLUMNS
    )


def account_rows(judgement: Judgement) -> Rows:
    return iter(accounts.rows(judgement))


# ---------------------------------------------------------------------------------------------------- Affected

AFFECTED_FIELDS = (
    Field("finding_id", 40),
    Field("severity", 10, words="severity"),
    Field("user_principal_name", 40, full="accounts.csv"),
    Field("display_name", 28, full="accounts.csv"),
    Field("kind", 11),
    Field("is_admin", 10),
    Field("exposure", 11, words="exposure"),
    Field("basic", 13, words="state"),
    Field("oauth", 13, words="state"),
    Field("user_id", 38),
)


def spreads(finding: Finding) -> bool:
    """Whether the finding's accounts are listed one by one: all but findings about one account or sender."""
    return bool(finding.accounts) and (len(finding.accounts) > 1 or finding.object_type not in ("account", "sender"))


def affected_rows(evaluation: Evaluation) -> Rows:
    judgement = evaluation.judgement
    people = judgement.tenant.accounts
    for finding in by_urgency(evaluation.findings):
        if not spreads(finding):
            continue
        for row in finding.accounts:
            yield (
                finding.id,
                finding.severity,
                people.user_principal_name[row],
                people.display_name[row],
                people.kind[row],
                tri(people.is_admin[row]),
                EXPOSURE_WORDS[int(judgement.exposure[row])],
                VERDICT_WORDS[int(judgement.basic[row])],
                VERDICT_WORDS[int(judgement.oauth[row])],
                people.id[row],
            )


def affected_targets(findings: Iterable[Finding], max_rows: int) -> dict[str, str]:
    """Finding id → link to its first row in Affected."""
    sizes = ((finding.id, len(finding.accounts) if spreads(finding) else 0) for finding in by_urgency(findings))
    return row_targets(AFFECTED, sizes, max_rows)


# ---------------------------------------------------------------------------------------------------- Coverage

COVERAGE_FIELDS = tuple(
    Field(
        name,
        {"dataset": 36, "reason": 52, "remedy": 56, "permission": 34, "decides": 44, "source": 40, "as_of": 22,
         "licence": 16}.get(name, 12),
        "number" if name in ("records", "unknown_accounts") else "wrap",
        full="coverage.csv",
        words="dataset" if name == "state" else "",
    )
    for name in COVERAGE_COLUMNS
)  # fmt: skip


def coverage_rows(coverage: Iterable[CoverageRow]) -> Rows:
    return (coverage_row(row) for row in sorted(coverage, key=lambda row: row.dataset))
