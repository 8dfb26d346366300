"""Changes as people write them: wrong targets name what lies nearby, contradictions are refused, options and file mean
the same."""

from __future__ import annotations

import msgspec
import pytest

from auditor.config import Sender
from auditor.errors import UsageError
from auditor.what_if import OPTIONS, changes, from_file, from_option, what_if, written
from auditor.what_if.sender import KEYS

ANNA = "anna@contoso.example"


@pytest.fixture
def tenant(world):
    world.add("anna", switch=False)
    world.add("anders", switch=False)
    world.add("nobox", mailbox=None, licensed=False)
    world.group("Staff", "anna")
    world.group("Twins")
    world.data["groups"].append({"id": "group-Twins-2", "displayName": "twins", "visibility": None})
    world.policy("CA001 Block legacy authentication", users={"includeGroups": ["group-Staff"]})
    world.policy("CA002 Twin", state="disabled")
    world.policy("CA002 Twin", state="disabled", users={"excludeGroups": ["group-Twins", "group-Twins-2"]})
    world.data["conditionalAccessPolicies"][-1]["id"] = "ca-second"
    world.data["servicePrincipals"] = [
        {"id": f"sp-{number}", "appId": f"0000000{number}-0000-4000-8000-000000000000", "displayName": name}
        for number, name in ((1, "Mailer"), (2, "Same"), (3, "same"))
    ]
    return world


def read(world, *options, senders=()):
    tenant = world.judge(*senders).judgement.tenant
    return changes(tenant, senders, [from_option(*option) for option in options])


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("policy", "Block legacy=off", ("no Conditional Access policy `Block legacy`", "CA001 Block legacy authent")),
        ("policy", "CA002 Twin=off", ("2 policies", "ca-CA002 Twin", "ca-second")),
        ("policy", "CA001 Block legacy authentication=gone", ("--policy: `gone`", "report-only")),
        ("policy", "CA001 Block legacy authentication", ("is no pair", "POLICY=STATE")),
        ("exclude", "CA001 Block legacy authentication=ana@contoso.example", ("no user, group or app", ANNA)),
        ("exclude", "CA001 Block legacy authentication=Twins", ("2 groups", "group-twins", "group-twins-2")),
        ("unexclude", "CA001 Block legacy authentication=Staff", ("does not exclude `Staff`", "nobody")),
        ("mailbox-smtp", "ana@contoso.example=on", ("no account `ana@contoso.example`", ANNA)),
        ("mailbox-smtp", "nobox@contoso.example=on", ("has no mailbox", "--licence")),
        ("mailbox-smtp", f"{ANNA}=yes", ("`yes`", "inherit")),
        ("auth-policy", f"{ANNA}=Alow", ("no authentication policy `Alow`", "Allow", "--new-auth-policy")),
        ("default-auth-policy", "Refused", ("Refuse",)),
        ("auth-policy-smtp", "none=allow", ("no policy of the tenant",)),
        ("new-auth-policy", "allow=allow", ("name is taken",)),
        ("licence", f"{ANNA}=E3", ("`E3`", "give, take")),
        ("per-user-mfa", f"{ANNA}=on", ("disabled, enabled, enforced",)),
        ("account", f"{ANNA}=away", ("enabled, disabled",)),
        ("password-changed", "anna", ("no account `anna`", ANNA)),
        ("send-as", f"{ANNA}=annas@contoso.example", ("no address", ANNA)),
        ("send-as", "Mailr=anna@contoso.example", ("no app `Mailr`", "Mailer")),
        ("app-permission", "Same", ("several apps", "00000002-", "00000003-")),
        ("app", "00000001-0000-4000-8000-000000000000=perhaps", ("enabled, disabled",)),
        ("security-defaults", "maybe", ("on, off",)),
        ("org-smtp", "", ("on, off",)),
        ("bind", f"{ANNA}=the office", ("no IP address",)),
        ("bind", f"{ANNA}=", ("no address",)),
        ("block-legacy-except", "anna@contoso.example,berta", ("no account `berta`",)),
        ("sender", "scaner.port=587", ("no declared sender `scaner`", "scanner")),
        ("sender", "scanner.prot=587", ("`prot` cannot be changed", "port")),
        ("sender", "scanner.account=x", ("says which sender",)),
        ("sender", "scanner=587", ("cannot be changed",)),
        ("sender", "scanner.port=0", ("no number that fits",)),
        ("sender", "scanner.port=65536", ("no number that fits",)),
        ("sender", "scanner.port=five", ("no number that fits",)),
        ("sender", "scanner.tls=ssl", ("starttls, implicit, none",)),
        ("sender", "scanner.egress_ips=office", ("no IP address",)),
    ],
)  # fmt: skip
def test_a_wrong_target_names_what_exists_nearby(tenant, option, value, words):
    senders = (tenant.sender("anna", name="scanner"),)
    with pytest.raises(UsageError) as caught:
        read(tenant, (option, value), senders=senders)
    for word in words:
        assert word in str(caught.value)
    assert caught.value.exit_code == 2


def test_without_declared_senders_the_config_is_asked_for(tenant):
    with pytest.raises(UsageError, match="--config"):
        read(tenant, ("sender", "scanner.port=587"))


def test_an_unread_dataset_is_named_in_the_error(tenant):
    tenant.lose("conditionalAccessPolicies")
    with pytest.raises(UsageError, match="conditionalAccessPolicies is denied"):
        read(tenant, ("policy", "CA001 Block legacy authentication=off"))


def test_a_policy_that_was_not_read_as_documented_takes_no_exclusion(tenant):
    tenant.data["conditionalAccessPolicies"][0]["conditions"]["users"]["excludeUsers"] = "id-anna"
    judgement = tenant.judge().judgement
    wanted = changes(judgement.tenant, (), [from_option("exclude", f"CA001 Block legacy authentication={ANNA}")])
    with pytest.raises(UsageError, match=r"conditions\.users\.excludeUsers was not read"):
        what_if(judgement, (), wanted)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("org-smtp", "on"), ("org-smtp", "off")),
        (("mailbox-smtp", f"{ANNA}=on"), ("mailbox-smtp", "id-anna=inherit")),
        (("policy", "ca-second=on"), ("policy", "CA-SECOND=off")),
        (("auth-policy", f"{ANNA}=Allow"), ("auth-policy", f"{ANNA}=none")),
        (("sender", "scanner.port=25"), ("sender", "Scanner.port=587")),
        (
            ("exclude", "ca-second=group-Twins"),
            ("unexclude", "ca-second=group-Twins"),
        ),
    ],
)
def test_changes_that_contradict_each_other_are_refused(tenant, one, other):
    senders = (tenant.sender("anna", name="scanner"),)
    with pytest.raises(UsageError, match="cannot both be"):
        read(tenant, one, other, senders=senders)
    assert len(read(tenant, one, one, senders=senders)) == 1, "saying it twice is no contradiction"


def test_names_with_an_equals_sign_are_split_where_the_name_ends(tenant):
    tenant.policy("a=b")
    [change] = read(tenant, ("policy", "a=b=off"))
    assert change.policy.name == "a=b"
    assert change.option == ("--policy", "ca-a=b=disabled"), "a name that a shell or this program may split goes by id"


FILE = """
policy = ["CA001 Block legacy authentication=disabled"]
security_defaults = false
org-smtp = "off"
enforce_report_only = true
enforce_managed = false
mailbox_smtp = "anna@contoso.example=inherit"

[exclude]
ca-second = ["anna@contoso.example", "Staff"]

[bind]
"anna@contoso.example" = ["192.0.2.1", "192.0.2.2"]

[account]
"anna@contoso.example" = false

[sender]
"scanner.tls" = "none"

[sender.scanner]
port = 25
egress_ips = ["192.0.2.1", "2001:db8::/48"]
"""


def test_a_file_means_the_same_as_options(tenant, tmp_path):
    path = tmp_path / "changes.toml"
    path.write_text("\ufeff" + FILE, encoding="utf-8")
    senders = (tenant.sender("anna", name="scanner"),)
    judged = tenant.judge(*senders).judgement.tenant
    options = [
        ("policy", "CA001 Block legacy authentication=disabled"), ("security-defaults", "off"), ("org-smtp", "off"),
        ("mailbox-smtp", f"{ANNA}=inherit"), ("exclude", f"ca-second={ANNA}"), ("exclude", "ca-second=Staff"),
        ("bind", f"{ANNA}=192.0.2.1,192.0.2.2"), ("account", f"{ANNA}=disabled"), ("sender", "scanner.port=25"),
        ("sender", "scanner.egress_ips=192.0.2.1,2001:db8::/48"), ("sender", "scanner.tls=none"),
    ]  # fmt: skip
    given = [*(from_option(*option) for option in options), ("enforce-report-only", "", "")]
    assert set(changes(judged, senders, from_file(path))) == set(changes(judged, senders, given))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("polcy = []", ("unknown key `polcy`", "policy")),
        ("policy = 1", ("`1` is no pair",)),
        ("retired = 'yes'", ("switched on with true",)),
        ("org_smtp = 1.5", ("org_smtp", "is no text")),
        ("[policy]\nx = {}", ("policy.x", "is no text")),
        ("policy = [", ("not valid TOML",)),
        (b"policy = '\xff'", ("not UTF-8",)),
        (None, ("cannot be read",)),
    ],
)
def test_a_wrong_file_names_its_key(tmp_path, text, words):
    path = tmp_path / "changes.toml"
    if text is not None:
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(UsageError) as caught:
        from_file(path)
    for word in (*words, "changes.toml"):
        assert word in str(caught.value)


def test_a_change_is_written_so_that_a_shell_takes_it(tenant):
    [change] = read(tenant, ("policy", "CA001 Block legacy authentication=off"))
    assert written(change) == '--policy "CA001 Block legacy authentication=disabled"'
    [change] = read(tenant, ("password-changed", ANNA))
    assert written(change) == f"--password-changed {ANNA}"
    assert written(read(tenant, ("org-smtp", "off"))[0]) == "--org-smtp off"


def test_where_a_secret_is_found_is_no_setting_to_change(tenant):
    """Whoever mistypes a secret there must not read it back in a report."""
    assert set(KEYS) <= {field.encode_name for field in msgspec.structs.fields(Sender)}
    for key in ("password_env", "password_keyring", "oauth_secret_env", "oauth_token_env", "owner"):
        with pytest.raises(UsageError, match="cannot be changed") as caught:
            read(tenant, ("sender", f"scanner.{key}=hunter2"), senders=(tenant.sender("anna", name="scanner"),))
        assert "hunter2" not in str(caught.value)


def test_every_option_is_documented(root):
    page = (root / "docs" / "what-if.md").read_text("utf-8")
    assert [option.name for option in OPTIONS if f"`--{option.name}" not in page] == []
