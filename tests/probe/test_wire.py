from __future__ import annotations

import pytest

from auditor.probe import Reply
from auditor.probe.wire import read


@pytest.mark.parametrize(
    ("code", "data", "text"),
    [
        (250, b"2.1.0 Sender OK", "2.1.0 Sender OK"),
        (535, b"5.7.139 Authentication unsuccessful,\n5.7.139 account locked.", "5.7.139 Authentication unsuccessful, "
                                                                                "account locked."),
        (220, b"server one\nserver two", "server one server two"),
        (535, b"", ""),
        (535, b"5.7.139 \xff", "5.7.139 \ufffd"),
    ],
)  # fmt: skip
def test_lines_become_one_text_and_a_repeated_code_stands_once(code, data, text):
    assert read((code, data)) == Reply(code, text)


def test_a_reply_reads_as_it_was_sent():
    assert str(Reply(535, "5.7.3 no")) == "535 5.7.3 no"
