from __future__ import annotations

import io
import json
from dataclasses import replace
from types import SimpleNamespace

from auditor.config import Sender
from auditor.report.jsonfile import findings_json
from auditor.triage import Triage


def written(evaluation: object) -> bytes:
    stream = io.BytesIO()
    findings_json(stream, evaluation)  # type: ignore[arg-type]
    return stream.getvalue()


def test_the_file_is_one_object_sorted_by_id_with_a_trailing_newline(make: SimpleNamespace) -> None:
    findings = [make.finding(object_id=f"o{number}", title="é < ü") for number in range(4)]
    data = written(make.evaluation(findings))
    document = json.loads(data)
    assert list(document) == [
        "findings", "schema", "tenant_id", "now", "compared_with", "datasets", "senders", "policies", "gone",
        "own_columns",
    ]  # fmt: skip
    assert [finding["id"] for finding in document["findings"]] == sorted(finding.id for finding in findings)
    assert {
        "id", "rule", "severity", "outcome", "object_type", "object_id", "object_name", "title", "evidence", "remedy",
        "remedy_risk", "references", "controls", "first_seen", "change",
    } <= set(document["findings"][0])  # fmt: skip
    assert "é < ü".encode() in data
    assert data.endswith(b"}\n")


def test_no_finding_is_an_empty_list(make: SimpleNamespace) -> None:
    assert json.loads(written(make.evaluation()))["findings"] == []


def test_layout_is_that_of_plain_json_with_two_blanks(make: SimpleNamespace) -> None:
    data = written(make.evaluation([make.finding(), make.finding(object_id="other", accounts=(0, 2))]))
    assert data.decode() == json.dumps(json.loads(data), indent=2, ensure_ascii=False) + "\n"
    empty = written(make.evaluation())
    assert empty.decode() == json.dumps(json.loads(empty), indent=2, ensure_ascii=False) + "\n"


def test_the_next_run_finds_what_it_has_to_know(make: SimpleNamespace) -> None:
    senders = [Sender(name="scanner", account="person0@contoso.example"), Sender(name="gone", account="x@y.example")]
    document = json.loads(written(make.evaluation([], "signIns", senders=senders)))
    assert document["now"] == "2026-11-23T16:00:00Z"
    assert document["datasets"]["users"] == "complete"
    assert document["senders"]["scanner"]["verdict"] == "blocked"
    assert document["senders"]["gone"] == {
        "name": "gone", "account": "x@y.example", "auth": "basic", "verdict": "missing",
    }  # fmt: skip
    assert (document["gone"], document["compared_with"]) == ([], None)


def test_triage_stands_with_its_finding_in_full(make: SimpleNamespace) -> None:
    finding = make.finding()
    evaluation = replace(make.evaluation([finding]), triage={finding.id: Triage(owner="Ann", comment="x" * 40_000)})
    (document,) = json.loads(written(evaluation))["findings"]
    assert document["triage"]["owner"] == "Ann"
    assert len(document["triage"]["comment"]) == 40_000


def test_a_lone_surrogate_does_not_break_the_file(make: SimpleNamespace) -> None:
    document = json.loads(written(make.evaluation([make.finding(title="a\ud800b")])))
    assert document["findings"][0]["title"] == "a\ufffdb"


def test_bytes_are_the_same_every_time(make: SimpleNamespace) -> None:
    findings = [make.finding(object_id=f"o{number}") for number in range(3)]
    assert written(make.evaluation(findings)) == written(make.evaluation(findings[::-1]))
