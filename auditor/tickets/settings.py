"""`[[tickets]]` of the config, typed. Each system's module adds its own keys to `TicketSettings`.

A credential never stands in the file: keys that end in `_env` name the environment variable that holds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from auditor.findings.base import Outcome, Severity

Grouping = Literal["finding", "rule", "sender", "owner"]


class TicketSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What every system has. `min_severity` and `outcomes` choose the findings; `max_new` bounds the tickets that one
    sync makes; `pseudonymise` writes ids instead of names; `fields` are the system's own."""

    name: str
    system: str
    url: str
    ca_bundle: str = ""
    group_by: Grouping = "rule"
    min_severity: Severity = "medium"
    outcomes: tuple[Outcome, ...] = ("fail",)
    max_new: int = 25
    pseudonymise: bool = False
    labels: tuple[str, ...] = ()
    title: str = ""
    """a Jinja template of the title; empty: the topic's own"""
    body: str = ""
    """path of a Jinja template that is put before the body; empty: none"""
    fields: Mapping[str, Any] = {}
    waived_state: str = ""
    """where tickets of accepted findings are moved; empty: they are left where they are, with a comment"""
