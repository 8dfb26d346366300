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
from auditor.access.shapes import Malformed, blank, flags, foreign, is_word, lower, section, strings, unknown
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


def static_outcome(policy: Mapping[str, Any], client: Client) -> Outcome:
    """The strictest answer of all conditions but users and locations; of equals the first in the order below."""
    conditions = policy.get("conditions")
    if not isinstance(conditions, Mapping):
        return unknown("conditions", "the policy's conditions were not read")
    return strictest(_all(policy, conditions, client))


def strictest(outcomes: Iterator[Outcome]) -> Outcome:
    found = MATCHED
    for outcome in outcomes:
        if outcome.match > found.match:
            found = outcome
    return found


def _all(policy: Mapping[str, Any], conditions: Mapping[str, Any], client: Client) -> Iterator[Outcome]:
    if not blank(policy.get("partialEnablementStrategy")):
        yield unknown("partialEnablementStrategy", "the policy is enabled in part, in a way that is not known")
    for key in foreign(conditions, KNOWN):
        yield unknown(f"conditions.{key}", "the condition is not known")
    readers: list[Callable[[Mapping[str, Any]], Outcome]] = [
        partial(_client_types, client=client), _workload, applications, partial(_platforms, client=client),
        partial(_devices, client=client), partial(_flows, client=client), _risks, _insider_risk, _times,
    ]  # fmt: skip
    for read in readers:
        try:
            yield read(conditions)
        except Malformed as problem:
            yield unknown("conditions", str(problem))


def _client_types(conditions: Mapping[str, Any], client: Client) -> Outcome:
    """Absent, null or empty means all client apps."""
    name = "conditions.clientAppTypes"
    types = strings(conditions, "clientAppTypes")
    strange = sorted(set(types) - CLIENT_TYPES)
    if strange:
        return unknown(name, f"client app type '{strange[0]}' is not known")
    if not types or client.types.intersection(types):
        return Outcome(Match.REACHES, name, "its client apps include this one")
    return Outcome(Match.MISSES, name, f"it concerns other client apps ({', '.join(types)})")


def _workload(conditions: Mapping[str, Any]) -> Outcome:
    """A policy for workload identities reaches apps, never a user."""
    name = "conditions.clientApplications"
    applications_ = section(conditions, "clientApplications")
    if applications_ is None or lower(strings(applications_, "includeServicePrincipals")) == ["none"]:
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
        return unknown(name, "which resources the policy targets was not read")
    include, exclude = lower(strings(target, "includeApplications")), lower(strings(target, "excludeApplications"))
    if EXCHANGE.intersection(exclude):
        return Outcome(Match.MISSES, f"{name}.excludeApplications", "Exchange Online is excluded")
    strange = [token for token in exclude if is_word(token) and token not in OTHER_APPS]
    included = "all" in include or bool(EXCHANGE.intersection(include))
    if not included:
        strange += [token for token in include if is_word(token) and token not in OTHER_APPS]
    new = foreign(target, APPLICATION_KEYS)
    if new or strange:
        return unknown(name, f"'{(new + strange)[0]}' is not known")
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
    strange = sorted({*include, *exclude} - PLATFORMS) + foreign(platforms, ("includePlatforms", "excludePlatforms"))
    if strange:
        return unknown(name, f"'{strange[0]}' is not known")
    if include == ["all"] and not exclude:
        return Outcome(Match.REACHES, name, "every platform is included")
    if client.bare:
        return unknown(name, "an SMTP client sends no platform, and how named platforms then count is not documented")
    return Outcome(Match.CONDITIONAL, name, "it depends on the client's platform")


def _devices(conditions: Mapping[str, Any], client: Client) -> Outcome:
    name = "conditions.devices"
    devices = section(conditions, "devices")
    if devices is None:
        return Outcome(Match.REACHES, name, "no device condition")
    device_filter = section(devices, "deviceFilter")
    if device_filter is None or foreign(devices, ("deviceFilter",)) or foreign(device_filter, ("mode", "rule")):
        return unknown(name, "its value is not known")
    mode, rule = device_filter.get("mode"), device_filter.get("rule")
    if mode not in ("include", "exclude") or not isinstance(rule, str):
        return unknown(f"{name}.deviceFilter", "its mode or rule is not known")
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
    strange = sorted(methods - FLOWS) + foreign(flow, ("transferMethods",))
    if strange:
        return unknown(name, f"'{strange[0]}' is not known")
    if not methods:
        return Outcome(Match.REACHES, name, "no authentication flow")
    if client.bare:
        return Outcome(Match.MISSES, name, "SMTP takes part in no such authentication flow")
    return Outcome(Match.CONDITIONAL, name, "it depends on the authentication flow")


def _risks(conditions: Mapping[str, Any]) -> Outcome:
    levels = {key: strings(conditions, key) for key in ("userRiskLevels", "signInRiskLevels")}
    for key, found in levels.items():
        strange = sorted(set(found) - RISKS)
        if strange:
            return unknown(f"conditions.{key}", f"risk level '{strange[0]}' is not known")
    for key, found in levels.items():
        if found:
            return Outcome(Match.CONDITIONAL, f"conditions.{key}", f"it depends on risk ({', '.join(found)})")
    return Outcome(Match.REACHES, "conditions.userRiskLevels", "no risk condition")


def _insider_risk(conditions: Mapping[str, Any]) -> Outcome:
    name = "conditions.insiderRiskLevels"
    levels = flags(conditions, "insiderRiskLevels")
    strange = sorted(set(levels) - INSIDER_RISKS)
    if strange:
        return unknown(name, f"insider risk level '{strange[0]}' is not known")
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
