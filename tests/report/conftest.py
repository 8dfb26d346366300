"""Evaluations to report on: hand-made ones whose every text is chosen, and the generator's tenant, judged for real."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest

from auditor.blockers import BLOCKERS
from auditor.blockers.base import Cases
from auditor.catalogue import CATALOGUE
from auditor.config import Config, Sender
from auditor.demo.model import DemoTenant
from auditor.demo.tenant import generate
from auditor.evaluate import CoverageRow, Evaluation, evaluate
from auditor.findings.base import Fact, Finding
from auditor.snapshot import Snapshot
from auditor.states import Column, Reason, State
from auditor.tenant import NO, UNREAD, YES, Accounts, DatasetStatus, Tenant
from auditor.verdict import Judgement, judge

# Modules that tests share lie beside this file.
sys.path.insert(0, str(Path(__file__).parent))

NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
TENANT_ID = "11111111-2222-3333-4444-555555555555"
REQUIRE_TOOLS = "AUDITOR_REQUIRE_TOOLS"


def make_accounts(count: int, names: Sequence[str] = ()) -> Accounts:
    """`count` ordinary accounts; `names` replace the first display names."""
    shown = [*names, *(f"Person {number}" for number in range(len(names), count))][:count]
    unread = np.full(count, UNREAD, dtype=np.int8)
    blank = [""] * count
    return Accounts(
        id=[f"{number:08x}-0000-4000-8000-000000000000" for number in range(count)],
        user_principal_name=[f"person{number}@contoso.example" for number in range(count)],
        display_name=shown,
        addresses=[()] * count,
        kind=["user"] * count,
        user_type=["member"] * count,
        is_external=np.full(count, NO, dtype=np.int8),
        external_kinds=[frozenset()] * count,
        enabled=np.full(count, YES, dtype=np.int8),
        synced=np.full(count, NO, dtype=np.int8),
        created=blank,
        password_changed=blank,
        password_age_days=np.full(count, np.nan),
        password_never_expires=unread,
        domain=["contoso.example"] * count,
        is_admin=np.array([YES if number == 1 else NO for number in range(count)], dtype=np.int8),
        roles=[frozenset()] * count,
        roles_uncertain=np.zeros(count, dtype=np.bool_),
        mailbox_plan=["enabled"] * count,
        mailbox_plan_note=blank,
        ever_had_mailbox_plan=np.full(count, YES, dtype=np.int8),
        mailbox=["UserMailbox"] * count,
        mailbox_usage=blank,
        exchange_user=blank,
        smtp_auth_disabled=unread,
        authentication_policy=["unread"] * count,
        per_user_mfa=["unknown"] * count,
        mfa_registered=unread,
        methods=[()] * count,
        methods_as_of=blank,
        smtp_last_success=blank,
        smtp_last_failure=blank,
        smtp_failure_codes=[()] * count,
        smtp_app_used=unread,
    )


def make_judgement(
    count: int = 6,
    *,
    names: Sequence[str] = (),
    senders: Sequence[Sender] = (),
    reason: str = "Set so.",
    tenant_name: str = "Contoso",
    now: datetime = NOW,
) -> Judgement:
    """States go round: account 0 is blocked, 1 clear, 2 conditional, 3 unknown, 4 not applicable, and so on."""
    accounts = make_accounts(count, names)
    tenant = Tenant(
        tenant_id=TENANT_ID,
        name=tenant_name,
        cloud="public",
        now=now,
        status={dataset.name: DatasetStatus(dataset.name, "complete") for dataset in CATALOGUE},
        accounts=accounts,
        row_of={identity: row for row, identity in enumerate(accounts.id)},
        row_of_address={name: row for row, name in enumerate(accounts.user_principal_name)},
    )
    cases = Cases.of(tenant, senders)
    round_of_states = (State.BLOCKS, State.CLEAR, State.CONDITIONAL, State.UNKNOWN, State.NOT_APPLICABLE)
    codes = (cases.account % len(round_of_states)).astype(np.int32)
    column = Column(codes, tuple(Reason(state, reason) for state in round_of_states))
    states = column.states
    return replace(
        judge(tenant, senders),
        columns={blocker.id: column for blocker in BLOCKERS},
        basic_cases=states,
        oauth_cases=states,
        basic=states[:count],
        oauth=states[:count],
        exposure=(np.arange(count) % 4).astype(np.uint8),
        breaks_at_retirement=["true" if row == 1 else "false" for row in range(count)],
        deciding_blocker=["mailbox" if state == State.BLOCKS else "" for state in states],
    )


def make_finding(rule: str = "exposed-account", **more: object) -> Finding:
    finding = Finding(
        rule=rule,
        severity="high",
        outcome="fail",
        object_type="tenant",
        object_id=TENANT_ID,
        object_name="Contoso",
        title="Something stands",
        evidence=(Fact("SmtpClientAuthenticationDisabled", "false", "transportConfig"),),
        remedy="Do this.",
        remedy_risk="That may break.",
        references=("https://learn.microsoft.com/exchange/one", "https://learn.microsoft.com/exchange/two"),
        controls=("CIS 6.5.4",),
        tenant_id=TENANT_ID,
        first_seen="2026-11-23T16:00:00Z",
    )
    return replace(finding, **more)  # type: ignore[arg-type]


def make_coverage(*incomplete: str) -> list[CoverageRow]:
    return [
        CoverageRow(
            dataset.name, "denied" if dataset.name in incomplete else "complete", 3, "Forbidden", dataset.permission,
            dataset.licence, "", "2026-11-23T15:59:00Z", ("mailbox",), 2, "Grant the permission.",
        )
        for dataset in CATALOGUE
    ]  # fmt: skip


def make_evaluation(findings: Sequence[Finding] = (), *incomplete: str, **judgement: object) -> Evaluation:
    ordered = sorted(findings, key=lambda finding: finding.id)
    return Evaluation(make_judgement(**judgement), ordered, make_coverage(*incomplete))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def make() -> SimpleNamespace:
    """The builders of this file."""
    return SimpleNamespace(
        judgement=make_judgement, finding=make_finding, evaluation=make_evaluation, coverage=make_coverage, now=NOW
    )


@pytest.fixture(scope="session")
def tool() -> Callable[[str], Path]:
    """A program of this machine. Without it the test is skipped, or fails where AUDITOR_REQUIRE_TOOLS=1."""

    def find(name: str) -> Path:
        path = shutil.which(name)
        if path:
            return Path(path)
        reason = f"{name} is not installed"
        if os.environ.get(REQUIRE_TOOLS) == "1":
            pytest.fail(f"{reason}, and {REQUIRE_TOOLS}=1 asks for it")
        return pytest.skip(f"{reason}; {REQUIRE_TOOLS}=1 makes this a failure")

    return find


@pytest.fixture(scope="session")
def write_demo() -> Callable[[DemoTenant, Path], Snapshot]:
    return _write_demo


def _write_demo(tenant: DemoTenant, folder: Path) -> Snapshot:
    """The generator's tenant as a snapshot folder in the contract's format (groups with their nested members)."""
    data = {name: value if isinstance(value, list) else [value] for name, value in tenant.graph.items()}
    data |= tenant.exchange
    users = {user["id"] for user in data["users"]}
    data["groups"] = [{key: group.get(key) for key in ("id", "displayName", "visibility")} for group in data["groups"]]
    data["groupMembers"] = [
        {"groupId": group["id"], "id": member}
        for group in data["groups"]
        if group["visibility"] != "HiddenMembership"
        for member in sorted(_nested(group["id"], tenant.group_members, set()) & users)
    ]
    data["perUserMfa"] = [{"id": user, "perUserMfaState": state} for user, state in tenant.per_user_mfa.items()]
    for name, records in data.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return Snapshot.open(folder)


def _nested(group: str, members: Mapping[str, Sequence[str]], seen: set[str]) -> set[str]:
    found: set[str] = set()
    for member in members.get(group, ()):
        if member not in members:
            found.add(member)
        elif member not in seen:
            found |= _nested(member, members, seen | {member})
    return found


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Evaluation, Config]:
    """The generator's default tenant, judged by the real engine, and its config."""
    tenant = generate()
    config = Config(senders=tuple(msgspec.convert(sender, Sender) for sender in tenant.senders))
    return evaluate(_write_demo(tenant, tmp_path_factory.mktemp("snapshot")), config, tenant.now), config
