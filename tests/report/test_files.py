from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from auditor.errors import UsageError
from auditor.report.files import Batch, Replace


def write(folder: Path, replace: Replace = os.replace, **files: bytes) -> None:
    with Batch(folder, replace=replace) as batch:
        for name, data in files.items():
            with batch.new(name) as stream:
                stream.write(data)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_files_and_folder_are_private_and_nothing_else_is_left(tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "contoso"
    write(folder, one=b"1", two=b"2")
    assert sorted(path.name for path in folder.iterdir()) == ["one", "two"]
    assert (folder / "two").read_bytes() == b"2"
    if os.name == "posix":
        assert mode(folder) == 0o700
        assert {mode(path) for path in folder.iterdir()} == {0o600}


def test_a_new_run_replaces_the_old_files(tmp_path: Path) -> None:
    write(tmp_path, one=b"old")
    write(tmp_path, one=b"new")
    assert (tmp_path / "one").read_bytes() == b"new"


def fail_midway(folder: Path, error: Exception) -> None:
    with Batch(folder) as batch:
        with batch.new("one") as stream:
            stream.write(b"half")
        raise error


def test_an_error_while_writing_leaves_the_old_files_and_no_rest(tmp_path: Path) -> None:
    write(tmp_path, one=b"old")
    with pytest.raises(ValueError, match="broken"):
        fail_midway(tmp_path, ValueError("broken"))
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("one", b"old")]


def test_a_file_open_elsewhere_is_named_and_stays_with_the_files_after_it(tmp_path: Path) -> None:
    """What Windows answers while Excel holds the workbook."""

    def locked(source: Path, target: Path) -> None:
        raise PermissionError(13, "The process cannot access the file")

    write(tmp_path, workbook=b"old", rows=b"old")
    with pytest.raises(UsageError, match=r"workbook: is open in another program.*Close it") as caught:
        write(tmp_path, replace=locked, workbook=b"new", rows=b"new")
    assert caught.value.exit_code == 2
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"workbook": b"old", "rows": b"old"}


def test_a_target_that_cannot_be_replaced_is_named(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    with pytest.raises(UsageError, match=r"one: (cannot be replaced|is open)"):
        write(tmp_path, one=b"1")
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError, match=r"reports: cannot be made.*--out"):
        write(tmp_path / "file" / "reports", one=b"1")


def test_a_file_that_cannot_be_begun_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"missing/one: cannot be written"):
        write(tmp_path, **{"missing/one": b"1"})


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"could not be written \(No space left on device\)"):
        fail_midway(tmp_path, OSError(28, "No space left on device"))
    assert list(tmp_path.iterdir()) == []
