"""Secrets that a probe holds, and texts made fit to be shown: no secret, nor a piece of one, and no control character.

A server may repeat what it was sent. So a text loses every run of letters that also stands in a secret, whatever its
case, in any of the forms in which the secret travels.
"""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections.abc import Iterator

MASK = "****"
PIECE = 8
"""a shorter piece of a secret that is longer than that gives nothing away"""
LONGEST = 2000
"""letters of one text that are kept"""

_TOKEN = re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]+)*")
"""any JSON Web Token, ours or not"""
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


class Redactor:
    """Learns secrets and takes them out of texts."""

    def __init__(self) -> None:
        self._pieces: dict[int, set[str]] = {}

    def learn(self, secret: str) -> None:
        """From now on nothing of `secret` is shown."""
        for form in {*_forms(secret)} - {""}:
            length = min(len(form), PIECE)
            pieces = self._pieces.setdefault(length, set())
            pieces.update(form[start : start + length] for start in range(len(form) - length + 1))

    def clean(self, text: str) -> str:
        """The text without secrets, tokens and control characters, and not endlessly long."""
        shown = _TOKEN.sub(MASK, self._without_secrets(text[: 2 * LONGEST]))
        shown = _UNSEEN.sub(lambda found: f"\\x{ord(found[0]):02x}", shown)
        return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]} …"

    def _without_secrets(self, text: str) -> str:
        lower = text.lower()
        if len(lower) != len(text):  # some letters have a longer lower case; then places would not agree
            text = lower
        hidden = bytearray(len(text))
        for length, pieces in self._pieces.items():
            for start in range(len(text) - length + 1):
                if lower[start : start + length] in pieces:
                    hidden[start : start + length] = b"\x01" * length
        return "".join(_masked(text, hidden))


def _masked(text: str, hidden: bytearray) -> Iterator[str]:
    for place, letter in enumerate(text):
        if not hidden[place]:
            yield letter
        elif place == 0 or not hidden[place - 1]:
            yield MASK


def _forms(secret: str) -> Iterator[str]:
    """How a secret may stand on the wire or in a text about it."""
    data = secret.encode("utf-8", "surrogateescape")
    yield secret.lower()
    for before in range(3):  # inside a longer text base64 looks otherwise, by where it begins
        encoded = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
        yield encoded[(before * 8 + 5) // 6 :].lower()
    yield urllib.parse.quote(data, safe="").lower()
    yield json.dumps(secret)[1:-1].lower()
