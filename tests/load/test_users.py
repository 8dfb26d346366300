import math

import pytest

from auditor.errors import UsageError
from auditor.load.values import moment
from auditor.tenant import NO, UNREAD, YES


def test_a_plain_member(build):
    tenant = build.one(build.user())
    accounts = tenant.accounts
    assert list(accounts.id) == [build.id(1)]
    assert accounts.addresses[0] == ("person1@contoso.example",)
    assert accounts.domain[0] == "contoso.example"
    assert accounts.user_type[0] == "member"
    assert (accounts.enabled[0], accounts.synced[0], accounts.is_external[0]) == (YES, NO, NO)
    assert accounts.password_age_days[0] == 10
    assert accounts.password_changed[0] == "2026-11-13T16:00:00Z"
    assert accounts.password_never_expires[0] == NO
    assert accounts.addresses_unread == frozenset()
    assert tenant.find("PERSON1@contoso.example") == tenant.find(build.id(1)) == 0
    assert tenant.problems == ()


def test_ids_are_lower_case(build):
    tenant = build.one(build.user(id="ABCDEF00-0000-0000-0000-000000000001"))
    assert tenant.row_of == {"abcdef00-0000-0000-0000-000000000001": 0}


@pytest.mark.parametrize(
    ("upn", "changes", "external", "kinds"),
    [
        ("a@b.c", {}, NO, set()),
        ("a@b.c", {"userType": "Guest"}, YES, {"internalGuest"}),
        ("a_x.y#EXT#@b.c", {"userType": "Guest"}, YES, {"b2bCollaborationGuest"}),
        ("a@b.c", {"userType": "guest", "creationType": "Invitation"}, YES, {"b2bCollaborationGuest"}),
        ("a@b.c", {"userType": "Guest", "externalUserState": "PendingAcceptance"}, YES, {"b2bCollaborationGuest"}),
        ("a_x.y#ext#@b.c", {}, YES, {"b2bCollaborationMember"}),
        ("a@b.c", {"creationType": "Invitation"}, YES, {"b2bCollaborationMember"}),
        ("a@b.c", {"externalUserState": "Accepted"}, YES, {"b2bCollaborationMember"}),
        ("a@b.c", {"creationType": "LocalAccount"}, NO, set()),
        ("a@b.c", {"userType": None}, NO, set()),
        ("a_x.y#EXT#@b.c", {"userType": None}, YES, {"b2bCollaborationMember"}),
        ("a@b.c", {"userType": "Robot"}, UNREAD, {"internalGuest"}),
        ("a@b.c", {"userType": 7}, UNREAD, {"internalGuest"}),
        ("a_x.y#EXT#@b.c", {"userType": 7}, YES, {"b2bCollaborationGuest", "b2bCollaborationMember"}),
        ("a@b.c", {"creationType": 7}, UNREAD, {"b2bCollaborationMember"}),
        ("a@b.c", {"externalUserState": []}, UNREAD, {"b2bCollaborationMember"}),
        ("a@b.c", {"externalUserState": [], "creationType": "Invitation"}, YES, {"b2bCollaborationMember"}),
        ("a@b.c", {"userType": "Guest", "creationType": 7}, YES, {"internalGuest", "b2bCollaborationGuest"}),
    ],
)
def test_externality(build, upn, changes, external, kinds):
    accounts = build.one(build.user(userPrincipalName=upn, **changes)).accounts
    assert accounts.is_external[0] == external
    assert accounts.external_kinds[0] == kinds


def test_a_missing_user_type_is_no_guest(build):
    accounts = build.one(build.without(build.user(), "userType")).accounts
    assert (accounts.user_type[0], accounts.is_external[0], accounts.external_kinds[0]) == ("", NO, frozenset())


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        (None, NO), ("", NO), ("None", NO), ("DisableStrongPassword", NO), ("DisablePasswordExpiration", YES),
        ("DisablePasswordExpiration, DisableStrongPassword", YES), ("disablepasswordexpiration", YES),
    ],
)  # fmt: skip
def test_password_expiry_policy(build, policies, expected):
    assert build.one(build.user(passwordPolicies=policies)).accounts.password_never_expires[0] == expected


def test_addresses_primary_first_smtp_only(build):
    accounts = build.one(
        build.user(
            mail="Anna@contoso.example",
            proxyAddresses=["smtp:old@contoso.example", "X500:/o=x", "SIP:a@b.c", "SMTP:Main@contoso.example", "junk"],
        )
    ).accounts
    assert accounts.addresses[0] == ("main@contoso.example", "anna@contoso.example", "old@contoso.example")


def test_upns_win_over_addresses(build):
    first = build.user(1, proxyAddresses=["SMTP:person2@contoso.example"], mail=None)
    tenant = build(users=[first, build.user(2, mail=None, proxyAddresses=[])])
    assert tenant.find("person2@contoso.example") == 1


def test_an_address_of_two_users_is_told(build):
    shared = ["smtp:shared@contoso.example"]
    tenant = build(users=[build.user(1, proxyAddresses=shared), build.user(2, proxyAddresses=shared)])
    assert tenant.find("shared@contoso.example") == 0
    assert ("users", build.id(2), "proxyAddresses") in build.problems(tenant)


UNREAD_PROPERTIES = {
    "accountEnabled": lambda accounts: accounts.enabled[0] == UNREAD,
    "onPremisesSyncEnabled": lambda accounts: accounts.synced[0] == UNREAD,
    "passwordPolicies": lambda accounts: accounts.password_never_expires[0] == UNREAD,
    "lastPasswordChangeDateTime": lambda accounts: math.isnan(accounts.password_age_days[0]),
    "assignedLicenses": lambda accounts: accounts.mailbox_plan[0] == "unread",
    "assignedPlans": lambda accounts: (
        accounts.mailbox_plan[0] == "unread" and accounts.ever_had_mailbox_plan[0] == UNREAD
    ),
    "proxyAddresses": lambda accounts: accounts.addresses_unread == {0},
    "mail": lambda accounts: accounts.addresses_unread == {0},
}


@pytest.mark.parametrize("name", sorted(UNREAD_PROPERTIES))
def test_a_missing_property_is_unread_and_told(build, name):
    tenant = build(users=[build.without(build.user(1), name), build.user(2)], subscribedSkus=[build.sku()])
    assert UNREAD_PROPERTIES[name](tenant.accounts)
    assert build.problems(tenant) == [("users", build.id(1), name)]


@pytest.mark.parametrize("name", sorted(UNREAD_PROPERTIES))
@pytest.mark.parametrize("value", [7, {"value": 1}, [[1]]])
def test_a_malformed_property_is_unread_and_told(build, name, value):
    tenant = build.one(build.user(1, **{name: value}))
    assert UNREAD_PROPERTIES[name](tenant.accounts)
    assert tenant.accounts.user_principal_name[0] == "person1@contoso.example"
    assert build.problems(tenant) == [("users", build.id(1), name)]


@pytest.mark.parametrize("name", ["accountEnabled", "assignedPlans", "proxyAddresses"])
def test_a_lone_surrogate_in_place_of_another_kind_is_unread_and_told(build, name):
    tenant = build.one(build.user(1, **{name: "\ud800"}))
    assert UNREAD_PROPERTIES[name](tenant.accounts)
    assert build.problems(tenant) == [("users", build.id(1), name)]


@pytest.mark.parametrize("name", ["accountEnabled", "assignedLicenses", "assignedPlans", "proxyAddresses"])
def test_null_where_graph_never_says_null_is_unread_and_told(build, name):
    tenant = build.one(build.user(1, **{name: None}))
    assert UNREAD_PROPERTIES[name](tenant.accounts)
    assert build.problems(tenant) == [("users", build.id(1), name)]


def test_a_property_that_no_object_holds_is_told_once(build):
    tenant = build(users=[build.without(build.user(number), "createdDateTime") for number in range(1, 4)])
    assert build.problems(tenant) == [("users", "", "createdDateTime")]


def test_a_problem_of_many_objects_is_capped_and_counted(build):
    users = [build.user(number, accountEnabled="no") for number in range(1, 61)] + [build.user(61)]
    tenant = build(users=users)
    assert len(tenant.problems) == 51
    assert any("10 more objects" in problem.problem for problem in tenant.problems)


@pytest.mark.parametrize("text", ["yesterday", "2026-13-45T00:00:00Z"])
def test_a_password_date_that_is_no_date(build, text):
    tenant = build.one(build.user(lastPasswordChangeDateTime=text))
    assert math.isnan(tenant.accounts.password_age_days[0])
    assert build.problems(tenant) == [("users", build.id(1), "lastPasswordChangeDateTime")]


TIMES = [
    "2026-11-13T16:00:00Z",
    "2026-11-13T16:00:00.25Z",
    "2026-11-13T17:00:00+01:00",
    "2026-11-13",
    "0002-01-01T00:00:00Z",
    "0001-06-01T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "-001-01-01T00:00:00Z",
    "2026-11-13T24:00:00Z",
    "",
    None,
    "soon",
]


@pytest.mark.parametrize("others", [[], ["2026-11-14T16:00:00Z"], TIMES])
def test_a_password_age_is_the_same_whatever_dates_stand_beside_it(build, others):
    for text in TIMES:
        users = [build.user(n, lastPasswordChangeDateTime=one) for n, one in enumerate([text, *others], 1)]
        parsed = moment(text or "")
        tenant = build(users=users)
        age = None if parsed is None or parsed.year == 1 else (tenant.now - parsed).total_seconds() / 86400
        found = tenant.accounts.password_age_days[0]
        assert math.isnan(found) if age is None else found == age


@pytest.mark.parametrize("text", [None, "0001-01-01T00:00:00Z"])
def test_no_password_date_is_no_problem(build, text):
    tenant = build.one(build.user(lastPasswordChangeDateTime=text))
    assert math.isnan(tenant.accounts.password_age_days[0])
    assert tenant.problems == ()


@pytest.mark.parametrize("record", [[], "text", 3, None, True])
def test_a_record_that_is_no_object_is_told(build, record):
    tenant = build(users=[record, build.user(1)])
    assert list(tenant.accounts.id) == [build.id(1)]
    assert build.problems(tenant) == [("users", "record 1", "")]


@pytest.mark.parametrize("bad", [None, 7, ""])
def test_a_user_without_id_is_left_out_and_told(build, bad):
    tenant = build(users=[build.user(id=bad), build.user(2)])
    assert list(tenant.accounts.id) == [build.id(2)]
    assert [(problem.dataset, problem.property) for problem in tenant.problems] == [("users", "id")]


def test_a_line_that_is_no_json_names_file_and_line(build):
    with pytest.raises(UsageError, match=r"users: line 2 is no JSON"):
        build(users=b'{"id": "a"}\n{"id": \n')


def test_exact_duplicates_change_nothing(build):
    once = build(users=[build.user(1), build.user(2)])
    twice = build(users=[build.user(1), build.user(1), build.user(2), build.user(1)])
    assert list(twice.accounts.id) == list(once.accounts.id)
    assert twice.problems == once.problems == ()


def test_of_contradicting_duplicates_only_what_both_say_is_used(build):
    pair = [build.user(1), build.user(1, accountEnabled=False)]
    for order in (pair, pair[::-1]):
        tenant = build(users=order)
        assert tenant.accounts.enabled[0] == UNREAD
        assert tenant.accounts.user_type[0] == "member"
    assert build.problems(tenant) == [("users", build.id(1), "")]


def test_two_users_of_one_upn_are_told(build):
    tenant = build(users=[build.user(1), build.user(2, userPrincipalName="person1@contoso.example")])
    assert tenant.find("person1@contoso.example") == 0
    assert ("users", build.id(2), "userPrincipalName") in build.problems(tenant)
