"""Files that only their owner can read, written beside their place and moved there when all of them are whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import IO

from auditor.errors import UsageError

Replace = Callable[[Path, Path], object]


class Batch:
    """Files of one folder that take their names, in the order they were begun, when the block ends without an error.

    The folder is made with mode 0700, files have 0600. Raises UsageError where a file cannot be written or is held open
    by another program: begin with the one that is likely to be, and the others stay as they were too."""

    def __init__(self, folder: Path, *, replace: Replace = os.replace) -> None:
        self.folder = folder
        self._replace = replace
        self._pending: list[tuple[Path, Path]] = []

    def __enter__(self) -> Batch:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"{self.folder}: cannot be made ({error.strerror}).", remedy="Name another folder with --out."
            ) from error
        return self

    def new(self, name: str) -> IO[bytes]:
        """A file to write now, which gets its name at the end. The caller closes it."""
        try:
            handle, temporary = tempfile.mkstemp(prefix=f".{name}.", suffix=".part", dir=self.folder)
        except OSError as error:
            raise UsageError(
                f"{self.folder / name}: cannot be written ({error.strerror}).",
                remedy="Check the folder's rights and the disk's space, or name another folder with --out.",
            ) from error
        self._pending.append((Path(temporary), self.folder / name))
        return os.fdopen(handle, "w+b")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                for temporary, target in self._pending:
                    self._move(temporary, target)
        finally:
            for temporary, _ in self._pending:
                temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise UsageError(
                f"{self.folder}: the reports could not be written ({error.strerror or error}).",
                remedy="Check the disk's space, then evaluate the snapshot again.",
            ) from error

    def _move(self, temporary: Path, target: Path) -> None:
        try:
            self._replace(temporary, target)
        except PermissionError as error:
            raise UsageError(
                f"{target}: is open in another program or write-protected.",
                remedy="Close it there (Excel locks an open workbook) and evaluate the snapshot again, or use --out.",
            ) from error
        except OSError as error:
            raise UsageError(
                f"{target}: cannot be replaced ({error.strerror}).", remedy="Remove it, or name another folder."
            ) from error
