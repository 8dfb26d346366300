"""Is SMTP AUTH switched on for the mailbox?

Exchange Online has two switches of the same name, `SmtpClientAuthenticationDisabled`. The mailbox's own
(Get-CASMailbox) wins over the organisation's (Get-TransportConfig); blank on the mailbox means that the organisation
decides. The switch turns the protocol off, so it stops OAuth just as it stops a password.

| organisation \\ mailbox | blank        | False | True |
|-------------------------|--------------|-------|------|
| False                   | on           | on    | off  |
| True                    | off          | on    | off  |
| not read                | unknown      | on    | off  |

A tenant configuration snapshot knows no blank: its `False` may be an inherited setting, so that alone is unknown.
"""

from __future__ import annotations

import numpy as np

from auditor.blockers.base import Blocker, Cases
from auditor.blockers.columns import constant, no_row, spread, unread, words
from auditor.states import Column, Reason, State
from auditor.tenant import INHERIT, NO, YES, Tenant

QUESTION = "Whether SMTP AUTH is switched on for the mailbox"
PROPERTY = "SmtpClientAuthenticationDisabled"

OFF_MAILBOX = Reason(
    State.BLOCKS,
    f"The mailbox has SMTP AUTH switched off ({PROPERTY} is True on the mailbox).",
    ((f"mailbox {PROPERTY}", "True"),),
    ("casMailboxes",),
    "smtp-auth-disabled-mailbox",
)
ON_MAILBOX = Reason(
    State.CLEAR,
    f"The mailbox has SMTP AUTH switched on by its own setting ({PROPERTY} is False on the mailbox).",
    ((f"mailbox {PROPERTY}", "False"),),
    ("casMailboxes",),
)
OFF_TENANT = Reason(
    State.BLOCKS,
    f"The mailbox follows the organisation, which has SMTP AUTH switched off ({PROPERTY} is True).",
    ((f"mailbox {PROPERTY}", "blank"), (f"organisation {PROPERTY}", "True")),
    ("casMailboxes", "transportConfig"),
    "smtp-auth-disabled-tenant",
)
ON_TENANT = Reason(
    State.CLEAR,
    f"The mailbox follows the organisation, which has SMTP AUTH switched on ({PROPERTY} is False).",
    ((f"mailbox {PROPERTY}", "blank"), (f"organisation {PROPERTY}", "False")),
    ("casMailboxes", "transportConfig"),
)
AMBIGUOUS = Reason(
    State.UNKNOWN,
    f"A configuration snapshot shows {PROPERTY} as False or not at all for this mailbox, and its False may stand for a "
    "blank that follows the organisation. Get-CASMailbox tells.",
    ((f"mailbox {PROPERTY}", "False or not shown"),),
    ("casMailboxes",),
)
NO_MAILBOX = Reason(
    State.NOT_APPLICABLE, "The account has no mailbox in Exchange Online, so there is no such switch.", (),
    ("mailboxes", "casMailboxes"),
)  # fmt: skip


def judge(tenant: Tenant, cases: Cases) -> Column:
    if not tenant.complete("casMailboxes"):
        return constant(cases, unread(tenant, QUESTION, "casMailboxes"))
    mailbox = tenant.accounts.smtp_auth_disabled
    inherits = mailbox == INHERIT
    organisation = tenant.org_smtp_auth_disabled if tenant.complete("transportConfig") else -1
    none = words(tenant.accounts.mailbox, ("",)) & tenant.complete("mailboxes")
    snapshot = tenant.status["casMailboxes"].configuration_snapshot
    return spread(
        cases,
        [
            (mailbox == YES, OFF_MAILBOX),
            (mailbox == NO, AMBIGUOUS if snapshot else ON_MAILBOX),
            (inherits & np.bool_(organisation == YES), OFF_TENANT),
            (inherits & np.bool_(organisation == NO), ON_TENANT),
            (inherits, unread(tenant, QUESTION, "transportConfig")),
            (none, NO_MAILBOX),
        ],
        AMBIGUOUS if snapshot else no_row(QUESTION, "casMailboxes"),
    )


BLOCKER = Blocker(
    id="smtp-auth-switch",
    title="SMTP AUTH is switched off for the mailbox or the organisation",
    channels=frozenset({"basic", "oauth"}),
    senders_only=False,
    datasets=("casMailboxes", "transportConfig", "mailboxes"),
    source=(
        "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission",
        "https://learn.microsoft.com/powershell/module/exchangepowershell/set-casmailbox",
        "https://learn.microsoft.com/powershell/module/exchangepowershell/set-transportconfig",
    ),
    remedy="Switch SMTP AUTH on for this one mailbox: Set-CASMailbox <mailbox> -SmtpClientAuthenticationDisabled "
    "$false. Keep it off for the organisation.",
    remedy_risk="The mailbox then accepts passwords over SMTP from anywhere unless an authentication policy or "
    "Conditional Access narrows that; the switch opens OAuth and basic authentication alike.",
    judge=judge,
)
