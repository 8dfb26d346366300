"""Which of the service limits a call to Graph counts under, and what a refused one is told.

https://learn.microsoft.com/graph/throttling-limits
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from auditor.demo.conditions.limits import Draw, Meter, Name
from auditor.demo.conditions.refusals import told
from auditor.demo.entra.tokens import AccessToken
from auditor.demo.graph.call import Call, GraphError
from auditor.demo.graph.routes import Route, resource_units

SHOWN_FROM, SHOWN_TO = 0.8, 1.8
"""between which `x-ms-throttle-limit-percentage` is sent"""

PATHS: tuple[tuple[str, Name], ...] = (
    ("/identity/conditionalAccess/", "conditional-access"),
    ("/auditLogs/", "reports"),
    ("/reports/authenticationMethods/", "reports"),
)


@dataclass(frozen=True)
class ServiceLimits:
    """`scale`: how much faster the emulator's time runs than that of the client, who is told seconds of its own."""

    meter: Meter
    tenant_id: str
    scale: float = 1.0

    def admit(self, call: Call, route: Route, token: AccessToken) -> dict[str, str]:
        """Counts the call and gives the headers that its answer carries beside the usual ones.

        Raises GraphError 429 where a limit is used up."""
        headers: dict[str, str] = {}
        for name, cost, key in _counted(call, route):
            draw = self.meter.take(name, cost, key)
            if name == "directory" and draw.used >= SHOWN_FROM:
                headers["x-ms-throttle-limit-percentage"] = f"{min(draw.used, SHOWN_TO):.2f}"
            if not draw.admitted:
                raise GraphError(
                    429,
                    "TooManyRequests",
                    "Too many requests. Please retry after the time that is named, or later.",
                    headers | self._refusal(name, draw, token) | unit_header(route, call),
                )
        return headers

    def _refusal(self, name: Name, draw: Draw, token: AccessToken) -> dict[str, str]:
        if name == "conditional-access":  # the one limit whose refusal names no time
            return {}
        seconds = float(math.ceil(draw.wait)) or 1.0
        headers = {"Retry-After": told(seconds, self.scale)}
        if name == "directory":
            headers["x-ms-throttle-scope"] = f"Tenant_Application/ReadWrite/{token.app_id}/{self.tenant_id}"
            headers["x-ms-throttle-information"] = "ResourceUnitLimitExceeded"
        return headers


def unit_header(route: Route, call: Call) -> dict[str, str]:
    units = resource_units(route, call.query)
    return {} if units is None else {"x-ms-resource-unit": str(units)}


def _counted(call: Call, route: Route) -> Iterator[tuple[Name, float, str]]:
    """(limit, cost, key) of each limit that the call counts under."""
    if "signinactivity" in call.query.get("$select", "").lower():
        yield "sign-in-activity", 1, ""
    units = resource_units(route, call.query)
    if units is not None:
        yield "directory", units, ""
    elif route.rules.workload == "usage":
        json = call.query.get("$format") == "application/json"
        yield "usage-json" if json else "usage-csv", 1, route.pattern
    else:
        name = next((name for path, name in PATHS if route.pattern.startswith(path)), None)
        if name is not None:
            yield name, 1, ""
