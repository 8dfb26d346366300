"""`$filter`: the part of OData that the auditor uses, parsed into a small tree and evaluated.

`and`, `or`, parentheses, `eq`, `ge`, `le`; strings, times, whole numbers, true, false, null; slash paths. Whatever
else is asked raises FilterError, as a service refuses what it does not support.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Literal = str | int | bool | datetime | None


class FilterError(Exception):
    """The filter cannot be parsed, or uses what is not supported."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`path` is the property as written, e.g. `status/errorCode`."""

    path: str
    operator: str
    value: Literal

    def holds(self, record: Mapping[str, Any]) -> bool:
        found: Any = record
        for name in self.path.split("/"):
            found = found.get(name) if isinstance(found, Mapping) else None
        return _OPERATORS[self.operator](_comparable(found, self.value), _folded(self.value))

    def paths(self) -> frozenset[str]:
        return frozenset({self.path})


@dataclass(frozen=True, slots=True)
class Junction:
    """`every`: and; else or."""

    every: bool
    parts: tuple[Filter, ...]

    def holds(self, record: Mapping[str, Any]) -> bool:
        results = (part.holds(record) for part in self.parts)
        return all(results) if self.every else any(results)

    def paths(self) -> frozenset[str]:
        return frozenset().union(*(part.paths() for part in self.parts))


Filter = Comparison | Junction

_TOKEN = re.compile(
    r"\s*(?:(?P<paren>[()])"
    r"|(?P<string>'(?:[^']|'')*')"
    r"|(?P<time>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))"
    r"|(?P<number>-?\d{1,18})(?![\w.-])"
    r"|(?P<word>[A-Za-z_@][\w@.]*(?:/[A-Za-z_][\w.]*)*))"
)
DEPTH = 20
"""how deep parentheses may nest"""

_KEYWORDS = {"true": True, "false": False, "null": None}


def parse(text: str) -> Filter:
    """The filter as a tree. Raises FilterError."""
    parser = _Parser(_tokens(text))
    tree = parser.disjunction()
    if parser.peek() is not None:
        raise FilterError(f"Syntax error near '{parser.peek()}' in the filter.")
    return tree


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            raise FilterError(f"Syntax error at position {position} in '{text}'.")
        kind = match.lastgroup or ""
        found.append((kind, match.group(kind)))
        position = match.end()
    if not found:
        raise FilterError("The filter is empty.")
    return found


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def peek(self) -> str | None:
        return self._tokens[self._next][1] if self._next < len(self._tokens) else None

    def _take(self) -> tuple[str, str]:
        if self._next >= len(self._tokens):
            raise FilterError("The filter ends too early.")
        self._next += 1
        return self._tokens[self._next - 1]

    def disjunction(self) -> Filter:
        return self._joined("or", lambda: self._joined("and", self._term))

    def _joined(self, word: str, part: Callable[[], Filter]) -> Filter:
        parts = [part()]
        while self.peek() == word:
            self._take()
            parts.append(part())
        return parts[0] if len(parts) == 1 else Junction(word == "and", tuple(parts))

    def _term(self) -> Filter:
        kind, text = self._take()
        if text == "(":
            self._depth += 1
            if self._depth > DEPTH:
                raise FilterError("The filter is nested too deeply.")
            inner = self.disjunction()
            self._depth -= 1
            if self._take()[1] != ")":
                raise FilterError("A closing parenthesis is missing.")
            return inner
        if kind != "word" or self.peek() == "(" or text in _KEYWORDS or text == "not":
            raise FilterError(f"'{text}' is not supported here.")
        operator = self._take()[1]
        if operator not in _OPERATORS:
            raise FilterError(f"The operator '{operator}' is not supported.")
        return Comparison(text, operator, self._literal())

    def _literal(self) -> Literal:
        kind, text = self._take()
        if kind == "string":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return int(text)
        if kind == "time":
            return _time(text)
        if kind == "word" and text in _KEYWORDS:
            return _KEYWORDS[text]
        raise FilterError(f"'{text}' is no value.")


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise FilterError(f"'{text}' is no time.") from error
    if moment.tzinfo is None:
        raise FilterError(f"'{text}' is no time: it has no offset.")
    return moment


def _folded(value: Literal) -> Any:
    """Graph compares strings without letter case."""
    return value.casefold() if isinstance(value, str) else value


def _comparable(found: Any, value: Literal) -> Any:
    """The record's value in the type of the literal; raises FilterError where the types do not meet."""
    if found is None or value is None:
        return found
    if isinstance(value, datetime):
        if not isinstance(found, str):
            raise FilterError("A time is compared with something else.")
        return _time(found)
    if isinstance(found, str) and isinstance(value, str):
        return found.casefold()
    if isinstance(found, bool) is isinstance(value, bool) and isinstance(found, int) and isinstance(value, int):
        return found
    raise FilterError(f"A binary operator with incompatible types was detected: '{type(found).__name__}'.")


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda found, value: bool(found == value),
    "ge": lambda found, value: found is not None and value is not None and bool(found >= value),
    "le": lambda found, value: found is not None and value is not None and bool(found <= value),
}
