"""The OData query of one call, checked, and the pages it cuts out of a collection.

Page tokens are opaque to a client: they are sealed, and only valid for the very query that they came with.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from auditor.demo.graph import filters
from auditor.demo.graph.call import Call, GraphError, Workload, bad_request, unsupported
from auditor.demo.graph.schema import EntityType
from auditor.demo.wire import Sealer

SKIP_TOKEN = "$skiptoken"
PATH_SAFE = "/()'=@$,:"
_KNOWN = {"$select", "$top", "$filter", "$count", "$format", SKIP_TOKEN}


@dataclass(frozen=True, slots=True)
class Rules:
    """What a path supports. `pages`: default and largest `$top`; None: the path gives all at once and takes no
    `$top`. `filterable`: property paths that `$filter` may name. `extra`: properties beyond the declared type."""

    entity: EntityType
    workload: Workload
    pages: tuple[int, int] | None = None
    filterable: frozenset[str] = frozenset()
    selectable: bool = True
    extra: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Query:
    """`select`: property names as the type writes them, empty for none given. `given`: the options as sent."""

    select: tuple[str, ...]
    size: int | None
    offset: int
    filter: filters.Filter | None
    count: bool
    given: Mapping[str, str]


def read(call: Call, rules: Rules, sealer: Sealer) -> Query:
    """The checked query. Raises GraphError 400 in the words of the service."""
    options = {name: value for name, value in call.query.items() if name.startswith("$")}
    unknown = [name for name in options if name not in _KNOWN]
    if unknown:
        raise unsupported(rules.workload, f"The query option '{unknown[0]}' is not supported.")
    return Query(
        _select(options.get("$select"), rules),
        _size(options.get("$top"), rules),
        _offset(call, options, sealer),
        _filter(options.get("$filter"), rules),
        options.get("$count", "").lower() == "true",
        options,
    )


def _select(text: str | None, rules: Rules) -> tuple[str, ...]:
    if text is None or not rules.selectable:
        return ()
    names: list[str] = []
    extra = {name.lower(): name for name in rules.extra}
    for given in (part.strip() for part in text.split(",")):
        name = rules.entity.by_lower_case.get(given.lower()) or extra.get(given.lower())
        if name is None:
            raise bad_request(
                f"Parsing OData Select and Expand failed: Could not find a property named '{given}' on type "
                f"'{rules.entity.name}'."
            )
        names.append(name)
    return tuple(dict.fromkeys(names))


def _size(text: str | None, rules: Rules) -> int | None:
    if rules.pages is None:
        if text is not None:
            raise unsupported(rules.workload, "The query option '$top' is not supported.")
        return None
    if text is None:
        return rules.pages[0]
    size = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if not 1 <= size <= rules.pages[1]:
        raise GraphError(
            400,
            "Request_BadRequest" if rules.workload == "directory" else "BadRequest",
            f"Invalid page size specified: '{text}'. Must be between 1 and {rules.pages[1]} inclusive.",
        )
    return size


def _filter(text: str | None, rules: Rules) -> filters.Filter | None:
    if text is None:
        return None
    try:
        tree = filters.parse(text)
    except filters.FilterError as error:
        raise unsupported(rules.workload, f"Invalid filter clause: {error}") from error
    for path in sorted(tree.paths()):
        if path.split("/")[0] not in rules.entity.properties:
            raise bad_request(
                f"Invalid filter clause: Could not find a property named '{path.split('/')[0]}' on type "
                f"'{rules.entity.name}'."
            )
        if path not in rules.filterable:
            raise unsupported(
                rules.workload,
                f"Unsupported or invalid query filter clause specified for property '{path}' of resource "
                f"'{rules.entity.name.split('.')[-1]}'.",
            )
    return tree


def _digest(call: Call, options: Mapping[str, str]) -> str:
    """What a page token belongs to: the path and every other option."""
    rest = sorted((name, value) for name, value in options.items() if name != SKIP_TOKEN)
    return hashlib.sha256(json.dumps([call.version, call.path, rest]).encode()).hexdigest()


def _offset(call: Call, options: Mapping[str, str], sealer: Sealer) -> int:
    token = options.get(SKIP_TOKEN)
    if token is None:
        return 0
    content = sealer.open(token)
    if content is None or content.get("for") != _digest(call, options):
        raise GraphError(400, "Directory_ExpiredPageToken", "The specified page token value has expired or is invalid.")
    return int(content["offset"])


def page(
    call: Call, query: Query, rules: Rules, records: Sequence[Mapping[str, Any]], sealer: Sealer, base: str
) -> tuple[list[Mapping[str, Any]], str | None, int]:
    """The page's records, the next page's address (None on the last) and how many records the query has in all.

    `base` is the service's root with the version."""
    found: Sequence[Mapping[str, Any]] = records
    if query.filter is not None:
        try:
            found = [record for record in records if query.filter.holds(record)]
        except filters.FilterError as error:
            raise unsupported(rules.workload, f"Invalid filter clause: {error}") from error
    if query.size is None:
        return list(found), None, len(found)
    end = query.offset + query.size
    link = None
    if end < len(found):
        token = sealer.seal({"for": _digest(call, query.given), "offset": end})
        rest = {name: value for name, value in query.given.items() if name != SKIP_TOKEN}
        link = f"{base}{quote(call.path, safe=PATH_SAFE)}?{urlencode({**rest, SKIP_TOKEN: token}, safe='$')}"
    return list(found[query.offset : end]), link, len(found)


def shape(record: Mapping[str, Any], query: Query, entity: EntityType) -> dict[str, Any]:
    """The record as selected: nothing else, and null or [] where nothing is stored."""
    names = query.select or entity.default
    if not names:
        return dict(record)
    shaped = {name: record[name] for name in ("@odata.type",) if name in record}
    for name in names:
        if name in entity.omitted and name not in record:
            continue
        shaped[name] = record.get(name, [] if name in entity.collections else None)
    return shaped
