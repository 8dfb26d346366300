"""What httpx sends through: aiohttp's connections, which azure-identity signs in through as well.

httpx's own transport passes every TLS record (16 KB) through some thirty Python calls, which for the gigabytes of a
large tenant is more work than everything else that is done with them (measured by bench/collect.py).
"""

from __future__ import annotations

import ssl
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
from yarl import URL

_LONGEST_HEADER = 1 << 16
"""bytes; pre-authenticated addresses come in one"""


class Transport(httpx.AsyncBaseTransport):
    """Each answer is read whole before it is handed on. Proxies are those of the environment, or of the system's
    settings on Windows and macOS. Whatever breaks on the way is an `httpx.TransportError`."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        timeout = request.extensions.get("timeout", {})
        try:
            async with self._opened().request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw],
                data=await request.aread() or None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=timeout.get("connect"), sock_read=timeout.get("read")
                ),
                proxy=_proxy(request.url),
                ssl=self._tls,
            ) as response:
                return httpx.Response(
                    response.status,
                    headers=response.raw_headers,
                    content=await response.read(),
                    extensions={"http_version": b"HTTP/1.1", "reason_phrase": (response.reason or "").encode()},
                    request=request,
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise _told(error, request) from error

    async def aclose(self) -> None:
        if self._session:
            await self._session.close()
            self._session = None

    def _opened(self) -> aiohttp.ClientSession:
        """httpx unpacks answers and keeps cookies; nothing of the environment is mixed into what it sends, such as a
        password of a `.netrc`."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Content-Type"),
                trust_env=False,
                max_line_size=_LONGEST_HEADER,
                max_field_size=_LONGEST_HEADER,
            )
        return self._session


def _proxy(url: httpx.URL) -> str | None:
    return None if proxy_bypass(url.host) else getproxies().get(url.scheme)


def _told(error: Exception, request: httpx.Request) -> httpx.TransportError:
    if isinstance(error, TimeoutError):
        return httpx.ReadTimeout(str(error), request=request)
    if isinstance(error, aiohttp.ClientConnectorError):
        return httpx.ConnectError(str(error), request=request)
    return httpx.ReadError(str(error), request=request)
