"""Text from a tenant made plain to see: display names are chosen by whoever writes them.

Escaping alone keeps markup from running, but not a name from deceiving: U+202E turns the rest of a line round, U+200B
makes two different names look the same (Unicode Technical Report 36, "Unicode Security Considerations").
"""

from __future__ import annotations

import re

from auditor.report.text import clean

_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Characters that show nothing and change what is read. The joiners U+200C and U+200D stay: scripts and emoji need
them."""


def visible(text: str) -> str:
    """The text with every control character as its picture (as in the other files) and every unseen or turning
    character written out: U+202E becomes `‹U+202E›`."""
    cleaned = clean(text)
    return cleaned if cleaned.isascii() else _UNSEEN.sub(_written, cleaned)


def _written(match: re.Match[str]) -> str:
    return f"‹U+{ord(match.group()):04X}›"
