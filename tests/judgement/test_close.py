"""How to close basic SMTP for everyone but the declared senders, and what that would stop."""

from __future__ import annotations

import json

import msgspec
import pytest

from auditor.config import Sender
from auditor.demo.tenant import SCENARIOS, generate
from auditor.plan import Plan, as_json, as_text, closing_plan
from auditor.states import VERDICT_WORDS
from auditor.verdict import CLOSED
from auditor.what_if import what_if

POLICY, SWITCH, ACCESS = "Authentication policy", "SMTP AUTH switch", "Conditional Access"
UNKNOWN = 2


def closed(world, *senders):
    judgement = world.judge(*senders).judgement
    plan = closing_plan(judgement, senders)
    return judgement, plan, {one.title: one for one in plan.closings}


def options(closing) -> list[str]:
    return [" ".join(change.option) for change in closing.changes]


def names(judgement, rows) -> list[str]:
    return [judgement.tenant.accounts.user_principal_name[row].partition("@")[0] for row in rows]


@pytest.fixture
def office(world):
    """An open tenant: a declared scanner, people, one with a switch and one with a policy of their own."""
    world.data["transportConfig"][0]["SmtpClientAuthenticationDisabled"] = False
    world.add("scanner")
    world.add("person")
    world.add("override", switch=False)
    world.add("favoured", policy="Allow")
    return world


def test_the_policy_closes_use_and_guessing_for_all_others(office):
    judgement, plan, by_title = closed(office, office.sender("scanner"))
    way = by_title[POLICY]
    assert options(way) == [
        "--default-auth-policy Refuse",
        "--auth-policy scanner@contoso.example=Allow",
        "--auth-policy favoured@contoso.example=Refuse",
    ]
    assert way.exposure[1] == way.password_guessing[1] == {"closed": 4}
    assert way.left == way.senders == ()
    assert "An authentication policy that refuses basic SMTP closes that too" in plan.guessing
    answer = what_if(judgement, (office.sender("scanner"),), way.changes)
    assert VERDICT_WORDS[answer.after.basic[judgement.tenant.find("scanner@contoso.example")]] == "open"


def test_the_switch_closes_oauth_too_and_leaves_guessing_open_to_doubt(office):
    _, _, by_title = closed(office, office.sender("scanner"))
    way = by_title[SWITCH]
    assert sorted(options(way)) == [
        "--mailbox-smtp override@contoso.example=inherit",
        "--mailbox-smtp scanner@contoso.example=on",
        "--org-smtp off",
    ]
    assert way.exposure[1] == {"closed": 4}
    assert way.password_guessing[1] == {"unknown": 4}
    assert "for OAuth as well" in way.text


def test_conditional_access_closes_the_use_and_not_the_guessing(office):
    _, plan, by_title = closed(office, office.sender("scanner"))
    way = by_title[ACCESS]
    assert options(way) == ["--block-legacy-except scanner@contoso.example"]
    assert way.exposure[1] == {"closed": 4}
    assert way.password_guessing[0] == way.password_guessing[1] == {"open": 3, "unknown": 1}
    assert "the guessing goes on" in way.text
    assert "not the guessing" in plan.guessing


def test_senders_with_oauth_over_smtp_keep_their_switch(office):
    office.add("app")
    _, _, by_title = closed(office, office.sender("scanner"), office.sender("app", auth="oauth"))
    assert "--mailbox-smtp app@contoso.example=on" in options(by_title[SWITCH])
    assert by_title[SWITCH].senders == ()
    assert not any("app@" in option for option in options(by_title[POLICY])), "a policy does not touch OAuth"


def test_a_sender_that_is_refused_today_is_not_opened_by_the_way(office):
    office.add("refused", policy="Refuse", switch=True)
    _, _, by_title = closed(office, office.sender("refused"))
    for title in (POLICY, SWITCH):
        assert not any("refused@" in option for option in options(by_title[title]))


def test_accounts_that_were_seen_are_told_with_every_source_and_its_window(office):
    office.data["emailAppUsage"] = []
    for name, used in (("scanner", True), ("person", False), ("override", True), ("favoured", False)):
        upn = f"{name}@contoso.example"
        office.data["emailAppUsage"].append({"User Principal Name": upn, "SMTP App": "Yes" if used else ""})
    office.sign_in("override")
    judgement, plan, by_title = closed(office, office.sender("scanner"))
    way = by_title[POLICY]
    [loss] = way.users
    assert loss.who == "override@contoso.example"
    assert loss.verdicts == (("basic", "open", "blocked"),)
    assert "signIns (last 30 days): success on 2026-11-22" in loss.evidence
    assert "emailAppUsage (last 180 days)" in loss.evidence
    assert names(judgement, way.quiet) == ["person", "favoured"]
    assert plan.windows == "no use seen in 30 days in signIns, 180 in emailAppUsage"


def test_who_could_not_be_seen_is_never_called_unused(office):
    office.lose("signIns")
    judgement, plan, by_title = closed(office, office.sender("scanner"))
    assert names(judgement, by_title[POLICY].unseen) == ["person", "override", "favoured"]
    assert by_title[POLICY].quiet == ()
    assert "signIns not read in full (denied)" in plan.windows
    for text in (as_text(judgement.tenant, Plan((), plan)), as_json(judgement.tenant, Plan((), plan))):
        assert "unused" not in text.lower()


def test_an_account_without_a_row_in_the_usage_report_was_not_seen(office):
    office.data["emailAppUsage"] = [
        row for row in office.data["emailAppUsage"] if not row["User Principal Name"].startswith("person")
    ]
    judgement, _, by_title = closed(office, office.sender("scanner"))
    assert names(judgement, by_title[POLICY].unseen) == ["person"]


def test_whom_nobody_can_decide_is_named(office):
    office.data["exchangeUsers"] = [
        row for row in office.data["exchangeUsers"] if not row["UserPrincipalName"].startswith("person")
    ]
    judgement, _, by_title = closed(office, office.sender("scanner"))
    assert names(judgement, by_title[POLICY].left) == ["person"]
    assert by_title[POLICY].exposure[1] == {"closed": 3, "unknown": 1}


def test_where_exchange_was_not_read_nothing_is_shown_to_close(office):
    for name in ("exchangeUsers", "authenticationPolicies", "organizationConfig", "casMailboxes"):
        office.lose(name)
    _, _, by_title = closed(office, office.sender("scanner"))
    assert options(by_title[POLICY])[:2] == [
        "--new-auth-policy Refuse basic SMTP=refuse",
        "--new-auth-policy Allow basic SMTP for declared senders=allow",
    ]
    assert "unknown" in by_title[POLICY].exposure[1]
    assert any(note.startswith("exchangeUsers is denied") for note in by_title[POLICY].notes)


def test_a_tenant_that_is_closed_already_needs_no_change(world):
    world.data["organizationConfig"][0]["DefaultAuthenticationPolicy"] = "Refuse"
    world.add("anna")
    _, plan, by_title = closed(world)
    assert POLICY not in by_title
    assert SWITCH not in by_title
    assert plan.kept == ()


def test_security_defaults_are_said_and_leave_no_room_for_conditional_access(office):
    office.data["identitySecurityDefaultsEnforcementPolicy"] = [{"id": "0", "isEnabled": True}]
    _, plan, by_title = closed(office, office.sender("scanner"))
    assert "Security defaults refuse" in plan.remark
    assert ACCESS not in by_title
    assert by_title[POLICY].password_guessing == ({"unknown": 4}, {"closed": 4})


def test_a_tenant_whose_basic_authentication_was_seen_refused(office):
    office.data["smtpReplies"] = [{"account": "", "time": "", "text": "550 5.7.30 Basic authentication is off"}]
    _, plan, _ = closed(office, office.sender("scanner"))
    assert "switch it on again" in plan.remark


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_demos_ways_are_proven(demo, scenario):
    """Every way keeps the declared senders as they are, closes whom it claims to close, and opens nobody."""
    judgement = demo(scenario).judgement
    senders = tuple(msgspec.convert(one, Sender) for one in generate(accounts=130, scenario=scenario).senders)
    plan = closing_plan(judgement, senders)
    assert plan.closings
    kept = {judgement.tenant.find(sender.account) for sender in plan.kept}
    for way in plan.closings:
        answer = what_if(judgement, senders, way.changes)
        others = [row for row in range(judgement.cases.accounts) if row not in kept]
        assert way.left == tuple(row for row in others if answer.after.exposure[row] != CLOSED)
        assert sum(way.exposure[1].values()) == len(others)
        assert not way.senders, "no declared sender gets worse"
        if scenario == "default" and way.title in (POLICY, ACCESS):
            assert way.left == ()
        opened = [row for row in others if answer.after.exposure[row] > judgement.exposure[row]]
        assert all(judgement.exposure[row] == UNKNOWN for row in opened), "nobody else is opened"
    text = as_text(judgement.tenant, Plan((), plan))
    document = json.loads(as_json(judgement.tenant, Plan((), plan)))
    assert [way["title"] for way in document["closing"]["ways"]] == [way.title for way in plan.closings]
    assert "unused" not in text.lower()
