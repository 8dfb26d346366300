"""A service that answers what a test tells it to, over real TLS on loopback."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import httpx
import pytest
import trustme
from aiohttp import web

from auditor.catalogue import BY_NAME
from auditor.exchange.admin_api import AdminApiSource
from auditor.exchange.base import ExchangeRead
from auditor.graph.gates import LIMITS, Gate
from auditor.graph.transport import Transport

from ..clocks import FakeClock

T = TypeVar("T")
TENANT = "11111111-2222-3333-4444-555555555555"
TOKEN = "token-that-must-not-leak"


NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)


@dataclass
class Kept:
    """Where the records of a read go: what came, and with which link after each page."""

    start: str = ""
    records: list[bytes] = field(default_factory=list)
    links: list[str] = field(default_factory=list)

    async def __call__(self, records: Sequence[bytes], link: str = "") -> None:
        self.records.extend(records)
        self.links.append(link)


@dataclass
class Seen:
    """One request as the service got it."""

    path: str
    query: str
    headers: dict[str, str]
    body: Any


@dataclass
class Service:
    """Answers in the given order; `{url}` in a body stands for its own address."""

    tls: ssl.SSLContext
    trust: ssl.SSLContext
    answers: list[web.Response | Callable[[str], web.Response]] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    scopes: list[str] = field(default_factory=list)
    renewals: int = 0

    def page(self, *records: Any, next_link: str = "", **more: Any) -> None:
        """Queue a page of records; `next_link` is a path on this service or a whole address."""

        def answer(url: str) -> web.Response:
            body = {"value": list(records), **more}
            if next_link:
                body["@odata.nextLink"] = next_link if "://" in next_link else url + next_link
            return web.json_response(body)

        self.answers.append(answer)

    def say(self, status: int, body: bytes | str = b"", **headers: str) -> None:
        data = body.encode() if isinstance(body, str) else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append(
            lambda url: web.Response(status=status, body=data.replace(b"{url}", url.encode()), headers=named)
        )

    def error(self, status: int, error: Any) -> None:
        self.say(status, json.dumps({"error": error}))

    def run(self, use: Callable[[AdminApiSource], Awaitable[T]]) -> T:
        """Serve, let `use` read, stop."""
        return asyncio.run(self._run(use))

    def read(self, dataset: str, identities: Sequence[str] = (), start: str = "") -> tuple[ExchangeRead, list[bytes]]:
        result, kept = self.kept(dataset, identities, start)
        return result, kept.records

    def kept(self, dataset: str, identities: Sequence[str] = (), start: str = "") -> tuple[ExchangeRead, Kept]:
        kept = Kept(start)

        async def use(source: AdminApiSource) -> ExchangeRead:
            return await source.read(BY_NAME[dataset], identities, kept)

        return self.run(use), kept

    async def _run(self, use: Callable[[AdminApiSource], Awaitable[T]]) -> T:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._handle)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "localhost", 0, ssl_context=self.tls)
        await site.start()
        try:
            port = runner.addresses[0][1]
            async with httpx.AsyncClient(transport=Transport(self.trust)) as client:
                gate = Gate(LIMITS["exchange"], self.clock)
                url = f"https://localhost:{port}"
                return await use(AdminApiSource(TENANT, url, client, self._token, gate, self.clock.now, self._renew))
        finally:
            await runner.cleanup()

    async def _token(self, scope: str) -> str:
        self.scopes.append(scope)
        return TOKEN

    def _renew(self) -> None:
        self.renewals += 1

    async def _handle(self, request: web.Request) -> web.Response:
        self.seen.append(Seen(request.path, request.query_string, dict(request.headers), await request.json()))
        answer = self.answers.pop(0) if self.answers else web.Response(status=418, text="no answer was queued")
        return answer if isinstance(answer, web.Response) else answer(f"https://{request.host}")


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def service(authority: trustme.CA) -> Service:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    return Service(tls, trust)
