from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from auditor import accounts
from auditor.config import Config
from auditor.evaluate import Evaluation
from auditor.findings import to_json
from auditor.report.formats.parquet import write_accounts, write_findings


def table(write: Any, evaluation: Evaluation) -> pa.Table:
    stream = io.BytesIO()
    write(stream, evaluation)
    return pq.read_table(io.BytesIO(stream.getvalue()))


def test_accounts_are_those_of_accounts_csv_with_types(demo: tuple[Evaluation, Config]) -> None:
    found = table(write_accounts, demo[0])
    assert tuple(found.column_names) == accounts.COLUMNS
    rows = found.to_pylist()
    for row, values in zip(rows, accounts.rows(demo[0].judgement), strict=True):
        expected = dict(zip(accounts.COLUMNS, values, strict=True))
        assert row["user_id"] == expected["user_id"]
        assert row["exposure"] == expected["exposure"]
        assert row["smtp_failure_codes"] == [int(code) for code in expected["smtp_failure_codes"].split()]
        assert ", ".join(row["methods_registered"]) == expected["methods_registered"]
        told = row["smtp_last_success"]
        assert (told.strftime("%Y-%m-%dT%H:%M:%SZ") if told else "") == expected["smtp_last_success"]
    assert found.schema.field("smtp_last_success").type == pa.timestamp("us", tz="UTC")
    assert any(row["smtp_last_success"] for row in rows)
    assert any(row["password_last_changed"] is None for row in rows)


def test_findings_are_those_of_findings_json(demo: tuple[Evaluation, Config]) -> None:
    rows = table(write_findings, demo[0]).to_pylist()
    for row, finding in zip(rows, sorted(demo[0].findings, key=lambda one: one.id), strict=True):
        expected = to_json(finding, demo[0].judgement) | {"first_seen": datetime(2026, 11, 23, 16, tzinfo=UTC)}
        assert row == expected


def test_pandas_reads_them_and_the_schema_says_whose_they_are(demo: tuple[Evaluation, Config]) -> None:
    stream = io.BytesIO()
    write_accounts(stream, demo[0])
    frame = pd.read_parquet(io.BytesIO(stream.getvalue()))
    assert len(frame) == len(demo[0].judgement.tenant.accounts)
    assert frame["exposure"].value_counts()["open"] == (frame["exposure"] == "open").sum() > 0
    metadata = pq.read_schema(io.BytesIO(stream.getvalue())).metadata
    assert metadata[b"tenant_id"].decode() == demo[0].judgement.tenant.tenant_id
    assert metadata[b"now"] == b"2026-11-23T16:00:00Z"


@pytest.mark.parametrize("write", [write_accounts, write_findings])
def test_hostile_texts_and_nothing_at_all_are_files_too(write: Any, hostile: Evaluation, make: Any) -> None:
    assert table(write, hostile).num_rows == 6
    assert table(write, make.evaluation([], "users", count=0)).num_rows == 0


def test_a_time_that_is_none_is_null_and_text_is_what_utf8_can_hold(hostile: Evaluation) -> None:
    rows = table(write_findings, hostile).to_pylist()
    assert any("control ␀␇␛ \ufffd" in row["title"] for row in rows)


def test_bytes_are_the_same_every_time(demo: tuple[Evaluation, Config]) -> None:
    streams = io.BytesIO(), io.BytesIO()
    for stream in streams:
        write_accounts(stream, demo[0])
    assert streams[0].getvalue() == streams[1].getvalue()
