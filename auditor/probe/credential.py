"""What a sender signs in with: a password from the environment or the system's keyring, or an OAuth token.

The config only names where a secret is found. An app's token comes from client credentials, by the same way in which
the auditor signs in itself; a token of a person can only be brought.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from auditor.config import LoadedConfig, Sender, TenantConfig
from auditor.errors import ConfigError
from auditor.graph.clouds import Endpoints, endpoints
from auditor.probe.bounded import Late, bounded

KEYRING_SECONDS = 60.0
"""how long the system's keyring may ask its user to unlock it"""


class Keyring(Protocol):
    """Where passwords are kept: the package `keyring`, or something like it."""

    def get_password(self, service: str, username: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Password:
    """`where` says where it was found, for the plan."""

    where: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token: one that was brought, or one that `obtain` gets when it is needed."""

    where: str
    obtain: Callable[[], str] = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """what must never be shown, besides the token"""


@dataclass(frozen=True, slots=True)
class Nothing:
    """No sign-in will be tried, and why. `blocker` is what stays unknown by it, empty where it is only the probe that
    lacks something."""

    why: str
    blocker: str = ""


Credential = Password | Token | Nothing


def resolve(
    config: LoadedConfig, tenant: TenantConfig | None, sender: Sender, login: str, keyring: Keyring
) -> Credential:
    """How `sender` signs in as `login`; nothing is sent yet. Raises ConfigError where what the config names is not
    there."""
    if sender.auth == "basic":
        return _password(sender, login, keyring)
    if sender.oauth_token_env:
        value = _variable(sender, "oauth_token_env")
        return Token(f"the token in ${sender.oauth_token_env}", lambda: value, (value,))
    if sender.oauth_flow == "delegated":
        return Nothing(
            "A person signs in to this sender's app; a probe can only use a token that is brought (oauth_token_env).",
            "oauth-grant",
        )
    if not sender.oauth_app_id.strip():
        return Nothing("No OAuth app is declared for the sender (oauth_app_id), so there is none to sign in as.",
                       "oauth-grant")  # fmt: skip
    if not (sender.oauth_secret_env or sender.oauth_certificate_path):
        return Nothing("No credential of the sender's app is named (oauth_secret_env or oauth_certificate_path).")
    return _app_token(config, tenant, sender)


def _password(sender: Sender, login: str, keyring: Keyring) -> Credential:
    if sender.password_env:
        value = _variable(sender, "password_env")
        return Password(f"the password in ${sender.password_env}", value)
    if sender.password_keyring:
        value = _from_keyring(sender, login, keyring)
        return Password(f"the password that the keyring holds for {sender.password_keyring}", value)
    return Nothing("No password is named (password_env or password_keyring).")


def _variable(sender: Sender, key: str) -> str:
    name: str = getattr(sender, key)
    value = os.environ.get(name, "")
    if not value:
        raise ConfigError(
            f"sender {sender.name}: {key}: the environment variable {name} is not set.",
            remedy="Set it in this shell, or leave this sender out with --sender.",
        )
    return value


def _from_keyring(sender: Sender, login: str, keyring: Keyring) -> str:
    place = f"sender {sender.name}: password_keyring"
    try:
        value = bounded(KEYRING_SECONDS, lambda: keyring.get_password(sender.password_keyring, login))
    except Late as late:
        raise ConfigError(
            f"{place}: the keyring did not answer within {late.seconds:g} s.", remedy="Unlock it and try again."
        ) from None
    if not value:
        raise ConfigError(
            f"{place}: the keyring holds no password for service {sender.password_keyring} and user {login}.",
            remedy=f'Put it there: keyring set "{sender.password_keyring}" "{login}"',
        )
    return value


class SystemKeyring:
    """The system's keyring through the optional package `keyring`, imported only when a password is asked for."""

    def get_password(self, service: str, username: str) -> str | None:
        """Raises ConfigError where the package or a keyring is missing."""
        try:
            import keyring
            from keyring.errors import KeyringError
        except ImportError as error:
            raise ConfigError(
                "password_keyring: the package keyring is not installed.",
                remedy="Install tenant-auditor with the extra `keyring`, or use password_env.",
            ) from error
        try:
            return keyring.get_password(service, username)
        except KeyringError as error:
            raise ConfigError(
                f"password_keyring: no keyring can be used here ({type(error).__name__}).",
                remedy="Use password_env, or set up a keyring.",
            ) from error


def _app_token(config: LoadedConfig, tenant: TenantConfig | None, sender: Sender) -> Credential:
    if tenant is None:
        raise ConfigError(
            f"sender {sender.name}: its app cannot sign in: the config has no [[tenants]].", remedy="Add the tenant."
        )
    where = endpoints(tenant)
    if not where.exchange_scope:
        raise ConfigError(
            f"tenant {tenant.name}: exchange_url: missing; tokens for SMTP are issued for Exchange.", remedy="Add it."
        )
    keys = ("oauth_secret_env", "oauth_certificate_password_env")
    secrets = tuple(_variable(sender, key) for key in keys if getattr(sender, key))
    app = msgspec.structs.replace(
        tenant,
        client_id=sender.oauth_app_id.strip(),
        client_secret_env=sender.oauth_secret_env,
        client_secret_file="",
        certificate_path=sender.oauth_certificate_path,
        certificate_password_env=sender.oauth_certificate_password_env,
        managed_identity=False,
        federated_token_file="",
    )
    if sender.oauth_certificate_path:
        _check_certificate(config, app, sender, where)
    how = f"the certificate {sender.oauth_certificate_path}"
    if sender.oauth_secret_env:
        how = f"the secret in ${sender.oauth_secret_env}"
    return Token(f"a token that app {app.client_id} gets with {how}", lambda: _obtain(config, app, where), secrets)


def _check_certificate(config: LoadedConfig, app: TenantConfig, sender: Sender, where: Endpoints) -> None:
    """Reads the file, so that what is wrong with it is told before anything is sent."""
    from auditor.graph.signin import credential_of

    try:
        credential_of(config, app, where)
    except ConfigError as error:
        told = error.message.replace(": certificate_", ": oauth_certificate_")
        raise ConfigError(f"sender {sender.name}: {told}", remedy=error.remedy) from None


def _obtain(config: LoadedConfig, app: TenantConfig, where: Endpoints) -> str:
    """Raises SignInError where Entra ID refuses, ServiceError where it cannot be reached."""
    return asyncio.run(_client_credentials(config, app, where))


async def _client_credentials(config: LoadedConfig, app: TenantConfig, where: Endpoints) -> str:
    from azure.core.exceptions import AzureError

    from auditor.graph.signin import credential_of, explain

    async with credential_of(config, app, where) as credential:
        try:
            return (await credential.get_token(where.exchange_scope)).token
        except AzureError as error:
            raise explain(app, where, error) from None
