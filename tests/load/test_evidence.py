import pytest

from auditor.tenant import NO, UNREAD, YES


def event(number, time="2026-11-20T05:03:52Z", code=0, user=1, **more):
    return {
        "id": f"event-{number}",
        "createdDateTime": time,
        "userId": f"00000000-0000-0000-0000-{user:012}",
        "userPrincipalName": f"person{user}@contoso.example",
        "clientAppUsed": "Authenticated SMTP",
        "ipAddress": "203.0.113.5",
        "status": {"errorCode": code, "failureReason": "Other."},
        "appliedConditionalAccessPolicies": [{"id": "p1", "result": "failure"}],
        **more,
    }


def test_sign_ins_newest_times_and_codes_by_frequency(build):
    tenant = build(
        users=[build.user(1), build.user(2)],
        signIns=[
            event(1, "2026-11-20T05:00:00Z"),
            event(2, "2026-11-21T06:00:00+01:00"),
            event(3, "2026-11-22T05:00:00Z", 50126),
            event(4, "2026-11-22T06:00:00.5Z", 53003),
            event(5, "2026-11-22T04:00:00Z", 53003),
            event(6, "2026-11-22T04:00:00Z", 50053),
        ],
    )
    accounts = tenant.accounts
    assert list(accounts.smtp_last_success) == ["2026-11-21T05:00:00Z", ""]
    assert list(accounts.smtp_last_failure) == ["2026-11-22T06:00:00Z", ""]
    assert list(accounts.smtp_failure_codes) == [(53003, 50053, 50126), ()]
    assert [found.time for found in tenant.sign_ins] == sorted((one.time for one in tenant.sign_ins), reverse=True)
    newest = tenant.sign_ins[0]
    assert (newest.account, newest.ip, newest.error_code) == (0, "203.0.113.5", 53003)
    assert newest.policies == (("p1", "failure"),)


@pytest.mark.parametrize(("client", "kept"), [("SMTP", 1), ("authenticated smtp", 1), ("IMAP4", 0), ("Browser", 0)])
def test_only_smtp_counts(build, client, kept):
    assert len(build(users=[build.user(1)], signIns=[event(1, clientAppUsed=client)]).sign_ins) == kept


def test_a_sign_in_of_nobody_known_is_kept_without_account(build):
    tenant = build(users=[build.user(1)], signIns=[event(1, user=9)])
    assert (tenant.sign_ins[0].account, tenant.sign_ins[0].user_id) == (-1, build.id(9))


def test_a_sign_in_without_user_id_joins_by_name(build):
    tenant = build(users=[build.user(1)], signIns=[event(1, userId=None)])
    assert (tenant.sign_ins[0].account, tenant.sign_ins[0].user_id) == (0, build.id(1))


@pytest.mark.parametrize(
    "change",
    [{"createdDateTime": "soon"}, {"createdDateTime": None}, {"status": None}, {"status": {}}, {"status": 7},
     {"status": {"errorCode": "0"}}, {"clientAppUsed": None}, {"createdDateTime": 7}],
)  # fmt: skip
def test_a_malformed_sign_in_is_left_out_and_told(build, change):
    tenant = build(users=[build.user(1)], signIns=[event(1, **change)])
    assert tenant.sign_ins == []
    assert build.problems(tenant) == [("signIns", "event-1", next(iter(change)))]


def test_sign_ins_that_stand_twice_count_once(build):
    tenant = build(
        users=[build.user(1)], signIns=[event(1, code=5), event(2, code=6), event(2, code=6), event(1, code=5)]
    )
    assert len(tenant.sign_ins) == 2
    assert tenant.problems == ()


def test_cut_sign_ins_are_evidence_still(build):
    manifest = {"users": {"state": "complete"}, "signIns": {"state": "cut", "records": 1, "reason": "504"}}
    tenant = build(users=[build.user(1)], signIns=[event(1)], manifest=manifest)
    assert tenant.accounts.smtp_last_success[0] == "2026-11-20T05:03:52Z"


# --- app passwords ---


def audit(activity="Create application password for user", **more):
    return {
        "id": "audit-1",
        "activityDateTime": "2026-11-10T10:00:00Z",
        "activityDisplayName": activity,
        "result": "success",
        "targetResources": [{"id": "00000000-0000-0000-0000-000000000001", "type": "User"}],
        **more,
    }


def test_app_password_events(build):
    tenant = build(
        users=[build.user(1), build.user(2)],
        directoryAudits=[
            audit("Delete application password for user", activityDateTime="2026-11-12T10:00:00Z"),
            audit(),
            audit("Something else"),
            audit(result="failure"),
            audit(targetResources=[{"userPrincipalName": "PERSON2@contoso.example"}]),
            audit(targetResources=[{"id": "unknown"}]),
        ],
    )
    assert dict(tenant.app_password_events) == {
        0: (
            ("2026-11-10T10:00:00Z", "Create application password for user"),
            ("2026-11-12T10:00:00Z", "Delete application password for user"),
        ),
        1: (("2026-11-10T10:00:00Z", "Create application password for user"),),
    }


@pytest.mark.parametrize(
    ("change", "name"),
    [({"activityDateTime": "x"}, "activityDateTime"), ({"targetResources": None}, "targetResources")],
)
def test_a_malformed_audit_is_told(build, change, name):
    tenant = build(users=[build.user(1)], directoryAudits=[audit(**change)])
    assert dict(tenant.app_password_events) == {}
    assert build.problems(tenant) == [("directoryAudits", "audit-1", name)]


# --- registration ---


def registered(number, **more):
    return {
        "id": f"00000000-0000-0000-0000-{number:012}",
        "isMfaRegistered": True,
        "methodsRegistered": ["softwareOneTimePasscode", "mobilePhone"],
        "lastUpdatedDateTime": "2026-11-22T00:00:00Z",
        **more,
    }


def test_registration(build):
    tenant = build(
        users=[build.user(number) for number in (1, 2, 3)],
        userRegistrationDetails=[
            registered(2, isMfaRegistered=False, methodsRegistered=[]), registered(1), registered(9)
        ],
    )  # fmt: skip
    accounts = tenant.accounts
    assert list(accounts.mfa_registered) == [YES, NO, UNREAD]
    assert list(accounts.methods) == [("mobilePhone", "softwareOneTimePasscode"), (), ()]
    assert list(accounts.methods_as_of) == ["2026-11-22T00:00:00Z", "2026-11-22T00:00:00Z", ""]


@pytest.mark.parametrize("value", [None, "yes", 1])
def test_a_malformed_registration_is_unread(build, value):
    tenant = build(users=[build.user(1)], userRegistrationDetails=[registered(1, isMfaRegistered=value)])
    assert tenant.accounts.mfa_registered[0] == UNREAD


def test_registration_that_was_cut_is_unread(build):
    manifest = {"users": {"state": "complete"}, "userRegistrationDetails": {"state": "cut"}}
    tenant = build(users=[build.user(1)], userRegistrationDetails=[registered(1)], manifest=manifest)
    assert tenant.accounts.mfa_registered[0] == UNREAD


def test_methods_of_a_declared_sender_are_fresher(build):
    methods = [
        {"@odata.type": "#microsoft.graph.passwordAuthenticationMethod", "id": "x"},
        {"@odata.type": "#microsoft.graph.phoneAuthenticationMethod", "phoneType": "mobile"},
        {"@odata.type": "#microsoft.graph.fido2AuthenticationMethod"},
        {"@odata.type": "#microsoft.graph.qrCodePinAuthenticationMethod"},
    ]
    tenant = build(
        users=[build.user(1), build.user(2)],
        userRegistrationDetails=[registered(1), registered(2)],
        authenticationMethods=[{"id": build.id(1), "methods": methods}, {"id": build.id(2), "methods": None}, {}],
    )
    assert tenant.accounts.methods[0] == ("fido2SecurityKey", "mobilePhone", "qrCodePin")
    assert tenant.accounts.methods[1] == ("mobilePhone", "softwareOneTimePasscode")
    assert build.problems(tenant) == [
        ("authenticationMethods", "record 3", "id"),
        ("authenticationMethods", build.id(2), "methods"),
    ]


# --- per-user MFA ---


@pytest.mark.parametrize(
    ("value", "expected"),
    [("disabled", "disabled"), ("Enabled", "enabled"), ("enforced", "enforced"), ("on", "unknown"), (None, "unknown"),
     (7, "unknown")],
)  # fmt: skip
def test_per_user_mfa(build, value, expected):
    tenant = build(users=[build.user(1), build.user(2)], perUserMfa=[{"id": build.id(1), "perUserMfaState": value}])
    assert list(tenant.accounts.per_user_mfa) == [expected, "unknown"]
    assert bool(tenant.problems) == (expected == "unknown")


def test_per_user_mfa_that_contradicts_itself(build):
    rows = [{"id": build.id(1), "perUserMfaState": word} for word in ("disabled", "enforced", "disabled")]
    tenant = build(users=[build.user(1)], perUserMfa=rows)
    assert tenant.accounts.per_user_mfa[0] == "unknown"
    assert build.problems(tenant) == [("perUserMfa", build.id(1), "")]


def test_per_user_mfa_missing_everywhere_is_told_once(build):
    tenant = build(users=[build.user(1), build.user(2)], perUserMfa=[{"id": build.id(1)}, {"id": build.id(2)}])
    assert list(tenant.accounts.per_user_mfa) == ["unknown", "unknown"]
    assert build.problems(tenant) == [("perUserMfa", "", "perUserMfaState")]


# --- usage reports ---


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"User Principal Name": "Person1@contoso.example", "SMTP App": "Yes"}, YES),
        ({"User Principal Name": "person1@contoso.example", "SMTP App": "No"}, NO),
        ({"User Principal Name": "person1@contoso.example", "SMTP App": ""}, NO),
        ({"userPrincipalName": "person1@contoso.example", "smtpApp": "Yes"}, YES),
        ({"User Principal Name": "other@contoso.example", "SMTP App": "Yes"}, UNREAD),
    ],
)
def test_email_app_usage(build, row, expected):
    tenant = build(users=[build.user(1)], emailAppUsage=[row])
    assert tenant.accounts.smtp_app_used[0] == expected
    assert tenant.problems == ()


def test_email_app_usage_without_the_column(build):
    tenant = build(users=[build.user(1)], emailAppUsage=[{"User Principal Name": "person1@contoso.example"}])
    assert tenant.accounts.smtp_app_used[0] == UNREAD
    assert build.problems(tenant) == [("emailAppUsage", "", "SMTP App")]


@pytest.mark.parametrize("name", ["emailAppUsage", "mailboxUsage"])
def test_concealed_names_are_told_once_and_say_nothing(build, name):
    concealed = [
        {"User Principal Name": f"{number:032X}", "SMTP App": "Yes", "recipientType": "User"} for number in (1, 2)
    ]
    plain = {"User Principal Name": "person1@contoso.example", "SMTP App": "Yes", "recipientType": "User"}
    tenant = build(users=[build.user(1)], **{name: [plain, *concealed]})
    assert tenant.accounts.smtp_app_used[0] == UNREAD
    assert tenant.accounts.mailbox_usage[0] == ""
    assert tenant.status[name].state == "cut"
    assert "conceals user names" in tenant.status[name].reason
    assert build.problems(tenant) == [(name, "", "userPrincipalName")]


def test_the_smtp_auth_clients_report_adds_use(build):
    tenant = build(
        users=[build.user(1), build.user(2)],
        emailAppUsage=[{"User Principal Name": "person1@contoso.example", "SMTP App": "No"}],
        smtpAuthClients=[{"Sender": "PERSON1@contoso.example", "Messages": "12"}, {"Messages": "1"}],
    )
    assert list(tenant.accounts.smtp_app_used) == [YES, UNREAD]
    assert build.problems(tenant) == [("smtpAuthClients", "record 2", "")]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{"recipientType": "User", "isDeleted": False}], "user"),
        ([{"recipientType": "UserMailbox", "isDeleted": "False"}], "user"),
        ([{"recipientType": "Shared", "isDeleted": False}], "shared"),
        ([{"recipientType": "SharedMailbox"}], "shared"),
        ([{"recipientType": "User", "isDeleted": True}], "deleted"),
        ([{"recipientType": "User", "isDeleted": "True"}, {"recipientType": "Shared", "isDeleted": "False"}], "shared"),
        ([], ""),
    ],
)
def test_mailbox_usage(build, rows, expected):
    rows = [{"userPrincipalName": "person1@contoso.example", **row} for row in rows]
    assert build(users=[build.user(1)], mailboxUsage=rows).accounts.mailbox_usage[0] == expected


def test_a_report_row_without_name_is_told(build):
    tenant = build(users=[build.user(1)], mailboxUsage=[{"recipientType": "User"}])
    assert build.problems(tenant) == [("mailboxUsage", "record 1", "userPrincipalName")]
