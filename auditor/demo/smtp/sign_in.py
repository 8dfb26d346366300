"""How the emulated tenant answers a sign-in over SMTP.

Microsoft documents two facts about the order in which its services look: an authentication policy refuses before Entra
ID sees the request, and Conditional Access comes after the first factor. The rest of this order is ours, so that one
sign-in has one answer; nothing should be concluded from it about Exchange Online.

With a password: 1 the authentication policy; 2 basic authentication is retired; 3 the SMTP AUTH switch; 4 no such
account, or its sign-in is off; 5 smart lockout; 6 a federated domain, whose sign-in server the demo does not have;
7 the password, which must be an app password where per-user MFA is enforced, and one that has not expired; 8 security
defaults; 9 Conditional Access. High Volume Email leaves out 2 and 3.

With a token: 1 its form, signature, audience, tenant and lifetime; 2 the mailbox; 3 the SMTP AUTH switch; 4 the app's
permission, its registration in Exchange and FullAccess, or the person's consent and access.

No text is known for a disabled account, an expired password or an account without a mailbox: the nearest one stands in
(`account has an issue`, `the user credentials were incorrect`, and the licence's throttle at MAIL FROM).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt

from auditor.demo.entra.tokens import Authority, TokenError
from auditor.demo.model import DemoTenant
from auditor.demo.smtp import access, mailboxes, texts

HVE_HOSTS = frozenset({"smtp.hve.mx.microsoft", "smtp-hve.office365.com"})
SEND_AS_APP = "SMTP.SendAsApp"
ROLE = "Application SMTP.SendAsApp"
SCOPE = "SMTP.Send"

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks: the host name that it connected to (by SNI), and the IP address that it says it comes from."""

    host: str
    address: str = ""

    @property
    def high_volume(self) -> bool:
        return self.host in HVE_HOSTS


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A sign-in that succeeded: the account whose mailbox sends, and the app where one signed in as itself."""

    user: Record
    app: Record | None = None


@dataclass
class Lockout:
    """Smart lockout: ten wrong passwords lock an account for a minute; one of the last three again does not count.

    https://learn.microsoft.com/entra/identity/authentication/howto-password-smart-lockout"""

    clock: Callable[[], float]
    failures: dict[str, int] = field(default_factory=dict)
    _recent: dict[str, deque[bytes]] = field(default_factory=dict)
    _until: dict[str, float] = field(default_factory=dict)

    THRESHOLD = 10
    SECONDS = 60.0

    def locked(self, user_id: str) -> bool:
        return self.clock() < self._until.get(user_id, 0.0)

    def wrong(self, user_id: str, password: bytes) -> None:
        digest = hashlib.sha256(password).digest()
        recent = self._recent.setdefault(user_id, deque(maxlen=3))
        if digest in recent:
            return
        recent.append(digest)
        self.failures[user_id] = self.failures.get(user_id, 0) + 1
        if self.failures[user_id] >= self.THRESHOLD:
            self._until[user_id] = self.clock() + self.SECONDS

    def right(self, user_id: str) -> None:
        self.failures.pop(user_id, None)
        self._recent.pop(user_id, None)


@dataclass
class Gate:
    """Decides every sign-in of one tenant. `audience`: the address that tokens for Exchange are issued for."""

    tenant: DemoTenant
    tokens: Authority
    audience: str
    lockout: Lockout

    # --- with a password ---------------------------------------------------------------------------------------------

    def password(self, client: Client, login: str, password: bytes) -> SignedIn | str:
        """The account, or the text of the refusal."""
        user = mailboxes.user_named(self.tenant, login)
        return self._exchange(client, user) or self._entra(client, login, user, password)

    def _exchange(self, client: Client, user: Record | None) -> str:
        """What Exchange Online refuses by its own settings, empty where it refuses nothing."""
        if user is None:
            return ""
        if not mailboxes.policy_allows_basic(self.tenant, user["id"]):
            return texts.ORGANIZATION if client.high_volume else texts.BASIC_DISABLED
        if client.high_volume:
            listed = mailboxes.exchange_row(self.tenant, "hveAccounts", user["id"]) is not None
            return "" if listed else texts.REFUSED
        if any("5.7.30" in str(reply.get("text")) for reply in self.tenant.smtp_replies):
            return texts.RETIRED
        return self._switch(user)

    def _switch(self, user: Record) -> str:
        off = mailboxes.switched_off(self.tenant, user["id"])
        if off and mailboxes.exchange_row(self.tenant, "mailboxes", user["id"]) is not None:
            return texts.DISABLED_MAILBOX if off == "mailbox" else texts.DISABLED_TENANT
        return ""

    def _entra(self, client: Client, login: str, user: Record | None, password: bytes) -> SignedIn | str:
        if user is None:
            return texts.CREDENTIALS
        if not user.get("accountEnabled"):
            return texts.ACCOUNT_ISSUE
        if self.lockout.locked(user["id"]):
            return texts.LOCKED
        if mailboxes.is_federated(self.tenant, login):
            return texts.FEDERATED
        if not self._right_password(user, password):
            self.lockout.wrong(user["id"], password)
            return texts.CREDENTIALS
        self.lockout.right(user["id"])
        return self._after_the_first_factor(client, user)

    def _right_password(self, user: Record, password: bytes) -> bool:
        app_password = self.tenant.app_passwords.get(user["id"], "")
        if app_password and hmac.compare_digest(password, app_password.encode()):
            return True
        if self.tenant.per_user_mfa.get(user["id"]) == "enforced" or mailboxes.password_expired(self.tenant, user):
            return False
        known = self.tenant.passwords.get(user["id"], "")
        return bool(known) and hmac.compare_digest(password, known.encode())

    def _after_the_first_factor(self, client: Client, user: Record) -> SignedIn | str:
        if self.tenant.graph["identitySecurityDefaultsEnforcementPolicy"]["isEnabled"]:
            return texts.ORGANIZATION if client.high_volume else texts.SECURITY_DEFAULTS
        if access.refuses(self.tenant, user["id"], client.address):
            return texts.CONDITIONAL_ACCESS
        return SignedIn(user)

    # --- with a token ------------------------------------------------------------------------------------------------

    def token(self, client: Client, response: bytes) -> SignedIn | str:
        """The account, or the text of the refusal; `response` is the decoded XOAUTH2 string."""
        login, token = _xoauth2(response)
        if not login or not token:
            return texts.TOKEN_MALFORMED
        if client.high_volume:
            return texts.HVE_APP
        try:
            self.tokens.check(f"Bearer {token}", self.audience)
        except TokenError as error:
            return texts.TOKEN_EXPIRED if "expired" in str(error) else texts.REFUSED
        claims = jwt.decode(token, options={"verify_signature": False})  # just checked
        user = mailboxes.user_named(self.tenant, login)
        mailbox = mailboxes.exchange_row(self.tenant, "mailboxes", user["id"]) if user else None
        if user is None or mailbox is None:
            return texts.REFUSED
        return self._switch(user) or self._granted(claims, user, mailbox)

    def _granted(self, claims: Record, user: Record, mailbox: Record) -> SignedIn | str:
        if SCOPE in str(claims.get("scp", "")).split():
            return SignedIn(user) if self._person_may(str(claims.get("oid", "")), user, mailbox) else texts.REFUSED
        app = self._app(claims)
        if app is None or not self._permitted(claims, app) or not mailboxes.has_full_access(self.tenant, app, mailbox):
            return texts.REFUSED
        return SignedIn(user, app)

    def _person_may(self, person_id: str, user: Record, mailbox: Record) -> bool:
        if person_id.lower() == str(user["id"]).lower():
            return bool(user.get("accountEnabled"))
        users: list[Record] = self.tenant.graph["users"]
        person = next((one for one in users if str(one["id"]).lower() == person_id.lower()), None)
        return person is not None and mailboxes.has_full_access(self.tenant, person, mailbox)

    def _app(self, claims: Record) -> Record | None:
        """The app as Exchange has registered it, by the object id of its service principal."""
        object_id = str(claims.get("oid", "")).lower()
        rows = self.tenant.exchange.get("exchangeServicePrincipals", ())
        row = next((row for row in rows if str(row.get("ObjectId", "")).lower() == object_id), None)
        return {"id": object_id, "appId": row["AppId"]} if row else None

    def _permitted(self, claims: Record, app: Record) -> bool:
        if SEND_AS_APP in claims.get("roles", ()):
            return True
        return any(
            row.get("Role") == ROLE and row.get("Enabled") and str(row.get("RoleAssignee", "")).lower() == app["id"]
            for row in self.tenant.exchange.get("managementRoleAssignments", ())
        )


def decoded(text: str) -> bytes | None:
    """Base64 as SASL sends it; None where it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _xoauth2(response: bytes) -> tuple[str, str]:
    """(user, token) of `user=…^Aauth=Bearer …^A^A`, empty where a part is missing."""
    fields = dict(part.partition("=")[::2] for part in response.decode("utf-8", "replace").split("\x01") if part)
    scheme, _, token = fields.get("auth", "").partition(" ")
    return fields.get("user", "").strip(), token.strip() if scheme.lower() == "bearer" else ""
