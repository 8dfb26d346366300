from __future__ import annotations

import json
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from auditor import __version__, report
from auditor.errors import UsageError
from auditor.snapshot import Snapshot

STAGES = {"collect": {"seconds": 1.5, "cpu_seconds": 0.5}, "evaluate": {"seconds": 0.1, "cpu_seconds": 0.1}}


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    folder = tmp_path / "snapshot"
    folder.mkdir()
    (folder / "users.jsonl").write_text('{"id": "a"}\n')
    (folder / "manifest.json").write_text(
        json.dumps(
            {
                "tenant_id": "t", "cloud": "public", "ended": "2026-11-23T16:00:00Z",
                "datasets": {
                    "users": {"state": "complete", "records": 1, "requests": 2, "inner_requests": 40},
                    "signIns": {"state": "denied", "reason": "403", "permission": "AuditLog.Read.All", "requests": 1},
                },
            }
        )
    )  # fmt: skip
    return Snapshot.open(folder)


def write(folder: Path, make: SimpleNamespace, snapshot: Snapshot) -> Path:
    return report.run_json(
        folder, make.evaluation(), snapshot=snapshot, config_sha256="c" * 64, requests=3, stages=STAGES
    )


def test_run_json_holds_the_contracts_keys(tmp_path: Path, make: SimpleNamespace, snapshot: Snapshot) -> None:
    path = write(tmp_path / "run", make, snapshot)
    document = json.loads(path.read_bytes())
    assert path.name == "run.json"
    assert list(document) == [
        "schema", "version", "tenant_id", "now", "config_sha256", "snapshot_sha256", "datasets", "requests", "summary",
        "stages",
    ]  # fmt: skip
    assert document["version"] == __version__
    assert document["tenant_id"] == make.evaluation().judgement.tenant.tenant_id
    assert document["now"] == "2026-11-23T16:00:00Z"
    assert document["snapshot_sha256"] == snapshot.digest()
    assert document["summary"]["findings"] == {"critical": 0, "high": 0, "medium": 0, "low": 0, "info": 0}
    assert document["summary"]["exposure"] == {"closed": 2, "limited": 2, "unknown": 1, "open": 1}
    assert (document["config_sha256"], document["requests"], document["stages"]) == ("c" * 64, 3, STAGES)


def test_every_dataset_tells_how_its_reading_ended(tmp_path: Path, make: SimpleNamespace, snapshot: Snapshot) -> None:
    datasets = json.loads(write(tmp_path, make, snapshot).read_bytes())["datasets"]
    assert list(datasets) == list(snapshot.status)
    assert datasets["users"] == {
        "state": "complete", "records": 1, "requests": 2, "inner_requests": 40, "reason": "", "permission": "",
    }  # fmt: skip
    assert datasets["signIns"]["permission"] == "AuditLog.Read.All"
    assert datasets["domains"]["state"] == "not-asked"


def test_run_json_is_private_and_a_locked_one_is_told(
    tmp_path: Path, make: SimpleNamespace, snapshot: Snapshot
) -> None:
    path = write(tmp_path / "run", make, snapshot)
    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    (tmp_path / "other" / "run.json").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"run\.json"):
        write(tmp_path / "other", make, snapshot)
