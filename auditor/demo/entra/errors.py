"""The sign-in errors of the token endpoint, in Microsoft Entra's JSON form.

Codes: https://learn.microsoft.com/entra/identity-platform/reference-error-codes. No text ever holds what the client
sent as a secret or an assertion.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class SignInRefused(Exception):  # noqa: N818 - it is an answer of the service, not an error of the program
    """`code` is the AADSTS number, `error` the OAuth 2.0 error word, `text` the sentence behind the number."""

    status: int
    error: str
    code: int
    text: str

    def body(self, now: datetime, correlation_id: str) -> dict[str, Any]:
        trace_id = str(uuid.uuid4())
        timestamp = now.strftime("%Y-%m-%d %H:%M:%SZ")
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.code}: {self.text} Trace ID: {trace_id} "
            f"Correlation ID: {correlation_id} Timestamp: {timestamp}",
            "error_codes": [self.code],
            "timestamp": timestamp,
            "trace_id": trace_id,
            "correlation_id": correlation_id,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.code}",
        }


def wrong_secret(app: str) -> SignInRefused:
    return SignInRefused(
        401,
        "invalid_client",
        7000215,
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not "
        f"the client secret ID, for a secret added to app '{app}'.",
    )


def expired_secret(app: str) -> SignInRefused:
    return SignInRefused(
        401, "invalid_client", 7000222, f"The provided client secret keys for app '{app}' are expired."
    )


def unknown_app(app: str, tenant: str) -> SignInRefused:
    return SignInRefused(
        400,
        "unauthorized_client",
        700016,
        f"Application with identifier '{app}' was not found in the directory '{tenant}'. This can happen if the "
        "application has not been installed by the administrator of the tenant or consented to by any user in the "
        "tenant. You may have sent your authentication request to the wrong tenant.",
    )


def disabled_app(app: str, name: str) -> SignInRefused:
    return SignInRefused(401, "unauthorized_client", 7000112, f"Application '{app}'({name}) is disabled.")


def blocked_by_policy() -> SignInRefused:
    return SignInRefused(
        400, "invalid_grant", 53003, "Access has been blocked by Conditional Access policies. The access policy does "
        "not allow token issuance."
    )  # fmt: skip


def unknown_tenant(tenant: str) -> SignInRefused:
    return SignInRefused(
        400,
        "invalid_request",
        90002,
        f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant.",
    )


def malformed_tenant(tenant: str) -> SignInRefused:
    return SignInRefused(
        400,
        "invalid_request",
        900023,
        f"Specified tenant identifier '{tenant}' is neither a valid DNS name, nor a valid external domain.",
    )


def other_cloud(app: str) -> SignInRefused:
    return SignInRefused(
        400, "invalid_request", 900382, f"Confidential Client is not supported in Cross Cloud request for app '{app}'."
    )


def unknown_resource(resource: str, tenant_name: str) -> SignInRefused:
    return SignInRefused(
        400,
        "invalid_resource",
        500011,
        f"The resource principal named {resource} was not found in the tenant named {tenant_name}. This can happen if "
        "the application has not been installed by the administrator of the tenant or consented to by any user in "
        "the tenant. You might have sent your authentication request to the wrong tenant.",
    )


def bad_scope(scope: str) -> SignInRefused:
    return SignInRefused(
        400,
        "invalid_scope",
        1002012,
        f"The provided value for scope {scope} is not valid. Client credential flows must have a scope value with "
        "/.default suffixed to the resource identifier (application ID URI).",
    )


def bad_assertion(reason: str) -> SignInRefused:
    return SignInRefused(
        401, "invalid_client", 700027, f"The certificate with identifier used to sign the client assertion {reason}"
    )


def assertion_out_of_time() -> SignInRefused:
    return SignInRefused(401, "invalid_client", 700024, "Client assertion is not within its valid time range.")


def no_federated_identity(issuer: str, subject: str) -> SignInRefused:
    return SignInRefused(
        401,
        "invalid_client",
        700213,
        f"No matching federated identity record found for presented assertion subject '{subject}' of issuer "
        f"'{issuer}'. Check the federated identity credential's subject, audience and issuer.",
    )


def no_credential() -> SignInRefused:
    return SignInRefused(
        401,
        "invalid_client",
        7000218,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    )


def missing_parameter(name: str) -> SignInRefused:
    return SignInRefused(
        400, "invalid_request", 900144, f"The request body must contain the following parameter: '{name}'."
    )


def unsupported_grant(grant: str) -> SignInRefused:
    return SignInRefused(
        400, "unsupported_grant_type", 70003, f"The app requested an unsupported grant type '{grant}'."
    )
