"""A Microsoft 365 usage report as rows: CSV with a byte order mark into one JSON object per row, cells as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import islice

import msgspec

from auditor.graph.refusal import ReadError

KEY_COLUMN = "User Principal Name"


_PAGE = 1000


def pages(data: bytes) -> Iterator[list[bytes]]:
    """Rows as `{"column": "cell", …}` in the report's order, some at a time: the report of a large tenant is a hundred
    megabytes.

    Raises ReadError (malformed) where it is no such report or a row has another number of cells than the header."""
    table = csv.reader(io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline=""), strict=True)
    try:
        header = next(table, [])
        if KEY_COLUMN not in header:
            raise ReadError("malformed", f"the report has no column {KEY_COLUMN}")
        objects = (_object(header, cells, table.line_num) for cells in table if cells)
        while page := list(islice(objects, _PAGE)):
            yield page
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReadError("malformed", f"the report is no CSV ({error})") from None


def _object(header: list[str], cells: list[str], line: int) -> bytes:
    if len(cells) != len(header):
        raise ReadError("malformed", f"line {line} of the report has {len(cells)} cells, not {len(header)}")
    return msgspec.json.encode(dict(zip(header, cells, strict=True)))
