"""What sort of account it is. Evidence for people (and for severity), not a blocker: nothing is closed by a kind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from auditor.compact import Coded
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
    mailbox: Sequence[str],
    usage: Sequence[str],
    exchange_user: Sequence[str],
    mfa_registered: Sequence[int],
    roles: Sequence[frozenset[str]],
    declared: frozenset[int],
    *,
    recipients_read: bool,
) -> Coded[str]:
    """user, shared, room, equipment, guest, service, sync or unknown, per account.

    Exchange's recipient type decides where it was read; then the guest type, the usage report, Graph's
    isResourceAccount. What remains is a person's account unless it looks like a service: a declared sender or a telling
    name, and no registered MFA method; both signs together outweigh a method. `recipients_read`: a complete dataset
    lists the mailboxes, so that a member without a row is neither shared nor a room."""
    found = []
    user_types = users.origin.mapped(lambda origin: origin.user_type)
    rows = zip(
        users.user_principal_name, users.display_name, mailbox, usage, exchange_user, user_types,
        users.resource_account, roles, users.enabled, mfa_registered, strict=True,
    )  # fmt: skip
    for row, (upn, name, box, used, recipient, user_type, resource, held, enabled, mfa) in enumerate(rows):
        kind = "sync" if _synchronises(upn, name, held) else _told(box, user_type, recipient, used, resource)
        if not kind and user_type == "member" and (recipients_read or enabled == YES):
            kind = "user"
        if kind == "user":
            kind = _person_or_service(upn, name, row in declared, mfa)
        found.append(kind or "unknown")
    return Coded(found)


def _synchronises(upn: str, name: str, roles: frozenset[str]) -> bool:
    return SYNC_ROLE in roles or bool(_SYNC_UPN.match(upn)) or name.strip().lower() == _SYNC_NAME


@lru_cache(maxsize=1024)
def _told(mailbox: str, user_type: str, exchange_user: str, usage: str, resource_account: int) -> str:
    """The kind by what Microsoft says of the account; empty where that does not tell."""
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
    if resource_account == YES:
        return "service"
    return "user" if usage == "user" else ""


def _person_or_service(upn: str, name: str, declared: bool, mfa_registered: int) -> str:
    if mfa_registered == YES and not declared:
        return "user"  # whatever its name
    local = upn.partition("@")[0].lower()
    named = bool(_SERVICE_WORD.search(local) or _SERVICE_WORD.search(name.lower()))
    return "service" if named or (declared and mfa_registered != YES) else "user"
