"""Against the emulated Exchange over TLS, signed in with a client secret; and both ways of reading agree."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from auditor.catalogue import BY_NAME, EXCHANGE_DATASETS
from auditor.config import Config, ExchangeConfig, LoadedConfig
from auditor.demo.model import DemoApp, DemoTenant
from auditor.demo.server import Emulator
from auditor.exchange import Access, ExchangeRead, ExchangeSource, make_source
from auditor.exchange.base import PERMISSION
from auditor.exchange.properties import EXPORTED
from auditor.graph.gates import LIMITS, Gate
from auditor.graph.transport import Transport

from ..clocks import FakeClock
from .conftest import Kept

MAILBOXES = 2_345
SENDERS = ("user1@contoso.example", "gone@contoso.example")


def objects() -> dict[str, list[dict[str, Any]]]:
    """One tenant's Exchange: enough mailboxes for three pages, each third with another state of the switch."""
    numbers = range(MAILBOXES)
    cas = [
        {
            "Identity": f"user{n}",
            "Name": f"user{n}",
            "Guid": f"mailbox-{n}",
            "ExternalDirectoryObjectId": f"id-{n}",
            "DisplayName": f"Üser; {n}, “the”\tfirst" if n % 7 == 0 else f"User {n}",
            "PrimarySmtpAddress": f"user{n}@contoso.example",
            "SmtpClientAuthenticationDisabled": (None, True, False)[n % 3],
            "ImapEnabled": False,
        }
        for n in numbers
    ]
    mailbox = {
        "Identity": "user1",
        "Guid": "mailbox-1",
        "UserPrincipalName": SENDERS[0],
        "EmailAddresses": ["SMTP:user1@contoso.example", "smtp:alias@contoso.example"],
        "RecipientTypeDetails": "UserMailbox",
        "IsDirSynced": False,
    }
    return {
        "transportConfig": [{"SmtpClientAuthenticationDisabled": True, "AllowLegacyTLSClients": None, "Other": "x"}],
        "organizationConfig": [{"DefaultAuthenticationPolicy": None, "SendFromAliasEnabled": False}],
        "casMailboxes": cas,
        "authenticationPolicies": [{"Name": "Block", "Identity": "Block", "AllowBasicAuthSmtp": False}],
        "exchangeUsers": [{"UserPrincipalName": SENDERS[0], "AuthenticationPolicy": "Block", "MobilePhone": "+41 7"}],
        "mailboxes": [mailbox],
        "recipientPermissions": [{"Identity": "user1", "Trustee": "a@contoso.example", "AccessRights": ["SendAs"]}],
        "mailboxPermissions": [{"Identity": "user1", "User": "app", "AccessRights": ["FullAccess"], "Deny": False}],
        "managementRoleAssignments": [
            {"Name": "one", "Role": "Application SMTP.SendAsApp", "RoleAssignee": "app", "Enabled": True},
            {"Name": "two", "Role": "Application Mail.Send", "RoleAssignee": "x", "Enabled": True},
        ],
        "inboundConnectors": [{"Name": "c", "Enabled": True, "SenderIPAddresses": []}],
        "acceptedDomains": [{"DomainName": "contoso.example", "Default": True}],
        "hveAccounts": [{"UserPrincipalName": "hve@contoso.example", "RecipientTypeDetails": "MailUser"}],
    }


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    app = DemoApp(
        client_id="0a000000-0000-0000-0000-000000000001",
        object_id="0a000000-0000-0000-0000-000000000002",
        secret="the-secret",
        graph_roles=set(),
        exchange_roles={"Exchange.ManageAsApp"},
    )
    tenant = DemoTenant(
        tenant_id="0a000000-0000-0000-0000-000000000000",
        name="Contoso",
        initial_domain="contoso.onmicrosoft.example",
        now=datetime(2026, 11, 23, 16, tzinfo=UTC),
        seed=1,
        scenario="default",
        quarter=0,
        app=app,
        premium=True,
        exchange=objects(),
    )
    with Emulator(tenant, tmp_path / "emulated") as running:
        yield running


Records = dict[str, tuple[ExchangeRead, list[dict[str, Any]]]]


async def read_all(source: ExchangeSource) -> Records:
    found: Records = {}
    for name in EXCHANGE_DATASETS:
        kept = Kept()
        result = await source.read(BY_NAME[name], SENDERS, kept)
        found[name] = result, [json.loads(record) for record in kept.records]
    return found


def through_the_api(emulator: Emulator) -> Records:
    """Sign in as the app and read everything."""

    async def main() -> Records:
        trust = ssl.create_default_context(cafile=str(emulator.ca_bundle))
        gate = Gate(LIMITS["exchange"], FakeClock())
        async with httpx.AsyncClient(transport=Transport(trust)) as client:

            async def token(scope: str) -> str:
                app = emulator.tenant.app
                answer = await client.post(
                    f"{emulator.authority}/{emulator.tenant.tenant_id}/oauth2/v2.0/token",
                    data={
                        "grant_type": "client_credentials",
                        "client_id": app.client_id,
                        "client_secret": app.secret,
                        "scope": scope,
                    },
                )
                assert answer.status_code == 200, answer.text
                return str(answer.json()["access_token"])

            config = LoadedConfig(Config(exchange=ExchangeConfig(source="admin-api")), Path(), "")
            return await read_all(
                make_source(
                    config,
                    Access(
                        emulator.tenant.tenant_id, emulator.exchange_url, client, token, renewed, gate, None, no_clock
                    ),
                )
            )

    return asyncio.run(main())


def renewed() -> None:
    raise AssertionError("the token is accepted")


def no_clock() -> datetime:
    raise AssertionError("one source alone needs no time")


async def no_token(scope: str) -> str:
    raise AssertionError("files need no token")


def test_everything_is_read_to_the_last_page(emulator: Emulator) -> None:
    found = through_the_api(emulator)
    assert {result.state for result, _ in found.values()} == {"complete"}
    result, records = found["casMailboxes"]
    assert (result.records, result.requests, len(records)) == (MAILBOXES, 3, MAILBOXES)
    assert [record["Guid"] for record in records] == [f"mailbox-{n}" for n in range(MAILBOXES)]
    assert [record["Name"] for record in found["managementRoleAssignments"][1]] == ["one", "two"]
    assert found["mailboxPermissions"][0].requests == 1


def test_what_no_blocker_needs_is_not_even_asked_for(emulator: Emulator) -> None:
    (user,) = through_the_api(emulator)["exchangeUsers"][1]
    assert user == {"UserPrincipalName": SENDERS[0], "AuthenticationPolicy": "Block"}


@pytest.mark.parametrize("loss", ["permission", "role"])
def test_a_refusal_is_denied_everywhere_and_named(emulator: Emulator, loss: str) -> None:
    if loss == "permission":
        emulator.tenant.app.exchange_roles.clear()
    else:
        emulator.tenant.app.directory_role = False
    for result, records in through_the_api(emulator).values():
        assert (result.state, result.permission, records) == ("denied", PERMISSION, [])


def cell(value: Any) -> str:
    """A value as Export-Csv writes it, lists joined as the cmdlets show them."""
    if isinstance(value, list):
        return f"{{{', '.join(value)}}}"
    return "" if value is None else str(value)


def as_tables(folder: Path) -> Path:
    """Each dataset as Windows PowerShell exports it."""
    folder.mkdir()
    for name, records in objects().items():
        out = io.StringIO(newline="")
        out.write("#TYPE Selected.System.Management.Automation.PSCustomObject\r\n")
        writer = csv.writer(out, quoting=csv.QUOTE_ALL)
        writer.writerow(records[0])
        writer.writerows([cell(value) for value in record.values()] for record in records)
        (folder / f"{BY_NAME[name].path if name != 'hveAccounts' else name}.csv").write_bytes(
            out.getvalue().encode("utf-16")
        )
    return folder


def as_script(folder: Path) -> Path:
    """Everything as the export script writes it."""
    folder.mkdir()
    parts = {
        name: [{key: record[key] for key in EXPORTED[name] if key in record} for record in records]
        for name, records in objects().items()
    }
    document = {"exportedAt": "2026-11-23T15:00:00.0000000Z", "mailboxPermissionsOf": SENDERS, **parts, "errors": {}}
    path = folder / "exchange-export.json"
    path.write_text(json.dumps(document, indent=4), encoding="utf-8-sig")
    return path


@pytest.mark.parametrize("export", [as_tables, as_script])
def test_files_and_admin_api_bring_the_same(emulator: Emulator, tmp_path: Path, export: Callable[[Path], Path]) -> None:
    path = export(tmp_path / "exported")
    config = LoadedConfig(Config(exchange=ExchangeConfig(source="export", export_path=str(path))), tmp_path, "")
    source = make_source(
        config,
        Access(
            "tenant", "", httpx.AsyncClient(), no_token, renewed, Gate(LIMITS["exchange"], FakeClock()), None, no_clock
        ),
    )
    exported = asyncio.run(read_all(source))
    live = through_the_api(emulator)
    for name in objects():
        assert exported[name][0].state == "complete", exported[name][0].reason
        from_file, from_api = ([known(name, record) for record in way[name][1]] for way in (exported, live))
        assert from_file == from_api, name
    assert source.notes() == []


def known(name: str, record: dict[str, Any]) -> dict[str, Any]:
    """The properties that the script exports: those that matter."""
    return {key: record[key] for key in EXPORTED[name] if key in record}
