"""A record that comes twice is kept once, whatever comes in between and however many there are."""

from __future__ import annotations

import json
import random

from auditor.graph.once import Once, identity, whole_line


def _once(pages, **options):
    """(what is kept of these pages, what is noted)."""
    kept: list[bytes] = []
    once = Once(lambda: kept, **options)
    for page in pages:
        kept.extend(once.new(page))
    return kept, once.notes()


def _record(identity, **values):
    return json.dumps({"id": identity} | values, separators=(",", ":")).encode()


def test_a_repeated_record_is_kept_once_and_a_changed_one_twice():
    pages = [[_record("1"), _record("2", v=1)], [_record("1"), _record("2", v=2), _record("2", v=2)]]
    kept, notes = _once(pages)
    assert kept == [_record("1"), _record("2", v=1), _record("2", v=2)]
    assert len(notes) == 2
    assert "2 records came twice" in notes[0]
    assert "1 objects came again with other values" in notes[1]


def test_the_same_as_a_dictionary_of_everything():
    chance = random.Random(5)
    pages = [
        [_record(str(chance.randrange(900)), v=chance.randrange(3)) for _ in range(chance.randrange(1, 60))]
        for _ in range(60)
    ]
    kept, _ = _once(pages)
    assert kept == list(dict.fromkeys(record for page in pages for record in page))


def test_what_an_earlier_run_kept_counts():
    kept = [_record(str(number)) for number in range(2500)]
    once = Once(lambda: kept)
    assert once.new([_record("7"), _record("2499"), _record("x")]) == [_record("x")]


def test_records_without_an_id_are_all_kept():
    pages = [[b'{"name":"a"}', b'{"name":"a"}'], [b'{"name":"a"}', b'{"id":null}', b'{"id":7}', b'{"id":7}']]
    assert _once(pages) == ([record for page in pages for record in page], [])


def test_lines_that_are_nothing_but_values():
    pages = [[b'{"groupId":"g","id":"u"}'], [b'{"groupId":"h","id":"u"}', b'{"groupId":"g","id":"u"}']]
    kept, notes = _once(pages, identity=whole_line)
    assert kept == [b'{"groupId":"g","id":"u"}', b'{"groupId":"h","id":"u"}']
    assert notes == ["1 records came twice and are kept once"]


def test_an_id_is_found_wherever_it_stands():
    assert identity(b'{"id":"a-1","b":2}') == b"a-1"
    assert identity(b'{ "b": {"id": "inner"}, "id" : "a-1"}') == b"a-1"
    assert identity(b'{"id":"a\\"1"}') == b'a"1'
    assert identity(b'{"id":""}') is None
