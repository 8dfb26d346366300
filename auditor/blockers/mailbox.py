"""Does the account have a mailbox in Exchange Online?

Client submission (SMTP AUTH) belongs to a mailbox that Exchange Online hosts. A mail user, a guest, an account whose
mailbox is on premises and an account without any mailbox cannot submit.

What decides, strongest first:

1. Exchange's own list (`mailboxes`), where it was read: a row means a mailbox, whatever the kind of user.
2. Where the list was asked for and not read, `exchangeUsers` or `mailboxUsage` may still show that there is one; they
   never prove that there is none.
3. Where no Exchange data was asked for at all, the usage report (`mailboxUsage`) decides, except for an account whose
   licence should have given it a row: reports lag, so that is unknown. A report in which not one account is found
   hides the users' names and decides nothing.
4. From the directory (`users`), only an account that never had a mailbox plan and has no mail address is sure to have
   none.
"""

from __future__ import annotations

import numpy as np

from auditor.blockers.base import Blocker, Cases
from auditor.blockers.columns import spread, unread, words
from auditor.catalogue import EXCHANGE_DATASETS
from auditor.states import Column, Mask, Reason, State
from auditor.tenant import NO, Tenant

QUESTION = "Whether the account has a mailbox in Exchange Online"
HOSTED = ("UserMailbox", "SharedMailbox", "RoomMailbox", "EquipmentMailbox", "LinkedMailbox", "SchedulingMailbox",
          "TeamMailbox", "DiscoveryMailbox", "GroupMailbox")  # fmt: skip
MAIL_USERS = ("MailUser", "GuestMailUser", "RemoteUserMailbox")

LISTED = Reason(
    State.CLEAR, "Exchange Online lists a mailbox for the account.", (("mailbox", "listed"),), ("mailboxes",)
)
NOT_LISTED = Reason(
    State.BLOCKS,
    "Exchange Online lists no mailbox for the account, so it cannot submit mail.",
    (("mailbox", "not listed"),),
    ("mailboxes",),
)
MAIL_USER = Reason(
    State.BLOCKS,
    "The account is a mail user: its mailbox is not in Exchange Online, so it cannot submit mail there.",
    (("mailbox", "not listed"), ("RecipientTypeDetails", "mail user")),
    ("mailboxes",),
)
KNOWN_USER = Reason(
    State.CLEAR, "Exchange Online describes the account as one with a mailbox.", (("RecipientTypeDetails", "mailbox"),),
    ("exchangeUsers",),
)  # fmt: skip
IN_USE = Reason(
    State.CLEAR, "The mailbox usage report lists a mailbox of the account.", (("mailboxUsage", "listed"),),
    ("mailboxUsage",),
)  # fmt: skip
DELETED = Reason(
    State.BLOCKS,
    "The mailbox usage report lists the account's mailbox as deleted.",
    (("mailboxUsage", "deleted"),),
    ("mailboxUsage",),
)
NOT_IN_USE = Reason(
    State.BLOCKS,
    "The mailbox usage report lists no mailbox of the account, and no licence gives it one.",
    (("mailboxUsage", "not listed"),),
    ("mailboxUsage", "users", "subscribedSkus"),
)
NEVER = Reason(
    State.BLOCKS,
    "The account never had a mailbox plan and has no mail address, so it has no mailbox in Exchange Online.",
    (("assignedPlans", "no exchange plan"), ("mail", "none")),
    ("users",),
)


def judge(tenant: Tenant, cases: Cases) -> Column:
    accounts = tenant.accounts
    if tenant.complete("mailboxes"):
        listed = ~words(accounts.mailbox, ("",))
        return spread(cases, [(listed, LISTED), (words(accounts.exchange_user, MAIL_USERS), MAIL_USER)], NOT_LISTED)
    unknown = unread(tenant, QUESTION, "mailboxes", "mailboxUsage")
    user = words(accounts.exchange_user, HOSTED) & tenant.complete("exchangeUsers")
    used = words(accounts.mailbox_usage, ("user", "shared")) & tenant.complete("mailboxUsage")
    found = [(user, KNOWN_USER), (used, IN_USE)]
    if any(tenant.status[name].asked for name in EXCHANGE_DATASETS):
        return spread(cases, found, unknown)
    absent = _absent_from_report(tenant) if tenant.complete("mailboxUsage") else []
    return spread(cases, [*found, *absent, (_never_had_one(tenant), NEVER)], unknown)


def _absent_from_report(tenant: Tenant) -> list[tuple[Mask, Reason]]:
    usage = tenant.accounts.mailbox_usage
    concealed = not any(usage)
    unlicensed = words(tenant.accounts.mailbox_plan, ("none",)) & tenant.complete("users", "subscribedSkus")
    return [(words(usage, ("deleted",)), DELETED), (words(usage, ("",)) & unlicensed & (not concealed), NOT_IN_USE)]


def _never_had_one(tenant: Tenant) -> Mask:
    """No mailbox plan ever and no mail, both read."""
    accounts = tenant.accounts
    found = np.fromiter((not addresses for addresses in accounts.addresses), dtype=np.bool_, count=len(accounts))
    found[list(accounts.addresses_unread)] = False
    found &= accounts.ever_had_mailbox_plan == NO
    return found if tenant.complete("users") else np.zeros_like(found)


BLOCKER = Blocker(
    id="mailbox",
    title="No mailbox in Exchange Online",
    channels=frozenset({"basic", "oauth"}),
    senders_only=False,
    datasets=("mailboxes", "mailboxUsage", "exchangeUsers", "users", "subscribedSkus"),
    source=(
        "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission",
    ),
    remedy="Send with an account whose mailbox is in Exchange Online, or use a relay connector or High Volume Email "
    "(internal recipients only), which need no mailbox.",
    remedy_risk="A new mailbox costs a licence and is one more account to protect.",
    judge=judge,
)
