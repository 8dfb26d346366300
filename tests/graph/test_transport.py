"""httpx over aiohttp's connections: what goes out, what comes back, and how what breaks is told."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from contextlib import asynccontextmanager

import httpx
import pytest
from aiohttp import web

from auditor.graph.signin import trouble
from auditor.graph.transport import Transport


@asynccontextmanager
async def _serving(answer):
    """The address of a server that answers every connection with `answer(reader, writer)`."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def _web(handler):
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def _client(**settings):
    return httpx.AsyncClient(transport=Transport(ssl.create_default_context()), **settings)


def _asked(handler, *requests, **settings):
    """The answers to requests (method, path, options) that one client sends."""

    async def go():
        async with _web(handler) as url, _client(**settings) as client:
            return [await client.request(method, url + path, **options) for method, path, options in requests]

    return asyncio.run(go())


def test_an_address_goes_out_byte_for_byte():
    async def handler(request):
        return web.Response(text=request.raw_path)

    path = "/v1.0/users?%24skiptoken=a%2Fb%3D&$select=id,mail&sig=x+y%20z"
    (answer,) = _asked(handler, ("GET", path, {}))
    assert answer.text == path


def test_nothing_is_added_to_what_httpx_sends(tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password a-secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    seen = []

    async def handler(request):
        seen.append(request.headers)
        return web.Response()

    headers = {"Authorization": "Bearer token", "Prefer": "a"}
    _asked(handler, ("GET", "/", {"headers": headers}), ("POST", "/", {"content": b"{}", "headers": headers}))
    assert [sent["Authorization"] for sent in seen] == ["Bearer token"] * 2
    assert all(sent["User-Agent"].startswith("python-httpx/") for sent in seen)
    assert [sent.get("Content-Type") for sent in seen] == [None, None]
    assert [sent.get("Content-Length") for sent in seen] == [None, "2"]


def test_answers_come_whole_with_every_header_and_are_unpacked():
    async def handler(request):
        headers = [("Content-Encoding", "gzip"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
        return web.Response(status=207, body=gzip.compress(await request.read() * 1_000_000), headers=headers)

    first, second = _asked(handler, ("POST", "/", {"content": b"abc"}), ("POST", "/", {"content": b""}))
    assert (first.status_code, first.content, second.content) == (207, b"abc" * 1_000_000, b"")
    assert first.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert second.request.headers["Cookie"] == "a=1; b=2"


def test_redirects_are_left_to_whoever_asked_however_long():
    long = f"https://elsewhere.test/?sig={'x' * 20_000}"

    async def handler(request):
        raise web.HTTPFound(long)

    (answer,) = _asked(handler, ("GET", "/", {}))
    assert (answer.status_code, answer.headers["Location"]) == (302, long)


def _saying(answer):
    async def say(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    return say


async def _silent(reader, writer):
    await reader.read()
    writer.close()


@pytest.mark.parametrize(
    ("answer", "kind", "told"),
    [
        (_saying(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this"), httpx.ReadError, "network"),
        (_saying(b""), httpx.ReadError, "network"),
        (_saying(b"220 mail.test ESMTP\r\n"), httpx.ReadError, "network"),
        (_silent, httpx.ReadTimeout, "timeout"),
    ],
)
def test_what_breaks_on_the_way_is_an_error_of_httpx(answer, kind, told):
    async def go():
        async with _serving(answer) as url, _client(timeout=httpx.Timeout(5, read=0.1)) as client:
            await client.get(url)

    with pytest.raises(kind) as caught:
        asyncio.run(go())
    assert trouble(caught.value) == told


def test_a_refused_connection_is_told_as_such():
    async def go():
        async with _serving(_silent) as url:
            pass
        async with _client() as client:
            await client.get(url)

    with pytest.raises(httpx.ConnectError) as caught:
        asyncio.run(go())
    assert trouble(caught.value) == "refused"


def test_a_certificate_that_nobody_trusts_is_told_as_such(emulator):
    async def go():
        async with _client() as client:
            await client.get(emulator.graph_url)

    with pytest.raises(httpx.ConnectError) as caught:
        asyncio.run(go())
    assert trouble(caught.value) == "tls"


def test_a_proxy_of_the_environment_is_gone_through(emulator, monkeypatch):
    """TLS ends at the service and not at the proxy, which is told its own password alone."""
    asked = []

    async def tunnel(reader, writer):
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        host, _, port = asked[-1].split()[1].partition(":")
        there, onwards = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def pass_on(source, target):
            while data := await source.read(65536):
                target.write(data)
            target.close()

        await asyncio.gather(pass_on(reader, onwards), pass_on(there, writer))

    async def go():
        trust = ssl.create_default_context(cafile=str(emulator.ca_bundle))
        async with _serving(tunnel) as url:
            monkeypatch.setenv("HTTPS_PROXY", url.replace("//", "//somebody:a-word@"))
            monkeypatch.setenv("NO_PROXY", "elsewhere.test")
            async with httpx.AsyncClient(transport=Transport(trust)) as client:
                there = await client.get(
                    f"{emulator.graph_url}/v1.0/organization", headers={"Authorization": "Bearer t"}
                )
                monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
                await client.get(f"{emulator.graph_url}/v1.0/domains")
        return there.status_code

    assert asyncio.run(go()) == 401
    (connect,) = asked
    assert connect.startswith("CONNECT localhost:")
    assert "Proxy-Authorization: Basic " in connect
    assert "Bearer" not in connect
