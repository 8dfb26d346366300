"""Tenants for the blockers' tests: hand-made ones of a few accounts, and the demo's company as a snapshot on disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from auditor.blockers import BLOCKERS, BY_ID
from auditor.blockers.base import Cases
from auditor.config import Sender
from auditor.demo.tenant import generate
from auditor.load import load
from auditor.snapshot import Snapshot
from auditor.states import Reason, State
from auditor.tenant import DatasetStatus, Tenant

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)

E3 = "05e9a617-0261-4cee-bb44-138d3ef5d965"
PLAN_2 = "efb87545-963c-4e0d-99df-69c6916d9eb0"


def user(name: str, **changes: Any) -> dict[str, Any]:
    """A licensed member that Graph returns whole; `changes` replace properties."""
    return {
        "id": f"id-{name}-1",
        "userPrincipalName": f"{name}@contoso.example",
        "displayName": name.title(),
        "mail": f"{name}@contoso.example",
        "proxyAddresses": [f"SMTP:{name}@contoso.example", f"smtp:{name}.alias@contoso.example"],
        "accountEnabled": True,
        "userType": "Member",
        "creationType": None,
        "externalUserState": None,
        "onPremisesSyncEnabled": None,
        "passwordPolicies": None,
        "lastPasswordChangeDateTime": "2026-11-01T00:00:00Z",
        "createdDateTime": "2024-01-01T00:00:00Z",
        "isResourceAccount": None,
        "usageLocation": "CH",
        "assignedLicenses": [{"skuId": E3, "disabledPlans": []}],
        "assignedPlans": [
            {"assignedDateTime": "2024-01-01T00:00:00Z", "capabilityStatus": "Enabled", "service": "exchange",
             "servicePlanId": PLAN_2}
        ],
        "licenseAssignmentStates": [{"skuId": E3, "state": "Active", "error": "None", "disabledPlans": [],
                                     "assignedByGroup": None}],
    } | changes  # fmt: skip


SKU = {
    "id": f"tenant_{E3}",
    "skuId": E3,
    "skuPartNumber": "SPE_E3",
    "capabilityStatus": "Enabled",
    "appliesTo": "User",
    "servicePlans": [{"servicePlanId": PLAN_2, "servicePlanName": "EXCHANGE_S_ENTERPRISE", "appliesTo": "User",
                      "provisioningStatus": "Success"}],
}  # fmt: skip

Records = Mapping[str, list[dict[str, Any]]]


def base(*names: str) -> dict[str, list[dict[str, Any]]]:
    """A tenant in which nothing stands in the way of the named accounts. Tests change one thing of it."""
    people = [user(name) for name in names or ("ann",)]
    return {
        "organization": [{"id": "tenant-1", "displayName": "Contoso"}],
        "users": people,
        "subscribedSkus": [SKU],
        "domains": [{"id": "contoso.example", "authenticationType": "Managed", "isRoot": True,
                     "passwordValidityPeriodInDays": 2147483647}],
        "identitySecurityDefaultsEnforcementPolicy": [{"id": "5", "isEnabled": False}],
        "conditionalAccessPolicies": [],
        "namedLocations": [],
        "authenticationStrengthPolicies": [],
        "roleDefinitions": [],
        "roleAssignments": [],
        "groups": [],
        "groupMembers": [],
        "perUserMfa": [{"id": person["id"], "perUserMfaState": "disabled"} for person in people],
        "mailboxUsage": [{"userPrincipalName": person["userPrincipalName"], "isDeleted": False,
                          "recipientType": "User"} for person in people],
        "mailboxes": [{"ExternalDirectoryObjectId": person["id"], "RecipientTypeDetails": "UserMailbox",
                       "Guid": f"guid-{person['id']}"} for person in people],
        "exchangeUsers": [{"ExternalDirectoryObjectId": person["id"], "RecipientTypeDetails": "UserMailbox",
                           "AuthenticationPolicy": None} for person in people],
        "casMailboxes": [{"ExternalDirectoryObjectId": person["id"], "SmtpClientAuthenticationDisabled": None}
                         for person in people],
        "transportConfig": [{"SmtpClientAuthenticationDisabled": False, "AllowLegacyTLSClients": False}],
        "organizationConfig": [{"DefaultAuthenticationPolicy": None, "SendFromAliasEnabled": False,
                                "RejectDirectSend": False}],
        "authenticationPolicies": [{"Name": "Strict", "Guid": "guid-strict-1", "AllowBasicAuthSmtp": False},
                                   {"Name": "Lenient", "Guid": "guid-lenient-1", "AllowBasicAuthSmtp": True}],
        "recipientPermissions": [],
        "mailboxPermissions": [],
        "servicePrincipals": [],
        "appRoleAssignments": [],
        "oauth2PermissionGrants": [],
        "exchangeServicePrincipals": [],
        "managementRoleAssignments": [],
        "managementScopes": [],
    }  # fmt: skip


def sender(**changes: Any) -> Sender:
    return msgspec.convert({"name": "printer", "account": "ann@contoso.example"} | changes, Sender)


Make = Callable[..., Tenant]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Records → snapshot folder → Tenant. `without`: datasets that were not asked for."""

    def made(records: Records, *, without: tuple[str, ...] = (), now: datetime = NOW, cloud: str = "public") -> Tenant:
        folder = tmp_path / f"snapshot-{len(list(tmp_path.iterdir()))}"
        write(folder, {name: lines for name, lines in records.items() if name not in without})
        return load(Snapshot.open(folder), now=now, cloud=cloud)

    return made


def write(folder: Path, records: Records) -> None:
    folder.mkdir()
    for name, lines in records.items():
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")


def reason(tenant: Tenant, blocker: str, settings: Sender | None = None, row: int = 0) -> Reason:
    """What a blocker says for the account of this row, or for the declared sender."""
    cases = Cases.of(tenant, [settings] if settings else [])
    return BY_ID[blocker].judge(tenant, cases).reason(len(cases) - 1 if settings else row)


def states(tenant: Tenant, senders: list[Sender]) -> dict[str, list[str]]:
    """Blocker id → the state's word of every case."""
    cases = Cases.of(tenant, senders)
    return {
        blocker.id: [State(code).word for code in blocker.judge(tenant, cases).states.tolist()] for blocker in BLOCKERS
    }


@dataclass(frozen=True)
class _Without(Snapshot):
    """A snapshot without the lines of one dataset."""

    lost: str = ""

    def chunks(self, dataset: str) -> Iterator[bytes]:
        return iter(()) if dataset == self.lost else super().chunks(dataset)


class Demo:
    """The demo's company of one scenario and quarter, as the collection would leave it on disk."""

    def __init__(self, folder: Path, scenario: str, quarter: int = 1, accounts: int = 150) -> None:
        self.company = generate(accounts=accounts, scenario=scenario, quarter=quarter)
        self.records = _records(self.company)
        self.folder = folder
        self.senders = [msgspec.convert(entry, Sender) for entry in self.company.senders]
        write(folder, self.records)

    def tenant(self, lost: str = "", how: str = "not-asked") -> Tenant:
        """`lost`: a dataset that is not there; `how` its reading ended (`cut` leaves what was read)."""
        snapshot = Snapshot.open(self.folder)
        if lost:
            status = {**snapshot.status, lost: DatasetStatus(lost, how)}
            snapshot = _Without(**{**vars(snapshot), "status": status}, lost="" if how == "cut" else lost)
        return load(snapshot, now=self.company.now, tenant_id=self.company.tenant_id)

    def row(self, tenant: Tenant, key: str) -> int:
        row = tenant.find(key)
        return row if row >= 0 else next(
            index for index, upn in enumerate(tenant.accounts.user_principal_name) if upn.partition("@")[0] == key
        )  # fmt: skip


def _records(company: Any) -> dict[str, list[dict[str, Any]]]:
    records = {name: value if isinstance(value, list) else [value] for name, value in company.graph.items()}
    records["perUserMfa"] = [{"id": key, "perUserMfaState": value} for key, value in company.per_user_mfa.items()]
    records["groupMembers"] = [
        {"groupId": group["id"], "id": member}
        for group in records["groups"]
        for member in sorted(_transitive(company, group["id"]))
    ]
    known = {group["id"] for group in records["groups"]}
    gone = {group for policy in records["conditionalAccessPolicies"] for key in ("includeGroups", "excludeGroups")
            for group in policy["conditions"]["users"][key]} - known  # fmt: skip
    records["groups"] += [{"id": group, "error": "Request_ResourceNotFound"} for group in sorted(gone)]
    for name in ("signIns", "directoryAudits", "emailAppUsage", "userRegistrationDetails"):
        records.pop(name, None)
    if company.smtp_replies:
        records["smtpReplies"] = company.smtp_replies
    if company.exchange_mode != "none":
        records.update(company.exchange)
    return records


def _transitive(company: Any, group: str, seen: frozenset[str] = frozenset()) -> set[str]:
    found: set[str] = set()
    for member in company.group_members.get(group, ()):
        if member in company.group_members and member not in seen:
            found |= _transitive(company, member, seen | {group})
        elif member not in company.group_members:
            found.add(member)
    return found


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Demo]:
    """The demo's company by scenario and quarter, each written once."""
    made: dict[tuple[str, int], Demo] = {}

    def of(scenario: str = "default", quarter: int = 1) -> Demo:
        if (scenario, quarter) not in made:
            made[scenario, quarter] = Demo(tmp_path_factory.mktemp("demo") / "snapshot", scenario, quarter)
        return made[scenario, quarter]

    return of


@pytest.fixture
def tools() -> SimpleNamespace:
    """The builders of this file, for the tests beside it."""
    return SimpleNamespace(base=base, user=user, sender=sender, reason=reason, states=states, NOW=NOW)


@pytest.fixture
def says(make: Make) -> Callable[..., str]:
    """The state's word that a blocker gives for account ann, or for a sender on her, in a changed base tenant.

    `change` gets the records and changes them in place."""

    def judged(
        blocker: str,
        change: Callable[[dict[str, list[dict[str, Any]]]], object] = lambda records: None,
        *,
        settings: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> str:
        records = base("ann", "bob")
        change(records)
        declared = None if settings is None else sender(**settings)
        return reason(make(records, **options), blocker, declared).state.word

    return judged
