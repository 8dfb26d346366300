"""A Microsoft 365 usage report as rows: CSV with a byte order mark into one JSON object per row, cells as text."""

from __future__ import annotations

import csv
import io

import msgspec

from auditor.graph.refusal import ReadError

KEY_COLUMN = "User Principal Name"


def rows(data: bytes) -> list[bytes]:
    """Each row as `{"column": "cell", …}` in the report's order.

    Raises ReadError (malformed) where it is no such report or a row has another number of cells than the header."""
    try:
        text = data.decode("utf-8-sig")
        table = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ReadError("malformed", f"the report is no CSV ({error})") from None
    if not table or KEY_COLUMN not in table[0]:
        raise ReadError("malformed", f"the report has no column {KEY_COLUMN}")
    header = table[0]
    found = []
    for number, cells in enumerate(table[1:], 2):
        if not cells:
            continue
        if len(cells) != len(header):
            raise ReadError("malformed", f"line {number} of the report has {len(cells)} cells, not {len(header)}")
        found.append(msgspec.json.encode(dict(zip(header, cells, strict=True))))
    return found
