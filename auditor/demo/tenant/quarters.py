"""What happened at the company from one quarter to the next: the same people, with a known list of changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from auditor.demo.tenant.account import ROOT, Account, Company
from auditor.demo.tenant.people import E3, PLAN1

Act = Callable[[Company], None]


@dataclass(frozen=True, slots=True)
class Change:
    """One change that takes effect with a quarter. `subject`: the key of an account, the key of a policy, or the name
    of a sender; `act` changes the accounts, `policy_state` a policy (key, new state)."""

    quarter: int
    kind: str
    """sender-fixed, admin-fixed, account-fixed, account-exposed, leaver-gone, policy-on, mfa-off, new-admin"""
    subject: str
    text: str
    act: Act | None = None
    policy_state: tuple[str, str] | None = None
    refuses_everybody: bool = False
    """from then on no SMTP sign-in succeeds"""


def _scanner_on(company: Company) -> None:
    account = company["svc.scanner"]
    account.switch, account.smtp = False, "daily"


def _migration_closed(company: Company) -> None:
    account = company["admin.migration"]
    account.groups, account.smtp = (), ""


def _new_integration(company: Company) -> None:
    company.add(
        Account("svc.newintegration", "New Integration", f"svc.newintegration@{ROOT}", licences=PLAN1, switch=False,
                mailbox="UserMailbox", exchange="UserMailbox", never_expires=True, password_days=-30,
                created_days=-30, groups=("exc-legacy", "exc-mfa"), smtp="undeclared")
    )  # fmt: skip


def _leaver_gone(company: Company) -> None:
    del company.accounts["leaver3"]


def _newsletter_excluded(company: Company) -> None:
    account = company["svc.newsletter"]
    account.groups, account.smtp = ("exc-mfa", "exc-legacy"), "cloud"


def _legacy_app_off(company: Company) -> None:
    account = company["svc.legacyapp"]
    account.mfa, account.app_password = "disabled", False


def _abandoned_closed(company: Company) -> None:
    company["svc.abandoned"].auth_policy = "Block Basic Auth"


def _promoted(company: Company) -> None:
    account = company["plan.upgraded"]
    account.licences, account.roles = E3, ("Billing Administrator",)


CHANGES = (
    Change(2, "sender-fixed", "scanner-hq", "SMTP AUTH was switched on for the scanner's mailbox.", _scanner_on),
    Change(2, "admin-fixed", "admin.migration", "The operator left the two exclusion groups.", _migration_closed),
    Change(2, "account-exposed", "svc.newintegration", "A new account was excluded from every policy.",
           _new_integration),
    Change(2, "leaver-gone", "leaver3", "A leaver's account was deleted.", _leaver_gone),
    Change(2, "policy-on", "frontline-legacy", "The frontline trial was switched from report-only to on.",
           policy_state=("frontline-legacy", "enabled")),
    Change(3, "sender-fixed", "newsletter", "The newsletter was excluded from the legacy block.",
           _newsletter_excluded),
    Change(3, "mfa-off", "legacy-app", "Per-user MFA was switched off for the legacy app.", _legacy_app_off),
    Change(3, "account-fixed", "svc.abandoned", "The abandoned account got the blocking authentication policy.",
           _abandoned_closed),
    Change(3, "new-admin", "plan.upgraded", "A colleague became Billing Administrator.", _promoted),
    Change(4, "policy-on", "managed-legacy", "Microsoft's managed policy was switched on.",
           policy_state=("managed-legacy", "enabled"), refuses_everybody=True),
)  # fmt: skip


def changes(quarter: int) -> list[Change]:
    """What is different in this quarter from the one before; nothing in quarter 1 or after the last change."""
    return [change for change in CHANGES if change.quarter == quarter]


def until(quarter: int) -> list[Change]:
    """All changes up to and with this quarter."""
    return [change for change in CHANGES if change.quarter <= quarter]
