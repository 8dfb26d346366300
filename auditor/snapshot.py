"""Evidence on disk: one JSON Lines file per dataset and a manifest that says how reading each of them ended.

Format: docs/snapshot.md. Writing is `SnapshotWriter` (used by collect); reading is `Snapshot.open`, which also takes a
hand-made folder without a manifest.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from auditor import __version__
from auditor.catalogue import BY_NAME, CATALOGUE
from auditor.errors import UsageError
from auditor.tenant import DatasetStatus

MANIFEST = "manifest.json"
SCHEMA = 1
PART = ".part"
"""suffix of a file that is being written"""
_BINARY = getattr(os, "O_BINARY", 0)
"""Windows only"""


@dataclass(frozen=True)
class Snapshot:
    """`ended`: ISO 8601 UTC of the service's clock when the last answer came; empty in a hand-made folder.
    `status` holds every dataset of the catalogue."""

    folder: Path
    tenant_id: str
    cloud: str
    ended: str
    status: Mapping[str, DatasetStatus]
    manifest: Mapping[str, Any]

    @classmethod
    def open(cls, folder: Path) -> Snapshot:
        """Raises UsageError where the folder holds no evidence or a manifest that cannot be read."""
        if not folder.is_dir():
            raise UsageError(f"{folder}: no such folder.", remedy="Name a run's snapshot folder.")
        manifest_path = folder / MANIFEST
        if manifest_path.exists():
            return cls._from_manifest(folder, manifest_path)
        if not any(_files(folder, dataset.name) for dataset in CATALOGUE):
            raise UsageError(
                f"{folder}: neither manifest.json nor any dataset file.",
                remedy="Name a run's snapshot folder, or a folder with files such as users.json.",
            )
        status = {
            dataset.name: DatasetStatus(dataset.name, "complete" if _files(folder, dataset.name) else "not-asked")
            for dataset in CATALOGUE
        }
        return cls(folder, "", "public", "", status, {})

    @classmethod
    def _from_manifest(cls, folder: Path, path: Path) -> Snapshot:
        try:
            manifest = json.loads(path.read_bytes())
            datasets = manifest["datasets"]
            status = {
                dataset.name: _status(dataset.name, datasets.get(dataset.name, {"state": "not-asked"}))
                for dataset in CATALOGUE
            }
            return cls(folder, manifest["tenant_id"], manifest["cloud"], manifest["ended"], status, manifest)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(
                f"{path}: not a manifest of this program ({error!r}).", remedy="Collect again, or remove the file."
            ) from error

    def lines(self, dataset: str) -> Iterator[bytes]:
        """The records of a dataset as JSON bytes, in file order; nothing where there is no file.

        Raises UsageError where a file is damaged (the line is named)."""
        for path in _files(self.folder, dataset):
            if path.suffix == ".json":
                yield from _graph_response(path)
                continue
            opener = gzip.open if path.suffix == ".gz" else open
            try:
                with opener(path, "rb") as stream:
                    for ended in stream:
                        line = ended.rstrip(b"\r\n")
                        if line and not line.isspace():
                            yield line
            except (OSError, EOFError, zlib.error) as error:
                raise UsageError(f"{path}: cannot be read: {error}.", remedy="`auditor verify` tells more.") from error

    def records(self, dataset: str) -> Iterator[Any]:
        """The decoded records; raises UsageError naming file and line where one is no JSON."""
        for number, line in enumerate(self.lines(dataset), 1):
            try:
                yield json.loads(line)
            except ValueError as error:
                raise UsageError(
                    f"{self.folder / dataset}: line {number} is no JSON: {error}.",
                    remedy="`auditor verify` tells more.",
                ) from error

    def digest(self) -> str:
        """SHA-256 over each dataset's name, record count and uncompressed lines, in catalogue order."""
        total = hashlib.sha256()
        for dataset in CATALOGUE:
            if not self.status[dataset.name].asked:
                continue
            inner = hashlib.sha256()
            count = 0
            for line in self.lines(dataset.name):
                inner.update(line + b"\n")
                count += 1
            total.update(f"{dataset.name}\n{count}\n{inner.hexdigest()}\n".encode())
        return total.hexdigest()


def _files(folder: Path, dataset: str) -> list[Path]:
    names = (f"{dataset}.jsonl", f"{dataset}.jsonl.gz", f"{dataset}.json")
    return [folder / name for name in names if (folder / name).is_file()][:1]


def _status(name: str, entry: Mapping[str, Any]) -> DatasetStatus:
    return DatasetStatus(
        name,
        entry["state"],
        int(entry.get("records", 0)),
        entry.get("reason", ""),
        entry.get("permission", ""),
        entry.get("source", ""),
        entry.get("as_of", ""),
    )


def _graph_response(path: Path) -> Iterator[bytes]:
    """A hand-made NAME.json: a Graph response with `value`, a bare list, or a single object."""
    try:
        document = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: no JSON: {error}.", remedy="Mend the file.") from error
    if isinstance(document, dict) and isinstance(document.get("value"), list):
        document = document["value"]
    for record in document if isinstance(document, list) else [document]:
        yield json.dumps(record, ensure_ascii=False).encode()


# --- writing --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """One dataset in the manifest: how it ended, what it cost and what its file holds.

    `sha256` is of the file's bytes, which are its lines, each ended by one line feed; empty where there is no file."""

    status: DatasetStatus
    requests: int = 0
    inner_requests: int = 0
    notes: tuple[str, ...] = ()
    sha256: str = ""

    def as_json(self) -> dict[str, Any]:
        status = self.status
        return {
            "state": status.state,
            "records": status.records,
            "requests": self.requests,
            "inner_requests": self.inner_requests,
            "reason": status.reason,
            "permission": status.permission,
            "source": status.source,
            "as_of": status.as_of,
            "notes": list(self.notes),
            "file": f"{status.name}.jsonl" if self.sha256 else "",
            "sha256": self.sha256,
        }

    @classmethod
    def from_json(cls, name: str, entry: Mapping[str, Any]) -> Self:
        return cls(
            _status(name, entry),
            int(entry.get("requests", 0)),
            int(entry.get("inner_requests", 0)),
            tuple(entry.get("notes", ())),
            entry.get("sha256", ""),
        )


class DatasetFile:
    """A dataset while it is written: lines stream to disk and into the digest, nothing is held in memory.

    `with` closes it, and makes it lasting unless an error passes. Raises UsageError where the disk refuses."""

    def __init__(self, path: Path) -> None:
        self.records = 0
        self._path = path
        self._digest = hashlib.sha256()
        self._stream = _open_private(path)

    def keep(self, records: Sequence[bytes]) -> None:
        """Appends records, each one JSON object without a line break."""
        with _disk(self._path):
            for record in records:
                line = record + b"\n"
                self._digest.update(line)
                self._stream.write(line)
        self.records += len(records)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _disk(self._path):
            try:
                if error is None:
                    self._stream.flush()
                    os.fsync(self._stream.fileno())
            finally:
                self._stream.close()


@dataclass
class SnapshotWriter:
    """Writes a snapshot so that it is sound at every moment: a dataset's file appears whole under its name, and the
    manifest, replaced in one step after each dataset, never speaks of more than is on disk.

    `configured_tenant` is the config's tenant id (a snapshot is only gone on with for the same one), `tenant_id` the
    organisation's own, once known; `started` and `ended` are the service's clock, ISO 8601 UTC. Folder and files are
    private where the system knows such modes. Every disk error is a UsageError that names the file."""

    folder: Path
    configured_tenant: str
    cloud: str
    tenant_id: str = ""
    started: str = ""
    ended: str = ""
    requests: int = 0
    complete: bool = False
    entries: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: Path, *, configured_tenant: str, cloud: str, resume: bool = False) -> Self:
        """A new snapshot, or with `resume` an unfinished one with the datasets that are whole.

        Raises UsageError where the folder holds another snapshot, or cannot be written."""
        writer = cls(folder, configured_tenant, cloud, tenant_id=configured_tenant)
        with _disk(folder):
            folder.mkdir(parents=True, exist_ok=True)
            _private(folder, 0o700)
            for part in folder.glob(f"*{PART}"):
                part.unlink()
        if not (folder / MANIFEST).exists():
            return writer
        if not resume:
            raise UsageError(f"{folder}: holds a snapshot already.", remedy="Name another folder, or use --resume.")
        writer._take_up(Snapshot.open(folder))
        return writer

    def _take_up(self, snapshot: Snapshot) -> None:
        manifest = snapshot.manifest
        if manifest.get("configured_tenant") != self.configured_tenant or snapshot.cloud != self.cloud:
            raise UsageError(f"{self.folder}: is the snapshot of another tenant.", remedy="Name another folder.")
        self.tenant_id = snapshot.tenant_id
        self.started = str(manifest.get("started", ""))
        self.ended = snapshot.ended
        self.requests = int(manifest.get("requests", 0))
        self.complete = bool(manifest.get("complete"))
        for name in BY_NAME.keys() & manifest["datasets"].keys():
            entry = Entry.from_json(name, manifest["datasets"][name])
            if entry.status.complete and _sha256(self.folder / f"{name}.jsonl") == entry.sha256:
                self.entries[name] = entry

    def dataset(self, name: str) -> DatasetFile:
        """`with writer.dataset(name) as file: file.keep(…)`, then `finish`; until then it is a part, not evidence."""
        return DatasetFile(self.folder / f"{name}.jsonl{PART}")

    def finish(self, entry: Entry, file: DatasetFile | None) -> None:
        """Puts the dataset's file in place (none where nothing was kept and it is not complete) and writes the
        manifest."""
        name = entry.status.name
        part, path = self.folder / f"{name}.jsonl{PART}", self.folder / f"{name}.jsonl"
        sha256 = file.sha256 if file and (file.records or entry.status.complete) else ""
        with _disk(path):
            if sha256:
                part.replace(path)
            else:
                part.unlink(missing_ok=True)
                path.unlink(missing_ok=True)
        self.entries[name] = Entry(entry.status, entry.requests, entry.inner_requests, entry.notes, sha256)
        self.write_manifest()

    def digest(self) -> str:
        """The snapshot's digest, the same as `Snapshot.digest` computes from the files."""
        total = hashlib.sha256()
        for dataset in CATALOGUE:
            entry = self.entries.get(dataset.name)
            if entry is None or not entry.status.asked:
                continue
            count = entry.status.records if entry.sha256 else 0
            inner = entry.sha256 or hashlib.sha256().hexdigest()
            total.update(f"{dataset.name}\n{count}\n{inner}\n".encode())
        return total.hexdigest()

    def write_manifest(self) -> None:
        manifest: dict[str, Any] = {
            "schema": SCHEMA,
            "version": __version__,
            "tenant_id": self.tenant_id,
            "configured_tenant": self.configured_tenant,
            "cloud": self.cloud,
            "started": self.started,
            "ended": self.ended,
            "complete": self.complete,
            "requests": self.requests,
            "datasets": {
                dataset.name: self.entries[dataset.name].as_json()
                for dataset in CATALOGUE
                if dataset.name in self.entries
            },
            "digest": self.digest(),
        }
        manifest["manifest_sha256"] = _seal(manifest)
        path = self.folder / MANIFEST
        with _disk(path):
            part = path.with_name(MANIFEST + PART)
            with _open_private(part) as stream:
                stream.write(json.dumps(manifest, indent=1, ensure_ascii=False).encode() + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(path)
            _sync_folder(self.folder)


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be written ({error.strerror or error}).",
            remedy="Make room or rights there; --resume goes on with what is complete.",
        ) from error


def _open_private(path: Path) -> BinaryIO:
    with _disk(path):
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY, 0o600), "wb")


def _private(path: Path, mode: int) -> None:
    if os.name == "posix":  # Windows knows no such modes; the folder there inherits its owner's rights
        path.chmod(mode)


def _sync_folder(folder: Path) -> None:
    """Makes a rename lasting; only POSIX can open a folder for that."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _seal(manifest: Mapping[str, Any]) -> str:
    """SHA-256 over the manifest without its own seal, keys sorted: a damaged manifest is noticed as well."""
    rest = {key: value for key, value in manifest.items() if key != "manifest_sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _sha256(path: Path) -> str:
    """Of a file's bytes; empty where it is missing."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


# --- verifying ------------------------------------------------------------------------------------------------------


def verify(folder: Path) -> list[str]:
    """What does not hold between a snapshot's manifest and its files, one line each; empty where all of it does.

    Raises UsageError where the folder is no snapshot with a readable manifest."""
    if not (folder / MANIFEST).is_file():
        raise UsageError(
            f"{folder / MANIFEST}: missing, so there is nothing to check against.",
            remedy="Name a run's snapshot folder.",
        )
    snapshot = Snapshot.open(folder)
    manifest = snapshot.manifest
    problems = []
    if manifest.get("manifest_sha256") != _seal(manifest):
        problems.append(f"{MANIFEST}: its own digest does not hold: it was changed")
    entries = manifest["datasets"]
    for name, entry in entries.items():
        problems += _check_file(folder, str(name), entry)
    known = {MANIFEST, *(entry.get("file") for entry in entries.values())}
    problems += [
        f"{path.name}: not named in the manifest" for path in sorted(folder.iterdir()) if path.name not in known
    ]
    if not problems and manifest.get("digest") != snapshot.digest():
        problems.append(f"{MANIFEST}: the snapshot's digest does not hold")
    return problems


def _check_file(folder: Path, name: str, entry: Mapping[str, Any]) -> list[str]:
    file = entry.get("file", "")
    if not file:
        return [f"{name}: complete, but without a file"] if entry.get("state") == "complete" else []
    path = folder / Path(file).name
    try:
        data_digest = _sha256(path)
        if not data_digest:
            return [f"{path.name}: missing"]
        with path.open("rb") as stream:
            lines = sum(1 for _ in stream)
    except OSError as error:
        return [f"{path.name}: cannot be read ({error.strerror})"]
    if lines != entry.get("records"):
        return [f"{path.name}: {lines} lines, the manifest says {entry.get('records')}"]
    if data_digest != entry.get("sha256"):
        return [f"{path.name}: its digest does not hold: it was changed"]
    return []
