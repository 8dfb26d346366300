"""Puts the company together: accounts, changes of the quarters, then every dataset the services serve."""

from __future__ import annotations

import dataclasses
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from auditor.demo.model import DemoTenant
from auditor.demo.tenant import apps, directory, exchange, people, policies, quarters, usage, users
from auditor.demo.tenant.account import INITIAL, Account, Company
from auditor.demo.tenant.fates import fates
from auditor.demo.tenant.groups import graph_groups, members
from auditor.demo.tenant.ids import QUARTER_DAYS, Clock, Ids
from auditor.demo.tenant.licences import SMALL_BUSINESS, Licence, Licensing
from auditor.demo.tenant.scenarios import SCENARIOS, Scenario
from auditor.demo.tenant.senders import senders
from auditor.demo.tenant.signins import SignInLog, directory_audits, sign_ins
from auditor.errors import UsageError

Json = dict[str, Any]


def generate(
    *,
    accounts: int = 400,
    seed: int = 1,
    scenario: str = "default",
    quarter: int = 1,
    now: datetime | None = None,
) -> DemoTenant:
    """The demo company. `accounts`: how many user objects (at least the special ones); `now`: the clock of this
    quarter, by default the scenario's, 91 days later with each quarter.

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
    company = _company(accounts, ids, chosen, quarter)
    return _Builder(company, ids, clock, chosen, quarter, seed).tenant()


def _scenario(name: str) -> Scenario:
    if name not in SCENARIOS:
        raise UsageError(f"{name}: no such scenario.", remedy=f"Choose one of: {', '.join(SCENARIOS)}.")
    return SCENARIOS[name]


def _company(count: int, ids: Ids, scenario: Scenario, quarter: int) -> Company:
    """The special accounts, filler up to `count`, and what happened since quarter 1."""
    company = Company()
    for account in people.special():
        company.add(account)
    for account in people.filler(max(0, count - len(company.accounts)), random.Random(f"{ids.seed}:people")):
        company.add(account)
    for change in quarters.until(quarter):
        if change.act:
            change.act(company)
    for account in company.accounts.values():
        account.id = ids.uuid(f"account:{account.key}")
        if not scenario.premium:
            account.licences = tuple(
                dataclasses.replace(licence, sku=SMALL_BUSINESS.get(licence.sku, licence.sku))
                for licence in account.licences
            )
    return company


class _Builder:
    """Writes one company out as the objects of Graph and Exchange."""

    def __init__(self, company: Company, ids: Ids, clock: Clock, scenario: Scenario, quarter: int, seed: int) -> None:
        self.company = company
        self.accounts: list[Account] = company.all()
        self.ids = ids
        self.clock = clock
        self.scenario = scenario
        self.quarter = quarter
        self.seed = seed
        self.tenant_id = ids.uuid("tenant")
        self.app = apps.auditor_app(ids)

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
            group_members=members(self.accounts, self.ids),
            methods={account.id: users.authentication_methods(account, self.clock, self.ids)
                     for account in self.accounts},
            per_user_mfa={account.id: account.mfa for account in self.accounts},
            app_passwords={account.id: self.ids.hex(f"app-password:{account.key}", 16)
                           for account in self.accounts if account.app_password},
            passwords={account.id: users.password(account, self.ids) for account in self.accounts},
            exchange_mode=self.scenario.exchange_mode,
            senders=senders(self.company.accounts, self.ids, self.scenario.without_senders),
            fates=fates(self.scenario.name, self.quarter, self.clock.now),
            smtp_replies=self._replies(),
            configuration_jobs=exchange.configuration_jobs(self.ids, self.clock, self.tenant_id),
        )  # fmt: skip

    def _graph(self) -> Json:
        ids, clock = self.ids, self.clock
        licensing = Licensing(ids, clock)
        roles = directory.role_assignments(self.accounts, self.app.object_id, ids)
        strengths = directory.authentication_strengths(ids)
        access = self._conditional_access(strengths)
        return {
            "organization": directory.organization(self.tenant_id, clock, self._organization_plans(licensing)),
            "domains": directory.domains(),
            "subscribedSkus": licensing.subscribed(
                self.tenant_id, directory.NAME, (account.licences for account in self.accounts)
            ),
            "identitySecurityDefaultsEnforcementPolicy": directory.security_defaults(self.scenario.security_defaults),
            "authenticationMethodsPolicy": directory.authentication_methods_policy(clock),
            "conditionalAccessPolicies": access,
            "namedLocations": policies.named_locations(ids, clock) if self.scenario.premium else [],
            "authenticationStrengthPolicies": strengths,
            "roleDefinitions": directory.role_definitions(ids),
            "users": [users.graph_user(account, licensing, clock, ids) for account in self.accounts],
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

    def _exchange(self) -> dict[str, list[Json]]:
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
        parts = dict.fromkeys(licence.sku for account in self.accounts for licence in account.licences)
        return [plan for part in parts for plan in licensing.lists((Licence(part),))[1]]

    def _admins(self, roles: list[Json]) -> set[str]:
        """Holders of a role, also through a group, as the registration report flags them."""
        direct = {row["principalId"] for row in roles if row["directoryScopeId"] == "/"}
        inside = members(self.accounts, self.ids)
        return direct | {user for group in direct & set(inside) for user in inside[group]}

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
