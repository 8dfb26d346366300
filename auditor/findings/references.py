"""Microsoft's pages that the findings cite, and how the announcement for the end of 2026 is worded everywhere."""

from __future__ import annotations

_LEARN = "https://learn.microsoft.com"
_EXO = f"{_LEARN}/exchange/clients-and-mobile-in-exchange-online"
_CA = f"{_LEARN}/entra/identity/conditional-access"
_AUTHENTICATION = f"{_LEARN}/entra/identity/authentication"
_CMDLET = f"{_LEARN}/powershell/module/exchangepowershell"

SMTP_AUTH = f"{_EXO}/authenticated-client-smtp-submission"
NO_BASIC = f"{_EXO}/disable-basic-authentication-in-exchange-online"
LEGACY_TLS = f"{_EXO}/opt-in-exchange-online-endpoint-for-legacy-tls-using-smtp-auth"
DEVICES = (
    f"{_LEARN}/exchange/mail-flow-best-practices/"
    "how-to-set-up-a-multifunction-device-or-application-to-send-email-using-microsoft-365-or-office-365"
)
OAUTH = (
    f"{_LEARN}/exchange/client-developer/legacy-protocols/"
    "how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth"
)
TRANSPORT_CONFIG = f"{_CMDLET}/set-transportconfig"
CAS_MAILBOX = f"{_CMDLET}/set-casmailbox"
AUTHENTICATION_POLICY = f"{_CMDLET}/new-authenticationpolicy"
APPLICATION_ACCESS_POLICY = f"{_CMDLET}/new-applicationaccesspolicy"
SECURITY_DEFAULTS = f"{_LEARN}/entra/fundamentals/security-defaults"
BLOCK_LEGACY = f"{_CA}/policy-block-legacy-authentication"
CA_OVERVIEW = f"{_CA}/overview"
CA_CONDITIONS = f"{_CA}/concept-conditional-access-conditions"
WHAT_IF = f"{_CA}/what-if-tool"
WHAT_IF_API = f"{_LEARN}/graph/api/conditionalaccessroot-evaluate"
CA_USERS = f"{_CA}/concept-conditional-access-users-groups"
MANAGED_POLICIES = f"{_CA}/managed-policies"
PER_USER_MFA = f"{_AUTHENTICATION}/howto-mfa-userstates"
APP_PASSWORDS = f"{_AUTHENTICATION}/howto-mfa-app-passwords"
METHODS_ACTIVITY = f"{_AUTHENTICATION}/howto-authentication-methods-activity"
SMART_LOCKOUT = f"{_AUTHENTICATION}/howto-password-smart-lockout"
SIGN_IN_ERRORS = f"{_LEARN}/entra/identity-platform/reference-error-codes"
SHARED_MAILBOXES = f"{_LEARN}/microsoft-365/admin/email/about-shared-mailboxes"
RETIREMENT = (
    "Exchange Team Blog, 27 January 2026: Updated Exchange Online SMTP AUTH Basic Authentication Deprecation Timeline "
    "(Message center MC786329)"
)

CIS_SMTP = "CIS 6.5.4"
CISA_SMTP = "CISA MS.EXO.5.1"

ANNOUNCEMENT = (
    "Microsoft announced on 27 January 2026: basic authentication for SMTP AUTH will be off by default for existing "
    "tenants at the end of December 2026; administrators can switch it on again; new tenants after that won't have it "
    "by default; the date of removal is to be announced in the second half of 2027. Which setting changes, and whether "
    "a mailbox override or an allowing policy stays in force, is not published: read again and test after the change, "
    "including OAuth senders that inherit the organisation's switch."
)

SAFER_WAYS = (
    "Safest first: OAuth (app-only where nobody signs in), Graph sendMail with Mail.Send scoped by RBAC for "
    "Applications, High Volume Email for internal recipients only, or an SMTP relay connector bound to the sender's "
    "address or certificate."
)

KEEP_AND_RESTRICT = (
    "Where basic authentication has to stay for now, open it per mailbox only, give the account an authentication "
    "policy of its own that allows basic SMTP, and bind it by Conditional Access to the address that it sends from."
)
