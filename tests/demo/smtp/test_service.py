"""The protocol, on the wire: what is offered when, and what an odd client gets."""

from __future__ import annotations

import base64
import smtplib
import socket
import ssl

import pytest

LOGIN = "svc.erp@contoso.example"
UNTIL_NOW = "2026-11-23T16:00:00.000Z"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def said(answer: tuple[int, bytes]) -> str:
    return f"{answer[0]} {answer[1].decode()}"


@pytest.fixture
def password(emulator):
    tenant = emulator.tenant
    return next(tenant.passwords[user["id"]] for user in tenant.graph["users"] if user["userPrincipalName"] == LOGIN)


def test_sign_in_is_offered_only_after_starttls(emulator, connect):
    connection = connect(emulator)
    connection.ehlo()
    assert connection.has_extn("starttls")
    assert not connection.has_extn("auth")
    connection.secured()
    assert connection.esmtp_features["auth"].split() == ["LOGIN", "XOAUTH2"]
    assert not connection.has_extn("starttls")


def test_a_sign_in_without_tls_is_refused(emulator, connect):
    connection = connect(emulator)
    connection.ehlo()
    assert said(connection.docmd("AUTH", "LOGIN")).startswith("530 5.7.0 Must issue a STARTTLS command first")


@pytest.mark.parametrize("mechanism", ["PLAIN", "CRAM-MD5", "NTLM", "plain"])
def test_other_mechanisms_are_not_known(emulator, connect, mechanism):
    answer = said(connect(emulator).secured().docmd("AUTH", mechanism))
    assert answer.startswith("504 5.7.4 Unrecognized authentication type")


def test_mechanisms_are_read_without_letter_case(emulator, connect, password):
    connection = connect(emulator).secured()
    assert connection.docmd("auth", f"login {encoded(LOGIN)}")[0] == 334
    assert connection.docmd(encoded(password))[0] == 235


def test_the_questions_are_exchange_onlines(emulator, connect):
    connection = connect(emulator).secured()
    assert connection.docmd("AUTH", "LOGIN") == (334, b"VXNlcm5hbWU6")
    assert connection.docmd(encoded(LOGIN)) == (334, b"UGFzc3dvcmQ6")
    assert connection.docmd("*")[0] == 501  # or QUIT would be taken for the password


def test_mail_without_a_sign_in_is_refused(emulator, connect):
    answer = said(connect(emulator).secured().mail(LOGIN))
    assert answer.startswith("530 5.7.57 Client not authenticated to send mail.")
    assert UNTIL_NOW in answer


def test_a_whole_message_is_taken_counted_and_thrown_away(serve, tenant, connect):
    emulator = serve(tenant)
    user = next(user for user in tenant.graph["users"] if user["userPrincipalName"] == LOGIN)
    connection = connect(emulator).secured()
    assert connection.password(LOGIN, tenant.passwords[user["id"]]).startswith("235 2.7.0")
    connection.sendmail(LOGIN, ["a@elsewhere.example", "b@elsewhere.example"], "Subject: x\r\n\r\nvery private words")
    (taken,) = emulator.smtp.submissions
    assert (taken.login, taken.sender, taken.recipients) == (
        LOGIN,
        LOGIN,
        ("a@elsewhere.example", "b@elsewhere.example"),
    )
    assert taken.size > 20
    assert "private" not in repr(emulator.smtp.submissions)


def test_a_second_sign_in_is_refused(emulator, connect, password):
    connection = connect(emulator).secured()
    connection.password(LOGIN, password)
    assert connection.docmd("AUTH", "LOGIN")[0] == 503


def test_a_sign_in_may_be_broken_off(emulator, connect):
    connection = connect(emulator).secured()
    before = len(emulator.smtp.visits)
    connection.docmd("AUTH", "LOGIN")
    assert connection.docmd("*")[0] == 501
    assert connection.noop()[0] == 250
    assert len(emulator.smtp.visits) == before


@pytest.mark.parametrize("answer", ["not base64!", "===", "é"])
def test_what_is_no_base64_is_refused(emulator, connect, answer):
    connection = connect(emulator).secured()
    connection.command_encoding = "utf-8"
    connection.docmd("AUTH", "LOGIN")
    assert connection.docmd(answer)[0] == 501
    assert connection.docmd("AUTH", "LOGIN !!!")[0] == 501
    assert said(connection.docmd("AUTH", "XOAUTH2 !!!")).startswith("501 5.5.121")


def test_a_token_of_any_length_arrives(emulator, connect):
    assert connect(emulator).secured().token(LOGIN, "x" * 8000).startswith("535 5.7.3 Authentication unsuccessful")


def test_a_token_may_come_as_an_answer(emulator, connect):
    connection = connect(emulator).secured()
    assert connection.docmd("AUTH", "XOAUTH2") == (334, b"")
    answer = said(connection.docmd(encoded(f"user={LOGIN}\x01auth=Bearer x\x01\x01")))
    assert answer.startswith("535 5.7.3")


def test_a_line_without_end_ends_in_words(emulator, connect):
    connection = connect(emulator).secured()
    assert connection.docmd("NOOP", "x" * 40_000)[0] == 500
    assert connection.noop()[0] == 250


def test_the_address_in_ehlo_and_the_name_in_tls_are_what_the_service_goes_by(serve, tenant, connect):
    emulator = serve(tenant)
    connect(emulator, host="smtp-legacy.office365.com", name="[IPv6:2001:db8:10::25]").secured().password("a@b", "c")
    connect(emulator, name="printer.contoso.example").secured().password("a@b", "c")
    first, second = emulator.smtp.visits
    assert (first.host, first.address) == ("smtp-legacy.office365.com", "2001:db8:10::25")
    assert (second.host, second.address) == ("smtp.office365.com", "")
    assert "c" not in (first.login, first.reply)


def test_the_certificate_covers_microsofts_names_and_no_other(emulator, connect):
    connect(emulator, host="contoso-example.mail.protection.outlook.com").secured()
    connection = connect(emulator, host="outlook.office365.com")
    connection.ehlo()
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.starttls(context=connection._context)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.parametrize(("host", "allowed", "answer"), [
    ("smtp.office365.com", True, 421),
    ("smtp-legacy.office365.com", True, 250),
    ("smtp-legacy.office365.com", False, 421),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_only_at_its_own_endpoint_and_only_where_the_tenant_allows_it(
    serve, tenant, connect, version, host, allowed, answer
):
    tenant.exchange["transportConfig"][0]["AllowLegacyTLSClients"] = allowed
    connection = connect(serve(tenant), host=host)
    connection._context.set_ciphers("DEFAULT:@SECLEVEL=0")
    connection._context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    connection._context.maximum_version = version
    connection.ehlo()
    connection.starttls(context=connection._context)
    code, text = connection.ehlo()
    assert code == answer
    assert answer == 250 or text.startswith(b"4.7.66 TLS 1.0 and 1.1 are not supported.")


def test_an_error_of_its_own_is_a_temporary_one_and_is_kept_for_the_test(serve, tenant, connect):
    emulator = serve(tenant)
    del tenant.graph["identitySecurityDefaultsEnforcementPolicy"]
    user = next(user for user in tenant.graph["users"] if user["userPrincipalName"] == LOGIN)
    answer = connect(emulator).secured().password(LOGIN, tenant.passwords[user["id"]])
    assert answer.startswith("451 4.7.0 Temporary server error.")
    assert [type(error) for error in emulator.smtp.troubles] == [KeyError]


def test_a_client_that_breaks_off_tls_is_no_trouble_of_the_service(emulator):
    with socket.create_connection((emulator.smtp_host, emulator.smtp_port), timeout=20) as raw:
        raw.recv(500)
        raw.sendall(b"EHLO x\r\n")
        raw.recv(500)
        raw.sendall(b"STARTTLS\r\n")
        raw.recv(500)
        raw.sendall(b"this is no TLS\r\n")
        raw.recv(500)
    with smtplib.SMTP(emulator.smtp_host, emulator.smtp_port, timeout=20) as connection:
        assert connection.noop()[0] == 250
    assert emulator.smtp.troubles == []
