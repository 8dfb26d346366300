"""The whole: identity, missing datasets one at a time, laws over order and duplicates, malformed records, scale."""

import gc
import json
import random
from contextlib import suppress
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.catalogue import CATALOGUE
from auditor.demo.tenant import SCENARIOS, generate
from auditor.errors import UsageError
from auditor.load import load
from auditor.load.source import EVIDENCE_ONLY
from auditor.snapshot import Snapshot
from auditor.tenant import NO, UNREAD, YES

NAMES = [dataset.name for dataset in CATALOGUE]


def demo_datasets(scenario="default", accounts=150):
    """The datasets as a complete collection would write them, straight from the generator."""
    demo = generate(accounts=accounts, scenario=scenario)
    datasets = {name: value if isinstance(value, list) else [value] for name, value in demo.graph.items()}
    datasets.update(demo.exchange)
    datasets["perUserMfa"] = [{"id": user, "perUserMfaState": state} for user, state in demo.per_user_mfa.items()]
    datasets["authenticationMethods"] = [
        {"id": user, "methods": methods} for user, methods in list(demo.methods.items())[:5]
    ]
    users = {user["id"] for user in datasets["users"]}
    hidden = {group["id"] for group in datasets["groups"] if group.get("visibility") == "HiddenMembership"}

    def members(group, seen):
        for member in demo.group_members.get(group, ()):
            if member in users:
                yield member
            elif member not in seen:
                seen.add(member)
                yield from members(member, seen)

    datasets["groupMembers"] = [
        {"groupId": group, "id": member}
        for group in demo.group_members
        if group not in hidden
        for member in sorted(set(members(group, {group})))
    ]
    return demo, datasets


def columns(tenant):
    """Every column of the accounts by name, as plain lists."""
    accounts = tenant.accounts
    return {
        name: [None if isinstance(one, float) and np.isnan(one) else one for one in list(getattr(accounts, name))]
        for name in accounts.__dataclass_fields__
        if name != "addresses_unread"
    }


def facts(tenant):
    """Everything of a tenant that does not depend on the order of records."""
    rows = columns(tenant)
    by_id = {user: tuple(rows[name][row] for name in sorted(rows)) for user, row in tenant.row_of.items()}
    groups = {
        group.id: (group.state, sorted(tenant.accounts.id[row] for row in group.members))
        for group in tenant.groups.values()
    }
    policies = {(policy.key, policy.allow_smtp) for policy in tenant.authentication_policies.values()}
    doubts = {
        role: {tenant.accounts.id[row] for row in np.flatnonzero(rows)} for role, rows in tenant.uncertain_roles.items()
    }
    return (
        by_id, groups, policies, doubts, tenant.problems, tenant.security_defaults,
        tenant.default_authentication_policy, tenant.org_smtp_auth_disabled,
        {name: (status.state, status.reason) for name, status in tenant.status.items()},
        {tenant.accounts.id[row]: events for row, events in tenant.app_password_events.items()},
        [(event.time, event.user_id, event.error_code) for event in tenant.sign_ins],
        sorted(tenant.role_definitions), sorted(tenant.named_locations), sorted(tenant.domains), tenant.sku_names,
        sorted(json.dumps(policy, sort_keys=True) for policy in tenant.policies),
    )  # fmt: skip


# --- identity ---


@pytest.mark.parametrize(
    ("organization", "manifest", "given", "expected"),
    [
        ([{"id": "T-Organization", "displayName": "Contoso"}], {}, "t-config", "t-organization"),
        ([], {}, "t-config", "t-manifest"),
        ([], None, "T-Config", "t-config"),
    ],
)
def test_tenant_id(build, organization, manifest, given, expected):
    datasets = {"users": [build.user(1)], **({"organization": organization} if organization else {})}
    if manifest is not None:
        manifest = {name: {"state": "complete", "records": len(records)} for name, records in datasets.items()}
    tenant = build(options={"tenant_id": given}, manifest=manifest, **datasets)
    assert tenant.tenant_id == expected
    assert tenant.name == ("Contoso" if organization else "")


@pytest.mark.parametrize("sought", [True, False])
@pytest.mark.parametrize("users", [b"{}\n", b"damaged\n"])
def test_garbage_collection_is_left_as_it_was(build, sought, users):
    was = gc.isenabled()
    try:
        (gc.enable if sought else gc.disable)()
        with suppress(UsageError):
            build(users=users)
        assert gc.isenabled() == sought
    finally:
        (gc.enable if was else gc.disable)()


def test_cloud_and_now(build):
    assert build(users=[]).cloud == "public"
    tenant = build(options={"cloud": "china", "now": datetime(2027, 1, 1)}, users=[])  # noqa: DTZ001 - naive on purpose
    assert tenant.cloud == "china"
    assert tenant.now == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_hand_made_folder_counts_its_records(build):
    tenant = build(users=[build.user(1), build.user(2)], domains=[{"id": "Contoso.example"}])
    assert tenant.status["users"].records == 2
    assert tenant.domains["contoso.example"] == {"id": "Contoso.example"}


# --- what is not complete ---


@pytest.mark.parametrize("state", ["cut", "denied", "failed", "not-asked"])
def test_nothing_is_taken_from_what_is_not_complete(build, state):
    demo, datasets = demo_datasets(accounts=100)
    manifest = {name: {"state": "complete" if name == "users" else state} for name in NAMES}
    tenant = build(manifest=manifest, options={"now": demo.now}, **datasets)
    assert len(tenant.accounts) == len(datasets["users"])
    assert set(tenant.accounts.mailbox_plan) == {"unread"}
    assert set(tenant.accounts.mailbox) == {""}
    assert set(tenant.accounts.authentication_policy) == {"unread"}
    assert set(tenant.accounts.per_user_mfa) == {"unknown"}
    for column in ("smtp_auth_disabled", "is_admin", "mfa_registered"):
        assert set(getattr(tenant.accounts, column).tolist()) == {UNREAD}
    assert tenant.accounts.roles_uncertain.all()
    assert tenant.security_defaults == tenant.org_smtp_auth_disabled == tenant.allow_legacy_tls == UNREAD
    assert tenant.default_authentication_policy == "unread"
    assert not tenant.groups
    assert not tenant.policies
    assert not tenant.domains
    assert not tenant.recipient_permissions
    assert bool(tenant.sign_ins) == (state != "not-asked")


def test_rows_of_cut_users_are_judged(build):
    manifest = {"users": {"state": "cut", "records": 1, "reason": "504"}, "subscribedSkus": {"state": "complete"}}
    tenant = build(users=[build.user(1)], subscribedSkus=[build.sku()], manifest=manifest)
    assert tenant.accounts.mailbox_plan[0] == "enabled"
    assert tenant.status["users"].state == "cut"


@pytest.mark.parametrize("kept", [0, 1])
def test_fewer_records_than_the_manifest_counts_is_a_cut(build, kept):
    rows = [{"id": build.id(number), "perUserMfaState": "disabled"} for number in (1, 2)]
    manifest = {"users": {"state": "complete"}, "perUserMfa": {"state": "complete", "records": 2}}
    tenant = build(users=[build.user(1)], perUserMfa=rows[:kept], manifest=manifest)
    assert tenant.status["perUserMfa"].state == "cut"
    assert "counts 2 records" in tenant.status["perUserMfa"].reason


UNKNOWN_WORDS = {
    "mailbox_plan": "unread", "authentication_policy": "unread", "per_user_mfa": "unknown", "mailbox": "",
    "mailbox_usage": "", "exchange_user": "",
}  # fmt: skip
FREE = {"kind", "mailbox_plan_note", "roles", "roles_uncertain", "methods", "methods_as_of"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """(the generator's tenant, its datasets, the tenant loaded from all of them)"""
    demo, datasets = demo_datasets()
    folder = tmp_path_factory.mktemp("whole")
    write(folder, datasets)
    return demo, datasets, load(Snapshot.open(folder), now=demo.now)


def write(folder, datasets):
    for name, records in datasets.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))


@pytest.mark.parametrize("missing", [name for name in NAMES if name not in EVIDENCE_ONLY and name != "users"])
def test_losing_a_dataset_only_makes_things_unread(whole, tmp_path, missing):
    demo, datasets, before = whole
    write(tmp_path, {name: records for name, records in datasets.items() if name != missing})
    after = load(Snapshot.open(tmp_path), now=demo.now)
    old, new = columns(before), columns(after)
    for name in old.keys() - FREE:
        unknown = UNKNOWN_WORDS.get(name, UNREAD)
        changed = [(one, other) for one, other in zip(old[name], new[name], strict=True) if one != other]
        # a policy that is named but cannot be looked up any more (`?name`) is as unknown as `unread`
        lost = {other for _, other in changed if not (name == "authentication_policy" and other.startswith("?"))}
        assert lost <= {unknown}, (name, changed[:3])
    for row, (one, other) in enumerate(zip(old["roles"], new["roles"], strict=True)):
        assert other <= one
        assert one == other or after.accounts.roles_uncertain[row]
    for name in ("security_defaults", "org_smtp_auth_disabled", "allow_legacy_tls", "send_from_alias"):
        assert getattr(after, name) in {UNREAD, getattr(before, name)}
    for group_id, group in before.groups.items():
        assert after.group(group_id).state in {group.state, "unreadable"}
    assert {problem for problem in after.problems if problem.dataset != missing} <= set(before.problems)


def test_without_users_there_are_no_rows(whole, tmp_path):
    demo, datasets, _ = whole
    write(tmp_path, {name: records for name, records in datasets.items() if name != "users"})
    tenant = load(Snapshot.open(tmp_path), now=demo.now)
    assert len(tenant.accounts) == 0
    assert tenant.row_of == {}
    assert tenant.accounts.roles_uncertain.shape == tenant.accounts.enabled.shape == (0,)
    assert not tenant.app_password_events
    assert all(event.account == -1 for event in tenant.sign_ins)


# --- laws ---


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_order_and_duplicates_change_nothing(whole, tmp_path_factory, seed):
    demo, datasets, before = whole
    shuffle = random.Random(seed)
    changed = {}
    for name, records in datasets.items():
        again = [*records, *shuffle.sample(records, min(len(records), 5))]
        shuffle.shuffle(again)
        changed[name] = again
    folder = tmp_path_factory.mktemp("shuffled")
    write(folder, changed)
    after = load(Snapshot.open(folder), now=demo.now)
    counted = {name: (status.state, status.reason) for name, status in after.status.items()}
    assert counted == {name: (status.state, status.reason) for name, status in before.status.items()}
    assert facts(after) == facts(before)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "x", "/", "True", "2026-01-01T00:00:00Z"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "skuId", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_patched_object_never_crashes(whole, tmp_path_factory, data):
    demo, datasets, _ = whole
    name = data.draw(st.sampled_from(sorted(name for name, records in datasets.items() if records)))
    record = data.draw(st.sampled_from(datasets[name]))
    key = data.draw(st.sampled_from(sorted(record)))
    patched = data.draw(st.one_of(values, values.map(lambda value: {**record, key: value})))
    folder = tmp_path_factory.mktemp("patched")
    some = {one: datasets[one][:20] for one in ("users", "subscribedSkus", "groups", "mailboxes", "roleDefinitions")}
    write(folder, {**some, name: [patched]})
    tenant = load(Snapshot.open(folder), now=demo.now)
    assert {len(column) for column in columns(tenant).values()} == {len(tenant.accounts)}
    assert {problem.dataset for problem in tenant.problems} <= set(NAMES)
    if not isinstance(patched, dict):
        assert (name, "record 1") in {(problem.dataset, problem.object_id) for problem in tenant.problems}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("record", ["text", 3, None, ["list"], True])
def test_a_record_that_is_no_object_is_told_in_every_dataset(build, name, record):
    datasets = {"users": [build.user(1)], name: [record]}
    tenant = build(**datasets)
    assert (name, "record 1", "") in build.problems(tenant)


def test_a_policy_record_that_is_no_object_stays_as_an_unknown_policy(build):
    tenant = build(users=[build.user(1)], conditionalAccessPolicies=["text", {"id": "p", "state": "disabled"}])
    assert [policy["state"] for policy in tenant.policies] == ["disabled", "unreadable"]


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("levels", [65, 200, 500, 900])
@pytest.mark.parametrize(
    "name", ["conditionalAccessPolicies", "namedLocations", "organization", "recipientPermissions"]
)
def test_a_record_that_is_nested_too_deep_cannot_be_used(build, name, levels, opening, closing):
    deep = f'{{"id": "p", "deep": {opening * levels}1{closing * levels}}}\n'.encode()
    tenant = build(**{name: deep})
    assert (name, "record 1", "") in build.problems(tenant)
    assert [policy["state"] for policy in tenant.policies] == ["unreadable"] * (name == "conditionalAccessPolicies")
    assert tenant.status[name].complete == (name == "conditionalAccessPolicies")


def test_a_record_may_be_nested_as_deep_as_anything_that_microsoft_answers(build):
    nested = {"id": "p", "state": "disabled", "deep": json.loads("[" * 62 + "]" * 62), "wide": [[{}]] * 100}
    assert [policy["state"] for policy in build(conditionalAccessPolicies=[nested]).policies] == ["disabled"]


@pytest.mark.parametrize(
    "lines",
    [
        b'{"id": "p", "state": "disabled"} {"id": "q", "state": "disabled"}\n',
        b'{"id": "p", "state": "disabled"}{"id": "q"}\n\n',
        b'{"id": "p",\n"state": "disabled"}\n',
        b'{"id": "p",\n"state": "disabled"}\n{"id": "q"} {"id": "r"}\n',
        b'{"id": "p", "x": {}\n}\n{"id": "q"} {"id": "r"}\n',
        b'{"id": "p", "x": [\n{}]}\n{"id": "q"} {"id": "r"}\n',
    ],
)
@pytest.mark.parametrize("name", ["users", "groupMembers", "mailboxUsage", "conditionalAccessPolicies"])
def test_an_object_stands_on_a_line_of_its_own(build, name, lines):
    with pytest.raises(UsageError, match=r"line \d is no JSON"):
        build(**{name: lines})


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b" \n", b"\n\n"])
def test_lines_may_end_in_any_way(build, end):
    lines = end.join([json.dumps(build.user(number)).encode() for number in (1, 2)] + [b""])
    assert list(build(users=lines).accounts.id) == [build.id(1), build.id(2)]


def test_contradicting_policies_are_both_judged_and_told(build):
    pair = [{"id": "p", "state": "disabled"}, {"id": "P", "state": "enabled"}, {"id": "p", "state": "disabled"}]
    tenant = build(conditionalAccessPolicies=pair)
    assert len(tenant.policies) == 2
    assert build.problems(tenant) == [("conditionalAccessPolicies", "p", "")]


@pytest.mark.parametrize("name", ["namedLocations", "domains", "authenticationStrengthPolicies", "servicePrincipals"])
def test_objects_without_identity_or_twice_are_told(build, name):
    app = {"appId": "app"} if name == "servicePrincipals" else {}
    twice = build(**{name: [{"id": "A", "same": 1, "x": 1, **app}, {"id": "a", "same": 1, "x": 2, **app}]})
    [found] = getattr(twice, LOOKUP[name]).values()
    assert "x" not in found
    assert found["same"] == 1
    assert [problem.property for problem in twice.problems] == [""]
    nameless = build(**{name: [{"id": "A", **app}, {"displayName": "nameless", **app}]})
    assert [problem.property for problem in nameless.problems] == ["id"]
    assert not nameless.status[name].complete


def test_a_lone_surrogate_in_place_of_a_known_word_is_told(build):
    tenant = build(domains=[{"id": "contoso.example", "authenticationType": "\ud800"}])
    assert tenant.domains == {"contoso.example": {"id": "contoso.example"}}
    assert build.problems(tenant) == [("domains", "contoso.example", "authenticationType")]


LOOKUP = {
    "namedLocations": "named_locations",
    "domains": "domains",
    "authenticationStrengthPolicies": "authentication_strengths",
    "servicePrincipals": "service_principals",
}


@pytest.mark.parametrize("value", [None, "true", 1])
def test_security_defaults_malformed(build, value):
    tenant = build(identitySecurityDefaultsEnforcementPolicy=[{"id": "x", "isEnabled": value}])
    expected = YES if value == "true" else UNREAD
    assert tenant.security_defaults == expected
    assert bool(tenant.problems) == (expected == UNREAD)


# --- the demo tenant and scale ---

PLANTED = {("perUserMfa", "perUserMfaState")}
"""The generator answers `unknownFutureValue` for two accounts, as Graph does for values of the future."""


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_the_demo_tenant_holds_no_problem_beyond_the_planted_ones(tmp_path, scenario):
    demo, datasets = demo_datasets(scenario)
    write(tmp_path, datasets)
    tenant = load(Snapshot.open(tmp_path), now=demo.now, declared=[sender["account"] for sender in demo.senders])
    assert {(problem.dataset, problem.property) for problem in tenant.problems} <= PLANTED
    accounts = tenant.accounts
    assert len(accounts) == len(datasets["users"])
    assert {"user", "shared", "room", "guest", "service", "sync"} <= set(accounts.kind)
    assert "unknown" not in accounts.kind
    switches = {row["ExternalDirectoryObjectId"]: row for row in datasets["casMailboxes"]}
    for row, user in enumerate(accounts.id):
        said = switches.get(user, {}).get("SmtpClientAuthenticationDisabled", UNREAD)
        assert accounts.smtp_auth_disabled[row] == {True: YES, False: NO, None: 2, UNREAD: UNREAD}[said]
        assert accounts.per_user_mfa[row] in {demo.per_user_mfa.get(user, "unknown"), "unknown"}
    assert tenant.group(next(iter(tenant.groups))).state in {"read", "deleted", "unreadable"}


def test_five_thousand_users_with_fifty_plans(build):
    plans = [
        {"servicePlanId": f"33333333-0000-0000-0000-{number:012}", "service": "teams", "capabilityStatus": "Enabled"}
        for number in range(49)
    ]
    users = [build.user(number) for number in range(1, 5001)]
    for user in users:
        user["assignedPlans"] = plans + user["assignedPlans"]
    cas = [{"ExternalDirectoryObjectId": user["id"], "SmtpClientAuthenticationDisabled": None} for user in users]
    members = [{"groupId": "g", "id": user["id"]} for user in users]
    tenant = build(
        users=users, subscribedSkus=[build.sku()], casMailboxes=cas, groupMembers=members,
        groups=[{"id": "g", "displayName": "All", "visibility": None}],
    )  # fmt: skip
    assert len(tenant.accounts) == 5000
    assert set(tenant.accounts.mailbox_plan) == {"enabled"}
    assert len({id(note) for note in tenant.accounts.mailbox_plan_note}) == 1
    assert len(tenant.group("G").members) == 5000
    assert tenant.problems == ()
