"""The emulated What If action: as Graph describes it, and each condition by a base policy with one patched part."""

from __future__ import annotations

import copy
import json
from urllib.parse import urlsplit

import httpx
import pytest
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from auditor.demo.graph import what_if
from auditor.demo.graph.call import GraphError
from auditor.demo.graph.directory import Directory

EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"
SHAREPOINT = "00000003-0000-0ff1-ce00-000000000000"
PATH = "/identity/conditionalAccess/evaluate"


def guid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


FIRST = guid(1)


def request(user: str = FIRST, only: bool | None = None, apps=(EXCHANGE,), identity=None, **conditions):
    """A sign-in over SMTP with everything given; a condition that is None is left out."""
    given = {
        "clientAppType": "other", "devicePlatform": "windows", "deviceInfo": {}, "ipAddress": "203.0.113.5",
        "country": "CH", "signInRiskLevel": "none", "userRiskLevel": "none", "insiderRiskLevel": "none",
        "authenticationFlow": {"transferMethod": "none"},
    } | conditions  # fmt: skip
    return {
        "signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn", "userId": user} | (identity or {}),
        "signInContext": {"@odata.type": "#microsoft.graph.applicationContext", "includeApplications": list(apps)},
        "signInConditions": {name: value for name, value in given.items() if value is not None},
        "appliedPoliciesOnly": only,
    }


# --- on the wire ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def description(shared) -> OpenAPI:
    return OpenAPI.from_dict(json.loads((shared / "contract" / "graph-openapi.json").read_bytes()))


def ask(client, body, method="POST", **headers):
    authorization = {"Authorization": f"Bearer {client.token(client.emulator.graph_url)}"}
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.http.request(
        method, f"{client.emulator.graph_url}/v1.0{PATH}", json=body, headers=authorization | sent
    )


def check(specification: OpenAPI, response: httpx.Response) -> None:
    """Raises where the request or the answer is not what the description says."""
    sent = MockRequest(
        "https://graph.microsoft.com",
        "post",
        urlsplit(str(response.request.url)).path,
        headers={"Authorization": "Bearer x"},
        data=response.request.content,
        content_type="application/json",
    )
    specification.validate_request(sent)
    answer = MockResponse(
        response.content, status_code=response.status_code, headers=dict(response.headers),
        content_type=response.headers["Content-Type"].split(";")[0],
    )  # fmt: skip
    specification.validate_response(sent, answer)


@pytest.mark.parametrize("preference", [{}, {"Prefer": "include-unknown-enum-members"}])
@pytest.mark.parametrize("only", [True, False, None])
def test_question_and_answer_are_as_graph_describes_them(description, client, only, preference):
    response = ask(client, request(only=only), **preference)
    assert response.status_code == 200
    check(description, response)
    assert response.json()["value"]


def test_refusals_are_as_graph_describes_them(description, client):
    for body in (request(user=guid(99999)), request(apps=())):
        response = ask(client, body)
        assert response.status_code in (400, 404)
        check(description, response)


def test_the_check_itself_can_fail(description, client):
    answered = ask(client, request())
    body = answered.json()
    body["value"][0]["analysisReasons"] = "weather"
    changed = httpx.Response(200, json=body, request=answered.request)
    with pytest.raises(Exception, match="weather"):
        check(description, changed)


def test_the_whole_policy_with_its_verdict_comes_back(client, tenant):
    [block, remediation] = ask(client, request(), Prefer="include-unknown-enum-members").json()["value"]
    stored = tenant.graph["conditionalAccessPolicies"]
    assert {name: block[name] for name in stored[0]} == stored[0]
    assert (block["policyApplies"], block["analysisReasons"]) == (True, "notSet")
    assert remediation["grantControls"]["builtInControls"] == ["riskRemediation"]


def test_later_enum_members_are_hidden_from_who_did_not_ask(client):
    remediation = ask(client, request()).json()["value"][1]
    assert remediation["grantControls"]["builtInControls"] == ["unknownFutureValue"]


@pytest.mark.parametrize("permission", ["Policy.Read.ConditionalAccess", "Policy.Read.All"])
def test_either_permission_opens_it(serve, tenant, permission):
    tenant.app.graph_roles = {permission}
    assert ask(serve(tenant), request()).status_code == 200


def test_without_a_permission_it_is_refused(serve, tenant):
    tenant.app.graph_roles -= {"Policy.Read.All"}
    response = ask(serve(tenant), request())
    assert (response.status_code, response.json()["error"]["code"]) == (403, "AccessDenied")


def test_only_post_is_allowed(client):
    assert ask(client, None, "GET").status_code == 405
    assert client.http.post(
        f"{client.emulator.graph_url}/v1.0/users", json={},
        headers={"Authorization": f"Bearer {client.token(client.emulator.graph_url)}"},
    ).status_code == 405  # fmt: skip


# --- the request ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("patch", "status", "words"),
    [
        (None, 400, "request body must be an object"),
        ({"signInIdentity": None}, 400, "signInIdentity must be an object"),
        ({"signInIdentity": {"@odata.type": "#microsoft.graph.servicePrincipalSignIn"}}, 400, "not supported here"),
        ({"signInContext": {"@odata.type": "#microsoft.graph.userActionContext"}}, 400, "not supported here"),
        ({"signInIdentity": {"@odata.type": "#microsoft.graph.userSignIn", "userId": 5}}, 404, "does not exist"),
        ({"signInConditions": {"clientAppType": "smtp"}}, 400, "'smtp' is no value of clientAppType"),
        ({"signInConditions": {"ipAddress": "203.0.113.0/24"}}, 400, "is no IP address"),
        ({"signInConditions": {"weather": "rain"}}, 400, "'weather' does not exist"),
        ({"signInConditions": {"country": 41}}, 400, "country must be a text"),
        ({"signInConditions": {"deviceInfo": "none"}}, 400, "deviceInfo must be an object"),
        ({"signInConditions": {"authenticationFlow": {"transferMethod": "fax"}}}, 400, "no such transferMethod"),
        ({"appliedPoliciesOnly": "yes"}, 400, "appliedPoliciesOnly"),
        ({"when": "now"}, 400, "'when' does not exist"),
    ],
)
def test_a_request_of_another_form_is_refused(tenant, patch, status, words):
    with pytest.raises(GraphError) as caught:
        what_if.evaluate(Directory(tenant), None if patch is None else request() | patch)
    assert caught.value.status == status
    assert words in caught.value.message


def test_an_app_of_the_suite_is_asked_for_by_its_id(tenant):
    """The suite's name as input matches nothing but policies for all resources (Microsoft's page on the tool)."""
    suite = {"applications": {"includeApplications": ["Office365"]}}
    assert verdict(tenant, suite, apps=["Office365"]) == "application"
    assert verdict(tenant, suite, apps=[EXCHANGE]) == APPLIES
    assert verdict(tenant, {}, apps=["Office365"]) == APPLIES


def test_a_tenant_without_policies_answers_none(tenant):
    tenant.graph["conditionalAccessPolicies"] = []
    assert what_if.evaluate(Directory(tenant), request()) == []


# --- which policies -------------------------------------------------------------------------------------------------


def test_only_enabled_and_report_only_policies_are_evaluated(tenant):
    policy = tenant.graph["conditionalAccessPolicies"][0]
    states = ("enabled", "disabled", "enabledForReportingButNotEnforced")
    tenant.graph["conditionalAccessPolicies"] = [
        policy | {"id": guid(700 + number), "state": state} for number, state in enumerate(states)
    ]
    assert [result["state"] for result in what_if.evaluate(Directory(tenant), request())] == [states[0], states[2]]


def test_only_those_that_apply_where_only_those_are_wanted(tenant):
    [first, second] = tenant.graph["conditionalAccessPolicies"]
    second["conditions"]["clientAppTypes"] = ["browser"]
    results = what_if.evaluate(Directory(tenant), request(only=True))
    assert [result["id"] for result in results] == [first["id"]]
    assert len(what_if.evaluate(Directory(tenant), request(only=False))) == 2


def test_the_switch_turns_one_answer_around_and_no_other(tenant):
    [first, second] = tenant.graph["conditionalAccessPolicies"]
    second["conditions"]["clientAppTypes"] = ["browser"]
    before = [result["policyApplies"] for result in what_if.evaluate(Directory(tenant), request())]
    tenant.what_if_disagrees = {first["id"]}
    after = what_if.evaluate(Directory(tenant), request())
    assert before == [True, False]
    assert [result["policyApplies"] for result in after] == [False, False]
    assert after[0]["analysisReasons"] == "users"
    tenant.what_if_disagrees = {second["id"]}
    assert [result["analysisReasons"] for result in what_if.evaluate(Directory(tenant), request())] == ["notSet"] * 2


# --- one condition at a time ----------------------------------------------------------------------------------------


def verdict(tenant, patch, user=FIRST, apps=(EXCHANGE,), **given):
    """The reason for a policy for everybody and everything, with some conditions replaced."""
    policy = copy.copy(tenant.graph["conditionalAccessPolicies"][0])
    policy["conditions"] = {
        "clientAppTypes": ["all"],
        "applications": {"includeApplications": ["All"]},
        "users": {"includeUsers": ["All"]},
    } | patch
    tenant.graph["conditionalAccessPolicies"] = [policy]
    [result] = what_if.evaluate(Directory(tenant), request(user, apps=apps, **given))
    assert result["policyApplies"] is (result["analysisReasons"] == "notSet")
    return result["analysisReasons"]


APPLIES, TOO_LITTLE = "notSet", "notEnoughInformation"


@pytest.mark.parametrize(
    ("users", "reason"),
    [
        ({"includeUsers": ["All"]}, APPLIES),
        ({"includeUsers": ["None"]}, "users"),
        ({"includeUsers": []}, "users"),
        ({"includeUsers": [guid(1).upper()]}, APPLIES),
        ({"includeUsers": ["All"], "excludeUsers": [guid(1)]}, "users"),
        ({"includeUsers": ["GuestsOrExternalUsers"]}, "users"),
        ({"includeGroups": [guid(502)]}, APPLIES),  # 502 → 500 → user 1, and a cycle
        ({"includeUsers": ["All"], "excludeGroups": [guid(501)]}, "users"),
        ({"includeGroups": [guid(503)]}, "users"),
        ({"includeGroups": [guid(599)]}, "users"),
        ({"includeRoles": [guid(820)]}, APPLIES),
        ({"includeUsers": ["All"], "excludeRoles": [guid(820).upper()]}, "users"),
        ({"includeRoles": [guid(821)]}, "users"),
    ],
)
def test_users_groups_and_roles(tenant, users, reason):
    assert verdict(tenant, {"users": users}) == reason


def test_a_role_held_through_a_group_counts_a_scoped_or_custom_one_does_not(tenant):
    roles = {"users": {"includeRoles": [guid(820)]}}
    assert verdict(tenant, roles, user=guid(3)) == APPLIES  # 500 holds it, 3 is in 502 in 501 in 500
    assert verdict(tenant, roles, user=guid(6)) == "users"
    for assignment in tenant.graph["roleAssignments"]:
        assignment["directoryScopeId"] = "/administrativeUnits/x"
    assert verdict(tenant, roles) == "users"
    for assignment in tenant.graph["roleAssignments"]:
        assignment["directoryScopeId"] = "/"
    tenant.graph["roleDefinitions"][0]["isBuiltIn"] = False
    assert verdict(tenant, roles) == "users"


GUEST = {"userType": "Guest", "creationType": "Invitation"}
HOME = "00000000-0000-4000-8000-00000000feed"


@pytest.mark.parametrize(
    ("user", "kinds", "named"),
    [
        (GUEST, "b2bCollaborationGuest", True),
        (GUEST, "internalGuest, b2bCollaborationMember", False),
        ({"userType": "Guest"}, "internalGuest", True),
        ({"creationType": "Invitation"}, "internalGuest,b2bCollaborationMember", True),
        ({"externalUserState": "Accepted"}, "b2bCollaborationMember", True),
        ({"userPrincipalName": "x_y.example#EXT#@contoso.example"}, "b2bCollaborationMember", True),
        ({}, "internalGuest,b2bCollaborationGuest,b2bCollaborationMember,otherExternalUser", False),
        (GUEST, "none", False),
    ],
)
def test_guest_kinds(tenant, user, kinds, named):
    tenant.graph["users"][0] |= user
    guests = {"guestOrExternalUserTypes": kinds, "externalTenants": {"membershipKind": "all"}}
    included = {"users": {"includeGuestsOrExternalUsers": guests}}
    excluded = {"users": {"includeUsers": ["All"], "excludeGuestsOrExternalUsers": guests}}
    assert verdict(tenant, included) == (APPLIES if named else "users")
    assert verdict(tenant, excluded) == ("users" if named else APPLIES)
    assert verdict(tenant, {"users": {"includeUsers": ["GuestsOrExternalUsers"]}}) == (APPLIES if user else "users")


@pytest.mark.parametrize(
    ("home", "reason"), [("", TOO_LITTLE), (HOME.upper(), APPLIES), ("00000000-0000-4000-8000-00000000dead", "users")]
)
def test_a_guest_of_some_tenants(tenant, home, reason):
    tenant.graph["users"][0] |= GUEST
    some = {"membershipKind": "enumerated", "members": [HOME]}
    guests = {"guestOrExternalUserTypes": "b2bCollaborationGuest,internalGuest", "externalTenants": some}
    patch = {"users": {"includeGuestsOrExternalUsers": guests}}
    assert verdict(tenant, patch, identity={"externalTenantId": home}) == reason
    tenant.graph["users"][0]["creationType"] = None
    assert verdict(tenant, patch, identity={"externalTenantId": home}) == APPLIES  # at home here


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ({"includeApplications": ["Office365"]}, APPLIES),
        ({"includeApplications": [EXCHANGE.upper()]}, APPLIES),
        ({"includeApplications": [SHAREPOINT]}, "application"),
        ({"includeApplications": ["None"]}, "application"),
        ({"includeApplications": ["All"], "excludeApplications": [EXCHANGE]}, "application"),
        ({"includeApplications": ["All"], "excludeApplications": ["Office365"]}, "application"),
        ({"includeApplications": ["All"], "excludeApplications": [SHAREPOINT]}, APPLIES),
        ({"includeUserActions": ["urn:user:registersecurityinfo"]}, "userActions"),
        ({"includeAuthenticationContextClassReferences": ["c1"]}, "authenticationContext"),
        ({"applicationFilter": {"mode": "include", "rule": 'CustomSecurityAttribute.Demo_Tier -eq "1"'}}, APPLIES),
        ({"applicationFilter": {"mode": "include", "rule": 'CustomSecurityAttribute.Demo_Tier -eq "2"'}},
         "application"),
        ({"includeApplications": ["All"],
          "applicationFilter": {"mode": "exclude", "rule": 'CustomSecurityAttribute.Demo_Tier -eq "1"'}},
         "application"),
        ({"applicationFilter": {"mode": "include", "rule": "what is this"}}, "invalidCondition"),
    ],
)  # fmt: skip
def test_target_resources(tenant, target, reason):
    tenant.graph["servicePrincipals"][0]["customSecurityAttributes"] = {"Demo": {"Tier": "1"}}
    assert verdict(tenant, {"applications": target}) == reason


PLATFORM = {"platforms": {"includePlatforms": ["windows"], "excludePlatforms": []}}
BUT_WINDOWS = {"platforms": {"includePlatforms": ["all"], "excludePlatforms": ["windows"]}}
DEVICE = {"devices": {"deviceFilter": {"mode": "include", "rule": "device.isCompliant -eq True"}}}
OTHER_DEVICE = {"devices": {"deviceFilter": {"mode": "exclude", "rule": "device.isCompliant -eq True"}}}


@pytest.mark.parametrize(
    ("condition", "given", "reason"),
    [
        ({"clientAppTypes": []}, {}, APPLIES),
        ({"clientAppTypes": ["exchangeActiveSync", "other"]}, {}, APPLIES),
        ({"clientAppTypes": ["exchangeActiveSync"]}, {}, "clientApps"),
        ({"clientAppTypes": ["other"]}, {"clientAppType": None}, TOO_LITTLE),
        (PLATFORM, {}, APPLIES),
        (PLATFORM, {"devicePlatform": "linux"}, "devicePlatform"),
        (PLATFORM, {"devicePlatform": None}, TOO_LITTLE),
        (BUT_WINDOWS, {}, "devicePlatform"),
        (BUT_WINDOWS, {"devicePlatform": None}, TOO_LITTLE),
        (DEVICE, {}, "devices"),
        (DEVICE, {"deviceInfo": {"isCompliant": True}}, APPLIES),
        (DEVICE, {"deviceInfo": None}, TOO_LITTLE),
        (OTHER_DEVICE, {}, APPLIES),
        (OTHER_DEVICE, {"deviceInfo": {"isCompliant": True}}, "devices"),
        ({"devices": {"deviceFilter": {"mode": "include", "rule": "?"}}}, {}, "invalidCondition"),
        ({"signInRiskLevels": ["high", "medium"]}, {}, "signInRisk"),
        ({"signInRiskLevels": ["high", "medium"]}, {"signInRiskLevel": "medium"}, APPLIES),
        ({"signInRiskLevels": ["high"]}, {"signInRiskLevel": None}, TOO_LITTLE),
        ({"userRiskLevels": ["high"]}, {}, "userRisk"),
        ({"userRiskLevels": ["none"]}, {}, APPLIES),
        ({"insiderRiskLevels": "moderate, elevated"}, {}, "insiderRisk"),
        ({"insiderRiskLevels": "moderate, elevated"}, {"insiderRiskLevel": "elevated"}, APPLIES),
        ({"authenticationFlows": {"transferMethods": "deviceCodeFlow"}}, {}, "authenticationFlow"),
        ({"authenticationFlows": {"transferMethods": "deviceCodeFlow,authenticationTransfer"}},
         {"authenticationFlow": {"transferMethod": "deviceCodeFlow"}}, APPLIES),
        ({"authenticationFlows": {"transferMethods": "deviceCodeFlow"}}, {"authenticationFlow": None}, TOO_LITTLE),
        ({"authenticationFlows": {"transferMethods": "none"}}, {}, APPLIES),
        ({"times": {"allDay": True}}, {}, TOO_LITTLE),
        ({"verifiedIdRiskLevels": ["high"]}, {}, TOO_LITTLE),
        ({"clientApplications": {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]}}, {},
         "workloadIdentities"),
        ({"times": {"allDay": True}, "clientAppTypes": ["browser"]}, {}, "clientApps"),
        ({"userRiskLevels": ["high"], "users": {"includeUsers": []}}, {}, "users"),
    ],
)  # fmt: skip
def test_client_device_risk_and_flow(tenant, condition, given, reason):
    assert verdict(tenant, condition, **given) == reason


LAB = {"@odata.type": "#microsoft.graph.ipNamedLocation", "id": guid(801), "displayName": "Lab", "isTrusted": False,
       "ipRanges": [{"cidrAddress": "198.51.100.0/25"}, {"cidrAddress": "2001:db8::/48"},
                    {"lowerAddress": "192.0.2.8", "upperAddress": "192.0.2.9"}]}  # fmt: skip
HOMELAND = {"@odata.type": "#microsoft.graph.countryNamedLocation", "id": guid(802), "displayName": "Home",
            "countriesAndRegions": ["CH", "AT"]}  # fmt: skip
UNSEEN = {"@odata.type": "#microsoft.graph.compliantNetworkNamedLocation", "id": guid(803), "displayName": "Network"}


@pytest.mark.parametrize(
    ("include", "exclude", "given", "reason"),
    [
        (["All"], [], {"ipAddress": None}, APPLIES),
        (["All"], ["AllTrusted"], {}, "location"),
        (["All"], ["AllTrusted"], {"ipAddress": "198.51.100.1"}, APPLIES),
        (["All"], ["AllTrusted"], {"ipAddress": None}, TOO_LITTLE),
        (["AllTrusted"], [], {}, APPLIES),
        ([guid(801)], [], {"ipAddress": "2001:db8::5"}, APPLIES),
        ([guid(801).upper()], [], {"ipAddress": "192.0.2.9"}, APPLIES),
        ([guid(801)], [], {"ipAddress": "192.0.2.10"}, "location"),
        (["All"], [guid(802)], {}, "location"),
        (["All"], [guid(802)], {"country": "fr"}, APPLIES),
        (["All"], [guid(802)], {"country": None}, TOO_LITTLE),
        (["All"], [guid(802), guid(800)], {"country": None}, "location"),
        ([guid(803)], [], {}, TOO_LITTLE),
        ([guid(899)], [], {}, "location"),
    ],
)
def test_locations(tenant, include, exclude, given, reason):
    tenant.graph["namedLocations"] += [LAB, HOMELAND, UNSEEN]
    condition = {"locations": {"includeLocations": include, "excludeLocations": exclude}}
    assert verdict(tenant, condition, **given) == reason
