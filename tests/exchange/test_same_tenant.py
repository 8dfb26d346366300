"""Whole audits of one tenant by every way of reading Exchange: the same evidence gives the same accounts.csv, byte for
byte, and less evidence gives more unknown and never another answer."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from auditor.catalogue import BY_NAME, CONFIGURATION, EXCHANGE_DATASETS
from auditor.collect import collect
from auditor.config import load
from auditor.demo.model import DemoTenant
from auditor.demo.server import Emulator
from auditor.demo.settings import write_config
from auditor.demo.tenant import generate
from auditor.evaluate import Evaluation, evaluate
from auditor.exchange.properties import EXPORTED
from auditor.findings.build import READ_FROM
from auditor.report.csvfiles import accounts_csv
from auditor.snapshot import Snapshot

from ..clocks import FakeClock

RECENT, OLD = "2026-11-23T15:00:00.0000000Z", "2026-10-01T15:00:00.0000000Z"


# --- what an administrator hands over --------------------------------------------------------------------------------

LISTED = frozenset({"mailboxes", "recipientPermissions", "mailboxPermissions", "inboundConnectors"})
"""datasets with properties of several values, which Export-Csv replaces by the name of their type"""

WORDS = {"en": ("True", "False"), "de": ("WAHR", "FALSCH"), "fr": ("VRAI", "FAUX")}
"""how a spreadsheet of that language writes a boolean when it saves the table again"""


def script_file(
    tenant: DemoTenant, path: Path, *, at: str, encoding: str = "utf-8-sig", leave_out: Iterable[str] = ()
) -> Path:
    """The script's JSON file, as its function `pick` shapes each object and ConvertTo-Json writes it."""
    document: dict[str, Any] = {"exportedAt": at}
    senders = [sender["account"] for sender in tenant.senders]
    for name in EXPORTED:
        if name == "mailboxPermissions":
            document["mailboxPermissionsOf"] = senders
        if name not in leave_out:
            document[name] = [_picked(name, record) for record in tenant.exchange[name]]
    document["errors"] = {}
    path.write_text(json.dumps(document, indent=4), encoding=encoding)
    return path


def _picked(name: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Null and booleans as they are, several values as a list of texts, all else as text."""
    return {key: _plain(record[key]) for key in EXPORTED[name] if key in record}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    return [str(part) for part in value] if isinstance(value, list) else str(value)


def tables(tenant: DemoTenant, folder: Path, *, encoding: str, separator: str, language: str, type_line: bool) -> Path:
    """`Get-… -ResultSize Unlimited | Export-Csv` of each cmdlet whose objects it does not spoil, in `folder`; the rest
    comes from the script."""
    folder.mkdir()
    names = [name for name in EXPORTED if name not in LISTED]
    script_file(tenant, folder / "exchange-export.json", at="2026-11-23T15:00:00.0000000Z", leave_out=names)
    for name in names:
        stem = name if name == "hveAccounts" else BY_NAME[name].path
        text = _table(tenant.exchange[name], separator, WORDS[language])
        head = "#TYPE Deserialized.Microsoft.Exchange.Data\r\n" if type_line else ""
        (folder / f"{stem}.csv").write_bytes((head + text).encode(encoding))
    return folder


def _table(records: list[dict[str, Any]], separator: str, words: tuple[str, str]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, quoting=csv.QUOTE_ALL)
    columns = list(dict.fromkeys(key for record in records for key in record))
    writer.writerow(columns)
    writer.writerows([_cell(record.get(column), words) for column in columns] for record in records)
    return out.getvalue()


def _cell(value: Any, words: tuple[str, str]) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return words[0] if value else words[1]
    return "System.Collections.ArrayList" if isinstance(value, list) else str(value)


# --- audits ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Audit:
    """One audit and its accounts.csv."""

    evaluation: Evaluation
    csv: bytes

    @property
    def rows(self) -> dict[str, dict[str, str]]:
        text = self.csv.decode("utf-8-sig")
        return {row["user_principal_name"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}

    @property
    def provenance(self) -> set[str]:
        """What the evidence of the findings says of where Exchange's settings were read."""
        return {fact.value for found in self.evaluation.findings for fact in found.evidence if fact.name == READ_FROM}

    def status(self, name: str) -> tuple[str, str]:
        status = self.evaluation.judgement.tenant.status[name]
        return status.state, status.source.partition(": ")[0]


@dataclass(frozen=True)
class Tenant:
    """The emulated tenant, and what it costs to audit it in one way or another."""

    emulator: Emulator

    def audit(self, folder: Path, **exchange: object) -> Audit:
        folder.mkdir(exist_ok=True)
        write_config(self.emulator.tenant, self.emulator, folder / "config.toml")
        config = load(folder / "config.toml")
        settings = msgspec.structs.replace(config.config.exchange, **exchange)
        config = msgspec.structs.replace(config, config=msgspec.structs.replace(config.config, exchange=settings))
        asyncio.run(collect(config, config.config.tenants[0], folder / "snapshot", clock=FakeClock()))
        snapshot = Snapshot.open(folder / "snapshot")
        evaluation = evaluate(snapshot, config.config, datetime.fromisoformat(snapshot.ended))
        with (folder / "accounts.csv").open("wb") as stream:
            accounts_csv(stream, evaluation)
        return Audit(evaluation, (folder / "accounts.csv").read_bytes())


def serve(scenario: str, folder: Path) -> Iterator[Tenant]:
    tenant = generate(accounts=95, seed=7, scenario=scenario)
    tenant.app.graph_roles.add(CONFIGURATION)
    with Emulator(tenant, folder) as emulator:
        yield Tenant(emulator)


@pytest.fixture(scope="module")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    yield from serve("default", tmp_path_factory.mktemp("emulator"))


@pytest.fixture(scope="module")
def direct(tenant: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Audit:
    """By the admin API."""
    return tenant.audit(tmp_path_factory.mktemp("direct"), source="admin-api")


Export = Callable[[Tenant, Path], Path]


def script(encoding: str) -> Export:
    return lambda tenant, folder: script_file(
        tenant.emulator.tenant, folder / "exchange-export.json", at=RECENT, encoding=encoding
    )


def exported(encoding: str, separator: str, language: str, type_line: bool) -> Export:
    return lambda tenant, folder: tables(
        tenant.emulator.tenant, folder / "export", encoding=encoding, separator=separator, language=language,
        type_line=type_line,
    )  # fmt: skip


@pytest.mark.parametrize(
    "export",
    [
        pytest.param(script("utf-8-sig"), id="script, Windows PowerShell"),
        pytest.param(script("utf-8"), id="script, PowerShell 7"),
        pytest.param(script("utf-16"), id="script, redirected"),
        pytest.param(exported("utf-8", ",", "en", type_line=False), id="Export-Csv, PowerShell 7"),
        pytest.param(exported("utf-16", "\t", "en", type_line=True), id="Export-Csv -Encoding Unicode -Delimiter tab"),
        pytest.param(exported("utf-8-sig", ";", "de", type_line=False), id="saved again by a German spreadsheet"),
        pytest.param(exported("utf-16-be", ";", "fr", type_line=False), id="saved again by a French spreadsheet"),
    ],
)
def test_files_and_admin_api_give_the_same_accounts(
    tenant: Tenant, direct: Audit, tmp_path: Path, export: Export
) -> None:
    path = export(tenant, tmp_path)
    audit = tenant.audit(tmp_path / "run", source="export", export_path=str(path))
    assert {audit.status(name) for name in EXCHANGE_DATASETS} == {("complete", "Exchange export by an administrator")}
    assert {direct.status(name)[0] for name in EXCHANGE_DATASETS} == {"complete"}
    assert audit.csv == direct.csv


@pytest.mark.parametrize("scenario", ["security-defaults", "after-retirement"])
def test_other_tenants_agree_as_well(tmp_path: Path, scenario: str) -> None:
    for tenant in serve(scenario, tmp_path / "emulator"):
        live = tenant.audit(tmp_path / "live", source="admin-api")
        path = script_file(tenant.emulator.tenant, tmp_path / "export.json", at="2026-11-23T15:00:00Z")
        days = 365  # the after-retirement tenant is audited in January
        audit = tenant.audit(tmp_path / "run", source="export", export_path=str(path), max_age_days=days)
        assert audit.csv == live.csv


def test_a_stale_export_proves_nothing(tenant: Tenant, direct: Audit, tmp_path: Path) -> None:
    path = script_file(tenant.emulator.tenant, tmp_path / "export.json", at=OLD)
    audit = tenant.audit(tmp_path / "run", source="export", export_path=str(path))
    assert {row["smtp-auth-switch"] for row in audit.rows.values()} == {"unknown", "not_applicable"}
    assert audit.status("casMailboxes")[0] == "cut"
    only_more_unknown(audit, direct)
    assert audit.provenance == {
        "Exchange export by an administrator, 2026-10-01T15:00:00Z, 53 days before the judgement"
    }
    gap = next(one for one in audit.evaluation.findings if "casMailboxes" in one.object_id)
    assert any("the export of 2026-10-01 is older" in fact.value for fact in gap.evidence)


def test_the_admin_centres_report_of_smtp_clients_counts_beside_every_source(
    tenant: Tenant, direct: Audit, tmp_path: Path
) -> None:
    quiet = next(
        name
        for name, row in direct.rows.items()
        if row["basic"] == "open" and row["sender"] == "false" and row["breaks_at_retirement"] == "false"
    )
    report = tmp_path / "files" / "SMTP AUTH clients report.csv"
    report.parent.mkdir()
    report.write_bytes(
        f'"Sender address","Domain","TLS 1.2","Messages sent"\r\n"{quiet.upper()}","x","100%","12"\r\n'.encode("utf-16")
    )
    audit = tenant.audit(tmp_path / "run", source="admin-api", also=("export",), export_path=str(report.parent))
    assert audit.status("smtpAuthClients") == ("complete", "Exchange export by an administrator")
    assert audit.status("casMailboxes") == direct.status("casMailboxes")
    assert "smtpAuthClients" in audit.rows[quiet]["smtp_evidence"]
    assert (audit.rows[quiet]["breaks_at_retirement"], audit.rows[quiet]["exposure"]) == ("true", "open")


def test_a_configuration_snapshot_alone_proves_what_is_true_and_nothing_else(
    tenant: Tenant, direct: Audit, tmp_path: Path
) -> None:
    audit = tenant.audit(tmp_path / "run", source="configuration-snapshot")
    assert audit.status("casMailboxes") == ("complete", "Graph configuration snapshot")
    assert audit.status("mailboxes")[0] == "cut"
    only_more_unknown(audit, direct)
    switches = {(row["smtp-auth-switch"], audit.rows[name]["smtp-auth-switch"]) for name, row in direct.rows.items()}
    assert ("blocks", "blocks") in switches
    assert ("clear", "unknown") in switches
    assert ("clear", "clear") not in switches


def test_settings_of_the_organisation_stay_fresh_between_two_exports(
    tenant: Tenant, direct: Audit, tmp_path: Path
) -> None:
    """Mailboxes from an export of today, the rest from a snapshot: nothing that decides is lost."""
    wide = ("transportConfig", "organizationConfig", "acceptedDomains", "inboundConnectors")
    path = script_file(tenant.emulator.tenant, tmp_path / "export.json", at=RECENT, leave_out=wide)
    audit = tenant.audit(tmp_path / "run", source="export", also=("configuration-snapshot",), export_path=str(path))
    assert {audit.status(name) for name in wide} == {("complete", "Graph configuration snapshot")}
    assert audit.status("casMailboxes") == ("complete", "Exchange export by an administrator")
    assert audit.csv == direct.csv
    assert audit.provenance == {
        "Exchange export by an administrator, 2026-11-23T15:00:00Z",
        "Graph configuration snapshot, 2026-11-22T01:50:24Z, 1 day before the judgement",
    }


def test_the_order_of_the_sources_costs_nothing(tenant: Tenant, direct: Audit, tmp_path: Path) -> None:
    """Where a snapshot says less than the admin API, the admin API is asked all the same."""
    audit = tenant.audit(tmp_path / "run", source="configuration-snapshot", also=("admin-api",))
    assert audit.status("casMailboxes")[1].startswith("Exchange admin API")
    assert audit.status("transportConfig") == ("complete", "Graph configuration snapshot")
    assert audit.csv == direct.csv


def test_a_policy_that_an_account_names_by_its_guid_is_not_found_in_a_snapshot(
    tenant: Tenant, direct: Audit, tmp_path: Path
) -> None:
    path = script_file(
        tenant.emulator.tenant, tmp_path / "export.json", at=RECENT, leave_out=["authenticationPolicies"]
    )
    audit = tenant.audit(tmp_path / "run", source="export", also=("configuration-snapshot",), export_path=str(path))
    only_more_unknown(audit, direct)
    lost = {
        name
        for name, row in audit.rows.items()
        if (row["authentication-policy"], direct.rows[name]["authentication-policy"]) == ("unknown", "blocks")
    }
    assert lost == {"sofia.marin@contoso.example"}


def test_a_stale_export_keeps_the_fresh_settings_of_the_organisation(
    tenant: Tenant, direct: Audit, tmp_path: Path
) -> None:
    path = script_file(tenant.emulator.tenant, tmp_path / "export.json", at=OLD)
    audit = tenant.audit(tmp_path / "run", source="export", also=("configuration-snapshot",), export_path=str(path))
    assert audit.status("transportConfig") == ("complete", "Graph configuration snapshot")
    assert audit.status("recipientPermissions") == ("cut", "Exchange export by an administrator")
    only_more_unknown(audit, direct)


def only_more_unknown(audit: Audit, direct: Audit) -> None:
    """The law, over the blockers' columns: with less evidence a state may only turn into `unknown`."""
    blockers = [
        column for column in next(iter(direct.rows.values())) if "-" in column or column in ("mailbox", "licence")
    ]
    for name, row in audit.rows.items():
        for blocker in blockers:
            assert row[blocker] in (direct.rows[name][blocker], "unknown"), (name, blocker)
