"""A large tenant on disk, for the benchmarks: a hand-made snapshot folder (docs/snapshot.md), written line by line.

Every dataset that the judgement joins by account has a row per account; a user object is some 2.6 KB, as Graph answers
it for a Microsoft 365 licence under the auditor's `$select`. The same arguments give the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from auditor.config import Sender

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
DOMAINS = ("contoso.example", "mail.contoso.example", "fabrikam.example")
E3, E3_SKU = "efb87545-963c-4e0d-99df-69c6916d9eb0", "05e9a617-0261-4cee-bb44-138d3ef5d965"
F3, F3_SKU = "4a82b400-a79f-41a4-b4e2-e94f5787b113", "66b55226-6b4f-492c-910c-a3b7a3c9d993"
ROLES = tuple(f"{number:08d}-aaaa-4000-8000-000000000000" for number in range(20))
GROUPS = 40
EXCHANGE = "00000002-0000-0ff1-ce00-000000000000"


def senders(accounts: int) -> list[Sender]:
    """Twenty declared senders, each of another account, every second one with a place."""
    return [
        Sender(name=f"sender-{number}", account=name(number), from_=name(number),
               egress_ips=("203.0.113.7",) if number % 2 else ())
        for number in range(min(20, accounts))
    ]  # fmt: skip


def write_tenant(folder: Path, accounts: int, policies: int) -> None:
    """Writes the folder, which must not be there yet."""
    folder.mkdir(parents=True)
    numbers = range(accounts)
    tables: dict[str, Iterable[dict[str, Any]]] = {
        "organization": [{"id": "tenant-1", "displayName": "Contoso"}],
        "domains": map(_domain, DOMAINS),
        "subscribedSkus": [_sku(E3_SKU, "SPE_E3", E3), _sku(F3_SKU, "SPE_F1", F3)],
        "identitySecurityDefaultsEnforcementPolicy": [{"id": "5", "isEnabled": False}],
        "conditionalAccessPolicies": map(_policy, range(policies)),
        "namedLocations": map(_location, range(6)),
        "authenticationStrengthPolicies": [{"id": "strength-1", "displayName": "Strong",
                                            "allowedCombinations": ["fido2"]}],
        "roleDefinitions": [{"id": role, "templateId": role, "displayName": f"Role {role[:8]}", "isBuiltIn": True}
                            for role in ROLES],
        "users": map(_user, numbers),
        "perUserMfa": ({"id": account_id(number), "perUserMfaState": "enforced" if number % 97 == 0 else "disabled"}
                       for number in numbers),
        "userRegistrationDetails": map(_registration, numbers),
        "groups": [{"id": group_id(number), "displayName": f"Group {number}", "visibility": "Private", "mail": None}
                   for number in range(GROUPS)],
        "groupMembers": _members(accounts),
        "roleAssignments": _role_assignments(accounts),
        "signIns": _sign_ins(accounts),
        "directoryAudits": [],
        "emailAppUsage": ({"User Principal Name": name(number), "SMTP App": "Yes" if number % 50 == 0 else "No",
                           "Report Refresh Date": "2026-11-21"} for number in numbers),
        "mailboxUsage": ({"userPrincipalName": name(number), "isDeleted": False,
                          "recipientType": "Shared" if number % 20 == 7 else "User"} for number in numbers),
        "transportConfig": [{"SmtpClientAuthenticationDisabled": True, "AllowLegacyTLSClients": False}],
        "organizationConfig": [{"DefaultAuthenticationPolicy": "Strict", "SendFromAliasEnabled": False,
                                "RejectDirectSend": True}],
        "authenticationPolicies": [
            {"Name": word, "Identity": word, "Guid": f"guid-{word}", "AllowBasicAuthSmtp": word == "Lenient",
             "DistinguishedName": f"CN={word},CN=Auth Policies,CN=Configuration"} for word in ("Strict", "Lenient")],
        "mailboxes": map(_mailbox, numbers),
        "casMailboxes": map(_cas_mailbox, numbers),
        "exchangeUsers": map(_exchange_user, numbers),
        **{dataset: [] for dataset in (
            "recipientPermissions", "mailboxPermissions", "servicePrincipals", "appRoleAssignments",
            "oauth2PermissionGrants", "exchangeServicePrincipals", "managementRoleAssignments", "managementScopes")},
    }  # fmt: skip
    for dataset, records in tables.items():
        with (folder / f"{dataset}.jsonl").open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(json.dumps(record) + "\n" for record in records)


def account_id(number: int) -> str:
    return f"{number:08x}-5000-4000-8000-{number * 2654435761 % 2**48:012x}"


def group_id(number: int) -> str:
    return f"{number:08x}-6000-4000-8000-{number * 40503 % 2**48:012x}"


def name(number: int) -> str:
    return f"person.{number:07d}@{DOMAINS[number % len(DOMAINS)]}"


def _domain(domain: str) -> dict[str, Any]:
    return {"id": domain, "authenticationType": "Managed", "isRoot": True, "isVerified": True,
            "passwordValidityPeriodInDays": 2147483647 if domain != DOMAINS[1] else None}  # fmt: skip


OTHER_PLANS = tuple(f"{number:08x}-7000-4000-8000-0000000000ff" for number in range(11))


def _sku(sku: str, part: str, plan: str) -> dict[str, Any]:
    plans = [{"servicePlanId": one, "servicePlanName": f"PLAN_{one[:8]}", "provisioningStatus": "Success",
              "appliesTo": "User"} for one in (plan, *OTHER_PLANS)]  # fmt: skip
    return {"id": f"tenant_{sku}", "skuId": sku, "skuPartNumber": part, "capabilityStatus": "Enabled",
            "appliesTo": "User", "servicePlans": plans}  # fmt: skip


def _user(number: int) -> dict[str, Any]:
    upn = name(number)
    sku, plan = (F3_SKU, F3) if number % 5 == 0 else (E3_SKU, E3)
    licensed = number % 10 != 9
    plans = [{"assignedDateTime": "2024-01-01T00:00:00Z", "capabilityStatus": "Enabled", "service": service,
              "servicePlanId": one}
             for service, one in (("exchange", plan), *((f"service{count}", one)
                                                        for count, one in enumerate(OTHER_PLANS)))]  # fmt: skip
    changed = NOW - timedelta(days=number % 700, seconds=number % 86400)
    return {
        "id": account_id(number),
        "userPrincipalName": upn,
        "mail": upn,
        "proxyAddresses": [f"SMTP:{upn}", f"smtp:p{number}@{DOMAINS[0]}", f"x500:/o=Contoso/cn=recipients/cn={number}"],
        "displayName": f"Person {number}",
        "accountEnabled": number % 11 != 3,
        "userType": "Guest" if number % 40 == 39 else "Member",
        "creationType": None,
        "externalUserState": None,
        "onPremisesSyncEnabled": True if number % 2 else None,
        "passwordPolicies": "DisablePasswordExpiration" if number % 3 == 0 else None,
        "lastPasswordChangeDateTime": changed.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "createdDateTime": (changed - timedelta(days=300)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "isResourceAccount": None,
        "usageLocation": "CH",
        "assignedLicenses": [{"skuId": sku, "disabledPlans": []}] if licensed else [],
        "assignedPlans": plans if licensed else [],
        "licenseAssignmentStates": [{"skuId": sku, "state": "Active", "error": "None", "disabledPlans": [],
                                     "assignedByGroup": None, "lastUpdatedDateTime": "2024-01-01T00:00:00Z"}]
        if licensed else [],
    }  # fmt: skip


def _registration(number: int) -> dict[str, Any]:
    return {"id": account_id(number), "userPrincipalName": name(number), "userType": "member",
            "isAdmin": False, "isMfaRegistered": number % 4 != 0, "isMfaCapable": number % 4 != 0,
            "methodsRegistered": ["microsoftAuthenticatorPush", "mobilePhone"][: number % 4],
            "lastUpdatedDateTime": "2026-11-22T03:00:00Z"}  # fmt: skip


def _recipient(number: int) -> dict[str, Any]:
    return {"Identity": f"Person {number}", "Name": f"person.{number}", "DisplayName": f"Person {number}",
            "Guid": f"{number:08x}-8000-4000-8000-000000000000", "ExternalDirectoryObjectId": account_id(number),
            "PrimarySmtpAddress": name(number)}  # fmt: skip


def _mailbox(number: int) -> dict[str, Any]:
    kind = "SharedMailbox" if number % 20 == 7 else "UserMailbox"
    return _recipient(number) | {"UserPrincipalName": name(number), "RecipientTypeDetails": kind,
                                 "EmailAddresses": [f"SMTP:{name(number)}"], "Alias": f"p{number}"}  # fmt: skip


def _cas_mailbox(number: int) -> dict[str, Any]:
    override = {0: False, 1: True}.get(number % 60)
    return _recipient(number) | {"SmtpClientAuthenticationDisabled": override}


def _exchange_user(number: int) -> dict[str, Any]:
    policy = "Lenient" if number % 30 < 2 else None
    return _recipient(number) | {"UserPrincipalName": name(number), "RecipientTypeDetails": "UserMailbox",
                                 "AuthenticationPolicy": policy, "AccountDisabled": False}  # fmt: skip


def _members(accounts: int) -> Iterator[dict[str, Any]]:
    """The first group holds every second account, each other one some two in a hundred."""
    for number in range(0, accounts, 2):
        yield {"groupId": group_id(0), "id": account_id(number)}
    for group in range(1, GROUPS):
        for number in range(group, accounts, 49):
            yield {"groupId": group_id(group), "id": account_id(number)}


def _role_assignments(accounts: int) -> Iterator[dict[str, Any]]:
    for count, role in enumerate(ROLES):
        holders = [account_id((count * 37 + one * 101) % accounts) for one in range(5)] + [group_id(count + 10)]
        for holder in holders:
            yield {"id": f"{role}-{holder}", "principalId": holder, "roleDefinitionId": role, "directoryScopeId": "/"}


def _sign_ins(accounts: int) -> Iterator[dict[str, Any]]:
    """One account in fifty was seen, half of them refused."""
    for number in range(0, accounts, 50):
        time = NOW - timedelta(hours=number % 600)
        failed = number % 100 == 0
        yield {"id": f"sign-in-{number}", "createdDateTime": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
               "userId": account_id(number), "userPrincipalName": name(number), "clientAppUsed": "Authenticated SMTP",
               "ipAddress": "203.0.113.7", "status": {"errorCode": 53003 if failed else 0, "failureReason": "Other."},
               "appliedConditionalAccessPolicies": []}  # fmt: skip


def _location(number: int) -> dict[str, Any]:
    if number % 3 == 2:
        return {"@odata.type": "#microsoft.graph.countryNamedLocation", "id": f"location-{number}",
                "displayName": f"Countries {number}", "countriesAndRegions": ["CH", "DE"]}  # fmt: skip
    return {"@odata.type": "#microsoft.graph.ipNamedLocation", "id": f"location-{number}", "isTrusted": number < 3,
            "displayName": f"Office {number}",
            "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": f"198.51.{number}.0/24"},
                         {"@odata.type": "#microsoft.graph.iPv6CidrRange", "cidrAddress": f"2001:db8:{number}::/48"}],
            }  # fmt: skip


def _policy(number: int) -> dict[str, Any]:
    """Policies of the kinds that tenants hold: for everybody with excluded groups, for groups, for roles, for guests,
    by place, by risk, report-only, switched off, and for workload identities."""
    users: dict[str, Any] = {
        "includeUsers": [], "excludeUsers": [account_id(number * 3), account_id(number * 5)], "includeGroups": [],
        "excludeGroups": [group_id((number + 1) % GROUPS)], "includeRoles": [], "excludeRoles": [],
        "includeGuestsOrExternalUsers": None, "excludeGuestsOrExternalUsers": None,
    }  # fmt: skip
    kind = number % 5
    if kind == 0:
        users["includeUsers"] = ["All"]
        users["excludeGroups"] = [group_id(0), group_id((number + 1) % GROUPS)]
    elif kind == 1:
        users["includeGroups"] = [group_id(number % GROUPS), group_id((number * 7) % GROUPS)]
    elif kind == 2:
        users["includeRoles"] = list(ROLES[number % 10 : number % 10 + 8])
    elif kind == 3:
        users["includeGuestsOrExternalUsers"] = {
            "guestOrExternalUserTypes": "internalGuest,b2bCollaborationGuest",
            "externalTenants": {"@odata.type": "#microsoft.graph.conditionalAccessAllExternalTenants",
                                "membershipKind": "all"}}  # fmt: skip
    else:
        users["includeUsers"] = [account_id(one) for one in range(number, number + 50)]
    conditions: dict[str, Any] = {
        "clientAppTypes": [["all"], ["exchangeActiveSync", "other"], ["browser"]][number % 3],
        "applications": {"includeApplications": [["All"], ["Office365"], [EXCHANGE]][number % 3],
                         "excludeApplications": [], "includeUserActions": [],
                         "includeAuthenticationContextClassReferences": [], "applicationFilter": None},
        "users": users,
        "locations": {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]} if number % 7 == 1 else None,
        "platforms": None, "devices": None, "clientApplications": None, "authenticationFlows": None,
        "signInRiskLevels": ["high"] if number % 11 == 5 else [], "userRiskLevels": [],
        "servicePrincipalRiskLevels": [], "insiderRiskLevels": None,
    }  # fmt: skip
    states = {8: "enabledForReportingButNotEnforced", 9: "disabled"}
    return {
        "id": f"{number:08x}-9000-4000-8000-000000000000", "displayName": f"Policy {number}",
        "state": states.get(number % 10, "enabled"), "templateId": None, "createdDateTime": "2024-01-01T00:00:00Z",
        "modifiedDateTime": "2025-01-01T00:00:00Z", "conditions": conditions,
        "grantControls": {"operator": "OR", "builtInControls": ["block" if number % 2 else "mfa"],
                          "customAuthenticationFactors": [], "termsOfUse": [], "authenticationStrength": None},
        "sessionControls": None,
    }  # fmt: skip
