"""Signing in: the credential that the config names, and what went wrong in one line of cause and remedy.

No secret and no token ever stands in a message: only the AADSTS number and our own words travel on.
Codes: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from auditor.config import LoadedConfig, TenantConfig
from auditor.errors import AuditorError, ConfigError, ServiceError, SignInError
from auditor.graph.clouds import Endpoints

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential


def credential_of(config: LoadedConfig, tenant: TenantConfig, where: Endpoints) -> AsyncTokenCredential:
    """The azure-identity credential that the config names; its own retries are off (ours are in `throttle`).

    Raises ConfigError naming the key where the secret, certificate or token file is missing or not usable. Nothing is
    sent yet."""
    from azure.identity import aio

    if tenant.managed_identity:
        return aio.ManagedIdentityCredential(client_id=tenant.client_id or None, retry_total=0)
    if not tenant.client_id:
        raise _config(tenant, "client_id", "missing", "It is the application (client) id of the registered app.")
    options = _options(config, tenant, where)
    try:
        if tenant.client_secret_env or tenant.client_secret_file:
            return aio.ClientSecretCredential(tenant.tenant_id, tenant.client_id, _secret(config, tenant), **options)
        if tenant.certificate_path:
            return _certificate(config, tenant, options)
        if tenant.federated_token_file:
            return aio.ClientAssertionCredential(
                tenant.tenant_id, tenant.client_id, _assertion(config, tenant), **options
            )
    except ValueError:
        raise _config(
            tenant, "tenant_id", "not a tenant id", "Take the directory (tenant) id of the app's overview page."
        ) from None
    raise _config(
        tenant,
        "credential",
        "none named",
        "Set client_secret_env, client_secret_file, certificate_path, managed_identity or federated_token_file.",
    )


def _options(config: LoadedConfig, tenant: TenantConfig, where: Endpoints) -> dict[str, Any]:
    options: dict[str, Any] = {"authority": where.authority, "retry_total": 0}
    if tenant.cloud == "custom":
        options["disable_instance_discovery"] = True
    if tenant.ca_bundle:
        options["connection_verify"] = str(ca_file(config, tenant))
    return options


def ca_file(config: LoadedConfig, tenant: TenantConfig) -> Path:
    """The CA bundle of the config; raises ConfigError where it is missing or holds no certificate."""
    path = config.path(tenant.ca_bundle)
    try:
        ssl.create_default_context(cafile=str(path))
    except OSError as error:  # ssl.SSLError is one too
        raise _config(
            tenant,
            "ca_bundle",
            f"{path}: {error.strerror or 'no PEM certificates'}",
            "Name a file of PEM certificates.",
        ) from None
    return path


def _secret(config: LoadedConfig, tenant: TenantConfig) -> str:
    if tenant.client_secret_env:
        value = os.environ.get(tenant.client_secret_env, "").strip()
        if not value:
            raise _config(
                tenant,
                "client_secret_env",
                f"the environment variable {tenant.client_secret_env} is not set",
                "Set it in this shell to the client secret's value.",
            )
        return value
    return _text(config, tenant, "client_secret_file")


def _text(config: LoadedConfig, tenant: TenantConfig, key: str) -> str:
    path = config.path(getattr(tenant, key))
    try:
        value = path.read_text(encoding="utf-8-sig").strip()
    except OSError as error:
        raise _config(
            tenant, key, f"{path} cannot be read ({error.strerror})", "Mend the path or its rights."
        ) from None
    except UnicodeDecodeError:
        raise _config(tenant, key, f"{path} is no UTF-8 text", "Write it again as plain text.") from None
    if not value:
        raise _config(tenant, key, f"{path} is empty", "Write the value into it, without quotes.")
    return value


def _assertion(config: LoadedConfig, tenant: TenantConfig) -> Callable[[], str]:
    """Reads the file anew for each token: whoever issues federated tokens replaces it while we run."""
    _text(config, tenant, "federated_token_file")
    return lambda: _text(config, tenant, "federated_token_file")


def _certificate(config: LoadedConfig, tenant: TenantConfig, options: dict[str, Any]) -> AsyncTokenCredential:
    from azure.identity import aio
    from cryptography.exceptions import UnsupportedAlgorithm

    path = config.path(tenant.certificate_path)
    password: str | None = None
    if tenant.certificate_password_env:
        password = os.environ.get(tenant.certificate_password_env)
        if password is None:
            raise _config(
                tenant,
                "certificate_password_env",
                f"the environment variable {tenant.certificate_password_env} is not set",
                "Set it in this shell, or drop the key for a certificate without a password.",
            )
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _config(
            tenant, "certificate_path", f"{path} cannot be read ({error.strerror})", "Mend the path or its rights."
        ) from None
    try:
        return aio.CertificateCredential(
            tenant.tenant_id, tenant.client_id, certificate_data=data, password=password, **options
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The library's texts may quote the input, so ours stand here.
        raise _config(
            tenant,
            "certificate_path",
            f"{path} holds no usable RSA key and certificate (PEM or PFX), or its password is wrong",
            "Export both into one file and check certificate_password_env.",
        ) from None


def _config(tenant: TenantConfig, key: str, problem: str, remedy: str) -> ConfigError:
    return ConfigError(f"tenant {tenant.name}: {key}: {problem}.", remedy=remedy)


# --- what went wrong ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Meaning:
    cause: str
    remedy: str


_WRONG_CLOUD = _Meaning(
    "the tenant lives in another national cloud", "Set `cloud` of the tenant (gcc-high, dod, china) and try again."
)
_NO_TENANT = _Meaning("no such tenant in this cloud", "Check tenant_id and cloud in the config.")
_DISABLED = _Meaning(
    "the application is disabled in the tenant", "Enable sign-in for the enterprise application in Entra."
)
_NO_FEDERATION = _Meaning(
    "no federated credential of the app matches the token",
    "Compare issuer, subject and audience of the federated credential with the token's.",
)
_POLICY = _Meaning(
    "a Conditional Access policy for workload identities blocks the app",
    "Exclude the app from that policy, or run from a place that it allows.",
)

AADSTS: dict[int, _Meaning] = {
    7000215: _Meaning(
        "the client secret is wrong", "Use the secret's value, not its id; make a new one if the value is lost."
    ),
    7000222: _Meaning("the client secret has expired", "Make a new secret for the app, better a certificate."),
    700016: _Meaning(
        "the application is not known in the tenant", "Check client_id and tenant_id; grant the app admin consent."
    ),
    7000112: _DISABLED,
    70001: _DISABLED,
    90002: _NO_TENANT,
    900023: _NO_TENANT,
    900021: _NO_TENANT,
    90038: _WRONG_CLOUD,
    900382: _WRONG_CLOUD,
    900432: _WRONG_CLOUD,
    700027: _Meaning(
        "the app does not know this certificate, or it has expired",
        "Upload the public certificate to the app registration.",
    ),
    700030: _Meaning("the certificate's subject is not authorised", "Use the certificate that the app trusts."),
    700213: _NO_FEDERATION,
    70021: _NO_FEDERATION,
    700024: _Meaning(
        "the signed assertion is outside its time", "Set this machine's clock; renew the federated token."
    ),
    500011: _Meaning(
        "the resource is not known in the tenant", "Check cloud, graph_url and exchange_url in the config."
    ),
    53003: _POLICY,
    530032: _POLICY,
}

_TRANSIENT = frozenset({90055, 50196, 90033, 90024, 90013})


def aadsts(text: str) -> int:
    """The number of an AADSTS error, 0 where there is none."""
    found = re.search(r"AADSTS(\d+)", text)
    return int(found.group(1)) if found else 0


Trouble = Literal["tls", "dns", "timeout", "refused", "network"]


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and everything it wraps, each once."""
    waiting, seen = [error], set[int]()
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        names = ("inner_exception", "os_error", "certificate_error", "__cause__", "__context__")
        wrapped = (getattr(current, name, None) for name in names)
        waiting.extend(inner for inner in wrapped if isinstance(inner, BaseException))


def trouble(error: BaseException) -> Trouble:
    """What kind of network trouble an error of aiohttp or httpx is, by what it wraps."""
    chain = list(_chain(error))
    texts = " ".join(str(part) for part in chain).lower()
    if any(isinstance(part, ssl.SSLError) for part in chain) or "certificate verify failed" in texts:
        return "tls"
    if any(isinstance(part, socket.gaierror) for part in chain) or "name or service not known" in texts:
        return "dns"
    if any(isinstance(part, TimeoutError) or "timeout" in type(part).__name__.lower() for part in chain):
        return "timeout"
    if any(isinstance(part, ConnectionRefusedError) for part in chain):
        return "refused"
    return "network"


_TROUBLE: dict[Trouble, _Meaning] = {
    "tls": _Meaning(
        "its TLS certificate is not trusted, or TLS failed",
        "Behind a TLS-inspecting proxy name its CA in ca_bundle; never go on without verification.",
    ),
    "dns": _Meaning("its name does not resolve", "Check the network, DNS and the tenant's cloud."),
    "timeout": _Meaning("it did not answer in time", "Check the network and proxy (HTTPS_PROXY), then try again."),
    "refused": _Meaning("it refused the connection", "Check address, port and firewall."),
    "network": _Meaning("the connection broke", "Check the network and proxy (HTTPS_PROXY), then try again."),
}


def unreachable(host: str, error: BaseException) -> ServiceError:
    """A ServiceError that tells DNS, TLS, refusal and time-out apart."""
    meaning = _TROUBLE[trouble(error)]
    return ServiceError(f"{host} could not be reached: {meaning.cause}.", remedy=meaning.remedy)


def is_passing(error: BaseException, *, answered: bool) -> bool:
    """Whether network trouble may pass. A certificate that is not trusted does not; a name that does not resolve, or
    TLS that fails otherwise, only where the service has `answered` before."""
    chain = list(_chain(error))
    if any(
        isinstance(part, ssl.SSLCertVerificationError) or "certificate verify failed" in str(part) for part in chain
    ):
        return False
    return answered or trouble(error) not in ("tls", "dns")


def is_transient(error: BaseException) -> bool:
    """Whether another attempt may help: network trouble but broken TLS, throttling, a fault of the service."""
    from azure.core.exceptions import AzureError, ClientAuthenticationError

    if isinstance(error, ClientAuthenticationError):
        return aadsts(str(error)) in _TRANSIENT or _status(error) in (429, 500, 502, 503, 504)
    return isinstance(error, AzureError) and trouble(error) not in ("tls", "dns")


def explain(tenant: TenantConfig, where: Endpoints, error: BaseException) -> AuditorError:
    """An error of azure-identity as the error that a person is shown.

    SignInError (4): Entra refused. ServiceError (5): it could not be reached or gave up."""
    from azure.core.exceptions import ClientAuthenticationError
    from azure.identity import CredentialUnavailableError

    host = where.authority.removeprefix("https://")
    if isinstance(error, CredentialUnavailableError):
        return SignInError(
            f"tenant {tenant.name}: no managed identity answers on this machine.",
            remedy="managed_identity works only in Azure; elsewhere use a certificate.",
        )
    if not isinstance(error, ClientAuthenticationError):
        return unreachable(host, error)
    code = aadsts(str(error))
    if code in _TRANSIENT or _status(error) in (429, 500, 502, 503, 504):
        told = f"AADSTS{code}" if code else f"HTTP {_status(error)}"
        return ServiceError(f"{host} gave up ({told}).", remedy="Try again in a few minutes.")
    if code in AADSTS:
        meaning = AADSTS[code]
        return SignInError(
            f"tenant {tenant.name}: sign-in failed: {meaning.cause} (AADSTS{code}).", remedy=meaning.remedy
        )
    if code:
        return SignInError(
            f"tenant {tenant.name}: sign-in failed (AADSTS{code}).",
            remedy="Look the code up at https://login.microsoftonline.com/error and mend the app or the config.",
        )
    return ServiceError(
        f"{host} answered the sign-in with something that is no answer of Entra ID.",
        remedy="Check authority and cloud in the config, and whether a proxy stands in between.",
    )


def _status(error: BaseException) -> int:
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else 0
