"""The declared senders, what they were built to be, and the apps behind them."""

from __future__ import annotations

import msgspec
import pytest

from auditor.config import Config
from auditor.demo.tenant import SCENARIOS, WITNESSES, generate
from auditor.demo.tenant.apps import SEND_AS_APP, SEND_AS_APP_TOO

VERDICTS = {"blocked", "unknown", "conditional", "open", "not_applicable", "missing"}


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("quarter", [1, 2, 3, 4, 5])
def test_every_sender_has_a_fate(scenario, quarter):
    tenant = generate(accounts=30, scenario=scenario, quarter=quarter)
    declared = [sender["name"] for sender in tenant.senders]
    assert len(set(declared)) == len(declared)
    assert set(declared) == set(tenant.fates)
    for name, fate in tenant.fates.items():
        assert set(fate) == {"basic", "oauth", "deciding_blocker"}
        assert {fate["basic"], fate["oauth"]} <= VERDICTS
        blocked = "blocked" in (fate["basic"], fate["oauth"])
        assert bool(fate["deciding_blocker"]) == blocked, name


def test_the_fates_differ(tenant):
    assert {fate["basic"] for fate in tenant.fates.values()} == VERDICTS
    assert len({fate["deciding_blocker"] for fate in tenant.fates.values()}) == 11


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_config_takes_the_senders(scenario, tenants):
    config = msgspec.convert({"senders": tenants[scenario].senders}, Config)
    assert len(config.senders) == len(tenants[scenario].senders)


def test_senders_are_accounts_of_the_tenant_but_one(tenants):
    for tenant in tenants.values():
        known = {row["userPrincipalName"] for row in tenant.graph["users"]}
        assert [s["name"] for s in tenant.senders if s["account"] not in known] == ["departed"]


def test_the_announced_change_only_reaches_basic_submission():
    before, after = generate(accounts=30), generate(accounts=30, quarter=2)
    assert (before.fates["erp-invoices"]["basic"], after.fates["erp-invoices"]["basic"]) == ("open", "conditional")
    assert (before.fates["announcements"]["basic"], after.fates["announcements"]["basic"]) == ("open", "open")
    assert before.fates["ticketing"]["oauth"] == after.fates["ticketing"]["oauth"] == "open"


def test_witnesses_name_accounts_and_senders_that_exist(tenants):
    for witness in WITNESSES:
        tenant = tenants[witness.scenario]
        known = {row["userPrincipalName"].partition("@")[0] for row in tenant.graph["users"]}
        assert witness.who in known | {sender["name"] for sender in tenant.senders}, witness


def test_the_reply_is_brought_after_the_retirement_only(tenants):
    assert [name for name, tenant in tenants.items() if tenant.smtp_replies] == ["after-retirement"]
    [reply] = tenants["after-retirement"].smtp_replies
    assert set(reply) == {"account", "time", "text", "source"}
    assert reply["text"].startswith("550 5.7.30 ")


def test_only_no_exchange_goes_without_it(tenants):
    assert {name: tenant.exchange_mode for name, tenant in tenants.items()} == {
        "default": "admin-api", "security-defaults": "admin-api", "no-exchange": "none",
        "after-retirement": "admin-api",
    }  # fmt: skip


def test_oauth_wiring(tenant):
    """Ticketing has all three, backup lacks the mailbox, meter readings hold a role instead of the permission."""
    apps = {row["displayName"]: row for row in tenant.graph["servicePrincipals"]}
    granted = {(row["principalDisplayName"], row["appRoleId"]) for row in tenant.graph["appRoleAssignments"]}
    registered = {row["AppId"] for row in tenant.exchange["exchangeServicePrincipals"]}
    access = {row["User"]: row["Identity"] for row in tenant.exchange["mailboxPermissions"]}
    declared = {sender["name"]: sender for sender in tenant.senders}
    assert ("Ticketing connector", SEND_AS_APP) in granted
    assert ("Backup reporter", SEND_AS_APP_TOO) in granted
    assert access[apps["Ticketing connector"]["id"]] == "app.ticketing"
    assert apps["Backup reporter"]["id"] not in access
    assert {apps[name]["appId"] for name in ("Ticketing connector", "Backup reporter", "Meter readings")} <= registered
    [role] = [row for row in tenant.exchange["managementRoleAssignments"]
              if row["Role"] == "Application SMTP.SendAsApp"]  # fmt: skip
    assert role["RoleAssignee"] == apps["Meter readings"]["id"]
    assert declared["ticketing"]["oauth_app_id"] == apps["Ticketing connector"]["appId"]
    assert "oauth_app_id" not in declared["surveys"]
    scopes = {row["clientId"]: row["scope"].split() for row in tenant.graph["oauth2PermissionGrants"]}
    assert "SMTP.Send" in scopes[apps["Customer portal"]["id"]]
    assert apps["Old CRM add-in"]["accountEnabled"] is False


def test_send_as_comes_through_a_group(tenant, user):
    trustees = {row["Identity"]: row["Trustee"] for row in tenant.exchange["recipientPermissions"]
                if row["Trustee"] != "NT AUTHORITY\\SELF"}  # fmt: skip
    [group] = [row for row in tenant.graph["groups"] if row["mail"] == trustees["finance"]]
    assert user(tenant, "svc.sendas")["id"] in tenant.group_members[group["id"]]
    assert "payroll" not in trustees
