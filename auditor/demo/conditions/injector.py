"""The one place where faults and latency enter: a middleware around each emulated service."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any
from urllib.parse import unquote, urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from auditor.clock import Clock
from auditor.demo.conditions import broken, pages, refusals
from auditor.demo.conditions import faults as kinds
from auditor.demo.conditions.certificates import Certificates
from auditor.demo.conditions.faults import AnyFault, FaultPlan, Service
from auditor.demo.conditions.pace import Latency

Send = Callable[[], Awaitable[web.StreamResponse]]

_VERSION = re.compile(r"/(v1\.0|beta)(?=/)")
LAST_PAGE = 50
"""records remembered of the last page at a path, to be sent twice"""


@dataclass(frozen=True, slots=True)
class Struck:
    """A fault that struck: `number` is the how-many-th matching request it was."""

    fault: AnyFault
    place: str
    number: int


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request, and where a fault's path finds it."""

    service: Service
    place: str
    request: web.Request


@dataclass
class _Aim:
    """One fault of the plan with its count of matching requests."""

    fault: AnyFault
    pattern: re.Pattern[str]
    dice: Random
    seen: int = 0
    struck: int = 0

    def at(self, service: Service, method: str, place: str) -> bool:
        """Counts the request where it matches, and says whether the fault strikes."""
        fault = self.fault
        if fault.service != service or fault.method not in ("*", method) or not self.pattern.fullmatch(place):
            return False
        self.seen += 1
        due = self.seen >= fault.nth and (self.seen - fault.nth) % fault.every == 0
        left = not fault.times or self.struck < fault.times
        strikes = due and left and self.dice.random() < fault.probability
        self.struck += strikes
        return strikes


@dataclass
class Injector:
    """`date`: the services' fixed Date; `scale`: how much faster the emulator's time runs than the client's;
    `login`: address of the login service. `struck` tells what happened, for tests to check that it did."""

    plan: FaultPlan
    latency: Latency | None
    clock: Clock
    date: datetime
    certificates: Certificates
    scale: float = 1.0
    login: str = ""
    struck: list[Struck] = field(default_factory=list)
    _aims: list[_Aim] = field(init=False)
    _requests: int = 0
    _dead: dict[tuple[str, str], int] = field(default_factory=dict)
    _revoked: dict[bytes, kinds.TokenRevoked] = field(default_factory=dict)
    _deleted: set[str] = field(default_factory=set)
    _served: dict[str, deque[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._aims = [
            _Aim(fault, _pattern(fault.path), Random(f"{self.plan.seed}:fault:{number}"))
            for number, fault in enumerate(self.plan.faults)
        ]

    def middleware(self, service: Service) -> Middleware:
        """Passes everything on untouched where nothing is planned."""

        @web.middleware
        async def inject(request: web.Request, handler: Handler) -> web.StreamResponse:
            if self.latency is not None:
                self._requests += 1
                await self.clock.sleep(self.latency.of(self._requests))
            if not self._aims:
                return await handler(request)
            response = await self._answer(service, request, handler)
            if self.certificates.closes(request.protocol):
                response.force_close()
            return response

        return inject

    async def _answer(self, service: Service, request: web.Request, handler: Handler) -> web.StreamResponse:
        asked = _Asked(service, await _place(service, request), request)
        due = [aim.fault for aim in self._aims if self._strikes(aim, service, request.method, asked.place)]
        standing = self._standing(asked)
        if standing is not None:
            return standing

        async def serve() -> web.StreamResponse:
            response = await handler(request)
            if service == "graph":
                response = await self._batch(request, response)
            return (
                pages.change(response, lambda page: pages.without(page, self._deleted)) if self._deleted else response
            )

        send: Send = serve
        for fault in due:
            send = self._with(fault, asked, send)
        response = await send()
        self._remember(asked.place, response)
        return response

    def _strikes(self, aim: _Aim, service: Service, method: str, place: str) -> bool:
        strikes = aim.at(service, method, place)
        if strikes:
            self.struck.append(Struck(aim.fault, place, aim.seen))
        return strikes

    def _with(self, fault: AnyFault, asked: _Asked, send: Send) -> Send:
        async def answer() -> web.StreamResponse:
            return await self._act(fault, asked, send)

        return answer

    async def _act(self, fault: AnyFault, asked: _Asked, send: Send) -> web.StreamResponse:
        service, request = asked.service, asked.request
        match fault:
            case kinds.Status():
                return self._refused(fault, service)
            case kinds.TokenRevoked():
                self._revoked[_credential(request)] = fault
                return refusals.revoked(fault, service, self.date, self.login)
            case kinds.DeadToken():
                return self._expired(fault, asked) or await send()
            case kinds.Slow():
                await self.clock.sleep(fault.seconds)
                return await send()
            case kinds.Certificate():
                response = await send()
                self.certificates.replace(service, fault.authority, fault.connections)
                return response
            case kinds.Reset():
                return await broken.reset(request, await send(), fault.at)
            case kinds.NoCloseNotify():
                return await broken.without_close_notify(request, await send(), fault.at)
            case kinds.Truncated():
                return await _with_body(await send(), lambda body: broken.cut(body, fault.at))
            case kinds.Garbled():
                return await _with_body(await send(), lambda body: b"<" * len(body))
            case _:
                return self._page(fault, asked, await send())

    def _page(self, fault: AnyFault, asked: _Asked, response: web.StreamResponse) -> web.StreamResponse:
        address = str(asked.request.url)
        match fault:
            case kinds.EmptyPage():
                again = f"{address}{'&' if asked.request.query_string else '?'}emptied={len(self.struck)}"
                return pages.change(response, lambda page: pages.emptied(page, again))
            case kinds.LinkLoop():
                return pages.change(response, lambda page: pages.linked(page, address))
            case kinds.ForeignLink():
                return pages.change(response, lambda page: pages.elsewhere(page, fault.host))
            case kinds.RelativeLink():
                return pages.change(response, pages.relative)
            case kinds.Duplicates():
                last = list(self._served.get(asked.place, ()))[-fault.records :]
                return pages.change(response, lambda page: pages.repeated(page, last))
            case kinds.UserDeleted():
                return pages.change(response, lambda page: self._delete(fault.user, page))
            case _:
                raise AssertionError(f"no such fault: {fault}")

    def _delete(self, user: str, page: dict[str, Any]) -> None:
        """The user named, else the page's first; the page no longer shows it."""
        first = next((record.get("id") for record in page["value"] if isinstance(record, dict)), None)
        if user or first:
            self._deleted.add(str(user or first).lower())
            pages.without(page, self._deleted)

    def _refused(self, fault: kinds.Status, service: Service) -> web.Response:
        headers = refusals.retry_after(fault, self.date, self.scale)
        return refusals.refusal(service, fault.status, headers, code=fault.code)

    def _expired(self, fault: kinds.DeadToken, asked: _Asked) -> web.Response | None:
        token = asked.request.query.get("$skiptoken")
        if token is None:
            return None
        self._dead[asked.place, token] = fault.status
        return _expired_page(asked.service, fault.status)

    def _standing(self, asked: _Asked) -> web.Response | None:
        """What an earlier fault left behind: a dead page token, a revoked access token, a deleted user."""
        token = asked.request.query.get("$skiptoken")
        if token is None:
            self._begun_anew(asked.place)
        elif (asked.place, token) in self._dead:
            return _expired_page(asked.service, self._dead[asked.place, token])
        revoked = self._revoked.get(_credential(asked.request))
        if revoked is not None:
            return refusals.revoked(revoked, asked.service, self.date, self.login)
        if asked.service == "graph" and self._gone(asked.place):
            return _no_user()
        return None

    def _begun_anew(self, place: str) -> None:
        """The page tokens of before are of no interest, and ours repeat themselves."""
        self._dead = {key: status for key, status in self._dead.items() if key[0] != place}

    def _gone(self, place: str) -> bool:
        return not self._deleted.isdisjoint(place.lower().split("/"))

    async def _batch(self, request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
        """Inner calls meet the refusals of the plan, and users that are gone."""
        if not request.path.endswith("/$batch") or response.status != 200:
            return response
        asked = {item["id"]: item for item in (await request.json())["requests"]}
        body = json.loads(broken.body_of(response))
        body["responses"] = [self._inner(asked[item["id"]], item) for item in body["responses"]]
        return await _with_body(response, lambda _: json.dumps(body, ensure_ascii=False).encode())

    def _inner(self, asked: Mapping[str, Any], answered: dict[str, Any]) -> dict[str, Any]:
        place, method = "/" + unquote(urlsplit(asked["url"]).path).lstrip("/"), asked["method"].upper()
        if "skiptoken" not in asked["url"]:
            self._begun_anew(place)
        refusal = None
        for aim in self._aims:
            if isinstance(aim.fault, kinds.Status) and self._strikes(aim, "graph", method, place):
                refusal = self._refused(aim.fault, "graph")
        if refusal is None and self._gone(place):
            refusal = _no_user()
        if refusal is None:
            return answered
        headers = {name: value for name, value in refusal.headers.items() if name != "Content-Length"}
        body = json.loads(broken.body_of(refusal))
        return {"id": answered["id"], "status": refusal.status, "headers": headers, "body": body}

    def _remember(self, place: str, response: web.StreamResponse) -> None:
        if not any(isinstance(aim.fault, kinds.Duplicates) and aim.pattern.fullmatch(place) for aim in self._aims):
            return
        page = pages.decoded(response)
        if page is not None:
            self._served[place] = deque(page["value"], LAST_PAGE)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(path))


async def _place(service: Service, request: web.Request) -> str:
    """What a fault's path is compared with."""
    if service == "graph":
        return _VERSION.sub("", request.path, count=1)
    if service == "exchange":
        try:
            return f"/{json.loads(await request.read())['CmdletInput']['CmdletName']}"
        except (ValueError, KeyError, TypeError):
            return request.path
    return request.path


def _credential(request: web.Request) -> bytes:
    return hashlib.sha256(request.headers.get("Authorization", "").encode()).digest()


def _expired_page(service: Service, status: int) -> web.Response:
    message = "The specified page token value has expired or is no longer valid."
    return refusals.refusal(service, status, {}, code=refusals.EXPIRED_PAGE[status], message=message)


def _no_user() -> web.Response:
    return refusals.refusal("graph", 404, {}, message="Resource does not exist.")


async def _with_body(response: web.StreamResponse, change: Callable[[bytes], bytes]) -> web.StreamResponse:
    if isinstance(response, web.Response):
        response.body = change(await broken.whole(response))
    return response
