"""The certificates of the emulated services: one each, and others that a fault puts in their place."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable
from typing import Literal

import trustme

NAMES = ("localhost", "127.0.0.1", "::1")


class Certificates:
    """`context(service)` is what a service listens with; `replace` decides what its next connections see."""

    def __init__(self, authority: trustme.CA) -> None:
        self._authorities = {"same": authority}
        self._others: dict[str, tuple[ssl.SSLContext, int]] = {}
        self._connections: dict[str, Callable[[], Iterable[object]]] = {}
        self._closing: set[object] = set()

    def context(self, service: str) -> ssl.SSLContext:
        context = server_context(self._authorities["same"])

        def choose(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
            other = self._next(service)
            if other is not None:
                connection.context = other

        context.sni_callback = choose
        return context

    def watch(self, service: str, connections: Callable[[], Iterable[object]]) -> None:
        """`connections` gives those that are open to the service."""
        self._connections[service] = connections

    def replace(self, service: str, authority: Literal["same", "foreign"], connections: int) -> None:
        """From now on another certificate, for so many connections (0: all that come)."""
        if authority not in self._authorities:
            self._authorities[authority] = trustme.CA()
        self._others[service] = (server_context(self._authorities[authority]), connections or -1)
        self._closing.update(self._connections[service]())

    def closes(self, connection: object) -> bool:
        """The connection was open when the certificate changed, so it ends with this answer. An idle one is not shut
        before: aiohttp would leave it open without anybody to answer on it."""
        if connection not in self._closing:
            return False
        self._closing.remove(connection)
        return True

    def _next(self, service: str) -> ssl.SSLContext | None:
        context, left = self._others.pop(service, (None, 0))
        if context is not None and left != 1:
            self._others[service] = (context, max(-1, left - 1))
        return context


def server_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    authority.issue_cert(*NAMES).configure_cert(context)
    return context
