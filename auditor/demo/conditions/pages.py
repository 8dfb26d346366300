"""Changes to one page of a collection: its records, and where its nextLink leads."""

from __future__ import annotations

import json
from collections.abc import Callable, Set
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from aiohttp import web

from auditor.demo.conditions.broken import body_of

LINK = "@odata.nextLink"
Page = dict[str, Any]


def change(response: web.StreamResponse, how: Callable[[Page], None]) -> web.StreamResponse:
    """The same answer with its page changed; what is no page stays as it is."""
    page = decoded(response)
    if page is not None and isinstance(response, web.Response):
        how(page)
        response.body = json.dumps(page, ensure_ascii=False, separators=(",", ":")).encode()
    return response


def decoded(response: web.StreamResponse) -> Page | None:
    if response.status != 200 or response.content_type != "application/json":
        return None
    body = json.loads(body_of(response))
    return body if isinstance(body, dict) and isinstance(body.get("value"), list) else None


def emptied(page: Page, again: str) -> None:
    page |= {"value": [], LINK: again}


def linked(page: Page, link: str) -> None:
    page[LINK] = link


def elsewhere(page: Page, host: str) -> None:
    if LINK in page:
        page[LINK] = urlunsplit(urlsplit(page[LINK])._replace(netloc=host))


def relative(page: Page) -> None:
    if LINK in page:
        page[LINK] = urlunsplit(urlsplit(page[LINK])._replace(scheme="", netloc=""))


def repeated(page: Page, records: list[Any]) -> None:
    page["value"] = [*records, *page["value"]]


def without(page: Page, ids: Set[str]) -> None:
    page["value"] = [
        record for record in page["value"] if not isinstance(record, dict) or str(record.get("id")).lower() not in ids
    ]
