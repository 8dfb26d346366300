"""The catalogue of replies: sound records, and every one of them is recognised by what Exchange Online sends."""

from __future__ import annotations

import re

import pytest

from auditor.explain import explain
from auditor.explain.find import codes_of
from auditor.explain.pasted import squeeze
from auditor.replies import AUTHENTICATION, REPLIES, SENDING, Reply, by_id
from auditor.verdict import DECIDING_ORDER

MANY_MEANINGS = ("5.7.139", "5.7.3", "5.2.0")
SAME_TEXT = {"authentication-unsuccessful", "oauth-unsuccessful"}
ALL = pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: reply.id)


def codes(reply: Reply) -> list[str]:
    """Each alternative of the code as a server sends it, a range as its ends."""
    result, basic = [], ""
    for part in reply.code.split(" / "):
        digits, _, rest = part.rpartition(" ") if re.match(r"\d{3} ", part) else ("", "", part)
        basic = digits or basic
        result += [f"{basic or rest[0] + '50'} {end}" for end in rest.split(" - ")]
    return result


def as_sent(reply: Reply, code: str = "") -> str:
    lead = "Authentication unsuccessful, " if reply.code == "535 5.7.139" else ""
    return f"{code or codes(reply)[0]} {lead}{reply.text}"


def recognised(text: str) -> list[str]:
    return [match.reply.id for match in explain(text).matches]


def test_ids_are_unique_and_found():
    assert len({reply.id for reply in REPLIES}) == len(REPLIES) == len(AUTHENTICATION) + len(SENDING)
    assert by_id("send-as-denied").code == "550 5.7.60"
    with pytest.raises(KeyError):
        by_id("nonsense")


@ALL
def test_records_are_sound(reply):
    assert set(reply.blockers) <= set(DECIDING_ORDER)
    assert set(reply.unseen) <= set(reply.blockers)
    assert reply.blockers or reply.first, "without a blocker there is no remedy, so it must say what to do"
    assert reply.phrases or reply.beside_code or reply.by_code
    assert codes_of(reply)
    assert reply.text
    assert reply.meaning.endswith(".")
    assert not reply.first or reply.first.endswith(".")
    assert (
        reply.source.startswith("https://learn.microsoft.com/")
        or reply.confidence != "documented"
        or reply.id == ("basic-not-supported")
    )


@ALL
def test_phrases_are_long_enough_to_mean_something(reply):
    assert all(len(squeeze(phrase)) >= 20 for phrase in reply.phrases)
    assert all(len(squeeze(phrase)) >= 11 for phrase in reply.beside_code)


@ALL
def test_every_reply_is_recognised_by_its_own_text_and_any_of_its_codes(reply):
    for code in codes(reply):
        found = explain(as_sent(reply, code))
        wanted = SAME_TEXT if reply.id in SAME_TEXT else {reply.id}
        assert {match.reply.id for match in found.matches} == wanted, code
        assert not found.unrecognised
        assert found.matches[0].code == code


@ALL
def test_a_code_with_many_meanings_alone_is_no_match(reply):
    for code in codes(reply):
        found = explain(f"the server said {code} and nothing else that is known")
        if reply.by_code:
            assert [(match.reply.id, match.by) for match in found.matches] == [(reply.id, "code")]
        else:
            assert all(match.reply.by_code for match in found.matches)
            assert found.matches or reply.id in [near.reply.id for near in found.nearest]


@pytest.mark.parametrize("code", MANY_MEANINGS)
def test_codes_with_many_meanings_never_identify(code):
    number = tuple(map(int, code.split(".")))
    meanings = [reply for reply in REPLIES if any(low <= number <= high for _, low, high in codes_of(reply))]
    assert len(meanings) > 1
    assert not any(reply.by_code for reply in meanings)


def test_the_text_after_5_7_139_is_recognised_without_its_code():
    family = [reply for reply in REPLIES if reply.code == "535 5.7.139"]
    assert len(family) == 11
    for reply in family:
        assert recognised(f"Authentication unsuccessful, {reply.text}") == [reply.id]


BAD_ADVICE = (
    r"app password",
    r"(disable|turn off|switch off) security defaults",
    r"Set-TransportConfig",
    r"for the (whole )?organi[sz]ation",
    r"modern authentication",
    r"(disable|switch off|turn off) MFA",
    r"465",
)


@pytest.mark.parametrize("pattern", BAD_ADVICE)
def test_first_steps_repeat_none_of_the_bad_advice(pattern):
    assert not [reply.id for reply in REPLIES if re.search(pattern, reply.first, re.IGNORECASE)]


def rows(text: str) -> list[tuple[str, str]]:
    """(code, text) of the catalogue's tables on the fact sheet."""
    section = text[text.index("# 2. SMTP RESPONSE CATALOGUE") : text.index("# 3. TIMELINE")]
    cells = [line.strip("|").split("|") for line in section.splitlines() if re.match(r"\| *\d", line)]
    return [(row[0].strip(), row[1].strip()) for row in cells]


def test_every_quoted_text_of_the_fact_sheet_is_recognised(shared):
    table = rows((shared / "facts" / "smtp-auth.md").read_text("utf-8"))
    assert len(table) >= 35
    for code, text in table:
        first = re.search(r"(?:\d{3} )?\d\.\d+\.\d+", code)
        for quoted in re.findall(r"`([^`]+)`", text):
            lead = "Authentication unsuccessful, " if "5.7.139" in code else ""
            assert first, code
            assert recognised(f"{first[0]} {lead}{quoted}"), f"{code}: {quoted}"


def test_every_code_of_the_fact_sheet_is_in_the_catalogue(shared):
    known = [numbers for reply in REPLIES for numbers in codes_of(reply)]
    for code, _ in rows((shared / "facts" / "smtp-auth.md").read_text("utf-8")):
        for found in re.findall(r"\d\.\d+\.\d+", code):
            number = tuple(map(int, found.split(".")))
            assert any(low <= number <= high for _, low, high in known), found
