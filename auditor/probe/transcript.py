"""What was said on the wire, fit to be kept: lines of the sign-in are masked, and so is any echo of a secret.

A transcript is written to a file of its owner only, and never over another file. Replies can also be appended as
evidence for `[audit] smtp_replies`, which the next audit reads.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from auditor.errors import UsageError
from auditor.probe.redact import Redactor

MOST_LINES = 2000
"""of one conversation; a server that says more is cut short"""


@dataclass
class Transcript:
    """The lines of one conversation, each behind who said it: `C:`, `S:`, or `--` for what happened in between."""

    redactor: Redactor
    lines: list[str] = field(default_factory=list)

    def client(self, text: str) -> None:
        self._add("C:", text)

    def server(self, text: str) -> None:
        self._add("S:", text)

    def note(self, text: str) -> None:
        self._add("--", text)

    def _add(self, who: str, text: str) -> None:
        if len(self.lines) < MOST_LINES:
            self.lines.extend(f"{who} {self.redactor.clean(line)}" for line in text.strip("\r\n").split("\r\n"))


class PrivateFile:
    """A new file that only its owner may read (on Windows the folder's rights decide); open until `close`."""

    def __init__(self, path: Path) -> None:
        """Raises UsageError where the file exists already or cannot be made."""
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise UsageError(f"{path}: exists already.", remedy="Name another file for the transcript.") from error
        except OSError as error:
            raise UsageError(f"{path}: cannot be written ({error.strerror}).", remedy="Name another file.") from error
        self._stream = os.fdopen(descriptor, "w", encoding="utf-8", newline="\n")

    def write(self, heading: str, lines: Iterable[str]) -> None:
        """One conversation; on the disk when this returns."""
        self._stream.write(f"== {heading}\n" + "".join(f"{line}\n" for line in lines) + "\n")
        self._stream.flush()

    def close(self) -> None:
        self._stream.close()


class Evidence:
    """A JSON Lines file of replies, as `[audit] smtp_replies` names one; whatever stands in it stays."""

    def __init__(self, path: Path) -> None:
        """Raises UsageError where the file cannot be written."""
        self._path = path
        self._append(b"")

    def add(self, account: str, time: str, texts: Iterable[str]) -> None:
        """A line for each reply; `time` is ISO 8601 UTC."""
        rows = ({"account": account, "time": time, "text": text, "source": "probe"} for text in texts)
        self._append("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())

    def _append(self, data: bytes) -> None:
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "r+b", buffering=0) as stream:
                size = stream.seek(0, os.SEEK_END)
                if data and size:
                    stream.seek(size - 1)
                    data = data if stream.read(1) == b"\n" else b"\n" + data
                stream.write(data)
        except OSError as error:
            raise UsageError(
                f"{self._path}: cannot be written ({error.strerror}).", remedy="Name another file with --replies."
            ) from error
