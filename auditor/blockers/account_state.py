"""Is sign-in switched off for the account?

Entra ID refuses every sign-in with a password while `accountEnabled` is false, so basic SMTP AUTH cannot succeed. An
app that signs in as itself (OAuth, app-only) does not use the account's sign-in. Microsoft recommends that the sign-in
of shared mailboxes stays blocked. Which text the SMTP server then answers is not documented.
"""

from __future__ import annotations

from auditor.blockers.base import Blocker, Cases
from auditor.blockers.columns import constant, no_row, spread, unread
from auditor.states import Column, Reason, State
from auditor.tenant import NO, YES, Tenant

QUESTION = "Whether sign-in is enabled"
DISABLED = Reason(
    State.BLOCKS, "Sign-in is switched off for the account (accountEnabled is false).", (("accountEnabled", "false"),),
    ("users",),
)  # fmt: skip
ENABLED = Reason(State.CLEAR, "Sign-in is enabled for the account.", (("accountEnabled", "true"),), ("users",))


def judge(tenant: Tenant, cases: Cases) -> Column:
    if not tenant.complete("users"):
        return constant(cases, unread(tenant, QUESTION, "users"))
    enabled = tenant.accounts.enabled
    return spread(cases, [(enabled == NO, DISABLED), (enabled == YES, ENABLED)], no_row(QUESTION, "users"))


BLOCKER = Blocker(
    id="account-state",
    title="Sign-in of the account is switched off",
    channels=frozenset({"basic"}),
    senders_only=False,
    datasets=("users",),
    source=("https://learn.microsoft.com/microsoft-365/admin/email/about-shared-mailboxes",),
    remedy="Leave it off unless this very account must sign in with a password. Let the device or application send "
    "with a licensed account that holds Send As, or with an app that signs in by OAuth.",
    remedy_risk="Enabling the sign-in opens the account to password guessing; a shared mailbox is not meant to sign "
    "in.",
    judge=judge,
)
