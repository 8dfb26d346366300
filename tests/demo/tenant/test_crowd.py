"""Filler that is made when it is asked for is the filler that is made at once, one by one."""

from __future__ import annotations

import random

import msgspec
import pytest

from auditor.demo.rows import Rows
from auditor.demo.tenant import build, generate
from auditor.demo.tenant.account import Account
from auditor.demo.tenant.crowd import Accounts, Crowd
from auditor.demo.tenant.groups import _memberships
from auditor.demo.tenant.ids import Ids
from auditor.demo.tenant.people import FIRST, KINDS, LAST, filler

COUNT = 3000


def identify(key: str) -> str:
    return Ids(5).uuid(f"account:{key}")


def finish(account: Account) -> None:
    account.id = identify(account.key)


def crowd(count: int = COUNT, seed: str = "5:people") -> Crowd:
    return Crowd(count, random.Random(seed), identify, finish)


def one_by_one(count: int, seed: str = "5:people") -> list[Account]:
    """As the numbers fall, from Python's own generator."""
    rng = random.Random(seed)
    made = []
    for number in range(count):
        kind, first, last = (names[int(rng.random() * len(names))] for names in (KINDS, FIRST, LAST))
        made.append(filler(number, kind, first, last, (rng.random(), rng.random(), rng.random())))
        finish(made[-1])
    return made


@pytest.mark.parametrize("seed", ["1:people", "5:people", "-3:people"])
def test_the_draws_are_those_of_pythons_generator(seed):
    assert list(crowd(700, seed)) == one_by_one(700, seed)


def test_the_first_are_the_same_at_every_size():
    assert crowd(10_000)[:50] == crowd(50)[:]


@pytest.fixture(scope="module")
def everybody() -> Accounts:
    special = [Account(key, key.title(), f"{key}@contoso.example", mailbox="UserMailbox") for key in ("anna", "bert")]
    late = [Account("zoe", "Zoe", "zoe@contoso.example", methods=None, smtp="daily")]
    for account in (*special, *late):
        finish(account)
    return Accounts(special, crowd(), late)


PLACES = [
    slice(None),
    slice(0, 5),
    slice(1, 4),
    slice(2900, None),
    slice(None, None, 700),
    slice(5, 5),
    slice(-2, None),
]


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_slice_runs_over_all_three_parts(everybody, place):
    listed = list(everybody)
    assert len(everybody) == len(listed) == COUNT + 3
    assert everybody[place] == listed[place]


def test_single_places_count_from_both_ends(everybody):
    assert [everybody[place].key for place in (0, 1, -1)] == ["anna", "bert", "zoe"]
    assert everybody[2].number == 0
    for place in (COUNT + 3, -COUNT - 4):
        with pytest.raises(IndexError):
            everybody[place]


TESTS = {
    "mailbox": lambda account: account.mailbox,
    "usage": lambda account: account.mailbox and (account.licences or account.smtp),
    "registered": lambda account: account.methods is not None,
    "everyday": lambda account: account.methods and account.enabled,
    "spray": lambda account: account.mailbox and account.user_type == "Member",
    "smtp": lambda account: account.smtp,
    "roles": lambda account: account.roles,
    "app-password": lambda account: account.app_password,
    "exchange": lambda account: account.exchange,
    "cas": lambda account: account.mailbox and account.cas_row,
}


@pytest.mark.parametrize("name", TESTS)
def test_chosen_by_sort_is_chosen_one_by_one(everybody, name):
    assert list(everybody.where(TESTS[name])) == [account for account in everybody if TESTS[name](account)]


def test_a_choice_of_a_choice(everybody):
    found = everybody.where(TESTS["mailbox"]).where(lambda account: not account.licences)
    assert list(found) == [account for account in everybody if account.mailbox and not account.licences]


def test_groups_hold_whom_they_would_hold_one_by_one(everybody):
    expected: dict[str, list[str]] = {}
    for account in everybody:
        for key in dict.fromkeys(_memberships(account)):
            expected.setdefault(key, []).append(account.id)
    found = everybody.by(_memberships, numbered=True)
    assert {key: [account.id for account in accounts] for key, accounts in found.items()} == expected
    team = found["team-finance"]
    assert all(team.has(one) for one in expected["team-finance"])
    assert not any(team.has(one) for one in expected["dept-finance"])


def test_the_tally_counts_each_licence_and_keeps_the_order(everybody):
    held, counted = {}, {}
    for account in everybody:
        held[account.licences] = held.get(account.licences, 0) + 1
    for account, count in everybody.tally():
        counted[account.licences] = counted.get(account.licences, 0) + count
    assert list(counted.items()) == list(held.items())


def test_ids_are_known_without_the_accounts(everybody):
    for accounts in (everybody, everybody.where(TESTS["mailbox"])):
        assert list(accounts.ids()) == [account.id for account in accounts]


def test_an_account_is_found_by_id_and_by_name(everybody):
    for account in everybody[::97]:
        assert everybody.lookup(account.id.upper()) == account
        assert everybody.lookup(account.upn.upper(), "userPrincipalName") == account
    for key, by in ((identify("nobody"), "id"), ("no-guid", "id"), ("p99999@contoso.example", "userPrincipalName"),
                    ("p00001@elsewhere.example", "userPrincipalName"), ("", "userPrincipalName")):  # fmt: skip
        assert everybody.lookup(key, by) is None
    assert everybody.has(everybody[5].id)
    assert not everybody.has(identify("nobody"))


def test_the_mailbox_of_zoe_is_not_there_twice(everybody):
    assert [account.key for account in everybody.followed_by(everybody[0])[-2:]] == ["zoe", "anna"]


@pytest.fixture(scope="module")
def both_ways():
    """The same tenant made at once and made when read, in a later quarter."""
    with pytest.MonkeyPatch.context() as patch:
        made = generate(accounts=900, seed=3, quarter=3)
        patch.setattr(build, "MADE_AT_ONCE", 0)
        return made, generate(accounts=900, seed=3, quarter=3)


def plain(value):
    """What the services would send."""
    return msgspec.json.decode(msgspec.json.encode(value))


def test_a_large_tenant_holds_the_same_objects(both_ways):
    made, large = both_ways
    assert isinstance(large.graph["users"], Rows)
    for name, rows in made.graph.items():
        found = large.graph[name]
        assert plain(list(found) if isinstance(found, Rows) else found) == plain(
            [row | {"perUserMfaState": made.per_user_mfa[row["id"]]} for row in rows] if name == "users" else rows
        ), name
    assert {name: plain(list(rows)) for name, rows in large.exchange.items()} == plain(made.exchange)
    assert {group: list(members) for group, members in large.group_members.items()} == made.group_members
    for name in ("methods", "per_user_mfa", "passwords", "app_passwords"):
        assert dict(getattr(large, name)) == getattr(made, name), name
    assert (large.senders, large.fates) == (made.senders, made.fates)


def test_members_know_who_is_inside(both_ways):
    made, large = both_ways
    outside = Ids(3).uuid("account:nobody")
    for group, members in made.group_members.items():
        assert len(large.group_members[group]) == len(members)
        assert all(member in large.group_members[group] for member in members[:5])
        assert outside not in large.group_members[group]
        assert large.group_members[group][:3] == members[:3]


def test_large_products_can_be_given_more_plans():
    tenant = generate(accounts=200, plans=81)
    skus = {sku["skuPartNumber"]: len(sku["servicePlans"]) for sku in tenant.graph["subscribedSkus"]}
    assert skus["SPE_E3"] == skus["SPE_E5"] == skus["SPB"] == 81
    assert skus["EXCHANGESTANDARD"] == 3
    assert max(len(user["assignedPlans"]) for user in tenant.graph["users"] if len(user["assignedLicenses"]) == 1) >= 81
