"""findings.json: `{"findings": […], …}`, sorted by id, the same bytes for the same evaluation.

Beside the findings stands what the next run has to know to tell what changed: the moment, how reading each dataset
ended, senders and policies, and the findings of earlier runs that do not stand any more (`gone`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import IO, Any

from auditor.evaluate import Evaluation
from auditor.findings import to_json
from auditor.record import record
from auditor.triage import to_json as triage_json

SCHEMA = 1
"""Rises when a key is renamed or dropped."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def findings_json(stream: IO[bytes], evaluation: Evaluation) -> None:
    """Write the file, one finding at a time. A lone surrogate, which UTF-8 cannot hold, becomes U+FFFD."""
    stream.write(b'{\n  "findings": [')
    separator = "\n    "
    for finding in sorted(evaluation.findings, key=lambda finding: finding.id):
        document = _with_triage(to_json(finding, evaluation.judgement), evaluation)
        stream.write(f"{separator}{_indented(document, 4)}".encode())
        separator = ",\n    "
    stream.write(b"\n  ]" if evaluation.findings else b"]")
    for name, value in _standing(evaluation).items():
        stream.write(f',\n  "{name}": {_indented(value, 2)}'.encode())
    stream.write(b"\n}\n")


def _standing(evaluation: Evaluation) -> dict[str, Any]:
    run = record(evaluation.judgement, ())
    comparison = evaluation.comparison
    gone = comparison.gone.values() if comparison else ()
    return {
        "schema": SCHEMA,
        "tenant_id": run.tenant_id,
        "now": run.now,
        "compared_with": comparison.before if comparison else None,
        "datasets": run.datasets,
        "senders": run.senders,
        "policies": run.policies,
        "gone": [_with_triage(entry, evaluation) for entry in gone],
        "own_columns": list(evaluation.own_columns),
    }


def _with_triage(document: Mapping[str, Any], evaluation: Evaluation) -> dict[str, Any]:
    triage = evaluation.triage.get(document["id"])
    return {**document, "triage": triage_json(triage)} if triage else dict(document)


def _indented(value: Any, blanks: int) -> str:
    text = json.dumps(value, indent=2, ensure_ascii=False).replace("\n", "\n" + " " * blanks)
    return _SURROGATE.sub("\ufffd", text)
