"""The processes of bench/collect.py: the emulated tenant, and three ways to read it. Each prints one line of JSON.

python bench/collect_ways.py WAY ARGUMENTS_AS_JSON
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
import ssl
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # not this folder, which has a module named html

Json = dict[str, Any]


def main() -> None:
    sys.modules["trio"] = None  # type: ignore[assignment]  # only a test tool brings it; httpx would load it for nothing
    way, arguments = sys.argv[1], json.loads(sys.argv[2])
    print(json.dumps({"serve": serve, "collector": collector, "plain": plain, "floor": floor}[way](**arguments)))


def peak_mib() -> float:
    """This process's largest resident set; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


# the emulated tenant


def serve(accounts: int, plans: int, folder: str, scale: float, limited: bool, rival: float) -> Json:
    """Serves until stdin ends. First says where the config is; each line of input is answered with what was asked."""
    from auditor.demo.conditions import Conditions, Limits, ScaledClock
    from auditor.demo.server import Emulator
    from auditor.demo.settings import write_config
    from auditor.demo.tenant import generate

    began = time.perf_counter()
    tenant = generate(accounts=accounts, plans=plans)
    conditions = Conditions(clock=ScaledClock(scale), limits=Limits(rival) if limited else None)
    with Emulator(tenant, Path(folder) / "private", conditions=conditions) as emulator:
        config = Path(folder) / "config.toml"
        write_config(tenant, emulator, config)
        print(json.dumps({"config": str(config), "started": time.perf_counter() - began}), flush=True)
        for _ in sys.stdin:
            entries = emulator.requests.entries
            asked: dict[Any, list[Any]] = {}
            for entry in entries:
                if (entry.service, entry.method, entry.status) == ("graph", "GET", 200):
                    query = sorted(pair for pair in parse_qsl(entry.query) if pair[0] != "$skiptoken")
                    asked.setdefault((entry.path, *query), [entry.path, entry.query, 0])[2] += 1
            reports = dict.fromkeys(entry.path for entry in entries if (entry.service, entry.status) == ("graph", 302))
            tallies = {
                "/".join(key).rstrip("/"): [one.units, one.admitted, one.refused, one.first, one.last]
                for key, one in emulator.tallies.items()
            }
            said = {"asked": list(asked.values()), "reports": list(reports), "tallies": tallies, "peak_mib": peak_mib(),
                    "cpu": time.process_time(),
                    "requests": len(entries), "refused": sum(entry.status == 429 for entry in entries)}  # fmt: skip
            print(json.dumps(said), flush=True)
    return {}


# (a) this collector


def collector(config: str, folder: str, scale: float, quota_share: float) -> Json:
    import msgspec

    from auditor.collect import collect
    from auditor.config import load
    from auditor.demo.conditions import ScaledClock

    loaded = load(Path(config))
    audit = msgspec.structs.replace(loaded.config.audit, quota_share=quota_share)
    loaded = msgspec.structs.replace(loaded, config=msgspec.structs.replace(loaded.config, audit=audit))
    clock = ScaledClock(scale)
    with _measured() as taken:
        result = asyncio.run(collect(loaded, loaded.config.tenants[0], Path(folder), clock=clock))
    datasets = {
        name: {
            "state": entry.status.state,
            "records": entry.status.records,
            "requests": entry.requests,
            "inner_requests": entry.inner_requests,
            "reason": entry.status.reason,
        }
        for name, entry in result.datasets.items()
    }
    size = sum(path.stat().st_size for path in Path(folder).iterdir())
    return {**taken, "requests": result.requests, "datasets": datasets, "disk": size}


# (b) the plain way


def plain(config: str, users: int) -> Json:
    """CPU for `users` accounts and as many registration rows: typed models, PageIterator, and one licence call for each
    account; loading the libraries is not counted."""
    return asyncio.run(_plain(_tenant(config), users))


async def _plain(tenant: Json, users: int) -> Json:
    import httpx
    from azure.identity.aio import ClientSecretCredential
    from kiota_abstractions.base_request_configuration import RequestConfiguration
    from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
    from msgraph.graph_request_adapter import GraphRequestAdapter
    from msgraph.graph_service_client import GraphServiceClient
    from msgraph_core import GraphClientFactory
    from msgraph_core.tasks.page_iterator import PageIterator

    from auditor.catalogue import BY_NAME

    credential = ClientSecretCredential(
        tenant["tenant_id"], tenant["client_id"], tenant["secret"], authority=tenant["authority"],
        disable_instance_discovery=True, connection_verify=tenant["ca_bundle"],
    )  # fmt: skip
    transport = httpx.AsyncClient(verify=ssl.create_default_context(cafile=tenant["ca_bundle"]))
    provider = AzureIdentityAuthenticationProvider(
        credential, scopes=[f"{tenant['graph_url']}/.default"], allowed_hosts=["localhost"]
    )
    adapter = GraphRequestAdapter(provider, GraphClientFactory.create_with_default_middleware(client=transport))
    adapter.base_url = f"{tenant['graph_url']}/v1.0"
    client = GraphServiceClient(request_adapter=adapter)
    registrations = client.reports.authentication_methods.user_registration_details

    async def iterate(builder: Any, count: int, **query: Any) -> list[Any]:
        parameters = getattr(builder, f"{type(builder).__name__}GetQueryParameters")(top=min(count, 999), **query)
        found: list[Any] = []

        def keep(one: Any) -> bool:
            found.append(one)
            return len(found) < count

        first = await builder.get(RequestConfiguration(query_parameters=parameters))
        await PageIterator(first, adapter).iterate(keep)
        return found

    async def read(count: int) -> int:
        """Users and registrations as typed models, and the licences of each user."""
        found = await iterate(client.users, count, select=list(BY_NAME["users"].select))
        for user in found:
            await client.users.by_user_id(user.id).license_details.get()
        await iterate(registrations, count)
        return len(found)

    await read(1)
    with _measured() as taken:
        count = await read(users)
    await credential.close()
    await transport.aclose()
    return {**taken, "users": count}


# (c) the floor


def floor(config: str, asked: list[tuple[str, str, int]], reports: list[str], cmdlets: list[str]) -> Json:
    """The collector's own requests once more: bytes down, decoded once into plain objects, and dropped. `asked`: path
    and query of first pages, and how many pages were read from there."""
    import httpx
    import msgspec

    tenant = _tenant(config)
    records: dict[str, int] = {}
    down = decoded = 0.0
    size = 0

    def take(name: str, send: Callable[[], httpx.Response]) -> Json:
        nonlocal down, decoded, size
        before = time.process_time()
        body = send().raise_for_status().content
        between = time.process_time()
        page: Json = msgspec.json.decode(body)
        size += len(body)
        records[name] = records.get(name, 0) + len(page.get("value", ()))
        down += between - before
        decoded += time.process_time() - between
        return page

    with _measured() as taken, httpx.Client(verify=ssl.create_default_context(cafile=tenant["ca_bundle"])) as http:
        headers = {"Authorization": f"Bearer {_token(http, tenant, 'graph_url')}", "ConsistencyLevel": "eventual",
                   "Prefer": "include-unknown-enum-members"}  # fmt: skip
        for path, query, pages in asked:
            link = f"{tenant['graph_url']}{path}" + (f"?{query}" if query else "")
            for _ in range(pages):
                page = take(path, lambda link=link: http.get(link, headers=headers))  # type: ignore[misc]
                link = page.get("@odata.nextLink", "")
        for path in reports:
            location = http.get(f"{tenant['graph_url']}{path}", headers=headers).headers["Location"]
            before = time.process_time()
            content = http.get(location).content
            between = time.process_time()
            records[path] = sum(1 for _ in csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
            down, decoded = down + between - before, decoded + time.process_time() - between
            size += len(content)
        for name, url, headers, body in _commands(http, tenant, cmdlets):
            next_url: str | None = url
            while next_url:
                page = take(name, lambda url=next_url: http.post(url, headers=headers, content=body))  # type: ignore[misc]  # noqa: B023
                next_url = page.get("@odata.nextLink")
    return {**taken, "bytes": size, "records": records, "down": down, "decoded": decoded}


def _commands(http: Any, tenant: Json, names: list[str]) -> Iterator[tuple[str, str, dict[str, str], bytes]]:
    """(dataset, address, headers, body) of each cmdlet that gives a list."""
    from auditor.catalogue import BY_NAME
    from auditor.exchange.properties import PARAMETERS, SELECTED

    anchor = f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{tenant['tenant_id']}"
    headers = {"Authorization": f"Bearer {_token(http, tenant, 'exchange_url')}", "X-AnchorMailbox": anchor}
    for name in names:
        url = f"{tenant['exchange_url']}/adminapi/beta/{tenant['tenant_id']}/InvokeCommand"
        selected = f"?$select={','.join(SELECTED[name])}" if name in SELECTED else ""
        command = {"CmdletName": BY_NAME[name].path, "Parameters": PARAMETERS.get(name, {})}
        yield name, url + selected, headers, json.dumps({"CmdletInput": command}).encode()


def _token(http: Any, tenant: Json, resource: str) -> str:
    form = {"grant_type": "client_credentials", "client_id": tenant["client_id"], "client_secret": tenant["secret"],
            "scope": f"{tenant[resource]}/.default"}  # fmt: skip
    answer = http.post(f"{tenant['authority']}/{tenant['tenant_id']}/oauth2/v2.0/token", data=form)
    token: str = answer.raise_for_status().json()["access_token"]
    return token


def _tenant(config: str) -> Json:
    """The emulated tenant's own entry of its config, with paths and the secret filled in."""
    path = Path(config)
    tenant: Json = tomllib.loads(path.read_text("utf-8"))["tenants"][0]
    secret = (path.parent / tenant["client_secret_file"]).read_text("utf-8")
    return tenant | {"secret": secret, "ca_bundle": str(path.parent / tenant["ca_bundle"])}


class _measured:  # noqa: N801 - used as a function
    """CPU and elapsed seconds of a block, and the process's peak."""

    def __enter__(self) -> Json:
        self.taken: Json = {}
        self._began = (time.process_time(), time.perf_counter())
        return self.taken

    def __exit__(self, *_: object) -> None:
        cpu, wall = self._began
        self.taken |= {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall, "peak_mib": peak_mib()}


if __name__ == "__main__":
    main()
