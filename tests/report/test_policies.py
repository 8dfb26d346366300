from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from auditor.config import Config, Sender
from auditor.evaluate import Evaluation
from auditor.report.policies import POLICY_FIELDS, policy_rows
from auditor.verdict import Judgement, judge

HEADERS = [field.header for field in POLICY_FIELDS]


def told(judgement: Judgement) -> list[dict[str, Any]]:
    return [dict(zip(HEADERS, row, strict=True)) for row in policy_rows(judgement)]


def policy(name: str, **more: Any) -> Mapping[str, Any]:
    conditions = {
        "clientAppTypes": ["all"],
        "applications": {"includeApplications": ["All"]},
        "users": {"includeUsers": ["All"], "excludeUsers": more.pop("excluded", [])},
        **more.pop("conditions", {}),
    }
    return {
        "id": f"id-{name}",
        "displayName": name,
        "state": "enabled",
        "createdDateTime": "2025-01-02T03:04:05Z",
        "modifiedDateTime": None,
        "conditions": conditions,
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
        **more,
    }


@pytest.fixture
def judged(make: SimpleNamespace) -> Any:
    """(policies, senders) → the judgement of a tenant of six accounts with these policies, by the real engine."""

    def build(*policies: Mapping[str, Any], senders: tuple[Sender, ...] = ()) -> Judgement:
        return judge(replace(make.judgement().tenant, policies=policies), senders)

    return build


PRINTER = Sender(name="printer", account="person0@contoso.example")
APP = Sender(name="app", account="person1@contoso.example", auth="oauth")
RELAY = Sender(name="relay", account="person2@contoso.example", route="relay")


def test_a_policy_that_stops_basic_smtp_names_whom_it_reaches_and_the_senders(judged: Any) -> None:
    excluded = ["00000003-0000-4000-8000-000000000000"]
    (row,) = told(judged(policy("MFA for all", excluded=excluded), senders=(PRINTER, APP, RELAY)))
    assert (row["Policy"], row["State"], row["Acts on SMTP"], row["Grant controls"]) == (
        "MFA for all", "enabled", "yes", "mfa",
    )  # fmt: skip
    assert (row["Accounts reached"], row["Accounts not reached"]) == (5, 1)
    assert "excludeUsers" in row["Not reached because of"]
    assert row["Senders it blocks"] == "printer"
    assert not row["Senders it will block when enforced"]
    assert (row["Created (UTC)"], row["Modified (UTC)"]) == ("2025-01-02T03:04:05Z", "")


def test_a_report_only_policy_blocks_nobody_yet(judged: Any) -> None:
    report_only = policy("Microsoft-managed: Block legacy", state="enabledForReportingButNotEnforced")
    (row,) = told(judged(report_only, senders=(PRINTER,)))
    assert row["State"] == "report-only"
    assert not row["Senders it blocks"]
    assert row["Senders it will block when enforced"] == "printer"
    assert row["Managed by Microsoft"] == "yes"
    assert row["What it does"].startswith("Will block when enforced")


def test_a_policy_for_browsers_does_not_act_on_smtp(judged: Any) -> None:
    (row,) = told(judged(policy("Browser", conditions={"clientAppTypes": ["browser"]}), senders=(PRINTER,)))
    assert row["Acts on SMTP"] == "no"
    assert row["Accounts reached"] == 0
    assert not row["Senders it blocks"]
    assert "clientAppTypes" in row["What it does"]


def test_a_policy_without_grant_controls_stops_nothing(judged: Any) -> None:
    (row,) = told(judged(policy("Session", grantControls=None), senders=(PRINTER,)))
    assert (row["Accounts reached"], row["Grant controls"]) == (6, "none")
    assert not row["Senders it blocks"]
    assert row["What it does"].startswith("Asks for nothing")


def test_what_depends_on_risk_leaves_the_sender_undecided(judged: Any) -> None:
    (row,) = told(judged(policy("Risk", conditions={"signInRiskLevels": ["high"]}), senders=(PRINTER,)))
    assert (row["Acts on SMTP"], row["Accounts conditional"]) == ("depends", 6)
    assert (row["Senders it blocks"], row["Senders undecided"]) == ("", "printer")
    assert "signInRiskLevels" in row["Undecided because of"]


def test_a_senders_own_address_decides_for_it_and_for_nobody_else(make: SimpleNamespace) -> None:
    place = {"id": "l1", "@odata.type": "#microsoft.graph.ipNamedLocation", "isTrusted": False,
             "displayName": "Office", "ipRanges": [{"cidrAddress": "192.0.2.0/24"}]}  # fmt: skip
    located = policy("Outside", conditions={"locations": {"includeLocations": ["All"], "excludeLocations": ["l1"]}})
    tenant = replace(make.judgement().tenant, policies=(located,), named_locations={"l1": place})
    inside = Sender(name="inside", account="person0@contoso.example", egress_ips=("192.0.2.7",))
    outside = Sender(name="outside", account="person1@contoso.example", egress_ips=("198.51.100.7",))
    nowhere = Sender(name="nowhere", account="person2@contoso.example")
    (row,) = told(judge(tenant, (inside, outside, nowhere)))
    assert row["Senders it blocks"] == "outside"
    assert row["Senders undecided"] == "nowhere"
    assert row["Accounts conditional"] == 6


def test_policies_that_do_not_act_come_last(judged: Any) -> None:
    rows = told(judged(policy("Off", state="disabled"), policy("Odd", state="brandNew"), policy("On")))
    assert [(row["Policy"], row["State"], row["Acts on SMTP"]) for row in rows] == [
        ("Odd", "brandNew", "unknown"), ("On", "enabled", "yes"), ("Off", "disabled", "no"),
    ]  # fmt: skip
    assert rows[0]["What it does"].startswith("May block")
    assert rows[0]["Accounts unknown"] == 6
    assert rows[2]["What it does"] == "Switched off: does nothing."
    assert rows[2]["Accounts reached"] is None


def test_the_demo_tenants_policies_all_have_a_row_that_agrees_with_the_verdicts(
    demo: tuple[Evaluation, Config],
) -> None:
    judgement = demo[0].judgement
    rows = told(judgement)
    assert {row["Policy id"] for row in rows} == {str(raw["id"]).lower() for raw in judgement.tenant.policies}
    blocked = {name for row in rows for name in str(row["Senders it blocks"] or "").split("\n") if name}
    column = judgement.columns["conditional-access"]
    expected = set()
    for case in judgement.sender_cases():
        sender = judgement.cases.senders[case]
        if sender and sender.auth == "basic" and column.reason(case).state.word == "blocks":
            expected.add(sender.name)
    assert blocked == expected != set()
