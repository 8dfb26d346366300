from __future__ import annotations

import pytest


def guid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def get(identifier: str, url: str, **more):
    return {"id": identifier, "method": "GET", "url": url, **more}


def test_each_inner_call_answers_as_it_would_alone(client):
    response = client.batch(
        [
            get("1", f"/users/{guid(1)}?$select=id"),
            get("2", "/users/nobody"),
            get("3", f"groups/{guid(500)}/transitiveMembers/microsoft.graph.user?$select=id&$count=true&$top=2",
                headers={"ConsistencyLevel": "eventual"}),
            get("4", "/reports/getEmailAppUsageUserDetail(period='D7')"),
            get("5", "/users?$select=id%2CdisplayName&$top=1"),
        ]
    )  # fmt: skip
    assert response.status_code == 200
    parts = {part["id"]: part for part in response.json()["responses"]}
    assert {key: part["status"] for key, part in parts.items()} == {"1": 200, "2": 404, "3": 200, "4": 302, "5": 200}
    assert parts["1"]["body"]["id"] == guid(1)
    assert parts["1"]["headers"]["x-ms-resource-unit"] == "1"
    assert parts["2"]["body"]["error"]["code"] == "Request_ResourceNotFound"
    assert parts["3"]["body"]["@odata.nextLink"].startswith(client.emulator.graph_url)
    assert parts["4"]["headers"]["Location"].startswith(client.emulator.reports_url)
    assert "body" not in parts["4"]
    assert set(parts["5"]["body"]["value"][0]) == {"id", "displayName"}
    rest = client.walk(parts["3"]["body"]["@odata.nextLink"], ConsistencyLevel="eventual")
    assert len(parts["3"]["body"]["value"]) + sum(map(len, rest)) == 4


def test_permissions_are_asked_for_each_inner_call(serve, tenant):
    tenant.app.graph_roles = {"Domain.Read.All"}
    parts = serve(tenant).batch([get("1", "/domains"), get("2", "/users")]).json()["responses"]
    assert [part["status"] for part in parts] == [200, 403]


def test_a_batch_needs_a_token(client):
    assert client.http.post(f"{client.emulator.graph_url}/v1.0/$batch", json={"requests": []}).status_code == 401


def test_beta_has_its_own_batch(client):
    requests = [get("1", f"/users/{guid(2)}/authentication/requirements")]
    assert client.batch(requests).json()["responses"][0]["status"] == 400
    response = client.http.post(
        f"{client.emulator.graph_url}/beta/$batch",
        json={"requests": requests},
        headers={"Authorization": f"Bearer {client.token(client.emulator.graph_url)}"},
    )
    assert response.json()["responses"][0]["body"]["perUserMfaState"] == "enforced"


def test_what_depends_on_a_failure_is_not_tried(client):
    parts = client.batch(
        [get("a", "/users/nobody"), get("b", "/domains", dependsOn=["a"]), get("c", "/domains"),
         get("d", "/domains", dependsOn=["c"])]
    ).json()["responses"]  # fmt: skip
    assert [part["status"] for part in parts] == [404, 424, 200, 200]


def test_twenty_are_taken_and_twenty_one_refused(client):
    calls = [get(str(number), "/domains") for number in range(21)]
    assert len(client.batch(calls[:20]).json()["responses"]) == 20
    response = client.batch(calls)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "BadRequest")
    assert "20" in response.json()["error"]["message"]


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [get("1", "/domains"), get("1", "/users")],
        [{"id": "1", "method": "GET"}],
        [{"id": 1, "method": "GET", "url": "/domains"}],
        ["/domains"],
        [get("1", "/domains", dependsOn=1)],
        [get("1", "/domains", dependsOn=[["2"]])],
        [get("1", "/domains", headers=["x"])],
        [get("1", "https://[")],
        [get("1", "/domains", dependsOn=["2"]), get("2", "/domains")],
    ],
)
def test_a_malformed_batch_is_refused_as_a_whole(client, requests):
    assert client.batch(requests).status_code == 400


def test_a_batch_in_a_batch_and_a_write_are_refused_alone(client):
    parts = client.batch(
        [{"id": "1", "method": "POST", "url": "/$batch", "body": {}}, {"id": "2", "method": "PATCH", "url": "/users"}]
    ).json()["responses"]
    assert [part["status"] for part in parts] == [400, 405]
