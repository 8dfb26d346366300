"""What distinguishes the scenarios: the tenant-wide settings each of them starts from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

DEFAULT_NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Scenario:
    """`default_policy`: name of the organisation's default authentication policy; `retired`: an administrator brought
    the reply that Microsoft announced for tenants whose basic SMTP AUTH is off."""

    name: str
    security_defaults: bool = False
    premium: bool = True
    org_smtp_disabled: bool = False
    legacy_tls: bool = True
    default_policy: str | None = None
    exchange_mode: str = "admin-api"
    retired: bool = False
    now: datetime = DEFAULT_NOW
    without_senders: frozenset[str] = frozenset()


SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("default"),
        Scenario(
            "security-defaults",
            security_defaults=True,
            premium=False,
            org_smtp_disabled=True,
            legacy_tls=False,
            default_policy="Allow SMTP for devices",
            without_senders=frozenset({"customer-portal"}),
        ),
        Scenario("no-exchange", exchange_mode="none"),
        Scenario("after-retirement", retired=True, now=datetime(2027, 1, 15, 16, tzinfo=UTC)),
    )
}
