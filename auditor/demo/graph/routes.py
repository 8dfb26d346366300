"""Every path of the emulated Graph, one entry each: who may read it, what it supports, and where its objects are."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from auditor.demo.entra.tokens import AccessToken
from auditor.demo.graph import configuration, permissions, reports, schema, what_if
from auditor.demo.graph.call import Answer, Call, GraphError, bad_request, not_found
from auditor.demo.graph.directory import Directory, Record
from auditor.demo.graph.query import Rules

PASSWORD_METHOD = "28c10230-6103-485e-b985-444c60001490"
"""the id that every account's password method has"""

SIGN_IN_ACTIVITY_PAGE = 500


@dataclass(frozen=True)
class Reading:
    """What a route's reader gets."""

    directory: Directory
    downloads: reports.Downloads
    call: Call
    token: AccessToken
    arguments: Mapping[str, str]


Reader = Callable[[Reading], Sequence[Record] | Record | Answer]
Finisher = Callable[[Reading, Record], Record]


def _as_stored(_: Reading, record: Record) -> Record:
    return record


@dataclass(frozen=True)
class Route:
    """`read` gives a sequence (a collection), a mapping (a single object) or an answer of its own;
    `finish` makes each record of a page what this caller may see.

    `cost`: the directory's resource units before `$select` and `$top`, None for services that count otherwise.
    `advanced`: needs `ConsistencyLevel: eventual` and `$count=true`. `method`: the only one allowed."""

    pattern: str
    accepted: tuple[str, ...]
    rules: Rules
    read: Reader
    context: str
    cost: int | None = 1
    premium: bool = False
    advanced: bool = False
    beta_only: bool = False
    finish: Finisher = _as_stored
    method: str = "GET"

    @cached_property
    def expression(self) -> re.Pattern[str]:
        parts = re.split(r"('?)\{(\w+)\}", self.pattern)  # literal, quote, name, literal, …
        text = re.escape(parts[0])
        for quote, name, literal in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            text += f"{quote}(?P<{name}>[^/{quote}]+){re.escape(literal)}"
        return re.compile(text)


def find(path: str, version: str) -> tuple[Route, Mapping[str, str]] | None:
    for route in ROUTES:
        match = route.expression.fullmatch(path)
        if match and (version == "beta" or not route.beta_only):
            return route, match.groupdict()
    return None


def _all(dataset: str) -> Reader:
    return lambda reading: reading.directory.records(dataset)


def _singleton(dataset: str) -> Reader:
    def read(reading: Reading) -> Record:
        stored = reading.directory.records(dataset)
        if not stored:
            raise not_found(dataset)
        return stored[0]

    return read


def _users(reading: Reading) -> Sequence[Record]:
    if "mailboxsettings" in _selected(reading):
        raise GraphError(501, "NotImplemented", "The property 'mailboxSettings' cannot be read in a list of users.")
    if "signinactivity" in _selected(reading):
        _require_sign_in_activity(reading)
        if int(reading.call.query.get("$top", "0")) > SIGN_IN_ACTIVITY_PAGE:
            raise bad_request(f"With signInActivity a page holds at most {SIGN_IN_ACTIVITY_PAGE} users.")
    return reading.directory.records("users")


def _selected(reading: Reading) -> set[str]:
    return {name.strip() for name in reading.call.query.get("$select", "").lower().split(",")}


def _require_sign_in_activity(reading: Reading) -> None:
    """The property needs the right to the logs and a premium licence, beside those to the user."""
    permissions.require(reading.token, permissions.AUDIT, "reporting")
    permissions.require_premium(reading.directory.tenant.premium)


def _with_mfa_state(reading: Reading, user: Record) -> Record:
    if "perUserMfaState" in user:
        return user
    return {**user, "perUserMfaState": reading.directory.tenant.per_user_mfa.get(user["id"], "disabled")}


def _user(reading: Reading) -> Record:
    found = reading.directory.user(reading.arguments["id"])
    if found is None:
        raise not_found(reading.arguments["id"])
    if "mailboxsettings" in _selected(reading):
        permissions.require_mailbox_settings(reading.token)
    if "signinactivity" in _selected(reading):
        _require_sign_in_activity(reading)
    return _with_mfa_state(reading, found)


def _methods(reading: Reading) -> Sequence[Record]:
    user = _user(reading)
    password = {
        "@odata.type": "#microsoft.graph.passwordAuthenticationMethod",
        "id": PASSWORD_METHOD,
        "password": None,
        "createdDateTime": user.get("lastPasswordChangeDateTime"),
    }
    return reading.directory.tenant.methods.get(user["id"]) or [password]


def _licence_details(reading: Reading) -> Sequence[Record]:
    """One row per assigned product, with its plans as the user has them."""
    user = _user(reading)
    stored = user.get("assignedLicenses") or []
    assigned = msgspec.json.decode(stored) if isinstance(stored, msgspec.Raw) else stored
    return [_details(reading, user["id"], licence) for licence in assigned]


def _details(reading: Reading, user_id: str, licence: Record) -> Record:
    sku = reading.directory.find("subscribedSkus", licence["skuId"], "skuId") or {}
    off = set(licence["disabledPlans"])
    plans = [
        plan | {"provisioningStatus": "Disabled"} if plan["servicePlanId"] in off else plan
        for plan in sku.get("servicePlans", ())
    ]
    identity = hashlib.sha256(f"{user_id}\n{licence['skuId']}".encode()).digest()
    return {
        "id": base64.urlsafe_b64encode(identity).decode().rstrip("="),
        "skuId": licence["skuId"],
        "skuPartNumber": sku.get("skuPartNumber"),
        "servicePlans": plans,
    }


def _requirements(reading: Reading) -> Record:
    return {"perUserMfaState": _user(reading)["perUserMfaState"]}


def _group(reading: Reading) -> Record:
    found = reading.directory.group(reading.arguments["id"])
    if found is None:
        raise not_found(reading.arguments["id"])
    return found


def _members(transitive: bool, kind: str = "") -> Reader:
    def read(reading: Reading) -> Sequence[Record]:
        group = _group(reading)
        hidden = str(group.get("visibility", "")).lower() == "hiddenmembership"
        if hidden and permissions.HIDDEN_MEMBERS not in reading.token.roles:
            return []
        only_ids = _selected(reading) == {"id"}
        return reading.directory.members(group["id"], transitive=transitive, kind=kind, only_ids=only_ids)

    return read


def _sign_ins(reading: Reading) -> Sequence[Record]:
    """Newest first."""
    return sorted(reading.directory.records("signIns"), key=lambda entry: entry["createdDateTime"], reverse=True)


def _without_policies(reading: Reading, entry: Record) -> Record:
    """What Conditional Access did is left out for an app that may not read policies."""
    if not reading.token.roles.isdisjoint(permissions.CONDITIONAL_ACCESS_DETAIL):
        return entry
    return {name: value for name, value in entry.items() if name != "appliedConditionalAccessPolicies"}


def _audits(reading: Reading) -> Sequence[Record]:
    return sorted(
        reading.directory.records("directoryAudits"), key=lambda entry: entry["activityDateTime"], reverse=True
    )


def _what_if(reading: Reading) -> Sequence[Record]:
    return what_if.evaluate(reading.directory, reading.call.body)


def _snapshot_jobs(reading: Reading) -> Sequence[Record]:
    return configuration.jobs(reading.directory.tenant)


def _snapshot(reading: Reading) -> Record:
    return configuration.snapshot(reading.directory.tenant, reading.arguments["id"])


def _service_principal(by: str) -> Reader:
    def read(reading: Reading) -> Record:
        key = reading.arguments["id"]
        found = reading.directory.find("servicePrincipals", key, by)
        if found is None:
            raise not_found(key)
        return found

    return read


def _assignments(side: str) -> Reader:
    """`resourceId`: what others were given on this app (appRoleAssignedTo); `principalId`: what this app was given."""

    def read(reading: Reading) -> Sequence[Record]:
        key = reading.arguments["id"].lower()
        if reading.directory.find("servicePrincipals", key) is None:
            raise not_found(key)
        return [entry for entry in reading.directory.records("appRoleAssignments") if str(entry[side]).lower() == key]

    return read


def _report(name: str) -> Reader:
    def read(reading: Reading) -> Sequence[Record] | Answer:
        period = reading.arguments["period"]
        reports.check_period(period)
        if reading.call.version == "beta" and reading.call.query.get("$format") == "application/json":
            return reading.directory.records(reports.REPORTS[name][0])
        return Answer(302, None, {"Location": reading.downloads.address(name, period)})

    return read


def _report_row(name: str) -> Finisher:
    def finish(reading: Reading, row: Record) -> Record:
        shown = reports.shown(row, concealed=reading.directory.tenant.concealed_names)
        return reports.as_json(name, shown, reports.check_period(reading.arguments["period"]))

    return finish


def _filterable(names: str) -> frozenset[str]:
    return frozenset(names.split())


_DIRECTORY_PAGES = (100, 999)

_USERS = Rules(
    schema.USER, "directory", _DIRECTORY_PAGES,
    _filterable("id userPrincipalName mail displayName accountEnabled userType createdDateTime"),
)  # fmt: skip
_GROUPS = Rules(
    schema.GROUP, "directory", _DIRECTORY_PAGES, _filterable("id displayName securityEnabled mailEnabled mail")
)
_OBJECTS = Rules(schema.DIRECTORY_OBJECT, "directory", _DIRECTORY_PAGES, extra=schema.USER.properties)
_MEMBER_USERS = Rules(schema.USER, "directory", _DIRECTORY_PAGES)
_MEMBER_GROUPS = Rules(schema.GROUP, "directory", _DIRECTORY_PAGES)
_POLICIES = Rules(schema.CA_POLICY, "policy", _DIRECTORY_PAGES, _filterable("id displayName state"))
_WHAT_IF = Rules(schema.CA_POLICY, "policy", extra=frozenset({"policyApplies", "analysisReasons"}))
_LOCATIONS = Rules(schema.NAMED_LOCATION, "policy", _DIRECTORY_PAGES, _filterable("id displayName"))
_STRENGTHS = Rules(schema.STRENGTH, "policy", _DIRECTORY_PAGES, _filterable("id policyType"))
_ROLE_DEFINITIONS = Rules(
    schema.ROLE_DEFINITION, "directory", _DIRECTORY_PAGES, _filterable("id displayName isBuiltIn templateId")
)
_ROLE_ASSIGNMENTS = Rules(
    schema.ROLE_ASSIGNMENT, "directory", _DIRECTORY_PAGES,
    _filterable("principalId roleDefinitionId directoryScopeId"),
)  # fmt: skip
_REGISTRATIONS = Rules(
    schema.REGISTRATION, "reporting", _DIRECTORY_PAGES,
    _filterable("id userPrincipalName userType isAdmin isMfaRegistered"),
)  # fmt: skip
_SIGN_INS = Rules(
    schema.SIGN_IN, "reporting", (1000, 1000),
    _filterable("id createdDateTime clientAppUsed userId userPrincipalName appId ipAddress status/errorCode"),
)  # fmt: skip
_AUDITS = Rules(
    schema.DIRECTORY_AUDIT, "reporting", (1000, 1000),
    _filterable("id activityDateTime activityDisplayName category loggedByService result"),
)  # fmt: skip
_PRINCIPALS = Rules(
    schema.SERVICE_PRINCIPAL, "directory", _DIRECTORY_PAGES,
    _filterable("id appId displayName accountEnabled servicePrincipalType"),
)  # fmt: skip
_ASSIGNMENTS = Rules(schema.APP_ROLE_ASSIGNMENT, "directory", _DIRECTORY_PAGES)
_GRANTS = Rules(
    schema.PERMISSION_GRANT, "directory", _DIRECTORY_PAGES, _filterable("clientId consentType principalId resourceId")
)
_ONE_USER = Rules(schema.USER, "directory", extra=frozenset({"perUserMfaState"}))
_REPORTS = Rules(schema.REPORT_ROW, "usage", (200, 999), selectable=False)

_USER_CAST = "/microsoft.graph.user"
_GROUP_CAST = "/microsoft.graph.group"
_CA = "/identity/conditionalAccess"
_ROLE_MANAGEMENT = "/roleManagement/directory"
_CONFIGURATION = "/admin/configurationManagement"

ROUTES: tuple[Route, ...] = (
    Route("/organization", permissions.ORGANIZATION, Rules(schema.ORGANIZATION, "directory"), _all("organization"),
          "organization"),
    Route("/domains", permissions.DOMAINS, Rules(schema.DOMAIN, "directory", filterable=_filterable("id")),
          _all("domains"), "domains"),
    Route("/subscribedSkus", permissions.SKUS, Rules(schema.SUBSCRIBED_SKU, "directory"), _all("subscribedSkus"),
          "subscribedSkus", cost=3),
    Route("/policies/identitySecurityDefaultsEnforcementPolicy", permissions.POLICY,
          Rules(schema.SECURITY_DEFAULTS, "policy"), _singleton("identitySecurityDefaultsEnforcementPolicy"),
          "policies/identitySecurityDefaultsEnforcementPolicy/$entity", cost=None),
    Route("/policies/authenticationMethodsPolicy", permissions.METHOD_POLICIES, Rules(schema.METHODS_POLICY, "policy"),
          _singleton("authenticationMethodsPolicy"), "authenticationMethodsPolicy", cost=None),
    Route("/policies/authenticationStrengthPolicies", permissions.METHOD_POLICIES, _STRENGTHS,
          _all("authenticationStrengthPolicies"), "policies/authenticationStrengthPolicies", cost=None),
    Route(f"{_CA}/policies", permissions.POLICY, _POLICIES, _all("conditionalAccessPolicies"),
          "identity/conditionalAccess/policies", cost=None),
    Route(f"{_CA}/namedLocations", permissions.POLICY, _LOCATIONS, _all("namedLocations"),
          "identity/conditionalAccess/namedLocations", cost=None),
    Route(f"{_CA}/evaluate", permissions.WHAT_IF, _WHAT_IF, _what_if,
          "Collection(microsoft.graph.whatIfAnalysisResult)", cost=None, method="POST"),
    Route(f"{_ROLE_MANAGEMENT}/roleDefinitions", permissions.ROLES, _ROLE_DEFINITIONS, _all("roleDefinitions"),
          "roleManagement/directory/roleDefinitions"),
    Route(f"{_ROLE_MANAGEMENT}/roleAssignments", permissions.ROLES, _ROLE_ASSIGNMENTS, _all("roleAssignments"),
          "roleManagement/directory/roleAssignments"),
    Route("/users", permissions.USERS, _USERS, _users, "users", cost=2, finish=_with_mfa_state),
    Route("/users/{id}", permissions.USERS, _ONE_USER, _user, "users/$entity", cost=2),
    Route("/users/{id}/licenseDetails", permissions.USERS, Rules(schema.LICENCE_DETAILS, "directory"),
          _licence_details, "users('{id}')/licenseDetails", cost=2),
    Route("/users/{id}/authentication/methods", permissions.METHODS,
          Rules(schema.AUTHENTICATION_METHOD, "directory", selectable=False), _methods,
          "users('{id}')/authentication/methods", cost=None),
    Route("/users/{id}/authentication/requirements", permissions.POLICY, Rules(schema.REQUIREMENTS, "policy"),
          _requirements, "users('{id}')/authentication/requirements", cost=None, beta_only=True),
    Route("/groups", permissions.GROUPS, _GROUPS, _all("groups"), "groups"),
    Route("/groups/{id}", permissions.GROUPS, Rules(schema.GROUP, "directory"), _group, "groups/$entity"),
    Route("/groups/{id}/members", permissions.MEMBERS, _OBJECTS, _members(False), "directoryObjects", cost=3),
    Route(f"/groups/{{id}}/members{_USER_CAST}", permissions.MEMBERS, _MEMBER_USERS, _members(False, "user"), "users",
          cost=3, advanced=True),
    Route(f"/groups/{{id}}/members{_GROUP_CAST}", permissions.MEMBERS, _MEMBER_GROUPS, _members(False, "group"),
          "groups", cost=3, advanced=True),
    Route("/groups/{id}/transitiveMembers", permissions.MEMBERS, _OBJECTS, _members(True), "directoryObjects", cost=5),
    Route(f"/groups/{{id}}/transitiveMembers{_USER_CAST}", permissions.MEMBERS, _MEMBER_USERS, _members(True, "user"),
          "users", cost=5, advanced=True),
    Route(f"/groups/{{id}}/transitiveMembers{_GROUP_CAST}", permissions.MEMBERS, _MEMBER_GROUPS,
          _members(True, "group"), "groups", cost=5, advanced=True),
    Route("/auditLogs/signIns", permissions.AUDIT, _SIGN_INS, _sign_ins, "auditLogs/signIns", cost=None, premium=True,
          finish=_without_policies),
    Route("/auditLogs/directoryAudits", permissions.AUDIT, _AUDITS, _audits, "auditLogs/directoryAudits", cost=None),
    Route("/reports/authenticationMethods/userRegistrationDetails", permissions.AUDIT, _REGISTRATIONS,
          _all("userRegistrationDetails"), "reports/authenticationMethods/userRegistrationDetails", cost=None,
          premium=True),
    Route("/reports/getEmailAppUsageUserDetail(period='{period}')", permissions.REPORTS, _REPORTS,
          _report("getEmailAppUsageUserDetail"), "Collection(microsoft.graph.emailAppUsageUserDetail)", cost=None,
          finish=_report_row("getEmailAppUsageUserDetail")),
    Route("/reports/getMailboxUsageDetail(period='{period}')", permissions.REPORTS, _REPORTS,
          _report("getMailboxUsageDetail"), "Collection(microsoft.graph.mailboxUsageDetail)", cost=None,
          finish=_report_row("getMailboxUsageDetail")),
    Route("/servicePrincipals", permissions.APPLICATIONS, _PRINCIPALS, _all("servicePrincipals"),
          "servicePrincipals"),
    Route("/servicePrincipals(appId='{id}')", permissions.APPLICATIONS, Rules(schema.SERVICE_PRINCIPAL, "directory"),
          _service_principal("appId"), "servicePrincipals/$entity"),
    Route("/servicePrincipals/{id}", permissions.APPLICATIONS, Rules(schema.SERVICE_PRINCIPAL, "directory"),
          _service_principal("id"), "servicePrincipals/$entity"),
    Route("/servicePrincipals/{id}/appRoleAssignedTo", permissions.APPLICATIONS, _ASSIGNMENTS,
          _assignments("resourceId"), "servicePrincipals('{id}')/appRoleAssignedTo", cost=2),
    Route("/servicePrincipals/{id}/appRoleAssignments", permissions.APPLICATIONS, _ASSIGNMENTS,
          _assignments("principalId"), "servicePrincipals('{id}')/appRoleAssignments", cost=2),
    Route(f"{_CONFIGURATION}/configurationSnapshotJobs", permissions.CONFIGURATION,
          Rules(schema.SNAPSHOT_JOB, "policy"), _snapshot_jobs,
          "admin/configurationManagement/configurationSnapshotJobs", cost=None),
    Route(f"{_CONFIGURATION}/configurationSnapshots/{{id}}", permissions.CONFIGURATION,
          Rules(schema.SNAPSHOT, "policy"), _snapshot,
          "admin/configurationManagement/configurationSnapshots/$entity", cost=None),
    Route(f"{_CONFIGURATION}/configurationSnapshots('{{id}}')", permissions.CONFIGURATION,
          Rules(schema.SNAPSHOT, "policy"), _snapshot,
          "admin/configurationManagement/configurationSnapshots/$entity", cost=None),
    Route("/oauth2PermissionGrants", permissions.GRANTS, _GRANTS, _all("oauth2PermissionGrants"),
          "oauth2PermissionGrants", cost=2),
)  # fmt: skip


def rules_for(route: Route, directory: Directory) -> Rules:
    """The route's rules in this tenant: whether the list of users knows `perUserMfaState` is a tenant's switch."""
    if route.pattern == "/users" and directory.tenant.per_user_mfa_in_list:
        return Rules(
            route.rules.entity,
            route.rules.workload,
            route.rules.pages,
            route.rules.filterable,
            extra=frozenset({"perUserMfaState"}),
        )
    return route.rules


def resource_units(route: Route, query: Mapping[str, Any]) -> int | None:
    """https://learn.microsoft.com/graph/throttling-limits: `$select` and a small `$top` each save one."""
    if route.cost is None:
        return None
    top = str(query.get("$top", ""))
    small = top.isascii() and top.isdigit() and len(top) < 3 and int(top) < 20
    return max(1, route.cost - ("$select" in query) - small)
