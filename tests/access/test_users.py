"""Whom a policy reaches: include minus exclude, with groups, roles and guests that may be unreadable."""

from __future__ import annotations

import pytest

GROUPS = {
    "g-ours": ("read", frozenset({"a1"})),
    "g-theirs": ("read", frozenset({"a2"})),
    "g-gone": ("deleted", frozenset()),
    "g-hidden": ("unreadable", frozenset()),
}
DEFINITIONS = {"admin-1": {"isBuiltIn": True, "displayName": "Admin"}, "custom-1": {"isBuiltIn": False}}
NOBODY = {"includeUsers": []}

USERS = [
    ({"includeUsers": ["a1"]}, "blocks"),
    ({"includeUsers": ["A1"]}, "blocks"),
    ({"includeUsers": ["a2"]}, "clear"),
    ({"includeUsers": ["gone-user-1"]}, "clear"),
    ({"includeUsers": ["None"]}, "clear"),
    ({"includeUsers": []}, "clear"),
    ({"includeUsers": ["SomethingNew"]}, "unknown"),
    ({"includeUsers": "All"}, "unknown"),
    ({"includeUsers": [None]}, "unknown"),
    ({"includeUsers": None}, "clear"),
    ({"excludeUsers": ["A1"]}, "clear"),
    ({"excludeUsers": ["a2"]}, "blocks"),
    ({"excludeUsers": ["gone-user-1"]}, "blocks"),
    ({"excludeUsers": ["SomethingNew"]}, "unknown"),
    ({"excludeUsers": "a1"}, "unknown"),
    ({"includeUsers": [], "includeGroups": ["G-Ours"]}, "blocks"),
    ({"includeUsers": [], "includeGroups": ["g-theirs"]}, "clear"),
    ({"includeUsers": [], "includeGroups": ["g-gone"]}, "clear"),
    ({"includeUsers": [], "includeGroups": ["g-hidden"]}, "unknown"),
    ({"includeUsers": [], "includeGroups": ["g-never-read"]}, "unknown"),
    ({"includeGroups": ["g-hidden"]}, "blocks"),  # all users are included anyway
    ({"excludeGroups": ["g-ours"]}, "clear"),
    ({"excludeGroups": ["g-theirs"]}, "blocks"),
    ({"excludeGroups": ["g-gone"]}, "blocks"),
    ({"excludeGroups": ["g-hidden"]}, "unknown"),
    ({"excludeGroups": ["g-hidden"], "excludeUsers": ["a1"]}, "clear"),  # excluded for certain, whatever the group
    ({"includeUsers": ["a2"], "excludeGroups": ["g-hidden"]}, "clear"),  # not included, whatever the group
    ({"includeUsers": [], "includeRoles": ["admin-1"]}, "blocks"),
    ({"includeUsers": [], "includeRoles": ["ADMIN-1"]}, "blocks"),
    ({"includeUsers": [], "includeRoles": ["custom-1"]}, "clear"),
    ({"includeUsers": [], "includeRoles": ["reader-1"]}, "clear"),
    ({"excludeRoles": ["admin-1"]}, "clear"),
    ({"excludeRoles": ["custom-1"]}, "blocks"),
    ({"brandNew": ["x"]}, "unknown"),
    ({"brandNew": ["x"], "excludeUsers": ["a1"]}, "clear"),
]


@pytest.fixture
def says(build):
    """The state's word for account a1, which holds admin-1 (and custom-1, which does not count)."""

    def judged(patch, *, person=None, **world):
        first = person or build["Person"]("a1", frozenset({"admin-1"}))
        return (
            build["reason_of"](
                build["World"](
                    people=(first, build["Person"]("a2")),
                    policies=(build["policy"](users=patch),),
                    groups=GROUPS,
                    role_definitions=DEFINITIONS,
                    **world,
                )
            )
        ).state.word

    return judged


@pytest.mark.parametrize(("patch", "expected"), USERS)
def test_users(says, patch, expected):
    assert says(patch) == expected


@pytest.mark.parametrize("users", [None, {}, "All", [], {"excludeUsers": []}])
def test_users_that_were_not_read_are_unknown(state, users):
    assert state({"conditions": {"users": users}}) == "unknown"


def test_an_uncertain_role_is_unknown_only_for_the_role_and_the_account_it_concerns(says, build):
    unsure, sure = build["Person"]("a1", unsure=True), build["Person"]("a1")
    reader = {"includeUsers": [], "includeRoles": ["reader-1"]}
    doubt = frozenset({"reader-1"})
    assert says(reader, person=unsure, uncertain_roles=doubt) == "unknown"
    assert says(reader, person=sure, uncertain_roles=doubt) == "clear"
    assert says({"includeUsers": [], "includeRoles": ["admin-1"]}, person=unsure, uncertain_roles=doubt) == "clear"
    assert says(reader, person=unsure, uncertain_roles=frozenset({"*"})) == "unknown"
    assert says({"excludeRoles": ["reader-1"]}, person=unsure, uncertain_roles=doubt) == "unknown"


MEMBER, GUEST = frozenset({"b2bCollaborationMember"}), frozenset({"b2bCollaborationGuest"})
INSIDE, EITHER = frozenset({"internalGuest"}), frozenset({"b2bCollaborationGuest", "b2bCollaborationMember"})


def guests(kinds, tenants=None):
    return {"includeUsers": [], "includeGuestsOrExternalUsers": {"guestOrExternalUserTypes": kinds,
                                                                "externalTenants": tenants}}  # fmt: skip


ALL_TENANTS = {"@odata.type": "#microsoft.graph.conditionalAccessAllExternalTenants", "membershipKind": "all"}
SOME_TENANTS = {"membershipKind": "enumerated", "members": ["tenant-2"]}

GUESTS = [
    ({"includeUsers": ["GuestsOrExternalUsers"]}, True, GUEST, "blocks"),
    ({"includeUsers": ["GuestsOrExternalUsers"]}, True, MEMBER, "blocks"),
    ({"includeUsers": ["GuestsOrExternalUsers"]}, False, frozenset(), "clear"),
    ({"includeUsers": ["GuestsOrExternalUsers"]}, None, frozenset(), "unknown"),
    ({"excludeUsers": ["GuestsOrExternalUsers"]}, True, GUEST, "clear"),
    ({"excludeUsers": ["GuestsOrExternalUsers"]}, None, frozenset(), "unknown"),
    (guests("internalGuest,b2bCollaborationGuest"), True, GUEST, "blocks"),
    (guests("internalGuest, b2bCollaborationGuest"), True, INSIDE, "blocks"),
    (guests("b2bCollaborationGuest"), True, MEMBER, "clear"),
    (guests("b2bCollaborationGuest"), True, EITHER, "unknown"),
    (guests("b2bCollaborationGuest"), True, frozenset(), "unknown"),
    (guests("b2bCollaborationGuest"), False, frozenset(), "clear"),
    (guests("b2bCollaborationGuest"), None, GUEST, "unknown"),
    (guests("none"), True, GUEST, "clear"),
    (guests("unknownFutureValue"), True, GUEST, "unknown"),
    (guests("unknownFutureValue"), False, frozenset(), "clear"),
    (guests("b2bCollaborationGuest,unknownFutureValue"), True, GUEST, "blocks"),
    (guests(["b2bCollaborationGuest"]), True, GUEST, "unknown"),
    (guests("b2bCollaborationGuest", ALL_TENANTS), True, GUEST, "blocks"),
    (guests("b2bCollaborationGuest", SOME_TENANTS), True, GUEST, "unknown"),
    (guests("b2bCollaborationGuest", SOME_TENANTS), False, frozenset(), "clear"),
    (guests("internalGuest", SOME_TENANTS), True, INSIDE, "blocks"),
    (guests("b2bCollaborationGuest", {"membershipKind": "someday"}), True, GUEST, "unknown"),
    (guests("b2bCollaborationGuest", "all"), True, GUEST, "unknown"),
    ({"excludeGuestsOrExternalUsers": {"guestOrExternalUserTypes": "b2bCollaborationGuest"}}, True, GUEST, "clear"),
    ({"excludeGuestsOrExternalUsers": {"guestOrExternalUserTypes": "b2bCollaborationGuest"}}, True, MEMBER, "blocks"),
    ({"includeGuestsOrExternalUsers": "guests"}, False, frozenset(), "blocks"),
    ({"includeUsers": [], "includeGuestsOrExternalUsers": "guests"}, False, frozenset(), "unknown"),
]


@pytest.mark.parametrize(("patch", "external", "kinds", "expected"), GUESTS)
def test_guests(says, build, patch, external, kinds, expected):
    assert says(patch, person=build["Person"]("a1", external=external, kinds=kinds)) == expected


LOST = [
    ({}, "groupMembers", "blocks"),  # all users: no group decides
    ({"excludeGroups": ["g-ours"]}, "groupMembers", "unknown"),
    ({"excludeGroups": ["g-theirs"]}, "groups", "unknown"),
    ({"excludeGroups": ["g-theirs"], "excludeUsers": ["a1"]}, "groups", "clear"),
    ({"includeUsers": [], "includeRoles": ["admin-1"]}, "roleAssignments", "unknown"),
    ({"excludeRoles": ["custom-1"]}, "roleAssignments", "blocks"),  # a custom role counts for nobody
    ({"includeUsers": ["GuestsOrExternalUsers"]}, "users", "unknown"),
    ({"includeUsers": ["a1"]}, "users", "blocks"),
]


@pytest.mark.parametrize(("patch", "lost", "expected"), LOST)
def test_a_dataset_that_was_not_read_is_unknown_only_where_it_decides(says, patch, lost, expected):
    assert says(patch, missing=frozenset({lost})) == expected


def test_the_reason_of_an_unknown_names_what_was_not_read(build):
    world = build["World"](
        policies=(build["policy"](users={"excludeGroups": ["g-ours"]}),),
        groups=GROUPS,
        people=(build["Person"]("a1"), build["Person"]("a2")),
        missing=frozenset({"groupMembers"}),
    )
    reason = build["reason_of"](world)
    assert reason.datasets == ("groupMembers",)
    assert "G-OURS" in reason.text
    assert "excludeGroups" in reason.text
