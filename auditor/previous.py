"""An earlier run's findings, for `first_seen` and `change`. Read by the command line; the judgement stays pure."""

from __future__ import annotations

import json
from pathlib import Path

from auditor.errors import UsageError
from auditor.evaluate import Previous

FILE = "findings.json"


def load_previous(folder: Path) -> Previous:
    """The findings of the run in `folder` (or of the findings.json that it names), by id.

    Raises UsageError where there is no findings.json, or one that this program did not write."""
    path = folder if folder.is_file() else folder / FILE
    remedy = "Name the folder of an earlier run, such as reports/<tenant>/<time>."
    try:
        document = json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).", remedy=remedy) from error
    except ValueError as error:
        raise UsageError(f"{path}: no JSON: {error}.", remedy=remedy) from error
    findings = document.get("findings") if isinstance(document, dict) else None
    if not isinstance(findings, list):
        raise UsageError(f"{path}: no list under `findings`.", remedy=remedy)
    for number, finding in enumerate(findings):
        if not isinstance(finding, dict) or not isinstance(finding.get("id"), str):
            raise UsageError(f"{path}: findings[{number}] has no `id`.", remedy=remedy)
    return Previous({finding["id"]: finding for finding in findings})
