"""Text files as administrators export them, made into records: encodings, separators, localised booleans.

Nothing is guessed silently: what cannot be read is `Damaged` with its line, what has an odd value is kept and told.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from auditor.exchange.properties import BOOLEANS, FALSE, KNOWN, LISTS, TRUE

Tell = Callable[[str], None]

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_TYPE_NAME = re.compile(r"(System|Microsoft|Deserialized)(\.[A-Za-z0-9_`+]+)+(\[.*\])?")
"""What Export-Csv writes for a property with several values: the name of its type instead of the values."""


class Damaged(Exception):  # noqa: N818 - it names the file's condition
    """The file is not what its name says; the text names the line."""


def decode(data: bytes) -> str:
    """The text of a file in UTF-8 or UTF-16, with or without byte order mark. Raises Damaged."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _decode(data[len(bom) :], encoding)
    if data[1:2] == b"\0":
        return _decode(data, "utf-16-le")
    if data[:1] == b"\0" and data[1:2]:
        return _decode(data, "utf-16-be")
    return _decode(data, "utf-8")


def _decode(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].decode(encoding, "ignore").count("\n") + 1
        raise Damaged(f"line {line} is no {encoding} text; save it as UTF-8 (Export-Csv -Encoding UTF8)") from error


def parse_json(text: str) -> Any:
    """Raises Damaged with the line."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Damaged(f"line {error.lineno} is no JSON: {error.msg}") from error
    except RecursionError as error:
        raise Damaged("it is nested too deeply") from error


def table(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, cells by header) of a table separated by comma, semicolon or tab. Raises Damaged with the line.

    A first line `#TYPE …` (Export-Csv of Windows PowerShell) or `sep=;` (Excel) is understood."""
    skipped = 0
    separator = ""
    while (first := text.partition("\n")[0]).startswith("#TYPE ") or re.match(r"sep=.\r?$", first):
        separator = first[4:5] if first.startswith("sep=") else separator
        text = text.partition("\n")[2]
        skipped += 1
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator or _separator(text), strict=True)
    try:
        header = _header(next(reader, []))
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            line = reader.line_num + skipped
            if len(cells) < len(header) or any(cell.strip() for cell in cells[len(header) :]):
                raise Damaged(f"line {line} has {len(cells)} fields where the header has {len(header)}")
            yield line, dict(zip(header, cells, strict=False))
    except csv.Error as error:
        raise Damaged(f"line {reader.line_num + skipped}: {error}") from error


def _header(cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise Damaged("line 1 holds no column names")
    lower = [name.lower() for name in names]
    if "" in lower or len(set(lower)) < len(lower):
        raise Damaged("line 1 has a column without a name, or the same name twice")
    return names


def _separator(text: str) -> str:
    """The separator of the header line: the most frequent candidate outside quotes, else a comma."""
    header = re.sub(r'"[^"]*"', "", text.partition("\n")[0])
    return max(",;\t", key=header.count)


def from_cells(cells: dict[str, str], where: str, tell: Tell) -> dict[str, Any]:
    """A record from a table's row: an empty cell is null, the third state of Exchange's switches."""
    empty_is_null = {name: value if value.strip() else None for name, value in cells.items()}
    return normalise(empty_is_null, where, tell)


def normalise(record: dict[str, Any], where: str, tell: Tell) -> dict[str, Any]:
    """Microsoft's spelling of the names; text made boolean or list where the property is one. `where` names file and
    line. A value that Export-Csv replaced by the name of its type is left out: it was not read."""
    result = {}
    for name, value in record.items():
        known = KNOWN.get(name.lower(), name)
        if isinstance(value, str):
            if _TYPE_NAME.fullmatch(value):
                tell(f"{where}: {known} holds only the name of its type; export it as text. It counts as not read.")
                continue
            value = _value(known, value, where, tell)
        result[known] = value
    return result


def _value(name: str, text: str, where: str, tell: Tell) -> Any:
    if name in BOOLEANS:
        word = text.strip().lower()
        if not word:
            return None
        if word in TRUE or word in FALSE:
            return word in TRUE
        tell(f"{where}: {name} is “{text[:40]}”, neither true nor false.")
    elif name in LISTS:
        separators = r"[,;\s]+" if name == "EmailAddresses" else r"[,;]"
        return [part.strip() for part in re.split(separators, text.strip().strip("{}")) if part.strip()]
    return text
