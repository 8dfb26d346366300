"""Changes of Exchange Online's settings: the SMTP AUTH switch, authentication policies, Send As, and what Microsoft
announced for the end of December 2026.

Sources: https://learn.microsoft.com/powershell/module/exchangepowershell/set-casmailbox, set-transportconfig,
set-authenticationpolicy, set-user, set-organizationconfig and add-recipientpermission below the same address.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from auditor.tenant import INHERIT, NO, YES, AuthenticationPolicy
from auditor.what_if.model import Change, Draft

Setting = Literal["on", "off", "inherit"]
_DISABLED = {"on": NO, "off": YES, "inherit": INHERIT}
"""SmtpClientAuthenticationDisabled says the opposite of "on"."""

RETIRED = {
    "account": "",
    "time": "",
    "text": "550 5.7.30 Basic authentication is not supported for Client Submission.",
    "source": "what-if",
}
"""The reply that Microsoft announced."""

UNKNOWN_PERMISSION = {
    "Identity": "s-1-5-what-if-unread",
    "Trustee": "s-1-5-what-if-unread",
    "AccessControlType": "Allow",
    "AccessRights": ["SendAs"],
}
"""Stands for the permissions of a list that was not read: it may be anybody's for any mailbox."""


@dataclass(frozen=True)
class OrganisationSwitch(Change):
    """SMTP AUTH of the organisation (Set-TransportConfig). Mailboxes with a setting of their own keep it; where those
    were not read, whether a mailbox has one stays unknown."""

    on: bool

    @property
    def key(self) -> tuple[str, ...]:
        return ("org-smtp",)

    @property
    def option(self) -> tuple[str, ...]:
        return "--org-smtp", "on" if self.on else "off"

    @property
    def text(self) -> str:
        return f"SMTP AUTH of the organisation is {'on' if self.on else 'off'}"

    def apply(self, draft: Draft) -> None:
        draft.assume("transportConfig")
        draft.needs("casMailboxes")
        draft.set_field("org_smtp_auth_disabled", NO if self.on else YES)


@dataclass(frozen=True)
class MailboxSwitch(Change):
    """SMTP AUTH of one mailbox (Set-CASMailbox): on, off, or as the organisation has it."""

    account_id: str
    account: str
    setting: Setting

    @property
    def key(self) -> tuple[str, ...]:
        return "mailbox-smtp", self.account_id

    @property
    def option(self) -> tuple[str, ...]:
        return "--mailbox-smtp", f"{self.account}={self.setting}"

    @property
    def text(self) -> str:
        if self.setting == "inherit":
            return f"SMTP AUTH of mailbox {self.account} follows the organisation"
        return f"SMTP AUTH of mailbox {self.account} is {self.setting}"

    def apply(self, draft: Draft) -> None:
        row = draft.row(self.account_id)
        if draft.complete("mailboxes") and not draft.value("mailbox", row):
            draft.note(f"{self.account} has no mailbox in Exchange Online, so there is no such switch")
            return
        draft.assume("casMailboxes")
        draft.set_value("smtp_auth_disabled", row, _DISABLED[self.setting])


@dataclass(frozen=True)
class AuthenticationPolicySmtp(Change):
    """An authentication policy allows or refuses basic SMTP (AllowBasicAuthSmtp). `new`: the policy is made."""

    phase: ClassVar[int] = 1
    policy_key: str
    name: str
    allow: bool
    new: bool = False

    @property
    def key(self) -> tuple[str, ...]:
        return "auth-policy-smtp", self.policy_key

    @property
    def option(self) -> tuple[str, ...]:
        word = "allow" if self.allow else "refuse"
        return "--new-auth-policy" if self.new else "--auth-policy-smtp", f"{self.name}={word}"

    @property
    def text(self) -> str:
        verb = "allows" if self.allow else "refuses"
        return f"{'a new' if self.new else 'the'} authentication policy '{self.name}' {verb} basic SMTP"

    def apply(self, draft: Draft) -> None:
        draft.assume("authenticationPolicies")
        policy = AuthenticationPolicy(self.policy_key, self.name, YES if self.allow else NO)
        draft.put("authentication_policies", self.policy_key, policy)


@dataclass(frozen=True)
class DefaultAuthenticationPolicy(Change):
    """The organisation's default authentication policy; the empty key is none."""

    policy_key: str
    name: str

    @property
    def key(self) -> tuple[str, ...]:
        return ("default-auth-policy",)

    @property
    def option(self) -> tuple[str, ...]:
        return "--default-auth-policy", self.name or "none"

    @property
    def text(self) -> str:
        what = f"authentication policy '{self.name}' is" if self.policy_key else "no authentication policy is"
        return f"{what} the organisation's default"

    def apply(self, draft: Draft) -> None:
        draft.assume("organizationConfig")
        draft.needs("exchangeUsers")
        if self.policy_key:
            draft.needs("authenticationPolicies")
        draft.set_field("default_authentication_policy", self.policy_key)


@dataclass(frozen=True)
class AssignedAuthenticationPolicy(Change):
    """The authentication policy of one account; the empty key is none of its own."""

    account_id: str
    account: str
    policy_key: str
    name: str

    @property
    def key(self) -> tuple[str, ...]:
        return "auth-policy", self.account_id

    @property
    def option(self) -> tuple[str, ...]:
        return "--auth-policy", f"{self.account}={self.name or 'none'}"

    @property
    def text(self) -> str:
        what = f"authentication policy '{self.name}'" if self.policy_key else "no authentication policy of its own"
        return f"{self.account} has {what}"

    def apply(self, draft: Draft) -> None:
        draft.assume("exchangeUsers")
        draft.needs("authenticationPolicies" if self.policy_key else "organizationConfig")
        draft.set_value("authentication_policy", draft.row(self.account_id), self.policy_key)


@dataclass(frozen=True)
class SendAsGranted(Change):
    """An account, or an app that signs in as itself, may send as an address. A denial of the same stays."""

    trustee: str
    """the account's object id, or the app's application id"""
    label: str
    address: str

    @property
    def key(self) -> tuple[str, ...]:
        return "send-as", self.trustee, self.address

    @property
    def option(self) -> tuple[str, ...]:
        return "--send-as", f"{self.label}={self.address}"

    @property
    def text(self) -> str:
        return f"{self.label} may send as {self.address}"

    def apply(self, draft: Draft) -> None:
        if draft.assume("recipientPermissions"):
            draft.append("recipient_permissions", UNKNOWN_PERMISSION)
        grant = {"Identity": self.address, "Trustee": self.trustee, "AccessControlType": "Allow"}
        draft.append("recipient_permissions", {**grant, "AccessRights": ["SendAs"]})


@dataclass(frozen=True)
class BasicRetired(Change):
    """Basic authentication for client submission is off: Exchange Online answers 550 5.7.30."""

    @property
    def key(self) -> tuple[str, ...]:
        return ("retired",)

    @property
    def option(self) -> tuple[str, ...]:
        return ("--retired",)

    @property
    def text(self) -> str:
        return "basic authentication for SMTP AUTH is off, as announced for the end of December 2026"

    def apply(self, draft: Draft) -> None:
        draft.append("smtp_replies", RETIRED)
