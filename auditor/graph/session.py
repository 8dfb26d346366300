"""One signed-in session with a tenant: the credential, the SDK's client on the tenant's cloud, and what passes on the
wire: every request is counted where it leaves, and a token leaves only towards the configured host.

Everything heavy (msgraph, kiota, azure) is imported when a session is opened, not when this module is.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from auditor import __version__
from auditor.clock import Clock, SystemClock
from auditor.config import LoadedConfig, TenantConfig
from auditor.errors import AuditorError
from auditor.graph.clouds import Endpoints, endpoints
from auditor.graph.gates import Gate, Limit
from auditor.graph.signin import ca_file, credential_of, explain, is_transient
from auditor.graph.throttle import Patience, Throttled, retrying, service_time

if TYPE_CHECKING:
    import httpx
    from azure.core.credentials_async import AsyncTokenCredential
    from msgraph.graph_service_client import GraphServiceClient

READ_TIMEOUT = 150.0
"""seconds; Graph's own gateway gives up after about 120, so its answer comes before ours"""
CONNECT_TIMEOUT = 30.0


@dataclass
class Tally:
    """HTTP requests that left while it was open; the inner calls of `$batch` are added by whoever made the batch."""

    requests: int = 0
    inner_requests: int = 0


_tallies: ContextVar[tuple[Tally, ...]] = ContextVar("tallies", default=())


@contextmanager
def counting() -> Iterator[Tally]:
    """Counts the requests of this task while the block runs; blocks may be nested."""
    tally = Tally()
    token = _tallies.set((*_tallies.get(), tally))
    try:
        yield tally
    finally:
        _tallies.reset(token)


def count_inner(calls: int) -> None:
    for tally in _tallies.get():
        tally.inner_requests += calls


class Wire:
    """What is known of the traffic: how many requests left, and the service's clock by its last Date header."""

    def __init__(self) -> None:
        self.requests = 0
        self.answers = 0
        self.first_seen: datetime | None = None
        self.last_seen: datetime | None = None

    def sent(self) -> None:
        self.requests += 1
        for tally in _tallies.get():
            tally.requests += 1

    def answered(self, headers: Mapping[str, str]) -> None:
        self.answers += 1
        moment = service_time(headers)
        if moment:
            self.first_seen = self.first_seen or moment
            self.last_seen = moment


class GraphSession:
    """`async with GraphSession.open(config, tenant)`: signed in on entry, all connections closed on exit.

    `client` is the SDK's GraphServiceClient (build requests with it, never deserialise collections); `permissions`
    are the application permissions that the token carries. Raises ConfigError, SignInError or ServiceError."""

    client: GraphServiceClient
    permissions: frozenset[str]
    app_id: str
    """of the token: the application that signed in"""

    def __init__(
        self,
        config: LoadedConfig,
        tenant: TenantConfig,
        clock: Clock,
        credential: AsyncTokenCredential | None,
        transport: httpx.AsyncBaseTransport | None,
    ) -> None:
        self.tenant = tenant
        self.where: Endpoints = endpoints(tenant)
        self.clock = clock
        self.wire = Wire()
        self._tls = _tls(config, tenant)
        self._transport = transport
        self._new_credential: Callable[[], AsyncTokenCredential] = lambda: (
            credential or credential_of(config, tenant, self.where)
        )
        self._credential: AsyncTokenCredential = self._new_credential()
        self._spent_credentials: list[AsyncTokenCredential] = []
        self.renewals = 0
        """how often the service refused a token that the credential's cache held for good"""
        self._clients: list[httpx.AsyncClient] = []
        self._networks: list[httpx.AsyncBaseTransport] = []
        self._gate = Gate(Limit(1e6, 1), clock)  # tokens come from the cache; only a refusal makes us wait

    @classmethod
    def open(
        cls,
        config: LoadedConfig,
        tenant: TenantConfig,
        *,
        clock: Clock | None = None,
        credential: AsyncTokenCredential | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> Self:
        """`credential` and `transport` replace what the config names and the network below httpx."""
        return cls(config, tenant, clock or SystemClock(), credential, transport)

    async def __aenter__(self) -> Self:
        _quiet()
        try:
            claims = _claims(await self.token(self.where.graph_scope, continuous=True))
            self.permissions = permissions(claims)
            self.app_id = str(claims.get("appid") or claims.get("azp") or self.tenant.client_id)
            self.client = self._graph_client()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()
        for network in self._networks:
            await network.aclose()
        self._clients.clear()
        self._networks.clear()
        for credential in {self._credential, *self._spent_credentials}:
            await credential.close()

    def renew(self) -> None:
        """Tokens from now on are new ones: the credential's cache cannot know that the service refused its token."""
        self._spent_credentials.append(self._credential)
        self._credential = self._new_credential()
        self.renewals += 1

    async def token(self, scope: str, *, continuous: bool = False) -> str:
        """A token for a scope, from the credential's cache where it is still good. `continuous`: one that the service
        may revoke while it lives (continuous access evaluation), as the SDK's client asks for.

        Raises SignInError where Entra refuses, ServiceError where it cannot be reached."""
        from azure.core.exceptions import AzureError

        async def attempt() -> str:
            try:
                return (await self._credential.get_token(scope, enable_cae=continuous)).token
            except AzureError as error:
                shown = explain(self.tenant, self.where, error)
                if is_transient(error):
                    raise Throttled(shown) from None
                raise shown from None

        return await retrying(attempt, self._gate, patience=Patience(attempts=3))

    async def roles(self, scope: str) -> frozenset[str]:
        """The application permissions on the resource of a scope."""
        return permissions(_claims(await self.token(scope)))

    def http_client(self) -> httpx.AsyncClient:
        """A plain client with the tenant's TLS settings and no credential, its requests counted; closed with us."""
        import httpx

        async def sent(_: httpx.Request) -> None:
            self.wire.sent()

        async def answered(response: httpx.Response) -> None:
            self.wire.answered(response.headers)

        client = httpx.AsyncClient(
            transport=self._network(),
            timeout=httpx.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT),
            event_hooks={"request": [sent], "response": [answered]},
            headers={"User-Agent": f"tenant-auditor/{__version__}"},
        )
        self._clients.append(client)
        return client

    def _network(self) -> httpx.AsyncBaseTransport:
        from auditor.graph.transport import Transport

        if self._transport:
            return self._transport
        network = Transport(self._tls)
        self._networks.append(network)  # kiota's client does not close what it sends through
        return network

    def service_now(self) -> datetime:
        """The service's clock, else this machine's before the first answer."""
        return self.wire.last_seen or self.clock.now()

    def _graph_client(self) -> GraphServiceClient:
        import httpx
        from kiota_authentication_azure.azure_identity_authentication_provider import (
            AzureIdentityAuthenticationProvider,
        )
        from kiota_http.kiota_client_factory import KiotaClientFactory
        from kiota_http.middleware.options import RedirectHandlerOption, RetryHandlerOption
        from msgraph.graph_request_adapter import GraphRequestAdapter, options
        from msgraph.graph_service_client import GraphServiceClient
        from msgraph_core import GraphClientFactory
        from msgraph_core.middleware import GraphTelemetryHandler
        from msgraph_core.middleware.options import GraphTelemetryHandlerOption

        from auditor.graph.wire import guard

        # The SDK's retries hide what our gates must learn, and its redirects would follow anyone: both are ours.
        settings = {
            **options,
            RetryHandlerOption.get_key(): RetryHandlerOption(max_retries=0),
            RedirectHandlerOption.get_key(): RedirectHandlerOption(should_redirect=False),
        }
        middleware = KiotaClientFactory.get_default_middleware(settings)
        telemetry = GraphTelemetryHandler(options=options[GraphTelemetryHandlerOption.get_key()])
        middleware += [telemetry, guard(self.where.graph, self.wire)]
        plain = httpx.AsyncClient(
            transport=self._network(), timeout=httpx.Timeout(READ_TIMEOUT, connect=CONNECT_TIMEOUT)
        )
        http = GraphClientFactory.create_with_custom_middleware(middleware=middleware, client=plain)
        self._clients.append(http)
        provider = AzureIdentityAuthenticationProvider(
            _Checked(self),
            scopes=[self.where.graph_scope],
            allowed_hosts=[urlsplit(self.where.graph).hostname or ""],
        )
        adapter = GraphRequestAdapter(provider, client=http)
        adapter.base_url = f"{self.where.graph}/v1.0"
        return GraphServiceClient(request_adapter=adapter)


class _Checked:
    """The credential as kiota wants it, with our errors and retries."""

    def __init__(self, session: GraphSession) -> None:
        self._session = session

    async def get_token(self, *scopes: str, **options: Any) -> Any:
        from azure.core.exceptions import AzureError

        try:
            return await self._session._credential.get_token(*scopes, **options)
        except AzureError as error:
            shown: AuditorError = explain(self._session.tenant, self._session.where, error)
            raise shown from None


def _tls(config: LoadedConfig, tenant: TenantConfig) -> ssl.SSLContext:
    """The machine's trust; with a CA bundle, only that."""
    if tenant.ca_bundle:
        return ssl.create_default_context(cafile=str(ca_file(config, tenant)))
    import httpx

    return httpx.create_ssl_context()


def _claims(token: str) -> dict[str, Any]:
    """The payload of a JWT, not verified: it only tells us what we hold. Empty where it is none."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}


def permissions(claims: Mapping[str, Any]) -> frozenset[str]:
    """The application permissions in a token's claims (`roles`); no such claim means none was consented to."""
    roles = claims.get("roles")
    return frozenset(str(role) for role in roles) if isinstance(roles, list) else frozenset()


def _quiet() -> None:
    """Loggers that would write pre-authenticated download addresses or header values, whatever the root level is."""
    for name in ("httpx", "azure.core.pipeline.policies.http_logging_policy"):
        logging.getLogger(name).setLevel(logging.WARNING)
