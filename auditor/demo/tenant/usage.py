"""The usage reports: e-mail apps (CSV rows, v1.0) and mailbox usage (JSON rows, beta)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from auditor.demo.rows import Rows
from auditor.demo.tenant.account import Account
from auditor.demo.tenant.crowd import Accounts
from auditor.demo.tenant.ids import Clock

Json = dict[str, Any]

EMAIL_APP_COLUMNS = (
    "Report Refresh Date", "User Principal Name", "Display Name", "Is Deleted", "Deleted Date", "Last Activity Date",
    "Mail For Mac", "Outlook For Mac", "Outlook For Windows", "Outlook For Mobile", "Other For Mobile",
    "Outlook For Web", "POP3 App", "IMAP4 App", "SMTP App", "Report Period",
)  # fmt: skip
"""learn.microsoft.com/graph/api/reportroot-getemailappusageuserdetail"""

LAG = 2
"""days by which the reports trail"""

_SMTP_HABITS = ("daily", "cloud", "sometimes", "undeclared", "abroad", "stopped", "refused", "contradiction")


def email_app_usage(accounts: Accounts, clock: Clock) -> Sequence[dict[str, str]]:
    """One row per licensed mailbox user; `Yes` where the app was used, else empty."""
    used = accounts.where(lambda account: account.mailbox and (account.licences or account.smtp))
    return Rows(used, partial(_app_row, refreshed=clock.recent(LAG)[:10], clock=clock))


def _app_row(account: Account, *, refreshed: str, clock: Clock) -> dict[str, str]:
    smtp = account.smtp in _SMTP_HABITS
    person = bool(account.methods)
    values = {
        "Report Refresh Date": refreshed,
        "User Principal Name": account.upn,
        "Display Name": account.name,
        "Is Deleted": "False",
        "Last Activity Date": clock.recent(LAG + 1)[:10] if smtp or person else "",
        "Outlook For Windows": "Yes" if person else "",
        "Outlook For Mobile": "Yes" if person and account.number % 3 == 0 else "",
        "IMAP4 App": "Yes" if account.number % 41 == 7 else "",
        "SMTP App": "Yes" if smtp or account.number % 97 == 11 else "",
        "Report Period": "180",
    }
    return {column: values.get(column, "") for column in EMAIL_APP_COLUMNS}


GONE = Account("deleted.mailbox", "Deleted Mailbox", "deleted.mailbox@contoso.example", mailbox="UserMailbox")


def mailbox_usage(accounts: Accounts, clock: Clock) -> Sequence[Json]:
    """One row per mailbox, and one of a mailbox that was deleted within the period."""
    mailboxes = accounts.where(lambda account: account.mailbox).followed_by(GONE)
    return Rows(mailboxes, partial(_mailbox_row, refreshed=clock.recent(LAG)[:10], clock=clock))


def _mailbox_row(account: Account, *, refreshed: str, clock: Clock) -> Json:
    gone = account is GONE
    return {
        "reportRefreshDate": refreshed,
        "userPrincipalName": account.upn,
        "displayName": account.name,
        "isDeleted": gone,
        "deletedDate": refreshed if gone else None,
        "createdDate": clock.ago(account.created_days)[:10],
        "lastActivityDate": clock.recent(LAG + 1)[:10],
        "recipientType": "Shared" if account.mailbox == "SharedMailbox" else "User",
        "itemCount": 120,
        "storageUsedInBytes": 45_000_000,
        "issueWarningQuotaInBytes": 105_226_698_752,
        "prohibitSendQuotaInBytes": 106_300_440_576,
        "prohibitSendReceiveQuotaInBytes": 107_374_182_400,
        "deletedItemCount": 4,
        "deletedItemSizeInBytes": 90_000,
        "hasArchive": False,
        "reportPeriod": "7",
    }
