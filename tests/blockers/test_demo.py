"""The blockers against the demo's company: what its generator built each sender and account to be, and the contract's
law that losing a dataset turns a state only into unknown."""

from __future__ import annotations

import pytest

from auditor.blockers import BLOCKERS, BY_ID, needs
from auditor.blockers.base import Cases
from auditor.catalogue import BY_NAME
from auditor.demo.tenant import SCENARIOS, WITNESSES
from auditor.states import VERDICT_WORDS, State

EVIDENCE = {"smtpReplies", "signIns", "directoryAudits", "emailAppUsage", "smtpAuthClients", "authenticationMethods"}
"""May only add, so the law does not concern them (contract)."""


@pytest.mark.parametrize("quarter", [1, 2, 4])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_sender_meets_the_fate_it_was_built_for(demo, scenario, quarter):
    company = demo(scenario, quarter)
    tenant = company.tenant()
    cases = Cases.of(tenant, company.senders)
    columns = {blocker: blocker.judge(tenant, cases) for blocker in BLOCKERS}
    for case in range(cases.accounts, len(cases)):
        fate = company.company.fates[cases.senders[case].name]
        verdict = {
            channel: VERDICT_WORDS[max(column.states[case] for blocker, column in columns.items()
                                       if channel in blocker.channels)]
            for channel in ("basic", "oauth")
        }  # fmt: skip
        deciding = [blocker.id for blocker, column in columns.items() if column.states[case] == State.BLOCKS]
        found = verdict | {"deciding_blocker": deciding[0] if deciding else ""}
        assert {"sender": cases.senders[case].name} | found == {"sender": cases.senders[case].name} | fate


@pytest.mark.parametrize("witness", WITNESSES, ids=lambda one: f"{one.blocker}-{one.state}")
def test_every_state_has_its_witness(demo, witness):
    company = demo(witness.scenario, witness.quarter)
    tenant = company.tenant()
    cases = Cases.of(tenant, company.senders)
    names = {cases.senders[case].name: case for case in range(cases.accounts, len(cases))}
    case = names[witness.who] if witness.who in names else company.row(tenant, witness.who)
    assert BY_ID[witness.blocker].judge(tenant, cases).reason(case).state.word == witness.state


def _states(tenant, senders):
    cases = Cases.of(tenant, senders)
    return {blocker.id: blocker.judge(tenant, cases).states for blocker in BLOCKERS}


DATASETS = sorted(set(BY_NAME) - EVIDENCE - {"users"})


@pytest.mark.parametrize("how", ["not-asked", "denied", "cut"])
@pytest.mark.parametrize("scenario", ["default", "no-exchange"])
def test_losing_any_dataset_turns_a_state_only_into_unknown(demo, scenario, how):
    company = demo(scenario)
    whole = _states(company.tenant(), company.senders)
    for lost in DATASETS:
        if lost not in company.records:
            continue
        after = _states(company.tenant(lost, how), company.senders)
        touched = {
            blocker: sorted({(State(b).word, State(a).word)
                             for b, a in zip(whole[blocker].tolist(), after[blocker].tolist(), strict=True) if a != b})
            for blocker in whole
        }  # fmt: skip
        broken = {name: turns for name, turns in touched.items() if any(turn[1] != "unknown" for turn in turns)}
        assert not broken, f"without {lost}"
        assert {name for name, turns in touched.items() if turns} <= set(needs().get(lost, ())), f"without {lost}"


def test_every_dataset_that_a_blocker_names_decides_something_in_the_demo(demo):
    """A record must not promise a dataset that its judgement never reads; these matter only in rarer tenants."""
    idle = set()
    for blocker in BLOCKERS:
        for dataset in blocker.datasets:
            if dataset in EVIDENCE | {"users"}:
                continue
            changed = False
            for scenario in ("default", "no-exchange"):
                company = demo(scenario)
                before, after = (
                    blocker.judge(tenant, Cases.of(tenant, company.senders))
                    for tenant in (company.tenant(), company.tenant(dataset, "denied"))
                )
                changed |= [before.reason(case) for case in range(len(before.codes))] != [
                    after.reason(case) for case in range(len(after.codes))
                ]
            if not changed:
                idle.add((blocker.id, dataset))
    assert idle <= RARE


RARE = {
    # the demo's policies carry what their strengths allow
    ("conditional-access", "authenticationStrengthPolicies"),
    ("oauth-grant", "authenticationStrengthPolicies"),
    # no policy for modern clients hangs on these
    ("oauth-grant", "namedLocations"),
    ("oauth-grant", "roleAssignments"),
    ("oauth-grant", "roleDefinitions"),
    # no app needs Send As
    ("send-as", "servicePrincipals"),
    ("send-as", "exchangeServicePrincipals"),
}
