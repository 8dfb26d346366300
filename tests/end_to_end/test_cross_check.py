"""The engine beside the emulator's own implementation of Microsoft's What If action, and what a run makes of it."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from auditor.access.cross_check import OURS_OPEN, compare
from auditor.catalogue import EXCHANGE_APP_ID
from auditor.cli import auditor
from auditor.collect import collect
from auditor.config import load as load_config
from auditor.demo.graph import what_if
from auditor.demo.graph.directory import Directory
from auditor.demo.server import Emulator
from auditor.demo.settings import write_config
from auditor.demo.tenant import generate
from auditor.evaluate import evaluate
from auditor.findings import evidence_text
from auditor.run import RunOptions, judge_snapshot
from auditor.snapshot import Snapshot
from auditor.tenant import WhatIfAnswer, WhatIfResult

from ..clocks import FakeClock

PLACES = ("", "203.0.113.10", "2001:db8:10::25", "198.51.100.7", "198.51.100.200", "192.0.2.130")
"""none; headquarters twice, data centre, nowhere, a named location that is not trusted"""


@dataclasses.dataclass
class Collected:
    """`config_file` is the demo's config; the emulator that it names is gone."""

    demo: object
    folder: Path
    config: object
    clock: FakeClock

    @property
    def snapshot(self) -> Snapshot:
        return Snapshot.open(self.folder)

    @functools.cached_property
    def evaluation(self):
        return evaluate(self.snapshot, self.config.config, self.demo.now)


def gathered(demo, folder: Path, count: int) -> Collected:
    clock = FakeClock()
    with Emulator(demo, folder / "private") as emulator:
        write_config(demo, emulator, folder / "config.toml")
        config = load_config(folder / "config.toml")
        asyncio.run(collect(config, config.config.tenants[0], folder / "snapshot", clock=clock, cross_check=count))
    return Collected(demo, folder / "snapshot", config, clock)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Collected:
    """The default demo tenant, every account asked about (and a hundred more wanted than there are)."""
    return gathered(generate(), tmp_path_factory.mktemp("whole"), 500)


def test_engine_and_emulator_agree_on_every_account_of_the_demo(whole):
    found = compare(whole.evaluation.judgement.tenant)
    assert (found.answered, found.refused) == (400, 0)
    assert [(check.policy.name, check.differ[0]) for check in found.policies.values() if check.differ] == []
    assert found.agree > 11_000
    assert set(found.not_compared) == {OURS_OPEN}
    on = [p for p in whole.demo.graph["conditionalAccessPolicies"] if p["state"] != "disabled"]
    assert len(found.policies) == len(on)  # each policy was compared for somebody


def test_agreement_is_no_finding_and_stands_in_the_coverage(whole):
    evaluation = whole.evaluation
    assert [finding for finding in evaluation.findings if finding.rule == "cross-check-disagreement"] == []
    [row] = [row for row in evaluation.coverage if row.dataset == "whatIf"]
    assert (row.state, row.records) == ("complete", 400)
    assert "400 account(s)" in row.reason
    assert "0 differ" in row.reason


def test_one_request_a_second(whole):
    assert whole.clock.seconds >= 399


def _sign_in(user: str, ip: str):
    conditions = {
        "clientAppType": "other", "devicePlatform": "windows", "deviceInfo": {}, "signInRiskLevel": "none",
        "userRiskLevel": "none", "insiderRiskLevel": "none", "authenticationFlow": {"transferMethod": "none"},
    }  # fmt: skip
    return {
        "signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn", "userId": user},
        "signInContext": {"@odata.type": "#microsoft.graph.applicationContext",
                          "includeApplications": [EXCHANGE_APP_ID]},
        "signInConditions": conditions | ({"ipAddress": ip} if ip else {}),
        "appliedPoliciesOnly": False,
    }  # fmt: skip


def _asked(demo, tenant, policies, places):
    """Both judges on these policies: the engine's tenant with the emulator's answers for every account and place."""
    directory = Directory(dataclasses.replace(demo, graph=demo.graph | {"conditionalAccessPolicies": policies}))
    answers = []
    for ip in places:
        for row, user in enumerate(tenant.accounts.id):
            results = tuple(
                WhatIfResult(result["id"].lower(), result["policyApplies"], (result["analysisReasons"],), "")
                for result in what_if.evaluate(directory, _sign_in(user, ip))
            )
            answers.append(WhatIfAnswer(row, ip, results, ""))
    return dataclasses.replace(tenant, policies=policies, what_if=answers)


def _policy(number, users=None, apps=None, **conditions):
    return {
        "id": f"00000000-0000-4000-8000-{number:012}",
        "displayName": f"Case {number}",
        "state": "enabled",
        "modifiedDateTime": None,
        "conditions": {
            "clientAppTypes": ["all"],
            "applications": {"includeApplications": ["All"], "excludeApplications": []} | (apps or {}),
            "users": {"includeUsers": ["All"]} | (users or {}),
            "locations": None,
            **conditions,
        },
        "grantControls": {"operator": "OR", "builtInControls": ["block"]},
    }


def _guests(kinds, tenants=None):
    return {"guestOrExternalUserTypes": kinds, "externalTenants": tenants}


def _cases(demo):
    """Each a base policy for everybody with one patched part."""
    users = {user["userPrincipalName"].partition("@")[0]: user["id"] for user in demo.graph["users"]}
    groups = {group["displayName"]: group["id"] for group in demo.graph["groups"]}
    roles = {role["displayName"]: role["id"] for role in demo.graph["roleDefinitions"]}
    places = {place["displayName"]: place["id"] for place in demo.graph["namedLocations"]}
    hq, partner = places["Headquarters"], places["Partner VPN (not trusted)"]
    countries = places["Countries where we work"]
    nobody = {"includeUsers": []}
    yield {}
    yield {"users": {"excludeUsers": [users["info"].upper()]}}
    yield {"users": nobody | {"includeUsers": ["None"]}}
    yield {"users": nobody | {"includeUsers": [users["svc.erp"], "00000000-dead-4000-8000-000000000000"]}}
    yield {"users": {"excludeUsers": ["GuestsOrExternalUsers"]}}
    yield {"users": nobody | {"includeUsers": ["GuestsOrExternalUsers"]}}
    yield {"users": nobody | {"includeGroups": [groups["All Employees"]]}}
    yield {"users": {"excludeGroups": [groups["All Employees"], groups["CA-Exclude-LegacyAuth"]]}}
    yield {"users": nobody | {"includeGroups": [groups["SMTP Devices"]], "excludeUsers": [users["svc.erp"]]}}
    yield {"users": nobody | {"includeGroups": [groups["Board (hidden)"]]}}
    yield {"users": {"excludeRoles": [roles["Global Administrator"], roles["Helpdesk Administrator"]]}}
    yield {"users": nobody | {"includeRoles": [roles["User Administrator"], roles["Helpdesk Administrator"].upper()]}}
    for kinds in ("internalGuest", "b2bCollaborationGuest", "b2bCollaborationMember", "none",
                  "b2bCollaborationGuest,b2bCollaborationMember", "b2bDirectConnectUser, serviceProvider"):  # fmt: skip
        yield {"users": nobody | {"includeGuestsOrExternalUsers": _guests(kinds)}}
        yield {"users": {"excludeGuestsOrExternalUsers": _guests(kinds)}}
    enumerated = {"membershipKind": "enumerated", "members": ["00000000-0000-4000-8000-00000000feed"]}
    yield {"users": nobody | {"includeGuestsOrExternalUsers": _guests("b2bCollaborationGuest", enumerated)}}
    for included in (["Office365"], [EXCHANGE_APP_ID.upper()], ["00000003-0000-0ff1-ce00-000000000000"], ["None"], []):
        yield {"apps": {"includeApplications": included}}
    for excluded in (["Office365"], [EXCHANGE_APP_ID], ["00000003-0000-0ff1-ce00-000000000000"]):
        yield {"apps": {"excludeApplications": excluded}}
    yield {"apps": {"includeApplications": [], "includeUserActions": ["urn:user:registerdevice"]}}
    yield {"apps": {"includeApplications": [], "includeAuthenticationContextClassReferences": ["c1"]}}
    for types in ([], ["other"], ["exchangeActiveSync", "other"], ["exchangeActiveSync"], ["browser", "easSupported"]):
        yield {"clientAppTypes": types}
    for include, exclude in (
        (["All"], []), (["All"], ["AllTrusted"]), (["AllTrusted"], []), (["All"], [hq]), ([hq], []),
        ([hq, partner], []), (["All"], [hq.upper(), partner]),
        (["All"], [countries]), (["All"], ["All"]), (["AllTrusted"], [hq]), ([partner], [countries]),
    ):  # fmt: skip
        yield {"locations": {"includeLocations": include, "excludeLocations": exclude}}
    for mode in ("include", "exclude"):
        for rule in (
            "device.isCompliant -eq True", 'device.trustType -ne "ServerAD"', 'device.model -notIn ["a", "b"]',
            'device.extensionAttribute1 -startsWith "k" -or device.model -contains "x"',
            '(device.operatingSystem -notContains "x") -and device.isCompliant -ne True',
        ):  # fmt: skip
            yield {"devices": {"deviceFilter": {"mode": mode, "rule": rule}}}
    yield {"platforms": {"includePlatforms": ["all"], "excludePlatforms": []}}
    yield {"platforms": {"includePlatforms": ["android"], "excludePlatforms": []}}
    yield {"signInRiskLevels": ["high"]}
    yield {"userRiskLevels": ["high", "none"]}
    yield {"insiderRiskLevels": "elevated"}
    yield {"authenticationFlows": {"transferMethods": "deviceCodeFlow,authenticationTransfer"}}
    yield {"authenticationFlows": {"transferMethods": "none"}}
    yield {"times": {"allDay": True}}
    yield {"verifiedIdRiskLevels": ["high"]}
    yield {"clientApplications": {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]}}
    yield {"clientApplications": {"includeServicePrincipals": ["None"], "excludeServicePrincipals": []}}


def test_engine_and_emulator_agree_on_a_table_of_small_cases(whole):
    tenant = whole.evaluation.judgement.tenant
    policies = [_policy(number, **patch) for number, patch in enumerate(_cases(whole.demo), 1)]
    found = compare(_asked(whole.demo, tenant, policies, PLACES))
    told = [
        (policies[index]["conditions"], check.differ[0].ip, check.differ[0].ours, check.differ[0].theirs.reasons)
        for index, check in found.policies.items()
        if check.differ
    ]
    assert told == []
    assert found.agree > 100_000
    never = [policies[index]["conditions"] for index in range(len(policies)) if index not in found.policies]
    assert len(never) == 8  # hidden members, a country, a named platform, three risks, times, an unknown condition


# --- a planted disagreement -----------------------------------------------------------------------------------------

RULE = "cross-check-disagreement"
EVERYBODY = "CA002 Require MFA for all users"
LEGACY_TRIAL = "CA026 Frontline: block legacy (trial)"


@pytest.fixture(scope="module")
def planted(tmp_path_factory) -> Collected:
    """Microsoft's side turned around for one enabled and one report-only policy."""
    demo = generate()
    policies = demo.graph["conditionalAccessPolicies"]
    demo.what_if_disagrees = {p["id"] for p in policies if p["displayName"] in (EVERYBODY, LEGACY_TRIAL)}
    return gathered(demo, tmp_path_factory.mktemp("planted"), 60)


def test_a_disagreement_is_one_finding_per_policy(planted):
    evaluation = planted.evaluation
    found = {finding.object_name: finding for finding in evaluation.findings if finding.rule == RULE}
    assert set(found) == {EVERYBODY, LEGACY_TRIAL}
    assert (found[EVERYBODY].severity, found[LEGACY_TRIAL].severity) == ("medium", "low")
    assert (found[EVERYBODY].object_type, found[EVERYBODY].outcome) == ("policy", "fail")
    assert {finding.object_id for finding in found.values()} == planted.demo.what_if_disagrees
    assert len(found[EVERYBODY].accounts) == 60


def test_the_finding_shows_both_judgements_and_what_the_action_does_not_cover(planted):
    [finding] = [one for one in planted.evaluation.findings if one.object_name == EVERYBODY and one.rule == RULE]
    text = evidence_text(finding)
    assert "this audit: it takes the sign-in in; Microsoft: it does not apply (users)" in text
    assert "this audit: it does not (conditions.users.excludeUsers: excluded: the account itself)" in text
    assert "Microsoft: it applies" in text
    assert "agreeOnThisPolicy = 0" in text
    for word in ("security defaults", "per-user MFA", "service dependencies"):
        assert word in text
        assert word in finding.remedy


def test_all_other_policies_agree(planted):
    found = compare(planted.evaluation.judgement.tenant)
    wrong = {check.policy.id for check in found.policies.values() if check.differ}
    assert wrong == planted.demo.what_if_disagrees
    assert found.agree > 1_500


def test_offline_the_same_snapshot_gives_the_same_bytes(planted, tmp_path):
    names = ("findings.json", "findings.csv", "coverage.csv", "accounts.csv", "findings.xlsx")
    for run in ("one", "two"):
        judge_snapshot(planted.folder, planted.config, RunOptions(out=tmp_path / run, now=planted.demo.now))
    assert all((tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in names)
    assert RULE in (tmp_path / "one" / "findings.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("state", ["denied", "cut", "failed", "not-asked"])
def test_without_the_answers_no_state_changes_and_the_gap_is_said_once(planted, without, tmp_path, state):
    full = planted.evaluation
    snapshot = without(planted.folder, tmp_path / "snapshot", "whatIf", state)
    less = evaluate(snapshot, planted.config.config, planted.demo.now)
    for blocker, column in full.judgement.columns.items():
        assert np.array_equal(column.states, less.judgement.columns[blocker].states), blocker
    assert np.array_equal(full.judgement.exposure, less.judgement.exposure)
    assert [finding for finding in less.findings if finding.rule == RULE] == []
    gaps = [one for one in less.findings if one.rule == "coverage-gap" and one.object_id == "whatIf"]
    assert len(gaps) == (state != "not-asked")
    assert {finding.severity for finding in gaps} <= {"info"}
    [row] = [row for row in less.coverage if row.dataset == "whatIf"]
    assert (row.state, row.decides, row.unknown_accounts) == (state, (), 0)
    assert ("--cross-check" in row.remedy) == (state == "not-asked")


def test_from_the_command_line(tmp_path):
    demo = generate(accounts=1)
    with Emulator(demo, tmp_path / "private") as emulator:
        write_config(demo, emulator, tmp_path / "config.toml")
        arguments = ["run", "--config", str(tmp_path / "config.toml"), "--out", str(tmp_path / "run")]
        result = CliRunner().invoke(auditor, [*arguments, "--cross-check", "1"], standalone_mode=False)
        assert result.return_value == 0, result.output
        assert sum(entry.path.endswith("/evaluate") for entry in emulator.requests.entries) == 1
    assert "1 account(s)" in (tmp_path / "run" / "coverage.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_a_sample_has_at_least_one_account(number):
    result = CliRunner().invoke(auditor, ["run", "--config", "c.toml", "--cross-check", number])
    assert result.exit_code == 2
    assert "--cross-check" in result.output
