"""The blockers that one setting decides: account-state, security-defaults, per-user-mfa."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("value", "expected"), [(True, "clear"), (False, "blocks"), (None, "unknown"), ("no", "unknown")]
)
def test_account_state(says, value, expected):
    assert says("account-state", lambda records: records["users"][0].update(accountEnabled=value)) == expected


def test_account_state_that_was_not_read_is_unknown(says):
    def change(records):
        for user in records["users"]:
            del user["accountEnabled"]

    assert says("account-state", change) == "unknown"


DEFAULTS = "identitySecurityDefaultsEnforcementPolicy"


@pytest.mark.parametrize(
    ("value", "expected"), [(True, "blocks"), (False, "clear"), (None, "unknown"), ("on", "unknown")]
)
def test_security_defaults(says, value, expected):
    assert says("security-defaults", lambda records: records[DEFAULTS][0].update(isEnabled=value)) == expected


def test_security_defaults_that_were_not_read_are_unknown(says):
    assert says("security-defaults", without=(DEFAULTS,)) == "unknown"
    assert says("security-defaults", lambda records: records[DEFAULTS].clear()) == "unknown"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("disabled", "clear"),
        ("enabled", "conditional"),
        ("enforced", "conditional"),
        ("later", "unknown"),
        (None, "unknown"),
    ],
)
def test_per_user_mfa(says, value, expected):
    assert says("per-user-mfa", lambda records: records["perUserMfa"][0].update(perUserMfaState=value)) == expected


def test_per_user_mfa_that_was_not_read_is_unknown(says):
    assert says("per-user-mfa", without=("perUserMfa",)) == "unknown"
    assert says("per-user-mfa", lambda records: records["perUserMfa"].pop(0)) == "unknown"


def test_only_enforced_points_at_a_reply(make, tools):
    records = tools.base("ann", "bob")
    records["perUserMfa"][0]["perUserMfaState"] = "enforced"
    records["perUserMfa"][1]["perUserMfaState"] = "enabled"
    tenant = make(records)
    assert [tools.reason(tenant, "per-user-mfa", row=row).reply for row in (0, 1)] == ["credentials-incorrect", ""]


def test_conditional_access_of_a_snapshot(says):
    """The blocker is the engine of auditor.access; its rules are tested there."""
    policy = {
        "id": "p-1", "displayName": "MFA", "state": "enabled",
        "conditions": {"clientAppTypes": ["all"], "applications": {"includeApplications": ["All"]},
                       "users": {"includeUsers": ["All"]}},
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
    }  # fmt: skip
    assert says("conditional-access", lambda records: records["conditionalAccessPolicies"].append(policy)) == "blocks"
    assert says("conditional-access") == "clear"
    assert says("conditional-access", without=("conditionalAccessPolicies",)) == "unknown"
