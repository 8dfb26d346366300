"""What the stand-ins share: a service on loopback over TLS, in a thread of its own, whose behaviour tests disturb.

A stand-in keeps its vendor's documented rules by itself; `trouble` are the things that happen to any service.
"""

from __future__ import annotations

import asyncio
import base64
import ssl
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme
from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Exchange:
    """A request and its answer, as they went over the wire."""

    method: str
    path: str
    query: dict[str, str]
    content_type: str
    body: bytes
    status: int
    answer_type: str
    answer: bytes


@dataclass
class Trouble:
    """Happens to the next request whose method and path match, `skip` of them later; `path` is a piece of it. `effect`:
    whether the request is carried out before. `status` 0 breaks the connection without an answer."""

    method: str
    path: str
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    effect: bool = False
    times: int = 1
    skip: int = 0


class Standin:
    """Serves `routes` between `start` and `stop`. `seen`: (method, path) of every request in order; `exchanges`:
    those that were answered by the rules."""

    token = "planted-T0ken-7f3a9c"

    def __init__(self, clock: Any) -> None:
        self.clock = clock
        self.troubles: list[Trouble] = []
        self.seen: list[tuple[str, str]] = []
        self.exchanges: list[Exchange] = []
        self.url = ""

    def routes(self, app: web.Application) -> None:
        raise NotImplementedError

    def refuses_credential(self, request: web.Request) -> web.StreamResponse | None:
        raise NotImplementedError

    def count(self, piece: str = "") -> Counter[str]:
        return Counter(f"{method} {path}" for method, path in self.seen if piece in path)

    def writes(self) -> list[tuple[str, str]]:
        return [(method, path) for method, path in self.seen if method != "GET"]

    # --- serving ---

    def start(self, folder: Path) -> None:
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
        self.ca_bundle = folder / "ca.pem"
        self.ca_bundle.write_bytes(authority.cert_pem.bytes())
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._serve(context), self._loop).result(30)

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    async def _serve(self, context: ssl.SSLContext) -> None:
        app = web.Application(middlewares=[self._watched], client_max_size=32 * 1024 * 1024)
        self.routes(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=context)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"https://127.0.0.1:{port}"

    @web.middleware
    async def _watched(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.seen.append((request.method, request.path))
        trouble = next(
            (one for one in self.troubles if one.method == request.method and one.path in request.path), None
        )
        if trouble and trouble.skip:
            trouble.skip -= 1
        elif trouble:
            trouble.times -= 1
            if not trouble.times:
                self.troubles.remove(trouble)
            if trouble.effect:
                await handler(request)
            if not trouble.status:
                assert request.transport is not None
                request.transport.abort()
            return answer(trouble.status or 500, trouble.body, trouble.headers)
        refused = self.refuses_credential(request)
        if refused is not None:
            return refused
        body = b"" if request.content_type.startswith("multipart/") else await request.read()
        response = await handler(request)
        assert isinstance(response, web.Response)
        answer_body = response.body if isinstance(response.body, bytes) else b""
        self.exchanges.append(
            Exchange(
                request.method,
                request.path,
                dict(request.query),
                request.content_type,
                body,
                response.status,
                response.content_type,
                answer_body,
            )
        )
        return response


def answer(status: int, body: Any = None, headers: dict[str, str] | None = None) -> web.Response:
    if body is None:
        return web.Response(status=status, headers=headers)
    return web.json_response(body, status=status, headers=headers)


def basic_header(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
