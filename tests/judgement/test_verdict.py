"""Verdicts, exposure, guessing and retirement: the joins of the contract, on hand-made and generated tenants."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from auditor.catalogue import BY_NAME, CATALOGUE
from auditor.states import VERDICT_WORDS, State
from auditor.verdict import DECIDING_ORDER, EXPOSURE_BLOCKERS, EXPOSURE_WORDS, RETIREMENT, channel_blockers

EXEMPT = {"smtpReplies", "signIns", "directoryAudits", "emailAppUsage", "smtpAuthClients", "authenticationMethods"}
SCENARIOS = ("default", "security-defaults", "no-exchange", "after-retirement")
HVE = "smtp.hve.mx.microsoft"


def row_of(judgement, name: str) -> int:
    return judgement.tenant.find(f"{name}@contoso.example")


def shown(judgement, name: str) -> dict[str, str]:
    row = row_of(judgement, name)
    return {
        "basic": VERDICT_WORDS[judgement.basic[row]],
        "oauth": VERDICT_WORDS[judgement.oauth[row]],
        "exposure": EXPOSURE_WORDS[judgement.exposure[row]],
        "guessing": judgement.password_guessing[row],
        "breaks": judgement.breaks_at_retirement[row],
        "deciding": judgement.deciding_blocker[judgement.case_of[row]],
    }


def test_an_account_that_nothing_stops_is_open_and_exposed(world):
    world.add("anna", switch=False)
    assert shown(world.judge().judgement, "anna") == {
        "basic": "open",
        "oauth": "open",
        "exposure": "open",
        "guessing": "open",
        "breaks": "false",
        "deciding": "",
    }


def block_by_switch(world):
    world.add("anna", switch=True)


def block_by_policy(world):
    world.add("anna", switch=False, policy="Refuse")


def block_by_account(world):
    world.add("anna", switch=False, accountEnabled=False)


def block_by_defaults(world):
    world.add("anna", switch=False)
    world.data["identitySecurityDefaultsEnforcementPolicy"] = [{"id": "0", "isEnabled": True}]


def block_by_access(world):
    world.add("anna", switch=False)
    world.policy("MFA for all", grant=("mfa",))


def block_by_mailbox(world):
    world.add("anna", mailbox=None, licensed=False)


@pytest.mark.parametrize(
    ("block", "deciding", "oauth", "guessing"),
    [
        (block_by_switch, "smtp-auth-switch", "blocked", "unknown"),
        (block_by_policy, "authentication-policy", "open", "closed"),
        (block_by_account, "account-state", "open", "closed"),
        (block_by_defaults, "security-defaults", "open", "unknown"),
        (block_by_access, "conditional-access", "open", "open"),
        (block_by_mailbox, "mailbox", "blocked", "unknown"),
    ],
)
def test_each_gate_closes_basic_and_exposure_alone(world, block, deciding, oauth, guessing):
    block(world)
    seen = shown(world.judge().judgement, "anna")
    assert seen["basic"] == "blocked"
    assert seen["exposure"] == "closed"
    assert seen["deciding"] == deciding
    assert seen["oauth"] == oauth
    assert seen["guessing"] == guessing


def test_what_never_closes_an_exposure(world):
    """A missing licence, an expired password, a sender's settings and the date leave it open."""
    world.data["domains"][0]["passwordValidityPeriodInDays"] = 90
    world.add("unlicensed", switch=False, licensed=False)
    world.add("expired", switch=False, lastPasswordChangeDateTime="2020-01-01T00:00:00Z")
    world.add("printer", switch=False)
    judgement = world.judge(world.sender("printer", port=465), now=datetime(2027, 2, 1, tzinfo=UTC)).judgement
    for name in ("unlicensed", "expired", "printer"):
        assert shown(judgement, name)["exposure"] == "open", name
    assert shown(judgement, "printer")["basic"] == "blocked"
    assert shown(judgement, "expired")["basic"] == "blocked"


def test_per_user_mfa_and_exposure(world):
    """`enabled` counts as open, `enforced` as limited, unread is left out."""
    world.add("enabled", switch=False, mfa="enabled")
    world.add("enforced", switch=False, mfa="enforced")
    judgement = world.judge().judgement
    assert shown(judgement, "enabled")["exposure"] == "open"
    assert shown(judgement, "enforced")["exposure"] == "limited"
    assert shown(judgement, "enabled")["basic"] == "conditional"
    world.lose("perUserMfa")
    judgement = world.judge().judgement
    assert shown(judgement, "enforced")["exposure"] == "open"
    assert shown(judgement, "enforced")["basic"] == "unknown"


def test_a_place_limits_the_exposure_even_where_the_senders_place_decides(world):
    """A declared egress IP opens or closes the sender's verdict, never the exposure."""
    world.add("device", switch=False)
    world.data["namedLocations"] = [
        {
            "@odata.type": "#microsoft.graph.ipNamedLocation",
            "id": "office",
            "displayName": "Office",
            "isTrusted": True,
            "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24"}],
        }
    ]
    world.policy("Office only", locations={"includeLocations": ["All"], "excludeLocations": ["office"]})
    inside = world.judge(world.sender("device", egress_ips=["203.0.113.10"])).judgement
    outside = world.judge(world.sender("device", egress_ips=["198.51.100.7"])).judgement
    assert shown(inside, "device")["basic"] == "open"
    assert shown(outside, "device")["basic"] == "blocked"
    assert shown(inside, "device")["exposure"] == shown(outside, "device")["exposure"] == "limited"


def test_unknown_beats_conditional_and_loses_to_blocked(world):
    world.add("anna", switch=False, mfa="enforced")
    world.lose("identitySecurityDefaultsEnforcementPolicy")
    seen = shown(world.judge().judgement, "anna")
    assert (seen["basic"], seen["exposure"]) == ("unknown", "unknown")
    world.data["users"][-1]["accountEnabled"] = False
    seen = shown(world.judge().judgement, "anna")
    assert (seen["basic"], seen["exposure"]) == ("blocked", "closed")


def test_several_senders_on_one_account_show_the_worst(world):
    world.add("shared", switch=False)
    good, bad = world.sender("shared"), world.sender("shared", port=465, name="bad")
    judgement = world.judge(good, bad).judgement
    row = row_of(judgement, "shared")
    assert [VERDICT_WORDS[judgement.basic_cases[case]] for case in judgement.sender_cases()] == ["open", "blocked"]
    assert shown(judgement, "shared")["basic"] == "blocked"
    assert shown(judgement, "shared")["deciding"] == "sender-settings"
    assert judgement.cases.senders[judgement.case_of[row]].name == "bad"
    assert judgement.row_case("sender-settings", row) == judgement.case_of[row]


def test_missing_senders_have_no_case(world):
    judgement = world.judge(world.sender("nobody")).judgement
    assert [sender.name for sender in judgement.missing_senders] == ["nobody"]
    assert len(judgement.sender_cases()) == 0


class TestRetirement:
    """`breaks_at_retirement`: not blocked today, and declared or seen."""

    def breaks(self, world, *senders, **more):
        judgement = world.judge(*senders, **more).judgement
        return shown(judgement, "anna")["breaks"]

    def test_declared_basic_sender(self, world):
        world.add("anna", switch=False)
        assert self.breaks(world, world.sender("anna")) == "true"

    def test_oauth_sender_does_not_break(self, world):
        world.add("anna", switch=False)
        assert self.breaks(world, world.sender("anna", auth="oauth")) == "false"

    def test_high_volume_email_keeps_basic_longer(self, world):
        world.add("anna", switch=False, smtp_app=True)
        assert self.breaks(world, world.sender("anna", server=HVE)) == "false"

    def test_use_seen_by_either_source(self, world):
        world.add("anna", switch=False)
        assert self.breaks(world) == "false"
        world.sign_in("anna", 50126)
        assert self.breaks(world) == "false", "a refusal is no use"
        world.sign_in("anna")
        assert self.breaks(world) == "true"

    def test_use_in_the_report(self, world):
        world.add("anna", switch=False, smtp_app=True)
        assert self.breaks(world) == "true"

    def test_blocked_today_has_nothing_to_lose(self, world):
        world.add("anna", switch=True, smtp_app=True)
        assert self.breaks(world, world.sender("anna")) == "false"

    def test_unread_evidence_of_use_is_unknown_not_false(self, world):
        world.add("anna", switch=False)
        world.lose("signIns")
        assert self.breaks(world) == "unknown"
        world.add("blocked", switch=True)
        assert shown(world.judge().judgement, "blocked")["breaks"] == "false"

    def test_unknown_verdict_of_a_sender(self, world):
        world.add("anna", switch=False)
        world.lose("identitySecurityDefaultsEnforcementPolicy")
        assert self.breaks(world, world.sender("anna")) == "unknown"
        assert self.breaks(world) == "false", "nobody needs it, whatever the verdict is"

    def test_filled_in_after_the_date_too(self, world):
        world.add("anna", switch=False)
        later = datetime(2027, 1, 15, tzinfo=UTC)
        judgement = world.judge(world.sender("anna"), now=later).judgement
        assert shown(judgement, "anna")["basic"] == "conditional"
        assert shown(judgement, "anna")["breaks"] == "true"

    def test_a_refusal_that_was_already_seen_is_blocked_today(self, world):
        world.add("anna", switch=False)
        text = "550 5.7.30 Basic authentication is not supported for Client Submission."
        world.data["smtpReplies"] = [{"account": "anna", "time": "2026-11-20", "text": text, "source": "probe"}]
        assert self.breaks(world, world.sender("anna")) == "false"

    def test_a_sender_on_a_relay_is_judged_by_use_alone(self, world):
        world.add("anna", switch=True)
        relay = world.sender("anna", route="relay")
        assert self.breaks(world, relay) == "false"
        world.data["casMailboxes"][-1]["SmtpClientAuthenticationDisabled"] = False
        world.sign_in("anna")
        assert self.breaks(world, relay) == "true"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_joins_hold_for_every_account_of_the_demo(demo, scenario):
    """A second, slow implementation of the contract's sentences."""
    judgement = demo(scenario).judgement
    accounts = judgement.tenant.accounts
    for row in range(len(accounts)):
        for channel, verdicts in (("basic", judgement.basic), ("oauth", judgement.oauth)):
            states = {State(judgement.row_states(blocker)[row]) for blocker in channel_blockers(channel)}
            assert VERDICT_WORDS[verdicts[row]] == _verdict(states)
        gates = {
            State(judgement.columns[blocker].states[row]) for blocker in EXPOSURE_BLOCKERS if blocker != "per-user-mfa"
        }
        assert EXPOSURE_WORDS[judgement.exposure[row]] == _exposure(gates, accounts.per_user_mfa[row])
    for case in range(len(judgement.cases)):
        blocking = [name for name in DECIDING_ORDER if judgement.columns[name].states[case] == State.BLOCKS]
        assert judgement.deciding_blocker[case] == (blocking[0] if blocking else "")


def _verdict(states: set[State]) -> str:
    for state, word in (
        (State.BLOCKS, "blocked"),
        (State.UNKNOWN, "unknown"),
        (State.CONDITIONAL, "conditional"),
        (State.CLEAR, "open"),
    ):
        if state in states:
            return word
    return "not_applicable"


def _exposure(states: set[State], mfa: str) -> str:
    if State.BLOCKS in states:
        return "closed"
    if State.UNKNOWN in states:
        return "unknown"
    return "limited" if State.CONDITIONAL in states or mfa == "enforced" else "open"


LOSABLE = [dataset.name for dataset in CATALOGUE if dataset.name not in EXEMPT | {"users"}]


@pytest.mark.parametrize("dataset", LOSABLE)
@pytest.mark.parametrize("scenario", ["default", "security-defaults", "after-retirement"])
def test_losing_a_dataset_only_makes_unknown(demo, scenario, dataset):
    whole = demo(scenario).judgement
    less = demo(scenario, dataset, "cut" if BY_NAME[dataset].service == "graph" else "denied").judgement
    for name in ("basic_cases", "oauth_cases", "basic", "oauth"):
        was, now = getattr(whole, name), getattr(less, name)
        assert set(now[was != now].tolist()) <= {State.UNKNOWN}, name
    changed = whole.exposure != less.exposure
    allowed = {"unknown", "open"} if dataset == "perUserMfa" else {"unknown"}
    assert {EXPOSURE_WORDS[code] for code in less.exposure[changed]} <= allowed
    for name in ("password_guessing", "breaks_at_retirement"):
        pairs = zip(getattr(whole, name), getattr(less, name), strict=True)
        assert {now for was, now in pairs if was != now} <= {"unknown"}, name


@pytest.mark.parametrize("dataset", ["signIns", "emailAppUsage", "directoryAudits"])
def test_losing_evidence_of_use_never_promises_an_easy_retirement(demo, dataset):
    whole, less = demo().judgement, demo("default", dataset).judgement
    assert np.array_equal(whole.basic_cases, less.basic_cases)
    assert np.array_equal(whole.exposure, less.exposure)
    pairs = set(zip(whole.breaks_at_retirement, less.breaks_at_retirement, strict=True))
    assert ("true", "false") not in pairs


def test_retirement_blocker_is_part_of_the_basic_channel_only():
    assert RETIREMENT in channel_blockers("basic")
    assert RETIREMENT not in channel_blockers("oauth")
    assert set(channel_blockers("basic")) | set(channel_blockers("oauth")) == set(DECIDING_ORDER)
