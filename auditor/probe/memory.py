"""Which accounts a probe has tried without success lately, so that no failed password is repeated by accident.

Entra ID counts wrong passwords and locks the account (smart lockout); other devices use the same account. One small
file for each user name, private, without a password or anything made from one. It is written before the password goes
out, so that a probe that is broken off counts too, and taken away when the sign-in succeeds.

https://learn.microsoft.com/entra/identity/authentication/howto-password-smart-lockout
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from auditor.clock import Clock, iso
from auditor.errors import UsageError

HOLDS = timedelta(hours=1)
"""How long an attempt keeps the next one back."""
UNANSWERED = "no answer was seen"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that did not succeed. `outcome` is the reply's code, or that none was seen."""

    login: str
    time: datetime
    outcome: str

    def __str__(self) -> str:
        return f"{self.login} at {iso(self.time)}: {self.outcome}"


def default_folder(environ: Mapping[str, str], home: Path) -> Path:
    """Where programs keep state of their own: XDG_STATE_HOME, on Windows LOCALAPPDATA."""
    if sys.platform == "win32":
        base = Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        base = Path(environ.get("XDG_STATE_HOME") or home / ".local" / "state")
    return base / "tenant-auditor" / "probe"


class Memory:
    """The attempts in one folder, which is made on first use."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock

    def held_back(self, login: str) -> Attempt | None:
        """The attempt that forbids another one now. Raises UsageError for a file that cannot be read."""
        attempt = self._read(self._path(login))
        return attempt if attempt is not None and self._clock.now() - attempt.time < HOLDS else None

    def begin(self, login: str, *, again: bool) -> bool:
        """Notes an attempt before it is made. False where another program made one in the meantime."""
        if not again and self.held_back(login):
            return False
        path = self._path(login)
        try:
            path.unlink(missing_ok=True)
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return False
        except OSError as error:
            raise self._unusable(path, f"cannot be written ({error.strerror})") from error
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(self._line(login, UNANSWERED))
        return True

    def refused(self, login: str, outcome: str) -> None:
        """The server said no."""
        path = self._path(login)
        beside = path.with_suffix(".new")
        try:
            beside.write_text(self._line(login, outcome), encoding="utf-8")
            beside.chmod(0o600)
            beside.replace(path)
        except OSError as error:
            raise self._unusable(path, f"cannot be written ({error.strerror})") from error

    def forget(self, login: str) -> None:
        """The sign-in succeeded, or no password was sent after all."""
        try:
            self._path(login).unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(self._path(login), f"cannot be removed ({error.strerror})") from error

    def _line(self, login: str, outcome: str) -> str:
        content = {"login": login, "time": iso(self._clock.now()), "outcome": outcome}
        return json.dumps(content, ensure_ascii=False) + "\n"

    def _path(self, login: str) -> Path:
        """A name that every file system takes; user names compare without letter case."""
        return self._folder / f"{hashlib.sha256(login.strip().lower().encode()).hexdigest()[:32]}.json"

    def _read(self, path: Path) -> Attempt | None:
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            time = datetime.fromisoformat(content["time"])
            if time.tzinfo is None:
                raise ValueError("no time zone")
            return Attempt(str(content["login"]), time, str(content["outcome"]))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(path, f"cannot be read ({error.strerror})") from error
        except (ValueError, KeyError, TypeError) as error:
            raise self._unusable(path, "is not what a probe writes") from error

    def _unusable(self, path: Path, problem: str) -> UsageError:
        return UsageError(
            f"{path}: {problem}, so nobody knows whether the account was tried lately.",
            remedy="Mend its rights, or remove it if no password was refused within the hour.",
        )
