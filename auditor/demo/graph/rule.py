"""Rules over attributes, as device filters and application filters write them:
`device.isCompliant -eq True -and (device.model -startsWith "Surface" -or device.trustType -ne "ServerAD")`.

An attribute that is null fits no positive operator and every negative one
(https://learn.microsoft.com/entra/identity/conditional-access/concept-condition-filters-for-devices).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Lookup = Callable[[str], Any]
"""Gives the value of an attribute by its name as the rule writes it, None where it has none."""

_TOKEN = re.compile(r"\s*(\(|\)|\[[^\]]*\]|\"[^\"]*\"|'[^']*'|[^\s()\"'\[\]]+)")


class RuleError(ValueError):
    """The text is no rule of the known form."""


def holds(rule: str, lookup: Lookup) -> bool:
    """Raises RuleError where the rule cannot be read."""
    reader = _Reader(_tokens(rule), lookup)
    result = reader.any_of()
    if reader.rest:
        raise RuleError(f"'{reader.rest[0]}' was not expected")
    return result


def _tokens(rule: str) -> list[str]:
    found = []
    position = 0
    text = rule.rstrip()
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise RuleError(f"it cannot be read from '{text[position:]}' on")
        found.append(token.group(1))
        position = token.end()
    return found


class _Reader:
    """Reads from left to right: `or` of `and` of comparisons, parentheses and `not`. Both sides are always read."""

    def __init__(self, tokens: list[str], lookup: Lookup) -> None:
        self.rest = tokens
        self._lookup = lookup

    def any_of(self) -> bool:
        result = self._all_of()
        while self._took("or"):
            result |= self._all_of()
        return result

    def _all_of(self) -> bool:
        result = self._one()
        while self._took("and"):
            result &= self._one()
        return result

    def _one(self) -> bool:
        if self._took("not"):
            return not self._one()
        first = self._next()
        if first != "(":
            return _compare(self._lookup(first), self._next().lower().lstrip("-"), self._next())
        result = self.any_of()
        if self._next() != ")":
            raise RuleError("a parenthesis is not closed")
        return result

    def _took(self, word: str) -> bool:
        taken = bool(self.rest) and self.rest[0].lower().lstrip("-") == word
        if taken:
            self.rest.pop(0)
        return taken

    def _next(self) -> str:
        if not self.rest:
            raise RuleError("it ends too early")
        return self.rest.pop(0)


_POSITIVE: dict[str, Callable[[str, str], bool]] = {
    "eq": str.__eq__,
    "equals": str.__eq__,
    "contains": str.__contains__,
    "startswith": str.startswith,
    "endswith": str.endswith,
    "in": lambda value, listed: value in _listed(listed),
}
_NEGATIVE = {
    "ne": "eq", "notequals": "equals", "notcontains": "contains", "notstartswith": "startswith",
    "notendswith": "endswith", "notin": "in",
}  # fmt: skip


def _compare(value: Any, operator: str, literal: str) -> bool:
    positive = _POSITIVE.get(_NEGATIVE.get(operator, operator))
    if positive is None:
        raise RuleError(f"operator '{operator}' is not known")
    text = "" if value is None else str(value).lower()
    matches = value is not None and positive(text, literal.strip("\"'").lower())
    return matches != (operator in _NEGATIVE)


def _listed(literal: str) -> set[str]:
    return {item.strip().strip("\"'") for item in literal.strip("[]").split(",")}
