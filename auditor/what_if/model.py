"""What a change is, and the draft of a tenant that changes are written into. Nothing here touches a file or a service.

A draft copies a column, a list or an object when it is first written, so that the tenant it starts from stays as it was
read, and a change costs no more than what it touches.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from auditor.config import Sender
from auditor.tenant import DatasetStatus, Tenant


@dataclass(frozen=True)
class Change(ABC):
    """One change of a tenant's settings, or of a declared sender's. Two changes with the same `key` set the same thing.

    Changes are applied by `phase`, then by key, so that the order in which they are named never matters: what others
    build on first (a new policy, a mailbox that a licence makes), what sweeps over many objects before what names one.
    """

    phase: ClassVar[int] = 2

    @property
    @abstractmethod
    def key(self) -> tuple[str, ...]: ...

    @property
    @abstractmethod
    def option(self) -> tuple[str, ...]:
        """The command line's words for it: `("--policy", "NAME=disabled")`."""

    @property
    @abstractmethod
    def text(self) -> str:
        """One plain sentence without a full stop."""

    @abstractmethod
    def apply(self, draft: Draft) -> None:
        """Write it. Raises UsageError where the thing it changes is not of the kind that can be changed so."""


@dataclass(frozen=True, slots=True)
class Assumed(DatasetStatus):
    """The status of a dataset that was not read and of which a change makes something known. It counts as complete, and
    every value in it that no change made known stays unread; whether it was asked for stays as it was."""

    was_asked: bool = True

    @property
    def asked(self) -> bool:
        return self.was_asked


class Draft:
    """A tenant and its declared senders, being changed."""

    def __init__(self, tenant: Tenant, senders: Sequence[Sender]) -> None:
        self.base = tenant
        self.senders = list(senders)
        self._notes: dict[str, None] = {}
        self._needed: dict[str, None] = {}
        self._columns: dict[str, Any] = {}
        self._fields: dict[str, Any] = {}

    def value(self, column: str, row: int) -> Any:
        """What a column of the accounts holds for one row, changes included."""
        return self._columns.get(column, getattr(self.base.accounts, column))[row]

    def set_value(self, column: str, row: int, value: Any) -> None:
        values = self._columns.get(column)
        if values is None:
            before = getattr(self.base.accounts, column)
            values = self._columns[column] = list(before) if isinstance(before, tuple) else before.copy()
        values[row] = value

    def field(self, name: str) -> Any:
        """A field of the tenant, changes included."""
        return self._fields.get(name, getattr(self.base, name))

    def set_field(self, name: str, value: Any) -> None:
        self._fields[name] = value

    def append(self, name: str, *records: Mapping[str, Any]) -> None:
        """Adds raw objects to a list of the tenant."""
        self._fields[name] = [*self.field(name), *records]

    def put(self, name: str, key: str, value: Any) -> None:
        """Sets one entry of a mapping of the tenant."""
        self._fields[name] = {**self.field(name), key: value}

    def complete(self, *datasets: str) -> bool:
        return all(self.field("status")[name].complete for name in datasets)

    def assume(self, dataset: str) -> bool:
        """A change makes something of this dataset known. True where it was not read until now."""
        status: DatasetStatus = self.field("status")[dataset]
        if status.complete:
            return False
        known = {field.name: getattr(status, field.name) for field in fields(DatasetStatus)}
        known |= {"state": "complete", "reason": f"was {status.state}; a change makes a part known"}
        known |= {"permission": "", "source": "what-if"}
        self.put("status", dataset, Assumed(**known, was_asked=status.asked))
        self.note(f"{dataset} is {status.state}: nothing is known of it but what a change sets")
        return True

    def needs(self, *datasets: str) -> None:
        """What a change's effect hangs on beside what it sets; a note tells those that stay unread."""
        self._needed |= dict.fromkeys(datasets)

    def note(self, text: str) -> None:
        self._notes[text] = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What the changes could not make known, for people."""
        status = self.field("status")
        unread = [f"{name} is {status[name].state}: what hangs on it stays unknown" for name in self._needed
                  if not status[name].complete]  # fmt: skip
        return (*unread, *self._notes)

    def row(self, account_id: str) -> int:
        return self.base.row_of[account_id]

    def result(self) -> tuple[Tenant, tuple[Sender, ...]]:
        accounts = replace(self.base.accounts, **self._columns) if self._columns else self.base.accounts
        return replace(self.base, accounts=accounts, **self._fields), tuple(self.senders)
