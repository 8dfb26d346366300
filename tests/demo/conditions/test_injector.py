"""Each fault on the wire, as a client sees it."""

from __future__ import annotations

import base64
import json
import re
import socket
import ssl
from datetime import timedelta

import httpx
import pytest

from auditor.demo.conditions import Conditions
from auditor.demo.conditions.faults import (
    Certificate,
    DeadToken,
    Duplicates,
    EmptyPage,
    FaultPlan,
    ForeignLink,
    Garbled,
    LinkLoop,
    NoCloseNotify,
    RelativeLink,
    Reset,
    Slow,
    Status,
    TokenRevoked,
    Truncated,
    UserDeleted,
)
from auditor.demo.wire import http_date

USERS = "/users?$select=id&$top=100"


@pytest.fixture
def meet(serve, tenant, clock):
    """A client of the test tenant (three pages of USERS) that meets these faults."""

    def start(*faults, seed=1, told_scale=1.0):
        plan = FaultPlan(faults=faults, seed=seed)
        return serve(tenant, Conditions(clock=clock, faults=plan, told_scale=told_scale))

    return start


def statuses(client, count, path=USERS):
    return [client.graph(path).status_code for _ in range(count)]


def ids(pages):
    return [record["id"] for page in pages for record in page]


def everybody(tenant):
    return [user["id"] for user in tenant.graph["users"]]


@pytest.mark.parametrize(
    ("selection", "struck"),
    [
        ({}, [1]),
        ({"nth": 3}, [3]),
        ({"nth": 2, "times": 2}, [2, 3]),
        ({"nth": 2, "every": 3, "times": 0}, [2, 5, 8]),
        ({"times": 0, "path": "/us?rs"}, list(range(1, 10))),
        ({"times": 0, "path": "/groups*"}, []),
        ({"times": 0, "method": "POST"}, []),
        ({"times": 0, "service": "exchange"}, []),
    ],
)
def test_where_and_when_a_fault_strikes(meet, selection, struck):
    client = meet(Status(status=503, **selection))
    assert [number for number, status in enumerate(statuses(client, 9), 1) if status == 503] == struck
    assert [one.number for one in client.emulator.struck] == struck
    assert {one.place for one in client.emulator.struck} <= {"/users"}


def test_chance_repeats_with_the_seed(meet):
    fault = Status(status=500, times=0, probability=0.4)
    draws = [statuses(meet(fault, seed=seed), 20) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
    assert 1 < draws[0].count(500) < 19


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (30, "30"),
        (2.128, "2.128"),
        (600, "600"),
        ("date+180", None),
        ("soon", "soon"),
    ],
)
def test_every_form_of_retry_after(meet, tenant, asked, told):
    client = meet(Status(path="/users", status=429, retry_after=asked))
    answer = client.graph(USERS)
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == (told or http_date(tenant.now + timedelta(seconds=180)))
    assert answer.json()["error"]["code"] == "TooManyRequests"


def test_no_retry_after_unless_it_is_asked_for_and_a_code_of_ones_own(meet):
    answer = meet(Status(status=504, code="UnknownError")).graph(USERS)
    assert answer.status_code == 504
    assert "Retry-After" not in answer.headers
    assert answer.json()["error"]["code"] == "UnknownError"


def test_a_client_in_slower_time_is_told_its_own_seconds(meet):
    answer = meet(Status(retry_after=600), told_scale=60).graph(USERS)
    assert answer.headers["Retry-After"] == "10"


def test_other_services_refuse_in_their_own_form(meet):
    client = meet(
        Status(service="exchange", path="/Get-Mailbox", status=500),
        Status(service="reports", status=503),
        Status(service="login", path="*/token", status=500),
    )
    assert client.http.post(f"{client.emulator.authority}/x/oauth2/v2.0/token").json()["error_codes"] == [90033]
    assert client.cmdlet("Get-TransportConfig").status_code == 200
    refused = client.cmdlet("Get-Mailbox")
    assert (refused.status_code, "details" in refused.json()["error"]) == (500, True)
    report = client.graph("/reports/getMailboxUsageDetail(period='D7')").headers["Location"]
    assert [client.http.get(report).status_code for _ in range(2)] == [503, 200]


def test_an_inner_call_of_a_batch_is_refused_by_itself(meet):
    client = meet(Status(path="/organization", nth=2, status=429, retry_after=7))
    calls = [{"id": str(number), "method": "GET", "url": "/organization"} for number in range(3)]
    parts = client.batch(calls).json()["responses"]
    assert [part["status"] for part in parts] == [200, 429, 200]
    assert parts[1]["headers"]["Retry-After"] == "7"
    assert parts[1]["body"]["error"]["code"] == "TooManyRequests"


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_reset_ends_the_answer(meet, share):
    client = meet(Reset(path="/users", at=share))
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        client.graph(USERS)
    assert client.graph(USERS).status_code == 200


def test_a_truncated_body_is_a_complete_answer(meet):
    client = meet(Truncated(path="/users", at=0.5))
    cut, whole = client.graph(USERS), client.graph(USERS)
    assert cut.status_code == 200
    assert len(cut.content) == int(cut.headers["Content-Length"])
    assert len(cut.content) == len(whole.content) // 2
    assert whole.content.startswith(cut.content)
    with pytest.raises(json.JSONDecodeError):
        cut.json()


def test_a_garbled_body_has_the_right_length(meet):
    client = meet(Garbled(path="/organization"))
    bad, good = client.graph("/organization"), client.graph("/organization")
    assert len(bad.content) == len(good.content)
    with pytest.raises(json.JSONDecodeError):
        bad.json()


def test_a_slow_answer_takes_its_time_on_the_emulators_clock(meet, clock):
    client = meet(Slow(path="/users", seconds=120))
    assert client.graph(USERS).status_code == 200
    assert clock.slept == [120]


def raw(client, path):
    """The bytes of an answer up to the connection's end, and how TLS ended."""
    url = httpx.URL(client.emulator.graph_url)
    token = client.token(client.emulator.graph_url)
    context = ssl.create_default_context(cafile=str(client.emulator.ca_bundle))
    received = b""
    with (
        socket.create_connection(("localhost", url.port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False) as secure,
    ):
        secure.sendall(
            f"GET /v1.0{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            f"Authorization: Bearer {token}\r\n\r\n".encode()
        )
        try:
            while piece := secure.recv(65536):
                received += piece
        except ssl.SSLEOFError:
            return received, "ragged"
    return received, "clean"


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_tls_that_ends_without_close_notify(meet, share):
    client = meet(NoCloseNotify(path="/users", at=share))
    cut, ending = raw(client, USERS)
    assert ending == "ragged"
    whole, ending = raw(client, USERS)
    assert ending == "clean"
    head, _, body = cut.partition(b"\r\n\r\n")
    assert b"content-length" not in head.lower()
    expected = whole.partition(b"\r\n\r\n")[2]
    assert len(body) == (len(expected) if share == 1 else len(expected) // 2)


def test_another_certificate_of_the_same_authority_goes_unnoticed(meet):
    client = meet(Certificate(path="/users", authority="same"))
    shown = [serial(client)]
    assert statuses(client, 3) == [200, 200, 200]
    shown.append(serial(client))
    assert shown[0] != shown[1]


def test_a_foreign_certificate_is_refused_until_the_first_one_is_back(meet):
    client = meet(Certificate(path="/users", authority="foreign", connections=2))
    assert statuses(client, 1) == [200]
    for _ in range(2):
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            client.graph(USERS)
    assert statuses(client, 1) == [200]


def serial(client):
    port = httpx.URL(client.emulator.graph_url).port
    context = ssl.create_default_context(cafile=str(client.emulator.ca_bundle))
    with (
        socket.create_connection(("localhost", port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        return secure.getpeercert()["serialNumber"]


@pytest.mark.parametrize(("status", "code"), [(400, "Directory_ExpiredPageToken"), (410, "syncStateNotFound")])
def test_a_dead_page_token_stays_dead_and_a_new_start_passes(meet, tenant, status, code):
    client = meet(DeadToken(path="/users", nth=3, status=status))
    second = client.graph(USERS).json()["@odata.nextLink"]
    third = client.graph(second).json()["@odata.nextLink"]
    for _ in range(2):
        answer = client.graph(third)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert ids(client.walk(USERS)) == everybody(tenant)


def test_exchanges_page_tokens_die_too(meet, tenant):
    client = meet(DeadToken(service="exchange", path="/Get-CASMailbox", nth=2))
    first = client.cmdlet("Get-CASMailbox", {"ResultSize": "Unlimited"}).json()
    again = client.cmdlet("Get-CASMailbox", {"ResultSize": "Unlimited"}, url=first["@odata.nextLink"])
    assert again.status_code == 400


def test_an_empty_page_loses_nothing(meet, tenant):
    client = meet(EmptyPage(path="/users", nth=2, times=2))
    pages = client.walk(USERS)
    assert [len(page) for page in pages] == [100, 0, 0, 100, 50]
    assert ids(pages) == everybody(tenant)


def test_a_link_that_leads_to_itself(meet):
    client = meet(LinkLoop(path="/users", nth=2, times=0))
    second = client.graph(USERS).json()["@odata.nextLink"]
    assert client.graph(second).json()["@odata.nextLink"] == second


def test_a_foreign_link_and_a_relative_one(meet, tenant):
    client = meet(ForeignLink(path="/users", host="graph.example.invalid:8443"), RelativeLink(path="/users", nth=2))
    foreign = client.graph(USERS).json()["@odata.nextLink"]
    assert foreign.startswith("https://graph.example.invalid:8443/v1.0/users?")
    relative = client.graph(USERS).json()["@odata.nextLink"]
    assert relative.startswith("/v1.0/users?")
    assert len(client.graph(f"{client.emulator.graph_url}{relative}").json()["value"]) == 100


def test_duplicates_repeat_the_end_of_the_page_before(meet, tenant):
    client = meet(Duplicates(path="/users", nth=2, records=3))
    pages = client.walk(USERS)
    assert [len(page) for page in pages] == [100, 103, 50]
    assert pages[1][:3] == pages[0][-3:]


def test_a_revoked_token_is_refused_until_a_new_one_comes(meet, tenant):
    client = meet(TokenRevoked(path="/users", nth=2))
    assert statuses(client, 3) == [200, 401, 401]
    challenge = client.graph("/organization").headers["WWW-Authenticate"]
    assert 'error="insufficient_claims"' in challenge
    claims = json.loads(base64.b64decode(re.search('claims="([^"]+)"', challenge)[1]))
    assert claims["access_token"]["nbf"]["essential"] is True
    client.forget()
    assert statuses(client, 2) == [200, 200]


def test_an_expired_token_names_no_claims(meet):
    answer = meet(TokenRevoked(path="/users", claims=False)).graph(USERS)
    assert answer.status_code == 401
    assert "claims" not in answer.headers["WWW-Authenticate"]
    assert "expired" in answer.json()["error"]["message"]


def test_a_user_deleted_between_pages_is_gone_everywhere(meet, tenant):
    client = meet(UserDeleted(path="/users", nth=2))
    pages = client.walk(USERS)
    gone = tenant.graph["users"][100]["id"]
    assert [len(page) for page in pages] == [100, 99, 50]
    assert gone not in ids(pages)
    answer = client.graph(f"/users/{gone}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "Request_ResourceNotFound")
    calls = [
        {"id": "1", "method": "GET", "url": f"/users/{gone}"},
        {"id": "2", "method": "GET", "url": "/organization"},
    ]
    assert [part["status"] for part in client.batch(calls).json()["responses"]] == [404, 200]
    assert gone not in ids(client.walk(USERS))


def test_a_user_can_be_named(meet, tenant):
    gone = tenant.graph["users"][0]["id"]
    client = meet(UserDeleted(path="/users", nth=3, user=gone.upper()))
    assert gone in ids(client.walk(USERS))
    assert gone not in ids(client.walk(USERS))


def test_faults_join(meet, clock):
    client = meet(Slow(path="/users", seconds=5), Truncated(path="/users", at=0.1))
    with pytest.raises(json.JSONDecodeError):
        client.graph(USERS).json()
    assert clock.slept == [5]
