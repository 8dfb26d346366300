"""A small tenant by hand, served over TLS, and a client that signs in to it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.identity import ClientSecretCredential

from auditor.demo.conditions import Conditions
from auditor.demo.model import DemoApp, DemoTenant
from auditor.demo.server import Emulator

from ..clocks import FakeClock

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
GRAPH_ROLES = {
    "Policy.Read.All", "User.Read.All", "GroupMember.Read.All", "RoleManagement.Read.Directory", "AuditLog.Read.All",
    "Domain.Read.All", "Organization.Read.All", "Reports.Read.All", "Application.Read.All",
    "UserAuthenticationMethod.Read.All", "DelegatedPermissionGrant.Read.All", "ConfigurationMonitoring.Read.All",
}  # fmt: skip
USERS = 250
EXCHANGE_ID = "00000002-0000-0ff1-ce00-000000000000"


def guid(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def _user(number: int) -> dict[str, Any]:
    return {
        "id": guid(number),
        "userPrincipalName": f"user{number}@contoso.example",
        "displayName": f"User {number}",
        "accountEnabled": number % 10 != 0,
        "userType": "Member",
        "createdDateTime": "2024-01-01T08:00:00Z",
        "mail": f"user{number}@contoso.example",
        "proxyAddresses": [f"SMTP:user{number}@contoso.example"],
        "assignedPlans": [],
        "lastPasswordChangeDateTime": "2025-01-01T00:00:00Z",
    }


def _sign_in(number: int) -> dict[str, Any]:
    return {
        "id": guid(9000 + number),
        "createdDateTime": f"2026-11-{20 - number:02d}T05:03:52Z",
        "userId": guid(number + 1),
        "userPrincipalName": f"user{number + 1}@contoso.example",
        "appId": EXCHANGE_ID,
        "clientAppUsed": ("Authenticated SMTP", "SMTP", "Browser")[number % 3],
        "ipAddress": "203.0.113.5",
        "isInteractive": True,
        "conditionalAccessStatus": "notApplied",
        "status": {"errorCode": (0, 53003, 50126)[number % 3], "failureReason": "Other.", "additionalDetails": None},
        "appliedConditionalAccessPolicies": [
            {"id": guid(700), "displayName": "Later", "result": "reportOnlyFailure", "enforcedGrantControls": ["Mfa"]}
        ],
    }


def _policy(number: int, controls: list[str]) -> dict[str, Any]:
    return {
        "id": guid(700 + number),
        "displayName": f"Policy {number}",
        "state": "enabled",
        "createdDateTime": "2025-01-01T00:00:00Z",
        "modifiedDateTime": None,
        "conditions": {
            "clientAppTypes": ["all"],
            "applications": {"includeApplications": ["All"], "excludeApplications": []},
            "users": {"includeUsers": ["All"], "excludeUsers": []},
            "platforms": {"includePlatforms": ["windows", "linux"], "excludePlatforms": []},
        },
        "grantControls": {"operator": "OR", "builtInControls": controls},
        "sessionControls": None,
    }


def _group(number: int, visibility: str | None = None) -> dict[str, Any]:
    return {"id": guid(number), "displayName": f"Group {number}", "visibility": visibility, "securityEnabled": True}


def _graph(tenant_id: str) -> dict[str, Any]:
    return {
        "organization": [{"id": tenant_id, "displayName": "Contoso", "tenantType": "AAD", "verifiedDomains": []}],
        "domains": [{"id": "contoso.example", "authenticationType": "Managed", "passwordValidityPeriodInDays": 90}],
        "subscribedSkus": [{"id": "sku", "skuId": guid(1), "skuPartNumber": "SPE_E3", "servicePlans": []}],
        "identitySecurityDefaultsEnforcementPolicy": {
            "id": "00000000-0000-0000-0000-000000000005",
            "displayName": "Security Defaults",
            "isEnabled": False,
        },
        "authenticationMethodsPolicy": {"id": "authenticationMethodsPolicy", "displayName": "Methods"},
        "conditionalAccessPolicies": [_policy(0, ["block"]), _policy(1, ["riskRemediation"])],
        "namedLocations": [
            {
                "@odata.type": "#microsoft.graph.ipNamedLocation",
                "id": guid(800),
                "displayName": "Office",
                "isTrusted": True,
                "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24"}],
            }
        ],
        "authenticationStrengthPolicies": [
            {"id": guid(810), "displayName": "Phishing-resistant", "policyType": "builtIn",
             "requirementsSatisfied": "mfa", "allowedCombinations": ["fido2"]}
        ],
        "roleDefinitions": [
            {"id": guid(820), "displayName": "Global Reader", "isBuiltIn": True, "templateId": guid(820)}
        ],
        "roleAssignments": [
            {"id": "ra1", "principalId": guid(1), "roleDefinitionId": guid(820), "directoryScopeId": "/"},
            {"id": "ra2", "principalId": guid(500), "roleDefinitionId": guid(820), "directoryScopeId": "/"},
        ],
        "users": [_user(number) for number in range(1, USERS + 1)],
        "groups": [_group(500), _group(501), _group(502), _group(503, "HiddenMembership")],
        "userRegistrationDetails": [
            {"id": guid(number), "userPrincipalName": f"user{number}@contoso.example", "isMfaRegistered": False,
             "userType": "member", "methodsRegistered": [], "lastUpdatedDateTime": "2026-11-22T00:00:00Z"}
            for number in range(1, 12)
        ],
        "signIns": [_sign_in(number) for number in range(9)],
        "directoryAudits": [
            {"id": f"audit{number}", "activityDateTime": f"2026-11-0{number}T09:00:00Z", "category": "UserManagement",
             "activityDisplayName": name, "result": "success"}
            for number, name in ((1, "Add user"), (2, "Create application password for user"))
        ],
        "emailAppUsage": [
            {"Report Refresh Date": "2026-11-21", "User Principal Name": "user1@contoso.example",
             "Display Name": 'User, "One"', "SMTP App": "Yes"}
        ],
        "mailboxUsage": [
            {"userPrincipalName": f"user{number}@contoso.example", "displayName": f"User {number}",
             "recipientType": "User", "isDeleted": False, "reportPeriod": "7"}
            for number in range(1, 4)
        ],
        "servicePrincipals": [
            {"id": guid(900), "appId": EXCHANGE_ID, "displayName": "Office 365 Exchange Online"},
            {"id": guid(901), "appId": guid(951), "displayName": "Ticketing", "accountEnabled": True},
        ],
        "appRoleAssignments": [
            {"id": "a1", "appRoleId": guid(960), "principalId": guid(901), "resourceId": guid(900)},
            {"id": "a2", "appRoleId": guid(961), "principalId": guid(901), "resourceId": guid(999)},
        ],
        "oauth2PermissionGrants": [
            {"id": "g1", "clientId": guid(901), "consentType": "AllPrincipals", "principalId": None,
             "resourceId": guid(900), "scope": "SMTP.Send"}
        ],
    }  # fmt: skip


def _exchange() -> dict[str, list[dict[str, Any]]]:
    return {
        "transportConfig": [{"SmtpClientAuthenticationDisabled": True, "AllowLegacyTLSClients": None}],
        "organizationConfig": [{"DefaultAuthenticationPolicy": None, "SendFromAliasEnabled": False}],
        "casMailboxes": [
            {"Guid": guid(number), "SmtpClientAuthenticationDisabled": (None, True, False)[number % 3]}
            for number in range(2300)
        ],
        "mailboxes": [
            {"Guid": guid(1100 + number), "ExternalDirectoryObjectId": guid(number), "Identity": f"user{number}",
             "UserPrincipalName": f"user{number}@contoso.example", "RecipientTypeDetails": kind}
            for number, kind in ((1, "UserMailbox"), (2, "SharedMailbox"))
        ],
        "mailboxPermissions": [
            {"Identity": "user2", "User": "S-1-5-21-1", "AccessRights": ["FullAccess"]},
            {"Identity": "user1", "User": "NT AUTHORITY\\SELF", "AccessRights": ["FullAccess"]},
        ],
        "recipientPermissions": [{"Identity": "user2", "Trustee": "user1@contoso.example"}],
        "exchangeUsers": [
            {"Guid": guid(1200), "RecipientTypeDetails": "MailUser", "UserPrincipalName": "guest@contoso.example"},
            {"Guid": guid(1201), "RecipientTypeDetails": "UserMailbox", "UserPrincipalName": "user1@contoso.example"},
        ],
        "hveAccounts": [{"Guid": guid(1300), "UserPrincipalName": "hve@contoso.example"}],
        "managementRoleAssignments": [
            {"Identity": "one", "Role": "Application SMTP.SendAsApp"},
            {"Identity": "two", "Role": "View-Only Recipients"},
        ],
    }  # fmt: skip


def make_tenant() -> DemoTenant:
    tenant_id = "33333333-3333-4333-8333-333333333333"
    app = DemoApp(
        client_id="11111111-1111-4111-8111-111111111111",
        object_id="22222222-2222-4222-8222-222222222222",
        secret="correct horse battery staple",
        graph_roles=set(GRAPH_ROLES),
        exchange_roles={"Exchange.ManageAsApp"},
    )
    return DemoTenant(
        tenant_id=tenant_id,
        name="Contoso",
        initial_domain="contoso.onmicrosoft.com",
        now=NOW,
        seed=1,
        scenario="default",
        quarter=0,
        app=app,
        premium=True,
        graph=_graph(tenant_id),
        exchange=_exchange(),
        # 500 holds 501 and a user, 501 holds 502, and 502 holds 500 again; 503's members are hidden
        group_members={
            guid(500): [guid(501), guid(1)],
            guid(501): [guid(502), guid(1), guid(2)],
            guid(502): [guid(500), guid(3), guid(4), guid(999999)],
            guid(503): [guid(5)],
        },
        per_user_mfa={guid(2): "enforced"},
        configuration_jobs=[
            {"id": guid(709), "displayName": "Weekly", "description": None, "tenantId": tenant_id,
             "status": "partiallySuccessful", "resources": ["microsoft.exchange.transportConfig"],
             "createdDateTime": "2026-11-22T01:00:00Z", "completedDateTime": "2026-11-22T01:01:00Z", "createdBy": None,
             "resourceLocation": "https://graph.microsoft.com/v1.0/admin/configurationManagement/"
             f"configurationSnapshots('{guid(710)}')",
             "errorDetails": ["one mailbox could not be read"]}
        ],
    )  # fmt: skip


class Client:
    """A client of one emulator: plain HTTPS, with the token of a real sign-in where one is wanted."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.http = httpx.Client(verify=ssl.create_default_context(cafile=str(emulator.ca_bundle)))
        self._tokens: dict[str, str] = {}

    def token(self, resource: str) -> str:
        """Signs in with azure-identity; remembered until `forget`."""
        if resource not in self._tokens:
            tenant = self.emulator.tenant
            with ClientSecretCredential(
                tenant.tenant_id,
                tenant.app.client_id,
                tenant.app.secret,
                authority=self.emulator.authority,
                disable_instance_discovery=True,
                connection_verify=str(self.emulator.ca_bundle),
            ) as credential:
                self._tokens[resource] = credential.get_token(f"{resource}/.default").token
        return self._tokens[resource]

    def forget(self) -> None:
        self._tokens.clear()

    def graph(self, path: str, **headers: str) -> httpx.Response:
        """GET of a path behind the version, of `beta/...`, or of a whole address."""
        if path.startswith("https://"):
            url = path
        else:
            version = "" if path.startswith("/beta") else "/v1.0"
            url = f"{self.emulator.graph_url}{version}{path}"
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.get(url, headers={"Authorization": f"Bearer {self.token(self.emulator.graph_url)}", **sent})

    def walk(self, path: str, **headers: str) -> list[list[dict[str, Any]]]:
        """The pages of a collection."""
        pages = []
        link: str | None = path
        while link:
            response = self.graph(link, **headers)
            assert response.status_code == 200, response.text
            pages.append(response.json()["value"])
            link = response.json().get("@odata.nextLink")
        return pages

    def batch(self, requests: list[dict[str, Any]]) -> httpx.Response:
        return self.http.post(
            f"{self.emulator.graph_url}/v1.0/$batch",
            json={"requests": requests},
            headers={"Authorization": f"Bearer {self.token(self.emulator.graph_url)}"},
        )

    def cmdlet(
        self, name: str, parameters: dict[str, Any] | None = None, *, url: str = "", query: str = "", **headers: str
    ) -> httpx.Response:
        """POST of a cmdlet; a header given as an empty string is left out."""
        tenant = self.emulator.tenant.tenant_id
        address = url or f"{self.emulator.exchange_url}/adminapi/beta/{tenant}/InvokeCommand{query}"
        sent = {
            "Authorization": f"Bearer {self.token(self.emulator.exchange_url)}",
            "X-AnchorMailbox": f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{tenant}",
            **{key.replace("_", "-"): value for key, value in headers.items()},
        }
        return self.http.post(
            address,
            json={"CmdletInput": {"CmdletName": name, "Parameters": parameters or {}}},
            headers={key: value for key, value in sent.items() if value},
        )


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def tenant() -> DemoTenant:
    """A tenant of one's own, free to be changed."""
    return make_tenant()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Client]]:
    """Serves a tenant until the test ends."""
    with ExitStack() as stack:

        def start(tenant: DemoTenant, conditions: Conditions | None = None) -> Client:
            conditions = conditions or Conditions()
            client = Client(stack.enter_context(Emulator(tenant, tmp_path / "emulator", conditions=conditions)))
            stack.callback(client.http.close)
            return client

        yield start


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """One served tenant for all tests that only read."""
    with Emulator(make_tenant(), tmp_path_factory.mktemp("emulator")) as emulator:
        client = Client(emulator)
        with client.http:
            yield client
