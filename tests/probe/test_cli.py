"""`auditor probe` as a person or a script calls it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys

import pytest

from auditor.catalogue import BY_NAME
from auditor.collect.brought import smtp_replies
from auditor.config import load
from auditor.demo.tenant import generate


@pytest.fixture
def company(open_company):
    return open_company(generate(accounts=100))


@pytest.fixture
def auditor(company, tmp_path):
    """(arguments …, stdin) → the finished command, with the senders' secrets in its environment."""

    def call(*arguments, stdin="", secrets=None):
        environment = os.environ | {"XDG_STATE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
        environment |= company.secrets if secrets is None else secrets
        command = [sys.executable, "-m", "auditor", "probe", "--config", str(company.config_path)]
        return subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, encoding="utf-8",
                              input=stdin, env=environment, timeout=200, check=False)  # fmt: skip

    return call


def test_json_stands_alone_on_stdout_and_the_plan_on_stderr(auditor, company):
    done = auditor("--sender", "erp-invoices", "--sender", "crm", "--yes", "--format", "json")
    assert done.returncode == 0, done.stderr
    first, second = json.loads(done.stdout)["probes"]
    assert (first["ending"], second["blockers"]) == ("accepted", ["authentication-policy", "basic-auth-retirement"])
    assert "sign in once as svc.erp@contoso.example" in done.stderr
    assert "localhost:" in done.stderr
    assert_clean(done, company)


def test_nobody_to_agree_is_wrong_usage_and_nothing_is_done(auditor, company):
    done = auditor("--sender", "erp-invoices", stdin="y\n")
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert "MAIL FROM" in done.stderr  # it said what it would have done
    assert company.emulator.smtp.visits == []


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such terminals on Windows")
@pytest.mark.parametrize(("answer", "code", "visits"), [(b"n\n", 130, 0), (b"y\n", 0, 1)])
def test_a_person_at_a_terminal_is_asked(company, tmp_path, answer, code, visits):
    import pty

    person, terminal = pty.openpty()
    command = [sys.executable, "-m", "auditor", "probe", "--config", str(company.config_path), "--sender", "crm"]
    environment = os.environ | company.secrets | {"XDG_STATE_HOME": str(tmp_path)}
    os.write(person, answer)
    done = subprocess.run(command, stdin=terminal, capture_output=True, text=True, env=environment, timeout=200,
                          check=False)  # fmt: skip
    os.close(person)
    os.close(terminal)
    assert "Go on?" in done.stderr
    assert (done.returncode, len(company.emulator.smtp.visits)) == (code, visits)


def test_a_refused_password_is_not_sent_again_unless_asked(auditor, company):
    arguments = ("--sender", "plant-reports", "--yes")
    assert auditor(*arguments).returncode == 0
    held = auditor(*arguments)
    assert held.returncode == 2
    assert "svc.plant@adatum.example" in held.stderr
    assert "--again" in held.stderr
    assert len(company.emulator.smtp.visits) == 1
    assert auditor(*arguments, "--again").returncode == 0
    assert len(company.emulator.smtp.visits) == 2


def test_transcript_and_evidence_are_kept(auditor, company, tmp_path):
    transcript, replies = tmp_path / "transcript.txt", tmp_path / "replies.jsonl"
    done = auditor("--sender", "scanner-hq", "--sender", "erp-invoices", "--yes", "--transcript", transcript,
                   "--replies", replies)  # fmt: skip
    assert done.returncode == 0, done.stderr
    text = transcript.read_text(encoding="utf-8")
    assert text.count("== ") == 2
    assert "C: ****" in text
    rows = [json.loads(line) for line in replies.read_text(encoding="utf-8").splitlines()]
    assert [row["source"] for row in rows] == ["probe"] * 4
    assert rows[0]["account"] == "svc.scanner@contoso.example"
    assert "disabled for the Mailbox" in rows[0]["text"]
    assert_clean(done, company, text, replies.read_text(encoding="utf-8"))
    config = tmp_path / "audit.toml"
    config.write_text('[audit]\nsmtp_replies = "replies.jsonl"\n', encoding="utf-8")
    kept = []
    assert smtp_replies(load(config), BY_NAME["smtpReplies"], kept.extend).status.state == "complete"
    assert len(kept) == 4


def test_a_message_only_with_send(auditor, company):
    assert auditor("--sender", "erp-invoices", "--yes", "--send", "me@contoso.example").returncode == 0
    assert [taken.recipients for taken in company.emulator.smtp.submissions] == [("me@contoso.example",)]


def test_all_senders_at_once(auditor, company):
    done = auditor("--yes", "--format", "json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["probes"]) == len(company.tenant.senders)
    assert_clean(done, company)


def test_a_server_that_cannot_be_reached_is_exit_code_5(auditor, company):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    text = company.config_path.read_text(encoding="utf-8")
    company.config_path.write_text(re.sub(r"smtp_port = \d+", f"smtp_port = {port}", text), encoding="utf-8")
    done = auditor("--sender", "erp-invoices", "--yes")
    assert done.returncode == 5
    assert "cannot be reached" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--sender", "nobody"), "No sender named nobody"),
        (("--tenant", "elsewhere"), "No tenant named elsewhere"),
        (("--send", "no address"), "--send"),
        (("--timeout", "0"), "--timeout"),
        (("--transcript", "."), "exists already"),
        (("--replies", "no/such/folder.jsonl"), "cannot be written"),
    ],
)
def test_wrong_usage_is_exit_code_2_before_anything_is_sent(auditor, company, arguments, words):
    done = auditor("--yes", *(() if "--sender" in arguments else ("--sender", "erp-invoices")), *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert company.emulator.smtp.visits == []


def test_a_sender_of_another_tenant_is_left_alone(auditor, company):
    text = company.config_path.read_text(encoding="utf-8")
    second = re.sub('name = ".*"', 'name = "Second"', re.search(r"\[\[tenants\]\]\n.*?(?=\n\n)", text, re.DOTALL)[0])
    text = text.replace('name = "erp-invoices"\n', 'name = "erp-invoices"\ntenant = "Second"\n')
    company.config_path.write_text(f"{text}\n{second}\n", encoding="utf-8")
    first = load(company.config_path).config.tenants[0].name
    done = auditor("--yes", "--tenant", first, "--sender", "erp-invoices")
    assert done.returncode == 2
    assert "No sender named erp-invoices" in done.stderr
    assert company.emulator.smtp.visits == []
    assert auditor("--yes", "--tenant", "second", "--sender", "erp-invoices").returncode == 2  # names are as written
    assert auditor("--yes", "--tenant", "Second", "--sender", "erp-invoices").returncode == 0


def test_a_variable_that_is_not_set_is_named(auditor):
    done = auditor("--sender", "erp-invoices", "--yes", secrets={})
    assert done.returncode == 2
    assert "AUDITOR_SENDER_ERP_INVOICES is not set" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="the printed commands are for a POSIX shell")
def test_the_commands_that_emulate_prints_work_as_they_stand(tmp_path):
    emulate = [sys.executable, "-m", "auditor", "emulate", "--accounts", "100", "--config-out", "config.toml"]
    with subprocess.Popen(emulate, cwd=tmp_path, stderr=subprocess.PIPE, text=True, encoding="utf-8") as process:
        printed = []
        for line in process.stderr:
            printed.append(line.strip())
            if line.startswith("Ctrl-C"):
                break
        probe = next(line for line in printed if "auditor probe" in line)
        environment = os.environ | {"XDG_STATE_HOME": str(tmp_path)}
        script = probe.replace("auditor probe", f"{sys.executable} -m auditor probe")
        done = subprocess.run(["sh", "-c", f"{script} --yes --format json --sender finance-from"], cwd=tmp_path,
                              capture_output=True, text=True, env=environment, timeout=200, check=False)  # fmt: skip
        process.terminate()
        assert process.wait(60) == 0
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["probes"][0]["ending"] == "accepted"


def assert_clean(done, company, *files):
    left = "\n".join([done.stdout, done.stderr, *files])
    assert "Traceback" not in left
    for secret in [*company.secrets.values(), company.tenant.app.secret]:
        assert secret not in left
    assert not re.search(r"eyJ[\w-]{8,}", left)
