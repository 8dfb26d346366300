"""Evidence on disk: one JSON Lines file per dataset and a manifest that says how reading each of them ended.

Format: docs/snapshot.md. Writing is `SnapshotWriter` (used by collect); reading is `Snapshot.open`, which also takes a
hand-made folder without a manifest.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.catalogue import CATALOGUE
from auditor.errors import UsageError
from auditor.tenant import DatasetStatus

MANIFEST = "manifest.json"
SCHEMA = 1


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
                    for line in stream:
                        if line.strip():
                            yield line.rstrip(b"\r\n")
            except (OSError, EOFError) as error:
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
    except ValueError as error:
        raise UsageError(f"{path}: no JSON: {error}.", remedy="Mend the file.") from error
    if isinstance(document, dict) and isinstance(document.get("value"), list):
        document = document["value"]
    for record in document if isinstance(document, list) else [document]:
        yield json.dumps(record, ensure_ascii=False).encode()
