from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest

from auditor.config import Config
from auditor.evaluate import Evaluation
from auditor.findings import RULES
from auditor.report.formats.sarif import plain, write_sarif


def written(evaluation: Evaluation) -> dict[str, Any]:
    stream = io.BytesIO()
    write_sarif(stream, evaluation)
    return json.loads(stream.getvalue().decode())


@pytest.fixture(scope="module")
def validator(schemas: Path) -> jsonschema.Draft4Validator:
    schema = json.loads((schemas / "sarif-2.1.0-rtm.5.json").read_text("utf-8"))
    jsonschema.Draft4Validator.check_schema(schema)
    return jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())


def sound(run: dict[str, Any]) -> None:
    """What the specification asks for and its schema cannot say."""
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [rule.id for rule in RULES]
    for result in run["results"]:
        assert (result["kind"] == "fail") == (result["level"] != "none")
        if "ruleIndex" in result:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["partialFingerprints"]["findingId/v1"]
        assert result["locations"][0]["logicalLocations"][0]["kind"]
    assert len({("baselineState" in result) for result in run["results"]}) <= 1
    notifications = run["tool"]["driver"]["notifications"]
    for notice in run["invocations"][0]["toolExecutionNotifications"]:
        assert notifications[notice["descriptor"]["index"]]["id"] == notice["descriptor"]["id"]


def test_the_demo_is_valid(demo: tuple[Evaluation, Config], validator: jsonschema.Draft4Validator) -> None:
    document = written(demo[0])
    assert [error.message for error in validator.iter_errors(document)] == []
    [run] = document["runs"]
    sound(run)
    assert len(run["results"]) == len(demo[0].findings)
    assert {result["partialFingerprints"]["findingId/v1"] for result in run["results"]} == {
        finding.id for finding in demo[0].findings
    }
    assert not any("baselineState" in result for result in run["results"])


def test_hostile_texts_are_valid_and_no_links(hostile: Evaluation, validator: jsonschema.Draft4Validator) -> None:
    document = written(hostile)
    assert [error.message for error in validator.iter_errors(document)] == []
    [run] = document["runs"]
    sound(run)
    titles = [result["message"]["text"] for result in run["results"]]
    assert any(title.startswith(r"\[click\](http://evil.example) {{0}}") for title in titles)
    assert plain("a\\b [c] {d}") == r"a\\b \[c\] {{d}}"


def test_outcomes_are_told_apart(hostile: Evaluation) -> None:
    by_outcome: dict[str, dict[str, Any]] = {}
    for result in written(hostile)["runs"][0]["results"]:
        by_outcome.setdefault(result["properties"]["outcome"], result)
    assert by_outcome["unknown"]["kind"] == "open"
    assert "suppressions" not in by_outcome["fail"]
    [suppression] = by_outcome["waived"]["suppressions"]
    assert suppression["status"] == "accepted"
    assert suppression["justification"].startswith("until 2027-01-01")


@pytest.mark.parametrize(
    ("severity", "level"),
    [("critical", "error"), ("high", "error"), ("medium", "warning"), ("low", "note"), ("info", "note")],
)
def test_severities_become_levels(make: SimpleNamespace, severity: str, level: str) -> None:
    [run] = written(make.evaluation([make.finding(severity=severity)]))["runs"]
    assert run["results"][0]["level"] == level
    [rule] = [rule for rule in run["tool"]["driver"]["rules"] if rule["id"] == "exposed-account"]
    assert rule["defaultConfiguration"]["level"] == level


def test_a_comparison_gives_each_result_its_state(compared: Evaluation, validator: jsonschema.Draft4Validator) -> None:
    document = written(compared)
    assert [error.message for error in validator.iter_errors(document)] == []
    sound(document["runs"][0])
    told = {result["message"]["text"]: result for result in document["runs"][0]["results"]}
    states = {title: result["baselineState"] for title, result in told.items()}
    unread = "Was not-checked (not checked this time: Not read whole this time: users (denied).)"
    assert states == {
        "Is new": "new",
        "Is returned": "new",
        "Is changed": "updated",
        "Is persisting": "unchanged",
        "Was fixed (no longer found)": "absent",
        unread: "unchanged",
        "Was not-checked (not checked this time: This version of the program has no such rule.)": "unchanged",
    }
    assert told[unread]["kind"] == "open"


def test_what_was_not_read_is_a_notification(make: SimpleNamespace) -> None:
    [run] = written(make.evaluation([], "casMailboxes"))["runs"]
    [notice] = run["invocations"][0]["toolExecutionNotifications"]
    assert notice["level"] == "warning"
    assert "casMailboxes was not read whole: denied (Forbidden)" in notice["message"]["text"]
    assert run["results"] == []


def test_bytes_are_the_same_every_time(hostile: Evaluation) -> None:
    streams = io.BytesIO(), io.BytesIO()
    for stream in streams:
        write_sarif(stream, hostile)
    assert streams[0].getvalue() == streams[1].getvalue()
