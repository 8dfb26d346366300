import pytest

from auditor.tenant import NO, UNREAD, YES

ADMIN = "62e90394-69f5-4237-9190-012177145e10"
HELP = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
CUSTOM = "99999999-0000-0000-0000-000000000001"
GROUP, OTHER = "aaaaaaaa-0000-0000-0000-00000000000a", "aaaaaaaa-0000-0000-0000-00000000000b"


def definition(role, built_in=True, **more):
    return {"id": role, "templateId": role, "displayName": "Role", "isBuiltIn": built_in, **more}


def assignment(principal, role=ADMIN, scope="/", **more):
    return {
        "id": f"{principal}-{role}",
        "principalId": principal,
        "roleDefinitionId": role,
        "directoryScopeId": scope,
        **more,
    }


def group(group_id=GROUP, visibility=None, **more):
    return {"id": group_id, "displayName": "Group", "visibility": visibility, **more}


def member(number, group_id=GROUP):
    return {"groupId": group_id, "id": f"00000000-0000-0000-0000-{number:012}"}


@pytest.fixture
def tenant_of(build):
    """Two users, one group with the first of them; each dataset can be replaced or (with None) left out."""

    def make(**changes):
        datasets = {
            "users": [build.user(1), build.user(2)],
            "groups": [group()],
            "groupMembers": [member(1)],
            "roleDefinitions": [definition(ADMIN), definition(HELP), definition(CUSTOM, built_in=False)],
            "roleAssignments": [],
            **changes,
        }
        return build(**{name: records for name, records in datasets.items() if records is not None})

    return make


def rows(tenant, group_id=GROUP):
    return [int(row) for row in tenant.group(group_id).members]


def test_a_group_and_its_members(tenant_of, build):
    tenant = tenant_of(groupMembers=[member(2), member(1), member(2), member(77), member(1, OTHER)])
    assert tenant.group(GROUP.upper()).state == "read"
    assert tenant.group(GROUP).name == "Group"
    assert rows(tenant) == [0, 1]
    assert tenant.problems == ()


def test_an_empty_group_is_read_and_empty(tenant_of):
    tenant = tenant_of(groupMembers=[])
    assert (tenant.group(GROUP).state, rows(tenant)) == ("read", [])


@pytest.mark.parametrize(
    ("record", "state"),
    [
        (group(), "read"),
        (group(visibility="Private"), "read"),
        (group(visibility="HiddenMembership"), "unreadable"),
        ({"id": GROUP, "error": "Request_ResourceNotFound"}, "deleted"),
        ({"id": GROUP, "error": "Authorization_RequestDenied"}, "unreadable"),
        ({"id": GROUP, "error": "SomethingElse"}, "unreadable"),
        ({"id": GROUP, "displayName": "Group"}, "read"),
        ({"id": GROUP, "visibility": 7}, "unreadable"),
        ({"id": GROUP, "error": 7, "visibility": None}, "unreadable"),
    ],
)
def test_states(tenant_of, record, state):
    tenant = tenant_of(groups=[record])
    assert tenant.group(GROUP).state == state
    assert rows(tenant) == ([0] if state == "read" else [])


def test_no_visibility_and_no_member_is_not_empty(tenant_of):
    tenant = tenant_of(groups=[{"id": GROUP, "displayName": "Group"}], groupMembers=[])
    assert tenant.group(GROUP).state == "unreadable"


@pytest.mark.parametrize("missing", ["groups", "groupMembers"])
def test_without_groups_or_members_every_group_is_unreadable(tenant_of, missing):
    assert tenant_of(**{missing: None}).group(GROUP).state == "unreadable"


def test_a_deleted_group_stays_deleted_without_members(tenant_of):
    tenant = tenant_of(groups=[{"id": GROUP, "error": "Request_ResourceNotFound"}], groupMembers=None)
    assert tenant.group(GROUP).state == "deleted"


def test_a_group_that_is_not_listed_is_unreadable(tenant_of):
    assert tenant_of().group(OTHER).state == "unreadable"


def test_groups_that_contradict_each_other_are_unreadable(tenant_of, build):
    tenant = tenant_of(groups=[group(), group(visibility="Private")])
    assert tenant.group(GROUP).state == "unreadable"
    assert build.problems(tenant) == [("groups", GROUP, "")]


def test_a_member_without_id_makes_its_group_unreadable(tenant_of, build):
    tenant = tenant_of(groups=[group(), group(OTHER)], groupMembers=[{"groupId": GROUP}, member(1, OTHER)])
    assert (tenant.group(GROUP).state, tenant.group(OTHER).state) == ("unreadable", "read")
    assert build.problems(tenant) == [("groupMembers", "record 1", "id")]


@pytest.mark.parametrize("record", [{"id": "x"}, {"groupId": 3, "id": "x"}, 7])
def test_a_member_of_no_known_group_makes_every_group_unreadable(tenant_of, record):
    tenant = tenant_of(groupMembers=[record, member(1)])
    assert tenant.group(GROUP).state == "unreadable"
    assert tenant.status["groupMembers"].state == "cut"
    assert tenant.problems


def test_roles_direct_and_through_a_group(tenant_of, build):
    tenant = tenant_of(roleAssignments=[assignment(GROUP), assignment(build.id(2).upper(), HELP.upper())])
    accounts = tenant.accounts
    assert list(accounts.roles) == [{ADMIN}, {HELP}]
    assert list(accounts.is_admin) == [YES, YES]
    assert not accounts.roles_uncertain.any()
    assert not tenant.uncertain_roles


@pytest.mark.parametrize(
    "change",
    [
        {"role": CUSTOM},
        {"scope": "/administrativeUnits/31d7f5a1"},
        {"scope": "/00000000-aaaa"},
        {"scope": None, "appScopeId": "/app"},
    ],
)
def test_custom_and_scoped_roles_do_not_count(tenant_of, build, change):
    accounts = tenant_of(roleAssignments=[assignment(build.id(1), **change)]).accounts
    assert list(accounts.roles) == [frozenset(), frozenset()]
    assert list(accounts.is_admin) == [NO, NO]
    assert not accounts.roles_uncertain.any()


def test_the_template_id_is_what_counts(tenant_of, build):
    tenant = tenant_of(
        roleDefinitions=[definition("own-id", templateId=ADMIN)], roleAssignments=[assignment(build.id(1), "own-id")]
    )
    assert tenant.accounts.roles[0] == {ADMIN}


def test_an_application_holding_a_role_is_nobody_here(tenant_of):
    accounts = tenant_of(roleAssignments=[assignment("bbbbbbbb-0000-0000-0000-000000000001")]).accounts
    assert list(accounts.is_admin) == [NO, NO]


def test_without_groups_an_unknown_principal_may_be_a_group(tenant_of):
    tenant = tenant_of(groups=None, roleAssignments=[assignment("bbbbbbbb-0000-0000-0000-000000000001")])
    assert tenant.accounts.roles_uncertain.all()
    assert tenant.uncertain_roles.keys() == {ADMIN}
    assert list(tenant.accounts.is_admin) == [UNREAD, UNREAD]


def test_an_unreadable_group_holding_a_role(tenant_of, build):
    tenant = tenant_of(
        groups=[{"id": GROUP, "error": "Authorization_RequestDenied"}],
        roleAssignments=[assignment(GROUP, HELP), assignment(build.id(1))],
    )
    assert tenant.accounts.roles_uncertain.all()
    assert tenant.uncertain_roles.keys() == {HELP}
    assert list(tenant.accounts.is_admin) == [YES, UNREAD]


def test_a_deleted_group_holding_a_role_is_nobody(tenant_of):
    tenant = tenant_of(groups=[{"id": GROUP, "error": "Request_ResourceNotFound"}], roleAssignments=[assignment(GROUP)])
    assert list(tenant.accounts.is_admin) == [NO, NO]


def test_without_role_assignments_everybody_is_uncertain(tenant_of):
    tenant = tenant_of(roleAssignments=None)
    assert tenant.accounts.roles_uncertain.all()
    assert tenant.uncertain_roles.keys() == {"*"}
    assert list(tenant.accounts.is_admin) == [UNREAD, UNREAD]


@pytest.mark.parametrize("definitions", [None, [], [definition(ADMIN, built_in=None)], [{"id": ADMIN}]])
def test_a_role_that_cannot_be_told_built_in_from_custom(tenant_of, build, definitions):
    tenant = tenant_of(roleDefinitions=definitions, roleAssignments=[assignment(build.id(1))])
    assert list(tenant.accounts.roles_uncertain) == [True, False]
    assert tenant.uncertain_roles.keys() == {ADMIN}
    assert list(tenant.accounts.is_admin) == [UNREAD, NO]
    assert tenant.accounts.roles[0] == frozenset()


def test_a_missing_scope_is_uncertain_for_its_holder(tenant_of, build):
    tenant = tenant_of(roleAssignments=[{"principalId": build.id(1), "roleDefinitionId": ADMIN}])
    assert list(tenant.accounts.roles_uncertain) == [True, False]
    assert build.problems(tenant) == [("roleAssignments", "record 1", "directoryScopeId")]


@pytest.mark.parametrize(
    ("record", "name"),
    [
        ({"roleDefinitionId": ADMIN, "directoryScopeId": "/"}, "principalId"),
        ({"roleDefinitionId": ADMIN, "directoryScopeId": "/", "principalId": 3}, "principalId"),
        ("text", ""),
    ],
)
def test_an_assignment_to_nobody_known_is_uncertain_for_all(tenant_of, record, name):
    tenant = tenant_of(roleAssignments=[record])
    assert tenant.accounts.roles_uncertain.all()
    assert name in {problem.property for problem in tenant.problems}


def test_a_role_of_no_known_kind_is_uncertain_for_its_holder(tenant_of, build):
    tenant = tenant_of(roleAssignments=[{"principalId": build.id(1), "directoryScopeId": "/"}])
    assert list(tenant.accounts.roles_uncertain) == [True, False]
    assert tenant.uncertain_roles.keys() == {"*"}


def test_role_definitions_by_id_and_template(tenant_of):
    tenant = tenant_of(roleDefinitions=[definition("Own-Id", templateId=ADMIN.upper())])
    assert set(tenant.role_definitions) == {"own-id", ADMIN}
