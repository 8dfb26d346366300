"""Sign-in logs and audit events of the last thirty days before the clock.

Shape and codes: learn.microsoft.com/graph/api/resources/signin and
learn.microsoft.com/entra/identity-platform/reference-error-codes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

from auditor.demo.tenant.account import Account
from auditor.demo.tenant.crowd import Accounts
from auditor.demo.tenant.ids import Clock, Ids
from auditor.demo.tenant.policies import EXCHANGE_ONLINE, policy_id
from auditor.demo.tenant.senders import CLOUD, OFFICE

Json = dict[str, Any]

DAYS = 30
SPRAY_SOURCES = ("192.0.2.66", "192.0.2.67", "2001:db8:bad::5")
ABROAD = "192.0.2.200"

REASONS = {
    0: "Other.",
    50126: "Error validating credentials due to invalid username or password.",
    50053: "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.",
    50055: "The password is expired.",
    50056: "Invalid or null password: password does not exist in the directory for this user.",
    50057: "The user account is disabled.",
    50034: "The user account does not exist in the directory.",
    50076: "Due to a configuration change made by your administrator, or because you moved to a new location, you "
    "must use multi-factor authentication to access the resource.",
    53003: "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
    530035: "Access has been blocked by security defaults.",
}


class SignInLog:
    """Writes sign-ins; ids are counted, so that equal settings give equal logs."""

    def __init__(
        self,
        ids: Ids,
        clock: Clock,
        tenant_id: str,
        policies: Sequence[Json],
        legacy_code: int,
        refused_by: tuple[str, ...] | None = None,
        refused_since: float = 0,
    ) -> None:
        self.ids = ids
        self.clock = clock
        self.tenant_id = tenant_id
        self.policies = {policy["id"]: policy for policy in policies}
        self.legacy_code = legacy_code
        """what a refused legacy sign-in answers: 53003, or 530035 under security defaults"""
        self.refused_by = refused_by
        """what refuses everybody's SMTP sign-ins (keys of policies; none under security defaults); None: nothing"""
        self.refused_since = refused_since
        """since so many days"""
        self.rows: list[Json] = []

    def smtp(
        self,
        account: Account,
        days: float,
        ip: str,
        code: int = 0,
        *,
        failed: tuple[str, ...] = (),
        client: str = "Authenticated SMTP",
    ) -> None:
        """An SMTP sign-in so many days before `now`; `failed`: keys of policies that refused it."""
        applied = [self._applied(key, "failure") for key in failed]
        applied += [self._applied(key, "notApplied") for key in ("legacy", "mfa") if key not in failed]
        applied.append(self._applied("managed-legacy", "reportOnlyFailure"))
        self.rows.append(self._row(account, days, ip, code, client, [row for row in applied if row]))

    def other(self, account: Account, days: float, ip: str, client: str, app: tuple[str, str]) -> None:
        applied = [row for row in (self._applied("mfa", "success"),) if row]
        row = self._row(account, days, ip, 0, client, applied)
        row["appDisplayName"], row["appId"] = app
        self.rows.append(row)

    def _applied(self, key: str, result: str) -> Json:
        policy = self.policies.get(policy_id(self.ids, key))
        if policy is None:
            return {}
        controls = (policy["grantControls"] or {}).get("builtInControls", [])
        return {
            "id": policy["id"],
            "displayName": policy["displayName"],
            "result": result,
            "enforcedGrantControls": [control.capitalize() for control in controls] if result == "failure" else [],
            "enforcedSessionControls": [],
        }

    def _row(self, account: Account, days: float, ip: str, code: int, client: str, applied: list[Json]) -> Json:
        number = len(self.rows)
        blocked = any(row["result"] == "failure" for row in applied)
        passed = any(row["result"] == "success" for row in applied)
        return {
            "id": self.ids.uuid(f"sign-in:{self.clock.recent(0)}:{number}"),
            "createdDateTime": self.clock.recent(days),
            "userDisplayName": account.name,
            "userPrincipalName": account.upn.lower(),
            "userId": account.id,
            "appId": EXCHANGE_ONLINE,
            "appDisplayName": "Office 365 Exchange Online",
            "ipAddress": ip,
            "clientAppUsed": client,
            "correlationId": self.ids.uuid(f"correlation:{self.clock.recent(0)}:{number}"),
            "conditionalAccessStatus": "failure" if blocked else "success" if passed else "notApplied",
            "isInteractive": True,
            "riskDetail": "none",
            "riskLevelAggregated": "none",
            "riskLevelDuringSignIn": "none",
            "riskState": "none",
            "riskEventTypes": [],
            "riskEventTypes_v2": [],
            "resourceDisplayName": "Office 365 Exchange Online",
            "resourceId": EXCHANGE_ONLINE,
            "homeTenantId": self.tenant_id,
            "status": {"errorCode": code, "failureReason": REASONS[code], "additionalDetails": None},
            "deviceDetail": {"deviceId": "", "displayName": "", "operatingSystem": "", "browser": "",
                             "isCompliant": False, "isManaged": False, "trustType": ""},
            "location": {"city": "Demo City", "state": "", "countryOrRegion": "CH",
                         "geoCoordinates": {"altitude": None, "latitude": 47.0, "longitude": 8.0}},
            "appliedConditionalAccessPolicies": applied,
        }  # fmt: skip

    def newest_first(self) -> list[Json]:
        return sorted(self.rows, key=lambda row: (row["createdDateTime"], row["id"]), reverse=True)


def sign_ins(log: SignInLog, accounts: Accounts, rng: random.Random) -> list[Json]:
    """All sign-ins, newest first: the senders' habits, a password spray, and everything that is not SMTP."""
    for account in accounts.where(lambda account: account.smtp):
        for days, ip, code, failed, client in _habit(account, log.legacy_code):
            if code == 0 and log.refused_by is not None and days < log.refused_since:
                log.smtp(account, days, ip, log.legacy_code, failed=log.refused_by, client=client)
            else:
                log.smtp(account, days, ip, code, failed=failed, client=client)
    _spray(log, accounts, rng)
    _everyday(log, accounts, rng)
    return log.newest_first()


Event = tuple[float, str, int, tuple[str, ...], str]


def _habit(account: Account, legacy_code: int) -> Iterator[Event]:
    """The SMTP evidence of one account, by `Account.smtp`."""
    today, name = 0.31, "Authenticated SMTP"
    match account.smtp:
        case "daily":
            yield from ((day + today, OFFICE, 0, (), name) for day in range(DAYS - 1))
        case "cloud":
            yield from ((day + today, CLOUD, 0, (), name) for day in range(DAYS - 1))
        case "sometimes":
            yield from ((day + today, CLOUD, 0, (), "SMTP") for day in (2, 9, 23))
        case "undeclared":
            yield from ((day + 0.77, CLOUD, 0, (), name) for day in range(0, DAYS - 1, 2))
        case "abroad":
            yield from ((day + today, OFFICE, 0, (), name) for day in range(DAYS - 1))
            yield (4.125, ABROAD, 0, (), name)
        case "stopped":
            yield from ((day + today, OFFICE, 0, (), name) for day in range(20, DAYS - 1))
        case "refused":
            yield from ((day + today, CLOUD, 0, (), name) for day in range(3, DAYS - 1))
            yield (1.5, CLOUD, legacy_code, (), name)
        case "contradiction":
            yield from ((day + today, CLOUD, legacy_code, ("legacy",), name) for day in range(3, DAYS - 1))
            yield (1.25, CLOUD, 0, (), name)
        case "ca-refused":
            yield from ((day + today, OFFICE, legacy_code, ("mfa",), name) for day in range(0, DAYS - 1, 4))
        case "disabled":
            yield from ((day + today, OFFICE, 50057, (), name) for day in range(0, DAYS - 1, 5))
        case "expired":
            yield from ((day + today, OFFICE, 50055, (), name) for day in range(0, DAYS - 1, 2))


def _spray(log: SignInLog, accounts: Accounts, rng: random.Random) -> None:
    """Few sources, many accounts, wrong passwords; among them accounts that have left the tenant."""
    targets = accounts.where(lambda account: account.mailbox and account.user_type == "Member")
    chosen = rng.sample(targets, min(len(targets), 120))
    gone = [Account(f"gone{n}", f"Gone {n}", f"gone{n}@contoso.example", log.ids.uuid(f"gone:{n}")) for n in range(12)]
    for number, account in enumerate([*chosen, *gone]):
        code = 50034 if number >= len(chosen) else 50057 if not account.enabled else 50126
        if number % 9 == 8:
            code = 50053
        log.smtp(account, 6.4 + number * 0.002, SPRAY_SOURCES[number % len(SPRAY_SOURCES)], code)


_EVERYDAY = (
    ("Browser", ("Office 365 SharePoint Online", "00000003-0000-0ff1-ce00-000000000000")),
    ("Mobile Apps and Desktop clients", ("Microsoft Teams", "1fec8e78-bce4-4aaf-ab1b-5451cc387264")),
    ("Mobile Apps and Desktop clients", ("Office 365 Exchange Online", EXCHANGE_ONLINE)),
    ("Exchange ActiveSync", ("Office 365 Exchange Online", EXCHANGE_ONLINE)),
    ("IMAP4", ("Office 365 Exchange Online", EXCHANGE_ONLINE)),
)


def _everyday(log: SignInLog, accounts: Accounts, rng: random.Random) -> None:
    people = accounts.where(lambda account: account.methods and account.enabled)
    for _ in range(min(3000, 3 * len(accounts))):
        client, app = _EVERYDAY[int(rng.random() * len(_EVERYDAY))]
        log.other(people[int(rng.random() * len(people))], DAYS * rng.random(), OFFICE, client, app)


def directory_audits(ids: Ids, clock: Clock, accounts: dict[str, Account]) -> list[Json]:
    """App passwords created and deleted, among other activities; newest first."""
    created, deleted = "Create application password for user", "Delete application password for user"
    events = [
        (3.2, created, "svc.legacyapp"), (11.0, created, "expired.enforced"), (9.5, deleted, "expired.enforced"),
        (2.0, "Update user", "vip.director"), (5.5, "Add member to group", "svc.faxgate"),
        (14.0, "Reset user password", "svc.abandoned"), (21.0, "Update conditional access policy", "admin.ravel"),
    ]  # fmt: skip
    rows = [
        _audit(ids, clock, days, activity, accounts[key], number) for number, (days, activity, key) in enumerate(events)
    ]
    return sorted(rows, key=lambda row: row["activityDateTime"], reverse=True)


def _audit(ids: Ids, clock: Clock, days: float, activity: str, target: Account, number: int) -> Json:
    identifier = ids.uuid(f"audit:{clock.recent(0)}:{number}")
    return {
        "id": f"Directory_{identifier}",
        "category": "UserManagement",
        "correlationId": ids.uuid(f"audit-correlation:{clock.recent(0)}:{number}"),
        "result": "success",
        "resultReason": "",
        "activityDisplayName": activity,
        "activityDateTime": clock.recent(days),
        "loggedByService": "Core Directory",
        "operationType": activity.partition(" ")[0],
        "initiatedBy": {
            "app": None,
            "user": {"id": target.id, "displayName": None, "userPrincipalName": target.upn, "ipAddress": OFFICE},
        },
        "targetResources": [
            {
                "id": target.id,
                "displayName": None,
                "type": "User",
                "userPrincipalName": target.upn,
                "groupType": None,
                "modifiedProperties": [],
            }
        ],
        "additionalDetails": [],
    }
