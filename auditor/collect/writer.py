"""Writes a snapshot so that it is sound at every moment, also where the process is killed or the disk is full.

A dataset's file appears whole under its name. Until then it is `NAME.jsonl.part`, and `NAME.checkpoint.part` says how
much of it is safe and where reading goes on. Format: docs/snapshot.md.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import msgspec

from auditor import __version__
from auditor.catalogue import BY_NAME, CATALOGUE
from auditor.errors import UsageError
from auditor.snapshot import DAMAGE, LOCK, MANIFEST, PART, Snapshot, open_lines, seal, sha256_of_lines, status_of
from auditor.tenant import DatasetStatus

SCHEMA = 1
COMPRESSED_ABOVE = 10_000
"""accounts: from there on files are gzip, one member per page"""
_LEVEL = 2
"""of zlib: pages of users at 400 to 500 MB a second of CPU, 1/30 to 1/40 of their size; level 6 saves a fifth more for
four times the CPU"""
_GZIP = 16 + zlib.MAX_WBITS
_BINARY = getattr(os, "O_BINARY", 0)
"""Windows only"""


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where reading a dataset goes on. `step`: which part of a dataset that is read in several, for instance a group's
    id. `link`: the nextLink of the page after the last safe one; empty where the step is done. `memo`: what the reader
    wants to know again."""

    step: str = ""
    link: str = ""
    memo: dict[str, Any] = msgspec.field(default_factory=dict)


class Checkpoint(msgspec.Struct, frozen=True):
    """One line of the checkpoint file: so many bytes of the part are on disk, holding so many records; what they cost
    in requests; and the place to go on from."""

    size: int
    records: int
    requests: int
    inner_requests: int
    place: Place


@dataclass(frozen=True, slots=True)
class Entry:
    """One dataset in the manifest: how it ended, what it cost and what its file holds.

    `sha256` is of the file's uncompressed bytes, which are its lines, each ended by one line feed; empty where there
    is no file."""

    status: DatasetStatus
    requests: int = 0
    inner_requests: int = 0
    notes: tuple[str, ...] = ()
    file: str = ""
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
            "file": self.file,
            "sha256": self.sha256,
            **({} if status.asked_for is None else {"asked_for": sorted(status.asked_for)}),
        }

    @classmethod
    def from_json(cls, name: str, entry: Mapping[str, Any]) -> Self:
        return cls(
            status_of(name, entry),
            int(entry.get("requests", 0)),
            int(entry.get("inner_requests", 0)),
            tuple(entry.get("notes", ())),
            entry.get("file", ""),
            entry.get("sha256", ""),
        )


class DatasetFile:
    """A dataset while it is written: pages stream to disk and into the digest, nothing is held in memory.

    `checkpoint` is the one that an interrupted run left, if it can be gone on from. `with` closes the file and makes it
    lasting unless an error passes. Raises UsageError where the disk refuses."""

    def __init__(self, path: Path) -> None:
        """`path`: what the file will be called once it is whole."""
        self.path = path
        self.part = path.with_name(path.name + PART)
        self._journal_path = _journal(path.parent, path.name.partition(".")[0])
        with _disk(self.part):
            self.checkpoint = self._take_up()
            self.carried = (self.checkpoint.requests, self.checkpoint.inner_requests) if self.checkpoint else (0, 0)
            """requests, and calls inside batches, of the run that is gone on with"""
            self._stream = _open_private(self.part, keep=self.checkpoint.size if self.checkpoint else 0)
            try:
                self._journal = _open_private(self._journal_path, keep=self._journal_size)
            except OSError:
                self._stream.close()
                raise

    def _take_up(self) -> Checkpoint | None:
        """What an earlier run left, with the digest of its lines; the part is not trusted beyond the checkpoint."""
        self.records = 0
        self._digest = hashlib.sha256()
        checkpoint, self._journal_size = _last(self._journal_path)
        if checkpoint and self.path.is_file() and not self.part.exists():
            self.path.replace(self.part)  # it was put in place, and the manifest does not call it whole
        if checkpoint is None or not self.part.is_file() or self.part.stat().st_size < checkpoint.size:
            self._journal_size = 0
            return None
        os.truncate(self.part, checkpoint.size)
        try:
            for line in self._lines():
                self._digest.update(line)
                self.records += 1
        except DAMAGE:
            self.records = -1
        if self.records == checkpoint.records:
            return checkpoint
        self.records = 0
        self._digest = hashlib.sha256()
        self._journal_size = 0
        return None

    def keep(self, records: Sequence[bytes]) -> None:
        """Appends records, each one JSON object without a line break."""
        if not records:
            return
        data = b"\n".join((*records, b""))  # in one copy: a page may be 13 MB
        self._digest.update(data)
        with _disk(self.part):
            self._stream.write(_member(data) if self.path.suffix == ".gz" else data)
        self.records += len(records)

    def save(self, place: Place, requests: int, inner_requests: int) -> None:
        """What was kept until now is safe from here on, and a resume goes on at `place`. Requests: of this run."""
        with _disk(self.part):
            _sync(self._stream)
            cost = (self.carried[0] + requests, self.carried[1] + inner_requests)
            line = msgspec.json.encode(Checkpoint(self._stream.tell(), self.records, *cost, place))
            self._journal.write(line + b"\n")
            _sync(self._journal)

    def restart(self) -> None:
        """Forgets everything: the dataset is read from its start."""
        with _disk(self.part):
            for stream in (self._journal, self._stream):
                stream.seek(0)
                stream.truncate()
        self.records = 0
        self._digest = hashlib.sha256()
        self.checkpoint = None

    def lines(self) -> Iterator[bytes]:
        """What was kept until now, without line ends."""
        with _disk(self.part):
            self._stream.flush()
            for line in self._lines():
                yield line[:-1]

    def _lines(self) -> Iterator[bytes]:
        with open_lines(self.part, compressed=self.path.suffix == ".gz") as stream:
            yield from stream

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _disk(self.part):
            try:
                if error is None:
                    _sync(self._stream)
            finally:
                self._journal.close()
                self._stream.close()


@dataclass
class SnapshotWriter:
    """The manifest, replaced in one step after each dataset, never speaks of more than is on disk.

    `configured_tenant` is the config's tenant id (a snapshot is only gone on with for the same one), `tenant_id` the
    organisation's own, once known; `started` and `ended` are the service's clock, ISO 8601 UTC; `accounts` is how many
    the directory said to have, None where it did not say; `requests` those of all datasets that have ended. Folder and
    files are private where the system knows such modes. Every disk error is a UsageError that names the file."""

    folder: Path
    configured_tenant: str
    cloud: str
    tenant_id: str = ""
    started: str = ""
    ended: str = ""
    accounts: int | None = None
    requests: int = 0
    complete: bool = False
    entries: dict[str, Entry] = field(default_factory=dict)
    _counted: frozenset[str] = frozenset()
    """datasets whose requests the manifest has counted already"""

    @classmethod
    def open(cls, folder: Path, *, configured_tenant: str, cloud: str, resume: bool = False) -> Self:
        """A new snapshot, or with `resume` an unfinished one with the datasets that are whole.

        Raises UsageError where the folder holds another snapshot, or cannot be written."""
        writer = cls(folder, configured_tenant, cloud, tenant_id=configured_tenant)
        with _disk(folder):
            folder.mkdir(parents=True, exist_ok=True)
            _private(folder, 0o700)
        if (folder / MANIFEST).exists():
            if not resume:
                raise UsageError(f"{folder}: holds a snapshot already.", remedy="Name another folder, or use --resume.")
            writer._take_up(Snapshot.open(folder))
        else:
            writer.forget(BY_NAME)
        return writer

    def _take_up(self, snapshot: Snapshot) -> None:
        manifest = snapshot.manifest
        if manifest.get("configured_tenant") != self.configured_tenant or snapshot.cloud != self.cloud:
            raise UsageError(f"{self.folder}: is the snapshot of another tenant.", remedy="Name another folder.")
        self.tenant_id = snapshot.tenant_id
        self.started = str(manifest.get("started", ""))
        self.ended = snapshot.ended
        self.accounts = manifest.get("accounts")
        self.requests = int(manifest.get("requests", 0))
        self.complete = bool(manifest.get("complete"))
        self._counted = frozenset(manifest["datasets"])
        for name in BY_NAME.keys() & manifest["datasets"].keys():
            entry = Entry.from_json(name, manifest["datasets"][name])
            if entry.status.complete and sha256_of_lines(self.folder / entry.file) == entry.sha256:
                self.entries[name] = entry

    def forget(self, names: Iterable[str]) -> None:
        """Removes what an interrupted run left of these datasets."""
        with _disk(self.folder):
            for name in names:
                for part in self.folder.glob(f"{name}.*{PART}"):
                    part.unlink()

    def dataset(self, name: str) -> DatasetFile:
        """`with writer.dataset(name) as file: file.keep(…)`, then `finish`; until then it is a part, not evidence."""
        compressed = self.accounts is not None and self.accounts > COMPRESSED_ABOVE
        return DatasetFile(self.folder / f"{name}.jsonl{'.gz' if compressed else ''}")

    def finish(self, entry: Entry, file: DatasetFile, *, resumable: bool = False) -> None:
        """Puts the dataset's file in place (none where nothing was kept and it is not complete) and writes the
        manifest. `entry` counts the requests of this run. `resumable`: a resume may go on where this read broke off."""
        name = entry.status.name
        kept = bool(file.records or entry.status.complete)
        with _disk(file.path):
            for old in (self.folder / f"{name}.jsonl", self.folder / f"{name}.jsonl.gz"):
                if not kept or old != file.path:
                    old.unlink(missing_ok=True)
            if kept:
                file.part.replace(file.path)
        if not (kept and resumable):
            self.forget((name,))
        self.requests += entry.requests + (0 if name in self._counted else file.carried[0])
        self.entries[name] = replace(
            entry,
            requests=entry.requests + file.carried[0],
            inner_requests=entry.inner_requests + file.carried[1],
            file=file.path.name if kept else "",
            sha256=file.sha256 if kept else "",
        )
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
            "accounts": self.accounts,
            "complete": self.complete,
            "requests": self.requests,
            "datasets": {
                dataset.name: self.entries[dataset.name].as_json()
                for dataset in CATALOGUE
                if dataset.name in self.entries
            },
            "digest": self.digest(),
        }
        manifest["manifest_sha256"] = seal(manifest)
        path = self.folder / MANIFEST
        with _disk(path):
            part = path.with_name(MANIFEST + PART)
            with _open_private(part) as stream:
                stream.write(json.dumps(manifest, indent=1, ensure_ascii=False).encode() + b"\n")
                _sync(stream)
            part.replace(path)
            _sync_folder(self.folder)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Nobody else collects into the folder meanwhile: the system's own lock, which ends with the process however it
    ends. Raises UsageError where somebody does, or the folder cannot be written."""
    from filelock import FileLock, Timeout

    with _disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK, timeout=0, mode=0o600)
        try:
            lock.acquire()
        except Timeout:
            raise UsageError(
                f"{folder}: another run collects into this folder now.",
                remedy="Wait until it has ended, or name another folder.",
            ) from None
    try:
        yield
    finally:
        lock.release()


def _journal(folder: Path, dataset: str) -> Path:
    return folder / f"{dataset}.checkpoint{PART}"


def _last(journal: Path) -> tuple[Checkpoint | None, int]:
    """The last checkpoint that was written whole, and where it ends in the file."""
    found: Checkpoint | None = None
    end = size = 0
    try:
        for line in journal.read_bytes().splitlines(keepends=True):
            size += len(line)
            if line.endswith(b"\n"):
                found, end = msgspec.json.decode(line, type=Checkpoint), size
    except (FileNotFoundError, msgspec.DecodeError):
        pass
    return found, end


def _member(data: bytes) -> bytes:
    """One gzip member without name and time: the same lines give the same bytes, and a file of members is a file."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP)
    return packer.compress(data) + packer.flush()


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be written ({error.strerror or error}).",
            remedy="Make room or rights there; --resume goes on with what is safe.",
        ) from error


def _open_private(path: Path, *, keep: int = 0) -> BinaryIO:
    """A file to append to, cut to its first `keep` bytes."""
    stream = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | _BINARY, 0o600), "r+b")
    stream.truncate(keep)
    stream.seek(keep)
    return stream


def _sync(stream: BinaryIO) -> None:
    stream.flush()
    os.fsync(stream.fileno())


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
