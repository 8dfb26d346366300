from __future__ import annotations

import pytest

ANN = "ann@contoso.example"
BOB = {"from": "bob@contoso.example"}
ALIAS = {"from": "Ann.Alias@contoso.example"}


def permission(identity="bob", trustee=ANN, rights=("SendAs",), kind="Allow"):
    return {"Identity": identity, "Trustee": trustee, "AccessControlType": kind, "AccessRights": list(rights),
            "IsInherited": False}  # fmt: skip


def granted(*permissions, group=None):
    def change(records):
        records["recipientPermissions"] = list(permissions)
        if group is not None:
            records["groups"] = [{"id": "g-1", "displayName": "Bob Senders", "visibility": None} | group]
            records["groupMembers"] = [{"groupId": "g-1", "id": records["users"][0]["id"]}]

    return change


def test_own_addresses(says):
    assert says("send-as", settings={}) == "clear"
    assert says("send-as", settings={"from": "ANN@contoso.example"}) == "clear"


@pytest.mark.parametrize(("value", "expected"), [(True, "clear"), (False, "conditional"), (None, "unknown")])
def test_an_alias_is_rewritten_unless_the_organisation_keeps_it(says, value, expected):
    def change(records):
        records["organizationConfig"][0]["SendFromAliasEnabled"] = value

    assert says("send-as", change, settings=ALIAS) == expected
    assert says("send-as", change, settings=ALIAS, without=("organizationConfig",)) == "unknown"


TABLE = [
    ([], "blocks"),
    ([permission()], "clear"),
    ([permission("bob@contoso.example")], "clear"),
    ([permission("id-bob-1", "id-ann-1")], "clear"),
    ([permission("Bob", "Ann")], "clear"),
    ([permission(rights=["Send As"])], "clear"),
    ([permission(rights=["ReceiveAs"])], "blocks"),
    ([permission(trustee="bob@contoso.example")], "blocks"),
    ([permission(trustee="NT AUTHORITY\\SELF")], "blocks"),
    ([permission("ann")], "blocks"),
    ([permission("somebody-unknown")], "unknown"),  # it may be another name of Bob's mailbox
    ([permission(trustee="Some Group")], "unknown"),  # it may be a group that Ann is in
    ([permission(trustee="S-1-5-21-9")], "unknown"),
    ([permission(), permission(kind="Deny")], "blocks"),
    ([permission(), permission(trustee="Some Group", kind="Deny")], "unknown"),
    ([{"Identity": None, "Trustee": None, "AccessRights": "{SendAs}"}], "unknown"),
]


@pytest.mark.parametrize(("permissions", "expected"), TABLE)
def test_somebody_elses_address_needs_send_as(says, permissions, expected):
    assert says("send-as", granted(*permissions), settings=BOB) == expected


@pytest.mark.parametrize("trustee", ["g-1", "Bob Senders", "bob-senders@contoso.example"])
def test_send_as_through_a_group(says, trustee):
    assert says("send-as", granted(permission(trustee=trustee), group={}), settings=BOB) == "clear"


@pytest.mark.parametrize("mail", ["Invoices@contoso.example", "invoices@contoso.example"])
def test_send_as_through_a_group_whose_address_is_not_its_name(says, mail):
    change = granted(permission(trustee="invoices@contoso.example"), group={"mail": mail})
    assert says("send-as", change, settings=BOB) == "clear"
    other = granted(permission(trustee="invoices@contoso.example"), group={"mail": "others@contoso.example"})
    assert says("send-as", other, settings=BOB) == "unknown"


GROUPS = [
    ({"visibility": "HiddenMembership"}, (), "unknown"),
    ({"displayName": None, "error": "Authorization_RequestDenied"}, (), "unknown"),
    ({"error": "Request_ResourceNotFound"}, (), "blocks"),
    ({}, ("groupMembers",), "unknown"),
    ({}, ("groups",), "unknown"),
]


@pytest.mark.parametrize(("group", "lost", "expected"), GROUPS)
def test_a_group_that_was_not_read_is_unknown(says, group, lost, expected):
    change = granted(permission(trustee="g-1"), group=group)
    assert says("send-as", change, settings=BOB, without=lost) == expected


def test_a_group_without_the_account_blocks(says):
    def change(records):
        granted(permission(trustee="g-1"), group={})(records)
        records["groupMembers"] = []

    assert says("send-as", change, settings=BOB) == "blocks"


def test_unread_permissions_are_unknown(says):
    assert says("send-as", settings=BOB, without=("recipientPermissions",)) == "unknown"
    assert says("send-as", settings={"from": ANN}, without=("recipientPermissions",)) == "clear"


def test_unread_addresses_are_unknown(says):
    def change(records):
        for user in records["users"]:
            del user["proxyAddresses"]

    assert says("send-as", change, settings={"from": "ann.alias@contoso.example"}) == "unknown"


def test_a_name_that_two_accounts_share_is_unknown(says):
    def change(records):
        granted(permission(trustee="Twin"))(records)
        for user in records["users"]:
            user["displayName"] = "Twin"

    assert says("send-as", change, settings=BOB) == "unknown"


APP = {"auth": "oauth", "oauth_app_id": "app-1", **BOB}


def app(records):
    records["servicePrincipals"] = [{"id": "sp-1", "appId": "app-1", "displayName": "App", "accountEnabled": True}]


@pytest.mark.parametrize(
    ("trustee", "expected"), [("sp-1", "clear"), ("App", "clear"), (ANN, "unknown"), ("bob@contoso.example", "blocks")]
)
def test_an_app_that_signs_in_as_itself_needs_its_own_send_as(says, trustee, expected):
    def change(records):
        app(records)
        granted(permission(trustee=trustee))(records)

    assert says("send-as", change, settings=APP) == expected


def test_an_app_known_by_a_shared_name_needs_both_lists(says):
    def change(records):
        app(records)
        granted(permission(trustee="App"))(records)

    assert says("send-as", change, settings=APP, without=("exchangeServicePrincipals",)) == "unknown"


def test_the_denial_has_its_reply(make, tools):
    assert tools.reason(make(tools.base("ann")), "send-as", tools.sender(**BOB)).reply == "send-as-denied"


def test_an_address_that_belongs_to_no_account(says):
    """A distribution group or a contact: only its full address is certain."""
    team = {"from": "team@contoso.example"}
    assert says("send-as", granted(permission("team@contoso.example")), settings=team) == "clear"
    assert says("send-as", granted(permission("team")), settings=team) == "unknown"
    assert says("send-as", granted(permission("bob")), settings=team) == "blocks"
    assert says("send-as", settings=team) == "blocks"
