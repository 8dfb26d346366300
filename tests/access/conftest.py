"""Small tenants for Conditional Access, built by hand, and the naive oracle beside this file."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import numpy as np
import pytest

from auditor.access import judge
from auditor.blockers.base import Cases
from auditor.catalogue import CATALOGUE
from auditor.config import Sender
from auditor.states import Reason
from auditor.tenant import NO, UNREAD, YES, Accounts, DatasetStatus, Group, Tenant

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)


@dataclass(frozen=True)
class Person:
    """`external`: None where it was not read. `unsure_roles`: roles that the account may hold beside `roles`."""

    id: str
    roles: frozenset[str] = frozenset()
    unsure: bool = False
    external: bool | None = False
    kinds: frozenset[str] = frozenset()


@dataclass(frozen=True)
class World:
    """Everything that Conditional Access reads, in plain Python: the oracle uses this, the engine the Tenant of it."""

    people: tuple[Person, ...] = (Person("a1"),)
    policies: tuple[Any, ...] = ()
    groups: Mapping[str, tuple[str, frozenset[str]]] = field(default_factory=dict)
    """id → (read, deleted or unreadable; member ids)"""
    role_definitions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    uncertain_roles: frozenset[str] = frozenset()
    locations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    strengths: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()
    """datasets that were not read"""

    def tenant(self) -> Tenant:
        status = {
            dataset.name: DatasetStatus(dataset.name, "denied" if dataset.name in self.missing else "complete")
            for dataset in CATALOGUE
        }
        rows = {person.id: row for row, person in enumerate(self.people)}
        return Tenant(
            tenant_id="tenant-1",
            name="Contoso",
            cloud="public",
            now=NOW,
            status=status,
            accounts=_accounts(self.people),
            row_of=rows,
            row_of_address={f"{key}@contoso.example": row for key, row in rows.items()},
            policies=self.policies,
            named_locations=self.locations,
            authentication_strengths=self.strengths,
            role_definitions=self.role_definitions,
            uncertain_roles=dict.fromkeys(
                self.uncertain_roles, np.array([person.unsure for person in self.people], dtype=np.bool_)
            ),
            groups={
                key: Group(key, key.upper(), state, np.array(sorted(rows[one] for one in members), dtype=np.int32))
                for key, (state, members) in self.groups.items()
            },
        )


def _accounts(people: Sequence[Person]) -> Accounts:
    size = len(people)
    words = [""] * size
    unread = np.full(size, UNREAD, dtype=np.int8)
    external = {True: YES, False: NO, None: UNREAD}
    return Accounts(
        id=[person.id for person in people],
        user_principal_name=[f"{person.id}@contoso.example" for person in people],
        display_name=[person.id.title() for person in people],
        addresses=[(f"{person.id}@contoso.example",) for person in people],
        kind=["user"] * size,
        user_type=["member"] * size,
        is_external=np.array([external[person.external] for person in people], dtype=np.int8),
        external_kinds=[person.kinds for person in people],
        enabled=np.full(size, YES, dtype=np.int8),
        synced=unread,
        created=words,
        password_changed=words,
        password_age_days=np.full(size, np.nan),
        password_never_expires=unread,
        domain=["contoso.example"] * size,
        is_admin=unread,
        roles=[person.roles for person in people],
        roles_uncertain=np.array([person.unsure for person in people], dtype=np.bool_),
        mailbox_plan=["enabled"] * size,
        mailbox_plan_note=words,
        ever_had_mailbox_plan=unread,
        mailbox=words,
        mailbox_usage=words,
        exchange_user=words,
        smtp_auth_disabled=unread,
        authentication_policy=words,
        per_user_mfa=["unknown"] * size,
        mfa_registered=unread,
        methods=[()] * size,
        methods_as_of=words,
        smtp_last_success=words,
        smtp_last_failure=words,
        smtp_failure_codes=[()] * size,
        smtp_app_used=unread,
    )


EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"


def policy(**patch: Any) -> dict[str, Any]:
    """A policy that reaches everybody and blocks, as Graph returns it whole; `patch` replaces parts of it: of the
    policy, of its conditions (`conditions={…}`), or of `users` and `applications` inside them."""
    conditions: dict[str, Any] = {
        "clientAppTypes": ["all"],
        "applications": {"includeApplications": ["All"], "excludeApplications": [], "includeUserActions": [],
                         "includeAuthenticationContextClassReferences": [], "applicationFilter": None},
        "users": {"includeUsers": ["All"], "excludeUsers": [], "includeGroups": [], "excludeGroups": [],
                  "includeRoles": [], "excludeRoles": [], "includeGuestsOrExternalUsers": None,
                  "excludeGuestsOrExternalUsers": None},
        "locations": None, "platforms": None, "devices": None, "clientApplications": None, "authenticationFlows": None,
        "signInRiskLevels": [], "userRiskLevels": [], "servicePrincipalRiskLevels": [], "insiderRiskLevels": None,
    }  # fmt: skip
    for key in ("users", "applications"):
        if key in patch:
            conditions[key] = conditions[key] | patch.pop(key)
    conditions |= patch.pop("conditions", {})
    return {
        "id": "policy-1",
        "displayName": "Base",
        "state": "enabled",
        "templateId": None,
        "conditions": conditions,
        "grantControls": {"operator": "OR", "builtInControls": ["block"], "customAuthenticationFactors": [],
                          "termsOfUse": [], "authenticationStrength": None},
        "sessionControls": None,
    } | patch  # fmt: skip


def sender(account: str = "a1", **changes: Any) -> Sender:
    return msgspec.convert({"name": "printer", "account": f"{account}@contoso.example"} | changes, Sender)


def reason_of(world: World, *, ips: Sequence[str] = (), row: int = 0) -> Reason:
    """What the blocker says for one account; with addresses, for a sender that declares them."""
    tenant = world.tenant()
    senders = [sender(world.people[row].id, egress_ips=list(ips))] if ips else []
    cases = Cases.of(tenant, senders)
    return judge(tenant, cases).reason(len(cases) - 1 if ips else row)


@pytest.fixture(scope="session")
def oracle() -> ModuleType:
    """The oracle is no test module, so it is loaded by its path."""
    spec = importlib.util.spec_from_file_location("conditional_access_oracle", Path(__file__).with_name("oracle.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


State = Callable[..., str]


@pytest.fixture
def state() -> State:
    """The state's word for a world of one base policy with one patch."""

    def judged(patch: Mapping[str, Any], *, ips: Sequence[str] = (), **world: Any) -> str:
        return reason_of(World(policies=(policy(**patch),), **world), ips=ips).state.word

    return judged


@pytest.fixture
def build() -> Mapping[str, Any]:
    """The builders of this file, for tests that need more than `state`."""
    return {"World": World, "Person": Person, "policy": policy, "sender": sender, "reason_of": reason_of}
