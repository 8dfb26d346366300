"""`whatIf` as loaded: answers by account, and everything that is not of its form named."""

from __future__ import annotations

import pytest

from auditor.tenant import WhatIfAnswer, WhatIfResult

POLICY = {"id": "P1", "policyApplies": False, "analysisReasons": "users,location",
          "modifiedDateTime": "2026-11-01T00:00:00Z"}  # fmt: skip


def line(build, **changes):
    return {"account": build.id(1).upper(), "ip": "203.0.113.5", "policies": [POLICY]} | changes


def test_an_answer_is_read_whole(build):
    tenant = build.one(build.user(), whatIf=[line(build)])
    result = WhatIfResult("p1", False, ("users", "location"), "2026-11-01T00:00:00Z")
    assert tenant.what_if == (WhatIfAnswer(0, "203.0.113.5", (result,), ""),)
    assert build.problems(tenant) == []


def test_reasons_as_a_list_or_none_and_a_missing_time(build):
    policies = [POLICY | {"analysisReasons": ["users"]}, {"id": "p2", "policyApplies": True}]
    [answer] = build.one(build.user(), whatIf=[line(build, policies=policies)]).what_if
    assert [result.reasons for result in answer.results] == [("users",), ()]
    assert answer.results[1].modified == ""


def test_a_refusal_keeps_its_text(build):
    [answer] = build.one(build.user(), whatIf=[line(build, policies=[], error="gone")]).what_if
    assert (answer.results, answer.error) == ((), "gone")


def test_not_asked_is_empty(build):
    assert build.one(build.user()).what_if == ()


@pytest.mark.parametrize("state", ["complete", "cut"])
def test_evidence_is_used_as_far_as_it_was_read(build, state):
    manifest = {name: {"state": "complete", "records": 1} for name in ("users", "subscribedSkus")}
    manifest["whatIf"] = {"state": state, "records": 1}
    tenant = build.one(build.user(), whatIf=[line(build)], manifest=manifest)
    assert len(tenant.what_if) == 1
    assert tenant.status["whatIf"].state == state


@pytest.mark.parametrize(
    ("changes", "prop"),
    [
        ({"account": "nobody"}, "account"),
        ({"account": 5}, "account"),
        ({"ip": None}, "ip"),
        ({"ip": "203.0.113.0/24"}, "ip"),
        ({"policies": None}, "policies"),
        ({"policies": ["p1"]}, "policies"),
        ({"policies": [{"id": "p1"}]}, "policies"),
        ({"policies": [POLICY | {"policyApplies": "yes"}]}, "policies"),
    ],
)
def test_what_is_not_of_the_form_is_left_out_and_named(build, changes, prop):
    tenant = build.one(build.user(), whatIf=[line(build, **changes)])
    assert [result for answer in tenant.what_if for result in answer.results] == []
    [(dataset, _, told)] = build.problems(tenant)
    assert (dataset, told) == ("whatIf", prop)


def test_a_record_that_is_no_object_is_named(build):
    tenant = build.one(build.user(), whatIf=b'["x"]\n')
    assert tenant.what_if == ()
    assert build.problems(tenant) == [("whatIf", "record 1", "")]


def test_the_same_line_twice_counts_once_and_another_is_named(build):
    other = line(build, policies=[POLICY | {"policyApplies": True}])
    tenant = build.one(build.user(), whatIf=[line(build), line(build), other, line(build, ip="")])
    assert [(answer.ip, answer.results[0].applies) for answer in tenant.what_if] == [
        ("203.0.113.5", False),
        ("", False),
    ]
    assert build.problems(tenant) == [("whatIf", build.id(1), "")]
