"""What if: each kind of change, the answer's shape, and what a change of something unread makes known."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest

from auditor.errors import UsageError
from auditor.states import VERDICT_WORDS, State
from auditor.verdict import EXPOSURE_WORDS
from auditor.what_if import OPTIONS, as_json, as_text, changes, from_option, what_if

APP = "aaaaaaaa-0000-4000-8000-000000000001"


def ask(judgement, senders, *options):
    """The answer for options as the command line writes them: ("mailbox-smtp", "anna@…=on"); one word is a flag."""
    given = [from_option(*option) if len(option) == 2 else (option[0], "", "") for option in options]
    return what_if(judgement, senders, changes(judgement.tenant, senders, given))


def asked(world, *options, senders=()):
    return ask(world.judge(*senders).judgement, senders, *options)


def of(answer, name: str) -> dict[str, tuple[str, str]]:
    """What changes for the account (or sender) of this name; empty where nothing does."""
    upns = answer.before.tenant.accounts.user_principal_name
    found = [shift for shift in answer.shifts
             if name in (upns[shift.row].partition("@")[0], shift.sender.name if shift.sender else "")]  # fmt: skip
    assert len(found) <= 1
    return {field: (before, after) for field, before, after in found[0].changed} if found else {}


def state(answer, blocker: str, name: str) -> tuple[str, str]:
    row = answer.before.tenant.find(f"{name}@contoso.example")
    return tuple(State(judged.columns[blocker].states[row]).word for judged in (answer.before, answer.after))


def test_no_change_changes_nothing(world):
    world.add("anna", switch=False)
    answer = asked(world)
    assert answer.shifts == []
    assert json.loads(as_json(answer))["changed"] == []
    assert "Nothing changes" in as_text(answer)


def policy(world, **more):
    world.add("anna", switch=False)
    world.add("bert", switch=False)
    world.group("Staff", "anna")
    world.policy("Block legacy", users=more or None)


def test_a_policy_by_name_or_id_is_switched(world):
    policy(world)
    for name in ("Block legacy", "BLOCK LEGACY", "ca-Block legacy"):
        answer = asked(world, ("policy", f"{name}=disabled"))
        assert of(answer, "anna")["basic"] == ("blocked", "open")
        assert of(answer, "anna")["exposure"] == ("closed", "open")
        assert of(answer, "anna")["deciding_blocker"] == ("conditional-access", "")
    assert of(asked(world, ("policy", "Block legacy=report-only")), "bert")["basic"] == ("blocked", "open")
    assert asked(world, ("policy", "Block legacy=enabled")).shifts == []


@pytest.mark.parametrize("who", ["anna@contoso.example", "id-anna", "Staff", "group-Staff"])
def test_an_exclusion_takes_out_exactly_its_own(world, who):
    policy(world)
    answer = asked(world, ("exclude", f"Block legacy={who}"))
    assert of(answer, "anna")["basic"] == ("blocked", "open")
    assert of(answer, "bert") == {}
    [reason] = answer.shifts[0].reasons
    assert reason.blocker == "conditional-access"
    assert (reason.before.state, reason.after.state) == (State.BLOCKS, State.CLEAR)
    assert "Block legacy" in reason.before.text


def test_an_exclusion_is_taken_back(world):
    policy(world, excludeUsers=["ID-ANNA"], excludeGroups=["group-gone"])
    world.data["groups"].append({"id": "group-gone", "error": "Request_ResourceNotFound"})
    answer = asked(world, ("unexclude", "Block legacy=anna@contoso.example"))
    assert of(answer, "anna")["basic"] == ("open", "blocked")
    assert asked(world, ("unexclude", "Block legacy=group-gone")).shifts == []
    with pytest.raises(UsageError, match=r"does not exclude `bert@contoso.example` by itself.*anna@contoso.example"):
        asked(world, ("unexclude", "Block legacy=bert@contoso.example"))


def test_two_policies_must_both_let_the_account_go(world):
    policy(world)
    world.policy("MFA", grant=("mfa",))
    answer = asked(world, ("exclude", "Block legacy=id-anna"))
    assert of(answer, "anna") == {}
    answer = asked(world, ("exclude", "Block legacy=id-anna"), ("exclude", "MFA=id-anna"))
    assert of(answer, "anna")["basic"] == ("blocked", "open")


@pytest.mark.parametrize(
    ("flag", "stopped"), [("enforce-report-only", ("anna", "bert")), ("enforce-managed", ("bert",))]
)
def test_report_only_policies_are_enforced(world, flag, stopped):
    for name in ("anna", "bert", "carl"):
        world.add(name, switch=False)
    only = "enabledForReportingButNotEnforced"
    world.policy("Trial", state=only, users={"includeUsers": ["id-anna"]})
    world.policy("Microsoft-managed: Block legacy authentication", state=only, users={"includeUsers": ["id-bert"]})
    answer = asked(world, (flag,))
    for name in ("anna", "bert", "carl"):
        assert of(answer, name).get("basic") == (("open", "blocked") if name in stopped else None)


def test_nothing_only_reports(world):
    answer = asked(world, ("enforce-managed",))
    assert answer.notes == ("no Microsoft-managed policy only reports, so none is enforced",)


def test_a_named_policy_wins_over_a_sweep(world):
    policy(world)
    world.policy("Trial", state="enabledForReportingButNotEnforced")
    answer = asked(world, ("enforce-report-only",), ("policy", "Trial=disabled"), ("policy", "Block legacy=disabled"))
    assert of(answer, "anna")["basic"] == ("blocked", "open")


def test_security_defaults(world):
    world.add("anna", switch=False)
    answer = asked(world, ("security-defaults", "on"))
    assert of(answer, "anna")["basic"] == ("open", "blocked")
    assert of(answer, "anna")["password_guessing"] == ("open", "unknown")
    world.data["identitySecurityDefaultsEnforcementPolicy"] = [{"id": "0", "isEnabled": True}]
    assert of(asked(world, ("security-defaults", "off")), "anna")["exposure"] == ("closed", "open")


def test_the_organisations_switch_moves_only_mailboxes_without_their_own(world):
    for name, switch in (("anna", None), ("bert", False), ("carl", True)):
        world.add(name, switch=switch)
    answer = asked(world, ("org-smtp", "on"))
    assert of(answer, "anna")["oauth"] == ("blocked", "open")
    assert of(answer, "bert") == of(answer, "carl") == {}


@pytest.mark.parametrize(
    ("before", "word", "verdicts"),
    [(None, "on", ("blocked", "open")), (False, "off", ("open", "blocked")), (False, "inherit", ("open", "blocked"))],
)
def test_a_mailboxs_switch(world, before, word, verdicts):
    world.add("anna", switch=before)
    answer = asked(world, ("mailbox-smtp", f"anna@contoso.example={word}"))
    assert of(answer, "anna")["basic"] == of(answer, "anna")["oauth"] == verdicts


def test_authentication_policies(world):
    world.add("anna", switch=False, policy="Refuse")
    world.add("bert", switch=False)
    assert of(asked(world, ("auth-policy", "anna@contoso.example=Allow")), "anna")["basic"] == ("blocked", "open")
    assert of(asked(world, ("auth-policy", "anna@contoso.example=none")), "anna")["basic"] == ("blocked", "open")
    assert of(asked(world, ("auth-policy-smtp", "refuse=allow")), "anna")["basic"] == ("blocked", "open")
    answer = asked(world, ("default-auth-policy", "Refuse"))
    assert of(answer, "bert")["password_guessing"] == ("open", "closed")
    assert of(answer, "anna") == {}
    answer = asked(world, ("auth-policy", "bert@contoso.example=New one"), ("new-auth-policy", "New one=refuse"))
    assert of(answer, "bert")["basic"] == ("open", "blocked")
    world.data["organizationConfig"][0]["DefaultAuthenticationPolicy"] = "Refuse"
    assert of(asked(world, ("default-auth-policy", "none")), "bert")["basic"] == ("blocked", "open")


def test_a_licence_gives_a_mailbox_whose_switch_is_not_known_yet(world):
    world.add("anna", switch=None, mailbox=None, licensed=False)
    answer = asked(world, ("licence", "anna@contoso.example=give"))
    assert of(answer, "anna")["basic"] == ("blocked", "unknown")
    assert state(answer, "mailbox", "anna") == ("blocks", "clear")
    assert any("not known until it is there" in note for note in answer.notes)
    answer = asked(world, ("mailbox-smtp", "anna@contoso.example=on"), ("licence", "anna@contoso.example=give"))
    assert of(answer, "anna")["basic"] == ("blocked", "open")


@pytest.mark.parametrize(
    "kind",
    [{"mailbox": None}, {"mailbox": None, "userType": "Guest", "creationType": "Invitation"}],
)
def test_a_licence_makes_no_mailbox_where_mail_is_elsewhere(world, kind):
    world.add("anna", licensed=False, **kind)
    if "userType" not in kind:
        world.data["exchangeUsers"][-1]["RecipientTypeDetails"] = "MailUser"
    answer = asked(world, ("licence", "anna@contoso.example=give"))
    assert state(answer, "mailbox", "anna") == ("blocks", "blocks")
    assert any("no mailbox is made" in note for note in answer.notes)


def test_a_licence_is_taken_away(world):
    world.add("anna", switch=False)
    answer = asked(world, ("licence", "anna@contoso.example=take"))
    assert of(answer, "anna") == {"basic": ("open", "conditional"), "oauth": ("open", "conditional")}


def test_accounts_passwords_and_per_user_mfa(world):
    world.add("anna", switch=False)
    world.data["domains"][0]["passwordValidityPeriodInDays"] = 90
    world.add("bert", switch=False, lastPasswordChangeDateTime="2020-01-01T00:00:00Z")
    world.add("carl", switch=False, mfa="enforced")
    answer = asked(
        world,
        ("account", "anna@contoso.example=disabled"),
        ("password-changed", "bert@contoso.example"),
        ("per-user-mfa", "carl@contoso.example=disabled"),
    )
    assert of(answer, "anna")["password_guessing"] == ("open", "closed")
    assert of(answer, "bert")["basic"] == ("blocked", "open")
    assert of(answer, "carl") == {"basic": ("conditional", "open"), "exposure": ("limited", "open")}


def test_per_user_mfa_that_only_the_exposure_tells_apart_has_its_reason(world):
    world.add("anna", switch=False, mfa="enforced")
    answer = asked(world, ("per-user-mfa", "anna@contoso.example=enabled"))
    assert of(answer, "anna") == {"exposure": ("limited", "open")}
    [reason] = answer.shifts[0].reasons
    assert reason.blocker == "per-user-mfa"


def test_send_as(world):
    world.add("anna", switch=False)
    world.add("boss", switch=True)
    senders = (world.sender("anna", **{"from": "boss@contoso.example"}),)
    answer = asked(world, ("send-as", "anna@contoso.example=boss@contoso.example"), senders=senders)
    assert of(answer, "anna")["basic"] == ("blocked", "open")
    world.data["recipientPermissions"] = [
        {
            "Identity": "boss@contoso.example", "Trustee": "anna@contoso.example", "AccessRights": ["SendAs"],
            "AccessControlType": "Deny",
        }
    ]  # fmt: skip
    answer = asked(world, ("send-as", "anna@contoso.example=boss@contoso.example"), senders=senders)
    assert answer.shifts == [], "a denial stays"


@pytest.mark.parametrize(
    ("declared", "setting", "verdicts"),
    [
        ({"port": 465}, "port=587", ("blocked", "open")),
        ({"port": 465}, "port=", ("blocked", "open")),
        ({"tls": "none"}, "tls=starttls", ("blocked", "open")),
        ({"server": "192.0.2.1", "route": "client-submission"}, "server=smtp.office365.com", ("conditional", "open")),
        ({"username": "x"}, "username=anna@contoso.example", ("conditional", "open")),
        ({"from": "else@contoso.example"}, "from=anna@contoso.example", ("blocked", "open")),
        ({"recipients_per_day": 20000}, "recipients_per_day=100", ("blocked", "open")),
        ({}, "route=relay", ("open", "not_applicable")),
    ],
)
def test_a_senders_own_settings(world, declared, setting, verdicts):
    world.add("anna", switch=False)
    answer = asked(world, ("sender", f"anna.{setting}"), senders=(world.sender("anna", **declared),))
    assert of(answer, "anna")["basic"] == verdicts


def test_egress_addresses_of_a_sender_and_a_place_for_an_account(world):
    world.add("anna", switch=False)
    senders = (world.sender("anna", egress_ips=["203.0.113.10"]),)
    answer = asked(world, ("bind", "anna@contoso.example=203.0.113.10,2001:db8::/48"), senders=senders)
    assert of(answer, "anna") == {"exposure": ("open", "limited")}
    [reason] = answer.shifts[0].reasons
    assert reason.client == "any", "only the exposure rests on it"
    both = ("bind", "anna@contoso.example=203.0.113.10"), ("sender", "anna.egress_ips=198.51.100.1")
    assert of(asked(world, *both, senders=senders), "anna")["basic"] == ("open", "blocked")


def test_a_new_block_of_legacy_authentication(world):
    world.add("anna", switch=False)
    world.add("bert", switch=False)
    answer = asked(world, ("block-legacy-except", "anna@contoso.example"))
    assert of(answer, "anna") == {}
    assert of(answer, "bert")["exposure"] == ("open", "closed")
    assert "password_guessing" not in of(answer, "bert"), "Conditional Access does not stop the guessing"
    assert of(asked(world, ("block-legacy-except", "nobody")), "anna")["exposure"] == ("open", "closed")


def test_basic_authentication_is_retired(world):
    world.add("anna", switch=False)
    answer = asked(world, ("retired",), senders=(world.sender("anna"),))
    assert of(answer, "anna") == {
        "basic": ("open", "blocked"),
        "deciding_blocker": ("", "basic-auth-retirement"),
    }, "a date never closes an exposure"


def oauth(world, **more):
    world.add("anna", switch=False)
    principal = {"id": "sp-1", "appId": APP, "displayName": "Mailer", "accountEnabled": True}
    own = {"signInAudience": "AzureADMyOrg", "appOwnerOrganizationId": world.tenant_id}
    world.data["servicePrincipals"] = [{**principal, **own, **more}]
    return (world.sender("anna", auth="oauth", oauth_app_id=APP),)


def test_an_app_gets_all_that_it_needs(world):
    senders = oauth(world, accountEnabled=False)
    grants = [
        ("app", f"{APP}=enabled"),
        ("app-permission", APP),
        ("app-registered", "Mailer"),
        ("app-full-access", "anna@contoso.example=sp-1"),
    ]
    answer = asked(world, *grants, senders=senders)
    assert of(answer, "anna")["oauth"] == ("blocked", "open")
    for left_out in grants:
        fewer = [grant for grant in grants if grant is not left_out]
        assert "oauth" not in of(asked(world, *fewer, senders=senders), "anna"), left_out


def test_an_app_is_excluded_from_a_policy_for_workload_identities(world):
    senders = oauth(world)
    grants = [("app-permission", APP), ("app-registered", APP), ("app-full-access", f"anna@contoso.example={APP}")]
    world.policy(
        "Retired apps", users={"includeUsers": ["None"]}, clientApplications={"includeServicePrincipals": ["sp-1"]}
    )
    assert of(asked(world, *grants, senders=senders), "anna") == {}
    answer = asked(world, *grants, ("exclude", "Retired apps=Mailer"), senders=senders)
    assert of(answer, "anna")["oauth"] == ("blocked", "open")


def test_an_app_that_is_in_no_list_can_be_made(world):
    senders = oauth(world)
    world.data["servicePrincipals"] = []
    grants = [("app-permission", APP), ("app-registered", APP), ("app-full-access", f"anna@contoso.example={APP}")]
    answer = asked(world, *grants, senders=senders)
    assert state_of_case(answer, "oauth-grant") != (State.BLOCKS, State.BLOCKS)
    assert of(answer, "anna")["oauth"][1] == "open"


def state_of_case(answer, blocker):
    case = answer.before.cases.accounts
    return answer.before.columns[blocker].states[case], answer.after.columns[blocker].states[case]


# What was not read


@pytest.mark.parametrize(
    ("dataset", "option", "blocker"),
    [
        ("casMailboxes", ("mailbox-smtp", "anna@contoso.example=on"), "smtp-auth-switch"),
        ("exchangeUsers", ("auth-policy", "anna@contoso.example=Allow"), "authentication-policy"),
        ("perUserMfa", ("per-user-mfa", "anna@contoso.example=disabled"), "per-user-mfa"),
        ("subscribedSkus", ("licence", "anna@contoso.example=give"), "licence"),
    ],
)
@pytest.mark.parametrize("how", ["denied", "not-asked", "cut"])
def test_a_change_makes_its_own_account_known_and_nobody_else(world, dataset, option, blocker, how):
    world.add("anna", switch=False)
    world.add("bert", switch=False)
    world.lose(dataset, how)
    answer = asked(world, option)
    assert state(answer, blocker, "anna") == ("unknown", "clear")
    assert state(answer, blocker, "bert") == ("unknown", "unknown")
    assert of(answer, "bert") == {}
    assert any(dataset in note for note in answer.notes)


def test_security_defaults_are_known_once_they_are_set(world):
    world.add("anna", switch=False)
    world.lose("identitySecurityDefaultsEnforcementPolicy")
    assert of(asked(world, ("security-defaults", "off")), "anna")["basic"] == ("unknown", "open")


def test_the_organisations_switch_leaves_unread_overrides_unknown(world):
    world.add("anna", switch=None)
    world.lose("casMailboxes")
    world.lose("transportConfig")
    answer = asked(world, ("org-smtp", "off"))
    assert state(answer, "smtp-auth-switch", "anna") == ("unknown", "unknown")
    assert "casMailboxes is denied: what hangs on it stays unknown" in answer.notes
    del world.states["casMailboxes"]
    assert state(asked(world, ("org-smtp", "off")), "smtp-auth-switch", "anna") == ("unknown", "blocks")


def test_old_tls_stays_unknown_when_only_the_switch_is_set(world):
    world.add("anna", switch=False)
    world.lose("transportConfig")
    senders = (world.sender("anna", server="smtp-legacy.office365.com", route="client-submission"),)
    answer = asked(world, ("org-smtp", "on"), senders=senders)
    assert state_of_case(answer, "sender-settings") == (State.UNKNOWN, State.UNKNOWN)


def test_a_permission_in_an_unread_list_decides_nothing_for_other_senders(world):
    for name in ("anna", "bert", "boss"):
        world.add(name, switch=False)
    world.lose("recipientPermissions")
    senders = tuple(world.sender(name, **{"from": "boss@contoso.example"}) for name in ("anna", "bert"))
    answer = asked(world, ("send-as", "anna@contoso.example=boss@contoso.example"), senders=senders)
    assert of(answer, "anna")["basic"] == ("unknown", "open")
    assert of(answer, "bert") == {}


def test_a_default_policy_is_known_and_accounts_are_not(world):
    world.add("anna", switch=False)
    world.lose("organizationConfig")
    world.lose("exchangeUsers")
    answer = asked(world, ("default-auth-policy", "Refuse"))
    assert state(answer, "authentication-policy", "anna") == ("unknown", "unknown")
    del world.states["exchangeUsers"]
    assert state(asked(world, ("default-auth-policy", "Refuse")), "authentication-policy", "anna")[1] == "blocks"


def test_a_new_policy_where_the_list_was_not_read_says_nothing_about_others(world):
    world.add("anna", switch=False, policy="Refuse")
    world.add("bert", switch=False, policy="Allow")
    world.lose("authenticationPolicies")
    answer = asked(world, ("new-auth-policy", "Mine=allow"), ("auth-policy", "anna@contoso.example=Mine"))
    assert state(answer, "authentication-policy", "anna") == ("unknown", "clear")
    assert state(answer, "authentication-policy", "bert") == ("unknown", "unknown")


@pytest.mark.parametrize("dataset", ["servicePrincipals", "exchangeServicePrincipals", "mailboxPermissions"])
def test_an_unread_list_of_apps_stays_unknown(world, dataset):
    senders = oauth(world)
    world.lose(dataset)
    grants = [("app-permission", APP), ("app-registered", APP), ("app-full-access", f"anna@contoso.example={APP}")]
    answer = asked(world, *grants, senders=senders)
    assert state_of_case(answer, "oauth-grant")[1] == State.UNKNOWN
    assert any(dataset in note for note in answer.notes)


def test_an_exchange_setting_is_no_proof_that_exchange_was_asked(world):
    """The mailbox blocker falls back to the usage report only where no Exchange data was asked for."""
    world.add("anna", mailbox=None, licensed=False)
    exchange = ("casMailboxes", "exchangeUsers", "mailboxes", "transportConfig", "organizationConfig", "hveAccounts",
                "authenticationPolicies", "recipientPermissions", "mailboxPermissions", "exchangeServicePrincipals",
                "managementRoleAssignments", "managementScopes", "applicationAccessPolicies", "inboundConnectors",
                "acceptedDomains")  # fmt: skip
    for name in exchange:
        world.lose(name, "not-asked")
    upn = "bystander@contoso.example"
    world.data["mailboxUsage"] = [{"User Principal Name": upn, "Is Deleted": "False", "Recipient Type": "User"}]
    answer = asked(world, ("org-smtp", "on"), ("auth-policy", "anna@contoso.example=none"))
    assert state(answer, "mailbox", "anna") == ("blocks", "blocks")


def test_users_that_were_not_read_whole_stay_unknown(world):
    world.add("anna", switch=False, accountEnabled=False)
    folder = world.write().folder
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["datasets"]["users"] = {"state": "cut", "records": 2, "reason": "stopped"}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    judgement = world.judge_folder(folder).judgement
    answer = ask(judgement, (), ("account", "anna@contoso.example=enabled"))
    assert state(answer, "account-state", "anna") == ("unknown", "unknown")
    assert answer.notes == ("users is cut: what hangs on it stays unknown",)


# The answer


def test_senders_come_first_then_accounts_by_name(world):
    for name in ("zoe", "anna", "mia"):
        world.add(name)
    senders = (world.sender("zoe"), world.sender("mia", name="second"))
    answer = asked(world, ("org-smtp", "on"), senders=senders)
    names = [shift.sender.name if shift.sender else "" for shift in answer.shifts]
    upns = answer.before.tenant.accounts.user_principal_name
    assert names == ["zoe", "second", ""]
    assert upns[answer.shifts[2].row] == "anna@contoso.example"
    assert answer.counts["basic"] == {("blocked", "open"): 3}


def test_the_document_for_machines(world):
    world.add("anna")
    senders = (world.sender("anna", name="scanner"),)
    document = json.loads(as_json(asked(world, ("org-smtp", "on"), senders=senders)))
    assert document["now"] == "2026-11-23T16:00:00Z"
    assert document["changes"] == [{"option": ["--org-smtp", "on"], "text": "SMTP AUTH of the organisation is on"}]
    assert document["counts"]["senders"] == 1
    assert document["counts"]["transitions"]["basic"] == [{"before": "blocked", "after": "open", "count": 1}]
    [case] = document["changed"]
    assert case["sender"] == "scanner"
    assert case["user_principal_name"] == "anna@contoso.example"
    assert case["exposure"] == {"before": "closed", "after": "open"}
    [reason] = case["reasons"]
    assert reason["blocker"] == "smtp-auth-switch"
    assert reason["before"]["state"] == "blocks"
    assert reason["after"]["text"].startswith("The mailbox follows the organisation")


def test_text_from_the_tenant_cannot_steer_a_terminal(world):
    world.add("anna", switch=False)
    world.policy("Evil\u001b[2J\u202epolicy")
    answer = asked(world, ("policy", "ca-Evil\u001b[2J\u202epolicy=disabled"))
    text = as_text(answer)
    assert "\u001b" not in text
    assert "\u202e" not in text
    assert "\\u001b" in text
    assert as_json(answer).isascii()


def test_the_tenant_that_is_asked_about_stays_as_it_was_read(world):
    policy(world)
    judgement = world.judge().judgement
    kept = copy.deepcopy(judgement.tenant)
    ask(
        judgement, (), ("exclude", "Block legacy=id-anna"), ("mailbox-smtp", "id-anna=off"), ("retired",),
        ("auth-policy", "id-anna=Refuse"), ("per-user-mfa", "id-bert=enforced"), ("bind", "id-anna=192.0.2.1"),
    )  # fmt: skip
    assert judgement.tenant.policies == kept.policies
    assert judgement.tenant.status == kept.status
    assert judgement.tenant.smtp_replies == kept.smtp_replies
    for name in ("smtp_auth_disabled", "authentication_policy", "per_user_mfa"):
        assert np.array_equal(getattr(judgement.tenant.accounts, name), getattr(kept.accounts, name)), name


def test_every_change_says_itself_as_an_option(world):
    """The words that a change gives for itself mean that change again."""
    policy(world, excludeUsers=["id-bert"])
    senders = oauth(world)
    world.data["users"].pop()
    given = [
        ("policy", "Block legacy=report-only"), ("exclude", "Block legacy=Staff"),
        ("unexclude", "Block legacy=bert@contoso.example"), ("enforce-report-only", ""), ("enforce-managed", ""),
        ("bind", "anna@contoso.example=192.0.2.0/28"), ("block-legacy-except", "anna@contoso.example"),
        ("security-defaults", "on"), ("org-smtp", "off"), ("mailbox-smtp", "anna@contoso.example=inherit"),
        ("auth-policy", "anna@contoso.example=Fresh"), ("default-auth-policy", "none"),
        ("auth-policy-smtp", "Allow=refuse"), ("new-auth-policy", "Fresh=allow"),
        ("licence", "anna@contoso.example=take"), ("per-user-mfa", "anna@contoso.example=enforced"),
        ("account", "anna@contoso.example=disabled"), ("password-changed", "anna@contoso.example"),
        ("send-as", "anna@contoso.example=bert@contoso.example"), ("sender", "anna.port=25"),
        ("app", f"{APP}=disabled"), ("app-permission", APP), ("app-registered", APP),
        ("app-full-access", f"anna@contoso.example={APP}"), ("retired", ""),
    ]  # fmt: skip
    assert {name for name, _ in given} == {option.name for option in OPTIONS}
    tenant = world.judge(*senders).judgement.tenant
    read = changes(tenant, senders, [from_option(*one) if one[1] else (one[0], "", "") for one in given])
    again = [(change.option[0].removeprefix("--"), "".join(change.option[1:])) for change in read]
    assert sorted(again) == sorted(given)
    assert set(changes(tenant, senders, [from_option(*o) if o[1] else (o[0], "", "") for o in again])) == set(read)
    assert len({change.key for change in read}) == len(given)


def test_words_of_verdict_and_exposure_are_the_contracts(world):
    world.add("anna")
    answer = asked(world, ("org-smtp", "on"))
    for shift in answer.shifts:
        assert {shift.before[0], shift.after[1]} <= set(VERDICT_WORDS)
        assert {shift.before[2], shift.after[2]} <= set(EXPOSURE_WORDS)
