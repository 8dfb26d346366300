"""A service that fails: what was read stays, what was not is told, and nothing is complete by accident."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from azure.core.credentials import AccessToken

from auditor.collect import collect
from auditor.config import EMPTY, TenantConfig
from auditor.errors import ServiceError, SignInError, UsageError
from auditor.graph.session import GraphSession
from auditor.snapshot import Snapshot

DATE = {"Date": "Mon, 23 Nov 2026 16:00:00 GMT"}
TENANT = TenantConfig(name="t", tenant_id="11111111-2222-3333-4444-555555555555", client_id="c")


class Credential:
    async def get_token(self, *scopes: str, **options: object) -> AccessToken:
        return AccessToken("not-a-jwt", 4_000_000_000)

    async def close(self) -> None:
        pass


def page(records, link=None):
    body = {"value": records} | ({"@odata.nextLink": link} if link else {})
    return httpx.Response(200, json=body, headers=DATE)


def error(status, code=""):
    return httpx.Response(status, json={"error": {"code": code, "message": ""}}, headers=DATE)


@pytest.fixture
def against(tmp_path: Path, clock) -> Callable[..., tuple[Snapshot, list[httpx.Request]]]:
    """Collects from handlers by path; every other path is an empty collection."""

    def go(handlers, config=EMPTY, tenant=TENANT, resume=False):
        seen = []

        def handler(request):
            seen.append(request)
            if "$count" in request.url.params and request.url.path == "/v1.0/users":
                return handlers.get("count", page([]))
            answer = handlers.get(request.url.path.removeprefix("/v1.0").removeprefix("/beta"))
            if answer is None:
                answer = handlers.get("*", page([]))
            return answer(request) if callable(answer) else answer

        session = GraphSession.open(
            config, tenant, clock=clock, credential=Credential(), transport=httpx.MockTransport(handler)
        )
        folder = tmp_path / "snapshot"
        asyncio.run(collect(config, tenant, folder, clock=clock, session=session, resume=resume))
        return Snapshot.open(folder), seen

    return go


def in_turn(*answers) -> Callable[[httpx.Request], httpx.Response]:
    """These answers one after the other; the last one stays."""
    left = list(answers)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


USERS = [{"id": f"user-{number}", "perUserMfaState": "disabled"} for number in range(4)]


def test_a_collection_that_breaks_off_is_cut_with_its_reason(against):
    link = "https://graph.microsoft.com/v1.0/users?$skiptoken=2"
    snapshot, _ = against({"/users": in_turn(page(USERS, link), httpx.Response(200, content=b'{"value":[{"id"'))})
    assert snapshot.status["users"].state == "cut"
    assert snapshot.status["users"].records == 4
    assert "no JSON" in snapshot.status["users"].reason


def test_a_link_to_a_foreign_host_cuts_and_sends_nothing_there(against):
    snapshot, seen = against({"/users": page(USERS, "https://evil.example/users?p=2")})
    assert snapshot.status["users"].state == "cut"
    assert "evil.example" in snapshot.status["users"].reason
    assert {request.url.host for request in seen} == {"graph.microsoft.com"}


def test_nothing_answers_is_one_error_at_once(against, clock):
    def gone(request):
        raise httpx.ConnectError("no route")

    with pytest.raises(ServiceError) as caught:
        against({"*": gone})
    assert caught.value.exit_code == 5
    assert "graph.microsoft.com" in str(caught.value)


def test_a_network_lost_on_the_way_fails_the_rest_and_keeps_what_was_read(against, clock, tmp_path):
    lost = []

    def breaks(request):
        lost.append(request)
        raise httpx.ReadError("reset")

    answers = {"/organization": page([{"id": "org-1"}]), "/domains": page([{"id": "contoso.example"}]), "*": breaks}
    snapshot, _ = against(answers)
    assert snapshot.tenant_id == "org-1"
    assert snapshot.status["domains"].complete
    assert snapshot.status["users"].state == "failed"
    assert snapshot.status["groups"].state == "cut"  # nothing names a group, but the policies were not read
    assert len(lost) < 60


def test_interrupted_in_the_middle_it_goes_on_where_it_was(against, tmp_path):
    def stop(request):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        against({"/organization": page([{"id": "org-1"}]), "/users": stop})
    manifest = json.loads((tmp_path / "snapshot" / "manifest.json").read_text())
    assert manifest["complete"] is False
    assert "users" not in manifest["datasets"]
    assert manifest["datasets"]["organization"]["state"] == "complete"
    snapshot, seen = against({"/users": page(USERS)}, resume=True)
    assert snapshot.status["users"].records == 4
    assert snapshot.tenant_id == "org-1"
    assert "/v1.0/organization" not in {request.url.path for request in seen}
    assert not list((tmp_path / "snapshot").glob("*.part"))


def test_another_tenants_snapshot_is_not_gone_on_with(against):
    against({"/organization": page([{"id": "org-1"}])})
    other = TenantConfig(name="t", tenant_id="99999999-2222-3333-4444-555555555555", client_id="c")
    with pytest.raises(UsageError):
        against({}, tenant=other, resume=True)


def test_a_token_that_graph_refuses_everywhere_is_a_sign_in_error(against):
    with pytest.raises(SignInError):
        against({"*": error(401, "InvalidAuthenticationToken")})


def test_a_service_that_gives_up_everywhere_is_a_service_error(against):
    with pytest.raises(ServiceError) as caught:
        against({"*": error(503, "serviceNotAvailable")})
    assert "503" in str(caught.value)


def test_a_service_without_a_date_leaves_this_machines_clock(against):
    undated = httpx.Response(200, json={"value": [{"id": "1"}]})
    snapshot, _ = against({"*": undated, "count": undated})
    assert snapshot.ended.startswith("2031-01-01")


def test_usage_reports_are_not_asked_for_in_a_national_cloud(against):
    tenant = TenantConfig(name="t", tenant_id=TENANT.tenant_id, client_id="c", cloud="gcc-high")
    snapshot, seen = against({"/organization": page([{"id": "org-1"}])}, tenant=tenant)
    for name in ("emailAppUsage", "mailboxUsage"):
        assert snapshot.status[name].state == "not-asked"
        assert "national" in snapshot.status[name].reason
    assert {request.url.host for request in seen} == {"graph.microsoft.us"}


SMTP = {"clientAppUsed": "Authenticated SMTP"}
TIMES = [f"2026-11-{day:02}T12:00:00Z" for day in range(23, 0, -1)]
SIGN_INS = [{"id": time, "createdDateTime": time, **SMTP} for time in TIMES]
OTHERS = [{"id": f"o-{time}", "createdDateTime": time, "clientAppUsed": "Browser"} for time in TIMES]


def _bounds(request):
    """(since, until) of a filtered query, empty where it has none."""
    filter_ = request.url.params.get("$filter", "")
    words = filter_.replace("(", " ").split()
    found = {word: words[number + 1] for number, word in enumerate(words) if word in ("ge", "lt")}
    return found.get("ge", ""), found.get("lt", "9")


def test_sign_ins_are_read_a_week_at_a_time_where_the_whole_window_times_out(against):
    def answer(request):
        since, until = _bounds(request)
        if since < "2026-11-01" and until == "9":
            return error(504, "UnknownError")
        return page([entry for entry in SIGN_INS if since <= entry["createdDateTime"] < until])

    snapshot, _ = against({"/organization": page([{"id": "o"}]), "/auditLogs/signIns": answer})
    assert snapshot.status["signIns"].complete
    assert [record["id"] for record in snapshot.records("signIns")] == TIMES
    assert "a week at a time" in snapshot.manifest["datasets"]["signIns"]["notes"][0]


def test_sign_ins_are_searched_here_where_no_filter_works(against):
    old = {"id": "old", "createdDateTime": "2026-10-01T00:00:00Z", **SMTP}
    everything = sorted((*SIGN_INS, *OTHERS, old), key=lambda entry: entry["createdDateTime"], reverse=True)

    def answer(request):
        return page(everything) if "$filter" not in request.url.params else error(504, "UnknownError")

    snapshot, _ = against({"/organization": page([{"id": "o"}]), "/auditLogs/signIns": answer})
    assert snapshot.status["signIns"].complete
    assert [record["id"] for record in snapshot.records("signIns")] == TIMES


def test_sign_ins_beyond_the_cap_are_cut(against):
    count = iter(range(1_000))

    def answer(request):
        if "$filter" in request.url.params:
            return error(400, "BadRequest")
        number = next(count)
        rows = [{**entry, "id": f"{number}-{row}"} for row in range(44) for entry in OTHERS]
        return page(rows, f"https://graph.microsoft.com/v1.0/auditLogs/signIns?p={number}")

    snapshot, _ = against({"/organization": page([{"id": "o"}]), "/auditLogs/signIns": answer})
    assert snapshot.status["signIns"].state == "cut"
    assert "looked through" in snapshot.status["signIns"].reason


def test_the_window_is_counted_on_the_services_clock(against, clock):
    clock.seconds = timedelta(days=400).total_seconds()
    seen = against({"/organization": page([{"id": "o"}])})[1]
    asked = [_bounds(request)[0] for request in seen if request.url.path.endswith(("signIns", "directoryAudits"))]
    assert asked == ["2026-10-24T16:00:00Z"] * 2


def test_a_state_that_is_missing_for_some_is_asked_for_them_alone(against):
    users = [*USERS[:2], {"id": "user-2", "perUserMfaState": None}, {"id": "user-3"}]
    asked = []

    def batch(request):
        calls = json.loads(request.content)["requests"]
        asked.extend(call["url"] for call in calls)
        body = {"perUserMfaState": "enforced"}
        return httpx.Response(
            200, json={"responses": [{"id": call["id"], "status": 200, "body": body} for call in calls]}, headers=DATE
        )

    snapshot, _ = against({"/users": page(users), "/$batch": batch})
    assert asked == ["/users/user-2/authentication/requirements", "/users/user-3/authentication/requirements"]
    states = {record["id"]: record["perUserMfaState"] for record in snapshot.records("perUserMfa")}
    assert states == {"user-0": "disabled", "user-1": "disabled", "user-2": "enforced", "user-3": "enforced"}


GROUP_IDS = [f"{number}0000000-0000-0000-0000-000000000000" for number in range(1, 5)]
POLICY = {"id": "p", "conditions": {"users": {"includeGroups": GROUP_IDS, "excludeGroups": ["All", "None"]}}}


def _groups(refused):
    """Answers for groups and their members. `refused`: group, or the path of its members → (status, code)."""

    def batch(request):
        responses = []
        for call in json.loads(request.content)["requests"]:
            path = call["url"].removeprefix("/groups/").partition("?")[0]
            group, _, cast = path.partition("/")
            if path in refused:
                body = {"error": {"code": refused[path][1], "message": ""}}
                responses.append({"id": call["id"], "status": refused[path][0], "body": body})
            elif cast:
                responses.append({"id": call["id"], "status": 200, "body": {"value": [{"id": f"member of {group}"}]}})
            else:
                responses.append({"id": call["id"], "status": 200, "body": {"id": group, "displayName": "g"}})
        return httpx.Response(200, json={"responses": responses}, headers=DATE)

    return batch


def test_one_refused_group_is_told_and_the_others_are_read(against):
    refused = {GROUP_IDS[1]: (403, "Authorization_RequestDenied"), GROUP_IDS[2]: (404, "Request_ResourceNotFound")}
    snapshot, _ = against({"/identity/conditionalAccess/policies": page([POLICY]), "/$batch": _groups(refused)})
    groups = list(snapshot.records("groups"))
    assert snapshot.status["groups"].complete
    assert [group.get("error") for group in groups] == [
        None, "Authorization_RequestDenied", "Request_ResourceNotFound", None,
    ]  # fmt: skip
    assert [record["groupId"] for record in snapshot.records("groupMembers")] == [GROUP_IDS[n] for n in (0, 3)]


def test_a_policy_of_another_form_leaves_groups_unfinished(against):
    odd = {"id": "q", "conditions": {"users": {"includeGroups": "not a list"}}}
    snapshot, _ = against({"/identity/conditionalAccess/policies": page([POLICY, odd]), "/$batch": _groups({})})
    assert snapshot.status["groups"].state == "cut"
    assert "conditionalAccessPolicies" in snapshot.status["groups"].reason


def test_groups_that_are_all_refused_are_denied_after_the_first(against):
    refused = dict.fromkeys(GROUP_IDS, (403, "Authorization_RequestDenied"))
    snapshot, seen = against({"/identity/conditionalAccess/policies": page([POLICY]), "/$batch": _groups(refused)})
    assert snapshot.status["groups"].state == "denied"
    assert snapshot.status["groups"].permission == "GroupMember.Read.All"
    assert snapshot.status["groupMembers"].state == "denied"
    assert sum(request.url.path.endswith("$batch") for request in seen) == 1


def test_members_that_break_off_cut_the_dataset(against):
    refused = {f"{GROUP_IDS[1]}/transitiveMembers/microsoft.graph.user": (400, "Request_UnsupportedQuery")}
    snapshot, _ = against({"/identity/conditionalAccess/policies": page([POLICY]), "/$batch": _groups(refused)})
    assert snapshot.status["groupMembers"].state == "cut"
    assert list(snapshot.records("groupMembers")) == [{"groupId": GROUP_IDS[0], "id": f"member of {GROUP_IDS[0]}"}]


def test_a_group_that_was_deleted_since_has_no_members(against):
    refused = {f"{GROUP_IDS[1]}/transitiveMembers/microsoft.graph.user": (404, "Request_ResourceNotFound")}
    snapshot, _ = against({"/identity/conditionalAccess/policies": page([POLICY]), "/$batch": _groups(refused)})
    assert snapshot.status["groupMembers"].complete
    assert [record["groupId"] for record in snapshot.records("groupMembers")] == [GROUP_IDS[n] for n in (0, 2, 3)]


def test_a_disk_that_refuses_is_told_and_gone_on_with(against, tmp_path):
    (tmp_path / "snapshot").write_text("a file stands where the folder should")
    with pytest.raises(UsageError) as caught:
        against({})
    assert "snapshot" in str(caught.value)
