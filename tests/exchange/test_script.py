"""The export script reads only, and writes what the export reader reads."""

from __future__ import annotations

import re

import pytest

from auditor.catalogue import BY_NAME, EXCHANGE_DATASETS
from auditor.exchange import export_script
from auditor.exchange.export import KEYS
from auditor.exchange.properties import DECISIVE, EXPORTED, SELECTED
from auditor.exchange.script import FORMATTING


def code() -> str:
    """The script without its comments."""
    text = re.sub(r"<#.*?#>", "", export_script(), flags=re.DOTALL)
    return re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)


def test_every_command_reads_or_formats() -> None:
    commands = set(re.findall(r"(?<![\w'-])[A-Za-z]+-[A-Za-z]+\b", re.sub(r"(?<=\s)-\w+", "", code())))
    assert commands - FORMATTING == {BY_NAME[name].path for name in EXCHANGE_DATASETS} | {"Get-Date"}
    assert commands >= FORMATTING


def test_nothing_is_run_from_text_or_sent_away() -> None:
    text = code().lower()
    for word in ("invoke", "iex", "new-object", "start-", "net.", "http", "add-type", "remove-", "set-execution"):
        assert word not in text


def test_every_dataset_is_exported_under_a_key_that_is_read() -> None:
    written = re.findall(r"^\s*part '(\w+)'", code(), flags=re.MULTILINE)
    assert sorted(written) == sorted(EXCHANGE_DATASETS)
    assert all(KEYS[name.lower()] == name for name in written)


@pytest.mark.parametrize(
    "call",
    [
        "Get-CASMailbox -ResultSize 'Unlimited'",
        "Get-User -ResultSize 'Unlimited'",
        "Get-MailUser -ResultSize 'Unlimited' -HVEAccount",
        "{ Get-ManagementRoleAssignment }",
        "Get-MailboxPermission -Identity $mailbox -ResultSize 'Unlimited'",
    ],
)
def test_calls(call: str) -> None:
    assert call in code()


def test_the_least_role_is_named() -> None:
    text = export_script()
    assert "View-Only Configuration" in text
    assert "View-Only Recipients" in text


def test_it_is_plain_text_with_balanced_brackets() -> None:
    text = code()
    assert export_script().isascii()
    assert "\r" not in export_script()
    for opened, closed in ("{}", "()", "[]"):
        assert text.count(opened) == text.count(closed)
    assert text.count("'") % 2 == 0


def test_the_properties_that_decide_are_asked_for_and_exported() -> None:
    for dataset, name in DECISIVE.items():
        assert name in EXPORTED[dataset]
        assert name in SELECTED.get(dataset, (name,))


def test_exported_properties_cover_every_dataset() -> None:
    assert set(EXPORTED) == set(EXCHANGE_DATASETS)


def test_no_private_address_or_telephone_number_is_asked_for() -> None:
    names = {name for names in EXPORTED.values() for name in names}
    assert names.isdisjoint({"MobilePhone", "HomePhone", "StreetAddress", "City", "Phone", "Notes"})
