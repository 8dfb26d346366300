from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from auditor.config import Config, LoadedConfig, Sender, TenantConfig
from auditor.errors import ConfigError
from auditor.probe.credential import Nothing, Password, SystemKeyring, Token, resolve

LOGIN = "scanner@contoso.example"
APP = "11111111-1111-4111-8111-111111111111"
TENANT = TenantConfig(name="Contoso", tenant_id="contoso.example", client_id="auditor", client_secret_env="NOT_SET")


class Keys:
    """A keyring with one password."""

    def get_password(self, service, username):
        return "from-the-keyring" if (service, username) == ("scanner", LOGIN) else None


def found(tenant=TENANT, keyring=None, **keys):
    sender = Sender(name="scanner", account=LOGIN, **keys)
    return resolve(LoadedConfig(Config(), Path(), ""), tenant, sender, LOGIN, keyring or Keys())


def test_a_password_comes_from_the_environment_unchanged(monkeypatch):
    monkeypatch.setenv("SCANNER_PASSWORD", " with blanks ")
    credential = found(password_env="SCANNER_PASSWORD")
    assert isinstance(credential, Password)
    assert credential.value == " with blanks "
    assert "with blanks" not in repr(credential)
    assert "SCANNER_PASSWORD" in credential.where


def test_a_variable_that_is_not_set_is_named(monkeypatch):
    monkeypatch.delenv("SCANNER_PASSWORD", raising=False)
    with pytest.raises(ConfigError, match="SCANNER_PASSWORD is not set"):
        found(password_env="SCANNER_PASSWORD")


def test_a_password_comes_from_the_keyring():
    assert found(password_keyring="scanner").value == "from-the-keyring"


def test_a_keyring_without_the_password_says_how_to_put_it_there():
    with pytest.raises(ConfigError) as caught:
        found(password_keyring="other")
    assert 'keyring set "other" "scanner@contoso.example"' in caught.value.remedy


def test_the_system_keyring_is_optional():
    """With the package there is some keyring or the error says that there is none; without it the error names it."""
    if importlib.util.find_spec("keyring") is None:
        with pytest.raises(ConfigError, match="the package keyring is not installed"):
            SystemKeyring().get_password("tenant-auditor-test", "nobody")
    else:
        import keyring
        from keyring.backends.fail import Keyring as NoKeyring

        before = keyring.get_keyring()
        keyring.set_keyring(NoKeyring())
        try:
            with pytest.raises(ConfigError, match="no keyring can be used here"):
                SystemKeyring().get_password("tenant-auditor-test", "nobody")
        finally:
            keyring.set_keyring(before)


def test_nothing_named_is_no_error_and_says_so():
    assert isinstance(found(), Nothing)
    assert "password_env" in found().why
    assert found(auth="oauth", oauth_app_id=APP) == Nothing(
        "No credential of the sender's app is named (oauth_secret_env or oauth_certificate_path)."
    )


def test_without_an_app_the_grant_stays_open():
    assert found(auth="oauth").blocker == "oauth-grant"


def test_a_person_cannot_be_signed_in_unattended():
    credential = found(auth="oauth", oauth_flow="delegated", oauth_app_id=APP)
    assert isinstance(credential, Nothing)
    assert credential.blocker == "oauth-grant"


def test_a_token_that_is_brought_serves_any_flow(monkeypatch):
    monkeypatch.setenv("PORTAL_TOKEN", "a-token")
    credential = found(auth="oauth", oauth_flow="delegated", oauth_token_env="PORTAL_TOKEN")
    assert isinstance(credential, Token)
    assert credential.obtain() == "a-token"
    assert "a-token" not in repr(credential)


def test_an_app_needs_a_tenant_to_sign_in_to(monkeypatch):
    monkeypatch.setenv("APP_SECRET", "s3cret")
    with pytest.raises(ConfigError, match=r"no \[\[tenants\]\]"):
        found(None, auth="oauth", oauth_app_id=APP, oauth_secret_env="APP_SECRET")


def test_a_certificate_that_cannot_be_read_is_told_by_the_senders_key(tmp_path):
    with pytest.raises(ConfigError, match=r"sender scanner: .*oauth_certificate_path: .*cannot be read"):
        found(auth="oauth", oauth_app_id=APP, oauth_certificate_path=str(tmp_path / "none.pem"))


def test_the_secret_of_an_app_is_known_to_be_secret(monkeypatch):
    monkeypatch.setenv("APP_SECRET", "s3cret-of-the-app")
    credential = found(auth="oauth", oauth_app_id=APP, oauth_secret_env="APP_SECRET")
    assert credential.secrets == ("s3cret-of-the-app",)
    assert "s3cret" not in repr(credential) + credential.where


def test_a_custom_cloud_needs_the_address_that_tokens_are_for(monkeypatch):
    monkeypatch.setenv("APP_SECRET", "s3cret")
    custom = TenantConfig(name="Own", tenant_id="own.example", cloud="custom", authority="https://login.example",
                          graph_url="https://graph.example")  # fmt: skip
    with pytest.raises(ConfigError, match="exchange_url"):
        found(custom, auth="oauth", oauth_app_id=APP, oauth_secret_env="APP_SECRET")
