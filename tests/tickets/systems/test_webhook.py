"""The signed webhook against a receiver that checks every signature as the specification says."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from aiohttp import web
from runs import Runs
from scenarios import RULE, Office, did
from standins.server import Standin, Trouble, answer
from wire import BODY, COMMENT, TENANT, Bench, draft, started

from auditor.errors import ConfigError, TicketError
from auditor.tickets.base import Attachment, Refused, Ticket
from auditor.tickets.systems.webhook import SETTINGS

__all__ = ["started"]

KEY = b"planted-webhook-key-0123456789ab"


class Receiver(Standin):
    """Keeps the events by their id, and takes none twice. `refuses`: titles that it does not want."""

    token = "whsec_" + base64.b64encode(KEY).decode()

    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self.events: dict[str, dict[str, Any]] = {}
        self.refuses: set[str] = set()
        self.deliveries = 0

    def routes(self, app: web.Application) -> None:
        app.router.add_post("/hooks/tickets", self.receive)

    def refuses_credential(self, request: web.Request) -> web.StreamResponse | None:
        return None

    async def receive(self, request: web.Request) -> web.Response:
        self.deliveries += 1
        identity, timestamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        body = await request.read()
        signed = hmac.new(KEY, f"{identity}.{timestamp}.".encode() + body, hashlib.sha256).digest()
        if request.headers["webhook-signature"] != f"v1,{base64.b64encode(signed).decode()}":
            return answer(401, {"message": "wrong signature"})
        if abs(int(timestamp) - self.clock.now().timestamp()) > 300:
            return answer(400, {"message": "too old"})
        event = json.loads(body)
        if event["data"].get("title") in self.refuses:
            return answer(422, {"message": "not wanted"})
        self.events.setdefault(identity, event)
        return answer(204)

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.events.values()]


class Desk(Bench[Receiver]):
    pass


@pytest.fixture
def desk(started, clock) -> Desk:
    receiver = started(Receiver(clock))
    keys = {"system": "webhook", "secret_env": "TICKETS_SECRET", "waived_state": "waived"}
    return Desk(receiver, SETTINGS, clock, **keys, url=f"{receiver.url}/hooks/tickets")


@pytest.fixture
def office(desk, clock, tmp_path) -> Office:
    return Office(Runs(tmp_path / "reports", "11111111-2222-3333-4444-555555555555"), desk, clock, tmp_path)


def test_the_journal_alone_serves_the_whole_life_of_a_ticket(office, desk):
    runs = office.runs
    assert did(office.sync(runs.run([runs.of(RULE, 1)]))) == ["create"]
    assert did(office.sync(runs.last)) == []
    assert did(office.sync(runs.run([runs.of(RULE, 1, severity="critical")]))) == ["update"]
    assert did(office.sync(runs.run([], datasets={"users": "cut"}))) == ["comment"]
    assert did(office.sync(runs.run([]))) == ["close"]
    assert did(office.sync(runs.last)) == []
    assert did(office.sync(runs.run([runs.of(RULE, 1)]))) == ["reopen"]
    assert did(office.sync(runs.run([runs.of(RULE, 1, outcome="waived")]))) == ["waive"]
    assert did(office.sync(runs.last)) == []
    assert did(office.sync(runs.run([runs.of(RULE, 1)]))) == ["reopen"]
    assert desk.standin.kinds() == [
        "ticket.created",
        *("ticket.updated", "ticket.commented"),
        "ticket.commented",
        "ticket.closed",
        *("ticket.updated", "ticket.reopened"),
        "ticket.waived",
        *("ticket.updated", "ticket.reopened"),
    ]
    assert {event["data"]["marker"] for event in desk.standin.events.values()} == {runs.of(RULE, 1)["id"]}


def test_an_event_that_is_sent_again_has_the_same_id(desk):
    desk.standin.troubles.append(Trouble("POST", "/hooks", effect=True))
    desk.standin.troubles.append(Trouble("POST", "/hooks", status=502, effect=True))
    list(desk.system().create([draft(1)]))
    list(desk.system().create([draft(1)]))
    assert desk.standin.deliveries == 4
    assert len(desk.standin.events) == 1


def test_every_try_is_signed_anew_so_that_none_is_too_old(desk):
    desk.standin.troubles.append(Trouble("POST", "/hooks", status=429, headers={"Retry-After": "299"}, times=2))
    list(desk.system().create([draft(1)]))
    assert desk.clock.paused == [299, 299]
    assert len(desk.standin.events) == 1


def test_other_texts_and_other_runs_are_other_events(desk):
    system = desk.system()
    [ticket] = system.create([draft(1)])
    system.rewrite(ticket, draft(1, run="2026-11-23T16:00:00Z"))
    system.rewrite(ticket, draft(1, run="2026-11-24T16:00:00Z"))
    system.comment(ticket, COMMENT)
    system.comment(ticket, BODY)
    assert len(desk.standin.events) == 5


def test_a_draft_that_the_receiver_does_not_want_is_refused_alone(desk):
    desk.standin.refuses.add("Finding 1")
    answers = list(desk.system().create([draft(1), draft(2)]))
    assert answers[0] == Refused(draft(1).marker, "not wanted")
    assert isinstance(answers[1], Ticket)


def test_a_wrong_secret_is_told_without_it(desk):
    other = base64.b64encode(b"another-secret-of-thirty-two-byt").decode()
    desk.environment["TICKETS_SECRET"] = f"whsec_{other}"
    with pytest.raises(TicketError, match="wrong signature") as caught:
        list(desk.system().create([draft(1)]))
    assert other not in str(caught.value)


@pytest.mark.parametrize("text", ["whsec_", "whsec_%%%", "whsec_c2hvcnQ=", "short"])
def test_a_secret_that_is_none_is_refused(desk, text):
    desk.environment["TICKETS_SECRET"] = text
    with pytest.raises(ConfigError, match="holds no webhook secret") as caught:
        desk.system()
    assert text not in str(caught.value).replace("whsec_ and", "")


def test_a_state_that_the_journal_does_not_know_is_refused(desk):
    with pytest.raises(ConfigError, match="no state of a webhook"):
        desk.system(waived_state="Accepted")


def test_events_keep_the_documented_schema(desk, root: Path):
    page = (root / "docs/tickets/webhook.md").read_text(encoding="utf-8")
    schema = json.loads(page.split("```json\n")[1].split("```")[0])
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    system = desk.system()
    [ticket] = system.create([draft(1, owner="ann", due="2026-12-24", labels=("a",), fields={"x": 1})])
    system.rewrite(ticket, draft(1))
    system.comment(ticket, COMMENT)
    system.attach(ticket, Attachment("a.csv", b"a,b"))
    for to in ("done", "open", "waived"):
        system.move(ticket, to, COMMENT)
    assert len(desk.standin.events) == 7
    for event in desk.standin.events.values():
        validator.validate(event)
        assert not validator.is_valid({**event, "other": 1})
    assert system.find(TENANT) == []
    assert not system.limits.readable
