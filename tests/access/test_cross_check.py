"""Which judgements are compared with Microsoft's, which are counted apart, and what then differs."""

from __future__ import annotations

import dataclasses

import pytest

from auditor.access.cross_check import CHANGED, MISSING, OURS_OPEN, THEIRS_OPEN, UNREAD, compare
from auditor.tenant import WhatIfAnswer, WhatIfResult

OFFICE = {"@odata.type": "#microsoft.graph.ipNamedLocation", "id": "office", "isTrusted": False,
          "ipRanges": [{"cidrAddress": "203.0.113.0/24"}]}  # fmt: skip
OUTSIDE = {"locations": {"includeLocations": ["All"], "excludeLocations": ["office"]}}


def said(applies, reasons="", policy="policy-1", modified=""):
    return WhatIfResult(policy, applies, tuple(reasons.split(",")) if reasons else (), modified)


@pytest.fixture
def compared(build):
    """(results, policies of one patch each) → the comparison for one account."""

    def go(*results, ip="", policies=({},), error="", **world):
        written = tuple(build["policy"](**patch) for patch in policies)
        tenant = build["World"](policies=written, **world).tenant()
        return compare(dataclasses.replace(tenant, what_if=(WhatIfAnswer(0, ip, results, error),)))

    return go


def numbers(found):
    return found.agree, found.differ, dict(found.not_compared)


def test_agreement_either_way(compared):
    assert numbers(compared(said(True))) == (1, 0, {})
    assert numbers(compared(said(False, "users"), policies=[{"users": {"excludeUsers": ["a1"]}}])) == (1, 0, {})


def test_disagreement_either_way_tells_both_sides(compared):
    found = compared(said(False, "users"))
    assert numbers(found) == (0, 1, {})
    [difference] = found.policies[0].differ
    assert (difference.row, difference.ip, difference.theirs.reasons) == (0, "", ("users",))
    found = compared(said(True), policies=[{"users": {"excludeUsers": ["a1"]}}])
    assert found.policies[0].differ[0].ours.condition == "conditions.users.excludeUsers"


@pytest.mark.parametrize("applies", [True, False])
@pytest.mark.parametrize(
    "conditions",
    [
        {"signInRiskLevels": ["high"]},
        {"times": {"allDay": True}},
        {"platforms": {"includePlatforms": ["android"], "excludePlatforms": []}},
        {"weather": ["rain"]},
        OUTSIDE,
    ],
)
def test_what_this_program_leaves_open_is_no_disagreement(compared, conditions, applies):
    found = compared(said(applies), policies=[{"conditions": conditions}], locations={"office": OFFICE})
    assert numbers(found) == (0, 0, {OURS_OPEN: 1})


@pytest.mark.parametrize("reasons", ["notEnoughInformation", "location,notEnoughInformation", "invalidPolicy",
                                     "invalidCondition", "unknownFutureValue"])  # fmt: skip
def test_what_the_action_did_not_evaluate_is_no_disagreement(compared, reasons):
    assert numbers(compared(said(False, reasons))) == (0, 0, {THEIRS_OPEN: 1})


@pytest.mark.parametrize(("ip", "applies"), [("203.0.113.5", False), ("198.51.100.5", True)])
def test_the_same_place_is_compared(compared, ip, applies):
    """Without an address the location leaves it open; with one it is decided."""
    patch = [{"conditions": OUTSIDE}]
    assert numbers(compared(said(applies), ip=ip, policies=patch, locations={"office": OFFICE})) == (1, 0, {})
    assert numbers(compared(said(not applies), ip=ip, policies=patch, locations={"office": OFFICE})) == (0, 1, {})


def test_report_only_policies_are_compared_as_such_and_disabled_ones_are_not(compared):
    report_only = {"id": "policy-2", "state": "enabledForReportingButNotEnforced"}
    found = compared(said(True), said(False, "users", "policy-2"),
                     policies=[{}, report_only, {"id": "policy-3", "state": "disabled"}])  # fmt: skip
    assert numbers(found) == (1, 1, {})
    assert found.policies[1].policy.state == report_only["state"]


def test_a_policy_that_changed_between_the_readings_is_not_compared(compared):
    policies = [{"modifiedDateTime": "2026-11-01T00:00:00Z"}]
    assert numbers(compared(said(False, modified="2026-11-02T00:00:00Z"), policies=policies)) == (0, 0, {CHANGED: 1})
    assert numbers(compared(said(False, modified="2026-11-01T00:00:00.000Z"), policies=policies)) == (0, 1, {})
    assert numbers(compared(said(False), policies=policies)) == (0, 1, {})


def test_a_policy_that_stands_twice_is_not_compared(compared):
    assert numbers(compared(said(False), policies=[{}, {"displayName": "again"}])) == (0, 0, {CHANGED: 2})


def test_policies_that_only_one_side_knows(compared):
    found = compared(said(True, policy="new"), policies=[{}])
    assert numbers(found) == (0, 0, {MISSING: 1, UNREAD: 1})


def test_a_refused_account_is_counted_and_not_compared(compared):
    found = compared(error="gone")
    assert (found.answered, found.refused, numbers(found)) == (0, 1, (0, 0, {}))
    assert found.text().endswith("it refused 1.")


def test_the_text_counts_everything(compared):
    found = compared(
        said(True), said(False, "users", "policy-2"), said(True, policy="policy-3"),
        policies=[{}, {"id": "policy-2"}, {"id": "policy-3", "conditions": {"times": {"allDay": True}}}],
    )  # fmt: skip
    assert found.text() == (
        "Microsoft's What If action answered for 1 account(s): 1 judgements agree, 1 differ, 1 not compared "
        "(1 conditional or unknown to this program)."
    )


def test_nothing_asked_nothing_compared(build):
    found = compare(build["World"](policies=(build["policy"](),)).tenant())
    assert (found.answered, numbers(found)) == (0, (0, 0, {}))
