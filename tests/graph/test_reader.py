"""A read is complete only when the service said so, and the token never leaves for another host."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl

import httpx
import pytest

from auditor.catalogue import BY_NAME
from auditor.graph.reader import IN_FLIGHT, decode_object
from auditor.graph.refusal import ReadError
from auditor.graph.requests import configured, request_for
from auditor.graph.throttle import Patience

ROOT = "https://graph.microsoft.com/v1.0"
DATE = {"Date": "Mon, 23 Nov 2026 16:00:00 GMT"}


def _page(records, link=None, **headers):
    body = {"value": records} | ({"@odata.nextLink": link} if link else {})
    return httpx.Response(200, json=body, headers=DATE | headers)


def _error(status, code, message="", **headers):
    return httpx.Response(status, json={"error": {"code": code, "message": message}}, headers=DATE | headers)


def _read(reader_for, handler, dataset="users"):
    """(kept records, error that ended it, requests seen) of one collection against a handler."""
    kept, seen = [], []

    async def keep(page):
        kept.extend(page.records)

    def watching(request):
        seen.append(request)
        return handler(request)

    async def go():
        reader = reader_for(watching)
        async with reader.session:
            request = request_for(reader.session.client, BY_NAME[dataset])
            return await reader.collection(request, "directory", keep)

    error = asyncio.run(go())
    return kept, error, seen


async def nothing(page):
    """Keeps nothing."""


def _script(*responses):
    """A handler that answers with these in turn."""
    left = list(responses)
    return lambda request: left.pop(0)


def test_pages_are_followed_to_the_end_and_records_keep_their_bytes(reader_for):
    body = (
        b'{"value":[ {"id":"1","n":1.0,"unknown":{"a":[1, 2]}} ,{"id":"2","\\u00e9":null}],"@odata.nextLink":"%s"}'
        % (f"{ROOT}/users?$skiptoken=x".encode())
    )
    kept, error, seen = _read(reader_for, _script(httpx.Response(200, content=body), _page([{"id": "3"}])))
    assert error is None
    assert kept[:2] == [b'{"id":"1","n":1.0,"unknown":{"a":[1, 2]}}', b'{"id":"2","\\u00e9":null}']
    assert len(kept) == 3
    assert seen[0].url.params["$top"] == "999"
    assert "$skiptoken=x" in str(seen[1].url)
    assert seen[1].headers["Authorization"].startswith("Bearer ")


def test_line_breaks_between_tokens_never_break_a_line(reader_for):
    pretty = json.dumps({"value": [{"id": "1", "text": "a\nb"}]}, indent=2).encode()
    kept, _, _ = _read(reader_for, _script(httpx.Response(200, content=pretty)))
    assert b"\n" not in kept[0]
    assert json.loads(kept[0]) == {"id": "1", "text": "a\nb"}


def test_an_empty_page_with_a_link_is_not_the_end(reader_for):
    kept, error, _ = _read(
        reader_for, _script(_page([], f"{ROOT}/users?p=2"), _page([], f"{ROOT}/users?p=3"), _page([{"id": "9"}]))
    )
    assert error is None
    assert kept == [b'{"id":"9"}']


def test_endless_empty_pages_end(reader_for):
    count = iter(range(10_000))
    _, error, seen = _read(reader_for, lambda request: _page([], f"{ROOT}/users?p={next(count)}"))
    assert error is not None
    assert "empty pages" in error.text
    assert len(seen) == 1000


@pytest.mark.parametrize(
    "link",
    [
        "https://graph.evil.example/v1.0/users?$skiptoken=x",
        "http://graph.microsoft.com/v1.0/users?$skiptoken=x",
        "https://graph.microsoft.com:8443/v1.0/users?$skiptoken=x",
        "https://graph.microsoft.com@evil.example/v1.0/users",
        "https://user@graph.microsoft.com/v1.0/users",
        "//evil.example/v1.0/users",
        "https://[half",
        "https://graph.microsoft.com:port/users",
    ],
)
def test_a_link_elsewhere_gets_no_request_and_no_token(reader_for, link):
    kept, error, seen = _read(reader_for, _script(_page([{"id": "1"}], link), _page([{"id": "2"}])))
    assert kept == [b'{"id":"1"}']
    assert error is not None
    assert error.kind == "malformed"
    assert [request.url.host for request in seen] == ["graph.microsoft.com"]


def test_the_default_port_and_letter_case_are_the_same_host(reader_for):
    kept, error, _ = _read(
        reader_for,
        _script(_page([{"id": "1"}], "HTTPS://GRAPH.microsoft.com:443/v1.0/users?p=2"), _page([{"id": "2"}])),
    )
    assert error is None
    assert len(kept) == 2


def test_a_relative_link_is_taken_from_the_page_it_stands_on(reader_for):
    _, error, seen = _read(reader_for, _script(_page([{"id": "1"}], "/v1.0/users?p=2"), _page([{"id": "2"}])))
    assert error is None
    assert str(seen[1].url) == f"{ROOT}/users?p=2"


def test_going_round_in_a_circle_is_noticed(reader_for):
    _, error, seen = _read(reader_for, lambda request: _page([{"id": "1"}], f"{ROOT}/users?p=2"))
    assert error is not None
    assert "circle" in error.text
    assert len(seen) == 2


@pytest.mark.parametrize(
    "body",
    [
        b'{"value":[{"id":"2"},{"id',
        b"",
        b"<html>",
        b'{"value":null}',
        b"{}",
        b'{"value":[1]}',
        b'{"value":[], "@odata.nextLink":7}',
    ],
)
def test_a_page_that_stays_damaged_cuts_the_read(reader_for, body):
    first = [_page([{"id": "1"}], f"{ROOT}/users?p=2")]
    kept, error, seen = _read(reader_for, lambda _: first.pop() if first else httpx.Response(200, content=body))
    assert kept == [b'{"id":"1"}']
    assert len(seen) == 1 + Patience().attempts
    assert error is not None
    assert error.kind == "malformed"


@pytest.mark.parametrize("after", ["7", "6.5", "Mon, 23 Nov 2026 16:00:07 GMT"])
def test_a_429_is_waited_out_and_asked_again(reader_for, clock, after):
    throttled = _error(429, "TooManyRequests", **{"Retry-After": after})
    kept, error, seen = _read(reader_for, _script(throttled, _page([{"id": "1"}])))
    assert error is None
    assert kept == [b'{"id":"1"}']
    assert 6.5 <= clock.seconds <= 7
    assert len(seen) == 2


def test_a_page_that_was_damaged_on_the_way_is_asked_for_again(reader_for):
    damaged = httpx.Response(200, content=b'{"value":[{"id":"1"},{"i')
    kept, error, seen = _read(reader_for, _script(damaged, _page([{"id": "1"}])))
    assert (kept, error, len(seen)) == ([b'{"id":"1"}'], None, 2)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_service_that_never_recovers_ends_in_bounded_time(reader_for, clock, status):
    _, error, seen = _read(reader_for, lambda request: _error(status, "serviceNotAvailable"))
    assert error.kind == "service"
    assert str(status) in error.text
    assert len(seen) == Patience().attempts
    assert clock.seconds < Patience().total


def test_a_limit_that_never_opens_again_ends_in_bounded_time(reader_for, clock):
    _, error, seen = _read(reader_for, lambda request: _error(429, "TooManyRequests", **{"Retry-After": "0"}))
    assert (error.kind, error.status) == ("service", 429)
    assert len(seen) == Patience().refusals
    assert clock.seconds < Patience().total


def test_a_broken_connection_is_tried_again_then_only_once_per_request(reader_for):
    def broken(request):
        raise httpx.ConnectError("connection reset")

    async def go():
        reader = reader_for(broken)
        async with reader.session:
            request = request_for(reader.session.client, BY_NAME["users"])
            first = await reader.collection(request, "directory", nothing)
            sent = reader.session.wire.requests
            request = request_for(reader.session.client, BY_NAME["domains"])
            second = await reader.collection(request, "directory", nothing)
            return first, sent, second, reader.session.wire.requests - sent

    first, sent, second, more = asyncio.run(go())
    assert first.kind == second.kind == "network"
    assert (sent, more) == (6, 1)


def test_a_refusal_is_not_repeated(reader_for):
    _, error, seen = _read(reader_for, lambda request: _error(403, "Authorization_RequestDenied", "Insufficient"))
    assert error.kind == "permission"
    assert len(seen) == 1


def test_an_error_without_json_is_still_told(reader_for):
    _, error, _ = _read(reader_for, lambda request: httpx.Response(403, content=b"\0\0", headers=DATE))
    assert error.kind == "permission"
    assert error.status == 403


def test_a_redirect_is_not_followed_and_shows_its_address(reader_for):
    elsewhere = "https://reports.example/data?sig=secret"
    seen = []

    def handler(request):
        seen.append(request)
        if request.url.host == "reports.example":
            return httpx.Response(200, content=b"csv", headers=DATE)
        return httpx.Response(302, headers=DATE | {"Location": elsewhere})

    async def go():
        reader = reader_for(handler)
        async with reader.session:
            answer = await reader.get(request_for(reader.session.client, BY_NAME["emailAppUsage"]), "usage-reports")
            return (
                answer,
                await reader.download(answer.headers["location"], "usage-reports"),
                reader.session.wire.requests,
            )

    answer, data, requests = asyncio.run(go())
    assert answer.headers["location"] == elsewhere
    assert data == b"csv"
    assert requests == 2
    assert "Authorization" in seen[0].headers
    assert "Authorization" not in seen[1].headers


def test_a_download_over_plain_http_is_refused_and_its_address_stays_secret(reader_for):
    async def go():
        reader = reader_for(_script())
        async with reader.session:
            await reader.download("http://reports.example/data?sig=secret", "usage-reports")

    with pytest.raises(ReadError) as caught:
        asyncio.run(go())
    assert "secret" not in str(caught.value)


def test_headers_travel_with_every_page(reader_for):
    seen = []

    def handler(request):
        seen.append(request.headers)
        return _page([], f"{ROOT}/users?p=2") if len(seen) == 1 else _page([])

    async def go():
        reader = reader_for(handler)
        async with reader.session:
            headers = {"ConsistencyLevel": "eventual"}
            request = configured(reader.session.client.users, count=True, headers=headers)
            return await reader.collection(request, "directory", nothing, headers=headers)

    assert asyncio.run(go()) is None
    assert [headers["ConsistencyLevel"] for headers in seen] == ["eventual", "eventual"]
    assert all(headers["x-ms-throttle-priority"] == "low" for headers in seen)


@pytest.mark.parametrize("body", [b"[]", b"null", b"", b"{"])
def test_a_singleton_that_is_no_object_is_refused(body):
    with pytest.raises(ReadError):
        decode_object(body)


def _failing(error):
    """The first page, then this error once, then the rest."""
    left = [_page([{"id": "1"}], f"{ROOT}/users?p=2"), error, _page([{"id": "2"}])]

    def handler(request):
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return handler


def _caused(error, cause):
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
        _caused(httpx.ReadError(""), ssl.SSLEOFError(8, "EOF occurred in violation of protocol")),
        _caused(httpx.ConnectError(""), socket.gaierror(-3, "Temporary failure in name resolution")),
        httpx.ReadTimeout("the read timed out"),
    ],
    ids=["cut", "no close_notify", "dns", "timeout"],
)
def test_trouble_that_passes_between_pages_is_got_over(reader_for, error):
    kept, ended, seen = _read(reader_for, _failing(error))
    assert (kept, ended, len(seen)) == ([b'{"id":"1"}', b'{"id":"2"}'], None, 3)


def test_a_certificate_that_is_not_trusted_any_more_ends_it_at_once(reader_for):
    untrusted = _caused(httpx.ConnectError(""), ssl.SSLCertVerificationError(1, "certificate verify failed"))
    kept, ended, seen = _read(reader_for, _failing(untrusted))
    assert (kept, ended.kind, len(seen)) == ([b'{"id":"1"}'], "network", 2)
    assert "certificate" in ended.text


def test_a_name_that_never_resolved_is_not_asked_again(reader_for):
    def gone(request):
        raise _caused(httpx.ConnectError(""), socket.gaierror(-2, "Name or service not known"))

    _, ended, seen = _read(reader_for, gone)
    assert (ended.kind, len(seen)) == ("network", 1)


def test_a_token_that_ran_out_is_replaced_once(reader_for):
    kept, ended, seen = _read(reader_for, _failing(_error(401, "InvalidAuthenticationToken")))
    assert (kept, ended, len(seen)) == ([b'{"id":"1"}', b'{"id":"2"}'], None, 3)


def test_a_new_token_that_is_refused_as_well_ends_it(reader_for):
    _, ended, seen = _read(reader_for, lambda request: _error(401, "InvalidAuthenticationToken"))
    assert (ended.kind, len(seen)) == ("token", 2)


def test_the_next_page_is_asked_for_while_one_is_kept(reader_for):
    seen = []

    def handler(request):
        seen.append(request)
        return _page([{"id": str(len(seen))}], f"{ROOT}/users?p={len(seen)}" if len(seen) < 3 else None)

    asked = []

    async def keep(page):
        await asyncio.sleep(0.05)
        asked.append(len(seen))

    async def go():
        reader = reader_for(handler)
        async with reader.session:
            request = request_for(reader.session.client, BY_NAME["users"])
            return await reader.collection(request, "directory", keep)

    assert asyncio.run(go()) is None
    assert asked == [2, 3, 3]


def test_no_more_pages_are_in_memory_than_the_budget_allows(reader_for):
    """Ten collections at once: from the request until the page is kept, never more than the budget."""
    count = iter(range(1000))
    alive = most = 0

    def handler(request):
        nonlocal alive, most
        alive += 1
        most = max(most, alive)
        number = next(count)
        return _page([{"id": str(number)}], f"{ROOT}/users?p={number}" if number < 60 else None)

    async def keep(page):
        nonlocal alive
        await asyncio.sleep(0)
        alive -= 1

    async def go():
        reader = reader_for(handler)
        async with reader.session:
            reads = [
                reader.collection(request_for(reader.session.client, BY_NAME["users"]), "directory", keep)
                for _ in range(10)
            ]
            return await asyncio.gather(*reads)

    assert asyncio.run(go()) == [None] * 10
    assert alive == 0
    assert 1 < most <= IN_FLIGHT
