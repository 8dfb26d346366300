"""Conditional Access for SMTP, written from the contract alone: one account, one policy, one place at a time.

Slow and plain on purpose. It shares no code with the engine. `world` and `person` are those of conftest.py.
"""

import ipaddress
import re

EXO = "00000002-0000-0ff1-ce00-000000000000"
NO, UNKNOWN, CONDITIONAL, YES = "no", "unknown", "conditional", "yes"
MODES = ("include", "exclude")
CLIENT_TYPES = {"all", "browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "easSupported", "other"}


def joined(answers):
    """Any definite mismatch, else what is not known, else what cannot be decided, else reached."""
    for answer in (NO, UNKNOWN, CONDITIONAL):
        if answer in answers:
            return answer
    return YES


def state(world, person, ips):
    """blocks, unknown, conditional or clear, over all policies."""
    if "conditionalAccessPolicies" in world.missing:
        return "unknown"
    found = {one_policy(world, policy, person, ips) for policy in world.policies}
    return next((word for word in ("blocks", "unknown", "conditional") if word in found), "clear")


def one_policy(world, policy, person, ips):
    demand = grant(world, policy)
    reached = reach(world, policy, person, ips)
    if demand == "nothing" or reached == NO:
        return "clear"
    if demand == "unknown" or reached == UNKNOWN:
        return "unknown"
    return "conditional" if reached == CONDITIONAL else "blocks"


def reach(world, policy, person, ips):
    answers = [policy_state(policy)]
    conditions = policy.get("conditions")
    if not isinstance(conditions, dict):
        return joined([*answers, UNKNOWN])
    answers += strange_conditions(conditions)
    answers += [client(conditions), apps(conditions), platforms(conditions), devices(conditions), flows(conditions)]
    answers += [risk(conditions), insider(conditions), CONDITIONAL if full(conditions.get("times")) else YES]
    answers.append(for_people(conditions))
    answers += [users(world, conditions.get("users"), person), places(world, conditions.get("locations"), ips)]
    return joined(answers)


def policy_state(policy):
    return {"enabled": YES, "disabled": NO, "enabledForReportingButNotEnforced": NO}.get(policy.get("state"), UNKNOWN)


def strange_conditions(conditions):
    known = {"applications", "users", "clientAppTypes", "locations", "platforms", "devices", "clientApplications",
             "authenticationFlows", "signInRiskLevels", "userRiskLevels", "insiderRiskLevels", "times"}  # fmt: skip
    return [UNKNOWN for key, value in conditions.items() if key not in known and full(value)]


def full(value):
    if isinstance(value, dict):
        return any(full(item) for item in value.values())
    return value not in (None, "", [])


def texts(value):
    """The list, or None where it is no list of texts."""
    if value is None:
        return []
    return value if isinstance(value, list) and all(isinstance(item, str) for item in value) else None


def for_people(conditions):
    """A policy for workload identities reaches no person; one for none of them is an ordinary policy."""
    target = conditions.get("clientApplications")
    return NO if full(target) and target.get("includeServicePrincipals") != ["None"] else YES


def client(conditions):
    types = texts(conditions.get("clientAppTypes"))
    if types is None or set(types) - CLIENT_TYPES:
        return UNKNOWN
    return YES if not types or {"all", "other"} & set(types) else NO


def apps(conditions):
    target = conditions.get("applications")
    if not isinstance(target, dict):
        return UNKNOWN
    include, exclude = texts(target.get("includeApplications")), texts(target.get("excludeApplications"))
    if include is None or exclude is None:
        return UNKNOWN
    include, exclude = {item.lower() for item in include}, {item.lower() for item in exclude}
    if exclude & {EXO, "office365"}:
        return NO
    if full(target.get("applicationFilter")):
        return UNKNOWN
    if include & {"all", EXO, "office365"}:
        return YES
    return NO


def platforms(conditions):
    condition = conditions.get("platforms")
    if not full(condition):
        return YES
    return YES if condition == {"includePlatforms": ["all"], "excludePlatforms": []} else UNKNOWN


def devices(conditions):
    condition = conditions.get("devices")
    if not full(condition):
        return YES
    rule, mode = condition["deviceFilter"]["rule"], condition["deviceFilter"]["mode"]
    operators = set(re.findall(r" -(\w+) ", rule)) - {"and", "or"}
    if mode not in MODES or len({operator in ("ne", "notContains") for operator in operators}) != 1:
        return UNKNOWN
    matches = operators <= {"ne", "notContains"}
    return YES if matches == (mode == "include") else NO


def flows(conditions):
    condition = conditions.get("authenticationFlows")
    words = {word for word in ((condition or {}).get("transferMethods") or "").split(",") if word} - {"none"}
    if words - {"deviceCodeFlow", "authenticationTransfer"}:
        return UNKNOWN
    return NO if words else YES


def risk(conditions):
    levels = [*conditions.get("userRiskLevels", []), *conditions.get("signInRiskLevels", [])]
    if set(levels) - {"low", "medium", "high", "hidden", "none"}:
        return UNKNOWN
    return CONDITIONAL if levels else YES


def insider(conditions):
    levels = {word for word in (conditions.get("insiderRiskLevels") or "").split(",") if word}
    if levels - {"minor", "moderate", "elevated"}:
        return UNKNOWN
    return CONDITIONAL if levels else YES


def users(world, condition, person):
    """Include minus exclude, exclude wins. Each entry names the person, perhaps, or not."""
    if not isinstance(condition, dict):
        return UNKNOWN
    included, excluded = named(world, condition, person, "include"), named(world, condition, person, "exclude")
    if excluded == YES or included == NO:
        return NO
    return UNKNOWN if UNKNOWN in (included, excluded) else YES


def named(world, condition, person, side):
    answers = []
    for kind, one in (("Users", user), ("Groups", group), ("Roles", role)):
        entries = texts(condition.get(side + kind))
        answers += [UNKNOWN] if entries is None else [one(world, entry.lower(), person) for entry in entries]
    guests = condition.get(f"{side}GuestsOrExternalUsers")
    if full(guests):
        answers.append(guest(world, guests, person))
    return YES if YES in answers else UNKNOWN if UNKNOWN in answers else NO


def user(world, entry, person):
    if entry == "all":
        return YES
    if entry == "guestsorexternalusers":
        if "users" in world.missing or person.external is None:
            return UNKNOWN
        return YES if person.external else NO
    return YES if entry == person.id else UNKNOWN if entry == "somethingnew" else NO


def group(world, entry, person):
    state, members = world.groups.get(entry, ("unreadable", frozenset()))
    if state == "deleted":
        return NO
    if state != "read" or {"groups", "groupMembers"} & world.missing:
        return UNKNOWN
    return YES if person.id in members else NO


def role(world, entry, person):
    definitions_read = "roleDefinitions" not in world.missing
    if definitions_read and world.role_definitions.get(entry, {}).get("isBuiltIn") is False:
        return NO
    if "roleAssignments" in world.missing:
        return UNKNOWN
    if definitions_read and entry in person.roles:
        return YES
    doubted = not definitions_read or entry in world.uncertain_roles or "*" in world.uncertain_roles
    return UNKNOWN if doubted and person.unsure else NO


def guest(world, condition, person):
    if condition["guestOrExternalUserTypes"] == "none":
        return NO
    if "users" in world.missing:
        return UNKNOWN
    if person.external is False:
        return NO
    wanted = set(condition["guestOrExternalUserTypes"].split(","))
    known = {"none", "internalGuest", "b2bCollaborationGuest", "b2bCollaborationMember", "b2bDirectConnectUser",
             "otherExternalUser", "serviceProvider"}  # fmt: skip
    enumerated = (condition.get("externalTenants") or {}).get("membershipKind", "all") != "all"
    hit = person.kinds & wanted
    if hit and person.kinds <= wanted and not (enumerated and person.kinds != {"internalGuest"}):
        return YES if person.external else UNKNOWN
    return UNKNOWN if hit or not person.kinds or wanted - known else NO


def places(world, condition, ips):
    if not full(condition):
        return YES
    include, exclude = texts(condition.get("includeLocations")), texts(condition.get("excludeLocations"))
    if include is None or exclude is None:
        return UNKNOWN
    include, exclude = [entry.lower() for entry in include], [entry.lower() for entry in exclude]
    if not ips:
        if "all" in exclude:
            return NO
        words = [entry for entry in (*include, *exclude) if entry.isalpha() and entry not in ("all", "alltrusted")]
        if "namedLocations" not in world.missing and any(word not in world.locations for word in words):
            return UNKNOWN
        return UNKNOWN if not include else YES if "all" in include and not exclude else CONDITIONAL
    answers = {at_place(world, include, exclude, ipaddress.ip_address(ip)) for ip in ips}
    return UNKNOWN if UNKNOWN in answers else answers.pop() if len(answers) == 1 else CONDITIONAL


def at_place(world, include, exclude, ip):
    out = {inside(world, entry, ip) for entry in exclude}
    if YES in out:
        return NO
    # an include list that holds nothing is nothing that Microsoft documents
    within = {inside(world, entry, ip) for entry in include} or {UNKNOWN}
    if within == {NO}:
        return NO
    if YES not in within and UNKNOWN in within:
        return UNKNOWN
    if UNKNOWN in out:
        return UNKNOWN
    if YES not in within or CONDITIONAL in out:
        return CONDITIONAL
    return YES


def inside(world, entry, ip):
    if entry == "all":
        return YES
    if "namedLocations" in world.missing:
        return UNKNOWN
    if entry == "alltrusted":
        trusted = [location for location in world.locations.values() if location.get("isTrusted")]
        return YES if any(in_ranges(location, ip) for location in trusted) else CONDITIONAL
    location = world.locations.get(entry)
    if location is None or location["@odata.type"] == "#microsoft.graph.compliantNetworkNamedLocation":
        return UNKNOWN
    if location["@odata.type"] == "#microsoft.graph.countryNamedLocation":
        return CONDITIONAL
    return YES if in_ranges(location, ip) else NO


def in_ranges(location, ip):
    return any(ip in ipaddress.ip_network(item["cidrAddress"]) for item in location["ipRanges"])


def grant(world, policy):
    """nothing, blocks or unknown."""
    controls = policy.get("grantControls")
    if not full({key: value for key, value in (controls or {}).items() if key != "operator"}):
        return "nothing" if "grantControls" in policy else "unknown"
    risky = any(policy["conditions"].get(key) for key in ("userRiskLevels", "signInRiskLevels")) if isinstance(
        policy.get("conditions"), dict) else False  # fmt: skip
    sure = {"mfa", "block", "compliantDevice", "domainJoinedDevice", "compliantApplication", "riskRemediation"}
    built_in = set(controls.get("builtInControls") or [])
    if risky:
        sure.add("passwordChange")
    blocking = bool(built_in & sure) or full(controls.get("termsOfUse"))
    doubtful = bool(built_in - sure - {"approvedApplication", "passwordChange"})
    strength = controls.get("authenticationStrength")
    if full(strength):
        combinations = strength.get("allowedCombinations")
        if not combinations and "authenticationStrengthPolicies" not in world.missing:
            combinations = world.strengths.get(strength["id"].lower(), {}).get("allowedCombinations")
        weak = not combinations or bool({"password", "federatedSingleFactor", "somethingNew"} & set(combinations))
        doubtful, blocking = doubtful or weak, blocking or not weak
    if "block" in built_in:
        return "blocks"
    if blocking and (not doubtful or controls.get("operator") == "AND"):
        return "blocks"
    return "unknown"


# --- OAuth: a person who signs in to an app, and an app that signs in as itself ---------------------------------------


def modern(world, policy, person, ips):
    """conditional where a policy takes in a person's sign-in to an app: what it asks for may be met."""
    demand = grant(world, policy)
    reached = joined([policy_state(policy), *modern_conditions(world, policy, person, ips)])
    if demand == "nothing" or reached == NO:
        return "clear"
    return "unknown" if demand == "unknown" or reached == UNKNOWN else "conditional"


def modern_conditions(world, policy, person, ips):
    conditions = policy.get("conditions")
    if not isinstance(conditions, dict):
        return [UNKNOWN]
    types = texts(conditions.get("clientAppTypes"))
    odd = types is None or set(types) - CLIENT_TYPES
    app = UNKNOWN if odd else YES if not types or {"all", "browser", "mobileAppsAndDesktopClients"} & set(types) else NO
    return [
        *strange_conditions(conditions), app, apps(conditions), *by_client(conditions), risk(conditions),
        insider(conditions), CONDITIONAL if full(conditions.get("times")) else YES, for_people(conditions),
        users(world, conditions.get("users"), person), places(world, conditions.get("locations"), ips),
    ]  # fmt: skip


def by_client(conditions):
    """What depends on the client's platform, device or way to sign in, of which nothing is known."""
    platform = conditions.get("platforms")
    device = conditions.get("devices")
    every = {"includePlatforms": ["all"], "excludePlatforms": []}
    yield YES if not full(platform) or platform == every else CONDITIONAL
    yield YES if not full(device) else CONDITIONAL if device["deviceFilter"]["mode"] in MODES else UNKNOWN
    flow = flows(conditions)
    yield CONDITIONAL if flow == NO else flow


def workload(world, policy, app, own, listed, ips):
    """blocks, unknown, conditional or clear for the app of a service principal. `own`: is it a single-tenant app of
    this tenant (None: not read); `listed`: was its service principal read?"""
    conditions = policy.get("conditions")
    target = conditions.get("clientApplications") if isinstance(conditions, dict) else None
    if policy.get("state") in ("disabled", "enabledForReportingButNotEnforced"):
        return "clear"
    controls = policy.get("grantControls")
    if "grantControls" in policy and not full(controls):
        return "clear"
    if not full(target):
        return "clear" if isinstance(conditions, dict) else "unknown"
    only_block = (controls or {}).get("builtInControls") == ["block"]
    answers = [policy_state(policy), named_app(target, app, own, listed), apps(conditions)]
    known = {"applications", "clientApplications", "clientAppTypes", "locations", "servicePrincipalRiskLevels", "users"}
    answers += [UNKNOWN for key, value in conditions.items() if key not in known and full(value)]
    answers.append(YES if conditions.get("clientAppTypes") in (None, [], ["all"]) else UNKNOWN)
    answers.append(CONDITIONAL if conditions.get("servicePrincipalRiskLevels") else YES)
    answers.append(places(world, conditions.get("locations"), ips))
    reached = joined(answers)
    if reached == NO:
        return "clear"
    if not only_block or reached == UNKNOWN:
        return "unknown"
    return "conditional" if reached == CONDITIONAL else "blocks"


def named_app(target, app, own, listed):
    include = [entry.lower() for entry in target.get("includeServicePrincipals") or []]
    exclude = [entry.lower() for entry in target.get("excludeServicePrincipals") or []]
    if app in exclude or own is False:
        return NO
    if full(target.get("servicePrincipalFilter")):
        return UNKNOWN
    if app in include and listed:
        return YES
    if app in include or "serviceprincipalsinmytenant" in include:
        return YES if own else UNKNOWN
    return NO
