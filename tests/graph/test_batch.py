"""An outer 200 says nothing: every inner answer is judged on its own."""

from __future__ import annotations

import asyncio
import json

import httpx
import pytest

from auditor.graph.batch import batch
from auditor.graph.refusal import ReadError
from auditor.graph.session import counting

DATE = {"Date": "Mon, 23 Nov 2026 16:00:00 GMT"}


def _answer(request, inner):
    calls = json.loads(request.content)["requests"]
    responses = [{"id": call["id"], **inner(call["url"])} for call in calls]
    return httpx.Response(200, json={"responses": list(reversed(responses))}, headers=DATE)


def _ok(url):
    return {"status": 200, "body": {"url": url}}


def _run(reader_for, handler, calls):
    sizes = []

    def watching(request):
        sizes.append(len(json.loads(request.content)["requests"]))
        return handler(request)

    async def go():
        reader = reader_for(watching)
        async with reader.session:
            with counting() as tally:
                found = [answer async for answers in batch(reader, calls, version="beta") for answer in answers]
            return found, tally

    found, tally = asyncio.run(go())
    return found, tally, sizes


def test_answers_come_in_the_order_of_the_calls_twenty_at_a_time(reader_for):
    calls = [(str(number), f"/users/{number}") for number in range(45)]
    found, tally, sizes = _run(reader_for, lambda request: _answer(request, _ok), calls)
    assert [answer.key for answer in found] == [key for key, _ in calls]
    assert json.loads(found[44].body) == {"url": "/users/44"}
    assert sizes == [1, 20, 20, 4]
    assert (tally.requests, tally.inner_requests) == (4, 45)


def test_only_the_throttled_ones_are_asked_again_after_the_longest_wait(reader_for, clock):
    asked = []

    def inner(url):
        asked.append(url)
        if url == "/b" and asked.count("/b") == 1:
            return {"status": 429, "headers": {"Retry-After": "12"}, "body": {"error": {"code": "TooManyRequests"}}}
        return _ok(url)

    found, _, _ = _run(reader_for, lambda request: _answer(request, inner), [("a", "/a"), ("b", "/b"), ("c", "/c")])
    assert all(answer.error is None for answer in found)
    assert sorted(asked) == ["/a", "/b", "/b", "/c"]
    assert clock.seconds == pytest.approx(12)


def test_what_stays_throttled_keeps_its_error(reader_for):
    def inner(url):
        return _ok(url) if url == "/a" else {"status": 503, "body": {"error": {"code": "serviceNotAvailable"}}}

    found, _, _ = _run(reader_for, lambda request: _answer(request, inner), [("a", "/a"), ("b", "/b")])
    assert found[0].error is None
    assert found[1].error.kind == "service"


def test_refusals_stand_in_their_own_answers(reader_for):
    def inner(url):
        if url == "/gone":
            return {"status": 404, "body": {"error": {"code": "Request_ResourceNotFound", "message": "no"}}}
        return {"status": 403, "body": None} if url == "/bare" else {"status": 200, "body": [1]}

    calls = [("gone", "/gone"), ("bare", "/bare"), ("odd", "/odd")]
    found, _, _ = _run(reader_for, lambda request: _answer(request, inner), calls)
    assert [answer.error.kind for answer in found] == ["not-found", "permission", "malformed"]


@pytest.mark.parametrize("body", [{"responses": []}, {}, {"responses": [{"id": "0"}]}])
def test_a_batch_that_lost_an_answer_is_refused(reader_for, body):
    with pytest.raises(ReadError) as caught:
        _run(reader_for, lambda request: httpx.Response(200, json=body, headers=DATE), [("a", "/a")])
    assert caught.value.kind == "malformed"


def test_no_calls_no_request(reader_for):
    found, tally, _ = _run(reader_for, lambda request: _answer(request, _ok), [])
    assert (found, tally.requests) == ([], 0)
