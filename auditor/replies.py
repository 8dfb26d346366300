"""What Exchange Online answers over SMTP, as data: text, meaning, and which blockers it points at.

The text is what stands after the codes and, for 535 5.7.139, after "Authentication unsuccessful, ". One reply never
proves that other blockers are absent. `confidence` says how well the pairing of text and meaning is known: `documented`
by Microsoft, `observed` in public logs with an agreed meaning, or `unverified`. No text is known for an expired
password, a password that must be changed, or a disabled account.

How a reply is recognised in a pasted text (`auditor/explain/`): `phrases` identify it by themselves; those of
`beside_code` are too general for that and count only beside one of the reply's own codes; `by_code` says that the
three-digit and the enhanced code together have this one meaning, so that they identify it even where the text is cut or
translated. The codes 5.7.139, 5.7.3 and 5.2.0 have many meanings and never do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Confidence = Literal["documented", "observed", "unverified"]
Channels = Literal["both", "basic", "oauth"]

SUBMISSION = (
    "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission"
)
DEVICES = "https://learn.microsoft.com/exchange/mail-flow-best-practices/fix-issues-with-printers-scanners-and-lob-applications-that-send-email-using-off"
SETUP = "https://learn.microsoft.com/exchange/mail-flow-best-practices/how-to-set-up-a-multifunction-device-or-application-to-send-email-using-microsoft-365-or-office-365"
LIMITS = "https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits"
LEGACY_TLS = "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/opt-in-exchange-online-endpoint-for-legacy-tls-using-smtp-auth"
OAUTH = "https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth"
NDR = "https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online/non-delivery-reports-in-exchange-online"
CONTINUOUS = (
    "https://learn.microsoft.com/exchange/mail-flow-best-practices/continuous-error-throttling-smtp-auth-submissions"
)
SUBMISSION_LIMITS = "https://learn.microsoft.com/exchange/troubleshoot/send-emails/smtp-submission-improvements"
ALLOW_BLOCK = "https://learn.microsoft.com/defender-office-365/tenant-allow-block-list-about"
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
    phrases: tuple[str, ...] = ()
    beside_code: tuple[str, ...] = ()
    by_code: bool = False
    channel: Channels = "both"
    """the way of signing in that can meet this reply"""
    signed_in: bool = False
    """the sign-in had succeeded when it came, which speaks against the blockers of the sign-in"""
    unseen: tuple[str, ...] = ()
    """those of `blockers` whose `clear` does not contradict the reply: the cause (a wrong password, a lock, a date)
    stands in no setting that can be read"""
    first: str = ""
    """what to do first, where that is not the remedy of the first blocker"""


TRY_LATER = "Nothing in the tenant. Try again, each time after a longer pause, and only look further if it lasts."
RESTRICTED = (
    "Find out why the account sent what it sent and secure it; then an administrator releases it in Microsoft "
    "Defender under Restricted entities."
)
GIVE_CREDENTIALS = (
    "See what the client did before MAIL FROM: user name and sign-in switched on, STARTTLS on port 587. If the log "
    "holds a 535 reply before this one, that one is the cause."
)
ONE_CONNECTION = "Send in one connection, one message after the other."
RENEW_TOKEN = "Let the client fetch a new access token before each connection instead of keeping one."
APP_TOKEN = (
    "Look at the token's claims: its audience must be Exchange Online (https://outlook.office365.com), not Microsoft "
    "Graph, and it needs SMTP.Send in `scp`, or SMTP.SendAsApp in `roles` unless Exchange's own role allows the app."
)
RELAY = (
    "Decide which way this sender takes: client submission signs in at smtp.office365.com, port 587; a relay needs an "
    "inbound connector that knows the sender by its address or certificate."
)

AUTHENTICATION: tuple[Reply, ...] = (
    Reply("smtp-auth-disabled-tenant", "535 5.7.139",
          "SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more "
          "information.",
          "SMTP AUTH is off for the organisation, and the mailbox has no setting of its own.",
          ("smtp-auth-switch",), "documented", SUBMISSION,
          phrases=("SmtpClientAuthentication is disabled for the Tenant",)),
    Reply("smtp-auth-disabled-mailbox", "535 5.7.139",
          "SmtpClientAuthentication is disabled for the Mailbox. Visit https://aka.ms/smtp_auth_disabled for more "
          "information.",
          "SMTP AUTH is off for this mailbox. The same text is seen for consumer Outlook.com mailboxes.",
          ("smtp-auth-switch",), "observed", PUBLIC_LOGS,
          phrases=("SmtpClientAuthentication is disabled for the Mailbox",)),
    Reply("security-defaults", "535 5.7.139",
          "user is locked by your organization's security defaults policy. Contact your administrator.",
          "Security defaults refuse basic authentication for the whole tenant.",
          ("security-defaults",), "documented", DEVICES,
          phrases=("user is locked by your organization's security defaults policy",), channel="basic"),
    Reply("basic-authentication-disabled", "535 5.7.139", "basic authentication is disabled.",
          "Basic authentication is refused as a method: by an authentication policy, or by the platform.",
          ("authentication-policy", "basic-auth-retirement"), "observed", PUBLIC_LOGS,
          beside_code=("basic authentication is disabled",), channel="basic", unseen=("basic-auth-retirement",)),
    Reply("organization-configuration", "535 5.7.139",
          "the organization configuration does not allow this authentication request.",
          "Security defaults are on, or the authentication policy that applies does not allow basic SMTP. Seen in one "
          "source about High Volume Email; the end of the sentence is not known.",
          ("security-defaults", "authentication-policy"), "unverified", HVE_QUOTE,
          phrases=("the organization configuration does not allow this authentication request",), channel="basic"),
    Reply("credentials-incorrect", "535 5.7.139", "the user credentials were incorrect.",
          "Wrong password; or per-user MFA is enforced and the normal password was used; or the secret was mangled on "
          "its way.",
          ("credential", "per-user-mfa"), "observed", PUBLIC_LOGS,
          beside_code=("the user credentials were incorrect",), channel="basic", unseen=("credential",),
          first="Stop the client from trying again, because every failure counts towards a lock. Compare what it "
          "really sends with the password: a shell, an environment file or a web form can change characters such as $ "
          "or %. The user name is the account's UPN."),
    Reply("conditional-access", "535 5.7.139",
          "the request did not meet the criteria to be authenticated successfully. Contact your administrator.",
          "A Conditional Access policy or an MFA requirement refused the sign-in, perhaps because of its place.",
          ("conditional-access", "per-user-mfa"), "observed", PUBLIC_LOGS,
          phrases=("the request did not meet the criteria to be authenticated successfully",), channel="basic"),
    Reply("account-locked", "535 5.7.139", "account locked. Contact your administrator.",
          "Smart lockout, or a lock after repeated failures.",
          ("account-state",), "observed", PUBLIC_LOGS,
          beside_code=("account locked",), channel="basic", unseen=("account-state",),
          first="Stop whatever repeats the wrong password, or the account locks again; then wait until the lock ends. "
          "The sign-in log tells from which address the failures come: unknown addresses mean that somebody guesses."),
    Reply("account-issue", "535 5.7.139", "account has an issue. Contact your administrator.",
          "Something about the state of the account; the cause is not known.",
          ("account-state",), "unverified", PUBLIC_LOGS,
          beside_code=("account has an issue",), channel="basic", unseen=("account-state",),
          first="Look the sign-in up in Entra's sign-in log: its error code names the cause that the reply keeps."),
    Reply("federated-sts-unreachable", "535 5.7.139", "federated STS service was unreachable.",
          "The organisation's own sign-in server could not be reached.",
          ("credential",), "documented", DEVICES,
          phrases=("federated STS service was unreachable",), channel="basic", unseen=("credential",),
          first="Ask whoever runs the organisation's sign-in server (AD FS or another provider) whether it can be "
          "reached from the internet; no setting in Exchange mends this."),
    Reply("federated-sts-no-https", "535 5.7.139", "the federated STS URL does not support HTTPS.",
          "The organisation's own sign-in server does not offer HTTPS.",
          ("credential",), "documented", DEVICES,
          phrases=("the federated STS URL does not support HTTPS",), channel="basic", unseen=("credential",),
          first="Ask whoever runs the organisation's sign-in server (AD FS or another provider) to offer it over "
          "HTTPS; no setting in Exchange mends this."),
    Reply("authentication-unsuccessful", "535 5.7.3", "Authentication unsuccessful",
          "General refusal. With a password: older text for a wrong password, MFA, SMTP AUTH off, security defaults or "
          "Conditional Access.",
          ("credential", "per-user-mfa", "smtp-auth-switch", "security-defaults", "conditional-access"), "documented",
          DEVICES,
          beside_code=("Authentication unsuccessful",), channel="basic", unseen=("credential",),
          first="The text names no cause: look the sign-in up in Entra's sign-in log, and see what the tenant shows "
          "(--run and --account). Do not try passwords, because every failure counts towards a lock."),
    Reply("oauth-unsuccessful", "535 5.7.3", "Authentication unsuccessful",
          "With a token: wrong audience, service principal not registered in Exchange or under a wrong object id, no "
          "FullAccess, or no consent.",
          ("oauth-grant",), "documented", OAUTH,
          beside_code=("Authentication unsuccessful",), channel="oauth", first=APP_TOKEN),
    Reply("token-expiring", "535 5.7.142", "Token will expire soon", "The OAuth token is about to expire.",
          ("oauth-grant",), "observed", HVE_QUOTE,
          beside_code=("Token will expire soon",), by_code=True, channel="oauth", unseen=("oauth-grant",),
          first=RENEW_TOKEN),
    Reply("token-expired", "535 5.7.143", "Expired token", "The OAuth token has expired.",
          ("oauth-grant",), "observed", HVE_QUOTE,
          beside_code=("Expired token",), by_code=True, channel="oauth", unseen=("oauth-grant",), first=RENEW_TOKEN),
    Reply("token-permissions", "535 5.7.144", "XOAUTH2 authentication failed. Invalid API permissions",
          "The token does not carry the permission to send by SMTP.",
          ("oauth-grant",), "observed", HVE_QUOTE,
          phrases=("XOAUTH2 authentication failed. Invalid API permissions",), by_code=True, channel="oauth",
          first=APP_TOKEN),
    Reply("xoauth2-malformed", "501 5.5.121 / 5.5.122 / 5.5.123 / 5.5.124 / 5.5.125 / 5.5.126",
          "Invalid XOAUTH2 argument", "The client's XOAUTH2 string is malformed.",
          ("sender-settings",), "observed", HVE_QUOTE,
          phrases=("Invalid XOAUTH2 argument",), by_code=True, channel="oauth", unseen=("sender-settings",),
          first="Mend the client: the string is the base64 of `user=`, the mailbox, a control-A, `auth=Bearer `, the "
          "token and two control-A."),
    Reply("hve-app-not-allowed", "550 5.7.240",
          "application is not allowed for use with this High Volume Email account",
          "The app is not on the list of apps that may use the High Volume Email account.",
          ("oauth-grant",), "observed", HVE_QUOTE,
          phrases=("is not allowed for use with this High Volume Email account",), by_code=True, channel="oauth",
          unseen=("oauth-grant",),
          first="Let an Exchange administrator add the app to those that may use this High Volume Email account."),
    Reply("unrecognized-authentication", "504 5.7.4", "Unrecognized authentication type",
          "The client used another mechanism than LOGIN or XOAUTH2.",
          ("sender-settings",), "observed", PUBLIC_LOGS,
          phrases=("Unrecognized authentication type",), unseen=("sender-settings",),
          first="Set the client's mechanism to XOAUTH2, or to LOGIN where it must keep a password for now."),
    Reply("starttls-first", "530 5.7.0", "Must issue a STARTTLS command first",
          "The client tried to sign in without TLS.",
          ("sender-settings",), "observed", PUBLIC_LOGS,
          phrases=("Must issue a STARTTLS command first",)),
    Reply("not-authenticated", "530 5.7.57 / 535 5.7.57 / 550 5.7.57",
          "Client not authenticated to send mail.",
          "No sign-in succeeded before MAIL FROM: no credentials, no TLS, or a wrapper around an inner 535 reply.",
          ("sender-settings",), "documented", DEVICES,
          phrases=("Client not authenticated to send mail",), by_code=True, unseen=("sender-settings",),
          first=GIVE_CREDENTIALS),
    Reply("not-authenticated-anonymous", "530 5.7.57 / 550 5.7.57",
          "Client was not authenticated to send anonymous mail during MAIL FROM",
          "No sign-in succeeded before MAIL FROM: no credentials, no TLS, or a wrapper around an inner 535 reply.",
          ("sender-settings",), "documented", DEVICES,
          phrases=("Client was not authenticated to send anonymous mail during MAIL FROM",),
          unseen=("sender-settings",), first=GIVE_CREDENTIALS),
    Reply("authenticated-users-only", "5.7.53", "Client was rejected. Authenticated users only",
          "The client sent no credentials.",
          ("sender-settings",), "observed", PUBLIC_LOGS,
          phrases=("Client was rejected. Authenticated users only",), unseen=("sender-settings",),
          first=GIVE_CREDENTIALS),
    Reply("temporary-authentication", "454 4.7.0", "Temporary authentication failure",
          "Transient: try again, each time later.",
          (), "documented", DEVICES,
          beside_code=("Temporary authentication failure",), first=TRY_LATER),
    Reply("temporary-server", "451 4.7.0", "Temporary server error. Please try again later",
          "Transient: try again later.",
          (), "observed", PUBLIC_LOGS,
          phrases=("Temporary server error. Please try again later",), first=TRY_LATER),
    Reply("old-tls", "421 4.7.66",
          "TLS 1.0 and 1.1 are not supported. Please upgrade/update your client to support TLS 1.2. Visit "
          "https://aka.ms/smtp_auth_tls.",
          "The client speaks an old TLS version.",
          ("sender-settings",), "documented", LEGACY_TLS,
          phrases=("TLS 1.0 and 1.1 are not supported. Please upgrade/update your client to support TLS 1.2",),
          beside_code=("TLS 1.0 and 1.1 are not supported",), by_code=True, unseen=("sender-settings",)),
    Reply("basic-not-supported", "550 5.7.30",
          "Basic authentication is not supported for Client Submission.",
          "Basic authentication is off for the tenant: the reply announced for its retirement.",
          ("basic-auth-retirement",), "documented", ANNOUNCEMENT,
          phrases=("Basic authentication is not supported for Client Submission",), by_code=True, channel="basic",
          unseen=("basic-auth-retirement",)),
)  # fmt: skip
"""Until the sign-in is through."""

SENDING: tuple[Reply, ...] = (
    Reply("send-as-denied", "550 5.7.60", "SMTP; Client does not have permissions to send as this sender",
          "The sign-in succeeded; the login may not use the From address.",
          ("send-as",), "documented", DEVICES,
          phrases=("Client does not have permissions to send as this sender",), by_code=True, signed_in=True),
    Reply("send-as-denied-exception", "554 5.2.0",
          "STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message "
          "due to a permanent exception",
          "The login may not use the From address.",
          ("send-as",), "documented", DEVICES,
          phrases=("SendAsDeniedException.MapiExceptionSendAsDenied",), signed_in=True),
    Reply("send-as-denied-named", "554 5.2.252", "SendAsDenied; not allowed to send as",
          "The login may not use the From address.",
          ("send-as",), "observed", PUBLIC_LOGS,
          beside_code=("SendAsDenied",), by_code=True, signed_in=True),
    Reply("continuous-mailbox-full", "550 5.2.251", "Sender throttled due to continuous mailbox full errors.",
          "Submissions are throttled after repeated failures, because the mailbox is full.",
          ("sending-limits",), "documented", CONTINUOUS,
          phrases=("throttled due to continuous mailbox full errors",), by_code=True, signed_in=True,
          unseen=("sending-limits",),
          first="Make room in the mailbox, Sent Items above all, and stop the client from repeating; support cannot "
          "lift the throttle, it ends by itself."),
    Reply("continuous-send-as", "550 5.2.252", "Sender throttled due to continuous send as denied errors.",
          "Submissions are throttled after repeated failures, because the login may not use the From address.",
          ("send-as",), "documented", CONTINUOUS,
          phrases=("throttled due to continuous send as denied errors",), by_code=True, signed_in=True),
    Reply("continuous-licence", "550 5.2.253", "Sender throttled due to continuous invalid license errors.",
          "Submissions are throttled after repeated failures, because the mailbox has no valid licence.",
          ("licence",), "documented", CONTINUOUS,
          phrases=("throttled due to continuous invalid license errors",), by_code=True, signed_in=True),
    Reply("continuous-recipients", "550 5.2.254", "Sender throttled due to continuous too many recipients errors.",
          "Submissions are throttled after repeated failures, because of too many recipients.",
          ("sending-limits",), "documented", CONTINUOUS,
          phrases=("throttled due to continuous too many recipients errors",), by_code=True, signed_in=True),
    Reply("continuous-invalid-recipients", "550 5.2.255",
          "Sender throttled due to continuous invalid recipients errors.",
          "Submissions are throttled after repeated failures, because recipients do not exist.",
          (), "documented", CONTINUOUS,
          phrases=("throttled due to continuous invalid recipients errors",), by_code=True, signed_in=True,
          first="Take the recipients that do not exist out of the client's list; support cannot lift the throttle, it "
          "ends by itself."),
    Reply("quota-exceeded", "554 5.2.0", "STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
          "More than 10,000 recipients in a day. A bare 5.2.0 without the exception's name means nothing.",
          ("sending-limits",), "documented", LIMITS,
          phrases=("SubmissionQuotaExceededException",), signed_in=True),
    Reply("daily-limit", "550 5.1.90", "daily message/recipient limit reached",
          "The mailbox reached its limit for the day.",
          ("sending-limits",), "documented", NDR,
          by_code=True),
    Reply("submission-quota", "550 5.2.2", "Submission quota exceeded",
          "The mailbox reached its limit for the day.",
          ("sending-limits",), "documented", NDR,
          beside_code=("Submission quota exceeded",)),
    Reply("mailbox-full", "554 5.2.2",
          "mailbox full; STOREDRV.Submission.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded",
          "The mailbox is full: the copy in Sent Items cannot be written.",
          (), "documented", SUBMISSION_LIMITS,
          phrases=("STOREDRV.Submission.Exception:QuotaExceededException", "MapiExceptionShutoffQuotaExceeded"),
          beside_code=("mailbox full", "QuotaExceededException"), signed_in=True,
          first="Make room in the mailbox: empty its Sent Items, and give that folder a retention policy."),
    Reply("too-many-threads", "432 4.3.2", "STOREDRV.ClientSubmit; sender thread limit exceeded",
          "More than three connections at a time: send in one.",
          ("sending-limits",), "documented", LIMITS,
          phrases=("sender thread limit exceeded",), signed_in=True, first=ONE_CONNECTION),
    Reply("too-many-connections", "432 4.3.2", "Concurrent connections limit exceeded",
          "More than three connections at a time: send in one.",
          ("sending-limits",), "documented", LIMITS,
          beside_code=("Concurrent connections limit exceeded",), first=ONE_CONNECTION),
    Reply("submission-rate", "421 4.4.2", "Message submission rate for this client has exceeded the configured limit",
          "Text of a server on premises, or an idle connection that was dropped; Exchange Online delays instead.",
          ("sending-limits",), "observed", PUBLIC_LOGS,
          phrases=("Message submission rate for this client has exceeded the configured limit",)),
    Reply("restricted-user", "550 5.1.8", "Access denied, bad outbound sender",
          "The account is restricted for outbound spam (Microsoft Defender, Restricted entities).",
          (), "documented", NDR,
          phrases=("Access denied, bad outbound sender",), first=RESTRICTED),
    Reply("spam-abuse", "5.7.501", "Access denied, spam abuse detected", "The account is banned for outbound spam.",
          (), "documented", NDR,
          phrases=("Access denied, spam abuse detected",), by_code=True, first=RESTRICTED),
    Reply("banned-sender", "5.7.502 / 5.7.503", "Access denied, banned sender",
          "The account is banned for outbound spam.",
          (), "documented", NDR,
          beside_code=("Access denied, banned sender",), by_code=True, first=RESTRICTED),
    Reply("allow-block-list", "550 5.7.703",
          "Your message can't be delivered because messages to XXX, YYY are blocked by your organization using Tenant "
          "Allow Block List.",
          "A recipient or sender is on the tenant's block list.",
          (), "documented", ALLOW_BLOCK,
          phrases=("are blocked by your organization using Tenant Allow Block List",),
          beside_code=("Tenant Allow/Block List",), by_code=True,
          first="Ask a security administrator for the entry on the Tenant Allow/Block List; one blocked recipient "
          "stops the whole message."),
    Reply("tenant-threshold", "550 5.7.705", "Access denied, tenant has exceeded threshold",
          "The whole tenant is stopped from sending.",
          (), "documented", NDR,
          phrases=("Access denied, tenant has exceeded threshold",), by_code=True,
          first="Find the accounts or connectors that send too much and secure them; then ask Microsoft support to "
          "lift the block."),
    Reply("ip-not-accepted", "550 5.7.708", "Access denied, traffic not accepted from this IP",
          "A new or trial tenant, or an IP address of low reputation.",
          (), "documented", NDR,
          phrases=("traffic not accepted from this IP",), by_code=True,
          first="No setting of the account mends this: ask Microsoft support."),
    Reply("unregistered-domain", "550 5.7.750", "Client blocked from sending from unregistered domains",
          "The From address's domain is no accepted domain of the tenant.",
          ("send-as",), "documented", NDR,
          phrases=("blocked from sending from unregistered domain",), by_code=True, unseen=("send-as",),
          first="Use a From address of an accepted domain, or add the domain to the tenant. If nobody knows the "
          "domain, find out who sends in its name."),
    Reply("reputation-throttle", "4.7.500 - 4.7.699", "Access denied, please try again later",
          "A temporary throttle for reputation.",
          (), "documented", NDR,
          beside_code=("Access denied, please try again later",), by_code=True,
          first="Slow down and try again later; the throttle ends by itself while the pattern of sending stays calm."),
    Reply("relay-denied", "550 5.7.64", "TenantAttribution; Relay Access Denied",
          "No inbound connector matched: this is relay, not client submission.",
          (), "documented", DEVICES,
          phrases=("TenantAttribution; Relay Access Denied",), by_code=True, first=RELAY),
    Reply("direct-send-denied", "550 5.7.68",
          "TenantInboundAttribution; Direct Send not allowed for this organization from unauthorized sources",
          "The organisation refuses Direct Send (RejectDirectSend).",
          (), "documented", NDR,
          phrases=("Direct Send not allowed for this organization",), by_code=True, first=RELAY),
    Reply("unable-to-relay", "5.7.1 / 5.4.1", "Unable to relay",
          "Relay without a sign-in.",
          (), "documented", NDR,
          beside_code=("Unable to relay",), first=RELAY),
    Reply("recipient-rejected", "5.4.1", "Recipient address rejected: Access denied",
          "Relay without a sign-in, or a recipient that does not exist.",
          (), "documented", NDR,
          beside_code=("Recipient address rejected: Access denied",),
          first="See whether the recipient's address exists. If the client was to sign in, it did not: " + RELAY),
    Reply("recipient-requires-sign-in", "5.7.12 / 5.7.133 / 5.7.134 / 5.7.136",
          "sender not authenticated for organization, group, mailbox or mail user",
          "The recipient takes mail from authenticated senders only.",
          (), "documented", NDR,
          phrases=("SenderNotAuthenticatedForGroup", "SenderNotAuthenticatedForMailbox"),
          beside_code=("Sender not authenticated", "Sender was not authenticated"), by_code=True,
          first="Let the sender sign in, or ask the recipient's administrator to take mail from senders outside."),
    Reply("message-too-big", "552 5.3.4", "message too big", "The message is larger than the limit.",
          (), "documented", LIMITS,
          beside_code=("message too big", "message size exceeds"), by_code=True,
          first="Send a smaller message: a link instead of the attachment, or a scan of lower resolution."),
    Reply("too-many-recipients", "452 4.5.3", "too many recipients", "The message has too many recipients.",
          ("sending-limits",), "documented", LIMITS,
          beside_code=("too many recipients",), by_code=True,
          first="Split the message's recipients over several messages."),
)  # fmt: skip
"""After the sign-in."""

REPLIES: tuple[Reply, ...] = AUTHENTICATION + SENDING

_BY_ID = {reply.id: reply for reply in REPLIES}


def by_id(reply_id: str) -> Reply:
    """Raises KeyError for an id that the catalogue does not hold."""
    return _BY_ID[reply_id]
