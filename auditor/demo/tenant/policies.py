"""Conditional Access policies and named locations of the demo company, and what each of them is there to show."""

from __future__ import annotations

from typing import Any

from auditor.demo.tenant.directory import PHISHING_RESISTANT, bare_strength_id, role_id
from auditor.demo.tenant.groups import DELETED_GROUP, group_id
from auditor.demo.tenant.ids import Clock, Ids

Json = dict[str, Any]

HQ = "203.0.113.0/26"
HQ_V6 = "2001:db8:10::/48"
DATACENTRE = "198.51.100.0/25"
PARTNER = "192.0.2.128/25"

EXCHANGE_ONLINE = "00000002-0000-0ff1-ce00-000000000000"
ON, OFF, REPORT_ONLY = "enabled", "disabled", "enabledForReportingButNotEnforced"

GUEST_TYPES = (
    "internalGuest,b2bCollaborationGuest,b2bCollaborationMember,b2bDirectConnectUser,otherExternalUser,serviceProvider"
)

STRICT_ROLES = ("Global Administrator", "Privileged Role Administrator", "Exchange Administrator",
                "Security Administrator", "Conditional Access Administrator")  # fmt: skip
"""The administrators' policy forgets some roles, as such lists do."""


def location_id(ids: Ids, key: str) -> str:
    return ids.uuid(f"location:{key}")


def policy_id(ids: Ids, key: str) -> str:
    return ids.uuid(f"policy:{key}")


def named_locations(ids: Ids, clock: Clock) -> list[Json]:
    return [
        _place(ids, clock, "hq", "Headquarters", True, (HQ, HQ_V6)),
        _place(ids, clock, "datacentre", "Data centre", True, (DATACENTRE,)),
        _place(ids, clock, "partner", "Partner VPN (not trusted)", False, (PARTNER,)),
        {
            "@odata.type": "#microsoft.graph.countryNamedLocation",
            "id": location_id(ids, "countries"),
            "displayName": "Countries where we work",
            "createdDateTime": clock.ago(900),
            "modifiedDateTime": clock.ago(900),
            "countriesAndRegions": ["CH", "DE", "AT"],
            "includeUnknownCountriesAndRegions": False,
            "countryLookupMethod": "clientIpAddress",
        },
    ]


def _place(ids: Ids, clock: Clock, key: str, name: str, trusted: bool, ranges: tuple[str, ...]) -> Json:
    return {
        "@odata.type": "#microsoft.graph.ipNamedLocation",
        "id": location_id(ids, key),
        "displayName": name,
        "createdDateTime": clock.ago(900),
        "modifiedDateTime": clock.ago(300),
        "isTrusted": trusted,
        "ipRanges": [
            {
                "@odata.type": f"#microsoft.graph.{'iPv6CidrRange' if ':' in cidr else 'iPv4CidrRange'}",
                "cidrAddress": cidr,
            }
            for cidr in ranges
        ],
    }


class PolicyBook:
    """Writes policies by key; every value that is not named is Graph's default for it."""

    def __init__(self, ids: Ids, clock: Clock) -> None:
        self.ids = ids
        self.clock = clock

    def groups(self, *keys: str) -> list[str]:
        return [group_id(self.ids, key) for key in keys]

    def users(self, *keys: str) -> list[str]:
        return [self.ids.uuid(f"account:{key}") for key in keys]

    def roles(self, *names: str) -> list[str]:
        return [role_id(self.ids, name) for name in names]

    def place(self, key: str) -> str:
        return location_id(self.ids, key)

    def policy(
        self,
        key: str,
        name: str,
        *,
        users: Json,
        grant: Json | None,
        state: str = ON,
        apps: Json | None = None,
        clients: tuple[str, ...] = ("all",),
        days: float = 700,
        changed: float = 0,
        session: Json | None = None,
        **conditions: Any,
    ) -> Json:
        """`days` and `changed`: when it was made and last changed, counted back from quarter 1."""
        return {
            "id": policy_id(self.ids, key),
            "templateId": None,
            "deletedDateTime": None,
            "displayName": name,
            "description": None,
            "createdDateTime": self.clock.ago(days),
            "modifiedDateTime": self.clock.ago(changed or days),
            "state": state,
            "conditions": {
                "clientAppTypes": list(clients),
                "applications": _apps(**(apps or {"include": ("All",)})),
                "users": _users(**users),
                "locations": None,
                "platforms": None,
                "devices": None,
                "clientApplications": None,
                "authenticationFlows": None,
                "signInRiskLevels": [],
                "userRiskLevels": [],
                "servicePrincipalRiskLevels": [],
                "insiderRiskLevels": None,
                **conditions,
            },
            "grantControls": grant,
            "sessionControls": session,
        }


def _apps(include: tuple[str, ...] = (), exclude: tuple[str, ...] = (), actions: tuple[str, ...] = (),
          rule: Json | None = None) -> Json:  # fmt: skip
    return {
        "includeApplications": list(include),
        "excludeApplications": list(exclude),
        "includeUserActions": list(actions),
        "includeAuthenticationContextClassReferences": [],
        "applicationFilter": rule,
    }


def _users(
    include: list[str] | None = None,
    exclude: list[str] | None = None,
    groups: list[str] | None = None,
    without: list[str] | None = None,
    roles: list[str] | None = None,
    guests: str = "",
    without_guests: str = "",
) -> Json:
    """`exclude` are users, `without` groups; `guests` are guest kinds as Graph's flags."""
    return {
        "includeUsers": include or [],
        "excludeUsers": exclude or [],
        "includeGroups": groups or [],
        "excludeGroups": without or [],
        "includeRoles": roles or [],
        "excludeRoles": [],
        "includeGuestsOrExternalUsers": _guests(guests),
        "excludeGuestsOrExternalUsers": _guests(without_guests),
    }


def _guests(kinds: str) -> Json | None:
    if not kinds:
        return None
    return {
        "guestOrExternalUserTypes": kinds,
        "externalTenants": {
            "@odata.type": "#microsoft.graph.conditionalAccessAllExternalTenants",
            "membershipKind": "all",
        },
    }


def grant(*controls: str, operator: str = "OR", terms: tuple[str, ...] = (), strength: Json | None = None) -> Json:
    return {
        "operator": operator,
        "builtInControls": list(controls),
        "customAuthenticationFactors": [],
        "termsOfUse": list(terms),
        "authenticationStrength": strength,
    }


BLOCK = grant("block")
MFA = grant("mfa")
LEGACY = ("exchangeActiveSync", "other")
MODERN = ("browser", "mobileAppsAndDesktopClients")
EMERGENCY = ("breakglass1", "breakglass2")


def conditional_access(ids: Ids, clock: Clock, strengths: list[Json]) -> list[Json]:
    """The policies of the default scenario, in the order in which Graph lists them."""
    book = PolicyBook(ids, clock)
    return [*_baseline(book, strengths), *_service_accounts(book), *_pilots(book, strengths), *_elsewhere(book)]


def _baseline(book: PolicyBook, strengths: list[Json]) -> list[Json]:
    emergency = book.users(*EMERGENCY)
    board = book.users("svc.board")
    gone = book.users("someone.who.left")
    everybody = {"include": ["All"], "exclude": emergency + board}
    by_id = {row["id"]: row for row in strengths}
    return [
        book.policy("legacy", "CA001 Block legacy authentication", clients=LEGACY, grant=BLOCK, changed=45,
                    users=everybody | {"exclude": emergency + board + gone,
                                       "without": book.groups("exc-legacy", DELETED_GROUP)}),
        book.policy("mfa", "CA002 Require MFA for all users", grant=MFA,
                    users=everybody | {"without": book.groups("exc-mfa")}),
        book.policy("admins", "CA003 Administrators: phishing-resistant MFA",
                    users={"roles": book.roles(*STRICT_ROLES), "exclude": emergency},
                    grant=grant(strength=by_id[PHISHING_RESISTANT])),
        book.policy("guests", "CA004 Guests: MFA", grant=MFA, apps={"include": ("Office365",)},
                    users={"guests": GUEST_TYPES}),
        book.policy("countries", "CA005 Block other countries", grant=BLOCK,
                    users=everybody | {"without": book.groups("exc-mfa")},
                    locations={"includeLocations": ["All"], "excludeLocations": [book.place("countries")]}),
        book.policy("signin-risk", "CA006 Sign-in risk: MFA", grant=MFA, signInRiskLevels=["high", "medium"],
                    users={"groups": book.groups("employees", "vip")}),
        book.policy("user-risk", "CA007 User risk: change password", grant=grant("mfa", "passwordChange",
                    operator="AND"), userRiskLevels=["high"], users={"groups": book.groups("employees")}),
        book.policy("insider", "CA008 Insider risk", grant=BLOCK, insiderRiskLevels="elevated",
                    users={"groups": book.groups("employees")}),
        book.policy("session", "CA009 Browser sessions", users={"include": ["All"]}, grant=None,
                    session={"signInFrequency": {"value": 12, "type": "hours", "isEnabled": True,
                                                 "authenticationType": "primaryAndSecondaryAuthentication",
                                                 "frequencyInterval": "timeBased"},
                             "persistentBrowser": {"mode": "never", "isEnabled": True}}),
        book.policy("board", "CA010 Board: block legacy", clients=("other",), grant=BLOCK,
                    users={"groups": book.groups("board"), "exclude": emergency,
                           "without": book.groups("exc-legacy", "exc-mfa")}),
        book.policy("managed-legacy", "Microsoft-managed: Block legacy authentication", state=REPORT_ONLY,
                    clients=LEGACY, grant=BLOCK, users={"include": ["All"], "exclude": emergency}, days=20),
        book.policy("managed-per-user", "Microsoft-managed: Multifactor authentication for per-user multifactor "
                    "authentication users", state=REPORT_ONLY, grant=MFA,
                    users={"include": book.users("svc.legacyapp", "expired.enforced")}, days=20),
    ]  # fmt: skip


def _service_accounts(book: PolicyBook) -> list[Json]:
    return [
        book.policy("office", "CA020 Service accounts: only from headquarters", grant=BLOCK,
                    users={"groups": book.groups("office-only")},
                    locations={"includeLocations": ["All"], "excludeLocations": [book.place("hq")]}),
        book.policy("trusted", "CA021 Service accounts: only from trusted networks", grant=BLOCK,
                    users={"groups": book.groups("trusted-only")},
                    locations={"includeLocations": ["All"], "excludeLocations": ["AllTrusted"]}),
        book.policy("delegated", "CA022 Delegated apps: MFA", clients=MODERN, grant=MFA,
                    users={"groups": book.groups("modern-mfa")}),
        book.policy("workload", "CA023 Retired apps: block workload identities", users={"include": ["None"]},
                    grant=BLOCK, clientApplications={
                        "includeServicePrincipals": [book.ids.uuid("sp:workload")], "excludeServicePrincipals": [],
                        "servicePrincipalFilter": None,
                    }),
        book.policy("exchange-devices", "CA024 Frontline: compliant device for Exchange",
                    apps={"include": (EXCHANGE_ONLINE,)}, grant=grant("compliantDevice", "domainJoinedDevice"),
                    users={"groups": book.groups("frontline")},
                    devices={"deviceFilter": {"mode": "exclude", "rule": "device.isCompliant -eq True"}}),
        book.policy("exchange-kiosk", "CA025 Kiosks: block Exchange", apps={"include": (EXCHANGE_ONLINE,)},
                    grant=BLOCK, users={"groups": book.groups("smtp-devices")},
                    devices={"deviceFilter": {"mode": "include",
                                              "rule": 'device.extensionAttribute1 -eq "kiosk"'}}),
        book.policy("frontline-legacy", "CA026 Frontline: block legacy (trial)", state=REPORT_ONLY, clients=LEGACY,
                    grant=BLOCK, users={"groups": book.groups("frontline")}, days=60),
        book.policy("not-exchange", "CA027 Block all but Exchange", grant=BLOCK,
                    apps={"include": ("All",), "exclude": (EXCHANGE_ONLINE,)},
                    users={"groups": book.groups("smtp-senders")}),
    ]  # fmt: skip


def _pilots(book: PolicyBook, strengths: list[Json]) -> list[Json]:
    bare = next(row for row in strengths if row["id"] == bare_strength_id(book.ids))
    rule = {"mode": "include", "rule": 'CustomSecurityAttribute.Demo_Tier -eq "1"'}
    return [
        book.policy("future", "CA030 Pilot: new controls", grant=grant("unknownFutureValue"),
                    users={"groups": book.groups("pilot-future")}),
        book.policy("future-condition", "CA031 Pilot: new condition", grant=BLOCK,
                    users={"groups": book.groups("pilot-future")}, verifiedIdRiskLevels=["high"]),
        book.policy("hours", "CA032 Pilot: outside working hours", grant=BLOCK,
                    users={"groups": book.groups("pilot-hours")},
                    times={"includedRanges": [{"daysOfWeek": ["saturday", "sunday"], "startTime": "00:00:00",
                                               "endTime": "23:59:59"}], "excludedRanges": [], "allDay": True}),
        book.policy("strength", "CA033 Pilot: device password strength", grant=grant(strength=bare),
                    users={"groups": book.groups("pilot-strength")}),
        book.policy("platform", "CA034 Pilot: block unknown platforms", grant=BLOCK,
                    users={"groups": book.groups("pilot-platform")},
                    platforms={"includePlatforms": ["all"],
                               "excludePlatforms": ["android", "iOS", "windows", "macOS"]}),
        book.policy("app-filter", "CA035 Pilot: tier 1 applications", grant=MFA,
                    apps={"rule": rule}, users={"groups": book.groups("pilot-filter")}),
        book.policy("approved", "CA036 Pilot: approved client apps", grant=grant("approvedApplication"),
                    users={"groups": book.groups("pilot-approved")}),
    ]  # fmt: skip


def _elsewhere(book: PolicyBook) -> list[Json]:
    """Policies that never reach SMTP."""
    everybody = {"include": ["All"]}
    return [
        book.policy("registration", "CA040 Register security info from trusted places", grant=MFA, users=everybody,
                    apps={"actions": ("urn:user:registersecurityinfo",)}),
        book.policy("device-code", "CA041 Block device code flow", grant=BLOCK, users=everybody,
                    authenticationFlows={"transferMethods": "deviceCodeFlow"}),
        book.policy("mobile", "CA042 Mobile: app protection", grant=grant("compliantApplication"),
                    clients=("mobileAppsAndDesktopClients",), users=everybody,
                    platforms={"includePlatforms": ["android", "iOS"], "excludePlatforms": []}),
        book.policy("sharepoint", "CA043 SharePoint terms", grant=grant(terms=(book.ids.uuid("terms"),)),
                    apps={"include": ("00000003-0000-0ff1-ce00-000000000000",)}, users=everybody),
        book.policy("activesync", "CA044 Block Exchange ActiveSync", grant=BLOCK, clients=("exchangeActiveSync",),
                    users=everybody),
        book.policy("old", "CA099 Old: block everything else", state=OFF, grant=BLOCK, users=everybody, days=1500),
    ]  # fmt: skip


def leftovers(ids: Ids, clock: Clock) -> list[Json]:
    """A tenant without Entra ID P1 keeps what a trial left behind, switched off."""
    book = PolicyBook(ids, clock)
    return [book.policy("old", "CA099 Old: block everything else", state=OFF, grant=BLOCK,
                        users={"include": ["All"]}, days=1500)]  # fmt: skip
