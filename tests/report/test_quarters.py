"""From one demo quarter to the next the sheet Changes names the known list of changes, each with all that follows from
it, and nothing else but what time itself brings, which is listed here as well."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import openpyxl
import pytest

from auditor import report
from auditor.config import Config, Sender
from auditor.demo.tenant import changes, generate
from auditor.diff import BY_DATE
from auditor.evaluate import Evaluation, evaluate
from auditor.previous import load_previous
from auditor.snapshot import Snapshot

Row = tuple[str, str, str, str]
"""change, subject or rule, object, fact"""


@dataclass(frozen=True)
class Quarter:
    folder: Path
    evaluation: Evaluation
    rows: dict[Row, dict[str, str]]
    """of the sheet Changes, without what persists"""


@pytest.fixture(scope="module")
def quarters(write_demo: Callable[..., Snapshot], tmp_path_factory: pytest.TempPathFactory) -> dict[int, Quarter]:
    """Three quarters, each compared with the one before it."""
    made: dict[int, Quarter] = {}
    for number in (1, 2, 3):
        tenant = generate(quarter=number)
        config = Config(senders=tuple(msgspec.convert(sender, Sender) for sender in tenant.senders))
        previous = load_previous(made[number - 1].folder) if number > 1 else None
        snapshot = write_demo(tenant, tmp_path_factory.mktemp("snapshot"))
        evaluation = evaluate(snapshot, config, tenant.now, previous)
        folder = tmp_path_factory.mktemp(f"q{number}")
        report.write(evaluation, folder)
        made[number] = Quarter(folder, evaluation, dict(_rows(folder, made.get(number - 1))))
    return made


def _rows(folder: Path, before: Quarter | None) -> Iterator[tuple[Row, dict[str, str]]]:
    names: dict[str, str] = {}
    for run in (before.folder if before else folder, folder):
        document = json.loads((run / "findings.json").read_bytes())
        names |= {found["id"]: found["object_name"] for found in document["findings"]}
    header, *rows = openpyxl.load_workbook(folder / "findings.xlsx", read_only=True)["Changes"].values
    for values in rows:
        row = dict(zip(header, ["" if value is None else str(value) for value in values], strict=True))
        if row["change"] == "persisting":
            continue
        finding = row["finding_id"]
        subject = finding.rpartition("-")[0] if finding else row["subject"]
        yield (row["change"], subject, names[finding] if finding else row["title"], row["fact"]), row


TENANT = "Contoso Demo (fictional)"
GROUPS = ("CA-Exclude-ServiceAccounts", "CA-Exclude-LegacyAuth")
MANAGED = "Microsoft-managed: Block legacy authentication"


def group(*facts: str) -> set[Row]:
    return {("changed", "ca-exclusion-group-opens-smtp", name, fact) for name in GROUPS for fact in facts}


def of(kind: str, subject: str, name: str, *facts: str) -> set[Row]:
    return {(kind, subject, name, fact) for fact in facts or ("",)}


JOINED, LEFT = "accounts that joined", "accounts that left"
ACCOUNT = ("kind", "is_admin", "exposure")

EXPECTED: dict[int, dict[str, set[Row]]] = {
    2: {
        "scanner-hq": {
            *of("fixed", "sender-blocked", "scanner-hq"),
            *of("new", "sender-retirement", "scanner-hq"),
            *of("new", "exposed-account", "svc.scanner@contoso.example"),
            *of("changed", "account", "svc.scanner@contoso.example", "exposure"),
            *of("changed", "sender", "scanner-hq", "verdict", "basic", "oauth", "deciding_blocker", "exposure",
                "breaks_at_retirement"),
            *of("changed", "report-only-policy-will-block", MANAGED, "senders", "certainFor", JOINED),
            *group("accounts", JOINED),
        },
        "admin.migration": {
            *of("fixed", "exposed-account", "admin.migration@contoso.example"),
            *of("changed", "account", "admin.migration@contoso.example", "exposure"),
            *of("changed", "password-guessing-open", TENANT, "accounts", JOINED),
            *of("changed", "smtp-use-undeclared", TENANT, "smtpLastSuccess", LEFT),
            *group("accounts", LEFT),
        },
        "svc.newintegration": {
            *of("new", "account", "svc.newintegration@contoso.example", *ACCOUNT),
            *of("new", "exposed-account", "svc.newintegration@contoso.example"),
            *of("changed", "no-authentication-policy", TENANT, JOINED),
            *of("changed", "smtp-use-undeclared", TENANT, "smtpLastSuccess", JOINED),
            *group("accounts", JOINED),
        },
        "leaver3": {
            *of("removed", "account", "leaver3@contoso.example", *ACCOUNT),
            *of("changed", "mailbox-without-entitlement", TENANT, "accounts", LEFT),
            *of("changed", "no-authentication-policy", TENANT, LEFT),
            *of("changed", "smtp-auth-organisation-on", TENANT, "accounts", LEFT),
        },
        "frontline-legacy": {
            *of("changed", "policy", "CA026 Frontline: block legacy (trial)", "state", "modified"),
            # A refusal in the log is no contradiction while a policy was changed after it.
            *of("fixed", "audit-contradiction", "conditional-access"),
        },
    },
    3: {
        "newsletter": {
            *of("fixed", "sender-unknown", "newsletter"),
            *of("new", "exposed-account", "svc.newsletter@contoso.example"),
            *of("changed", "account", "svc.newsletter@contoso.example", "exposure"),
            *of("changed", "sender", "newsletter", "verdict", "basic", "exposure", "breaks_at_retirement"),
            *of("changed", "sender-retirement", "newsletter", "severity", "basicToday"),
            *group(JOINED),
        },
        "legacy-app": {
            *of("fixed", "sender-conditional", "legacy-app"),
            *of("changed", "exposed-account", "svc.legacyapp@contoso.example", "severity", "exposure", "per-user-mfa",
                "perUserMfaState"),
            *of("changed", "account", "svc.legacyapp@contoso.example", "exposure"),
            *of("changed", "sender", "legacy-app", "exposure"),
            *of("changed", "per-user-mfa-enforced", TENANT, "accounts", LEFT),
        },
        "svc.abandoned": {
            *of("fixed", "exposed-account", "svc.abandoned@contoso.example"),
            *of("changed", "account", "svc.abandoned@contoso.example", "exposure"),
            *of("changed", "no-authentication-policy", TENANT, "accounts", LEFT),
            *group(LEFT),
        },
        "plan.upgraded": {
            *of("changed", "account", "plan.upgraded@contoso.example", "is_admin"),
        },
        "(no policy was changed after the refusals any more)": {
            *of("returned", "audit-contradiction", "conditional-access"),
        },
    },
}  # fmt: skip
"""Quarter → subject of the change → every row that follows from it."""

WINDOWS: set[Row] = {
    # The sign-in and audit logs hold 30 days: each quarter shows its own spray and its own events.
    *of("changed", "password-spray", TENANT, JOINED, LEFT),
    *of("changed", "per-user-mfa-enforced", TENANT, "auditEvent"),
}


def by_calendar(quarter: Quarter) -> set[Row]:
    """What the end of December 2026 brought: findings that say so, and verdicts of basic senders that were open."""
    rows = {key for key, row in quarter.rows.items() if row["note"].startswith(BY_DATE)}
    return rows | {
        key
        for key, row in quarter.rows.items()
        if key[:2] == ("changed", "sender") and (row["before"], row["now"]) == ("open", "conditional")
    }


@pytest.mark.parametrize("number", [2, 3])
def test_every_known_change_is_named_with_all_that_follows_and_nothing_else(
    quarters: dict[int, Quarter], number: int
) -> None:
    assert {change.subject for change in changes(number)} == {
        subject for subject in EXPECTED[number] if not subject.startswith("(")
    }  # fmt: skip
    named = set().union(*EXPECTED[number].values(), WINDOWS)
    calendar = by_calendar(quarters[number])
    assert not calendar & named
    assert set(quarters[number].rows) == named | calendar
    assert bool(calendar) == (number == 2), "the date passes once"


def test_the_calendar_touches_basic_senders_only(quarters: dict[int, Quarter]) -> None:
    tenant = generate(quarter=2)
    names = {sender["name"] for sender in tenant.senders}
    rows = by_calendar(quarters[2])
    assert {name for _, _, name, _ in rows} <= names
    assert {subject for _, subject, _, _ in rows} == {"sender", "sender-retirement", "sender-conditional"}


def test_before_and_now_say_what_exactly_changed(quarters: dict[int, Quarter]) -> None:
    second, third = quarters[2].rows, quarters[3].rows
    shown = {
        key: (rows[key]["before"], rows[key]["now"])
        for rows, key in [
            (second, ("changed", "policy", "CA026 Frontline: block legacy (trial)", "state")),
            (second, ("changed", "sender", "scanner-hq", "verdict")),
            (second, ("changed", "account", "admin.migration@contoso.example", "exposure")),
            (third, ("changed", "exposed-account", "svc.legacyapp@contoso.example", "severity")),
            (third, ("changed", "account", "plan.upgraded@contoso.example", "is_admin")),
        ]
    }
    assert list(shown.values()) == [
        ("enabledForReportingButNotEnforced", "enabled"), ("blocked", "conditional"), ("open", "closed"),
        ("low", "medium"), ("false", "true"),
    ]  # fmt: skip


def test_ageing_alone_leaves_a_finding_persisting_and_is_named(quarters: dict[int, Quarter]) -> None:
    aged = [change for change in quarters[2].evaluation.comparison.findings if change.aged]  # type: ignore[union-attr]
    persisting = {change.rule for change in aged if change.kind == "persisting"}
    assert {"exposed-account", "sender-personal-phone", "sender-outside-egress"} <= persisting
    rows = openpyxl.load_workbook(quarters[2].folder / "findings.xlsx", read_only=True)["Changes"].values
    notes = {str(row[7]) for row in rows if row[0] == "persisting"}
    assert "Only the time differs of: smtpLastSuccess." in notes


def test_first_seen_goes_back_to_the_first_quarter_and_a_return_is_told(quarters: dict[int, Quarter]) -> None:
    seen = {finding.rule: (finding.first_seen[:10], finding.change) for finding in quarters[3].evaluation.findings}
    assert seen["smtp-auth-organisation-on"] == ("2026-11-23", "persisting")
    assert seen["audit-contradiction"] == ("2026-11-23", "returned")
    gone = {entry["rule"]: entry for entry in json.loads((quarters[3].folder / "findings.json").read_bytes())["gone"]}
    assert (gone["sender-blocked"]["state"], gone["sender-blocked"]["last_seen"][:10]) == ("fixed", "2026-11-23")
    assert gone["sender-unknown"]["last_seen"][:10] == "2027-02-22"


def test_the_same_run_compared_with_itself_names_nothing(
    quarters: dict[int, Quarter], write_demo: Callable[..., Snapshot]
) -> None:
    tenant = generate(quarter=1)
    config = Config(senders=tuple(msgspec.convert(sender, Sender) for sender in tenant.senders))
    folder = quarters[1].folder.parent / "again"
    folder.mkdir()
    evaluation = evaluate(write_demo(tenant, folder), config, tenant.now, load_previous(quarters[1].folder))
    comparison = evaluation.comparison
    assert comparison is not None
    assert {change.kind for change in comparison.findings} == {"persisting"}
    assert (comparison.objects, comparison.not_compared) == ((), ())
