"""kill -9 at any moment: what goes on afterwards ends with the same evidence and asks for no safe page again."""

from __future__ import annotations

import json
import multiprocessing
import random
import runpy
import time
from pathlib import Path

import pytest

from auditor.config import load
from auditor.snapshot import Snapshot, verify

from ..clocks import FakeClock
from . import small_pages

PROGRAM = str(Path(small_pages.__file__))
TIMES = 20
LIBRARIES = [
    "auditor.collect.groups", "auditor.collect.what_if", "auditor.exchange.admin_api", "auditor.graph.wire",
    "azure.identity.aio", "filelock", "kiota_http.kiota_client_factory", "msgraph.graph_request_adapter",
    "msgraph.graph_service_client", "msgraph.generated.models.o_data_errors.o_data_error",
]  # fmt: skip


@pytest.fixture(scope="module")
def processes():
    """Processes that start quickly where the system can fork: the libraries are imported once."""
    forks = "forkserver" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("forkserver" if forks else "spawn")
    context.set_forkserver_preload(LIBRARIES)
    return context


def _asked(emulator, since=0):
    return [f"{entry.path}?{entry.query}" for entry in emulator.requests.entries[since:]]


def _safe(folder):
    """Addresses of pages that are safe, by what the checkpoints say: each page's link is that of the one after it."""
    links = []
    for journal in folder.glob("*.checkpoint.part"):
        lines = [line for line in journal.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
        found = [json.loads(line)["place"].get("link", "") for line in lines]
        links += [link for link in found[:-1] if link]
    return links


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_twenty_kills_twenty_equal_digests(emulator, config, tmp_path, processes):
    def start(folder, *, resume):
        given = {"config": tmp_path / "config.toml", "folder": folder, "resume": resume}
        process = processes.Process(target=runpy.run_path, args=(PROGRAM, given, "__main__"))
        process.start()
        return process

    text, *senders = (tmp_path / "config.toml").read_text("utf-8").split("[[senders]]")
    (tmp_path / "config.toml").write_text("[[senders]]".join([text, *senders[:2]]), "utf-8")
    whole = small_pages.collect_small(load(tmp_path / "config.toml"), tmp_path / "whole", FakeClock())
    expected = Snapshot.open(whole.folder).manifest["digest"]
    chosen = random.Random(4).sample(range(3, whole.requests - 2), TIMES)
    gone_on = 0
    for k in chosen:
        folder = tmp_path / f"killed-{k}"
        before = emulator.requests.count()
        process = start(folder, resume=False)
        while emulator.requests.count() < before + k and process.is_alive():
            time.sleep(0.0005)
        process.kill()
        process.join()
        safe, at = _safe(folder), emulator.requests.count()
        gone_on += len(safe)
        again = start(folder, resume=True)
        again.join()
        assert again.exitcode == 0, k
        assert Snapshot.open(folder).manifest["digest"] == expected, k
        assert verify(folder) == []
        asked = _asked(emulator, at)
        assert not [link for link in safe if link.partition("localhost")[2].partition("/")[2] in "\n".join(asked)], k
    assert gone_on > TIMES
