"""Generated tenants as both sides see them: the oracle's modules lie beside this file, importable by the tests."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import msgspec
import pytest
from hypothesis import strategies as st

from auditor import accounts
from auditor.config import Config, Sender
from auditor.evaluate import Evaluation, evaluate
from auditor.load import load
from auditor.snapshot import Snapshot
from auditor.states import VERDICT_WORDS, State
from auditor.verdict import Judgement, judge

sys.path.insert(0, str(Path(__file__).parent))

import whole_oracle
import whole_tenants
from whole_accounts import Evidence

COMPARED = (*whole_oracle.ORDER, "basic", "oauth", "deciding_blocker", "exposure", "password_guessing", "sender")


PEOPLE = 24


def answers(judgement: Judgement):
    """Account id → its row of accounts.csv, and the states of each declared sender, as the oracle gives them."""
    rows = [dict(zip(accounts.COLUMNS, row, strict=True)) for row in accounts.rows(judgement)]
    senders = [
        {blocker: State(column.states[case]).word for blocker, column in judgement.columns.items()}
        | {"basic": VERDICT_WORDS[judgement.basic_cases[case]], "oauth": VERDICT_WORDS[judgement.oauth_cases[case]],
           "deciding_blocker": judgement.deciding_blocker[case]}
        for case in judgement.sender_cases()
    ]  # fmt: skip
    return {row["user_id"]: {name: row[name] for name in COMPARED} for row in rows}, senders


@pytest.fixture(scope="session")
def tenants() -> st.SearchStrategy[whole_tenants.Tenant]:
    """Generated tenants, for `data.draw`."""
    return st.builds(
        whole_tenants.Tenant,
        head=_part(whole_tenants.HEAD),
        policies=st.lists(_part(whole_tenants.POLICY), max_size=4),
        people=_part(PEOPLE * whole_tenants.PERSON),
        senders=st.lists(_part(whole_tenants.SENDER), max_size=3),
    )


def _part(size: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=size, max_size=size)


@pytest.fixture
def written(tmp_path):
    """A tenant → the folder of its snapshot."""

    def to(tenant: whole_tenants.Tenant) -> Path:
        folder = tmp_path / "snapshot"
        shutil.rmtree(folder, ignore_errors=True)
        tenant.write(folder)
        return folder

    return to


@pytest.fixture
def loaded(written):
    """A tenant → as the engine loads it."""
    return lambda tenant: load(Snapshot.open(written(tenant)), now=tenant.now)


@pytest.fixture
def evaluated(written):
    """A tenant → the engine's whole evaluation, findings included."""

    def of(tenant: whole_tenants.Tenant) -> Evaluation:
        config = Config(senders=tuple(msgspec.convert(tenant.senders, list[Sender])))
        return evaluate(Snapshot.open(written(tenant)), config, tenant.now)

    return of


@pytest.fixture
def both_sides(written):
    """A tenant → (what the engine answers, what the oracle answers)."""

    def of(tenant: whole_tenants.Tenant):
        folder = written(tenant)
        senders = msgspec.convert(tenant.senders, list[Sender])
        loaded = load(Snapshot.open(folder), now=tenant.now, declared=[sender.account for sender in senders])
        told = whole_oracle.judge(Evidence(folder, now=tenant.now, cloud=tenant.cloud), tenant.senders)
        return answers(judge(loaded, senders)), told

    return of
