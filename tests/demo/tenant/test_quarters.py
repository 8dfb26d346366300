"""From quarter to quarter the company stays the same, but for a known list of changes."""

from __future__ import annotations

import pytest

from auditor.demo.tenant import changes, generate


@pytest.fixture(scope="module")
def quarters():
    return {quarter: generate(quarter=quarter) for quarter in (1, 2, 3, 4)}


def users(tenant):
    return {row["userPrincipalName"].partition("@")[0]: row for row in tenant.graph["users"]}


def policies(tenant):
    return {row["displayName"]: row["state"] for row in tenant.graph["conditionalAccessPolicies"]}


STEADY = ("displayName", "accountEnabled", "createdDateTime", "assignedLicenses", "proxyAddresses", "passwordPolicies")


def test_nothing_happens_in_the_first_quarter_or_after_the_last_change():
    assert changes(1) == []
    assert changes(9) == []
    assert {change.kind for quarter in (2, 3, 4) for change in changes(quarter)} == {
        "sender-fixed", "admin-fixed", "account-exposed", "leaver-gone", "policy-on", "mfa-off", "account-fixed",
        "new-admin",
    }  # fmt: skip


def test_only_the_named_accounts_come_and_go(quarters):
    before, after = users(quarters[1]), users(quarters[2])
    assert set(after) - set(before) == {"svc.newintegration"}
    assert set(before) - set(after) == {"leaver3"}
    assert set(users(quarters[3])) == set(after)


def test_other_accounts_stay_as_they_are(quarters):
    before, after = users(quarters[1]), users(quarters[4])
    changed = {
        name for name in before.keys() & after.keys() if any(before[name][key] != after[name][key] for key in STEADY)
    }
    assert changed == {"plan.upgraded"}


def test_passwords_age_unless_they_are_changed(quarters):
    before, after = users(quarters[1]), users(quarters[2])
    assert before["svc.erp"]["lastPasswordChangeDateTime"] == after["svc.erp"]["lastPasswordChangeDateTime"]
    assert before["unset.new"]["lastPasswordChangeDateTime"] < after["unset.new"]["lastPasswordChangeDateTime"]


def test_a_policy_goes_from_report_only_to_on(quarters):
    name = "CA026 Frontline: block legacy (trial)"
    assert policies(quarters[1])[name] == "enabledForReportingButNotEnforced"
    assert policies(quarters[2])[name] == "enabled"
    managed = "Microsoft-managed: Block legacy authentication"
    assert [policies(quarters[quarter])[managed] == "enabled" for quarter in (1, 2, 3, 4)] == [False] * 3 + [True]


def test_fixed_senders_have_another_fate(quarters):
    scanner = [quarters[quarter].fates["scanner-hq"]["basic"] for quarter in (1, 2)]
    newsletter = [quarters[quarter].fates["newsletter"]["basic"] for quarter in (2, 3)]
    assert scanner == newsletter == ["blocked", "conditional"]
    assert {
        fate["basic"] for name, fate in quarters[4].fates.items() if name not in ("relay-printers", "departed")
    } == {"blocked"}


def test_the_exposed_operator_left_the_exclusions(quarters):
    operator = users(quarters[1])["admin.migration"]["id"]
    held = [any(operator in members for members in quarters[quarter].group_members.values()) for quarter in (1, 2)]
    assert held == [True, False]


def test_policies_keep_their_ids(quarters):
    ids = [[row["id"] for row in quarters[quarter].graph["conditionalAccessPolicies"]] for quarter in (1, 4)]
    assert ids[0] == ids[1]
