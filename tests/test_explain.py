"""Replies are found in whatever people paste, honestly: what is not there is not claimed, and nothing is repeated."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from auditor.blockers import BLOCKERS
from auditor.cli import auditor
from auditor.errors import UsageError
from auditor.explain import Explanation, decode, explain
from auditor.explain.advice import ADVICE
from auditor.explain.pasted import MOST_BYTES
from auditor.explain.show import as_json, as_text
from auditor.replies import REPLIES

PASTED = Path(__file__).parent / "data" / "replies"
EXPECTED: dict[str, list[str]] = tomllib.loads((PASTED / "expected.toml").read_text("utf-8"))
OTHER: list[str] = tomllib.loads((PASTED.parent / "other-replies.toml").read_text("utf-8"))["texts"]
TEXTS = {name: decode((PASTED / name).read_bytes()) for name in EXPECTED}

SERVER = "[AM8P190CA0003.EURP190.PROD.OUTLOOK.COM 2026-10-04T07:21:07.773Z 08DE0A1B2C3D4E5F]"
TENANT = "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant."
LOCKED = "535 5.7.139 Authentication unsuccessful, account locked. Contact your administrator."
OUTER = "5.7.57 Client not authenticated to send mail."


def found(text: str) -> list[str]:
    return [match.reply.id for match in explain(text).matches]


def cli(*arguments: str, stdin: bytes = b"") -> tuple[int, str]:
    result = CliRunner().invoke(auditor, ["explain", *arguments], input=stdin, standalone_mode=False)
    if isinstance(result.exception, Exception) and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.return_value, result.output


class TestPastedTexts:
    def test_there_are_enough_of_them_and_none_is_forgotten(self):
        assert len(EXPECTED) >= 120
        assert {path.name for path in PASTED.iterdir()} - {"expected.toml"} == set(EXPECTED)
        assert {reply for replies in EXPECTED.values() for reply in replies} == {reply.id for reply in REPLIES}

    @pytest.mark.parametrize("name", EXPECTED)
    def test_recognised(self, name):
        explanation = explain(TEXTS[name])
        assert [match.reply.id for match in explanation.matches] == EXPECTED[name]
        assert not explanation.unrecognised
        assert not explanation.nearest

    @pytest.mark.parametrize("name", EXPECTED)
    def test_the_line_is_where_the_reply_begins(self, name):
        lines = TEXTS[name].replace("\r\n", "\n").split("\n")
        for match in explain(TEXTS[name]).matches:
            digits = match.code.split()[-1] if match.code else ""
            near = " ".join(lines[max(0, match.line - 2) : match.line + 1])
            assert 1 <= match.line <= len(lines)
            assert digits in near


UNKNOWN = (
    ("nothing at all", "hello world"),
    ("other letters only", "メッセージを配信できませんでした。"),
    ("Gmail", "535-5.7.8 Username and Password not accepted. For more information, go to\n"
              "535 5.7.8  https://support.google.com/mail/?p=BadCredentials 5b1f17b1804b1 - gsmtp"),
    ("another server's relay refusal", "554 5.7.1 <buyer@fabrikam.example>: Relay access denied"),
    ("another server's recipient refusal", "554 5.7.1 <x@fabrikam.example>: Recipient address rejected: Access denied"),
    ("curl without -v", "curl: (67) Login denied"),
    ("the code alone", "535 5.7.139"),
    ("the general part alone", "535 5.7.139 Authentication unsuccessful " + SERVER),
    ("cut off before it tells", "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled"),
    ("a new text of an old code", "535 5.7.139 Authentication unsuccessful, the password is older than the server."),
    ("without its exception", "554 5.2.0 STOREDRV.Submission.Exception; Failed to process message"),
    ("no text behind 5.7.3", "535 5.7.3"),
    ("a translation of a code with many meanings", "535 5.7.139 Authentifizierung nicht erfolgreich, Konto gesperrt"),
    ("a version number", "mysqld 5.7.30 for Linux, openssl 3.5.7.60, libfoo 5.7.708-2"),
    ("an address", "connected to 5.7.30.12 port 587"),
    ("prose about it", "Basic authentication is disabled in Exchange Online since 2022; use OAuth."),
    ("another program's words", "sshd: account locked for user anna; the user credentials were incorrect"),
    ("another program's exception", "ServiceQuotaExceededException: the account has an issue with its quota"),
    ("another program's limit", "ftpd: concurrent connections limit exceeded"),
    ("a browser's words", "TLS 1.0 and 1.1 are not supported by this browser"),
)  # fmt: skip


class TestUnknown:
    @pytest.mark.parametrize("text", [text for _, text in UNKNOWN], ids=[name for name, _ in UNKNOWN])
    def test_an_unknown_text_says_so_and_shows_the_nearest(self, text):
        explanation = explain(text)
        assert explanation.matches == []
        assert explanation.nearest
        assert explanation.also_check == ()
        assert as_text(explanation).startswith("No reply of the catalogue was found")
        assert json.loads(as_json(explanation))["matches"] == []
        assert json.loads(as_json(explanation))["nearest"]

    @pytest.mark.parametrize("text", OTHER)
    def test_other_servers_and_other_reasons_are_no_match(self, text):
        """Neither alone nor beside a reply of the catalogue, whose own blockers stay as they are."""
        explanation = explain(text)
        assert explanation.matches == []
        assert explanation.nearest
        assert found(f"{LOCKED}\n{text}") == ["account-locked"]
        assert found(f"{text}\n{LOCKED}") == ["account-locked"]

    @pytest.mark.parametrize("code", ["5.7.139", "535 5.7.139", "#535 5.7.139"])
    def test_a_code_with_many_meanings_lists_them_all(self, code):
        explanation = explain(f"scan failed: {code}")
        family = {reply.id for reply in REPLIES if reply.code == "535 5.7.139"}
        assert {near.reply.id for near in explanation.nearest} == family
        assert "The text decides; it was not found" in as_text(explanation)

    def test_the_likest_meaning_comes_first(self):
        explanation = explain(
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Ten"
        )
        assert explanation.nearest[0].reply.id == "smtp-auth-disabled-tenant"
        assert [near.likeness for near in explanation.nearest] == sorted(
            (near.likeness for near in explanation.nearest), reverse=True
        )

    def test_the_nearest_of_a_text_without_a_code(self):
        assert explain("Authentication unsuccessful").nearest[0].likeness == 1
        assert explain("the user credential was incorect").nearest[0].reply.id == "credentials-incorrect"

    def test_an_unknown_refusal_beside_a_known_one_is_told_too(self):
        explanation = explain(f"{TENANT}\n\n535 5.7.139 Authentication unsuccessful, the moon is full.")
        assert [match.reply.id for match in explanation.matches] == ["smtp-auth-disabled-tenant"]
        assert [(one.line, one.code) for one in explanation.unrecognised] == [(3, "535 5.7.139")]
        assert "Line 3: 535 5.7.139, but no known text of it." in as_text(explanation)

    def test_a_long_log_is_told_in_a_few_lines(self):
        explanation = explain("535 5.7.8 not accepted\n" * 500 + f"{LOCKED}\n" * 300)
        assert [(one.line, one.times) for one in explanation.unrecognised] == [(1, 500)]
        assert [(match.line, match.times) for match in explanation.matches] == [(501, 300)]
        assert "Line 501, 300 times in all: 535 5.7.139" in as_text(explanation)

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("curl: (67) Login denied", "Run it with -v"),
            ("SMTP Error: Could not authenticate.", "SMTPDebug"),
            ("Invalid login: ???", "nodemailer"),
            ("javax.mail.AuthenticationFailedException", "mail.debug"),
            ("Failure sending mail.", "inner"),
        ],
    )
    def test_a_client_that_hides_the_reply_is_named(self, text, words):
        assert any(words in hint for hint in explain(text).hints)
        assert words in as_text(explain(text))


class TestCodes:
    def test_the_code_that_is_shown_is_the_replys_own(self):
        explanation = explain(
            "550 5.7.60 SMTP; Client does not have permissions to send as this sender\n"
            "SmtpClientAuthentication is disabled for the Mailbox"
        )
        assert [match.code for match in explanation.matches] == ["550 5.7.60", ""]
        shown = [match["code"] for match in json.loads(as_json(explanation))["matches"]]
        assert shown == ["550 5.7.60", "535 5.7.139"]

    def test_a_code_tells_a_translated_text_and_says_so(self):
        [match] = explain("550 5.7.750 Dienst nicht verfügbar.").matches
        assert (match.reply.id, match.by) == ("unregistered-domain", "code")
        assert "(told by its code alone)" in as_text(explain("550 5.7.750 Dienst nicht verfügbar."))

    @pytest.mark.parametrize("text", ["Status: 5.7.60", "#5.7.60", "smtp;550 5.7.60", "(550, b'5.7.60", "550-5.7.60"])
    def test_a_code_is_one_where_it_can_be_nothing_else(self, text):
        assert found(text) == ["send-as-denied"]

    @pytest.mark.parametrize("text", ["5.7.60", "1550 5.7.60", "550 5.7.60.1", "550 15.7.60", "554 5.2.253"])
    def test_other_numbers_are_none(self, text):
        assert found(text) == []


class TestWrapper:
    def test_the_inner_reply_comes_first_and_alone_points_at_blockers(self):
        explanation = explain(f"The server response was: {OUTER} Error: {TENANT} {SERVER}")
        inner, outer = explanation.matches
        assert (inner.reply.id, inner.blockers) == ("smtp-auth-disabled-tenant", ("smtp-auth-switch",))
        assert (outer.reply.id, outer.blockers, outer.wraps) == ("not-authenticated", (), "535 5.7.139")
        assert explanation.blockers == ("smtp-auth-switch",)

    def test_an_unknown_inner_reply_leaves_the_wrapper_without_a_blocker(self):
        explanation = explain(f"{OUTER} Error: 535 5.7.139 Authentication unsuccessful, the moon is full.")
        assert [(match.reply.id, match.wraps) for match in explanation.matches] == [
            ("not-authenticated", "535 5.7.139")
        ]
        assert explanation.blockers == ()
        assert [one.code for one in explanation.unrecognised] == ["535 5.7.139"]

    def test_alone_it_points_at_the_client(self):
        assert explain(f"530 {OUTER}").blockers == ("sender-settings",)
        assert explain(f"{OUTER} Error: {TENANT}\nlater: 530 {OUTER}").blockers == (
            "smtp-auth-switch",
            "sender-settings",
        )


class TestAlsoCheck:
    def test_a_refused_sign_in_excludes_nothing_of_its_channel(self):
        order = [advice.id for advice in ADVICE]
        assert list(explain(TENANT).also_check) == [blocker for blocker in order if blocker != "smtp-auth-switch"]
        assert "oauth-grant" not in explain(LOCKED).also_check

    def test_a_token_refusal_leaves_basic_blockers_out(self):
        assert explain("535 5.7.143 Expired token").also_check == (
            "mailbox", "smtp-auth-switch", "licence", "sender-settings", "send-as", "sending-limits",
        )  # fmt: skip

    def test_a_refusal_after_the_sign_in_excludes_the_sign_in(self):
        assert explain("550 5.7.60 SMTP; Client does not have permissions to send as this sender").also_check == (
            "mailbox", "licence", "sending-limits", "basic-auth-retirement",
        )  # fmt: skip

    def test_two_replies_leave_open_what_either_leaves_open(self):
        both = explain("550 5.7.60 SMTP; Client does not have permissions to send as this sender\n" + LOCKED)
        assert "credential" in both.also_check
        assert "send-as" not in both.also_check

    def test_the_advice_is_the_blockers_own(self):
        records = [(b.id, b.title, tuple(sorted(b.channels)), b.remedy, b.remedy_risk) for b in BLOCKERS]
        assert [(a.id, a.title, a.channels, a.remedy, a.remedy_risk) for a in ADVICE] == records


# Laws -----------------------------------------------------------------------------------------------------------

ANY_TEXT = st.sampled_from(sorted(TEXTS.values()))
NOISE = st.text(st.characters(codec="utf-8", exclude_characters="\ue000"), max_size=60)
CASES = st.sampled_from([str.upper, str.lower, str.swapcase, str.title, str])
PREFIXES = st.sampled_from(["", "> ", ">> > ", "| ", "\t", "    ", "// ", "* "])
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])


class TestLaws:
    @given(ANY_TEXT, NOISE, NOISE)
    def test_noise_around_removes_nothing(self, text, before, after):
        assert set(found(f"{before}\n{text}\n{after}")) >= set(found(text))

    @given(ANY_TEXT, NOISE, NOISE)
    def test_noise_without_digits_adds_nothing(self, text, before, after):
        before, after = (re.sub(r"\d", "", noise) for noise in (before, after))
        assume(not found(before) and not found(after))
        assert found(f"{before}\n{text}\n{after}") == found(text)

    @given(ANY_TEXT, CASES)
    def test_letter_case_changes_nothing(self, text, case):
        assert found(case(text)) == found(text)

    @given(st.sampled_from(REPLIES), st.integers(12, 100), PREFIXES)
    def test_wrapping_changes_nothing(self, reply, width, prefix):
        lead = "Authentication unsuccessful, " if reply.code == "535 5.7.139" else ""
        text = f"{reply.code.split(' / ')[0].split(' - ')[0]} {lead}{reply.text}"
        lines = textwrap.wrap(text, width, break_on_hyphens=False)
        assert found("\n".join(prefix + line for line in lines)) == found(text) != []

    @given(ANY_TEXT, ANY_TEXT, st.sampled_from(["\n", "\r\n", "\n\n---\n"]))
    def test_a_second_text_adds_its_replies_and_removes_none(self, first, second, between):
        assert set(found(first + between + second)) == set(found(first)) | set(found(second))

    @given(st.sampled_from(REPLIES), st.integers(2, 5))
    def test_a_reply_of_several_lines_is_one_reply(self, reply, pieces):
        code = f"{reply.code[:3]}-" if reply.code[3:4] == " " else "550-"
        number = reply.code.split(" / ")[0].split(" - ")[0].split()[-1]
        lead = "Authentication unsuccessful, " if reply.code == "535 5.7.139" else ""
        lines = textwrap.wrap(lead + reply.text, max(20, len(lead + reply.text) // pieces), break_long_words=False)
        said = [f"10:0{at} S: {code}{number} {line}" for at, line in enumerate(lines)]
        said[-1] = said[-1].replace(code, code[:3] + " ")
        assert reply.id in found("\n".join(said))

    @given(st.sampled_from(REPLIES), ENCODINGS)
    def test_the_encoding_changes_nothing(self, reply, encoding):
        text = f"Grüße: {reply.code} Authentication unsuccessful, {reply.text}\r\n"
        assert found(decode(text.encode(encoding))) == found(text)

    @given(st.binary(max_size=400))
    def test_any_bytes_are_explained_in_both_forms(self, data):
        explanation = explain(decode(data))
        assert as_text(explanation).endswith("\n")
        assert set(json.loads(as_json(explanation))) >= {"matches", "also_check", "joined"}

    @settings(max_examples=25)
    @given(st.lists(st.sampled_from(REPLIES), min_size=1, max_size=4, unique=True))
    def test_different_replies_come_in_the_order_of_the_text(self, replies):
        sent = [f"{r.code.split(' / ')[0].split(' - ')[0]} Authentication unsuccessful, {r.text}" for r in replies
                if r.code == "535 5.7.139"]  # fmt: skip
        order = [r.id for r in replies if r.code == "535 5.7.139"]
        explanation = explain("\n".join(sent) or "-")
        assert [match.reply.id for match in explanation.matches] == order
        assert [match.line for match in explanation.matches] == list(range(1, len(order) + 1))


# Secrets --------------------------------------------------------------------------------------------------------

SECRETS = (
    "c3ZjLmVycEBjb250b3NvLmV4YW1wbGU=",
    "SHVudGVyMkh1bnRlcjI=",
    "Hunter2Hunter2",
    "eyJ0eXAiOiJKV1QiLCJub25jZSI6InBsYW50ZWQifQ",
    "dXNlcj1zdmNAY29udG9zby5leGFtcGxlAWF1dGg9QmVhcmVyIHBsYW50ZWQBAQ==",
    "tr0ub4dor&3",
)
LEAKY = f"""> AUTH LOGIN
> {SECRETS[0]}
> {SECRETS[1]}
AUTH XOAUTH2 {SECRETS[4]}
Authorization: Bearer {SECRETS[3]}
password={SECRETS[2]} pwd="{SECRETS[5]}" --user svc:{SECRETS[2]}
535 5.7.139 Authentication unsuccessful, {{}} {SECRETS[2]}
"""


class TestSecrets:
    @pytest.mark.parametrize("said", ["the user credentials were incorrect.", "something new", ""])
    @pytest.mark.parametrize("form", ["text", "json"])
    def test_nothing_of_the_text_is_repeated(self, said, form):
        code, output = cli("--format", form, stdin=LEAKY.format(said).encode())
        assert code == 0
        for secret in SECRETS:
            assert secret not in output
            assert secret.lower() not in output.lower()

    @pytest.mark.parametrize(
        "arguments",
        [
            ("--password=Hunter2Hunter2",),
            ("--Hunter2Hunter2 535 5.7.139",),
            ("-> AUTH LOGIN Hunter2Hunter2",),
            ("-pHunter2Hunter2",),
            ("535 5.7.139", "--run", "."),
        ],
    )
    def test_wrong_usage_does_not_repeat_it_either(self, arguments):
        command = [sys.executable, "-m", "auditor", "explain", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False, input="")
        assert done.returncode == 2
        assert "Hunter2" not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


# The command ----------------------------------------------------------------------------------------------------


class TestCommand:
    def test_json_is_the_contracts(self):
        code, output = cli("--format", "json", f"(535, b'{TENANT.removeprefix('535 ')}')")
        document = json.loads(output)
        [match] = document["matches"]
        assert code == 0
        assert match["reply"] == "smtp-auth-disabled-tenant"
        assert match["blockers"] == ["smtp-auth-switch"]
        assert match["confidence"] == "documented"
        assert match["source"].startswith("https://learn.microsoft.com/")
        assert "security-defaults" in document["also_check"]
        assert document["joined"] is None
        assert "nearest" not in document

    def test_text_says_all_there_is_to_say(self):
        _, output = cli(TENANT)
        for words in ("Means", "Points at", "smtp-auth-switch", "How sure", "Do first", "Its risk", "Not proven"):
            assert words in output
        assert output.isascii()

    @pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: reply.id)
    def test_every_reply_can_be_told_in_both_forms(self, reply):
        text = f"{reply.code.split(' / ')[0].split(' - ')[0]} Authentication unsuccessful, {reply.text}"
        explanation: Explanation = explain(text)
        assert "Do first" in as_text(explanation)
        assert all(match["first"] for match in json.loads(as_json(explanation))["matches"])

    def test_words_without_quotes_are_one_text(self):
        assert cli("--format", "json", *TENANT.split()) == cli("--format", "json", TENANT)

    @pytest.mark.parametrize("arguments", [(), ("-",)])
    def test_stdin_in_utf_16_with_windows_line_ends(self, arguments):
        text = TENANT.replace(" is disabled", "\r\nis disabled") + "\r\n"
        _, output = cli("--format", "json", *arguments, stdin=text.encode("utf-16"))
        assert json.loads(output)["matches"][0]["reply"] == "smtp-auth-disabled-tenant"

    @pytest.mark.parametrize("stdin", [b"", b"  \r\n\t", "\ufeff".encode("utf-16")])
    def test_no_text_is_wrong_usage(self, stdin):
        with pytest.raises(UsageError, match="no text") as raised:
            cli(stdin=stdin)
        assert raised.value.exit_code == 2

    def test_too_long_a_text_is_wrong_usage(self):
        with pytest.raises(UsageError, match="longer than 4 MiB"):
            cli(stdin=b"x" * (MOST_BYTES + 1))

    def test_a_text_behind_two_dashes(self):
        assert "account-locked" in cli("--format", "json", "--", f"--- {LOCKED}")[1]

    def test_it_starts_without_anything_heavy(self):
        heavy = ("numpy", "pandas", "msgraph", "aiohttp", "httpx", "azure", "openpyxl", "msgspec")
        code = (
            "import sys\nfrom auditor.cli import auditor\n"
            f"auditor.main(['explain', {TENANT!r}], standalone_mode=False)\n"
            f"loaded = [name for name in {heavy!r} if name in sys.modules]\nassert not loaded, loaded\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "smtp-auth-switch" in done.stdout
