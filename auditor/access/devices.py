"""Device filters for a client that sends no device.

All attributes of an unregistered device are null: a positive operator (equals, contains, in …) never matches them and a
negative one always does. Source:
https://learn.microsoft.com/entra/identity/conditional-access/concept-condition-filters-for-devices
"""

from __future__ import annotations

import re

POSITIVE = frozenset({"eq", "equals", "contains", "startswith", "endswith", "in"})
NEGATIVE = frozenset({"ne", "notequals", "notcontains", "notstartswith", "notendswith", "notin"})

_STRING = r'"[^"]*"|\'[^\']*\''
_CLAUSE = re.compile(
    rf"\(*\s*device\.\w+\s+-?(?P<operator>[a-z]+)\s+(?:{_STRING}|\[[^\]]*\]|true|false)\s*\)*", re.IGNORECASE
)
_JOINT = re.compile(r"\s*-?(?:and|or)\s+", re.IGNORECASE)


def matches_no_device(rule: str) -> bool | None:
    """Does the rule match a sign-in without a device? None where it cannot be told: operators of both kinds, one that
    is not known, a comparison with null, a negation, or a text that is no rule."""
    kinds: set[bool] = set()
    position = 0
    text = rule.strip()
    if text.count("(") != text.count(")"):
        return None
    while True:
        clause = _CLAUSE.match(text, position)
        operator = clause.group("operator").lower() if clause else ""
        if clause is None or operator not in POSITIVE | NEGATIVE:
            return None
        kinds.add(operator in NEGATIVE)
        position = clause.end()
        if position == len(text):
            return kinds.pop() if len(kinds) == 1 else None
        joint = _JOINT.match(text, position)
        if joint is None:
            return None
        position = joint.end()
