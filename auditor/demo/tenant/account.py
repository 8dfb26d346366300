"""One account of the demo company, before it is written out as Graph and Exchange objects."""

from __future__ import annotations

from dataclasses import dataclass, field

from auditor.demo.tenant.licences import Licence

INITIAL = "contosodemo.onmicrosoft.com"
ROOT = "contoso.example"
SUB = "plant.contoso.example"
FEDERATED = "fabrikam.example"
EXPIRING = "adatum.example"
UNSET = "tailspin.example"


@dataclass(slots=True)
class Account:
    """`key` names the account for good: ids, passwords and sender fates hang on it. Days count back from the clock
    of quarter 1. None where Graph or Exchange would answer null, or would have no row at all (`methods`)."""

    key: str
    name: str
    upn: str
    id: str = ""
    number: int = -1
    """of filler accounts: which one; -1 for the special ones"""
    enabled: bool = True
    user_type: str = "Member"
    creation_type: str | None = None
    external_state: str | None = None
    mail: str | None = ""
    """primary address; "" takes the UPN, None is no address"""
    aliases: tuple[str, ...] = ()
    licences: tuple[Licence, ...] = ()
    old_plans: tuple[str, ...] = ()
    """Exchange plans held long ago (capabilityStatus Deleted)"""
    mailbox: str = ""
    """RecipientTypeDetails of its row in Get-Mailbox; "" where there is none"""
    exchange: str = "User"
    """RecipientTypeDetails of its row in Get-User; "" where there is none"""
    switch: bool | None = None
    """SmtpClientAuthenticationDisabled of the mailbox"""
    cas_row: bool = True
    auth_policy: str | None = None
    """AuthenticationPolicy as Get-User writes it"""
    mfa: str = "disabled"
    methods: tuple[str, ...] | None = ()
    synced: bool = False
    password_days: float | None = 40
    rotates: bool = False
    """the password is changed in time, so that its age counts back from this quarter's clock"""
    never_expires: bool = False
    created_days: float = 900
    resource: bool = False
    app_password: bool = False
    department: str = ""
    groups: tuple[str, ...] = ()
    """keys of groups it is a direct member of"""
    roles: tuple[str, ...] = ()
    """names of roles it holds directly, tenant-wide"""
    smtp: str = ""
    """SMTP evidence to write: the cases of signins._habit"""

    @property
    def address(self) -> str | None:
        return self.upn if self.mail == "" else self.mail


@dataclass(slots=True)
class Company:
    """The accounts that are told apart, by key, in the order in which the services list them: filler comes after
    those of the first quarter and before those who joined later."""

    accounts: dict[str, Account] = field(default_factory=dict)

    def add(self, account: Account) -> None:
        self.accounts[account.key] = account

    def __getitem__(self, key: str) -> Account:
        return self.accounts[key]

    def __contains__(self, key: object) -> bool:
        return key in self.accounts
