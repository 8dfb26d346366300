"""The demo's senders, in every scenario: each opening plan is proven change by change, each other sender is told why no
plan opens it and where to move."""

from __future__ import annotations

import msgspec
import pytest

from auditor.config import Sender
from auditor.demo.tenant import SCENARIOS, generate
from auditor.exits import EXITS
from auditor.plan import sender_plan
from auditor.plan.situation import Situation
from auditor.states import VERDICT_WORDS
from auditor.verdict import EXPOSURE_WORDS, judge
from auditor.what_if import what_if
from auditor.what_if.directory import SecurityDefaults
from auditor.what_if.exchange import BasicRetired

DECLARED = {
    scenario: tuple(msgspec.convert(sender, Sender) for sender in generate(accounts=130, scenario=scenario).senders)
    for scenario in SCENARIOS
}
CASES = [
    pytest.param(scenario, sender, id=f"{scenario}-{sender.name}")
    for scenario in SCENARIOS
    for sender in DECLARED[scenario]
]


def verdict(judgement, sender) -> str:
    """Of the declared channel; what a changed sender is called stays the same."""
    [case] = [case for case in judgement.sender_cases() if judgement.cases.senders[case].name == sender.name]
    changed = judgement.cases.senders[case]
    codes = judgement.basic_cases if changed.auth == "basic" else judgement.oauth_cases
    return VERDICT_WORDS[codes[case]]


@pytest.mark.parametrize(("scenario", "sender"), CASES)
def test_the_plan_is_proven_or_says_why_and_where(demo, scenario, sender):
    judgement = demo(scenario).judgement
    plan = sender_plan(judgement.tenant, sender)
    if plan.verdict == "missing":
        assert judgement.tenant.find(sender.account) < 0
        assert plan.why
        return
    assert plan.verdict == verdict(judgement, sender)
    assert plan.exit in EXITS
    assert plan.headline
    if plan.openings:
        assert plan.why == ()
        for opening in plan.openings:
            prove(judgement, scenario, sender, opening)
    elif plan.verdict in ("open", "not_applicable"):
        assert plan.why == ()
    else:
        assert plan.why, "why no change opens it"
        assert plan.moves, "and where to move"
        assert plan.moves[0].exit == plan.exit or plan.verdict == "blocked"
        assert all(move.requirements for move in plan.moves)


def prove(judgement, scenario, sender, opening) -> None:
    """With the set, and every declared sender judged beside it, the verdict is `open`; without any one of it not."""
    changes = opening.changes
    assert changes
    assert not any(isinstance(change, SecurityDefaults | BasicRetired) for change in changes)
    answer = what_if(judgement, DECLARED[scenario], changes)
    assert verdict(answer.after, sender) == "open"
    for left_out in changes:
        fewer = [change for change in changes if change is not left_out]
        assert verdict(what_if(judgement, DECLARED[scenario], fewer).after, sender) != "open", left_out.text
    row = judgement.tenant.find(sender.account)
    assert opening.exposure == (EXPOSURE_WORDS[judgement.exposure[row]], EXPOSURE_WORDS[answer.after.exposure[row]])
    for step in opening.steps:
        assert step.cost
        assert step.how
        assert "app password" not in f"{step.how} {step.cost}".lower()
    if opening.companion:
        bound = what_if(judgement, DECLARED[scenario], [*changes, opening.companion])
        assert verdict(bound.after, sender) == "open"
        assert EXPOSURE_WORDS[bound.after.exposure[row]] == opening.companion_exposure
        assert bound.after.exposure[row] < answer.after.exposure[row]


def as_the_whole(at) -> None:
    """One account judged alone is judged as among all."""
    whole = judge(at.tenant, [at.sender])
    case = whole.cases.accounts
    for blocker, column in whole.columns.items():
        alone = at.columns[blocker]
        assert (alone.reason(0), alone.reason(at.case)) == (column.reason(at.row), column.reason(case)), blocker
    assert at.verdict == verdict(whole, at.sender)
    assert at.exit == whole.safest_exit[case]
    assert at.password_guessing == whole.password_guessing[at.row]
    assert at.exposure == whole.exposure[at.row]
    assert at.everybody.exposure.tolist() == whole.exposure.tolist()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_sender_judged_alone_is_judged_as_among_all(demo, scenario):
    """Today, and after every set of changes that its plan names."""
    tenant = demo(scenario).judgement.tenant
    for sender in DECLARED[scenario]:
        if tenant.find(sender.account) >= 0:
            at = Situation.of(tenant, sender)
            as_the_whole(at)
            for opening in sender_plan(tenant, sender).openings[:1]:
                as_the_whole(at.after(opening.changes))


FIRST = {
    "scanner-hq": ["--mailbox-smtp svc.scanner@contoso.example=on"],
    "crm": ["--auth-policy svc.crm@contoso.example=Allow SMTP for devices"],
    "newsletter": ["--exclude CA001 Block legacy authentication=svc.newsletter@contoso.example"],
    "hr-onboarding": [
        "--exclude CA002 Require MFA for all users=svc.onboarding@contoso.example",
        "--exclude CA005 Block other countries=svc.onboarding@contoso.example",
    ],
    "warehouse": ["--sender warehouse.egress_ips=203.0.113.10"],
    "old-helpdesk": ["--account svc.oldhelpdesk@contoso.example=enabled"],
    "plant-reports": ["--password-changed svc.plant@adatum.example"],
    "kiosk-board": [
        "--licence svc.kiosk@contoso.example=give",
        "--mailbox-smtp svc.kiosk@contoso.example=on",
        "--sender kiosk-board.from=",
    ],
    "info-desk": ["--licence info@contoso.example=give"],
    "legacy-app": ["--per-user-mfa svc.legacyapp@contoso.example=disabled"],
    "copier-465": ["--sender copier-465.port=587", "--sender copier-465.tls=starttls"],
    "payroll-from": ["--sender payroll-from.from=svc.payroll@contoso.example"],
    "sales-alias": ["--sender sales-alias.from=svc.sales@contoso.example"],
    "burst-mailer": ["--sender burst-mailer.messages_per_minute=30"],
    "gate-by-ip": ["--sender gate-by-ip.server=smtp.office365.com"],
    "badge-printer": ["--sender badge-printer.username=svc.badge@contoso.example"],
    "lobby-display": ["--sender lobby-display.server=smtp.office365.com"],
    "pilot-line": [
        "--exclude CA030 Pilot: new controls=svc.pilot@contoso.example",
        "--exclude CA031 Pilot: new condition=svc.pilot@contoso.example",
    ],
}
"""Scenario default: the first set of each sender with basic authentication that has one."""


def test_the_safest_set_of_each_demo_sender(demo):
    tenant = demo("default").judgement.tenant
    found = {}
    for sender in DECLARED["default"]:
        plan = sender_plan(tenant, sender)
        if sender.auth == "basic" and plan.openings:
            found[sender.name] = sorted(" ".join(change.option) for change in plan.openings[0].changes)
    assert found == FIRST


@pytest.mark.parametrize("scenario", ["security-defaults", "after-retirement"])
def test_basic_authentication_that_the_tenant_or_microsoft_refuses_is_never_opened(demo, scenario):
    tenant = demo(scenario).judgement.tenant
    for sender in DECLARED[scenario]:
        plan = sender_plan(tenant, sender)
        blocked = [one for one, _ in plan.standing if one in ("security-defaults", "basic-auth-retirement")]
        if blocked:
            assert plan.openings == (), sender.name
            assert any(why.startswith(tuple(blocked)) for why in plan.why)
