"""Run folders: private, never overwritten, found again to resume."""

from __future__ import annotations

import os

import pytest

from auditor.errors import UsageError
from auditor.run import RUN_JSON, prepare, run_folder


def test_out_is_taken_exactly(tmp_path):
    assert run_folder(tmp_path / "reports", "Contoso", tmp_path / "here", resume=False) == tmp_path / "here"
    assert (tmp_path / "here").is_dir()


def test_default_is_below_the_tenants_slug(tmp_path):
    folder = run_folder(tmp_path, "Contoso Ltd.", None, resume=False)
    assert folder.parent == tmp_path / "contoso-ltd"
    assert len(folder.name) == len("20261123T160000Z")


def test_an_empty_folder_is_accepted_and_a_filled_one_refused(tmp_path):
    prepare(tmp_path, resume=False)
    (tmp_path / "findings.xlsx").write_bytes(b"x")
    with pytest.raises(UsageError, match="not empty"):
        prepare(tmp_path, resume=False)


def test_a_finished_run_is_never_resumed(tmp_path):
    (tmp_path / RUN_JSON).write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match="finished"):
        prepare(tmp_path, resume=True)


def test_resume_takes_the_newest_unfinished_run(tmp_path):
    for name, finished in (("20260101T000000Z", False), ("20260201T000000Z", False), ("20260301T000000Z", True)):
        folder = tmp_path / "contoso" / name
        (folder / "snapshot").mkdir(parents=True)
        if finished:
            (folder / RUN_JSON).write_text("{}", encoding="utf-8")
    assert run_folder(tmp_path, "contoso", None, resume=True).name == "20260201T000000Z"


def test_resume_without_an_unfinished_run_says_so(tmp_path):
    with pytest.raises(UsageError, match="no unfinished run"):
        run_folder(tmp_path, "contoso", None, resume=True)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_folders_are_private(tmp_path):
    prepare(tmp_path / "run", resume=False)
    assert (tmp_path / "run").stat().st_mode & 0o077 == 0
