from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

NEVER = 2147483647


def password(age=10, validity=NEVER, policies=None, mfa="disabled", **domain):
    """`age` in days before 2026-11-23; the domain's policy; per-user MFA."""
    changed = datetime(2026, 11, 23, 16, tzinfo=UTC) - timedelta(days=age)

    def change(records):
        records["users"][0].update(
            lastPasswordChangeDateTime=changed.strftime("%Y-%m-%dT%H:%M:%SZ"), passwordPolicies=policies
        )
        records["domains"][0].update(passwordValidityPeriodInDays=validity, **domain)
        records["perUserMfa"][0]["perUserMfaState"] = mfa

    return change


TABLE = [
    (password(), "clear"),
    (password(age=90, validity=90), "clear"),
    (password(age=91, validity=90), "blocks"),
    (password(age=5000), "clear"),
    (password(age=91, validity=90, policies="DisablePasswordExpiration"), "clear"),
    (password(age=91, validity=90, policies="DisableStrongPassword, DisablePasswordExpiration"), "clear"),
    (password(age=91, validity=90, mfa="enabled"), "blocks"),
    (password(age=91, validity=90, mfa="enforced"), "conditional"),
    (password(age=91, validity=90, mfa="someday"), "unknown"),
    (password(age=90, validity=None), "clear"),
    (password(age=91, validity=None), "unknown"),
    (password(age=91, validity=None, policies="DisablePasswordExpiration"), "clear"),
    (password(age=91, validity=0), "unknown"),
    (password(age=91, validity="90"), "unknown"),
    (password(age=91, validity=90, authenticationType="Federated"), "conditional"),
    (password(authenticationType="Federated", policies="DisablePasswordExpiration"), "conditional"),
    (password(authenticationType="Someday"), "unknown"),
    (password(authenticationType=None), "unknown"),
]


@pytest.mark.parametrize(("change", "expected"), TABLE)
def test_password(says, change, expected):
    assert says("credential", change) == expected


def test_a_sub_domain_takes_the_root_domains_value(says):
    def change(records):
        password(age=91, validity=90)(records)
        records["users"][0]["userPrincipalName"] = "ann@eu.contoso.example"
        records["domains"].append({"id": "eu.contoso.example", "authenticationType": "Managed", "isRoot": False,
                                   "passwordValidityPeriodInDays": NEVER})  # fmt: skip

    assert says("credential", change) == "blocks"


def test_an_unlisted_domain_is_unknown(says):
    def change(records):
        records["users"][0]["userPrincipalName"] = "ann@fabrikam.example"

    assert says("credential", change) == "unknown"


EXPIRED = password(age=91, validity=90)


@pytest.mark.parametrize(
    ("change", "lost", "expected"),
    [
        (EXPIRED, "perUserMfa", "unknown"),
        (password(), "perUserMfa", "clear"),
        (password(), "domains", "unknown"),
        (EXPIRED, "domains", "unknown"),
    ],
)
def test_lost_data_is_unknown_where_it_decides(says, change, lost, expected):
    assert says("credential", change, without=(lost,)) == expected


@pytest.mark.parametrize("unread", ["lastPasswordChangeDateTime", "passwordPolicies"])
def test_an_unread_property_is_unknown_where_it_decides(says, unread):
    def change(records):
        EXPIRED(records)
        for user in records["users"]:
            del user[unread]

    assert says("credential", change) == "unknown"


def test_an_unread_policy_of_the_domain_is_unknown(says):
    def change(records):
        del records["domains"][0]["passwordValidityPeriodInDays"]

    assert says("credential", change) == "unknown"

    def never(records):
        change(records)
        records["users"][0]["passwordPolicies"] = "DisablePasswordExpiration"

    assert says("credential", never) == "clear"
