"""Files that are damaged as a whole: an error that names the file, or something unknown and told; never a traceback."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from auditor.config import Config
from auditor.errors import UsageError
from auditor.evaluate import Evaluation, evaluate
from auditor.snapshot import Snapshot
from auditor.states import State


@pytest.fixture
def folder(world) -> Path:
    """A hand-made folder on disk."""
    world.add("anna", switch=False)
    world.policy("all")
    return world.write().folder


def judged(world, folder: Path) -> Evaluation:
    (folder / "manifest.json").unlink(missing_ok=True)
    return evaluate(Snapshot.open(folder), Config(senders=(world.sender("anna"),)), world.now)


BROKEN = {
    "a line that is no JSON": b'{"id": "a"}\n{"id": \n',
    "a line that is no UTF-8": b"\xff\xfe{}\n",
    "brackets without end": b"[" * 100_000 + b"\n",
}


@pytest.mark.parametrize(
    "dataset", ["users", "conditionalAccessPolicies", "casMailboxes", "domains", "transportConfig"]
)
@pytest.mark.parametrize("damage", sorted(BROKEN))
def test_a_damaged_file_is_an_error_that_names_it(world, folder, dataset, damage):
    (folder / f"{dataset}.jsonl").write_bytes(BROKEN[damage])
    with pytest.raises(UsageError, match=dataset) as raised:
        judged(world, folder)
    assert raised.value.remedy


@pytest.mark.parametrize("kept", [0, 5, 40, -9])
def test_a_cut_archive_is_an_error_that_names_it(world, folder, kept):
    plain = folder / "users.jsonl"
    packed = gzip.compress(plain.read_bytes() * 20)
    plain.unlink()
    middle = b"" if kept > 0 else b"damaged"
    (folder / "users.jsonl.gz").write_bytes(packed[:kept] + middle if kept else b"not packed at all")
    with pytest.raises(UsageError, match=r"users\.jsonl\.gz"):
        judged(world, folder)


@pytest.mark.parametrize("top", [b"5", b"null", b'"text"', b"[5, null]", b'{"value": [7]}', b"[]", b'{"value": {}}'])
@pytest.mark.parametrize("dataset", ["users", "conditionalAccessPolicies", "casMailboxes", "transportConfig"])
def test_a_file_of_another_shape_is_told_and_leaves_nothing_clear(world, folder, dataset, top):
    (folder / f"{dataset}.jsonl").unlink()
    (folder / f"{dataset}.json").write_bytes(top)
    after = judged(world, folder)
    told = [f for f in after.findings if f.rule in ("data-problem", "coverage-gap") and f.object_id == dataset]
    nothing = top == b"[]" and dataset in ("users", "conditionalAccessPolicies")  # an empty list is an answer
    assert told or nothing or not len(after.judgement.tenant.accounts) or dataset == "casMailboxes"
    states = {
        "conditionalAccessPolicies": "conditional-access", "casMailboxes": "smtp-auth-switch",
        "transportConfig": "smtp-auth-switch",
    }  # fmt: skip
    if dataset in states and not nothing:
        found = {State(one).word for one in after.judgement.columns[states[dataset]].states}
        assert "unknown" in found or dataset == "transportConfig"
