from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from auditor.errors import UsageError
from auditor.probe import HOLDS, Memory, default_folder

LOGIN = "scanner@contoso.example"


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def test_an_account_that_was_never_tried_is_free(memory):
    assert memory.held_back(LOGIN) is None


def test_an_attempt_counts_from_its_beginning(memory):
    assert memory.begin(LOGIN, again=False)
    assert memory.held_back(LOGIN).outcome == "no answer was seen"


def test_user_names_compare_without_letter_case(memory):
    memory.begin(LOGIN, again=False)
    assert memory.held_back(" SCANNER@Contoso.Example") is not None
    assert memory.held_back("other@contoso.example") is None


def test_a_refusal_holds_for_its_time_and_no_longer(memory, clock):
    memory.begin(LOGIN, again=False)
    memory.refused(LOGIN, "refused with 535")
    clock.moment += HOLDS - timedelta(seconds=1)
    assert str(memory.held_back(LOGIN)) == f"{LOGIN} at 2026-11-23T16:00:00Z: refused with 535"
    clock.moment += timedelta(seconds=1)
    assert memory.held_back(LOGIN) is None
    assert memory.begin(LOGIN, again=False)


def test_two_programs_at_once_make_one_attempt(memory, tmp_path, clock):
    other = Memory(tmp_path / "memory", clock)
    assert memory.begin(LOGIN, again=False)
    assert not other.begin(LOGIN, again=False)
    assert other.begin(LOGIN, again=True)


def test_a_success_is_forgotten(memory, tmp_path):
    memory.begin(LOGIN, again=False)
    memory.forget(LOGIN)
    assert memory.held_back(LOGIN) is None
    assert files(tmp_path / "memory") == []
    memory.forget(LOGIN)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_folder_and_files_are_private(memory, tmp_path):
    memory.begin(LOGIN, again=False)
    memory.refused(LOGIN, "refused with 535")
    (path,) = files(tmp_path / "memory")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"login": "a", "time": "2026-11-23T16:00:00", "outcome": "x"}',
                                     '{"login": "a", "time": 5, "outcome": "x"}'])  # fmt: skip
def test_a_damaged_file_is_no_leave_to_try(memory, tmp_path, content):
    memory.begin(LOGIN, again=False)
    (path,) = files(tmp_path / "memory")
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match="is not what a probe writes") as caught:
        memory.held_back(LOGIN)
    assert str(path) in str(caught.value)


def test_a_folder_that_cannot_be_made_is_told(tmp_path, clock):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot be (read|written)"):
        Memory(tmp_path / "file" / "below", clock).begin(LOGIN, again=True)


def test_state_lies_where_the_system_wants_it():
    home = Path("/home/somebody")
    if sys.platform == "win32":
        assert default_folder({"LOCALAPPDATA": "C:/local"}, home) == Path("C:/local/tenant-auditor/probe")
    else:
        assert default_folder({}, home) == home / ".local/state/tenant-auditor/probe"
        assert default_folder({"XDG_STATE_HOME": "/state"}, home) == Path("/state/tenant-auditor/probe")
