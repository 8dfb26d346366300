"""A pasted reply beside a judged tenant: confirmed, contradicted or not visible, and what to do first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from auditor.blockers.base import Channel
from auditor.cli import auditor
from auditor.config import Config, LoadedConfig
from auditor.errors import ConfigError, UsageError
from auditor.explain import Joined, explain
from auditor.explain.join import ELSEWHERE, NO_SETTING, NOTHING_STANDS, beside, join
from auditor.explain.show import as_json, as_text
from auditor.replies import by_id
from auditor.states import State
from auditor.verdict import Judgement

TENANT = "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant."
DEFAULTS = "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy."
CREDENTIALS = "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect."
POLICIES = (
    "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully."
)
SEND_AS = "550 5.7.60 SMTP; Client does not have permissions to send as this sender"
RETIRED = "550 5.7.30 Basic authentication is not supported for Client Submission."
TOKEN = "535 5.7.143 Expired token"


def joined(world, text: str, account: str, *senders) -> Joined:
    config = LoadedConfig(Config(senders=senders), Path(), "")
    result = join(explain(text), world.write().folder, account, config=config).joined
    assert result is not None
    return result


class TestStandings:
    def test_a_blocker_that_stands_confirms_the_reply(self, world):
        anna = world.add("anna")
        result = joined(world, TENANT, anna)
        assert result.of("confirmed") == ["smtp-auth-switch"]
        assert (result.deciding_blocker, result.basic, result.account) == ("smtp-auth-switch", "blocked", anna)
        assert "organisation" in result.standings[0].reason
        assert "Set-CASMailbox" in result.first

    def test_a_clear_one_contradicts_it(self, world):
        result = joined(world, TENANT, world.add("anna", switch=False))
        assert result.of("contradicted") == ["smtp-auth-switch"]
        assert result.deciding_blocker == ""
        assert result.first == ELSEWHERE

    def test_what_was_not_read_is_not_visible_and_says_what_would_open_it(self, world):
        anna = world.add("anna", switch=False)
        world.lose("identitySecurityDefaultsEnforcementPolicy", permission="Policy.Read.All")
        result = joined(world, DEFAULTS, anna)
        assert result.of("not_visible") == ["security-defaults"]
        assert "Policy.Read.All" in result.first

    def test_what_depends_on_the_place_is_not_visible(self, world):
        anna = world.add("anna", switch=False)
        world.data["namedLocations"] = [
            {
                "@odata.type": "#microsoft.graph.ipNamedLocation",
                "id": "hq",
                "displayName": "HQ",
                "isTrusted": False,
                "ipRanges": [{"cidrAddress": "203.0.113.0/24"}],
            }
        ]
        world.policy("outside", locations={"includeLocations": ["All"], "excludeLocations": ["hq"]})
        result = joined(world, POLICIES, anna)
        assert result.of("not_visible") == ["conditional-access"]
        assert result.of("contradicted") == ["per-user-mfa"]
        at_home = joined(world, POLICIES, anna, world.sender("anna", egress_ips=("203.0.113.7",)))
        assert at_home.of("not_visible") == ["conditional-access"], "the default client is still conditional"
        abroad = joined(world, POLICIES, anna, world.sender("anna", egress_ips=("198.51.100.7",)))
        assert abroad.of("confirmed") == ["conditional-access"]
        assert abroad.standings[0].case == "anna"

    def test_one_of_several_senders_is_enough_to_confirm(self, world):
        anna = world.add("anna", switch=False)
        good = world.sender("anna", **{"from": anna})
        bad = world.sender("anna", name="invoices", **{"from": "boss@contoso.example"})
        result = joined(world, SEND_AS, anna, good, bad)
        assert [(one.blocker, one.visible, one.case) for one in result.standings] == [
            ("send-as", "confirmed", "invoices")
        ]
        assert joined(world, SEND_AS, anna, good).of("contradicted") == ["send-as"]

    def test_without_a_declared_sender_its_settings_are_not_visible(self, world):
        result = joined(world, SEND_AS, world.add("anna", switch=False))
        assert result.of("not_visible") == ["send-as"]
        assert "no declared sender" in result.standings[0].reason
        assert result.first.startswith("Use an address of the account itself")

    def test_a_wrong_password_stands_in_no_setting(self, world):
        result = joined(world, CREDENTIALS, world.add("anna", switch=False))
        assert result.of("not_visible") == ["credential"]
        assert result.of("contradicted") == ["per-user-mfa"]
        assert result.standings[0].reason.endswith(NO_SETTING)
        assert result.first.startswith("Stop the client from trying again")

    def test_the_calendar_does_not_contradict_the_announced_reply(self, world):
        result = joined(world, RETIRED, world.add("anna", switch=False))
        assert result.of("not_visible") == ["basic-auth-retirement"]
        world.data["smtpReplies"] = [{"account": "anna", "time": "2026-11-20", "text": RETIRED, "source": "probe"}]
        assert joined(world, RETIRED, "anna@contoso.example").of("confirmed") == ["basic-auth-retirement"]


class TestWhatToDoFirst:
    def test_the_deciding_blocker_comes_before_the_one_that_the_reply_names(self, world):
        anna = world.add("anna", policy="Refuse")
        result = joined(world, TENANT, anna)
        assert result.of("confirmed") == ["smtp-auth-switch"]
        assert [one.blocker for one in result.also_stands] == ["authentication-policy"]
        assert result.deciding_blocker == "authentication-policy"
        assert "The reply points at smtp-auth-switch" in result.first
        assert "Move the sender to OAuth" in result.first

    def test_a_token_reply_is_joined_with_the_oauth_channel(self, world):
        anna = world.add("anna", policy="Refuse", switch=False)
        result = joined(world, TOKEN, anna)
        assert result.deciding_blocker == ""
        assert not result.also_stands

    def test_a_reply_of_both_channels_follows_the_declared_sender(self, world):
        anna = world.add("anna", policy="Refuse")
        sender = world.sender("anna", auth="oauth")
        assert joined(world, TENANT, anna, sender).deciding_blocker == "smtp-auth-switch"

    def test_an_unknown_text_still_tells_what_stands(self, world):
        anna = world.add("anna")
        result = joined(world, "no idea", anna)
        assert (result.standings, result.deciding_blocker) == ([], "smtp-auth-switch")
        assert joined(world, "no idea", world.add("bert", switch=False)).first == NOTHING_STANDS

    def test_a_wrapper_around_an_unknown_reply_points_at_nothing(self, world):
        wrapper = "5.7.57 Client not authenticated to send mail. Error: 535 5.7.139 Authentication unsuccessful, new."
        result = joined(world, wrapper, world.add("anna", switch=False))
        assert (result.standings, result.deciding_blocker, result.first) == ([], "", NOTHING_STANDS)

    def test_a_confirmed_blocker_decides_also_beside_the_senders_own_channel(self, world):
        anna = world.add("anna", switch=False)
        sender = world.sender("anna", auth="basic", oauth_app_id="00000000-0000-0000-0000-00000000000a")
        result = joined(world, "535 5.7.3 Authentication unsuccessful", anna, sender)
        assert result.of("confirmed") == ["oauth-grant"]
        assert result.deciding_blocker == "oauth-grant"

    def test_a_reply_without_a_blocker_keeps_its_own_advice(self, world):
        result = joined(world, "454 4.7.0 Temporary authentication failure", world.add("anna", switch=False))
        assert result.first.startswith("Nothing in the tenant. Try again")


class TestFolders:
    @pytest.fixture
    def run(self, world, tmp_path):
        """A finished run of an account that is a declared sender with a From of its own."""
        world.add("anna", switch=False)
        folder = tmp_path / "run"
        folder.mkdir()
        world.write().folder.rename(folder / "snapshot")
        (folder / "run.json").write_text(json.dumps({"now": "2027-01-15T08:00:00Z"}))
        (folder / "config.toml").write_text(
            '[[senders]]\nname = "invoices"\naccount = "anna@contoso.example"\nfrom = "boss@contoso.example"\n'
            'server = "smtp.office365.com"\n'
        )
        return folder

    def test_a_run_brings_its_moment_and_its_senders(self, run):
        result = join(explain(SEND_AS), run, "ANNA@contoso.example").joined
        assert result.now == "2027-01-15T08:00:00Z"
        assert result.of("confirmed") == ["send-as"]
        assert result == join(explain(SEND_AS), run / "snapshot", "id-anna").joined

    def test_another_config_and_moment_can_be_given(self, run, world):
        config = LoadedConfig(Config(), Path(), "")
        result = join(explain(SEND_AS), run, "id-anna", config=config, now=world.now).joined
        assert result.now == "2026-11-23T16:00:00Z"
        assert result.of("not_visible") == ["send-as"]

    def test_a_snapshot_by_itself_is_judged_for_its_end(self, world):
        anna = world.add("anna")
        assert joined(world, TENANT, anna).now == "2026-11-23T16:00:00Z"

    def test_a_hand_made_folder_needs_a_moment(self, world, tmp_path):
        (tmp_path / "users.json").write_text(json.dumps([{"id": "1", "userPrincipalName": "anna@contoso.example"}]))
        with pytest.raises(UsageError, match="nothing about when"):
            join(explain(TENANT), tmp_path, "anna@contoso.example")
        result = join(explain(TENANT), tmp_path, "1", now=world.now).joined
        assert result.of("not_visible") == ["smtp-auth-switch"]

    def test_an_unknown_account_names_the_nearest(self, run):
        with pytest.raises(UsageError, match=r"Nearest: anna@contoso\.example") as error:
            join(explain(TENANT), run, "ana@contoso.example")
        assert error.value.message == "No account ana@contoso.example in the snapshot."
        assert error.value.exit_code == 2
        with pytest.raises(UsageError, match="Give the account's UPN"):
            join(explain(TENANT), run, "§§§")

    def test_a_snapshot_without_accounts_says_so(self, world):
        world.lose("users")
        with pytest.raises(UsageError, match="holds no accounts"):
            joined(world, TENANT, "anna@contoso.example")

    def test_damage_is_named(self, run, tmp_path):
        (run / "run.json").write_text("{}")
        with pytest.raises(UsageError, match=r"run\.json: cannot be read"):
            join(explain(TENANT), run, "id-anna")
        (run / "config.toml").write_text("[[senders]]\nnme = 1\n")
        with pytest.raises(ConfigError, match="nme"):
            join(explain(TENANT), run, "id-anna")
        with pytest.raises(UsageError, match="no such folder"):
            join(explain(TENANT), tmp_path / "nowhere", "id-anna")

    def test_the_command_joins(self, run):
        arguments = ["explain", "--run", str(run), "--account", "anna@contoso.example", SEND_AS]
        result = CliRunner().invoke(auditor, [*arguments, "--format", "json"], standalone_mode=False)
        document = json.loads(result.output)["joined"]
        assert document["account"] == "anna@contoso.example"
        assert (document["confirmed"], document["contradicted"], document["not_visible"]) == (["send-as"], [], [])
        assert set(document["reasons"]) == {"send-as"}
        text = CliRunner().invoke(auditor, arguments, standalone_mode=False).output
        assert "What the tenant shows for anna@contoso.example, judged for 2027-01-15T08:00:00Z" in text
        assert "Confirmed     send-as (sender invoices)" in text


class TestDemo:
    """The generator's tenants: what stands for an account is what its documented reply is explained as."""

    @pytest.mark.parametrize("scenario", ["default", "security-defaults", "no-exchange", "after-retirement"])
    def test_the_documented_reply_of_each_standing_blocker_is_confirmed(self, demo, scenario):
        judgement = demo(scenario).judgement
        accounts = judgement.tenant.accounts.user_principal_name
        checked = 0
        for case in judgement.sender_cases():
            for blocker, reply in standing(judgement, case, "basic") | standing(judgement, case, "oauth"):
                record = by_id(reply)
                said = f"(server said: {record.code.split(' / ')[0]} Authentication unsuccessful, {record.text})"
                result = beside(explain(said), judgement, accounts[judgement.cases.account[case]])
                assert blocker in result.joined.of("confirmed"), (blocker, reply)
                assert result.joined.deciding_blocker
                assert accounts[judgement.cases.account[case]] in as_text(result)
                assert blocker in json.loads(as_json(result))["joined"]["confirmed"]
                checked += 1
        assert checked


def standing(judgement: Judgement, case: int, channel: Channel) -> set[tuple[str, str]]:
    """(blocker, documented reply) of what blocks a case."""
    blocking = judgement.in_state(case, channel, State.BLOCKS)
    replies = {blocker: judgement.columns[blocker].reason(case).reply for blocker in blocking}
    return {(blocker, reply) for blocker, reply in replies.items() if reply}
