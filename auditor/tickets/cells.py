"""Fills the empty cells of one column of a workbook in place: everything else keeps its bytes, charts, formats and what
people added included. The workbook may have been saved by another program since."""

from __future__ import annotations

import posixpath
import re
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat
from xml.sax.saxutils import escape
from zipfile import BadZipFile, ZipFile

from auditor.errors import UsageError
from auditor.previous_workbook import SHEET
from auditor.report.files import Batch
from auditor.report.text import cell_text
from auditor.triage import COLUMNS

_IDS = ("id", "finding id")
_TICKET = COLUMNS["ticket"].casefold()
_WORKBOOK, _RELATIONS, _SHARED = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/sharedStrings.xml"
_BROKEN = (BadZipFile, zlib.error, KeyError, ET.ParseError, expat.ExpatError, EOFError, ValueError, NotImplementedError)


def fill(path: Path, keys: Mapping[str, str]) -> int:
    """Writes `keys` (finding id → text) into the empty cells of Ticket, and returns how many. The file is replaced only
    when it is whole. Raises UsageError where it cannot be read or written, or is held open."""
    try:
        with ZipFile(path) as archive:
            sheets = {name: archive.read(name) for name in _sheets(archive)}
            shared = _shared(archive)
            filled = {name: _Filled(data, shared, keys) for name, data in sheets.items()}
            count = sum(len(sheet.edits) for sheet in filled.values())
            if count:
                _write(path, archive, {name: sheet.data() for name, sheet in filled.items()})
            return count
    except PermissionError as error:
        raise UsageError(f"{path}: is open in another program or not readable.") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).") from error
    except _BROKEN as error:
        raise UsageError(f"{path}: cannot be read as a workbook.") from error


def _write(path: Path, archive: ZipFile, changed: Mapping[str, bytes]) -> None:
    """Every part in its place and with its date."""
    with Batch(path.parent) as files, files.new(path.name) as stream, ZipFile(stream, "w") as target:
        for entry in archive.infolist():
            data = changed.get(entry.filename) or archive.read(entry)
            target.writestr(copy(entry), data, entry.compress_type)


def _root(data: bytes) -> ET.Element:
    if b"<!DOCTYPE" in data:
        raise ValueError("a document type could define entities that grow without bound")
    return ET.fromstring(data)  # noqa: S314


def _sheets(archive: ZipFile) -> Iterator[str]:
    """The parts that hold the sheets with findings."""
    targets = {one.get("Id"): one.get("Target", "") for one in _root(archive.read(_RELATIONS))}
    for sheet in _root(archive.read(_WORKBOOK)).iter():
        if sheet.tag.endswith("}sheet") and sheet.get("name", "").casefold().startswith(SHEET.casefold()):
            relation = next(value for name, value in sheet.attrib.items() if name.endswith("}id"))
            yield posixpath.normpath(posixpath.join("xl", targets[relation])).lstrip("/")


def _shared(archive: ZipFile) -> list[str]:
    if _SHARED not in archive.namelist():
        return []
    root = _root(archive.read(_SHARED))
    return ["".join(part.text or "" for part in item.iter() if part.tag.endswith("}t")) for item in root]


@dataclass(slots=True)
class _Cell:
    """`start`, `end`: the bytes that it takes; `tag` as written, with its prefix."""

    column: int
    style: str
    kind: str
    tag: str
    start: int
    end: int = 0
    text: str = ""


@dataclass(slots=True)
class _Row:
    number: str
    end: int = 0
    """where its end tag begins"""
    cells: list[_Cell] = field(default_factory=list)


class _Filled:
    """One sheet, and the edits of its bytes: (start, end, new bytes)."""

    def __init__(self, data: bytes, shared: Sequence[str], keys: Mapping[str, str]) -> None:
        if b"<!DOCTYPE" in data:
            raise ValueError("see _root")
        self._data = data
        self.edits = list(_edits(_Reader(data, shared).rows, keys))

    def data(self) -> bytes:
        parts, done = [], 0
        for start, end, new in sorted(self.edits):
            parts += [self._data[done:start], new]
            done = end
        return b"".join([*parts, self._data[done:]])


def _edits(rows: Sequence[_Row], keys: Mapping[str, str]) -> Iterator[tuple[int, int, bytes]]:
    identity = ticket = -1
    for row in rows:
        named = {" ".join(cell.text.split()).casefold(): cell.column for cell in reversed(row.cells)}
        if ticket < 0:
            if _TICKET in named and any(name in named for name in _IDS):
                identity, ticket = next(named[name] for name in _IDS if name in named), named[_TICKET]
            continue
        by_column = {cell.column: cell for cell in row.cells}
        key = keys.get(by_column[identity].text.strip(), "") if identity in by_column else ""
        held = by_column.get(ticket)
        if not key or (held and held.text.strip()):
            continue
        if held:
            yield held.start, held.end, _cell(held.tag, row.number, ticket, held.style, key)
        else:
            place = next((cell.start for cell in row.cells if cell.column > ticket), row.end)
            yield place, place, _cell(row.cells[0].tag, row.number, ticket, "", key)


def _cell(tag: str, row: str, column: int, style: str, text: str) -> bytes:
    prefix = tag.rpartition(":")[0] + ":" if ":" in tag else ""
    styled = f' s="{style}"' if style else ""
    words = f'<{prefix}is><{prefix}t xml:space="preserve">{escape(cell_text(text))}</{prefix}t></{prefix}is>'
    return f'<{tag} r="{_letters(column)}{row}"{styled} t="inlineStr">{words}</{tag}>'.encode()


class _Reader:
    """Rows and cells with the bytes that they take; nothing is written anew."""

    def __init__(self, data: bytes, shared: Sequence[str]) -> None:
        self.rows: list[_Row] = []
        self._data = data
        self._shared = shared
        self._reading = False
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters
        self._parser.Parse(data, True)

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if name == "row":
            self.rows.append(_Row(attributes.get("r", str(len(self.rows) + 1))))
        elif name == "c" and self.rows:
            row = self.rows[-1]
            following = row.cells[-1].column + 1 if row.cells else 1
            column = _number(attributes["r"]) if "r" in attributes else following
            at = self._parser.CurrentByteIndex
            row.cells.append(_Cell(column, attributes.get("s", ""), attributes.get("t", ""), tag, at))
        self._reading = name in ("v", "t")

    def _characters(self, words: str) -> None:
        if self._reading and self.rows and self.rows[-1].cells and not self.rows[-1].cells[-1].end:
            self.rows[-1].cells[-1].text += words

    def _end(self, tag: str) -> None:
        name, at = tag.rpartition(":")[2], self._parser.CurrentByteIndex
        self._reading = False
        if name == "row":
            self.rows[-1].end = at
        elif name == "c" and self.rows:
            cell = self.rows[-1].cells[-1]
            cell.end = self._data.index(b">", at) + 1
            if cell.kind == "s" and cell.text:
                cell.text = self._shared[int(cell.text)]


def _number(reference: str) -> int:
    """`AB7` → 28."""
    number = 0
    for letter in re.match(r"[A-Z]*", reference.upper())[0]:  # type: ignore[index]
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _letters(column: int) -> str:
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
