"""The whole collection against the emulated tenant, with the real SDK over TLS: every dataset ends as it must."""

from __future__ import annotations

import asyncio
import math
import os
import stat

import msgspec
import numpy as np
import pytest

from auditor.catalogue import BY_NAME, CATALOGUE, EXCHANGE_DATASETS, MAIL_SCOPES, ROLE_IDS
from auditor.collect import INPUTS, READ_ORDER, collect
from auditor.config import load as load_config
from auditor.demo.server import Emulator
from auditor.demo.settings import write_config
from auditor.demo.tenant import generate
from auditor.errors import SignInError, UsageError
from auditor.load import load
from auditor.snapshot import Snapshot, verify
from auditor.states import State
from auditor.verdict import judge

from ..clocks import FakeClock
from .conftest import Read

GRAPH_PERMISSIONS = sorted({dataset.permission for dataset in CATALOGUE} & (set(ROLE_IDS) - {"Exchange.ManageAsApp"}))


class Told:
    def __init__(self) -> None:
        self.events = []

    def started(self, dataset):
        self.events.append(("started", dataset))

    def page(self, dataset, pace):
        self.events.append(("page", dataset, pace.records))

    def finished(self, dataset, status):
        self.events.append(("finished", dataset, status.state))


def test_what_builds_on_others_is_read_after_them():
    assert sorted(READ_ORDER) == sorted(dataset.name for dataset in CATALOGUE)
    for name, inputs in INPUTS.items():
        assert all(READ_ORDER.index(entry) < READ_ORDER.index(name) for entry in inputs)


def test_every_dataset_is_complete_and_the_snapshot_holds(whole):
    states = {name: entry["state"] for name, entry in whole.datasets.items()}
    assert [name for name, state in states.items() if state not in ("complete", "not-asked")] == []
    not_asked = {name for name, state in states.items() if state == "not-asked"}
    assert not_asked <= {"smtpAuthClients", "smtpReplies", "whatIf"}
    assert verify(whole.folder) == []
    assert whole.manifest["complete"] is True
    assert list(whole.datasets) == [dataset.name for dataset in CATALOGUE]


def test_times_are_the_services_not_this_machines(whole, served):
    now = served.tenant.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (whole.manifest["started"], whole.manifest["ended"]) == (now, now)
    assert {entry["as_of"] for entry in whole.datasets.values()} <= {now, ""}
    assert Snapshot.open(whole.folder).ended == now


def test_records_are_what_the_service_holds(whole, served):
    graph = served.tenant.graph
    for name in ("users", "conditionalAccessPolicies", "roleAssignments", "userRegistrationDetails"):
        assert [record["id"] for record in whole.records(name)] == [record["id"] for record in graph[name]]
    policy = whole.records("conditionalAccessPolicies")[0]
    assert policy["conditions"] == graph["conditionalAccessPolicies"][0]["conditions"]
    assert whole.result.tenant_id == graph["organization"][0]["id"]
    assert whole.manifest["digest"] == Snapshot.open(whole.folder).digest()


def test_requests_are_all_that_left(whole, served):
    counted = sum(entry["requests"] for entry in whole.datasets.values())
    assert whole.result.requests == whole.manifest["requests"] == counted
    assert whole.datasets["users"]["requests"] == 1
    assert whole.datasets["groups"]["inner_requests"] > 0


def test_members_are_the_transitive_users_of_each_group_in_the_order_of_groups(whole, served):
    groups = [group["id"] for group in whole.records("groups")]
    assert groups == sorted(groups)
    lines = whole.records("groupMembers")
    order = list(dict.fromkeys(line["groupId"] for line in lines))
    assert order == [group for group in groups if group in order]
    users = {user["id"] for user in whole.records("users")}
    expected: set[tuple[str, str]] = set()
    for group in order:
        waiting, seen = [group], set()
        while waiting:
            for member in served.tenant.group_members.get(waiting.pop(), ()):
                if member not in seen:
                    seen.add(member)
                    waiting.append(member)
        expected |= {(group, member) for member in seen & users}
    assert {(line["groupId"], line["id"]) for line in lines} == expected


def test_hidden_and_deleted_groups_are_told_and_not_read_as_empty(whole):
    groups = whole.records("groups")
    hidden = [group["id"] for group in groups if group.get("visibility") == "HiddenMembership"]
    deleted = [group for group in groups if group.get("error") == "Request_ResourceNotFound"]
    assert hidden
    assert deleted
    members = {line["groupId"] for line in whole.records("groupMembers")}
    assert not members & {*hidden, *(group["id"] for group in deleted)}


def test_a_group_that_may_send_as_a_mailbox_is_among_them(whole):
    trustees = {record["Trustee"] for record in whole.records("recipientPermissions")}
    assert trustees & {group.get("mail") for group in whole.records("groups")}


def test_only_what_may_send_mail_is_kept_of_the_apps(whole, served):
    graph = served.tenant.graph
    kept = whole.records("oauth2PermissionGrants")
    assert kept
    assert len(kept) < len(graph["oauth2PermissionGrants"])
    assert all(set(grant["scope"].split()) & set(MAIL_SCOPES) for grant in kept)
    principals = {entry["principalId"] for entry in whole.records("appRoleAssignments")}
    ids = {entry["id"] for entry in whole.records("servicePrincipals")}
    assert principals <= ids
    assert {grant["clientId"] for grant in kept} <= ids
    assert len(ids) < len(graph["servicePrincipals"])


def test_both_ids_of_smtp_send_as_app_count(whole):
    roles = {entry["appRoleId"] for entry in whole.records("appRoleAssignments")}
    assert {"7146a1f0-8703-45b3-9eae-527a64c00995", "ce81e10f-fda1-4348-8947-f7fdb6c649ad"} <= roles


def test_methods_are_read_for_declared_senders_only(whole, config):
    declared = {sender.account.lower() for sender in config.config.senders}
    names = {user["id"]: user["userPrincipalName"].lower() for user in whole.records("users")}
    lines = whole.records("authenticationMethods")
    assert lines
    assert all(names[line["id"]] in declared and line["methods"] for line in lines)


def test_the_report_behind_a_redirect_is_read_without_the_token(whole, served):
    rows = whole.records("emailAppUsage")
    assert "SMTP App" in rows[0]
    assert {entry.authorized for entry in served.requests.entries if entry.service == "reports"} == {False}
    assert whole.datasets["emailAppUsage"]["requests"] == 2


def test_progress_tells_each_dataset_once(config, run):
    told = Told()
    read = run(config, progress=told)
    assert sorted(event[1] for event in told.events if event[0] == "started") == sorted(READ_ORDER)
    ended = {event[1]: event[2] for event in told.events if event[0] == "finished"}
    assert ended == {name: read.state(name) for name in READ_ORDER}
    assert ("page", "users", len(read.records("users"))) in told.events
    assert read.result.stages["collect"][0] < 60


def test_what_rests_on_others_starts_after_they_have_ended(config, run):
    told = Told()
    run(config, progress=told)
    order = [event[:2] for event in told.events if event[0] != "page"]
    assert order[:2] == [("started", "organization"), ("finished", "organization")]
    for name, inputs in INPUTS.items():
        assert all(order.index(("finished", before)) < order.index(("started", name)) for before in inputs), name


@pytest.mark.parametrize("permission", GRAPH_PERMISSIONS)
def test_without_one_permission_its_datasets_are_denied_by_name_and_the_rest_is_untouched(
    emulator, config, run, whole, permission
):
    emulator.tenant.app.graph_roles.discard(permission)
    held = emulator.tenant.app.graph_roles
    read = run(config)
    lost = {
        dataset.name
        for dataset in CATALOGUE
        if dataset.permission == permission
        and dataset.name != "whatIf"  # not asked for here
        and (dataset.name == "perUserMfa" or not held & set(dataset.accepted))
    }
    assert lost
    for name in lost:
        entry = read.datasets[name]
        assert (entry["state"], entry["permission"]) == ("denied", permission), name
        assert permission in entry["reason"]
    touched = set(lost)
    for name in READ_ORDER:
        touched |= {name} if touched & set(INPUTS.get(name, ())) else set()
    touched |= {"signIns"} if permission == "Policy.Read.All" else set()  # what policies did is left out of the log
    for name in set(read.datasets) - touched:
        assert read.datasets[name]["sha256"] == whole.datasets[name]["sha256"], name
    if lost & {"conditionalAccessPolicies", "roleAssignments"}:
        assert read.state("groups") == "cut"
        assert read.state("groupMembers") == "cut"
    if "groups" in lost:
        assert read.state("groupMembers") == "denied"
    if "users" in lost:
        assert read.state("authenticationMethods") == "cut"
    assert verify(read.folder) == []


def test_where_the_clients_are_not_known_all_service_principals_are_kept(emulator, config, run):
    emulator.tenant.app.graph_roles.discard("DelegatedPermissionGrant.Read.All")
    read = run(config)
    assert read.state("servicePrincipals") == "complete"
    assert len(read.records("servicePrincipals")) == len(emulator.tenant.graph["servicePrincipals"])


def test_a_tenant_without_p1_is_told_as_a_licence(emulator, config, run):
    emulator.tenant.premium = False
    read = run(config)
    for name in ("userRegistrationDetails", "signIns"):
        entry = read.datasets[name]
        assert (entry["state"], entry["permission"]) == ("denied", "Entra ID P1")
        assert "licence" in entry["reason"]
    assert read.state("users") == "complete"


def test_exchange_without_the_directory_role_leaves_graph_alone(emulator, config, run, whole):
    emulator.tenant.app.directory_role = False
    read = run(config)
    assert {read.state(name) for name in EXCHANGE_DATASETS} <= {"denied", "not-asked"}
    assert read.state("groups") == "complete"
    assert read.datasets["users"]["sha256"] == whole.datasets["users"]["sha256"]


def test_exchange_that_is_not_asked_for(config, change, run):
    read = run(change(config, exchange={"source": "none"}))
    assert {read.state(name) for name in EXCHANGE_DATASETS} == {"not-asked"}
    assert read.state("groups") == "complete"


def test_an_app_without_any_permission_reads_nothing(emulator, config, change, run):
    emulator.tenant.app.graph_roles = set()
    with pytest.raises(SignInError) as caught:
        run(change(config, exchange={"source": "none"}))
    assert caught.value.exit_code == 4
    assert "User.Read.All" in str(caught.value)


def test_a_sign_in_that_fails_leaves_no_dataset(emulator, config, run, tmp_path):
    emulator.tenant.app.secret_expired = True
    with pytest.raises(SignInError):
        run(config)
    assert list((tmp_path / "snapshot").glob("*.jsonl*")) == []


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such modes")
def test_the_evidence_is_private(whole):
    assert stat.S_IMODE(whole.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in whole.folder.iterdir()} == {0o600}


def test_no_secret_stands_in_the_snapshot(whole, served):
    for path in whole.folder.iterdir():
        text = path.read_text()
        assert served.tenant.app.secret not in text
        assert "Bearer " not in text
        assert "eyJ" not in text


def test_a_folder_that_holds_a_snapshot_is_not_written_over(config, run):
    run(config)
    with pytest.raises(UsageError):
        run(config)


def test_resume_reads_only_what_is_not_whole(emulator, config, run):
    emulator.tenant.app.graph_roles.discard("AuditLog.Read.All")
    first = run(config)
    emulator.tenant.app.graph_roles.add("AuditLog.Read.All")
    before = emulator.requests.by_service()
    second = run(config, resume=True)
    after = emulator.requests.by_service()
    assert second.state("signIns") == second.state("userRegistrationDetails") == "complete"
    assert after["graph"] - before["graph"] == 3
    assert after["exchange"] == before["exchange"]
    assert second.manifest["requests"] == first.manifest["requests"] + 3
    assert second.manifest["started"] == first.manifest["started"]
    assert verify(second.folder) == []


def test_resume_reads_again_what_rests_on_something_new(emulator, config, run):
    emulator.tenant.app.graph_roles.discard("RoleManagement.Read.Directory")
    run(config)
    emulator.tenant.app.graph_roles.add("RoleManagement.Read.Directory")
    second = run(config, resume=True)
    assert second.state("groups") == second.state("groupMembers") == "complete"


def test_resume_notices_a_damaged_file_and_reads_it_again(config, run, whole):
    first = run(config)
    users = first.folder / "users.jsonl"
    users.write_bytes(users.read_bytes()[:-5])
    second = run(config, resume=True)
    assert second.datasets["users"]["sha256"] == whole.datasets["users"]["sha256"]
    assert verify(second.folder) == []


def test_resume_of_a_whole_snapshot_asks_nothing(emulator, config, run):
    first = run(config)
    before = emulator.requests.by_service()
    second = run(config, resume=True)
    after = emulator.requests.by_service()
    assert (after["graph"], after["exchange"]) == (before["graph"], before["exchange"])
    assert second.manifest == first.manifest


def test_resume_without_a_snapshot_starts_anew(config, run):
    assert run(config, resume=True).state("users") == "complete"


def test_per_user_mfa_falls_back_to_one_call_per_user_that_nothing_else_closes(emulator, config, run, whole):
    emulator.tenant.per_user_mfa_in_list = False
    read = run(config)
    entry = read.datasets["perUserMfa"]
    assert entry["state"] == "complete"
    assert entry["source"] == "beta/users/{id}/authentication/requirements"
    asked = {record["id"]: record["perUserMfaState"] for record in read.records("perUserMfa")}
    assert entry["inner_requests"] == len(asked)
    listed = {record["id"]: record["perUserMfaState"] for record in whole.records("perUserMfa")}
    assert asked.items() <= listed.items()
    senders = config.config.senders
    judgement = judge(load(Snapshot.open(whole.folder), now=emulator.tenant.now, declared=[]), senders)
    accounts = judgement.tenant.accounts
    open_ = {accounts.id[row] for row in np.flatnonzero(judgement.basic != State.BLOCKS)}
    declared = {accounts.id[judgement.tenant.find(sender.account)] for sender in senders}
    assert asked.keys() >= open_ | declared
    disabled = {user["id"] for user in read.records("users") if not user["accountEnabled"]}
    assert disabled
    assert not asked.keys() & disabled - declared


def test_per_user_mfa_beyond_the_limit_is_cut(emulator, config, change, run):
    emulator.tenant.per_user_mfa_in_list = False
    read = run(change(config, audit={"per_user_mfa_limit": 20}))
    entry = read.datasets["perUserMfa"]
    assert (entry["state"], entry["records"]) == ("cut", 20)
    assert "per_user_mfa_limit" in entry["reason"]


def test_per_user_mfa_one_by_one_needs_the_policy_permission(emulator, config, run):
    emulator.tenant.per_user_mfa_in_list = False
    emulator.tenant.app.graph_roles.discard("Policy.Read.All")
    entry = run(config).datasets["perUserMfa"]
    assert (entry["state"], entry["permission"]) == ("denied", "Policy.Read.All")
    assert entry["inner_requests"] == 1  # one refusal says it all


def test_concealed_names_are_noted(emulator, config, run):
    emulator.tenant.concealed_names = True
    read = run(config)
    for name in ("emailAppUsage", "mailboxUsage"):
        assert "conceals names" in read.datasets[name]["notes"][0]


def test_the_window_of_the_logs_ends_when_the_collection_started(config, change, run, whole):
    read = run(change(config, audit={"sign_in_days": 5}))
    times = [record["createdDateTime"] for record in read.records("signIns")]
    assert times
    assert len(times) < len(whole.records("signIns"))
    assert min(times) >= "2026-11-18T16:00:00Z"


def test_without_senders_no_methods_are_asked_for(config, change, run):
    read = run(change(config, senders=()))
    assert read.state("authenticationMethods") == "not-asked"
    assert BY_NAME["authenticationMethods"].optional


def test_senders_of_another_tenant_are_not_asked_for(config, change, run):
    first, second, third = config.config.senders
    tenant = config.config.tenants[0].name
    named = (
        msgspec.structs.replace(first, tenant=tenant.upper()), msgspec.structs.replace(second, tenant="another"), third,
    )  # fmt: skip
    read = run(change(config, senders=named))
    asked = read.datasets["mailboxPermissions"]["asked_for"]
    assert asked == sorted(sender.account.lower() for sender in (first, third))
    assert len(read.records("authenticationMethods")) == 2


def test_no_request_per_account(tmp_path):
    """At most 40, and 5 % above the pages of what is read in bulk."""
    tenant = generate(accounts=400, seed=1, scenario="default", quarter=1, now=None)
    with Emulator(tenant, tmp_path / "emulator") as emulator:
        write_config(tenant, emulator, tmp_path / "config.toml")
        config = load_config(tmp_path / "config.toml")
        read = Read(asyncio.run(collect(config, config.config.tenants[0], tmp_path / "snapshot", clock=FakeClock())))
    bulk = [dataset for dataset in CATALOGUE if dataset.page_size]
    pages = sum(math.ceil(read.datasets[dataset.name]["records"] / dataset.page_size) for dataset in bulk)
    assert read.result.requests <= 40 + 1.05 * pages
    assert len(config.config.senders) > 30
    assert len(read.records("groups")) > 15
