"""Microsoft's own answer for a sample: which accounts, what is asked, and every way it can end early."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections import Counter
from itertools import pairwise

import httpx
import pytest
from azure.core.credentials import AccessToken

from auditor.access import reach
from auditor.catalogue import EXCHANGE_APP_ID
from auditor.collect import collect
from auditor.collect.what_if import sample
from auditor.config import EMPTY, Sender, TenantConfig
from auditor.demo.tenant import generate
from auditor.graph.session import GraphSession
from auditor.graph.throttle import Patience
from auditor.load import load
from auditor.snapshot import Snapshot, verify
from auditor.tenant import YES

DATE = {"Date": "Mon, 23 Nov 2026 16:00:00 GMT"}
TENANT = TenantConfig(name="t", tenant_id="11111111-2222-3333-4444-555555555555", client_id="c")
EVALUATE = "/identity/conditionalAccess/evaluate"


# --- against the emulated tenant ------------------------------------------------------------------------------------


def test_not_asked_unless_wanted(whole):
    entry = whole.datasets["whatIf"]
    assert (entry["state"], entry["requests"], entry["file"]) == ("not-asked", 0, "")
    assert "--cross-check" in entry["reason"]


def test_each_account_is_asked_once_and_its_answer_kept_small(config, run, emulator, clock):
    before = clock.seconds
    read = run(config, cross_check=12)
    lines = read.records("whatIf")
    assert read.state("whatIf") == "complete"
    assert (len(lines), read.datasets["whatIf"]["requests"]) == (12, 12)
    assert clock.seconds - before >= 12
    policies = [p for p in emulator.tenant.graph["conditionalAccessPolicies"] if p["state"] != "disabled"]
    for line in lines:
        assert set(line) == {"account", "ip", "policies"}
        assert [result["id"] for result in line["policies"]] == [policy["id"] for policy in policies]
        assert set(line["policies"][0]) == {"id", "modifiedDateTime", "policyApplies", "analysisReasons"}
    assert verify(read.folder) == []


def test_the_same_tenant_gives_the_same_sample_and_declared_senders_come_first(config, run, emulator):
    first = run(config, "one", cross_check=20).records("whatIf")
    assert first == run(config, "two", cross_check=20).records("whatIf")
    by_name = {user["userPrincipalName"]: user["id"] for user in emulator.tenant.graph["users"]}
    declared = [(by_name[s.account], s.egress_ips[0]) for s in config.config.senders if s.account in by_name]
    assert declared
    assert [(line["account"], line["ip"]) for line in first[: len(declared)]] == declared


def test_more_wanted_than_there_are_asks_about_everybody_once(config, run, emulator):
    asked = [line["account"] for line in run(config, cross_check=10_000).records("whatIf")]
    assert sorted(asked) == sorted(user["id"] for user in emulator.tenant.graph["users"])


def test_without_the_permission_it_is_denied_by_name(config, run, emulator):
    emulator.tenant.app.graph_roles -= {"Policy.Read.All"}
    entry = run(config, cross_check=3).datasets["whatIf"]
    assert (entry["state"], entry["permission"], entry["requests"]) == ("denied", "Policy.Read.All", 0)
    assert "conditionalAccessPolicies not read whole" in entry["reason"]


def test_without_users_there_is_nobody_to_ask_about(config, run, emulator):
    emulator.tenant.app.graph_roles -= {"User.Read.All", "Directory.Read.All"}
    entry = run(config, cross_check=3).datasets["whatIf"]
    assert (entry["state"], entry["permission"]) == ("denied", "User.Read.All")


# --- the sample -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def loaded(whole):
    return load(Snapshot.open(whole.folder), now=generate(accounts=1).now)


def test_administrators_come_before_the_rest_in_the_order_of_ids(loaded):
    admins = sorted(
        loaded.accounts.id[row] for row in range(len(loaded.accounts)) if loaded.accounts.is_admin[row] == YES
    )
    assert len(admins) > 4
    asked = [question.account for question in sample(loaded, (), len(admins) + 5)]
    assert asked[: len(admins)] == admins
    assert not set(asked[len(admins) :]) & set(admins)


def test_every_combination_of_policies_comes_before_any_comes_again(loaded):
    policies = (*reach(loaded).policies, *reach(loaded, state="report-only").policies)
    combination = {
        identity: tuple(int(policy.match[row]) for policy in policies)
        for row, identity in enumerate(loaded.accounts.id)
    }
    different = len(set(combination.values()))
    asked = [question.account for question in sample(loaded, (), len(loaded.accounts))]
    admins = sum(loaded.accounts.is_admin[row] == YES for row in range(len(loaded.accounts)))
    seen = Counter(combination[account] for account in asked[:admins])
    for account in asked[admins : admins + different - len(seen)]:
        assert combination[account] not in seen
        seen[combination[account]] += 1
    assert len(seen) == different > 10


def test_the_order_of_users_and_policies_changes_no_sample(loaded):
    turned = dataclasses.replace(loaded, policies=tuple(reversed(loaded.policies)))
    assert sample(turned, (), 30) == sample(loaded, (), 30)


def test_without_policies_the_rest_follows_by_id(loaded):
    asked = [question.account for question in sample(dataclasses.replace(loaded, policies=()), (), 10_000)]
    assert len(asked) == len(loaded.accounts)
    admins = sum(loaded.accounts.is_admin[row] == YES for row in range(len(loaded.accounts)))
    assert asked[admins:] == sorted(asked[admins:])


@pytest.mark.parametrize(
    ("egress", "ip"),
    [
        ((), ""),
        (("203.0.113.10", "198.51.100.1"), "203.0.113.10"),
        (("203.0.113.0/26",), "203.0.113.1"),
        (("203.0.113.8/31",), "203.0.113.8"),
        ((" 2001:db8::5/128 ",), "2001:db8::5"),
        (("2001:db8::/64",), "2001:db8::1"),
    ],
)
def test_a_sender_signs_in_from_its_first_declared_address(loaded, egress, ip):
    account = loaded.accounts.user_principal_name[0]
    senders = [
        Sender(name="ghost", account="nobody@contoso.example", server="smtp.office365.com", egress_ips=("192.0.2.1",)),
        Sender(name="one", account=account, server="smtp.office365.com", egress_ips=egress),
        Sender(name="two", account=account.upper(), server="smtp.office365.com", egress_ips=("192.0.2.2",)),
    ]
    [question] = sample(loaded, senders, 1)
    assert (question.account, question.ip) == (loaded.accounts.id[0], ip)


# --- a service that fails -------------------------------------------------------------------------------------------


class Credential:
    async def get_token(self, *scopes: str, **options: object) -> AccessToken:
        return AccessToken("not-a-jwt", 4_000_000_000)

    async def close(self) -> None:
        pass


def answer(*policies, **more):
    return httpx.Response(200, json={"value": list(policies), **more}, headers=DATE)


def error(status, code="", message="", **headers):
    return httpx.Response(status, json={"error": {"code": code, "message": message}}, headers=DATE | headers)


BLOCK = {"id": "p1", "policyApplies": True, "analysisReasons": "notSet", "displayName": "Block", "state": "enabled"}
KEPT = {"id": "p1", "modifiedDateTime": None, "policyApplies": True, "analysisReasons": "notSet"}
USERS = [{"id": f"user-{number}", "userPrincipalName": f"user-{number}@contoso.example"} for number in range(6)]


@pytest.fixture
def asked(tmp_path, clock):
    """Collects with the action answering by account; (snapshot, bodies that it got, times at which it got them)."""

    def go(answers, count=6, users=USERS):
        bodies, times = [], []

        def handler(request):
            path = request.url.path.removeprefix("/v1.0")
            if path != EVALUATE:
                found = {"/users": users, "/identity/conditionalAccess/policies": [{"id": "p1", "state": "enabled"}]}
                return httpx.Response(200, json={"value": found.get(path, [])}, headers=DATE)
            bodies.append(json.loads(request.content))
            times.append(clock.seconds)
            return answers(bodies[-1]["signInIdentity"]["userId"]) if callable(answers) else answers

        session = GraphSession.open(
            EMPTY, TENANT, clock=clock, credential=Credential(), transport=httpx.MockTransport(handler)
        )
        asyncio.run(collect(EMPTY, TENANT, tmp_path / "snapshot", clock=clock, session=session, cross_check=count))
        return Snapshot.open(tmp_path / "snapshot"), bodies, times

    return go


def test_the_question_gives_every_condition_of_an_smtp_client(asked):
    snapshot, bodies, _ = asked(answer(BLOCK), count=1)
    assert bodies == [
        {
            "signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn", "userId": "user-0"},
            "signInContext": {
                "@odata.type": "#microsoft.graph.applicationContext",
                "includeApplications": [EXCHANGE_APP_ID],
            },
            "signInConditions": {
                "clientAppType": "other",
                "devicePlatform": "windows",
                "deviceInfo": {},
                "signInRiskLevel": "none",
                "userRiskLevel": "none",
                "insiderRiskLevel": "none",
                "authenticationFlow": {"transferMethod": "none"},
            },
            "appliedPoliciesOnly": False,
        }
    ]
    assert list(snapshot.records("whatIf")) == [{"account": "user-0", "ip": "", "policies": [KEPT]}]


def test_never_faster_than_one_a_second(asked):
    _, _, times = asked(answer(BLOCK))
    assert len(times) == 6
    assert all(later - earlier >= 1.0 for earlier, later in pairwise(times))


def test_throttled_without_a_named_wait_it_asks_again_each_time_later(asked):
    tries = Counter()

    def throttled(user):
        tries[user] += 1
        return error(429, "TooManyRequests") if user == "user-1" and tries[user] < 4 else answer(BLOCK)

    snapshot, _, times = asked(throttled, count=3)
    assert snapshot.status["whatIf"].state == "complete"
    assert [line["account"] for line in snapshot.records("whatIf")] == ["user-0", "user-1", "user-2"]
    waits = [later - earlier for earlier, later in pairwise(times[1:5])]
    assert all(wait >= least for wait, least in zip(waits, [1.0, 2.0, 4.0], strict=True))


def test_a_named_wait_is_kept(asked):
    left = [error(429, "TooManyRequests", **{"Retry-After": "30"})]
    _, _, times = asked(lambda user: left.pop() if left else answer(BLOCK), count=1)
    assert times[1] - times[0] >= 30


def test_throttled_for_good_it_is_cut_and_what_was_answered_stays(asked):
    snapshot, _, times = asked(lambda user: answer(BLOCK) if user < "user-2" else error(429, "TooManyRequests"))
    status = snapshot.status["whatIf"]
    assert (status.state, status.records, status.permission) == ("cut", 3, "")
    assert "429" in status.reason
    lines = list(snapshot.records("whatIf"))
    assert [("error" in line) for line in lines] == [False, False, True]
    assert 8 < len(times) <= 2 + Patience().refusals
    assert times[-1] < 1000


def test_a_missing_right_is_asked_for_once(asked):
    snapshot, bodies, _ = asked(error(403, "AccessDenied", "required scopes are missing"))
    status = snapshot.status["whatIf"]
    assert (status.state, status.records, status.permission) == ("denied", 0, "Policy.Read.All")
    assert len(bodies) == 1


def test_a_missing_licence_is_no_missing_right(asked):
    snapshot, _, _ = asked(error(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "premium license"))
    assert snapshot.status["whatIf"].permission == "Entra ID P1"


def test_a_refusal_of_one_account_is_kept_and_the_next_one_asked(asked):
    snapshot, _, _ = asked(
        lambda user: error(404, "Request_ResourceNotFound") if user in "user-0 user-3" else answer(BLOCK)
    )
    assert snapshot.status["whatIf"].state == "complete"
    lines = {line["account"]: line.get("error", "") for line in snapshot.records("whatIf")}
    assert len(lines) == 6
    assert {account for account, text in lines.items() if text} == {"user-0", "user-3"}
    assert "Request_ResourceNotFound" in lines["user-0"]


@pytest.mark.parametrize(("count", "requests"), [(6, 3), (2, 2), (1, 1)])
def test_an_action_that_is_not_there_is_not_asked_for_everybody(asked, count, requests):
    snapshot, bodies, _ = asked(error(400, "BadRequest", "Resource not found for the segment 'evaluate'."), count=count)
    status = snapshot.status["whatIf"]
    assert (status.state, status.records, len(bodies)) == ("failed", 0, requests)
    assert "segment 'evaluate'" in status.reason


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (httpx.Response(200, content=b'{"value": [', headers=DATE), "documented form"),
        (answer({"id": "p1"}), "policyApplies"),
        (
            answer(BLOCK, **{"@odata.nextLink": f"https://graph.microsoft.com/v1.0{EVALUATE}?$skiptoken=2"}),
            "further pages",
        ),
    ],
)
def test_an_answer_of_another_form_is_a_refusal(asked, given, words):
    snapshot, _, _ = asked(lambda user: answer(BLOCK) if user == "user-0" else given, count=2)
    [first, second] = snapshot.records("whatIf")
    assert first["policies"] == [KEPT]
    assert second["policies"] == []
    assert words in second["error"]


def test_a_tenant_without_accounts_asks_nothing(asked):
    snapshot, bodies, _ = asked(answer(BLOCK), users=[])
    assert (snapshot.status["whatIf"].state, snapshot.status["whatIf"].records, bodies) == ("complete", 0, [])
