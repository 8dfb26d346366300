"""Each link of the chain, broken one at a time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.states import State

APP = {"auth": "oauth", "oauth_app_id": "APP-1"}
DELEGATED = {**APP, "oauth_flow": "delegated"}


def chain(records):
    """An app that may send as Ann by itself, or for a person who signed in."""
    records["servicePrincipals"] = [
        {
            "id": "sp-1",
            "appId": "app-1",
            "displayName": "Mailer",
            "accountEnabled": True,
            "appOwnerOrganizationId": "tenant-1",
            "servicePrincipalType": "Application",
        }
    ]
    records["appRoleAssignments"] = [{"principalId": "sp-1", "appRoleId": "7146A1F0-8703-45b3-9eae-527a64c00995"}]
    records["oauth2PermissionGrants"] = [
        {"clientId": "sp-1", "scope": "openid SMTP.Send", "consentType": "AllPrincipals"}
    ]
    records["exchangeServicePrincipals"] = [
        {"AppId": "app-1", "ObjectId": "sp-1", "DisplayName": "Mailer", "Sid": "S-1-5-21-7"}
    ]
    records["mailboxPermissions"] = [{"Identity": "ann", "User": "sp-1", "AccessRights": ["FullAccess"], "Deny": False}]


def broken(**replace):
    """The chain with single objects changed: dataset → changes of its first object, or None for no object."""

    def change(records):
        chain(records)
        for dataset, changes in replace.items():
            if changes is None:
                records[dataset] = []
            elif isinstance(changes, list):
                records[dataset] = changes
            else:
                records[dataset][0].update(changes)

    return change


def role(**changes):
    return {"Role": "Application SMTP.SendAsApp", "RoleAssignee": "sp-1", "RoleAssigneeType": "ServicePrincipal",
            "Enabled": True, "RecipientWriteScope": "Organization", "CustomResourceScope": None} | changes  # fmt: skip


def policy(**conditions):
    return {"id": "p-1", "displayName": "Workloads", "state": "enabled",
            "conditions": {"applications": {"includeApplications": ["All"]}, "users": {"includeUsers": ["None"]},
                           "clientApplications": {"includeServicePrincipals": ["sp-1"]}} | conditions,
            "grantControls": {"operator": "OR", "builtInControls": ["block"]}}  # fmt: skip


APP_ONLY = [
    (broken(), "clear"),
    (broken(appRoleAssignments={"appRoleId": "ce81e10f-fda1-4348-8947-f7fdb6c649ad"}), "clear"),
    (broken(appRoleAssignments={"appRoleId": "b633e1c5-b582-4048-a93e-9f11b44c7e96"}), "blocks"),
    (broken(appRoleAssignments={"principalId": "sp-2"}), "blocks"),
    (broken(appRoleAssignments=None), "blocks"),
    (broken(exchangeServicePrincipals=None), "blocks"),
    (broken(exchangeServicePrincipals={"ObjectId": "registration-1"}), "blocks"),
    (broken(exchangeServicePrincipals={"ObjectId": None}), "unknown"),
    (broken(mailboxPermissions=None), "blocks"),
    (broken(mailboxPermissions={"AccessRights": ["ReadPermission"]}), "blocks"),
    (broken(mailboxPermissions={"User": "bob@contoso.example"}), "blocks"),
    (broken(mailboxPermissions={"User": "NT AUTHORITY\\SELF"}), "blocks"),
    (broken(mailboxPermissions={"User": "S-1-5-21-7"}), "clear"),
    (broken(mailboxPermissions={"User": "S-1-5-21-8"}), "blocks"),
    (broken(mailboxPermissions={"User": "Mailer"}), "clear"),
    (broken(mailboxPermissions={"User": "Some Group"}), "unknown"),
    (broken(mailboxPermissions={"Identity": "bob"}), "blocks"),
    (broken(mailboxPermissions={"Identity": "unknown-mailbox"}), "unknown"),
    (broken(mailboxPermissions={"Deny": True}), "blocks"),
    (broken(servicePrincipals={"accountEnabled": False}), "blocks"),
    (broken(servicePrincipals={"accountEnabled": None}), "unknown"),
    (broken(conditionalAccessPolicies=[policy()]), "blocks"),
    (broken(conditionalAccessPolicies=[policy(servicePrincipalRiskLevels=["high"])]), "conditional"),
    (broken(conditionalAccessPolicies=[policy(brandNew=["x"])]), "unknown"),
]


@pytest.mark.parametrize(("change", "expected"), APP_ONLY)
def test_app_only(says, change, expected):
    assert says("oauth-grant", change, settings=APP) == expected


ROLES = [
    ([role()], {}, "clear"),
    ([role(RoleAssignee=None, App="app-1")], {}, "clear"),
    ([role(RoleAssignee=None, RoleAssigneeName="Mailer")], {}, "clear"),
    ([role(Enabled=False)], {}, "blocks"),
    ([role(Role="Application Mail.Send")], {}, "blocks"),
    ([role(RoleAssignee="bob@contoso.example")], {}, "blocks"),
    ([role(RoleAssignee="Some Group")], {}, "unknown"),
    ([role(CustomResourceScope="Only Ann")], {}, "unknown"),
    ([role(RecipientWriteScope="CustomRecipientScope")], {}, "unknown"),
    ([role(CustomResourceScope="Only Ann"), role()], {}, "clear"),
    ([role()], {"mailboxPermissions": None}, "unknown"),  # whether the role alone is enough is not documented
    ([role()], {"servicePrincipals": None}, "clear"),  # the list holds only apps that Entra lets send
    ([role()], {"exchangeServicePrincipals": None}, "blocks"),
]


@pytest.mark.parametrize(("roles", "changes", "expected"), ROLES)
def test_exchanges_role_stands_in_for_the_permission(says, roles, changes, expected):
    change = broken(appRoleAssignments=None, managementRoleAssignments=roles, **changes)
    assert says("oauth-grant", change, settings=APP) == expected


LOST = [
    ("servicePrincipals", "unknown"),
    ("appRoleAssignments", "unknown"),
    ("exchangeServicePrincipals", "unknown"),
    ("mailboxPermissions", "unknown"),
    ("conditionalAccessPolicies", "unknown"),
    ("managementRoleAssignments", "clear"),  # the permission itself is there
    ("managementScopes", "clear"),
    ("oauth2PermissionGrants", "clear"),  # of no meaning for an app that signs in as itself
]


@pytest.mark.parametrize(("lost", "expected"), LOST)
def test_lost_data(says, lost, expected):
    assert says("oauth-grant", chain, settings=APP, without=(lost,)) == expected


def test_a_broken_link_blocks_whatever_else_was_not_read(says):
    change = broken(exchangeServicePrincipals=None)
    assert says("oauth-grant", change, settings=APP, without=("mailboxPermissions",)) == "blocks"


def test_an_undeclared_app_is_unknown(says):
    assert says("oauth-grant", chain, settings={"auth": "oauth"}) == "unknown"
    assert says("oauth-grant", chain, settings={"auth": "basic"}) == "unknown"


def modern(**changes):
    return policy(users={"includeUsers": ["All"]}, clientApplications=None) | changes


def disabled(records):
    chain(records)
    records["users"][0]["accountEnabled"] = False


MFA = modern(grantControls={"operator": "OR", "builtInControls": ["mfa"]})
DELEGATED_CASES = [
    (broken(), "clear"),
    (disabled, "blocks"),
    (broken(servicePrincipals={"accountEnabled": False}), "blocks"),
    (broken(oauth2PermissionGrants=None), "unknown"),
    (broken(oauth2PermissionGrants={"scope": "Mail.Send"}), "unknown"),
    (broken(oauth2PermissionGrants={"consentType": "Principal", "principalId": "id-ann-1"}), "clear"),
    (broken(oauth2PermissionGrants={"consentType": "Principal", "principalId": "id-bob-1"}), "unknown"),
    (broken(conditionalAccessPolicies=[MFA]), "conditional"),
    (broken(conditionalAccessPolicies=[modern(state="enabledForReportingButNotEnforced")]), "clear"),
    (broken(conditionalAccessPolicies=[modern(grantControls=None)]), "clear"),
    (broken(conditionalAccessPolicies=[modern(state="someday")]), "unknown"),
    (broken(conditionalAccessPolicies=[modern(state="someday"), MFA]), "conditional"),
    # the links of an app that signs in as itself do not matter
    (broken(mailboxPermissions=None, exchangeServicePrincipals=None, appRoleAssignments=None), "clear"),
]


@pytest.mark.parametrize(("change", "expected"), DELEGATED_CASES)
def test_delegated(says, change, expected):
    assert says("oauth-grant", change, settings=DELEGATED) == expected


def test_a_policy_for_other_clients_does_not_reach_a_modern_one(says):
    legacy = modern()
    legacy["conditions"]["clientAppTypes"] = ["other", "exchangeActiveSync"]
    assert says("oauth-grant", broken(conditionalAccessPolicies=[legacy]), settings=DELEGATED) == "clear"


@pytest.mark.parametrize("lost", ["servicePrincipals", "oauth2PermissionGrants", "conditionalAccessPolicies"])
def test_lost_data_of_a_delegated_app(says, lost):
    assert says("oauth-grant", chain, settings=DELEGATED, without=(lost,)) == "unknown"


def test_the_reason_of_a_broken_link_names_it(make, tools):
    records = tools.base("ann")
    broken(mailboxPermissions=None)(records)
    reason = tools.reason(make(records), "oauth-grant", tools.sender(**APP))
    assert reason.text == "The app holds no FullAccess on the mailbox."
    assert reason.reply == "oauth-unsuccessful"


@pytest.mark.parametrize(
    ("asked_for", "state"), [("bob@contoso.example", State.UNKNOWN), ("ann@contoso.example", State.BLOCKS)]
)
def test_a_mailbox_whose_permissions_nobody_asked_for_is_unknown(make, tools, asked_for, state):
    """A sender that was declared after the collection: no row says nothing of it."""
    records = tools.base("ann", "bob")
    broken(mailboxPermissions=None)(records)
    tenant = make(records)
    read = replace(tenant.status["mailboxPermissions"], asked_for=frozenset({asked_for}))
    tenant = replace(tenant, status={**tenant.status, "mailboxPermissions": read})
    assert tools.reason(tenant, "oauth-grant", tools.sender(**APP)).state == state
