"""Small tenants out of bytes: each byte chooses one value, a zero the plainest, so that hypothesis shrinks well.

A tenant is what a snapshot folder would hold: records, how reading each dataset ended, and the declared senders. Ids
and addresses come in mixed letter case, as Microsoft compares them without.
"""

import json
from datetime import UTC, datetime, timedelta

TENANT, EXCHANGE_APP = "tenant-1", "00000002-0000-0ff1-ce00-000000000000"
APP, OTHER_APP = "app-1", "app-2"
E3, F1, F1_COMM, STRANGE = "05e9a617-0261-4cee-bb44-138d3ef5d965", "44575883-256e-4a79-9da4-ebe9acabe2b2", \
    "50f60901-3181-4b75-8a2c-4c8e4c1d5a72", "99999999-0000-4000-8000-000000000000"  # fmt: skip
P2, FOUNDATION, KIOSK = "efb87545-963c-4e0d-99df-69c6916d9eb0", "113feb6c-3fe4-4440-bddc-54d774bf0318", \
    "4a82b400-a79f-41a4-b4e2-e94f5787b113"  # fmt: skip
GROUPS = ("group-read-1", "group-gone-1", "group-hidden-1", "group-denied-1", "group-missing-1")
DOMAINS = ("contoso.example", "sub.contoso.example", "null.example", "fed.example", "strange.example", "other.example")

DROPPABLE = (
    "organization", "domains", "subscribedSkus", "identitySecurityDefaultsEnforcementPolicy",
    "conditionalAccessPolicies", "namedLocations", "authenticationStrengthPolicies", "roleDefinitions", "users",
    "perUserMfa", "groups", "groupMembers", "roleAssignments", "mailboxUsage", "servicePrincipals",
    "appRoleAssignments", "oauth2PermissionGrants", "transportConfig", "organizationConfig", "casMailboxes",
    "authenticationPolicies", "exchangeUsers", "mailboxes", "recipientPermissions", "mailboxPermissions",
    "exchangeServicePrincipals", "managementRoleAssignments",
)  # fmt: skip
ON_EXCHANGE = ("transportConfig", "organizationConfig", "casMailboxes", "authenticationPolicies", "exchangeUsers",
               "mailboxes", "recipientPermissions", "mailboxPermissions", "exchangeServicePrincipals",
               "managementRoleAssignments")  # fmt: skip

HEAD, POLICY, PERSON, SENDER = 40, 40, 24, 20
"""Bytes of each part; what is missing counts as zero."""


class Choices:
    """Reads one byte per choice. `made` keeps what was chosen: two parts with the same choices are the same."""

    def __init__(self, data):
        self._bytes = iter(data)
        self.made = []

    def _next(self, size):
        choice = next(self._bytes, 0) % size
        self.made.append(choice)
        return choice

    def pick(self, *values):
        return values[self._next(len(values))]

    def often(self, common, *rest):
        """The common value three times in four."""
        weighted = [common] * (3 * len(rest)) + list(rest)
        return weighted[self._next(len(weighted))]

    def some(self, *values):
        """None, one or two of them."""
        chosen = [self.pick(None, None, None, *values), self.pick(None, None, None, None, *values)]
        return [value for value in dict.fromkeys(chosen) if value is not None]


class Tenant:
    """`people`: the bytes of all accounts, PERSON each, in one piece: as a list hypothesis likes to repeat them."""

    def __init__(self, head, policies, people, senders):
        self.records, self.entries = {}, {}
        choose = Choices(head)
        self._settings(choose)
        self.records["conditionalAccessPolicies"] = [policy(Choices(data), number)
                                                     for number, data in enumerate(policies)]  # fmt: skip
        made = []
        for number in range(len(people) // PERSON):
            mine = Choices(people[number * PERSON : (number + 1) * PERSON])
            self._person(mine, f"Account-{number + 1}", number)
            made.append(tuple(mine.made))
        self.senders = [self._sender(Choices(data), number) for number, data in enumerate(senders)]
        self._drop(choose)
        self.tenant_choices = json.dumps([choose.made, self.records["conditionalAccessPolicies"], self.senders])
        self.person_choices = made

    # --- what counts for everybody ---

    def _settings(self, choose):
        self.now = choose.often(datetime(2026, 11, 23, 16, tzinfo=UTC), datetime(2027, 1, 5, tzinfo=UTC),
                                datetime(2028, 10, 1, tzinfo=UTC))  # fmt: skip
        self.cloud = choose.often("public", "china", "gcc-high")
        switch = choose.often({"SmtpClientAuthenticationDisabled": False}, {"SmtpClientAuthenticationDisabled": True},
                              {"SmtpClientAuthenticationDisabled": "True"}, {"SmtpClientAuthenticationDisabled": None},
                              {})  # fmt: skip
        configuration = choose.often(
            {"DefaultAuthenticationPolicy": None}, {"DefaultAuthenticationPolicy": "Strict"},
            {"DefaultAuthenticationPolicy": "CN=Lenient,CN=Auth Policies,DC=x"}, {"DefaultAuthenticationPolicy": ""},
            {"DefaultAuthenticationPolicy": "Nobody"}, {},
        )  # fmt: skip
        allow = choose.often("AllowBasicAuthSmtp", "AllowBasicAuthPop")
        self.records |= {
            "organization": [{"id": TENANT.upper(), "displayName": "Contoso"}],
            "identitySecurityDefaultsEnforcementPolicy": [{"id": "5", "isEnabled": choose.often(False, True, None)}],
            "transportConfig": [{**switch, "AllowLegacyTLSClients": choose.pick(False, True, None)}],
            "organizationConfig": [{**configuration, "SendFromAliasEnabled": choose.pick(False, True, None)}],
            "authenticationPolicies": [
                {"Name": "Strict", "Guid": "guid-strict-1", allow: False,
                 "DistinguishedName": "CN=Strict,CN=Auth Policies,DC=x"},
                {"Name": "Lenient", "Guid": "guid-lenient-1", allow: "True", "Identity": "contoso\\Lenient",
                 "DistinguishedName": "CN=Lenient,CN=Auth Policies,DC=x"},
                {"Name": "Odd", "Guid": "guid-odd-1", allow: None}],
            "domains": [
                {"id": "Contoso.example", "authenticationType": "Managed",
                 "passwordValidityPeriodInDays": choose.often(2147483647, 90, 365, None)},
                {"id": "sub.contoso.example", "authenticationType": "Managed", "passwordValidityPeriodInDays": 30},
                {"id": "null.example", "authenticationType": "Managed", "passwordValidityPeriodInDays": None},
                {"id": "fed.example", "authenticationType": "Federated", "passwordValidityPeriodInDays": 90},
                {"id": "strange.example", "authenticationType": "Future", "passwordValidityPeriodInDays": 90}],
            "subscribedSkus": [sku(E3, P2), sku(F1, FOUNDATION), sku(F1_COMM, KIOSK)],
            "smtpReplies": choose.often([], [{"account": "", "time": "2026-11-01T00:00:00Z", "source": "probe",
                                              "text": "550 5.7.30 Basic authentication is not supported"}]),
        }  # fmt: skip
        self.switch_name = choose.often("SmtpClientAuthenticationDisabled", "ImapEnabled")
        self.policy_name = choose.often("AuthenticationPolicy", "Phone")
        self._directory(choose)
        self._apps(choose)
        for name in ("users", "perUserMfa", "groupMembers", "mailboxUsage", "mailboxes", "casMailboxes",
                     "exchangeUsers", "recipientPermissions"):  # fmt: skip
            self.records[name] = []

    def _directory(self, choose):
        self.records |= {
            "groups": [
                {"id": GROUPS[0], "displayName": "Read", "visibility": "Private", "mail": "Team@contoso.example"},
                {"id": GROUPS[1].upper(), "error": "Request_ResourceNotFound"},
                {"id": GROUPS[2], "displayName": "Hidden", "visibility": "HiddenMembership"},
                {"id": GROUPS[3], "error": "Authorization_RequestDenied"}],
            "namedLocations": [
                {"@odata.type": "#microsoft.graph.ipNamedLocation", "id": "Office", "isTrusted": True,
                 "ipRanges": [{"cidrAddress": "203.0.113.0/24"}, {"cidrAddress": "2001:db8:1::/48"}]},
                {"@odata.type": "#microsoft.graph.ipNamedLocation", "id": "lab", "isTrusted": False,
                 "ipRanges": [{"cidrAddress": "2001:db8:2::/48"}]},
                {"@odata.type": "#microsoft.graph.countryNamedLocation", "id": "land", "countriesAndRegions": ["CH"]},
                {"@odata.type": "#microsoft.graph.compliantNetworkNamedLocation", "id": "gsa"}],
            "authenticationStrengthPolicies": [
                {"id": "Strong", "allowedCombinations": ["fido2", "password,sms"]},
                {"id": "weak", "allowedCombinations": ["password"]}],
            "roleDefinitions": [
                {"id": "Admin-1", "templateId": "admin-1", "isBuiltIn": True},
                {"id": "reader-1", "templateId": "reader-1", "isBuiltIn": True},
                {"id": "custom-1", "templateId": "custom-1", "isBuiltIn": False}],
            "roleAssignments": [{"principalId": group, "roleDefinitionId": "reader-1", "directoryScopeId": "/"}
                                for group in choose.often([], [GROUPS[0]], [GROUPS[1]], [GROUPS[2]], ["stranger-1"])],
        }  # fmt: skip

    def _apps(self, choose):
        owner = choose.often(TENANT, "tenant-2")
        self.records |= {
            "servicePrincipals": [
                {"id": "SP-1", "appId": APP, "displayName": "Mailer", "servicePrincipalType": "Application",
                 "accountEnabled": choose.often(True, False, None), "appOwnerOrganizationId": owner,
                 "signInAudience": choose.often("AzureADMyOrg", "AzureADMultipleOrgs", None)},
                {"id": "sp-2", "appId": OTHER_APP, "displayName": "Other", "accountEnabled": True,
                 "servicePrincipalType": "ManagedIdentity", "appOwnerOrganizationId": TENANT}],
            "appRoleAssignments": [
                {"principalId": principal, "appRoleId": role} for principal, role in choose.often(
                    [("sp-1", "7146a1f0-8703-45b3-9eae-527a64c00995")], [],
                    [("sp-1", "ce81e10f-fda1-4348-8947-f7fdb6c649ad")], [("sp-1", "another-role-1")],
                    [("sp-2", "7146a1f0-8703-45b3-9eae-527a64c00995")])],
            "exchangeServicePrincipals": [
                {"AppId": app, "ObjectId": object_id} for app, object_id in choose.often(
                    [(APP, "sp-1")], [], [(APP, "wrong-1")], [(APP.upper(), "SP-1"), (OTHER_APP, "sp-2")])],
            "managementRoleAssignments": [
                {"Role": role, "App": app, "Enabled": enabled, "CustomResourceScope": scope}
                for role, app, enabled, scope in choose.often(
                    [], [("Application SMTP.SendAsApp", "sp-1", True, "")],
                    [("Application SMTP.SendAsApp", "sp-1", True, "Scanners")],
                    [("Application SMTP.SendAsApp", "sp-1", False, "")], [("Application Mail.Send", "sp-1", True, "")],
                    [("Application SMTP.SendAsApp", "somebody-1", True, "")])],
            "oauth2PermissionGrants": [
                {"clientId": "sp-1", "consentType": kind, "principalId": whom, "scope": scope}
                for kind, whom, scope in choose.often(
                    [("AllPrincipals", None, "openid SMTP.Send")], [("Principal", "account-1", "SMTP.Send")], [],
                    [("AllPrincipals", None, "openid")])],
            "mailboxPermissions": [
                {"Identity": mailbox, "User": user, "AccessRights": rights, "Deny": deny}
                for mailbox, user, rights, deny in choose.often(
                    [(f"account-{number}", "sp-1", ["FullAccess"], False) for number in (1, 2, 3)], [],
                    [("Account-1", "sp-1", ["FullAccess"], False), ("account-1", "sp-1", ["FullAccess"], True)],
                    [("unknown mailbox 1", "sp-1", ["FullAccess"], False)],
                    [("account-1", "sp-2", ["FullAccess"], False)],
                    [("account-1", "sp-1", ["ReadPermission"], False)])],
        }  # fmt: skip

    # --- accounts ---

    def _person(self, choose, account, number):
        name = f"Person{number + 1}"
        upn = f"{name}{choose.often('', '#EXT#')}@{choose.often(*DOMAINS)}"
        licences, plans, states = choose.often(*LICENCES)
        mail, proxies = choose.often(
            (upn, [f"SMTP:{upn}", f"smtp:{name}.alias@contoso.example", "x500:/o=Contoso"]), (None, []),
            (upn, []), (None, [f"smtp:{name}.alias@contoso.example"]))  # fmt: skip
        days = choose.often(10, 100, 400, None)
        changed = None if days is None else (self.now - timedelta(days=days)).isoformat()
        self.records["users"].append({
            "id": account, "userPrincipalName": upn, "displayName": name, "mail": mail, "proxyAddresses": proxies,
            "accountEnabled": choose.often(True, False, None),
            "userType": choose.often("Member", "Guest", None, "Robot"),
            "creationType": choose.often(None, "Invitation", "EmailVerified", "SelfServiceSignUp", "Future"),
            "externalUserState": choose.often(None, "Accepted"),
            "assignedLicenses": licences, "assignedPlans": plans, "licenseAssignmentStates": states,
            "onPremisesSyncEnabled": None, "isResourceAccount": None, "usageLocation": "CH",
            "passwordPolicies": choose.often(None, "DisablePasswordExpiration",
                                             "DisableStrongPassword, DisablePasswordExpiration"),
            "lastPasswordChangeDateTime": changed, "createdDateTime": "2024-01-01T00:00:00Z",
        })  # fmt: skip
        self._memberships(choose, account)
        self._in_exchange(choose, account, upn)

    def _memberships(self, choose, account):
        mfa = choose.often("disabled", "enabled", "enforced", None)
        if mfa:
            self.records["perUserMfa"].append({"id": account.lower(), "perUserMfaState": mfa})
        if choose.pick(False, True):
            self.records["groupMembers"].append({"groupId": GROUPS[0].upper(), "id": account.upper()})
        if choose.often(False, True):
            self.records["groupMembers"].append({"groupId": GROUPS[2], "id": account})
        role = choose.often(None, ("ADMIN-1", "/"), ("reader-1", "/"), ("admin-1", "/administrativeUnits/1"),
                            ("custom-1", "/"), ("deleted-role-1", "/"))  # fmt: skip
        if role:
            self.records["roleAssignments"].append(
                {"principalId": account, "roleDefinitionId": role[0], "directoryScopeId": role[1]})  # fmt: skip

    def _in_exchange(self, choose, account, upn):
        key = choose.often({"ExternalDirectoryObjectId": account.upper()}, {"UserPrincipalName": upn.upper()},
                           {"PrimarySmtpAddress": upn})  # fmt: skip
        usage = choose.often("User", "Shared", "deleted", None)
        if usage:
            self.records["mailboxUsage"].append({"userPrincipalName": upn.lower(), "isDeleted": usage == "deleted",
                                                 "recipientType": "User" if usage == "deleted" else usage})  # fmt: skip
        mailbox = choose.often("UserMailbox", "SharedMailbox", None)
        if mailbox:
            self.records["mailboxes"].append({**key, "RecipientTypeDetails": mailbox})
        user = choose.often(("UserMailbox", {}), ("MailUser", {}), ("UserMailbox", {"AuthenticationPolicy": "Strict"}),
                            ("UserMailbox", {"AuthenticationPolicy": "contoso.onmicrosoft.com\\lenient"}),
                            ("UserMailbox", {"AuthenticationPolicy": "GUID-ODD-1"}),
                            ("UserMailbox", {"AuthenticationPolicy": "Unheard"}), None)  # fmt: skip
        if user:
            policy_ = {self.policy_name: user[1].get("AuthenticationPolicy")}
            self.records["exchangeUsers"].append({**key, "RecipientTypeDetails": user[0], **policy_})
        switch = choose.often(None, True, False, "True", "", "missing", "no row")
        if switch != "no row":
            given = {} if switch == "missing" else {self.switch_name: switch}
            self.records["casMailboxes"].append({**key, **given})

    # --- senders ---

    def _sender(self, choose, number):
        account = choose.pick(*(user["id"] for user in self.records["users"][:3]))
        user = next(one for one in self.records["users"] if one["id"] == account)
        upn = user["userPrincipalName"]
        other = self.records["users"][-1]
        sender = {
            "name": f"sender-{number}", "account": choose.often(account, upn.upper(), "nobody@contoso.example"),
            "from": choose.pick("", upn, f"{upn.partition('@')[0]}.Alias@contoso.example", other["userPrincipalName"],
                                "team@contoso.example"),
            "username": choose.often("", upn.upper(), "contoso\\person"),
            "server": choose.often("", "smtp.office365.com", "SMTP.Office365.com", "smtp-legacy.office365.com",
                                   "40.99.10.34", "smtp.example.org", "smtp.hve.mx.microsoft",
                                   "contoso.mail.protection.outlook.com", "graph.microsoft.com"),
            "port": choose.often(587, 25, 465, 2525), "tls": choose.often("starttls", "implicit", "none"),
            "auth": choose.pick("basic", "oauth"),
            "route": choose.often("", "client-submission", "hve", "relay", "direct-send", "graph"),
            "egress_ips": choose.pick([], ["203.0.113.7"], ["2001:db8:2::7"], ["198.51.100.7"],
                                      ["203.0.113.7", "198.51.100.7"], ["203.0.113.7", "2001:db8:1::9"]),
            "oauth_app_id": choose.pick(APP.upper(), APP, OTHER_APP, "app-unheard", ""),
            "oauth_flow": choose.pick("app-only", "app-only", "delegated"),
            "recipients": choose.pick("", "internal", "external"),
            "recipients_per_day": choose.often(None, 10_000, 10_001),
            "messages_per_minute": choose.often(None, 30, 31), "connections": choose.often(None, 3, 4),
        }  # fmt: skip
        self._send_as(choose, sender, upn)
        return sender

    def _send_as(self, choose, sender, upn):
        """A permission or two that this sender may use."""
        for _ in range(2):
            trustee = choose.pick(None, upn, GROUPS[0], "TEAM@contoso.example", GROUPS[2], "sp-1", "Nobody known 1",
                                  "NT AUTHORITY\\SELF", GROUPS[1])  # fmt: skip
            mailbox = choose.often(sender["from"], "account-1", "Nobody known 2")
            access = choose.often("Allow", "Deny")
            rights = choose.often(["SendAs"], ["ReadPermission"])
            if trustee and mailbox:
                granted = {"Identity": mailbox, "Trustee": trustee, "AccessControlType": access, "AccessRights": rights}
                self.records["recipientPermissions"].append(granted)

    # --- what was not read ---

    def _drop(self, choose):
        """Some datasets are not there, or not whole; Exchange's exports may be old, or come from elsewhere."""
        exchange = choose.often({"as_of": ""}, {"as_of": "2026-09-01T00:00:00+00:00", "source": "export"},
                                {"as_of": "2026-09-01T00:00:00+00:00", "source": "admin API"},
                                {"as_of": "", "source": "tenant configuration snapshot"})  # fmt: skip
        self.entries = {name: {"state": "complete", "records": len(records)} for name, records in self.records.items()}
        for name in ON_EXCHANGE:
            self.entries[name] |= exchange
        if choose.often(False, True):
            for name in ON_EXCHANGE:
                self.lose(name, "not-asked")
        for _ in range(choose.pick(0, 0, 0, 1, 1, 2, 3)):
            self.lose(choose.pick(*DROPPABLE), choose.pick("denied", "cut", "failed", "not-asked"))

    def lose(self, name, state):
        """A cut dataset keeps the rows that were read."""
        self.entries[name] = {"state": state}
        if state != "cut":
            self.records[name] = []

    def of(self, account):
        """The records that name an account, for a failure's message."""
        named = {name: [record for record in records if account in json.dumps(record).lower().split('"')]
                 for name, records in self.records.items()}  # fmt: skip
        lost = {name: entry["state"] for name, entry in self.entries.items() if entry["state"] != "complete"}
        return {name: records for name, records in named.items() if records}, lost

    def write(self, folder):
        folder.mkdir(parents=True)
        for name, records in self.records.items():
            if records or self.entries[name]["state"] == "complete":
                lines = "".join(json.dumps(record) + "\n" for record in records)
                (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
        manifest = {"tenant_id": "", "cloud": self.cloud, "ended": "", "datasets": self.entries}
        (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def sku(sku_id, plan):
    return {"skuId": sku_id.upper(), "skuPartNumber": sku_id[:8], "servicePlans": [{"servicePlanId": plan}]}


def licence(sku_id, *plans, disabled=(), state="Active", error="None"):
    assigned = [{"servicePlanId": plan, "service": "exchange", "capabilityStatus": status} for plan, status in plans]
    return ([{"skuId": sku_id, "disabledPlans": list(disabled)}], assigned,
            [{"skuId": sku_id, "state": state, "error": error}])  # fmt: skip


def together(*parts):
    return tuple([one for part in lists for one in part] for lists in zip(*parts, strict=True))


NONE = ([], [], [])
LICENCES = (
    licence(E3, (P2, "Enabled")), NONE, licence(E3, (P2, "Warning")), licence(E3, (P2, "Suspended")), licence(E3),
    licence(E3, (P2, "Deleted")), licence(E3, (P2, "LockedOut")), licence(E3, (P2, "Future")),
    licence(E3, disabled=[P2.upper()]), licence(E3, (P2, "Enabled"), state="Error", error="CountViolation"),
    licence(F1, (FOUNDATION, "Enabled")), licence(F1_COMM, (KIOSK, "Enabled")), licence(STRANGE, (P2, "Enabled")),
    together(licence(F1, (FOUNDATION, "Enabled")), licence(E3, (P2, "Enabled"))),
    together(licence(STRANGE), licence(E3, disabled=[P2])), ([], [{"servicePlanId": P2, "service": "exchange",
                                                                 "capabilityStatus": "Deleted"}], []),
)  # fmt: skip


def policy(choose, number):
    conditions = {
        "clientAppTypes": choose.often(["all"], ["other"], ["exchangeActiveSync", "other"], None, [], ["browser"],
                                       ["future"]),
        "applications": choose.often({"includeApplications": ["All"]}, {"includeApplications": ["Office365"]},
                                     {"includeApplications": [EXCHANGE_APP.upper()]},
                                     {"includeApplications": ["other-1"]}, {"includeApplications": ["None"]},
                                     {"includeApplications": [], "includeUserActions": ["urn:user:registerdevice"]},
                                     {"includeApplications": [],
                                      "includeAuthenticationContextClassReferences": ["c1"]}, None),
        "users": users(choose),
        "locations": choose.pick(None, None, {"includeLocations": ["All"], "excludeLocations": []},
                                 {"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]},
                                 {"includeLocations": choose.some("All", "OFFICE", "lab", "land", "gone", "gsa"),
                                  "excludeLocations": choose.some("AllTrusted", "office", "land", "gone", "All")}),
        "platforms": choose.often(None, {"includePlatforms": ["all"], "excludePlatforms": []},
                                  {"includePlatforms": ["windows"], "excludePlatforms": []}),
        "devices": choose.often(None, device("exclude", "device.isCompliant -eq True"),
                                device("include", 'device.trustType -ne "AzureAD"'),
                                device("include", 'device.model -contains "x" -or device.model -ne "y"'),
                                device("future", 'device.model -eq "x"')),
        "authenticationFlows": choose.often(None, {"transferMethods": "deviceCodeFlow"}, {"transferMethods": "none"},
                                            {"transferMethods": "future"}),
        "userRiskLevels": choose.often([], ["high"], ["strange"]), "signInRiskLevels": choose.often([], ["low"]),
        "insiderRiskLevels": choose.often(None, "minor,elevated", "strange"),
        "times": choose.often(None, {"includedRanges": ["x"]}),
        "clientApplications": choose.often(None, workload_apps("ServicePrincipalsInMyTenant"), workload_apps("sp-1"),
                                           workload_apps("ServicePrincipalsInMyTenant", exclude=["SP-1"]),
                                           {"includeServicePrincipals": ["None"]}),
        "newCondition": choose.often(None, [], {"values": ["x"]}),
    }  # fmt: skip
    if conditions["applications"]:
        conditions["applications"] |= {"excludeApplications": choose.often([], ["office365"], ["other-1"]),
                                       "applicationFilter": choose.often(None, {"mode": "include", "rule": "x"}),
                                       }  # fmt: skip
    return {
        "id": f"Policy-{number}", "displayName": f"Policy {number}",
        "state": choose.often("enabled", "enabledForReportingButNotEnforced", "disabled", "future"),
        "conditions": choose.often(conditions, conditions, None), "grantControls": controls(choose),
        "sessionControls": choose.often(None, {"signInFrequency": {"isEnabled": True}}),
    }  # fmt: skip


def device(mode, rule):
    return {"deviceFilter": {"mode": mode, "rule": rule}}


def workload_apps(*include, exclude=()):
    return {"includeServicePrincipals": list(include), "excludeServicePrincipals": list(exclude)}


def users(choose):
    return choose.often({
        "includeUsers": choose.pick(["All"], ["All"], [], ["None"], ["ACCOUNT-1", "gone-1"], ["GuestsOrExternalUsers"]),
        "excludeUsers": choose.some("account-1", "ACCOUNT-2", "GuestsOrExternalUsers", "somethingNew", "gone-2"),
        "includeGroups": choose.some(*GROUPS), "excludeGroups": choose.some(*(group.upper() for group in GROUPS)),
        "includeRoles": choose.some("Admin-1", "reader-1", "custom-1"),
        "excludeRoles": choose.some("admin-1", "reader-1", "deleted-role-1"),
        "includeGuestsOrExternalUsers": guests(choose), "excludeGuestsOrExternalUsers": guests(choose),
    }, None)  # fmt: skip


def guests(choose):
    kinds = choose.often(None, None, "internalGuest", "b2bCollaborationGuest,b2bCollaborationMember", "none",
                         "internalGuest,unknownFutureValue")  # fmt: skip
    tenants = choose.pick(None, {"membershipKind": "all"}, {"membershipKind": "enumerated", "members": ["t-2"]})
    return kinds and {"guestOrExternalUserTypes": kinds, "externalTenants": tenants}


def controls(choose):
    return choose.often({
        "operator": choose.pick("OR", "AND"),
        "builtInControls": choose.pick(["block"], ["mfa"], ["mfa", "compliantDevice"], ["passwordChange"],
                                       ["approvedApplication"], ["riskRemediation"], ["unknownFutureValue"],
                                       ["mfa", "unknownFutureValue"], []),
        "termsOfUse": choose.often([], ["tou-1"]), "customAuthenticationFactors": [],
        "authenticationStrength": choose.often(None, {"id": "STRONG"}, {"id": "weak"}, {"id": "gone"},
                                               {"id": "gone", "allowedCombinations": ["fido2"]}),
    }, None)  # fmt: skip
