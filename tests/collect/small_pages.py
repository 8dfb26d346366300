"""A collection with pages of twenty records, so that a small tenant takes many; run as a program, in a process that a
test may kill."""

from __future__ import annotations

import asyncio
import re
import ssl
from pathlib import Path
from typing import Any

import httpx

from auditor.clock import Clock
from auditor.collect import CollectResult, collect
from auditor.config import LoadedConfig, load
from auditor.demo.conditions import ScaledClock
from auditor.graph.session import GraphSession
from auditor.graph.transport import Transport

SIZE = 20


class SmallPages(Transport):
    """The real transport, but whoever asks for a full page gets a small one."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        for name in ("$top", "%24top"):
            if int(request.url.params.get(name, 0)) > SIZE:
                request.url = request.url.copy_set_param(name, SIZE)
        if "odata.maxpagesize" in request.headers.get("Prefer", ""):
            request.headers["Prefer"] = f"odata.maxpagesize={SIZE}"
        if request.url.path.endswith("/$batch"):
            calls = re.sub(rb"(?<=\$top=)\d{3,}", str(SIZE).encode(), await request.aread())
            headers = {name: value for name, value in request.headers.items() if name != "content-length"}
            request = httpx.Request(
                request.method, request.url, headers=headers, content=calls, extensions=request.extensions
            )
        return await super().handle_async_request(request)


def collect_small(config: LoadedConfig, folder: Path, clock: Clock, **options: Any) -> CollectResult:
    tenant = config.config.tenants[0]
    trust = ssl.create_default_context(cafile=str(config.path(tenant.ca_bundle)))
    session = GraphSession.open(config, tenant, clock=clock, transport=SmallPages(trust))
    return asyncio.run(collect(config, tenant, folder, clock=clock, session=session, **options))


if __name__ == "__main__":
    given = globals()
    collect_small(load(given["config"]), given["folder"], ScaledClock(100_000), resume=given["resume"])
