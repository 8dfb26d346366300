"""One cause comes as several codes; a missing licence is never told as a missing consent."""

from __future__ import annotations

import pytest

from auditor.catalogue import BY_NAME
from auditor.graph.refusal import ReadError, refusal, status_of


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.", "permission"),
        (403, "AccessDenied", "required scopes are missing in the token", "permission"),
        (403, "", "", "permission"),
        (403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "", "licence"),
        (403, "Forbidden", "Tenant doesn't have premium license", "licence"),
        (400, "AadPremiumLicenseRequired", "", "licence"),
        (401, "InvalidAuthenticationToken", "", "token"),
        (404, "Request_ResourceNotFound", "", "not-found"),
        (400, "Request_UnsupportedQuery", "", "request"),
        (501, "NotImplemented", "", "request"),
        (429, "TooManyRequests", "", "service"),
        (504, "UnknownError", "", "service"),
    ],
)
def test_status_and_code_together_make_the_class(status, code, message, kind):
    assert refusal(status, code, message).kind == kind


def test_the_services_text_is_kept_short_and_without_tokens():
    text = refusal(400, "BadRequest", "no\n such  thing " + "x" * 300 + " eyJhbGciOiJub25lIn0.payload.sig").text
    assert "\n" not in text
    assert len(text) < 260
    assert "eyJ" not in refusal(400, "BadRequest", "token eyJhbGciOiJub25lIn0.payload.sig is bad").text


def test_a_missing_permission_names_the_least_one_of_the_catalogue():
    status = status_of(BY_NAME["users"], refusal(403, "Authorization_RequestDenied", "Insufficient privileges"), 0)
    assert (status.state, status.permission) == ("denied", "User.Read.All")
    assert "User.Read.All" in status.reason


def test_a_reporting_service_may_name_another_permission():
    error = refusal(403, "Authentication_MSGraphPermissionMissing", "permission(s): NewReports.Read.All to call")
    assert status_of(BY_NAME["signIns"], error, 0).permission == "NewReports.Read.All"
    error = refusal(403, "Authentication_MSGraphPermissionMissing", "permission(s): AuditLog.Read.All to call")
    assert status_of(BY_NAME["signIns"], error, 0).permission == "AuditLog.Read.All"


def test_a_missing_licence_is_told_as_one():
    error = refusal(403, "Authentication_RequestFromNonPremiumTenantOrB2CTenant", "no premium license")
    status = status_of(BY_NAME["userRegistrationDetails"], error, 0)
    assert status.state == "denied"
    assert status.permission == "Entra ID P1"
    assert "licence" in status.reason
    assert "consent" not in status.reason


def test_what_was_kept_makes_it_cut():
    assert status_of(BY_NAME["users"], ReadError("network", "gone"), 5).state == "cut"
    assert status_of(BY_NAME["users"], ReadError("network", "gone"), 0).state == "failed"
    assert status_of(BY_NAME["users"], refusal(403, "", ""), 5).state == "cut"
