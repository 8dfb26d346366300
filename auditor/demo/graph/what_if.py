"""The What If action: which enabled and report-only policies apply to one described sign-in of one user.

Written from Graph's own description and Microsoft's pages, one user and one policy at a time, so that an audit of the
emulated tenant has something to compare its own judgement with. A condition that the request leaves out cannot be
evaluated (`notEnoughInformation`); each policy answers with one reason, the first condition that is not met.

https://learn.microsoft.com/graph/api/conditionalaccessroot-evaluate
https://learn.microsoft.com/entra/identity/conditional-access/what-if-tool
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditor.demo.graph.call import bad_request, not_found
from auditor.demo.graph.directory import Directory, Record, is_inside
from auditor.demo.graph.rule import RuleError, holds

APPLIES = "notSet"
"""the reason of a policy that applies"""
TOO_LITTLE = "notEnoughInformation"
EVALUATED = frozenset({"enabled", "enabledForReportingButNotEnforced"})

SUITE = "office365"
OFFICE_365 = frozenset({"00000002-0000-0ff1-ce00-000000000000", "00000003-0000-0ff1-ce00-000000000000"})
"""what the suite `Office365` holds, as far as it is emulated: Exchange Online and SharePoint Online"""

PLATFORMS = frozenset({"android", "iOS", "windows", "windowsPhone", "macOS", "linux", "all"})
CLIENT_APPS = frozenset(
    {"all", "browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "easSupported", "other"}
)
RISKS = frozenset({"low", "medium", "high", "hidden", "none"})
INSIDER_RISKS = frozenset({"none", "minor", "moderate", "elevated"})
TRANSFERS = frozenset({"none", "deviceCodeFlow", "authenticationTransfer"})
CHOICES = {
    "clientAppType": CLIENT_APPS,
    "devicePlatform": PLATFORMS,
    "signInRiskLevel": RISKS,
    "userRiskLevel": RISKS,
    "servicePrincipalRiskLevel": RISKS,
    "insiderRiskLevel": INSIDER_RISKS,
}

Verdict = bool | None
"""Is something so? None: the request does not say enough."""


def evaluate(directory: Directory, body: Any) -> list[Record]:
    """The `whatIfAnalysisResult` of each policy: the whole policy, whether it applies, and why not.

    `body` is the action's payload. Raises GraphError for one that is not of the described form, or an unknown user."""
    sign_in = _read(directory, body)
    results: list[Record] = []
    for policy in directory.records("conditionalAccessPolicies"):
        if policy.get("state") not in EVALUATED:
            continue
        reason = _first_unmet(policy, sign_in)
        if policy["id"] in directory.tenant.what_if_disagrees:
            reason = "users" if reason == APPLIES else APPLIES
        if reason == APPLIES or not sign_in.applied_only:
            results.append({**policy, "policyApplies": reason == APPLIES, "analysisReasons": reason})
    return results


# --- the request ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SignIn:
    """What the request describes. `groups` and `roles`: everything the user is in, and the template ids of the
    built-in roles that it holds for the whole tenant. `external_tenant`: a guest's home, empty where not given.
    `given`: the sign-in conditions by name; one that is null was not given."""

    directory: Directory
    user: Record
    groups: frozenset[str]
    roles: frozenset[str]
    external_tenant: str
    apps: frozenset[str]
    given: Mapping[str, Any]
    applied_only: bool

    def condition(self, name: str) -> Any:
        return self.given.get(name)


def _read(directory: Directory, body: Any) -> SignIn:
    request = _object(body, "the request body", {"signInIdentity", "signInContext", "signInConditions",
                                                 "appliedPoliciesOnly"})  # fmt: skip
    identity = _object(
        request.get("signInIdentity"), "signInIdentity", {"userId", "externalTenantId", "externalUserType"}
    )
    _of_type(identity, "userSignIn", "signInIdentity")
    context = _object(request.get("signInContext"), "signInContext", {"includeApplications"})
    _of_type(context, "applicationContext", "signInContext")
    apps = context.get("includeApplications")
    if not isinstance(apps, list) or not apps or not all(isinstance(app, str) for app in apps):
        raise bad_request("signInContext: includeApplications must name at least one application.")
    user_id = identity.get("userId")
    user = directory.find("users", user_id) if isinstance(user_id, str) else None
    if user is None:
        raise not_found(str(user_id))
    only = request.get("appliedPoliciesOnly")
    if only is not None and not isinstance(only, bool):
        raise bad_request("appliedPoliciesOnly must be true or false.")
    groups = _groups_of(directory, user["id"])
    return SignIn(
        directory,
        user,
        groups,
        _roles_of(directory, {user["id"].lower(), *groups}),
        str(identity.get("externalTenantId") or "").lower(),
        frozenset(app.lower() for app in apps),
        _conditions(request.get("signInConditions")),
        bool(only),
    )


def _object(value: Any, name: str, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise bad_request(f"{name} must be an object.")
    strange = sorted(key for key in value if key not in known and "@" not in key)
    if strange:
        raise bad_request(f"The property '{strange[0]}' does not exist on {name}.")
    return value


def _of_type(value: Mapping[str, Any], kind: str, name: str) -> None:
    """Only sign-ins of users to applications are emulated; others are refused, not answered wrongly."""
    found = str(value.get("@odata.type", "")).lstrip("#")
    if found != f"microsoft.graph.{kind}":
        raise bad_request(f"{name}: the type '{found}' is not supported here; microsoft.graph.{kind} is.")


def _conditions(value: Any) -> Mapping[str, Any]:
    known = {*CHOICES, "country", "ipAddress", "deviceInfo", "authenticationFlow"}
    given = _object({} if value is None else value, "signInConditions", known)
    for name, choices in CHOICES.items():
        if given.get(name) is not None and given[name] not in choices:
            raise bad_request(f"signInConditions: '{given[name]}' is no value of {name}.")
    for name in ("deviceInfo", "authenticationFlow"):
        if given.get(name) is not None and not isinstance(given[name], dict):
            raise bad_request(f"signInConditions: {name} must be an object.")
    if (given.get("authenticationFlow") or {}).get("transferMethod", "none") not in TRANSFERS:
        raise bad_request("signInConditions: authenticationFlow has no such transferMethod.")
    if not isinstance(given.get("country") or "", str):
        raise bad_request("signInConditions: country must be a text.")
    if given.get("ipAddress") is not None and _address(given["ipAddress"]) is None:
        raise bad_request(f"signInConditions: '{given['ipAddress']}' is no IP address.")
    return given


def _groups_of(directory: Directory, user_id: str) -> frozenset[str]:
    """Every group that exists and has the user inside, at any depth: from the member upwards."""
    found: set[str] = set()
    waiting = [user_id]
    while waiting:
        member = waiting.pop()
        for name, members in directory.tenant.group_members.items():
            group = name.lower()
            if group not in found and is_inside(members, member) and directory.group(group) is not None:
                found.add(group)
                waiting.append(group)
    return frozenset(found)


def _roles_of(directory: Directory, principals: set[str]) -> frozenset[str]:
    found = set()
    for assignment in directory.records("roleAssignments"):
        if assignment.get("directoryScopeId") != "/" or str(assignment["principalId"]).lower() not in principals:
            continue
        role = directory.find("roleDefinitions", assignment["roleDefinitionId"])
        if role is not None and role.get("isBuiltIn"):
            found.add(str(role.get("templateId") or role["id"]).lower())
    return frozenset(found)


# --- one policy -----------------------------------------------------------------------------------------------------


def _first_unmet(policy: Record, sign_in: SignIn) -> str:
    """`notSet` where every condition is met; else the first that is not; else that the request says too little."""
    conditions = policy.get("conditions") or {}
    too_little = any(_filled(value) for name, value in conditions.items() if name not in KNOWN and "@" not in name)
    for check in CHECKS:
        reason = check(conditions, sign_in)
        if reason == TOO_LITTLE:
            too_little = True
        elif reason != APPLIES:
            return reason
    return TOO_LITTLE if too_little else APPLIES


def _verdict(met: Verdict, reason: str) -> str:
    return TOO_LITTLE if met is None else APPLIES if met else reason


def _any(found: Iterable[Verdict]) -> Verdict:
    """One that is so is enough; without one, any that is not known leaves it open."""
    answers = list(found)
    return True if True in answers else None if None in answers else False


def _minus(included: Verdict, excluded: Verdict) -> Verdict:
    """Exclusion beats inclusion."""
    if included is False or excluded is True:
        return False
    return None if included is None or excluded is None else True


def _filled(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_filled(inner) for key, inner in value.items() if "@" not in key)
    return bool(value)


def _texts(holder: Mapping[str, Any], name: str) -> list[str]:
    return [str(item) for item in holder.get(name) or ()]


def _lower(holder: Mapping[str, Any], name: str) -> list[str]:
    return [text.lower() for text in _texts(holder, name)]


def _flags(value: Any) -> set[str]:
    return {word.strip() for word in str(value or "").split(",")} - {""}


# users


def _users(conditions: Mapping[str, Any], sign_in: SignIn) -> str:
    users = conditions.get("users") or {}
    return _verdict(_minus(_named(users, "include", sign_in), _named(users, "exclude", sign_in)), "users")


def _named(users: Mapping[str, Any], side: str, sign_in: SignIn) -> Verdict:
    """Does one side of the condition name the user: itself, everybody, as a guest, by a group or by a role?"""
    tokens = _lower(users, f"{side}Users")
    kind = _guest_kind(sign_in.user)
    return _any(
        (
            "all" in tokens,
            sign_in.user["id"].lower() in tokens,
            "guestsorexternalusers" in tokens and kind is not None,
            not sign_in.groups.isdisjoint(_lower(users, f"{side}Groups")),
            not sign_in.roles.isdisjoint(_lower(users, f"{side}Roles")),
            _named_guest(users.get(f"{side}GuestsOrExternalUsers"), kind, sign_in.external_tenant),
        )
    )


def _guest_kind(user: Record) -> str | None:
    """https://learn.microsoft.com/entra/external-id/user-properties; None for the organisation's own members."""
    invited = (
        user.get("creationType") == "Invitation"
        or user.get("externalUserState") is not None
        or "#ext#" in str(user.get("userPrincipalName", "")).lower()
    )
    if str(user.get("userType", "")).lower() == "guest":
        return "b2bCollaborationGuest" if invited else "internalGuest"
    return "b2bCollaborationMember" if invited else None


def _named_guest(guests: Mapping[str, Any] | None, kind: str | None, home: str) -> Verdict:
    if not guests or kind is None or kind not in _flags(guests.get("guestOrExternalUserTypes")):
        return False
    tenants = guests.get("externalTenants") or {}
    if kind == "internalGuest" or tenants.get("membershipKind", "all") == "all":
        return True
    return home in _lower(tenants, "members") if home else None


def _workload(conditions: Mapping[str, Any], _: SignIn) -> str:
    """A policy for workload identities concerns no user."""
    target = conditions.get("clientApplications") or {}
    named = set(_lower(target, "includeServicePrincipals")) - {"none"}
    return "workloadIdentities" if named or _filled(target.get("servicePrincipalFilter")) else APPLIES


# target resources


def _applications(conditions: Mapping[str, Any], sign_in: SignIn) -> str:
    target = conditions.get("applications") or {}
    if _texts(target, "includeUserActions"):
        return "userActions"
    if _texts(target, "includeAuthenticationContextClassReferences"):
        return "authenticationContext"
    try:
        filtered = _filtered(target.get("applicationFilter"), sign_in)
    except RuleError:
        return "invalidCondition"
    included = _targets(_lower(target, "includeApplications"), sign_in.apps) or filtered == "include"
    excluded = _targets(_lower(target, "excludeApplications"), sign_in.apps) or filtered == "exclude"
    return _verdict(included and not excluded, "application")


def _targets(tokens: Sequence[str], apps: frozenset[str]) -> bool:
    """An app that is asked for by its id is also found in the suite that a policy names; the suite's own name matches
    nothing when it is asked for."""
    suite = OFFICE_365 if SUITE in tokens else frozenset()
    return "all" in tokens or not apps.isdisjoint(suite | (set(tokens) - {SUITE}))


def _filtered(filter_: Mapping[str, Any] | None, sign_in: SignIn) -> str:
    """The filter's mode where its rule takes in an app that is asked for, else empty."""
    if not filter_ or not filter_.get("rule"):
        return ""
    for app in sorted(sign_in.apps):
        principal = sign_in.directory.find("servicePrincipals", app, "appId") or {}
        if holds(filter_["rule"], _security_attributes(principal)):
            return str(filter_.get("mode", ""))
    return ""


def _security_attributes(principal: Record) -> Callable[[str], Any]:
    """Custom security attributes: the rule's `CustomSecurityAttribute.Set_Name`."""
    sets = principal.get("customSecurityAttributes") or {}

    def lookup(name: str) -> Any:
        group, _, attribute = name.rpartition(".")[2].partition("_")
        return (sets.get(group) or {}).get(attribute)

    return lookup


# how and from where


def _client_apps(conditions: Mapping[str, Any], sign_in: SignIn) -> str:
    types = set(_texts(conditions, "clientAppTypes"))
    if not types or "all" in types:
        return APPLIES
    given = sign_in.condition("clientAppType")
    return _verdict(None if given is None else given in types, "clientApps")


def _platform(conditions: Mapping[str, Any], sign_in: SignIn) -> str:
    platforms = conditions.get("platforms") or {}
    include, exclude = _texts(platforms, "includePlatforms"), _texts(platforms, "excludePlatforms")
    if not include and not exclude:
        return APPLIES
    given = sign_in.condition("devicePlatform")
    included = True if "all" in include else None if given is None else given in include
    excluded = None if given is None and exclude else given in exclude
    return _verdict(_minus(included, excluded), "devicePlatform")


def _devices(conditions: Mapping[str, Any], sign_in: SignIn) -> str:
    """A device of which nothing is known is an unregistered one: its attributes are null."""
    filter_ = (conditions.get("devices") or {}).get("deviceFilter") or {}
    if not filter_.get("rule"):
        return APPLIES
    device = sign_in.condition("deviceInfo")
    if device is None:
        return TOO_LITTLE
    known = {name.lower(): value for name, value in device.items()}
    try:
        matches = holds(filter_["rule"], lambda name: known.get(name.lower().removeprefix("device.")))
    except RuleError:
        return "invalidCondition"
    return _verdict(matches == (filter_.get("mode") == "include"), "devices")


def _locations(conditions: Mapping[str, Any], sign_in: SignIn) -> str:
    locations = conditions.get("locations") or {}
    include, exclude = _lower(locations, "includeLocations"), _lower(locations, "excludeLocations")
    if not include and not exclude:
        return APPLIES
    included = _any(_inside(token, sign_in) for token in include)
    excluded = _any(_inside(token, sign_in) for token in exclude)
    return _verdict(_minus(included, excluded), "location")


def _inside(token: str, sign_in: SignIn) -> Verdict:
    if token == "all":
        return True
    directory = sign_in.directory
    if token == "alltrusted":
        trusted = [place for place in directory.records("namedLocations") if place.get("isTrusted")]
        return _any(_in_place(place, sign_in) for place in trusted)
    place = directory.find("namedLocations", token)
    return False if place is None else _in_place(place, sign_in)


def _in_place(place: Record, sign_in: SignIn) -> Verdict:
    kind = str(place.get("@odata.type", "")).rpartition(".")[2]
    if kind == "countryNamedLocation":
        country = sign_in.condition("country")
        return None if country is None else country.upper() in _texts(place, "countriesAndRegions")
    address = _address(sign_in.condition("ipAddress"))
    if kind != "ipNamedLocation" or address is None:
        return None
    return any(_in_range(address, entry) for entry in place.get("ipRanges") or ())


def _in_range(address: ipaddress.IPv4Address | ipaddress.IPv6Address, entry: Mapping[str, Any]) -> bool:
    if "cidrAddress" in entry:
        return address in ipaddress.ip_network(entry["cidrAddress"], strict=False)
    first, last = ipaddress.ip_address(entry["lowerAddress"]), ipaddress.ip_address(entry["upperAddress"])
    return first.version == address.version and int(first) <= int(address) <= int(last)


def _address(text: Any) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text) if isinstance(text, str) else None
    except ValueError:
        return None


# risk, time, flow


def _risk(levels: str, given: str, reason: str) -> Callable[[Mapping[str, Any], SignIn], str]:
    def check(conditions: Mapping[str, Any], sign_in: SignIn) -> str:
        wanted = conditions.get(levels)
        named = _flags(wanted) if isinstance(wanted, str) else set(_texts(conditions, levels))
        level = sign_in.condition(given)
        return APPLIES if not named else _verdict(None if level is None else level in named, reason)

    return check


def _times(conditions: Mapping[str, Any], _: SignIn) -> str:
    """The request cannot say when."""
    return TOO_LITTLE if _filled(conditions.get("times")) else APPLIES


def _flow(conditions: Mapping[str, Any], sign_in: SignIn) -> str:
    wanted = _flags((conditions.get("authenticationFlows") or {}).get("transferMethods")) - {"none"}
    if not wanted:
        return APPLIES
    flow = sign_in.condition("authenticationFlow")
    return _verdict(None if flow is None else flow.get("transferMethod", "none") in wanted, "authenticationFlow")


CHECKS: tuple[Callable[[Mapping[str, Any], SignIn], str], ...] = (
    _workload,
    _users,
    _applications,
    _platform,
    _devices,
    _client_apps,
    _locations,
    _risk("signInRiskLevels", "signInRiskLevel", "signInRisk"),
    _risk("userRiskLevels", "userRiskLevel", "userRisk"),
    _times,
    _risk("insiderRiskLevels", "insiderRiskLevel", "insiderRisk"),
    _flow,
)
KNOWN = frozenset(
    {"applications", "authenticationFlows", "clientApplications", "clientAppTypes", "devices", "insiderRiskLevels",
     "locations", "platforms", "servicePrincipalRiskLevels", "signInRiskLevels", "times", "userRiskLevels", "users"}
)  # fmt: skip
"""Conditions that the request can describe; of any other it says too little."""
