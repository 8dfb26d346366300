"""Successful SMTP sign-ins of a sender's account from an address that is none of its declared egress IPs."""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterator

import auditor.findings.references as references
from auditor.findings.base import Fact, Finding, Rule
from auditor.findings.build import account, declared_sender, make
from auditor.findings.severity import Impact, Reach, severity
from auditor.verdict import Judgement

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def find(judgement: Judgement) -> Iterator[Finding]:
    declared = _declared(judgement)
    strange: dict[int, list[tuple[str, str]]] = {}
    for sign_in in judgement.tenant.sign_ins:
        networks = declared.get(sign_in.account)
        if networks and sign_in.error_code == 0 and _outside(sign_in.ip, networks):
            strange.setdefault(sign_in.account, []).append((sign_in.time, sign_in.ip))
    names = judgement.tenant.accounts.user_principal_name
    for row, seen in strange.items():
        places = Counter(ip for _, ip in seen)
        times = sorted(time for time, _ in seen)
        yield make(
            RULE,
            judgement,
            severity=severity(Impact.LOSS, Reach.NAMED),
            title=f"{names[row]} was used over SMTP from outside its declared egress IPs",
            evidence=[
                Fact("ipAddress", ", ".join(f"{ip} ({count})" for ip, count in sorted(places.items())), "signIns"),
                Fact("egress_ips", ", ".join(str(network) for network in declared[row])),
                Fact("first", times[0], "signIns"),
                Fact("last", times[-1], "signIns"),
            ],
            target=account(judgement, row),
            accounts=[row],
        )


def _declared(judgement: Judgement) -> dict[int, list[Network]]:
    """Account row → every egress network declared for it. An account with a sender that declares none is left out:
    it may send from anywhere."""
    networks: dict[int, list[Network]] = {}
    anywhere: set[int] = set()
    for case in judgement.sender_cases():
        sender = declared_sender(judgement, case)
        row = int(judgement.cases.account[case])
        if not sender.egress_ips:
            anywhere.add(row)
        networks.setdefault(row, []).extend(ipaddress.ip_network(ip, strict=False) for ip in sender.egress_ips)
    return {row: found for row, found in networks.items() if row not in anywhere}


def _outside(ip: str, networks: list[Network]) -> bool:
    """An address that cannot be read proves nothing."""
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return not any(address in network for network in networks)


RULE = Rule(
    id="sender-outside-egress",
    title="Sender used from outside its egress IPs",
    datasets=("signIns",),
    remedy=(
        "Ask the owner whether the address is theirs: add it to egress_ips, or treat the password as stolen: change it "
        "and look at what was sent. Then bind the account to its place by Conditional Access. "
        f"{references.SAFER_WAYS}"
    ),
    remedy_risk="A new password stops the sender until its client has it too.",
    references=(references.CA_CONDITIONS, references.SMTP_AUTH),
    controls=(),
    find=find,
)
