from __future__ import annotations

import pytest


def policies(assigned=None, default=None):
    def change(records):
        records["exchangeUsers"][0]["AuthenticationPolicy"] = assigned
        records["exchangeUsers"][1]["AuthenticationPolicy"] = "Lenient"  # so that the property was read
        records["organizationConfig"][0]["DefaultAuthenticationPolicy"] = default

    return change


TABLE = [
    (None, None, "clear"),
    ("Strict", None, "blocks"),
    ("Lenient", None, "clear"),
    (None, "Strict", "blocks"),
    (None, "Lenient", "clear"),
    ("Lenient", "Strict", "clear"),
    ("Strict", "Lenient", "blocks"),
    ("Gone", None, "unknown"),
    (None, "Gone", "unknown"),
]


@pytest.mark.parametrize(("assigned", "default", "expected"), TABLE)
def test_the_accounts_own_policy_else_the_default(says, assigned, default, expected):
    assert says("authentication-policy", policies(assigned, default)) == expected


LOST = [
    (None, None, "exchangeUsers", "unknown"),
    (None, None, "organizationConfig", "unknown"),
    ("Lenient", None, "organizationConfig", "clear"),
    (None, None, "authenticationPolicies", "clear"),
    ("Strict", None, "authenticationPolicies", "unknown"),
    (None, "Lenient", "authenticationPolicies", "unknown"),
]


@pytest.mark.parametrize(("assigned", "default", "lost", "expected"), LOST)
def test_lost_data_is_unknown_where_it_decides(says, assigned, default, lost, expected):
    assert says("authentication-policy", policies(assigned, default), without=(lost,)) == expected


def test_an_account_without_a_row_is_unknown(says):
    assert says("authentication-policy", lambda records: records["exchangeUsers"].pop(0)) == "unknown"


@pytest.mark.parametrize("value", [None, "maybe"])
def test_an_unreadable_allowance_is_unknown_unless_blank_means_not_allowed(says, value):
    def change(records):
        policies("Strict")(records)
        records["authenticationPolicies"][0]["AllowBasicAuthSmtp"] = value

    assert says("authentication-policy", change) == "unknown"


def test_the_reason_names_the_policy_and_its_reply(make, tools):
    records = tools.base("ann", "bob")
    policies(None, "Strict")(records)
    reason = tools.reason(make(records), "authentication-policy")
    assert "default authentication policy 'Strict'" in reason.text
    assert ("AllowBasicAuthSmtp", "False") in reason.facts
    assert reason.reply == "basic-authentication-disabled"
