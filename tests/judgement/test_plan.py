"""Plans on small tenants: which candidates are offered, in which order, what they cost, and why there is none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from auditor.blockers import BLOCKERS
from auditor.plan import sender_plan
from auditor.plan.candidates import NEW_POLICY, READERS
from auditor.plan.costs import WHOLE_TENANT

APP = "aaaaaaaa-0000-4000-8000-000000000001"


def planned(world, **more):
    """The plan of a sender with anna's account."""
    return sender_plan(world.judge().judgement.tenant, world.sender("anna", **more))


def options(opening) -> list[str]:
    return [" ".join(change.option) for change in opening.changes]


def move(plan, exit_: str):
    [found] = [one for one in plan.moves if one.exit == exit_]
    return {need.text.split(",")[0].split(" for ")[0]: need.state for need in found.requirements}


def test_every_blocker_has_its_candidates():
    assert set(READERS) == {blocker.id for blocker in BLOCKERS}


def test_an_open_sender_needs_no_change(world):
    world.add("anna", switch=False)
    plan = planned(world)
    assert (plan.verdict, plan.openings, plan.why) == ("open", (), ())
    assert "move it" in plan.headline
    assert plan.moves[0].exit == plan.exit == "oauth-app-only"


def test_the_mailboxs_switch_comes_before_the_organisations(world):
    world.add("anna", switch=None)
    world.add("bert", switch=None)
    first, second = planned(world).openings
    assert options(first) == ["--mailbox-smtp anna@contoso.example=on"]
    assert first.others == 0
    assert options(second) == ["--org-smtp on"]
    assert second.others == 1, "bert opens too"
    assert second.steps[0].weight == WHOLE_TENANT
    assert "only this one" in second.steps[0].cost


def test_a_switch_of_the_mailbox_itself_is_not_moved_by_the_organisation(world):
    world.add("anna", switch=True)
    [only] = planned(world).openings
    assert options(only) == ["--mailbox-smtp anna@contoso.example=on"]


def test_a_policy_for_the_account_comes_before_the_default(world):
    world.add("anna", switch=False)
    world.add("bert", switch=False)
    world.data["organizationConfig"][0]["DefaultAuthenticationPolicy"] = "Refuse"
    first, second = planned(world).openings
    assert options(first) == ["--auth-policy anna@contoso.example=Allow"]
    assert first.password_guessing == ("closed", "open")
    assert "guessed" in first.steps[0].cost
    assert options(second) == ["--default-auth-policy Allow"]
    assert second.others >= 1


def test_without_an_allowing_policy_one_is_made_and_both_steps_are_needed(world):
    world.add("anna", switch=False, policy="Refuse")
    world.data["authenticationPolicies"].pop()
    [only] = planned(world).openings
    assert options(only) == [
        f"--new-auth-policy {NEW_POLICY}=allow",
        f"--auth-policy anna@contoso.example={NEW_POLICY}",
    ]


def test_an_exclusion_from_every_policy_that_reaches_with_a_place_of_its_own(world):
    world.add("anna", switch=False)
    for name in ("Block legacy", "MFA"):
        world.policy(name)
    world.policy("Report", state="enabledForReportingButNotEnforced")
    world.policy("Others", users={"includeUsers": ["id-bystander"]})
    [only] = planned(world, egress_ips=["203.0.113.10"]).openings
    assert options(only) == [
        "--exclude Block legacy=anna@contoso.example",
        "--exclude MFA=anna@contoso.example",
    ]
    assert only.exposure == ("closed", "open")
    assert only.companion is not None
    assert only.companion.option == ("--bind", "anna@contoso.example=203.0.113.10")
    assert only.companion_exposure == "limited"


def test_without_a_declared_place_there_is_nothing_to_bind_to(world):
    world.add("anna", switch=False)
    world.policy("Block legacy")
    [only] = planned(world).openings
    assert only.companion is None
    assert "bind it to its place" in only.steps[0].cost


def test_sending_from_the_right_address_is_cheaper_than_an_exclusion(world):
    world.add("anna", switch=False)
    world.data["namedLocations"] = [
        {"@odata.type": "#microsoft.graph.ipNamedLocation", "id": "hq", "displayName": "HQ", "isTrusted": True,
         "ipRanges": [{"cidrAddress": "203.0.113.0/24"}]}
    ]  # fmt: skip
    world.policy("Only HQ", locations={"includeLocations": ["All"], "excludeLocations": ["hq"]})
    first, second = planned(world, egress_ips=["198.51.100.1", "203.0.113.10"]).openings
    assert options(first) == ["--sender anna.egress_ips=203.0.113.10"]
    assert options(second) == ["--exclude Only HQ=anna@contoso.example"]


def test_a_policy_that_nobody_can_read_leaves_no_plan(world):
    world.add("anna", switch=False)
    world.policy("Broken")
    world.data["conditionalAccessPolicies"][0]["conditions"]["users"]["excludeUsers"] = {"not": "a list"}
    plan = planned(world)
    assert plan.openings == ()
    assert "'Broken' was not read as Graph documents it" in plan.why[0]


def test_several_blockers_give_the_smallest_set(world):
    world.add("anna", switch=True, policy="Refuse", accountEnabled=False)
    [only] = planned(world, port=465, tls="implicit").openings
    assert sorted(options(only)) == [
        "--account anna@contoso.example=enabled",
        "--auth-policy anna@contoso.example=Allow",
        "--mailbox-smtp anna@contoso.example=on",
        "--sender anna.port=587",
        "--sender anna.tls=starttls",
    ]
    warning = next(step for step in only.steps if "--account" in step.change.option)
    assert warning.cost.startswith("Warning:")


@pytest.mark.parametrize(
    ("declared", "wanted"),
    [
        ({"port": 2525}, "--sender anna.port=587"),
        ({"server": "192.0.2.7", "route": "client-submission"}, "--sender anna.server=smtp.office365.com"),
        ({"server": "smtp-legacy.office365.com"}, "--sender anna.server=smtp.office365.com"),
        ({"username": "anna"}, "--sender anna.username=anna@contoso.example"),
        ({"messages_per_minute": 90, "connections": 2}, "--sender anna.messages_per_minute=30"),
        ({"connections": 9}, "--sender anna.connections=3"),
    ],
)
def test_a_clients_setting_costs_nothing(world, declared, wanted):
    world.add("anna", switch=False)
    [only] = planned(world, **declared).openings
    assert options(only) == [wanted]
    assert only.steps[0].cost.startswith("None in security")


def test_from_is_its_own_address_or_a_right_to_the_other(world):
    world.add("anna", switch=False)
    world.add("boss")
    own, granted = planned(world, **{"from": "boss@contoso.example"}).openings
    assert options(own) == ["--sender anna.from=anna@contoso.example"]
    assert options(granted) == ["--send-as anna@contoso.example=boss@contoso.example"]
    assert "in the name of boss@contoso.example" in granted.steps[0].cost


def test_an_account_without_a_mailbox_needs_a_licence_and_the_switch(world):
    world.add("anna", mailbox=None, licensed=False)
    [only] = planned(world).openings
    assert options(only) == ["--licence anna@contoso.example=give", "--mailbox-smtp anna@contoso.example=on"]


def test_an_expired_password_and_per_user_mfa(world):
    world.data["domains"][0]["passwordValidityPeriodInDays"] = 30
    world.add("anna", switch=False, mfa="enabled", lastPasswordChangeDateTime="2020-01-01T00:00:00Z")
    [only] = planned(world).openings
    assert sorted(options(only)) == [
        "--password-changed anna@contoso.example",
        "--per-user-mfa anna@contoso.example=disabled",
    ]


def federated(world):
    world.add("anna", switch=False)
    world.data["domains"][0]["authenticationType"] = "Federated"
    return "sign-in server"


def defaults(world):
    world.add("anna", switch=False)
    world.data["identitySecurityDefaultsEnforcementPolicy"] = [{"id": "0", "isEnabled": True}]
    return "no reason to give them up"


def defaults_unread(world):
    world.add("anna", switch=False)
    world.lose("identitySecurityDefaultsEnforcementPolicy")
    return "has to be read first"


def retired(world):
    world.add("anna", switch=False)
    world.data["smtpReplies"] = [
        {"account": "", "time": "", "text": "550 5.7.30 Basic authentication is not supported"}
    ]
    return "Which setting brings it back is not published"


def mail_user(world):
    world.add("anna", mailbox=None)
    world.data["exchangeUsers"][-1]["RecipientTypeDetails"] = "MailUser"
    return "mail is elsewhere"


def mailboxes_unread(world):
    world.add("anna", switch=False)
    world.lose("mailboxes")
    world.lose("exchangeUsers")
    return "read first"


def access_unread(world):
    world.add("anna", switch=False)
    world.lose("conditionalAccessPolicies")
    return "read first"


@pytest.mark.parametrize(
    "build", [federated, defaults, defaults_unread, retired, mail_user, mailboxes_unread, access_unread]
)
def test_where_no_change_opens_it_the_plan_says_why_and_where_to_move(world, build):
    words = build(world)
    plan = planned(world)
    assert plan.openings == ()
    assert any(words in why for why in plan.why), plan.why
    assert plan.moves
    assert plan.exit in [one.exit for one in plan.moves]


def test_after_the_announced_date_no_change_can_be_shown(world):
    world.add("anna", switch=False)
    tenant = world.judge(now=datetime(2027, 1, 15, tzinfo=UTC)).judgement.tenant
    plan = sender_plan(tenant, world.sender("anna"))
    assert plan.verdict == "conditional"
    assert plan.openings == ()
    assert plan.why[0].startswith("basic-auth-retirement (conditional)")


def test_a_volume_above_a_mailboxs_limit_moves_to_a_relay_first(world):
    world.add("anna", switch=False)
    plan = planned(world, recipients_per_day=20000, recipients="external")
    assert plan.openings == ()
    assert "relay connector" in plan.headline
    assert plan.moves[0].exit == "relay"
    assert move(plan, "oauth-app-only")["a volume within what a mailbox may send"] == "missing"


def test_an_account_that_is_gone(world):
    plan = sender_plan(world.judge().judgement.tenant, world.sender("gone"))
    assert plan.verdict == "missing"
    assert "not in the tenant" in plan.why[0]
    assert plan.moves == ()


def test_a_route_without_smtp_auth_has_nothing_to_open(world):
    world.add("anna", switch=True)
    plan = planned(world, route="relay")
    assert plan.verdict == "not_applicable"
    assert plan.openings == plan.why == ()
    assert [one.exit for one in plan.moves] == ["relay"]
    assert plan.moves[0].already


def oauth(world, **more):
    world.add("anna", switch=False)
    world.data["servicePrincipals"] = [
        {"id": "sp-1", "appId": APP, "displayName": "Mailer", "accountEnabled": True, "signInAudience": "AzureADMyOrg",
         "appOwnerOrganizationId": world.tenant_id, **more}
    ]  # fmt: skip
    world.data["exchangeServicePrincipals"] = [{"AppId": APP, "ObjectId": "sp-1"}]


def test_an_oauth_sender_gets_only_the_grants_that_it_lacks(world):
    oauth(world)
    [only] = planned(world, auth="oauth", oauth_app_id=APP).openings
    assert options(only) == [f"--app-permission {APP}", f"--app-full-access anna@contoso.example={APP}"]


def test_what_an_app_still_needs_is_told_link_by_link(world):
    oauth(world)
    plan = planned(world, oauth_app_id=APP)
    needs = move(plan, "oauth-app-only")
    assert needs["the app enabled in Microsoft Entra"] == "have"
    assert needs["the application permission SMTP.SendAsApp (or the Exchange role)"] == "missing"
    assert needs["the app's service principal registered in Exchange Online"] == "have"
    assert needs["FullAccess"] == "missing"
    world.lose("mailboxPermissions")
    assert move(planned(world, oauth_app_id=APP), "oauth-app-only")["FullAccess"] == "unknown"


def test_a_delegated_sender_is_better_off_with_an_app_that_signs_in_as_itself(world):
    oauth(world)
    world.policy("MFA", clientAppTypes=["browser", "mobileAppsAndDesktopClients"], grant=("mfa",))
    [only] = planned(world, auth="oauth", oauth_app_id=APP, oauth_flow="delegated").openings
    assert options(only)[0] == "--sender anna.oauth_flow=app-only"


def test_an_undeclared_app_cannot_be_judged(world):
    world.add("anna", switch=False)
    plan = planned(world, auth="oauth")
    assert "No app is declared" in plan.why[0]
    assert move(plan, "oauth-app-only")["an app registration of its own"] == "missing"


@pytest.mark.parametrize(
    ("connector", "state"),
    [
        ({"SenderIPAddresses": ["203.0.113.0/28"]}, "have"),
        ({"SenderIPAddresses": "203.0.113.10, 192.0.2.1"}, "have"),
        ({"SenderIPAddresses": ["203.0.113.10"], "Enabled": False}, "missing"),
        ({"SenderIPAddresses": ["203.0.113.10"], "ConnectorType": "Partner"}, "missing"),
        ({"SenderIPAddresses": ["nonsense"], "TlsSenderCertificateName": "relay.contoso.example"}, "missing"),
        (None, "missing"),
    ],
)
def test_a_relay_needs_a_connector_that_knows_the_sender(world, connector, state):
    world.add("anna", switch=False)
    if connector is not None:
        world.data["inboundConnectors"] = [
            {"Name": "Relay", "Enabled": True, "ConnectorType": "OnPremises", **connector}
        ]
    plan = planned(world, egress_ips=["203.0.113.10"])
    assert move(plan, "relay")["an inbound connector that knows the sender by its address or certificate"] == state
    world.lose("inboundConnectors")
    plan = planned(world, egress_ips=["203.0.113.10"])
    assert move(plan, "relay")["an inbound connector that knows the sender by its address or certificate"] == "unknown"


def test_high_volume_email_is_for_internal_recipients_and_needs_its_account(world):
    world.add("anna", switch=False)
    world.data["organizationConfig"][0]["DefaultAuthenticationPolicy"] = "Refuse"
    needs = move(planned(world, recipients="internal"), "hve")
    assert needs == {
        "recipients inside the organisation only": "have",
        "a High Volume Email account": "missing",
        "security defaults off": "have",
        "an authentication policy that allows basic SMTP": "missing",
    }
    assert "hve" not in [one.exit for one in planned(world, recipients="external").moves]
    world.lose("hveAccounts")
    assert move(planned(world, recipients="internal"), "hve")["a High Volume Email account"] == "unknown"


def test_graph_needs_a_permission_and_a_scope(world):
    oauth(world)
    text = "the app held to this mailbox (RBAC"
    needs = move(planned(world, oauth_app_id=APP), "graph-send")
    assert (needs["Mail.Send"], needs[text]) == ("missing", "missing")
    world.data["managementRoleAssignments"] = [
        {"Role": "Application Mail.Send", "RoleAssignee": "sp-1", "Enabled": True, "CustomResourceScope": "Mine"}
    ]
    needs = move(planned(world, oauth_app_id=APP), "graph-send")
    assert (needs["Mail.Send"], needs[text]) == ("have", "have")
    world.data["managementRoleAssignments"] = []
    world.data["appRoleAssignments"] = [{"principalId": "sp-1", "appRoleId": "b633e1c5-b582-4048-a93e-9f11b44c7e96"}]
    needs = move(planned(world, oauth_app_id=APP), "graph-send")
    assert (needs["Mail.Send"], needs[text]) == ("have", "missing")
    world.lose("managementRoleAssignments")
    assert move(planned(world, oauth_app_id=APP), "graph-send")[text] == "unknown"


def test_a_device_that_cannot_learn_is_kept_and_held(world):
    world.add("anna", switch=True)
    plan = planned(world, server="smtp-legacy.office365.com", route="client-submission")
    assert plan.exit == "keep-and-restrict"
    needs = move(plan, "keep-and-restrict")
    assert needs["a place to bind the account to by Conditional Access"] == "missing"


def test_an_unknown_verdict_asks_for_the_data_first(world):
    world.add("anna", switch=False)
    world.lose("casMailboxes")
    plan = planned(world)
    assert plan.verdict == "unknown"
    assert "read casMailboxes first" in plan.headline
    assert options(plan.openings[0]) == ["--mailbox-smtp anna@contoso.example=on"]
