"""What a policy's grant controls ask of a client that has nothing but a password.

"Sign-ins from legacy authentication clients" can meet no grant control, so each of them is as good as a block, with
"or" as well as with "and". Source:
https://learn.microsoft.com/entra/identity/conditional-access/concept-conditional-access-conditions
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from auditor.access.model import Demand, Grant
from auditor.access.shapes import Malformed, blank, foreign, section, strings
from auditor.tenant import Tenant

FIRM = frozenset(
    {"block", "mfa", "compliantDevice", "domainJoinedDevice", "compliantApplication", "passwordChange",
     "riskRemediation"}
)  # fmt: skip
RETIRED = frozenset({"approvedApplication"})
"""Retired in March 2026: read as if it were not set."""

SINGLE_FACTORS = frozenset({"password", "federatedsinglefactor"})
"""Combinations that a password alone meets, the second at the organisation's own sign-in server."""
FACTORS = SINGLE_FACTORS | {
    "voice", "hardwareoath", "softwareoath", "sms", "fido2", "windowshelloforbusiness", "microsoftauthenticatorpush",
    "devicebasedpush", "temporaryaccesspassonetime", "temporaryaccesspassmultiuse", "email",
    "x509certificatesinglefactor", "x509certificatemultifactor", "federatedmultifactor", "qrcodepin",
}  # fmt: skip
"""Graph's authenticationMethodModes, lower case."""

KNOWN = ("operator", "builtInControls", "termsOfUse", "customAuthenticationFactors", "authenticationStrength")
STRENGTHS = "authenticationStrengthPolicies"


def read_grant(tenant: Tenant, policy: Mapping[str, Any], *, asks_password_risk: bool) -> Grant:
    """`asks_password_risk`: the policy carries a risk condition, without which `passwordChange` does not count.

    A policy without the property `grantControls` was read in part only, so its controls are unknown, unless it names
    session controls, which stand alone in policies without grant controls."""
    if "grantControls" not in policy and blank(policy.get("sessionControls")):
        return _unreadable("grantControls was not read")
    try:
        controls = section(policy, "grantControls")
        return NOTHING if controls is None else _read(tenant, controls, asks_password_risk)
    except Malformed as problem:
        return _unreadable(f"grantControls cannot be read: {problem}")


class _Doubt(NamedTuple):
    """A control that a password alone may meet, or one that is not known (`strange`)."""

    name: str
    why: str
    datasets: tuple[str, ...] = ()
    strange: bool = True


def _unreadable(why: str) -> Grant:
    return Grant(Demand.UNKNOWN, (), why, strange=(why,))


NOTHING = Grant(Demand.NOTHING, (), "it asks for no grant control")


def _read(tenant: Tenant, controls: Mapping[str, Any], asks_password_risk: bool) -> Grant:
    firm: list[str] = []
    void: list[str] = []
    doubtful: list[_Doubt] = []
    for control in strings(controls, "builtInControls"):
        if control in RETIRED or (control == "passwordChange" and not asks_password_risk):
            void.append(control)
        elif control in FIRM:
            firm.append(control)
        else:
            doubtful.append(_Doubt(control, f"control '{control}' is not known"))
    firm += [
        f"{key}: {item}" for key in ("termsOfUse", "customAuthenticationFactors") for item in strings(controls, key)
    ]
    doubtful += [_Doubt(key, f"control '{key}' is not known") for key in foreign(controls, KNOWN)]
    strength = section(controls, "authenticationStrength")
    if strength is not None:
        name, doubt = _strength(tenant, strength)
        if doubt:
            doubtful.append(doubt)
        else:
            firm.append(name)
    return _join(controls, firm, void, doubtful)


def _join(controls: Mapping[str, Any], firm: list[str], void: list[str], doubtful: list[_Doubt]) -> Grant:
    """A firm control blocks unless a doubtful one may be met in its stead ("or")."""
    names = (*firm, *void, *(doubt.name for doubt in doubtful))
    strange = tuple(doubt.why for doubt in doubtful if doubt.strange)
    operator = controls.get("operator")
    if names and operator is not None and operator not in ("AND", "OR"):
        strange += (f"operator '{operator}' is not known",)
    certain = "block" in firm or not doubtful or operator == "AND"
    if firm and certain:
        detail = "no client with a password alone meets its grant controls"
        return Grant(Demand.BLOCKS, names, detail, strange=strange)
    if doubtful:
        datasets = tuple(dict.fromkeys(name for doubt in doubtful for name in doubt.datasets))
        return Grant(Demand.UNKNOWN, names, doubtful[0].why, datasets, strange)
    if void:
        return Grant(Demand.UNKNOWN, names, f"control '{void[0]}' alone has no documented effect here")
    return NOTHING


def _strength(tenant: Tenant, strength: Mapping[str, Any]) -> tuple[str, _Doubt | None]:
    """(name, why it may let a bare password through). Combinations that stand in the policy itself count as read;
    otherwise the list of strengths holds them."""
    identity = strength.get("id")
    label = strength.get("displayName") or identity or "unnamed"
    name = f"authenticationStrength: {label}"
    holder: Mapping[str, Any] = strength
    if blank(strength.get("allowedCombinations")):
        if not tenant.complete(STRENGTHS):
            why = f"what authentication strength '{label}' allows was not read"
            return name, _Doubt(name, why, (STRENGTHS,), strange=False)
        key = identity.lower() if isinstance(identity, str) else ""
        holder = tenant.authentication_strengths.get(key, {})
    combinations = [combination.strip().lower() for combination in strings(holder, "allowedCombinations")]
    if not combinations:
        why = f"what authentication strength '{label}' allows is not in the list of strengths"
        return name, _Doubt(name, why, (STRENGTHS,))
    if not SINGLE_FACTORS.isdisjoint(combinations):
        return name, _Doubt(name, f"authentication strength '{label}' allows a bare password", strange=False)
    new = {factor.strip() for combination in combinations for factor in combination.split(",")} - FACTORS
    if new:
        return name, _Doubt(name, f"authentication strength '{label}' allows '{min(new)}', which is not known")
    return name, None
