"""What in policies and named locations is not as Microsoft documents it: the values that leave a judgement unknown,
each by its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import astuple
from typing import Any

from auditor.access.conditions import SMTP, asks_password_risk, static_outcomes
from auditor.access.engine import DATASET, state_outcome
from auditor.access.grants import read_grant
from auditor.access.locations import DATASET as PLACES
from auditor.access.locations import bounds, kind_of, location_outcome
from auditor.access.model import Outcome
from auditor.access.users import People, user_reach
from auditor.tenant import UNREADABLE_POLICY, DataProblem, Tenant


def oddities(tenant: Tenant) -> list[DataProblem]:
    """One per policy and property, in an order that the order of policies does not change."""
    people = People(tenant)
    found = set()
    for policy in tenant.policies:
        if policy.get("state") == UNREADABLE_POLICY:
            continue  # stands for a record that was told when it was read
        identity = str(policy.get("id") or policy.get("displayName") or "")
        for outcome in _outcomes(people, policy):
            if outcome.strange:
                found.add((identity, outcome.condition, outcome.detail))
        grant = read_grant(tenant, policy, asks_password_risk=asks_password_risk(policy))
        found |= {(identity, "grantControls", why) for why in grant.strange}
    return [DataProblem(DATASET, *one) for one in sorted(found)] + sorted(_of_places(tenant), key=astuple)


def _of_places(tenant: Tenant) -> Iterator[DataProblem]:
    for identity, location in tenant.named_locations.items():
        ranges = location.get("ipRanges")
        if kind_of(location) != "ipNamedLocation":
            continue
        if not isinstance(ranges, list):
            yield DataProblem(PLACES, identity, "ipRanges", "missing: which addresses it holds is unknown")
        elif any(bounds(one) is None for one in ranges):
            yield DataProblem(PLACES, identity, "ipRanges", "holds something that is no range of addresses")


def _outcomes(people: People, policy: Mapping[str, Any]) -> Iterator[Outcome]:
    if policy.get("state") != "disabled":
        yield state_outcome(policy)
    yield from static_outcomes(policy, SMTP)
    conditions = policy.get("conditions")
    if not isinstance(conditions, Mapping):
        return
    yield location_outcome(people.tenant, conditions, ())
    yield from user_reach(people, conditions).outcomes
