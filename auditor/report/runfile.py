"""run.json: what was run, on which evidence, and how long it took. The only file that holds times and durations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from auditor import __version__
from auditor.evaluate import Evaluation
from auditor.record import summary
from auditor.report.files import Batch
from auditor.snapshot import Snapshot

SCHEMA = 1
NAME = "run.json"


def write_run(
    folder: Path,
    evaluation: Evaluation,
    *,
    snapshot: Snapshot,
    config_sha256: str,
    requests: int,
    stages: Mapping[str, Mapping[str, float]],
) -> Path:
    """Write run.json into the run's folder. `requests`: all HTTP requests of the collection; `stages`: name → seconds
    and CPU seconds. Raises UsageError where it cannot be written."""
    tenant = evaluation.judgement.tenant
    document = {
        "schema": SCHEMA,
        "version": __version__,
        "tenant_id": tenant.tenant_id,
        "now": tenant.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "config_sha256": config_sha256,
        "snapshot_sha256": snapshot.digest(),
        "datasets": _datasets(snapshot),
        "requests": requests,
        "summary": summary(evaluation.judgement, evaluation.findings),
        "stages": {name: dict(taken) for name, taken in stages.items()},
    }
    with Batch(folder) as files, files.new(NAME) as stream:
        stream.write((json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace"))
    return folder / NAME


def _datasets(snapshot: Snapshot) -> dict[str, dict[str, Any]]:
    counted = snapshot.manifest.get("datasets", {})
    return {
        name: {
            "state": status.state,
            "records": status.records,
            "requests": int(counted.get(name, {}).get("requests", 0)),
            "inner_requests": int(counted.get(name, {}).get("inner_requests", 0)),
            "reason": status.reason,
            "permission": status.permission,
        }
        for name, status in snapshot.status.items()
    }
