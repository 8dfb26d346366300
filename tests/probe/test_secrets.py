"""No password, token or message stands in anything that a probe leaves behind, even where a server repeats it."""

from __future__ import annotations

import base64
import json
import logging
import re
import urllib.parse

import pytest

from auditor.probe import Memory, plan, probe
from auditor.probe.credential import Password, Token
from auditor.probe.show import as_json, as_text
from auditor.probe.transcript import Evidence, PrivateFile

TOKEN = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJwbGFudGVkLXRva2VuLTQ3MTEifQ.cGxhbnRlZC1zaWduYXR1cmU"
SECRET = "planted-88d1f0-key-of-an-app"
BODY = "This message shows that the sender"


def echoing(secrets):
    """Repeats whatever it was told, in many forms, in every reply it gives."""

    def talk(line):
        line.begin("AUTH LOGIN XOAUTH2", f"X-{secrets[0]}")
        told = line.hear()
        if told == "AUTH LOGIN":
            line.say(f"334 {base64.b64encode(secrets[0].encode()).decode()}")
            line.hear()
            line.say("334 UGFzc3dvcmQ6")
            told = line.hear()
        line.say(f"535-5.7.139 you said {told}", *(f"535-5.7.139 {form}" for form in forms(secrets)), "535 5.7.139 no")
        line.hear()

    return talk


def forms(secrets):
    for secret in secrets:
        yield secret
        yield secret.upper()
        yield base64.b64encode(secret.encode()).decode()
        yield urllib.parse.quote(secret, safe="")
        yield secret[: len(secret) * 2 // 3]
        yield secret[3:-1]
        yield f"({secret})"


def fragments(secret):
    """Every piece of a secret, in the forms in which it may stand, that would give it away."""
    for form in (secret, base64.b64encode(secret.encode()).decode().rstrip("=")):
        length = 8
        yield from (form[start : start + length].lower() for start in range(len(form) - length + 1))


def everything_left(folder, job, tools, caplog):
    """All that a probe prints, writes and logs."""
    caplog.set_level(logging.DEBUG)
    result, transcript = probe(job, tools)
    kept = PrivateFile(folder / "transcript.txt")
    kept.write(result.sender, transcript.lines)
    kept.close()
    Evidence(folder / "replies.jsonl").add(result.account, result.time, result.said())
    written = [path.read_text(encoding="utf-8") for path in folder.rglob("*") if path.is_file()]
    shown = ["\n".join(plan(job)), as_text([result]), as_json([result]), repr(result), repr(job), repr(job.credential)]
    return result, "\n".join([*written, *shown, caplog.text])


@pytest.mark.parametrize("length", [6, 16, 60])
def test_a_password_is_nowhere(tmp_path, job, tools, serve, trust, clock, caplog, length):
    password = ("pl4nted-Päss!" * 5)[:length]
    tools.memory = Memory(tmp_path / "memory", clock)
    made = job(serve(echoing([password])).port, ca_file=trust.ca_file, credential=Password("a test", password))
    result, left = everything_left(tmp_path, made, tools, caplog)
    assert result.phase("auth").outcome == "refused"
    assert password.lower() not in left.lower()
    if length > 8:
        assert [piece for piece in fragments(password) if piece in left.lower()] == []


def test_a_token_and_the_secret_behind_it_are_nowhere(tmp_path, job, tools, serve, trust, caplog):
    credential = Token("a test", lambda: TOKEN, (SECRET,))
    made = job(serve(echoing([TOKEN, SECRET])).port, ca_file=trust.ca_file, auth="oauth", credential=credential)
    result, left = everything_left(tmp_path, made, tools, caplog)
    assert result.phase("auth").outcome == "refused"
    whole = base64.b64encode(f"user={made.login}\x01auth=Bearer {TOKEN}\x01\x01".encode()).decode()
    for secret in (TOKEN, SECRET, whole, whole[40:80]):
        assert secret not in left
    assert not re.search(r"eyJ[\w-]{8,}", left)
    assert [piece for piece in fragments(SECRET) if piece in left.lower()] == []


def test_a_message_is_nowhere(tmp_path, job, tools, serve, trust, caplog, planted):
    def talk(line):
        line.begin("AUTH LOGIN")
        for answer in ("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 in", "250 ok", "250 ok", "354 go on"):
            line.hear()
            line.say(answer)
        while line.hear() != ".":
            pass
        line.say("250 2.0.0 taken")
        line.hear()

    server = serve(talk)
    made = job(server.port, ca_file=trust.ca_file, send=True)
    result, left = everything_left(tmp_path, made, tools, caplog)
    assert result.ending == "sent"
    assert any(BODY in line for line in server.heard[0])
    assert BODY not in left
    assert planted not in left


def test_terminal_commands_of_a_server_are_shown_and_not_obeyed(job, tools, serve, trust):
    def talk(line):
        line.begin("AUTH LOGIN")
        line.hear()
        line.say("535 5.7.139 \x1b[2J\x1b]0;owned\x07 \u202eno")
        line.hear()

    result, transcript = probe(job(serve(talk).port, ca_file=trust.ca_file), tools)
    left = as_text([result]) + "\n".join(transcript.lines) + "".join(result.said())
    assert not set(left) & {"\x1b", "\x07", "\u202e"}
    assert "\\x1b[2J" in left


def test_json_is_json_whatever_a_server_says(job, tools, serve, trust):
    def talk(line):
        line.begin("AUTH LOGIN")
        line.hear()
        line.connection.sendall(b'535 5.7.139 "quoted" \\ \xff\xfe \x00 end\r\n')
        line.hear()

    result, _ = probe(job(serve(talk).port, ca_file=trust.ca_file), tools)
    (shown,) = json.loads(as_json([result]))["probes"]
    assert shown["phases"][-1]["reply"]["code"] == 535
