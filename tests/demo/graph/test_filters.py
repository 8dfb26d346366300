from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.demo.graph.filters import FilterError, parse

RECORD = {
    "clientAppUsed": "Authenticated SMTP",
    "createdDateTime": "2026-11-20T05:03:52Z",
    "status": {"errorCode": 53003},
    "isInteractive": True,
    "note": None,
    "name": "it's",
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("clientAppUsed eq 'Authenticated SMTP'", True),
        ("clientAppUsed eq 'authenticated smtp'", True),
        ("clientAppUsed eq 'SMTP'", False),
        ("name eq 'it''s'", True),
        ("status/errorCode eq 53003", True),
        ("status/errorCode eq 0", False),
        ("status/nothing eq null", True),
        ("nothing/at/all eq null", True),
        ("isInteractive eq true", True),
        ("isInteractive eq false", False),
        ("note eq null", True),
        ("note eq 'x'", False),
        ("note ge 2026-01-01T00:00:00Z", False),
        ("createdDateTime ge 2026-11-20T05:03:52Z", True),
        ("createdDateTime ge 2026-11-20T05:03:53Z", False),
        ("createdDateTime le 2026-11-20T06:03:52+01:00", True),
        ("createdDateTime ge 2026-11-20T05:03:51.5Z", True),
        ("createdDateTime ge 2026-11-01T00:00Z and (clientAppUsed eq 'SMTP' or clientAppUsed eq 'Authenticated SMTP')",
         True),
        ("note eq null or note eq 'x' and note eq 'y'", True),  # and binds tighter
        ("(note eq null or note eq 'x') and note eq 'y'", False),
        ("((isInteractive eq true))", True),
    ],
)  # fmt: skip
def test_what_holds(text, holds):
    assert parse(text).holds(RECORD) is holds


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "name", "name eq", "name eq 'open", "name eq x", "name ne 'x'", "name gt 1", "name in ('a')",
        "startswith(name,'a')", "not name eq 'a'", "name eq 'a' and", "name eq 'a' or or", "(name eq 'a'",
        "name eq 'a')",
        "methods/any(t: t eq 'a')", "name eq 1.5", "name eq 2026-13-01T00:00:00Z", "'a' eq name", "eq eq eq", "()",
        "name eq 'a' name eq 'b'", "name ; eq 1",
    ],
)  # fmt: skip
def test_what_is_not_supported_is_refused(text):
    with pytest.raises(FilterError):
        parse(text)


@pytest.mark.parametrize("text", ["(" * 3000 + "name eq 'a'" + ")" * 3000, f"name eq {'9' * 5000}"])
def test_a_filter_beyond_all_measure_is_refused(text):
    with pytest.raises(FilterError):
        parse(text)


def test_a_date_without_an_offset_meets_no_time():
    with pytest.raises(FilterError, match="offset"):
        parse("day ge 2026-01-01T00:00:00Z").holds({"day": "2026-11-21"})


@pytest.mark.parametrize(
    "text",
    ["clientAppUsed eq 1", "isInteractive eq 1", "status/errorCode eq true", "status eq 'x'",
     "clientAppUsed ge 2026-01-01T00:00:00Z", "isInteractive ge 2026-01-01T00:00:00Z"],
)  # fmt: skip
def test_types_that_do_not_meet_are_refused(text):
    with pytest.raises(FilterError):
        parse(text).holds(RECORD)


def test_the_paths_of_a_filter_are_all_its_properties():
    tree = parse("a eq 1 and (b/c eq 'x' or d ge 2026-01-01T00:00:00Z)")
    assert tree.paths() == {"a", "b/c", "d"}


@given(st.text())
def test_any_string_can_be_quoted(value):
    quoted = value.replace("'", "''")
    assert parse(f"name eq '{quoted}'").holds({"name": value})


@given(st.text(alphabet="ab' ()/eqandor019-T:Z", max_size=30))
def test_any_text_parses_or_is_refused(text):
    try:
        tree = parse(text)
    except FilterError:
        return
    assert tree.paths()
