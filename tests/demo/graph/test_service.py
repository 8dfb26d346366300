from __future__ import annotations

from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from auditor.demo.graph import routes

EVENTUAL = {"ConsistencyLevel": "eventual"}
SECURITY_DEFAULTS = "/policies/identitySecurityDefaultsEnforcementPolicy"
REGISTRATIONS = "/reports/authenticationMethods/userRegistrationDetails"
CAST = "/transitiveMembers/microsoft.graph.user"
EXCHANGE_ID = "00000002-0000-0ff1-ce00-000000000000"


def guid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def refused(response, status, code, text=""):
    """Graph's error body; its ids are those of the headers."""
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (status, code), response.text
    assert text in error["message"]
    inner = error["innerError"]
    assert datetime.fromisoformat(inner["date"]).isoformat() == "2026-11-23T16:00:00"
    assert inner["request-id"] == response.headers["request-id"] != ""
    assert inner["client-request-id"] == response.headers["client-request-id"]


# --- sign-in -------------------------------------------------------------------------------------------------------


def raw(client, token, path="/organization"):
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return client.http.get(f"{client.emulator.graph_url}/v1.0{path}", headers=headers)


def test_a_call_without_a_token_is_refused_even_where_nothing_is(client):
    for path in ("/organization", "/nothing"):
        response = raw(client, None, path)
        refused(response, 401, "InvalidAuthenticationToken", "empty")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_token_for_exchange_does_not_open_graph(client):
    refused(raw(client, client.token(client.emulator.exchange_url)), 401, "InvalidAuthenticationToken", "audience")


def test_an_expired_or_altered_token_is_refused(client):
    tokens, url = client.emulator.tokens, client.emulator.graph_url
    expired = tokens.issue(url, "app", "object", {"Organization.Read.All"}, claims={"exp": 1})
    refused(raw(client, expired), 401, "InvalidAuthenticationToken", "expired")
    head, payload, signature = client.token(url).split(".")
    flipped = payload[:-2] + ("A" if payload[-2] != "A" else "B") + payload[-1]
    refused(raw(client, f"{head}.{flipped}.{signature}"), 401, "InvalidAuthenticationToken")


def test_a_client_request_id_comes_back(client):
    response = client.graph("/organization", client_request_id="abc")
    assert response.headers["client-request-id"] == "abc"
    refused(client.graph("/nothing", client_request_id="abc"), 400, "BadRequest", "segment 'nothing'")
    odd = client.graph("/organization", client_request_id="x" * 200)
    assert odd.headers["client-request-id"] == odd.headers["request-id"]


# --- permissions ---------------------------------------------------------------------------------------------------

PATHS = {
    "Organization.Read.All": ["/subscribedSkus"],
    "Domain.Read.All": ["/domains"],
    "User.Read.All": ["/users", f"/users/{guid(1)}", f"/users/{guid(1)}/licenseDetails"],
    "GroupMember.Read.All": [f"/groups/{guid(500)}", f"/groups/{guid(500)}/transitiveMembers", "/groups"],
    "RoleManagement.Read.Directory": [
        "/roleManagement/directory/roleAssignments", "/roleManagement/directory/roleDefinitions",
    ],
    "Application.Read.All": [
        "/servicePrincipals", f"/servicePrincipals(appId='{EXCHANGE_ID}')", f"/servicePrincipals/{guid(900)}",
        f"/servicePrincipals/{guid(900)}/appRoleAssignedTo", f"/servicePrincipals/{guid(901)}/appRoleAssignments",
    ],
    "DelegatedPermissionGrant.Read.All": ["/oauth2PermissionGrants"],
    "UserAuthenticationMethod.Read.All": [f"/users/{guid(1)}/authentication/methods"],
    "Policy.Read.All": [
        SECURITY_DEFAULTS, "/policies/authenticationMethodsPolicy", "/policies/authenticationStrengthPolicies",
        "/identity/conditionalAccess/policies", "/identity/conditionalAccess/namedLocations",
        f"/beta/users/{guid(1)}/authentication/requirements",
    ],
    "AuditLog.Read.All": ["/auditLogs/signIns", "/auditLogs/directoryAudits", REGISTRATIONS],
    "ConfigurationMonitoring.Read.All": [
        "/admin/configurationManagement/configurationSnapshotJobs",
        f"/admin/configurationManagement/configurationSnapshots/{guid(710)}",
        f"/beta/admin/configurationManagement/configurationSnapshots('{guid(710)}')",
    ],
    "Reports.Read.All": [
        "/reports/getEmailAppUsageUserDetail(period='D180')",
        "/beta/reports/getMailboxUsageDetail(period='D7')?$format=application/json",
    ],
}  # fmt: skip
CODES = {
    "ConfigurationMonitoring.Read.All": ("AccessDenied", "required scopes are missing in the token"),
    "Policy.Read.All": ("AccessDenied", "required scopes are missing in the token"),
    "AuditLog.Read.All": ("Authentication_MSGraphPermissionMissing", "AuditLog.Read.All"),
    "Reports.Read.All": ("Authentication_MSGraphPermissionMissing", "Reports.Read.All"),
}


@pytest.mark.parametrize("permission", PATHS)
def test_without_its_permission_a_path_is_refused_in_the_words_of_its_service(serve, tenant, permission):
    tenant.app.graph_roles -= {permission}
    client = serve(tenant)
    code, text = CODES.get(permission, ("Authorization_RequestDenied", "Insufficient privileges"))
    for path in PATHS[permission]:
        refused(client.graph(path), 403, code, text)


@pytest.mark.parametrize("permission", PATHS)
def test_its_permission_alone_opens_a_path(serve, tenant, permission):
    tenant.app.graph_roles = {permission}
    client = serve(tenant)
    for path in PATHS[permission]:
        assert client.graph(path).status_code in (200, 302), path


def test_every_path_has_its_permission_tested():
    untested = {route.pattern for route in routes.ROUTES} - {
        found[0].pattern
        for paths in PATHS.values()
        for path in paths
        if (found := routes.find(path.removeprefix("/beta").split("?")[0], "beta"))
    }
    assert untested == {
        "/organization",  # opened by two of the permissions above, tested below
        "/identity/conditionalAccess/evaluate",  # an action, tested in test_what_if.py
        # the forms of members, each behind the same permission
        "/groups/{id}/members", "/groups/{id}/members/microsoft.graph.user",
        "/groups/{id}/members/microsoft.graph.group",
        "/groups/{id}/transitiveMembers/microsoft.graph.user", "/groups/{id}/transitiveMembers/microsoft.graph.group",
    }  # fmt: skip


@pytest.mark.parametrize("permission", ["Organization.Read.All", "User.Read.All", "Directory.Read.All"])
def test_either_permission_opens_the_organization(serve, tenant, permission):
    tenant.app.graph_roles = {permission}
    assert serve(tenant).graph("/organization").status_code == 200


def test_without_a_premium_licence_it_is_the_licence_that_is_missing(serve, tenant):
    tenant.premium = False
    client = serve(tenant)
    for path in ("/auditLogs/signIns", REGISTRATIONS):
        refused(client.graph(path), 403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "premium license")
    assert client.graph("/auditLogs/directoryAudits").status_code == 200


# --- paging --------------------------------------------------------------------------------------------------------

COLLECTIONS = {
    "/users": "users",
    "/groups": "groups",
    "/identity/conditionalAccess/policies": "conditionalAccessPolicies",
    "/roleManagement/directory/roleAssignments": "roleAssignments",
    REGISTRATIONS: "userRegistrationDetails",
    "/auditLogs/signIns": "signIns",
    "/servicePrincipals": "servicePrincipals",
}


@pytest.mark.parametrize("path", COLLECTIONS)
@pytest.mark.parametrize("size", [1, 7, 999])
def test_a_walk_gives_each_object_exactly_once(client, path, size):
    stored = client.emulator.tenant.graph[COLLECTIONS[path]]
    if size == 1 and len(stored) > 50:
        size = 49
    pages = client.walk(f"{path}?$top={size}")
    assert [len(page) for page in pages[:-1]] == [size] * (len(pages) - 1)
    assert sorted(record["id"] for page in pages for record in page) == sorted(record["id"] for record in stored)


def test_the_default_page_of_the_directory_is_a_hundred(client):
    assert [len(page) for page in client.walk("/users")] == [100, 100, 50]


def test_a_last_page_that_is_full_has_no_next(client):
    assert [len(page) for page in client.walk("/users?$top=125")] == [125, 125]


@pytest.mark.parametrize("top", ["0", "1000", "-1", "ten", "", "²", "9" * 5000])
def test_a_page_size_out_of_bounds_is_refused(client, top):
    refused(client.graph(f"/users?$top={top}"), 400, "Request_BadRequest", "page size")
    refused(client.graph(f"{REGISTRATIONS}?$top={top}"), 400, "BadRequest", "page size")


def test_sign_ins_take_a_thousand(client):
    assert client.graph("/auditLogs/signIns?$top=1000").status_code == 200
    refused(client.graph("/auditLogs/signIns?$top=1001"), 400, "BadRequest")


def test_a_path_that_does_not_page_takes_no_top(client):
    refused(client.graph("/subscribedSkus?$top=5"), 400, "Request_UnsupportedQuery", "$top")


def next_link(client, path="/users?$select=id&$top=10"):
    return client.graph(path).json()["@odata.nextLink"]


def test_a_next_link_keeps_the_query(client):
    options = dict(parse_qsl(urlsplit(next_link(client)).query))
    assert options["$select"] == "id"
    assert options["$top"] == "10"
    assert set(client.graph(next_link(client)).json()["value"][0]) == {"id"}


@pytest.mark.parametrize("change", ["altered", "foreign path", "other select", "rubbish", "of another tenant"])
def test_a_page_token_is_only_good_for_its_own_query(client, serve, tenant, change):
    link = next_link(client)
    root, query = link.split("?")
    options = dict(parse_qsl(query))
    if change == "altered":
        token = options["$skiptoken"]
        options["$skiptoken"] = token[:-3] + ("A" if token[-3] != "A" else "B") + token[-2:]
    elif change == "foreign path":
        root = root.replace("/users", "/groups")
    elif change == "other select":
        options["$select"] = "id,displayName"
    elif change == "rubbish":
        options["$skiptoken"] = "!"
    else:
        other = dict(parse_qsl(urlsplit(next_link(serve(tenant))).query))
        options["$skiptoken"] = other["$skiptoken"]
    refused(client.graph(f"{root}?{urlencode(options)}"), 400, "Directory_ExpiredPageToken")


def test_pages_of_a_filter_hold_only_what_it_lets_through(client):
    pages = client.walk("/users?$filter=accountEnabled eq false&$select=id,accountEnabled&$top=10")
    found = [user for page in pages for user in page]
    assert len(found) == 25
    assert not any(user["accountEnabled"] for user in found)


# --- select --------------------------------------------------------------------------------------------------------


def test_select_gives_only_what_was_selected(client):
    body = client.graph("/users?$select=id,assignedLicenses,passwordPolicies,userPrincipalName&$top=1").json()
    assert body["value"] == [
        {"id": guid(1), "assignedLicenses": [], "passwordPolicies": None, "userPrincipalName": "user1@contoso.example"}
    ]
    assert body["@odata.context"].endswith(
        "/v1.0/$metadata#users(id,assignedLicenses,passwordPolicies,userPrincipalName)"
    )


def test_select_ignores_letter_case_and_answers_as_declared(client):
    assert set(client.graph("/users?$select=UserPrincipalName,Id,perusermfastate&$top=1").json()["value"][0]) == {
        "userPrincipalName", "id", "perUserMfaState",
    }  # fmt: skip


def test_without_select_a_user_shows_its_default_properties(client):
    assert set(client.graph("/users?$top=1").json()["value"][0]) == {
        "businessPhones", "displayName", "givenName", "id", "jobTitle", "mail", "mobilePhone", "officeLocation",
        "preferredLanguage", "surname", "userPrincipalName",
    }  # fmt: skip


def test_an_unknown_property_fails_the_whole_request(client):
    refused(client.graph("/users?$select=id,smtpAuth"), 400, "BadRequest", "Could not find a property named 'smtpAuth'")
    refused(
        client.graph("/auditLogs/signIns?$select=id,signInEventTypes"),
        400,
        "BadRequest",
        "Could not find a property named 'signInEventTypes' on type 'microsoft.graph.signIn'",
    )


def test_the_type_of_a_polymorphic_object_stays(client):
    (location,) = client.graph("/identity/conditionalAccess/namedLocations?$select=id,isTrusted").json()["value"]
    assert location == {"@odata.type": "#microsoft.graph.ipNamedLocation", "id": guid(800), "isTrusted": True}


def test_mailbox_settings_are_not_implemented_in_a_list(client):
    refused(client.graph("/users?$select=id,mailboxSettings"), 501, "NotImplemented")


def test_sign_in_activity_needs_the_right_to_the_logs_and_a_licence(serve, tenant):
    tenant.graph["users"][0]["signInActivity"] = {"lastSignInDateTime": "2026-11-01T00:00:00Z"}
    client = serve(tenant)
    path = "/users?$select=id,signInActivity&$top=2"
    first, second = client.graph(path).json()["value"]
    assert first["signInActivity"]["lastSignInDateTime"] == "2026-11-01T00:00:00Z"
    assert set(second) == {"id"}, "never signed in: the property is absent"
    refused(client.graph("/users?$select=signInActivity&$top=501"), 400, "BadRequest", "500")
    tenant.premium = False
    for place in (path, f"/users/{guid(1)}?$select=signInActivity"):
        refused(client.graph(place), 403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant")
    tenant.app.graph_roles -= {"AuditLog.Read.All"}
    client.forget()
    refused(client.graph(path), 403, "Authentication_MSGraphPermissionMissing", "AuditLog.Read.All")


def test_mailbox_settings_of_one_user_are_exchanges_to_give(serve, tenant):
    client = serve(tenant)
    path = f"/users/{guid(1)}?$select=id,mailboxSettings"
    refused(client.graph(path), 403, "ErrorAccessDenied")
    tenant.app.graph_roles.add("MailboxSettings.Read")
    client.forget()
    assert client.graph(path).status_code == 200


def test_per_user_mfa_in_the_list(client):
    found = {user["id"]: user["perUserMfaState"]
             for page in client.walk("/users?$select=id,perUserMfaState&$top=999") for user in page}  # fmt: skip
    assert found[guid(2)] == "enforced"
    assert set(found.values()) == {"enforced", "disabled"}


def test_a_tenant_without_per_user_mfa_in_the_list(serve, tenant):
    tenant.per_user_mfa_in_list = False
    client = serve(tenant)
    refused(client.graph("/users?$select=id,perUserMfaState"), 400, "BadRequest", "'perUserMfaState'")
    found = client.graph(f"/beta/users/{guid(2)}/authentication/requirements").json()
    assert found["perUserMfaState"] == "enforced"


# --- filters and other options -------------------------------------------------------------------------------------


def test_the_sign_in_filter_of_an_audit(client):
    text = (
        "createdDateTime ge 2026-11-14T00:00:00Z and (clientAppUsed eq 'Authenticated SMTP' or clientAppUsed eq 'SMTP')"
    )
    found = client.graph(f"/auditLogs/signIns?$filter={text}").json()["value"]
    assert [entry["createdDateTime"][:10] for entry in found] == [
        "2026-11-20",
        "2026-11-19",
        "2026-11-17",
        "2026-11-16",
        "2026-11-14",
    ]
    assert {entry["clientAppUsed"] for entry in found} == {"Authenticated SMTP", "SMTP"}


def test_a_filter_by_error_code(client):
    found = client.graph("/auditLogs/signIns?$filter=status/errorCode eq 53003").json()["value"]
    assert {entry["status"]["errorCode"] for entry in found} == {53003}


def test_the_audit_filter_of_app_passwords(client):
    text = (
        "activityDateTime ge 2026-10-24T16:00:00Z and (activityDisplayName eq 'Create application password for user')"
    )
    (found,) = client.graph(f"/auditLogs/directoryAudits?$filter={text}").json()["value"]
    assert found["id"] == "audit2"


def test_a_service_principal_by_app_id(client):
    (found,) = client.graph(f"/servicePrincipals?$filter=appId eq '{EXCHANGE_ID}'").json()["value"]
    assert found["id"] == guid(900)
    single = client.graph(f"/servicePrincipals(appId='{EXCHANGE_ID}')?$select=id").json()
    assert single["id"] == guid(900)
    refused(client.graph(f"/servicePrincipals(appId='{guid(1)}')"), 404, "Request_ResourceNotFound", guid(1))


@pytest.mark.parametrize(
    "option",
    ["$filter=startswith(displayName,'a')", "$filter=proxyAddresses eq 'x'", "$filter=displayName ne 'x'",
     "$orderby=displayName", "$search=\"x\"", "$expand=manager", "$skip=5", "$unknown=1", "$filter="],
)  # fmt: skip
def test_what_is_not_supported_is_refused(client, option):
    refused(client.graph(f"/users?{option}"), 400, "Request_UnsupportedQuery")
    refused(client.graph(f"/auditLogs/signIns?{option}"), 400, "BadRequest")


def test_a_filter_on_an_unknown_property_or_a_wrong_type_is_refused(client):
    refused(client.graph("/users?$filter=smtp eq 1"), 400, "BadRequest", "'smtp'")
    refused(client.graph("/users?$filter=displayName eq 1"), 400, "Request_UnsupportedQuery", "incompatible")


# --- groups --------------------------------------------------------------------------------------------------------


def members(client, group, path=CAST, options="$select=id&$top=2&$count=true"):
    return [
        member["id"] for page in client.walk(f"/groups/{guid(group)}{path}?{options}", **EVENTUAL) for member in page
    ]


def test_transitive_members_are_found_at_any_depth_once_even_in_a_circle(client):
    assert sorted(members(client, 500)) == [guid(1), guid(2), guid(3), guid(4)]
    assert sorted(members(client, 502)) == [guid(1), guid(2), guid(3), guid(4)]


def test_the_count_comes_with_the_first_page(client):
    link = f"/groups/{guid(500)}{CAST}?$select=id&$top=2&$count=true"
    first = client.graph(link, **EVENTUAL).json()
    assert first["@odata.count"] == 4
    assert "@odata.count" not in client.graph(first["@odata.nextLink"], **EVENTUAL).json()


def test_groups_and_mixed_members(client):
    assert members(client, 500, "/transitiveMembers/microsoft.graph.group") == [guid(501), guid(502)]
    mixed = client.graph(f"/groups/{guid(500)}/transitiveMembers").json()["value"]
    kinds = [(member["@odata.type"].rsplit(".", 1)[1], member["id"]) for member in mixed]
    assert kinds == [
        ("group", guid(501)), ("user", guid(1)), ("group", guid(502)), ("user", guid(2)), ("user", guid(3)),
        ("user", guid(4)),
    ]  # fmt: skip


def test_direct_members(client):
    assert members(client, 500, "/members/microsoft.graph.user") == [guid(1)]
    assert [member["id"] for member in client.graph(f"/groups/{guid(500)}/members").json()["value"]] == [
        guid(501), guid(1),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("count", "headers"), [("", EVENTUAL), ("&$count=true", {}), ("", {}), ("&$count=false", EVENTUAL)]
)
def test_a_cast_needs_the_header_and_the_count(client, count, headers):
    response = client.graph(f"/groups/{guid(500)}{CAST}?$select=id{count}", **headers)
    refused(response, 400, "Request_UnsupportedQuery", "ConsistencyLevel")


def test_hidden_membership_shows_nobody_without_its_own_permission(serve, tenant):
    client = serve(tenant)
    assert client.graph(f"/groups/{guid(503)}?$select=visibility").json()["visibility"] == "HiddenMembership"
    assert members(client, 503) == []
    tenant.app.graph_roles.add("Member.Read.Hidden")
    client.forget()
    assert members(client, 503) == [guid(5)]


def test_a_group_that_is_gone_is_not_found(client):
    for path in ("", CAST + "?$count=true"):
        refused(client.graph(f"/groups/{guid(12345)}{path}", **EVENTUAL), 404, "Request_ResourceNotFound", guid(12345))


# --- single objects ------------------------------------------------------------------------------------------------


def test_a_user_by_id_and_by_name(client):
    for key in (guid(2), guid(2).upper(), "user2@contoso.example", "USER2%40contoso.example"):
        assert client.graph(f"/users/{key}?$select=id").json()["id"] == guid(2)
    refused(client.graph("/users/nobody"), 404, "Request_ResourceNotFound", "nobody")
    refused(client.graph("/users/o'brien@contoso.example"), 404, "Request_ResourceNotFound", "o'brien")
    refused(client.graph("/users/nobody/authentication/methods"), 404, "Request_ResourceNotFound")


def test_a_changed_membership_shows_at_once(serve, tenant):
    client = serve(tenant)
    assert members(client, 501) == [guid(1), guid(2), guid(3), guid(4)]
    tenant.group_members[guid(502)] = [guid(500), guid(3), guid(6), guid(999999)]
    assert members(client, 501) == [guid(1), guid(2), guid(3), guid(6)]
    tenant.graph["users"] = [{**user, "displayName": "new"} for user in tenant.graph["users"]]
    assert client.graph(f"/users/{guid(1)}").json()["displayName"] == "new"


def test_objects_added_later_are_found(serve, tenant):
    client = serve(tenant)
    assert client.graph(f"/users/{guid(777)}").status_code == 404
    tenant.graph["users"].append({"id": guid(777), "userPrincipalName": "late@contoso.example"})
    assert client.graph("/users/late@contoso.example").status_code == 200


def test_every_account_has_a_password_method(client):
    (method,) = client.graph(f"/users/{guid(1)}/authentication/methods").json()["value"]
    assert method["@odata.type"] == "#microsoft.graph.passwordAuthenticationMethod"
    assert method["createdDateTime"] == "2025-01-01T00:00:00Z"


def test_registered_methods_are_shown(serve, tenant):
    phone = {"@odata.type": "#microsoft.graph.phoneAuthenticationMethod", "id": "p", "phoneNumber": "+41 790000000"}
    tenant.methods[guid(1)] = [phone]
    assert serve(tenant).graph(f"/users/{guid(1)}/authentication/methods").json()["value"] == [phone]


def test_requirements_are_beta_only(client):
    path = f"/users/{guid(2)}/authentication/requirements"
    assert client.graph(f"/beta{path}").json()["perUserMfaState"] == "enforced"
    refused(client.graph(path), 400, "BadRequest", "requirements")


def test_assignments_of_both_sides(client):
    given = client.graph(f"/servicePrincipals/{guid(900)}/appRoleAssignedTo").json()["value"]
    held = client.graph(f"/servicePrincipals/{guid(901)}/appRoleAssignments").json()["value"]
    assert ([entry["id"] for entry in given], [entry["id"] for entry in held]) == (["a1"], ["a1", "a2"])
    refused(client.graph(f"/servicePrincipals/{guid(1)}/appRoleAssignedTo"), 404, "Request_ResourceNotFound")


def test_a_singleton_that_the_tenant_lacks_is_not_found(serve, tenant):
    del tenant.graph["identitySecurityDefaultsEnforcementPolicy"]
    refused(serve(tenant).graph(SECURITY_DEFAULTS), 404, "Request_ResourceNotFound")


# --- what a token and a preference show ----------------------------------------------------------------------------


@pytest.mark.parametrize("select", ["", "?$select=id,appliedConditionalAccessPolicies"])
def test_what_conditional_access_did_is_left_out_without_the_right_to_policies(serve, tenant, select):
    client = serve(tenant)
    assert "appliedConditionalAccessPolicies" in client.graph(f"/auditLogs/signIns{select}").json()["value"][0]
    tenant.app.graph_roles -= {"Policy.Read.All"}
    client.forget()
    assert "appliedConditionalAccessPolicies" not in client.graph(f"/auditLogs/signIns{select}").json()["value"][0]


def test_later_enum_members_are_hidden_unless_asked_for(client):
    path = "/identity/conditionalAccess/policies"
    plain = client.graph(path)
    second = plain.json()["value"][1]
    assert second["grantControls"]["builtInControls"] == ["unknownFutureValue"]
    assert second["conditions"]["platforms"]["includePlatforms"] == ["windows", "unknownFutureValue"]
    assert "Preference-Applied" not in plain.headers
    asked = client.graph(path, Prefer="include-unknown-enum-members")
    assert asked.headers["Preference-Applied"] == "include-unknown-enum-members"
    assert asked.json()["value"][1]["grantControls"]["builtInControls"] == ["riskRemediation"]
    sign_in = client.graph("/auditLogs/signIns").json()["value"][0]
    assert sign_in["appliedConditionalAccessPolicies"][0]["result"] == "unknownFutureValue"


def test_hiding_leaves_the_tenant_as_it_is(client):
    client.graph("/identity/conditionalAccess/policies")
    stored = client.emulator.tenant.graph["conditionalAccessPolicies"][1]
    assert stored["grantControls"]["builtInControls"] == ["riskRemediation"]


@pytest.mark.parametrize(
    ("path", "units"),
    [("/users", "2"), ("/users?$select=id", "1"), ("/users?$top=5", "1"), ("/users?$select=id&$top=5", "1"),
     (f"/groups/{guid(500)}/transitiveMembers?$select=id", "4"), ("/subscribedSkus", "3"), ("/domains", "1"),
     ("/auditLogs/signIns", None), ("/identity/conditionalAccess/policies", None)],
)  # fmt: skip
def test_the_directory_tells_its_resource_units(client, path, units):
    assert client.graph(path).headers.get("x-ms-resource-unit") == units


# --- the rest of the wire ------------------------------------------------------------------------------------------


def test_other_versions_methods_and_bodies_are_refused(client):
    bearer = {"Authorization": f"Bearer {client.token(client.emulator.graph_url)}"}
    root = client.emulator.graph_url
    refused(client.http.get(f"{root}/v2.0/users", headers=bearer), 400, "BadRequest", "v2.0")
    refused(client.http.delete(f"{root}/v1.0/users", headers=bearer), 405, "Request_BadRequest", "DELETE")
    refused(client.http.get(f"{root}/v1.0/$batch", headers=bearer), 405, "Request_BadRequest")
    refused(client.http.post(f"{root}/v1.0/$batch", headers=bearer, content=b"{"), 400, "BadRequest", "JSON")
    refused(client.http.get(f"{root}/", headers=bearer), 404, "BadRequest")


def test_licence_details_name_the_plans_as_the_user_has_them(serve, tenant):
    plans = [{"servicePlanId": guid(number), "servicePlanName": f"PLAN_{number}", "provisioningStatus": "Success",
              "appliesTo": "User"} for number in (31, 32)]  # fmt: skip
    tenant.graph["subscribedSkus"][0]["servicePlans"] = plans
    tenant.graph["users"][0]["assignedLicenses"] = [{"skuId": guid(1).upper(), "disabledPlans": [guid(32)]}]
    [row] = serve(tenant).graph(f"/users/{guid(1)}/licenseDetails").json()["value"]
    assert row["skuPartNumber"] == "SPE_E3"
    assert [plan["provisioningStatus"] for plan in row["servicePlans"]] == ["Success", "Disabled"]
