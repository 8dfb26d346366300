"""The documented limits, on a clock that moves only when told to."""

from __future__ import annotations

import pytest

from auditor.demo.conditions import Conditions, Limits
from auditor.demo.conditions.limits import Meter, documented


@pytest.fixture
def throttled(serve, tenant, clock):
    """The test tenant (250 users: size M) with its limits enforced."""
    return serve(tenant, Conditions(clock=clock, limits=Limits()))


@pytest.mark.parametrize(("users", "units"), [(49, 3500), (50, 5000), (500, 5000), (501, 8000)])
def test_the_directorys_limit_goes_by_size(clock, users, units):
    meter = Meter(Limits(), users, clock)
    assert meter.take("directory", units).admitted
    refused = meter.take("directory", 1)
    assert (refused.admitted, refused.wait) == (False, pytest.approx(10 / units))
    clock.seconds += 10
    assert meter.take("directory", units).admitted


def test_a_bucket_refills_evenly_and_names_the_wait(clock):
    meter = Meter(Limits(), 1000, clock)
    assert [meter.take("reports").admitted for _ in range(6)] == [True] * 5 + [False]
    assert meter.take("reports").wait == pytest.approx(2.0)
    clock.seconds += 2.0
    assert [meter.take("reports").admitted for _ in range(2)] == [True, False]


def test_a_second_client_leaves_half(clock):
    meter = Meter(Limits(rival=0.5), 1000, clock)
    assert meter.take("directory", 4000).admitted
    assert not meter.take("directory", 1).admitted
    clock.seconds += 10
    assert meter.take("directory", 4000).admitted
    assert meter.take("conditional-access").admitted  # one always fits, it only takes twice as long
    assert meter.take("conditional-access").wait == pytest.approx(2.0)


def test_without_limits_everything_is_admitted(clock):
    meter = Meter(None, 10, clock)
    assert all(meter.take("conditional-access").admitted for _ in range(100))


def spend(client, path, until, **headers):
    """The answers up to the first with that status."""
    for _ in range(10_000):
        answer = client.graph(path, **headers)
        if answer.status_code == until:
            return answer
        assert answer.status_code == 200
    raise AssertionError("the limit was never reached")


def test_the_directory_tells_its_units_and_says_when_it_gets_tight(serve, tenant, clock):
    tenant.graph["users"] = tenant.graph["users"][:60]
    client = serve(tenant, Conditions(clock=clock, limits=Limits()))
    for path, units in (("/users", "2"), ("/users?$select=id", "1"), ("/users?$top=5", "1"),
                        ("/users?$top=5&$select=id", "1"), ("/subscribedSkus", "3"), ("/organization", "1"),
                        (f"/groups/{tenant.graph['groups'][0]['id']}/transitiveMembers", "5")):  # fmt: skip
        answer = client.graph(path)
        assert answer.headers["x-ms-resource-unit"] == units, path
        assert "x-ms-throttle-limit-percentage" not in answer.headers
    client.batch([{"id": "1", "method": "GET", "url": "/users"}])
    assert "x-ms-resource-unit" not in client.graph("/identity/conditionalAccess/policies").headers


def test_a_refusal_of_the_directory_carries_the_documented_headers(serve, tenant, clock):
    client = serve(tenant, Conditions(clock=clock, limits=Limits(rival=0.99)))  # 50 units are left of 5,000
    answer = spend(client, "/subscribedSkus", 429)
    assert int(answer.headers["Retry-After"]) == 1
    app = tenant.app.client_id
    assert answer.headers["x-ms-throttle-scope"] == f"Tenant_Application/ReadWrite/{app}/{tenant.tenant_id}"
    assert answer.headers["x-ms-throttle-information"] == "ResourceUnitLimitExceeded"
    assert answer.headers["x-ms-resource-unit"] == "3"
    assert 1.0 <= float(answer.headers["x-ms-throttle-limit-percentage"]) <= 1.8
    assert answer.json()["error"]["code"] == "TooManyRequests"
    clock.seconds += 1
    assert client.graph("/subscribedSkus").status_code == 200


def test_the_percentage_is_sent_from_80_per_cent_on(serve, tenant, clock):
    client = serve(tenant, Conditions(clock=clock, limits=Limits(rival=0.75)))
    asked = [{"id": str(number), "method": "GET", "url": f"/groups/{tenant.graph['groups'][0]['id']}/transitiveMembers"}
             for number in range(20)]  # fmt: skip
    shown = []
    for _ in range(3):  # 100 units, 2 per cent, each
        parts = client.batch(asked).json()["responses"]
        shown += [part["headers"].get("x-ms-throttle-limit-percentage") for part in parts]
    first = next(number for number, value in enumerate(shown) if value)
    assert shown[first] == "0.80"
    assert first + 1 == (0.80 - 0.75) * 5000 // 5
    assert all(shown[first:])


def test_reports_and_logs_share_five_in_ten_seconds(throttled, clock):
    paths = (
        "/auditLogs/signIns",
        "/auditLogs/directoryAudits",
        "/reports/authenticationMethods/userRegistrationDetails",
    )
    answers = [throttled.graph(paths[number % 3]) for number in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert answers[-1].headers["Retry-After"] == "2"
    assert "x-ms-resource-unit" not in answers[0].headers
    clock.seconds += 2
    assert throttled.graph(paths[0]).status_code == 200


def test_conditional_access_allows_one_a_second_and_names_no_time(throttled, clock):
    first, second = (throttled.graph(f"/identity/conditionalAccess/{name}") for name in ("policies", "namedLocations"))
    assert (first.status_code, second.status_code) == (200, 429)
    assert "Retry-After" not in second.headers
    clock.seconds += 1
    assert throttled.graph("/identity/conditionalAccess/namedLocations").status_code == 200


def test_usage_reports_count_by_report_and_form(throttled):
    path = "/reports/getEmailAppUsageUserDetail(period='D180')"
    assert [throttled.graph(path).status_code for _ in range(15)] == [302] * 14 + [429]
    assert throttled.graph("/reports/getMailboxUsageDetail(period='D7')").status_code == 302
    json = [throttled.graph(f"/beta{path}?$format=application/json").status_code for _ in range(101)]
    assert json == [200] * 100 + [429]


def test_sign_in_activity_is_counted_by_itself(throttled):
    answers = [throttled.graph("/users?$select=id,signInActivity&$top=1") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert throttled.graph("/users?$select=id").status_code == 200


def test_a_batch_is_judged_call_by_call(throttled):
    calls = [{"id": str(number), "method": "GET", "url": "/auditLogs/signIns"} for number in range(8)]
    answer = throttled.batch(calls)
    assert answer.status_code == 200
    parts = answer.json()["responses"]
    assert [part["status"] for part in parts] == [200] * 5 + [429] * 3
    assert all(part["headers"]["Retry-After"] == "2" for part in parts[5:])


def test_exchange_is_limited_too(throttled, clock):
    answers = [throttled.cmdlet("Get-TransportConfig") for _ in range(61)]
    assert [answer.status_code for answer in answers] == [200] * 60 + [429]
    assert answers[-1].headers["Retry-After"] == "1"
    clock.seconds += 1
    assert throttled.cmdlet("Get-TransportConfig").status_code == 200


def test_a_client_in_slower_time_is_told_its_own_seconds(serve, tenant, clock):
    client = serve(tenant, Conditions(clock=clock, limits=Limits(), told_scale=60))
    answer = spend(client, "/auditLogs/signIns", 429)
    assert float(answer.headers["Retry-After"]) == pytest.approx(2 / 60, abs=0.001)


def test_the_documented_table(clock):
    assert {name: (rate.units, rate.seconds) for name, rate in documented(100_000).items()} == {
        "directory": (8000, 10), "reports": (5, 10), "sign-in-activity": (10, 60), "conditional-access": (1, 1),
        "usage-csv": (14, 600), "usage-json": (100, 600), "exchange": (60, 30),
    }  # fmt: skip


def test_every_limit_keeps_count(throttled, clock):
    clock.seconds = 100
    for _ in range(6):
        throttled.graph("/auditLogs/signIns")
    throttled.graph("/users")
    clock.seconds = 130
    throttled.graph("/auditLogs/signIns")
    tallies = throttled.emulator.tallies
    reports = tallies["reports", ""]
    assert (reports.units, reports.admitted, reports.refused, reports.first, reports.last) == (6, 6, 1, 100, 130)
    assert tallies["directory", ""].units == 2
