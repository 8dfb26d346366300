"""The law of the contract: losing data turns a state only into `unknown`, never into `clear` or `blocks`."""

from __future__ import annotations

import numpy as np
import pytest

from auditor.catalogue import CATALOGUE
from auditor.demo.tenant import generate
from auditor.states import VERDICT_WORDS, State
from auditor.verdict import EXPOSURE_WORDS

UNKNOWN_EXPOSURE = EXPOSURE_WORDS.index("unknown")


def assert_law(before, after, what: str) -> None:
    """Every state, verdict and exposure is as it was, or unknown."""
    old, new = before.judgement, after.judgement
    assert list(old.tenant.accounts.id) == list(new.tenant.accounts.id)
    for blocker, column in old.columns.items():
        states = new.columns[blocker].states
        broken = np.flatnonzero((states != column.states) & (states != State.UNKNOWN))
        name = new.tenant.accounts.user_principal_name[new.cases.account[broken[0]]] if len(broken) else ""
        assert not len(broken), (
            f"without {what}: {blocker} of {name} turned "
            f"from {State(column.states[broken[0]]).word} ({column.reason(broken[0]).text}) "
            f"to {State(states[broken[0]]).word} ({new.columns[blocker].reason(broken[0]).text})"
        )
    for name in ("basic_cases", "oauth_cases"):
        was, now = getattr(old, name), getattr(new, name)
        broken = np.flatnonzero((was != now) & (now != State.UNKNOWN))
        assert not len(broken), f"without {what}: {name} turned to {VERDICT_WORDS[now[broken[0]]]}"
    broken = np.flatnonzero((old.exposure != new.exposure) & (new.exposure != UNKNOWN_EXPOSURE))
    per_user_mfa = what == "perUserMfa"  # contract: unread per-user MFA is left out of the exposure, and said
    assert per_user_mfa or not len(broken), (
        f"without {what}: exposure turned to {EXPOSURE_WORDS[new.exposure[broken[0]]]}"
    )
    for row, (was, now) in enumerate(zip(old.password_guessing, new.password_guessing, strict=True)):
        assert now in (was, "unknown"), f"without {what}: guessing of row {row} turned from {was} to {now}"
    for row, (was, now) in enumerate(zip(old.breaks_at_retirement, new.breaks_at_retirement, strict=True)):
        assert now in (was, "unknown") or what in EXEMPT, f"without {what}: breaks of row {row}: {was} → {now}"


EXEMPT = {"smtpReplies", "signIns", "directoryAudits", "emailAppUsage", "smtpAuthClients", "authenticationMethods",
          "whatIf"}  # fmt: skip
"""Pure evidence may only add (contract)."""


@pytest.mark.parametrize("state", ["denied", "cut", "not-asked"])
@pytest.mark.parametrize("scenario", ["default", "security-defaults"])
def test_taking_a_dataset_away_only_makes_unknown(runs, without, judged, tmp_path, scenario, state):
    done = runs[scenario]
    for dataset in CATALOGUE:
        if (
            dataset.name in EXEMPT
            or dataset.name == "users"
            or not done.evaluation.judgement.tenant.status[dataset.name].asked
        ):
            continue
        reduced = without(done.folder / "snapshot", tmp_path / dataset.name, dataset.name, state)
        assert_law(done.evaluation, judged(done, reduced), dataset.name)


def test_evidence_only_adds(runs, without, judged, tmp_path):
    """Without a dataset of pure evidence no blocker state changes but the retirement's proof."""
    done = runs["default"]
    for name in EXEMPT - {"smtpReplies"}:
        reduced = judged(done, without(done.folder / "snapshot", tmp_path / name, name))
        for blocker, column in done.evaluation.judgement.columns.items():
            assert np.array_equal(column.states, reduced.judgement.columns[blocker].states), (name, blocker)


def test_unread_users_leave_no_rows_and_one_coverage_finding(runs, without, judged, tmp_path):
    done = runs["default"]
    reduced = judged(done, without(done.folder / "snapshot", tmp_path / "users", "users"))
    assert len(reduced.judgement.tenant.accounts) == 0
    assert [finding.object_id for finding in reduced.findings if finding.object_type == "dataset"] == ["users"]


@pytest.mark.parametrize("permission", sorted(generate(accounts=30).app.graph_roles))
def test_taking_a_permission_away_denies_its_datasets_and_keeps_the_law(runs, run_against, tmp_path, permission):
    """The run completes; what the permission opened is denied with its name; states only turn unknown."""
    full = runs["default"]
    tenant = generate()
    tenant.app.graph_roles.discard(permission)
    done = run_against(tenant, tmp_path / "run")
    status = done.evaluation.judgement.tenant.status
    lost = [
        name
        for name, entry in status.items()
        if full.evaluation.judgement.tenant.status[name].complete and not entry.complete
    ]
    needing = [d.name for d in CATALOGUE if d.permission == permission and not set(d.accepted) & tenant.app.graph_roles]
    needing = [name for name in needing if full.evaluation.judgement.tenant.status[name].asked]
    assert set(needing) <= set(lost), f"{permission}: {needing} should be lost, lost are {lost}"
    for name in needing:
        assert status[name].state == "denied", (name, status[name])
        assert status[name].permission == permission, (name, status[name])
    if "users" not in lost:
        assert_law(full.evaluation, done.evaluation, f"permission {permission}")


def test_without_the_exchange_role_exchange_is_denied(runs, run_against, tmp_path):
    full = runs["default"]
    tenant = generate()
    tenant.app.directory_role = False
    done = run_against(tenant, tmp_path / "run")
    entry = done.evaluation.judgement.tenant.status["casMailboxes"]
    assert entry.state == "denied"
    assert "Exchange.ManageAsApp" in entry.permission
    assert_law(full.evaluation, done.evaluation, "the Exchange role")
