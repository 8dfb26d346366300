"""What a policy's grant controls ask of a client that has nothing but a password.

"Sign-ins from legacy authentication clients" can meet no grant control, so each of them is as good as a block, with
"or" as well as with "and". Source:
https://learn.microsoft.com/entra/identity/conditional-access/concept-conditional-access-conditions
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.access.model import Demand, Grant
from auditor.access.shapes import Malformed, blank, foreign, section, strings
from auditor.tenant import Tenant

FIRM = frozenset(
    {"block", "mfa", "compliantDevice", "domainJoinedDevice", "compliantApplication", "passwordChange",
     "riskRemediation"}
)  # fmt: skip
RETIRED = frozenset({"approvedApplication"})
"""Retired in March 2026: read as if it were not set."""

KNOWN = ("operator", "builtInControls", "termsOfUse", "customAuthenticationFactors", "authenticationStrength")
STRENGTHS = "authenticationStrengthPolicies"


def read_grant(tenant: Tenant, policy: Mapping[str, Any], *, asks_password_risk: bool) -> Grant:
    """`asks_password_risk`: the policy carries a risk condition, without which `passwordChange` does not count.

    A policy without the property `grantControls` was read in part only, so its controls are unknown, unless it names
    session controls, which stand alone in policies without grant controls."""
    if "grantControls" not in policy and blank(policy.get("sessionControls")):
        return Grant(Demand.UNKNOWN, (), "grantControls was not read")
    try:
        controls = section(policy, "grantControls")
        return NOTHING if controls is None else _read(tenant, controls, asks_password_risk)
    except Malformed as problem:
        return Grant(Demand.UNKNOWN, (), f"grantControls cannot be read: {problem}")


NOTHING = Grant(Demand.NOTHING, (), "it asks for no grant control")


def _read(tenant: Tenant, controls: Mapping[str, Any], asks_password_risk: bool) -> Grant:
    firm: list[str] = []
    void: list[str] = []
    doubtful: list[tuple[str, str, tuple[str, ...]]] = []
    for control in strings(controls, "builtInControls"):
        if control in RETIRED or (control == "passwordChange" and not asks_password_risk):
            void.append(control)
        elif control in FIRM:
            firm.append(control)
        else:
            doubtful.append((control, f"control '{control}' is not known", ()))
    firm += [
        f"{key}: {item}" for key in ("termsOfUse", "customAuthenticationFactors") for item in strings(controls, key)
    ]
    doubtful += [(key, f"control '{key}' is not known", ()) for key in foreign(controls, KNOWN)]
    strength = section(controls, "authenticationStrength")
    if strength is not None:
        name, problem, datasets = _strength(tenant, strength)
        if problem:
            doubtful.append((name, problem, datasets))
        else:
            firm.append(name)
    return _join(controls, firm, void, doubtful)


def _join(
    controls: Mapping[str, Any], firm: list[str], void: list[str], doubtful: list[tuple[str, str, tuple[str, ...]]]
) -> Grant:
    """A firm control blocks unless a doubtful one may be met in its stead ("or")."""
    names = (*firm, *void, *(name for name, _, _ in doubtful))
    certain = "block" in firm or not doubtful or controls.get("operator") == "AND"
    if firm and certain:
        return Grant(Demand.BLOCKS, names, "no client with a password alone meets its grant controls")
    if doubtful:
        datasets = tuple(dict.fromkeys(name for _, _, used in doubtful for name in used))
        return Grant(Demand.UNKNOWN, names, doubtful[0][1], datasets)
    if void:
        return Grant(Demand.UNKNOWN, names, f"control '{void[0]}' alone has no documented effect here")
    return NOTHING


def _strength(tenant: Tenant, strength: Mapping[str, Any]) -> tuple[str, str, tuple[str, ...]]:
    """(name, why it may let a bare password through, datasets). Combinations that stand in the policy itself count as
    read; otherwise the list of strengths holds them."""
    identity = strength.get("id")
    label = strength.get("displayName") or identity or "unnamed"
    name = f"authenticationStrength: {label}"
    holder: Mapping[str, Any] = strength
    if blank(strength.get("allowedCombinations")):
        if not tenant.complete(STRENGTHS):
            return name, f"what authentication strength '{label}' allows was not read", (STRENGTHS,)
        key = identity.lower() if isinstance(identity, str) else ""
        holder = tenant.authentication_strengths.get(key, {})
    combinations = strings(holder, "allowedCombinations")
    if not combinations:
        return name, f"what authentication strength '{label}' allows is not in the list of strengths", (STRENGTHS,)
    if any(combination.strip().lower() == "password" for combination in combinations):
        return name, f"authentication strength '{label}' allows a bare password", ()
    return name, "", ()
