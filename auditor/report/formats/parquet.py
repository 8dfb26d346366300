"""accounts.parquet and findings.parquet: the same rows, typed, for a data platform. Needs pyarrow (extra `parquet`).

Accounts have the columns of accounts.csv: times as UTC timestamps (null where none was read or seen), error codes and
methods as lists, every other column as the contract's words. Findings have the keys of findings.json. The schema's
metadata names tenant, moment and version. The bytes depend on pyarrow's version too, which the format records.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from auditor import __version__, accounts
from auditor.evaluate import Evaluation
from auditor.findings import to_json
from auditor.report.text import clean

if TYPE_CHECKING:
    from auditor.tenant import Tenant

_TEXTS = ("user_id", "user_principal_name", "display_name", "likely_replies", "smtp_evidence")
_TIMES = ("smtp_last_success", "smtp_last_failure", "methods_as_of", "password_last_changed")
_ROWS = 20_000
"""Rows of a row group."""

_MOMENT = pa.timestamp("us", tz="UTC")
_WORD = pa.dictionary(pa.int32(), pa.string())


def write_accounts(stream: IO[bytes], evaluation: Evaluation) -> None:
    """Write accounts.parquet, sorted by user_id."""
    schema = pa.schema([(name, _type_of(name)) for name in accounts.COLUMNS])
    rows = (_typed(row) for row in accounts.rows(evaluation.judgement))
    _write(stream, schema, rows, evaluation.judgement.tenant)


def write_findings(stream: IO[bytes], evaluation: Evaluation) -> None:
    """Write findings.parquet, sorted by id."""
    fact = pa.struct([("name", pa.string()), ("value", pa.string()), ("dataset", pa.string())])
    words = ("rule", "severity", "outcome", "object_type", "change")
    lists = ("references", "controls", "accounts")
    names = (
        "id", "rule", "severity", "outcome", "object_type", "object_id", "object_name", "title", "evidence", "remedy",
        "remedy_risk", "references", "controls", "first_seen", "change", "accounts",
    )  # fmt: skip
    types = {
        **dict.fromkeys(names, pa.string()), **dict.fromkeys(words, _WORD),
        **dict.fromkeys(lists, pa.list_(pa.string())), "evidence": pa.list_(fact), "first_seen": _MOMENT,
    }  # fmt: skip
    ordered = sorted(evaluation.findings, key=lambda finding: finding.id)
    rows = (_finding_row(to_json(finding, evaluation.judgement), names) for finding in ordered)
    _write(stream, pa.schema([(name, types[name]) for name in names]), rows, evaluation.judgement.tenant)


def _type_of(name: str) -> pa.DataType:
    if name in _TEXTS:
        return pa.string()
    if name in _TIMES:
        return _MOMENT
    if name == "smtp_failure_codes":
        return pa.list_(pa.int64())
    return pa.list_(pa.string()) if name == "methods_registered" else _WORD


def _typed(row: Sequence[str]) -> tuple[Any, ...]:
    return tuple(_value(name, value) for name, value in zip(accounts.COLUMNS, row, strict=True))


def _value(name: str, value: str) -> Any:
    if name in _TIMES:
        return _moment(value)
    if name == "smtp_failure_codes":
        return [int(code) for code in value.split()]
    if name == "methods_registered":
        return [clean(method) for method in value.split(", ") if method]
    return clean(value)


def _moment(text: str) -> datetime | None:
    """The moment as read; None where there is none, or where the service's text is no time."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed.replace(tzinfo=parsed.tzinfo or UTC).astimezone(UTC)


def _finding_row(document: dict[str, Any], names: Sequence[str]) -> tuple[Any, ...]:
    document = document | {"first_seen": _moment(document["first_seen"])}
    return tuple(_cleaned(document[name]) for name in names)


def _cleaned(value: Any) -> Any:
    """Every text as UTF-8 can hold it."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [_cleaned(item) for item in value]
    return {key: _cleaned(item) for key, item in value.items()} if isinstance(value, dict) else value


def _write(stream: IO[bytes], schema: pa.Schema, rows: Iterable[tuple[Any, ...]], tenant: Tenant) -> None:
    metadata = {
        "tenant_id": clean(tenant.tenant_id),
        "now": tenant.now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "tenant_auditor": __version__,
    }
    schema = schema.with_metadata(metadata)
    with pq.ParquetWriter(stream, schema, compression="zstd") as writer:
        for part in _parts(rows):
            columns = [
                pa.array(column, field.type) for column, field in zip(zip(*part, strict=True), schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def _parts(rows: Iterable[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    rest = iter(rows)
    while part := list(islice(rest, _ROWS)):
        yield part
