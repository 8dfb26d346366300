import pytest

from auditor.load.plans import MAILBOX_PLANS, OTHER_EXCHANGE_PLANS, UNVERIFIED_SKUS
from auditor.tenant import NO, UNREAD, YES

OTHER = "11111111-0000-0000-0000-000000000001"
FOUNDATION = "113feb6c-3fe4-4440-bddc-54d774bf0318"
DESKLESS = "4a82b400-a79f-41a4-b4e2-e94f5787b113"
F1 = "50f60901-3181-4b75-8a2c-4c8e4c1d5a72"


def plan(plan_id, status="Enabled", service="exchange"):
    return {"servicePlanId": plan_id, "service": service, "capabilityStatus": status}


def licence(sku, *disabled):
    return {"skuId": sku, "disabledPlans": list(disabled)}


def state(sku, word="Active", error="None"):
    return {"skuId": sku, "state": word, "error": error}


def judged(build, record, *skus):
    accounts = build.one(record, subscribedSkus=list(skus) or [build.sku()]).accounts
    return accounts.mailbox_plan[0], accounts.mailbox_plan_note[0]


@pytest.mark.parametrize("plan_id", sorted(MAILBOX_PLANS))
def test_every_mailbox_plan_counts_by_id(build, plan_id):
    user = build.user(assignedLicenses=[licence(OTHER)], assignedPlans=[plan(plan_id)], licenseAssignmentStates=[])
    assert judged(build, user, build.sku(OTHER, "ANY", (plan_id,))) == ("enabled", f"ANY: {MAILBOX_PLANS[plan_id]}")


@pytest.mark.parametrize("plan_id", sorted(OTHER_EXCHANGE_PLANS))
def test_other_exchange_plans_give_none(build, plan_id):
    user = build.user(assignedLicenses=[licence(OTHER)], assignedPlans=[plan(plan_id)])
    tenant = build.one(user, subscribedSkus=[build.sku(OTHER, "ANY", (plan_id,))])
    assert tenant.accounts.mailbox_plan[0] == "none"
    assert tenant.accounts.ever_had_mailbox_plan[0] == NO


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("Enabled", "enabled"), ("Warning", "enabled"), ("enabled", "enabled"), ("Suspended", "pending"),
        ("Deleted", "none"), ("LockedOut", "none"), ("Elsewhere", "unread"), (None, "unread"),
    ],
)  # fmt: skip
def test_capability_status(build, status, expected):
    user = build.user(assignedPlans=[plan(build.enterprise, status)])
    tenant = build.one(user)
    assert tenant.accounts.mailbox_plan[0] == expected
    assert bool(tenant.problems) == (expected == "unread")


def test_old_deleted_entries_do_not_hide_an_enabled_one(build):
    user = build.user(assignedPlans=[plan(build.enterprise, "Deleted"), plan(build.enterprise)])
    assert judged(build, user)[0] == "enabled"


def test_ids_compare_without_letter_case(build):
    user = build.user(
        assignedLicenses=[licence(build.e3.upper())],
        assignedPlans=[plan(build.enterprise.upper())],
    )
    assert judged(build, user)[0] == "enabled"


def test_assigned_and_not_yet_provisioned_is_pending(build):
    assert judged(build, build.user(assignedPlans=[]))[0] == "pending"


def test_no_licence(build):
    user = build.user(
        assignedLicenses=[], licenseAssignmentStates=[], assignedPlans=[plan(build.enterprise, "Deleted")]
    )
    tenant = build.one(user)
    assert (tenant.accounts.mailbox_plan[0], tenant.accounts.mailbox_plan_note[0]) == ("none", "no licence is assigned")
    assert tenant.accounts.ever_had_mailbox_plan[0] == YES


def test_a_licence_without_mailbox_plan(build):
    user = build.user(assignedLicenses=[licence(OTHER)], assignedPlans=[plan(FOUNDATION)])
    assert judged(build, user, build.sku(OTHER, "O365_BUSINESS", (FOUNDATION,))) == (
        "none",
        "no mailbox plan in O365_BUSINESS",
    )


def test_a_switched_off_plan(build):
    user = build.user(
        assignedLicenses=[licence(build.e3, build.enterprise)], assignedPlans=[plan(build.enterprise, "Deleted")]
    )
    word, note = judged(build, user)
    assert word == "none"
    assert "switched off" in note


def test_a_switched_off_plan_counts_only_where_no_other_sku_supplies_one(build):
    user = build.user(
        assignedLicenses=[licence(build.e3, build.enterprise), licence(OTHER)],
        assignedPlans=[plan(build.enterprise, "Deleted"), plan(build.standard)],
        licenseAssignmentStates=[],
    )
    assert judged(build, user, build.sku(), build.sku(OTHER, "PLAN1", (build.standard,)))[0] == "enabled"


def test_an_assignment_in_error(build):
    user = build.user(assignedPlans=[], licenseAssignmentStates=[state(build.e3, "Error", "CountViolation")])
    word, note = judged(build, user)
    assert word == "none"
    assert "CountViolation" in note


def test_an_error_of_a_licence_that_is_not_assigned_is_noted(build):
    user = build.user(
        assignedLicenses=[], assignedPlans=[], licenseAssignmentStates=[state(build.e3, "Error", "CountViolation")]
    )
    word, note = judged(build, user)
    assert word == "none"
    assert "ENTERPRISEPACK" in note
    assert "CountViolation" in note


@pytest.mark.parametrize("word", ["Active", "ActiveWithError"])
def test_an_error_beside_an_active_assignment_does_not_count(build, word):
    user = build.user(licenseAssignmentStates=[state(build.e3, "Error", "CountViolation"), state(build.e3, word)])
    assert judged(build, user)[0] == "enabled"


def test_an_error_counts_only_where_no_other_sku_supplies_one(build):
    user = build.user(
        assignedLicenses=[licence(build.e3), licence(OTHER)],
        assignedPlans=[plan(build.standard)],
        licenseAssignmentStates=[state(build.e3, "Error", "MutuallyExclusiveViolation"), state(OTHER)],
    )
    assert judged(build, user, build.sku(), build.sku(OTHER, "PLAN1", (build.standard,)))[0] == "enabled"


@pytest.mark.parametrize("sku_id", sorted(UNVERIFIED_SKUS))
def test_products_whose_mailbox_right_is_not_verified(build, sku_id):
    user = build.user(assignedLicenses=[licence(sku_id)], assignedPlans=[plan(DESKLESS)])
    assert judged(build, user, build.sku(sku_id, UNVERIFIED_SKUS[sku_id], (DESKLESS,)))[0] == "unverified"


def test_a_verified_sku_beside_an_unverified_one(build):
    user = build.user(
        assignedLicenses=[licence(F1), licence(build.e3)], assignedPlans=[plan(DESKLESS), plan(build.enterprise)]
    )
    assert judged(build, user, build.sku(), build.sku(F1, "M365_F1_COMM", (DESKLESS,)))[0] == "enabled"


def test_a_sku_that_the_tenant_does_not_list(build):
    word, note = judged(build, build.user(), build.sku(OTHER, "ANY", ()))
    assert word == "unread"
    assert build.e3 in note


def test_plans_are_needed_only_where_they_decide(build):
    user = build.without(build.user(assignedLicenses=[]), "assignedPlans")
    assert judged(build, user)[0] == "none"


def test_without_assignment_states_a_plan_that_is_not_there_yet_is_unread(build):
    user = build.without(build.user(assignedPlans=[]), "licenseAssignmentStates")
    assert judged(build, user)[0] == "unread"


def test_without_subscribed_skus_everything_is_unread(build):
    for user in (build.user(), build.user(assignedLicenses=[])):
        assert build(users=[user]).accounts.mailbox_plan[0] == "unread"


@pytest.mark.parametrize(
    ("plans", "expected"),
    [
        ([], NO),
        ([plan("9aaf7827-d63c-4b61-89c3-182f06f82e5c", "Deleted")], YES),
        ([plan(FOUNDATION)], NO),
        ([plan("22222222-0000-0000-0000-000000000001")], YES),
        ([plan("22222222-0000-0000-0000-000000000001", service="teams")], NO),
        (None, UNREAD),
    ],
)
def test_ever_had_a_mailbox_plan(build, plans, expected):
    assert build.one(build.user(assignedPlans=plans)).accounts.ever_had_mailbox_plan[0] == expected


def test_malformed_skus_are_told_and_unread(build):
    broken = {**build.sku(), "servicePlans": "many"}
    tenant = build.one(build.user(), subscribedSkus=[broken, {"skuPartNumber": "X"}, 3])
    assert tenant.accounts.mailbox_plan[0] == "unread"
    assert [(problem.dataset, problem.property) for problem in tenant.problems] == [
        ("subscribedSkus", ""),
        ("subscribedSkus", "servicePlans"),
        ("subscribedSkus", "skuId"),
    ]


def test_sku_names(build):
    assert build.one(build.user()).sku_names == {build.e3: "ENTERPRISEPACK"}
