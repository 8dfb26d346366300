"""`$batch`: up to 20 reads in one request, each judged by the service on its own.

Written by hand because the SDK's batch classes cannot be imported as installed. An outer 200 says nothing: every inner
answer has its own status, and an inner 429 its own Retry-After (https://learn.microsoft.com/graph/json-batching).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from auditor.catalogue import Bucket
from auditor.graph.reader import Reader
from auditor.graph.refusal import ReadError, refusal
from auditor.graph.requests import post_json
from auditor.graph.session import count_inner
from auditor.graph.throttle import Throttled, retry_after, retrying

SIZE = 20


class _Inner(msgspec.Struct):
    id: str
    status: int
    headers: dict[str, Any] | None = None
    body: msgspec.Raw = msgspec.Raw(b"null")


class _Response(msgspec.Struct):
    responses: list[_Inner]


class _Error(msgspec.Struct):
    code: str = ""
    message: str = ""


class _ErrorBody(msgspec.Struct):
    error: _Error | None = None


@dataclass(frozen=True, slots=True)
class InnerAnswer:
    """One call's end: `body` on success (bytes of one JSON object), else `error`."""

    key: str
    body: bytes = b""
    error: ReadError | None = None


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the calls of a batch have in common. `cost`: of one, in the units of its service's limit."""

    url: str
    bucket: Bucket
    cost: float
    headers: Mapping[str, str]


async def batch(
    reader: Reader,
    calls: Sequence[tuple[str, str]],
    *,
    version: str,
    bucket: Bucket = "directory",
    cost: float = 1.0,
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[list[InnerAnswer]]:
    """Reads `calls` ((key, path below the version) pairs) 20 at a time, answers in the order of the calls. The first
    goes alone: where the right is missing, that one refusal is all there is to learn. `headers` and `cost` are those
    of each call.

    Raises ReadError where the batch itself is refused; inner refusals stand in the answers."""
    kind = _Kind(f"{reader.session.where.graph}/{version}/$batch", bucket, cost, headers or {})
    for part in (calls[:1], *(calls[start : start + SIZE] for start in range(1, len(calls), SIZE))):
        if part:
            yield await _all_answers(reader, kind, part)


async def _all_answers(reader: Reader, kind: _Kind, calls: Sequence[tuple[str, str]]) -> list[InnerAnswer]:
    """Repeats the throttled ones until each has an answer or patience ends."""
    gate = reader.gates[kind.bucket]
    answers: dict[int, InnerAnswer] = {}

    async def attempt() -> None:
        open_ = [number for number in range(len(calls)) if answers.get(number) is None or _again(answers[number])]
        async with gate.passing(kind.cost * len(open_)):
            found, wait = await _send(reader, kind, {number: calls[number] for number in open_})
        answers.update(found)
        errors = [error for number in open_ if (error := answers[number].error) and error.kind == "service"]
        if errors:
            raise Throttled(_Unfinished(), after=wait, refused=any(error.status == 429 for error in errors))

    with suppress(_Unfinished):  # what is still throttled keeps its own 429
        await retrying(attempt, gate, cost=0)
    return [answers[number] for number in range(len(calls))]


class _Unfinished(Exception):  # noqa: N818 - never leaves this module
    pass


def _again(answer: InnerAnswer) -> bool:
    return answer.error is not None and answer.error.kind == "service"


async def _send(
    reader: Reader, kind: _Kind, calls: Mapping[int, tuple[str, str]]
) -> tuple[dict[int, InnerAnswer], float | None]:
    also = {"headers": kind.headers} if kind.headers else {}
    requests = [{"id": str(number), "method": "GET", "url": path, **also} for number, (_, path) in calls.items()]
    count_inner(len(requests))
    request = post_json(kind.url, msgspec.json.encode({"requests": requests}))
    body = (await reader.get(request, kind.bucket, cost=0)).body
    try:
        responses = msgspec.json.decode(body, type=_Response).responses
    except msgspec.DecodeError as error:
        raise ReadError("malformed", f"the answer to a batch is not of its form ({error})") from None
    by_id = {inner.id: inner for inner in responses}
    answers: dict[int, InnerAnswer] = {}
    waits: list[float] = []
    for number, (key, _) in calls.items():
        inner = by_id.get(str(number))
        if inner is None:
            raise ReadError("malformed", "a batch came back without one of its answers")
        answers[number] = _answer(key, inner)
        headers = {name.lower(): str(value) for name, value in (inner.headers or {}).items()}
        reader.gates[kind.bucket].heed(kind.cost, headers)
        if _again(answers[number]):
            waits.append(retry_after(headers, reader.session.service_now()) or 0.0)
    return answers, max(waits, default=0.0) or None


def _answer(key: str, inner: _Inner) -> InnerAnswer:
    body = bytes(inner.body)
    if inner.status == 200:
        if body.startswith(b"{"):
            return InnerAnswer(key, body)
        return InnerAnswer(key, error=ReadError("malformed", "an answer in a batch is no object"))
    try:
        error = msgspec.json.decode(body, type=_ErrorBody | None)
    except msgspec.DecodeError:
        error = None
    main = error.error if error and error.error else _Error()
    return InnerAnswer(key, error=refusal(inner.status, main.code, main.message))
