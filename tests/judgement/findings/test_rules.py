"""Each rule fires when it should and stays silent when it should not."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from auditor.findings import RULES, evidence_text
from auditor.findings.references import ANNOUNCEMENT

APP = "22222222-2222-2222-2222-222222222222"
MAIL_SEND = "b633e1c5-b582-4048-a93e-9f11b44c7e96"
OFFICE = "203.0.113.10"
ELSEWHERE = "198.51.100.9"
MANAGED = "Microsoft-managed: Block legacy authentication"


# one function per rule: makes the world in which the rule fires once; `calm` is the nearest world in which it does not


def sender_blocked(world, calm):
    world.add("printer", switch=calm and False)
    world.data["casMailboxes"][-1]["SmtpClientAuthenticationDisabled"] = not calm
    return [world.sender("printer")]


def sender_account_missing(world, calm):
    if calm:
        world.add("printer", switch=False)
    return [world.sender("printer")]


def sender_unknown(world, calm):
    world.add("printer", switch=False)
    if not calm:
        world.lose("identitySecurityDefaultsEnforcementPolicy")
    return [world.sender("printer")]


def sender_conditional(world, calm):
    world.add("printer", switch=False, mfa="disabled" if calm else "enforced")
    return [world.sender("printer")]


def sender_retirement(world, calm):
    world.add("printer", switch=False)
    return [world.sender("printer", auth="oauth" if calm else "basic")]


def sender_breaks_at_registration(world, calm):
    world.add("printer", switch=False, mfa="enabled", registered=calm)
    return [world.sender("printer")]


def delegated_sender_without_method(world, calm):
    world.add("printer", switch=False, registered=calm)
    return [world.sender("printer", auth="oauth", oauth_flow="delegated")]


def sender_personal_phone(world, calm):
    world.add("printer", switch=False, methods=("fido2SecurityKey",) if calm else ("mobilePhone",))
    return [world.sender("printer")]


def sender_outside_egress(world, calm):
    world.add("printer", switch=False)
    world.sign_in("printer", ip=OFFICE if calm else ELSEWHERE)
    world.sign_in("printer", 50126, ip="192.0.2.1")
    return [world.sender("printer", egress_ips=["203.0.113.0/24"])]


def exposed_account(world, calm):
    world.add("boss", switch=None if calm else False, admin=True)
    return []


def exposed_accounts(world, calm):
    world.data["transportConfig"][0]["SmtpClientAuthenticationDisabled"] = calm
    world.add("anna")
    return []


def smtp_auth_organisation_on(world, calm):
    world.data["transportConfig"][0]["SmtpClientAuthenticationDisabled"] = calm
    return []


def no_authentication_policy(world, calm):
    world.data["organizationConfig"][0]["DefaultAuthenticationPolicy"] = "Refuse" if calm else "Allow"
    return []


def password_guessing_open(world, calm):
    world.add("anna", switch=False, policy="Refuse" if calm else None)
    world.policy("MFA for all", grant=("mfa",))
    return []


def password_spray(world, calm):
    for number in range(4 if calm else 5):
        world.add(f"victim{number}", switch=True)
        world.sign_in(f"victim{number}", 50126, ip="192.0.2.66")
    return []


def ca_exclusion(world, calm):
    world.add("anna", switch=calm or False)
    world.policy("Block legacy", users={"excludeUsers": ["id-anna"]})
    return []


def ca_exclusion_group(world, calm):
    world.add("anna", switch=False)
    world.group("exceptions", *([] if calm else ["anna"]))
    world.policy("Block legacy", users={"excludeGroups": ["group-exceptions"]})
    return []


def ca_gap(world, calm):
    world.add("anna", switch=False)
    world.add("bert", switch=False)
    everybody = ["id-bert", "id-anna"] if calm else ["id-bert"]
    world.policy("Block legacy for some", users={"includeUsers": everybody})
    return []


def report_only(world, calm):
    world.add("printer", switch=False)
    world.policy(MANAGED, state="disabled" if calm else "enabledForReportingButNotEnforced", changed=20)
    return [world.sender("printer")]


def security_defaults_off(world, calm):
    if calm:
        world.policy("MFA for all", grant=("mfa",))
    return []


def smtp_use_undeclared(world, calm):
    world.add("anna", switch=True, smtp_app=True)
    return [world.sender("anna")] if calm else []


def contradiction_success(world, calm):
    world.add("anna", switch=False)
    world.policy("Block legacy", changed=1.5 if calm else 10)
    world.sign_in("anna", days=1)
    return []


def contradiction_refusal(world, calm):
    world.add("anna", switch=False)
    world.policy("For Bert", users={"includeUsers": ["id-bystander"]}, changed=1.5 if calm else 10)
    world.sign_in("anna", 53003, policies=({"id": "ca-For Bert", "result": "failure"},))
    return []


def contradiction_disabled(world, calm):
    world.add("anna", switch=False, accountEnabled=not calm)
    world.sign_in("anna", 50057)
    return []


def cross_check_disagreement(world, calm):
    world.add("anna", switch=False)
    world.policy("Block legacy")
    result = {"id": "CA-Block legacy", "policyApplies": calm, "analysisReasons": "notSet" if calm else "users"}
    world.data["whatIf"] = [{"account": "id-anna", "ip": "", "policies": [result]}]
    return []


def per_user_mfa_enforced(world, calm):
    world.add("anna", switch=True, mfa="disabled" if calm else "enforced")
    return []


def mailbox_without_entitlement(world, calm):
    world.add("anna", switch=True, licensed=False, mailbox="SharedMailbox" if calm else "UserMailbox")
    return []


def licence_error(world, calm):
    world.add("anna", switch=True)
    if not calm:
        world.data["users"][-1]["licenseAssignmentStates"][0].update(state="Error", error="CountViolation")
    return []


def shared_mailbox_sign_in(world, calm):
    world.add("info", switch=True, mailbox="SharedMailbox", licensed=False, accountEnabled=not calm)
    return []


def legacy_tls_allowed(world, calm):
    world.data["transportConfig"][0]["AllowLegacyTLSClients"] = not calm
    return []


def app_consented(world, calm):
    world.data["servicePrincipals"] = [{"id": "sp", "appId": APP, "displayName": "News", "accountEnabled": True}]
    world.data["appRoleAssignments"] = [{"principalId": "sp", "appRoleId": MAIL_SEND, "resourceId": "graph"}]
    if calm:
        world.data["applicationAccessPolicies"] = [{"AppId": APP, "AccessRight": "RestrictAccess"}]
    return []


def app_role(world, calm):
    world.data["exchangeServicePrincipals"] = [{"ObjectId": "sp", "AppId": APP, "DisplayName": "Meters"}]
    world.data["managementRoleAssignments"] = [
        {
            "Role": "Application SMTP.SendAsApp",
            "RoleAssignee": "sp",
            "Enabled": True,
            "CustomResourceScope": "Meters only" if calm else None,
        }
    ]
    return []


def data_problem(world, calm):
    world.add("anna", switch=True)
    if not calm:
        world.data["users"][-1]["accountEnabled"] = "perhaps"
    return []


def coverage_gap(world, calm):
    if not calm:
        world.lose("conditionalAccessPolicies", permission="Policy.Read.All")
    return []


WORLDS = [
    ("sender-blocked", sender_blocked, "high"),
    ("sender-account-missing", sender_account_missing, "high"),
    ("sender-unknown", sender_unknown, "low"),
    ("sender-conditional", sender_conditional, "medium"),
    ("sender-retirement", sender_retirement, "high"),
    ("sender-breaks-at-registration", sender_breaks_at_registration, "medium"),
    ("delegated-sender-without-method", delegated_sender_without_method, "medium"),
    ("sender-personal-phone", sender_personal_phone, "low"),
    ("sender-outside-egress", sender_outside_egress, "high"),
    ("exposed-account", exposed_account, "critical"),
    ("exposed-accounts", exposed_accounts, "high"),
    ("smtp-auth-organisation-on", smtp_auth_organisation_on, "high"),
    ("no-authentication-policy", no_authentication_policy, "medium"),
    ("password-guessing-open", password_guessing_open, "medium"),
    ("password-spray", password_spray, "medium"),
    ("ca-exclusion-opens-smtp", ca_exclusion, "medium"),
    ("ca-exclusion-group-opens-smtp", ca_exclusion_group, "medium"),
    ("ca-gap", ca_gap, "medium"),
    ("report-only-policy-will-block", report_only, "high"),
    ("security-defaults-off", security_defaults_off, "high"),
    ("smtp-use-undeclared", smtp_use_undeclared, "medium"),
    ("audit-contradiction", contradiction_success, "medium"),
    ("audit-contradiction", contradiction_refusal, "low"),
    ("audit-contradiction", contradiction_disabled, "low"),
    ("cross-check-disagreement", cross_check_disagreement, "medium"),
    ("per-user-mfa-enforced", per_user_mfa_enforced, "low"),
    ("mailbox-without-entitlement", mailbox_without_entitlement, "low"),
    ("licence-error", licence_error, "low"),
    ("shared-mailbox-sign-in", shared_mailbox_sign_in, "low"),
    ("legacy-tls-allowed", legacy_tls_allowed, "medium"),
    ("app-may-send-as-anyone", app_consented, "high"),
    ("app-may-send-as-anyone", app_role, "high"),
    ("data-problem", data_problem, "low"),
    ("coverage-gap", coverage_gap, "medium"),
]


@pytest.mark.parametrize(("rule", "build", "severity"), WORLDS, ids=[build.__name__ for _, build, _ in WORLDS])
def test_fires_once_and_only_then(world, rule, build, severity):
    senders = build(world, calm=False)
    [finding] = world.found(rule, *senders)
    assert finding.severity == severity, finding.title
    assert finding.evidence
    assert finding.remedy
    assert finding.remedy_risk
    assert finding.title


@pytest.mark.parametrize(("rule", "build"), [(rule, build) for rule, build, _ in WORLDS],
                         ids=[build.__name__ for _, build, _ in WORLDS])  # fmt: skip
def test_stays_silent_otherwise(world, rule, build):
    senders = build(world, calm=True)
    assert world.found(rule, *senders) == []


def test_every_rule_has_its_test():
    assert {rule.id for rule in RULES} == {rule for rule, _, _ in WORLDS}
    assert len({rule.id for rule in RULES}) == len(RULES)


class TestSenders:
    def test_every_blocker_is_named_with_its_remedy_and_reply(self, world):
        world.add("printer", switch=True, accountEnabled=False)
        [finding] = world.found("sender-blocked", world.sender("printer", port=465))
        text = evidence_text(finding)
        assert "blockers = smtp-auth-switch, account-state, sender-settings" in text
        assert "SmtpClientAuthentication is disabled for the Mailbox" in text
        assert "3 blockers" in finding.title

    def test_the_other_channels_blockers_are_not_named(self, world):
        """Security defaults do not stop an OAuth sender."""
        world.add("app", switch=True)
        world.data["identitySecurityDefaultsEnforcementPolicy"][0]["isEnabled"] = True
        [finding] = world.found("sender-blocked", world.sender("app", auth="oauth"))
        assert "security-defaults" not in finding.title

    def test_two_senders_of_one_name_have_two_ids(self, world):
        world.add("one", switch=True)
        world.add("two", switch=True)
        senders = [world.sender("one", name="Line"), world.sender("two", name="line"), world.sender("two", name="line")]
        found = world.found("sender-blocked", *senders)
        assert len({finding.id for finding in found}) == 3

    def test_unknown_once_per_dataset(self, world):
        for name in ("one", "two", "three"):
            world.add(name, switch=False)
        world.lose("identitySecurityDefaultsEnforcementPolicy")
        [finding] = world.found("sender-unknown", *map(world.sender, ("one", "two", "three")))
        assert finding.object_id == "identitySecurityDefaultsEnforcementPolicy"
        assert finding.outcome == "unknown"
        assert len(finding.accounts) == 3

    def test_unknown_by_a_value_is_told_per_sender(self, world):
        world.add("one", switch=False)
        [finding] = world.found("sender-unknown", world.sender("one", server="outlook.office365.com"))
        assert (finding.object_type, finding.object_id) == ("sender", "one")

    def test_missing_accounts_are_not_claimed_without_users(self, world):
        world.lose("users", "cut")
        assert world.found("sender-account-missing", world.sender("printer")) == []

    def test_a_relay_is_neither_blocked_nor_retired(self, world):
        world.add("printer", switch=True)
        relay = world.sender("printer", route="relay")
        rules = {finding.rule for finding in world.judge(relay).findings}
        assert not {rule for rule in rules if rule.startswith("sender-")}

    def test_retirement_is_worded_as_announced_and_unknown_doubts_it(self, world):
        world.add("printer", switch=False)
        [finding] = world.found("sender-retirement", world.sender("printer"))
        assert ANNOUNCEMENT in finding.remedy
        world.lose("identitySecurityDefaultsEnforcementPolicy")
        [finding] = world.found("sender-retirement", world.sender("printer"))
        assert finding.severity == "medium"

    def test_a_blocked_sender_has_nothing_to_retire(self, world):
        world.add("printer", switch=True)
        assert world.found("sender-retirement", world.sender("printer")) == []

    def test_one_cause_is_told_once(self, world):
        """The date and a registration to come are no `sender-conditional` besides."""
        world.add("printer", switch=False, mfa="enabled", registered=False)
        later = datetime(2027, 1, 2, tzinfo=UTC)
        found = world.judge(world.sender("printer"), now=later).findings
        rules = {finding.rule for finding in found if finding.rule.startswith("sender-")}
        assert rules == {"sender-retirement", "sender-breaks-at-registration"}

    def test_registration_unread_says_so(self, world):
        world.add("printer", switch=False, mfa="enabled", registered=None)
        [finding] = world.found("sender-breaks-at-registration", world.sender("printer"))
        assert "isMfaRegistered = unknown" in evidence_text(finding)

    def test_no_declared_egress_means_anywhere(self, world):
        world.add("printer", switch=False)
        world.sign_in("printer", ip=ELSEWHERE)
        anywhere = world.sender("printer", name="second")
        bound = world.sender("printer", egress_ips=["203.0.113.0/24"])
        assert world.found("sender-outside-egress", bound, anywhere) == []

    def test_an_address_that_cannot_be_read_proves_nothing(self, world):
        world.add("printer", switch=False)
        world.sign_in("printer", ip="")
        assert world.found("sender-outside-egress", world.sender("printer", egress_ips=[OFFICE])) == []

    def test_ipv4_written_as_ipv6(self, world):
        world.add("printer", switch=False)
        world.sign_in("printer", ip=f"::ffff:{OFFICE}")
        assert world.found("sender-outside-egress", world.sender("printer", egress_ips=[OFFICE])) == []


class TestExposure:
    def test_an_administrator_with_mfa_registered(self, world):
        world.add("boss", switch=False, admin=True)
        [finding] = world.found("exposed-account")
        assert "MFA registered, bare password still works" in finding.title
        assert "roles = Global Administrator" in evidence_text(finding)
        assert finding.controls == ("CIS 6.5.4", "CISA MS.EXO.5.1")

    def test_limited_is_one_step_milder(self, world):
        world.add("boss", switch=False, admin=True, mfa="enforced")
        [finding] = world.found("exposed-account")
        assert finding.severity == "high"
        assert "app password" in finding.title

    @pytest.mark.parametrize("why", ["override", "use", "sender"])
    def test_singled_out(self, world, why):
        world.data["transportConfig"][0]["SmtpClientAuthenticationDisabled"] = False
        world.add("anna", switch=False if why == "override" else None, smtp_app=why == "use")
        senders = [world.sender("anna")] if why == "sender" else []
        [finding] = world.found("exposed-account", *senders)
        assert finding.severity == "medium"
        assert world.found("exposed-accounts", *senders) == []

    def test_everybody_else_is_one_finding(self, world):
        world.data["transportConfig"][0]["SmtpClientAuthenticationDisabled"] = False
        for number in range(30):
            world.add(f"person{number:02}")
        assert world.found("exposed-account") == []
        [finding] = world.found("exposed-accounts")
        assert len(finding.accounts) == 30
        assert "and 20 more" in evidence_text(finding)
        assert finding.object_type == "tenant"

    def test_roles_that_were_not_read_are_said(self, world):
        world.data["transportConfig"][0]["SmtpClientAuthenticationDisabled"] = False
        world.add("boss", admin=True)
        world.lose("roleAssignments")
        [finding] = world.found("exposed-accounts")
        assert "unknown: some of these may hold a role" in evidence_text(finding)

    def test_unread_per_user_mfa_is_left_out_and_said(self, world):
        world.add("boss", switch=False, admin=True)
        world.lose("perUserMfa")
        [finding] = world.found("exposed-account")
        assert "per-user-mfa = left out: not read" in evidence_text(finding)

    def test_guests_without_a_mailbox_never(self, world):
        world.data["transportConfig"][0]["SmtpClientAuthenticationDisabled"] = False
        world.add("guest", mailbox=None, licensed=False, userType="Guest", creationType="Invitation", admin=True)
        row = 1
        for finding in world.judge().findings:
            assert row not in finding.accounts, finding.title


def test_the_organisations_switch_does_not_count_what_was_not_read(world):
    smtp_auth_organisation_on(world, calm=False)
    world.lose("casMailboxes")
    [finding] = world.found("smtp-auth-organisation-on")
    assert "accounts = unknown: not read" in evidence_text(finding)


class TestConditionalAccess:
    def test_an_exclusion_is_told_once_per_policy(self, world):
        for name in ("anna", "bert"):
            world.add(name, switch=False)
        world.policy("One", users={"excludeUsers": ["id-anna", "id-bert"]})
        world.policy("Two", users={"excludeUsers": ["id-anna", "id-bert"]})
        assert {finding.object_id for finding in world.found("ca-exclusion-opens-smtp")} == {"ca-one", "ca-two"}

    def test_a_policy_that_never_reaches_smtp_excludes_nobody(self, world):
        world.add("anna", switch=False)
        world.policy("Browsers", users={"excludeUsers": ["id-anna"]}, clientAppTypes=["browser"])
        assert world.found("ca-exclusion-opens-smtp") == []

    def test_no_gap_where_nobody_is_protected(self, world):
        world.add("anna", switch=False)
        world.policy("For a ghost", users={"includeUsers": ["id-ghost"]})
        assert world.found("ca-gap") == []

    def test_report_only_of_ones_own_making_depends(self, world):
        world.add("printer", switch=False)
        world.policy("Trial", state="enabledForReportingButNotEnforced")
        [finding] = world.found("report-only-policy-will-block", world.sender("printer"))
        assert finding.severity == "medium"
        assert "Microsoft" not in finding.title

    def test_managed_policies_tell_the_earliest_day(self, world):
        world.add("printer", switch=False)
        world.policy(MANAGED, state="enabledForReportingButNotEnforced", changed=20)
        [finding] = world.found("report-only-policy-will-block", world.sender("printer"))
        assert "not before 2026-12-18" in evidence_text(finding)
        world.data["conditionalAccessPolicies"][0]["createdDateTime"] = None
        [finding] = world.found("report-only-policy-will-block", world.sender("printer"))
        assert "no less than 45 days" in evidence_text(finding)

    def test_report_only_is_silent_for_oauth_and_blocked_senders(self, world):
        world.add("printer", switch=True)
        world.policy("Trial", state="enabledForReportingButNotEnforced")
        assert world.found("report-only-policy-will-block", world.sender("printer")) == []
        assert world.found("report-only-policy-will-block", world.sender("printer", auth="oauth")) == []

    @pytest.mark.parametrize("made", ["2026-10-01T00:00:00", "9999-12-31T23:59:59Z", "someday"])
    def test_dates_of_any_kind_stop_nothing(self, world, made):
        world.add("anna", switch=False)
        world.sign_in("anna")
        for state in ("enabled", "enabledForReportingButNotEnforced"):
            world.policy(f"Microsoft-managed: {state}", state=state)
            world.data["conditionalAccessPolicies"][-1] |= {"createdDateTime": made, "modifiedDateTime": made}
        found = {finding.rule for finding in world.judge(world.sender("anna")).findings}
        assert ("audit-contradiction" in found) == made.startswith("2026")

    def test_two_policies_of_one_id_are_one_finding(self, world):
        for who in ("anna", "bert"):
            world.add(who, switch=False)
            world.policy("twice", users={"includeUsers": [f"id-{who}"], "excludeUsers": [f"id-{who}"]})
        [found] = world.found("ca-exclusion-opens-smtp")
        assert len(found.accounts) == 2


def test_a_missing_account_is_in_doubt_where_a_user_could_not_be_told(world):
    world.add("anna")
    [missing] = world.found("sender-account-missing", world.sender("bert"))
    assert missing.outcome == "fail"
    del world.data["users"][-1]["id"]
    [doubted] = world.found("sender-account-missing", world.sender("bert"))
    assert doubted.outcome == "unknown"


def test_a_guest_without_a_mailbox_is_in_no_finding(world):
    upn = world.add("guest", mailbox=None, userType="Guest", smtp_app=True)
    world.data["users"][-1]["licenseAssignmentStates"][0] |= {"state": "Error", "error": "CountViolation"}
    world.sign_in("guest")
    evaluation = world.judge()
    row = evaluation.judgement.tenant.find(upn)
    assert not [finding.rule for finding in evaluation.findings if row in finding.accounts]


class TestEvidence:
    def test_a_spray_that_entered_is_worse_and_names_who(self, world):
        for number in range(6):
            world.add(f"victim{number}", switch=True)
            world.sign_in(f"victim{number}", 50126, ip="192.0.2.66", days=3)
        world.sign_in("victim3", 0, ip="192.0.2.66", days=2)
        [finding] = world.found("password-spray")
        assert finding.severity == "critical"
        assert "entered = victim3@contoso.example" in evidence_text(finding)

    def test_a_distributed_spray(self, world):
        for number in range(16):
            world.add(f"victim{number}", switch=True)
            world.sign_in(f"victim{number}", 50126, ip=f"192.0.2.{number // 2}")
        [finding] = world.found("password-spray")
        assert "accountsTried = 16" in evidence_text(finding)

    def test_a_senders_own_address_is_no_spray(self, world):
        for number in range(6):
            world.add(f"printer{number}", switch=True)
            world.sign_in(f"printer{number}", 50126, ip=OFFICE)
        senders = [world.sender(f"printer{number}", egress_ips=["203.0.113.0/24"]) for number in range(6)]
        assert world.found("password-spray", *senders) == []

    def test_a_later_success_explains_a_refusal(self, world):
        world.add("anna", switch=False)
        world.sign_in("anna", 50057, days=5)
        world.sign_in("anna", days=1)
        assert world.found("audit-contradiction") == []

    def test_a_policy_without_a_date_contradicts_nothing(self, world):
        world.add("anna", switch=False)
        world.policy("Block legacy")
        world.data["conditionalAccessPolicies"][0] |= {"modifiedDateTime": None, "createdDateTime": None}
        world.sign_in("anna")
        assert world.found("audit-contradiction") == []

    def test_a_refusal_by_a_policy_that_is_gone_contradicts_nothing(self, world):
        world.add("anna", switch=False)
        world.sign_in("anna", 53003, policies=({"id": "ca-gone", "result": "failure"},))
        assert world.found("audit-contradiction") == []

    def test_app_password_events_are_dated_evidence(self, world):
        world.add("anna", switch=True, mfa="enforced")
        world.data["directoryAudits"] = [
            {
                "id": "a1",
                "activityDisplayName": "Create application password for user",
                "activityDateTime": "2026-11-11T11:11:11Z",
                "result": "success",
                "targetResources": [{"id": "id-anna"}],
            }
        ]
        [finding] = world.found("per-user-mfa-enforced")
        assert "2026-11-11T11:11:11Z Create application password for user: anna@contoso.example" in evidence_text(
            finding
        )
        assert finding.severity == "medium"
        world.lose("directoryAudits")
        [finding] = world.found("per-user-mfa-enforced")
        assert "auditEvents = unknown: not read" in evidence_text(finding)


class TestApps:
    def test_scope_not_read_is_unknown_once(self, world):
        app_consented(world, calm=False)
        world.data["servicePrincipals"].append({"id": "sp2", "appId": "a2", "displayName": "Two"})
        world.data["appRoleAssignments"].append({"principalId": "sp2", "appRoleId": MAIL_SEND})
        world.lose("applicationAccessPolicies")
        [finding] = world.found("app-may-send-as-anyone")
        assert finding.outcome == "unknown"
        assert "News, Two" in evidence_text(finding)

    def test_a_scoped_role_beside_consent_is_not_verified(self, world):
        app_consented(world, calm=False)
        world.data["managementRoleAssignments"] = [
            {"Role": "Application Mail.Send", "App": "sp", "CustomResourceScope": "Some"}
        ]
        [finding] = world.found("app-may-send-as-anyone")
        assert (finding.outcome, finding.severity) == ("unknown", "low")

    def test_a_disabled_app_sends_nothing(self, world):
        app_consented(world, calm=False)
        world.data["servicePrincipals"][0]["accountEnabled"] = False
        assert world.found("app-may-send-as-anyone") == []

    def test_a_denying_policy_does_not_limit_the_rest(self, world):
        app_consented(world, calm=True)
        world.data["applicationAccessPolicies"][0]["AccessRight"] = "DenyAccess"
        assert len(world.found("app-may-send-as-anyone")) == 1


class TestCoverage:
    def test_unread_users_stand_for_all(self, world):
        world.lose("users", permission="User.Read.All")
        world.lose("perUserMfa", permission="User.Read.All")
        [finding] = world.found("coverage-gap", world.sender("printer"))
        assert finding.object_id == "users"
        assert finding.outcome == "unknown"
        assert "User.Read.All" in finding.remedy
        assert "perUserMfa (denied)" in evidence_text(finding)

    def test_a_licence_is_named(self, world):
        world.lose("signIns", permission="Entra ID P1")
        [finding] = world.found("coverage-gap")
        assert "Entra ID P1" in finding.remedy
        assert finding.severity == "info"

    def test_what_was_never_asked_for_is_one_finding(self, world):
        for dataset in ("casMailboxes", "mailboxes", "exchangeUsers", "transportConfig"):
            world.lose(dataset, "not-asked", "")
        [finding] = world.found("coverage-gap")
        assert finding.object_id == "not-asked"
        assert "casMailboxes" in evidence_text(finding)
        assert "exchange-script" in finding.remedy

    def test_each_denied_dataset_has_its_own(self, world):
        world.lose("conditionalAccessPolicies")
        world.lose("transportConfig")
        assert {finding.object_id for finding in world.found("coverage-gap")} == {
            "conditionalAccessPolicies",
            "transportConfig",
        }


def test_after_the_date_the_sender_is_still_told(world):
    world.add("printer", switch=False)
    found = world.found("sender-retirement", world.sender("printer"), now=datetime(2027, 1, 2, tzinfo=UTC))
    assert len(found) == 1
