"""Sign-ins, audits and usage reports: what the logs show, and what contradicts the settings."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest

from auditor.demo.tenant import generate
from auditor.demo.tenant.signins import ABROAD, SPRAY_SOURCES
from auditor.demo.tenant.usage import EMAIL_APP_COLUMNS

SMTP = ("Authenticated SMTP", "SMTP")


def smtp(tenant):
    return [row for row in tenant.graph["signIns"] if row["clientAppUsed"] in SMTP]


def of(tenant, name):
    return [row for row in smtp(tenant) if row["userPrincipalName"].partition("@")[0] == name]


def code(row):
    return row["status"]["errorCode"]


def test_smtp_is_only_a_part_of_the_log(tenant):
    clients = Counter(row["clientAppUsed"] for row in tenant.graph["signIns"])
    assert clients["Authenticated SMTP"] > 200
    assert clients["SMTP"] > 0
    assert sum(count for client, count in clients.items() if client not in SMTP) > 1000


def test_newest_first_within_thirty_days(tenant):
    times = [row["createdDateTime"] for row in tenant.graph["signIns"]]
    assert times == sorted(times, reverse=True)
    assert times[-1] >= "2026-10-24"
    assert times[0] <= "2026-11-23T16:00:00Z"


def test_codes_of_each_kind(tenants):
    assert {code(row) for row in smtp(tenants["default"])} == {0, 50034, 50053, 50055, 50057, 50126, 53003}
    assert 530035 in {code(row) for row in smtp(tenants["security-defaults"])}
    assert 0 not in {code(row) for row in smtp(tenants["security-defaults"])}


def test_a_spray_from_few_sources_against_many_accounts(tenant):
    targets = defaultdict(set)
    for row in smtp(tenant):
        if row["ipAddress"] in SPRAY_SOURCES:
            assert code(row) != 0
            targets[row["ipAddress"]].add(row["userId"])
    assert len(targets) == 3
    assert all(len(accounts) > 30 for accounts in targets.values())
    known = {row["id"] for row in tenant.graph["users"]}
    assert len(set().union(*targets.values()) - known) == 12


def test_senders_and_undeclared_accounts_use_smtp(tenant):
    declared = {sender["account"].lower() for sender in tenant.senders}
    used = {row["userPrincipalName"] for row in smtp(tenant) if code(row) == 0}
    assert len(used & declared) > 8
    assert {"svc.faxgate@contoso.example", "admin.migration@contoso.example"} <= used - declared


def test_one_sender_is_used_from_elsewhere(tenant):
    for sender in tenant.senders:
        seen = {row["ipAddress"] for row in smtp(tenant)
                if row["userPrincipalName"] == sender["account"].lower() and code(row) == 0}  # fmt: skip
        outside = seen - set(sender.get("egress_ips", ()))
        assert outside == ({ABROAD} if sender["name"] == "finance-from" else set()), sender["name"]


def test_one_success_is_newer_than_the_policy_that_should_block_it(tenant):
    [policy] = [row for row in tenant.graph["conditionalAccessPolicies"] if row["displayName"].startswith("CA001 ")]
    newest = of(tenant, "svc.newsletter")[0]
    assert code(newest) == 0
    assert newest["createdDateTime"] > policy["modifiedDateTime"]
    assert tenant.fates["newsletter"]["deciding_blocker"] == "conditional-access"


def test_one_refusal_where_nothing_should_block(tenant):
    assert [code(row) for row in of(tenant, "svc.monitoring")][:2] == [53003, 0]
    assert tenant.fates["monitoring"]["basic"] == "open"


def test_refusals_name_the_policy(tenant):
    applied = [row["appliedConditionalAccessPolicies"] for row in of(tenant, "svc.onboarding") if code(row) == 53003]
    assert applied
    for policies in applied:
        assert [row["displayName"][:5] for row in policies if row["result"] == "failure"] == ["CA002"]
        assert "reportOnlyFailure" in {row["result"] for row in policies}


@pytest.mark.parametrize(("quarter", "successes"), [(3, True), (5, False)])
def test_no_success_once_the_managed_policy_blocks_everybody(quarter, successes):
    tenant = generate(quarter=quarter)
    assert any(code(row) == 0 for row in smtp(tenant)) is successes


def test_audits(tenant):
    rows = tenant.graph["directoryAudits"]
    activities = Counter(row["activityDisplayName"] for row in rows)
    assert activities["Create application password for user"] == 2
    assert activities["Delete application password for user"] == 1
    assert len(activities) > 4
    known = {row["id"] for row in tenant.graph["users"]}
    assert {row["targetResources"][0]["id"] for row in rows} <= known
    assert set(tenant.app_passwords) <= known


def test_email_app_usage(tenant):
    rows = tenant.graph["emailAppUsage"]
    assert all(tuple(row) == EMAIL_APP_COLUMNS for row in rows)
    smtp_users = {row["User Principal Name"] for row in rows if row["SMTP App"] == "Yes"}
    assert "svc.erp@contoso.example" in smtp_users
    assert 10 < len(smtp_users) < 40
    assert {row["Report Refresh Date"] for row in rows} == {"2026-11-21"}


def test_mailbox_usage(tenant):
    rows = tenant.graph["mailboxUsage"]
    assert {row["recipientType"] for row in rows} == {"User", "Shared"}
    assert sum(row["isDeleted"] for row in rows) == 1
    living = {row["userPrincipalName"] for row in rows if not row["isDeleted"]}
    assert living == {row["UserPrincipalName"] for row in tenant.exchange["mailboxes"]}
