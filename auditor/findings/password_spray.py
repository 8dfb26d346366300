"""A password spray over SMTP: many accounts refused from one address, or across the tenant. One finding.

A spray tries few passwords on many accounts. It is told from a forgotten password by the number of accounts: from one
address at least `ACCOUNTS_PER_ADDRESS` distinct user ids, or at least `ACCOUNTS_IN_ALL` from addresses that each tried
more than one. A sender's own declared egress IPs are left out.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

import auditor.findings.references as references
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import counted, declared_sender, make, name_list
from auditor.findings.severity import Doubt, Impact, Reach, severity
from auditor.tenant import SignIn
from auditor.verdict import Judgement

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

GUESSES = frozenset({50126, 50053, 50034, 50055, 50056, 50057})
"""Sign-in errors of a guess: wrong password, locked, no such user, expired, no password, disabled."""
ACCOUNTS_PER_ADDRESS = 5
ACCOUNTS_IN_ALL = 15
NAMED_ADDRESSES = 10


def find(judgement: Judgement) -> Iterator[Finding]:
    guesses: dict[str, list[SignIn]] = {}
    for sign_in in judgement.tenant.sign_ins:
        if sign_in.error_code in GUESSES:
            guesses.setdefault(sign_in.ip, []).append(sign_in)
    own = _egress(judgement)
    guesses = {address: tries for address, tries in guesses.items() if not _within(address, own)}
    addresses = _spraying(guesses)
    if not addresses:
        return
    tries = [sign_in for address in addresses for sign_in in guesses[address]]
    rows = sorted({sign_in.account for sign_in in tries if sign_in.account >= 0})
    users = {sign_in.user_id for sign_in in tries}
    entered = sorted(
        {s.account for s in judgement.tenant.sign_ins if s.error_code == 0 and s.ip in addresses and s.account >= 0}
    )
    times = sorted(sign_in.time for sign_in in tries)
    yield make(
        RULE,
        judgement,
        severity=severity(Impact.LOSS, Reach.TENANT)
        if entered
        else severity(Impact.ABUSE, Reach.TENANT, Doubt.DEPENDS),
        title=(
            f"Password spray over SMTP: {len(users)} accounts tried, {counted(entered)} entered"
            if entered
            else f"Password spray over SMTP: {len(users)} accounts tried, none seen to be entered"
        ),
        evidence=[
            Fact("ipAddress", _addresses(addresses), "signIns"),
            Fact("accountsTried", str(len(users)), "signIns"),
            Fact("attempts", str(len(tries)), "signIns"),
            Fact("first", times[0], "signIns"),
            Fact("last", times[-1], "signIns"),
            *([Fact("entered", name_list(judgement, entered), "signIns")] if entered else []),
        ],
        accounts=[*rows, *entered],
    )


def _spraying(guesses: dict[str, list[SignIn]]) -> list[str]:
    users = {address: {sign_in.user_id for sign_in in tries} for address, tries in guesses.items()}
    loud = [address for address, tried in users.items() if len(tried) >= ACCOUNTS_PER_ADDRESS]
    several = [address for address, tried in users.items() if len(tried) > 1]
    together = set().union(*(users[address] for address in several))
    return sorted({*loud, *(several if len(together) >= ACCOUNTS_IN_ALL else [])})


def _egress(judgement: Judgement) -> list[Network]:
    """Every declared egress network of the tenant's senders."""
    cases = judgement.sender_cases()
    declared = {ip for case in cases for ip in declared_sender(judgement, case).egress_ips}
    return [ipaddress.ip_network(ip, strict=False) for ip in sorted(declared)]


def _within(ip: str, networks: list[Network]) -> bool:
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    return any(address in network for network in networks)


def _addresses(addresses: list[str]) -> str:
    more = f" and {len(addresses) - NAMED_ADDRESSES} more" if len(addresses) > NAMED_ADDRESSES else ""
    return ", ".join(addresses[:NAMED_ADDRESSES]) + more


RULE = Rule(
    id="password-spray",
    title="Password spray over SMTP",
    datasets=("signIns",),
    remedy=(
        "Change the passwords of the accounts that were entered and look at what they sent. Then close guessing: "
        "an authentication policy that refuses basic SMTP by default refuses before Microsoft Entra sees the password."
    ),
    remedy_risk="Blocking addresses moves the spray elsewhere; a refusing policy stops undeclared basic senders.",
    references=(references.NO_BASIC, references.SMART_LOCKOUT, references.SIGN_IN_ERRORS),
    controls=(),
    find=find,
)
