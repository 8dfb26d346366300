"""Does an Exchange authentication policy refuse basic authentication for SMTP?

The account's own authentication policy counts, else the organisation's default policy, else none. `AllowBasicAuthSmtp`
is False in every new policy unless someone allowed it. Such a policy refuses before Entra ID sees the request: an app
password does not help, and the mailbox's SMTP AUTH switch does not either. OAuth is not touched. A change takes up to
24 hours.
"""

from __future__ import annotations

from auditor.blockers.base import Blocker, Cases
from auditor.blockers.columns import by_value, constant, unread
from auditor.compact import take
from auditor.states import Column, Reason, State
from auditor.tenant import NO, YES, Tenant

QUESTION = "Whether an authentication policy refuses basic SMTP"


def judge(tenant: Tenant, cases: Cases) -> Column:
    if not tenant.complete("exchangeUsers"):
        return constant(cases, unread(tenant, QUESTION, "exchangeUsers"))
    assigned = take(tenant.accounts.authentication_policy, cases.account)
    return by_value(cases, assigned, lambda key: _assigned(tenant, key))


def _assigned(tenant: Tenant, key: str) -> Reason:
    """The policy that the account carries; without one, the organisation's default."""
    if key == "unread":
        text = f"{QUESTION} is not known: exchangeUsers holds no row, or no AuthenticationPolicy, for this account."
        return Reason(State.UNKNOWN, text, (), ("exchangeUsers",))
    if key:
        return _policy(tenant, key, "AuthenticationPolicy", "the account's", ("exchangeUsers",))
    if not tenant.complete("organizationConfig") or tenant.default_authentication_policy == "unread":
        return unread(tenant, QUESTION, "organizationConfig")
    used = ("exchangeUsers", "organizationConfig")
    if tenant.default_authentication_policy:
        default = tenant.default_authentication_policy
        return _policy(tenant, default, "DefaultAuthenticationPolicy", "the organisation's default", used)
    text = "No authentication policy applies: the account has none and the organisation has no default."
    return Reason(State.CLEAR, text, (("AuthenticationPolicy", ""), ("DefaultAuthenticationPolicy", "")), used)


def _policy(tenant: Tenant, key: str, property_: str, whose: str, used: tuple[str, ...]) -> Reason:
    if not tenant.complete("authenticationPolicies"):
        return unread(tenant, QUESTION, "authenticationPolicies")
    policy = tenant.authentication_policies.get(key)
    if policy is None:
        name = key.removeprefix("?")
        text = f"{QUESTION} is not known: {whose} policy '{name}' is not in the list of authentication policies."
        return Reason(State.UNKNOWN, text, ((property_, name),), ("authenticationPolicies",))
    name, used = policy.name, (*used, "authenticationPolicies")
    if policy.allow_smtp == NO:
        text = f"{whose[0].upper()}{whose[1:]} authentication policy '{name}' refuses basic authentication for SMTP."
        facts = ((property_, name), ("AllowBasicAuthSmtp", "False"))
        return Reason(State.BLOCKS, text, facts, used, "basic-authentication-disabled")
    if policy.allow_smtp == YES:
        text = f"{whose[0].upper()}{whose[1:]} authentication policy '{name}' allows basic authentication for SMTP."
        return Reason(State.CLEAR, text, ((property_, name), ("AllowBasicAuthSmtp", "True")), used)
    text = f"{QUESTION} is not known: AllowBasicAuthSmtp of policy '{name}' was not read."
    return Reason(State.UNKNOWN, text, ((property_, name),), ("authenticationPolicies",))


BLOCKER = Blocker(
    id="authentication-policy",
    title="An authentication policy refuses basic authentication for SMTP",
    channels=frozenset({"basic"}),
    senders_only=False,
    datasets=("authenticationPolicies", "organizationConfig", "exchangeUsers"),
    source=(
        "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/disable-basic-authentication-in-exchange-online",
        "https://learn.microsoft.com/powershell/module/exchangepowershell/new-authenticationpolicy",
    ),
    remedy="Move the sender to OAuth, which this policy does not touch. Where basic authentication must stay for a "
    "while, give this one account a policy of its own with AllowBasicAuthSmtp, and leave the default strict.",
    remedy_risk="An allowing policy lets anyone with the password try it over SMTP; it is the only setting that "
    "refuses before Entra ID checks the password.",
    judge=judge,
)
