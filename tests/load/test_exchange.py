from datetime import timedelta

import pytest

from auditor.load.exchange import name_forms
from auditor.tenant import INHERIT, NO, UNREAD, YES

POLICY = {
    "Name": "Block Basic",
    "Identity": "Block Basic",
    "DistinguishedName": "CN=Block Basic,CN=Auth Policies,CN=Configuration,CN=contoso.onmicrosoft.com,DC=prod",
    "Guid": "5dc4bd21-0000-0000-0000-000000000001",
    "ExchangeObjectId": "5dc4bd21-0000-0000-0000-000000000002",
    "AllowBasicAuthSmtp": False,
}
OTHER_POLICY = {
    **POLICY,
    "Name": "Other",
    "Identity": "Other",
    "DistinguishedName": "CN=Other",
    "Guid": "5dc4bd21-0000-0000-0000-000000000003",
    "ExchangeObjectId": "5dc4bd21-0000-0000-0000-000000000004",
    "AllowBasicAuthSmtp": True,
}


def cas(number, value, **more):
    return {
        "ExternalDirectoryObjectId": f"00000000-0000-0000-0000-{number:012}",
        "SmtpClientAuthenticationDisabled": value,
        **more,
    }


def mailbox(number, kind="UserMailbox", **more):
    return {
        "ExternalDirectoryObjectId": f"00000000-0000-0000-0000-{number:012}",
        "RecipientTypeDetails": kind,
        "Guid": f"11111111-0000-0000-0000-{number:012}",
        **more,
    }


def exchange_user(number, policy=None, **more):
    return {
        "ExternalDirectoryObjectId": f"00000000-0000-0000-0000-{number:012}",
        "UserPrincipalName": f"person{number}@contoso.example",
        "RecipientTypeDetails": "UserMailbox",
        "AuthenticationPolicy": policy,
        **more,
    }


def switches(build, rows, **datasets):
    tenant = build(users=[build.user(1), build.user(2)], casMailboxes=rows, **datasets)
    return tenant, list(tenant.accounts.smtp_auth_disabled)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, YES),
        (False, NO),
        (None, INHERIT),
        ("True", YES),
        ("False", NO),
        ("", INHERIT),
        ("maybe", UNREAD),
        (1, UNREAD),
    ],
)
def test_the_switch_in_every_spelling(build, value, expected):
    tenant, found = switches(build, [cas(1, value)])
    assert found == [expected, UNREAD]
    assert [problem.property for problem in tenant.problems] == (
        ["SmtpClientAuthenticationDisabled"] if expected == UNREAD else []
    )


def test_absent_in_some_is_null(build):
    _, found = switches(build, [build.without(cas(1, None), "SmtpClientAuthenticationDisabled"), cas(2, True)])
    assert found == [INHERIT, YES]


def test_absent_in_every_object_was_not_read(build):
    rows = [build.without(cas(number, None), "SmtpClientAuthenticationDisabled") for number in (1, 2)]
    tenant, found = switches(build, rows)
    assert found == [UNREAD, UNREAD]
    assert build.problems(tenant) == [("casMailboxes", "", "SmtpClientAuthenticationDisabled")]


@pytest.mark.parametrize(
    "row",
    [
        {"ExternalDirectoryObjectId": "00000000-0000-0000-0000-000000000001"},
        {"ExternalDirectoryObjectId": "", "UserPrincipalName": "PERSON1@contoso.example"},
        {"ExternalDirectoryObjectId": None, "PrimarySmtpAddress": "Alias1@Contoso.example"},
        {"Guid": "11111111-0000-0000-0000-000000000001"},
    ],
)
def test_joined_by_id_name_address_or_mailbox_guid(build, row):
    first = build.user(1, proxyAddresses=["SMTP:alias1@contoso.example"])
    tenant = build(
        users=[first, build.user(2)],
        mailboxes=[mailbox(1), mailbox(2)],
        casMailboxes=[{**row, "SmtpClientAuthenticationDisabled": True}],
    )
    assert list(tenant.accounts.smtp_auth_disabled) == [YES, UNREAD]


def test_an_id_of_somebody_else_is_not_joined_by_name(build):
    _, found = switches(build, [cas(9, True, UserPrincipalName="person1@contoso.example")])
    assert found == [UNREAD, UNREAD]


def test_an_address_of_two_accounts_joins_none(build):
    shared = ["smtp:shared@contoso.example"]
    tenant = build(
        users=[build.user(1, proxyAddresses=shared), build.user(2, proxyAddresses=shared)],
        casMailboxes=[{"PrimarySmtpAddress": "shared@contoso.example", "SmtpClientAuthenticationDisabled": False}],
    )
    assert list(tenant.accounts.smtp_auth_disabled) == [UNREAD, UNREAD]


def test_rows_that_disagree_are_not_used(build):
    for rows in (
        [cas(1, True), cas(1, False)],
        [cas(1, False), cas(1, True)],
        [cas(1, True), cas(1, False), cas(1, True)],
    ):
        tenant, found = switches(build, rows)
        assert found == [UNREAD, UNREAD]
        assert build.problems(tenant) == [("casMailboxes", build.id(1), "")]


def test_a_row_without_any_key_is_told(build):
    tenant, found = switches(build, [{"SmtpClientAuthenticationDisabled": True}, cas(2, False)])
    assert found == [UNREAD, NO]
    assert build.problems(tenant) == [("casMailboxes", "record 1", "ExternalDirectoryObjectId")]


def test_an_id_that_is_no_text_is_told_and_the_next_name_joins(build):
    row = {**cas(1, True), "ExternalDirectoryObjectId": 7, "PrimarySmtpAddress": "person1@contoso.example"}
    tenant, found = switches(build, [row])
    assert found == [YES, UNREAD]
    assert build.problems(tenant) == [("casMailboxes", "person1@contoso.example", "ExternalDirectoryObjectId")]


def test_false_of_a_configuration_snapshot_may_stand_for_null(build):
    manifest = {
        "users": {"state": "complete", "records": 2},
        "casMailboxes": {"state": "complete", "records": 2, "source": "Graph configurationManagement snapshot"},
    }
    tenant = build(users=[build.user(1), build.user(2)], casMailboxes=[cas(1, False), cas(2, True)], manifest=manifest)
    assert list(tenant.accounts.smtp_auth_disabled) == [UNREAD, YES]


# --- mailboxes and users ---


def test_mailboxes(build):
    tenant = build(users=[build.user(1), build.user(2)], mailboxes=[mailbox(1, "SharedMailbox"), mailbox(9)])
    assert list(tenant.accounts.mailbox) == ["SharedMailbox", ""]
    assert tenant.problems == ()


def test_a_mailbox_of_unknown_type_is_still_a_mailbox(build):
    tenant = build(users=[build.user(1)], mailboxes=[mailbox(1, None)])
    assert list(tenant.accounts.mailbox) == ["Unknown"]
    assert build.problems(tenant) == [("mailboxes", build.id(1), "RecipientTypeDetails")]


@pytest.mark.parametrize("row", [{"RecipientTypeDetails": "UserMailbox"}, "text"])
def test_a_mailbox_that_names_nobody_leaves_the_others_unknown(build, row):
    tenant = build(users=[build.user(1), build.user(2)], mailboxes=[mailbox(1), row])
    assert list(tenant.accounts.mailbox) == ["UserMailbox", ""]
    assert tenant.status["mailboxes"].state == "cut"
    assert tenant.problems


def test_a_mailbox_of_an_address_that_two_accounts_share_leaves_both_unknown(build):
    shared = ["smtp:shared@contoso.example"]
    tenant = build(
        users=[build.user(1, proxyAddresses=shared), build.user(2, proxyAddresses=shared)],
        mailboxes=[{"PrimarySmtpAddress": "shared@contoso.example", "RecipientTypeDetails": "UserMailbox"}],
    )
    assert list(tenant.accounts.mailbox) == ["", ""]
    assert tenant.status["mailboxes"].state == "cut"


def test_an_address_is_also_compared_with_the_upn(build):
    bare = build.user(1, mail=None, proxyAddresses=[])
    row = {"PrimarySmtpAddress": "Person1@contoso.example", "RecipientTypeDetails": "UserMailbox"}
    assert build(users=[bare], mailboxes=[row]).accounts.mailbox[0] == "UserMailbox"


@pytest.mark.parametrize(("read", "state"), [(True, "complete"), (False, "cut")])
def test_an_address_of_nobody_may_be_one_that_was_not_read(build, read, state):
    user = build.user(1) if read else build.without(build.user(1), "proxyAddresses")
    row = {"PrimarySmtpAddress": "alias@contoso.example", "RecipientTypeDetails": "UserMailbox"}
    assert build(users=[user], mailboxes=[row]).status["mailboxes"].state == state


def test_exchange_users(build):
    tenant = build(
        users=[build.user(1), build.user(2)], exchangeUsers=[exchange_user(1, RecipientTypeDetails="MailUser")]
    )
    assert list(tenant.accounts.exchange_user) == ["MailUser", ""]
    assert list(tenant.accounts.authentication_policy) == ["", "unread"]


# --- authentication policies ---


@pytest.mark.parametrize(
    "name",
    [
        "Block Basic",
        "block basic",
        "contoso.onmicrosoft.com\\Block Basic",
        "contoso.onmicrosoft.com/Configuration/Block Basic",
        POLICY["DistinguishedName"],
        POLICY["DistinguishedName"].upper(),
        POLICY["Guid"].upper(),
        POLICY["ExchangeObjectId"],
        {"Name": "Block Basic"},
        {"ObjectGuid": POLICY["Guid"], "DistinguishedName": POLICY["DistinguishedName"]},
    ],
)
def test_a_policy_by_every_name_form(build, name):
    tenant = build(
        users=[build.user(1)],
        exchangeUsers=[exchange_user(1, name)],
        authenticationPolicies=[POLICY, OTHER_POLICY],
        organizationConfig=[{"DefaultAuthenticationPolicy": name}],
    )
    key = tenant.accounts.authentication_policy[0]
    assert tenant.authentication_policies[key].name == "Block Basic"
    assert tenant.authentication_policies[key].allow_smtp == NO
    assert tenant.default_authentication_policy == key


@pytest.mark.parametrize("value", [None, "", "  ", "00000000-0000-0000-0000-000000000000"])
def test_no_policy(build, value):
    tenant = build(
        users=[build.user(1)],
        exchangeUsers=[exchange_user(1, value)],
        organizationConfig=[{"DefaultAuthenticationPolicy": value}],
        authenticationPolicies=[POLICY],
    )
    assert tenant.accounts.authentication_policy[0] == ""
    assert tenant.default_authentication_policy == ""


def test_a_policy_that_is_not_listed(build):
    tenant = build(users=[build.user(1)], exchangeUsers=[exchange_user(1, "Gone")], authenticationPolicies=[POLICY])
    assert tenant.accounts.authentication_policy[0] == "?Gone"


def test_a_named_policy_where_the_list_was_not_read(build):
    tenant = build(users=[build.user(1)], exchangeUsers=[exchange_user(1, "Block Basic")])
    assert tenant.accounts.authentication_policy[0] == "?Block Basic"


def test_a_name_that_two_policies_share_finds_neither(build):
    same_cn = {**POLICY, "Name": "Second", "Identity": "Second", "Guid": "x", "ExchangeObjectId": "y"}
    tenant = build(
        users=[build.user(1)],
        exchangeUsers=[exchange_user(1, POLICY["DistinguishedName"])],
        authenticationPolicies=[POLICY, same_cn],
    )
    assert tenant.accounts.authentication_policy[0].startswith("?")


@pytest.mark.parametrize(
    ("value", "expected"), [(True, YES), ("True", YES), (False, NO), ("False", NO), (None, UNREAD), ("x", UNREAD)]
)
def test_allow_basic_auth_smtp(build, value, expected):
    tenant = build(authenticationPolicies=[{**POLICY, "AllowBasicAuthSmtp": value}])
    assert tenant.authentication_policies["block basic"].allow_smtp == expected
    assert bool(tenant.problems) == (expected == UNREAD)


def test_allow_basic_auth_smtp_absent_everywhere(build):
    tenant = build(authenticationPolicies=[build.without(POLICY, "AllowBasicAuthSmtp")])
    assert tenant.authentication_policies["block basic"].allow_smtp == UNREAD
    assert build.problems(tenant) == [("authenticationPolicies", "", "AllowBasicAuthSmtp")]


def test_a_policy_without_a_name_is_told(build):
    tenant = build(authenticationPolicies=[{"AllowBasicAuthSmtp": True}])
    assert dict(tenant.authentication_policies) == {}
    assert build.problems(tenant) == [("authenticationPolicies", "record 1", "Name")]


def test_the_assigned_policy_absent_everywhere_was_not_read(build):
    tenant = build(users=[build.user(1)], exchangeUsers=[build.without(exchange_user(1), "AuthenticationPolicy")])
    assert tenant.accounts.authentication_policy[0] == "unread"
    assert tenant.accounts.exchange_user[0] == "UserMailbox"
    assert build.problems(tenant) == [("exchangeUsers", "", "AuthenticationPolicy")]


def test_the_assigned_policy_absent_in_some_is_none(build):
    rows = [build.without(exchange_user(1), "AuthenticationPolicy"), exchange_user(2)]
    tenant = build(users=[build.user(1), build.user(2)], exchangeUsers=rows)
    assert list(tenant.accounts.authentication_policy) == ["", ""]


@pytest.mark.parametrize("value", [7, {"Unknown": "x"}, ["Block Basic"]])
def test_an_assigned_policy_of_no_known_form_is_unread(build, value):
    tenant = build(users=[build.user(1)], exchangeUsers=[exchange_user(1, value)], authenticationPolicies=[POLICY])
    assert tenant.accounts.authentication_policy[0] == "unread"
    assert build.problems(tenant) == [("exchangeUsers", build.id(1), "AuthenticationPolicy")]


def test_an_escaped_comma_in_a_distinguished_name():
    assert "block, basic" in set(name_forms(r"CN=Block\, Basic,CN=Auth Policies"))


# --- the organisation ---


@pytest.mark.parametrize(("value", "expected"), [(True, YES), (False, NO), ("False", NO), (None, UNREAD), (3, UNREAD)])
def test_organisation_switches(build, value, expected):
    tenant = build(
        transportConfig=[{"SmtpClientAuthenticationDisabled": value, "AllowLegacyTLSClients": value}],
        organizationConfig=[
            {"SendFromAliasEnabled": value, "RejectDirectSend": value, "DefaultAuthenticationPolicy": ""}
        ],
    )
    found = (
        tenant.org_smtp_auth_disabled, tenant.allow_legacy_tls, tenant.send_from_alias, tenant.reject_direct_send
    )  # fmt: skip
    assert found == (expected,) * 4
    assert bool(tenant.problems) == (expected == UNREAD)


@pytest.mark.parametrize("rows", [[], [{}], ["text"], [{"SmtpClientAuthenticationDisabled": x} for x in (True, False)]])
def test_a_singleton_that_is_empty_or_contradicts_itself_is_unread_and_told(build, rows):
    tenant = build(transportConfig=rows)
    assert tenant.org_smtp_auth_disabled == UNREAD
    assert any(problem.dataset == "transportConfig" for problem in tenant.problems)


def test_a_default_policy_that_was_not_read(build):
    tenant = build(organizationConfig=[{"SendFromAliasEnabled": True, "RejectDirectSend": True}])
    assert tenant.default_authentication_policy == "unread"
    assert ("organizationConfig", "", "DefaultAuthenticationPolicy") in build.problems(tenant)


def test_a_default_policy_of_no_known_form(build):
    tenant = build(organizationConfig=[{"DefaultAuthenticationPolicy": 7}])
    assert tenant.default_authentication_policy == "unread"


# --- age ---


@pytest.mark.parametrize(
    ("source", "age", "complete"),
    [
        ("Exchange export by an administrator: exo.json", 29, True),
        ("Exchange export by an administrator: exo.json", 31, False),
        ("", 31, False),
        ("Exchange admin API (InvokeCommand), not documented by Microsoft: Get-TransportConfig", 31, True),
    ],
)
def test_old_exports_decide_nothing(build, source, age, complete):
    as_of = (build.now - timedelta(days=age)).isoformat()
    manifest = {"transportConfig": {"state": "complete", "records": 1, "source": source, "as_of": as_of}}
    tenant = build(transportConfig=[{"SmtpClientAuthenticationDisabled": True, "AllowLegacyTLSClients": False}],
                   manifest=manifest)  # fmt: skip
    status = tenant.status["transportConfig"]
    assert (tenant.org_smtp_auth_disabled == YES) is complete
    assert status.complete is complete
    if not complete:
        assert status.reason == "the export of 2026-10-23 is older than max_age_days = 30"


def test_an_export_without_a_time_counts_as_read_now(build):
    manifest = {"transportConfig": {"state": "complete", "records": 1, "source": "export"}}
    tenant = build(transportConfig=[{"SmtpClientAuthenticationDisabled": True}], manifest=manifest)
    assert tenant.org_smtp_auth_disabled == YES


def test_an_export_whose_time_cannot_be_read_decides_nothing(build):
    manifest = {"transportConfig": {"state": "complete", "records": 1, "source": "export", "as_of": "last week"}}
    tenant = build(transportConfig=[{"SmtpClientAuthenticationDisabled": True}], manifest=manifest)
    assert tenant.org_smtp_auth_disabled == UNREAD
    assert build.problems(tenant) == [("transportConfig", "", "as_of")]
