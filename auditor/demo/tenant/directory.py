"""What the tenant is apart from its accounts: organisation, domains, roles, strengths, methods policy."""

from __future__ import annotations

from typing import Any

from auditor.demo.tenant.account import EXPIRING, FEDERATED, INITIAL, ROOT, SUB, UNSET
from auditor.demo.tenant.crowd import Accounts
from auditor.demo.tenant.groups import group_id
from auditor.demo.tenant.ids import Clock, Ids

Json = dict[str, Any]

NAME = "Contoso Demo (fictional)"
NEVER = 2147483647

BUILT_IN_ROLES = {
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "Privileged Role Administrator": "e8611ab8-c189-46e8-94e1-60213ab1f814",
    "Privileged Authentication Administrator": "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
    "Exchange Administrator": "29232cdf-9323-42fd-ade2-1d097af3e4de",
    "Security Administrator": "194ae4cb-b126-40b2-bd5b-6091b380977d",
    "Conditional Access Administrator": "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9",
    "SharePoint Administrator": "f28a1f50-f6e7-4571-818b-6a12f2af6b6c",
    "User Administrator": "fe930be7-5e62-47db-91af-98c3a49a38b1",
    "Helpdesk Administrator": "729827e3-9c14-49f7-bb1b-9608f156bbb8",
    "Authentication Administrator": "c4e39bd9-1100-46d3-8c65-fb160da0071f",
    "Application Administrator": "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
    "Billing Administrator": "b0f54661-2d74-4c50-afa3-1ec803f12efe",
    "Global Reader": "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
    "Security Reader": "5d6b6bb7-de71-4623-b4af-96380a352509",
    "Reports Reader": "4a5d8f65-41da-4de4-8968-e035b65339cf",
    "Directory Synchronization Accounts": "d29b2b05-8046-44ba-8758-1e26182fcf32",
    "Guest User": "10dae51f-b6af-4016-8d66-8c2a99b929b3",
}
"""Template ids, learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference"""

CUSTOM_ROLE = "Mail Device Operator (custom)"


def role_id(ids: Ids, name: str) -> str:
    return BUILT_IN_ROLES.get(name) or ids.uuid(f"role:{name}")


def role_definitions(ids: Ids) -> list[Json]:
    return [_role(ids, name, True) for name in BUILT_IN_ROLES] + [_role(ids, CUSTOM_ROLE, False)]


def _role(ids: Ids, name: str, built_in: bool) -> Json:
    identifier = role_id(ids, name)
    return {
        "id": identifier,
        "description": f"{name}: see Microsoft Learn." if built_in else "May read application settings.",
        "displayName": name,
        "isBuiltIn": built_in,
        "isEnabled": True,
        "resourceScopes": ["/"],
        "templateId": identifier,
        "version": "1" if built_in else None,
        "rolePermissions": [{"allowedResourceActions": ["microsoft.directory/users/standard/read"], "condition": None}],
    }


def role_assignments(accounts: Accounts, app_object_id: str, ids: Ids) -> list[Json]:
    """Direct, through a role-assignable group, scoped to an administrative unit, and of a custom role."""
    holders = accounts.where(lambda account: account.roles)
    rows = [_assignment(ids, account.id, role) for account in holders for role in account.roles]
    rows.append(_assignment(ids, group_id(ids, "role-helpdesk"), "Helpdesk Administrator"))
    branch = f"/administrativeUnits/{ids.uuid('unit:branch')}"
    rows.append(_assignment(ids, ids.uuid("account:admin.branch"), "User Administrator", branch))
    rows.append(_assignment(ids, ids.uuid("account:admin.custom"), CUSTOM_ROLE))
    rows.append(_assignment(ids, app_object_id, "Global Reader"))
    return rows


def _assignment(ids: Ids, principal: str, role: str, scope: str = "/") -> Json:
    return {
        "id": ids.hex(f"assignment:{principal}:{role}", 40),
        "principalId": principal,
        "directoryScopeId": scope,
        "appScopeId": None,
        "principalOrganizationId": None,
        "roleDefinitionId": role_id(ids, role),
        "condition": None,
    }


def organization(tenant_id: str, clock: Clock, plans: list[Json]) -> list[Json]:
    """`plans`: assignedPlans of the tenant, a second source for premium licences."""
    domains = [(INITIAL, False, True, "Managed"), (ROOT, True, False, "Managed"), (SUB, False, False, "Managed"),
               (FEDERATED, False, False, "Federated"), (EXPIRING, False, False, "Managed"),
               (UNSET, False, False, "Managed")]  # fmt: skip
    return [
        {
            "id": tenant_id,
            "deletedDateTime": None,
            "assignedPlans": plans,
            "businessPhones": ["+41 555550199"],
            "city": "Demo City",
            "country": None,
            "countryLetterCode": "CH",
            "createdDateTime": clock.ago(3000),
            "defaultUsageLocation": None,
            "displayName": NAME,
            "onPremisesLastSyncDateTime": clock.recent(0.02),
            "onPremisesSyncEnabled": True,
            "partnerTenantType": None,
            "preferredLanguage": "en",
            "technicalNotificationMails": [f"it@{ROOT}"],
            "tenantType": "AAD",
            "verifiedDomains": [
                {"capabilities": "Email, OfficeCommunicationsOnline", "isDefault": default, "isInitial": initial,
                 "name": name, "type": kind}
                for name, default, initial, kind in domains
            ],
        }
    ]  # fmt: skip


def domains() -> list[Json]:
    """A managed root that never expires passwords, its sub-domain without a value of its own (it takes the root's),
    a federated one, one with 90 days, and one where nothing is set."""
    return [
        _domain(INITIAL, validity=NEVER, initial=True),
        _domain(ROOT, validity=NEVER, default=True),
        _domain(SUB, validity=None, root=False),
        _domain(FEDERATED, validity=None, federated=True),
        _domain(EXPIRING, validity=90),
        _domain(UNSET, validity=None),
    ]


def _domain(
    name: str,
    *,
    validity: int | None,
    default: bool = False,
    initial: bool = False,
    root: bool = True,
    federated: bool = False,
) -> Json:
    return {
        "id": name,
        "authenticationType": "Federated" if federated else "Managed",
        "availabilityStatus": None,
        "isAdminManaged": True,
        "isDefault": default,
        "isInitial": initial,
        "isRoot": root,
        "isVerified": True,
        "manufacturer": None,
        "model": None,
        "passwordNotificationWindowInDays": None if validity is None else 14,
        "passwordValidityPeriodInDays": validity,
        "state": None,
        "supportedServices": ["Email", "OfficeCommunicationsOnline"],
    }


PHISHING_RESISTANT = "00000000-0000-0000-0000-000000000004"


def authentication_strengths(ids: Ids) -> list[Json]:
    mfa = ["windowsHelloForBusiness", "fido2", "x509CertificateMultiFactor", "password,microsoftAuthenticatorPush",
           "password,sms"]  # fmt: skip
    return [
        _strength("00000000-0000-0000-0000-000000000002", "Multifactor authentication", mfa),
        _strength("00000000-0000-0000-0000-000000000003", "Passwordless MFA", mfa[:3]),
        _strength(PHISHING_RESISTANT, "Phishing-resistant MFA", mfa[:3]),
        _strength(bare_strength_id(ids), "Devices that only know a password", ["password"], custom=True),
    ]


def bare_strength_id(ids: Ids) -> str:
    return ids.uuid("strength:bare")


def _strength(identifier: str, name: str, combinations: list[str], custom: bool = False) -> Json:
    return {
        "id": identifier,
        "createdDateTime": "2021-12-01T08:00:00Z",
        "modifiedDateTime": "2021-12-01T08:00:00Z",
        "displayName": name,
        "description": name,
        "policyType": "custom" if custom else "builtIn",
        "requirementsSatisfied": "none" if custom else "mfa",
        "allowedCombinations": combinations,
        "combinationConfigurations": [],
    }


def security_defaults(enabled: bool) -> Json:
    return {
        "id": "00000000-0000-0000-0000-000000000005",
        "deletedDateTime": None,
        "description": "Security defaults is a set of basic identity security mechanisms recommended by Microsoft.",
        "displayName": "Security Defaults",
        "isEnabled": enabled,
    }


_METHODS = {
    "Fido2": ("fido2", "enabled"),
    "MicrosoftAuthenticator": ("microsoftAuthenticator", "enabled"),
    "Sms": ("sms", "enabled"),
    "TemporaryAccessPass": ("temporaryAccessPass", "enabled"),
    "SoftwareOath": ("softwareOath", "enabled"),
    "Voice": ("voice", "disabled"),
    "Email": ("email", "disabled"),
    "X509Certificate": ("x509Certificate", "disabled"),
}


def authentication_methods_policy(clock: Clock) -> Json:
    everyone = {"targetType": "group", "id": "all_users", "isRegistrationRequired": False}
    return {
        "id": "authenticationMethodsPolicy",
        "displayName": "Authentication Methods Policy",
        "description": "The tenant-wide policy that controls which authentication methods are allowed in the tenant.",
        "lastModifiedDateTime": clock.ago(200),
        "policyVersion": "1.5",
        "policyMigrationState": "migrationComplete",
        "reconfirmationInDays": None,
        "registrationEnforcement": {
            "authenticationMethodsRegistrationCampaign": {
                "snoozeDurationInDays": 1,
                "state": "enabled",
                "excludeTargets": [],
                "includeTargets": [
                    {"id": "all_users", "targetType": "group",
                     "targetedAuthenticationMethod": "microsoftAuthenticator"}
                ],
            }
        },
        "authenticationMethodConfigurations": [
            {
                "@odata.type": f"#microsoft.graph.{kind}AuthenticationMethodConfiguration",
                "id": name,
                "state": state,
                "excludeTargets": [],
                "includeTargets": [everyone],
            }
            for name, (kind, state) in _METHODS.items()
        ],
    }  # fmt: skip
