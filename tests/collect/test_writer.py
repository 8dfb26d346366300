"""What is written survives a process that dies at any moment, and a disk that refuses is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from auditor.collect.writer import Entry, Place, SnapshotWriter, alone
from auditor.errors import UsageError
from auditor.snapshot import Snapshot, verify
from auditor.tenant import DatasetStatus

RECORDS = [b'{"id":"1","name":"\xc3\xa9"}', b'{"id":"2"}']
NEXT = Place("", "https://graph.microsoft.com/v1.0/users?$skiptoken=2")


def _writer(folder, **options):
    return SnapshotWriter.open(folder, configured_tenant="t", cloud="public", **options)


def _write(writer, name, records=(), state="complete", **more):
    with writer.dataset(name) as file:
        file.keep(list(records))
    writer.finish(Entry(DatasetStatus(name, state, file.records, **more), requests=2), file)


@pytest.fixture(params=[400, 10_001], ids=["plain", "gzip"])
def accounts(request):
    return request.param


@pytest.fixture
def folder(tmp_path, accounts):
    writer = _writer(tmp_path / "s")
    writer.accounts = accounts
    writer.started = writer.ended = "2026-11-23T16:00:00Z"
    _write(writer, "domains")
    _write(writer, "organization", RECORDS)
    return tmp_path / "s"


def _killed(folder, *pages, tail=b""):
    """A process that died after it had saved these pages of `users`, one request each, and was writing `tail`."""
    file = _writer(folder, resume=True).dataset("users")
    for number, page in enumerate(pages, 1):
        file.keep(page)
        file.save(NEXT, number, 0)
    file._journal.close()
    file._stream.write(tail)
    file._stream.close()


@pytest.mark.parametrize("tail", [b"", b'{"id":"3"}\n{"id', b"\x1f\x8b\x08\x00\x00"])
def test_it_goes_on_after_the_last_safe_page(folder, tail):
    _killed(folder, [RECORDS[0]], [RECORDS[1]], tail=tail)
    writer = _writer(folder, resume=True)
    with writer.dataset("users") as file:
        assert (file.records, file.checkpoint.place, file.carried) == (2, NEXT, (2, 0))
        assert list(file.lines()) == RECORDS
        file.keep([b'{"id":"3"}'])
    writer.finish(Entry(DatasetStatus("users", "complete", 3), requests=1), file)
    writer.complete = True
    writer.write_manifest()
    assert list(Snapshot.open(folder).lines("users")) == [*RECORDS, b'{"id":"3"}']
    assert writer.entries["users"].requests == 3
    assert writer.requests == 2 + 2 + 3
    assert verify(folder) == []


def test_a_checkpoint_that_was_half_written_is_none(folder):
    _killed(folder, [RECORDS[0]], [RECORDS[1]])
    journal = folder / "users.checkpoint.part"
    journal.write_bytes(journal.read_bytes()[:-7])
    with _writer(folder, resume=True).dataset("users") as file:
        assert list(file.lines()) == RECORDS[:1]
        file.save(NEXT, 1, 0)
    with _writer(folder, resume=True).dataset("users") as file:
        assert file.carried == (2, 0)


@pytest.mark.parametrize("damage", ["shorter", "other lines", "missing", "no checkpoint", "odd checkpoint"])
def test_a_part_that_is_not_what_the_checkpoint_says_is_read_from_its_start(folder, damage):
    _killed(folder, [RECORDS[0]], [RECORDS[1]])
    [part], journal = list(folder.glob("users.jsonl*")), folder / "users.checkpoint.part"
    if damage == "shorter":
        part.write_bytes(part.read_bytes()[:-1])
    elif damage == "other lines":
        part.write_bytes(b"\n" * part.stat().st_size)
    elif damage == "missing":
        part.unlink()
    elif damage == "no checkpoint":
        journal.unlink()
    else:
        journal.write_bytes(b"[1]\n")
    with _writer(folder, resume=True).dataset("users") as file:
        assert (file.checkpoint, file.records, list(file.lines())) == (None, 0, [])
        file.keep(RECORDS)
    assert file.sha256


def test_killed_between_file_and_manifest_nothing_is_lost(folder):
    _killed(folder, RECORDS)
    [part] = folder.glob("users.jsonl*")
    part.rename(folder / part.name.removesuffix(".part"))
    with _writer(folder, resume=True).dataset("users") as file:
        assert list(file.lines()) == RECORDS


def test_what_broke_off_for_the_time_being_is_gone_on_with(folder):
    writer = _writer(folder, resume=True)
    with writer.dataset("users") as file:
        file.keep(RECORDS)
        file.save(NEXT, 1, 0)
    cut = Entry(DatasetStatus("users", "cut", 2, "Graph answered HTTP 503."), requests=2)
    writer.finish(cut, file, resumable=True)
    assert Snapshot.open(folder).status["users"].state == "cut"
    again = _writer(folder, resume=True)
    with again.dataset("users") as file:
        assert (list(file.lines()), file.checkpoint.place) == (RECORDS, NEXT)
    again.finish(Entry(DatasetStatus("users", "complete", 2), requests=1), file)
    assert again.requests == writer.requests + 1
    assert list(folder.glob("*.part")) == []


def test_a_new_start_forgets_everything(folder):
    _killed(folder, RECORDS)
    with _writer(folder, resume=True).dataset("users") as file:
        file.restart()
        assert list(file.lines()) == []
        file.keep(RECORDS[:1])
    assert _writer(folder, resume=True).dataset("users").checkpoint is None


def test_without_resume_an_unfinished_snapshot_is_not_touched(folder):
    _killed(folder, RECORDS)
    with pytest.raises(UsageError, match="resume"):
        _writer(folder)
    assert list(folder.glob("users.*.part"))


def test_before_the_first_manifest_there_is_nothing_to_go_on_with(tmp_path):
    file = _writer(tmp_path).dataset("users")
    file.keep(RECORDS)
    file.save(NEXT, 1, 0)
    _writer(tmp_path, resume=True)
    assert list(tmp_path.glob("*.part")) == []


def test_a_dataset_that_fails_the_second_time_loses_its_file(folder):
    writer = _writer(folder, resume=True)
    _write(writer, "organization", state="failed", reason="gone")
    assert not list(folder.glob("organization.*"))
    assert verify(folder) == []


def test_resume_is_for_the_same_tenant_and_cloud(folder):
    with pytest.raises(UsageError):
        SnapshotWriter.open(folder, configured_tenant="other", cloud="public", resume=True)
    with pytest.raises(UsageError):
        SnapshotWriter.open(folder, configured_tenant="t", cloud="china", resume=True)
    with pytest.raises(UsageError):
        _writer(folder)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError) as caught:
        _writer(tmp_path / "file" / "snapshot")
    assert "file" in str(caught.value)


def test_a_dataset_file_that_cannot_be_made_is_told(folder):
    (folder / "users.jsonl.part").mkdir()
    writer = SnapshotWriter(folder, "t", "public")
    with pytest.raises(UsageError) as caught:
        writer.dataset("users")
    assert "users.jsonl" in str(caught.value)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on a file's size")
def test_a_disk_that_is_full_is_told_and_loses_nothing(folder, accounts):
    """In a process that may write no file beyond 4,000 bytes: that is how a full disk answers."""
    program = f"""
import resource
from pathlib import Path
from auditor.collect.writer import Place, SnapshotWriter
from auditor.errors import UsageError
writer = SnapshotWriter.open(Path({str(folder)!r}), configured_tenant="t", cloud="public", resume=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
number = 0
try:
    with writer.dataset("users") as file:
        while True:
            file.keep([b'{{"id":"%d","x":"%s"}}' % (number, __import__("os").urandom(300).hex().encode())])
            number += 1
            file.save(Place("", f"link {{number}}"), number, 0)
except UsageError as error:
    print(number, error)
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    safe, text = told.stdout.split(" ", 1)
    assert "users.jsonl" in text
    assert "--resume" in text
    with _writer(folder, resume=True).dataset("users") as file:
        lines = [json.loads(line)["id"] for line in file.lines()]
        assert lines == [str(number) for number in range(len(lines))]
        assert int(safe) - 1 <= len(lines) <= int(safe)
        assert len(lines) > 1


def test_two_runs_never_share_a_folder(tmp_path):
    with alone(tmp_path / "s"):
        with pytest.raises(UsageError, match="another run"), alone(tmp_path / "s"):
            pass
        other = "import sys; from pathlib import Path; from auditor.collect.writer import alone\n"
        other += f"with alone(Path({str(tmp_path / 's')!r})): pass"
        told = subprocess.run([sys.executable, "-c", other], capture_output=True, text=True, timeout=60, check=False)
        assert "another run" in told.stderr
    with alone(tmp_path / "s"):
        pass


def test_a_lock_that_a_dead_process_left_is_none(tmp_path):
    program = f"""
import os
from pathlib import Path
from auditor.collect.writer import alone
with alone(Path({str(tmp_path)!r})):
    os._exit(9)
"""
    assert subprocess.run([sys.executable, "-c", program], timeout=60, check=False).returncode == 9
    with alone(tmp_path):
        pass
