"""What a policy asks for: any control is as good as a block for a client with a password alone."""

from __future__ import annotations

import pytest

STRENGTHS = {
    "strong": {"displayName": "Strong", "allowedCombinations": ["password,microsoftAuthenticatorPush", "fido2"]},
    "weak": {"displayName": "Weak", "allowedCombinations": ["fido2", "password"]},
    "hollow": {"allowedCombinations": []},
    "new": {"allowedCombinations": ["fido2", "password,brandNew"]},
    "elsewhere": {"allowedCombinations": ["federatedSingleFactor"]},
    "telling": {"allowedCombinations": ["federatedSingleFactor,sms", "qrCodePin", "x509CertificateSingleFactor"]},
}


def ask(*controls, operator="OR", **more):
    return {"grantControls": {"operator": operator, "builtInControls": list(controls), "termsOfUse": [],
                              "customAuthenticationFactors": [], "authenticationStrength": None} | more}  # fmt: skip


def strength(identity, *controls, operator="OR", **more):
    return ask(*controls, operator=operator, authenticationStrength={"id": identity, **more})


TABLE = [
    *((ask(control), "blocks") for control in ("block", "mfa", "compliantDevice", "domainJoinedDevice",
                                               "compliantApplication", "riskRemediation")),
    (ask("mfa", "compliantDevice", operator="OR"), "blocks"),
    (ask("mfa", "compliantDevice", operator="AND"), "blocks"),
    (ask("mfa", operator=None), "blocks"),
    (ask(termsOfUse=["tou-1"]), "blocks"),
    (ask(customAuthenticationFactors=["duo"]), "blocks"),
    (ask(), "clear"),
    ({"grantControls": None}, "clear"),
    ({"grantControls": None, "sessionControls": {"signInFrequency": {"isEnabled": True}}}, "clear"),
    (ask("approvedApplication"), "unknown"),
    (ask("approvedApplication", "compliantApplication"), "blocks"),
    (ask("approvedApplication", "mfa", operator="AND"), "blocks"),
    (ask("unknownFutureValue"), "unknown"),
    (ask("mfa", "unknownFutureValue", operator="OR"), "unknown"),  # the new control may be one that a password meets
    (ask("mfa", "unknownFutureValue", operator="AND"), "blocks"),
    (ask("mfa", "unknownFutureValue", operator="XOR"), "unknown"),
    (ask("block", "unknownFutureValue"), "blocks"),
    (ask(brandNew=["x"]), "unknown"),
    (ask("mfa", brandNew=["x"], operator="AND"), "blocks"),
    (ask("passwordChange"), "unknown"),
    (ask("passwordChange", "mfa", operator="AND"), "blocks"),
    (strength("strong"), "blocks"),
    (strength("STRONG"), "blocks"),
    (strength("weak"), "unknown"),
    (strength("weak", "mfa", operator="OR"), "unknown"),
    (strength("weak", "mfa", operator="AND"), "blocks"),
    (strength("hollow"), "unknown"),
    (strength("new"), "unknown"),
    (strength("elsewhere"), "unknown"),  # a password alone, checked at the organisation's own sign-in server
    (strength("telling"), "blocks"),
    (strength("gone"), "unknown"),
    (strength("gone", allowedCombinations=["fido2"]), "blocks"),
    (strength("strong", allowedCombinations=["password"]), "unknown"),
    (strength("gone", allowedCombinations="fido2"), "unknown"),
    (ask(authenticationStrength="strong"), "unknown"),
    ({"grantControls": {"operator": "OR", "builtInControls": "mfa"}}, "unknown"),
    ({"grantControls": ["mfa"]}, "unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("patch", "expected"), TABLE)
def test_grant(state, patch, expected):
    assert state(patch, strengths=STRENGTHS) == expected


def test_a_strength_that_was_not_read_is_unknown_unless_the_policy_says_it_itself(state):
    lost = frozenset({"authenticationStrengthPolicies"})
    assert state(strength("strong"), strengths=STRENGTHS, missing=lost) == "unknown"
    assert state(strength("strong", allowedCombinations=["fido2"]), missing=lost) == "blocks"
    assert state(strength("strong", "mfa", operator="AND"), missing=lost) == "blocks"


def test_password_change_counts_with_its_risk_condition(state):
    assert state(ask("passwordChange") | {"conditions": {"userRiskLevels": ["high"]}}) == "conditional"


def test_session_controls_without_the_property_of_grant_controls_do_not_block(build):
    policy = build["policy"](sessionControls={"signInFrequency": {"isEnabled": True}})
    del policy["grantControls"]
    assert build["reason_of"](build["World"](policies=(policy,))).state.word == "clear"


def test_a_doubtful_control_beats_what_cannot_be_decided(state):
    patch = ask("unknownFutureValue") | {"conditions": {"userRiskLevels": ["high"]}}
    assert state(patch) == "unknown"
