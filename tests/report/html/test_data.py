"""The page's rows are those of accounts.csv and findings.json."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from auditor import accounts
from auditor.blockers import BLOCKERS
from auditor.config import Config
from auditor.evaluate import Evaluation
from auditor.findings import to_json
from auditor.report.html.data import data_block
from auditor.report.html.visible import visible
from auditor.report.order import by_urgency
from auditor.verdict import EXPOSURE_WORDS


@pytest.fixture(scope="module")
def data(demo: tuple[Evaluation, Config], read: SimpleNamespace) -> dict[str, Any]:
    return read.data_of(f'<script type="application/json" id="data">{"".join(data_block(demo[0]))}</script>')


@pytest.fixture(scope="module")
def rows(data: dict[str, Any], read: SimpleNamespace) -> list[dict[str, str]]:
    columns = {name: read.column(raw) for name, raw in data["accounts"]["columns"].items()}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def test_rows_are_those_of_accounts_csv(
    demo: tuple[Evaluation, Config], data: dict[str, Any], rows: list[dict[str, str]], read: SimpleNamespace
) -> None:
    states = {
        blocker["id"]: [blocker["reasons"][code][0] for code in read.decoded(codes, len(blocker["reasons"]))]
        for blocker, codes in zip(data["blockers"], data["accounts"]["reasons"], strict=True)
    }
    found = {
        row["user_id"]: row | {name: column[place] for name, column in states.items()} for place, row in enumerate(rows)
    }
    for values in accounts.rows(demo[0].judgement):
        expected = dict(zip(accounts.COLUMNS, map(visible, values), strict=True))
        assert found.pop(values[0]) == expected
    assert not found


def test_the_most_exposed_come_first(rows: list[dict[str, str]]) -> None:
    order = [EXPOSURE_WORDS[::-1].index(row["exposure"]) if row["exposure"] == "open" else 1 for row in rows]
    assert order == sorted(order)
    exposed = [row["is_admin"] == "true" for row in rows if row["exposure"] == "open"]
    assert exposed == sorted(exposed, reverse=True)
    assert any(exposed)


def test_findings_are_those_of_findings_json(
    demo: tuple[Evaluation, Config], data: dict[str, Any], rows: list[dict[str, str]], read: SimpleNamespace
) -> None:
    raw = data["findings"]
    columns = {name: read.column(column) for name, column in raw["columns"].items()}
    for place, finding in enumerate(by_urgency(demo[0].findings)):
        document = to_json(finding, demo[0].judgement)
        for name, values in columns.items():
            assert values[place] == (finding.id if name == "id" else visible(document[name])), name
        facts = [dict(zip(("name", "value", "dataset"), raw["known_facts"][number], strict=True))
                 for number in raw["facts"][place]]  # fmt: skip
        assert facts == [{key: visible(value) for key, value in fact.items()} for fact in document["evidence"]]
        touched = [rows[row]["user_id"] for row in itertools.accumulate(raw["accounts"][place])]
        assert sorted(touched) == document["accounts"]
        references, controls = (raw["known_references"][number] for number in raw["references"][place])
        assert (references, controls) == (document["references"], document["controls"])


def test_each_sender_has_the_reasons_of_its_own_case(demo: tuple[Evaluation, Config], data: dict[str, Any]) -> None:
    judgement = demo[0].judgement
    cases = list(judgement.sender_cases())
    assert len(data["senders"]) == len(cases) > 20
    for case, sender in zip(cases, data["senders"], strict=True):
        assert sender["name"] == judgement.cases.senders[case].name
        for blocker, code, known in zip(BLOCKERS, sender["reasons"], data["blockers"], strict=True):
            reason = judgement.columns[blocker.id].reason(case)
            assert known["reasons"][code][:2] == [reason.state.word, visible(reason.text)]


def test_a_blocking_reason_names_its_documented_reply(data: Mapping[str, Any]) -> None:
    [switch] = [blocker for blocker in data["blockers"] if blocker["id"] == "smtp-auth-switch"]
    replies = {reason[0]: reason[4] for reason in switch["reasons"]}
    assert replies["blocks"].startswith("535 5.7.139")
    assert replies["clear"] == ""
    [state] = [blocker for blocker in data["blockers"] if blocker["id"] == "account-state"]
    assert {reason[4] for reason in state["reasons"] if reason[0] == "blocks"} == {"not documented"}


def test_nothing_read_is_empty_tables(make: SimpleNamespace, read: SimpleNamespace) -> None:
    data = read.data_of(read.rendered(make.evaluation([], "users", count=0)))
    assert data["accounts"]["count"] == data["findings"]["count"] == 0
    assert data["accounts"]["columns"]["user_id"] == {"text": []}
    assert data["findings"]["facts"] == data["senders"] == []
