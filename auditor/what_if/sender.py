"""A declared sender's own settings: what its owner can change at the client, or declare better."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any, get_args

import msgspec

from auditor.config import Sender
from auditor.errors import UsageError
from auditor.what_if.model import Change, Draft

FIXED = frozenset({"name", "account"})
"""What says which sender it is."""
KEYS = (
    "username", "from", "server", "port", "tls", "auth", "route", "egress_ips", "oauth_app_id", "oauth_flow",
    "recipients", "recipients_per_day", "messages_per_minute", "connections",
)  # fmt: skip
"""The keys of `[[senders]]` that a verdict rests on, as the config writes them. Those that name where a secret is found
are none of them, and are refused before their value could be shown."""
_FIELDS = {field.encode_name: field for field in msgspec.structs.fields(Sender)}
_BOUNDS = {"port": (1, 65535)}
_REMEDY = "config.example.toml explains every key."


@dataclass(frozen=True)
class SenderSetting(Change):
    """One key of one declared sender has another value, given as text as the command line writes it: several addresses
    with commas, nothing for the key's own default."""

    name: str
    setting: str
    value: str

    @property
    def key(self) -> tuple[str, ...]:
        return "sender", self.name.lower(), self.setting

    @property
    def option(self) -> tuple[str, ...]:
        return "--sender", f"{self.name}.{self.setting}={self.value}"

    @property
    def text(self) -> str:
        return f"sender {self.name} has {self.setting} = {self.value or 'its default'}"

    def apply(self, draft: Draft) -> None:
        for position, sender in enumerate(draft.senders):
            if sender.name.lower() == self.name.lower():
                draft.senders[position] = changed(sender, self.setting, self.value)
                if draft.base.find(sender.account) < 0:
                    draft.note(f"the account of sender {sender.name} is not in the tenant, so nothing can change")


def changed(sender: Sender, setting: str, value: str) -> Sender:
    """The sender with one key set anew. Raises UsageError for a value that the config would refuse."""
    document: dict[str, Any] = msgspec.to_builtins(sender)
    if value.strip():
        document[setting] = _typed(sender.name, setting, value.strip())
    else:
        document.pop(setting, None)
    try:
        after = msgspec.convert(document, Sender)
    except msgspec.ValidationError as error:
        raise UsageError(f"sender {sender.name}: {setting}: {_problem(setting, value)}.", remedy=_REMEDY) from error
    for address in after.egress_ips:
        _check_address(sender.name, address)
    return after


def _typed(name: str, setting: str, value: str) -> object:
    kind = _FIELDS[setting].type
    if kind is int or int in get_args(kind):
        least, most = _BOUNDS.get(setting, (0, 10**9))
        if not (value.isascii() and value.isdecimal() and least <= int(value) <= most):
            raise UsageError(f"sender {name}: {setting}: `{value}` is no number that fits here.", remedy=_REMEDY)
        return int(value)
    if setting == "egress_ips":
        return [address.strip() for address in value.split(",") if address.strip()]
    return value


def _check_address(name: str, address: str) -> None:
    try:
        ipaddress.ip_network(address, strict=False)
    except ValueError as error:
        raise UsageError(
            f"sender {name}: egress_ips: `{address}` is no IP address or CIDR range.", remedy="Write 203.0.113.10."
        ) from error


def _problem(setting: str, value: str) -> str:
    words = _words(_FIELDS[setting].type)
    return f"`{value}` is not known; allowed: {', '.join(words)}" if words else f"`{value}` does not fit here"


def _words(kind: Any) -> list[str]:
    """The words that a Literal, or a union of them, allows."""
    found: list[str] = []
    for part in get_args(kind):
        found += [part] if isinstance(part, str) else _words(part)
    return [word for word in found if word]
