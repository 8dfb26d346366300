"""Exchange Online is not read, the default: every Exchange dataset is `not-asked` and its blockers stay unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from auditor.catalogue import Dataset
from auditor.exchange.base import ExchangeRead, Keep

REASON = 'Exchange was not asked ([exchange] source = "none").'


@dataclass(frozen=True, slots=True)
class NoSource:
    reason: str = REASON

    @property
    def label(self) -> str:
        return "Exchange not read"

    def notes(self) -> Sequence[str]:
        return ()

    async def read(self, dataset: Dataset, identities: Sequence[str], keep: Keep) -> ExchangeRead:  # noqa: ARG002
        return ExchangeRead("not-asked", reason=self.reason)
