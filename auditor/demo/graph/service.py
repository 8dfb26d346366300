"""Graph on the wire. The order of an answer: ids and clock → sign-in → (limits) → permission → query → answer.

A `$batch` signs in once and sends each inner call through the rest, so that every part answers exactly as it would
alone.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from auditor.demo.entra.tokens import AccessToken, Authority, TokenError
from auditor.demo.graph import batch, future, permissions, query, reports, routes
from auditor.demo.graph.call import Answer, Call, GraphError, bad_request, no_segment
from auditor.demo.graph.directory import Directory
from auditor.demo.graph.limits import ServiceLimits, unit_header
from auditor.demo.model import DemoTenant
from auditor.demo.wire import CLIENT_REQUEST_ID, REQUEST_ID, RequestLog, Sealer, iso, json_response, service_app

TOKEN = web.RequestKey("token", AccessToken)

VERSIONS = ("v1.0", "beta")


@dataclass
class Graph:
    """Microsoft Graph of one tenant. The limits are asked before the permission is."""

    tenant: DemoTenant
    authority: Authority
    url: str
    reports_url: str
    limits: ServiceLimits
    sealer: Sealer = field(default_factory=Sealer)
    directory: Directory = field(init=False)
    downloads: reports.Downloads = field(init=False)

    def __post_init__(self) -> None:
        self.directory = Directory(self.tenant)
        self.downloads = reports.Downloads(self.directory, self.sealer, self.reports_url, self.authority.clock)

    def application(self, log: RequestLog, *before: Middleware) -> web.Application:
        """`before`: middlewares around everything but the log."""
        app = service_app("graph", self.tenant.now, log, *before, self._errors, self._authenticate)
        app.router.add_route("*", "/{version}/{path:.*}", self._handle)
        return app

    @web.middleware
    async def _errors(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except GraphError as error:
            return json_response(error.status, self._error_body(request, error), error.headers)
        except web.HTTPException as error:
            refused = GraphError(error.status, "BadRequest", error.reason or "Invalid request.")
            return json_response(error.status, self._error_body(request, refused))

    @web.middleware
    async def _authenticate(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            request[TOKEN] = self.authority.check(request.headers.get("Authorization"), self.url)
        except TokenError as error:
            challenge = {"WWW-Authenticate": 'Bearer realm=""'}
            raise GraphError(401, "InvalidAuthenticationToken", str(error), challenge) from error
        return await handler(request)

    def _error_body(self, request: web.Request, error: GraphError) -> dict[str, Any]:
        date = iso(self.tenant.now).removesuffix("Z")
        return error.body(date, request[REQUEST_ID], request[CLIENT_REQUEST_ID])

    async def _handle(self, request: web.Request) -> web.Response:
        version, path = request.match_info["version"], "/" + request.match_info["path"]
        if version not in VERSIONS:
            raise bad_request(f"Invalid version: {version}.")
        body = await _json(request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(version, request.method, path, dict(request.query), headers, body)
        if path == "/$batch":
            if request.method != "POST":
                raise GraphError(405, "Request_BadRequest", "Only POST is allowed on $batch.")
            return _respond(batch.answer(call, lambda inner: self._inner(inner, request)))
        return _respond(self._dispatch(call, request[TOKEN]))

    def _inner(self, call: Call, request: web.Request) -> Answer:
        try:
            if call.path == "/$batch":
                raise bad_request("A batch may not hold a batch.")
            return self._dispatch(call, request[TOKEN])
        except GraphError as error:
            return Answer(error.status, self._error_body(request, error), error.headers)

    def _dispatch(self, call: Call, token: AccessToken) -> Answer:
        found = routes.find(call.path, call.version)
        if found is None:
            raise no_segment(call.path)
        route, arguments = found
        if call.method != route.method:
            raise GraphError(405, "Request_BadRequest", f"Specified HTTP method '{call.method}' is not allowed here.")
        headers = self.limits.admit(call, route, token)
        permissions.require(token, route.accepted, route.rules.workload)
        if route.premium:
            permissions.require_premium(self.tenant.premium)
        answer = self._answer(call, token, route, arguments)
        return dataclasses.replace(answer, headers={**answer.headers, **headers}) if headers else answer

    def _answer(self, call: Call, token: AccessToken, route: routes.Route, arguments: Mapping[str, str]) -> Answer:
        rules = routes.rules_for(route, self.directory)
        eventual = call.headers.get("consistencylevel", "").lower() == "eventual"
        options = query.read(call, rules, self.sealer)
        if route.advanced and not (eventual and options.count):
            raise GraphError(
                400,
                "Request_UnsupportedQuery",
                "A cast on members needs the header ConsistencyLevel: eventual and $count=true.",
            )
        reading = routes.Reading(self.directory, self.downloads, call, token, arguments)
        stored = route.read(reading)
        if isinstance(stored, Answer):
            return stored
        base = f"{self.url}/{call.version}"
        context = f"{base}/$metadata#{route.context.format(**arguments)}"
        headers = self._headers(route, call)
        if isinstance(stored, Mapping):
            body = query.shape(stored, options, rules.entity)
            return Answer(200, {"@odata.context": _selected(context, options), **body}, headers)
        records, link, count = query.page(call, options, rules, stored, self.sealer, base)
        body = {"@odata.context": _selected(context, options)}
        if options.count and eventual and options.offset == 0:
            body["@odata.count"] = count
        if link is not None:
            body["@odata.nextLink"] = link
        body["value"] = [self._shape(route.finish(reading, record), options, rules, call) for record in records]
        return Answer(200, body, headers)

    def _shape(self, record: Mapping[str, Any], options: query.Query, rules: query.Rules, call: Call) -> dict[str, Any]:
        shaped = query.shape(record, options, rules.entity)
        if rules.entity.name not in future.TYPES or _wants_future(call):
            return shaped
        hidden: dict[str, Any] = future.hidden(shaped)
        return hidden

    def _headers(self, route: routes.Route, call: Call) -> dict[str, str]:
        headers = {"OData-Version": "4.0", **unit_header(route, call)}
        if _wants_future(call):
            headers["Preference-Applied"] = future.PREFERENCE
        return headers


def _wants_future(call: Call) -> bool:
    return future.PREFERENCE in call.headers.get("prefer", "").lower()


def _selected(context: str, options: query.Query) -> str:
    if not options.select:
        return context
    names = ",".join(options.select)
    entity = context.endswith("/$entity")
    return f"{context.removesuffix('/$entity')}({names}){'/$entity' if entity else ''}"


async def _json(request: web.Request) -> Any:
    data = await request.read()
    if not data:
        return None
    try:
        return json.loads(data)
    except ValueError as error:
        raise bad_request("Unable to read JSON request payload.") from error


def _respond(result: Answer) -> web.Response:
    return json_response(result.status, result.body, result.headers)
