from __future__ import annotations

import pytest

from auditor.blockers import BLOCKERS
from auditor.blockers.routes import NOT_FOR_HVE, host, route_of

MX = "contoso-example.mail.protection.outlook.com"
ROUTES = [
    ({}, "client-submission"),
    ({"server": "smtp.office365.com"}, "client-submission"),
    ({"server": "mail.contoso.example"}, "client-submission"),
    ({"server": "smtp.hve.mx.microsoft"}, "hve"),
    ({"server": "SMTP-HVE.office365.com:587"}, "hve"),
    ({"server": MX}, "relay"),
    ({"server": MX, "recipients": "external"}, "relay"),
    ({"server": MX, "recipients": "internal"}, "direct-send"),
    ({"server": "https://graph.microsoft.com/v1.0"}, "graph"),
    ({"server": MX, "route": "client-submission"}, "client-submission"),
    ({"route": "graph"}, "graph"),
]


@pytest.mark.parametrize(("settings", "expected"), ROUTES)
def test_route(tools, settings, expected):
    assert route_of(tools.sender(**settings)) == expected


def test_host_is_a_bare_name(tools):
    assert host(tools.sender(server=" smtps://Smtp.Office365.com:587/ ")) == "smtp.office365.com"
    assert host(tools.sender(server="2001:db8::4")) == "2001:db8::4"


@pytest.mark.parametrize("route", ["relay", "direct-send", "graph"])
def test_a_route_without_smtp_auth_meets_no_blocker(make, tools, route):
    tenant = make(tools.base("ann"))
    states = tools.states(tenant, [tools.sender(route=route, port=465, recipients_per_day=90_000)])
    assert {found[-1] for found in states.values()} == {"not_applicable"}
    assert states["mailbox"][0] == "clear"  # the account itself is judged as before


def test_high_volume_email_needs_no_mailbox_licence_or_switch(make, tools):
    tenant = make(tools.base("ann"))
    states = tools.states(tenant, [tools.sender(server="smtp.hve.mx.microsoft", recipients_per_day=5)])
    assert {name for name, found in states.items() if found[-1] == "not_applicable"} == NOT_FOR_HVE
    assert {blocker.id for blocker in BLOCKERS} >= NOT_FOR_HVE
