from __future__ import annotations

from datetime import UTC, datetime

import pytest

from auditor.blockers import basic_auth_retirement as module

BEFORE, ON = datetime(2026, 12, 30, 23, 59, 59, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)
LAST_OF_HVE, AFTER_HVE = datetime(2028, 8, 31, 23, tzinfo=UTC), datetime(2028, 9, 1, tzinfo=UTC)
HVE = {"server": "smtp.hve.mx.microsoft"}

TABLE = [
    (BEFORE, "public", None, "clear"),
    (ON, "public", None, "conditional"),
    (ON, "gcc-high", None, "conditional"),
    (BEFORE, "china", None, "unknown"),
    (ON, "china", None, "unknown"),
    (ON, "public", HVE, "clear"),
    (LAST_OF_HVE, "public", HVE, "clear"),
    (AFTER_HVE, "public", HVE, "conditional"),
]


@pytest.mark.parametrize(("now", "cloud", "settings", "expected"), TABLE)
def test_date(says, now, cloud, settings, expected):
    assert says("basic-auth-retirement", settings=settings, now=now, cloud=cloud) == expected


def reply(text):
    def change(records):
        records["smtpReplies"] = [{"account": "bob@contoso.example", "time": "2026-11-20T00:00:00Z", "text": text,
                                   "source": "probe"}]  # fmt: skip

    return change


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("550 5.7.30 Basic authentication is not supported for Client Submission.", "blocks"),
        ("550-5.7.30 Basic authentication is not supported", "blocks"),
        ("Error: 550 5.7.30 [host 2026-11-20]", "blocks"),
        ("550 5.7.300 something else", "clear"),
        ("535 5.7.139 Authentication unsuccessful, basic authentication is disabled.", "clear"),
        ("", "clear"),
    ],
)
def test_a_reply_that_was_brought_counts_for_the_whole_tenant(says, text, expected):
    assert says("basic-auth-retirement", reply(text)) == expected


def test_a_refusal_of_client_submission_does_not_concern_high_volume_email(says):
    refusal = reply("550 5.7.30 Basic authentication is not supported for Client Submission.")
    assert says("basic-auth-retirement", refusal, settings=HVE) == "clear"


def test_nothing_promises_more_than_was_announced():
    text = f"{module.__doc__} {module.BLOCKER.remedy} {module.BLOCKER.remedy_risk} {module.ANNOUNCED.text}".lower()
    for wrong in ("september 2025", "30 april 2026", "cannot be re-enabled", "will survive"):
        assert wrong not in text
    for told in ("27 january 2026", "switch it on again", "second half of 2027", "not published"):
        assert told in " ".join(text.split())
