"""What the emulated SMTP service answers, word for word as Microsoft documents it or as public logs show it.

Each refusal carries the host, time and id that Exchange Online puts behind its replies, so that whoever reads them here
can read the real ones.
"""

from __future__ import annotations

from datetime import datetime

HOST = "DEMO01CA0001.CHEP278.PROD.OUTLOOK.COM"

_UNSUCCESSFUL = "535 5.7.139 Authentication unsuccessful, "

DISABLED_TENANT = (
    f"{_UNSUCCESSFUL}SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for "
    "more information."
)
DISABLED_MAILBOX = (
    f"{_UNSUCCESSFUL}SmtpClientAuthentication is disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled for "
    "more information."
)
SECURITY_DEFAULTS = (
    f"{_UNSUCCESSFUL}user is locked by your organization's security defaults policy. Contact your administrator."
)
BASIC_DISABLED = f"{_UNSUCCESSFUL}basic authentication is disabled."
ORGANIZATION = f"{_UNSUCCESSFUL}the organization configuration does not allow this authentication request."
CREDENTIALS = f"{_UNSUCCESSFUL}the user credentials were incorrect."
CONDITIONAL_ACCESS = (
    f"{_UNSUCCESSFUL}the request did not meet the criteria to be authenticated successfully. Contact your "
    "administrator."
)
LOCKED = f"{_UNSUCCESSFUL}account locked. Contact your administrator."
ACCOUNT_ISSUE = f"{_UNSUCCESSFUL}account has an issue. Contact your administrator."
FEDERATED = f"{_UNSUCCESSFUL}federated STS service was unreachable."
RETIRED = "550 5.7.30 Basic authentication is not supported for Client Submission."

REFUSED = "535 5.7.3 Authentication unsuccessful"
TOKEN_EXPIRED = "535 5.7.143 Expired token"
TOKEN_MALFORMED = "501 5.5.121 Invalid XOAUTH2 argument"
HVE_APP = "550 5.7.240 application is not allowed for use with this High Volume Email account"

OTHER_MECHANISM = "504 5.7.4 Unrecognized authentication type"
STARTTLS_FIRST = "530 5.7.0 Must issue a STARTTLS command first"
NOT_AUTHENTICATED = "530 5.7.57 Client not authenticated to send mail."
OLD_TLS = (
    "421 4.7.66 TLS 1.0 and 1.1 are not supported. Please upgrade/update your client to support TLS 1.2. Visit "
    "https://aka.ms/smtp_auth_tls."
)
TROUBLE = "451 4.7.0 Temporary server error. Please try again later"

SEND_AS_DENIED = "550 5.7.60 SMTP; Client does not have permissions to send as this sender"
NO_LICENCE = "550 5.2.253 Continuous errors: invalid licence"
QUOTA = (
    "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message due to a "
    "permanent exception"
)
TOO_MANY_RECIPIENTS = "452 4.5.3 too many recipients"
RELAY_DENIED = "550 5.7.64 TenantAttribution; Relay Access Denied"
DIRECT_SEND_DENIED = (
    "550 5.7.68 TenantInboundAttribution; Direct Send not allowed for this organization from unauthorized sources"
)

SIGNED_IN = "235 2.7.0 Authentication successful"
SENDER_OK = "250 2.1.0 Sender OK"
RECIPIENT_OK = "250 2.1.5 Recipient OK"


def stamped(text: str, now: datetime, number: int) -> str:
    """A refusal as Exchange Online sends it: with its host, the time and an id. Anything but a refusal stays bare."""
    if text[0] not in "45":
        return text
    moment = now.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    return f"{text} [{HOST} {moment} {0x08DE2A0000000000 + number:016X}]"
