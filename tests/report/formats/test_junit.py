from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from lxml import etree

from auditor.config import Config
from auditor.evaluate import Evaluation
from auditor.findings import RULES
from auditor.report.formats.junit import write_junit
from auditor.tenant import DatasetStatus


def raw(evaluation: Evaluation) -> bytes:
    stream = io.BytesIO()
    write_junit(stream, evaluation)
    return stream.getvalue()


def written(evaluation: Evaluation) -> etree._Element:
    return etree.fromstring(raw(evaluation))


@pytest.fixture(scope="module")
def schema(schemas: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(schemas / "junit.xsd")))


def counted(root: etree._Element) -> None:
    """The numbers of suites and file are those of their cases."""
    for suite in root:
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(suite.get(name)) == len(suite.findall(f"testcase/{tag}"))
        assert int(suite.get("tests")) == len(suite)
    for name in ("tests", "failures", "errors"):
        assert int(root.get(name)) == sum(int(suite.get(name)) for suite in root)


def test_the_demo_is_valid_with_a_suite_per_rule(demo: tuple[Evaluation, Config], schema: etree.XMLSchema) -> None:
    root = written(demo[0])
    schema.assertValid(root)
    counted(root)
    assert [suite.get("name") for suite in root] == [rule.id for rule in RULES]
    for finding in demo[0].findings:
        [case] = root.xpath("//testcase[contains(@name, $id)]", id=f"({finding.id})")
        assert case[0].tag == {"fail": "failure", "unknown": "error", "waived": "skipped"}[finding.outcome]
        assert finding.title in case[0].get("message")


def test_hostile_texts_are_valid_and_stay_text(hostile: Evaluation, schema: etree.XMLSchema) -> None:
    root = written(hostile)
    schema.assertValid(root)
    counted(root)
    messages = [result.get("message") for result in root.iter("failure", "error", "skipped")]
    assert any("</failure><system-out>" in message for message in messages)
    assert any("control ␀␇␛ \ufffd" in message for message in messages)
    [accepted, *_] = [message for message in messages if message.startswith("Accepted: until 2027-01-01")]
    assert accepted


def test_a_rule_that_found_nothing_passes_only_where_all_was_read(make: SimpleNamespace) -> None:
    whole = make.evaluation()
    assert not list(written(whole).iter("failure", "error", "skipped"))
    tenant = whole.judgement.tenant
    status = {**tenant.status, "transportConfig": DatasetStatus("transportConfig", "denied")}
    judgement = replace(whole.judgement, tenant=replace(tenant, status=status))
    root = written(replace(whole, judgement=judgement))
    skipped = {case.getparent().get("classname") for case in root.iter("skipped")}
    assert skipped == {rule.id for rule in RULES if "transportConfig" in rule.datasets}
    assert skipped
    [switch] = root.xpath("//testcase[@classname='smtp-auth-organisation-on']/skipped")
    assert switch.get("message") == "Nothing found, but not read whole: transportConfig (denied)"


def test_without_the_accounts_nothing_passes(make: SimpleNamespace) -> None:
    nothing = make.evaluation([], "users", count=0)
    tenant = nothing.judgement.tenant
    status = {**tenant.status, "users": DatasetStatus("users", "failed")}
    root = written(replace(nothing, judgement=replace(nothing.judgement, tenant=replace(tenant, status=status))))
    assert len(list(root.iter("skipped"))) == len(RULES)


def test_what_was_not_checked_is_an_error_and_a_fix_is_none(compared: Evaluation, schema: etree.XMLSchema) -> None:
    root = written(compared)
    schema.assertValid(root)
    counted(root)
    errors = [error.get("message") for error in root.iter("error")]
    assert errors == ["Not checked this time: Was not-checked"] * 2
    assert not root.xpath("//testcase[contains(@name, 'fixed')]")
    assert root[-1].get("name") == "rule-of-another-version"


def test_no_duration_stands_in_it_and_bytes_are_the_same(demo: tuple[Evaluation, Config]) -> None:
    data = raw(demo[0])
    assert b" time=" not in data
    assert data == raw(demo[0])
    assert data.startswith(b'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites')
