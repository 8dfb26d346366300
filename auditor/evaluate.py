"""The judgement, whole: snapshot + config + now (+ previous run) → verdicts, findings and coverage. No I/O but reading
the snapshot; the same inputs give the same bytes on any machine, years later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from auditor.config import Config
from auditor.findings.base import Finding
from auditor.snapshot import Snapshot
from auditor.verdict import Judgement


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One dataset: how reading it ended, what that leaves unknown, and what would close the gap."""

    dataset: str
    state: str
    records: int
    reason: str
    permission: str
    licence: str
    source: str
    as_of: str
    decides: tuple[str, ...]
    """ids of the blockers that this dataset decides"""
    unknown_accounts: int
    """accounts for which at least one of those blockers is `unknown` while this dataset is not complete"""
    remedy: str


@dataclass(frozen=True)
class Evaluation:
    judgement: Judgement
    findings: Sequence[Finding]
    """sorted by id"""
    coverage: Sequence[CoverageRow]
    """in catalogue order, every dataset"""


@dataclass(frozen=True, slots=True)
class Previous:
    """The findings of an earlier run, as its findings.json holds them, by id."""

    findings: Mapping[str, Mapping[str, Any]]


def evaluate(snapshot: Snapshot, config: Config, now: datetime, previous: Previous | None = None) -> Evaluation:
    raise NotImplementedError
