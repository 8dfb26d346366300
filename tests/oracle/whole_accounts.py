"""The oracle's evidence and the blockers that every account meets, one account at a time (see whole_oracle.py).

Conditional Access is told by the oracle of tests/access, which knows a policy's conditions; who is a guest, who is in
which group and who holds which role is worked out here from the records.
"""

import importlib.util
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace


def _load(path):
    spec = importlib.util.spec_from_file_location(path.stem + "_by_path", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ca = _load(Path(__file__).resolve().parents[1] / "access" / "oracle.py")

BLOCKS, UNKNOWN, CONDITIONAL, CLEAR, NOT_APPLICABLE = "blocks", "unknown", "conditional", "clear", "not_applicable"
STRENGTH = (NOT_APPLICABLE, CLEAR, CONDITIONAL, UNKNOWN, BLOCKS)

EXCHANGE = (
    "transportConfig", "organizationConfig", "casMailboxes", "authenticationPolicies", "exchangeUsers", "mailboxes",
    "recipientPermissions", "mailboxPermissions", "exchangeServicePrincipals", "managementRoleAssignments",
    "managementScopes", "applicationAccessPolicies", "inboundConnectors", "acceptedDomains", "hveAccounts",
)  # fmt: skip

MAILBOX_PLANS = {"efb87545-963c-4e0d-99df-69c6916d9eb0", "9aaf7827-d63c-4b61-89c3-182f06f82e5c",
                 "4a82b400-a79f-41a4-b4e2-e94f5787b113"}  # fmt: skip
WITHOUT_MAILBOX = {"113feb6c-3fe4-4440-bddc-54d774bf0318"}
NOT_VERIFIED = {"50f60901-3181-4b75-8a2c-4c8e4c1d5a72"}


def worst(states):
    return max(states, key=STRENGTH.index, default=NOT_APPLICABLE)


class Evidence:
    """A snapshot folder: its records, and how reading each dataset ended."""

    def __init__(self, folder, *, now, cloud="public", max_age_days=30):
        self.now, self.cloud, self.max_age = now, cloud, timedelta(days=max_age_days)
        self.records = {
            path.stem: [json.loads(line) for line in path.read_text("utf-8").splitlines()]
            for path in folder.glob("*.jsonl")
        }
        manifest = folder / "manifest.json"
        self.manifest = json.loads(manifest.read_text("utf-8"))["datasets"] if manifest.exists() else None

    def state(self, name):
        if self.manifest is None:
            return "complete" if name in self.records else "not-asked"
        entry = self.manifest.get(name, {"state": "not-asked"})
        aged = name in EXCHANGE and entry["state"] == "complete" and entry.get("as_of")
        exported = not entry.get("source") or "export" in entry["source"]
        if aged and exported and self.now - datetime.fromisoformat(entry["as_of"]) > self.max_age:
            return "cut"
        return entry["state"]

    def source(self, name):
        return (self.manifest or {}).get(name, {}).get("source", "")

    def asked(self, name):
        return self.state(name) != "not-asked"

    def complete(self, *names):
        return all(self.state(name) == "complete" for name in names)

    def rows(self, name):
        return self.records.get(name, [])

    def one(self, name):
        return self.rows(name)[0] if self.complete(name) and self.rows(name) else {}


def same(one, other):
    return str(one).lower() == str(other).lower()


# --- the account and its rows ---------------------------------------------------------------------------------------


def addresses(user):
    """Every SMTP address, primary first."""
    proxies = [address.partition(":")[::2] for address in user["proxyAddresses"]]
    primary = [rest.lower() for scheme, rest in proxies if scheme == "SMTP"]
    others = [rest.lower() for scheme, rest in proxies if scheme == "smtp"]
    mail = [user["mail"].lower()] if user["mail"] else []
    return list(dict.fromkeys(primary + mail + others))


def exchange_row(evidence, name, user):
    """The object of the account: by directory object id, else UPN, else primary address."""
    for row in evidence.rows(name):
        object_id, upn, address = (row.get(key) for key in ("ExternalDirectoryObjectId", "UserPrincipalName",
                                                            "PrimarySmtpAddress"))  # fmt: skip
        if object_id:
            if same(object_id, user["id"]):
                return row
        elif upn:
            if same(upn, user["userPrincipalName"]):
                return row
        elif address and address.lower() in (*addresses(user), user["userPrincipalName"].lower()):
            return row
    return None


def by_id(evidence, name, user):
    return next((row for row in evidence.rows(name) if same(row["id"], user["id"])), None)


def by_name(evidence, name, user):
    """A row of a usage report."""
    return next((row for row in evidence.rows(name) if same(row["userPrincipalName"], user["userPrincipalName"])), None)


def carried(evidence, name, key):
    """A property that is absent from every object of a dataset was not read."""
    return any(key in row for row in evidence.rows(name))


# --- blockers of every account --------------------------------------------------------------------------------------


def account_state(evidence, user, sender):
    if not evidence.complete("users"):
        return UNKNOWN
    return {True: CLEAR, False: BLOCKS}.get(user["accountEnabled"], UNKNOWN)


def mailbox(evidence, user, sender):
    if evidence.complete("mailboxes"):
        return CLEAR if exchange_row(evidence, "mailboxes", user) else BLOCKS
    described = exchange_row(evidence, "exchangeUsers", user) if evidence.complete("exchangeUsers") else None
    if described and described["RecipientTypeDetails"] in ("UserMailbox", "SharedMailbox"):
        return CLEAR
    usage = evidence.complete("mailboxUsage")
    report = by_name(evidence, "mailboxUsage", user) if usage else None
    if report and not report["isDeleted"]:
        return CLEAR
    if any(evidence.asked(name) for name in EXCHANGE):
        return UNKNOWN  # a fallback never proves that there is none
    if report:
        return BLOCKS
    listed = usage and any(by_name(evidence, "mailboxUsage", one) for one in evidence.rows("users"))
    if listed and mailbox_plan(evidence, user) == "none":
        return BLOCKS
    return BLOCKS if evidence.complete("users") and not ever_had_plan(user) and not addresses(user) else UNKNOWN


def ever_had_plan(user):
    plans = [plan for plan in user["assignedPlans"] if plan["service"] == "exchange"]
    return any(plan["servicePlanId"] not in WITHOUT_MAILBOX for plan in plans)


def mailbox_plan(evidence, user):
    """The best that any assigned SKU gives: enabled, unread, unverified, pending or none."""
    if not evidence.complete("users", "subscribedSkus"):
        return "unread"
    found = {one for licence in user["assignedLicenses"] for one in sku_plans(evidence, user, licence)}
    return next((word for word in ("enabled", "unread", "unverified", "pending") if word in found), "none")


def sku_plans(evidence, user, licence):
    sku = next((one for one in evidence.rows("subscribedSkus") if same(one["skuId"], licence["skuId"])), None)
    if sku is None:
        yield "unread"
        return
    assignments = [one for one in user["licenseAssignmentStates"] if same(one["skuId"], sku["skuId"])]
    failed = bool(assignments) and all(one["state"] in ("Error", "Disabled") for one in assignments)
    for plan in {one["servicePlanId"] for one in sku["servicePlans"]} & MAILBOX_PLANS:
        if plan in [one.lower() for one in licence["disabledPlans"]] or failed:
            yield "none"
        elif sku["skuId"].lower() in NOT_VERIFIED:
            yield "unverified"
        else:
            yield plan_status({one["capabilityStatus"] for one in user["assignedPlans"]
                               if one["servicePlanId"] == plan})  # fmt: skip


def plan_status(words):
    if words & {"Enabled", "Warning"}:
        return "enabled"
    if words - {"Suspended", "Deleted", "LockedOut"}:
        return "unread"
    return "pending" if not words or "Suspended" in words else "none"


def licence(evidence, user, sender):
    plan = mailbox_plan(evidence, user)
    if plan != "none":
        return {"enabled": CLEAR, "pending": CONDITIONAL}.get(plan, UNKNOWN)
    if not evidence.complete("mailboxes"):
        return UNKNOWN
    return CONDITIONAL if exchange_row(evidence, "mailboxes", user) else BLOCKS


def yes_or_no(value):
    """Exchange's booleans in every export's spelling; None for null."""
    return {"true": True, "false": False, "$true": True, "$false": False}.get(str(value).lower())


def smtp_auth_switch(evidence, user, sender):
    name, switch = "casMailboxes", "SmtpClientAuthenticationDisabled"
    if not evidence.complete(name):
        return UNKNOWN
    row = exchange_row(evidence, name, user)
    value = yes_or_no(row.get(switch)) if row else None
    unread = row is None or not carried(evidence, name, switch)
    if unread or (value is False and "snapshot" in evidence.source(name)):  # there it may stand for null
        none = evidence.complete("mailboxes") and not exchange_row(evidence, "mailboxes", user)
        return NOT_APPLICABLE if none else UNKNOWN
    if value is None:
        value = yes_or_no(evidence.one("transportConfig").get(switch))
    return {True: BLOCKS, False: CLEAR, None: UNKNOWN}[value]


def named_policies(evidence, name):
    """The policies that a name may mean, in every form that Exchange uses."""
    last = re.split(r"[\\/]", name)[-1]
    common = re.match(r"cn=([^,]*)", name, re.IGNORECASE)
    wanted = {name.lower(), (common.group(1) if common else last).lower()}
    keys = ("Name", "Guid", "DistinguishedName", "Identity")
    return [row for row in evidence.rows("authenticationPolicies")
            if wanted & {str(row[key]).lower() for key in keys if row.get(key)}]  # fmt: skip


def authentication_policy(evidence, user, sender):
    if not evidence.complete("exchangeUsers") or not carried(evidence, "exchangeUsers", "AuthenticationPolicy"):
        return UNKNOWN
    row = exchange_row(evidence, "exchangeUsers", user)
    if row is None:
        return UNKNOWN
    name = row.get("AuthenticationPolicy")
    if not name:
        configuration = evidence.one("organizationConfig")
        if "DefaultAuthenticationPolicy" not in configuration:
            return UNKNOWN
        name = configuration["DefaultAuthenticationPolicy"]
        if not name:
            return CLEAR
    found = named_policies(evidence, name)
    if not evidence.complete("authenticationPolicies") or len(found) != 1:
        return UNKNOWN
    return {True: CLEAR, False: BLOCKS}.get(yes_or_no(found[0].get("AllowBasicAuthSmtp")), UNKNOWN)


def credential(evidence, user, sender):
    if not evidence.complete("users", "domains"):
        return UNKNOWN
    name = user["userPrincipalName"].rpartition("@")[2].lower()
    domains = {row["id"].lower(): row for row in evidence.rows("domains")}
    domain = domains.get(name)
    if domain is None or domain["authenticationType"] not in ("Managed", "Federated"):
        return UNKNOWN
    if domain["authenticationType"] == "Federated":
        return CONDITIONAL
    if "DisablePasswordExpiration" in (user["passwordPolicies"] or ""):
        return CLEAR
    parents = [other for other in domains if name == other or name.endswith(f".{other}")]
    root = domains[min(parents, key=len)]
    if "passwordValidityPeriodInDays" not in root or not user["lastPasswordChangeDateTime"]:
        return UNKNOWN
    days = root["passwordValidityPeriodInDays"]
    age = (evidence.now - datetime.fromisoformat(user["lastPasswordChangeDateTime"])).total_seconds() / 86400
    if days is None:
        return UNKNOWN if age > 90 else CLEAR
    if age <= days:
        return CLEAR
    return {"enforced": CONDITIONAL, "enabled": BLOCKS, "disabled": BLOCKS}.get(mfa_state(evidence, user), UNKNOWN)


def mfa_state(evidence, user):
    row = by_id(evidence, "perUserMfa", user) if evidence.complete("perUserMfa") else None
    return row["perUserMfaState"] if row else None


def per_user_mfa(evidence, user, sender):
    state = mfa_state(evidence, user)
    return {"enforced": CONDITIONAL, "enabled": CONDITIONAL, "disabled": CLEAR}.get(state, UNKNOWN)


def security_defaults(evidence, user, sender):
    value = evidence.one("identitySecurityDefaultsEnforcementPolicy").get("isEnabled")
    return {True: BLOCKS, False: CLEAR}.get(value, UNKNOWN)


HVE_HOSTS = {"smtp.hve.mx.microsoft", "smtp-hve.office365.com"}


def route(sender):
    server = sender["server"].lower()
    if sender["route"]:
        return sender["route"]
    if server in HVE_HOSTS:
        return "hve"
    if server.endswith(".mail.protection.outlook.com"):
        return "direct-send" if sender["recipients"] == "internal" else "relay"
    return "graph" if server == "graph.microsoft.com" else "client-submission"


def basic_auth_retirement(evidence, user, sender):
    hve = sender is not None and route(sender) == "hve"
    if not hve and any("550 5.7.30" in reply["text"] for reply in evidence.rows("smtpReplies")):
        return BLOCKS
    if evidence.cloud == "china":
        return UNKNOWN
    date = datetime(2028, 9, 1, tzinfo=UTC) if hve else datetime(2026, 12, 31, tzinfo=UTC)
    return CONDITIONAL if evidence.now >= date else CLEAR


# --- Conditional Access ---------------------------------------------------------------------------------------------


def conditional_access(evidence, user, sender):
    if not evidence.complete("conditionalAccessPolicies"):
        return UNKNOWN
    person = person_of(evidence, user)
    return ca.state(world_of(evidence, person), person, sender["egress_ips"] if sender else ())


def person_of(evidence, user):
    roles, perhaps = roles_of(evidence, user)
    external, kinds = guest_kinds(user)
    return SimpleNamespace(id=user["id"].lower(), roles=roles, perhaps=perhaps, unsure=bool(perhaps),
                           external=external, kinds=kinds)  # fmt: skip


def guest_kinds(user):
    """Guests, internal guests and external members; a missing user type is no guest, an unknown one may be."""
    word = (user["userType"] or "").lower()
    odd = word not in ("member", "guest", "")
    creation = user["creationType"] or ""
    outside = "#EXT#" in user["userPrincipalName"] or bool(user["externalUserState"])
    outside = outside or creation in ("Invitation", "SelfServiceSignUp")
    origin_odd = not outside and creation not in ("", "LocalAccount", "EmailVerified")
    if word == "guest":
        kind = {"b2bCollaborationGuest"} if outside else {"internalGuest"}
        return True, kind | ({"b2bCollaborationGuest"} if origin_odd else set())
    if outside:
        return True, {"b2bCollaborationMember"} | ({"b2bCollaborationGuest"} if odd else set())
    kinds = ({"internalGuest"} if odd else set()) | ({"b2bCollaborationMember"} if origin_odd else set())
    return (None, kinds) if kinds else (False, set())


def groups_of(evidence):
    """id → (read, deleted or unreadable; members)."""
    if not evidence.complete("groups"):
        return {}
    found = {}
    for group in evidence.rows("groups"):
        error, visibility = group.get("error"), group.get("visibility")
        hidden = visibility == "HiddenMembership" or not evidence.complete("groupMembers")
        state = "deleted" if error == "Request_ResourceNotFound" else "unreadable" if error or hidden else "read"
        members = {row["id"].lower() for row in evidence.rows("groupMembers") if same(row["groupId"], group["id"])}
        found[group["id"].lower()] = (state, members if state == "read" else set())
    return found


def roles_of(evidence, user):
    """(built-in roles that the account holds tenant-wide and actively, those that it may hold; `*` for any)."""
    holds, perhaps = set(), set()
    if not evidence.complete("roleAssignments"):
        return holds, {"*"}
    definitions = {row["id"].lower(): row for row in evidence.rows("roleDefinitions")}
    definitions_read = evidence.complete("roleDefinitions")
    groups, mine = groups_of(evidence), user["id"].lower()
    users = {row["id"].lower() for row in evidence.rows("users")}
    for assignment in evidence.rows("roleAssignments"):
        if assignment["directoryScopeId"] != "/":
            continue
        definition = definitions.get(assignment["roleDefinitionId"].lower()) if definitions_read else None
        if definition is not None and not definition["isBuiltIn"]:
            continue
        principal = assignment["principalId"].lower()
        held = principal == mine
        may = not held and principal not in users and not evidence.complete("groups")
        if principal in groups:
            state, members = groups[principal]
            held, may = mine in members, state == "unreadable"
        if held and definition is not None:
            holds.add(definition["templateId"].lower())
        elif held or may:
            perhaps.add((definition or {}).get("templateId", assignment["roleDefinitionId"]).lower())
    return holds, perhaps


def world_of(evidence, person):
    missing = {name for name in ("conditionalAccessPolicies", "namedLocations", "authenticationStrengthPolicies",
                                 "roleDefinitions", "roleAssignments", "groups", "groupMembers", "users")
               if not evidence.complete(name)}  # fmt: skip

    def table(name):
        return {row["id"].lower(): row for row in evidence.rows(name)} if name not in missing else {}

    return SimpleNamespace(
        missing=missing, policies=evidence.rows("conditionalAccessPolicies"), groups=groups_of(evidence),
        role_definitions=table("roleDefinitions"), uncertain_roles=person.perhaps,
        locations=table("namedLocations"), strengths=table("authenticationStrengthPolicies"),
    )  # fmt: skip
