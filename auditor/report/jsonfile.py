"""findings.json: `{"findings": […]}`, sorted by id, the same bytes for the same findings."""

from __future__ import annotations

import json
import re
from typing import IO

from auditor.evaluate import Evaluation
from auditor.findings import to_json

_SURROGATE = re.compile("[\ud800-\udfff]")


def findings_json(stream: IO[bytes], evaluation: Evaluation) -> None:
    """Write the file, one finding at a time. A lone surrogate, which UTF-8 cannot hold, becomes U+FFFD."""
    stream.write(b'{\n  "findings": [')
    separator = "\n    "
    for finding in sorted(evaluation.findings, key=lambda finding: finding.id):
        text = json.dumps(to_json(finding, evaluation.judgement), indent=2, ensure_ascii=False)
        text = _SURROGATE.sub("\ufffd", text.replace("\n", "\n    "))
        stream.write(f"{separator}{text}".encode())
        separator = ",\n    "
    stream.write(b"\n  ]\n}\n" if evaluation.findings else b"]\n}\n")
