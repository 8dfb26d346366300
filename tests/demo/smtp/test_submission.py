from __future__ import annotations

import pytest

from auditor.demo.smtp import texts
from auditor.demo.smtp.sign_in import Client, SignedIn

OFFICE = Client("smtp.office365.com", "203.0.113.10")
HVE = Client("smtp.hve.mx.microsoft", "203.0.113.10")
MX = Client("contoso-example.mail.protection.outlook.com", "203.0.113.40")


@pytest.mark.parametrize(
    ("account", "address", "answer"),
    [
        ("svc.erp", "svc.erp@contoso.example", texts.SENDER_OK),
        ("svc.erp", "SVC.ERP@CONTOSO.EXAMPLE", texts.SENDER_OK),
        ("svc.sales", "quotes@contoso.example", texts.SENDER_OK),
        ("svc.sendas", "finance@contoso.example", texts.SENDER_OK),
        ("svc.crm", "support@contoso.example", texts.SENDER_OK),
        ("svc.erp", "finance@contoso.example", texts.SEND_AS_DENIED),
        ("svc.payroll", "payroll@contoso.example", texts.SEND_AS_DENIED),
        ("svc.erp", "nobody@contoso.example", texts.SEND_AS_DENIED),
        ("svc.kiosk", "svc.kiosk@contoso.example", texts.NO_LICENCE),
    ],
)
def test_own_addresses_aliases_and_send_as(desk, user, account, address, answer):
    assert desk.sender(OFFICE, SignedIn(user(account)), address) == answer


def test_an_app_sends_as_its_mailbox_and_not_as_others(desk, user, tenant):
    app = {"id": "11111111-1111-4111-8111-111111111111", "appId": "app"}
    signed_in = SignedIn(user("app.ticketing"), app)
    assert desk.sender(OFFICE, signed_in, "app.ticketing@contoso.example") == texts.SENDER_OK
    assert desk.sender(OFFICE, signed_in, "finance@contoso.example") == texts.SEND_AS_DENIED
    tenant.exchange["recipientPermissions"].append(
        {"Identity": "finance", "Trustee": app["id"], "AccessControlType": "Allow", "AccessRights": ["SendAs"]}
    )
    assert desk.sender(OFFICE, signed_in, "finance@contoso.example") == texts.SENDER_OK


def test_high_volume_email_needs_no_mailbox(desk, user):
    signed_in = SignedIn(user("hve.internal"))
    assert desk.sender(HVE, signed_in, "hve.internal@contoso.example") == texts.SENDER_OK
    assert desk.sender(OFFICE, signed_in, "hve.internal@contoso.example") == texts.NO_LICENCE


def test_without_a_sign_in_only_the_mx_host_listens(desk):
    assert desk.sender(OFFICE, None, "a@b.example") == texts.NOT_AUTHENTICATED
    assert desk.sender(MX, None, "a@b.example") == texts.SENDER_OK


def test_a_connector_relays_for_its_addresses_and_direct_send_stays_inside(desk, tenant):
    stranger = Client(MX.host, "198.51.100.9")  # of a connector that is switched off
    assert desk.recipient(MX, None, "out@elsewhere.example", 0) == texts.RECIPIENT_OK
    assert desk.recipient(stranger, None, "out@elsewhere.example", 0) == texts.RELAY_DENIED
    assert desk.recipient(stranger, None, "in@contoso.example", 0) == texts.RECIPIENT_OK
    tenant.exchange["organizationConfig"][0]["RejectDirectSend"] = True
    assert desk.recipient(stranger, None, "in@contoso.example", 0) == texts.DIRECT_SEND_DENIED


def test_limits_of_a_message_and_of_a_day(desk, user):
    erp, bulk = SignedIn(user("svc.erp")), SignedIn(user("svc.bulk"))
    assert desk.recipient(OFFICE, erp, "x@y.example", 499) == texts.RECIPIENT_OK
    assert desk.recipient(OFFICE, erp, "x@y.example", 500) == texts.TOO_MANY_RECIPIENTS
    assert desk.recipient(OFFICE, bulk, "x@y.example", 0) == texts.QUOTA
