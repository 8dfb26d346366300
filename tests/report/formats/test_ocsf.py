from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding

from auditor.config import Config
from auditor.evaluate import Evaluation
from auditor.report.formats.ocsf import write_ocsf

NOT_MODELLED = {"compliance.status"}
"""Attributes of OCSF 1.5.0 that the models do not know."""


def written(evaluation: Evaluation) -> list[dict[str, Any]]:
    stream = io.BytesIO()
    write_ocsf(stream, evaluation)
    return json.loads(stream.getvalue().decode())


def paths(value: Any, at: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths(item, f"{at}.{key}" if at else key)
    elif isinstance(value, list) and value:
        for item in value:
            yield from paths(item, at)
    else:
        yield at


def valid(event: dict[str, Any]) -> None:
    """The models accept it, and know every attribute in it."""
    model = ComplianceFinding.model_validate(event).model_dump(mode="json", exclude_none=True)
    assert set(paths(event)) - set(paths(model)) <= NOT_MODELLED
    assert event["class_uid"] == 2003
    assert event["type_uid"] == 200300 + event["activity_id"]
    assert event["metadata"]["version"] == "1.5.0"


def test_the_demo_is_valid_and_complete(demo: tuple[Evaluation, Config]) -> None:
    events = written(demo[0])
    for event in events:
        valid(event)
    assert [event["finding_info"]["uid"] for event in events] == sorted(finding.id for finding in demo[0].findings)
    assert {event["time"] for event in events} == {1795449600000}
    assert {event["metadata"]["tenant_uid"] for event in events} == {demo[0].judgement.tenant.tenant_id}


def test_hostile_texts_are_kept_as_they_are(hostile: Evaluation) -> None:
    events = written(hostile)
    for event in events:
        valid(event)
    titles = {event["finding_info"]["title"] for event in events}
    assert "[click](http://evil.example) {0} ![x](http://evil.example/x.png) <img src=x>" in titles
    assert "control \x00\x07\x1b \ufffd \u202etxt\u2028" in titles


def test_an_unknown_finding_is_no_pass_and_an_accepted_one_is_suppressed(hostile: Evaluation) -> None:
    told = {event["unmapped"]["outcome"]: event for event in written(hostile)}
    assert told["fail"]["compliance"]["status"] == "Fail"
    assert told["unknown"]["compliance"]["status_id"] == 0
    assert told["waived"]["status"] == "Suppressed"
    assert told["waived"]["comment"].startswith("until 2027-01-01")
    assert {event["compliance"]["status"] for event in written(hostile)} == {"Fail", "Unknown"}


def test_changes_become_activities(compared: Evaluation) -> None:
    events = written(compared)
    for event in events:
        valid(event)
    activities = {event["unmapped"]["change"]: event["activity_name"] for event in events}
    assert activities == {
        "new": "Create", "returned": "Create", "changed": "Update", "persisting": "Update", "not-checked": "Update",
        "fixed": "Close",
    }  # fmt: skip
    [fixed] = [event for event in events if event["activity_name"] == "Close"]
    assert (fixed["status"], fixed["compliance"]["status"]) == ("Resolved", "Pass")
    unchecked = [event for event in events if event["unmapped"]["change"] == "not-checked"]
    assert {event["compliance"]["status"] for event in unchecked} == {"Unknown"}
    assert unchecked[0]["status_detail"].startswith("Not read whole")


def test_controls_become_standards_and_requirements(demo: tuple[Evaluation, Config]) -> None:
    with_controls = [event for event in written(demo[0]) if event["compliance"]["requirements"]]
    assert {tuple(event["compliance"]["standards"]) for event in with_controls} >= {("CIS", "CISA")}


def test_no_finding_is_an_empty_array(demo: tuple[Evaluation, Config], make: Any) -> None:
    assert written(make.evaluation()) == []
