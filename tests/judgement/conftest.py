"""Hand-made snapshot folders and the generator's tenants, judged: what the tests of this room start from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from auditor.catalogue import CATALOGUE
from auditor.config import Config, Sender
from auditor.demo.model import DemoTenant
from auditor.demo.tenant import generate
from auditor.evaluate import Evaluation, Previous, evaluate
from auditor.findings.base import Finding
from auditor.snapshot import Snapshot

Json = dict[str, Any]

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
TENANT = "11111111-1111-1111-1111-111111111111"
E3 = "6fd2c87f-b296-42f0-b197-1e91e994b900"
ENTERPRISE = "efb87545-963c-4e0d-99df-69c6916d9eb0"
GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10"


def stamp(days: float = 0) -> str:
    """A time so many days before NOW."""
    return (NOW - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


class World:
    """A small tenant in which everything was read and nothing refuses SMTP but what a test adds. `add` makes an
    account with a mailbox; `judge` writes the folder and evaluates it."""

    now = NOW
    tenant_id = TENANT

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = 0
        self.states: dict[str, Json] = {}
        """datasets that were not read whole: name → manifest entry"""
        self.data: dict[str, list[Json]] = {dataset.name: [] for dataset in CATALOGUE if dataset.service != "brought"}
        self.data["organization"] = [{"id": TENANT, "displayName": "Contoso"}]
        self.data["domains"] = [
            {"id": "contoso.example", "authenticationType": "Managed", "passwordValidityPeriodInDays": 2147483647}
        ]
        self.data["subscribedSkus"] = [
            {
                "skuId": E3,
                "skuPartNumber": "ENTERPRISEPACK",
                "servicePlans": [{"servicePlanId": ENTERPRISE, "servicePlanName": "EXCHANGE_S_ENTERPRISE"}],
            }
        ]
        self.data["identitySecurityDefaultsEnforcementPolicy"] = [{"id": "0", "isEnabled": False}]
        self.data["authenticationMethodsPolicy"] = [{"id": "authenticationMethodsPolicy"}]
        self.data["roleDefinitions"] = [
            {
                "id": GLOBAL_ADMINISTRATOR,
                "templateId": GLOBAL_ADMINISTRATOR,
                "displayName": "Global Administrator",
                "isBuiltIn": True,
                "isEnabled": True,
            }
        ]
        self.data["transportConfig"] = [{"SmtpClientAuthenticationDisabled": True, "AllowLegacyTLSClients": False}]
        self.data["organizationConfig"] = [
            {"DefaultAuthenticationPolicy": None, "SendFromAliasEnabled": False, "RejectDirectSend": False}
        ]
        self.data["authenticationPolicies"] = [
            {"Name": "Refuse", "Identity": "Refuse", "Guid": "g1", "AllowBasicAuthSmtp": False},
            {"Name": "Allow", "Identity": "Allow", "Guid": "g2", "AllowBasicAuthSmtp": True},
        ]
        self.data["acceptedDomains"] = [{"DomainName": "contoso.example", "DomainType": "Authoritative"}]
        self.add("bystander", switch=True)
        """keeps the columns of Exchange alive: a property that is in no object counts as unread"""

    def add(
        self,
        name: str,
        *,
        switch: bool | None = None,
        policy: str | None = None,
        mailbox: str | None = "UserMailbox",
        mfa: str = "disabled",
        registered: bool | None = True,
        methods: tuple[str, ...] = (),
        licensed: bool = True,
        admin: bool = False,
        smtp_app: bool = False,
        **graph: Any,
    ) -> str:
        """An account `name`@contoso.example; `switch` is the mailbox's SmtpClientAuthenticationDisabled."""
        upn = f"{name}@contoso.example"
        self.data["users"].append(
            {
                "id": f"id-{name}",
                "userPrincipalName": upn,
                "displayName": name,
                "mail": upn,
                "proxyAddresses": [f"SMTP:{upn}"],
                "accountEnabled": True,
                "userType": "Member",
                "creationType": None,
                "externalUserState": None,
                "onPremisesSyncEnabled": None,
                "passwordPolicies": None,
                "lastPasswordChangeDateTime": stamp(10),
                "createdDateTime": stamp(900),
                "isResourceAccount": None,
                "usageLocation": "CH",
                "assignedLicenses": [{"skuId": E3, "disabledPlans": []}] if licensed else [],
                "assignedPlans": [{"servicePlanId": ENTERPRISE, "service": "exchange", "capabilityStatus": "Enabled"}]
                if licensed
                else [],
                "licenseAssignmentStates": [{"skuId": E3, "state": "Active", "error": "None", "disabledPlans": []}]
                if licensed
                else [],
                **graph,
            }
        )
        key = {"ExternalDirectoryObjectId": f"id-{name}", "PrimarySmtpAddress": upn}
        if mailbox:
            self.data["mailboxes"].append({**key, "UserPrincipalName": upn, "RecipientTypeDetails": mailbox})
            self.data["casMailboxes"].append({**key, "SmtpClientAuthenticationDisabled": switch})
        self.data["exchangeUsers"].append(
            {
                **key,
                "UserPrincipalName": upn,
                "RecipientTypeDetails": mailbox or "User",
                "AuthenticationPolicy": policy,
            }
        )
        self.data["perUserMfa"].append({"id": f"id-{name}", "perUserMfaState": mfa})
        if registered is not None:
            self.data["userRegistrationDetails"].append(
                {
                    "id": f"id-{name}",
                    "isMfaRegistered": registered,
                    "methodsRegistered": list(methods),
                    "lastUpdatedDateTime": stamp(1),
                }
            )
        self.data["emailAppUsage"].append({"User Principal Name": upn, "SMTP App": "Yes" if smtp_app else ""})
        if admin:
            self.data["roleAssignments"].append(
                {"principalId": f"id-{name}", "roleDefinitionId": GLOBAL_ADMINISTRATOR, "directoryScopeId": "/"}
            )
        return upn

    def policy(
        self,
        name: str,
        *,
        users: Json | None = None,
        state: str = "enabled",
        grant: tuple[str, ...] = ("block",),
        changed: float = 100,
        **conditions: Any,
    ) -> None:
        """A Conditional Access policy for all apps and clients, for everybody where `users` names nobody."""
        self.data["conditionalAccessPolicies"].append(
            {
                "id": f"ca-{name}",
                "displayName": name,
                "state": state,
                "createdDateTime": stamp(changed),
                "modifiedDateTime": stamp(changed),
                "conditions": {
                    "clientAppTypes": ["all"],
                    "applications": {"includeApplications": ["All"]},
                    "users": {"includeUsers": ["All"], **(users or {})},
                    **conditions,
                },
                "grantControls": {"operator": "OR", "builtInControls": list(grant)},
            }
        )

    def group(self, name: str, *members: str) -> None:
        self.data["groups"].append({"id": f"group-{name}", "displayName": name, "visibility": None})
        self.data["groupMembers"] += [{"groupId": f"group-{name}", "id": f"id-{member}"} for member in members]

    def sign_in(
        self, name: str, code: int = 0, *, days: float = 1, ip: str = "203.0.113.10", policies: tuple[Json, ...] = ()
    ) -> None:
        self.data["signIns"].append(
            {
                "id": f"sign-in-{len(self.data['signIns'])}",
                "createdDateTime": stamp(days),
                "userId": f"id-{name}",
                "userPrincipalName": f"{name}@contoso.example",
                "clientAppUsed": "Authenticated SMTP",
                "ipAddress": ip,
                "status": {"errorCode": code, "failureReason": "as it was told"},
                "appliedConditionalAccessPolicies": list(policies),
            }
        )

    def lose(self, dataset: str, state: str = "denied", permission: str = "Some.Permission") -> None:
        """Reading the dataset ended otherwise than complete."""
        self.states[dataset] = {"state": state, "reason": "taken away", "permission": permission, "records": 0}

    def write(self) -> Snapshot:
        self.runs += 1
        folder = self.folder / str(self.runs)
        folder.mkdir(parents=True)
        entries = {}
        for name, records in self.data.items():
            entries[name] = self.states.get(name, {"state": "complete", "records": len(records)})
            if entries[name]["state"] == "complete":
                (folder / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
        manifest = {"tenant_id": TENANT, "cloud": "public", "ended": stamp(), "datasets": entries}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return Snapshot.open(folder)

    def judge(
        self, *senders: Sender, now: datetime = NOW, previous: Previous | None = None, **config: Any
    ) -> Evaluation:
        return evaluate(self.write(), Config(senders=senders, **config), now, previous)

    def judge_folder(self, folder: Path, **config: Any) -> Evaluation:
        """Judge a folder as it lies there, with or without a manifest."""
        return evaluate(Snapshot.open(folder), Config(**config), NOW)

    def found(self, rule: str, *senders: Sender, **more: Any) -> list[Finding]:
        """What one rule finds."""
        return [finding for finding in self.judge(*senders, **more).findings if finding.rule == rule]

    @staticmethod
    def sender(who: str, **more: Any) -> Sender:
        """A declared sender, named as its account who@contoso.example where nothing else is said."""
        settings = {"name": who, "server": "smtp.office365.com", "account": f"{who}@contoso.example", **more}
        return msgspec.convert(settings, Sender)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "snapshots")


def _members(group: str, table: dict[str, list[str]], seen: set[str]) -> Iterator[str]:
    for member in table.get(group, []):
        if member in table:
            if member not in seen:
                seen.add(member)
                yield from _members(member, table, seen)
        else:
            yield member


def write_demo(tenant: DemoTenant, folder: Path, *, without: str = "", state: str = "denied") -> Snapshot:
    """The generator's tenant as a snapshot, with one dataset taken away."""
    folder.mkdir(parents=True)
    exchange = {} if tenant.exchange_mode == "none" else tenant.exchange
    data: dict[str, list[Json]] = {
        name: value if isinstance(value, list) else [value] for name, value in {**tenant.graph, **exchange}.items()
    }
    users = {user["id"] for user in data["users"]}
    groups = {group["id"]: group for group in data["groups"]}
    by_name = {name: key for key, group in groups.items() for name in (group["displayName"], group["mail"]) if name}
    named = {
        group
        for policy in data["conditionalAccessPolicies"]
        for key in ("includeGroups", "excludeGroups")
        for group in policy["conditions"]["users"][key]
    }
    named |= {row["principalId"] for row in data["roleAssignments"]} & set(groups)
    trustees = {row["Trustee"] for row in data.get("recipientPermissions", [])}
    named |= {by_name[trustee] for trustee in trustees & set(by_name)}
    hidden = {key for key in named if key in groups and groups[key]["visibility"] == "HiddenMembership"}
    data["groups"] = [
        {key: groups[group][key] for key in ("id", "displayName", "visibility")}
        if group in groups
        else {"id": group, "error": "Request_ResourceNotFound"}
        for group in sorted(named)
    ]
    data["groupMembers"] = [
        {"groupId": group, "id": member}
        for group in sorted(named & set(groups) - hidden)
        for member in dict.fromkeys(_members(group, tenant.group_members, {group}))
        if member in users
    ]
    data["perUserMfa"] = [{"id": key, "perUserMfaState": word} for key, word in tenant.per_user_mfa.items()]
    data["authenticationMethods"] = []
    data["smtpReplies"] = tenant.smtp_replies
    entries = {}
    for name, records in data.items():
        entries[name] = {"state": "complete", "records": len(records)}
        if name == without:
            entries[name] = {"state": state, "reason": "taken away", "permission": "Some.Permission"}
            continue
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    manifest = {"tenant_id": tenant.tenant_id, "cloud": "public", "ended": stamp(), "datasets": entries}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return Snapshot.open(folder)


Judged = Callable[..., Evaluation]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """(scenario, without="", state="denied") → the generator's tenant, judged; equal calls share one answer."""
    tenants: dict[str, DemoTenant] = {}
    known: dict[tuple[str, str, str], Evaluation] = {}
    folder = tmp_path_factory.mktemp("demo")

    def judged(scenario: str = "default", without: str = "", state: str = "denied") -> Evaluation:
        key = (scenario, without, state)
        if key not in known:
            tenant = tenants.setdefault(scenario, generate(accounts=130, scenario=scenario))
            senders = tuple(msgspec.convert(sender, Sender) for sender in tenant.senders)
            snapshot = write_demo(tenant, folder / "-".join(key), without=without, state=state)
            known[key] = evaluate(snapshot, Config(senders=senders), tenant.now)
        return known[key]

    return judged
