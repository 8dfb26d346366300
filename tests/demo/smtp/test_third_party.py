"""SMTP clients that are not ours against the emulated service: Python's smtplib always, swaks where it is installed."""

from __future__ import annotations

import shutil
import smtplib
import ssl
import subprocess

import pytest

LOGIN = "svc.erp@contoso.example"
BLOCKED = "svc.scanner@contoso.example"


def password_of(emulator, login):
    tenant = emulator.tenant
    return next(tenant.passwords[user["id"]] for user in tenant.graph["users"] if user["userPrincipalName"] == login)


@pytest.fixture
def smtplib_client(emulator):
    context = ssl.create_default_context(cafile=str(emulator.ca_bundle))
    with smtplib.SMTP(emulator.smtp_host, emulator.smtp_port, local_hostname="[203.0.113.10]", timeout=20) as client:
        client.starttls(context=context)
        yield client


def test_smtplib_signs_in_and_sends(emulator, smtplib_client):
    before = len(emulator.smtp.submissions)
    smtplib_client.login(LOGIN, password_of(emulator, LOGIN))
    assert smtplib_client.sendmail(LOGIN, ["a@elsewhere.example"], "Subject: x\r\n\r\nx") == {}
    assert len(emulator.smtp.submissions) == before + 1


def test_smtplib_reads_the_refusal(emulator, smtplib_client):
    with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
        smtplib_client.login(BLOCKED, password_of(emulator, BLOCKED))
    assert caught.value.smtp_code == 535
    assert b"5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Mailbox." in (
        caught.value.smtp_error
    )


def test_smtplib_sends_a_token_by_its_own_means(emulator, smtplib_client):
    smtplib_client.ehlo()
    with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
        smtplib_client.auth("XOAUTH2", lambda challenge=None: f"user={LOGIN}\x01auth=Bearer no-token\x01\x01")
    assert caught.value.smtp_error.startswith(b"5.7.3 Authentication unsuccessful")


@pytest.fixture(scope="module")
def swaks(emulator, tmp_path_factory):
    """(account, …) → swaks, finished."""
    program = shutil.which("swaks")
    if program is None:
        pytest.skip("swaks is not installed")
    support = subprocess.run([program, "--support"], capture_output=True, text=True, timeout=60, check=False)
    if "=== TLS supported" not in support.stdout:
        pytest.skip("swaks is installed without TLS: on Debian libnet-ssleay-perl is missing")

    def call(account, *more):
        command = [program, "--server", f"127.0.0.1:{emulator.smtp_port}", "--ehlo", "[203.0.113.10]", "--tls",
                   "--tls-sni", "smtp.office365.com", "--tls-verify", "--tls-ca-path", str(emulator.ca_bundle),
                   "--auth", "LOGIN", "--auth-user", account, "--auth-password", password_of(emulator, account),
                   "--auth-hide-password", "--from", account, "--to", "a@elsewhere.example", "--timeout", "20",
                   *more]  # fmt: skip
        return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)

    return call


def test_swaks_signs_in_and_sends(emulator, swaks):
    before = len(emulator.smtp.submissions)
    done = swaks(LOGIN)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "235 2.7.0 Authentication successful" in done.stdout
    assert len(emulator.smtp.submissions) == before + 1


def test_swaks_shows_the_refusal_that_explain_reads(swaks):
    from auditor.explain import explain

    done = swaks(BLOCKED)
    assert done.returncode == 28  # swaks: the sign-in failed
    assert "smtp-auth-disabled-mailbox" in [match.reply.id for match in explain(done.stdout).matches]


def test_swaks_without_tls_is_told_to_begin_with_it(emulator, swaks):
    command = [shutil.which("swaks"), "--server", f"127.0.0.1:{emulator.smtp_port}", "--from", LOGIN, "--to", LOGIN,
               "--timeout", "20"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)
    assert "530 5.7.57 Client not authenticated to send mail." in done.stdout
