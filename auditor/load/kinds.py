"""What sort of account it is. Evidence for people (and for severity), not a blocker: nothing is closed by a kind."""

from __future__ import annotations

import re

import numpy as np

from auditor.compact import Coded, combined, take, where
from auditor.load.users import Users
from auditor.tenant import YES, Tri

SYNC_ROLE = "d29b2b05-8046-44ba-8758-1e26182fcf32"
"""Template id of the role Directory Synchronization Accounts."""

_SYNC_UPN = re.compile(r"^(sync_|aadtoaadsyncserviceaccount@|adtoaadsyncserviceaccount@)", re.IGNORECASE)
_SYNC_NAME = re.compile(r"\s*on-premises directory synchronization service account\s*", re.IGNORECASE)

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
    mailbox: Coded[str],
    usage: Coded[str],
    exchange_user: Coded[str],
    mfa_registered: Tri,
    roles: Coded[frozenset[str]],
    declared: frozenset[int],
    *,
    recipients_read: bool,
) -> Coded[str]:
    """user, shared, room, equipment, guest, service, sync or unknown, per account.

    Exchange's recipient type decides where it was read; then the guest type, the usage report, Graph's
    isResourceAccount. What remains is a person's account unless it looks like a service: a declared sender or a telling
    name, and no registered MFA method; both signs together outweigh a method. `recipients_read`: a complete dataset
    lists the mailboxes, so that a member without a row is neither shared nor a room."""
    user_types = users.origin.mapped(lambda origin: origin.user_type)
    signs = combined(mailbox, user_types, exchange_user, usage, Coded(users.resource_account), Coded(users.enabled))
    told = signs.mapped(lambda one: _told(*one, recipients_read=recipients_read))
    found = told.copy()
    persons = told.where(lambda kind: kind == "user")
    # a registered method outweighs any name, unless the account is declared as well
    persons &= (mfa_registered != YES) | np.isin(np.arange(len(users)), list(declared))
    rows = np.flatnonzero(persons)
    names = zip(take(users.user_principal_name, rows), take(users.display_name, rows), strict=True)
    for row, (upn, name) in zip(rows.tolist(), names, strict=True):
        if _names_a_service(upn, name) or (row in declared and mfa_registered[row] != YES):
            found[row] = "service"
    sync = where(users.user_principal_name, _SYNC_UPN.match) | where(users.display_name, _SYNC_NAME.fullmatch)
    for row in np.flatnonzero(sync | roles.where(lambda held: SYNC_ROLE in held)).tolist():
        found[row] = "sync"
    return Coded(found)


def _told(
    mailbox: str, user_type: str, exchange_user: str, usage: str, resource: int, enabled: int, *, recipients_read: bool
) -> str:
    """The kind by what Microsoft says of the account, `user` for whoever may be a person."""
    by_mailbox = _BY_RECIPIENT.get(mailbox.lower(), "")
    if by_mailbox and by_mailbox != "user":
        return by_mailbox
    if user_type == "guest":
        return "guest"
    if by_mailbox:
        return by_mailbox
    by_recipient = _BY_RECIPIENT.get(exchange_user.lower(), "")
    if by_recipient:
        return by_recipient
    if usage == "shared":
        return "shared"
    if resource == YES:
        return "service"
    if usage == "user" or (user_type == "member" and (recipients_read or enabled == YES)):
        return "user"
    return "unknown"


def _names_a_service(upn: str, name: str) -> bool:
    local = upn.partition("@")[0].lower()
    return bool(_SERVICE_WORD.search(local) or _SERVICE_WORD.search(name.lower()))
