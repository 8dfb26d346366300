"""Answers that break off: what HTTP and TLS allow to go wrong between two well-meaning ends."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys

from aiohttp import web
from aiohttp.payload import Payload

PIECE = 16 * 1024
FLUSH = 0.02
"""real seconds that loopback gets to take what was written before the connection is dropped"""


def body_of(response: web.StreamResponse) -> bytes:
    body = response.body if isinstance(response, web.Response) else None
    return bytes(body) if isinstance(body, (bytes, bytearray)) else b""


async def whole(response: web.StreamResponse) -> bytes:
    """The body, also of an answer that would be streamed."""
    if isinstance(response, web.Response) and isinstance(response.body, Payload):
        return await response.body.as_bytes()
    return body_of(response)


def cut(body: bytes, share: float) -> bytes:
    """The first part of a body; less than 1 always leaves something out."""
    return body if share >= 1 else body[: min(int(len(body) * share), max(0, len(body) - 1))]


async def reset(request: web.Request, response: web.StreamResponse, share: float) -> web.StreamResponse:
    """Promises the whole body, sends `share` of it and resets the connection."""
    if share > 0:
        body = await whole(response)
        partial = web.StreamResponse(status=response.status, headers=response.headers)
        partial.content_length = len(body)
        await partial.prepare(request)
        for piece in _pieces(cut(body, share)):
            await partial.write(piece)
        await asyncio.sleep(FLUSH)
    _drop(request, with_reset=True)
    return web.Response()


async def without_close_notify(request: web.Request, response: web.StreamResponse, share: float) -> web.StreamResponse:
    """Sends a body that ends with the connection, and closes TCP without ending TLS."""
    names = ("Content-Length", "Transfer-Encoding", "Connection")
    fields = [(name, value) for name, value in response.headers.items() if name not in names]
    head = "".join(f"{name}: {value}\r\n" for name, value in [*fields, ("Connection", "close")])
    transport = request.transport
    if transport is not None:
        transport.write(f"HTTP/1.1 {response.status} {response.reason}\r\n{head}\r\n".encode())
        for piece in _pieces(cut(await whole(response), share)):
            transport.write(piece)
            while transport.get_write_buffer_size() and not transport.is_closing():
                await asyncio.sleep(0)
        await asyncio.sleep(FLUSH)
    _drop(request, with_reset=False)
    return web.Response()


def _pieces(body: bytes) -> list[bytes]:
    return [body[start : start + PIECE] for start in range(0, len(body), PIECE)]


def _drop(request: web.Request, *, with_reset: bool) -> None:
    """Closes TCP below TLS; what aiohttp still sends after that goes nowhere."""
    transport = request.transport
    if transport is None:
        return
    if with_reset:
        form = "hh" if sys.platform == "win32" else "ii"
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(form, 1, 0))
    transport.abort()
