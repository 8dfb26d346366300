"""The zip of a workbook: its bytes depend on nothing but its parts, and rows are streamed into their sheets.

Fixed are the zip's dates, order and attributes; the XML is canonical.
"""

from __future__ import annotations

import re
import shutil
import stat
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

_EPOCH = (1980, 1, 1, 0, 0, 0)
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MARK = "<sheetData></sheetData>"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_SHARED = "xl/sharedStrings.xml"
_SHARED_MIME = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
_SHARED_RELATION = (
    '<Relationship Id="rIdSharedStrings" Target="/xl/sharedStrings.xml" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"></Relationship>'
)
_FONT_ORDER = (
    "b", "i", "strike", "condense", "extend", "outline", "shadow", "u", "vertAlign", "sz", "color", "name", "family",
    "charset", "scheme",
)  # fmt: skip
"""The order of a font's properties in the schema; openpyxl has another."""


@dataclass(frozen=True)
class Part:
    """What a sheet has beside openpyxl's XML: its rows as XML, and its charts' descriptions."""

    rows: IO[bytes]
    alt_texts: Sequence[str]


def write_package(stream: IO[bytes], raw: Any, sheets: Sequence[Part], shared: Sequence[str], uses: int) -> None:
    """Write the workbook `raw` (openpyxl's) with the rows of its sheets to a seekable binary stream. `shared`: the
    table of shared strings; `uses`: how many cells refer to it."""
    from openpyxl.writer.excel import ExcelWriter

    with ZipFile(stream, "w", ZIP_DEFLATED) as archive:
        package = _Package(archive, sheets)
        writer = ExcelWriter(raw, package)
        writer.manifest.append(SimpleNamespace(path=f"/{_SHARED}", mime_type=_SHARED_MIME))
        writer.write_data()
        texts = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in shared)
        table = f'<sst xmlns="{_MAIN}" count="{uses}" uniqueCount="{len(shared)}">{texts}</sst>'
        package.writestr(_SHARED, table)


class _Package:
    """An archive with the methods that openpyxl's writer asks of one; puts each sheet's rows into its XML."""

    def __init__(self, archive: ZipFile, sheets: Sequence[Part]) -> None:
        self._archive = archive
        self._sheets = {f"xl/worksheets/sheet{number}.xml": sheet for number, sheet in enumerate(sheets, 1)}
        self._alt_texts = {
            f"xl/drawings/drawing{number}.xml": sheet.alt_texts
            for number, sheet in enumerate((sheet for sheet in sheets if sheet.alt_texts), 1)
        }

    def namelist(self) -> list[str]:
        return self._archive.namelist()

    def writestr(self, name: str, data: bytes | str) -> None:
        text = data if isinstance(data, str) else data.decode()
        canonical = ET.canonicalize(text)
        if name == "xl/styles.xml":
            canonical = re.sub(r"(?<=<font>).*?(?=</font>)", _ordered, canonical)
        elif name == "xl/_rels/workbook.xml.rels":
            canonical = canonical.replace("</Relationships>", f"{_SHARED_RELATION}</Relationships>")
        for number, alt in enumerate(self._alt_texts.get(name, ()), 1):
            canonical = canonical.replace(
                f'name="Chart {number}"', f'descr="{escape(alt, {chr(34): "&quot;"})}" name="Chart {number}"'
            )
        self._archive.writestr(_entry(name), (_DECLARATION + canonical).encode())

    def write(self, filename: str, arcname: str) -> None:
        sheet = self._sheets[arcname.lstrip("/")]
        canonical = ET.canonicalize(Path(filename).read_text("utf-8"))
        head, mark, tail = canonical.partition(_MARK)
        assert mark, "openpyxl wrote a sheet without sheetData"
        entry = _entry(arcname)
        size = sheet.rows.tell()
        sheet.rows.seek(0)
        # Declares the size beforehand, so that zip64 is used exactly where it is needed.
        entry.file_size = size + len(canonical) * 4
        with self._archive.open(entry, "w") as target:
            target.write(f"{_DECLARATION}{head}<sheetData>".encode())
            shutil.copyfileobj(sheet.rows, target, 1 << 20)
            target.write(f"</sheetData>{tail}".encode())


def _ordered(properties: re.Match[str]) -> str:
    """A font's properties (elements without content) in the order of the schema."""
    found = re.findall(r"<(\w+)((?: [^>]*)?)></\1>", properties.group())
    found.sort(key=lambda element: _FONT_ORDER.index(element[0]))
    return "".join(f"<{name}{attributes}></{name}>" for name, attributes in found)


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name.lstrip("/"), _EPOCH)
    entry.compress_type = ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = (stat.S_IFREG | 0o600) << 16
    return entry
