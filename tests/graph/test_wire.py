"""The last guard before the network: whatever is above it, a token leaves only towards Graph."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from auditor.graph.session import Wire
from auditor.graph.wire import guard, origin


def test_origin_fills_in_the_port_and_ignores_letter_case():
    assert origin("HTTPS://Graph.Test/x") == origin("https://graph.test:443/y") == ("https", "graph.test", 443)


@pytest.mark.parametrize("url", ["", "/v1.0/users", "graph.test", "https://"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ValueError, match="not an absolute address"):
        origin(url)


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://graph.test/v1.0/users", True),
        ("https://graph.test:8443/v1.0/users", False),
        ("http://graph.test/v1.0/users", False),
        ("https://evil.test/v1.0/users", False),
        ("https://graph.test.evil.test/v1.0/users", False),
    ],
)
def test_authorization_passes_only_towards_graph(url, sent):
    seen = []
    wire = Wire()

    def handler(request):
        seen.append(request)
        return httpx.Response(200, headers={"Date": "Mon, 23 Nov 2026 16:00:00 GMT"})

    request = httpx.Request("GET", url, headers={"Authorization": "Bearer secret"})
    asyncio.run(guard("https://graph.test", wire).send(request, httpx.MockTransport(handler)))
    assert ("Authorization" in seen[0].headers) is sent
    assert (wire.requests, wire.answers) == (1, 1)
    assert wire.last_seen is not None
