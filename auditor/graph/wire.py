"""The last step before the network: counts what leaves and holds back the token where it must not go."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kiota_http.middleware.middleware import BaseMiddleware

if TYPE_CHECKING:
    import httpx

    from auditor.graph.session import Wire


def origin(url: str) -> tuple[str, str, int]:
    """(scheme, host, port), all lower case and the port filled in. Raises ValueError where there is no such thing."""
    parts = urlsplit(url)
    if not parts.scheme or not parts.hostname:
        raise ValueError("not an absolute address")
    return parts.scheme.lower(), parts.hostname.lower(), parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)


def guard(graph: str, wire: Wire) -> BaseMiddleware:
    return _Guard(graph, wire)


class _Guard(BaseMiddleware):  # type: ignore[misc]
    """Authorization passes only towards the Graph origin: same scheme, host and port."""

    def __init__(self, graph: str, wire: Wire) -> None:
        super().__init__()
        self._origin = origin(graph)
        self._wire = wire

    async def send(self, request: httpx.Request, transport: httpx.AsyncBaseTransport) -> httpx.Response:
        if origin(str(request.url)) != self._origin:
            request.headers.pop("Authorization", None)
        self._wire.sent()
        response: httpx.Response = await super().send(request, transport)
        self._wire.answered(response.headers)
        return response
