"""Starting and stopping the real ticket servers of the tests, on loopback, each with a database of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

PATIENCE = 60.0
"""seconds until a server must answer"""


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def serving(
    command: Sequence[str | Path],
    url: str,
    log: Path,
    *,
    user: str = "",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Iterator[str]:
    """Runs a server until the block ends, as `user` where one is named; yields its address once it answers."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            start_new_session=True,
            **({"user": user, "group": user, "extra_groups": []} if user else {}),
        )
        try:
            _await(process, url, log)
            yield url
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 15)
            process.wait(30)


def _await(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    for _ in range(int(PATIENCE * 10)):
        if process.poll() is not None:
            break
        with suppress(httpx.TransportError):
            httpx.get(url)
            return
        time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer:\n{log.read_text(errors='replace')[-4000:]}")


# --- Roundup ---------------------------------------------------------------------------------------------------------

_WSGI = """
import sys
from wsgiref.simple_server import make_server
from roundup.cgi.wsgi_handler import RequestDispatcher
dispatcher = RequestDispatcher(sys.argv[1], feature_flags={"cache_tracker": ""})
make_server("127.0.0.1", int(sys.argv[2]), dispatcher).serve_forever()
"""


@contextmanager
def roundup(folder: Path, password: str) -> Iterator[str]:
    """A tracker of the template `classic`. By WSGI, as Roundup is run in production: its own server refuses root."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    home = folder / "tracker"
    # Every request proves its password: with the default rounds a second of it on a slow machine.
    settings = (
        f"tracker_web={url},mail_domain=localhost,mail_host=127.0.0.1,mail_debug={folder / 'mail.log'},"
        "password_pbkdf2_default_rounds=1000"
    )
    admin = Path(sys.executable).with_name("roundup-admin")
    for step in (["install", "classic", "sqlite", settings], ["initialise", password]):
        subprocess.run([admin, "-i", home, *step], check=True, capture_output=True, timeout=60)
    with serving([sys.executable, "-c", _WSGI, home, str(port)], url, folder / "server.log") as address:
        yield address
