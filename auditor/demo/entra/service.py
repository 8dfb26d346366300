"""The login service: OpenID discovery and the token endpoint for client credentials.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from auditor.demo.entra import errors
from auditor.demo.entra.assertions import ASSERTION_TYPE, AssertionCheck, unverified_claims
from auditor.demo.entra.tokens import LIFETIME, AppIdAcr, Authority
from auditor.demo.entra.workload import blocked_by_policy
from auditor.demo.model import DemoApp, DemoTenant
from auditor.demo.wire import CLIENT_REQUEST_ID, RequestLog, json_response, service_app

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]{2,}", re.IGNORECASE)


@dataclass
class Login:
    """The token endpoint of one tenant. `resources`: each resource's address → "graph" or "exchange"; `apps`: those
    that may sign in beside the auditor's own."""

    tenant: DemoTenant
    authority: Authority
    url: str
    resources: Mapping[str, str]
    apps: Sequence[DemoApp] = ()
    assertions: AssertionCheck = field(init=False)

    def __post_init__(self) -> None:
        self.assertions = AssertionCheck(self.authority.clock)

    def application(self, log: RequestLog, *before: Middleware) -> web.Application:
        app = service_app("login", self.tenant.now, log, *before)
        app.router.add_get("/common/discovery/instance", self._instance)
        app.router.add_get("/{tenant}/v2.0/.well-known/openid-configuration", self._discovery)
        app.router.add_get("/{tenant}/discovery/v2.0/keys", self._keys)
        app.router.add_post("/{tenant}/oauth2/v2.0/token", self._token)
        return app

    async def _instance(self, _: web.Request) -> web.Response:
        host = self.url.removeprefix("https://")
        discovery = f"{self.url}/{self.tenant.tenant_id}/v2.0/.well-known/openid-configuration"
        return json_response(
            200,
            {
                "tenant_discovery_endpoint": discovery,
                "api-version": "1.1",
                "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
            },
        )

    async def _discovery(self, request: web.Request) -> web.Response:
        try:
            self._check_tenant(request.match_info["tenant"])
        except errors.SignInRefused as refused:
            return self._refusal(request, refused)
        base = f"{self.url}/{self.tenant.tenant_id}"
        return json_response(
            200,
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
                "jwks_uri": f"{base}/discovery/v2.0/keys",
                "response_types_supported": ["code", "id_token"],
                "subject_types_supported": ["pairwise"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "tenant_region_scope": "EU",
                "cloud_instance_name": "localhost",
                "msgraph_host": next(
                    address.removeprefix("https://") for address, kind in self.resources.items() if kind == "graph"
                ),
            },
        )

    async def _keys(self, _: web.Request) -> web.Response:
        return json_response(200, self.authority.jwks())

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        try:
            return json_response(200, self._grant(request.match_info["tenant"], form), {"Cache-Control": "no-store"})
        except errors.SignInRefused as refused:
            return self._refusal(request, refused)

    def _refusal(self, request: web.Request, refused: errors.SignInRefused) -> web.Response:
        return json_response(refused.status, refused.body(self.tenant.now, request[CLIENT_REQUEST_ID]))

    def _grant(self, tenant: str, form: Mapping[str, str]) -> dict[str, Any]:
        self._check_tenant(tenant)
        for name in ("grant_type", "client_id"):
            if not form.get(name):
                raise errors.missing_parameter(name)
        if form["grant_type"] != "client_credentials":
            raise errors.unsupported_grant(form["grant_type"])
        if not form.get("scope"):
            raise errors.missing_parameter("scope")
        app = self._app(form["client_id"])
        if self.tenant.other_cloud:
            raise errors.other_cloud(app.client_id)
        if app.disabled:
            raise errors.disabled_app(app.client_id, "tenant-auditor")
        resource = self._resource(form["scope"])
        proof = self._prove(tenant, form, app)
        if blocked_by_policy(self.tenant, app.object_id):
            raise errors.blocked_by_policy()
        roles = app.graph_roles if self.resources[resource] == "graph" else app.exchange_roles
        token = self.authority.issue(resource, app.client_id, app.object_id, roles, app_id_acr=proof)
        return {"token_type": "Bearer", "expires_in": LIFETIME, "ext_expires_in": LIFETIME, "access_token": token}

    def _app(self, client_id: str) -> DemoApp:
        known = (self.tenant.app, *self.apps)
        app = next((app for app in known if app.client_id.lower() == client_id.lower()), None)
        if app is None:
            raise errors.unknown_app(client_id, self.tenant.name)
        return app

    def _check_tenant(self, tenant: str) -> None:
        domains = (domain.get("id", "") for domain in self.tenant.graph.get("domains", ()))
        names = {self.tenant.tenant_id, self.tenant.initial_domain, *domains}
        if tenant.lower() in {name.lower() for name in names}:
            return
        if _GUID.fullmatch(tenant) or _DOMAIN.fullmatch(tenant):
            raise errors.unknown_tenant(tenant)
        raise errors.malformed_tenant(tenant)

    def _resource(self, scope: str) -> str:
        """The audience that a scope names; MSAL may add scopes of its own, so exactly one must end in /.default."""
        wanted = [part for part in scope.split() if part not in ("openid", "profile", "offline_access")]
        if len(wanted) != 1 or not wanted[0].endswith("/.default"):
            raise errors.bad_scope(scope)
        resource = wanted[0].removesuffix("/.default").rstrip("/")
        if resource not in self.resources:
            raise errors.unknown_resource(resource, self.tenant.name)
        return resource

    def _prove(self, tenant: str, form: Mapping[str, str], app: DemoApp) -> AppIdAcr:
        assertion = form.get("client_assertion")
        if assertion:
            if form.get("client_assertion_type") != ASSERTION_TYPE:
                raise errors.missing_parameter("client_assertion_type")
            self._check_assertion(tenant, assertion, form["scope"], app)
            return "2"
        secret = form.get("client_secret")
        if not secret:
            raise errors.no_credential()
        if not hmac.compare_digest(secret.encode(), app.secret.encode()):
            raise errors.wrong_secret(app.client_id)
        if app.secret_expired:
            raise errors.expired_secret(app.client_id)
        return "1"

    def _check_assertion(self, tenant: str, assertion: str, scope: str, app: DemoApp) -> None:
        claims = unverified_claims(assertion)
        if str(claims.get("iss", "")).startswith("https://"):  # an outside issuer, not the app itself
            self.assertions.federated(assertion, claims, app.federated)
            return
        endpoints = {
            address
            for name in (tenant, self.tenant.tenant_id)
            for address in (f"{self.url}/{name}/oauth2/v2.0/token", f"{self.url}/{name}/v2.0")
        }
        self.assertions.certificate(assertion, app.client_id, app.certificates, endpoints, scope)
