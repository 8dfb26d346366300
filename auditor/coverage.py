"""What was read, what was not, what that leaves unknown, and what closes each gap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from auditor.access.cross_check import compare
from auditor.blockers import BLOCKERS
from auditor.catalogue import BY_NAME, CATALOGUE, CONFIGURATION, EXCHANGE, Dataset
from auditor.states import State
from auditor.tenant import DatasetStatus
from auditor.verdict import Judgement

WHAT_IF = "whatIf"


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One dataset: how reading it ended, what that leaves unknown, and what would close the gap. `reason` says why it
    is not complete; of `whatIf` also how the comparison went."""

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


def coverage(judgement: Judgement) -> list[CoverageRow]:
    """One row per dataset, in catalogue order."""
    return [_row(judgement, dataset) for dataset in CATALOGUE]


def decides(dataset: str) -> tuple[str, ...]:
    """Ids of the blockers that a dataset decides."""
    return tuple(blocker.id for blocker in BLOCKERS if dataset in blocker.datasets)


def unknown_accounts(judgement: Judgement, dataset: str) -> int:
    """Accounts for which a blocker that the dataset decides is `unknown`; 0 where the dataset is complete."""
    if judgement.tenant.status[dataset].complete:
        return 0
    unknown = np.zeros(judgement.cases.accounts, dtype=np.bool_)
    for blocker in decides(dataset):
        unknown |= judgement.row_states(blocker) == State.UNKNOWN
    return int(unknown.sum())


def closing(status: DatasetStatus) -> str:
    """What to do so that the next run reads the dataset; empty where it is complete."""
    dataset = BY_NAME[status.name]
    if status.complete:
        return ""
    if status.state == "denied":
        return _closing_denied(dataset, status)
    if status.state == "not-asked":
        return _closing_not_asked(dataset)
    if status.exported or status.configuration_snapshot:
        return (
            f"Let an administrator export {status.name} again (`auditor exchange-script`), or name a further source in "
            "[exchange] also."
        )
    return f"Reading {status.name} ended early; run again with --resume, which reads only what is missing."


def _closing_denied(dataset: Dataset, status: DatasetStatus) -> str:
    wanted = status.permission or dataset.permission
    if dataset.licence and wanted == dataset.licence:
        return f"The tenant needs {wanted} before Microsoft Graph answers this; no permission helps."
    if wanted == CONFIGURATION:
        return f"Grant the application permission {wanted} on Microsoft Graph with admin consent, then run again."
    if dataset.service == "exchange" and EXCHANGE not in wanted:
        return f"Export again with {wanted}."
    if dataset.service == "exchange":
        return (
            f"Grant {wanted} on Office 365 Exchange Online with admin consent and give the app the role Global Reader, "
            "or import an administrator's export (`auditor exchange-script`)."
        )
    return f"Grant the application permission {wanted} with admin consent, then run again."


def _closing_not_asked(dataset: Dataset) -> str:
    if dataset.service == "exchange":
        return (
            "Run `auditor exchange-script`, let an administrator export, and set [exchange] source and export_path in "
            "the config."
        )
    if dataset.service == "brought":
        return f"Optional: bring {dataset.path} as {dataset.name}.jsonl or .json."
    if dataset.name == WHAT_IF:
        return "Optional: run again with --cross-check N to compare with Microsoft's own answer for N accounts."
    if dataset.optional:
        return f"Optional: grant {dataset.permission} and collect again."
    return f"Collect again with the permission {dataset.permission}."


def _row(judgement: Judgement, dataset: Dataset) -> CoverageRow:
    status = judgement.tenant.status[dataset.name]
    return CoverageRow(
        dataset=dataset.name,
        state=status.state,
        records=status.records,
        reason=_reason(judgement, status),
        permission=status.permission or dataset.permission,
        licence=dataset.licence,
        source=status.source,
        as_of=status.as_of,
        decides=decides(dataset.name),
        unknown_accounts=unknown_accounts(judgement, dataset.name),
        remedy=closing(status),
    )


def _reason(judgement: Judgement, status: DatasetStatus) -> str:
    if status.name != WHAT_IF or not judgement.tenant.what_if:
        return status.reason
    return f"{status.reason} {compare(judgement.tenant).text()}".strip()
