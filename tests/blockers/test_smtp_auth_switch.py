"""Every cell of the organisation × mailbox table (facts: the two switches), and what makes it unreadable."""

from __future__ import annotations

from dataclasses import replace

import pytest

CELLS = [
    # organisation, mailbox, state
    (False, None, "clear"),
    (False, False, "clear"),
    (False, True, "blocks"),
    (True, None, "blocks"),
    (True, False, "clear"),
    (True, True, "blocks"),
    ("unread", None, "unknown"),
    ("unread", False, "clear"),
    ("unread", True, "blocks"),
    (None, None, "unknown"),
    ("odd", None, "unknown"),
]


def switches(organisation, mailbox):
    def change(records):
        records["casMailboxes"][0]["SmtpClientAuthenticationDisabled"] = mailbox
        records["casMailboxes"][1]["SmtpClientAuthenticationDisabled"] = False  # so that the property was read
        if organisation == "unread":
            del records["transportConfig"]
        else:
            records["transportConfig"][0]["SmtpClientAuthenticationDisabled"] = organisation

    return change


@pytest.mark.parametrize(("organisation", "mailbox", "expected"), CELLS)
def test_cell(says, organisation, mailbox, expected):
    assert says("smtp-auth-switch", switches(organisation, mailbox)) == expected


@pytest.mark.parametrize(
    ("organisation", "mailbox", "reply"),
    [(True, None, "smtp-auth-disabled-tenant"), (True, True, "smtp-auth-disabled-mailbox"), (False, None, "")],
)
def test_tenant_and_mailbox_have_replies_of_their_own(make, tools, organisation, mailbox, reply):
    records = tools.base("ann", "bob")
    switches(organisation, mailbox)(records)
    assert tools.reason(make(records), "smtp-auth-switch").reply == reply


def test_a_mailbox_without_a_row_is_unknown(says):
    assert says("smtp-auth-switch", lambda records: records["casMailboxes"].pop(0)) == "unknown"


def test_an_account_without_a_mailbox_has_no_switch(says):
    def change(records):
        records["casMailboxes"].pop(0)
        records["mailboxes"].pop(0)

    assert says("smtp-auth-switch", change) == "not_applicable"
    assert says("smtp-auth-switch", change, without=("mailboxes",)) == "unknown"


def test_a_property_that_no_row_holds_was_not_read(says):
    """Get-EXOCasMailbox never carries the switch."""

    def change(records):
        for row in records["casMailboxes"]:
            del row["SmtpClientAuthenticationDisabled"]

    assert says("smtp-auth-switch", change) == "unknown"


def test_unread_rows_are_unknown(says):
    assert says("smtp-auth-switch", without=("casMailboxes",)) == "unknown"


@pytest.mark.parametrize(("mailbox", "expected"), [(False, "unknown"), (True, "blocks"), (None, "clear")])
def test_false_of_a_configuration_snapshot_may_be_an_inherited_blank(make, tools, mailbox, expected):
    records = tools.base("ann", "bob")
    switches(False, mailbox)(records)
    tenant = make(records)
    source = replace(tenant.status["casMailboxes"], source="configuration snapshot (tenant configuration management)")
    tenant = replace(tenant, status={**tenant.status, "casMailboxes": source})
    assert tools.reason(tenant, "smtp-auth-switch").state.word == expected


def test_an_export_may_be_called_like_a_configuration_snapshot(make, tools):
    records = tools.base("ann", "bob")
    switches(True, False)(records)
    tenant = make(records)
    source = replace(
        tenant.status["casMailboxes"], source="Exchange export by an administrator: configuration-snapshot.json"
    )
    tenant = replace(tenant, status={**tenant.status, "casMailboxes": source})
    assert tools.reason(tenant, "smtp-auth-switch").state.word == "clear"
