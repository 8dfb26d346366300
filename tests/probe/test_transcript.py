from __future__ import annotations

import json
import sys

import pytest

from auditor.catalogue import BY_NAME
from auditor.collect.brought import smtp_replies
from auditor.config import AuditConfig, Config, LoadedConfig
from auditor.errors import UsageError
from auditor.probe.redact import Redactor
from auditor.probe.transcript import MOST_LINES, Evidence, PrivateFile, Transcript


def test_each_line_says_who_spoke():
    transcript = Transcript(Redactor())
    transcript.server("220 ready\r\n")
    transcript.client("EHLO [192.0.2.1]\r\n")
    transcript.note("TLS started")
    assert transcript.lines == ["S: 220 ready", "C: EHLO [192.0.2.1]", "-- TLS started"]


def test_an_endless_conversation_is_cut_short():
    transcript = Transcript(Redactor())
    for _ in range(MOST_LINES + 50):
        transcript.server("250-more")
    assert len(transcript.lines) == MOST_LINES


def test_a_transcript_is_private_and_never_overwrites(tmp_path):
    path = tmp_path / "transcript.txt"
    kept = PrivateFile(path)
    kept.write("scanner", ["S: 220 ready"])
    kept.close()
    assert path.read_text(encoding="utf-8") == "== scanner\nS: 220 ready\n\n"
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError, match="exists already"):
        PrivateFile(path)
    with pytest.raises(UsageError, match="cannot be written"):
        PrivateFile(tmp_path / "no" / "such" / "folder.txt")


NOTED = '{"account":"a","time":"2026-11-20T08:00:00Z","text":"x","source":"s"}'


@pytest.mark.parametrize("before", ["", NOTED, f"{NOTED}\n"])
def test_evidence_is_appended_in_the_form_that_the_collection_reads(tmp_path, before):
    path = tmp_path / "replies.jsonl"
    path.write_text(before, encoding="utf-8")
    evidence = Evidence(path)
    evidence.add("scanner@contoso.example", "2026-11-23T16:00:00Z", ["535 5.7.139 nö", "250 2.1.0 ok"])
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
    assert rows[-2:] == [
        {"account": "scanner@contoso.example", "time": "2026-11-23T16:00:00Z", "text": text, "source": "probe"}
        for text in ("535 5.7.139 nö", "250 2.1.0 ok")
    ]
    kept = []
    config = LoadedConfig(Config(audit=AuditConfig(smtp_replies="replies.jsonl")), tmp_path, "")
    outcome = smtp_replies(config, BY_NAME["smtpReplies"], kept.extend)
    assert outcome.status.state == "complete"
    assert len(kept) == 2 + bool(before)


def test_evidence_that_cannot_be_written_is_told_before_anything_is_done(tmp_path):
    with pytest.raises(UsageError, match="--replies"):
        Evidence(tmp_path / "no" / "such" / "folder.jsonl")
