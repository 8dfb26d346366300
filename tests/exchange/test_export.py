"""Files that an administrator exported: what is found, what is missing, what is damaged, and that each is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from auditor.catalogue import BY_NAME, EXCHANGE_DATASETS
from auditor.errors import ConfigError
from auditor.exchange.base import ExchangeRead
from auditor.exchange.export import NAMES, NOTES_LIMIT, ExportSource

from .conftest import Kept

BUNDLE = {
    "exportedAt": "2026-11-20T08:00:00.1234567Z",
    "transportConfig": {"SmtpClientAuthenticationDisabled": True},
    "organizationConfig": {"DefaultAuthenticationPolicy": None},
    "casMailboxes": [{"Guid": "1", "SmtpClientAuthenticationDisabled": None}],
    "users": [{"UserPrincipalName": "a@x", "AuthenticationPolicy": "P"}],
    "authenticationPolicies": [],
}


def read(
    source: ExportSource, dataset: str, identities: Sequence[str] = ()
) -> tuple[ExchangeRead, list[dict[str, Any]]]:
    kept = Kept()
    result = asyncio.run(source.read(BY_NAME[dataset], identities, kept))
    assert result.records == len(kept.records)
    assert not any(b"\n" in record for record in kept.records)
    return result, [json.loads(record) for record in kept.records]


def bundle(folder: Path, document: Any, name: str = "exo.json", encoding: str = "utf-8") -> ExportSource:
    path = folder / name
    path.write_bytes(json.dumps(document, indent=2).encode(encoding))
    return ExportSource.open(path)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_scripts_file(tmp_path: Path, encoding: str) -> None:
    source = bundle(tmp_path, BUNDLE, encoding=encoding)
    result, records = read(source, "casMailboxes")
    assert (result.state, result.as_of, result.requests) == ("complete", "2026-11-20T08:00:00Z", 0)
    assert result.source == "Exchange export by an administrator: exo.json"
    assert records == [{"Guid": "1", "SmtpClientAuthenticationDisabled": None}]
    assert read(source, "transportConfig")[1] == [{"SmtpClientAuthenticationDisabled": True}]
    assert read(source, "exchangeUsers")[1] == BUNDLE["users"]
    assert read(source, "authenticationPolicies")[0].state == "complete"
    assert source.notes() == []


def test_what_no_file_holds_was_not_asked_for(tmp_path: Path) -> None:
    result, _ = read(bundle(tmp_path, BUNDLE), "mailboxes")
    assert (result.state, result.reason) == ("not-asked", "No exported file holds mailboxes.")


@pytest.mark.parametrize("dataset", EXCHANGE_DATASETS)
@pytest.mark.parametrize("case", [str.lower, str.upper, str])
def test_a_file_per_dataset_is_found_by_its_name_in_any_case(tmp_path: Path, dataset: str, case: Any) -> None:
    (tmp_path / case(f"{dataset}.csv")).write_text("Name\none\n", encoding="utf-8")
    result, records = read(ExportSource.open(tmp_path), dataset)
    assert (result.state, records) == ("complete", [{"Name": "one"}])


@pytest.mark.parametrize("stem", ["Get-CASMailbox", "get-casmailbox", "CASMailbox", "CasMailboxes", "get_casmailbox"])
def test_a_file_may_be_named_like_the_cmdlet(tmp_path: Path, stem: str) -> None:
    (tmp_path / f"{stem}.json").write_text('[{"Guid":"1"}]', encoding="utf-8")
    assert read(ExportSource.open(tmp_path), "casMailboxes")[1] == [{"Guid": "1"}]


def test_every_mail_user_is_not_every_high_volume_account(tmp_path: Path) -> None:
    assert "getmailuser" not in NAMES
    (tmp_path / "Get-MailUser.csv").write_text("Name\none\n", encoding="utf-8")
    source = ExportSource.open(tmp_path)
    assert read(source, "hveAccounts")[0].state == "not-asked"
    assert "Get-MailUser.csv" in source.notes()[0]


@pytest.mark.parametrize(
    ("document", "records"),
    [
        ({"Name": "one"}, [{"Name": "one"}]),
        ([{"Name": "one"}], [{"Name": "one"}]),
        ({"value": [{"Name": "one"}], "Count": 1}, [{"Name": "one"}]),
        ([], []),
    ],
)
def test_forms_of_a_json_file(tmp_path: Path, document: Any, records: list[Any]) -> None:
    result, read_records = read(bundle(tmp_path, document, "acceptedDomains.json"), "acceptedDomains")
    assert (result.state, read_records) == ("complete", records)


@pytest.mark.parametrize(
    "name", ["SMTP AUTH clients report 2026-11.csv", "smtpAuthClients.csv", "Export_SmtpAuthClientsReport (3).csv"]
)
def test_the_report_of_smtp_auth_clients(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes('"Sender address","Authentication Protocol"\r\n"a@x","Basic"\r\n'.encode("utf-16"))
    result, records = read(ExportSource.open(tmp_path), "smtpAuthClients")
    assert result.state == "complete"
    assert records == [{"Sender address": "a@x", "Authentication Protocol": "Basic"}]


@pytest.mark.parametrize(
    ("value", "as_of", "told"),
    [
        ("2026-11-20T09:00:00+01:00", "2026-11-20T08:00:00Z", False),
        ("2026-11-20T08:00:00", "2026-11-20T08:00:00Z", False),
        ("/Date(1795161600000)/", "2026-11-20T08:00:00Z", False),
        ({"value": "2026-11-20T08:00:00Z", "DisplayHint": 2}, "2026-11-20T08:00:00Z", False),
        (None, "", False),
        ("yesterday", "", True),
        (5, "", True),
    ],
)
def test_the_age_of_an_export(tmp_path: Path, value: Any, as_of: str, told: bool) -> None:
    source = bundle(tmp_path, {**BUNDLE, "exportedAt": value})
    assert read(source, "casMailboxes")[0].as_of == as_of
    assert any("exportedAt" in note for note in source.notes()) is told


def test_a_table_has_no_age(tmp_path: Path) -> None:
    (tmp_path / "mailboxes.csv").write_text("Name\none\n", encoding="utf-8")
    assert read(ExportSource.open(tmp_path), "mailboxes")[0].as_of == ""


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("casMailboxes.csv", b"Guid,X\n1\n", "casMailboxes.csv: line 2 has 1 fields"),
        ("casMailboxes.csv", b"Guid\n\xff\n", "casMailboxes.csv: line 2 is no utf-8"),
        ("casMailboxes.csv", b"", "casMailboxes.csv: line 1 holds no column names"),
        ("casMailboxes.json", b"[\n{", "casMailboxes.json: line 2 is no JSON"),
        ("casMailboxes.json", b"[1]", "casMailboxes.json: object 1 is no object"),
        ("casMailboxes.json", b"null", "casMailboxes.json: it holds null"),
        ("exo.json", b'{"casMailboxes":\n', "exo.json: line 2 is no JSON"),
        ("exo.json", b'{"casMailboxes":null}', "exo.json: it holds null"),
    ],
)
def test_a_damaged_file_fails_with_file_and_line(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(data)
    result, records = read(ExportSource.open(tmp_path), "casMailboxes")
    assert (result.state, records) == ("failed", [])
    assert words in result.reason


def test_half_a_file_gives_nothing_rather_than_half_a_list(tmp_path: Path) -> None:
    (tmp_path / "casMailboxes.csv").write_bytes(b"Guid,X\n1,2\n3,4\n5\n")
    result, records = read(ExportSource.open(tmp_path), "casMailboxes")
    assert (result.state, records) == ("failed", [])


def test_a_damaged_unknown_file_may_have_held_anything(tmp_path: Path) -> None:
    (tmp_path / "exo.json").write_bytes(b"{")
    (tmp_path / "mailboxes.csv").write_text("Name\none\n", encoding="utf-8")
    source = ExportSource.open(tmp_path)
    assert read(source, "casMailboxes")[0].state == "failed"
    assert read(source, "mailboxes")[0].state == "complete"


@pytest.mark.parametrize("dataset", ["transportConfig", "organizationConfig"])
def test_a_single_object_that_is_not_there_was_not_read(tmp_path: Path, dataset: str) -> None:
    assert read(bundle(tmp_path, {dataset: []}), dataset)[0].state == "failed"


def test_two_files_for_one_dataset_are_not_guessed_between(tmp_path: Path) -> None:
    (tmp_path / "mailboxes.csv").write_text("Name\none\n", encoding="utf-8")
    (tmp_path / "Get-Mailbox.csv").write_text("Name\ntwo\n", encoding="utf-8")
    result, records = read(ExportSource.open(tmp_path), "mailboxes")
    assert (result.state, records) == ("failed", [])
    assert "Get-Mailbox.csv, mailboxes.csv" in result.reason


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("The term 'Get-ManagementScope' is not recognized as a name of a cmdlet.", "denied"),
        ("A server side error has occurred.", "failed"),
    ],
)
def test_what_failed_in_the_script_is_no_empty_list(tmp_path: Path, text: str, state: str) -> None:
    source = bundle(tmp_path, {**BUNDLE, "errors": {"managementScopes": text}})
    result, _ = read(source, "managementScopes")
    assert result.state == state
    assert text in result.reason
    assert bool(result.permission) is (state == "denied")


def test_permissions_of_mailboxes_that_were_not_exported_are_missing(tmp_path: Path) -> None:
    document = {"mailboxPermissionsOf": ["A@x"], "mailboxPermissions": [{"Identity": "a", "User": "app"}]}
    source = bundle(tmp_path, document)
    assert read(source, "mailboxPermissions", ["a@X"])[0].state == "complete"
    result, records = read(source, "mailboxPermissions", ["a@x", "b@x"])
    assert (result.state, result.reason, len(records)) == ("cut", "Not exported for b@x.", 1)


def test_what_is_not_understood_is_told(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("a\n1\n", encoding="utf-8")
    (tmp_path / "notes.docx").write_bytes(b"x")
    (tmp_path / "other.json").write_text('{"a": 1}', encoding="utf-8")
    (tmp_path / "list.json").write_text("[]", encoding="utf-8")
    (tmp_path / "Get-EXOCasMailbox.csv").write_text("Guid\n1\n", encoding="utf-8")
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    source = bundle(tmp_path, {**BUNDLE, "Printers": []})
    source = ExportSource.open(tmp_path)
    notes = "\n".join(source.notes())
    for word in ("users.csv", "notes.docx", "other.json", "list.json", "Get-EXOCasMailbox never tells", "key Printers"):
        assert word in notes
    assert ".DS_Store" not in notes
    assert read(source, "casMailboxes")[0].state == "complete"


def test_a_file_without_the_deciding_property_is_told(tmp_path: Path) -> None:
    (tmp_path / "casMailboxes.csv").write_text("Guid\n1\n", encoding="utf-8")
    source = ExportSource.open(tmp_path)
    read(source, "casMailboxes")
    assert any("has no SmtpClientAuthenticationDisabled" in note for note in source.notes())


def test_remarks_fill_no_more_than_a_screen(tmp_path: Path) -> None:
    rows = "".join(f"{number},perhaps\n" for number in range(NOTES_LIMIT + 5))
    (tmp_path / "casMailboxes.csv").write_text("Guid,SmtpClientAuthenticationDisabled\n" + rows, encoding="utf-8")
    source = ExportSource.open(tmp_path)
    read(source, "casMailboxes")
    assert len(source.notes()) == NOTES_LIMIT + 1
    assert source.notes()[-1] == "… and 5 more remarks of this kind."


def test_no_such_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="export_path") as caught:
        ExportSource.open(tmp_path / "nothing")
    assert "exchange-script" in caught.value.remedy


def test_a_file_that_vanished_fails(tmp_path: Path) -> None:
    for name in ("mailboxes.csv", "exo.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    source = ExportSource.open(tmp_path)
    for path in tmp_path.iterdir():
        path.unlink()
    assert "cannot be read" in read(source, "mailboxes")[0].reason
    assert "cannot be read" in read(source, "casMailboxes")[0].reason
