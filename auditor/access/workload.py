"""Conditional Access for workload identities: does a policy stop an app that signs in as itself?

Such policies reach single-tenant apps that this tenant owns; apps of other organisations, multi-tenant apps and managed
identities are out of their reach, and "block" is the only control. Source:
https://learn.microsoft.com/entra/identity/conditional-access/workload-identity
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from auditor.access.conditions import applications, strictest
from auditor.access.locations import Place, location_outcome
from auditor.access.model import Match, Outcome
from auditor.access.shapes import Malformed, blank, foreign, is_word, lower, section, strings, unknown
from auditor.states import Reason, State
from auditor.tenant import Tenant

CONDITION = "conditions.clientApplications"
DATASET = "conditionalAccessPolicies"
OWN_APPS = "serviceprincipalsinmytenant"
KEYS = (
    "includeServicePrincipals",
    "excludeServicePrincipals",
    "servicePrincipalFilter",
    "includeAgentIdServicePrincipals",
    "excludeAgentIdServicePrincipals",
    "agentIdServicePrincipalFilter",
)
CONDITIONS = (
    "applications", "clientApplications", "clientAppTypes", "locations", "servicePrincipalRiskLevels", "users",
)  # fmt: skip
"""The conditions that may stand in a policy for workload identities; any other leaves it unknown."""

NO_POLICY = Reason(State.CLEAR, "No enabled policy for workload identities stops the app.", (), (DATASET,))


def judge_app(tenant: Tenant, principal_id: str, place: Place) -> Reason:
    """The strongest answer of all enabled policies for the app of this service principal (object id)."""
    if not tenant.complete(DATASET):
        status = tenant.status[DATASET]
        text = f"Whether a policy for workload identities stops the app is not known: {DATASET} is {status.state}."
        return Reason(State.UNKNOWN, text, ((DATASET, status.state),), (DATASET,))
    found = NO_POLICY
    for policy in tenant.policies:
        reason = _policy(tenant, policy, principal_id.lower(), place)
        # of equal ones by name, so that the order in which Graph answers changes no text
        if reason.state > found.state or (reason.state == found.state and reason.facts < found.facts):
            found = reason
    return found


def _policy(tenant: Tenant, policy: Mapping[str, Any], principal_id: str, place: Place) -> Reason:
    conditions = policy.get("conditions")
    if policy.get("state") in ("disabled", "enabledForReportingButNotEnforced"):
        return NO_POLICY
    if not isinstance(conditions, Mapping):
        outcome = unknown("conditions", "the policy's conditions were not read")
    elif blank(conditions.get("clientApplications")):
        return NO_POLICY
    else:
        outcome = strictest(_outcomes(tenant, policy, conditions, principal_id, place))
    blocks, controls = _blocks(policy)
    if outcome.match == Match.MISSES or blocks is False:
        return NO_POLICY
    name = policy.get("displayName") or policy.get("id") or "unnamed"
    facts = ((f"policy '{name}'", f"{controls}; {outcome.condition}: {outcome.detail}".rstrip(": ")),)
    datasets = outcome.datasets or (DATASET,)
    if outcome.match == Match.UNKNOWN or blocks is None:
        text = f"Whether policy '{name}' for workload identities stops the app is not known: {outcome.detail}."
        return Reason(State.UNKNOWN, text, facts, datasets)
    if outcome.match == Match.CONDITIONAL:
        text = f"Policy '{name}' for workload identities may stop the app: {outcome.detail}."
        return Reason(State.CONDITIONAL, text, facts, datasets)
    return Reason(State.BLOCKS, f"Policy '{name}' for workload identities blocks the app.", facts, datasets)


def _blocks(policy: Mapping[str, Any]) -> tuple[bool | None, str]:
    """Does it ask for "block" (None: for something whose effect on an app is not known)?"""
    if "grantControls" not in policy:
        return None, "grantControls was not read"
    controls = policy["grantControls"]
    if blank(controls):
        return False, ""
    try:
        named = strings(controls, "builtInControls") if isinstance(controls, Mapping) else []
    except Malformed:
        named = []
    return (True, "block") if named == ["block"] else (None, ", ".join(named) or "controls that are not known")


def _outcomes(
    tenant: Tenant, policy: Mapping[str, Any], conditions: Mapping[str, Any], principal_id: str, place: Place
) -> Iterator[Outcome]:
    if policy.get("state") != "enabled":
        yield unknown("state", f"the policy's state '{policy.get('state')}' is not known")
    for key in foreign(conditions, CONDITIONS):
        yield unknown(f"conditions.{key}", "the condition is not known for workload identities")
    try:
        yield _principals(tenant, conditions, principal_id)
        yield applications(conditions)
        if strings(conditions, "clientAppTypes") not in ([], ["all"]):
            yield unknown("conditions.clientAppTypes", "its client apps are not those of a workload identity")
        if strings(conditions, "servicePrincipalRiskLevels"):
            yield Outcome(Match.CONDITIONAL, "conditions.servicePrincipalRiskLevels", "it depends on the app's risk")
    except Malformed as problem:
        yield unknown("conditions", str(problem))
    yield location_outcome(tenant, conditions, place)


def _principals(tenant: Tenant, conditions: Mapping[str, Any], principal_id: str) -> Outcome:
    target = section(conditions, "clientApplications") or {}
    include = lower(strings(target, "includeServicePrincipals"))
    exclude = lower(strings(target, "excludeServicePrincipals"))
    if principal_id in exclude:
        return Outcome(Match.MISSES, f"{CONDITION}.excludeServicePrincipals", "the app is excluded")
    covered = _covered(tenant, principal_id)
    if covered is False:
        return Outcome(Match.MISSES, CONDITION, "such policies do not reach apps of this kind")
    strange = foreign(target, KEYS) + [word for word in (*include, *exclude) if is_word(word)
                                       and word not in (OWN_APPS, "none")]  # fmt: skip
    if strange or not blank(target.get("servicePrincipalFilter")):
        return unknown(CONDITION, f"which apps it takes in is not known ({(strange or ['servicePrincipalFilter'])[0]})")
    if principal_id in include and tenant.complete("servicePrincipals"):
        return Outcome(Match.REACHES, CONDITION, "the app is included")
    if principal_id in include or OWN_APPS in include:
        if covered is None:
            return unknown(CONDITION, "whether this tenant owns the app was not read", "servicePrincipals")
        return Outcome(Match.REACHES, CONDITION, "every app of this tenant is included")
    return Outcome(Match.MISSES, CONDITION, "the app is not included")


def _covered(tenant: Tenant, principal_id: str) -> bool | None:
    """Is it a single-tenant app of this tenant? None where the service principal does not tell."""
    principal = tenant.service_principals.get(principal_id)
    if principal is None or not tenant.complete("servicePrincipals"):
        return None
    if principal.get("servicePrincipalType") == "ManagedIdentity":
        return False
    audience = principal.get("signInAudience")
    if isinstance(audience, str) and audience not in ("", "AzureADMyOrg"):
        return False
    owner = principal.get("appOwnerOrganizationId")
    if not isinstance(owner, str) or not tenant.tenant_id:
        return None
    if owner.lower() != tenant.tenant_id.lower():
        return False
    return True if audience == "AzureADMyOrg" else None
