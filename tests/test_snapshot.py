"""Evidence on disk is sound at every moment, and what was changed afterwards is noticed."""

from __future__ import annotations

import gzip
import json

import pytest

from auditor.errors import UsageError
from auditor.snapshot import Entry, Snapshot, SnapshotWriter, verify
from auditor.tenant import DatasetStatus

RECORDS = [b'{"id":"1","name":"\xc3\xa9"}', b'{"id":"2"}']


def _writer(folder, **options):
    return SnapshotWriter.open(folder, configured_tenant="t", cloud="public", **options)


def _write(writer, name, records=(), state="complete", **more):
    with writer.dataset(name) as file:
        file.keep(list(records))
    writer.finish(Entry(DatasetStatus(name, state, file.records, **more), requests=2), file)


@pytest.fixture
def folder(tmp_path):
    writer = _writer(tmp_path / "s")
    writer.started = writer.ended = "2026-11-23T16:00:00Z"
    _write(writer, "users", RECORDS)
    _write(writer, "domains")
    _write(writer, "signIns", state="denied", reason="no", permission="AuditLog.Read.All")
    writer.entries["transportConfig"] = Entry(DatasetStatus("transportConfig", "not-asked"))
    writer.complete = True
    writer.write_manifest()
    return tmp_path / "s"


def test_what_was_written_is_read_back(folder):
    snapshot = Snapshot.open(folder)
    assert list(snapshot.lines("users")) == RECORDS
    assert snapshot.status["users"] == DatasetStatus("users", "complete", 2)
    assert snapshot.status["domains"].complete
    assert snapshot.status["signIns"].permission == "AuditLog.Read.All"
    assert snapshot.ended == "2026-11-23T16:00:00Z"
    assert snapshot.manifest["datasets"]["users"]["requests"] == 2
    assert (folder / "domains.jsonl").read_bytes() == b""
    assert not (folder / "signIns.jsonl").exists()
    assert verify(folder) == []


def test_the_digest_is_the_one_of_the_files_and_holds_no_time(folder, tmp_path):
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["digest"] == Snapshot.open(folder).digest()
    other = _writer(tmp_path / "other")
    other.started = "1999-01-01T00:00:00Z"
    _write(other, "users", RECORDS)
    _write(other, "domains")
    _write(other, "signIns", state="failed")
    assert other.digest() == manifest["digest"]
    _write(other, "users", [*RECORDS, b"{}"])
    assert other.digest() != manifest["digest"]


def test_the_digest_of_compressed_lines_is_the_same(folder):
    before = Snapshot.open(folder).digest()
    path = folder / "users.jsonl"
    (folder / "users.jsonl.gz").write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    assert Snapshot.open(folder).digest() == before


@pytest.mark.parametrize("position", [0, 5, -1])
def test_a_flipped_byte_is_noticed(folder, position):
    path = folder / "users.jsonl"
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(data)
    assert any("users.jsonl" in problem for problem in verify(folder))


def test_other_damage_is_named(folder):
    (folder / "users.jsonl").write_bytes((folder / "users.jsonl").read_bytes() + b'{"id":"3"}\n')
    (folder / "domains.jsonl").unlink()
    (folder / "extra.jsonl").write_bytes(b"{}\n")
    assert verify(folder) == [
        "domains.jsonl: missing",
        "users.jsonl: 3 lines, the manifest says 2",
        "extra.jsonl: not named in the manifest",
    ]


def test_a_changed_manifest_is_noticed(folder):
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"denied"', '"complete"'))
    problems = verify(folder)
    assert any("manifest.json" in problem for problem in problems)
    assert any("signIns" in problem for problem in problems)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"datasets": {}}'])
def test_a_manifest_that_is_none_is_an_error_with_a_remedy(folder, text):
    (folder / "manifest.json").write_text(text)
    with pytest.raises(UsageError) as caught:
        verify(folder)
    assert caught.value.remedy


def test_without_a_manifest_there_is_nothing_to_verify(tmp_path):
    with pytest.raises(UsageError):
        verify(tmp_path)


def test_an_interrupted_dataset_leaves_no_trace_in_the_evidence(folder, tmp_path):
    class Stopped(Exception):  # noqa: N818
        pass

    def interrupted() -> None:
        with _writer(folder, resume=True).dataset("organization") as file:
            file.keep([b"{}"])
            raise Stopped

    with pytest.raises(Stopped):
        interrupted()
    assert "organization" not in json.loads((folder / "manifest.json").read_text())["datasets"]
    again = _writer(folder, resume=True)
    assert not list(folder.glob("*.part"))
    assert sorted(again.entries) == ["domains", "users"]


def test_a_dataset_that_fails_the_second_time_loses_its_file(folder):
    writer = _writer(folder, resume=True)
    _write(writer, "users", state="failed", reason="gone")
    assert not (folder / "users.jsonl").exists()
    writer.write_manifest()
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
