"""The declared senders: each meets another fate. Keys as in the config's `[[senders]]` (contract)."""

from __future__ import annotations

from typing import Any

from auditor.demo.tenant.account import Account
from auditor.demo.tenant.apps import client_id
from auditor.demo.tenant.ids import Ids

Json = dict[str, Any]

OFFICE = "203.0.113.10"
OFFICE_V6 = "2001:db8:10::25"
CLOUD = "198.51.100.200"
"""An egress address in no named location"""

SUBMISSION = "smtp.office365.com"
HVE = "smtp.hve.mx.microsoft"
LEGACY_TLS = "smtp-legacy.office365.com"
GHOST = "svc.departed@contoso.example"


def _sender(name: str, account: str, **more: Any) -> Json:
    """`account` is the key of an account, or an address where no such account exists."""
    return {"name": name, "account": account, "server": SUBMISSION, "port": 587, "tls": "starttls",
            "auth": "basic"} | more  # fmt: skip


SENDERS: tuple[Json, ...] = (
    _sender("erp-invoices", "svc.erp", egress_ips=[OFFICE, OFFICE_V6], recipients="external",
            recipients_per_day=900, messages_per_minute=10, connections=2, owner="finance-it@contoso.example"),
    _sender("scanner-hq", "svc.scanner", egress_ips=[OFFICE], recipients="internal"),
    _sender("monitoring", "svc.monitoring", egress_ips=[CLOUD], recipients="internal"),
    _sender("crm", "svc.crm", egress_ips=[CLOUD], recipients="external"),
    _sender("newsletter", "svc.newsletter", egress_ips=[CLOUD], recipients="external"),
    _sender("hr-onboarding", "svc.onboarding", egress_ips=[OFFICE], recipients="internal"),
    _sender("warehouse", "svc.warehouse", egress_ips=[OFFICE, CLOUD], recipients="internal"),
    _sender("old-helpdesk", "svc.oldhelpdesk", egress_ips=[OFFICE]),
    _sender("plant-reports", "svc.plant", egress_ips=[OFFICE]),
    _sender("fabrikam-notify", "svc.fabrikam", egress_ips=[CLOUD]),
    _sender("kiosk-board", "svc.kiosk", egress_ips=[OFFICE]),
    _sender("info-desk", "info", egress_ips=[OFFICE]),
    _sender("legacy-app", "svc.legacyapp", egress_ips=[OFFICE]),
    _sender("copier-465", "svc.copier", port=465, tls="implicit", egress_ips=[OFFICE]),
    _sender("payroll-from", "svc.payroll", egress_ips=[OFFICE], **{"from": "payroll@contoso.example"}),
    _sender("finance-from", "svc.sendas", egress_ips=[OFFICE], **{"from": "finance@contoso.example"}),
    _sender("sales-alias", "svc.sales", egress_ips=[OFFICE], **{"from": "quotes@contoso.example"}),
    _sender("bulk-mailer", "svc.bulk", egress_ips=[CLOUD], recipients="external", recipients_per_day=25000),
    _sender("burst-mailer", "svc.burst", egress_ips=[CLOUD], messages_per_minute=120),
    _sender("weighbridge", "svc.scale", server=LEGACY_TLS, egress_ips=[OFFICE], recipients="internal"),
    _sender("gate-by-ip", "svc.gate", server="192.0.2.10", route="client-submission", egress_ips=[OFFICE]),
    _sender("badge-printer", "svc.badge", username="badges@contoso.example", egress_ips=[OFFICE]),
    _sender("lobby-display", "svc.lobby", server="outlook.office365.com", route="client-submission",
            egress_ips=[OFFICE]),
    _sender("pilot-line", "svc.pilot", egress_ips=[OFFICE]),
    _sender("ticketing", "app.ticketing", auth="oauth", oauth_app_id="{ticketing}", oauth_flow="app-only"),
    _sender("backup-reports", "app.backup", auth="oauth", oauth_app_id="{backup}", oauth_flow="app-only"),
    _sender("surveys", "app.surveys", auth="oauth", oauth_flow="app-only"),
    _sender("meter-readings", "app.rbac", auth="oauth", oauth_app_id="{rbac}", oauth_flow="app-only"),
    _sender("customer-portal", "app.portal", auth="oauth", oauth_app_id="{portal}", oauth_flow="delegated"),
    _sender("parcel-labels", "app.workload", auth="oauth", oauth_app_id="{workload}", oauth_flow="app-only"),
    _sender("announcements", "hve.internal", server=HVE, route="hve", egress_ips=[OFFICE], recipients="internal"),
    _sender("relay-printers", "svc.relay", server="contoso-example.mail.protection.outlook.com", port=25,
            route="relay", egress_ips=["203.0.113.40"]),
    _sender("departed", GHOST, egress_ips=[OFFICE]),
)  # fmt: skip


def senders(accounts: dict[str, Account], ids: Ids, without: frozenset[str] = frozenset()) -> list[Json]:
    """The `[[senders]]` of the demo's config. `{key}` of an app id becomes that app's client id."""
    return [_written(sender, accounts, ids) for sender in SENDERS if sender["name"] not in without]


def _written(sender: Json, accounts: dict[str, Account], ids: Ids) -> Json:
    written = dict(sender)
    account = accounts.get(sender["account"])
    if account is not None:
        written["account"] = account.upn
        written.setdefault("from", account.address or account.upn)
    if "oauth_app_id" in sender:
        written["oauth_app_id"] = client_id(ids, sender["oauth_app_id"].strip("{}"))
    return written
