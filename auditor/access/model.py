"""The words of Conditional Access: how a condition, a policy and its controls answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from auditor.config import Sender

Codes = NDArray[np.unsignedinteger[Any]]
"""Positions in a short table, in the smallest type that holds them: fifty policies times a million accounts."""


class Match(IntEnum):
    """Does a condition, or a whole policy, take in this sign-in?

    The number is the strength in an AND: joining conditions is `max`. A definite mismatch beats a value that the
    program does not know, that beats what the data cannot decide, and only without any of them the policy reaches."""

    REACHES = 0
    CONDITIONAL = 1
    UNKNOWN = 2
    MISSES = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """One condition's answer. `condition` is the property as Graph names it (`conditions.users.excludeGroups`),
    `detail` a plain phrase, `datasets` what an `UNKNOWN` was for want of, `objects` the ids that decided (a group, a
    role, a location), lower case, `strange` whether the value itself is not one that Microsoft documents."""

    match: Match
    condition: str
    detail: str
    datasets: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()
    strange: bool = False


MATCHED = Outcome(Match.REACHES, "", "every condition takes the sign-in in")


class Demand(IntEnum):
    """What a policy's grant controls do to a client that has nothing but a password; the number is the strength."""

    NOTHING = 0
    UNKNOWN = 1
    BLOCKS = 2


@dataclass(frozen=True, slots=True)
class Grant:
    """`controls`: as Graph names them (`mfa`, `block`, `authenticationStrength: Phishing-resistant MFA`, …). `strange`:
    what in them is not as Microsoft documents it, a phrase each."""

    demand: Demand
    controls: tuple[str, ...]
    detail: str
    datasets: tuple[str, ...] = ()
    strange: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class PolicyReach:
    """One policy and every account. `match` and `by` have one entry per account: how far the policy reaches it, and
    which of `outcomes` decided that. `static` is the strictest of the conditions that are the same for every
    account."""

    index: int
    """position in `Tenant.policies`"""
    id: str
    name: str
    state: str
    """as read: enabled, enabledForReportingButNotEnforced, …"""
    grant: Grant
    static: Outcome
    match: NDArray[np.uint8]
    by: Codes
    outcomes: tuple[Outcome, ...]

    def outcome(self, row: int) -> Outcome:
        """Why the policy reaches, or misses, the account of this row."""
        return self.outcomes[int(self.by[row])]


@dataclass(frozen=True, eq=False)
class Reach:
    """Which policies reach whom. `complete` is False where the list of policies was not read whole: a policy that is
    missing here may then exist."""

    policies: tuple[PolicyReach, ...]
    complete: bool


ActingState = Literal["enabled", "report-only"]


class SignIns(Protocol):
    """What is judged (`blockers.base.Cases`): the account's row and the declared sender, None for a default client."""

    @property
    def account(self) -> NDArray[np.int32]: ...

    @property
    def senders(self) -> Sequence[Sender | None]: ...

    def __len__(self) -> int: ...
