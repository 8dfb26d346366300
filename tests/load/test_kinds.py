import pytest

from auditor.load.kinds import SYNC_ROLE


def kind(build, record, options=None, **datasets):
    return build(users=[record], options=options, **datasets).accounts.kind[0]


def mailbox(build, kind_of):
    return [{"ExternalDirectoryObjectId": build.id(1), "RecipientTypeDetails": kind_of, "UserPrincipalName": "x@y.z"}]


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        ("UserMailbox", "user"), ("SharedMailbox", "shared"), ("RoomMailbox", "room"),
        ("EquipmentMailbox", "equipment"), ("LinkedMailbox", "user"), ("DiscoveryMailbox", "service"),
    ],
)  # fmt: skip
def test_the_recipient_type_decides(build, recipient, expected):
    assert kind(build, build.user(), mailboxes=mailbox(build, recipient)) == expected


def test_mailbox_usage_where_mailboxes_were_not_read(build):
    usage = [{"userPrincipalName": "person1@contoso.example", "recipientType": "SharedMailbox", "isDeleted": False}]
    assert kind(build, build.user(), mailboxUsage=usage) == "shared"


def test_exchange_users_where_the_account_has_no_mailbox(build):
    rows = [{"ExternalDirectoryObjectId": build.id(1), "RecipientTypeDetails": "GuestMailUser"}]
    assert kind(build, build.user(), exchangeUsers=rows, mailboxes=[]) == "guest"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "user"),
        ({"userType": "Guest"}, "guest"),
        ({"userType": None}, "unknown"),
        ({"userType": "Robot"}, "unknown"),
        ({"accountEnabled": False}, "unknown"),
        ({"isResourceAccount": True}, "service"),
        ({"userPrincipalName": "Sync_DC1_0123456789ab@contoso.onmicrosoft.com"}, "sync"),
        ({"userPrincipalName": "ADToAADSyncServiceAccount@contoso.onmicrosoft.com"}, "sync"),
        ({"displayName": "On-Premises Directory Synchronization Service Account"}, "sync"),
        ({"userPrincipalName": "svc-backup@contoso.example"}, "service"),
        ({"userPrincipalName": "scanner2@contoso.example"}, "service"),
        ({"userPrincipalName": "no-reply@contoso.example"}, "service"),
        ({"displayName": "Printer 3rd floor"}, "service"),
        ({"userPrincipalName": "svcetlana@contoso.example"}, "user"),
        ({"userPrincipalName": "servicio@contoso.example"}, "user"),
    ],
)
def test_from_users_alone(build, changes, expected):
    assert kind(build, build.user(**changes)) == expected


def test_a_disabled_member_without_mailbox_is_a_user_once_mailboxes_are_read(build):
    assert kind(build, build.user(accountEnabled=False), mailboxes=[]) == "user"


def test_the_sync_role(build):
    assignment = {"id": "a", "principalId": build.id(1), "roleDefinitionId": SYNC_ROLE, "directoryScopeId": "/"}
    definition = {"id": SYNC_ROLE, "templateId": SYNC_ROLE, "isBuiltIn": True}
    assert kind(build, build.user(), roleAssignments=[assignment], roleDefinitions=[definition]) == "sync"


REGISTERED = {"isMfaRegistered": True, "methodsRegistered": ["mobilePhone"], "lastUpdatedDateTime": "x"}


@pytest.mark.parametrize(
    ("upn", "declared", "registered", "expected"),
    [
        ("anna@contoso.example", True, False, "service"),
        ("anna@contoso.example", True, True, "user"),
        ("svc-erp@contoso.example", False, True, "user"),
        ("svc-erp@contoso.example", True, True, "service"),
        ("svc-erp@contoso.example", False, False, "service"),
    ],
)
def test_a_person_behind_a_service_name(build, upn, declared, registered, expected):
    rows = [{"id": build.id(1), **REGISTERED}] if registered else []
    options = {"declared": [upn.upper()] if declared else ["somebody@else.example"]}
    assert kind(build, build.user(userPrincipalName=upn), options, userRegistrationDetails=rows) == expected


def test_a_declared_shared_mailbox_stays_shared(build):
    options = {"declared": ["person1@contoso.example"]}
    assert kind(build, build.user(), options, mailboxes=mailbox(build, "SharedMailbox")) == "shared"
