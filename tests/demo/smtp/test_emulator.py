"""SMTP as one of the emulated tenant's services: only where it is asked for, with a config that a probe can use."""

from __future__ import annotations

import smtplib
import sys

import pytest

from auditor import config
from auditor.demo.entra.tokens import Authority
from auditor.demo.server import Emulator
from auditor.demo.settings import MARK, SENDER_SECRETS, write_config
from auditor.demo.smtp.apps import credentials, sender_apps
from auditor.errors import UsageError


def test_without_asking_there_is_no_smtp(tenant, tmp_path):
    with Emulator(tenant, tmp_path / "private") as emulator:
        assert (emulator.smtp, emulator.smtp_host, emulator.smtp_port) == (None, "", 0)
        write_config(tenant, emulator, tmp_path / "config.toml")
    text = (tmp_path / "config.toml").read_text(encoding="utf-8")
    assert "smtp_host" not in text
    assert "password_env" not in text
    assert not (tmp_path / SENDER_SECRETS).exists()


def test_the_config_names_where_smtp_answers_and_no_secret(serve, tenant, tmp_path):
    emulator = serve(tenant)
    write_config(tenant, emulator, tmp_path / "config.toml")
    loaded = config.load(tmp_path / "config.toml").config
    (found,) = loaded.tenants
    assert (found.smtp_host, found.smtp_port) == ("localhost", emulator.smtp_port)
    declared = {sender.name: sender for sender in loaded.senders}
    assert declared["erp-invoices"].server == "smtp.office365.com"
    assert declared["erp-invoices"].password_env == "AUDITOR_SENDER_ERP_INVOICES"
    assert declared["ticketing"].oauth_secret_env == "AUDITOR_SENDER_TICKETING"
    assert declared["customer-portal"].oauth_token_env == "AUDITOR_SENDER_CUSTOMER_PORTAL"
    assert not declared["relay-printers"].password_env
    assert not declared["surveys"].oauth_secret_env
    text = (tmp_path / "config.toml").read_text(encoding="utf-8")
    assert not any(secret in text for secret in tenant.passwords.values())


def test_the_senders_secrets_lie_in_a_private_file_that_a_shell_reads(serve, tenant, tmp_path):
    emulator = serve(tenant)
    write_config(tenant, emulator, tmp_path / "config.toml")
    path = tmp_path / SENDER_SECRETS
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    assert first == MARK
    assert all(line.count("'") == 2 for line in lines)
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600
    path.write_text("MINE='1'\n", encoding="utf-8")
    with pytest.raises(UsageError, match="was not written by the emulated tenant"):
        write_config(tenant, emulator, tmp_path / "config.toml")
    assert path.read_text(encoding="utf-8") == "MINE='1'\n"


def test_five_ports_in_a_row(tenant, tmp_path):
    with pytest.raises(UsageError, match="five consecutive ports"), Emulator(tenant, tmp_path, 65532, smtp=True):
        pass


def test_leaving_ends_the_service_even_with_an_open_connection(tenant, tmp_path):
    with Emulator(tenant, tmp_path, smtp=True) as emulator:
        connection = smtplib.SMTP(emulator.smtp_host, emulator.smtp_port, timeout=20)
        emulator.__exit__(None, None, None)
        with pytest.raises(smtplib.SMTPServerDisconnected):
            connection.noop()
        connection.close()
        with pytest.raises(ConnectionRefusedError):
            smtplib.SMTP(emulator.smtp_host, emulator.smtp_port, timeout=5)


def test_each_declared_app_has_a_secret_and_what_it_was_granted(tenant):
    apps = {app.client_id: app for app in sender_apps(tenant)}
    by_sender = {sender["name"]: apps.get(sender.get("oauth_app_id", "")) for sender in tenant.senders}
    assert by_sender["ticketing"].exchange_roles == {"SMTP.SendAsApp"}
    assert by_sender["backup-reports"].exchange_roles == {"SMTP.SendAsApp"}
    assert by_sender["meter-readings"].exchange_roles == set()
    assert len({app.secret for app in apps.values()} | {tenant.app.secret}) == len(apps) + 1


def test_the_same_tenant_has_the_same_secrets(tenant):
    assert [app.secret for app in sender_apps(tenant)] == [app.secret for app in sender_apps(tenant)]


def test_who_needs_what_to_sign_in(tenant):
    found = {one.sender: one for one in credentials(tenant, Authority(tenant.tenant_id), "https://exchange.example")}
    assert set(found) == {sender["name"] for sender in tenant.senders} - {"relay-printers", "surveys"}
    assert found["legacy-app"].value in tenant.app_passwords.values()
    assert found["departed"].value not in tenant.passwords.values()
    assert {one.key for one in found.values()} == {"password_env", "oauth_secret_env", "oauth_token_env"}
