"""Every dataset that Graph gives directly has a builder of the SDK, and it says what the catalogue says."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import pytest

from auditor.catalogue import CATALOGUE
from auditor.graph.requests import beta_url, request_for

DIRECT = [dataset for dataset in CATALOGUE if dataset.service == "graph"]


@pytest.mark.parametrize("dataset", DIRECT, ids=lambda dataset: dataset.name)
def test_path_and_query_are_the_catalogues(reader_for, dataset):
    seen = []

    def handler(request):
        seen.append(request)
        return httpx.Response(200, json={"value": []})

    async def go():
        reader = reader_for(handler)
        async with reader.session:
            request = request_for(
                reader.session.client, dataset, filter_="name eq 'O''Neil & co'" if dataset.filter else ""
            )
            await reader.get(request, "directory")

    asyncio.run(go())
    url = urlsplit(unquote(str(seen[0].url).partition("?")[0]))
    assert url.path == f"/v1.0{dataset.path}"
    query = {name: values[0] for name, values in parse_qs(str(seen[0].url.query, "ascii")).items()}
    expected = {}
    if dataset.select:
        expected["$select"] = ",".join(dataset.select)
    if dataset.page_size:
        expected["$top"] = str(dataset.page_size)
    if dataset.filter:
        expected["$filter"] = "name eq 'O''Neil & co'"
    assert query == expected


def test_an_address_of_beta_keeps_its_dollars_and_encodes_its_values():
    url = beta_url("https://graph.test", "/reports/x(period='D7')", {"$format": "application/json", "$top": "9"})
    assert url == "https://graph.test/beta/reports/x(period='D7')?$format=application%2Fjson&$top=9"
