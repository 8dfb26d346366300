"""Reading raw Graph JSON without trusting its shape: a value of another kind is never a crash and never a pass."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from auditor.access.model import Match, Outcome


class Malformed(ValueError):  # noqa: N818 - caught where a condition is read; the text becomes the outcome's detail
    """A value that is not of the kind that Graph documents. The message names the property."""


def blank(value: Any) -> bool:
    """Holds nothing that could restrict: null, an empty text, list or object, or an object of blank values only."""
    if value is None or value == "":
        return True
    if isinstance(value, Mapping):
        return all(blank(inner) for key, inner in value.items() if "@" not in key)
    return isinstance(value, list) and not value


def strings(holder: Mapping[str, Any], key: str) -> list[str]:
    """A list of texts; absent and null are the empty list. Raises Malformed for anything else."""
    value = holder.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise Malformed(f"{key} is no list of texts")
    return value


def flags(holder: Mapping[str, Any], key: str) -> list[str]:
    """Graph's flags: one text with commas; absent, null and empty are none. Raises Malformed for anything else."""
    value = holder.get(key)
    if value is None:
        return []
    if not isinstance(value, str):
        raise Malformed(f"{key} is no text of comma-separated words")
    return [word.strip() for word in value.split(",") if word.strip()]


def section(holder: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    """An object, None where absent or null, or where it holds nothing but nulls. Raises Malformed for anything else."""
    value = holder.get(key)
    if value is not None and not isinstance(value, Mapping):
        raise Malformed(f"{key} is no object")
    return None if value is None or all(inner is None for name, inner in value.items() if "@" not in name) else value


def foreign(holder: Mapping[str, Any], known: Collection[str]) -> list[str]:
    """Keys that hold something and that this program does not know; annotations (with an @) are none."""
    return sorted(key for key, value in holder.items() if key not in known and "@" not in key and not blank(value))


def lower(values: list[str]) -> list[str]:
    """Ids and special words compare without letter case."""
    return [value.lower() for value in values]


def is_word(token: str) -> bool:
    """A special word (`AllTrusted`) rather than an id: ids hold digits or hyphens."""
    return token.isalpha()


def unknown(condition: str, detail: str, *datasets: str) -> Outcome:
    return Outcome(Match.UNKNOWN, condition, detail, datasets)


def strange(condition: str, detail: str) -> Outcome:
    """Unknown because the value is not one that Microsoft documents: a finding names it too."""
    return Outcome(Match.UNKNOWN, condition, detail, strange=True)
