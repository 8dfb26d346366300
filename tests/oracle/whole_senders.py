"""The oracle's blockers that only declared senders meet (see whole_oracle.py)."""

import ipaddress
from types import SimpleNamespace

import whole_accounts
from whole_accounts import BLOCKS, CLEAR, CONDITIONAL, HVE_HOSTS, NOT_APPLICABLE, UNKNOWN, addresses, route, same, worst

account_state, groups_of, person_of, world_of, yes_or_no, ca = (
    whole_accounts.account_state, whole_accounts.groups_of, whole_accounts.person_of, whole_accounts.world_of,
    whole_accounts.yes_or_no, whole_accounts.ca,
)  # fmt: skip


def sender_settings(evidence, user, sender):
    found = [CLEAR]
    if sender["port"] not in (587, 25):
        found.append(BLOCKS if sender["port"] == 465 else UNKNOWN)
    if sender["tls"] != "starttls":
        found.append(BLOCKS)
    if sender["username"] and not same(sender["username"], user["userPrincipalName"]):
        found.append(CONDITIONAL)
    found.append(host_state(evidence, sender["server"].lower() or "smtp.office365.com"))
    return worst(found)


def host_state(evidence, server):
    if server.startswith("smtp-legacy."):
        allowed = yes_or_no(evidence.one("transportConfig").get("AllowLegacyTLSClients"))
        known_here = evidence.cloud not in ("gcc-high", "dod")
        return {True: CLEAR if known_here else UNKNOWN, False: BLOCKS, None: UNKNOWN}[allowed]
    if server in HVE_HOSTS or (server == "smtp.office365.com" and evidence.cloud == "public"):
        return CLEAR
    try:
        ipaddress.ip_address(server)
    except ValueError:
        return UNKNOWN
    return CONDITIONAL


def three(answers):
    """An OR of yes, perhaps and no."""
    return next((word for word in ("yes", "perhaps") if word in answers), "no")


def both(*answers):
    """An AND of the same."""
    return next((word for word in ("no", "perhaps") if word in answers), "yes")


def names_account(evidence, name, user):
    """Does a name in Exchange's lists mean the account? One that nobody bears may still be a name of it."""
    bears = [one for one in evidence.rows("users")
             if name.lower() in (one["id"].lower(), one["userPrincipalName"].lower(), *addresses(one))]  # fmt: skip
    if not bears:
        return "perhaps"
    return "yes" if same(bears[0]["id"], user["id"]) else "no"


def takes_in(evidence, trustee, user):
    """Does the trustee mean the account, or a group that it is a member of?"""
    if any(names_account(evidence, trustee, one) == "yes" for one in evidence.rows("users")):
        return names_account(evidence, trustee, user)
    rows = evidence.rows("groups") if evidence.complete("groups") else []
    for row in rows:
        if trustee.lower() in (row["id"].lower(), (row.get("mail") or "-").lower()):
            state, members = groups_of(evidence)[row["id"].lower()]
            return {"read": "yes" if user["id"].lower() in members else "no", "deleted": "no"}.get(state, "perhaps")
    return "perhaps"


def names_app(evidence, name, app_id):
    """Does a trustee's name mean the app? Ids are certain; nobody's name may be a group that holds it."""
    principals = [row for row in evidence.rows("servicePrincipals") if evidence.complete("servicePrincipals")]
    registered = [row for row in evidence.rows("exchangeServicePrincipals")
                  if evidence.complete("exchangeServicePrincipals")]  # fmt: skip
    own = {app_id.lower()} | {row["id"].lower() for row in principals if same(row["appId"], app_id)}
    own |= {row["ObjectId"].lower() for row in registered if same(row["AppId"], app_id)}
    if name.lower() in own:
        return "yes"
    theirs = {row["id"].lower() for row in principals} | {row["ObjectId"].lower() for row in registered}
    known = any(names_account(evidence, name, user) == "yes" for user in evidence.rows("users"))
    return "no" if known or name.lower() in theirs or name == "NT AUTHORITY\\SELF" else "perhaps"


def send_as(evidence, user, sender):
    wanted, own = sender["from"].lower(), addresses(user)
    if not wanted:
        return CLEAR
    if not evidence.complete("users"):
        return UNKNOWN
    if own and wanted == own[0]:
        return CLEAR
    if wanted in own:
        kept = yes_or_no(evidence.one("organizationConfig").get("SendFromAliasEnabled"))
        return {True: CLEAR, False: CONDITIONAL, None: UNKNOWN}[kept]
    if not evidence.complete("recipientPermissions"):
        return UNKNOWN
    held = holds_send_as(evidence, user, sender, wanted)
    if held == "yes":
        return CLEAR
    bare = not own and wanted == user["userPrincipalName"].lower()
    return UNKNOWN if bare or held == "perhaps" else BLOCKS


def holds_send_as(evidence, user, sender, wanted):
    allowed, denied = ["no"], ["no"]
    for row in evidence.rows("recipientPermissions"):
        if "SendAs" not in row["AccessRights"] or row["Trustee"] == "NT AUTHORITY\\SELF":
            continue
        target = next((one for one in evidence.rows("users")
                       if wanted in (one["userPrincipalName"].lower(), *addresses(one))), None)  # fmt: skip
        if target:
            mailbox_ = names_account(evidence, row["Identity"], target)
        else:
            bears = any(names_account(evidence, row["Identity"], one) == "yes" for one in evidence.rows("users"))
            mailbox_ = "yes" if same(row["Identity"], wanted) else "no" if bears else "perhaps"
        answer = both(mailbox_, trusted(evidence, user, sender, row["Trustee"]))
        (denied if row["AccessControlType"] == "Deny" else allowed).append(answer)
    return both(three(allowed), {"yes": "no", "no": "yes"}.get(three(denied), "perhaps"))


def trusted(evidence, user, sender, trustee):
    """An app that signs in as itself needs its own; whether the account's serves it is not documented."""
    if sender["auth"] != "oauth" or sender["oauth_flow"] != "app-only":
        return takes_in(evidence, trustee, user)
    app = names_app(evidence, trustee, sender["oauth_app_id"]) if sender["oauth_app_id"] else "perhaps"
    if app == "yes":
        return "yes"
    return both("perhaps", three([app, takes_in(evidence, trustee, user)]))


def sending_limits(evidence, user, sender):
    limits = {"recipients_per_day": (10_000, BLOCKS), "messages_per_minute": (30, CONDITIONAL),
              "connections": (3, CONDITIONAL)}  # fmt: skip
    declared = {key: limit for key, limit in limits.items() if sender[key] is not None}
    if not declared:
        return NOT_APPLICABLE
    over = [state for key, (limit, state) in declared.items() if sender[key] > limit]
    if over and route(sender) == "hve":
        return UNKNOWN  # its own limits are not known
    return worst([CLEAR, *over])


# --- OAuth ----------------------------------------------------------------------------------------------------------

SEND_AS_APP = {"7146a1f0-8703-45b3-9eae-527a64c00995", "ce81e10f-fda1-4348-8947-f7fdb6c649ad"}


def oauth_grant(evidence, user, sender):
    app_id = sender["oauth_app_id"]
    if not app_id:
        return UNKNOWN
    principals = [row for row in evidence.rows("servicePrincipals") if same(row["appId"], app_id)]
    principals = principals if evidence.complete("servicePrincipals") else []
    states = [{True: CLEAR, False: BLOCKS}.get(row["accountEnabled"], UNKNOWN) for row in principals]
    enabled = worst([CLEAR, *states]) if evidence.complete("servicePrincipals") else UNKNOWN
    if sender["oauth_flow"] == "delegated":
        chain = [account_state(evidence, user, sender), consent(evidence, user, principals),
                 modern(evidence, user, sender)]  # fmt: skip
    else:
        permission, by_role = permitted(evidence, app_id, principals)
        chain = [
            permission, registered(evidence, app_id, principals), full_access(evidence, user, app_id, by_role),
            workload(evidence, app_id, principals, sender),
        ]  # fmt: skip
    return worst([enabled, *chain])


def consent(evidence, user, principals):
    if not evidence.complete("servicePrincipals", "oauth2PermissionGrants"):
        return UNKNOWN
    ids = {row["id"].lower() for row in principals}
    for grant in evidence.rows("oauth2PermissionGrants"):
        everybody = grant["consentType"] == "AllPrincipals" or same(grant["principalId"], user["id"])
        if everybody and grant["clientId"].lower() in ids and "SMTP.Send" in grant["scope"].split():
            return CLEAR
    return UNKNOWN  # it may still be given at sign-in


def modern(evidence, user, sender):
    """A person signs in to the app: what a policy asks for can be met, so nothing blocks for certain."""
    if not evidence.complete("conditionalAccessPolicies"):
        return UNKNOWN
    person = person_of(evidence, user)
    world = world_of(evidence, person)
    found = {ca.modern(world, policy, person, sender["egress_ips"]) for policy in world.policies}
    return next((state for state in (CONDITIONAL, UNKNOWN) if state in found), CLEAR)


def permitted(evidence, app_id, principals):
    """(SMTP.SendAsApp or the Exchange role of that name; is or may it be by the role alone)."""
    granted = UNKNOWN
    if evidence.complete("servicePrincipals", "appRoleAssignments"):
        ids = {row["id"].lower() for row in principals}
        holds = any(row["principalId"].lower() in ids and row["appRoleId"] in SEND_AS_APP
                    for row in evidence.rows("appRoleAssignments"))  # fmt: skip
        granted = CLEAR if holds else BLOCKS
    role = exchange_role(evidence, app_id)
    if granted == CLEAR:
        return CLEAR, False
    if role == CLEAR:
        return CLEAR, True
    return (UNKNOWN if UNKNOWN in (granted, role) else BLOCKS), role == UNKNOWN


def exchange_role(evidence, app_id):
    if not evidence.complete("managementRoleAssignments", "exchangeServicePrincipals"):
        return UNKNOWN
    found = [BLOCKS]
    for row in evidence.rows("managementRoleAssignments"):
        if row["Role"] != "Application SMTP.SendAsApp" or row["Enabled"] is False:
            continue
        answer = names_app(evidence, row["App"], app_id)
        if answer != "no":
            found.append(CLEAR if answer == "yes" and not row["CustomResourceScope"] else UNKNOWN)
    return next(state for state in (CLEAR, UNKNOWN, BLOCKS) if state in found)


def registered(evidence, app_id, principals):
    if not evidence.complete("exchangeServicePrincipals"):
        return UNKNOWN
    rows = [row for row in evidence.rows("exchangeServicePrincipals") if same(row["AppId"], app_id)]
    ids = {row["id"].lower() for row in principals}
    return BLOCKS if not rows or (ids and not ids & {row["ObjectId"].lower() for row in rows}) else CLEAR


def full_access(evidence, user, app_id, by_role):
    if not evidence.complete("mailboxPermissions", "exchangeServicePrincipals"):
        return UNKNOWN
    allowed, denied = ["no"], ["no"]
    for row in evidence.rows("mailboxPermissions"):
        if "FullAccess" in row["AccessRights"]:
            answer = both(names_account(evidence, row["Identity"], user), names_app(evidence, row["User"], app_id))
            (denied if row["Deny"] else allowed).append(answer)
    held = both(three(allowed), {"yes": "no", "no": "yes"}.get(three(denied), "perhaps"))
    return {"yes": CLEAR, "perhaps": UNKNOWN, "no": UNKNOWN if by_role else BLOCKS}[held]


def workload(evidence, app_id, principals, sender):
    """Policies for workload identities reach single-tenant apps that this tenant owns."""
    if not evidence.complete("conditionalAccessPolicies"):
        return UNKNOWN
    ids = [row["id"].lower() for row in principals]
    rows = evidence.rows("exchangeServicePrincipals") if evidence.complete("exchangeServicePrincipals") else []
    ids = ids or [row["ObjectId"].lower() for row in rows if same(row["AppId"], app_id)] or [app_id.lower()]
    world = world_of(evidence, SimpleNamespace(perhaps=set()))
    known = {row["id"].lower(): row for row in principals}
    own = {key: covered(evidence, known.get(key)) for key in ids}
    return worst([CLEAR, *(ca.workload(world, policy, key, own[key], key in known, sender["egress_ips"])
                           for key in ids for policy in world.policies)])  # fmt: skip


def covered(evidence, principal):
    """Is it a single-tenant app of this tenant? None where that was not read."""
    if principal is None:
        return None
    if principal["servicePrincipalType"] == "ManagedIdentity":
        return False
    audience, owner = principal.get("signInAudience"), principal["appOwnerOrganizationId"]
    if audience and audience != "AzureADMyOrg":
        return False
    tenant = evidence.one("organization").get("id")
    if not tenant:
        return None
    return False if not same(owner, tenant) else True if audience else None
