"""How a blocker's answer becomes a column: the three shapes that the modules beside this one use."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TypeVar

import numpy as np

from auditor.blockers.base import Cases
from auditor.compact import Numbered, where
from auditor.config import Sender
from auditor.states import Column, Mask, Reason, State
from auditor.tenant import Tenant

NOT_DECLARED = Reason(
    State.NOT_APPLICABLE, "The account is no declared sender, so there are no client settings to judge."
)


def spread(cases: Cases, choices: Sequence[tuple[Mask, Reason]], default: Reason) -> Column:
    """The same answer for every case of an account: the first mask (one entry per account) that holds gives the
    reason, else `default`."""
    mine = [(mask[cases.account], reason) for mask, reason in choices]
    return Column.select(len(cases), mine, default)


def constant(cases: Cases, reason: Reason) -> Column:
    """One answer for the whole tenant."""
    return Column.constant(len(cases), reason)


def for_senders(cases: Cases, judge: Callable[[int, Sender], Reason]) -> Column:
    """An answer per declared sender (row of its account, settings); `not_applicable` for every other case."""
    codes = np.zeros(len(cases), dtype=np.int32)
    reasons = [NOT_DECLARED]
    for case in range(cases.accounts, len(cases)):
        sender = cases.senders[case]
        if sender is not None:
            codes[case] = len(reasons)
            reasons.append(judge(int(cases.account[case]), sender))
    return Column(codes, tuple(reasons))


def words(values: Sequence[str], wanted: Sequence[str]) -> Mask:
    """Which entries of a column of words are one of `wanted`."""
    return where(values, lambda value: value in wanted)


Key = TypeVar("Key", bound=Hashable)


def by_value(cases: Cases, values: Iterable[Key], reason: Callable[[Key], Reason]) -> Column:
    """One reason per distinct value (one value per case)."""
    known = Numbered[Key]()
    codes = np.fromiter(map(known.__getitem__, values), dtype=np.int32, count=len(cases))
    return Column(codes, tuple(map(reason, known.table)))


def unread(tenant: Tenant, question: str, *datasets: str) -> Reason:
    """`unknown`, naming those of the datasets that are not complete and how reading them ended."""
    missing = tuple(name for name in datasets if not tenant.status[name].complete) or datasets
    ends = []
    facts = []
    for name in missing:
        status = tenant.status[name]
        why = f"permission {status.permission}" if status.permission else status.reason
        ends.append(f"{name} is {status.state}" + (f" ({why.rstrip('.')})" if why else ""))
        facts.append((name, status.state))
    return Reason(State.UNKNOWN, f"{question} is not known: {', '.join(ends)}.", tuple(facts), missing)


def no_row(question: str, *datasets: str) -> Reason:
    """`unknown` although the datasets were read: this account's row, or the property, is not in them."""
    named = " and ".join(datasets)
    return Reason(State.UNKNOWN, f"{question} is not known: {named} holds no value for this account.", (), datasets)
