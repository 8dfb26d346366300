"""Which blockers a sender's route meets at all, in one place.

`client-submission` meets every blocker. High Volume Email (`hve`) has its own accounts and endpoint: no mailbox, no
mailbox licence and no SMTP AUTH switch. A relay connector, Direct Send and Graph use no SMTP AUTH: nothing here
applies.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from auditor.blockers.base import Blocker, Cases
from auditor.config import Route, Sender
from auditor.states import Column, Reason, State
from auditor.tenant import Tenant

HVE_HOSTS = frozenset({"smtp.hve.mx.microsoft", "smtp-hve.office365.com"})
MX_SUFFIXES = (".mail.protection.outlook.com", ".mail.protection.office365.us")
WITHOUT_SMTP_AUTH: tuple[Route, ...] = ("relay", "direct-send", "graph")
NOT_FOR_HVE = frozenset({"mailbox", "licence", "smtp-auth-switch"})


def host(sender: Sender) -> str:
    """The declared server as a bare lower-case name: no scheme, no path, no port."""
    name = sender.server.strip().lower().rpartition("://")[2].partition("/")[0].rstrip(".")
    return name.rpartition(":")[0] if name.count(":") == 1 or "]:" in name else name


def route_of(sender: Sender) -> Route:
    """The declared route, else the one that the server's name shows. At a tenant's MX host, mail for internal
    recipients only is Direct Send and anything else needs a relay connector; both go without SMTP AUTH. No server, or
    any other one, is client submission."""
    if sender.route:
        return sender.route
    server = host(sender)
    if server in HVE_HOSTS:
        return "hve"
    if server.endswith(MX_SUFFIXES):
        return "direct-send" if sender.recipients == "internal" else "relay"
    return "graph" if server == "graph.microsoft.com" else "client-submission"


def routed(blocker: Blocker) -> Blocker:
    """The same blocker, `not_applicable` for the senders whose route does not meet it."""

    def judge(tenant: Tenant, cases: Cases) -> Column:
        column = blocker.judge(tenant, cases)
        codes, reasons = column.codes, list(column.reasons)
        for case in range(cases.accounts, len(cases)):
            sender = cases.senders[case]
            route = route_of(sender) if sender else "client-submission"
            if route in WITHOUT_SMTP_AUTH or (route == "hve" and blocker.id in NOT_FOR_HVE):
                codes = np.array(codes) if codes is column.codes else codes
                codes[case] = len(reasons)
                reasons.append(_not_met(route))
        return Column(codes, tuple(reasons))

    return replace(blocker, judge=judge)


def _not_met(route: Route) -> Reason:
    text = f"The sender's route is {route}, which does not meet this blocker."
    return Reason(State.NOT_APPLICABLE, text, (("route", route),))
