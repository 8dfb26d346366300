from __future__ import annotations

import json

import pytest

from auditor.graph.refusal import ReadError
from auditor.graph.usage_csv import rows

HEADER = "Report Refresh Date,User Principal Name,SMTP App\r\n"


def test_rows_keep_every_cell_as_text():
    data = ("\ufeff" + HEADER + '2026-11-21,a@b.example,Yes\r\n2026-11-21,"c,d@b.example",\r\n').encode()
    assert [json.loads(row) for row in rows(data)] == [
        {"Report Refresh Date": "2026-11-21", "User Principal Name": "a@b.example", "SMTP App": "Yes"},
        {"Report Refresh Date": "2026-11-21", "User Principal Name": "c,d@b.example", "SMTP App": ""},
    ]


def test_a_header_alone_is_an_empty_report():
    assert rows(HEADER.encode()) == []


@pytest.mark.parametrize(
    "data", [b"", b"<html></html>", b"\xff\xfe\x00", HEADER.encode() + b"2026-11-21,a@b.example\r\n", b'"open'],
)  # fmt: skip
def test_what_is_no_such_report_is_refused(data):
    with pytest.raises(ReadError) as caught:
        rows(data)
    assert caught.value.kind == "malformed"
