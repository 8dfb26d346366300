"""Does a Conditional Access policy refuse the account's sign-in over SMTP?

A client that signs in with a bare password can meet no grant control: any control of an enabled policy that reaches the
account, MFA just as much as "block", refuses it. Conditional Access acts after the password was checked, so an account
that only this closes still tells an attacker whether a password is right. How a policy's conditions are read is told
in auditor/access.
"""

from __future__ import annotations

from auditor import access
from auditor.blockers.base import Blocker

BLOCKER = Blocker(
    id="conditional-access",
    title="A Conditional Access policy refuses the sign-in",
    channels=frozenset({"basic"}),
    senders_only=False,
    datasets=(
        "conditionalAccessPolicies",
        "namedLocations",
        "authenticationStrengthPolicies",
        "roleDefinitions",
        "roleAssignments",
        "groups",
        "groupMembers",
        "users",
    ),
    source=(
        "https://learn.microsoft.com/entra/identity/conditional-access/concept-conditional-access-conditions",
        "https://learn.microsoft.com/entra/identity/conditional-access/policy-block-legacy-authentication",
    ),
    remedy="Move the sender to OAuth, which policies for other clients do not reach. Where basic authentication must "
    "stay for a while, exclude this one account from every policy that reaches it and bind it to its egress IP "
    "addresses by a policy of its own.",
    remedy_risk="An excluded account is protected by its password alone; an exclusion that is not bound to a place "
    "opens it to the whole internet.",
    judge=access.judge,
)
