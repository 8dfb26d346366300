"""Cells of the analysts' columns: typed or text, in several locales; what is not understood is kept, not dropped."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.report.text import cell_text
from auditor.triage import COLUMNS, STATUSES, Triage, from_json, parse_day, parse_status, read, text, to_json, told


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        (date(2026, 12, 15), "2026-12-15"),
        (datetime.fromisoformat("2026-12-15T13:45"), "2026-12-15"),
        (46371, "2026-12-15"),
        (46371.0, "2026-12-15"),
        ("2026-12-15", "2026-12-15"),
        ("2026-12-15T00:00:00Z", "2026-12-15"),
        ("2026/12/5", "2026-12-05"),
        ("15.12.2026", "2026-12-15"),
        ("5. 1. 2027", "2027-01-05"),
        ("15/12/2026", "2026-12-15"),
        ("12/15/2026", "2026-12-15"),
        ("03/03/2027", "2027-03-03"),
        ("15 Dec 2026", "2026-12-15"),
        ("15-Dec-2026", "2026-12-15"),
        ("Tue, 15 December 2026", "2026-12-15"),
        ("December 15, 2026", "2026-12-15"),
        ("15. Dezember 2026", "2026-12-15"),
        ("15. März 2027", "2027-03-15"),
        ("mardi 2 mars 2027", "2027-03-02"),
        ("1er août 2027", "2027-08-01"),
        ("15 de marzo de 2027", "2027-03-15"),
        ("15 giugno 2027", "2027-06-15"),
        ("", ""),
        (None, ""),
        ("  ", ""),
    ],
)
def test_days_are_read_typed_numbered_or_written(cell: object, day: str) -> None:
    assert parse_day(cell) == day  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "cell",
    ["03/04/2027", "soon", "31.02.2027", "15 Brumaire 2027", "12/2026", "46371", 12, 900_000, True, "15/13/2026"],
)
def test_what_is_no_day_or_could_be_two_is_not_guessed(cell: object) -> None:
    assert parse_day(cell) is None  # type: ignore[arg-type]


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_every_day_comes_back_from_each_way_it_is_stored(day: date) -> None:
    serial = (day - date(1899, 12, 30)).days
    ways = [day, datetime.fromisoformat(day.isoformat()), serial, float(serial), day.isoformat(), f"{day:%d.%m.%Y}",
            f"{day:%d %B %Y}"]  # fmt: skip
    assert {parse_day(way) for way in ways} == {day.isoformat()}


@pytest.mark.parametrize("written", ["In progress", "in progress", " IN-PROGRESS ", "In_Progress", "in  progress"])
def test_a_status_is_known_however_it_is_spelt(written: str) -> None:
    assert parse_status(written) == "In progress"


def test_a_status_that_is_none_of_ours_is_not_guessed() -> None:
    assert parse_status("wip") is None
    assert parse_status("") == ""
    assert {parse_status(status) for status in STATUSES} == set(STATUSES)


def test_unknown_status_and_day_go_on_in_the_comment_and_are_told() -> None:
    triage, problems = read({"status": "wip", "due": "soon", "comment": "asked"})
    assert triage == Triage(comment="asked\nDue date: soon\nStatus: wip")
    assert [problem.partition(" ")[0] for problem in problems] == ["`soon`", "`wip`"]
    assert all("kept in the comment" in problem for problem in problems)


def test_what_was_kept_in_the_comment_is_kept_once() -> None:
    first, _ = read({"status": "wip", "comment": ""})
    again, problems = read({"status": "Open", "comment": first.comment})
    assert (again.comment, problems) == ("Status: wip", [])


@pytest.mark.parametrize(
    ("status", "outcome", "before", "until", "chosen"),
    [
        ("Open", "fail", Triage(), None, ""),
        ("Open", "waived", Triage(), None, "Open"),
        ("Risk accepted", "waived", Triage(), None, ""),
        ("Risk accepted", "waived", Triage(status="Risk accepted"), None, "Risk accepted"),
        ("Risk accepted", "waived", Triage(), date(2027, 1, 1), "Risk accepted"),
        ("Risk accepted", "fail", Triage(), None, "Risk accepted"),
        ("Fixed", "fail", Triage(), None, "Fixed"),
    ],
)
def test_the_programs_own_status_is_told_from_a_chosen_one(
    status: str, outcome: str, before: Triage, until: date | None, chosen: str
) -> None:
    triage, _ = read({"status": status, "waiver_until": until}, outcome, before)
    assert triage.status == chosen


def test_a_missing_column_keeps_what_was_there_and_an_emptied_cell_does_not() -> None:
    before = Triage("In progress", "Ann", "2026-12-15", "T-1", "asked", "2027-01-31")
    assert read({}, "fail", before)[0] == before
    assert read({"owner": "", "due": None, "status": "Open"}, "fail", before)[0] == Triage(
        "", "", "", "T-1", "asked", "2027-01-31"
    )


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        (4711.0, "4711"),
        (4711, "4711"),
        (0.5, "0.5"),
        (None, ""),
        (True, "True"),
        (datetime.fromisoformat("2026-12-15"), "2026-12-15"),
        (datetime.fromisoformat("2026-12-15T08:30"), "2026-12-15T08:30:00"),
        (" a\r\nb ", "a\nb"),
    ],
)
def test_cells_become_text(cell: object, shown: str) -> None:
    assert text(cell) == shown  # type: ignore[arg-type]


@given(st.builds(Triage, *[st.text(max_size=20) for _ in COLUMNS]))
def test_json_holds_all_of_it(triage: Triage) -> None:
    assert from_json(to_json(triage)) == triage
    assert bool(triage) == any(to_json(triage).values())


def test_json_of_another_kind_is_no_triage() -> None:
    assert from_json(None) == from_json([]) == from_json({"owner": 3, "x": "y"}) == Triage()


def test_a_message_names_what_is_there() -> None:
    assert told(Triage(owner="Ann", due="2026-12-15")) == "Owner: Ann; Due date: 2026-12-15"
    assert told(Triage()) == "nothing"


def test_own_columns_keep_the_kind_of_their_values() -> None:
    cells = {
        "CAB": datetime.fromisoformat("2027-01-31"), "Call": datetime.fromisoformat("2026-12-01T09:30"), "Effort": 2.0,
        "Share": 0.25, "Asked": False, "Formula": "=1+1", "Took": timedelta(hours=25), "At": time(9, 30), "None": None,
        "Blank": "  ", "Nought": 0,
    }  # fmt: skip
    triage, problems = read({}, own=cells)
    assert problems == []
    assert triage.own == (
        ("CAB", date(2027, 1, 31)), ("Call", datetime.fromisoformat("2026-12-01T09:30")), ("Effort", 2),
        ("Share", 0.25), ("Asked", False), ("Formula", "=1+1"), ("Took", "1 day, 1:00:00"), ("At", "09:30:00"),
        ("Nought", 0),
    )  # fmt: skip
    assert triage
    assert from_json(json.loads(json.dumps(to_json(triage)))) == triage
    assert told(triage).startswith("CAB: 2027-01-31; Call: 2026-12-01T09:30:00; Effort: 2;")


@pytest.mark.parametrize("own", [None, [], {"a": None}, {"a": {"time": "no time"}}, {"a": {"time": 7}}, {"a": [1]}])
def test_what_json_holds_of_another_kind_is_no_crash(own: object) -> None:
    assert all(isinstance(value, str) for _, value in from_json({"own": own}).own)


LONG = "The reason, at length. " * 1_500


def test_a_text_that_was_cut_for_its_cell_stays_whole() -> None:
    before = Triage(comment=LONG, own=(("Log", LONG),))
    shown = cell_text(LONG, full="findings.json")
    assert len(shown) < len(LONG)
    assert read({"comment": shown}, before=before, own={"Log": shown}) == (before, [])


def test_a_cut_text_that_was_edited_counts_and_is_told() -> None:
    shown = f"No: {cell_text(LONG, full='findings.json')}"
    triage, problems = read({"comment": shown}, before=Triage(comment=LONG), own={"Log": shown})
    assert (triage.comment, triage.own) == (shown, (("Log", shown),))
    assert [problem.partition(" was cut")[0] for problem in problems] == ["Analyst comment", "Log"]
