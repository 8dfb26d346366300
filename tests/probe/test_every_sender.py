"""The must-show: for every declared sender of the demo the wire and the verdict agree.

The emulated tenant answers by its own state, computed without the engine; the engine judges a snapshot of that tenant,
without the wire. What a refused probe points at must be among what the verdict names, and a probe that goes through
must meet a verdict that leaves that open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from auditor.blockers import BY_ID
from auditor.collect.progress import Silent
from auditor.demo.tenant import generate
from auditor.demo.tenant.senders import SENDERS
from auditor.evaluate import Evaluation
from auditor.explain import explain
from auditor.probe import ProbeResult, Tools, probe
from auditor.probe.memory import Memory
from auditor.run import RunOptions, run
from auditor.states import VERDICT_WORDS, State

WORLDS = (("default", 1), ("default", 2), ("default", 4), ("security-defaults", 1), ("no-exchange", 1),
          ("after-retirement", 1))  # fmt: skip
NAMES = tuple(sender["name"] for sender in SENDERS)
WITHOUT_SMTP_AUTH = ("relay-printers",)
NO_ACCOUNT = ("departed",)
STANDS = (State.BLOCKS, State.CONDITIONAL)
"""What a verdict names. `unknown` counts only where no setting that was read can show more."""
NO_PAGE_SPEAKS_OF_ITS_HOST = ("lobby-display",)


@dataclass(frozen=True)
class World:
    """One scenario: every sender probed, and the same tenant judged offline."""

    scenario: str
    results: Mapping[str, ProbeResult]
    evaluation: Evaluation
    fates: Mapping[str, Mapping[str, str]]
    troubles: list[Exception]


@pytest.fixture(scope="module", params=WORLDS, ids=lambda world: f"{world[0]}-{world[1]}")
def world(request, tmp_path_factory, standing_clock, emulated, with_environment) -> Iterator[World]:
    scenario, quarter = request.param
    folder = tmp_path_factory.mktemp("world")
    clock = standing_clock()
    tools = Tools(clock, Memory(folder / "memory", clock), phase_seconds=20.0, total_seconds=60.0)
    with emulated(generate(accounts=120, scenario=scenario, quarter=quarter), folder / "company") as company:
        with with_environment(company.secrets):
            probed = [probe(job, tools)[0] for job in company.jobs()]
        tenants = company.config.config.tenants
        [result] = run(company.config, tenants, RunOptions(out=folder / "run"), Silent())
        assert result.error is None, result.error
        results = {probe_result.sender: probe_result for probe_result in probed}
        yield World(scenario, results, result.evaluation, company.tenant.fates, company.emulator.smtp.troubles)


@pytest.mark.parametrize("name", NAMES)
def test_wire_and_verdict_agree(world, name):
    if name not in world.results:
        assert (world.scenario, name) == ("security-defaults", "customer-portal")
        return
    result = world.results[name]
    case = case_of(world, name)
    if name in NO_ACCOUNT:
        assert case is None
        assert "credential" in result.blockers
        assert any(finding.rule == "sender-account-missing" for finding in world.evaluation.findings)
    elif name in WITHOUT_SMTP_AUTH:
        assert verdict(world, case, "basic") == "not_applicable"
        assert result.channel == "none"
    elif result.succeeded:
        allowed = {"open", "conditional"} | ({"unknown"} if world.scenario == "no-exchange" else set())
        assert verdict(world, case, result.channel) in allowed, result
    else:
        stands = named(world, case, result.channel)
        assert set(result.blockers) & stands, result
        if any(phase.outcome == "refused" and phase.reply for phase in result.phases):
            assert set(explain("\n".join(result.said())).blockers) & set(result.blockers), result


def test_every_refusal_is_in_the_catalogue(world):
    refused = [result for result in world.results.values() if any(p.outcome == "refused" and p.reply
                                                                 for p in result.phases)]  # fmt: skip
    assert len(refused) >= 10
    assert [result.sender for result in refused if not result.replies] == []


def test_the_emulated_service_had_no_trouble_of_its_own(world):
    assert world.troubles == []


def test_every_sender_was_probed(world):
    left_out = {"customer-portal"} if world.scenario == "security-defaults" else set()
    assert set(world.results) == set(NAMES) - left_out


def case_of(world: World, name: str) -> int | None:
    judgement = world.evaluation.judgement
    return next((case for case in judgement.sender_cases() if judgement.cases.senders[case].name == name), None)


def verdict(world: World, case: int, channel: str) -> str:
    judgement = world.evaluation.judgement
    return VERDICT_WORDS[(judgement.basic_cases if channel == "basic" else judgement.oauth_cases)[case]]


def named(world: World, case: int, channel: str) -> set[str]:
    """What the offline verdict names for a channel."""
    columns = world.evaluation.judgement.columns
    sender = world.evaluation.judgement.cases.senders[case]
    unread = world.scenario == "no-exchange" or world.fates[sender.name][channel] == "unknown"
    stands = (*STANDS, State.UNKNOWN) if unread or sender.name in NO_PAGE_SPEAKS_OF_ITS_HOST else STANDS
    return {
        blocker
        for blocker, column in columns.items()
        if channel in BY_ID[blocker].channels and column.states[case] in stands
    }
