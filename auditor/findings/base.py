"""What a finding is: one thing to act on, with a stable id. One module per rule uses these types.

Severity has one model (docs/severity.md): what an attacker or an outage gains × how many it touches × how sure we are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from auditor.verdict import Judgement

Severity = Literal["critical", "high", "medium", "low", "info"]
Outcome = Literal["fail", "unknown", "waived"]
Change = Literal["new", "persisting", "changed", "returned"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low", "info")


@dataclass(frozen=True, slots=True)
class Fact:
    """One piece of evidence: a property as Microsoft names it, its value, and the dataset it was read from."""

    name: str
    value: str
    dataset: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of finding. `find` yields at most one finding per cause (contract)."""

    id: str
    title: str
    datasets: tuple[str, ...]
    remedy: str
    remedy_risk: str
    references: tuple[str, ...]
    controls: tuple[str, ...]
    find: Callable[[Judgement], Iterable[Finding]]


@dataclass(frozen=True, slots=True)
class Finding:
    """`object_type`: tenant, account, sender, policy, group, app, dataset. `accounts`: rows of Accounts it touches
    (listed in the workbook); the rest is text for people. `first_seen` and `change` come from the previous run."""

    rule: str
    severity: Severity
    outcome: Outcome
    object_type: str
    object_id: str
    object_name: str
    title: str
    evidence: tuple[Fact, ...]
    remedy: str
    remedy_risk: str
    references: tuple[str, ...]
    controls: tuple[str, ...]
    tenant_id: str
    accounts: tuple[int, ...] = ()
    first_seen: str = ""
    change: Change = "new"

    @property
    def id(self) -> str:
        return finding_id(self.rule, self.tenant_id, self.object_id)


def finding_id(rule: str, tenant_id: str, object_id: str) -> str:
    """Stable across runs and machines: the rule's id, `-`, 12 hex digits of SHA-256 over rule, tenant and object."""
    text = f"{rule}\n{tenant_id}\n{object_id}".lower().encode("utf-8", "surrogatepass")
    return f"{rule}-{hashlib.sha256(text).hexdigest()[:12]}"
