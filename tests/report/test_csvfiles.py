from __future__ import annotations

import csv
import io
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor import accounts
from auditor.findings.base import Fact
from auditor.report import csvfiles
from auditor.report.text import csv_text


class Kept(io.BytesIO):
    """A stream whose bytes can be read after it was closed."""

    data = b""

    def close(self) -> None:
        if not self.closed:
            self.data = self.getvalue()
        super().close()


def rows(stream: Kept) -> list[list[str]]:
    return list(csv.reader(io.StringIO(stream.data.decode("utf-8-sig"), newline="")))


def test_bytes_are_utf8_with_bom_and_rfc_4180_line_ends() -> None:
    stream = Kept()
    csvfiles.write_csv(stream, ("id", "text"), [("é", 'say "hi", then\ngo'), ("n", 3)])
    assert stream.data == '\ufeffid,text\r\né,"say ""hi"", then\ngo"\r\nn,3\r\n'.encode()
    assert stream.closed


def test_hostile_text_is_defused_and_markup_stays_text() -> None:
    stream = Kept()
    csvfiles.write_csv(stream, ("a", "b", "c"), [("=1+1", "<b>x</b>", "\x07\ud800")])
    assert rows(stream)[1] == ["'=1+1", "<b>x</b>", "␇\ufffd"]


@given(st.lists(st.tuples(st.text(st.characters()), st.sampled_from(["", "a b", "=1", 'x,"y"', "-"]))))
def test_columns_are_written_as_rows_are_and_read_back_cleaned(records: list[tuple[str, str]]) -> None:
    by_row, by_column = Kept(), Kept()
    parts = [list(zip(*records[start : start + 2], strict=True)) for start in range(0, len(records), 2)]
    csvfiles.write_csv(by_row, ("a", "b"), records)
    csvfiles.write_columns(by_column, ("a", "b"), parts)
    assert by_column.data == by_row.data
    assert rows(by_column)[1:] == [[csv_text(text) for text in record] for record in records]


def test_findings_are_sorted_by_id_with_the_contracts_columns(make: SimpleNamespace) -> None:
    findings = [make.finding(object_id=f"o{number}") for number in range(5)]
    stream = Kept()
    csvfiles.findings_csv(stream, make.evaluation(findings[::-1]))
    read = rows(stream)
    assert read[0] == [
        "id", "rule", "severity", "outcome", "object_type", "object_id", "object_name", "title", "evidence", "remedy",
        "remedy_risk", "references", "controls", "first_seen", "change",
    ]  # fmt: skip
    assert [row[0] for row in read[1:]] == sorted(finding.id for finding in findings)
    values = dict(zip(read[0], read[1], strict=True))
    assert values["evidence"] == "SmtpClientAuthenticationDisabled: false [transportConfig]"
    assert values["references"] == "https://learn.microsoft.com/exchange/one\nhttps://learn.microsoft.com/exchange/two"
    assert values["controls"] == "CIS 6.5.4"


def test_each_fact_stands_on_its_own_line(make: SimpleNamespace) -> None:
    finding = make.finding(evidence=(Fact("a", "1", "users"), Fact("b", "2")))
    assert csvfiles.evidence_text(finding) == "a: 1 [users]\nb: 2"


def test_accounts_have_every_column_and_every_account_sorted_by_id(make: SimpleNamespace) -> None:
    stream = Kept()
    csvfiles.accounts_csv(stream, make.evaluation(count=7, names=["=evil"]))
    read = rows(stream)
    assert read[0] == list(accounts.COLUMNS)
    assert len(read) == 8
    assert [row[0] for row in read[1:]] == sorted(row[0] for row in read[1:])
    assert read[1][read[0].index("display_name")] == "'=evil"


def test_without_accounts_the_header_stands(make: SimpleNamespace) -> None:
    stream = Kept()
    csvfiles.accounts_csv(stream, make.evaluation(count=0))
    assert rows(stream) == [list(accounts.COLUMNS)]


def test_coverage_lists_every_dataset_by_name(make: SimpleNamespace) -> None:
    stream = Kept()
    csvfiles.coverage_csv(stream, make.evaluation([], "casMailboxes"))
    read = rows(stream)
    assert read[0] == [
        "dataset", "state", "records", "reason", "permission", "licence", "source", "as_of", "decides",
        "unknown_accounts", "remedy",
    ]  # fmt: skip
    names = [row[0] for row in read[1:]]
    assert names == sorted(names)
    assert len(names) == len(make.coverage())
    assert dict(zip(names, [row[1] for row in read[1:]], strict=True))["casMailboxes"] == "denied"


@pytest.mark.parametrize("count", [0, 3])
def test_the_same_evaluation_gives_the_same_bytes(make: SimpleNamespace, count: int) -> None:
    streams = [Kept(), Kept()]
    for stream in streams:
        csvfiles.accounts_csv(stream, make.evaluation(count=count))
    assert streams[0].data == streams[1].data
