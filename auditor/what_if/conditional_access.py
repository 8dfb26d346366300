"""Changes of Conditional Access policies. A policy is raw Graph JSON; only the property that a change is about is
written anew, and a value that is not of the kind that Graph documents is left alone, with an error.

https://learn.microsoft.com/graph/api/resources/conditionalaccesspolicy
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from auditor.errors import UsageError
from auditor.what_if.model import Change, Draft

DATASET = "conditionalAccessPolicies"
PolicyState = Literal["enabled", "disabled", "report-only"]
GRAPH_STATES: Mapping[str, str] = {
    "enabled": "enabled",
    "disabled": "disabled",
    "report-only": "enabledForReportingButNotEnforced",
}
MANAGED = "microsoft-managed:"
"""How Microsoft begins the names of the policies that it makes; they cannot be renamed."""

ExcludedKind = Literal["user", "group", "app"]
PLACES: Mapping[ExcludedKind, tuple[str, str]] = {
    "user": ("users", "excludeUsers"),
    "group": ("users", "excludeGroups"),
    "app": ("clientApplications", "excludeServicePrincipals"),
}
"""Where a policy lists whom it excludes: (condition, property)"""


@dataclass(frozen=True)
class Policy:
    """A policy of the tenant. `index`: its position in `Tenant.policies`; `word`: what names it on a command line, its
    name where no other policy has the same, else its id."""

    index: int
    name: str
    word: str


@dataclass(frozen=True)
class PolicySwitched(Change):
    """A policy is switched on, off or to report-only."""

    policy: Policy
    state: PolicyState

    @property
    def key(self) -> tuple[str, ...]:
        return "policy", str(self.policy.index)

    @property
    def option(self) -> tuple[str, ...]:
        return "--policy", f"{self.policy.word}={self.state}"

    @property
    def text(self) -> str:
        return f"Conditional Access policy '{self.policy.name}' is {self.state}"

    def apply(self, draft: Draft) -> None:
        _write(draft, self.policy.index, {"state": GRAPH_STATES[self.state]})


@dataclass(frozen=True)
class ReportOnlyEnforced(Change):
    """Every report-only policy acts, or (`managed`) only those that Microsoft made and will switch on by itself."""

    phase: ClassVar[int] = 1
    managed: bool

    @property
    def key(self) -> tuple[str, ...]:
        return ("enforce-managed",) if self.managed else ("enforce-report-only",)

    @property
    def option(self) -> tuple[str, ...]:
        return (f"--{self.key[0]}",)

    @property
    def text(self) -> str:
        return f"every {'Microsoft-managed' if self.managed else 'report-only'} policy that only reports is enabled"

    def apply(self, draft: Draft) -> None:
        draft.needs(DATASET)
        found = 0
        for index, policy in enumerate(draft.field("policies")):
            name = str(policy.get("displayName") or "").lower()
            if policy.get("state") == GRAPH_STATES["report-only"] and (not self.managed or name.startswith(MANAGED)):
                _write(draft, index, {"state": "enabled"})
                found += 1
        if not found:
            draft.note(f"no {'Microsoft-managed ' if self.managed else ''}policy only reports, so none is enforced")


@dataclass(frozen=True)
class Exclusion(Change):
    """A user, a group or an app (by its service principal) is excluded from a policy, or not any more.

    `excluded` False takes the exclusion away."""

    policy: Policy
    kind: ExcludedKind
    object_id: str
    label: str
    """how people and the command line call it"""
    excluded: bool = True

    @property
    def key(self) -> tuple[str, ...]:
        return "exclusion", str(self.policy.index), self.kind, self.object_id

    @property
    def option(self) -> tuple[str, ...]:
        return "--exclude" if self.excluded else "--unexclude", f"{self.policy.word}={self.label}"

    @property
    def text(self) -> str:
        end = "is excluded from" if self.excluded else "is no longer excluded from"
        return f"{self.kind} {self.label} {end} Conditional Access policy '{self.policy.name}'"

    def apply(self, draft: Draft) -> None:
        policy = draft.field("policies")[self.policy.index]
        section, name = PLACES[self.kind]
        conditions = policy.get("conditions")
        holder = conditions.get(section) if isinstance(conditions, Mapping) else None
        listed = excluded(policy, self.kind)
        if not isinstance(conditions, Mapping) or not isinstance(holder, Mapping) or listed is None:
            raise UsageError(
                f"policy `{self.policy.name}`: conditions.{section}.{name} was not read as Graph documents it, so that "
                "no exclusion can be judged.",
                remedy="Switch the policy as a whole (--policy), or collect again.",
            )
        kept = [one for one in listed if one.lower() != self.object_id]
        names = [*listed, self.object_id] if self.excluded and len(kept) == len(listed) else listed
        after = names if self.excluded else kept
        _write(draft, self.policy.index, {"conditions": {**conditions, section: {**holder, name: after}}})


def excluded(policy: Mapping[str, Any], kind: ExcludedKind) -> list[str] | None:
    """The ids that a policy excludes; None where the list is not what Graph documents."""
    section, name = PLACES[kind]
    conditions = policy.get("conditions")
    holder = conditions.get(section) if isinstance(conditions, Mapping) else None
    listed = holder.get(name) if isinstance(holder, Mapping) else None
    if listed is None:
        return [] if isinstance(holder, Mapping) else None
    return list(listed) if isinstance(listed, list) and all(isinstance(one, str) for one in listed) else None


@dataclass(frozen=True)
class BoundToPlace(Change):
    """A new policy blocks one account everywhere but at these addresses (CIDR ranges or single addresses)."""

    phase: ClassVar[int] = 3
    account_id: str
    account: str
    addresses: tuple[str, ...]

    @property
    def key(self) -> tuple[str, ...]:
        return "bind", self.account_id

    @property
    def option(self) -> tuple[str, ...]:
        return "--bind", f"{self.account}={','.join(self.addresses)}"

    @property
    def text(self) -> str:
        return f"a new Conditional Access policy blocks {self.account} everywhere but at {', '.join(self.addresses)}"

    def apply(self, draft: Draft) -> None:
        draft.needs(DATASET, "namedLocations")
        place = f"what-if-place-{self.account_id}"
        ranges = [{"cidrAddress": address} for address in self.addresses]
        location = {"@odata.type": "#microsoft.graph.ipNamedLocation", "id": place, "isTrusted": False}
        draft.put("named_locations", place, {**location, "displayName": place, "ipRanges": ranges})
        draft.append("policies", _block(
            f"(new) {self.account} only from its own place", {"includeUsers": [self.account_id]}, ["all"],
            {"includeLocations": ["All"], "excludeLocations": [place]},
        ))  # fmt: skip


@dataclass(frozen=True)
class LegacyBlocked(Change):
    """A new policy blocks legacy authentication (client apps `exchangeActiveSync` and `other`) for everybody but the
    accounts named, given as (id, name)."""

    phase: ClassVar[int] = 3
    but: tuple[tuple[str, str], ...]

    @property
    def key(self) -> tuple[str, ...]:
        return ("block-legacy",)

    @property
    def option(self) -> tuple[str, ...]:
        return "--block-legacy-except", ",".join(name for _, name in self.but) or "nobody"

    @property
    def text(self) -> str:
        names = ", ".join(name for _, name in self.but)
        return f"a new Conditional Access policy blocks legacy authentication for everybody{names and f' but {names}'}"

    def apply(self, draft: Draft) -> None:
        draft.needs(DATASET)
        users = {"includeUsers": ["All"], "excludeUsers": [account_id for account_id, _ in self.but]}
        draft.append("policies", _block("(new) Block legacy authentication", users, ["exchangeActiveSync", "other"]))


def _block(name: str, users: Mapping[str, Any], clients: list[str], locations: Any = None) -> Mapping[str, Any]:
    return {
        "id": f"what-if-{name}",
        "displayName": name,
        "state": "enabled",
        "conditions": {
            "applications": {"includeApplications": ["All"]},
            "clientAppTypes": clients,
            "users": users,
            "locations": locations,
        },
        "grantControls": {"operator": "OR", "builtInControls": ["block"]},
    }


def _write(draft: Draft, index: int, properties: Mapping[str, Any]) -> None:
    policies = list(draft.field("policies"))
    policies[index] = {**policies[index], **properties}
    draft.set_field("policies", policies)
