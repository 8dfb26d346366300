"""How each service says no, and how a Retry-After is written."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from auditor.demo.conditions.faults import Service, Status, TokenRevoked
from auditor.demo.wire import http_date, json_response

CODES = {
    400: "BadRequest", 401: "InvalidAuthenticationToken", 403: "AccessDenied", 404: "Request_ResourceNotFound",
    410: "syncStateNotFound", 429: "TooManyRequests", 500: "InternalServerError", 502: "BadGateway",
    503: "ServiceUnavailable", 504: "GatewayTimeout",
}  # fmt: skip
EXPIRED_PAGE = {400: "Directory_ExpiredPageToken", 410: "syncStateNotFound"}
GRAPH_ID = "00000003-0000-0000-c000-000000000000"


def refusal(
    service: Service, status: int, headers: Mapping[str, str], *, code: str = "", message: str = ""
) -> web.Response:
    """The service's own form of an error."""
    message = message or "The emulated tenant was told to refuse this request."
    if service == "reports":
        return web.Response(status=status, text=message, headers=headers)
    return json_response(status, _body(service, code or CODES.get(status, "UnknownError"), message), headers)


def _body(service: Service, code: str, message: str) -> dict[str, Any]:
    if service == "login":
        return {
            "error": "temporarily_unavailable",
            "error_description": f"AADSTS90033: A transient error has occurred. Please try again. ({message})",
            "error_codes": [90033],
        }
    error: dict[str, Any] = {"code": code, "message": message}
    if service == "exchange":
        error["details"] = [{"code": "Context", "target": "", "message": f"|{code}|{message}"}]
    return {"error": error}


def retry_after(fault: Status, date: datetime, scale: float) -> dict[str, str]:
    """The header of a planned refusal; seconds are told in the client's time (`scale`: how much faster ours runs)."""
    wanted = fault.retry_after
    if wanted is None:
        return {}
    if isinstance(wanted, str):
        _, marked, seconds = wanted.partition("date+")
        known = marked and seconds.replace(".", "", 1).isdigit()
        value = http_date(date + timedelta(seconds=float(seconds) / scale)) if known else wanted
        return {"Retry-After": value}
    return {"Retry-After": told(wanted, scale)}


def told(seconds: float, scale: float) -> str:
    """Seconds as the header writes them: whole where they are whole."""
    value = seconds / scale
    return str(int(value)) if value == int(value) else f"{value:.3f}"


def revoked(fault: TokenRevoked, service: Service, date: datetime, login: str) -> web.Response:
    """https://learn.microsoft.com/entra/identity-platform/claims-challenge"""
    if not fault.claims:
        message = "Lifetime validation failed, the token is expired."
        challenge = 'Bearer realm="", error="invalid_token"'
    else:
        message = (
            "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: "
            "TokenIssuedBeforeRevocationTimestamp"
        )
        wanted = {"access_token": {"nbf": {"essential": True, "value": str(int(date.timestamp()))}}}
        claims = base64.b64encode(json.dumps(wanted).encode()).decode()
        challenge = (
            f'Bearer realm="", authorization_uri="{login}/common/oauth2/authorize", client_id="{GRAPH_ID}", '
            f'error="insufficient_claims", claims="{claims}"'
        )
    return refusal(service, 401, {"WWW-Authenticate": challenge}, message=message)
