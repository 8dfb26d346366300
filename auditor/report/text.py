"""Text from a tenant made safe to open: display names and evidence are chosen by whoever writes them.

A spreadsheet runs a cell that starts with `=`, `+`, `-` or `@` as a formula, also after a tab or a line break (OWASP
"CSV Injection", CWE-1236). XML 1.0 cannot hold most control characters, and UTF-8 no lone surrogate.
"""

from __future__ import annotations

import re

CELL_LIMIT = 32_000
"""UTF-16 code units in a cell; Excel's own limit is 32,767, which leaves room for the note that it was cut."""

_FORMULA = re.compile(r"[\s\x00-\x1f]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n\x00]")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\U0001fffe\U0001ffff]")
_ESCAPE_LIKE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def clean(text: str) -> str:
    """The text with line ends as LF and every control character shown by its Unicode picture (U+0007 becomes ␇).

    Tabs and line feeds stay; C1 controls, which have no picture, are written out (`\\x85`); what no UTF-8 file can hold
    becomes U+FFFD."""
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    return _UNPRINTABLE.sub(_picture, text)


def is_formula_like(text: str) -> bool:
    """Whether a spreadsheet could take the text for a formula. Full-width signs count: some locales accept them."""
    return _FORMULA.match(text) is not None


def csv_text(text: str) -> str:
    """The text for a CSV field: cleaned, and kept from running by a leading apostrophe."""
    if text[:1].isalnum() and text.isascii() and text.isprintable():
        return text  # the common case: nothing to clean, and no formula starts with a letter or digit
    cleaned = clean(text)
    return f"'{cleaned}" if is_formula_like(text) else cleaned


def cell_text(text: str, *, full: str = "") -> str:
    """The text for a worksheet cell (not yet escaped for XML), at most `CELL_LIMIT` units and the note.

    `full` names the file that holds the whole text, for the note where it is cut. A literal `_x000D_` is written so
    that a spreadsheet shows it and does not read it as a control character."""
    cleaned = _ESCAPE_LIKE.sub("_x005F_", clean(text))
    if len(cleaned) * 2 <= CELL_LIMIT or _units(cleaned) <= CELL_LIMIT:
        return cleaned
    head = cleaned.encode("utf-16-le")[: CELL_LIMIT * 2].decode("utf-16-le", "ignore")
    where = f"the full text is in {full}" if full else f"{len(text):,} characters in all"
    return f"{head}… (cut; {where})"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return f"\\x{code:02x}" if code < 0xA0 else "\ufffd"
