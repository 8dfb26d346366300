"""Single values as Microsoft writes them: times, and Exchange's booleans in every export's spelling."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import repeat

from msgspec import UnsetType

from auditor.tenant import INHERIT, NO, UNREAD, YES

NULL = INHERIT
"""What `exchange_boolean` answers for null: the setting is not set."""

_WORDS = {"true": YES, "false": NO, "$true": YES, "$false": NO, "": NULL, "null": NULL, "$null": NULL}


def exchange_boolean(value: object) -> int:
    """YES, NO, NULL, or UNREAD for what is no boolean. Exports write true, "True", an empty string or null."""
    if value is True:
        return YES
    if value is False:
        return NO
    if value is None:
        return NULL
    return _WORDS.get(value.strip().lower(), UNREAD) if isinstance(value, str) else UNREAD


def graph_booleans(values: Iterable[bool | UnsetType | None]) -> list[int]:
    """YES, NO, or UNREAD for null and missing ones."""
    return list(map(_BOOLEANS.get, values, repeat(UNREAD)))


_BOOLEANS: dict[object, int] = {True: YES, False: NO}


def moment(text: str) -> datetime | None:
    """An ISO 8601 time in UTC (without an offset it is read as UTC); None where it is no time."""
    try:
        parsed = datetime.fromisoformat(text)
        if parsed.tzinfo is UTC:
            return parsed
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def stamp(text: str) -> str:
    """The same time as `YYYY-MM-DDTHH:MM:SSZ`, so that times compare as text; empty where it is no time."""
    parsed = moment(text)
    return "" if parsed is None else parsed.replace(tzinfo=None, microsecond=0).isoformat() + "Z"
