"""The catalogue of replies: whole, without doubles, and pointing at blockers that exist."""

from __future__ import annotations

import re

import pytest

from auditor.blockers import BY_ID
from auditor.replies import AUTHENTICATION, REPLIES, SENDING, by_id


def test_ids_are_unique_and_found():
    assert len({reply.id for reply in REPLIES}) == len(REPLIES) == len(AUTHENTICATION) + len(SENDING)
    for reply in REPLIES:
        assert by_id(reply.id) is reply
        assert re.fullmatch(r"[a-z0-9-]+", reply.id)


def test_an_unknown_id_is_an_error():
    with pytest.raises(KeyError):
        by_id("no-such-reply")


def test_every_reply_says_what_it_means_and_where_that_was_read():
    for reply in REPLIES:
        assert reply.text
        assert reply.meaning.endswith(".")
        assert reply.source
        assert set(reply.blockers) <= set(BY_ID)
        assert re.search(r"\d\.\d+\.\d+", reply.code)
        if reply.source.startswith("http"):
            assert reply.source.startswith("https://learn.microsoft.com/")


def test_the_family_of_5_7_139_is_told_apart_by_its_text():
    family = [reply for reply in REPLIES if reply.code == "535 5.7.139"]
    assert len(family) == len({reply.text for reply in family}) == 11
    assert {name for reply in family for name in reply.blockers} >= {
        "smtp-auth-switch", "security-defaults", "authentication-policy", "credential", "conditional-access",
        "account-state",
    }  # fmt: skip


def test_the_two_switches_have_texts_of_their_own():
    assert "for the Tenant" in by_id("smtp-auth-disabled-tenant").text
    assert "for the Mailbox" in by_id("smtp-auth-disabled-mailbox").text


def test_what_is_not_verified_says_so():
    assert by_id("account-issue").confidence == "unverified"
    assert by_id("organization-configuration").confidence == "unverified"
    assert by_id("smtp-auth-disabled-tenant").confidence == "documented"


CODES = """535 5.7.139|535 5.7.3|535 5.7.142|535 5.7.143|535 5.7.144|5.5.121|5.5.126|550 5.7.240|504 5.7.4
530 5.7.0|5.7.57|5.7.53|454 4.7.0|451 4.7.0|421 4.7.66|550 5.7.30|550 5.7.60|554 5.2.0|554 5.2.252
550 5.2.251|550 5.2.252|550 5.2.253|550 5.2.254|550 5.2.255|550 5.1.90|550 5.2.2|554 5.2.2|432 4.3.2
4.4.2|550 5.1.8|5.7.501|5.7.502|5.7.503|550 5.7.703|550 5.7.705|550 5.7.708|550 5.7.750|4.7.500
550 5.7.64|550 5.7.68|5.7.1|5.4.1|5.7.12|5.7.133|5.7.134|5.7.136|552 5.3.4|452 4.5.3"""


def test_every_documented_code_is_in_the_catalogue():
    codes = " / ".join(reply.code for reply in REPLIES)
    for code in re.split(r"[|\n]", CODES):
        assert code in codes
