"""The emulator's answers against Graph's own description, where that lies beside the checkout."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from auditor.demo.graph import routes
from auditor.demo.tenant import generate

GRAPH = "https://graph.microsoft.com"
FILES = {"v1.0": "graph-openapi.json", "beta": "graph-openapi-beta.json"}
EVENTUAL = {"ConsistencyLevel": "eventual"}

NOT_DESCRIBED = {
    "/admin/configurationManagement/configurationSnapshotJobs",
    "/admin/configurationManagement/configurationSnapshots/{id}",
    "/admin/configurationManagement/configurationSnapshots('{id}')",
    "/auditLogs/directoryAudits",
    "/oauth2PermissionGrants",
    "/reports/getEmailAppUsageUserDetail(period='{period}')",
    "/reports/getMailboxUsageDetail(period='{period}')",
    "/servicePrincipals(appId='{id}')",
    "/servicePrincipals/{id}",
    "/servicePrincipals/{id}/appRoleAssignedTo",
    "/servicePrincipals/{id}/appRoleAssignments",
    "/users/{id}/authentication/requirements",
}
"""routes that the description of v1.0 does not hold"""


@pytest.fixture(scope="module")
def documents(shared: Path) -> dict[str, dict[str, Any]]:
    return {version: json.loads((shared / "contract" / name).read_bytes()) for version, name in FILES.items()}


@pytest.fixture(scope="module")
def descriptions(documents) -> dict[str, OpenAPI]:
    return {version: OpenAPI.from_dict(document) for version, document in documents.items()}


@pytest.fixture(scope="module")
def described(documents) -> set[str]:
    """The described paths of v1.0 in the form of the routes: every argument is `{id}`."""
    return {re.sub(r"\{[^}]+\}", "{id}", path) for path in documents["v1.0"]["paths"]}


def check(specification: OpenAPI, response) -> None:
    """Raises where the answer is not what the description says; refusals are checked as well."""
    parts = urlsplit(str(response.request.url))
    request = MockRequest(
        GRAPH,
        response.request.method.lower(),
        parts.path,
        args=dict(parse_qsl(parts.query)),
        headers={"Authorization": "Bearer x"},
        data=response.request.content or None,
        content_type="application/json",
    )
    answer = MockResponse(
        response.content,
        status_code=response.status_code,
        headers=dict(response.headers),
        content_type=response.headers["Content-Type"].split(";")[0],
    )
    specification.validate_response(request, answer)


def filled(pattern: str, tenant) -> str:
    """A route's path with an object of the tenant for its argument."""
    kind = pattern.split("/")[1].split("(")[0]
    group = next((key for key, members in tenant.group_members.items() if members), "")
    arguments = {
        "users": tenant.graph["users"][0]["id"],
        "groups": group,
        "servicePrincipals": tenant.graph["servicePrincipals"][0]["id"],
    }
    return pattern.replace("{id}", arguments.get(kind, "")).replace("{period}", "D7")


def options(route: routes.Route) -> str:
    return "?$count=true" if route.advanced else ""


@pytest.fixture(scope="module")
def generated(tmp_path_factory):
    """The default tenant of the demo."""
    return generate(accounts=60, seed=7)


@pytest.mark.parametrize("route", [route.pattern for route in routes.ROUTES if route.method == "GET"])
def test_each_answer_is_as_graph_describes_it(descriptions, described, client, route):
    specification = descriptions["v1.0"]
    if route in NOT_DESCRIBED:
        assert route not in described
        return
    assert route in described
    found = next(entry for entry in routes.ROUTES if entry.pattern == route)
    response = client.graph(filled(route, client.emulator.tenant) + options(found), **EVENTUAL)
    assert response.status_code == 200
    check(specification, response)


def test_the_generated_tenant_is_as_graph_describes_it(descriptions, serve, generated):
    specification = descriptions["v1.0"]
    client = serve(generated)
    for route in routes.ROUTES:
        if route.pattern in NOT_DESCRIBED or route.method != "GET":  # test_what_if.py asks the action
            continue
        for preference in ({}, {"Prefer": "include-unknown-enum-members"}):
            top = "$top=25&" if route.rules.pages else ""
            query = f"?{top}$count=true" if route.advanced or top else ""
            response = client.graph(filled(route.pattern, generated) + query, **EVENTUAL, **preference)
            assert response.status_code == 200, (route.pattern, response.text)
            check(specification, response)


def test_a_whole_user_with_every_property_is_as_described(descriptions, client):
    names = ",".join(sorted(routes.schema.USER.properties - {"mailboxSettings", "signInActivity"}))
    response = client.graph(f"/users/{client.emulator.tenant.graph['users'][0]['id']}?$select={names}")
    assert response.status_code == 200
    check(descriptions["v1.0"], response)


def test_the_requirements_of_beta_are_as_described(descriptions, client):
    user = client.emulator.tenant.graph["users"][0]["id"]
    check(descriptions["beta"], client.graph(f"/beta/users/{user}/authentication/requirements"))


def test_refusals_are_as_described(descriptions, client):
    for path in ("/users?$top=0", "/users/nobody", "/groups/gone"):
        response = client.graph(path)
        assert response.status_code >= 400
        check(descriptions["v1.0"], response)
    check(descriptions["v1.0"], client.http.get(f"{client.emulator.graph_url}/v1.0/users"))


def test_a_batch_is_as_described(descriptions, client):
    response = client.batch(
        [{"id": "1", "method": "GET", "url": "/users?$top=1"}, {"id": "2", "method": "GET", "url": "/x"}]
    )
    check(descriptions["v1.0"], response)


def test_the_check_itself_can_fail(descriptions, client):
    request = client.graph("/users?$top=1").request
    changed = httpx.Response(200, json={"value": [{"id": 5}]}, request=request)
    with pytest.raises(Exception, match="5 is not of type 'string'"):
        check(descriptions["v1.0"], changed)
