"""`$batch`: up to twenty calls in one (https://learn.microsoft.com/graph/json-batching)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from auditor.demo.graph.call import Answer, Call, bad_request

LIMIT = 20


def answer(batch: Call, dispatch: Callable[[Call], Answer]) -> Answer:
    """The batch's answer: 200 with one status per inner call; 400 where the batch itself is wrong (GraphError)."""
    requests = _checked(batch.body)
    failed: set[str] = set()
    responses = []
    for request in requests:
        result = (
            Answer(424, {"error": {"code": "FailedDependency", "message": "A request this one depends on failed."}})
            if failed.intersection(request.get("dependsOn", ()))
            else dispatch(_inner(batch, request))
        )
        if result.status >= 400:
            failed.add(request["id"])
        responses.append(_response(request["id"], result))
    return Answer(200, {"responses": responses})


def _checked(body: Any) -> list[dict[str, Any]]:
    requests = body.get("requests") if isinstance(body, dict) else None
    if not isinstance(requests, list) or not requests:
        raise bad_request("Invalid batch payload format.")
    if len(requests) > LIMIT:
        raise bad_request(f"Number of batch request steps exceeds the maximum value of {LIMIT}.")
    seen: set[str] = set()
    for request in requests:
        if not _well_formed(request):
            raise bad_request("Invalid batch payload format: each request needs `id`, `method` and `url`.")
        if request["id"] in seen:
            raise bad_request(f"Invalid batch payload: the request id '{request['id']}' is used twice.")
        unknown = set(request.get("dependsOn", ())) - seen
        if unknown:
            raise bad_request(f"Request '{request['id']}' depends on '{min(unknown)}', which does not precede it.")
        seen.add(request["id"])
    return requests


def _well_formed(request: Any) -> bool:
    if not isinstance(request, dict):
        return False
    named = all(isinstance(request.get(name), str) and request[name] for name in ("id", "method", "url"))
    after = request.get("dependsOn", [])
    ordered = isinstance(after, list) and all(isinstance(name, str) for name in after)
    return named and ordered and isinstance(request.get("headers") or {}, dict) and "[" not in request["url"]


def _inner(batch: Call, request: Mapping[str, Any]) -> Call:
    parts = urlsplit(request["url"])
    headers = {str(name).lower(): str(value) for name, value in (request.get("headers") or {}).items()}
    return Call(
        batch.version,
        request["method"].upper(),
        "/" + unquote(parts.path).lstrip("/"),
        dict(parse_qsl(parts.query, keep_blank_values=True)),
        headers,
        request.get("body"),
    )


def _response(request_id: str, result: Answer) -> dict[str, Any]:
    response: dict[str, Any] = {"id": request_id, "status": result.status, "headers": dict(result.headers)}
    if result.body is not None:
        response["headers"].setdefault("Content-Type", "application/json")
        response["body"] = result.body
    return response
