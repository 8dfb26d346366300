"""The safest way out of basic SMTP AUTH for one case. Never an app password, never "turn security defaults off".

Rules, the first that fits:

An account that nobody declared as a sender
    SMTP use was seen by a person's account    oauth-delegated   a mail program that signs in as its user
    SMTP use was seen by any other account     oauth-app-only    nobody is there to sign in
    otherwise                                  none-needed       no need is known: close it

A declared sender that does not use SMTP AUTH
    route graph, relay                         graph-send, relay   it is already there
    route direct-send                          relay where Direct Send is rejected, else none-needed
    route hve, internal recipients             hve                 basic authentication stays there until September 2028
    route hve, external recipients             as for basic below: High Volume Email reaches internal recipients only

A declared sender whose account has no mailbox in Exchange Online
    OAuth and Graph need that mailbox too      relay

A declared sender with OAuth
    app-only                                   oauth-app-only
    delegated, no method registered            oauth-app-only    its next sign-in that asks for MFA cannot be answered
    delegated                                  oauth-delegated

A declared sender with basic authentication
    its app is declared                        as with OAuth
    internal recipients only                   hve
    legacy TLS or no TLS, egress IPs known     relay             a device that cannot learn OAuth; its address is proof
    legacy TLS or no TLS                       keep-and-restrict its mailbox only, an authentication policy of its own,
                                                                 and Conditional Access bound to its place
    SMTP AUTH is switched off for it           graph-send        OAuth over SMTP would need the switch opened
    otherwise                                  oauth-app-only    same protocol, no password

Sources: facts in Microsoft's pages on client submission, OAuth for SMTP, High Volume Email and connectors, as cited by
the blockers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from auditor.blockers.base import Cases
from auditor.blockers.routes import host, route_of
from auditor.config import Sender
from auditor.states import Column, State
from auditor.tenant import NO, YES, Tenant

EXITS = ("oauth-app-only", "oauth-delegated", "graph-send", "hve", "relay", "keep-and-restrict", "none-needed")


def safest_exits(
    tenant: Tenant, cases: Cases, columns: Mapping[str, Column], use_seen: NDArray[np.int8]
) -> Sequence[str]:
    """One of EXITS per case. `use_seen`: tri-state per account, whether SMTP use was seen."""
    kinds = tenant.accounts.kind
    result = ["none-needed"] * len(cases)
    for row in np.flatnonzero(use_seen == YES).tolist():
        result[row] = "oauth-delegated" if kinds[row] == "user" else "oauth-app-only"
    for case in range(cases.accounts, len(cases)):
        sender = cases.senders[case]
        if sender is not None:
            result[case] = sender_exit(tenant, cases, columns, case, sender)
    return result


def sender_exit(tenant: Tenant, cases: Cases, columns: Mapping[str, Column], case: int, sender: Sender) -> str:
    """One of EXITS for the case of a declared sender."""
    return safest_exit(
        sender,
        has_mailbox=columns["mailbox"].states[case] != State.BLOCKS,
        switched_off=columns["smtp-auth-switch"].states[case] == State.BLOCKS,
        method_registered=bool(tenant.accounts.mfa_registered[cases.account[case]] != NO),
        direct_send_rejected=tenant.reject_direct_send == YES,
    )


def safest_exit(
    sender: Sender,
    *,
    has_mailbox: bool,
    switched_off: bool,
    method_registered: bool,
    direct_send_rejected: bool,
) -> str:
    """The rules of this module for one declared sender."""
    route = route_of(sender)
    if route == "graph":
        return "graph-send"
    if route == "relay":
        return "relay"
    if route == "direct-send":
        return "relay" if direct_send_rejected else "none-needed"
    if route == "hve":
        return "hve" if sender.recipients != "external" else _from_basic(sender, switched_off, method_registered)
    if not has_mailbox:
        return "relay"
    if sender.auth == "oauth":
        return _by_flow(sender, method_registered)
    return _from_basic(sender, switched_off, method_registered)


def _by_flow(sender: Sender, method_registered: bool) -> str:
    return "oauth-delegated" if sender.oauth_flow == "delegated" and method_registered else "oauth-app-only"


def _from_basic(sender: Sender, switched_off: bool, method_registered: bool) -> str:
    if sender.oauth_app_id:
        return _by_flow(sender, method_registered)
    if sender.recipients == "internal":
        return "hve"
    if sender.tls == "none" or host(sender).startswith("smtp-legacy."):
        return "relay" if sender.egress_ips else "keep-and-restrict"
    return "graph-send" if switched_off else "oauth-app-only"
