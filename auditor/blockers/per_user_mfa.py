"""Does the older, per-user multifactor authentication stand in the way?

`enforced`: clients that cannot do MFA need an app password; the account's normal password is refused. Whether the
account has an app password no interface shows, so this is `conditional`. `enabled`: the normal password works until the
user registers a method, then the account turns to enforced. An app password is basic authentication like any other and
helps against nothing else; it is never recommended here.
"""

from __future__ import annotations

from auditor.blockers.base import Blocker, Cases
from auditor.blockers.columns import constant, no_row, spread, unread, words
from auditor.states import Column, Reason, State
from auditor.tenant import Tenant

QUESTION = "The state of per-user MFA"
ENFORCED = Reason(
    State.CONDITIONAL,
    "Per-user MFA is enforced: only an app password could work, and no interface shows whether one exists.",
    (("perUserMfaState", "enforced"),),
    ("perUserMfa",),
    "credentials-incorrect",
)
ENABLED = Reason(
    State.CONDITIONAL,
    "Per-user MFA is enabled: the password works only until the user registers a method.",
    (("perUserMfaState", "enabled"),),
    ("perUserMfa",),
)
DISABLED = Reason(
    State.CLEAR, "Per-user MFA is disabled for the account.", (("perUserMfaState", "disabled"),), ("perUserMfa",)
)


def judge(tenant: Tenant, cases: Cases) -> Column:
    if not tenant.complete("perUserMfa"):
        return constant(cases, unread(tenant, QUESTION, "perUserMfa"))
    states = tenant.accounts.per_user_mfa
    choices = [(words(states, (word,)), reason)
               for word, reason in (("enforced", ENFORCED), ("enabled", ENABLED), ("disabled", DISABLED))]  # fmt: skip
    return spread(cases, choices, no_row(QUESTION, "perUserMfa"))


BLOCKER = Blocker(
    id="per-user-mfa",
    title="Per-user MFA is enabled or enforced",
    channels=frozenset({"basic"}),
    senders_only=False,
    datasets=("perUserMfa",),
    source=(
        "https://learn.microsoft.com/entra/identity/authentication/howto-mfa-userstates",
        "https://learn.microsoft.com/entra/identity/authentication/howto-mfa-app-passwords",
    ),
    remedy="Move the sender to OAuth with an app that signs in as itself; people move from per-user MFA to Conditional "
    "Access.",
    remedy_risk="Switching per-user MFA off without a Conditional Access policy in its place leaves the account with "
    "a password alone.",
    judge=judge,
)
