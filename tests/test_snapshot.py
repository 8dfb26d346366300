"""Evidence on disk is sound at every moment, and what was changed afterwards is noticed."""

from __future__ import annotations

import gzip
import json

import pytest

from auditor.collect.writer import Entry, SnapshotWriter
from auditor.errors import UsageError
from auditor.snapshot import _CHUNK, Snapshot, verify
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


def _compressed(tmp_path, name="users", records=RECORDS):
    writer = _writer(tmp_path / "large")
    writer.accounts = 10_001
    writer.started = writer.ended = "2026-11-23T16:00:00Z"
    with writer.dataset(name) as file:
        for record in records:
            file.keep([record])
    writer.finish(Entry(DatasetStatus(name, "complete", file.records)), file)
    writer.complete = True
    writer.write_manifest()
    return tmp_path / "large"


@pytest.mark.parametrize("length", [0, *range(_CHUNK - 5, _CHUNK + 3), 2 * _CHUNK, 3 * _CHUNK + 1])
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "rest", [b"", b"\n", b"{}", b"{}\n", b'{"a": 1}\r\n\n  \n{"b": "long enough"}\n{}', b"{}\n" * 9, b"{}\n" * _CHUNK]
)
def test_lines_are_the_same_wherever_a_chunk_ends(tmp_path, rest, packed, length):
    data = b"{" + b" " * length + b"}\n" + rest
    (tmp_path / ("users.jsonl.gz" if packed else "users.jsonl")).write_bytes(gzip.compress(data) if packed else data)
    snapshot = Snapshot.open(tmp_path)
    assert list(snapshot.lines("users")) == [line for line in data.splitlines() if line.strip()]
    assert all(chunk.endswith(b"\n") for chunk in list(snapshot.chunks("users"))[:-1])
    assert b"".join(snapshot.chunks("users")) == data


@pytest.mark.parametrize("data", [b"", b"\n", b"{}", b" \n\n"])
def test_a_file_of_hardly_anything(tmp_path, data):
    (tmp_path / "users.jsonl").write_bytes(data)
    snapshot = Snapshot.open(tmp_path)
    assert list(snapshot.lines("users")) == [line for line in data.splitlines() if line.strip()]
    assert b"".join(snapshot.chunks("users")) == data


def test_a_large_tenants_files_are_compressed_and_the_digest_is_that_of_the_lines(tmp_path, folder):
    large = Snapshot.open(_compressed(tmp_path))
    assert large.manifest["datasets"]["users"]["file"] == "users.jsonl.gz"
    assert (
        large.manifest["datasets"]["users"]["sha256"] == Snapshot.open(folder).manifest["datasets"]["users"]["sha256"]
    )
    assert list(large.lines("users")) == RECORDS
    assert large.digest() == large.manifest["digest"]
    assert verify(large.folder) == []


def test_damage_to_a_compressed_file_is_noticed(tmp_path):
    folder = _compressed(tmp_path)
    path = folder / "users.jsonl.gz"
    whole = path.read_bytes()
    members = [number for number in range(len(whole)) if whole.startswith(b"\x1f\x8b", number)]
    assert len(members) == len(RECORDS)
    flipped = whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:]
    for damaged in (whole[: members[-1]], whole[:-3], flipped, b"", b"no gzip"):
        path.write_bytes(damaged)
        [problem] = verify(folder)
        assert problem.startswith("users.jsonl.gz: ")


def test_a_damaged_compressed_file_that_is_read_is_an_error_with_a_remedy(tmp_path):
    folder = _compressed(tmp_path)
    path = folder / "users.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(UsageError) as caught:
        list(Snapshot.open(folder).lines("users"))
    assert "verify" in caught.value.remedy
