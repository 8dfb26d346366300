"""Exchange Online from files that an administrator exported: the way that Microsoft supports.

Taken: the JSON file of `auditor exchange-script`, or a folder with one CSV or JSON file per dataset, named like the
dataset (`casMailboxes.csv`) or its cmdlet (`Get-CASMailbox.csv`), in any letter case; and the SMTP AUTH clients report
of the Exchange admin centre, in a file with these words in its name
(https://learn.microsoft.com/exchange/monitoring/mail-flow-reports/mfr-smtp-auth-clients-report).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from auditor.catalogue import BY_NAME, EXCHANGE_DATASETS, Dataset
from auditor.errors import ConfigError
from auditor.exchange.base import ExchangeRead, Keep, hidden_cmdlet, moment, stamp
from auditor.exchange.properties import DECISIVE, SINGLE
from auditor.exchange.tables import Damaged, decode, from_cells, normalise, parse_json, table

LABEL = "Exchange export by an administrator"
CLIENTS_REPORT = "smtpAuthClients"
_CLIENTS = "smtpauthclient"
"""In the name of every file that the admin centre's report is saved as, whatever stands around it"""
NOTES_LIMIT = 50

_SUFFIXES = (".csv", ".tsv", ".txt", ".json")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _names() -> dict[str, str]:
    """Plain file or key name → dataset: its own name, its cmdlet, its cmdlet's noun."""
    names = {_plain(name): name for name in EXCHANGE_DATASETS}
    for name in EXCHANGE_DATASETS:
        # Get-MailUser alone lists every mail user, not only those of High Volume Email.
        if name != "hveAccounts":
            cmdlet = _plain(BY_NAME[name].path)
            names |= {cmdlet: name, cmdlet.removeprefix("get"): name}
    return names


NAMES = _names()
KEYS = {**NAMES, "users": "exchangeUsers", _plain(CLIENTS_REPORT): CLIENTS_REPORT}
"""Keys of the script's JSON file, where `users` can only be Exchange's."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One dataset found in one file: already parsed (of a bundle) or to be read."""

    path: Path
    document: Any = None
    as_of: str = ""
    loaded: bool = False


@dataclass
class _Contents:
    """What lies in the folder. `broken`: files that may have held anything; `refused`: dataset → what the script noted
    when a cmdlet failed; `permissions_of`: whose mailbox permissions the script asked for, None if it did not say."""

    parts: dict[str, list[_Part]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    permissions_of: frozenset[str] | None = None


@dataclass
class ExportSource:
    """Reads exported files. Made by `open`; the files are looked at on the first `read`."""

    files: tuple[Path, ...]
    _notes: dict[str, None] = field(default_factory=dict)
    _contents: _Contents | None = None

    @classmethod
    def open(cls, path: Path) -> ExportSource:
        """A folder or one file. Raises ConfigError where there is none."""
        try:
            found = sorted(entry for entry in path.iterdir() if entry.is_file()) if path.is_dir() else [path]
            if not path.is_dir():
                path.stat()
        except OSError as error:
            raise ConfigError(
                f"exchange.export_path: {path}: cannot be read ({error.strerror}).",
                remedy="Run the script that `auditor exchange-script` prints, and name the file that it writes.",
            ) from error
        return cls(tuple(entry for entry in found if not entry.name.startswith(".")))

    @property
    def label(self) -> str:
        return LABEL

    def notes(self) -> Sequence[str]:
        """Told once each; after `read`s also odd values in the files, at most a screenful."""
        self._look()
        told = list(self._notes)
        more = len(told) - NOTES_LIMIT
        return told if more <= 0 else [*told[:NOTES_LIMIT], f"… and {more} more remarks of this kind."]

    async def read(self, dataset: Dataset, identities: Sequence[str], keep: Keep) -> ExchangeRead:
        """See `ExchangeSource.read`."""
        contents = self._look()
        parts = contents.parts.get(dataset.name, [])
        if not parts:
            return _absent(dataset, contents)
        names = ", ".join(part.path.name for part in parts)
        source = f"{LABEL}: {names}"
        if len(parts) > 1:
            return ExchangeRead(
                "failed", reason=f"{names}: several files hold {dataset.name}; keep one.", source=source
            )
        part = parts[0]
        try:
            records = list(self._records(dataset, part))
        except Damaged as damage:
            return ExchangeRead("failed", reason=f"{part.path.name}: {damage}.", source=source)
        except OSError as error:
            return ExchangeRead("failed", reason=f"{part.path.name}: cannot be read ({error.strerror}).", source=source)
        if not records and dataset.name in SINGLE:
            return ExchangeRead("failed", reason=f"{part.path.name}: holds no {dataset.name}.", source=source)
        await keep(records)
        missing = _permissions_missing(dataset, identities, contents)
        return ExchangeRead("cut" if missing else "complete", len(records), missing, "", 0, source, part.as_of)

    def _tell(self, note: str) -> None:
        self._notes.setdefault(note)

    def _look(self) -> _Contents:
        """Which file holds what; done once."""
        if self._contents is None:
            self._contents = contents = _Contents()
            for path in self.files:
                self._place(path, contents)
        return self._contents

    def _place(self, path: Path, contents: _Contents) -> None:
        stem = _plain(path.stem)
        if path.suffix.lower() not in _SUFFIXES:
            self._tell(f"{path.name}: not read; only CSV and JSON files are.")
        elif name := CLIENTS_REPORT if _CLIENTS in stem else NAMES.get(stem, ""):
            contents.parts.setdefault(name, []).append(_Part(path))
        elif stem == "getexocasmailbox":
            self._tell(f"{path.name}: not read; Get-EXOCasMailbox never tells the SMTP switch. Export Get-CASMailbox.")
        elif path.suffix.lower() == ".json":
            self._place_bundle(path, contents)
        else:
            self._tell(f"{path.name}: not read; no dataset or cmdlet has this name (casMailboxes, Get-CASMailbox, …).")

    def _place_bundle(self, path: Path, contents: _Contents) -> None:
        """The script's file: one key per dataset."""
        try:
            document = parse_json(decode(path.read_bytes()))
        except Damaged as damage:
            contents.broken.append(f"{path.name}: {damage}")
            return
        except OSError as error:
            contents.broken.append(f"{path.name}: cannot be read ({error.strerror})")
            return
        keys = {_plain(key): key for key in document} if isinstance(document, dict) else {}
        known = {plain: key for plain, key in keys.items() if plain in KEYS}
        if not known:
            self._tell(f"{path.name}: not read; it holds no dataset of Exchange.")
            return
        as_of = self._time(document.get(keys.get("exportedat", "")), path)
        for plain, key in known.items():
            part = _Part(path, document[key], as_of, loaded=True)
            contents.parts.setdefault(KEYS[plain], []).append(part)
        self._place_remarks(document, keys, contents)
        for plain in sorted(keys.keys() - known.keys() - {"exportedat", "errors", "mailboxpermissionsof"}):
            self._tell(f"{path.name}: key {keys[plain]} is not known and was not read.")

    def _place_remarks(self, document: Mapping[str, Any], keys: Mapping[str, str], contents: _Contents) -> None:
        errors = document.get(keys.get("errors", ""))
        if isinstance(errors, dict):
            contents.refused |= {KEYS.get(_plain(key), str(key)): str(text) for key, text in errors.items()}
        asked = document.get(keys.get("mailboxpermissionsof", ""))
        if isinstance(asked, list | str):
            mailboxes = [asked] if isinstance(asked, str) else asked
            contents.permissions_of = frozenset(str(mailbox).strip().lower() for mailbox in mailboxes)

    def _time(self, value: Any, path: Path) -> str:
        """`exportedAt` as ISO 8601 UTC, empty if unknown."""
        if value is None:
            return ""
        when = moment(value.get("value") if isinstance(value, dict) else value)
        if when is None:
            self._tell(f"{path.name}: exportedAt is no time that is understood; the export's age is unknown.")
            return ""
        return stamp(when)

    def _records(self, dataset: Dataset, part: _Part) -> Iterator[bytes]:
        """Raises Damaged, OSError."""
        seen: set[str] = set()
        count = 0
        for record in self._objects(part):
            seen.update(record)
            count += 1
            yield msgspec.json.encode(record)
        decisive = DECISIVE.get(dataset.name)
        if count and decisive and decisive not in seen:
            self._tell(f"{part.path.name}: {dataset.name} has no {decisive}, so it cannot decide.")

    def _objects(self, part: _Part) -> Iterator[dict[str, Any]]:
        name = part.path.name
        if part.loaded or part.path.suffix.lower() == ".json":
            document = part.document if part.loaded else parse_json(decode(part.path.read_bytes()))
            for number, record in enumerate(_objects_of(document), 1):
                yield normalise(record, f"{name}: object {number}", self._tell)
            return
        for line, cells in table(decode(part.path.read_bytes())):
            yield from_cells(cells, f"{name}: line {line}", self._tell)


def _objects_of(document: Any) -> Iterator[dict[str, Any]]:
    """A list of objects, `{"value": […]}` (also what PowerShell makes of a wrapped array), or a single object."""
    if document is None:
        raise Damaged("it holds null, neither objects nor an empty list")
    if isinstance(document, dict) and isinstance(document.get("value"), list):
        document = document["value"]
    for number, record in enumerate(document if isinstance(document, list) else [document], 1):
        if not isinstance(record, dict):
            raise Damaged(f"object {number} is no object")
        yield record


def _absent(dataset: Dataset, contents: _Contents) -> ExchangeRead:
    """No file holds the dataset: refused when exported, perhaps in a file that cannot be read, or not exported."""
    if text := contents.refused.get(dataset.name):
        if hidden_cmdlet(text):
            return ExchangeRead("denied", reason=f"The export says: {text}", permission="View-Only Configuration and "
                                "View-Only Recipients for the administrator who exports")  # fmt: skip
        return ExchangeRead("failed", reason=f"The export says: {text}")
    if contents.broken:
        return ExchangeRead("failed", reason=f"{'; '.join(contents.broken)}.")
    hint = " The script exports it for the mailboxes behind -Sender." if dataset.name == "mailboxPermissions" else ""
    return ExchangeRead("not-asked", reason=f"No exported file holds {dataset.name}.{hint}")


def _permissions_missing(dataset: Dataset, identities: Sequence[str], contents: _Contents) -> str:
    """Mailbox permissions are exported for some mailboxes only; which senders' are missing, as a sentence."""
    if dataset.name != "mailboxPermissions" or contents.permissions_of is None:
        return ""
    missing = sorted({identity.strip().lower() for identity in identities} - contents.permissions_of)
    return f"Not exported for {', '.join(missing)}." if missing else ""
