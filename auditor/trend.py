"""The runs of a folder as one row each, oldest first: how findings, senders and exposure went over time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.errors import UsageError
from auditor.findings.base import SEVERITIES

RUN, FINDINGS = "run.json", "findings.json"

SENDERS = ("blocked", "unknown", "conditional", "open", "missing")
EXPOSURE = ("open", "limited", "unknown", "closed")

_DEPTH = ("*/", "*/*/")
"""Runs lie in FOLDER/<time> or in FOLDER/<tenant>/<time>."""


@dataclass(frozen=True, slots=True)
class Point:
    """One run. Numbers are None where an older version did not record them."""

    tenant: str
    now: str
    folder: Path
    findings: Mapping[str, int]
    """severity → findings that stand"""
    waived: int | None
    senders: Mapping[str, int] | None
    exposure: Mapping[str, int] | None
    accounts: int | None


def trend(folder: Path) -> tuple[list[Point], list[str]]:
    """The finished runs in `folder` by tenant and moment, and what could not be read. Raises UsageError where there is
    no run at all."""
    points: list[Point] = []
    problems: list[str] = []
    for path in sorted(_runs(folder)):
        try:
            points.append(_point(path.parent, _object(path)))
        except (OSError, ValueError) as error:
            problems.append(f"{path}: left out: {error}")
    if not points:
        raise UsageError(
            f"{folder}: holds no finished run{f' ({problems[0]})' if problems else ''}.",
            remedy="Name a folder of runs, such as reports/<tenant>.",
        )
    return sorted(points, key=lambda point: (point.tenant, point.now, str(point.folder))), problems


def _runs(folder: Path) -> Iterator[Path]:
    if (folder / RUN).is_file():
        yield folder / RUN
    for pattern in _DEPTH:
        yield from folder.glob(pattern + RUN)


def _point(folder: Path, run: Mapping[str, Any]) -> Point:
    summary = run.get("summary")
    known = summary if isinstance(summary, dict) else _counted(folder)
    return Point(
        tenant=str(run.get("tenant_id") or "?"),
        now=str(run.get("now") or "?"),
        folder=folder,
        findings={severity: int(known["findings"].get(severity, 0)) for severity in SEVERITIES},
        waived=known.get("waived"),
        senders=known.get("senders"),
        exposure=known.get("exposure"),
        accounts=known.get("accounts"),
    )


def _counted(folder: Path) -> dict[str, Any]:
    """What findings.json alone tells of a run that an older version wrote."""
    findings = _object(folder / FINDINGS).get("findings", [])
    standing = Counter(found.get("severity") for found in findings if found.get("outcome") != "waived")
    return {"findings": dict(standing), "waived": sum(found.get("outcome") == "waived" for found in findings)}


def _object(path: Path) -> dict[str, Any]:
    document = json.loads(path.read_bytes())
    if not isinstance(document, dict):
        raise ValueError("no JSON object")
    return document
