"""`auditor tickets` as it is called: a real Roundup behind it, config, exit codes, output, files."""

from __future__ import annotations

import json
import os

import pytest
from click.testing import CliRunner
from runs import Runs
from servers import roundup

from auditor.cli import auditor

PASSWORD = "a password for loopback"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with roundup(tmp_path_factory.mktemp("roundup"), PASSWORD) as url:
        yield url


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path / "reports" / "contoso", str(tmp_path))


@pytest.fixture
def config(tmp_path, server):
    path = tmp_path / "config.toml"
    path.write_text(
        f'[[tickets]]\nname = "desk"\nsystem = "roundup"\nurl = "{server}"\nuser = "admin"\npassword_env = "DESK"\n'
        'group_by = "finding"\n',
        encoding="utf-8",
    )
    return path


def call(*arguments, password: str | None = PASSWORD):
    """(exit code, stdout, stderr), as a shell sees them."""
    runner = CliRunner(env={"DESK": password})
    result = runner.invoke(auditor, ["tickets", *map(str, arguments)], standalone_mode=False)
    code = getattr(result.exception, "exit_code", None)
    return (result.return_value if code is None else code), result.stdout, result.stderr or str(result.exception)


def test_plan_then_sync_then_nothing(runs, config):
    run = runs.run([runs.of("exposed-account", 1), runs.of("shared-mailbox-sign-in", 2)])
    code, out, _ = call("plan", run, "--to", "desk", "--config", config)
    assert code == 0
    assert out.count("create") == 3
    assert "2 create" in out
    assert call("sync", run, "--to", "desk", "--config", config, "--dry-run")[1] == out
    assert not (run.parent / "tickets").exists()

    code, out, _ = call("sync", run, "--to", "desk", "--config", config, "--format", "json")
    told = json.loads(out)
    assert (code, told["counts"], told["failed"]) == (0, {"create": 2}, 0)
    keys = {action["findings"][0]: action["ticket"]["key"] for action in told["actions"]}
    held = json.loads((run / "tickets.json").read_text("utf-8"))["tickets"]
    assert {identity: entry["desk"]["key"] for identity, entry in held.items()} == keys
    journal = run.parent / "tickets" / "desk.jsonl"
    assert journal.is_file()
    if os.name == "posix":
        assert journal.stat().st_mode & 0o777 == 0o600
        assert journal.parent.stat().st_mode & 0o777 == 0o700
    assert PASSWORD not in journal.read_text("utf-8")

    assert "2 unchanged" in call("sync", run, "--to", "desk", "--config", config)[1]


def test_the_bound_holds_back_the_least_severe_and_says_so(runs, config):
    run = runs.run([runs.of("exposed-account", 1, severity="medium"), runs.of("exposed-account", 2)])
    _, out, _ = call("sync", run, "--to", "desk", "--config", config, "--max-new", "1", "--format", "json")
    actions = {action["findings"][0]: action["action"] for action in json.loads(out)["actions"]}
    assert actions == {
        runs.of("exposed-account", 1)["id"]: "held-back",
        runs.of("exposed-account", 2)["id"]: "create",
    }
    assert "1 create" in call("sync", run, "--to", "desk", "--config", config)[1]


def test_the_runs_own_config_is_taken(runs, config):
    run = runs.run([])
    config.rename(run / "config.toml")
    assert call("plan", run, "--to", "desk")[0] == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("desk", "other"), "there is no [[tickets]] entry named desk. The config has: other."),
        (("roundup", "roundupp"), "system: `roundupp` is not known; did you mean `roundup`"),
        (("group_by", "grup_by"), "grup_by: unknown key; did you mean `group_by`?"),
        (('"finding"', '"colour"'), "group_by: Invalid enum value 'colour'"),
        (("password_env", "password"), "a secret must not stand in this file"),
        (("http://127.0.0.1", "http://tickets.example"), "url: is no https:// address"),
        (('"DESK"', '"not a name"'), "password_env: is no name of an environment variable"),
        (("group_by", 'title = "{{ nothing }}"\ngroup_by'), "title: the template cannot be used"),
        (("group_by", 'title = "{{ ().__class__.__bases__ }}"\ngroup_by'), "title: the template cannot be used"),
        (("group_by", 'body = "none.txt"\ngroup_by'), "body: the template cannot be used"),
    ],
)
def test_a_wrong_config_is_told_and_nothing_is_made(runs, config, change, told):
    config.write_text(config.read_text("utf-8").replace(*change), encoding="utf-8")
    run = runs.run([runs.of("exposed-account", 1)])
    code, _, error = call("sync", run, "--to", "desk", "--config", config)
    assert code == 2
    assert told in error
    assert not (run / "tickets.json").exists()


def test_a_missing_variable_and_a_refused_password_have_their_codes(runs, config):
    run = runs.run([runs.of("exposed-account", 1)])
    arguments = ("sync", run, "--to", "desk", "--config", config)
    assert call(*arguments, password="")[0] == 2
    assert call(*arguments, password="not it")[0] == 4


def test_what_the_system_does_not_take_is_told_and_tried_again(runs, config):
    mended = config.read_text("utf-8")
    priority = '\n[tickets.fields]\npriority = { critical = "critical", high = "no such priority" }\n'
    config.write_text(mended + priority, encoding="utf-8")
    run = runs.run([runs.of("exposed-account", 1), runs.of("exposed-account", 2, severity="critical")])
    code, out, _ = call("sync", run, "--to", "desk", "--config", config, "--format", "json")
    told = json.loads(out)
    assert (code, told["counts"], told["failed"]) == (5, {"create": 1}, 1)
    [failed] = [action for action in told["actions"] if action["result"] == "failed"]
    assert "priority" in failed["problem"]
    config.write_text(mended, encoding="utf-8")
    code, out, _ = call("sync", run, "--to", "desk", "--config", config)
    assert (code, "1 create, 1 unchanged" in out) == (0, True)


def test_an_older_run_is_refused(runs, config):
    old, new = runs.run([runs.of("exposed-account", 1)]), runs.run([])
    assert call("sync", new, "--to", "desk", "--config", config)[0] == 0
    code, _, error = call("sync", old, "--to", "desk", "--config", config)
    assert code == 2
    assert "already brought to the run of" in error


def test_a_run_without_a_tenant_is_refused(tmp_path, config):
    run = Runs(tmp_path / "reports" / "unknown", "").run([])
    code, _, error = call("plan", run, "--to", "desk", "--config", config)
    assert (code, "names no tenant" in error) == (2, True)


def test_export_needs_no_config(runs):
    run = runs.run([runs.of("exposed-account", 1)])
    code, out, _ = call("export", run, "--to", "jira-csv")
    assert code == 0
    assert out.strip() == str(run / "findings.jira.csv")
