"""Sets up a virtual environment from the hash-checked lock and runs the auditor or its tests in it.

    python dev.py demo [options of `auditor demo`]
    python dev.py test [options of pytest]
    python dev.py run auditor [any command of the auditor]
    python dev.py sample        makes reports/sample/ anew, and the generated pages of docs/

Needs only Python 3.11 or newer; the same on Linux, macOS and Windows. Nothing is installed outside `.venv`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")


def fail(message: str) -> None:
    print(message, file=sys.stderr)
    sys.exit(2)


def call(*command: str | Path) -> None:
    """Runs a command of the environment in this folder; its exit code is ours where it fails."""
    result = subprocess.run([str(part) for part in command], cwd=ROOT, check=False)
    if result.returncode:
        sys.exit(result.returncode)


def create() -> None:
    try:
        venv.create(VENV, with_pip=True, clear=True)
    except (subprocess.CalledProcessError, OSError) as error:
        fail(f"The virtual environment could not be made: {error}\nOn Debian and Ubuntu: apt install python3-venv")


def install(lock: str) -> None:
    """Installs the lock and this package, unless just that was installed before."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this script is what tells an older Python
        fail(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}.")
    wanted = hashlib.sha256(sys.version.encode() + (ROOT / lock).read_bytes()).hexdigest()
    stamp = VENV / f"installed-{lock}"
    if PYTHON.exists() and stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return
    print(f"Installing {lock} into .venv (once; about a minute, 700 MB) …", file=sys.stderr)
    if not PYTHON.exists():
        create()
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    call(*pip, "--require-hashes", "--requirement", lock)
    call(*pip, "--no-deps", "--no-build-isolation", "--editable", ".")
    stamp.write_text(wanted, encoding="ascii")


def test(arguments: list[str]) -> None:
    install("requirements-dev.txt")
    call(PYTHON, "-m", "ruff", "check", ".")
    call(PYTHON, "-m", "ruff", "format", "--check", ".")
    call(PYTHON, "-m", "mypy")
    call(BIN / "lint-imports")
    call(PYTHON, "-m", "pytest", "-n", "auto", *arguments)


def sample() -> None:
    """reports/sample/ is what the demo makes, without the evidence and what differs from run to run."""
    install("requirements.txt")
    call(PYTHON, "docs/generate.py")
    target = ROOT / "reports" / "sample"
    with tempfile.TemporaryDirectory() as folder:
        call(PYTHON, "-m", "auditor", "demo", "--out", Path(folder) / "run")
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(
            Path(folder) / "run", target, ignore=shutil.ignore_patterns("snapshot", "config.toml", "run.json")
        )


def main() -> None:
    command, arguments = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("", [])
    if command == "test":
        test(arguments)
    elif command == "demo":
        install("requirements.txt")
        call(PYTHON, "-m", "auditor", "demo", *arguments)
    elif command == "run" and arguments[:1] == ["auditor"]:
        install("requirements.txt")
        call(PYTHON, "-m", "auditor", *arguments[1:])
    elif command == "sample":
        sample()
    else:
        fail(__doc__ or "")


if __name__ == "__main__":
    main()
