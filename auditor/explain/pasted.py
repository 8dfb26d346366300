"""A pasted text, made ready for finding replies in it.

People paste replies wrapped, quoted, in capitals, in exceptions, logs, web pages and mails. None of that touches the
order of a text's letters and digits. So a `Reading` keeps nothing else: one stream of lower-case ASCII letters and
digits in which each enhanced status code (`5.7.139`, with its `535` where that stands before it) is one mark. A phrase
is then found by plain search, whatever stands between its words, and every place in the stream knows its line.
"""

from __future__ import annotations

import bisect
import codecs
import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auditor.errors import UsageError

MOST_BYTES = 4 * 1024 * 1024
MARK = "\ue000"
"""stands for one code in a stream; a private-use character, so that no text can hold it by right"""

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)  # fmt: skip
"""UTF-32 first: its little-endian mark begins with that of UTF-16."""

_CODE = re.compile(
    r"(?<![\d.])(?:(?P<basic>[245]\d\d)[\W_]{1,8}?(?:b['\"])?)?(?P<enhanced>[245]\.\d{1,3}\.\d{1,3})(?!\d|\.\d)",
    re.ASCII,
)
"""`535 5.7.139`, `(535, b'5.7.139`, `#550 5.7.60`, `550+5.7.60`; no IP address and no date."""
_FIELD = re.compile(r"(?:status: ?|smtp; ?|#)\Z")
"""What may stand before an enhanced code without three digits so that it is a status and no version number."""
_BEGUN = re.compile(r"(?<!\d)(?P<basic>[245]\d\d)-(?P<enhanced>[245]\.\d{1,3}\.\d{1,3})(?!\d|\.\d)", re.ASCII)
"""A line of a reply that goes on in the next line."""
_SERVER = re.compile(
    r"\[\s*[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?:\s+\d{4}-\d\d-\d\dt[\d:.]+z)?(?:\s+[0-9a-f]{8,20})?\s*\]"
)  # fmt: skip
"""The host, time and id that Exchange puts behind its replies."""
_TAG = re.compile(
    r"</?(?:a|abbr|b|big|blockquote|body|br|center|code|dd|div|dl|dt|em|font|h[1-6]|head|hr|html|i|img|li|o:p|ol|p|pre|s|"
    r"small|span|strong|style|sub|sup|table|tbody|td|tfoot|th|thead|title|tr|tt|u|ul|wbr)(?:\s[^<>]*)?/?>"
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,8}\d{0,2});")
_ESCAPED = re.compile(r"\\u([0-9a-f]{4})|\\x([0-9a-f]{2})|\\[nrt]")
_ENCODED = re.compile(r"[=%]([0-9a-f]{2})")
_OTHER = re.compile(rf"[^a-z0-9{MARK}]+")


@dataclass(frozen=True, slots=True)
class Code:
    """An enhanced status code in a text: `basic` is the three digits before it, if any; `at` its place in the stream,
    `line` counts from 1; `certain` where it cannot be anything else, such as a version number."""

    basic: str
    enhanced: str
    at: int
    line: int
    certain: bool

    @property
    def text(self) -> str:
        return f"{self.basic} {self.enhanced}".strip()

    @property
    def refuses(self) -> bool:
        """It tells of a failure, for now (4) or for good (5)."""
        return self.enhanced[0] != "2"


@dataclass(frozen=True)
class Reading:
    """One way to read a text: its letters and digits, and its codes in order."""

    stream: str
    codes: Sequence[Code]
    line_starts: Sequence[int]
    """where in the stream each line begins"""

    def line(self, at: int) -> int:
        """The line, counted from 1, of a place in the stream."""
        return bisect.bisect_right(self.line_starts, at)

    def lines(self) -> Iterator[str]:
        """The stream line by line."""
        ends = [*self.line_starts[1:], len(self.stream)]
        for start, end in zip(self.line_starts, ends, strict=True):
            yield self.stream[start:end]

    def code_before(self, at: int) -> Code | None:
        """The last code that stands before a place."""
        index = bisect.bisect_left(self.codes, at, key=lambda code: code.at)
        return self.codes[index - 1] if index else None

    def code_after(self, at: int) -> Code | None:
        """The first code that stands at or after a place."""
        index = bisect.bisect_left(self.codes, at, key=lambda code: code.at)
        return self.codes[index] if index < len(self.codes) else None

    def end_of(self, code: Code) -> int:
        """Where the text that belongs to a code ends at the latest: at the next code."""
        following = self.code_after(code.at + 1)
        return following.at if following else len(self.stream)


def decode(data: bytes) -> str:
    """Bytes from a file or a pipe as text: by its byte order mark, as UTF-16 where every other byte is zero (what
    PowerShell's `>` writes), as UTF-8, else as Windows-1252.

    Raises UsageError where there is more than MOST_BYTES."""
    if len(data) > MOST_BYTES:
        raise UsageError(
            f"The text is longer than {MOST_BYTES // 1024 // 1024} MiB.", remedy="Give only the lines around the error."
        )
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    head = data[:4096]
    if head.count(0) * 3 > len(head):
        return data.decode("utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be", errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def squeeze(text: str) -> str:
    """The letters and digits of a text, as a stream holds them."""
    return _OTHER.sub("", _fold(text))


def readings(text: str) -> list[Reading]:
    """The text as it stands, and once more with HTML, escapes and quoted-printable undone where there are any.

    Both, because undoing may eat letters of a text that only looks encoded; what either reading shows is found."""
    plain = _fold(text)
    decoded = _undo(plain)
    return [_read(plain)] if decoded == plain else [_read(plain), _read(decoded)]


def _fold(text: str) -> str:
    """Lower case, ligatures and full-width letters as plain ones, one kind of line end."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace(MARK, " ")
    return unicodedata.normalize("NFKC", lines).lower()


def _undo(text: str) -> str:
    """Without markup and escapes. Line breaks stay where they are, so that lines keep their numbers."""
    for _ in range(2):  # mails in tickets are often escaped twice
        text = _ENTITY.sub(lambda found: html.unescape(found[0]).replace("\n", " ").lower(), text)
    text = _TAG.sub(lambda found: " " + "\n" * found[0].count("\n"), text)
    text = _ESCAPED.sub(lambda found: _character(found[1] or found[2]), text)
    return _ENCODED.sub(lambda found: _not_a_letter(found[0], found[1]), text)


def _character(digits: str | None) -> str:
    character = chr(int(digits, 16)) if digits else " "
    return " " if character in "\n\r" else character.lower()


def _not_a_letter(written: str, digits: str) -> str:
    """The byte, unless it is a letter or a digit: those are never encoded, so it only looks so (`reply=535`)."""
    character = chr(int(digits, 16))
    return written if character.isascii() and character.isalnum() else " "


def _read(text: str) -> Reading:
    text = _SERVER.sub(lambda found: " " + "\n" * found[0].count("\n"), text)
    found: list[re.Match[str]] = []

    def mark(code: re.Match[str]) -> str:
        found.append(code)
        return MARK + "\n" * code[0].count("\n")

    continued = _continued(text)
    lines = [_OTHER.sub("", line) for line in _CODE.sub(mark, continued).split("\n")]
    starts, at = [], 0
    for line in lines:
        starts.append(at)
        at += len(line)
    stream = "".join(lines)
    places = [place.start() for place in re.finditer(MARK, stream)]
    codes = tuple(
        Code(
            code["basic"] or "",
            code["enhanced"],
            place,
            bisect.bisect_right(starts, place),
            bool(code["basic"] or _FIELD.search(continued, max(0, code.start() - 8), code.start())),
        )
        for code, place in zip(found, places, strict=True)
    )
    return Reading(stream, codes, starts)


def _continued(text: str) -> str:
    """Replies of several lines as one: a line `535-5.7.139 …` promises another that repeats the code, which goes, with
    whatever a log wrote before it."""
    lines: list[str] = []
    again: re.Pattern[str] | None = None
    for whole in text.split("\n"):
        line = whole
        repeated = again.search(line) if again else None
        if repeated:
            line = line[repeated.end() :]
            again = again if repeated["more"] == "-" else None
        else:
            line, again = _begun(line)
        lines.append(line)
    return "\n".join(lines)


def _begun(line: str) -> tuple[str, re.Pattern[str] | None]:
    """The line, its repeated codes gone, and the code that the next line has to repeat, if it ends unfinished."""
    begun = _BEGUN.search(line)
    if begun is None:
        return line, None
    again = re.compile(
        rf"(?<![\d.]){begun['basic']}(?P<more>[- ]){re.escape(begun['enhanced'])}(?!\d|\.\d)"
    )  # fmt: skip
    head, rest = line[: begun.end()], line[begun.end() :]
    while repeated := again.search(rest):
        rest = f"{rest[: repeated.start()]} {rest[repeated.end() :]}"
        if repeated["more"] == " ":
            return head + rest, None
    return head + rest, again
