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
from urllib.parse import parse_qsl, urlencode, urlsplit

from aiohttp import web
from aiohttp.typedefs import Middleware

from auditor.demo.conditions.limits import Meter
from auditor.demo.conditions.refusals import refusal, told
from auditor.demo.entra.tokens import AccessToken, Authority, TokenError
from auditor.demo.exchange import cmdlets
from auditor.demo.graph.call import Answer
from auditor.demo.model import DemoTenant
from auditor.demo.wire import RequestLog, Sealer, json_response, service_app

PERMISSION = "Exchange.ManageAsApp"
ANCHOR = re.compile(r"(APP|UPN):SystemMailbox\{bb558c35-97f1-4cb9-8ff7-d53741dc928c\}@.+", re.IGNORECASE)
PAGE_SIZE = 1000
BATCH = 10
"""calls in one batch; more than public tools ever send is refused"""


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


@dataclass(frozen=True, slots=True)
class _Call:
    """One POST to InvokeCommand, on its own or within a batch. `headers`: names in lower case."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


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
        app.router.add_post("/adminapi/beta/{tenant}/$batch", self._batch)
        return app

    async def _invoke(self, request: web.Request) -> web.Response:
        refused = self._refuse(request)
        if refused is not None:
            return refused
        call = _Call(request.path, request.query, _lower(request.headers), _json(await request.read()))
        answer = self._answer(call)
        if answer.body is None:
            return refusal("exchange", answer.status, answer.headers, message="Too many requests for this app.")
        return json_response(answer.status, answer.body)

    async def _batch(self, request: web.Request) -> web.Response:
        """Every call is judged and counted by itself; the one token is that of the batch."""
        refused = self._refuse(request)
        if refused is not None:
            return refused
        try:
            calls = _calls(_json(await request.read()), request.path.removesuffix("$batch") + "InvokeCommand")
        except cmdlets.CmdletError as error:
            return json_response(error.status, _error_body(error))
        answers = [(number, self._answer(call)) for number, call in calls]
        return json_response(200, {"responses": [
            {"id": number, "status": answer.status, "headers": dict(answer.headers), "body": answer.body}
            for number, answer in answers
        ]})  # fmt: skip

    def _answer(self, call: _Call) -> Answer:
        """`body` is None where it is throttled."""
        draw = self.meter.take("exchange")
        if not draw.admitted:
            return Answer(429, headers={"Retry-After": told(math.ceil(draw.wait), self.scale)})
        try:
            command = self._command(call)
            output = cmdlets.run(self.tenant, command.name, command.parameters)
        except cmdlets.CmdletError as error:
            return Answer(error.status, _error_body(error))
        return Answer(200, self._body(call, command, output))

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

    def _command(self, call: _Call) -> Command:
        if not ANCHOR.fullmatch(call.headers.get("x-anchormailbox", "")):
            raise _invalid(
                "The request cannot be routed: the header X-AnchorMailbox is missing or names no system mailbox."
            )
        given = call.body.get("CmdletInput") if isinstance(call.body, dict) else None
        if not isinstance(given, dict) or not isinstance(given.get("CmdletName"), str):
            raise _invalid("The request body is no JSON object with a CmdletInput that has a CmdletName.")
        parameters = given.get("Parameters") or {}
        if not isinstance(parameters, dict):
            raise _invalid("CmdletInput.Parameters is no object.")
        select = tuple(name.strip() for name in call.query.get("$select", "").split(",") if name.strip())
        page_size = _page_size(call.headers.get("prefer", ""))
        identity = _digest(call.path, given["CmdletName"], parameters, select)
        offset = self._offset(call, identity)
        return Command(given["CmdletName"], parameters, select, page_size, offset, identity)

    def _offset(self, call: _Call, identity: str) -> int:
        token = call.query.get("$skiptoken")
        if token is None:
            return 0
        content = self.sealer.open(token)
        if content is None or content.get("for") != identity:
            raise _invalid("The page token is invalid: POST the same command to the nextLink.")
        return int(content["offset"])

    def _body(self, call: _Call, command: Command, output: cmdlets.Output) -> dict[str, Any]:
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
            body["@odata.nextLink"] = f"{self.url}{call.path}?{urlencode({**query, '$skiptoken': token}, safe='$,')}"
        return body


def _calls(body: Any, place: str) -> list[tuple[str, _Call]]:
    """(id, call) of each request in a batch (https://docs.oasis-open.org/odata/odata-json-format/v4.01). Raises
    CmdletError where the batch itself is wrong."""
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list) or not 0 < len(requests) <= BATCH:
        raise _invalid(f"The request body holds no batch of 1 to {BATCH} requests.")
    calls = []
    for request in requests:
        if not isinstance(request, dict) or request.get("method") != "POST" or not isinstance(request.get("url"), str):
            raise _invalid("Each request in a batch needs id, method POST and url.")
        url = urlsplit(request["url"])
        if url.path.lower() != place.lower():
            raise _invalid(f"A batch holds calls of {place} only.")
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        calls.append((str(request.get("id")), _Call(place, query, _lower(request.get("headers")), request.get("body"))))
    if len({number for number, _ in calls}) < len(calls):
        raise _invalid("A request id is used twice in the batch.")
    return calls


def _lower(headers: Mapping[str, str] | None) -> dict[str, str]:
    return {name.lower(): str(value) for name, value in (headers or {}).items()}


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None


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
