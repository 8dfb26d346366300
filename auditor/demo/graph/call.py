"""One call to Graph and its answer, free of any web server: a `$batch` makes the same calls as the wire does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Workload = Literal["directory", "policy", "reporting", "usage"]
"""the service behind a path: it decides the form of its errors"""


@dataclass(frozen=True, slots=True)
class Call:
    """`path` starts behind the version and is decoded; header names are lower case."""

    version: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any = None


@dataclass(frozen=True, slots=True)
class Answer:
    """`body`: a JSON value, or None for none."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class GraphError(Exception):
    """A refusal with Graph's own code and message."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def body(self, date: str, request_id: str, client_request_id: str) -> dict[str, Any]:
        """https://learn.microsoft.com/graph/errors"""
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "innerError": {
                    "date": date,
                    "request-id": request_id,
                    "client-request-id": client_request_id,
                },
            }
        }


def bad_request(message: str) -> GraphError:
    return GraphError(400, "BadRequest", message)


def not_found(object_id: str) -> GraphError:
    return GraphError(
        404,
        "Request_ResourceNotFound",
        f"Resource '{object_id}' does not exist or one of its queried reference-property objects are not present.",
    )


def no_segment(path: str) -> GraphError:
    return bad_request(f"Resource not found for the segment '{path.strip('/').split('/')[-1]}'.")


def unsupported(workload: Workload, message: str) -> GraphError:
    """A query the service cannot serve; the directory has a code of its own for it."""
    return GraphError(400, "Request_UnsupportedQuery" if workload == "directory" else "BadRequest", message)
