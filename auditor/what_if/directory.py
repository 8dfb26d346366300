"""Changes in Microsoft Entra: security defaults; sign-in, password, per-user MFA and licence of an account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from auditor.blockers.mailbox import MAIL_USERS
from auditor.tenant import NO, UNREAD, YES
from auditor.what_if.model import Change, Draft

MfaState = Literal["disabled", "enabled", "enforced"]
SECURITY_DEFAULTS = "identitySecurityDefaultsEnforcementPolicy"


@dataclass(frozen=True)
class SecurityDefaults(Change):
    on: bool

    @property
    def key(self) -> tuple[str, ...]:
        return ("security-defaults",)

    @property
    def option(self) -> tuple[str, ...]:
        return "--security-defaults", "on" if self.on else "off"

    @property
    def text(self) -> str:
        return f"security defaults are {'on' if self.on else 'off'}"

    def apply(self, draft: Draft) -> None:
        draft.assume(SECURITY_DEFAULTS)
        draft.set_field("security_defaults", YES if self.on else NO)


@dataclass(frozen=True)
class SignInEnabled(Change):
    account_id: str
    account: str
    enabled: bool

    @property
    def key(self) -> tuple[str, ...]:
        return "account", self.account_id

    @property
    def option(self) -> tuple[str, ...]:
        return "--account", f"{self.account}={'enabled' if self.enabled else 'disabled'}"

    @property
    def text(self) -> str:
        return f"sign-in of {self.account} is {'enabled' if self.enabled else 'disabled'}"

    def apply(self, draft: Draft) -> None:
        draft.needs("users")
        draft.set_value("enabled", draft.row(self.account_id), YES if self.enabled else NO)


@dataclass(frozen=True)
class PasswordChanged(Change):
    """The account's password is set anew at the moment that is judged for."""

    account_id: str
    account: str

    @property
    def key(self) -> tuple[str, ...]:
        return "password-changed", self.account_id

    @property
    def option(self) -> tuple[str, ...]:
        return "--password-changed", self.account

    @property
    def text(self) -> str:
        return f"the password of {self.account} is set anew"

    def apply(self, draft: Draft) -> None:
        draft.needs("users", "domains")
        row = draft.row(self.account_id)
        draft.set_value("password_age_days", row, 0.0)
        draft.set_value("password_changed", row, draft.base.now.strftime("%Y-%m-%dT%H:%M:%SZ"))


@dataclass(frozen=True)
class PerUserMfa(Change):
    account_id: str
    account: str
    state: MfaState

    @property
    def key(self) -> tuple[str, ...]:
        return "per-user-mfa", self.account_id

    @property
    def option(self) -> tuple[str, ...]:
        return "--per-user-mfa", f"{self.account}={self.state}"

    @property
    def text(self) -> str:
        return f"per-user MFA of {self.account} is {self.state}"

    def apply(self, draft: Draft) -> None:
        draft.assume("perUserMfa")
        draft.set_value("per_user_mfa", draft.row(self.account_id), self.state)


@dataclass(frozen=True)
class MailboxLicence(Change):
    """A licence with a mailbox plan is given and works, or every such licence is taken away.

    Given to an account without a mailbox, it makes one, but for guests and mail users, whose mail is elsewhere. How the
    new mailbox's SMTP AUTH switch stands is not documented, so that is unknown. A mailbox outlives its licence for a
    while, so taking one away leaves it standing."""

    phase: ClassVar[int] = 1
    account_id: str
    account: str
    given: bool

    @property
    def key(self) -> tuple[str, ...]:
        return "licence", self.account_id

    @property
    def option(self) -> tuple[str, ...]:
        return "--licence", f"{self.account}={'give' if self.given else 'take'}"

    @property
    def text(self) -> str:
        if self.given:
            return f"{self.account} has a licence with a mailbox plan"
        return f"{self.account} has no licence with a mailbox plan"

    def apply(self, draft: Draft) -> None:
        draft.assume("subscribedSkus")
        draft.needs("users")
        row = draft.row(self.account_id)
        draft.set_value("mailbox_plan", row, "enabled" if self.given else "none")
        draft.set_value("mailbox_plan_note", row, "a change gives it" if self.given else "a change takes it away")
        if not self.given:
            return
        draft.set_value("ever_had_mailbox_plan", row, YES)
        if not draft.complete("mailboxes"):
            draft.note(f"mailboxes was not read: whether {self.account} has a mailbox then is not told by a licence")
        elif not draft.value("mailbox", row):
            self._make_mailbox(draft, row)

    def _make_mailbox(self, draft: Draft, row: int) -> None:
        if draft.value("exchange_user", row) in MAIL_USERS or draft.value("is_external", row) != NO:
            draft.note(f"{self.account} is a mail user or a guest: its mail is elsewhere, and no mailbox is made")
            return
        draft.set_value("mailbox", row, "UserMailbox")
        draft.set_value("smtp_auth_disabled", row, UNREAD)
        draft.note(f"the SMTP AUTH switch of the new mailbox of {self.account} is not known until it is there")
