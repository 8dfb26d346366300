"""How each remedy is done: the page of the admin center, the command, what it risks and how to undo it.

Keyed by rule and by blocker. Commands are those of Exchange Online PowerShell (`Connect-ExchangeOnline`) and of
Microsoft Graph PowerShell (`Connect-MgGraph`; requests by their documented address, which no module version renames).
What stands in angle brackets is to be filled in. Menus of the admin centers move; the names are those of 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

EXCHANGE, M365, ENTRA = "Exchange admin center", "Microsoft 365 admin center", "Microsoft Entra admin center"
CENTERS = {
    EXCHANGE: "https://admin.exchange.microsoft.com",
    M365: "https://admin.microsoft.com",
    ENTRA: "https://entra.microsoft.com",
}
"""The worldwide cloud's addresses."""

NO_PAGE = "No page of the admin centers; PowerShell only"
PROGRAM = "This program"
NOTHING = "Nothing to undo: it only reads."
NO_RISK = "None: it changes nothing in the tenant."


@dataclass(frozen=True, slots=True)
class Step:
    """`where`: the admin center and the way through its menus; `command`: PowerShell, or a command of this program."""

    what: str
    where: str
    command: str
    risk: str
    undo: str

    @property
    def address(self) -> str:
        """The admin center's address; empty where `where` names none."""
        return CENTERS.get(self.where.partition(" > ")[0], "")


_GRAPH = "https://graph.microsoft.com/v1.0"
_REQUEST = "Invoke-MgGraphRequest -Method"
_EXCHANGE_APP = "00000002-0000-0ff1-ce00-000000000000"

# --- finding out ----------------------------------------------------------------------------------------------------

LOOK_AT_USE = Step(
    "See who signs in over SMTP before anything is closed.",
    f"{ENTRA} > Monitoring & health > Sign-in logs > Client app: Authenticated SMTP; and {EXCHANGE} > Reports > Mail "
    "flow > SMTP AUTH clients",
    f"""{_REQUEST} GET -Uri "{_GRAPH}/auditLogs/signIns?`$filter=clientAppUsed eq 'Authenticated SMTP'" """.strip(),
    NO_RISK,
    NOTHING,
)
TRACE_MAIL = Step(
    "Look at what the account sent.",
    f"{EXCHANGE} > Mail flow > Message trace",
    "Get-MessageTraceV2 -SenderAddress <account> -StartDate <day> -EndDate <day>",
    NO_RISK,
    NOTHING,
)
SAVE_POLICY = Step(
    "Save the policy as it is, so that it can be put back.",
    f"{ENTRA} > Conditional Access > Policies",
    f"{_REQUEST} GET -Uri {_GRAPH}/identity/conditionalAccess/policies/<policy id> -OutputFilePath <file>",
    NO_RISK,
    NOTHING,
)
TEST = Step(
    "Test the sender with its own settings.",
    PROGRAM,
    "auditor probe --config <config> --sender <name>",
    "A wrong password counts towards smart lockout: test once, not in a loop.",
    "Nothing to undo; a locked account unlocks by itself after a while.",
)
RUN_AGAIN = Step(
    "Read the tenant again and compare.",
    PROGRAM,
    "auditor run --config <config> --previous <folder of this run>",
    NO_RISK,
    NOTHING,
)
DOCTOR = Step(
    "See which permission opens which dataset.",
    PROGRAM,
    "auditor doctor --config <config>",
    NO_RISK,
    NOTHING,
)
GRANT_READING = Step(
    "Grant the application permission that Coverage names, and give consent.",
    f"{ENTRA} > App registrations > (the auditor's app) > API permissions > Add a permission > Application permissions",
    f"{_REQUEST} POST -Uri {_GRAPH}/servicePrincipals/<app object id>/appRoleAssignments -Body "
    "@{ principalId = '<app object id>'; resourceId = '<API object id>'; appRoleId = '<role>' }",
    "The app's credential can read more; grant the one named and no wider one.",
    "Remove the permission on the same page (Revoke admin consent, then Remove permission).",
)
DECLARE = Step(
    "Declare the sender with its account, From, server and egress addresses.",
    f"{PROGRAM} > config.toml > [[senders]]",
    "auditor run --config <config> --previous <folder of this run>",
    "None in the tenant; egress addresses that are not the sender's own make a wrong verdict.",
    "Remove the entry.",
)
WHAT_IF = Step(
    "Ask Microsoft's own judgement of one sign-in.",
    f"{ENTRA} > Conditional Access > Policies > What if (client app: Other clients; the address it sends from)",
    "auditor run --config <config> --cross-check 20",
    NO_RISK,
    NOTHING,
)

# --- closing --------------------------------------------------------------------------------------------------------

MAILBOX_OFF = Step(
    "Switch SMTP AUTH off for the mailbox.",
    f"{M365} > Users > Active users > (user) > Mail > Manage email apps > clear Authenticated SMTP",
    "Set-CASMailbox -Identity <mailbox> -SmtpClientAuthenticationDisabled $true",
    "Everything that sends through this mailbox by SMTP AUTH stops, OAuth senders included.",
    "Set-CASMailbox -Identity <mailbox> -SmtpClientAuthenticationDisabled $null (it follows the organisation again), "
    "or $false where it was on by its own setting.",
)
MAILBOX_INHERITS = Step(
    "Take the mailbox's own setting away, so that it follows the organisation.",
    NO_PAGE,
    "Set-CASMailbox -Identity <mailbox> -SmtpClientAuthenticationDisabled $null",
    "Where the organisation has SMTP AUTH off, the mailbox stops sending by it, with OAuth too.",
    "Set-CASMailbox -Identity <mailbox> -SmtpClientAuthenticationDisabled $false",
)
ORGANISATION_OFF = Step(
    "Switch SMTP AUTH off for the organisation, after each mailbox that must send was switched on by itself.",
    f"{EXCHANGE} > Settings > Mail flow > Turn off SMTP AUTH protocol for your organization",
    "Set-TransportConfig -SmtpClientAuthenticationDisabled $true",
    "Every mailbox that inherits the switch stops sending by SMTP AUTH, with OAuth too.",
    "First open only what stopped: Set-CASMailbox -Identity <mailbox> -SmtpClientAuthenticationDisabled $false. "
    "All at once, as it was: Set-TransportConfig -SmtpClientAuthenticationDisabled $false.",
)
REFUSING_POLICY = Step(
    "Make an authentication policy that refuses every basic protocol.",
    NO_PAGE,
    'New-AuthenticationPolicy -Name "Block Basic Auth"',
    "None until it is assigned.",
    'Remove-AuthenticationPolicy -Identity "Block Basic Auth", once nobody has it any more.',
)
REFUSE_ACCOUNT = Step(
    "Give the account the refusing policy: it refuses before the password is looked at.",
    NO_PAGE,
    'Set-User -Identity <account> -AuthenticationPolicy "Block Basic Auth"',
    "Every basic protocol that the policy does not allow stops for the account, within 24 hours.",
    "Set-User -Identity <account> -AuthenticationPolicy $null, or the name of the policy that it had before.",
)
REFUSE_BY_DEFAULT = Step(
    "Make the refusing policy the organisation's default.",
    f"{M365} > Settings > Org settings > Services > Modern authentication",
    'Set-OrganizationConfig -DefaultAuthenticationPolicy "Block Basic Auth"',
    "Basic senders without an allowing policy of their own stop within 24 hours, and other basic protocols too.",
    "Set-OrganizationConfig -DefaultAuthenticationPolicy $null, or the name of the policy that stood there before.",
)
BLOCK_SIGN_IN = Step(
    "Block sign-in of the account.",
    f"{M365} > Users > Active users > (user) > Block sign-in",
    f"{_REQUEST} PATCH -Uri {_GRAPH}/users/<account id> -Body @{{ accountEnabled = $false }}",
    "Whatever signs in as this account stops; a shared mailbox stays open to its members.",
    f"{_REQUEST} PATCH -Uri {_GRAPH}/users/<account id> -Body @{{ accountEnabled = $true }}",
)
NEW_PASSWORD = Step(
    "Set a new, long, random password and end the account's sessions.",
    f"{M365} > Users > Active users > (user) > Reset password",
    f"{_REQUEST} POST -Uri {_GRAPH}/users/<account id>/revokeSignInSessions",
    "Every client that holds the old password stops, and repeated failures lock the account.",
    "The old password does not come back: give the new one to the client that needs it.",
)
LEAVE_GROUP = Step(
    "Take the account out of the group that the policy excludes.",
    f"{ENTRA} > Groups > All groups > (group) > Members > Remove",
    f"{_REQUEST} DELETE -Uri '{_GRAPH}/groups/<group id>/members/<account id>/$ref'",
    "The policy reaches the account again: its basic senders stop within 24 hours. Emergency accounts must stay out "
    "of blocking policies.",
    f"{_REQUEST} POST -Uri '{_GRAPH}/groups/<group id>/members/$ref' -Body "
    f"@{{ '@odata.id' = '{_GRAPH}/directoryObjects/<account id>' }}",
)
END_EXCLUSION = Step(
    "Take the account off the policy's exclusions.",
    f"{ENTRA} > Conditional Access > Policies > (policy) > Users > Exclude",
    f"{_REQUEST} PATCH -Uri {_GRAPH}/identity/conditionalAccess/policies/<policy id> -InputFilePath <file>",
    "The policy reaches the account: its basic senders stop within 24 hours. Emergency accounts must stay excluded.",
    "Put the account back under Exclude, or send the saved `conditions` again.",
)
INCLUDE_ALL = Step(
    "Let the policy that blocks legacy authentication include all users and exclude named ones only.",
    f"{ENTRA} > Conditional Access > Policies > (policy) > Users > Include: All users",
    f"{_REQUEST} PATCH -Uri {_GRAPH}/identity/conditionalAccess/policies/<policy id> -InputFilePath <file>",
    "Undeclared basic senders stop. Run it report-only first and read the sign-in log.",
    "Send the saved `conditions` again.",
)
BLOCK_LEGACY = Step(
    "Block legacy authentication by Conditional Access, report-only at first.",
    f"{ENTRA} > Conditional Access > Policies > New policy from template > Block legacy authentication",
    f"{_REQUEST} POST -Uri {_GRAPH}/identity/conditionalAccess/policies -Body @{{ displayName = 'Block legacy "
    "authentication'; state = 'enabledForReportingButNotEnforced'; conditions = @{ clientAppTypes = "
    "@('exchangeActiveSync', 'other'); applications = @{ includeApplications = @('All') }; users = @{ includeUsers = "
    "@('All'); excludeUsers = @('<emergency account id>') } }; grantControls = @{ operator = 'OR'; builtInControls = "
    "@('block') } }",
    "None while it is report-only; once it is on, basic senders that are not excluded stop within 24 hours.",
    f"{_REQUEST} PATCH -Uri {_GRAPH}/identity/conditionalAccess/policies/<policy id> -Body @{{ state = 'disabled' }}",
)
SECURITY_DEFAULTS_ON = Step(
    "Without Microsoft Entra ID P1: switch security defaults on.",
    f"{ENTRA} > Overview > Properties > Manage security defaults",
    f"{_REQUEST} PATCH -Uri {_GRAPH}/policies/identitySecurityDefaultsEnforcementPolicy -Body @{{ isEnabled = $true }}",
    "No exclusion is possible: every basic sender stops, and everybody registers for MFA.",
    "The same page; go back only together with Conditional Access policies that block legacy authentication and ask "
    "everyone for MFA.",
)
LEGACY_TLS_OFF = Step(
    "Close the endpoint for TLS 1.0 and 1.1.",
    f"{EXCHANGE} > Settings > Mail flow > Turn on use of legacy TLS clients (clear it)",
    "Set-TransportConfig -AllowLegacyTLSClients $false",
    "Devices that know no TLS 1.2 stop sending (421 4.7.66).",
    "Set-TransportConfig -AllowLegacyTLSClients $true",
)

# --- opening one sender ---------------------------------------------------------------------------------------------

MAILBOX_ON = Step(
    "Switch SMTP AUTH on for this one mailbox.",
    f"{M365} > Users > Active users > (user) > Mail > Manage email apps > Authenticated SMTP",
    "Set-CASMailbox -Identity <mailbox> -SmtpClientAuthenticationDisabled $false",
    "The mailbox takes passwords over SMTP from anywhere unless an authentication policy or Conditional Access narrows "
    "that.",
    "Set-CASMailbox -Identity <mailbox> -SmtpClientAuthenticationDisabled $null, or $true where it was off by its own "
    "setting.",
)
ALLOW_ACCOUNT = Step(
    "Where basic authentication must stay for a while: a policy that allows basic SMTP, for this one account.",
    NO_PAGE,
    'New-AuthenticationPolicy -Name "Allow basic SMTP" -AllowBasicAuthSmtp; '
    'Set-User -Identity <account> -AuthenticationPolicy "Allow basic SMTP"',
    "Anyone may try passwords of this account over SMTP again.",
    'Set-User -Identity <account> -AuthenticationPolicy "Block Basic Auth", or $null for the default; then '
    'Remove-AuthenticationPolicy -Identity "Allow basic SMTP".',
)
EXCLUDE_ACCOUNT = Step(
    "Exclude this one account from every policy that reaches it.",
    f"{ENTRA} > Conditional Access > Policies > (policy) > Users > Exclude",
    f"{_REQUEST} PATCH -Uri {_GRAPH}/identity/conditionalAccess/policies/<policy id> -InputFilePath <file>",
    "Its password alone protects the account from then on: bind it to its place in the same hour.",
    "Take it off Exclude, or send the saved `conditions` again.",
)
BIND_TO_PLACE = Step(
    "Bind the account to the addresses that it sends from: a named location, and a policy that blocks it elsewhere.",
    f"{ENTRA} > Conditional Access > Named locations; then > Policies > New policy",
    f"{_REQUEST} POST -Uri {_GRAPH}/identity/conditionalAccess/policies -Body @{{ displayName = 'SMTP of <account>: "
    "only from <place>'; state = 'enabledForReportingButNotEnforced'; conditions = @{ clientAppTypes = @('other'); "
    f"applications = @{{ includeApplications = @('{_EXCHANGE_APP}') }}; users = @{{ includeUsers = "
    "@('<account id>') }; locations = @{ includeLocations = @('All'); excludeLocations = @('<location id>') } }; "
    "grantControls = @{ operator = 'OR'; builtInControls = @('block') } }",
    "A wrong address in the location stops the sender once the policy is on.",
    f"{_REQUEST} DELETE -Uri {_GRAPH}/identity/conditionalAccess/policies/<policy id>",
)
SEND_AS = Step(
    "Grant the login Send As for exactly that mailbox.",
    f"{EXCHANGE} > Recipients > Mailboxes > (mailbox) > Delegation > Send as",
    "Add-RecipientPermission -Identity <mailbox> -Trustee <login> -AccessRights SendAs",
    "Whoever holds the login writes in the other mailbox's name.",
    "Remove-RecipientPermission -Identity <mailbox> -Trustee <login> -AccessRights SendAs",
)
ALIASES = Step(
    "Where From is an alias that must be kept: allow sending from aliases.",
    f"{EXCHANGE} > Settings > Mail flow > Turn on sending from aliases",
    "Set-OrganizationConfig -SendFromAliasEnabled $true",
    "It counts for every mailbox of the organisation.",
    "Set-OrganizationConfig -SendFromAliasEnabled $false",
)
LICENSE = Step(
    "Assign a licence with a mailbox plan, or mend the assignment.",
    f"{M365} > Users > Active users > (user) > Licenses and apps",
    f"{_REQUEST} POST -Uri {_GRAPH}/users/<account id>/assignLicense -Body "
    "@{ addLicenses = @(@{ skuId = '<sku id>' }); removeLicenses = @() }",
    "It costs money, and a mailbox is made that somebody must watch.",
    f"{_REQUEST} POST -Uri {_GRAPH}/users/<account id>/assignLicense -Body "
    "@{ addLicenses = @(); removeLicenses = @('<sku id>') }; the mailbox then begins its grace period.",
)
USAGE_LOCATION = Step(
    "Where the assignment fails for want of a usage location: set it.",
    f"{ENTRA} > Users > All users > (user) > Properties > Usage location",
    f"{_REQUEST} PATCH -Uri {_GRAPH}/users/<account id> -Body @{{ usageLocation = '<country code>' }}",
    "Some services differ from country to country.",
    "Set the former value on the same page.",
)
PER_USER_MFA_OFF = Step(
    "Take per-user MFA away where a Conditional Access policy asks the account for MFA.",
    f"{ENTRA} > Users > All users > Per-user MFA",
    f"{_REQUEST} PATCH -Uri https://graph.microsoft.com/beta/users/<account id>/authentication/requirements -Body "
    "@{ perUserMfaState = 'disabled' }",
    "Without such a policy the account is left with its password alone; app passwords end, and so do their clients.",
    f"{_REQUEST} PATCH -Uri https://graph.microsoft.com/beta/users/<account id>/authentication/requirements -Body "
    "@{ perUserMfaState = 'enforced' }; app passwords have to be made anew.",
)
CLIENT = Step(
    "Set the client: smtp.office365.com, port 587, STARTTLS with TLS 1.2 or later, the account's UPN as user name.",
    "The client's own settings",
    "Test-NetConnection smtp.office365.com -Port 587",
    "None, where the client can do it; note the old settings first.",
    "Enter the old settings again.",
)
FROM = Step(
    "Use an address of the account itself as From.",
    "The client's own settings",
    "Get-Mailbox -Identity <account> | Format-List EmailAddresses",
    "Readers and rules may know the old address.",
    "Enter the old From again.",
)

# --- safer ways -----------------------------------------------------------------------------------------------------

OAUTH_APP = Step(
    "Let an app that signs in as itself send by OAuth: consent to SMTP.SendAsApp, register the app in Exchange, give "
    "it this one mailbox.",
    f"{ENTRA} > App registrations > (app) > API permissions > Office 365 Exchange Online > SMTP.SendAsApp; the rest by "
    "PowerShell",
    "New-ServicePrincipal -AppId <app id> -ObjectId <object id of the enterprise application>; "
    "Add-MailboxPermission -Identity <mailbox> -User <that object id> -AccessRights FullAccess",
    "The app's credential opens the mailbox: keep it safe, and give FullAccess on single mailboxes only.",
    "Remove-MailboxPermission -Identity <mailbox> -User <that object id> -AccessRights FullAccess; "
    "Remove-ServicePrincipal -Identity <app id>; revoke the consent.",
)
GRAPH_SCOPED = Step(
    "Or send by Graph: Mail.Send by RBAC for Applications, for the mailboxes that it needs and no consent for all.",
    NO_PAGE,
    "New-ServicePrincipal -AppId <app id> -ObjectId <object id of the enterprise application>; "
    "New-ManagementScope -Name <scope> -RecipientRestrictionFilter \"PrimarySmtpAddress -eq '<mailbox>'\"; "
    'New-ManagementRoleAssignment -App <app id> -Role "Application Mail.Send" -CustomResourceScope <scope>',
    "A scope that misses a mailbox stops the app there.",
    "Remove-ManagementRoleAssignment -Identity <assignment>; Remove-ManagementScope -Identity <scope>",
)
RELAY = Step(
    "Or relay through a connector that is bound to the sender's address or certificate; no account signs in.",
    f"{EXCHANGE} > Mail flow > Connectors > Add a connector > Your organization's email server",
    "New-InboundConnector -Name <name> -ConnectorType OnPremises -SenderDomains <domain> -SenderIPAddresses "
    "<egress addresses> -RequireTls $true",
    "Whatever sends from that address can send in the domain's name.",
    "Remove-InboundConnector -Identity <name>",
)
WITHDRAW = Step(
    "Withdraw the permission that was consented for the whole tenant, once the scoped one works.",
    f"{ENTRA} > Enterprise applications > (app) > Permissions > Revoke permission",
    f"{_REQUEST} DELETE -Uri {_GRAPH}/servicePrincipals/<app object id>/appRoleAssignments/<assignment id>",
    "The app stops at every mailbox that its scope misses.",
    f"{_REQUEST} POST -Uri {_GRAPH}/servicePrincipals/<app object id>/appRoleAssignments -Body "
    "@{ principalId = '<app object id>'; resourceId = '<API object id>'; appRoleId = '<role>' }",
)
METHODS = Step(
    "Replace the person's phone by a method that the owning team holds.",
    f"{ENTRA} > Users > All users > (user) > Authentication methods",
    f"{_REQUEST} DELETE -Uri {_GRAPH}/users/<account id>/authentication/phoneMethods/<method id>",
    "Without another method every sign-in that asks for MFA stops: add the new one first.",
    "Register the phone again on the same page.",
)
DELETE_APP_PASSWORDS = Step(
    "Have the app passwords deleted: ask the person, or reset all of the account's.",
    f"{ENTRA} > Users > All users > Per-user MFA > (user) > Manage user settings > Delete all existing app passwords",
    f"""{_REQUEST} GET -Uri "{_GRAPH}/auditLogs/directoryAudits?`$filter=category eq 'UserManagement'" """.strip(),
    "The clients that hold them stop.",
    "An app password does not come back; the person makes a new one while per-user MFA is enforced.",
)
OTHER_MAILBOX = Step(
    "Send with an account whose mailbox is in Exchange Online, or give this one a mailbox.",
    f"{M365} > Users > Active users > Add a user",
    "Get-Recipient -Identity <account> | Format-List RecipientTypeDetails",
    "A mailbox costs a licence and is one more account to protect.",
    "Delete the new user; its licence is free again.",
)
SLOWER = Step(
    "Send in one connection and more slowly; for more than a mailbox may send use a relay or High Volume Email.",
    "The client's own settings",
    "Get-Mailbox -Identity <account> | Format-List RecipientLimits, MessageCopyForSMTPClientSubmissionEnabled",
    "Mail arrives later.",
    "Enter the old settings again.",
)
RESTORE_ACCOUNT = Step(
    "Mend the name in the config; where the account was deleted and the mail is still needed, restore it.",
    f"{M365} > Users > Deleted users > (user) > Restore user",
    f"{_REQUEST} POST -Uri {_GRAPH}/directory/deletedItems/<account id>/restore",
    "A restored account has its password and all its rights again.",
    f"{_REQUEST} DELETE -Uri {_GRAPH}/users/<account id>",
)
REPORT_DATA = Step(
    "Export the data again; where the service really answers so, report it to this project.",
    PROGRAM,
    "auditor verify <snapshot>",
    NO_RISK,
    NOTHING,
)

_SAFER = (OAUTH_APP, GRAPH_SCOPED, RELAY)
_KEEP = (MAILBOX_ON, ALLOW_ACCOUNT, BIND_TO_PLACE)

STEPS: Mapping[str, tuple[Step, ...]] = {
    # rules
    "sender-blocked": (*_SAFER, *_KEEP, TEST),
    "sender-account-missing": (RESTORE_ACCOUNT, DECLARE),
    "sender-unknown": (TEST, DOCTOR, *_SAFER),
    "sender-conditional": (DECLARE, TEST, *_SAFER),
    "sender-retirement": (*_SAFER, RUN_AGAIN),
    "sender-breaks-at-registration": _SAFER,
    "delegated-sender-without-method": (OAUTH_APP, METHODS),
    "sender-personal-phone": (OAUTH_APP, GRAPH_SCOPED, METHODS),
    "sender-outside-egress": (TRACE_MAIL, NEW_PASSWORD, BIND_TO_PLACE),
    "exposed-account": (LOOK_AT_USE, MAILBOX_OFF, REFUSING_POLICY, REFUSE_ACCOUNT, *_SAFER),
    "exposed-accounts": (LOOK_AT_USE, DECLARE, MAILBOX_ON, ORGANISATION_OFF, REFUSING_POLICY, REFUSE_BY_DEFAULT),
    "smtp-auth-organisation-on": (LOOK_AT_USE, MAILBOX_ON, ORGANISATION_OFF),
    "no-authentication-policy": (LOOK_AT_USE, REFUSING_POLICY, ALLOW_ACCOUNT, REFUSE_BY_DEFAULT),
    "password-guessing-open": (REFUSING_POLICY, ALLOW_ACCOUNT, REFUSE_ACCOUNT, REFUSE_BY_DEFAULT),
    "password-spray": (TRACE_MAIL, NEW_PASSWORD, REFUSING_POLICY, REFUSE_BY_DEFAULT),
    "ca-exclusion-opens-smtp": (SAVE_POLICY, MAILBOX_OFF, REFUSING_POLICY, REFUSE_ACCOUNT, END_EXCLUSION),
    "ca-exclusion-group-opens-smtp": (REFUSING_POLICY, REFUSE_ACCOUNT, LEAVE_GROUP),
    "ca-gap": (SAVE_POLICY, LOOK_AT_USE, INCLUDE_ALL),
    "report-only-policy-will-block": (*_SAFER, SAVE_POLICY, EXCLUDE_ACCOUNT, BIND_TO_PLACE),
    "security-defaults-off": (LOOK_AT_USE, BLOCK_LEGACY, SECURITY_DEFAULTS_ON, REFUSING_POLICY, REFUSE_BY_DEFAULT),
    "smtp-use-undeclared": (LOOK_AT_USE, DECLARE, NEW_PASSWORD, MAILBOX_OFF),
    "audit-contradiction": (WHAT_IF, TEST),
    "cross-check-disagreement": (WHAT_IF, RUN_AGAIN),
    "per-user-mfa-enforced": (LOOK_AT_USE, DELETE_APP_PASSWORDS, PER_USER_MFA_OFF),
    "mailbox-without-entitlement": (LICENSE, MAILBOX_OFF),
    "licence-error": (LICENSE, USAGE_LOCATION),
    "shared-mailbox-sign-in": (LOOK_AT_USE, SEND_AS, BLOCK_SIGN_IN),
    "legacy-tls-allowed": (LOOK_AT_USE, RELAY, LEGACY_TLS_OFF),
    "app-may-send-as-anyone": (GRAPH_SCOPED, WITHDRAW),
    "data-problem": (REPORT_DATA,),
    "coverage-gap": (DOCTOR, GRANT_READING),
    # blockers
    "mailbox": (OTHER_MAILBOX, RELAY),
    "authentication-policy": (OAUTH_APP, ALLOW_ACCOUNT),
    "smtp-auth-switch": (MAILBOX_ON, MAILBOX_INHERITS),
    "account-state": (SEND_AS, OAUTH_APP),
    "credential": (OAUTH_APP, NEW_PASSWORD),
    "security-defaults": _SAFER,
    "conditional-access": (OAUTH_APP, SAVE_POLICY, EXCLUDE_ACCOUNT, BIND_TO_PLACE),
    "licence": (LICENSE, USAGE_LOCATION, SEND_AS),
    "per-user-mfa": (OAUTH_APP, PER_USER_MFA_OFF),
    "sender-settings": (CLIENT, RELAY),
    "send-as": (FROM, SEND_AS, ALIASES),
    "sending-limits": (SLOWER, RELAY),
    "oauth-grant": (OAUTH_APP,),
    "basic-auth-retirement": (*_SAFER, RUN_AGAIN),
}
"""Rule or blocker → its steps, in the order in which they are done."""
