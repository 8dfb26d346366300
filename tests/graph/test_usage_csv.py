from __future__ import annotations

import json

import pytest

from auditor.graph.refusal import ReadError
from auditor.graph.usage_csv import pages


def rows(data):
    return [row for page in pages(data) for row in page]


HEADER = "Report Refresh Date,User Principal Name,SMTP App\r\n"


def test_rows_keep_every_cell_as_text():
    data = ("\ufeff" + HEADER + '2026-11-21,a@b.example,Yes\r\n2026-11-21,"c,d@b.example",\r\n').encode()
    assert [json.loads(row) for row in rows(data)] == [
        {"Report Refresh Date": "2026-11-21", "User Principal Name": "a@b.example", "SMTP App": "Yes"},
        {"Report Refresh Date": "2026-11-21", "User Principal Name": "c,d@b.example", "SMTP App": ""},
    ]


def test_a_header_alone_is_an_empty_report():
    assert rows(HEADER.encode()) == []


def test_a_large_report_comes_in_pages_until_a_line_that_is_wrong():
    text = HEADER + "".join(f"2026-11-21,user{number}@b.example,Yes\r\n" for number in range(2_500))
    assert [len(page) for page in pages(text.encode())] == [1000, 1000, 500]
    found = pages(f"{text}2026-11-21\r\n".encode())
    assert (len(next(found)), len(next(found))) == (1000, 1000)
    with pytest.raises(ReadError, match="line 2502"):
        next(found)


@pytest.mark.parametrize(
    "data", [b"", b"<html></html>", b"\xff\xfe\x00", HEADER.encode() + b"2026-11-21,a@b.example\r\n", b'"open'],
)  # fmt: skip
def test_what_is_no_such_report_is_refused(data):
    with pytest.raises(ReadError) as caught:
        rows(data)
    assert caught.value.kind == "malformed"
