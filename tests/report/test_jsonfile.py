from __future__ import annotations

import io
import json
from types import SimpleNamespace

from auditor.report.jsonfile import findings_json


def written(evaluation: object) -> bytes:
    stream = io.BytesIO()
    findings_json(stream, evaluation)  # type: ignore[arg-type]
    return stream.getvalue()


def test_the_file_is_one_object_sorted_by_id_with_a_trailing_newline(make: SimpleNamespace) -> None:
    findings = [make.finding(object_id=f"o{number}", title="é < ü") for number in range(4)]
    data = written(make.evaluation(findings))
    document = json.loads(data)
    assert list(document) == ["findings"]
    assert [finding["id"] for finding in document["findings"]] == sorted(finding.id for finding in findings)
    assert {
        "id", "rule", "severity", "outcome", "object_type", "object_id", "object_name", "title", "evidence", "remedy",
        "remedy_risk", "references", "controls", "first_seen", "change",
    } <= set(document["findings"][0])  # fmt: skip
    assert "é < ü".encode() in data
    assert data.endswith(b"}\n")


def test_no_finding_is_an_empty_list(make: SimpleNamespace) -> None:
    assert json.loads(written(make.evaluation())) == {"findings": []}


def test_layout_is_that_of_plain_json_with_two_blanks(make: SimpleNamespace) -> None:
    data = written(make.evaluation([make.finding(), make.finding(object_id="other", accounts=(0, 2))]))
    assert data.decode() == json.dumps(json.loads(data), indent=2, ensure_ascii=False) + "\n"
    assert written(make.evaluation()).decode() == json.dumps({"findings": []}, indent=2) + "\n"


def test_a_lone_surrogate_does_not_break_the_file(make: SimpleNamespace) -> None:
    document = json.loads(written(make.evaluation([make.finding(title="a\ud800b")])))
    assert document["findings"][0]["title"] == "a\ufffdb"


def test_bytes_are_the_same_every_time(make: SimpleNamespace) -> None:
    findings = [make.finding(object_id=f"o{number}") for number in range(3)]
    assert written(make.evaluation(findings)) == written(make.evaluation(findings[::-1]))
