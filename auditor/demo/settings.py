"""The config.toml with which `auditor run` audits an emulated tenant."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from auditor.demo.model import DemoTenant
from auditor.demo.smtp.apps import Credential, credentials
from auditor.errors import UsageError

if TYPE_CHECKING:
    from auditor.demo.server import Emulator


MARK = "# Written by the emulated tenant; config.example.toml explains every key."
"""the first line: a file that begins so may be replaced"""

REPLIES = "smtp-replies.jsonl"
"""beside the config: the replies that the emulated tenant's administrator noted"""

SENDER_SECRETS = "senders.env"
"""beside the config: the environment variables with which the emulated senders sign in, for `auditor probe`"""


def write_config(tenant: DemoTenant, emulator: Emulator, path: Path) -> None:
    """Writes a private config.toml; paths inside its folder are relative to it, so that the folder can be moved.

    The client secret stays in its own file. Raises UsageError where the file cannot be written, where another config
    would be lost, or where the tenant is to be read from an export, which the emulator does not make."""
    from auditor.demo.server import write_private

    _refuse_foreign(path)
    if emulator.smtp:
        _refuse_foreign(path.parent / SENDER_SECRETS)
    if tenant.exchange_mode == "export":
        raise UsageError(
            "The emulated tenant has no Exchange export to name in its config.",
            remedy="Let it serve Exchange itself (admin-api), or none.",
        )
    text = config_text(tenant, emulator, path.resolve().parent)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if tenant.smtp_replies:
            lines = (json.dumps(reply, ensure_ascii=False) + "\n" for reply in tenant.smtp_replies)
            write_private(path.parent / REPLIES, "".join(lines))
        if emulator.smtp:
            write_private(path.parent / SENDER_SECRETS, _environment(_credentials(tenant, emulator)))
        write_private(path, text)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}).", remedy="Name another file.") from error


def _refuse_foreign(path: Path) -> None:
    """Only a config of the emulator's own making is replaced. Raises UsageError for any other file."""
    try:
        with path.open("rb") as stream:
            ours = stream.readline().rstrip() == MARK.encode()
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror}).", remedy="Name another file.") from error
    if not ours:
        raise UsageError(
            f"{path}: exists and was not written by the emulated tenant; it stays as it is.",
            remedy="Name another file, with --config-out for `emulate`.",
        )


def config_text(tenant: DemoTenant, emulator: Emulator, folder: Path) -> str:
    """The config as text; `folder` is where it will lie."""
    lines = [
        MARK,
        "",
        "[[tenants]]",
        *_table(
            {
                "name": tenant.name,
                "tenant_id": tenant.tenant_id,
                "client_id": tenant.app.client_id,
                "cloud": "custom",
                "authority": emulator.authority,
                "graph_url": emulator.graph_url,
                "exchange_url": emulator.exchange_url,
                "ca_bundle": _path(emulator.ca_bundle, folder),
                "client_secret_file": _path(emulator.secret_file, folder),
                "smtp_host": emulator.smtp_host or None,
                "smtp_port": emulator.smtp_port or None,
            }
        ),
        "",
        "[exchange]",
        *_table({"source": tenant.exchange_mode}),
    ]
    if tenant.smtp_replies:
        lines += ["", "[audit]", *_table({"smtp_replies": REPLIES})]
    named = {one.sender: {one.key: one.variable} for one in _credentials(tenant, emulator)}
    for sender in tenant.senders:
        lines += ["", "[[senders]]", *_table(sender | named.get(sender["name"], {}))]
    return "\n".join(lines) + "\n"


def _credentials(tenant: DemoTenant, emulator: Emulator) -> list[Credential]:
    """Only with an SMTP service is there something to sign in to."""
    return credentials(tenant, emulator.tokens, emulator.exchange_url) if emulator.smtp else []


def _environment(found: Sequence[Credential]) -> str:
    """Lines that a POSIX shell reads (`set -a; . ./senders.env`); no value of the demo's needs more than quotes."""
    return f"{MARK}\n" + "".join(f"{one.variable}='{one.value}'\n" for one in found)


def _path(path: Path, folder: Path) -> str:
    resolved = path.resolve()
    return (resolved.relative_to(folder) if resolved.is_relative_to(folder) else resolved).as_posix()


def _table(values: Mapping[str, Any]) -> list[str]:
    return [f"{_key(name)} = {_value(value)}" for name, value in values.items() if value is not None]


def _key(name: str) -> str:
    plain = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if plain else _string(name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, Sequence):
        return f"[{', '.join(_value(item) for item in value)}]"
    raise TypeError(f"{type(value).__name__} has no place in a config.")


def _string(text: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's, but for DEL, which TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
