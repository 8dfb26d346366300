"""The engine says what the oracle says: every blocker, both verdicts, exposure, guessing and the deciding blocker."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import whole_oracle
import whole_tenants
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from whole_accounts import Evidence

from auditor import accounts
from auditor.config import Sender
from auditor.load import load
from auditor.snapshot import Snapshot
from auditor.states import VERDICT_WORDS, State
from auditor.verdict import judge

PEOPLE = 24
COMPARED = (*whole_oracle.ORDER, "basic", "oauth", "deciding_blocker", "exposure", "password_guessing", "sender")


def part(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


tenants = st.builds(
    whole_tenants.Tenant,
    head=part(whole_tenants.HEAD),
    policies=st.lists(part(whole_tenants.POLICY), max_size=4),
    people=st.lists(part(whole_tenants.PERSON), min_size=PEOPLE, max_size=PEOPLE),
    senders=st.lists(part(whole_tenants.SENDER), max_size=3),
)


def engine(folder: Path, tenant: whole_tenants.Tenant):
    """Account id → its row of accounts.csv, and the states of each declared sender."""
    senders = msgspec.convert(tenant.senders, list[Sender])
    loaded = load(Snapshot.open(folder), now=tenant.now, declared=[sender.account for sender in senders])
    judgement = judge(loaded, senders)
    rows = [dict(zip(accounts.COLUMNS, row, strict=True)) for row in accounts.rows(judgement)]
    cases = [
        {blocker: State(column.states[case]).word for blocker, column in judgement.columns.items()}
        | {"basic": VERDICT_WORDS[judgement.basic_cases[case]], "oauth": VERDICT_WORDS[judgement.oauth_cases[case]],
           "deciding_blocker": judgement.deciding_blocker[case]}
        for case in judgement.sender_cases()
    ]  # fmt: skip
    return {row["user_id"]: {name: row[name] for name in COMPARED} for row in rows}, cases


def test_engine_and_oracle_agree_on_twenty_thousand_pairs(tmp_path):
    """A pair is an account in a tenant; equal ones (the same choices of both) count once."""
    seen = set()

    @settings(max_examples=1000, deadline=None, derandomize=True, database=None,
              suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])  # fmt: skip
    @given(tenant=tenants)
    def agree(tenant):
        folder = tmp_path / "snapshot"
        shutil.rmtree(folder, ignore_errors=True)
        tenant.write(folder)
        found, cases = engine(folder, tenant)
        told, told_cases = whole_oracle.judge(Evidence(folder, now=tenant.now, cloud=tenant.cloud), tenant.senders)
        assert found.keys() == told.keys()
        for account, row in told.items():
            assert found[account] == {name: row[name] for name in COMPARED}, account
        assert cases == told_cases
        if found:
            seen.update((tenant.tenant_choices, person) for person in tenant.person_choices)

    agree()
    print(f"{len(seen)} different pairs of account and tenant")
    assert len(seen) >= 20_000
