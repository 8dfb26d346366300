"""What each declared sender was built to be, worked out by hand from the contract's rules; and where each state of
each blocker can be seen. Data only: the engine is tested against it and shares no code with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

RETIREMENT = datetime(2026, 12, 31, tzinfo=UTC)
Fate = tuple[str, str, str]
"""(basic verdict, oauth verdict, deciding blocker)"""

DEFAULT: Mapping[str, Fate] = {
    "erp-invoices": ("open", "unknown", ""),
    "scanner-hq": ("blocked", "blocked", "smtp-auth-switch"),
    "monitoring": ("open", "unknown", ""),
    "crm": ("blocked", "unknown", "authentication-policy"),
    "newsletter": ("blocked", "unknown", "conditional-access"),
    "hr-onboarding": ("blocked", "unknown", "conditional-access"),
    "warehouse": ("conditional", "unknown", ""),
    "old-helpdesk": ("blocked", "unknown", "account-state"),
    "plant-reports": ("blocked", "unknown", "credential"),
    "fabrikam-notify": ("conditional", "unknown", ""),
    "kiosk-board": ("blocked", "blocked", "mailbox"),
    "info-desk": ("conditional", "unknown", ""),
    "legacy-app": ("conditional", "unknown", ""),
    "copier-465": ("blocked", "blocked", "sender-settings"),
    "payroll-from": ("blocked", "blocked", "send-as"),
    "finance-from": ("open", "unknown", ""),
    "sales-alias": ("conditional", "unknown", ""),
    "bulk-mailer": ("blocked", "blocked", "sending-limits"),
    "burst-mailer": ("conditional", "unknown", ""),
    "weighbridge": ("open", "unknown", ""),
    "gate-by-ip": ("conditional", "unknown", ""),
    "badge-printer": ("conditional", "unknown", ""),
    "lobby-display": ("unknown", "unknown", ""),
    "pilot-line": ("unknown", "unknown", ""),
    "ticketing": ("open", "open", ""),
    "backup-reports": ("open", "blocked", "oauth-grant"),
    "surveys": ("open", "unknown", ""),
    "meter-readings": ("open", "open", ""),
    "customer-portal": ("open", "conditional", ""),
    "parcel-labels": ("open", "blocked", "oauth-grant"),
    "announcements": ("open", "unknown", ""),
    "relay-printers": ("not_applicable", "not_applicable", ""),
    "departed": ("missing", "missing", ""),
}

SECURITY_DEFAULTS: Mapping[str, Fate] = {
    "erp-invoices": ("blocked", "unknown", "security-defaults"),
    "scanner-hq": ("blocked", "blocked", "smtp-auth-switch"),
    "monitoring": ("blocked", "blocked", "smtp-auth-switch"),
    "crm": ("blocked", "unknown", "authentication-policy"),
    "newsletter": ("blocked", "unknown", "security-defaults"),
    "hr-onboarding": ("blocked", "unknown", "security-defaults"),
    "warehouse": ("blocked", "unknown", "security-defaults"),
    "old-helpdesk": ("blocked", "unknown", "account-state"),
    "plant-reports": ("blocked", "unknown", "credential"),
    "fabrikam-notify": ("blocked", "unknown", "security-defaults"),
    "kiosk-board": ("blocked", "blocked", "mailbox"),
    "info-desk": ("blocked", "unknown", "security-defaults"),
    "legacy-app": ("blocked", "unknown", "security-defaults"),
    "copier-465": ("blocked", "blocked", "security-defaults"),
    "payroll-from": ("blocked", "blocked", "security-defaults"),
    "finance-from": ("blocked", "unknown", "security-defaults"),
    "sales-alias": ("blocked", "unknown", "security-defaults"),
    "bulk-mailer": ("blocked", "blocked", "security-defaults"),
    "burst-mailer": ("blocked", "unknown", "security-defaults"),
    "weighbridge": ("blocked", "blocked", "security-defaults"),
    "gate-by-ip": ("blocked", "unknown", "security-defaults"),
    "badge-printer": ("blocked", "unknown", "security-defaults"),
    "lobby-display": ("blocked", "unknown", "security-defaults"),
    "pilot-line": ("blocked", "unknown", "security-defaults"),
    "ticketing": ("blocked", "open", "security-defaults"),
    "backup-reports": ("blocked", "blocked", "security-defaults"),
    "surveys": ("blocked", "unknown", "security-defaults"),
    "meter-readings": ("blocked", "open", "security-defaults"),
    "parcel-labels": ("blocked", "open", "security-defaults"),
    "announcements": ("blocked", "unknown", "security-defaults"),
    "relay-printers": ("not_applicable", "not_applicable", ""),
    "departed": ("missing", "missing", ""),
}

NO_EXCHANGE: Mapping[str, Fate] = {
    **dict.fromkeys(DEFAULT, ("unknown", "unknown", "")),
    "newsletter": ("blocked", "unknown", "conditional-access"),
    "hr-onboarding": ("blocked", "unknown", "conditional-access"),
    "old-helpdesk": ("blocked", "unknown", "account-state"),
    "plant-reports": ("blocked", "unknown", "credential"),
    "kiosk-board": ("blocked", "blocked", "mailbox"),
    "copier-465": ("blocked", "blocked", "sender-settings"),
    "bulk-mailer": ("blocked", "blocked", "sending-limits"),
    "parcel-labels": ("unknown", "blocked", "oauth-grant"),
    "relay-printers": ("not_applicable", "not_applicable", ""),
    "departed": ("missing", "missing", ""),
}

AFTER_RETIREMENT: Mapping[str, Fate] = {
    **{name: ("blocked", fate[1], fate[2] or "basic-auth-retirement") for name, fate in DEFAULT.items()},
    "announcements": ("open", "unknown", ""),
    "relay-printers": ("not_applicable", "not_applicable", ""),
    "departed": ("missing", "missing", ""),
}

FATES = {
    "default": DEFAULT,
    "security-defaults": SECURITY_DEFAULTS,
    "no-exchange": NO_EXCHANGE,
    "after-retirement": AFTER_RETIREMENT,
}

FIXED: Mapping[int, Mapping[str, Mapping[str, Fate]]] = {
    2: {
        "default": {"scanner-hq": ("open", "unknown", "")},
        "security-defaults": {"scanner-hq": ("blocked", "unknown", "security-defaults")},
        "after-retirement": {"scanner-hq": ("blocked", "unknown", "basic-auth-retirement")},
    },
    3: {
        "default": {"newsletter": ("open", "unknown", ""), "legacy-app": ("open", "unknown", "")},
        "no-exchange": {"newsletter": ("unknown", "unknown", "")},
        "after-retirement": {"newsletter": ("blocked", "unknown", "basic-auth-retirement")},
    },
}
"""From which quarter a fate is another one, and in which scenario"""

MANAGED_POLICY_ON = 4
"""The quarter in which the Microsoft-managed block of legacy authentication is switched on"""

BEFORE_CONDITIONAL_ACCESS = ("mailbox", "authentication-policy", "smtp-auth-switch", "account-state", "credential",
                             "security-defaults", "conditional-access")  # fmt: skip
NOT_RETIRED = ("announcements", "relay-printers", "departed")


def fates(scenario: str, quarter: int, now: datetime) -> dict[str, dict[str, str]]:
    """Sender name → {"basic", "oauth", "deciding_blocker"}; a sender whose account is gone is `missing`."""
    table = dict(FATES[scenario])
    for since, by_scenario in FIXED.items():
        if quarter >= since:
            table.update(by_scenario.get(scenario, {}))
    if now >= RETIREMENT:
        table = {name: _retiring(name, fate) for name, fate in table.items()}
    if quarter >= MANAGED_POLICY_ON and scenario != "security-defaults":
        table = {name: _legacy_blocked(fate) for name, fate in table.items()}
    return {
        name: {"basic": basic, "oauth": oauth, "deciding_blocker": deciding}
        for name, (basic, oauth, deciding) in table.items()
    }


def _retiring(name: str, fate: Fate) -> Fate:
    """What was open now depends on the announced change."""
    return ("conditional", *fate[1:]) if fate[0] == "open" and name not in NOT_RETIRED else fate


def _legacy_blocked(fate: Fate) -> Fate:
    basic, oauth, deciding = fate
    if basic in ("not_applicable", "missing"):
        return fate
    return "blocked", oauth, deciding if deciding in BEFORE_CONDITIONAL_ACCESS else "conditional-access"


@dataclass(frozen=True, slots=True)
class Witness:
    """One place where a blocker has a state. `who`: the name of a sender, else the key of an account."""

    blocker: str
    state: str
    who: str
    scenario: str = "default"
    quarter: int = 1


WITNESSES = (
    Witness("account-state", "blocks", "old-helpdesk"),
    Witness("account-state", "clear", "erp-invoices"),
    Witness("account-state", "not_applicable", "relay-printers"),
    Witness("mailbox", "blocks", "mail.user"),
    Witness("mailbox", "clear", "erp-invoices"),
    Witness("mailbox", "unknown", "onprem1", "no-exchange"),
    Witness("mailbox", "not_applicable", "announcements"),
    Witness("licence", "blocks", "plan.off"),
    Witness("licence", "conditional", "info-desk"),
    Witness("licence", "clear", "erp-invoices"),
    Witness("licence", "unknown", "f1.worker"),
    Witness("licence", "not_applicable", "announcements"),
    Witness("smtp-auth-switch", "blocks", "scanner-hq"),
    Witness("smtp-auth-switch", "clear", "erp-invoices"),
    Witness("smtp-auth-switch", "unknown", "no.casrow"),
    Witness("smtp-auth-switch", "not_applicable", "announcements"),
    Witness("authentication-policy", "blocks", "crm"),
    Witness("authentication-policy", "clear", "erp-invoices"),
    Witness("authentication-policy", "unknown", "jan.novak"),
    Witness("authentication-policy", "not_applicable", "relay-printers"),
    Witness("credential", "blocks", "plant-reports"),
    Witness("credential", "conditional", "fabrikam-notify"),
    Witness("credential", "clear", "erp-invoices"),
    Witness("credential", "unknown", "unset.old"),
    Witness("credential", "not_applicable", "relay-printers"),
    Witness("per-user-mfa", "conditional", "legacy-app"),
    Witness("per-user-mfa", "clear", "erp-invoices"),
    Witness("per-user-mfa", "unknown", "mfa.silent"),
    Witness("per-user-mfa", "not_applicable", "relay-printers"),
    Witness("security-defaults", "blocks", "erp-invoices", "security-defaults"),
    Witness("security-defaults", "clear", "erp-invoices"),
    Witness("security-defaults", "not_applicable", "relay-printers"),
    Witness("conditional-access", "blocks", "newsletter"),
    Witness("conditional-access", "conditional", "warehouse"),
    Witness("conditional-access", "unknown", "pilot-line"),
    Witness("conditional-access", "clear", "erp-invoices"),
    Witness("conditional-access", "not_applicable", "relay-printers"),
    Witness("sender-settings", "blocks", "copier-465"),
    Witness("sender-settings", "conditional", "gate-by-ip"),
    Witness("sender-settings", "unknown", "lobby-display"),
    Witness("sender-settings", "clear", "erp-invoices"),
    Witness("sender-settings", "not_applicable", "never.mail"),
    Witness("send-as", "blocks", "payroll-from"),
    Witness("send-as", "conditional", "sales-alias"),
    Witness("send-as", "unknown", "payroll-from", "no-exchange"),
    Witness("send-as", "clear", "finance-from"),
    Witness("send-as", "not_applicable", "never.mail"),
    Witness("sending-limits", "blocks", "bulk-mailer"),
    Witness("sending-limits", "conditional", "burst-mailer"),
    Witness("sending-limits", "clear", "erp-invoices"),
    Witness("sending-limits", "not_applicable", "crm"),
    Witness("oauth-grant", "blocks", "backup-reports"),
    Witness("oauth-grant", "conditional", "customer-portal"),
    Witness("oauth-grant", "clear", "ticketing"),
    Witness("oauth-grant", "unknown", "surveys"),
    Witness("oauth-grant", "not_applicable", "never.mail"),
    Witness("basic-auth-retirement", "blocks", "erp-invoices", "after-retirement"),
    Witness("basic-auth-retirement", "conditional", "erp-invoices", "default", 2),
    Witness("basic-auth-retirement", "clear", "erp-invoices"),
    Witness("basic-auth-retirement", "not_applicable", "relay-printers"),
)
"""Every state that the contract's table allows, but `security-defaults` unknown (only with the dataset unread) and
`basic-auth-retirement` unknown (only in the cloud `china`)."""
