"""Are security defaults on?

Security defaults refuse every sign-in by an older protocol, SMTP with a password among them, for the whole tenant and
without exclusions. App passwords do not help. OAuth still works; a person who signs in interactively must pass MFA.
"""

from __future__ import annotations

from auditor.blockers.base import Blocker, Cases
from auditor.blockers.columns import constant, no_row, unread
from auditor.states import Column, Reason, State
from auditor.tenant import NO, YES, Tenant

DATASET = "identitySecurityDefaultsEnforcementPolicy"
QUESTION = "Whether security defaults are on"
ON = Reason(
    State.BLOCKS,
    "Security defaults are on, which refuse basic authentication for the whole tenant.",
    (("isEnabled", "true"),),
    (DATASET,),
    "security-defaults",
)
OFF = Reason(State.CLEAR, "Security defaults are off.", (("isEnabled", "false"),), (DATASET,))


def judge(tenant: Tenant, cases: Cases) -> Column:
    if not tenant.complete(DATASET):
        return constant(cases, unread(tenant, QUESTION, DATASET))
    return constant(cases, {YES: ON, NO: OFF}.get(tenant.security_defaults, no_row(QUESTION, DATASET)))


BLOCKER = Blocker(
    id="security-defaults",
    title="Security defaults are on",
    channels=frozenset({"basic"}),
    senders_only=False,
    datasets=(DATASET,),
    source=("https://learn.microsoft.com/entra/fundamentals/security-defaults",),
    remedy="Keep security defaults, and let the sender use OAuth, Graph or a relay connector, none of which they "
    "refuse.",
    remedy_risk="An app that sends by OAuth or Graph needs its own credential and a scope that holds it to its "
    "mailbox.",
    judge=judge,
)
