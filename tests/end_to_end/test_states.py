"""Every state that the contract's table allows is reached in at least one scenario of the demo, and every declared
sender of the demo meets the fate that the generator built it for."""

from __future__ import annotations

import pytest

from auditor.blockers import BY_ID
from auditor.demo.tenant import SCENARIOS, generate
from auditor.states import VERDICT_WORDS, State

BLOCKS, CLEAR, CONDITIONAL, UNKNOWN, NOT_APPLICABLE = (
    State.BLOCKS,
    State.CLEAR,
    State.CONDITIONAL,
    State.UNKNOWN,
    State.NOT_APPLICABLE,
)

ALLOWED = {
    "account-state": {BLOCKS, CLEAR, NOT_APPLICABLE},
    "mailbox": {BLOCKS, CLEAR, UNKNOWN, NOT_APPLICABLE},
    "licence": {BLOCKS, CLEAR, CONDITIONAL, NOT_APPLICABLE},
    "smtp-auth-switch": {BLOCKS, CLEAR, UNKNOWN, NOT_APPLICABLE},
    "authentication-policy": {BLOCKS, CLEAR, UNKNOWN, NOT_APPLICABLE},
    "credential": {BLOCKS, CLEAR, CONDITIONAL, UNKNOWN, NOT_APPLICABLE},
    "per-user-mfa": {CLEAR, CONDITIONAL, NOT_APPLICABLE},
    "security-defaults": {BLOCKS, CLEAR, NOT_APPLICABLE},
    "conditional-access": {BLOCKS, CLEAR, CONDITIONAL, UNKNOWN, NOT_APPLICABLE},
    "sender-settings": {BLOCKS, CLEAR, CONDITIONAL, UNKNOWN, NOT_APPLICABLE},
    "send-as": {BLOCKS, CLEAR, CONDITIONAL, NOT_APPLICABLE},
    "sending-limits": {BLOCKS, CLEAR, CONDITIONAL, NOT_APPLICABLE},
    "oauth-grant": {BLOCKS, CLEAR, UNKNOWN, NOT_APPLICABLE},
    "basic-auth-retirement": {BLOCKS, CLEAR, CONDITIONAL, NOT_APPLICABLE},
}
"""What the contract's table names for each blocker (not_applicable through routes, senders only). States that need a
dataset to be missing are reached by taking it away (test_law); the demo shows the rest."""


@pytest.fixture(scope="module")
def reached(runs, run_against, tmp_path_factory):
    """The next quarter of the default company is judged too: its date lies behind the announced retirement."""
    table: dict[str, dict[State, set[str]]] = {blocker: {} for blocker in BY_ID}
    later = run_against(generate(quarter=2), tmp_path_factory.mktemp("later") / "run")
    for scenario, done in {**runs, "default, quarter 2": later}.items():
        for blocker, column in done.evaluation.judgement.columns.items():
            for code in set(column.states.tolist()):
                table[blocker].setdefault(State(code), set()).add(scenario)
    return table


def test_the_table_is_the_registry():
    assert set(ALLOWED) == set(BY_ID)


@pytest.mark.parametrize("blocker", sorted(ALLOWED))
def test_each_allowed_state_is_reached(reached, blocker):
    missing = ALLOWED[blocker] - set(reached[blocker])
    assert not missing, f"{blocker}: no scenario reaches {[state.word for state in missing]}"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_each_sender_meets_its_fate(runs, scenario):
    done = runs[scenario]
    judgement = done.evaluation.judgement
    met = {}
    for case in judgement.sender_cases():
        sender = judgement.cases.senders[case]
        met[sender.name] = {
            "basic": VERDICT_WORDS[judgement.basic_cases[case]],
            "oauth": VERDICT_WORDS[judgement.oauth_cases[case]],
            "deciding_blocker": judgement.deciding_blocker[case],
        }
    for sender in judgement.missing_senders:
        met[sender.name] = {"basic": "missing", "oauth": "missing", "deciding_blocker": ""}
    assert set(met) == set(done.tenant.fates) == {sender["name"] for sender in done.tenant.senders}
    wrong = {name: (fate, met[name]) for name, fate in done.tenant.fates.items() if fate != met[name]}
    assert not wrong, "\n".join(f"{name}: built to be {fate}, judged {got}" for name, (fate, got) in wrong.items())
