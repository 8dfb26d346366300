"""What the tenant holds about one account, as its services would look it up while a client signs in and sends.

Everything is read at the moment of the question, so that a changed tenant answers differently at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from auditor.demo.graph.directory import is_inside
from auditor.demo.model import DemoTenant
from auditor.demo.rows import Rows

Record = Mapping[str, Any]

NEVER_EXPIRES = "DisablePasswordExpiration"
SELF = "nt authority\\self"


def user_named(tenant: DemoTenant, login: str) -> Record | None:
    """The account of a sign-in name, which is the user principal name and nothing else."""
    wanted = login.strip().lower()
    users: Iterable[Record] = tenant.graph.get("users", ())
    if isinstance(users, Rows):
        found: Record | None = users.find(wanted, "userPrincipalName")
        return found
    return next((user for user in users if str(user["userPrincipalName"]).lower() == wanted), None)


def exchange_row(tenant: DemoTenant, dataset: str, user_id: str) -> Record | None:
    """The account's row in one of Exchange's lists."""
    rows: Iterable[Record] = tenant.exchange.get(dataset, ())
    return next((row for row in rows if str(row.get("ExternalDirectoryObjectId", "")).lower() == user_id.lower()), None)


def addresses(row: Record) -> frozenset[str]:
    """Every SMTP address of a mailbox or mail user."""
    listed = [str(entry) for entry in row.get("EmailAddresses") or ()]
    found = [entry.partition(":")[2] for entry in listed if entry.lower().startswith("smtp:")]
    found += [str(row.get(name) or "") for name in ("PrimarySmtpAddress", "UserPrincipalName")]
    return frozenset(address.lower() for address in found if address)


def mailbox_at(tenant: DemoTenant, address: str) -> Record | None:
    """The mailbox with an address, its main one or an alias."""
    return next((row for row in tenant.exchange.get("mailboxes", ()) if address.lower() in addresses(row)), None)


def switched_off(tenant: DemoTenant, user_id: str) -> str:
    """Whose SMTP AUTH switch is off: "mailbox", "tenant", or empty where it is on. The mailbox's own setting wins."""
    row = exchange_row(tenant, "casMailboxes", user_id)
    own = row.get("SmtpClientAuthenticationDisabled") if row else None
    if own is not None:
        return "mailbox" if own else ""
    organisation = _single(tenant, "transportConfig").get("SmtpClientAuthenticationDisabled")
    return "tenant" if organisation else ""


def policy_allows_basic(tenant: DemoTenant, user_id: str) -> bool:
    """The account's authentication policy, else the organisation's default; without one nothing is refused."""
    row = exchange_row(tenant, "exchangeUsers", user_id) or {}
    named = row.get("AuthenticationPolicy") or _single(tenant, "organizationConfig").get("DefaultAuthenticationPolicy")
    if not named:
        return True
    policy = next((policy for policy in tenant.exchange.get("authenticationPolicies", ()) if _is(policy, named)), None)
    return policy is None or bool(policy.get("AllowBasicAuthSmtp"))


def _is(policy: Record, named: str) -> bool:
    """A policy is named by its name, its GUID or its distinguished name."""
    wanted = named.lower()
    names = {str(policy.get(key, "")).lower() for key in ("Name", "Guid", "ExchangeObjectId")}
    common = wanted.removeprefix("cn=").partition(",")[0] if wanted.startswith("cn=") else wanted
    return wanted in names or common in names


def allows_old_tls(tenant: DemoTenant) -> bool:
    return bool(_single(tenant, "transportConfig").get("AllowLegacyTLSClients"))


def refuses_direct_send(tenant: DemoTenant) -> bool:
    return bool(_single(tenant, "organizationConfig").get("RejectDirectSend"))


def _single(tenant: DemoTenant, dataset: str) -> Record:
    rows = tenant.exchange.get(dataset) or [{}]
    return rows[0]


def is_accepted(tenant: DemoTenant, address: str) -> bool:
    """The address is in one of the organisation's own domains."""
    domain = address.rpartition("@")[2].lower()
    return any(str(row["DomainName"]).lower() == domain for row in tenant.exchange.get("acceptedDomains", ()))


def connector_takes(tenant: DemoTenant, peer: str) -> bool:
    """An inbound connector that is switched on lists the address that the client comes from."""
    rows = tenant.exchange.get("inboundConnectors", ())
    return any(row.get("Enabled") and peer in (row.get("SenderIPAddresses") or ()) for row in rows)


def is_federated(tenant: DemoTenant, login: str) -> bool:
    domain = _domain(tenant, login.rpartition("@")[2])
    return domain is not None and domain.get("authenticationType") == "Federated"


def password_expired(tenant: DemoTenant, user: Record) -> bool:
    """By the root domain's policy: sub-domains take its value; without a value nothing expires here."""
    if NEVER_EXPIRES in str(user.get("passwordPolicies") or ""):
        return False
    changed = user.get("lastPasswordChangeDateTime")
    domain = _root(tenant, str(user["userPrincipalName"]).rpartition("@")[2])
    days = domain.get("passwordValidityPeriodInDays") if domain else None
    if not changed or not isinstance(days, int):
        return False
    return (tenant.now - datetime.fromisoformat(changed)).days >= days


def _domain(tenant: DemoTenant, name: str) -> Record | None:
    rows: Iterable[Record] = tenant.graph.get("domains", ())
    return next((row for row in rows if str(row["id"]).lower() == name.lower()), None)


def _root(tenant: DemoTenant, name: str) -> Record | None:
    labels = name.split(".")
    parents = (_domain(tenant, ".".join(labels[start:])) for start in range(len(labels) - 2, -1, -1))
    return next((row for row in parents if row is not None), None)


def groups_of(tenant: DemoTenant, object_id: str) -> frozenset[str]:
    """Ids of every group that holds a user or an app, at any depth; cycles end."""
    found: set[str] = set()
    waiting = [object_id.lower()]
    while waiting:
        member = waiting.pop()
        for group, inside in tenant.group_members.items():
            if group.lower() not in found and is_inside(inside, member):
                found.add(group.lower())
                waiting.append(group.lower())
    return frozenset(found)


def may_send_as(tenant: DemoTenant, holder: Record, wanted: str) -> bool:
    """May an account use an address that is not its own? `holder` is its Graph object, or an app's service principal.

    Send As stands on the mailbox of that address; the trustee is the account or app itself, or a group with it
    inside."""
    target = mailbox_at(tenant, wanted)
    if target is None:
        return False
    names = set(_names(tenant, holder))
    return any(
        str(row.get("Trustee", "")).lower() in names
        for row in tenant.exchange.get("recipientPermissions", ())
        if "SendAs" in (row.get("AccessRights") or ()) and row.get("AccessControlType") == "Allow" and _on(row, target)
    )


def has_full_access(tenant: DemoTenant, holder: Record, mailbox: Record) -> bool:
    """FullAccess on a mailbox, for an account or an app; a denial wins."""
    names = set(_names(tenant, holder))
    rows = [
        row
        for row in tenant.exchange.get("mailboxPermissions", ())
        if str(row.get("User", "")).lower() in names and _on(row, mailbox)
    ]
    full = [row for row in rows if "FullAccess" in (row.get("AccessRights") or ())]
    return bool(full) and not any(row.get("Deny") for row in full)


def _on(row: Record, mailbox: Record) -> bool:
    identity = str(row.get("Identity", "")).lower()
    names = {str(mailbox.get(key, "")).lower() for key in ("Identity", "Name", "Alias", "Guid")}
    return bool(identity) and identity in (names | addresses(mailbox))


def _names(tenant: DemoTenant, holder: Record) -> Iterator[str]:
    """How a permission may name an account or an app: by id, address or name, or by a group that holds it."""
    yield str(holder["id"]).lower()
    for key in ("userPrincipalName", "mail", "appId"):
        if holder.get(key):
            yield str(holder[key]).lower()
    inside = groups_of(tenant, str(holder["id"]))
    for group in tenant.graph.get("groups", ()):
        if str(group["id"]).lower() in inside:
            yield from (str(group[key]).lower() for key in ("id", "mail", "displayName") if group.get(key))
