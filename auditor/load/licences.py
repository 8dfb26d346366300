"""Which mailbox plan an account's licences give, by service plan id.

For each assigned SKU: its mailbox plans in `subscribedSkus`, less those switched off in the assignment, less SKUs whose
every assignment is in error; what remains is `enabled`, `pending` or gone as `assignedPlans` says. The best SKU wins,
so an error or a switched-off plan counts only where no other SKU supplies one. Without a complete `subscribedSkus`
every account is `unread`: nobody knows then which plans an assigned SKU holds.

Sources: https://learn.microsoft.com/graph/api/resources/assignedplan,
https://learn.microsoft.com/graph/api/resources/licenseassignmentstate.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from auditor.load.plans import MAILBOX_PLANS, OTHER_EXCHANGE_PLANS, UNVERIFIED_SKUS
from auditor.load.shapes import Id
from auditor.load.source import Source
from auditor.tenant import NO, UNREAD, YES

_MAILBOX = frozenset(MAILBOX_PLANS)


class AssignedPlan(msgspec.Struct, frozen=True, gc=False):
    servicePlanId: Id  # noqa: N815 - Graph's own names, here and below
    service: str | None = None
    capabilityStatus: str | None = None  # noqa: N815


class AssignedLicence(msgspec.Struct, frozen=True, gc=False):
    skuId: str  # noqa: N815
    disabledPlans: tuple[str, ...] = ()  # noqa: N815


class AssignmentState(msgspec.Struct, frozen=True, gc=False):
    skuId: Id  # noqa: N815
    state: str | None = None
    error: str | None = None


class _ServicePlan(msgspec.Struct, gc=False):
    servicePlanId: Id  # noqa: N815
    servicePlanName: str | None = None  # noqa: N815


class _Sku(msgspec.Struct, gc=False):
    skuId: str | UnsetType = UNSET  # noqa: N815
    skuPartNumber: str | UnsetType | None = UNSET  # noqa: N815
    servicePlans: list[_ServicePlan] | UnsetType = UNSET  # noqa: N815


class Skus:
    """`subscribedSkus`: the name of each SKU, and its mailbox plans (None where its plans could not be read)."""

    def __init__(self, names: dict[str, str], plans: dict[str, frozenset[str] | None], complete: bool) -> None:
        self.names = names
        self.plans = plans
        self.complete = complete

    def name(self, sku: str) -> str:
        return self.names.get(sku, sku)


def read_skus(source: Source) -> Skus:
    names: dict[str, str] = {}
    plans: dict[str, frozenset[str] | None] = {}
    if not source.complete("subscribedSkus"):
        return Skus(names, plans, complete=False)
    for sku, bad, place in source.decoded("subscribedSkus", _Sku):
        if sku.skuId is UNSET:
            if "skuId" not in bad:
                source.problems.add("subscribedSkus", place, "skuId", "missing: the SKU is left out")
            continue
        sku_id = sku.skuId.lower()
        if isinstance(sku.skuPartNumber, str):
            names.setdefault(sku_id, sku.skuPartNumber)
        found: frozenset[str] | None = None
        if sku.servicePlans is not UNSET:
            found = frozenset(plan.servicePlanId.lower() for plan in sku.servicePlans) & _MAILBOX
        elif "servicePlans" not in bad:
            source.problems.missing("subscribedSkus", sku_id, "servicePlans")
        if plans.setdefault(sku_id, found) != found:
            source.problems.add("subscribedSkus", sku_id, "servicePlans", "stands twice with different plans")
            plans[sku_id] = None
    source.distinct["subscribedSkus"] = len(plans)
    return Skus(names, plans, complete=True)


Licences = tuple[AssignedLicence, ...] | None | UnsetType
Plans = tuple[AssignedPlan, ...] | None | UnsetType
States = tuple[AssignmentState, ...] | None | UnsetType


def exchange_plans(plans: Plans) -> Plans:
    """Only those of service exchange or with a mailbox plan's id: two or three of the some fifty plans of a licence.

    Graph writes both in lower case; capitals are taken too."""
    if not isinstance(plans, tuple):
        return plans
    return tuple([plan for plan in plans if plan.service in _EXCHANGE or plan.servicePlanId in _MAILBOX_SPELLINGS])


_EXCHANGE = frozenset({"exchange", "Exchange", "EXCHANGE", "", None})
"""Of a plan without a service nobody knows that it is another's."""
_MAILBOX_SPELLINGS = _MAILBOX | {plan.upper() for plan in _MAILBOX}


def ever_had_mailbox_plan(plans: Plans) -> int:
    """YES where `assignedPlans` (`exchange_plans` of it) names a mailbox plan in any status, or a plan of service
    exchange that is not known to be without a mailbox; NO only where it was read and names none."""
    if not isinstance(plans, tuple):
        return UNREAD
    ids = {plan.servicePlanId.lower() for plan in plans}
    return YES if ids - OTHER_EXCHANGE_PLANS.keys() else NO


class Entitlement(NamedTuple):
    """`mailbox_plan`, `mailbox_plan_note` and `ever_had_mailbox_plan` as in `Accounts`."""

    plan: str
    note: str
    ever: int


class Entitlements:
    """Judges licences. The same ones are judged once, so that 100,000 accounts share a few answers."""

    def __init__(self, skus: Skus) -> None:
        self._skus = skus
        self._known: dict[tuple[Licences, Plans, States], Entitlement] = {}
        self._last: dict[Licences, tuple[Plans, States, Entitlement]] = {}

    def judge(self, licences: Licences, plans: Plans, states: States) -> Entitlement:
        """assignedLicenses, assignedPlans, licenseAssignmentStates (None where they are malformed, so that any
        assignment may be in error) → Entitlement."""
        # some fifty plans are compared in a fraction of the time in which they are hashed or picked out
        last = self._last.get(licences)
        if last is not None and last[0] == plans and last[1] == states:
            return last[2]
        key = licences, exchange_plans(plans), states
        if key not in self._known:
            self._known[key] = Entitlement(*self._mailbox_plan(*key), ever_had_mailbox_plan(key[1]))
        self._last[licences] = plans, states, self._known[key]
        return self._known[key]

    def _mailbox_plan(self, licences: Licences, plans: Plans, states: States) -> tuple[str, str]:
        if not self._skus.complete:
            return "unread", "subscribedSkus was not read, so the plans of a licence are not known"
        if not isinstance(licences, tuple):
            return "unread", "assignedLicenses was not read"
        if licences and states is None:
            return "unread", "licenseAssignmentStates was not read"
        assigned = tuple(
            (licence.skuId.lower(), frozenset(map(str.lower, licence.disabledPlans)) & _MAILBOX) for licence in licences
        )
        status = None if not isinstance(plans, tuple) else frozenset(_statuses(plans))
        errors = None if not isinstance(states, tuple) else _errors(states)
        return self._best(assigned, status, errors)

    def _best(
        self,
        assigned: tuple[tuple[str, frozenset[str]], ...],
        status: frozenset[tuple[str, str]] | None,
        errors: frozenset[tuple[str, str]] | None,
    ) -> tuple[str, str]:
        answers = [
            answer for sku, disabled in sorted(assigned) for answer in self._of_sku(sku, disabled, status, errors)
        ]
        named = {sku for sku, _ in assigned}
        answers += [
            ("none", f"{self._skus.name(sku)}: the assignment is in error ({error})")
            for sku, error in sorted(errors or ())
            if sku not in named and not error.startswith(_UNKNOWN_STATE) and self._skus.plans.get(sku) != frozenset()
        ]
        for wanted in ("enabled", "unread", "unverified", "pending", "none"):
            notes = [note for state, note in answers if state == wanted]
            if notes:
                return wanted, "; ".join(dict.fromkeys(notes))
        if not assigned:
            return "none", "no licence is assigned"
        return "none", f"no mailbox plan in {', '.join(sorted(self._skus.name(sku) for sku in named))}"

    def _of_sku(
        self,
        sku: str,
        disabled: frozenset[str],
        status: frozenset[tuple[str, str]] | None,
        errors: frozenset[tuple[str, str]] | None,
    ) -> Iterator[tuple[str, str]]:
        """One answer per mailbox plan of one assigned SKU; none where it holds no mailbox plan."""
        name = self._skus.name(sku)
        offered = self._skus.plans.get(sku)
        if offered is None:
            yield "unread", f"{name}: its plans are not in subscribedSkus"
            return
        for plan in sorted(offered):
            full = f"{name}: {MAILBOX_PLANS[plan]}"
            error = dict(errors or ()).get(sku)
            if plan in disabled:
                yield "none", f"{full} is switched off in the assignment"
            elif error is not None and error.startswith(_UNKNOWN_STATE):
                yield "unread", f"{full}: {error}"
            elif error is not None:
                yield "none", f"{full}: the assignment is in error ({error})"
            elif sku in UNVERIFIED_SKUS:
                yield "unverified", f"{full}: whether this product gives a mailbox is not verified"
            else:
                yield _by_status(full, plan, status, errors_read=errors is not None)


_UNKNOWN_STATUS = "unknown capabilityStatus"
_UNKNOWN_STATE = "unknown assignment state"


def unknown_status(entitlement: Entitlement) -> str:
    """What is told of assignedPlans; empty where all of it is known."""
    return entitlement.note if entitlement.note.startswith(_UNKNOWN_STATUS) else ""


def unknown_state(entitlement: Entitlement) -> str:
    """What is told of licenseAssignmentStates; empty where all of it is known."""
    told = _UNKNOWN_STATE in entitlement.note and not unknown_status(entitlement)
    return entitlement.note if told else ""


def _by_status(
    full: str, plan: str, status: frozenset[tuple[str, str]] | None, *, errors_read: bool
) -> tuple[str, str]:
    if status is None:
        return "unread", f"{full}: assignedPlans was not read, so its status is not known"
    words = {word for plan_id, word in status if plan_id == plan}
    if words & {"enabled", "warning"}:
        return "enabled", full
    if words - {"suspended", "deleted", "lockedout"}:
        return "unread", f"{_UNKNOWN_STATUS} `{min(words)}` of {full}"
    if not words and not errors_read:
        return "unread", f"{full}: not in assignedPlans, and licenseAssignmentStates was not read"
    if not words:
        return "pending", f"{full} is assigned and not yet provisioned"
    if "suspended" in words:
        return "pending", f"{full} is suspended"
    return "none", f"{full} is {'deleted' if 'deleted' in words else 'locked out'}"


def _statuses(plans: tuple[AssignedPlan, ...]) -> Iterator[tuple[str, str]]:
    """(plan id, status) of the mailbox plans, in lower case."""
    for plan in plans:
        plan_id = plan.servicePlanId.lower()
        if plan_id in _MAILBOX:
            yield plan_id, (plan.capabilityStatus or "missing").lower()


def _errors(states: tuple[AssignmentState, ...]) -> frozenset[tuple[str, str]]:
    """(SKU, error) of the SKUs none of whose assignments is active; an unknown state weighs more than an error."""
    failed: dict[str, str] = {}
    active = set()
    for state in states:
        sku, word = state.skuId.lower(), (state.state or "").lower()
        if word in {"active", "activewitherror"}:
            active.add(sku)
        elif word not in {"error", "disabled"}:
            failed[sku] = f"{_UNKNOWN_STATE} `{state.state or 'missing'}`"
        elif not failed.get(sku, "").startswith(_UNKNOWN_STATE):
            error = state.error if state.error and state.error != "None" else state.state
            failed[sku] = min(failed.get(sku, error or ""), error or "")
    return frozenset((sku, error) for sku, error in failed.items() if sku not in active)
