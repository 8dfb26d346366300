"""Exchange Online's admin endpoint `InvokeCommand`, as the PowerShell module uses it.

Microsoft documents no page for it; the form is known from public tools. Sign-in for apps is documented in
https://learn.microsoft.com/powershell/exchange/app-only-auth-powershell-v2.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from aiohttp.typedefs import Middleware

from auditor.demo.conditions.limits import Meter
from auditor.demo.conditions.refusals import refusal, told
from auditor.demo.entra.tokens import AccessToken, Authority, TokenError
from auditor.demo.exchange import cmdlets
from auditor.demo.model import DemoTenant
from auditor.demo.wire import RequestLog, Sealer, json_response, service_app

PERMISSION = "Exchange.ManageAsApp"
ANCHOR = re.compile(r"(APP|UPN):SystemMailbox\{bb558c35-97f1-4cb9-8ff7-d53741dc928c\}@.+", re.IGNORECASE)
PAGE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class Command:
    """A checked request: which cmdlet, with what, and which page of its output."""

    name: str
    parameters: Mapping[str, Any]
    select: tuple[str, ...]
    page_size: int
    offset: int
    identity: str
    """digest of all but the page: a page token is only good for the command it came with"""


@dataclass
class Exchange:
    """The admin endpoint of one tenant."""

    tenant: DemoTenant
    authority: Authority
    url: str
    meter: Meter
    scale: float = 1.0
    """how much faster the emulator's time runs than the client's"""
    sealer: Sealer = field(default_factory=Sealer)

    def application(self, log: RequestLog, *before: Middleware) -> web.Application:
        app = service_app("exchange", self.tenant.now, log, *before)
        app.router.add_post("/adminapi/beta/{tenant}/InvokeCommand", self._invoke)
        return app

    async def _invoke(self, request: web.Request) -> web.Response:
        refused = self._refuse(request) or self._throttle()
        if refused is not None:
            return refused
        try:
            command = self._command(request, await request.read())
            output = cmdlets.run(self.tenant, command.name, command.parameters)
        except cmdlets.CmdletError as error:
            return json_response(error.status, _error_body(error))
        return json_response(200, self._body(request, command, output))

    def _refuse(self, request: web.Request) -> web.Response | None:
        """401 without the permission, 403 without a directory role: both without a readable body."""
        try:
            token: AccessToken = self.authority.check(request.headers.get("Authorization"), self.url)
        except TokenError as error:
            return web.Response(
                status=401, headers={"WWW-Authenticate": f'Bearer error="invalid_token", error_description="{error}"'}
            )
        if PERMISSION not in token.roles:
            return web.Response(status=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
        if not self.tenant.app.directory_role:
            return web.Response(status=403, body=b"\0" * 64, content_type="application/json")
        if request.match_info["tenant"].lower() not in (
            self.tenant.tenant_id.lower(),
            self.tenant.initial_domain.lower(),
        ):
            return web.Response(status=403, body=b"\0" * 64, content_type="application/json")
        return None

    def _throttle(self) -> web.Response | None:
        draw = self.meter.take("exchange")
        if draw.admitted:
            return None
        wait = {"Retry-After": told(math.ceil(draw.wait), self.scale)}
        return refusal("exchange", 429, wait, message="Too many requests for this app.")

    def _command(self, request: web.Request, data: bytes) -> Command:
        if not ANCHOR.fullmatch(request.headers.get("X-AnchorMailbox", "")):
            raise _invalid(
                "The request cannot be routed: the header X-AnchorMailbox is missing or names no system mailbox."
            )
        try:
            body = json.loads(data)
        except ValueError as error:
            raise _invalid("The request body is no JSON.") from error
        given = body.get("CmdletInput") if isinstance(body, dict) else None
        if not isinstance(given, dict) or not isinstance(given.get("CmdletName"), str):
            raise _invalid("The request body holds no CmdletInput with a CmdletName.")
        parameters = given.get("Parameters") or {}
        if not isinstance(parameters, dict):
            raise _invalid("CmdletInput.Parameters is no object.")
        select = tuple(name.strip() for name in request.query.get("$select", "").split(",") if name.strip())
        page_size = _page_size(request.headers.get("Prefer", ""))
        identity = _digest(request.path, given["CmdletName"], parameters, select)
        offset = self._offset(request, identity)
        return Command(given["CmdletName"], parameters, select, page_size, offset, identity)

    def _offset(self, request: web.Request, identity: str) -> int:
        token = request.query.get("$skiptoken")
        if token is None:
            return 0
        content = self.sealer.open(token)
        if content is None or content.get("for") != identity:
            raise _invalid("The page token is invalid: POST the same command to the nextLink.")
        return int(content["offset"])

    def _body(self, request: web.Request, command: Command, output: cmdlets.Output) -> dict[str, Any]:
        end = command.offset + command.page_size
        root = f"{self.url}/adminapi/beta/{self.tenant.tenant_id}"
        body: dict[str, Any] = {
            "@odata.context": f"{root}/$metadata#Collection(Exchange.GenericHashTable)",
            "adminapi.warnings@odata.type": "#Collection(String)",
            "@adminapi.warnings": list(output.warnings),
            "value": [_selected(row, command.select) for row in output.rows[command.offset : end]],
        }
        if end < len(output.rows):
            query = {"$select": ",".join(command.select)} if command.select else {}
            token = self.sealer.seal({"for": command.identity, "offset": end})
            body["@odata.nextLink"] = f"{self.url}{request.path}?{urlencode({**query, '$skiptoken': token}, safe='$,')}"
        return body


def _digest(path: str, name: str, parameters: Mapping[str, Any], select: tuple[str, ...]) -> str:
    content = json.dumps([path, name.lower(), parameters, list(select)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def _page_size(prefer: str) -> int:
    match = re.search(r"odata\.maxpagesize=(\d+)", prefer, re.IGNORECASE)
    return max(1, min(PAGE_SIZE, int(match.group(1)))) if match else PAGE_SIZE


def _selected(row: Mapping[str, Any], select: tuple[str, ...]) -> dict[str, Any]:
    if not select:
        return dict(row)
    wanted = {name.casefold() for name in select}
    return {name: value for name, value in row.items() if name.casefold() in wanted}


def _invalid(message: str) -> cmdlets.CmdletError:
    return cmdlets.CmdletError(400, "Microsoft.Exchange.Admin.OData.Core.ODataServiceException", message)


def _error_body(error: cmdlets.CmdletError) -> dict[str, Any]:
    """The service hides the real text: `message` is always the same, the truth stands in the inner exception."""
    text = f"|{error.kind}|{error}"
    return {
        "error": {
            "code": "NotFound" if error.status == 404 else "BadRequest",
            "message": "Invalid Operation",
            "details": [{"code": "Context", "target": "", "message": text}],
            "innererror": {
                "message": "Error executing cmdlet",
                "type": "Microsoft.Exchange.Admin.OData.Core.ODataServiceException",
                "stacktrace": "",
                "internalexception": {"message": text, "type": error.kind, "stacktrace": ""},
            },
        }
    }
