"""What if: a snapshot judged again with changes applied, without touching the tenant or the snapshot.

`changes` reads what people write, `what_if` answers. Changes are pure data; the same changes in any order give the same
answer, and no change at all changes nothing. What a change makes known, and what it leaves unknown, is told in
docs/what-if.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from auditor.config import Sender
from auditor.tenant import Tenant
from auditor.verdict import Judgement, judge
from auditor.what_if.compare import FIELDS, BlockerChange, Shift, WhatIf
from auditor.what_if.model import Change, Draft
from auditor.what_if.parse import OPTIONS, changes, from_file, from_option, written
from auditor.what_if.render import as_json, as_text

__all__ = [
    "FIELDS",
    "OPTIONS",
    "BlockerChange",
    "Change",
    "Shift",
    "WhatIf",
    "apply",
    "as_json",
    "as_text",
    "changes",
    "from_file",
    "from_option",
    "what_if",
    "written",
]


def apply(
    tenant: Tenant, senders: Sequence[Sender], wanted: Iterable[Change]
) -> tuple[Tenant, tuple[Sender, ...], tuple[str, ...]]:
    """(tenant, senders, notes) with the changes applied. The tenant that is given stays as it is.

    Raises UsageError where a change does not fit what was read."""
    draft = Draft(tenant, senders)
    for change in sorted(wanted, key=lambda change: (change.phase, change.key)):
        change.apply(draft)
    return *draft.result(), draft.notes


def what_if(before: Judgement, senders: Sequence[Sender], wanted: Iterable[Change]) -> WhatIf:
    """Judge the tenant of `before` again with the changes applied. `senders`: the declared senders that `before` was
    judged with, those without an account included."""
    kept = tuple(wanted)
    tenant, changed, notes = apply(before.tenant, senders, kept)
    return WhatIf(kept, before, judge(tenant, changed, sign_in_days=before.sign_in_days), notes)
