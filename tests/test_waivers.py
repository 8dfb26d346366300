"""Waivers of the config and of a workbook: what they accept, and which have lapsed, are unused or take in too much."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from auditor.config import Waiver
from auditor.errors import ConfigError
from auditor.findings.base import Fact, Finding
from auditor.triage import Triage
from auditor.waivers import Accepted, Waivers, WaiverUse, from_config, from_triage, waive

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
RULE = "exposed-account"


def finding(key: str = "id-anna", name: str = "anna@x.example", **more: Any) -> Finding:
    values: dict[str, Any] = {
        "rule": RULE, "severity": "high", "outcome": "fail", "object_type": "account", "object_id": key,
        "object_name": name, "title": f"About {name}", "evidence": (Fact("a", "b"),), "remedy": "r", "remedy_risk": "k",
        "references": (), "controls": (), "tenant_id": "t",
    }  # fmt: skip
    return Finding(**values | more)


def accepted(target: str = "", until: str = "2026-12-31", rule: str = RULE, source: str = "config") -> Accepted:
    return Accepted(source, rule, target, "Ann", "Because", date.fromisoformat(until))


def use(waiver: Accepted, *findings: Finding, unread: tuple[str, ...] = ()) -> WaiverUse:
    (told,) = Waivers([waiver]).uses(findings, unread, NOW)
    return told


@pytest.mark.parametrize("target", ["", "id-anna", "ID-ANNA", "Anna@X.example", finding().id])
def test_rule_object_and_finding_are_the_levels(target: str) -> None:
    waived = waive(finding(), Waivers([accepted(target)]), NOW)
    assert waived.outcome == "waived"
    assert waived.evidence[-1] == Fact("waiver", "until 2026-12-31: Ann, Because")


@pytest.mark.parametrize(("target", "rule"), [("id-bert", RULE), ("", "legacy-tls-allowed"), ("anna", RULE)])
def test_nothing_else_is_waived(target: str, rule: str) -> None:
    assert waive(finding(), Waivers([accepted(target, rule=rule)]), NOW) == finding()


def test_a_lapsed_one_is_told_and_waives_nothing_and_the_latest_end_counts() -> None:
    lapsed = accepted(until="2026-11-22")
    told = waive(finding(), Waivers([lapsed]), NOW)
    assert (told.outcome, told.evidence[-1].value) == ("fail", "lapsed on 2026-11-22: Ann, Because")
    assert waive(finding(), Waivers([lapsed, accepted("id-anna", "2026-11-23")]), NOW).outcome == "waived"


def test_a_waiver_in_use_is_named_with_what_it_accepts() -> None:
    told = use(accepted("id-anna"), finding())
    assert (told.force, told.use, told.breadth, told.note) == ("in force", "used", "exact", "")
    assert told.findings == (finding().id,)


def test_lapsed_and_unused_ones_are_reported() -> None:
    lapsed = use(accepted("id-anna", "2026-01-31"), finding())
    assert (lapsed.force, lapsed.use) == ("lapsed", "used")
    assert "stands again" in lapsed.note
    unused = use(accepted("id-bert"), finding())
    assert (unused.use, unused.breadth, unused.findings) == ("unused", "", ())
    assert "take it out of the config" in unused.note
    assert "does not stand any more" in use(accepted("id-bert", source="workbook"), finding()).note
    assert "No rule" in use(accepted(rule="no-such-rule")).note


@pytest.mark.parametrize(("rule", "dataset"), [(RULE, "casMailboxes"), (RULE, "users"), ("sender-blocked", "signIns"),
                                               ("sender-blocked", "mailboxes")])  # fmt: skip
def test_what_could_not_be_checked_is_not_called_unused(rule: str, dataset: str) -> None:
    told = use(accepted("id-bert", rule=rule), unread=(dataset,))
    decides = dataset != "signIns"
    assert told.use == ("not checked" if decides else "unused")
    assert (dataset in told.note) == decides


def test_a_whole_rule_is_broader_than_needed_unless_it_is_about_the_tenant() -> None:
    told = use(accepted(), finding(), finding("id-bert", "bert@x.example"))
    assert told.breadth == "broader than needed"
    assert "anna@x.example, bert@x.example" in told.note
    assert use(accepted(), finding(object_type="tenant")).breadth == "exact"


def test_a_name_that_fits_several_objects_is_broader_than_needed() -> None:
    told = use(accepted("same"), finding("id-1", "Same"), finding("id-2", "same"))
    assert told.breadth == "broader than needed"
    assert "id-1, id-2" in told.note


def test_a_waiver_that_another_outlives_is_told() -> None:
    first, second = Waivers([accepted("id-anna"), accepted("id-anna", "2027-06-30")]).uses([finding()], (), NOW)
    assert "ends later" in first.note
    assert second.note == ""


def test_the_configs_waivers_keep_their_place_and_must_end_on_a_day() -> None:
    waiver = Waiver(rule=RULE, object=" id-anna ", owner="Ann", reason="two\n lines", until="2026-12-31")
    (told,) = from_config([waiver])
    assert (told.source, told.object, told.reason) == ("config, [[waivers]] 1", "id-anna", "two lines")
    with pytest.raises(ConfigError, match=r"waivers\[1\].until"):
        from_config([waiver, Waiver(rule=RULE, owner="o", reason="r", until="2026-02-30")])


def test_the_workbooks_waivers_need_owner_end_and_reason() -> None:
    identity = finding().id
    whole = Triage(status="Risk accepted", owner="Ann", comment="Replaced\nin spring", waiver_until="2027-03-31")
    (told,), remarks = from_triage({identity: whole})
    assert told == Accepted("workbook", RULE, identity, "Ann", "Replaced in spring", date(2027, 3, 31))
    assert remarks == []
    assert waive(finding(), Waivers([told]), NOW).outcome == "waived"
    assert waive(finding("other"), Waivers([told]), NOW).outcome == "fail"
    none, (remark,) = from_triage({identity: Triage(status="Risk accepted", owner="Ann")})
    assert none == []
    assert (remark.finding, "without Waiver until, Analyst comment" in remark.text) == (identity, True)
    assert from_triage({identity: Triage(status="In progress", waiver_until="2027-03-31")}) == ([], [])
