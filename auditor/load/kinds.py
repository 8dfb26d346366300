"""What sort of account it is. Evidence for people (and for severity), not a blocker: nothing is closed by a kind."""

from __future__ import annotations

import re
import sys

from auditor.load.users import Users
from auditor.tenant import YES

SYNC_ROLE = "d29b2b05-8046-44ba-8758-1e26182fcf32"
"""Template id of the role Directory Synchronization Accounts."""

_SYNC_UPN = re.compile(r"^(sync_|aadtoaadsyncserviceaccount@|adtoaadsyncserviceaccount@)", re.IGNORECASE)
_SYNC_NAME = "on-premises directory synchronization service account"

_BY_RECIPIENT = {
    "usermailbox": "user",
    "linkedmailbox": "user",
    "legacymailbox": "user",
    "sharedmailbox": "shared",
    "teammailbox": "shared",
    "remotesharedmailbox": "shared",
    "roommailbox": "room",
    "remoteroommailbox": "room",
    "schedulingmailbox": "room",
    "equipmentmailbox": "equipment",
    "remoteequipmentmailbox": "equipment",
    "guestmailuser": "guest",
    "arbitrationmailbox": "service",
    "discoverymailbox": "service",
    "monitoringmailbox": "service",
    "auditlogmailbox": "service",
    "supervisoryreviewpolicymailbox": "service",
}

_SERVICE_WORD = re.compile(
    r"(^|[-_. ])(svc|service|srv|scan|scanner|scan2mail|scantomail|printer|printers|mfp|copier|fax|noreply|no-reply|"
    r"donotreply|do-not-reply|smtp|relay|mailer|notifications?|alerts?|monitoring|backup|daemon|automation)"
    r"\d*($|[-_. ])"
)


def kinds(
    users: Users,
    mailbox: list[str],
    usage: list[str],
    exchange_user: list[str],
    mfa_registered: list[int],
    roles: list[frozenset[str]],
    declared: frozenset[int],
    *,
    recipients_read: bool,
) -> list[str]:
    """user, shared, room, equipment, guest, service, sync or unknown, per account.

    Exchange's recipient type decides where it was read; then the guest type, the usage report, Graph's
    isResourceAccount. What remains is a person's account unless it looks like a service: a declared sender or a telling
    name, and no registered MFA method; both signs together outweigh a method. `recipients_read`: a complete dataset
    lists the mailboxes, so that a member without a row is neither shared nor a room."""
    found = []
    for row in range(len(users)):
        kind = _told(users, row, mailbox[row], usage[row], exchange_user[row], roles[row])
        if not kind and users.user_type[row] == "member" and (recipients_read or users.enabled[row] == YES):
            kind = "user"
        if kind == "user":
            kind = _person_or_service(users, row, row in declared, mfa_registered[row])
        found.append(sys.intern(kind or "unknown"))
    return found


def _told(users: Users, row: int, mailbox: str, usage: str, exchange_user: str, roles: frozenset[str]) -> str:
    """The kind by what Microsoft says of the account; empty where that does not tell."""
    upn = users.user_principal_name[row]
    if SYNC_ROLE in roles or _SYNC_UPN.match(upn) or users.display_name[row].strip().lower() == _SYNC_NAME:
        return "sync"
    by_mailbox = _BY_RECIPIENT.get(mailbox.lower(), "")
    if by_mailbox and by_mailbox != "user":
        return by_mailbox
    if users.user_type[row] == "guest":
        return "guest"
    if by_mailbox:
        return by_mailbox
    by_recipient = _BY_RECIPIENT.get(exchange_user.lower(), "")
    if by_recipient:
        return by_recipient
    if usage == "shared":
        return "shared"
    if users.resource_account[row] == YES:
        return "service"
    return "user" if usage == "user" else ""


def _person_or_service(users: Users, row: int, declared: bool, mfa_registered: int) -> str:
    local = users.user_principal_name[row].partition("@")[0].lower()
    named = bool(_SERVICE_WORD.search(local) or _SERVICE_WORD.search(users.display_name[row].lower()))
    if (named and declared) or ((named or declared) and mfa_registered != YES):
        return "service"
    return "user"
