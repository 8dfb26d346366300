from __future__ import annotations

import pytest


def without_row(records):
    records["mailboxes"].pop(0)


def test_a_row_is_clear_whatever_the_kind_of_user(says):
    assert says("mailbox") == "clear"
    assert says("mailbox", lambda records: records["users"][0].update(userType="Guest")) == "clear"
    assert (
        says("mailbox", lambda records: records["mailboxes"][0].update(RecipientTypeDetails="RoomMailbox")) == "clear"
    )


@pytest.mark.parametrize("kind", ["UserMailbox", "MailUser", "GuestMailUser", "User"])
def test_no_row_in_exchanges_own_list_blocks(says, kind):
    def change(records):
        without_row(records)
        records["exchangeUsers"][0]["RecipientTypeDetails"] = kind

    assert says("mailbox", change) == "blocks"


def test_a_mail_user_is_named(make, tools):
    records = tools.base("ann")
    without_row(records)
    records["exchangeUsers"][0]["RecipientTypeDetails"] = "MailUser"
    records["mailboxes"] = []
    assert "mail user" in tools.reason(make(records), "mailbox").text


EXCHANGE = ("mailboxes", "exchangeUsers", "casMailboxes", "transportConfig", "organizationConfig",
            "authenticationPolicies", "recipientPermissions", "mailboxPermissions", "exchangeServicePrincipals",
            "managementRoleAssignments", "managementScopes")  # fmt: skip


def test_a_list_that_was_asked_for_and_not_read_never_blocks(says):
    """Other Exchange data was asked for: the fallbacks may say clear, and nothing else."""
    lost = ("mailboxes",)
    assert says("mailbox", without=lost) == "clear"
    assert says("mailbox", without=(*lost, "mailboxUsage")) == "clear"
    assert says("mailbox", without=(*lost, "exchangeUsers")) == "clear"
    assert says("mailbox", without=(*lost, "exchangeUsers", "mailboxUsage")) == "unknown"

    def deleted(records):
        records["mailboxUsage"][0]["isDeleted"] = True
        records["exchangeUsers"][0]["RecipientTypeDetails"] = "MailUser"

    assert says("mailbox", deleted, without=lost) == "unknown"


def unlicensed(records):
    records["users"][0].update(assignedLicenses=[], licenseAssignmentStates=[])


def test_without_exchange_the_usage_report_decides(says):
    assert says("mailbox", without=EXCHANGE) == "clear"

    def absent(records):
        records["mailboxUsage"].pop(0)

    def absent_and_unlicensed(records):
        absent(records)
        unlicensed(records)

    def deleted(records):
        records["mailboxUsage"][0]["isDeleted"] = True

    assert says("mailbox", absent, without=EXCHANGE) == "unknown"  # reports lag behind the licence
    assert says("mailbox", absent_and_unlicensed, without=EXCHANGE) == "blocks"
    assert says("mailbox", deleted, without=EXCHANGE) == "blocks"


def test_a_report_with_concealed_names_decides_nothing(says):
    def concealed(records):
        unlicensed(records)
        for number, row in enumerate(records["mailboxUsage"]):
            row["userPrincipalName"] = f"{number:064x}"

    assert says("mailbox", concealed, without=EXCHANGE) == "unknown"


NO_EVIDENCE = (*EXCHANGE, "mailboxUsage")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"assignedPlans": [], "mail": None, "proxyAddresses": []}, "blocks"),
        ({"assignedPlans": [], "mail": None}, "unknown"),
        ({"mail": None, "proxyAddresses": []}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_users_alone_prove_only_that_there_never_was_one(says, changes, expected):
    def change(records):
        unlicensed(records)
        records["users"][0].update(changes)

    assert says("mailbox", change, without=NO_EVIDENCE) == expected


@pytest.mark.parametrize("unread", ["mail", "proxyAddresses", "assignedPlans"])
def test_a_property_that_was_not_read_proves_nothing(says, unread):
    def change(records):
        unlicensed(records)
        records["users"][0].update(assignedPlans=[], mail=None, proxyAddresses=[])
        for user in records["users"]:
            del user[unread]

    assert says("mailbox", change, without=NO_EVIDENCE) == "unknown"
