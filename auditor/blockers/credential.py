"""Is the account's password still accepted?

Entra ID refuses a password that the domain's policy has let expire. That policy (`passwordValidityPeriodInDays`) is the
root domain's: sub-domains take its value. It counts for managed domains only; the password of a federated domain is
checked by the organisation's own server, which Graph does not show, so that is `conditional`. Where the policy holds no
value, a password older than 90 days is `unknown`. An account whose `passwordPolicies` hold DisablePasswordExpiration
never expires. Per-user MFA `enforced` asks for an app password, which outlives the password's expiry.

Not visible in Graph and therefore not judged: pass-through authentication (its agents, and the password policy on
premises), a password that must be changed at the next sign-in, and smart lockout.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from auditor.blockers.base import Blocker, Cases
from auditor.blockers.columns import by_value, constant, unread
from auditor.compact import take
from auditor.states import Column, Reason, State
from auditor.tenant import NO, YES, Tenant

QUESTION = "Whether the password has expired"
DEFAULT_DAYS = 90
"""Above this age an unset policy leaves the question open."""


@dataclass(frozen=True, slots=True)
class Expiry:
    """A domain's answer. `days`: validity, None if the policy holds no value; `problem`: why it cannot be told."""

    federated: bool = False
    days: int | None = None
    problem: str = ""


def judge(tenant: Tenant, cases: Cases) -> Column:
    if not tenant.complete("users", "domains"):
        return constant(cases, unread(tenant, QUESTION, "users", "domains"))
    domains = take(tenant.accounts.domain, cases.account)
    policies = {domain: _expiry(tenant.domains, domain) for domain in set(domains)}
    situations = _situations(tenant, cases, domains, policies)
    return by_value(cases, situations, lambda situation: _reason(policies, *situation))


def _situations(
    tenant: Tenant, cases: Cases, domains: Sequence[str], policies: Mapping[str, Expiry]
) -> Iterator[tuple[str, int, str, str]]:
    """Per case: domain, whether the password never expires, its age, per-user MFA."""
    accounts, rows = tenant.accounts, cases.account
    read = tenant.complete("perUserMfa")
    ages = accounts.password_age_days[rows].tolist()
    never = accounts.password_never_expires[rows].tolist()
    for domain, kept, age, mfa in zip(domains, never, ages, take(accounts.per_user_mfa, rows), strict=True):
        yield domain, kept, _age(age, policies[domain]), mfa if read else "unknown"


def _age(age: float, expiry: Expiry) -> str:
    """`unread`, `expired`, `old` (no policy value and above 90 days) or `fresh`."""
    if math.isnan(age):
        return "unread"
    if expiry.days is None:
        return "old" if age > DEFAULT_DAYS else "fresh"
    return "expired" if age > expiry.days else "fresh"


def _expiry(domains: Mapping[str, Mapping[str, Any]], name: str) -> Expiry:
    """The answer of a domain, its validity taken from the root domain (the shortest of its parents that is known)."""
    domain = domains.get(name)
    if domain is None:
        return Expiry(problem=f"domain '{name}' is not in the list of domains")
    authentication = domain.get("authenticationType")
    if authentication == "Federated":
        return Expiry(federated=True)
    if authentication != "Managed":
        return Expiry(problem=f"authenticationType of domain '{name}' was not read")
    root = domains[_root(domains, name)]
    if "passwordValidityPeriodInDays" not in root:
        return Expiry(problem=f"passwordValidityPeriodInDays of domain '{root.get('id', name)}' was not read")
    days = root["passwordValidityPeriodInDays"]
    if days is not None and (not isinstance(days, int) or isinstance(days, bool) or days <= 0):
        return Expiry(problem=f"passwordValidityPeriodInDays of domain '{root.get('id', name)}' is {days!r}")
    return Expiry(days=days)


def _root(domains: Mapping[str, Mapping[str, Any]], name: str) -> str:
    labels = name.split(".")
    parents = (".".join(labels[start:]) for start in range(len(labels) - 1, -1, -1))
    return next((parent for parent in parents if parent in domains), name)


def _reason(policies: Mapping[str, Expiry], domain: str, never: int, age: str, mfa: str) -> Reason:
    expiry = policies[domain]
    validity = "null" if expiry.days is None else str(expiry.days)
    facts = (("domain", domain), ("passwordValidityPeriodInDays", validity))
    used = ("users", "domains")
    if expiry.federated:
        text = f"Domain '{domain}' is federated: the password is checked by the organisation's own sign-in server."
        federated = (("domain", domain), ("authenticationType", "Federated"))
        return Reason(State.CONDITIONAL, text, federated, used, "federated-sts-unreachable")
    if never == YES and not expiry.problem.startswith(("domain", "authenticationType")):
        text = "The password never expires (passwordPolicies holds DisablePasswordExpiration)."
        return Reason(State.CLEAR, text, (("passwordPolicies", "DisablePasswordExpiration"),), used)
    if expiry.problem:
        return Reason(State.UNKNOWN, f"{QUESTION} is not known: {expiry.problem}.", (("domain", domain),), ("domains",))
    if age == "unread":
        text = f"{QUESTION} is not known: lastPasswordChangeDateTime was not read for this account."
        return Reason(State.UNKNOWN, text, facts, ("users",))
    if age == "fresh":
        return Reason(State.CLEAR, f"The password is within its validity in domain '{domain}'.", facts, used)
    if never != NO:
        text = f"{QUESTION} is not known: passwordPolicies was not read for this account."
        return Reason(State.UNKNOWN, text, facts, ("users",))
    if age == "old":
        text = f"Domain '{domain}' sets no password validity, and the password is older than {DEFAULT_DAYS} days."
        return Reason(State.UNKNOWN, text, facts, used)
    return _expired(domain, (*facts, ("perUserMfaState", mfa)), mfa)


def _expired(domain: str, facts: tuple[tuple[str, str], ...], mfa: str) -> Reason:
    used = ("users", "domains", "perUserMfa")
    sentence = f"The password is older than domain '{domain}' allows"
    if mfa == "enforced":
        text = f"{sentence}, but per-user MFA is enforced and an app password would still be accepted."
        return Reason(State.CONDITIONAL, text, facts, used)
    if mfa in ("disabled", "enabled"):
        return Reason(State.BLOCKS, f"{sentence}: it has expired.", facts, used)
    text = f"{sentence}; whether an app password stands in for it is not known: per-user MFA was not read."
    return Reason(State.UNKNOWN, text, facts, ("perUserMfa",))


BLOCKER = Blocker(
    id="credential",
    title="The password has expired, or is checked elsewhere",
    channels=frozenset({"basic"}),
    senders_only=False,
    datasets=("users", "domains", "perUserMfa"),
    source=(
        "https://learn.microsoft.com/exchange/mail-flow-best-practices/fix-issues-with-printers-scanners-and-lob-applications-that-send-email-using-off",
        "https://learn.microsoft.com/entra/identity/authentication/howto-mfa-app-passwords",
    ),
    remedy="Move the sender to OAuth with an app that signs in as itself, so that no password can expire; until then, "
    "set a new long random password and store it with the device.",
    remedy_risk="A password that is set anew must reach every device that holds the old one, or repeated failures lock "
    "the account.",
    judge=judge,
)
