"""Each refusal of a sign-in, from the tenant's state: one property is changed at a time."""

from __future__ import annotations

import time

import pytest

from auditor.demo.entra.tokens import Authority
from auditor.demo.smtp import texts
from auditor.demo.smtp.sign_in import Client, SignedIn
from auditor.explain import explain

EXCHANGE = "https://exchange.example"
HVE = "smtp.hve.mx.microsoft"


def row_of(tenant, dataset, user):
    return next(row for row in tenant.exchange[dataset] if row["ExternalDirectoryObjectId"] == user["id"])


def test_the_right_password_of_an_open_account_signs_in(sign_in, user):
    outcome = sign_in("svc.erp")
    assert isinstance(outcome, SignedIn)
    assert outcome.user == user("svc.erp")


@pytest.mark.parametrize("form", ["Block Basic Auth", "CN=Block Basic Auth,CN=Auth Policies,DC=DEMO", "guid"])
def test_an_authentication_policy_refuses_whatever_the_password(tenant, sign_in, user, gate, form):
    policy = next(row for row in tenant.exchange["authenticationPolicies"] if row["Name"] == "Block Basic Auth")
    row_of(tenant, "exchangeUsers", user("svc.erp"))["AuthenticationPolicy"] = (
        policy["Guid"] if form == "guid" else form
    )
    assert sign_in("svc.erp", password="wrong") == texts.BASIC_DISABLED
    assert gate.lockout.failures == {}


def test_the_organisations_default_policy_counts_where_the_account_has_none(tenant, sign_in):
    tenant.exchange["organizationConfig"][0]["DefaultAuthenticationPolicy"] = "Block Basic Auth"
    assert sign_in("svc.erp") == texts.BASIC_DISABLED
    tenant.exchange["organizationConfig"][0]["DefaultAuthenticationPolicy"] = "Allow SMTP for devices"
    assert isinstance(sign_in("svc.erp"), SignedIn)


def test_retired_basic_authentication(tenant, sign_in):
    tenant.smtp_replies = [{"account": "x", "time": "", "text": "550 5.7.30 Basic authentication …", "source": "x"}]
    assert sign_in("svc.erp") == texts.RETIRED


@pytest.mark.parametrize(
    ("mailbox", "organisation", "answer"),
    [
        (True, False, texts.DISABLED_MAILBOX),
        (True, True, texts.DISABLED_MAILBOX),
        (None, True, texts.DISABLED_TENANT),
        (None, False, None),
        (False, True, None),
    ],
)
def test_the_smtp_switch_of_mailbox_and_organisation(tenant, sign_in, user, mailbox, organisation, answer):
    row_of(tenant, "casMailboxes", user("svc.erp"))["SmtpClientAuthenticationDisabled"] = mailbox
    tenant.exchange["transportConfig"][0]["SmtpClientAuthenticationDisabled"] = organisation
    outcome = sign_in("svc.erp")
    assert outcome == answer if answer else isinstance(outcome, SignedIn)


def test_an_account_that_does_not_exist_and_one_that_is_off(sign_in, gate, user):
    assert gate.password(Client("", ""), "nobody@contoso.example", b"x") == texts.CREDENTIALS
    user("svc.erp")["accountEnabled"] = False
    assert sign_in("svc.erp", password="wrong") == texts.ACCOUNT_ISSUE
    assert gate.lockout.failures == {}


def test_only_the_upn_is_a_sign_in_name(gate, tenant, user):
    account = user("svc.badge")
    assert account["mail"] != account["userPrincipalName"]
    password = tenant.passwords[account["id"]].encode()
    assert gate.password(Client("", ""), account["mail"], password) == texts.CREDENTIALS
    assert isinstance(gate.password(Client("", ""), account["userPrincipalName"].upper(), password), SignedIn)


def test_ten_wrong_passwords_lock_and_the_same_one_counts_once(sign_in, gate, user, clock):
    for _ in range(5):
        assert sign_in("svc.erp", password="always the same") == texts.CREDENTIALS
    assert list(gate.lockout.failures.values()) == [1]
    for number in range(9):
        assert sign_in("svc.erp", password=f"wrong {number}") == texts.CREDENTIALS
    assert sign_in("svc.erp") == texts.LOCKED
    clock.seconds += gate.lockout.SECONDS
    assert isinstance(sign_in("svc.erp"), SignedIn)
    assert gate.lockout.failures == {}


def test_a_federated_domain_has_a_sign_in_server_that_the_demo_has_not(tenant, sign_in):
    assert sign_in("svc.fabrikam") == texts.FEDERATED
    next(row for row in tenant.graph["domains"] if row["id"] == "fabrikam.example")["authenticationType"] = "Managed"
    assert isinstance(sign_in("svc.fabrikam"), SignedIn)


def test_per_user_mfa_enforced_takes_an_app_password_and_not_the_password(tenant, sign_in, user):
    account = user("svc.legacyapp")
    assert isinstance(sign_in("svc.legacyapp"), SignedIn)
    assert sign_in("svc.legacyapp", password=tenant.passwords[account["id"]]) == texts.CREDENTIALS
    tenant.per_user_mfa[account["id"]] = "enabled"
    assert isinstance(sign_in("svc.legacyapp", password=tenant.passwords[account["id"]]), SignedIn)
    del tenant.app_passwords[account["id"]]
    tenant.per_user_mfa[account["id"]] = "enforced"
    assert sign_in("svc.legacyapp") == texts.CREDENTIALS


def test_an_expired_password_is_a_wrong_one(tenant, sign_in, user):
    assert sign_in("svc.plant") == texts.CREDENTIALS
    user("svc.plant")["passwordPolicies"] = "DisablePasswordExpiration"
    assert isinstance(sign_in("svc.plant"), SignedIn)


def test_a_sub_domain_takes_the_roots_password_policy(tenant, sign_in, user, gate):
    account = user("svc.erp")
    account |= {"userPrincipalName": "svc.erp@plant.contoso.example", "passwordPolicies": None}
    root = next(row for row in tenant.graph["domains"] if row["id"] == "contoso.example")
    root["passwordValidityPeriodInDays"] = 90
    assert sign_in("svc.erp") == texts.CREDENTIALS
    root["passwordValidityPeriodInDays"] = 2147483647
    assert isinstance(sign_in("svc.erp"), SignedIn)


def test_security_defaults_refuse_after_the_password(tenant, sign_in):
    tenant.graph["identitySecurityDefaultsEnforcementPolicy"]["isEnabled"] = True
    assert sign_in("svc.erp", password="wrong") == texts.CREDENTIALS
    assert sign_in("svc.erp") == texts.SECURITY_DEFAULTS


def test_conditional_access_looks_at_the_place(sign_in):
    assert isinstance(sign_in("svc.warehouse"), SignedIn)
    assert sign_in("svc.warehouse", address="198.51.100.200") == texts.CONDITIONAL_ACCESS
    assert sign_in("svc.warehouse", address="") == texts.CONDITIONAL_ACCESS


@pytest.mark.parametrize("account", ["svc.newsletter", "svc.onboarding", "svc.pilot"])
def test_any_grant_control_refuses(sign_in, account):
    """A block, a demand for MFA, and a control that nobody knows."""
    assert sign_in(account) == texts.CONDITIONAL_ACCESS


def test_report_only_and_session_controls_refuse_nobody(tenant, sign_in):
    policies = tenant.graph["conditionalAccessPolicies"]
    for policy in policies:
        policy["state"] = "enabledForReportingButNotEnforced"
    assert isinstance(sign_in("svc.newsletter"), SignedIn)
    for policy in policies:
        policy |= {"state": "enabled", "grantControls": None}
    assert isinstance(sign_in("svc.newsletter"), SignedIn)


def test_what_the_what_if_action_is_told_to_say_wrongly_changes_no_sign_in(tenant, sign_in):
    tenant.what_if_disagrees = {policy["id"] for policy in tenant.graph["conditionalAccessPolicies"]}
    assert isinstance(sign_in("svc.erp"), SignedIn)


def test_high_volume_email_has_its_own_accounts_and_texts(tenant, sign_in):
    assert isinstance(sign_in("hve.internal", host=HVE), SignedIn)
    assert sign_in("svc.erp", host=HVE) == texts.REFUSED
    tenant.smtp_replies = [{"text": "550 5.7.30"}]
    assert isinstance(sign_in("hve.internal", host=HVE), SignedIn)
    tenant.exchange["organizationConfig"][0]["DefaultAuthenticationPolicy"] = "Block Basic Auth"
    assert sign_in("hve.internal", host=HVE) == texts.ORGANIZATION
    tenant.exchange["organizationConfig"][0]["DefaultAuthenticationPolicy"] = None
    tenant.graph["identitySecurityDefaultsEnforcementPolicy"]["isEnabled"] = True
    assert sign_in("hve.internal", host=HVE) == texts.ORGANIZATION


# --- tokens ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def app(tenant):
    """The Exchange registration of the ticketing app, which may send as app.ticketing."""
    return next(
        row for row in tenant.exchange["exchangeServicePrincipals"] if row["DisplayName"].startswith("Ticketing")
    )


@pytest.fixture
def token(gate, app, user):
    """(roles, account, …) → what a token of the ticketing app gets."""

    def attempt(*, roles=("SMTP.SendAsApp",), account="app.ticketing", audience=EXCHANGE, host="", **claims):
        issued = gate.tokens.issue(audience, app["AppId"], app["ObjectId"], roles, claims=claims)
        login = user(account)["userPrincipalName"]
        return gate.token(Client(host, ""), f"user={login}\x01auth=Bearer {issued}\x01\x01".encode())

    return attempt


def test_an_app_with_everything_signs_in_as_itself(token, app):
    outcome = token()
    assert isinstance(outcome, SignedIn)
    assert outcome.app["appId"] == app["AppId"]


def test_security_defaults_and_policies_for_passwords_do_not_stop_an_app(tenant, token):
    tenant.graph["identitySecurityDefaultsEnforcementPolicy"]["isEnabled"] = True
    tenant.exchange["organizationConfig"][0]["DefaultAuthenticationPolicy"] = "Block Basic Auth"
    assert isinstance(token(), SignedIn)


def test_the_smtp_switch_stops_an_app_too(tenant, token, user):
    row_of(tenant, "casMailboxes", user("app.ticketing"))["SmtpClientAuthenticationDisabled"] = True
    assert token() == texts.DISABLED_MAILBOX


@pytest.mark.parametrize(
    "changes",
    [
        {"roles": ()},
        {"audience": "https://graph.example"},
        {"account": "svc.erp"},
        {"account": "svc.kiosk"},
        {"tid": "another-tenant"},
        {"oid": "00000000-0000-0000-0000-000000000000"},
    ],
    ids=["no permission", "for Graph", "no FullAccess", "no mailbox", "another tenant", "not registered"],
)
def test_whatever_the_app_lacks_the_answer_is_the_same(token, changes):
    assert token(**changes) == texts.REFUSED


def test_the_role_in_exchange_stands_in_for_the_permission(tenant, token, app):
    tenant.exchange["managementRoleAssignments"].append(
        {"Role": "Application SMTP.SendAsApp", "RoleAssignee": app["ObjectId"], "Enabled": True}
    )
    assert isinstance(token(roles=()), SignedIn)


def test_an_expired_token_is_told_as_one(token):
    assert token(exp=int(time.time()) - 10, nbf=int(time.time()) - 4000) == texts.TOKEN_EXPIRED


@pytest.mark.parametrize("response", [b"", b"user=a@b.example", b"\xff\xfe", b"user=\x01auth=Bearer x\x01\x01",
                                      b"user=a@b.example\x01auth=Basic x\x01\x01"])  # fmt: skip
def test_a_malformed_string_is_told_as_one(gate, response):
    assert gate.token(Client("", ""), response) == texts.TOKEN_MALFORMED


def test_a_signature_of_somebody_else_is_refused(gate, user):
    forged = Authority(gate.tokens.tenant_id).issue(EXCHANGE, "app", "oid", ["SMTP.SendAsApp"])
    login = user("app.ticketing")["userPrincipalName"]
    assert gate.token(Client("", ""), f"user={login}\x01auth=Bearer {forged}\x01\x01".encode()) == texts.REFUSED


def test_a_person_sends_as_herself_or_with_full_access(tenant, token, user):
    person = user("app.portal")["id"]
    assert isinstance(token(account="app.portal", roles=(), scp="SMTP.Send", oid=person), SignedIn)
    assert token(account="svc.erp", roles=(), scp="SMTP.Send", oid=person) == texts.REFUSED
    assert token(account="app.portal", roles=(), scp="User.Read", oid=person) == texts.REFUSED
    tenant.exchange["mailboxPermissions"].append(
        {"Identity": "svc.erp", "User": user("app.portal")["userPrincipalName"], "AccessRights": ["FullAccess"],
         "Deny": False}
    )  # fmt: skip
    assert isinstance(token(account="svc.erp", roles=(), scp="SMTP.Send", oid=person), SignedIn)


def test_high_volume_email_takes_no_app_that_is_not_allowed(token):
    assert token(host=HVE) == texts.HVE_APP


# --- the texts ------------------------------------------------------------------------------------------------------


REFUSALS = [name for name in dir(texts) if name.isupper() and not name.startswith("_")
            and str(getattr(texts, name))[:1] in ("4", "5")]  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_every_refusal_is_in_the_auditors_catalogue(name, tenant):
    """Two texts were written down from one fact sheet, here and in the catalogue; they must be told as the same."""
    stamped = texts.stamped(getattr(texts, name), tenant.now, 7)
    assert stamped.endswith("[DEMO01CA0001.CHEP278.PROD.OUTLOOK.COM 2026-11-23T16:00:00.000Z 08DE2A0000000007]")
    matches = explain(stamped).matches
    assert len({match.reply.text for match in matches}) == 1, [match.reply.id for match in matches]


def test_success_is_not_stamped(tenant):
    assert texts.stamped(texts.SIGNED_IN, tenant.now, 7) == texts.SIGNED_IN
