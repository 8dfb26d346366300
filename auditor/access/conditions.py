"""The conditions of a policy that are the same for every account, for a given kind of client.

Two kinds are judged: `SMTP`, a client that signs in with a password over SMTP (client app `other`: no device, no
platform, no authentication flow), and `MODERN`, an app that a person signed in to by OAuth, of which this program knows
nothing more than that. Source:
https://learn.microsoft.com/entra/identity/conditional-access/concept-conditional-access-conditions
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from auditor.access.devices import matches_no_device
from auditor.access.model import MATCHED, Match, Outcome
from auditor.access.shapes import Malformed, blank, flags, foreign, is_word, lower, section, strange, strings, unknown
from auditor.catalogue import EXCHANGE_APP_ID


@dataclass(frozen=True, slots=True)
class Client:
    """`types`: the `clientAppTypes` that take it in. `bare`: it sends neither device nor platform and takes part in no
    authentication flow, so that conditions on those are decided; else they are conditional."""

    types: frozenset[str]
    bare: bool


SMTP = Client(frozenset({"all", "other"}), bare=True)
MODERN = Client(frozenset({"all", "mobileAppsAndDesktopClients", "browser"}), bare=False)

CLIENT_TYPES = frozenset(
    {"all", "browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "easSupported", "other"}
)
PLATFORMS = frozenset({"all", "android", "iOS", "windows", "windowsPhone", "macOS", "linux"})
RISKS = frozenset({"low", "medium", "high", "hidden", "none"})
INSIDER_RISKS = frozenset({"minor", "moderate", "elevated"})
FLOWS = frozenset({"devicecodeflow", "authenticationtransfer"})
EXCHANGE = frozenset({"office365", EXCHANGE_APP_ID})
OTHER_APPS = frozenset({"none", "microsoftadminportals"})
"""Special words that are known not to take in Exchange Online."""

APPLICATION_KEYS = (
    "includeApplications", "excludeApplications", "includeUserActions", "includeAuthenticationContextClassReferences",
    "applicationFilter", "networkAccess", "globalSecureAccess",
)  # fmt: skip
ELSEWHERE_KEYS = (
    "includeUserActions",
    "includeAuthenticationContextClassReferences",
    "networkAccess",
    "globalSecureAccess",
)
"""Targets that are no app: user actions, authentication contexts, traffic profiles."""

KNOWN = (
    "applications", "authenticationFlows", "clientApplications", "clientAppTypes", "devices", "insiderRiskLevels",
    "locations", "platforms", "signInRiskLevels", "times", "userRiskLevels", "users",
)  # fmt: skip

OF_APPS = ("servicePrincipalRiskLevels", "agentIdRiskLevels", "agents", "agentContext")
"""Conditions of policies for workload identities."""


def static_outcome(policy: Mapping[str, Any], client: Client) -> Outcome:
    """The strictest answer of all conditions but users and locations; of equals the first in the order below."""
    return strictest(static_outcomes(policy, client))


def strictest(outcomes: Iterator[Outcome]) -> Outcome:
    found = MATCHED
    for outcome in outcomes:
        if outcome.match > found.match:
            found = outcome
    return found


def static_outcomes(policy: Mapping[str, Any], client: Client) -> Iterator[Outcome]:
    """The answer of each condition but users and locations."""
    conditions = policy.get("conditions")
    if not isinstance(conditions, Mapping):
        yield strange("conditions", "the policy's conditions were not read")
        return
    if not blank(policy.get("partialEnablementStrategy")):
        yield strange("partialEnablementStrategy", "the policy is enabled in part, in a way that is not known")
    known = KNOWN if blank(conditions.get("clientApplications")) else (*KNOWN, *OF_APPS)
    for key in foreign(conditions, known):
        yield strange(f"conditions.{key}", "the condition is not known")
    readers: list[Callable[[Mapping[str, Any]], Outcome]] = [
        partial(_client_types, client=client), _workload, applications, partial(_platforms, client=client),
        partial(_devices, client=client), partial(_flows, client=client), _risks, _insider_risk, _times,
    ]  # fmt: skip
    for read in readers:
        try:
            yield read(conditions)
        except Malformed as problem:
            yield strange("conditions", str(problem))


def _client_types(conditions: Mapping[str, Any], client: Client) -> Outcome:
    """Absent, null or empty means all client apps."""
    name = "conditions.clientAppTypes"
    types = strings(conditions, "clientAppTypes")
    new = sorted(set(types) - CLIENT_TYPES)
    if new:
        return strange(name, f"client app type '{new[0]}' is not known")
    if not types or client.types.intersection(types):
        return Outcome(Match.REACHES, name, "its client apps include this one")
    return Outcome(Match.MISSES, name, f"it concerns other client apps ({', '.join(types)})")


def _workload(conditions: Mapping[str, Any]) -> Outcome:
    """A policy for workload identities reaches apps, never a user."""
    name = "conditions.clientApplications"
    apps = section(conditions, "clientApplications")
    named = lower(strings(apps, "includeServicePrincipals")) if apps else []
    strings(apps or {}, "excludeServicePrincipals")
    if apps is None or blank(apps) or named == ["none"]:
        return Outcome(Match.REACHES, name, "no workload identity")
    return Outcome(Match.MISSES, name, "it concerns workload identities")


def applications(conditions: Mapping[str, Any]) -> Outcome:
    """Is Exchange Online among the target resources? Absent or null was read in part only; without any include list
    neither. Lists that are there and empty target nothing."""
    name = "conditions.applications"
    target = conditions.get("applications")
    if not isinstance(target, Mapping) or not any(
        key in target for key in APPLICATION_KEYS if key.startswith("include")
    ):
        return strange(name, "which resources the policy targets was not read")
    include, exclude = lower(strings(target, "includeApplications")), lower(strings(target, "excludeApplications"))
    if EXCHANGE.intersection(exclude):
        return Outcome(Match.MISSES, f"{name}.excludeApplications", "Exchange Online is excluded")
    new = [token for token in exclude if is_word(token) and token not in OTHER_APPS]
    included = "all" in include or bool(EXCHANGE.intersection(include))
    if not included:
        new += [token for token in include if is_word(token) and token not in OTHER_APPS]
    new += foreign(target, APPLICATION_KEYS)
    if new:
        return strange(name, f"'{new[0]}' is not known")
    if not blank(target.get("applicationFilter")):
        return unknown(f"{name}.applicationFilter", "which apps the filter takes in is not known")
    if included:
        return Outcome(Match.REACHES, name, "Exchange Online is included")
    elsewhere = [key for key in ELSEWHERE_KEYS if not blank(target.get(key))]
    return Outcome(
        Match.MISSES, f"{name}.{(elsewhere or ['includeApplications'])[0]}", "Exchange Online is not included"
    )


def _platforms(conditions: Mapping[str, Any], client: Client) -> Outcome:
    name = "conditions.platforms"
    platforms = section(conditions, "platforms")
    if platforms is None:
        return Outcome(Match.REACHES, name, "no platform condition")
    include, exclude = strings(platforms, "includePlatforms"), strings(platforms, "excludePlatforms")
    new = sorted({*include, *exclude} - PLATFORMS) + foreign(platforms, ("includePlatforms", "excludePlatforms"))
    if new:
        return strange(name, f"'{new[0]}' is not known")
    if not exclude and (not include or "all" in include):
        return Outcome(Match.REACHES, name, "no platform is left out")
    if client.bare:
        return unknown(name, "an SMTP client sends no platform, and how named platforms then count is not documented")
    return Outcome(Match.CONDITIONAL, name, "it depends on the client's platform")


def _devices(conditions: Mapping[str, Any], client: Client) -> Outcome:
    name = "conditions.devices"
    devices = section(conditions, "devices")
    if devices is None:
        return Outcome(Match.REACHES, name, "no device condition")
    device_filter = section(devices, "deviceFilter")
    if device_filter is None and not foreign(devices, ("deviceFilter",)):
        return Outcome(Match.REACHES, name, "no device condition")
    if device_filter is None or foreign(devices, ("deviceFilter",)) or foreign(device_filter, ("mode", "rule")):
        return strange(name, "its value is not known")
    mode, rule = device_filter.get("mode"), device_filter.get("rule")
    if mode not in ("include", "exclude") or not isinstance(rule, str):
        return strange(f"{name}.deviceFilter", "its mode or rule is not known")
    if not client.bare:
        return Outcome(Match.CONDITIONAL, f"{name}.deviceFilter", "it depends on the device")
    matches = matches_no_device(rule)
    if matches is None:
        return unknown(f"{name}.deviceFilter", "whether its rule takes in a client without a device is not known")
    if matches is (mode == "include"):
        return Outcome(Match.REACHES, f"{name}.deviceFilter", "its rule takes in a client without a device")
    return Outcome(Match.MISSES, f"{name}.deviceFilter", "its rule does not take in a client without a device")


def _flows(conditions: Mapping[str, Any], client: Client) -> Outcome:
    """Device-code flow and authentication transfer are ways to sign in that SMTP has not."""
    name = "conditions.authenticationFlows"
    flow = section(conditions, "authenticationFlows")
    if flow is None:
        return Outcome(Match.REACHES, name, "no authentication flow")
    methods = set(lower(flags(flow, "transferMethods"))) - {"none"}
    new = sorted(methods - FLOWS) + foreign(flow, ("transferMethods",))
    if new:
        return strange(name, f"'{new[0]}' is not known")
    if not methods:
        return Outcome(Match.REACHES, name, "no authentication flow")
    if client.bare:
        return Outcome(Match.MISSES, name, "SMTP takes part in no such authentication flow")
    return Outcome(Match.CONDITIONAL, name, "it depends on the authentication flow")


def _risks(conditions: Mapping[str, Any]) -> Outcome:
    levels = {key: strings(conditions, key) for key in ("userRiskLevels", "signInRiskLevels")}
    for key, found in levels.items():
        new = sorted(set(found) - RISKS)
        if new:
            return strange(f"conditions.{key}", f"risk level '{new[0]}' is not known")
    for key, found in levels.items():
        if found:
            return Outcome(Match.CONDITIONAL, f"conditions.{key}", f"it depends on risk ({', '.join(found)})")
    return Outcome(Match.REACHES, "conditions.userRiskLevels", "no risk condition")


def _insider_risk(conditions: Mapping[str, Any]) -> Outcome:
    name = "conditions.insiderRiskLevels"
    levels = flags(conditions, "insiderRiskLevels")
    new = sorted(set(levels) - INSIDER_RISKS)
    if new:
        return strange(name, f"insider risk level '{new[0]}' is not known")
    if levels:
        return Outcome(Match.CONDITIONAL, name, f"it depends on insider risk ({', '.join(levels)})")
    return Outcome(Match.REACHES, name, "no insider risk condition")


def _times(conditions: Mapping[str, Any]) -> Outcome:
    name = "conditions.times"
    if blank(conditions.get("times")):
        return Outcome(Match.REACHES, name, "no time condition")
    return Outcome(Match.CONDITIONAL, name, "it depends on the time")


def asks_password_risk(policy: Mapping[str, Any]) -> bool:
    """Does the policy carry a risk condition, without which a password change is not asked for?"""
    conditions = policy.get("conditions")
    if not isinstance(conditions, Mapping):
        return False
    return any(not blank(conditions.get(key)) for key in ("userRiskLevels", "signInRiskLevels"))
