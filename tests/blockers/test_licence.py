from __future__ import annotations

import pytest

E3 = "05e9a617-0261-4cee-bb44-138d3ef5d965"
PLAN_2 = "efb87545-963c-4e0d-99df-69c6916d9eb0"


def unlicensed(records):
    records["users"][0].update(assignedLicenses=[], licenseAssignmentStates=[])


def switched_off(records):
    off = {"skuId": E3, "disabledPlans": [PLAN_2]}
    records["users"][0].update(assignedLicenses=[off])
    records["users"][0]["licenseAssignmentStates"][0]["disabledPlans"] = [PLAN_2]


@pytest.mark.parametrize("change", [unlicensed, switched_off])
def test_no_plan(says, change):
    def gone(records):
        change(records)
        records["mailboxes"].pop(0)

    assert says("licence", change) == "conditional"  # the mailbox stands without it
    assert says("licence", gone) == "blocks"
    assert says("licence", gone, without=("mailboxes",)) == "unknown"


def test_a_plan_is_clear_with_or_without_exchange(says):
    assert says("licence") == "clear"
    assert says("licence", without=("mailboxes",)) == "clear"


def test_a_suspended_plan_is_conditional(says):
    def change(records):
        records["users"][0]["assignedPlans"][0]["capabilityStatus"] = "Suspended"

    assert says("licence", change) == "conditional"


@pytest.mark.parametrize("lost", ["subscribedSkus"])
def test_unread_licences_are_unknown(says, lost):
    assert says("licence", without=(lost,)) == "unknown"
    assert says("licence", lambda records: records["mailboxes"].pop(0), without=(lost,)) == "unknown"


def test_the_reason_says_what_was_found(make, tools):
    records = tools.base("ann", "bob")
    switched_off(records)
    reason = tools.reason(make(records), "licence")
    assert reason.facts[0][0] == "mailbox plan"
    assert "(" in reason.text
