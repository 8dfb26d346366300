"""The export script reads only, and writes what the export reader reads."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

from auditor.catalogue import BY_NAME, EXCHANGE_DATASETS
from auditor.exchange import export_script
from auditor.exchange.export import KEYS
from auditor.exchange.properties import DECISIVE, EXPORTED, SELECTED
from auditor.exchange.script import FORMATTING


def code() -> str:
    """The script without its comments."""
    text = re.sub(r"<#.*?#>", "", export_script(), flags=re.DOTALL)
    return re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)


def parsed(script: str) -> Node:
    """PowerShell's own grammar, as tree-sitter has it: the root of the syntax tree."""
    return Parser(Language(tree_sitter_powershell.language())).parse(script.encode()).root_node


def nodes(node: Node, *kinds: str) -> Iterator[Node]:
    """The nodes of some kinds, in the order of the script."""
    if node.type in kinds:
        yield node
    for child in node.children:
        yield from nodes(child, *kinds)


def source(node: Node) -> str:
    return (node.text or b"").decode()


def invoked(script: str) -> set[str]:
    """What the script calls: names of commands, and what stands behind the call operators `&` and `.`."""
    commands = nodes(parsed(script), "command")
    return {source(next(nodes(command, "command_name", "command_name_expr"))) for command in commands}


def not_reading(script: str) -> set[str]:
    """Calls that are neither Get- nor formatting nor a function of the script itself."""
    own = {source(name) for name in nodes(parsed(script), "function_name")}
    return {name for name in invoked(script) - own - FORMATTING if not re.fullmatch(r"Get-[A-Za-z]+", name)}


def test_powershell_parses_it() -> None:
    root = parsed(export_script())
    assert not root.has_error
    assert not list(nodes(root, "ERROR"))
    assert len(list(nodes(root, "command"))) > len(EXCHANGE_DATASETS)


def test_every_command_that_is_invoked_reads_or_formats() -> None:
    # `& $read` runs the block that a call of `part` hands over; the commands in those blocks are in the tree too.
    assert not_reading(export_script()) == {"$read"}
    assert {name for name in invoked(export_script()) if name.startswith("Get-")} == {
        BY_NAME[name].path for name in EXCHANGE_DATASETS
    } | {"Get-Date", "Get-ConnectionInformation"}


def test_what_is_handed_over_to_run_is_written_in_the_script() -> None:
    calls = [node for node in nodes(parsed(export_script()), "command") if source(node).startswith("part ")]
    assert len(calls) == len(EXCHANGE_DATASETS)
    assert all(len(list(nodes(call, "script_block_expression"))) >= 1 for call in calls)


def test_methods_and_types_only_convert() -> None:
    root = parsed(export_script())
    methods = {source(next(nodes(call, "member_name"))) for call in nodes(root, "invokation_expression")}
    assert methods <= {"ToUniversalTime", "ToString"}
    assert {source(kind).lower() for kind in nodes(root, "type_identifier")} <= {
        "cmdletbinding", "string", "ordered", "bool", "pscustomobject", "system", "collections", "ienumerable",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("added", "name"),
    [
        ("Set-CASMailbox anna -SmtpClientAuthenticationDisabled $false", "Set-CASMailbox"),
        ("if ($true) { iex 'x' }", "iex"),
        ("Get-Mailbox | % { Remove-Mailbox $_ }", "Remove-Mailbox"),
        ("& 'Set-TransportConfig'", "'Set-TransportConfig'"),
    ],
)
def test_a_writing_command_would_be_noticed(added: str, name: str) -> None:
    assert name in not_reading(f"{export_script()}\n{added}\n")


def test_a_broken_script_would_be_noticed() -> None:
    assert parsed(export_script().replace("catch {", "catch", 1)).has_error


def test_every_command_reads_or_formats() -> None:
    commands = set(re.findall(r"(?<![\w'-])[A-Za-z]+-[A-Za-z]+\b", re.sub(r"(?<=\s)-\w+", "", code())))
    assert commands - FORMATTING == {BY_NAME[name].path for name in EXCHANGE_DATASETS} | {
        "Get-Date", "Get-ConnectionInformation",
        "Connect-ExchangeOnline",  # named in a message; the tree above shows that nothing calls it
    }  # fmt: skip
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
        "Get-CASMailbox -ResultSize 'Unlimited' -ErrorAction Stop",
        "Get-User -ResultSize 'Unlimited' -ErrorAction Stop",
        "Get-MailUser -ResultSize 'Unlimited' -HVEAccount -ErrorAction Stop",
        "{ Get-ManagementRoleAssignment -ErrorAction Stop }",
        "Get-MailboxPermission -Identity $mailbox -ResultSize 'Unlimited' -ErrorAction Stop",
    ],
)
def test_calls(call: str) -> None:
    assert call in code()


def test_every_cmdlet_of_exchange_stops_at_an_error_by_its_own_word() -> None:
    """A module's functions do not see the caller's $ErrorActionPreference: without it half a list would look whole."""
    cmdlets = {BY_NAME[name].path for name in EXCHANGE_DATASETS}
    calls = [source(call) for call in nodes(parsed(export_script()), "command") if source(call).split()[0] in cmdlets]
    assert len(calls) == len(EXCHANGE_DATASETS)
    assert all(call.endswith("-ErrorAction Stop") for call in calls)


def test_what_would_be_written_in_vain_is_told_before_anything_is_read() -> None:
    order = [code().index(text) for text in ("Get-ConnectionInformation", "Set-Content", "part 'transportConfig'")]
    assert order == sorted(order)


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
