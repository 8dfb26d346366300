"""Puts the company together: accounts, changes of the quarters, then every dataset the services serve."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from auditor.demo.model import DemoTenant
from auditor.demo.rows import Looked, Rows
from auditor.demo.tenant import apps, directory, exchange, people, policies, quarters, usage, users
from auditor.demo.tenant.account import INITIAL, Account, Company
from auditor.demo.tenant.crowd import Accounts, Crowd
from auditor.demo.tenant.fates import fates
from auditor.demo.tenant.groups import graph_groups, members
from auditor.demo.tenant.ids import QUARTER_DAYS, Clock, Ids
from auditor.demo.tenant.licences import SMALL_BUSINESS, Licence, Licensing
from auditor.demo.tenant.scenarios import SCENARIOS, Scenario
from auditor.demo.tenant.senders import senders
from auditor.demo.tenant.signins import SignInLog, directory_audits, sign_ins
from auditor.errors import UsageError

Json = dict[str, Any]
V = TypeVar("V")

MADE_AT_ONCE = 5000
"""accounts up to which a tenant's objects are made in memory"""


def generate(
    *,
    accounts: int = 400,
    seed: int = 1,
    scenario: str = "default",
    quarter: int = 1,
    now: datetime | None = None,
    plans: int = 0,
) -> DemoTenant:
    """The demo company. `accounts`: how many user objects (at least the special ones); `now`: the clock of this
    quarter, by default the scenario's, 91 days later with each quarter; `plans`: how many service plans each large
    product carries at least.

    Up to MADE_AT_ONCE accounts the objects can be changed; above, those that go by accounts are made anew each time
    they are read.

    Raises UsageError for an unknown scenario, fewer than one account, a quarter below 1, or a `now` without time zone.
    """
    chosen = _scenario(scenario)
    if accounts < 1 or quarter < 1:
        raise UsageError(
            f"accounts = {accounts}, quarter = {quarter}: both start at 1.", remedy="Give whole numbers from 1."
        )
    moment = now or chosen.now + timedelta(days=QUARTER_DAYS * (quarter - 1))
    if moment.tzinfo is None:
        raise UsageError(f"now = {moment.isoformat()}: no time zone.", remedy="Write it in UTC, with a Z at the end.")
    ids, clock = Ids(seed), Clock.of(moment.astimezone(UTC), quarter)
    company, everybody = _company(accounts, ids, chosen, quarter)
    tenant = _Builder(company, everybody, ids, clock, chosen, quarter, seed, plans).tenant()
    return _made(tenant) if len(everybody) <= MADE_AT_ONCE else tenant


def _made(tenant: DemoTenant) -> DemoTenant:
    """With everything made, so that it can be changed in place."""
    return dataclasses.replace(
        tenant,
        graph={name: list(rows) if isinstance(rows, Rows) else rows for name, rows in tenant.graph.items()},
        exchange={name: list(rows) for name, rows in tenant.exchange.items()},
        group_members={group: list(ids) for group, ids in tenant.group_members.items()},
        methods=dict(tenant.methods),
        per_user_mfa=dict(tenant.per_user_mfa),
        passwords=dict(tenant.passwords),
    )


def _scenario(name: str) -> Scenario:
    if name not in SCENARIOS:
        raise UsageError(f"{name}: no such scenario.", remedy=f"Choose one of: {', '.join(SCENARIOS)}.")
    return SCENARIOS[name]


def _company(count: int, ids: Ids, scenario: Scenario, quarter: int) -> tuple[Company, Accounts]:
    """The special accounts with what happened to them since quarter 1, and all accounts: with filler up to `count`."""

    def identify(key: str) -> str:
        return ids.uuid(f"account:{key}")

    def finish(account: Account) -> None:
        account.id = identify(account.key)
        if not scenario.premium:
            account.licences = tuple(
                dataclasses.replace(licence, sku=SMALL_BUSINESS.get(licence.sku, licence.sku))
                for licence in account.licences
            )

    company = Company()
    for account in people.special():
        company.add(account)
    first = set(company.accounts)
    for change in quarters.until(quarter):
        if change.act:
            change.act(company)
    for account in company.accounts.values():
        finish(account)
    crowd = Crowd(max(0, count - len(first)), random.Random(f"{ids.seed}:people"), identify, finish)
    before = [account for account in company.accounts.values() if account.key in first]
    after = [account for account in company.accounts.values() if account.key not in first]
    return company, Accounts(before, crowd, after)


class _Builder:
    """Writes one company out as the objects of Graph and Exchange."""

    def __init__(
        self,
        company: Company,
        accounts: Accounts,
        ids: Ids,
        clock: Clock,
        scenario: Scenario,
        quarter: int,
        seed: int,
        plans: int,
    ) -> None:
        self.company = company
        self.accounts = accounts
        self.large = len(accounts) > MADE_AT_ONCE
        self.ids = ids
        self.clock = clock
        self.scenario = scenario
        self.quarter = quarter
        self.seed = seed
        self.plans = plans
        self.tenant_id = ids.uuid("tenant")
        self.app = apps.auditor_app(ids)
        self.members = members(accounts, ids)

    def tenant(self) -> DemoTenant:
        return DemoTenant(
            tenant_id=self.tenant_id,
            name=directory.NAME,
            initial_domain=INITIAL,
            now=self.clock.now,
            seed=self.seed,
            scenario=self.scenario.name,
            quarter=self.quarter,
            app=self.app,
            premium=self.scenario.premium,
            graph=self._graph(),
            exchange=self._exchange(),
            group_members=self.members,
            methods=self._looked(lambda account: users.authentication_methods(account, self.clock, self.ids)),
            per_user_mfa=self._looked(lambda account: account.mfa),
            app_passwords={account.id: self.ids.hex(f"app-password:{account.key}", 16)
                           for account in self.accounts.where(lambda account: account.app_password)},
            passwords=self._looked(lambda account: users.password(account, self.ids)),
            exchange_mode=self.scenario.exchange_mode,
            senders=senders(self.company.accounts, self.ids, self.scenario.without_senders),
            fates=fates(self.scenario.name, self.quarter, self.clock.now),
            smtp_replies=self._replies(),
            configuration_jobs=exchange.configuration_jobs(self.ids, self.clock, self.tenant_id),
        )  # fmt: skip

    def _looked(self, value: Callable[[Account], V]) -> Mapping[str, V]:
        return Looked(self.accounts, lambda account: account.id, self.accounts.lookup, value)

    def _graph(self) -> Json:
        ids, clock = self.ids, self.clock
        licensing = Licensing(ids, clock, self.plans)
        roles = directory.role_assignments(self.accounts, self.app.object_id, ids)
        strengths = directory.authentication_strengths(ids)
        access = self._conditional_access(strengths)
        return {
            "organization": directory.organization(self.tenant_id, clock, self._organization_plans(licensing)),
            "domains": directory.domains(),
            "subscribedSkus": licensing.subscribed(
                self.tenant_id, directory.NAME, ((account.licences, count) for account, count in self.accounts.tally())
            ),
            "identitySecurityDefaultsEnforcementPolicy": directory.security_defaults(self.scenario.security_defaults),
            "authenticationMethodsPolicy": directory.authentication_methods_policy(clock),
            "conditionalAccessPolicies": access,
            "namedLocations": policies.named_locations(ids, clock) if self.scenario.premium else [],
            "authenticationStrengthPolicies": strengths,
            "roleDefinitions": directory.role_definitions(ids),
            "users": users.graph_users(
                self.accounts, Licensing(ids, clock, self.plans, rendered=self.large), clock, ids, with_mfa=self.large
            ),
            "userRegistrationDetails": users.registration_details(self.accounts, self._admins(roles), clock),
            "groups": graph_groups(ids, clock),
            "roleAssignments": roles,
            "signIns": self._sign_ins(access),
            "directoryAudits": directory_audits(ids, clock, self.company.accounts),
            "emailAppUsage": usage.email_app_usage(self.accounts, clock),
            "mailboxUsage": usage.mailbox_usage(self.accounts, clock),
            "servicePrincipals": apps.service_principals(ids, self.tenant_id),
            "appRoleAssignments": apps.app_role_assignments(ids, clock, self.app),
            "oauth2PermissionGrants": apps.oauth2_permission_grants(ids),
        }

    def _exchange(self) -> dict[str, Sequence[Json]]:
        ids, by_key = self.ids, self.company.accounts
        default = self.scenario.default_policy
        return {
            "transportConfig": exchange.transport_config(self.scenario.org_smtp_disabled, self.scenario.legacy_tls),
            "organizationConfig": exchange.organization_config(
                ids, exchange.distinguished_name(default) if default else None
            ),
            "casMailboxes": exchange.cas_mailboxes(self.accounts, ids),
            "authenticationPolicies": exchange.authentication_policies(ids),
            "exchangeUsers": exchange.exchange_users(self.accounts, ids),
            "mailboxes": exchange.mailboxes(self.accounts, ids, self.clock),
            "recipientPermissions": exchange.recipient_permissions(by_key),
            "mailboxPermissions": exchange.mailbox_permissions(by_key, ids),
            "exchangeServicePrincipals": apps.exchange_service_principals(ids),
            "managementRoleAssignments": apps.management_role_assignments(ids),
            "managementScopes": apps.management_scopes(ids),
            "applicationAccessPolicies": apps.application_access_policies(ids),
            "inboundConnectors": exchange.inbound_connectors(ids),
            "acceptedDomains": exchange.accepted_domains(),
            "hveAccounts": exchange.hve_accounts(by_key, ids),
        }

    def _conditional_access(self, strengths: list[Json]) -> list[Json]:
        if not self.scenario.premium:
            return policies.leftovers(self.ids, self.clock)
        written = policies.conditional_access(self.ids, self.clock, strengths)
        for change in quarters.until(self.quarter):
            if change.policy_state:
                key, state = change.policy_state
                for policy in written:
                    if policy["id"] == policies.policy_id(self.ids, key):
                        policy |= {"state": state, "modifiedDateTime": self.clock.recent(self._since(change))}
        return written

    def _sign_ins(self, access: list[Json]) -> list[Json]:
        everybody = next((change for change in quarters.until(self.quarter) if change.refuses_everybody), None)
        if self.scenario.security_defaults:
            log = SignInLog(self.ids, self.clock, self.tenant_id, access, 530035, (), 365)
        elif everybody is not None:
            log = SignInLog(self.ids, self.clock, self.tenant_id, access, 53003, (everybody.subject,),
                            self._since(everybody))  # fmt: skip
        else:
            log = SignInLog(self.ids, self.clock, self.tenant_id, access, 53003)
        return sign_ins(log, self.accounts, random.Random(f"{self.seed}:{self.quarter}:sign-ins"))

    def _since(self, change: quarters.Change) -> float:
        """Days before `now` at which a change came: a few hours before its quarter's clock."""
        return QUARTER_DAYS * (self.quarter - change.quarter) + 0.2

    def _organization_plans(self, licensing: Licensing) -> list[Json]:
        parts = dict.fromkeys(licence.sku for account, _ in self.accounts.tally() for licence in account.licences)
        return [plan for part in parts for plan in licensing.assigned_plans((Licence(part),))]

    def _admins(self, roles: list[Json]) -> set[str]:
        """Holders of a role, also through a group, as the registration report flags them."""
        direct = {row["principalId"] for row in roles if row["directoryScopeId"] == "/"}
        return direct | {user for group in direct & set(self.members) for user in self.members[group]}

    def _replies(self) -> list[Json]:
        if not self.scenario.retired:
            return []
        return [
            {
                "account": self.company["svc.monitoring"].upn,
                "time": self.clock.recent(2),
                "text": "550 5.7.30 Basic authentication is not supported for Client Submission.",
                "source": "administrator",
            }
        ]
