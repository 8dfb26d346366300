"""What the emulated services share on the wire: the fixed clock, request ids, the request log and JSON answers.

The order of a service's middlewares is its own affair; this one comes first everywhere: `ids` gives each request its
ids and logs how it ended, and `stamp` puts the tenant's fixed clock into `Date` after aiohttp has set its own.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
import threading
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

REQUEST_ID = web.RequestKey("request_id", str)
CLIENT_REQUEST_ID = web.RequestKey("client_request_id", str)


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One answered request. `authorized`: it carried an Authorization header (its value is never kept)."""

    service: str
    method: str
    path: str
    query: str
    status: int
    authorized: bool


@dataclass
class RequestLog:
    """What each service was asked; written by the server's thread, read by any."""

    _entries: list[LoggedRequest] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, entry: LoggedRequest) -> None:
        with self._lock:
            self._entries.append(entry)

    @property
    def entries(self) -> tuple[LoggedRequest, ...]:
        with self._lock:
            return tuple(self._entries)

    def count(self, service: str | None = None) -> int:
        """How many requests the service answered; all services where none is named."""
        return sum(service in (None, entry.service) for entry in self.entries)

    def by_service(self) -> Counter[str]:
        return Counter(entry.service for entry in self.entries)


def http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


def iso(moment: datetime) -> str:
    """The services' form of a time: seconds, UTC, `Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def service_app(service: str, now: datetime, log: RequestLog, *middlewares: Middleware) -> web.Application:
    """An application whose every answer carries the fixed `Date` and its ids, and stands in the log."""
    app = web.Application(middlewares=[_ids(service, log), *middlewares], client_max_size=4 * 1024 * 1024)
    date = http_date(now)

    async def stamp(request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = date
        response.headers["request-id"] = request.get(REQUEST_ID, "")
        response.headers["client-request-id"] = request.get(CLIENT_REQUEST_ID, "")

    app.on_response_prepare.append(stamp)
    return app


def _ids(service: str, log: RequestLog) -> Middleware:
    @web.middleware
    async def ids(request: web.Request, handler: Handler) -> web.StreamResponse:
        request[REQUEST_ID] = str(uuid.uuid4())
        sent = request.headers.get("client-request-id", "")
        usable = sent.isascii() and sent.isprintable() and 0 < len(sent) <= 128
        request[CLIENT_REQUEST_ID] = sent if usable else request[REQUEST_ID]
        status = 500
        try:
            response = await handler(request)
            status = response.status
            return response
        except web.HTTPException as error:
            status = error.status
            raise
        finally:
            log.add(
                LoggedRequest(
                    service,
                    request.method,
                    request.rel_url.raw_path,
                    request.rel_url.raw_query_string,
                    status,
                    "Authorization" in request.headers,
                )
            )

    return ids


@dataclass(frozen=True, slots=True)
class Sealer:
    """Makes and opens opaque tokens (page tokens, download addresses). `key` lives as long as the emulator."""

    key: bytes = field(default_factory=lambda: os.urandom(32), repr=False)

    def seal(self, content: Mapping[str, Any]) -> str:
        data = json.dumps(content, sort_keys=True).encode()
        return base64.urlsafe_b64encode(hmac.digest(self.key, data, "sha256") + data).decode().rstrip("=")

    def open(self, token: str) -> dict[str, Any] | None:
        """What was sealed; None where the token was altered or comes from elsewhere."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        seal, data = raw[:32], raw[32:]
        if not hmac.compare_digest(seal, hmac.digest(self.key, data, "sha256")):
            return None
        content: dict[str, Any] = json.loads(data)
        return content


def json_response(status: int, body: Any, headers: Mapping[str, str] | None = None) -> web.Response:
    """JSON as the services send it; without a body (None) an empty answer."""
    if body is None:
        return web.Response(status=status, headers=headers)
    return web.Response(
        status=status,
        body=msgspec.json.encode(body),
        headers=headers,
        content_type="application/json",
        charset="utf-8",
    )
