"""What is sent again and what never is, how long is waited, and that nothing secret or ours stands in an error."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import httpx
import msgspec
import pytest
import trustme
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from auditor.errors import ConfigError, OutcomeUnknown, TicketError, TicketRefusal
from auditor.tickets.http import (
    LONGEST_WAIT,
    Connection,
    Credential,
    basic,
    bearer,
    header,
    secret,
    without,
)
from auditor.tickets.pace import Window
from auditor.tickets.settings import TicketSettings

PLANTED = "planted-T0ken-7f3a9c"
Answer = httpx.Response | type[httpx.TransportError] | httpx.TransportError


class Scripted(httpx.BaseTransport):
    """Answers in turn, the last one for ever; `seen` holds the requests."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.seen: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, httpx.Response):
            return answer
        raise answer if isinstance(answer, httpx.TransportError) else answer("broken", request=request)


def settings(url: str = "https://tickets.example/base", **more) -> TicketSettings:
    return TicketSettings(name="ops", system="test", url=url, **more)


@pytest.fixture
def connected(clock) -> Callable[..., tuple[Connection, Scripted]]:
    def connect(*answers: Answer, **options) -> tuple[Connection, Scripted]:
        script = Scripted(*answers)
        return Connection(settings(), bearer(PLANTED), clock, transport=script, **options), script

    return connect


OK = httpx.Response(200, json={"ok": True})


def test_the_credential_and_the_path_are_sent(connected):
    connection, script = connected(OK)
    assert connection.json(dict[str, bool], "GET", "/rest/x", params={"q": "a b"}) == {"ok": True}
    request = script.seen[0]
    assert str(request.url) == "https://tickets.example/base/rest/x?q=a+b"
    assert request.headers["Authorization"] == f"Bearer {PLANTED}"
    assert request.headers["User-Agent"].startswith("tenant-auditor/")
    assert connection.requests == 1


# --- waiting ---


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "2.5"}, 2.5),
        ({"Retry-After": "Mon, 23 Nov 2026 16:00:09 GMT"}, 9),
        ({"Retry-After": "Mon, 23 Nov 2026 17:00:09 GMT", "Date": "Mon, 23 Nov 2026 17:00:00 GMT"}, 9),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1795449630"}, 30),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"}, 1),
        ({"Retry-After": "soon"}, 1),
        ({}, 1),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_throttled_comes_again_when_the_service_says(connected, clock, headers, wait, method):
    connection, script = connected(httpx.Response(429, headers=headers), OK)
    connection.send(method, "x")
    assert clock.paused == [wait]
    assert len(script.seen) == connection.requests == 2


def test_patience_ends_with_an_error_that_says_so(connected, clock):
    connection, script = connected(httpx.Response(429))
    with pytest.raises(TicketError, match="still throttles GET /base/x"):
        connection.send("GET", "x")
    assert clock.paused == [1, 2, 4, 8, 16]
    assert len(script.seen) == 6


def test_a_wait_that_is_too_long_is_not_begun(connected, clock):
    connection, script = connected(httpx.Response(429, headers={"Retry-After": "3600"}))
    with pytest.raises(TicketError, match="asks to wait 3600 seconds"):
        connection.send("GET", "x")
    assert (clock.paused, len(script.seen)) == ([], 1)


def test_all_waits_of_a_request_are_bounded(connected, clock):
    connection, _ = connected(httpx.Response(429, headers={"Retry-After": "299"}))
    with pytest.raises(TicketError, match="throttles"):
        connection.send("GET", "x")
    assert sum(clock.paused) <= 900


def test_a_success_may_ask_for_a_pause_before_the_next_request(connected, clock):
    connection, _ = connected(httpx.Response(200, headers={"Retry-After": "12"}), OK)
    connection.send("GET", "x")
    assert clock.paused == []
    connection.send("GET", "x")
    assert clock.paused == [12]


def test_requests_that_make_something_keep_the_pace(connected, clock):
    connection, _ = connected(OK, pace=(Window(3, 60.0), Window(5, 3600.0)))
    for _ in range(3):
        connection.send("POST", "x")
    connection.send("GET", "x")
    assert clock.paused == []
    for _ in range(2):
        connection.send("POST", "x")
    assert clock.paused == [60]
    with pytest.raises(TicketError, match="limit for the next 3540 seconds"):
        connection.send("POST", "x")
    assert max(clock.paused) <= LONGEST_WAIT


@examples(deadline=None, max_examples=30)
@given(st.lists(st.floats(min_value=0, max_value=90), max_size=40))
def test_no_window_ever_holds_more_than_its_count(gaps):
    from tests.tickets.conftest import FakeClock

    clock, made = FakeClock(), []
    connection = Connection(settings(), bearer("t"), clock, transport=Scripted(OK), pace=(Window(4, 60.0),))
    for gap in gaps:
        clock.seconds += gap
        connection.send("POST", "x")
        made.append(clock.seconds)
    for start in made:
        assert sum(start <= moment < start + 59.999 for moment in made) <= 4


# --- broken connections ---


@pytest.mark.parametrize("broken", [httpx.ReadError, httpx.ReadTimeout, httpx.WriteError, httpx.RemoteProtocolError])
def test_what_makes_something_is_not_sent_again_after_a_broken_connection(connected, broken):
    connection, script = connected(broken, OK)
    with pytest.raises(OutcomeUnknown, match="whether it was carried out is unknown"):
        connection.send("POST", "x", json={"title": "t"})
    assert len(script.seen) == 1


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH"])
def test_what_changes_nothing_the_second_time_is_sent_again(connected, method):
    connection, script = connected(httpx.ReadError, OK)
    connection.send(method, "x")
    assert len(script.seen) == 2


def test_a_search_that_is_a_post_may_be_sent_again(connected):
    connection, script = connected(httpx.ReadError, OK)
    connection.send("POST", "search", repeatable=True)
    assert len(script.seen) == 2


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout])
def test_before_anything_was_sent_everything_may_come_again(connected, error):
    connection, script = connected(error, OK)
    connection.send("POST", "x")
    assert len(script.seen) == 2


def test_a_service_that_is_not_there_is_named(connected):
    connection, script = connected(httpx.ConnectError("[Errno 111] Connection refused"))
    with pytest.raises(TicketError, match=r"tickets\.example was not reached .*refused"):
        connection.send("GET", "x")
    assert len(script.seen) == 6


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_gateways_answer_to_what_makes_something_leaves_the_outcome_unknown(connected, status):
    connection, script = connected(httpx.Response(status))
    with pytest.raises(OutcomeUnknown, match=f"HTTP {status}"):
        connection.send("POST", "x")
    assert len(script.seen) == 1


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateways_answer_to_a_read_is_followed_by_another_try(connected, status):
    connection, script = connected(httpx.Response(status), OK)
    connection.send("GET", "x")
    assert len(script.seen) == 2


def test_a_gateway_that_never_comes_back_is_no_refusal_of_the_ticket(connected, clock):
    connection, script = connected(httpx.Response(502), throttled_wait=60.0)
    with pytest.raises(TicketError, match="answered with HTTP 502") as caught:
        connection.send("GET", "x")
    assert not isinstance(caught.value, TicketRefusal)
    assert (clock.paused, len(script.seen)) == ([1, 2, 4, 8, 16], 6)


def test_a_503_that_names_a_time_was_not_carried_out(connected, clock):
    connection, script = connected(httpx.Response(503, headers={"Retry-After": "5"}), OK)
    connection.send("POST", "x")
    assert (clock.paused, len(script.seen)) == ([5], 2)


# --- refusals ---


@pytest.mark.parametrize(
    ("status", "remedy"), [(400, ""), (401, "credential"), (403, "rights"), (404, "url and project"), (409, "")]
)
def test_a_refusal_is_told_with_its_status_and_remedy(connected, status, remedy):
    connection, script = connected(httpx.Response(status, json={"message": "Field x is required"}))
    with pytest.raises(TicketRefusal, match="Field x is required") as caught:
        connection.send("POST", "x")
    assert caught.value.status == status
    assert remedy in caught.value.remedy
    assert len(script.seen) == 1


def test_a_refusal_may_be_the_callers_to_read(connected):
    connection, _ = connected(httpx.Response(412))
    assert connection.send("PUT", "x", accept=(412,)).status_code == 412


def test_a_redirect_is_never_followed_and_its_query_not_told(connected):
    connection, script = connected(httpx.Response(302, headers={"Location": "https://login.example/sso?token=abc"}))
    with pytest.raises(TicketError, match=r"redirected to https://login\.example/sso") as caught:
        connection.send("GET", "x")
    assert "token" not in str(caught.value)
    assert len(script.seen) == 1


@pytest.mark.parametrize(
    "there", ["https://evil.example/x", "http://tickets.example/x", "https://tickets.example:444/"]
)
def test_an_address_that_the_service_names_elsewhere_gets_nothing(connected, there):
    connection, script = connected(OK)
    with pytest.raises(TicketError, match="another host"):
        connection.send("GET", there)
    assert script.seen == []
    connection.send("GET", "https://tickets.example:443/next")


@pytest.mark.parametrize("text", ["<html>Sign in</html>", "", '{"other": 1}', "[]", "\xff"])
def test_an_answer_of_another_shape_is_told(connected, text):
    connection, _ = connected(httpx.Response(200, content=text.encode("latin-1")))
    with pytest.raises(TicketError, match="GET /base/x was answered with something unexpected"):
        connection.json(Page, "GET", "x")


class Page(msgspec.Struct):
    issues: list[str]


# --- what errors may not say ---


def test_an_error_holds_neither_the_secret_nor_our_text(connected):
    ours = "Accounts that may sign in with a bare password"
    told = f"Title '{ours}' is too long ({PLANTED}); owner Ann Lee is unknown"
    connection, _ = connected(httpx.Response(400, json={"message": told}))
    with pytest.raises(TicketRefusal) as caught:
        connection.send("POST", "x", json={"fields": {"title": f"Report: {ours}!", "owner": ["Ann Lee"]}})
    assert caught.value.reason == "Title '…' is too long (…); owner … is unknown"


def test_a_broken_connection_shows_no_secret(connected):
    connection, _ = connected(httpx.ConnectError(f"proxy said {PLANTED}"))
    with pytest.raises(TicketError) as caught:
        connection.send("GET", "x")
    assert PLANTED not in str(caught.value)


def test_a_credential_shows_nothing_of_itself():
    for credential in (bearer(PLANTED), basic("user", PLANTED), header("X-Key", PLANTED)):
        assert PLANTED not in repr(credential)
        assert all(part not in repr(credential) for part in credential.secrets)
    assert isinstance(bearer("x"), Credential)


@examples(deadline=None)
@given(st.text(max_size=60), st.text(min_size=24, max_size=80), st.text(max_size=60))
def test_no_long_piece_of_what_was_sent_is_left(before, ours, after):
    told = without(f"{before}{ours}{after}", [f"a {ours} b"])
    assert ours not in told


# --- settings ---


@pytest.mark.parametrize(
    "url", ["", "tickets.example", "ftp://x.example", "https://", "https://u:p@x.example", "https://x/?a"]
)
def test_an_address_that_is_none_is_refused(url, clock):
    with pytest.raises(ConfigError, match="url is no address"):
        Connection(settings(url), bearer("t"), clock)


def test_a_credential_travels_in_clear_to_this_machine_only(clock):
    with pytest.raises(ConfigError, match="in clear"):
        Connection(settings("http://tickets.example"), bearer("t"), clock)
    Connection(settings("http://127.0.0.1:8080"), bearer("t"), clock)


def test_a_certificate_authority_must_be_one(clock, tmp_path):
    with pytest.raises(ConfigError, match="ca_bundle cannot be read"):
        Connection(settings(ca_bundle=str(tmp_path / "none.pem")), bearer("t"), clock)
    (tmp_path / "empty.pem").write_text("nothing", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"(?i)no.certificate"):
        Connection(settings(ca_bundle=str(tmp_path / "empty.pem")), bearer("t"), clock)
    (tmp_path / "ca.pem").write_bytes(trustme.CA().cert_pem.bytes())
    Connection(settings(ca_bundle=str(tmp_path / "ca.pem")), bearer("t"), clock)


def test_a_certificate_that_does_not_verify_is_not_tried_again(connected):
    error = httpx.ConnectError(str(ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] self-signed")))
    connection, script = connected(error)
    with pytest.raises(TicketError, match="never go on without verification"):
        connection.send("GET", "x")
    assert len(script.seen) == 1


class Keyed(TicketSettings, frozen=True, kw_only=True):
    token_env: str = ""


def test_a_credential_comes_from_the_environment():
    keyed = Keyed(name="ops", system="test", url="https://x.example", token_env="OPS_TOKEN")
    assert secret({"OPS_TOKEN": f" {PLANTED}\n"}, keyed, "token_env") == PLANTED
    with pytest.raises(ConfigError, match='"ops": token_env: the environment variable OPS_TOKEN is empty or not set'):
        secret({}, keyed, "token_env")
    with pytest.raises(ConfigError, match="cannot stand in a header") as caught:
        secret({"OPS_TOKEN": "geheim-ä"}, keyed, "token_env")
    assert "geheim" not in str(caught.value)
    with pytest.raises(ConfigError, match="token_env is missing"):
        secret({}, Keyed(name="ops", system="test", url="https://x.example"), "token_env")
