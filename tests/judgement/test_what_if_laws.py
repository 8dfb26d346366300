"""Laws of what-if, over the demo's tenants and generated changes: nothing changes nothing, order never matters, an
exclusion never widens."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from auditor.access import reach
from auditor.config import Sender
from auditor.demo.tenant import generate
from auditor.what_if import apply, changes, from_option, what_if

SCENARIOS = ("default", "security-defaults", "no-exchange", "after-retirement")
ANNA, BERT = "svc.erp@contoso.example", "svc.scanner@contoso.example"
POOL = [
    ("policy", "CA001 Block legacy authentication=disabled"),
    ("policy", "Microsoft-managed: Block legacy authentication=disabled"),
    ("enforce-report-only", ""),
    ("enforce-managed", ""),
    ("exclude", f"CA002 Require MFA for all users={ANNA}"),
    ("exclude", f"CA002 Require MFA for all users={BERT}"),
    ("exclude", "CA002 Require MFA for all users=Frontline"),
    ("unexclude", "CA002 Require MFA for all users=CA-Exclude-ServiceAccounts"),
    ("security-defaults", "on"),
    ("org-smtp", "off"),
    ("mailbox-smtp", f"{ANNA}=inherit"),
    ("mailbox-smtp", f"{BERT}=on"),
    ("mailbox-smtp", "svc.kiosk@contoso.example=on"),
    ("licence", "svc.kiosk@contoso.example=give"),
    ("licence", f"{ANNA}=take"),
    ("new-auth-policy", "Mine=refuse"),
    ("auth-policy", f"{ANNA}=Mine"),
    ("default-auth-policy", "Block Basic Auth"),
    ("per-user-mfa", f"{BERT}=enforced"),
    ("account", "svc.oldhelpdesk@contoso.example=enabled"),
    ("password-changed", "svc.plant@adatum.example"),
    ("send-as", "svc.payroll@contoso.example=payroll@contoso.example"),
    ("sender", "copier-465.port=587"),
    ("sender", "copier-465.tls=starttls"),
    ("bind", f"{ANNA}=203.0.113.10"),
    ("block-legacy-except", ANNA),
    ("retired", ""),
]


def senders(scenario: str) -> tuple[Sender, ...]:
    return tuple(msgspec.convert(sender, Sender) for sender in generate(accounts=130, scenario=scenario).senders)


def read(tenant, declared, options):
    return changes(tenant, declared, [from_option(*one) if one[1] else (one[0], "", "") for one in options])


def outcome(answer) -> tuple[object, ...]:
    after = answer.after
    columns = tuple(tuple(column.states.tolist()) for column in after.columns.values())
    return columns, tuple(after.exposure.tolist()), tuple(after.password_guessing), answer.notes


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_change_changes_nothing(demo, scenario):
    judgement = demo(scenario).judgement
    answer = what_if(judgement, senders(scenario), ())
    assert answer.shifts == []
    assert answer.notes == ()
    for name, column in judgement.columns.items():
        assert np.array_equal(column.states, answer.after.columns[name].states), name


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_the_order_of_changes_never_matters(demo, data):
    judgement = demo("default").judgement
    declared = senders("default")
    chosen = [POOL[0], *data.draw(st.lists(st.sampled_from(POOL[1:]), unique=True, max_size=7))]
    names = {name for name, _ in chosen}
    if ("auth-policy", f"{ANNA}=Mine") in chosen and "new-auth-policy" not in names:
        chosen.append(("new-auth-policy", "Mine=refuse"))
    if ("mailbox-smtp", "svc.kiosk@contoso.example=on") in chosen:
        chosen = list(dict.fromkeys([*chosen, ("licence", "svc.kiosk@contoso.example=give")]))
    shuffled = data.draw(st.permutations(chosen))
    first = what_if(judgement, declared, read(judgement.tenant, declared, chosen))
    second = what_if(judgement, declared, read(judgement.tenant, declared, shuffled))
    assert outcome(first) == outcome(second)
    wanted = data.draw(st.permutations(first.changes))
    assert outcome(what_if(judgement, declared, wanted)) == outcome(first), "nor that of the changes themselves"


NOBODY = "ffffffff-0000-4000-8000-ffffffffffff"
PLACES = st.sampled_from([None, {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}])


@st.composite
def policy(draw, tenant):
    """A Conditional Access policy over the demo's people, some of it not as documented."""
    ids = st.sampled_from([*tenant.accounts.id[::9], "All", "None", "GuestsOrExternalUsers", "Someday", NOBODY])
    groups = st.sampled_from([*tenant.groups, NOBODY])
    users = {
        "includeUsers": draw(st.lists(ids, max_size=3)),
        "excludeUsers": draw(st.lists(ids, max_size=3)),
        "includeGroups": draw(st.lists(groups, max_size=2)),
        "excludeGroups": draw(st.lists(groups, max_size=2)),
    }
    for key in draw(st.sets(st.sampled_from(sorted(users)), max_size=2)):
        users[key] = draw(st.sampled_from([None, []]))
    return {
        "id": "generated",
        "displayName": "Generated",
        "state": draw(st.sampled_from(["enabled", "enabled", "someday"])),
        "conditions": {
            "users": users,
            "applications": {"includeApplications": ["All"]},
            "clientAppTypes": draw(st.sampled_from([["all"], ["other"], ["browser"], None, ["someday"]])),
            "locations": draw(PLACES),
            "signInRiskLevels": draw(st.sampled_from([[], ["high"]])),
        },
        "grantControls": {"operator": "OR", "builtInControls": draw(st.sampled_from([["block"], ["mfa"], ["new"]]))},
    }


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_an_exclusion_never_widens_what_a_policy_reaches(demo, data):
    base = demo("default").judgement.tenant
    policies = data.draw(st.lists(policy(base), min_size=1, max_size=3))
    tenant = replace(
        base, policies=[{**one, "id": f"p{at}", "displayName": f"P{at}"} for at, one in enumerate(policies)]
    )
    row = data.draw(st.integers(0, len(tenant.accounts) - 1))
    groups = [key for key, group in tenant.groups.items() if group.state == "read"]
    who = data.draw(st.sampled_from([tenant.accounts.id[row], *groups]))
    wanted = read(tenant, (), [("exclude", f"P0={who}")])
    before, after = reach(tenant), reach(apply(tenant, (), wanted)[0])
    for was, now in zip(before.policies, after.policies, strict=True):
        assert (now.match >= was.match).all(), "a stronger match reaches less"
        rest = np.ones(len(tenant.accounts), dtype=np.bool_)
        rest[list(tenant.groups[who].members) if who in tenant.groups else row] = False
        assert np.array_equal(now.match[rest], was.match[rest]), "and whoever is not excluded stays as it was"


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_an_exclusion_and_its_withdrawal_are_nothing(demo, data):
    base = demo("default").judgement.tenant
    tenant = replace(base, policies=[data.draw(policy(base))])
    row = data.draw(st.integers(0, len(tenant.accounts) - 1))
    listed = [str(one).lower() for one in tenant.policies[0]["conditions"]["users"]["excludeUsers"] or ()]
    assume(tenant.accounts.id[row] not in listed)
    there = apply(tenant, (), read(tenant, (), [("exclude", f"Generated={tenant.accounts.id[row]}")]))[0]
    back = apply(there, (), read(there, (), [("unexclude", f"Generated={tenant.accounts.id[row]}")]))[0]
    assert np.array_equal(reach(back).policies[0].match, reach(tenant).policies[0].match)


@settings(max_examples=40, deadline=None)
@given(options=st.lists(st.sampled_from(POOL), unique=True, max_size=4))
def test_a_change_moves_only_what_it_is_about(demo, options):
    """Changes of single accounts leave every other account's states as they were, also where nothing was read."""
    own = [
        one for one in options if one[0] in ("mailbox-smtp", "per-user-mfa", "account", "licence", "password-changed")
    ]
    judgement = demo("no-exchange").judgement
    declared = senders("no-exchange")
    answer = what_if(judgement, declared, read(judgement.tenant, declared, own))
    touched = {judgement.tenant.find(value.partition("=")[0]) for _, value in own}
    rest = [row for row in range(judgement.cases.accounts) if row not in touched]
    for name, column in judgement.columns.items():
        assert np.array_equal(column.states[rest], answer.after.columns[name].states[rest]), name
