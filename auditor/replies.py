"""What Exchange Online answers over SMTP, as data: text, meaning, and which blockers it points at.

The text is what stands after the codes and, for 535 5.7.139, after "Authentication unsuccessful, ". One reply never
proves that other blockers are absent. `confidence` says how well the pairing of text and meaning is known: `documented`
by Microsoft, `observed` in public logs with an agreed meaning, or `unverified`. No text is known for an expired
password, a password that must be changed, or a disabled account.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Confidence = Literal["documented", "observed", "unverified"]

SUBMISSION = (
    "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission"
)
DEVICES = "https://learn.microsoft.com/exchange/mail-flow-best-practices/fix-issues-with-printers-scanners-and-lob-applications-that-send-email-using-off"
SETUP = "https://learn.microsoft.com/exchange/mail-flow-best-practices/how-to-set-up-a-multifunction-device-or-application-to-send-email-using-microsoft-365-or-office-365"
LIMITS = "https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits"
LEGACY_TLS = "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/opt-in-exchange-online-endpoint-for-legacy-tls-using-smtp-auth"
OAUTH = "https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth"
NDR = "https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online/non-delivery-reports-in-exchange-online"
CONTINUOUS = "Microsoft troubleshooting article on continuous error throttling of SMTP AUTH submissions"
ANNOUNCEMENT = "Exchange team blog, 27 January 2026, Message Center MC786329"
PUBLIC_LOGS = "public logs and issue trackers"
HVE_QUOTE = "third-party page that quotes Microsoft's High Volume Email troubleshooting, 2026-04-07"


@dataclass(frozen=True, slots=True)
class Reply:
    """`code`: SMTP and enhanced code as sent, alternatives with `/`. `blockers`: ids of those that it points at, none
    where it concerns something this audit does not judge. `source`: Microsoft's page, or where the text was seen."""

    id: str
    code: str
    text: str
    meaning: str
    blockers: tuple[str, ...]
    confidence: Confidence
    source: str


AUTHENTICATION: tuple[Reply, ...] = (
    Reply("smtp-auth-disabled-tenant", "535 5.7.139",
          "SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more "
          "information.",
          "SMTP AUTH is off for the organisation, and the mailbox has no setting of its own.",
          ("smtp-auth-switch",), "documented", SUBMISSION),
    Reply("smtp-auth-disabled-mailbox", "535 5.7.139",
          "SmtpClientAuthentication is disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled for more "
          "information.",
          "SMTP AUTH is off for this mailbox. The same text is seen for consumer Outlook.com mailboxes.",
          ("smtp-auth-switch",), "observed", PUBLIC_LOGS),
    Reply("security-defaults", "535 5.7.139",
          "user is locked by your organization's security defaults policy. Contact your administrator.",
          "Security defaults refuse basic authentication for the whole tenant.",
          ("security-defaults",), "documented", DEVICES),
    Reply("basic-authentication-disabled", "535 5.7.139", "basic authentication is disabled.",
          "Basic authentication is refused as a method: by an authentication policy, or by the platform.",
          ("authentication-policy", "basic-auth-retirement"), "observed", PUBLIC_LOGS),
    Reply("organization-configuration", "535 5.7.139",
          "the organization configuration does not allow this authentication request.",
          "Security defaults are on, or the authentication policy that applies does not allow basic SMTP. Seen in one "
          "source about High Volume Email; the end of the sentence is not known.",
          ("security-defaults", "authentication-policy"), "unverified", HVE_QUOTE),
    Reply("credentials-incorrect", "535 5.7.139", "the user credentials were incorrect.",
          "Wrong password; or per-user MFA is enforced and the normal password was used; or the secret was mangled on "
          "its way.",
          ("credential", "per-user-mfa"), "observed", PUBLIC_LOGS),
    Reply("conditional-access", "535 5.7.139",
          "the request did not meet the criteria to be authenticated successfully. Contact your administrator.",
          "A Conditional Access policy or an MFA requirement refused the sign-in, perhaps because of its place.",
          ("conditional-access", "per-user-mfa"), "observed", PUBLIC_LOGS),
    Reply("account-locked", "535 5.7.139", "account locked. Contact your administrator.",
          "Smart lockout, or a lock after repeated failures.",
          ("account-state",), "observed", PUBLIC_LOGS),
    Reply("account-issue", "535 5.7.139", "account has an issue. Contact your administrator.",
          "Something about the state of the account; the cause is not known.",
          ("account-state",), "unverified", PUBLIC_LOGS),
    Reply("federated-sts-unreachable", "535 5.7.139", "federated STS service was unreachable.",
          "The organisation's own sign-in server could not be reached.",
          ("credential",), "documented", DEVICES),
    Reply("federated-sts-no-https", "535 5.7.139", "the federated STS URL does not support HTTPS.",
          "The organisation's own sign-in server does not offer HTTPS.",
          ("credential",), "documented", DEVICES),
    Reply("authentication-unsuccessful", "535 5.7.3", "Authentication unsuccessful",
          "General refusal. With a password: older text for a wrong password, MFA, SMTP AUTH off, security defaults or "
          "Conditional Access.",
          ("credential", "per-user-mfa", "smtp-auth-switch", "security-defaults", "conditional-access"), "documented",
          DEVICES),
    Reply("oauth-unsuccessful", "535 5.7.3", "Authentication unsuccessful",
          "With a token: wrong audience, service principal not registered in Exchange or under a wrong object id, no "
          "FullAccess, or no consent.",
          ("oauth-grant",), "documented", OAUTH),
    Reply("token-expiring", "535 5.7.142", "Token will expire soon", "The OAuth token is about to expire.",
          ("oauth-grant",), "observed", HVE_QUOTE),
    Reply("token-expired", "535 5.7.143", "Expired token", "The OAuth token has expired.",
          ("oauth-grant",), "observed", HVE_QUOTE),
    Reply("token-permissions", "535 5.7.144", "XOAUTH2 authentication failed. Invalid API permissions",
          "The token does not carry the permission to send by SMTP.",
          ("oauth-grant",), "observed", HVE_QUOTE),
    Reply("xoauth2-malformed", "501 5.5.121 / 5.5.122 / 5.5.123 / 5.5.124 / 5.5.125 / 5.5.126",
          "Invalid XOAUTH2 argument", "The client's XOAUTH2 string is malformed.",
          ("sender-settings",), "observed", HVE_QUOTE),
    Reply("hve-app-not-allowed", "550 5.7.240",
          "application is not allowed for use with this High Volume Email account",
          "The app is not on the list of apps that may use the High Volume Email account.",
          ("oauth-grant",), "observed", HVE_QUOTE),
    Reply("unrecognized-authentication", "504 5.7.4", "Unrecognized authentication type",
          "The client used another mechanism than LOGIN or XOAUTH2.",
          ("sender-settings",), "observed", PUBLIC_LOGS),
    Reply("starttls-first", "530 5.7.0", "Must issue a STARTTLS command first",
          "The client tried to sign in without TLS.",
          ("sender-settings",), "observed", PUBLIC_LOGS),
    Reply("not-authenticated", "530 5.7.57 / 535 5.7.57 / 550 5.7.57",
          "Client not authenticated to send mail.",
          "No sign-in succeeded before MAIL FROM: no credentials, no TLS, or a wrapper around an inner 535 reply.",
          ("sender-settings",), "documented", DEVICES),
    Reply("not-authenticated-anonymous", "530 5.7.57 / 550 5.7.57",
          "Client was not authenticated to send anonymous mail during MAIL FROM",
          "No sign-in succeeded before MAIL FROM: no credentials, no TLS, or a wrapper around an inner 535 reply.",
          ("sender-settings",), "documented", DEVICES),
    Reply("authenticated-users-only", "5.7.53", "Client was rejected. Authenticated users only",
          "The client sent no credentials.",
          ("sender-settings",), "observed", PUBLIC_LOGS),
    Reply("temporary-authentication", "454 4.7.0", "Temporary authentication failure",
          "Transient: try again, each time later.",
          (), "documented", DEVICES),
    Reply("temporary-server", "451 4.7.0", "Temporary server error. Please try again later",
          "Transient: try again later.",
          (), "observed", PUBLIC_LOGS),
    Reply("old-tls", "421 4.7.66",
          "TLS 1.0 and 1.1 are not supported. Please upgrade/update your client to support TLS 1.2. Visit "
          "https://aka.ms/smtp_auth_tls.",
          "The client speaks an old TLS version.",
          ("sender-settings",), "documented", LEGACY_TLS),
    Reply("basic-not-supported", "550 5.7.30",
          "Basic authentication is not supported for Client Submission.",
          "Basic authentication is off for the tenant: the reply announced for its retirement.",
          ("basic-auth-retirement",), "documented", ANNOUNCEMENT),
)  # fmt: skip
"""Until the sign-in is through."""

SENDING: tuple[Reply, ...] = (
    Reply("send-as-denied", "550 5.7.60", "SMTP; Client does not have permissions to send as this sender",
          "The sign-in succeeded; the login may not use the From address.",
          ("send-as",), "documented", DEVICES),
    Reply("send-as-denied-exception", "554 5.2.0",
          "STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message "
          "due to a permanent exception",
          "The login may not use the From address.",
          ("send-as",), "documented", DEVICES),
    Reply("send-as-denied-named", "554 5.2.252", "SendAsDenied; not allowed to send as",
          "The login may not use the From address.",
          ("send-as",), "observed", PUBLIC_LOGS),
    Reply("continuous-mailbox-full", "550 5.2.251", "Continuous errors: mailbox full",
          "Submissions are throttled after repeated failures, because the mailbox is full.",
          ("sending-limits",), "documented", CONTINUOUS),
    Reply("continuous-send-as", "550 5.2.252", "Continuous errors: send-as denied",
          "Submissions are throttled after repeated failures, because the login may not use the From address.",
          ("send-as",), "documented", CONTINUOUS),
    Reply("continuous-licence", "550 5.2.253", "Continuous errors: invalid licence",
          "Submissions are throttled after repeated failures, because the mailbox has no valid licence.",
          ("licence",), "documented", CONTINUOUS),
    Reply("continuous-recipients", "550 5.2.254", "Continuous errors: too many recipients",
          "Submissions are throttled after repeated failures, because of too many recipients.",
          ("sending-limits",), "documented", CONTINUOUS),
    Reply("continuous-invalid-recipients", "550 5.2.255", "Continuous errors: invalid recipients",
          "Submissions are throttled after repeated failures, because recipients do not exist.",
          (), "documented", CONTINUOUS),
    Reply("quota-exceeded", "554 5.2.0", "STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
          "More than 10,000 recipients in a day. A bare 5.2.0 without the exception's name means nothing.",
          ("sending-limits",), "documented", LIMITS),
    Reply("daily-limit", "550 5.1.90", "daily message/recipient limit reached",
          "The mailbox reached its limit for the day.",
          ("sending-limits",), "documented", NDR),
    Reply("submission-quota", "550 5.2.2", "Submission quota exceeded",
          "The mailbox reached its limit for the day.",
          ("sending-limits",), "documented", NDR),
    Reply("mailbox-full", "554 5.2.2", "QuotaExceededException",
          "The mailbox is full: the copy in Sent Items cannot be written.",
          (), "observed", PUBLIC_LOGS),
    Reply("too-many-threads", "432 4.3.2", "STOREDRV.ClientSubmit; sender thread limit exceeded",
          "More than three connections at a time: send in one.",
          ("sending-limits",), "documented", LIMITS),
    Reply("too-many-connections", "432 4.3.2", "Concurrent connections limit exceeded",
          "More than three connections at a time: send in one.",
          ("sending-limits",), "documented", LIMITS),
    Reply("submission-rate", "421 4.4.2", "Message submission rate for this client has exceeded the configured limit",
          "Text of a server on premises, or an idle connection that was dropped; Exchange Online delays instead.",
          ("sending-limits",), "observed", PUBLIC_LOGS),
    Reply("restricted-user", "550 5.1.8", "Access denied, bad outbound sender",
          "The account is restricted for outbound spam (Microsoft Defender, Restricted entities).",
          (), "documented", NDR),
    Reply("spam-abuse", "5.7.501", "Access denied, spam abuse detected", "The account is banned for outbound spam.",
          (), "documented", NDR),
    Reply("banned-sender", "5.7.502 / 5.7.503", "Access denied, banned sender",
          "The account is banned for outbound spam.",
          (), "documented", NDR),
    Reply("allow-block-list", "550 5.7.703", "Tenant Allow/Block List",
          "A recipient or sender is on the tenant's block list.",
          (), "documented", NDR),
    Reply("tenant-threshold", "550 5.7.705", "Access denied, tenant has exceeded threshold",
          "The whole tenant is stopped from sending.",
          (), "documented", NDR),
    Reply("ip-not-accepted", "550 5.7.708", "Access denied, traffic not accepted from this IP",
          "A new or trial tenant, or an IP address of low reputation.",
          (), "documented", NDR),
    Reply("unregistered-domain", "550 5.7.750", "Client blocked from sending from unregistered domains",
          "The From address's domain is no accepted domain of the tenant.",
          ("send-as",), "documented", NDR),
    Reply("reputation-throttle", "4.7.500 - 4.7.699", "Access denied, please try again later",
          "A temporary throttle for reputation.",
          (), "documented", NDR),
    Reply("relay-denied", "550 5.7.64", "TenantAttribution; Relay Access Denied",
          "No inbound connector matched: this is relay, not client submission.",
          (), "documented", DEVICES),
    Reply("direct-send-denied", "550 5.7.68",
          "TenantInboundAttribution; Direct Send not allowed for this organization from unauthorized sources",
          "The organisation refuses Direct Send (RejectDirectSend).",
          (), "documented", NDR),
    Reply("unable-to-relay", "5.7.1 / 5.4.1", "Unable to relay",
          "Relay without a sign-in.",
          (), "documented", NDR),
    Reply("recipient-rejected", "5.4.1", "Recipient address rejected: Access denied",
          "Relay without a sign-in, or a recipient that does not exist.",
          (), "documented", NDR),
    Reply("recipient-requires-sign-in", "5.7.12 / 5.7.133 / 5.7.134 / 5.7.136",
          "sender not authenticated for organization, group, mailbox or mail user",
          "The recipient takes mail from authenticated senders only.",
          (), "documented", NDR),
    Reply("message-too-big", "552 5.3.4", "message too big", "The message is larger than the limit.",
          (), "documented", LIMITS),
    Reply("too-many-recipients", "452 4.5.3", "too many recipients", "The message has too many recipients.",
          ("sending-limits",), "documented", LIMITS),
)  # fmt: skip
"""After the sign-in."""

REPLIES: tuple[Reply, ...] = AUTHENTICATION + SENDING

_BY_ID = {reply.id: reply for reply in REPLIES}


def by_id(reply_id: str) -> Reply:
    """Raises KeyError for an id that the catalogue does not hold."""
    return _BY_ID[reply_id]
