"""Does a licence entitle the account to a mailbox?

Client submission needs a licensed mailbox. What counts is the service plan inside the licence, recognised by its id:
`EXCHANGE_S_FOUNDATION` for example sounds like Exchange and gives no mailbox. A plan that is switched off inside a
licence, or a licence in error, counts only where no other licence of the account supplies a mailbox plan.

A mailbox may stand without entitlement: shared, room and equipment mailboxes need none up to a size, and a mailbox
outlives its licence for a while. Whether Exchange then lets it submit is not documented, so that is `conditional`.
"""

from __future__ import annotations

from auditor.blockers.base import Blocker, Cases
from auditor.blockers.columns import by_value, unread
from auditor.compact import take
from auditor.states import Column, Reason, State
from auditor.tenant import Tenant

QUESTION = "Whether a licence gives the account a mailbox"
DATASETS = ("users", "subscribedSkus")


def judge(tenant: Tenant, cases: Cases) -> Column:
    accounts = tenant.accounts
    read = tenant.complete(*DATASETS)
    plans, mailboxes = take(accounts.mailbox_plan, cases.account), take(accounts.mailbox, cases.account)
    rows = zip(plans, mailboxes, take(accounts.mailbox_plan_note, cases.account), strict=True)
    keys = ((plan if read else "unread", bool(mailbox), note) for plan, mailbox, note in rows)
    return by_value(cases, keys, lambda key: _reason(tenant, *key))


def _reason(tenant: Tenant, plan: str, standing: bool, note: str) -> Reason:
    facts = (("mailbox plan", note or plan),)
    detail = f" ({note})" if note else ""
    if plan == "enabled":
        return Reason(State.CLEAR, f"A licence gives the account a mailbox{detail}.", facts, DATASETS)
    if plan == "pending":
        text = f"The mailbox plan of the account's licence is pending or suspended{detail}."
        return Reason(State.CONDITIONAL, text, facts, DATASETS)
    if plan == "unverified":
        text = f"Whether the account's plan includes a mailbox right is not verified{detail}."
        return Reason(State.UNKNOWN, text, facts, DATASETS)
    if plan != "none":
        return unread(tenant, QUESTION, *DATASETS)
    if not tenant.complete("mailboxes"):
        text = f"No licence gives the account a mailbox{detail}; whether one stands without it was not read."
        return Reason(State.UNKNOWN, text, facts, ("mailboxes",))
    if standing:
        text = f"The mailbox stands without a licence that gives it one{detail}."
        return Reason(State.CONDITIONAL, text, (*facts, ("mailbox", "listed")), (*DATASETS, "mailboxes"))
    text = f"No licence gives the account a mailbox, and Exchange lists none{detail}."
    return Reason(State.BLOCKS, text, (*facts, ("mailbox", "not listed")), (*DATASETS, "mailboxes"))


BLOCKER = Blocker(
    id="licence",
    title="No licence for a mailbox",
    channels=frozenset({"basic", "oauth"}),
    senders_only=False,
    datasets=("users", "subscribedSkus", "mailboxes"),
    source=(
        "https://learn.microsoft.com/exchange/mail-flow-best-practices/how-to-set-up-a-multifunction-device-or-application-to-send-email-using-microsoft-365-or-office-365",
        "https://learn.microsoft.com/microsoft-365/admin/email/about-shared-mailboxes",
    ),
    remedy="Assign a licence with an Exchange mailbox plan, switch the plan on inside the licence, or mend the "
    "assignment error; or let a licensed account send with Send As.",
    remedy_risk="A licence costs money, and switching a plan on may create a mailbox that nobody watches.",
    judge=judge,
)
