"""Every policy against every account, and what that makes of each sign-in.

A policy's conditions are joined by a three-valued AND (`Match`); over several policies the strongest answer wins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from auditor.access.conditions import SMTP, Client, asks_password_risk, static_outcome, strictest
from auditor.access.grants import read_grant
from auditor.access.locations import Place, location_outcome, place_of
from auditor.access.model import ActingState, Demand, Match, Outcome, PolicyReach, Reach, SignIns
from auditor.access.shapes import strange
from auditor.access.users import People, user_reach
from auditor.states import Column, Reason, State
from auditor.tenant import Tenant

DATASET = "conditionalAccessPolicies"
STATES = {"enabled": "enabled", "report-only": "enabledForReportingButNotEnforced"}
ACTING = "enabled"
REPLY = "conditional-access"

CLEAR = Reason(
    State.CLEAR,
    "No enabled Conditional Access policy with a grant control reaches the account's sign-in over SMTP.",
    (),
    (DATASET,),
)


def reach(
    tenant: Tenant,
    *,
    state: ActingState = "enabled",
    egress_ips: tuple[str, ...] = (),
    client: Client = SMTP,
    only: NDArray[np.int32] | None = None,
) -> Reach:
    """Which policies of this state reach which account, and by which condition the others miss it.

    `egress_ips`: addresses or CIDR ranges of the client, none for a client whose place is not known. Policies whose
    state this program does not know stand among the enabled ones, as unknown. Policies of other states are left out;
    so are those that were not read (`Reach.complete`). `only`: the accounts (rows) that are asked about, in whose order
    the answers then stand; None for all."""
    people, place = People(tenant, only), place_of(egress_ips)
    policies = tuple(
        _policy(people, index, policy, place, client)
        for index, policy in enumerate(tenant.policies)
        if _takes_part(policy, state)
    )
    return Reach(policies, tenant.complete(DATASET))


def judge(tenant: Tenant, cases: SignIns) -> Column:
    """The blocker `conditional-access`, one code per case. Default clients have no place (contract, exposure)."""
    if not tenant.complete(DATASET):
        status = tenant.status[DATASET]
        text = f"Which Conditional Access policies there are is not known: {DATASET} is {status.state}."
        return Column.constant(len(cases), Reason(State.UNKNOWN, text, ((DATASET, status.state),), (DATASET,)))
    some = len(cases) < len(tenant.accounts)
    people = People(tenant, cases.account if some else None)
    parts = [_Part.of(people, index, policy) for index, policy in enumerate(tenant.policies)
             if _takes_part(policy, "enabled")]  # fmt: skip
    parts = [part for part in parts if part.can_act]
    codes = np.zeros(len(cases), dtype=np.int32)
    table: dict[Reason, int] = {}
    for place, found in _places(cases).items():
        for reason, rows in _judge_place(parts, place, found if some else cases.account[found]):
            codes[found[rows]] = table.setdefault(reason, len(table))
    return Column(codes, tuple(table) or (CLEAR,))


def _takes_part(policy: Mapping[str, Any], state: ActingState) -> bool:
    value = policy.get("state")
    if state == "enabled" and value not in ("disabled", STATES["report-only"]):
        return True
    return value == STATES[state]


def _places(cases: SignIns) -> dict[Place, NDArray[np.intp]]:
    """Place → the cases judged there."""
    found: dict[Place, list[int]] = {}
    plain = []
    for case, sender in enumerate(cases.senders):
        if sender is None or not sender.egress_ips:
            plain.append(case)
        else:
            found.setdefault(place_of(sender.egress_ips), []).append(case)
    places: dict[Place, list[int]] = {(): plain, **found}
    return {place: np.array(rows, dtype=np.intp) for place, rows in places.items() if rows}


def state_outcome(policy: Mapping[str, Any]) -> Outcome:
    value = policy.get("state")
    if value in STATES.values():
        return Outcome(Match.REACHES, "state", f"the policy is {value}")
    return strange("state", f"the policy's state '{value}' is not known")


@dataclass(frozen=True, eq=False)
class _Part:
    """A policy, taken apart once: what does not depend on the place."""

    tenant: Tenant
    reach: PolicyReach
    conditions: Mapping[str, Any]

    @classmethod
    def of(cls, people: People, index: int, policy: Mapping[str, Any]) -> _Part:
        conditions = policy.get("conditions")
        found = _policy(people, index, policy, None, SMTP)
        return cls(people.tenant, found, conditions if isinstance(conditions, Mapping) else {})

    @property
    def can_act(self) -> bool:
        return self.reach.grant.demand != Demand.NOTHING and self.reach.static.match != Match.MISSES

    def at(self, place: Place) -> tuple[Outcome, NDArray[np.uint8]]:
        """The location condition at a place, and with it the answer per account."""
        location = location_outcome(self.tenant, self.conditions, place)
        return location, np.maximum(self.reach.match, np.uint8(location.match))


def _policy(people: People, index: int, policy: Mapping[str, Any], place: Place | None, client: Client) -> PolicyReach:
    """One policy over all accounts; without its location condition where `place` is None."""
    conditions = policy.get("conditions")
    conditions = conditions if isinstance(conditions, Mapping) else {}
    static = [state_outcome(policy), static_outcome(policy, client)]
    if place is not None:
        static.append(location_outcome(people.tenant, conditions, place))
    strongest = strictest(iter(static))
    users = user_reach(people, conditions)
    outcomes = (strongest, *users.outcomes)
    # of equal answers the account's own condition tells more, but a policy that misses everybody says so first
    own = users.match > strongest.match
    by = np.where(own, users.by.astype(np.int32) + 1, 0).astype(np.min_scalar_type(len(outcomes)))
    match = np.maximum(users.match, np.uint8(strongest.match))
    identity, name = policy.get("id"), policy.get("displayName")
    grant = read_grant(people.tenant, policy, asks_password_risk=asks_password_risk(policy))
    return PolicyReach(
        index=index,
        id=(identity if isinstance(identity, str) and identity else str(name or "")).lower(),
        name=name if isinstance(name, str) and name else str(identity or f"policy {index + 1}"),
        state=str(policy.get("state")),
        grant=grant,
        static=strongest,
        match=match,
        by=by,
        outcomes=outcomes,
    )


def _effect(demand: Demand) -> NDArray[np.uint8]:
    """State by `Match`: what a policy with this demand makes of a sign-in that it takes in so far."""
    doubt = demand == Demand.UNKNOWN
    table = [State.UNKNOWN if doubt else State.BLOCKS, State.UNKNOWN if doubt else State.CONDITIONAL,
             State.UNKNOWN, State.CLEAR]  # fmt: skip
    return np.array(table, dtype=np.uint8)


def _judge_place(
    parts: list[_Part], place: Place, accounts: NDArray[np.integer[Any]]
) -> Iterator[tuple[Reason, NDArray[np.intp]]]:
    """(reason, positions in `accounts`) for every distinct combination of deciding policies."""
    effects = np.full((len(parts), len(accounts)), State.CLEAR, dtype=np.uint8)
    locations = []
    for number, part in enumerate(parts):
        location, match = part.at(place)
        locations.append(location)
        effects[number] = _effect(part.reach.grant.demand)[match[accounts]]
    states = effects.max(axis=0, initial=np.uint8(State.CLEAR))
    key = _Key(states)
    for number, part in enumerate(parts):
        # which outcome of this policy decides: only where it is as strong as the strongest
        decides = (effects[number] == states) & (states > State.CLEAR)
        if decides.any():
            key.add(np.where(decides, part.reach.by[accounts].astype(np.int32) + 1, 0))
    for rows in key.groups():
        first = int(rows[0])
        state = State(int(states[first]))
        numbers = np.flatnonzero(effects[:, first] == state).tolist() if state > State.CLEAR else []
        account = int(accounts[first])
        # by name, so that the order in which Graph answers changes no text
        deciding = sorted(_Deciding.of(parts[number], locations[number], account, state) for number in numbers)
        yield _reason(state, deciding), rows


class _Key:
    """One number per row that tells apart every combination of what was added: digits of a mixed radix, made small
    again before they overflow."""

    def __init__(self, values: NDArray[np.uint8]) -> None:
        self._codes = values.astype(np.int64)
        self._size = int(values.max(initial=0)) + 1

    def add(self, digit: NDArray[np.int32]) -> None:
        radix = int(digit.max()) + 1
        if self._size > np.iinfo(np.int64).max // radix:
            found, inverse = np.unique(self._codes, return_inverse=True)
            self._codes, self._size = inverse.reshape(-1).astype(np.int64), len(found)
        self._codes = self._codes * radix + digit
        self._size *= radix

    def groups(self) -> list[NDArray[np.intp]]:
        """Positions of equal keys, each group in ascending order."""
        order = np.argsort(self._codes, kind="stable")
        starts = np.flatnonzero(np.diff(self._codes[order], prepend=-1))
        return np.split(order, starts[1:]) if len(order) else []


@dataclass(frozen=True, slots=True, order=True)
class _Deciding:
    """A policy that gives an account its state, and why."""

    name: str
    controls: str
    why: str
    datasets: tuple[str, ...]

    @classmethod
    def of(cls, part: _Part, location: Outcome, row: int, state: State) -> _Deciding:
        grant, outcome = part.reach.grant, strictest(iter((part.reach.outcome(row), location)))
        of_condition = outcome.match == (Match.CONDITIONAL if state == State.CONDITIONAL else Match.UNKNOWN)
        why = f"{outcome.condition}: {outcome.detail}" if of_condition else grant.detail
        unread = (*outcome.datasets, *grant.datasets) if state == State.UNKNOWN else ()
        return cls(part.reach.name, ", ".join(grant.controls), why, unread)


def _reason(state: State, deciding: list[_Deciding]) -> Reason:
    if not deciding:
        return CLEAR
    first = deciding[0]
    subject = f"Conditional Access policy '{first.name}'" + (f" (and {len(deciding) - 1} more)" if deciding[1:] else "")
    text = {
        State.BLOCKS: f"{subject} reaches the account and asks for {first.controls}.",
        State.CONDITIONAL: f"{subject} may refuse the sign-in: {first.why}.",
    }.get(state, f"{subject} cannot be judged: {first.why}.")
    facts = tuple((f"policy '{one.name}'", f"{one.controls}; {one.why}") for one in deciding)
    unread = tuple(dict.fromkeys(name for one in deciding for name in one.datasets))
    return Reason(state, text, facts, unread or (DATASET,), "" if state == State.UNKNOWN else REPLY)
