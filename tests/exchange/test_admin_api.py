"""The admin API: what is sent, that nothing is lost, and every way an answer can go wrong."""

from __future__ import annotations

import json
import ssl
from dataclasses import replace
from typing import Any

import pytest

from auditor.catalogue import BY_NAME, EXCHANGE_DATASETS
from auditor.errors import AuditorError, ServiceError, SignInError
from auditor.exchange.admin_api import CMDLETS, AdminApiSource
from auditor.exchange.base import PERMISSION
from auditor.graph.throttle import Patience

from .conftest import Kept

TENANT = "11111111-2222-3333-4444-555555555555"
ATTEMPTS = Patience().attempts
CAS = {"Guid": "1", "SmtpClientAuthenticationDisabled": None}


def test_only_reading_cmdlets_are_on_the_list() -> None:
    assert CMDLETS
    assert all(cmdlet.startswith("Get-") for cmdlet in CMDLETS)


@pytest.mark.parametrize("cmdlet", ["Set-CASMailbox", "Get-Mailbox; Remove-Mailbox", "get-mailbox", "Get-InboxRule"])
def test_any_other_cmdlet_is_refused_before_anything_is_sent(service: Any, cmdlet: str) -> None:
    dataset = replace(BY_NAME["mailboxes"], path=cmdlet)

    async def use(source: AdminApiSource) -> None:
        with pytest.raises(ValueError, match="not on the list"):
            await source.read(dataset, (), Kept())

    service.run(use)
    assert service.seen == []
    assert service.scopes == []


def test_what_is_sent(service: Any) -> None:
    service.page(CAS)
    result, _ = service.read("casMailboxes")
    (sent,) = service.seen
    assert sent.path == f"/adminapi/beta/{TENANT}/InvokeCommand"
    assert sent.query.startswith("$select=") or sent.query.startswith("%24select=")
    assert "SmtpClientAuthenticationDisabled" in sent.query
    assert sent.body == {"CmdletInput": {"CmdletName": "Get-CASMailbox", "Parameters": {"ResultSize": "Unlimited"}}}
    assert sent.headers["Authorization"] == "Bearer token-that-must-not-leak"
    assert sent.headers["Prefer"] == "odata.maxpagesize=1000"
    assert sent.headers["X-AnchorMailbox"] == f"APP:SystemMailbox{{bb558c35-97f1-4cb9-8ff7-d53741dc928c}}@{TENANT}"
    assert sent.headers["X-CmdletName"] == "Get-CASMailbox"
    assert service.scopes == [f"https://{sent.headers['Host']}/.default"]
    assert (result.state, result.records, result.requests) == ("complete", 1, 1)
    assert result.source == "Exchange admin API (InvokeCommand), not documented by Microsoft: Get-CASMailbox"
    assert result.as_of.endswith("Z")


@pytest.mark.parametrize(
    ("dataset", "parameters"),
    [
        ("transportConfig", {}),
        ("organizationConfig", {}),
        ("authenticationPolicies", {}),
        ("exchangeUsers", {"ResultSize": "Unlimited"}),
        ("mailboxes", {"ResultSize": "Unlimited"}),
        ("recipientPermissions", {"ResultSize": "Unlimited"}),
        ("hveAccounts", {"ResultSize": "Unlimited", "HVEAccount": True}),
        ("managementRoleAssignments", {}),
    ],
)
def test_parameters_of_each_cmdlet(service: Any, dataset: str, parameters: dict[str, Any]) -> None:
    service.page({"Name": "one"})
    service.read(dataset)
    assert service.seen[0].body["CmdletInput"] == {"CmdletName": BY_NAME[dataset].path, "Parameters": parameters}


def test_pages_are_followed_and_every_record_keeps_its_bytes(service: Any) -> None:
    first = '{"Guid":"a","SmtpClientAuthenticationDisabled":null, "New":{"x":1e400,"y":[ ]},"Guid":"A"}'
    second = '{"Guid":"ß\\u00e9","SmtpClientAuthenticationDisabled":false,"Big":12345678901234567890123}'
    service.say(200, f'{{"value":[{first}],"@odata.nextLink":"{{url}}/adminapi/beta/t/InvokeCommand?skip=1"}}')
    service.say(200, '{"value":[],"@odata.nextLink":"{url}/adminapi/beta/t/InvokeCommand?skip=2"}')
    service.say(200, f'{{"value":[{second}]}}')
    result, kept = service.read("casMailboxes")
    assert result.state == "complete"
    assert kept == [first.encode(), second.encode()]
    assert [sent.query for sent in service.seen[1:]] == ["skip=1", "skip=2"]
    assert service.seen[0].body == service.seen[1].body == service.seen[2].body
    assert (result.records, result.requests) == (2, 3)


def test_an_indented_answer_becomes_one_line_per_record(service: Any) -> None:
    record = {"Guid": "a", "Note": "line\nbreak", "List": [1, {"b": None}]}
    service.say(200, json.dumps({"value": [record]}, indent=2))
    _, kept = service.read("casMailboxes")
    assert b"\n" not in kept[0]
    assert json.loads(kept[0]) == record


@pytest.mark.parametrize(
    "link", ["https://evil.example/adminapi", "https://localhost:1/adminapi", "http://localhost/x"]
)
def test_the_token_never_follows_a_next_page_elsewhere(service: Any, link: str) -> None:
    service.page(CAS, next_link=link)
    result, kept = service.read("casMailboxes")
    assert (result.state, len(kept), len(service.seen)) == ("cut", 1, 1)
    assert "another host" in result.reason


def test_a_next_page_without_an_address_stops(service: Any) -> None:
    service.page(CAS, next_link="https://[::1/")
    result, _ = service.read("casMailboxes")
    assert result.state == "cut"
    assert "no address" in result.reason or "another host" in result.reason


def test_pages_in_a_circle_stop(service: Any) -> None:
    service.page(CAS, next_link="/adminapi/beta/t/InvokeCommand?skip=1")
    service.page(CAS, next_link="/adminapi/beta/t/InvokeCommand?skip=1")
    result, kept = service.read("casMailboxes")
    assert (result.state, len(kept)) == ("cut", 2)
    assert "read already" in result.reason


def test_a_list_that_exchange_calls_cut_is_not_complete(service: Any) -> None:
    warning = "By default, only the first 1000 items are returned. There are more results available."
    service.page(CAS, **{"@adminapi.warnings": [warning]})
    result, kept = service.read("casMailboxes")
    assert (result.state, len(kept)) == ("cut", 1)
    assert "more results" in result.reason


def test_other_warnings_do_no_harm(service: Any) -> None:
    service.page(CAS, **{"@adminapi.warnings": ["The property X will be renamed."]})
    assert service.read("casMailboxes")[0].state == "complete"


INNER = {
    "message": "Invalid Operation",
    "innererror": {"internalexception": {"message": "The inner truth", "type": "T"}},
}


@pytest.mark.parametrize(
    ("status", "body", "state", "words"),
    [
        (403, b"\0" * 64, "denied", "HTTP 403)"),
        (401, b"", "denied", "HTTP 401)"),
        (401, b"plain words", "denied", "plain words"),
        (403, b"<html>Forbidden</html>", "denied", "HTTP 403)"),
        (403, b'{"error":{"code":"Forbidden","message":"Role missing"}}', "denied", "Role missing"),
        (400, json.dumps({"error": INNER}).encode(), "failed", "The inner truth"),
        (400, b'{"error":{"message":"x","details":[{"message":"Detail\\nof it"}]}}', "failed", "Detail of it"),
        (400, b'{"error":{"innererror":{"message":"half inner"}}}', "failed", "half inner"),
        (
            400,
            b'{"error":{"details":[{"message":"|Some.Exception|What it says."}]}}',
            "failed",
            "HTTP 400: What it says.",
        ),
        (400, b'{"error":"just text"}', "failed", "just text"),
        (404, b"[1]", "failed", "[1]"),
        (404, b"", "failed", "without a text"),
        (302, b"", "failed", "gets no token"),
    ],
)
def test_error_forms(service: Any, status: int, body: bytes, state: str, words: str) -> None:
    service.say(status, body)
    result, kept = service.read("casMailboxes")
    assert (result.state, kept, result.requests) == (state, [], 1)
    assert words in result.reason
    assert "\0" not in result.reason
    assert "token-that-must-not-leak" not in result.reason
    assert result.permission == (PERMISSION if state == "denied" else "")


TOKEN = "token-that-must-not-leak"
JWT = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJwbGFudGVkIn0.cGxhbnRlZA"


@pytest.mark.parametrize("secret", [TOKEN, JWT])
def test_a_service_that_repeats_the_token_does_not_bring_it_into_a_reason(service: Any, secret: str) -> None:
    said = f"Authorization: Bearer {secret}, refused"
    for status in (400, 401, 403, 404):
        service.error(status, {"details": [{"message": said}], "message": said})
        service.say(status, said)
    service.page(**{"@adminapi.warnings": [f"more results {said}"]})
    service.say(200, json.dumps({"@adminapi.warnings": [said]}))
    service.page(next_link=f"https://{secret}.example/next")
    for _ in range(11):
        result, _ = service.read("casMailboxes")
        assert result.reason
        assert secret.lower() not in result.reason.lower()
    assert service.answers == []


def test_a_refusal_names_both_what_is_needed_and_the_foundation_plan(service: Any) -> None:
    service.say(403)
    reason = service.read("casMailboxes")[0].reason
    assert "Exchange.ManageAsApp" in reason
    assert "Global Reader" in reason
    assert "Exchange Foundation" in reason


def test_a_cmdlet_that_the_role_hides_is_denied(service: Any) -> None:
    text = "The term 'Get-ManagementScope' is not recognized as a name of a cmdlet, function, script file."
    service.error(400, {"message": "", "details": [{"message": text}]})
    result, _ = service.read("managementScopes")
    assert (result.state, result.permission) == ("denied", PERMISSION)


@pytest.mark.parametrize(("error", "state"), [(SignInError, "denied"), (ServiceError, "failed")])
def test_no_token_is_a_state_and_says_why(service: Any, error: type[AuditorError], state: str) -> None:
    async def no_token(scope: str) -> str:
        raise error("AADSTS500011: the resource was not found.", remedy="Check the cloud.")

    async def use(source: AdminApiSource) -> Any:
        source.get_token = no_token
        return await source.read(BY_NAME["casMailboxes"], (), Kept())

    result = service.run(use)
    assert (result.state, result.requests) == (state, 0)
    assert "AADSTS500011" in result.reason


@pytest.mark.parametrize(
    ("headers", "slept"),
    [
        ({"Retry_After": "7"}, [7.0]),
        ({"Retry_After": "2.5"}, [2.5]),
        ({"Retry_After": "Mon, 23 Nov 2026 16:00:30 GMT", "Date": "Mon, 23 Nov 2026 16:00:00 GMT"}, [30.0]),
        ({"Retry_After": "soon"}, [1.0]),
        ({"Retry_After": "nan"}, [1.0]),
        ({"Retry_After": "-5"}, [1.0]),
        ({}, [1.0]),
    ],
)
def test_later_is_waited_for_as_asked(service: Any, headers: dict[str, str], slept: list[float]) -> None:
    service.say(429, b"", **headers)
    service.page(CAS)
    result, _ = service.read("casMailboxes")
    assert (result.state, result.requests) == ("complete", 2)
    assert service.clock.slept == pytest.approx(slept, abs=0.02)


def test_patience_has_an_end(service: Any) -> None:
    for _ in range(ATTEMPTS):
        service.error(503, {"message": "Server busy"})
    result, _ = service.read("casMailboxes")
    assert (result.state, result.requests, result.error.kind) == ("failed", ATTEMPTS, "service")
    assert "Server busy" in result.reason
    assert service.clock.slept == [1.0, 2.0, 4.0, 8.0, 16.0]


def test_an_hour_is_not_waited_for(service: Any) -> None:
    service.say(429, b"", Retry_After="3600")
    result, _ = service.read("casMailboxes")
    assert (result.state, result.requests) == ("failed", 1)
    assert "3600 seconds" in result.reason
    assert service.clock.slept == []


def test_no_more_is_asked_than_the_gate_lets_through(service: Any) -> None:
    for number in range(62):
        service.page(CAS, next_link=f"/adminapi/beta/t/InvokeCommand?skip={number}")
    service.page(CAS)
    assert service.read("casMailboxes")[0].requests == 63
    assert sum(service.clock.slept) == pytest.approx(3 / 2, abs=0.1)


def test_every_page_but_the_last_says_where_to_go_on(service: Any) -> None:
    second = "/adminapi/beta/t/InvokeCommand?skip=1"
    service.page(CAS, next_link=second)
    service.page(CAS)
    _, kept = service.kept("casMailboxes")
    assert [link.partition("/adminapi")[2] for link in kept.links] == [second.removeprefix("/adminapi"), ""]
    service.page(CAS)
    result, _ = service.read("casMailboxes", start=second)
    assert (service.seen[-1].query, result.state) == ("skip=1", "complete")
    assert service.seen[-1].body == service.seen[0].body


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_page_that_the_service_has_forgotten_is_told_as_expired(service: Any, status: int) -> None:
    service.error(status, {"message": "The page token is not valid."})
    result, _ = service.read("casMailboxes", start="/adminapi/beta/t/InvokeCommand?skip=1")
    assert (result.state, result.error.kind) == ("cut", "expired")
    service.error(status, {"message": "The command is not valid."})
    result, _ = service.read("casMailboxes")
    assert (result.state, result.error) == ("failed", None)


def test_a_token_that_is_refused_after_it_was_good_is_replaced_once(service: Any) -> None:
    service.page(CAS, next_link="/adminapi/beta/t/InvokeCommand?skip=1")
    service.say(401)
    service.page(CAS)
    result, _ = service.read("casMailboxes")
    assert (result.state, result.requests, service.renewals) == ("complete", 3, 1)
    service.page(CAS, next_link="/adminapi/beta/t/InvokeCommand?skip=1")
    service.say(401)
    service.say(401)
    result, _ = service.read("casMailboxes")
    assert (result.state, result.permission, result.requests, service.renewals) == ("cut", PERMISSION, 3, 2)


def test_a_token_that_was_never_good_is_not_asked_for_again(service: Any) -> None:
    service.say(401)
    assert service.read("casMailboxes")[0].state == "denied"
    assert (len(service.seen), service.renewals) == (1, 0)


def test_a_failure_after_the_first_page_leaves_a_cut_list(service: Any) -> None:
    service.page(CAS, next_link="/adminapi/beta/t/InvokeCommand?skip=1")
    service.say(403)
    result, kept = service.read("casMailboxes")
    assert (result.state, result.records, len(kept)) == ("cut", 1, 1)
    assert result.permission == PERMISSION


@pytest.mark.parametrize(
    "body", ["", "[]", '{"value":"x"}', '{"value":[1]}', '{"value":[{"a":]}', "{}", '{"value":null}']
)
def test_an_answer_that_is_no_list_of_objects_fails(service: Any, body: str) -> None:
    service.say(200, body)
    result, kept = service.read("casMailboxes")
    assert (result.state, kept) == ("failed", [])
    assert result.reason.startswith("Exchange")


def test_a_warning_in_place_of_the_list_is_told(service: Any) -> None:
    service.say(200, '{"value":null,"@adminapi.warnings":["The tenant is being moved."]}')
    assert "being moved" in service.read("casMailboxes")[0].reason


def test_an_empty_collection_is_complete_but_a_missing_single_object_is_not(service: Any) -> None:
    service.page()
    assert service.read("casMailboxes")[0].state == "complete"
    service.page()
    assert service.read("transportConfig")[0].state == "failed"


GONE = {
    "code": "NotFound",
    "innererror": {"internalexception": {"message": "The operation couldn't be performed because object 'b@x' couldn't "
                   "be found."}},
}  # fmt: skip


def _identities(sent: Any) -> list[str]:
    """The mailboxes that a request asks for, batch or not."""
    calls = [call["body"] for call in sent.body["requests"]] if "requests" in sent.body else [sent.body]
    return [call["CmdletInput"]["Parameters"]["Identity"] for call in calls]


def _batch(service: Any, *answers: tuple[str, int, Any]) -> None:
    service.say(200, json.dumps({"responses": [{"id": n, "status": status, "body": b} for n, status, b in answers]}))


def test_mailbox_permissions_are_read_per_sender_in_key_order_ten_at_a_time(service: Any) -> None:
    _batch(
        service,
        ("2", 200, {"value": [{"Identity": "c", "User": "y"}]}),
        ("1", 404, {"error": GONE}),
        ("0", 200, {"value": [{"Identity": "a", "User": "x"}]}),
    )
    result, kept = service.read("mailboxPermissions", ["c@x", "A@x", "", "b@x", "a@x "])
    (sent,) = service.seen
    assert sent.path == f"/adminapi/beta/{TENANT}/$batch"
    assert _identities(sent) == ["a@x", "b@x", "c@x"]
    first = sent.body["requests"][0]
    assert (first["method"], first["headers"]["X-CmdletName"]) == ("POST", "Get-MailboxPermission")
    assert first["url"].partition("?")[0].endswith(f"/adminapi/beta/{TENANT}/InvokeCommand")
    assert [json.loads(record)["Identity"] for record in kept] == ["a", "c"]
    assert (result.state, result.requests) == ("complete", 1)


def test_what_a_batch_does_not_settle_is_asked_by_itself(service: Any) -> None:
    """Throttled, refused, of another form, missing; a page that goes on is followed."""
    _batch(
        service,
        ("0", 429, None), ("1", 403, None), ("2", 200, "an encoded text"),
        ("4", 200, {"value": [{"User": "4"}], "@odata.nextLink": "/adminapi/beta/t/InvokeCommand?skip=1"}),
        ("x", 200, {"value": [{"User": "nobody asked"}]}),
    )  # fmt: skip
    for number in range(4):
        service.page({"User": str(number)})
    service.page({"User": "4b"})
    result, kept = service.read("mailboxPermissions", [f"{number}@x" for number in range(5)])
    assert [json.loads(record)["User"] for record in kept] == ["0", "1", "2", "3", "4", "4b"]
    assert [_identities(sent) for sent in service.seen[1:]] == [["0@x"], ["1@x"], ["2@x"], ["3@x"], ["4@x"]]
    assert (result.state, result.requests) == ("complete", 6)


@pytest.mark.parametrize(("status", "body"), [(404, ""), (400, "{}"), (200, "{}"), (200, "<html>"), (500, "[]")])
def test_a_service_that_takes_no_batches_is_asked_for_each(service: Any, status: int, body: str) -> None:
    service.say(status, body)
    for number in range(12):
        service.page({"User": str(number)})
    result, kept = service.read("mailboxPermissions", [f"{number:02}@x" for number in range(12)])
    assert [json.loads(record)["User"] for record in kept] == [str(number) for number in range(12)]
    assert (result.state, result.requests, service.clock.slept) == ("complete", 13, [])


def test_a_mailbox_that_is_not_there_has_no_permissions(service: Any) -> None:
    service.error(404, GONE)
    result, kept = service.read("mailboxPermissions", ["b@x"])
    assert (result.state, kept, len(service.seen)) == ("complete", [], 1)


def test_another_failure_on_one_mailbox_is_not_taken_for_no_permissions(service: Any) -> None:
    service.error(400, {"message": "Something else"})
    assert service.read("mailboxPermissions", ["a@x"])[0].state == "failed"


@pytest.mark.parametrize("identities", [[], ["", "  "]])
def test_without_senders_no_mailbox_permissions_are_asked_for(service: Any, identities: list[str]) -> None:
    result, _ = service.read("mailboxPermissions", identities)
    assert (result.state, service.seen) == ("not-asked", [])
    assert result.reason


def test_the_report_without_a_cmdlet_is_not_asked_for(service: Any) -> None:
    assert service.read("smtpAuthClients")[0].state == "not-asked"


def test_a_body_that_cannot_be_unpacked_is_tried_again(service: Any) -> None:
    service.say(200, b"no gzip", Content_Encoding="gzip")
    service.page(CAS)
    result, kept = service.read("casMailboxes")
    assert (result.state, len(kept), result.requests) == ("complete", 1, 2)


def test_no_network_fails_after_bounded_attempts(service: Any) -> None:
    async def use(source: AdminApiSource) -> Any:
        nowhere = replace(source, exchange_url="https://localhost:9")
        return await nowhere.read(BY_NAME["mailboxes"], (), Kept())

    result = service.run(use)
    assert (result.state, result.requests, len(service.clock.slept)) == ("failed", ATTEMPTS, ATTEMPTS - 1)
    assert "Connect" in result.reason
    assert result.error.kind == "network"


def test_a_certificate_that_is_not_trusted_fails(service: Any) -> None:
    service.trust = ssl.create_default_context()
    result, _ = service.read("mailboxes")
    assert (result.state, result.requests, service.seen) == ("failed", 1, [])


def test_every_dataset_of_exchange_can_be_read(service: Any) -> None:
    for dataset in EXCHANGE_DATASETS:
        service.page({"Name": dataset})
        result, kept = service.read(dataset, ["a@x"])
        assert result.state == "complete", dataset
        assert json.loads(kept[0]) == {"Name": dataset}


def test_the_label_says_that_it_is_not_documented(service: Any) -> None:
    async def use(source: AdminApiSource) -> tuple[str, str]:
        return source.label, source.notes()[0]

    label, note = service.run(use)
    assert "not documented by Microsoft" in label
    assert "not documented by Microsoft" in note
