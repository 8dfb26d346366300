"""Evidence on disk: one JSON Lines file per dataset and a manifest that says how reading each of them ended.

Format: docs/snapshot.md. `Snapshot.open` also takes a hand-made folder without a manifest. What writes a snapshot is
`auditor.collect.writer`.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, cast

from auditor.catalogue import CATALOGUE
from auditor.errors import UsageError
from auditor.tenant import DatasetStatus

MANIFEST = "manifest.json"
SCHEMA = 1
PART = ".part"
"""suffix of what is being written, and no evidence"""
LOCK = ".lock"
"""of whoever collects into the folder; it stays, empty, and is no evidence"""
DAMAGE = (OSError, EOFError, zlib.error)
"""what reading a file that is broken may raise"""
_CHUNK = 1 << 17
"""bytes that are read, unpacked and handed over at once: the usual 8 KiB are hardly more than one user, and what comes
of a chunk should stay in the processor's cache until it is done with"""


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
                dataset.name: status_of(dataset.name, datasets.get(dataset.name, {"state": "not-asked"}))
                for dataset in CATALOGUE
            }
            return cls(folder, manifest["tenant_id"], manifest["cloud"], manifest["ended"], status, manifest)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(
                f"{path}: not a manifest of this program ({error!r}).", remedy="Collect again, or remove the file."
            ) from error

    def chunks(self, dataset: str) -> Iterator[bytes]:
        """The records of a dataset as JSON Lines, some hundred at a time, in file order; nothing where there is no
        file.

        Raises UsageError where a file is damaged."""
        return _chunks_of(self.folder, dataset)

    def lines(self, dataset: str) -> Iterator[bytes]:
        """The same records one by one, without their line ends."""
        return chain.from_iterable(map(lines_in, self.chunks(dataset)))

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


def lines_of(folder: Path, dataset: str) -> Iterator[bytes]:
    """See `Snapshot.lines`; also for a snapshot that is not finished."""
    return chain.from_iterable(map(lines_in, _chunks_of(folder, dataset)))


def lines_in(chunk: bytes) -> list[bytes]:
    """The lines of a chunk that are not blank, without their ends."""
    return [line.rstrip(b"\r") for line in chunk.split(b"\n") if line and not line.isspace()]


def _chunks_of(folder: Path, dataset: str) -> Iterator[bytes]:
    for path in _files(folder, dataset):
        if path.suffix == ".json":
            yield b"".join(line + b"\n" for line in _graph_response(path))
            continue
        try:
            with open_lines(path) as stream:
                yield from _whole_lines(stream)
        except DAMAGE as error:
            raise UsageError(f"{path}: cannot be read: {error}.", remedy="`auditor verify` tells more.") from error


def _whole_lines(stream: io.BufferedReader) -> Iterator[bytes]:
    begun: list[bytes] = []
    # read1 reads straight into what it answers: `read` copies through the stream's own buffer
    while data := stream.read1(_CHUNK):
        end = data.rfind(b"\n") + 1
        if end:
            yield b"".join([*begun, memoryview(data)[:end]])
            begun = []
        begun.append(data[end:])
    if any(begun):
        yield b"".join(begun)


def _files(folder: Path, dataset: str) -> list[Path]:
    names = (f"{dataset}.jsonl", f"{dataset}.jsonl.gz", f"{dataset}.json")
    return [folder / name for name in names if (folder / name).is_file()][:1]


def status_of(name: str, entry: Mapping[str, Any]) -> DatasetStatus:
    asked_for = entry.get("asked_for")
    return DatasetStatus(
        name,
        entry["state"],
        int(entry.get("records", 0)),
        entry.get("reason", ""),
        entry.get("permission", ""),
        entry.get("source", ""),
        entry.get("as_of", ""),
        None if asked_for is None else frozenset(asked_for),
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


def seal(manifest: Mapping[str, Any]) -> str:
    """SHA-256 over the manifest without its own seal, keys sorted: a damaged manifest is noticed as well."""
    rest = {key: value for key, value in manifest.items() if key != "manifest_sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def open_lines(path: Path, *, compressed: bool | None = None) -> io.BufferedReader:
    """A dataset's file, uncompressed where it is compressed (by its name, or as said). Reading may raise DAMAGE."""
    packed = path.suffix == ".gz" if compressed is None else compressed
    if packed:
        return io.BufferedReader(cast(io.RawIOBase, gzip.open(path, "rb")), _CHUNK)
    return io.BufferedReader(path.open("rb", buffering=0), _CHUNK)


def sha256_of_lines(path: Path) -> str:
    """Of a file's uncompressed bytes; empty where it is missing or damaged."""
    try:
        with open_lines(path) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except DAMAGE:
        return ""


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
    if manifest.get("manifest_sha256") != seal(manifest):
        problems.append(f"{MANIFEST}: its own digest does not hold: it was changed")
    entries = manifest["datasets"]
    for name, entry in entries.items():
        problems += _check_file(folder, str(name), entry)
    known = {MANIFEST, LOCK, *(entry.get("file") for entry in entries.values())}
    problems += [
        f"{path.name}: not named in the manifest"
        for path in sorted(folder.iterdir())
        if path.name not in known and path.suffix != PART
    ]
    if not problems and manifest.get("digest") != snapshot.digest():
        problems.append(f"{MANIFEST}: the snapshot's digest does not hold")
    return problems


def _check_file(folder: Path, name: str, entry: Mapping[str, Any]) -> list[str]:
    file = entry.get("file", "")
    if not file:
        return [f"{name}: complete, but without a file"] if entry.get("state") == "complete" else []
    path = folder / Path(file).name
    if not path.is_file():
        return [f"{path.name}: missing"]
    digest, lines = hashlib.sha256(), 0
    try:
        with open_lines(path) as stream:
            while data := stream.read1(_CHUNK):
                digest.update(data)
                lines += data.count(b"\n")
    except DAMAGE as error:
        return [f"{path.name}: cannot be read ({getattr(error, 'strerror', None) or error})"]
    if lines != entry.get("records"):
        return [f"{path.name}: {lines} lines, the manifest says {entry.get('records')}"]
    if digest.hexdigest() != entry.get("sha256"):
        return [f"{path.name}: its digest does not hold: it was changed"]
    return []
