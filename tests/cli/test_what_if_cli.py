"""`auditor what-if` and `auditor plan` from the outside: stdout, exit codes, the folder of the evidence untouched."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from auditor.cli import auditor

NOW = ["--now", "2026-11-23T16:00:00Z"]
E3 = "6fd2c87f-b296-42f0-b197-1e91e994b900"
ENTERPRISE = "efb87545-963c-4e0d-99df-69c6916d9eb0"
ANNA = "anna@contoso.example"


@pytest.fixture
def folder(tmp_path):
    """A hand-made snapshot of one tenant with one mailbox, whose switch is off, and the config of its sender."""
    key = {"ExternalDirectoryObjectId": "id-anna", "UserPrincipalName": ANNA, "PrimarySmtpAddress": ANNA}
    plan = {"servicePlanId": ENTERPRISE, "service": "exchange", "capabilityStatus": "Enabled"}
    data = {
        "organization": {"id": "11111111-1111-1111-1111-111111111111", "displayName": "Contoso"},
        "domains": [{"id": "contoso.example", "authenticationType": "Managed", "passwordValidityPeriodInDays": 90}],
        "subscribedSkus": [{"skuId": E3, "skuPartNumber": "E3", "servicePlans": [{"servicePlanId": ENTERPRISE}]}],
        "identitySecurityDefaultsEnforcementPolicy": {"id": "0", "isEnabled": False},
        "users": [
            {
                "id": "id-anna", "userPrincipalName": ANNA, "displayName": "Anna", "mail": ANNA,
                "proxyAddresses": [f"SMTP:{ANNA}"], "accountEnabled": True, "userType": "Member",
                "creationType": None, "externalUserState": None, "passwordPolicies": "DisablePasswordExpiration",
                "lastPasswordChangeDateTime": "2026-11-01T00:00:00Z", "createdDateTime": "2020-01-01T00:00:00Z",
                "assignedLicenses": [{"skuId": E3, "disabledPlans": []}], "assignedPlans": [plan],
                "licenseAssignmentStates": [{"skuId": E3, "state": "Active", "error": "None"}],
            }
        ],
        "conditionalAccessPolicies": [], "namedLocations": [], "groups": [], "groupMembers": [],
        "roleAssignments": [], "roleDefinitions": [], "authenticationStrengthPolicies": [],
        "perUserMfa": [{"id": "id-anna", "perUserMfaState": "disabled"}],
        "transportConfig": [{"SmtpClientAuthenticationDisabled": True, "AllowLegacyTLSClients": False}],
        "organizationConfig": [{"DefaultAuthenticationPolicy": None, "SendFromAliasEnabled": False}],
        "authenticationPolicies": [], "recipientPermissions": [],
        "casMailboxes": [{**key, "SmtpClientAuthenticationDisabled": True}],
        "mailboxes": [{**key, "RecipientTypeDetails": "UserMailbox"}],
        "exchangeUsers": [{**key, "RecipientTypeDetails": "UserMailbox", "AuthenticationPolicy": None}],
    }  # fmt: skip
    snapshot = tmp_path / "snapshot"
    snapshot.mkdir()
    for name, value in data.items():
        document = {"value": value} if isinstance(value, list) else value
        (snapshot / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    sender = f'[[senders]]\nname = "scanner"\naccount = "{ANNA}"\nserver = "smtp.office365.com"\n'
    (tmp_path / "config.toml").write_text(sender, encoding="utf-8")
    return tmp_path


def run(*arguments, code: int = 0):
    result = CliRunner().invoke(auditor, [str(one) for one in arguments], standalone_mode=False)
    if result.exception:
        raise result.exception
    assert (result.return_value or 0) == code
    return result


def outside(*arguments):
    command = [sys.executable, "-m", "auditor", *(str(one) for one in arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def test_the_answer_stands_on_stdout_for_machines(folder):
    before = {path: path.read_bytes() for path in (folder / "snapshot").iterdir()}
    arguments = ["what-if", folder / "snapshot", "--config", folder / "config.toml", *NOW, "--format", "json"]
    result = run(*arguments, "--mailbox-smtp", f"{ANNA}=on")
    document = json.loads(result.stdout)
    assert document["changed"][0]["sender"] == "scanner"
    assert document["changed"][0]["basic"] == {"before": "blocked", "after": "open"}
    assert result.stderr == ""
    assert {path: path.read_bytes() for path in (folder / "snapshot").iterdir()} == before


def test_options_and_a_file_are_one_question(folder):
    (folder / "changes.toml").write_text(f'[mailbox_smtp]\n"{ANNA}" = "inherit"\n', encoding="utf-8")
    arguments = ["what-if", folder / "snapshot", *NOW, "--changes", folder / "changes.toml"]
    text = run(*arguments, "--org-smtp", "on", "--account", f"{ANNA}=enabled").stdout
    assert "basic: blocked -> open" in text
    assert "1 of 1 account" in text


def test_nothing_changes(folder):
    assert "Nothing changes" in run("what-if", folder / "snapshot", *NOW).stdout
    assert "Nothing changes" in run("what-if", folder / "snapshot", *NOW, "--org-smtp", "on").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--mailbox-smtp", "ana@contoso.example=on", *NOW], ANNA),
        (["--mailbox-smtp", ANNA, *NOW], "ACCOUNT=on|off|inherit"),
        (["--org-smtp", "on", "--org-smtp", "off", *NOW], "cannot both be"),
        (["--sender", "scanner.port=25", *NOW], "--config"),
        (["--changes", "nowhere.toml", *NOW], "nowhere.toml"),
        (["--org-smtp", "on"], "--now"),
        (["--wrong"], "--wrong"),
    ],
)
def test_wrong_usage_is_exit_code_2_with_a_hint(folder, arguments, words):
    done = outside("what-if", folder / "snapshot", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_a_folder_without_evidence_is_exit_code_2(tmp_path):
    done = outside("plan", tmp_path)
    assert done.returncode == 2
    assert "neither manifest.json nor any dataset file" in done.stderr


def test_the_plan_of_every_sender_and_how_to_close_the_rest(folder):
    arguments = ["plan", folder / "snapshot", "--config", folder / "config.toml", *NOW]
    text = run(*arguments).stdout
    assert "Sender scanner (anna@contoso.example), basic: blocked" in text
    assert f"try: auditor what-if SNAPSHOT --mailbox-smtp {ANNA}=on" in text
    assert "To close basic SMTP for everyone but the declared senders" in text
    document = json.loads(run(*arguments, "--format", "json").stdout)
    [sender] = document["senders"]
    assert sender["openings"][0]["changes"][0]["option"] == ["--mailbox-smtp", f"{ANNA}=on"]
    assert sender["moves"][0]["exit"] == sender["safest_exit"]
    assert document["closing"]["kept"] == ["scanner"]


def test_the_plans_own_line_is_what_it_promises(folder):
    """The options that a plan prints, given to what-if, open the sender."""
    config = ["--config", folder / "config.toml", *NOW, "--format", "json"]
    [sender] = json.loads(run("plan", folder / "snapshot", *config).stdout)["senders"]
    words = [word for change in sender["openings"][0]["changes"] for word in change["option"]]
    [case] = json.loads(run("what-if", folder / "snapshot", *config, *words).stdout)["changed"]
    assert case["basic"]["after"] == "open"


def test_one_sender_alone_and_the_closing_alone(folder):
    arguments = ["plan", folder / "snapshot", "--config", folder / "config.toml", *NOW]
    assert "To close" not in run(*arguments, "--sender", "Scanner").stdout
    assert "Sender scanner" not in run(*arguments, "--close").stdout
    done = outside(*arguments, "--sender", "scaner")
    assert done.returncode == 2
    assert "scanner" in done.stderr


def test_without_a_config_the_plan_says_so(folder):
    text = run("plan", folder / "snapshot", *NOW).stdout
    assert "kept: nobody, because no sender with basic authentication is declared (--config)" in text


def test_a_console_that_cannot_show_a_name_shows_something(folder):
    (folder / "snapshot" / "users.json").write_text(
        (folder / "snapshot" / "users.json").read_text("utf-8").replace("anna@", "änna🦊@"), encoding="utf-8"
    )
    command = [sys.executable, "-m", "auditor", "what-if", str(folder / "snapshot"), *NOW]
    old = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run([*command, "--account", "id-anna=disabled"], capture_output=True, check=False, env=old)
    assert done.returncode == 0, done.stderr
    assert b"nna?@contoso.example" in done.stdout
