from __future__ import annotations

import sys

import pytest

from auditor import config
from auditor.demo.server import Emulator
from auditor.demo.settings import write_config
from auditor.errors import UsageError

SENDERS = [
    {"name": "scanner", "account": "scan@contoso.example", "egress_ips": ["203.0.113.5", "2001:db8::/32"], "port": 587,
     "from": "scan@contoso.example", "auth": "basic", "recipients_per_day": 12000},
    {"name": 'odd "name" \\ with\ttab, \x7f, é and 🖨', "account": "odd'one@contoso.example", "auth": "oauth",
     "oauth_app_id": "11111111-1111-4111-8111-111111111111", "oauth_flow": "delegated", "owner": None},
]  # fmt: skip


def test_the_config_loads_and_says_what_the_emulator_is(tenant, tmp_path):
    tenant.senders = SENDERS
    tenant.exchange_mode = "admin-api"
    emulator = Emulator(tenant, tmp_path / "secrets")
    emulator.authority, emulator.graph_url = "https://localhost:1", "https://localhost:2"
    emulator.exchange_url = "https://localhost:3"
    path = tmp_path / "config.toml"
    write_config(tenant, emulator, path)
    loaded = config.load(path)
    (found,) = loaded.config.tenants
    assert found == config.TenantConfig(
        name="Contoso",
        tenant_id=tenant.tenant_id,
        client_id=tenant.app.client_id,
        cloud="custom",
        authority="https://localhost:1",
        graph_url="https://localhost:2",
        exchange_url="https://localhost:3",
        ca_bundle="secrets/ca.pem",
        client_secret_file="secrets/client-secret.txt",
    )
    assert loaded.path(found.ca_bundle) == emulator.ca_bundle.resolve()
    assert loaded.config.exchange.source == "admin-api"
    first, second = loaded.config.senders
    assert (first.name, first.egress_ips, first.from_) == (
        "scanner", ("203.0.113.5", "2001:db8::/32"), "scan@contoso.example",
    )  # fmt: skip
    assert (second.name, second.account, second.owner) == (SENDERS[1]["name"], SENDERS[1]["account"], "")


def test_the_config_is_private_and_holds_no_secret(tenant, tmp_path):
    path = tmp_path / "deep" / "config.toml"
    write_config(tenant, Emulator(tenant, tmp_path), path)
    assert tenant.app.secret not in path.read_text(encoding="utf-8")
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600


def test_files_outside_the_configs_folder_are_named_in_full(tenant, tmp_path):
    emulator = Emulator(tenant, tmp_path / "elsewhere")
    emulator.authority = emulator.graph_url = emulator.exchange_url = "https://localhost:1"
    path = tmp_path / "here" / "config.toml"
    write_config(tenant, emulator, path)
    (found,) = config.load(path).config.tenants
    assert found.ca_bundle == emulator.ca_bundle.resolve().as_posix()


def test_a_place_that_cannot_be_written_is_a_usage_error(tenant, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        write_config(tenant, Emulator(tenant, tmp_path), tmp_path / "file" / "config.toml")


def test_a_config_of_ones_own_is_never_overwritten(tenant, tmp_path):
    path = tmp_path / "config.toml"
    path.write_text("[[tenants]]\n")
    with pytest.raises(UsageError, match="stays as it is"):
        write_config(tenant, Emulator(tenant, tmp_path), path)
    assert path.read_text() == "[[tenants]]\n"


def test_the_emulators_own_config_is_renewed(tenant, tmp_path):
    path = tmp_path / "config.toml"
    emulator = Emulator(tenant, tmp_path)
    for port in (1, 2):
        emulator.authority = emulator.graph_url = emulator.exchange_url = f"https://localhost:{port}"
        write_config(tenant, emulator, path)
    assert config.load(path).config.tenants[0].graph_url == "https://localhost:2"


def test_a_folder_is_no_config(tenant, tmp_path):
    with pytest.raises(UsageError, match="cannot be written"):
        write_config(tenant, Emulator(tenant, tmp_path), tmp_path)


def test_an_export_has_no_place_in_an_emulated_tenant(tenant, tmp_path):
    tenant.exchange_mode = "export"
    with pytest.raises(UsageError, match="export"):
        write_config(tenant, Emulator(tenant, tmp_path), tmp_path / "config.toml")
