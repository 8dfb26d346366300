"""What changes change: the judgement before beside the judgement after, case by case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from auditor.blockers import BLOCKERS
from auditor.config import Sender
from auditor.states import VERDICT_WORDS, Mask, Reason, State
from auditor.verdict import EXPOSURE_BLOCKERS, EXPOSURE_WORDS, Judgement
from auditor.what_if.model import Change

Client = Literal["own", "any"]
"""Of a blocker: judged for the sender's own settings and place, or for any client without a place."""

FIELDS = ("basic", "oauth", "exposure", "password_guessing", "deciding_blocker")


@dataclass(frozen=True, slots=True)
class BlockerChange:
    """One blocker whose answer is another one. `client`: `any` for what only the exposure of a sender's account rests
    on."""

    blocker: str
    client: Client
    before: Reason
    after: Reason


@dataclass(frozen=True)
class Shift:
    """One case that changes: a declared sender, or an account that no sender is declared for (`sender` None).

    `before` and `after` hold one word for each of FIELDS."""

    case: int
    row: int
    sender: Sender | None
    before: tuple[str, ...]
    after: tuple[str, ...]
    reasons: tuple[BlockerChange, ...]

    @property
    def fields(self) -> list[tuple[str, str, str]]:
        """(field, before, after) of every field."""
        return list(zip(FIELDS, self.before, self.after, strict=True))

    @property
    def changed(self) -> list[tuple[str, str, str]]:
        """(field, before, after) of the fields that change."""
        return [field for field in self.fields if field[1] != field[2]]


@dataclass(frozen=True)
class WhatIf:
    """The answer to "what if". `shifts`: senders first, in the config's order, then accounts by name."""

    changes: tuple[Change, ...]
    before: Judgement
    after: Judgement
    notes: tuple[str, ...] = ()

    @cached_property
    def shifts(self) -> Sequence[Shift]:
        rows = self.before.cases.account
        upns = self.before.tenant.accounts.user_principal_name
        count = self.before.cases.accounts
        changed = np.flatnonzero(_differs(self.before, self.after)).tolist()
        senders = [case for case in changed if case >= count]
        others = sorted((case for case in changed if case < count), key=lambda case: (upns[case].lower(), case))
        return [self._shift(case, int(rows[case])) for case in (*senders, *others)]

    @cached_property
    def counts(self) -> dict[str, Counter[tuple[str, str]]]:
        """Field → (before, after) → how many cases."""
        table: dict[str, Counter[tuple[str, str]]] = {name: Counter() for name in FIELDS}
        for shift in self.shifts:
            for name, before, after in shift.changed:
                table[name][before, after] += 1
        return table

    def _shift(self, case: int, row: int) -> Shift:
        before, after = words(self.before, case), words(self.after, case)
        reasons = list(_reasons(self.before, self.after, case, "own"))
        if case != row and before[2:4] != after[2:4]:
            own = {(one.blocker, one.after) for one in reasons}
            reasons += [
                one
                for one in _reasons(self.before, self.after, row, "any")
                if one.blocker in EXPOSURE_BLOCKERS and (one.blocker, one.after) not in own
            ]
        return Shift(case, row, self.before.cases.senders[case], before, after, tuple(reasons))


def words(judgement: Judgement, case: int) -> tuple[str, ...]:
    """One word for each of FIELDS; exposure and guessing are the account's."""
    row = int(judgement.cases.account[case])
    return (
        VERDICT_WORDS[judgement.basic_cases[case]],
        VERDICT_WORDS[judgement.oauth_cases[case]],
        EXPOSURE_WORDS[judgement.exposure[row]],
        judgement.password_guessing[row],
        judgement.deciding_blocker[case],
    )


def _differs(before: Judgement, after: Judgement) -> Mask:
    """Per case. An account with a declared sender is told by its sender's cases, not by a default client's."""
    rows = before.cases.account
    account = (before.exposure != after.exposure) | _unlike(before.password_guessing, after.password_guessing)
    found: Mask = account[rows]
    found |= before.basic_cases != after.basic_cases
    found |= before.oauth_cases != after.oauth_cases
    found |= _unlike(before.deciding_blocker, after.deciding_blocker)
    found[rows[before.cases.accounts :]] = False
    return found


def _unlike(before: Sequence[str], after: Sequence[str]) -> Mask:
    pairs = zip(before, after, strict=True)
    return np.fromiter((one != other for one, other in pairs), dtype=np.bool_, count=len(before))


def _reasons(before: Judgement, after: Judgement, case: int, client: Client) -> Iterator[BlockerChange]:
    """Blockers with another state, or that stand for another reason, in the order of work."""
    for blocker in BLOCKERS:
        was, now = before.columns[blocker.id].reason(case), after.columns[blocker.id].reason(case)
        stands = was.state in (State.BLOCKS, State.CONDITIONAL)
        if was.state != now.state or (stands and was.text != now.text):
            yield BlockerChange(blocker.id, client, was, now)
