"""Replies that somebody brought are kept whole, or the dataset says which line is wrong."""

from __future__ import annotations

import json

import pytest

from auditor.catalogue import BY_NAME
from auditor.collect.brought import smtp_replies
from auditor.config import AuditConfig, Config, LoadedConfig

GOOD = {"account": "scanner@contoso.example", "time": "2026-11-20T08:00:00Z", "text": "550 5.7.30 …", "source": "log"}


def read(tmp_path, text):
    kept = []
    if text is not None:
        (tmp_path / "replies.jsonl").write_text(text, encoding="utf-8")
    config = LoadedConfig(Config(audit=AuditConfig(smtp_replies="replies.jsonl")), tmp_path, "")
    outcome = smtp_replies(config, BY_NAME["smtpReplies"], kept.extend)
    return outcome.status, kept


def test_lines_are_kept_as_they_stand(tmp_path):
    line = json.dumps({**GOOD, "note": "kept too"}, ensure_ascii=False)
    status, kept = read(tmp_path, f"\ufeff{line}\r\n\r\n{line}\n")
    assert status.state == "complete"
    assert kept == [line.encode(), line.encode()]


@pytest.mark.parametrize(
    ("bad", "word"),
    [
        ("{", "line 2"),
        ("[]", "line 2"),
        (json.dumps({**GOOD, "time": "yesterday"}), "line 2"),
        ('{"account": "a"}', "time"),
    ],
)
def test_a_bad_line_fails_the_dataset_and_is_named(tmp_path, bad, word):
    status, kept = read(tmp_path, f"{json.dumps(GOOD)}\n{bad}\n")
    assert status.state == "failed"
    assert word in status.reason
    assert not kept


def test_a_missing_file_fails_the_dataset(tmp_path):
    status, _ = read(tmp_path, None)
    assert status.state == "failed"
    assert "replies.jsonl" in status.reason


def test_nothing_brought_is_not_asked():
    config = LoadedConfig(Config(), None, "")
    assert smtp_replies(config, BY_NAME["smtpReplies"], list).status.state == "not-asked"
