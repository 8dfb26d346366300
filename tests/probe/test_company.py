"""Probes of the emulated tenant's senders: what a changed setting changes on the wire, and what is sent where."""

from __future__ import annotations

import pytest

from auditor.demo.tenant import generate
from auditor.probe import Tools, probe


@pytest.fixture
def company(open_company):
    return open_company(generate(accounts=100))


def test_the_probe_of_a_custom_cloud_says_where_it_really_goes(company, tools):
    result = company.probe("erp-invoices", tools)
    assert result.declared == "smtp.office365.com:587"
    assert result.contacted == f"localhost:{company.emulator.smtp_port}"
    assert result.phase("tls").detail == "TLSv1.3, the certificate is trusted for smtp.office365.com."


def test_place_decides_where_a_policy_looks_at_it(company, tools):
    """The warehouse sends from the office and from the cloud; only the office may."""
    assert company.probe("warehouse", tools, greeting="[203.0.113.10]").succeeded
    tools.tried.clear()
    refused = company.probe("warehouse", tools, greeting="[198.51.100.200]")
    assert refused.replies == ("conditional-access",)


def test_a_switch_that_is_turned_on_opens_the_sender(company, tools):
    assert company.probe("scanner-hq", tools).replies == ("smtp-auth-disabled-mailbox",)
    for row in company.tenant.exchange["casMailboxes"]:
        row["SmtpClientAuthenticationDisabled"] = None
    tools.tried.clear()
    tools.again = True
    assert company.probe("scanner-hq", tools).succeeded


def test_a_wrong_password_is_counted_once_by_the_server(company, tools, clock):
    company.secrets = company.secrets | {"AUDITOR_SENDER_ERP_INVOICES": "not-the-password"}
    assert company.probe("erp-invoices", tools).replies == ("credentials-incorrect",)
    for _ in range(3):
        other_run = Tools(clock, tools.memory, phase_seconds=5.0, total_seconds=30.0)
        assert company.probe("erp-invoices", other_run).phase("auth").outcome == "skipped"
    assert list(company.emulator.smtp.gate.lockout.failures.values()) == [1]
    assert len(company.emulator.smtp.visits) == 1


def test_a_message_is_sent_only_where_it_is_asked_for(company, tools):
    company.probe("erp-invoices", tools)
    assert company.emulator.smtp.submissions == []
    tools.tried.clear()
    assert company.probe("erp-invoices", tools, send_to="me@contoso.example").ending == "sent"
    (taken,) = company.emulator.smtp.submissions
    assert (taken.login, taken.recipients) == ("svc.erp@contoso.example", ("me@contoso.example",))


def test_a_refused_from_address_is_told_without_a_message(company, tools):
    result = company.probe("payroll-from", tools)
    assert (result.blockers, result.replies) == (("send-as",), ("send-as-denied",))
    assert company.emulator.smtp.submissions == []


def test_the_apps_token_comes_from_the_tenants_own_authority(company, tools):
    result = company.probe("ticketing", tools)
    assert result.succeeded
    assert result.phase("token").outcome == "done"
    assert company.emulator.requests.count("login") > 0


def test_a_wrong_app_secret_is_refused_by_entra_and_points_at_the_grant(company, tools):
    company.secrets = company.secrets | {"AUDITOR_SENDER_TICKETING": "not-the-secret"}
    result = company.probe("ticketing", tools)
    assert (result.ending, result.blockers) == ("refused", ("oauth-grant",))
    assert "7000215" in result.phase("token").detail


def test_relay_is_tried_without_a_sign_in(company, tools):
    assert company.probe("relay-printers", tools).succeeded
    refused = company.probe("relay-printers", tools, greeting="[198.51.100.9]", to="out@elsewhere.example")
    assert refused.replies == ("relay-denied",)


def test_all_senders_in_one_run_leave_no_secret_anywhere(company, tools, with_environment):
    left = []
    with with_environment(company.secrets):
        for job in company.jobs():
            result, transcript = probe(job, tools)
            left += [repr(result), *transcript.lines]
    text = "\n".join(left)
    for secret in [*company.secrets.values(), *company.tenant.passwords.values(), company.tenant.app.secret]:
        assert secret not in text
