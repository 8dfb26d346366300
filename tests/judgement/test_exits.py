"""The safest way out: each rule of the module once, and what is never advised."""

from __future__ import annotations

import msgspec
import pytest

from auditor.config import Sender
from auditor.exits import EXITS, safest_exit

APP = "33333333-3333-3333-3333-333333333333"


def exit_of(*, has_mailbox=True, switched_off=False, method_registered=True, direct_send_rejected=False, **settings):
    sender = msgspec.convert({"name": "s", "account": "s@contoso.example", **settings}, Sender)
    return safest_exit(
        sender,
        has_mailbox=has_mailbox,
        switched_off=switched_off,
        method_registered=method_registered,
        direct_send_rejected=direct_send_rejected,
    )


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "oauth-app-only"),
        ({"recipients": "external"}, "oauth-app-only"),
        ({"recipients": "internal"}, "hve"),
        ({"recipients": "internal", "oauth_app_id": APP}, "oauth-app-only"),
        ({"oauth_app_id": APP, "oauth_flow": "delegated"}, "oauth-delegated"),
        ({"oauth_app_id": APP, "oauth_flow": "delegated", "method_registered": False}, "oauth-app-only"),
        ({"switched_off": True}, "graph-send"),
        ({"server": "smtp-legacy.office365.com"}, "keep-and-restrict"),
        ({"server": "smtp-legacy.office365.com", "egress_ips": ["203.0.113.4"]}, "relay"),
        ({"tls": "none"}, "keep-and-restrict"),
        ({"has_mailbox": False}, "relay"),
        ({"auth": "oauth"}, "oauth-app-only"),
        ({"auth": "oauth", "oauth_flow": "delegated"}, "oauth-delegated"),
        ({"auth": "oauth", "oauth_flow": "delegated", "method_registered": False}, "oauth-app-only"),
        ({"auth": "oauth", "has_mailbox": False}, "relay"),
        ({"route": "graph"}, "graph-send"),
        ({"route": "relay"}, "relay"),
        ({"route": "direct-send"}, "none-needed"),
        ({"route": "direct-send", "direct_send_rejected": True}, "relay"),
        ({"route": "hve", "recipients": "internal"}, "hve"),
        ({"route": "hve", "has_mailbox": False}, "hve"),
        ({"route": "hve", "recipients": "external"}, "oauth-app-only"),
    ],
)
def test_declared_senders(settings, expected):
    assert exit_of(**settings) == expected
    assert expected in EXITS


def test_undeclared_accounts(world):
    world.add("idle", switch=False)
    world.add("person", switch=False, smtp_app=True, methods=("mobilePhone",))
    world.add("mailroom", switch=False, smtp_app=True, mailbox="SharedMailbox")
    judgement = world.judge().judgement
    exits = {name: judgement.safest_exit[judgement.tenant.find(f"{name}@contoso.example")]
             for name in ("idle", "person", "mailroom")}  # fmt: skip
    assert exits == {"idle": "none-needed", "person": "oauth-delegated", "mailroom": "oauth-app-only"}


def test_every_exit_of_the_demo_is_the_contracts(demo):
    for scenario in ("default", "security-defaults", "no-exchange", "after-retirement"):
        assert set(demo(scenario).judgement.safest_exit) <= set(EXITS)
