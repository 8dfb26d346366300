"""`[[tickets]]` of the config, typed and checked when tickets are used. Each system's module adds its own keys.

A credential never stands in the file: keys that end in `_env` name the environment variable that holds it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args

import msgspec

from auditor.config import LoadedConfig
from auditor.errors import ConfigError
from auditor.findings.base import SEVERITIES, Outcome, Severity
from auditor.tickets import systems

Grouping = Literal["finding", "rule", "sender", "owner"]

_EXAMPLE = "docs/tickets.md explains every key."


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
    """the system's own fields, by its own names; a table of severities (`critical = …`) under a name is a choice among
    them"""
    waived_state: str = ""
    """where tickets of accepted findings are moved; empty: they are left where they are, with a comment"""
    reopen_done: bool = False
    """also reopen what a person closed as done while the finding stands"""
    journal: str = ""
    """path of the journal; empty: beside the tenant's reports"""


def fields_at(fields: Mapping[str, Any], severity: Severity) -> dict[str, Any]:
    """A table of severities is a choice among them; a field without a value for this one is left out."""
    chosen = {}
    for name, value in fields.items():
        if not (isinstance(value, dict) and value and value.keys() <= set(SEVERITIES)):
            chosen[name] = value
        elif severity in value:
            chosen[name] = value[severity]
    return chosen


def load_settings(config: LoadedConfig, file: Path, name: str) -> TicketSettings:
    """The entry `name` as its system's own settings, with paths that start at the config's folder. `file` is how
    messages call the config. Raises ConfigError where there is no such entry, or a key of it is wrong."""
    tables = config.config.tickets
    names = [str(table.get("name", "")) for table in tables]
    if name not in names:
        known = (
            f"The config has: {', '.join(names)}." if names else "Add a [[tickets]] entry; docs/tickets.md shows how."
        )
        raise ConfigError(f"{file}: there is no [[tickets]] entry named {name}.", remedy=known)
    check = _Check(f'{file}: [[tickets]] {names.index(name) + 1} "{name}"')
    if names.count(name) > 1:
        check.fail("name", "stands twice", "Give each entry its own name.")
    settings = check.typed(tables[names.index(name)])
    paths = {
        key: str(config.path(value)) for key in ("ca_bundle", "body", "journal") if (value := getattr(settings, key))
    }
    return msgspec.structs.replace(settings, **paths)


class _Check:
    def __init__(self, place: str) -> None:
        self.place = place

    def fail(self, key: str, problem: str, remedy: str = _EXAMPLE) -> NoReturn:
        raise ConfigError(f"{self.place}: {key}: {problem}.", remedy=remedy)

    def typed(self, table: Mapping[str, Any]) -> TicketSettings:
        system = table.get("system", "")
        if system not in systems.MODULES:
            near = difflib.get_close_matches(str(system), systems.MODULES, n=1)
            hint = f"did you mean `{near[0]}`" if near else f"known: {', '.join(systems.MODULES)}"
            self.fail("system", f"`{system}` is not known; {hint}")
        kind = systems.settings_of(system)
        names = [field.encode_name for field in msgspec.structs.fields(kind)]
        for key in table:
            if key not in names:
                near = difflib.get_close_matches(key, names, n=1)
                self.fail(
                    key, "unknown key; " + (f"did you mean `{near[0]}`?" if near else f"known: {', '.join(names)}")
                )
        try:
            settings = msgspec.convert(table, kind)
        except msgspec.ValidationError as error:
            self._mistyped(kind, str(error))
        self._values(settings)
        return settings

    def _mistyped(self, kind: type[TicketSettings], message: str) -> NoReturn:
        missing = re.search(r"missing required field `(\w+)`", message)
        if missing:
            self.fail(missing[1], "is missing")
        at = re.search(r"`\$\.(\w+)", message)
        field = next((field for field in msgspec.structs.fields(kind) if at and field.encode_name == at[1]), None)
        words = [word for word in (get_args(field.type) if field else ()) if isinstance(word, str)]
        allowed = f"; allowed: {', '.join(words)}" if words else ""
        self.fail(at[1] if at else "keys", message.partition(" - at")[0] + allowed)

    def _values(self, settings: TicketSettings) -> None:
        if not settings.name.strip():
            self.fail("name", "is empty", "Name it; --to chooses by this name.")
        if not re.match(r"https://|http://(localhost|127\.0\.0\.1|\[::1\])([:/]|$)", settings.url.lower()):
            self.fail("url", "is no https:// address", "The credential only travels over TLS (or to this machine).")
        if settings.max_new < 0:
            self.fail("max_new", f"{settings.max_new} is negative", "0 makes no new tickets; the default is 25.")
        for field in msgspec.structs.fields(settings):
            value = getattr(settings, field.name)
            if field.name.endswith("_env") and value and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value):
                self.fail(
                    field.name,
                    "is no name of an environment variable",
                    "Name the variable that holds the secret; if the secret itself stood here, renew it.",
                )
