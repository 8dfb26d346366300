"""Every kind of account, licence and credential that matters is in the company."""

from __future__ import annotations

from datetime import datetime

import pytest

from auditor.demo.tenant.account import EXPIRING, FEDERATED, ROOT, SUB, UNSET
from auditor.demo.tenant.licences import EXCHANGE_PLANS, SKUS


def rows(tenant, dataset):
    return {row["UserPrincipalName"].partition("@")[0]: row for row in tenant.exchange[dataset]}


def exchange_plans(user, status=("Enabled",)):
    return {
        plan["servicePlanId"]
        for plan in user["assignedPlans"]
        if plan["service"] == "exchange" and plan["capabilityStatus"] in status
    }


def test_recipient_types(tenant):
    assert {row["RecipientTypeDetails"] for row in tenant.exchange["mailboxes"]} == {
        "UserMailbox", "SharedMailbox", "RoomMailbox", "EquipmentMailbox",
    }  # fmt: skip
    users = {row["RecipientTypeDetails"] for row in tenant.exchange["exchangeUsers"]}
    assert users >= {"UserMailbox", "MailUser", "GuestMailUser", "User", "DisabledUser"}


def test_guests_of_each_kind(tenant, user):
    assert user(tenant, "partner_tailwind.example#EXT#")["externalUserState"] == "Accepted"
    assert user(tenant, "pending_wingtip.example#EXT#")["externalUserState"] == "PendingAcceptance"
    internal = user(tenant, "guest.internal")
    assert (internal["userType"], internal["creationType"]) == ("Guest", None)
    external = user(tenant, "member_wingtip.example#EXT#")
    assert (external["userType"], external["creationType"]) == ("Member", "Invitation")


def test_break_glass_sync_and_leavers(tenant, user):
    roles = {(row["principalId"], row["roleDefinitionId"]) for row in tenant.graph["roleAssignments"]}
    for number in (1, 2):
        account = user(tenant, f"breakglass{number}")
        assert (account["id"], "62e90394-69f5-4237-9190-012177145e10") in roles
        assert account["mail"] is None
    sync = [row for row in tenant.graph["users"] if row["userPrincipalName"].startswith("Sync_")]
    assert len(sync) == 2
    assert all((row["id"], "d29b2b05-8046-44ba-8758-1e26182fcf32") in roles for row in sync)
    assert user(tenant, "leaver2")["accountEnabled"] is False


def test_a_mail_user_and_a_mailbox_on_premises_have_no_mailbox_here(tenant, user):
    mailboxes = {row["ExternalDirectoryObjectId"] for row in tenant.exchange["mailboxes"]}
    for local in ("mail.user", "onprem1", "onprem2", "hve.internal"):
        account = user(tenant, local)
        assert account["mail"]
        assert account["id"] not in mailboxes
    assert user(tenant, "onprem1")["onPremisesSyncEnabled"] is True


def test_products_carry_their_real_number_of_plans(tenant):
    carried = {row["skuPartNumber"]: row["servicePlans"] for row in tenant.graph["subscribedSkus"]}
    assert len(carried["SPE_E3"]) == 53
    assert len(carried["SPE_E5"]) == 81
    for part, plans in carried.items():
        assert len({plan["servicePlanId"] for plan in plans}) == len(plans) == SKUS[part].plans
    assert {"SPE_E3", "SPE_E5", "SPB", "EXCHANGESTANDARD", "EXCHANGEDESKLESS", "SPE_F1", "M365_F1", "M365_F1_COMM",
            "O365_BUSINESS"} <= set(carried)  # fmt: skip


def test_foundation_only_is_no_mailbox_plan(tenant, user):
    assert exchange_plans(user(tenant, "svc.kiosk")) == {EXCHANGE_PLANS["EXCHANGE_S_FOUNDATION"]}
    assert exchange_plans(user(tenant, "apps.only")) == {EXCHANGE_PLANS["EXCHANGE_S_FOUNDATION"]}


def test_plans_off_in_error_pending_and_long_gone(tenant, user):
    off = user(tenant, "plan.off")
    assert off["assignedLicenses"][0]["disabledPlans"] == [EXCHANGE_PLANS["EXCHANGE_S_ENTERPRISE"]]
    error = user(tenant, "plan.error")
    assert [row["state"] for row in error["licenseAssignmentStates"]] == ["Error"]
    assert error["licenseAssignmentStates"][0]["error"] == "CountViolation"
    assert error["licenseAssignmentStates"][0]["assignedByGroup"] in tenant.group_members
    assert error["assignedLicenses"] == []
    both = user(tenant, "plan.both")
    assert [row["state"] for row in both["licenseAssignmentStates"]] == ["Error", "Active"]
    assert exchange_plans(user(tenant, "plan.suspended"), ("Suspended",))
    assert exchange_plans(user(tenant, "once.mail"), ("Deleted",)) == {EXCHANGE_PLANS["EXCHANGE_S_STANDARD"]}
    pending = {row["skuPartNumber"]: row for row in tenant.graph["subscribedSkus"]}["EXCHANGEENTERPRISE"]
    assert {plan["provisioningStatus"] for plan in pending["servicePlans"]} == {"PendingProvisioning", "Success"}


def test_group_based_licences_come_from_a_group_that_has_the_account(tenant):
    by_group = 0
    for row in tenant.graph["users"]:
        for state in row["licenseAssignmentStates"]:
            if state["assignedByGroup"]:
                by_group += 1
                assert row["id"] in tenant.group_members[state["assignedByGroup"]]
    assert by_group > 3


def test_without_premium_no_product_carries_it(tenants):
    small = tenants["security-defaults"]
    assert small.premium is False
    plans = {plan["servicePlanName"] for sku in small.graph["subscribedSkus"] for plan in sku["servicePlans"]}
    plans |= {plan["servicePlanId"] for plan in small.graph["organization"][0]["assignedPlans"]}
    assert not plans & {"AAD_PREMIUM", "AAD_PREMIUM_P2", "41781fb2-bc02-4b7c-bd55-b576c07bb09d"}


def test_domains(tenant):
    domains = {row["id"]: row for row in tenant.graph["domains"]}
    assert domains[ROOT]["passwordValidityPeriodInDays"] == 2147483647
    assert (domains[SUB]["isRoot"], domains[SUB]["passwordValidityPeriodInDays"]) == (False, None)
    assert domains[FEDERATED]["authenticationType"] == "Federated"
    assert domains[EXPIRING]["passwordValidityPeriodInDays"] == 90
    assert (domains[UNSET]["isRoot"], domains[UNSET]["passwordValidityPeriodInDays"]) == (True, None)
    assert {row["userPrincipalName"].rpartition("@")[2] for row in tenant.graph["users"]} == set(domains)


def age(tenant, row):
    changed = datetime.fromisoformat(row["lastPasswordChangeDateTime"])
    return (tenant.now - changed).days


@pytest.mark.parametrize("scenario", ["default", "after-retirement"])
def test_only_the_expired_are_expired(scenario, tenants, user):
    tenant = tenants[scenario]
    expired = {
        row["userPrincipalName"].partition("@")[0]
        for row in tenant.graph["users"]
        if row["userPrincipalName"].endswith(f"@{EXPIRING}") and age(tenant, row) > 90
    }
    assert expired == {"svc.plant", "expired.enforced", "expired.unknown"}
    assert age(tenant, user(tenant, "unset.old")) > 90 > age(tenant, user(tenant, "unset.new"))


def test_hostile_names(tenant):
    names = [row["displayName"] for row in tenant.graph["users"]]
    assert any(name.startswith("=HYPERLINK(") for name in names)
    assert any(name.startswith("+") for name in names)
    assert any(len(name) >= 200 for name in names)
    assert any("\x00" in name and "\n" in name for name in names)
    assert any("\u202e" in name for name in names)
    assert any("<script>" in name for name in names)


def test_registration(tenant):
    registered = {row["id"]: row for row in tenant.graph["userRegistrationDetails"]}
    assert 250 < len(registered) < len(tenant.graph["users"])
    assert any(row["isMfaRegistered"] for row in registered.values())
    assert any(not row["methodsRegistered"] for row in registered.values())
    assert any(row["isAdmin"] for row in registered.values())
    assert set(tenant.per_user_mfa.values()) >= {"disabled", "enabled", "enforced"}
    assert set(tenant.methods) == {row["id"] for row in tenant.graph["users"]} == set(tenant.passwords)


def test_switches_in_every_combination(tenants):
    found = set()
    for tenant in tenants.values():
        organisation = tenant.exchange["transportConfig"][0]["SmtpClientAuthenticationDisabled"]
        found |= {(organisation, row["SmtpClientAuthenticationDisabled"]) for row in tenant.exchange["casMailboxes"]}
    assert found == {(organisation, mailbox) for organisation in (False, True) for mailbox in (None, False, True)}


def test_one_mailbox_has_no_cas_row(tenant):
    named = {row["ExternalDirectoryObjectId"] for row in tenant.exchange["casMailboxes"]}
    missing = [row for row in tenant.exchange["mailboxes"] if row["ExternalDirectoryObjectId"] not in named]
    assert [row["Name"] for row in missing] == ["no.casrow"]


def test_authentication_policies_are_named_in_each_form(tenant):
    policies = tenant.exchange["authenticationPolicies"]
    users = rows(tenant, "exchangeUsers")
    assert {row["AllowBasicAuthSmtp"] for row in policies} == {True, False}
    assert users["svc.crm"]["AuthenticationPolicy"] == "Block Basic Auth"
    assert users["nils.hagen"]["AuthenticationPolicy"].startswith("CN=Block Basic Auth,")
    assert users["sofia.marin"]["AuthenticationPolicy"] in {row["Guid"] for row in policies}
    assert users["jan.novak"]["AuthenticationPolicy"] not in {row["Name"] for row in policies}
    assert users["svc.erp"]["AuthenticationPolicy"] is None
