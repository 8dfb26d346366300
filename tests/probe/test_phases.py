"""A probe against servers that behave in every way but the right one: it ends in time, says why, gives nothing away."""

from __future__ import annotations

import base64
import socket
import ssl
import warnings
from dataclasses import replace
from datetime import UTC, datetime

import msgspec
import pytest

from auditor.errors import ServiceError, SignInError
from auditor.probe import Memory, probe
from auditor.probe.credential import Nothing, Password, Token

AUTH = "AUTH LOGIN XOAUTH2"


def outcomes(result):
    return [(phase.name, phase.outcome) for phase in result.phases]


def free_port() -> int:
    with socket.socket() as probe_socket:
        probe_socket.bind(("127.0.0.1", 0))
        return probe_socket.getsockname()[1]


def takes_everything(line):
    line.begin(AUTH)
    line.hear()
    line.say("334 VXNlcm5hbWU6")
    line.hear()
    line.say("334 UGFzc3dvcmQ6")
    line.hear()
    line.say("235 2.7.0 welcome")
    for answer in ("250 2.1.0 fine", "250 2.1.5 fine", "221 bye"):
        line.hear()
        line.say(answer)


# --- nobody there ---------------------------------------------------------------------------------------------------


def test_a_name_that_does_not_resolve_is_unreachable(job, tools):
    made = job(587, contact=("no-such-host.invalid", 587))
    result, _ = probe(made, tools)
    assert outcomes(result) == [("dns", "failed")]
    assert result.ending == "unreachable"


def test_a_closed_port_is_unreachable_and_a_wrong_port_is_named(job, tools):
    closed = free_port()
    result, _ = probe(job(closed), tools)
    assert outcomes(result) == [("dns", "skipped"), ("connect", "failed")]
    assert result.ending == "unreachable"
    assert result.blockers == ("sender-settings",)
    usual, _ = probe(job(587, contact=("127.0.0.1", closed)), tools)
    assert (usual.ending, usual.blockers) == ("unreachable", ())


def test_a_server_that_never_greets_is_left_in_time(job, tools, serve):
    server = serve(lambda line: line.until_stopped())
    tools.phase_seconds = 0.2
    result, _ = probe(job(server.port), tools)
    assert outcomes(result) == [("dns", "skipped"), ("connect", "done"), ("greeting", "failed")]
    assert "within" in result.phases[-1].detail
    assert result.ending == "unreachable"


def test_a_server_that_drips_is_left_in_time(job, tools, serve):
    def drip(line):
        while not line.stop.wait(0.02):  # each byte well within the time of one read
            line.connection.sendall(b"2")

    tools.phase_seconds = 0.4
    result, _ = probe(job(serve(drip).port), tools)
    assert outcomes(result)[-1] == ("greeting", "failed")


def test_the_whole_probe_is_bounded_whatever_the_phases_may_take(job, tools, serve):
    tools.phase_seconds, tools.total_seconds = 60.0, 0.3
    result, _ = probe(job(serve(lambda line: line.until_stopped()).port), tools)
    assert result.ending == "unreachable"


# --- no SMTP --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "talk",
    [
        lambda line: line.say("HTTP/1.1 400 Bad Request"),
        lambda line: line.say("220" + "x" * 9000),
        lambda line: line.say("220 " + "x" * 9000),
        lambda line: line.say(*["220-more"] * 1000),
        lambda line: line.say("22"),
        lambda line: None,
    ],
    ids=["http", "no separator", "endless line", "endless reply", "short", "closed"],
)
def test_what_is_no_smtp_is_said_and_not_repeated(job, tools, serve, talk):
    result, _ = probe(job(serve(talk).port), tools)
    assert outcomes(result)[-1] == ("greeting", "failed")
    assert "Bad Request" not in str(result)


def test_a_refused_greeting_is_explained(job, tools, serve):
    server = serve(lambda line: line.say("421 4.4.2 Message submission rate for this client has exceeded the "
                                         "configured limit"))  # fmt: skip
    result, _ = probe(job(server.port), tools)
    assert result.ending == "refused"
    assert result.replies == ("submission-rate",)


def test_a_code_that_does_not_fit_the_command_is_no_success(job, tools, serve):
    result, _ = probe(job(serve(lambda line: line.say("250 hello")).port), tools)
    assert outcomes(result)[-1] == ("greeting", "failed")
    assert result.phases[-1].reply.code == 250


# --- TLS ------------------------------------------------------------------------------------------------------------


def test_without_starttls_nothing_secret_is_sent(job, tools, serve, planted):
    def talk(line):
        line.say("220 ready")
        line.hear()
        line.say("250-server", "250 AUTH LOGIN")
        line.hear()

    server = serve(talk)
    result, _ = probe(job(server.port), tools)
    assert outcomes(result)[-1] == ("tls", "failed")
    assert (result.ending, result.blockers) == ("stopped", ("sender-settings",))
    assert [line[:4].upper() for line in server.heard[0]] == ["EHLO", "QUIT"]


def test_a_certificate_for_another_name_stops_before_the_sign_in_and_is_shown(job, tools, serve, trust):
    server = serve(takes_everything, "other.example")
    result, _ = probe(job(server.port, ca_file=trust.ca_file), tools)
    phase = result.phase("tls")
    assert phase.outcome == "failed"
    assert dict(phase.facts)["names"] == "other.example"
    assert result.blockers == ("sender-settings",)
    assert not any("AUTH" in heard for connection in server.heard for heard in connection)


def test_a_certificate_that_nobody_trusts_points_at_no_blocker(job, tools, serve):
    result, _ = probe(job(serve(takes_everything).port), tools)
    phase = result.phase("tls")
    assert phase.outcome == "failed"
    assert "certificate is refused" in phase.detail
    assert result.blockers == ()
    assert any("ca_bundle" in note for note in result.notes)


def test_a_certificate_out_of_date_is_said_to_be_so_and_nothing_secret_is_sent(job, tools, serve, trust):
    dates = {"not_before": datetime(2020, 1, 1, tzinfo=UTC), "not_after": datetime(2021, 1, 1, tzinfo=UTC)}
    server = serve(takes_everything, **dates)
    result, _ = probe(job(server.port, ca_file=trust.ca_file), tools)
    phase = result.phase("tls")
    assert "certificate has expired" in phase.detail
    assert dict(phase.facts)["expires"] == "2021-01-01T00:00:00Z"
    assert any("clock" in note for note in result.notes)
    assert result.blockers == ()
    assert not any("AUTH" in line for heard in server.heard for line in heard)


def test_starttls_that_is_offered_and_refused_ends_before_anything_secret(job, tools, serve):
    def talk(line):
        line.say("220 ready")
        line.hear()
        line.say("250-server", "250 STARTTLS")
        line.hear()
        line.say("454 4.7.0 TLS not available due to local problem")
        line.hear()

    server = serve(talk)
    result, _ = probe(job(server.port), tools)
    assert outcomes(result)[-1] == ("starttls", "refused")
    assert result.ending == "refused"
    assert not any("AUTH" in line for line in server.heard[0])


STEPS = ("ehlo", "starttls", "ehlo", "auth", "auth", "auth", "mail-from", "rcpt-to", "data", "data")
"""what the server hears, one after the other: AUTH, the user name and the password are one phase, DATA is two steps"""
ANSWERS = (
    ("250-server", "250 STARTTLS"), ("220 go ahead",), ("250-server", "250 AUTH LOGIN"), ("334 VXNlcm5hbWU6",),
    ("334 UGFzc3dvcmQ6",), ("235 in",), ("250 ok",), ("250 ok",), ("354 go on",), ("250 taken",),
)  # fmt: skip


@pytest.mark.parametrize(
    ("silent", "dripping"), [*((step, False) for step in range(len(STEPS))), (0, True), (5, True), (9, True)]
)
def test_a_server_that_falls_silent_at_any_step_is_left_in_time(job, tools, serve, trust, silent, dripping):
    def talk(line):
        line.say("220 ready")
        for step in range(len(STEPS)):
            line.hear()
            if step == silent:
                while dripping and not line.stop.wait(0.02):
                    line.connection.sendall(b"2")
                line.until_stopped()
            line.say(*ANSWERS[step])
            if STEPS[step] == "starttls":
                line.secure()

    tools.phase_seconds = 1.0  # a busy machine must get through the steps before
    result, _ = probe(job(serve(talk).port, ca_file=trust.ca_file, send=True), tools)
    assert outcomes(result)[-1] == (STEPS[silent], "failed")
    assert result.ending == "stopped"
    sent = silent >= STEPS.index("auth") + 2  # the password was on its way
    accepted = silent > STEPS.index("auth") + 2
    assert (tools.memory.held_back("scanner@contoso.example") is not None) is (sent and not accepted)


def test_an_ip_address_is_no_name_of_the_certificate(job, tools, serve, trust):
    result, _ = probe(job(serve(takes_everything).port, ca_file=trust.ca_file, host="192.0.2.10"), tools)
    assert result.phase("tls").outcome == "failed"
    assert result.blockers == ("sender-settings",)


def test_tls_from_the_first_byte_against_a_server_that_expects_starttls(job, tools, serve, trust):
    result, _ = probe(job(serve(takes_everything).port, ca_file=trust.ca_file, tls="implicit"), tools)
    assert outcomes(result)[-1] == ("tls", "failed")
    assert result.blockers == ("sender-settings",)
    assert any("implicit" in pointer.why for pointer in result.pointers)


def test_tls_from_the_first_byte_works_where_the_server_offers_it(job, tools, serve, trust):
    def talk(line):
        line.secure()
        line.say("220 ready")
        line.hear()
        line.say("250-server", f"250 {AUTH}")
        line.hear()
        line.say("535 5.7.139 Authentication unsuccessful, account locked. Contact your administrator.")
        line.hear()

    result, _ = probe(job(serve(talk).port, ca_file=trust.ca_file, tls="implicit"), tools)
    assert outcomes(result)[:4] == [("dns", "skipped"), ("connect", "done"), ("tls", "done"), ("greeting", "done")]
    assert result.replies == ("account-locked",)


def test_old_tls_alone_is_refused_by_us_in_words(job, tools, serve, trust):
    def talk(line):
        line.context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        line.context.set_ciphers("DEFAULT:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            line.context.options |= ssl.OP_NO_TLSv1_2 | ssl.OP_NO_TLSv1_3
        takes_everything(line)

    result, _ = probe(job(serve(talk).port, ca_file=trust.ca_file), tools)
    assert outcomes(result)[-1] == ("tls", "failed")
    assert "no TLS 1.2" in result.phases[-1].detail


def test_a_handshake_that_never_ends_is_left_in_time(job, tools, serve, trust):
    def talk(line):
        line.say("220 ready")
        line.hear()
        line.say("250-server", "250 STARTTLS")
        line.hear()
        line.say("220 go ahead")
        line.until_stopped()

    tools.phase_seconds = 0.3
    result, _ = probe(job(serve(talk).port, ca_file=trust.ca_file), tools)
    assert outcomes(result)[-1] == ("tls", "failed")


def test_words_slipped_in_before_tls_count_for_nothing(job, tools, serve, trust):
    """RFC 3207, section 4.2: what follows the 220 in clear must not be taken for the server's first secured word."""

    def talk(line):
        line.say("220 ready")
        line.hear()
        line.say("250-server", "250 STARTTLS")
        line.hear()
        line.say("220 go ahead", "250 AUTH LOGIN")
        line.secure()
        line.hear()
        line.say("250-server", "250 SIZE 1000")
        line.hear()

    result, _ = probe(job(serve(talk).port, ca_file=trust.ca_file), tools)
    assert "AUTH" not in dict(result.phase("ehlo").facts)["offers"]
    assert result.phases[-1].detail == "The server does not offer AUTH LOGIN."


def test_without_tls_as_declared_the_password_stays_here(job, tools, serve, planted):
    def talk(line):
        line.say("220 ready")
        line.hear()
        line.say("250-server", "250 AUTH LOGIN")
        line.hear()
        line.say("334 VXNlcm5hbWU6")
        line.hear()
        line.say("501 aborted")
        line.hear()

    server = serve(talk)
    result, _ = probe(job(server.port, tls="none"), tools)
    assert outcomes(result)[-1] == ("auth", "skipped")
    assert result.blockers == ("sender-settings",)
    assert server.heard[0][1:3] == ["AUTH LOGIN", "*"]


# --- the sign-in ----------------------------------------------------------------------------------------------------


def test_everything_taken(job, tools, serve, trust):
    server = serve(takes_everything)
    result, _ = probe(job(server.port, ca_file=trust.ca_file), tools)
    assert (result.ending, result.blockers) == ("accepted", ())
    assert result.succeeded
    assert not any(heard.upper().startswith("DATA") for heard in server.heard[0])
    assert any("--send" in note for note in result.notes)


def test_a_server_that_asks_on_gets_no_second_password(job, tools, serve, trust):
    def talk(line):
        line.begin(AUTH)
        for question in ("VXNlcm5hbWU6", "UGFzc3dvcmQ6", "UGFzc3dvcmQ6"):
            line.hear()
            line.say(f"334 {question}")
        line.hear()
        line.say("501 5.7.0 aborted")
        line.hear()

    server = serve(talk)
    result, _ = probe(job(server.port, ca_file=trust.ca_file), tools)
    assert result.ending == "refused"
    assert server.heard[0][-2:] == ["*", "QUIT"]


def test_a_mechanism_that_is_not_offered_is_not_tried(job, tools, serve, trust):
    def talk(line):
        line.begin("AUTH PLAIN CRAM-MD5")
        line.hear()

    server = serve(talk)
    result, _ = probe(job(server.port, ca_file=trust.ca_file), tools)
    assert outcomes(result)[-1] == ("auth", "failed")
    assert result.blockers == ("sender-settings",)
    assert server.heard[0][-1] == "QUIT"


def test_a_connection_that_breaks_at_the_password_is_remembered(job, tools, serve, trust, memory):
    def talk(line):
        line.begin(AUTH)
        for question in ("VXNlcm5hbWU6", "UGFzc3dvcmQ6"):
            line.hear()
            line.say(f"334 {question}")
        line.hear()

    result, _ = probe(job(serve(talk).port, ca_file=trust.ca_file), tools)
    assert outcomes(result)[-1] == ("auth", "failed")
    assert memory.held_back("scanner@contoso.example").outcome == "no answer was seen"


def test_in_the_middle_of_a_sign_in_nothing_is_said_that_could_be_a_password(job, tools, serve, trust, memory):
    """QUIT is valid base64: a server that waits for a password would count it as a wrong one."""

    def talk(line):
        line.begin(AUTH)
        line.hear()
        line.say("334 VXNlcm5hbWU6")
        line.hear()
        line.say("this is no reply")
        line.hear()

    server = serve(talk)
    made = job(server.port, ca_file=trust.ca_file)
    result, _ = probe(made, tools)
    assert outcomes(result)[-1] == ("auth", "failed")
    assert len(server.heard[0]) == 5
    assert memory.held_back(made.login) is None


def test_another_program_that_is_faster_leaves_no_half_sign_in(job, tools, serve, trust, clock, tmp_path):
    """Between the name and the password somebody else tries the account: nothing more is said, not even QUIT."""
    other = Memory(tmp_path / "memory", clock)

    def talk(line):
        line.begin(AUTH)
        line.hear()
        line.say("334 VXNlcm5hbWU6")
        line.hear()
        assert other.begin("scanner@contoso.example", again=False)
        line.say("334 UGFzc3dvcmQ6")
        line.hear()

    server = serve(talk)
    result, _ = probe(job(server.port, ca_file=trust.ca_file), tools)
    assert outcomes(result)[-1] == ("auth", "skipped")
    assert len(server.heard[0]) == 5


def refuses(text):
    def talk(line):
        line.begin(AUTH)
        for question in ("VXNlcm5hbWU6", "UGFzc3dvcmQ6"):
            line.hear()
            line.say(f"334 {question}")
        line.hear()
        line.say(text)
        line.hear()

    return talk


def test_a_refused_password_is_remembered_and_not_sent_again(job, tools, serve, trust, memory):
    server = serve(refuses("535 5.7.139 Authentication unsuccessful, the user credentials were incorrect."))
    made = job(server.port, ca_file=trust.ca_file)
    first, _ = probe(made, tools)
    assert (first.ending, first.blockers) == ("refused", ("credential", "per-user-mfa"))
    assert memory.held_back(made.login).outcome == "refused with 535"
    tools.tried.clear()
    second, _ = probe(made, tools)
    assert outcomes(second)[-1] == ("auth", "skipped")
    assert [line.split()[0].upper() for line in server.heard[1]] == ["EHLO", "STARTTLS", "EHLO", "QUIT"]


def test_again_that_gets_no_further_than_the_name_keeps_the_refusal(job, tools, serve, trust, memory):
    made = job(serve(refuses("535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.")).port,
               ca_file=trust.ca_file)  # fmt: skip
    probe(made, tools)
    tools.tried.clear()
    tools.again = True

    def talk(line):
        line.begin(AUTH)
        line.hear()
        line.say("504 5.7.4 Unrecognized authentication type")
        line.hear()

    assert probe(replace(made, contact=("127.0.0.1", serve(talk).port)), tools)[0].blockers == ("sender-settings",)
    assert memory.held_back(made.login).outcome == "refused with 535"


def test_again_sends_it_once_more(job, tools, serve, trust):
    server = serve(refuses("535 5.7.139 Authentication unsuccessful, the user credentials were incorrect."))
    made = job(server.port, ca_file=trust.ca_file)
    probe(made, tools)
    tools.tried.clear()
    tools.again = True
    assert probe(made, tools)[0].ending == "refused"


def test_a_transient_answer_is_not_held_against_the_password(job, tools, serve, trust, memory):
    made = job(serve(refuses("454 4.7.0 Temporary authentication failure")).port, ca_file=trust.ca_file)
    result, _ = probe(made, tools)
    assert result.replies == ("temporary-authentication",)
    assert memory.held_back(made.login) is None


def test_two_senders_of_one_account_are_one_attempt(job, tools, serve, trust):
    server = serve(takes_everything)
    first = job(server.port, ca_file=trust.ca_file)
    again = msgspec.structs.replace(first.sender, name="other", account="SCANNER@contoso.example")
    second = replace(first, sender=again, login=again.account)
    assert probe(first, tools)[0].succeeded
    result, _ = probe(second, tools)
    assert outcomes(result)[-1] == ("auth", "skipped")
    assert "scanner" in result.phases[-1].detail


def test_a_user_name_that_is_not_the_account_is_named_beside_a_refused_password(job, tools, serve, trust):
    server = serve(refuses("535 5.7.139 Authentication unsuccessful, the user credentials were incorrect."))
    result, _ = probe(job(server.port, ca_file=trust.ca_file, username="scan@contoso.example"), tools)
    assert result.blockers == ("credential", "per-user-mfa", "sender-settings")


def test_an_unknown_text_is_said_to_be_unknown(job, tools, serve, trust):
    result, _ = probe(job(serve(refuses("535 the moon is full")).port, ca_file=trust.ca_file), tools)
    assert (result.ending, result.blockers, result.replies) == ("refused", (), ())
    assert any("auditor explain" in note for note in result.notes)


def test_without_a_credential_the_sign_in_is_left_out_and_said(job, tools, serve, trust):
    made = job(
        serve(takes_everything).port, ca_file=trust.ca_file, credential=Nothing("Nobody knows it.", "oauth-grant")
    )
    result, _ = probe(made, tools)
    assert outcomes(result)[-1] == ("auth", "skipped")
    assert (result.ending, result.blockers) == ("stopped", ("oauth-grant",))


# --- tokens ---------------------------------------------------------------------------------------------------------


def test_a_token_travels_in_one_line(job, tools, serve, trust):
    def talk(line):
        line.begin(AUTH)
        line.hear()
        line.say("235 2.7.0 welcome")
        for answer in ("250 2.1.0 fine", "250 2.1.5 fine", "221 bye"):
            line.hear()
            line.say(answer)

    server = serve(talk)
    made = job(server.port, ca_file=trust.ca_file, auth="oauth", credential=Token("a test", lambda: "t" * 3000))
    result, transcript = probe(made, tools)
    assert result.succeeded
    assert len(server.heard[0][3]) > 4000
    assert "C: AUTH XOAUTH2 ****" in transcript.lines


def test_a_challenge_after_a_token_is_acknowledged_and_the_reply_counts(job, tools, serve, trust):
    def talk(line):
        line.begin(AUTH)
        line.hear()
        line.say("334 eyJzdGF0dXMiOiI0MDEifQ==")
        line.hear()
        line.say("535 5.7.3 Authentication unsuccessful")
        line.hear()

    server = serve(talk)
    result, _ = probe(
        job(server.port, ca_file=trust.ca_file, auth="oauth", credential=Token("a test", lambda: "token-1234567")),
        tools,
    )
    assert server.heard[0][4] == ""
    assert (result.replies, result.blockers) == (("oauth-unsuccessful",), ("oauth-grant",))


@pytest.mark.parametrize(
    ("error", "outcome", "ending", "blockers"),
    [
        (
            SignInError("tenant Contoso: sign-in failed: the client secret is wrong (AADSTS7000215)."),
            "refused",
            "refused",
            ("oauth-grant",),
        ),
        (ServiceError("login.example could not be reached."), "failed", "stopped", ()),
    ],
)
def test_no_token_ends_the_probe_before_the_sign_in(job, tools, serve, trust, error, outcome, ending, blockers):
    def obtain():
        raise error

    server = serve(takes_everything)
    made = job(server.port, ca_file=trust.ca_file, auth="oauth", credential=Token("a test", obtain))
    result, _ = probe(made, tools)
    assert outcomes(result)[-1] == ("token", outcome)
    assert (result.ending, result.blockers) == (ending, blockers)
    assert server.heard[0][-1] == "QUIT"


def test_a_token_that_never_comes_is_given_up(job, tools, serve, trust):
    server = serve(takes_everything)
    tools.total_seconds = 1.0
    made = job(server.port, ca_file=trust.ca_file, auth="oauth", credential=Token("a test", lambda: hang(tools)))
    result, _ = probe(made, tools)
    assert outcomes(result)[-1] == ("token", "failed")


def hang(tools) -> str:
    """Waits for what never comes."""
    first, second = socket.socketpair()
    with first, second:
        first.recv(1)
    return ""


# --- the message ----------------------------------------------------------------------------------------------------


def delivers(answers):
    def talk(line):
        line.begin(AUTH)
        line.hear()
        line.say("334 VXNlcm5hbWU6")
        line.hear()
        line.say("334 UGFzc3dvcmQ6")
        line.hear()
        for answer in ("235 2.7.0 welcome", "250 2.1.0 fine", "250 2.1.5 fine", *answers):
            line.say(answer)
            heard = line.hear()
            while answer.startswith("354") and heard != ".":
                heard = line.hear()

    return talk


def test_a_message_goes_out_only_where_it_was_asked_for(job, tools, serve, trust):
    server = serve(delivers(["354 go on", "250 2.0.0 queued"]))
    made = job(server.port, ca_file=trust.ca_file, send=True, to="me@contoso.example")
    result, transcript = probe(made, tools)
    assert result.ending == "sent"
    assert "Subject: SMTP test" in server.heard[0]
    assert "To: me@contoso.example" in server.heard[0]
    assert not any("Subject" in line for line in transcript.lines)
    assert any(line.startswith("C: [a message of ") for line in transcript.lines)


@pytest.mark.parametrize(
    "answers",
    [
        ["354 go on", "554 5.2.252 SendAsDenied; a not allowed to send as b"],
        ["550 5.7.60 SMTP; Client does not have permissions to send as this sender"],
    ],
)
def test_a_refused_message_is_explained(job, tools, serve, trust, answers):
    made = job(serve(delivers(answers)).port, ca_file=trust.ca_file, send=True)
    result, _ = probe(made, tools)
    assert (result.ending, result.blockers) == ("refused", ("send-as",))


def test_letters_that_the_server_does_not_take_are_said(job, tools, serve, trust):
    made = job(serve(takes_everything).port, ca_file=trust.ca_file, from_="scännер@contoso.example")
    result, _ = probe(made, tools)
    assert outcomes(result)[-1] == ("mail-from", "failed")
    assert "SMTPUTF8" in result.phases[-1].detail


# --- other routes ---------------------------------------------------------------------------------------------------


def test_graph_is_not_probed_at_all(job, tools):
    result, transcript = probe(job(587, route="graph", channel="none", credential=Nothing("none")), tools)
    assert outcomes(result) == [("connect", "skipped")]
    assert transcript.lines == []


def test_each_phase_is_announced_as_it_ends(job, tools, serve, trust):
    heard = []
    tools.announce = lambda phase: heard.append(phase.name)
    result, _ = probe(job(serve(takes_everything).port, ca_file=trust.ca_file), tools)
    assert heard == [phase.name for phase in result.phases]


def test_a_password_with_letters_of_any_alphabet_arrives_as_utf8(job, tools, serve, trust):
    server = serve(takes_everything)
    made = job(server.port, ca_file=trust.ca_file, credential=Password("a test", "Pässwörd–密码"))
    assert probe(made, tools)[0].succeeded
    assert base64.b64decode(server.heard[0][5]).decode() == "Pässwörd–密码"
