"""Snapshots that the tenant takes for itself: against the emulated Graph over TLS, and answer by answer."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.core.credentials import AccessToken

from auditor.catalogue import BY_NAME, CONFIGURATION, CONFIGURATION_TYPES, EXCHANGE_DATASETS
from auditor.config import EMPTY, LoadedConfig, TenantConfig, load
from auditor.demo.server import Emulator
from auditor.demo.settings import write_config
from auditor.demo.tenant import generate
from auditor.exchange.base import ExchangeRead
from auditor.exchange.configuration_snapshot import LABEL, ONLY_SHARED, ConfigurationSnapshotSource
from auditor.graph.gates import Gates
from auditor.graph.reader import Reader
from auditor.graph.session import GraphSession

from ..clocks import FakeClock
from .conftest import Kept

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
TENANT = TenantConfig(name="t", tenant_id="11111111-2222-3333-4444-555555555555", client_id="c")
JOBS = "/v1.0/admin/configurationManagement/configurationSnapshotJobs"
RESULT = "/v1.0/admin/configurationManagement/configurationSnapshots/"
PLACE = "https://graph.microsoft.com/beta/admin/configurationManagement/configurationSnapshots('{}')"
EVERY_TYPE = [f"microsoft.exchange.{name}" for name in ("TransportConfig", "CASMailboxSettings", "SharedMailbox")]


class Credential:
    async def get_token(self, *scopes: str, **options: object) -> AccessToken:
        return AccessToken("not-a-jwt", 4_000_000_000)

    async def close(self) -> None:
        pass


Records = dict[str, tuple[ExchangeRead, list[dict[str, Any]]]]


async def read(session: GraphSession, names: tuple[str, ...], max_age_days: int) -> tuple[Records, tuple[str, ...]]:
    async with session:
        reader = Reader(session, Gates(FakeClock(NOW)))
        source = ConfigurationSnapshotSource(reader, session.service_now, max_age_days)
        found: Records = {}
        for name in names:
            kept = Kept()
            result = await source.read(BY_NAME[name], (), kept)
            found[name] = result, [json.loads(record) for record in kept.records]
        return found, tuple(source.notes())


# --- the emulated tenant --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    tenant = generate(accounts=95, seed=7)
    tenant.app.graph_roles.add(CONFIGURATION)
    with Emulator(tenant, tmp_path_factory.mktemp("emulator")) as emulator:
        yield emulator


@pytest.fixture
def emulator(served: Emulator) -> Iterator[Emulator]:
    before = copy.deepcopy(served.tenant.app), copy.deepcopy(served.tenant.configuration_jobs)
    yield served
    served.tenant.app, served.tenant.configuration_jobs = before


@pytest.fixture
def config(emulator: Emulator, tmp_path: Path) -> LoadedConfig:
    write_config(emulator.tenant, emulator, tmp_path / "config.toml")
    return load(tmp_path / "config.toml")


@pytest.fixture
def emulated(config: LoadedConfig) -> Records:
    session = GraphSession.open(config, config.config.tenants[0], clock=FakeClock(NOW))
    found, notes = asyncio.run(read(session, (*EXCHANGE_DATASETS, "smtpAuthClients"), 30))
    assert notes == ()
    return found


def test_what_a_snapshot_holds_is_read_and_the_rest_is_not_asked(emulated: Records, emulator: Emulator) -> None:
    states = {name: result.state for name, (result, _) in emulated.items()}
    whole = set(CONFIGURATION_TYPES) - {"mailboxes"}
    assert {name for name, state in states.items() if state == "complete"} == whole
    assert states["mailboxes"] == "cut"
    assert emulated["mailboxes"][0].reason == ONLY_SHARED
    assert {state for name, state in states.items() if name not in CONFIGURATION_TYPES} == {"not-asked"}
    asked = [entry.path for entry in emulator.requests.entries if "configurationManagement" in entry.path]
    assert len(asked) == 2  # the jobs and one result, each once


def test_objects_have_the_cmdlets_names_and_lose_nothing(emulated: Records, emulator: Emulator) -> None:
    exchange = emulator.tenant.exchange
    [transport] = emulated["transportConfig"][1]
    assert transport["SmtpClientAuthenticationDisabled"] is False
    assert transport["IsSingleInstance"] == "Yes"
    names = {one["UserPrincipalName"] for one in exchange["mailboxes"]}
    assert {one["UserPrincipalName"] for one in emulated["casMailboxes"][1]} <= names
    assert [one["Name"] for one in emulated["authenticationPolicies"][1]] == [
        one["Name"] for one in exchange["authenticationPolicies"]
    ]
    assert [one["DomainName"] for one in emulated["acceptedDomains"][1]] == [
        one["DomainName"] for one in exchange["acceptedDomains"]
    ]
    assert {one["RecipientTypeDetails"] for one in emulated["mailboxes"][1]} == {"SharedMailbox"}
    assert all(one["PrimarySmtpAddress"] for one in emulated["mailboxes"][1])


def test_provenance_and_age_are_told(emulated: Records) -> None:
    result, _ = emulated["casMailboxes"]
    assert result.source == f"{LABEL}: microsoft.exchange.casmailboxsettings of Weekly configuration"
    assert result.as_of == "2026-11-22T01:50:24Z"


def test_without_the_permission_it_is_denied_and_named(emulator: Emulator, config: LoadedConfig) -> None:
    emulator.tenant.app.graph_roles.discard(CONFIGURATION)
    session = GraphSession.open(config, config.config.tenants[0], clock=FakeClock(NOW))
    found, _ = asyncio.run(read(session, ("transportConfig", "casMailboxes"), 30))
    assert {(result.state, result.permission) for result, _ in found.values()} == {("denied", CONFIGURATION)}


def test_a_partly_successful_job_is_recognised_by_its_name(emulator: Emulator, config: LoadedConfig) -> None:
    """Graph hides that status from clients that do not ask for newer members."""
    [job] = emulator.tenant.configuration_jobs
    job |= {"status": "partiallySuccessful", "errorDetails": ["casMailboxSettings: the monthly quota is used up"]}
    session = GraphSession.open(config, config.config.tenants[0], clock=FakeClock(NOW))
    found, _ = asyncio.run(read(session, ("transportConfig", "casMailboxes", "acceptedDomains"), 30))
    assert [result.state for result, _ in found.values()] == ["complete", "cut", "complete"]
    assert "the monthly quota is used up" in found["casMailboxes"][0].reason


# --- answer by answer -----------------------------------------------------------------------------------------------


def job(name: str = "one", *, hours: float = 5, kinds: list[str] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "id": f"job-{name}",
        "displayName": name,
        "status": "succeeded",
        "resources": EVERY_TYPE if kinds is None else kinds,
        "completedDateTime": (NOW - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.1234567Z"),
        "resourceLocation": PLACE.format(name),
        "errorDetails": None,
        **more,
    }


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"displayName": kind, "resourceType": f"microsoft.exchange.{kind}", "properties": properties}


SWITCH = resource("transportconfig", SmtpClientAuthenticationDisabled=True)
Answers = dict[str, Any]


@pytest.fixture
def answered() -> Callable[..., tuple[ExchangeRead, list[dict[str, Any]]]]:
    """Reads one dataset from jobs and results; a result may be a whole response."""

    def go(dataset: str, jobs: list[Any] | httpx.Response, results: Answers, max_age_days: int = 30) -> Any:
        def handler(request: httpx.Request) -> httpx.Response:
            assert request.url.host == "graph.microsoft.com"
            if request.url.path == JOBS:
                assert "errorDetails" in request.url.params["$select"]
                return jobs if isinstance(jobs, httpx.Response) else httpx.Response(200, json={"value": jobs})
            found = results[request.url.path.removeprefix(RESULT)]
            return found if isinstance(found, httpx.Response) else httpx.Response(200, json={"resources": found})

        session = GraphSession.open(
            EMPTY, TENANT, clock=FakeClock(NOW), credential=Credential(), transport=httpx.MockTransport(handler)
        )
        found, _ = asyncio.run(read(session, (dataset,), max_age_days))
        return found[dataset]

    return go


def test_the_newest_job_that_holds_the_type_is_read(answered: Callable[..., Any]) -> None:
    jobs = [job("old", hours=50), job("other", hours=1, kinds=["microsoft.exchange.moveRequest"]), job("new")]
    result, records = answered("transportConfig", jobs, {"new": [SWITCH]})
    assert (result.state, result.source) == ("complete", f"{LABEL}: microsoft.exchange.transportconfig of new")
    assert result.as_of == "2026-11-23T11:00:00Z"
    assert records == [{"SmtpClientAuthenticationDisabled": True}]


@pytest.mark.parametrize(
    "unfinished",
    [
        {"status": "running", "completedDateTime": "0001-01-01T00:00:00Z"},
        {"status": "failed"},
        {"status": "unknownFutureValue"},
        {"status": None},
        {"resourceLocation": ""},
        {"completedDateTime": None},
        {"completedDateTime": "yesterday"},
        {"completedDateTime": "0001-01-01T00:00:00Z"},
    ],
)
def test_what_is_not_finished_is_passed_over(answered: Callable[..., Any], unfinished: dict[str, Any]) -> None:
    result, _ = answered("transportConfig", [job("new", **unfinished), job("old", hours=9)], {"old": [SWITCH]})
    assert result.source.endswith("of old")
    result, records = answered("transportConfig", [job(**unfinished)], {})
    assert (result.state, records) == ("failed", [])
    assert "no finished configuration snapshot" in result.reason


def test_an_old_snapshot_is_passed_over(answered: Callable[..., Any]) -> None:
    assert answered("transportConfig", [job(hours=47)], {"one": [SWITCH]}, 2)[0].state == "complete"
    assert answered("transportConfig", [job(hours=49)], {"one": [SWITCH]}, 2)[0].state == "failed"


def test_a_type_that_no_snapshot_holds_was_not_asked_for(answered: Callable[..., Any]) -> None:
    result, _ = answered("acceptedDomains", [job()], {})
    assert (result.state, result.reason) == (
        "not-asked", "No recent configuration snapshot holds microsoft.exchange.accepteddomain.",
    )  # fmt: skip


@pytest.mark.parametrize("value", [True, False, None, "True", "", "absent"])
def test_the_switch_stays_as_it_was_written(answered: Callable[..., Any], value: Any) -> None:
    properties = {"Identity": "ann@contoso.example", "SmtpClientAuthenticationDisabled": value}
    if value == "absent":
        del properties["SmtpClientAuthenticationDisabled"]
    result, [record] = answered("casMailboxes", [job()], {"one": [resource("CASMailboxSettings", **properties)]})
    assert result.state == "complete"
    assert record["UserPrincipalName"] == "ann@contoso.example"
    assert record.get("SmtpClientAuthenticationDisabled", "absent") == {"True": True, "": None}.get(value, value)


def test_an_identity_that_is_no_address_names_nobody(answered: Callable[..., Any]) -> None:
    _, [record] = answered("casMailboxes", [job()], {"one": [resource("casMailboxSettings", Identity="Ann")]})
    assert record == {"Identity": "Ann"}


def test_an_organisation_without_its_one_object_was_not_read(answered: Callable[..., Any]) -> None:
    result, _ = answered("transportConfig", [job()], {"one": []})
    assert (result.state, result.reason) == ("failed", "The snapshot one holds no microsoft.exchange.transportconfig.")


@pytest.mark.parametrize(
    ("details", "state"),
    [
        (["microsoft.exchange.transportconfig could not be read"], "complete"),
        (["EXOCASMailboxSettings timed out"], "cut"),
        (["transportconfig failed", "quota exceeded"], "cut"),
        (["casmailboxsettings and transportconfig failed"], "cut"),
        ([], "cut"),
        (None, "cut"),
    ],
)
def test_a_partly_successful_snapshot_is_cut_unless_it_speaks_of_others(
    answered: Callable[..., Any], details: list[str] | None, state: str
) -> None:
    jobs = [job(status="partiallySuccessful", errorDetails=details)]
    mailbox = resource("casmailboxsettings", Identity="ann@contoso.example", SmtpClientAuthenticationDisabled=True)
    result, records = answered("casMailboxes", jobs, {"one": [mailbox]})
    assert (result.state, len(records)) == (state, 1)
    assert bool(result.reason) == (state == "cut")


def test_a_result_in_parts_is_cut(answered: Callable[..., Any]) -> None:
    body = {"resources": [resource("casmailboxsettings", Identity="a@b.example")], "resources@odata.nextLink": "x"}
    result, _ = answered("casMailboxes", [job()], {"one": httpx.Response(200, json=body)})
    assert (result.state, result.records) == ("cut", 1)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("https://evil.example/v1.0/admin/configurationManagement/configurationSnapshots/one", "complete"),
        ("https://graph.microsoft.com/v1.0/admin/configurationManagement/configurationSnapshots('one')", "complete"),
        ("https://graph.microsoft.com/v1.0/users/one", "failed"),
        ("https://graph.microsoft.com/v1.0/x/configurationSnapshots/../users", "failed"),
    ],
)
def test_only_the_id_of_the_place_is_used_so_that_the_token_stays_here(
    answered: Callable[..., Any], place: str, said: str
) -> None:
    assert answered("transportConfig", [job(resourceLocation=place)], {"one": [SWITCH]})[0].state == said


def graph_error(status: int, code: str = "x") -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": code, "message": "said"}})


@pytest.mark.parametrize(
    ("answer", "state", "said"),
    [
        (graph_error(403, "AccessDenied"), "denied", CONFIGURATION),
        (graph_error(404, "UnknownError"), "failed", "does not use configuration management"),
        (graph_error(400), "failed", "HTTP 400"),
        (httpx.Response(200, json={"value": [{"id": 5}]}), "failed", "not of the documented form"),
        (httpx.Response(200, content=b"<html>"), "failed", "no JSON"),
    ],
)
def test_a_list_that_cannot_be_read_says_why(
    answered: Callable[..., Any], answer: httpx.Response, state: str, said: str
) -> None:
    result, records = answered("transportConfig", answer, {})
    assert (result.state, records) == (state, [])
    assert said in result.reason


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (graph_error(404), "The snapshot is gone"),
        (httpx.Response(200, json={"resources": "none"}), "not of the documented form"),
        (httpx.Response(200, json={"displayName": "empty"}), "not of the documented form"),
    ],
)
def test_a_result_that_cannot_be_read_says_why(answered: Callable[..., Any], answer: httpx.Response, said: str) -> None:
    result, _ = answered("casMailboxes", [job()], {"one": answer})
    assert (result.state, result.as_of) == ("failed", "2026-11-23T11:00:00Z")
    assert said in result.reason
