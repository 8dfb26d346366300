"""Tables as PowerShell and spreadsheets write them come back as they were."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.exchange.properties import BOOLEANS, FALSE, KNOWN, LISTS, TRUE
from auditor.exchange.tables import Damaged, decode, from_cells, normalise, parse_json, table

# No control characters: a NUL or a lone carriage return is nothing that Export-Csv writes.
CELL = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12).filter(
    lambda text: text == text.strip() and not text.startswith("System.")
)
WORDS = {True: ("True", "TRUE", "Wahr", "VRAI", "Verdadero", "1"), False: ("False", "FALSCH", "faux", "Falso", "0")}
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")


def silent(note: str) -> None:
    raise AssertionError(note)


def read(data: bytes) -> list[dict[str, Any]]:
    return [from_cells(cells, f"line {line}", silent) for line, cells in table(decode(data))]


@st.composite
def exports(draw: st.DrawFn) -> tuple[bytes, list[dict[str, Any]]]:
    """A table in some dialect, and the records that it stands for."""
    records = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "Guid": st.uuids().map(str),
                    "DisplayName": CELL,
                    "SmtpClientAuthenticationDisabled": st.sampled_from((True, False, None)),
                }
            ),
            max_size=6,
        )
    )
    encoding = draw(st.sampled_from(ENCODINGS))
    separator = draw(st.sampled_from(",;\t"))
    quoting = draw(st.sampled_from((csv.QUOTE_ALL, csv.QUOTE_MINIMAL)))
    end = draw(st.sampled_from(("\r\n", "\n")))
    out = io.StringIO(newline="")
    out.write(draw(st.sampled_from(("", f"#TYPE Selected.System.Management.Automation.PSCustomObject{end}"))))
    writer = csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=end)
    writer.writerow(["Guid", "DisplayName", "SmtpClientAuthenticationDisabled"])
    for record in records:
        switch = record["SmtpClientAuthenticationDisabled"]
        word = "" if switch is None else draw(st.sampled_from(WORDS[switch]))
        writer.writerow([record["Guid"], record["DisplayName"], word])
    expected = [{**record, "DisplayName": record["DisplayName"] or None} for record in records]
    return out.getvalue().encode(encoding), expected


@given(exports())
def test_every_dialect_comes_back(export: tuple[bytes, list[dict[str, Any]]]) -> None:
    data, expected = export
    assert read(data) == expected


def test_excel_writes_its_separator_and_empty_lines() -> None:
    data = "sep=;\r\nguid;smtpclientauthenticationdisabled;;\r\n1;WAHR;;\r\n;;;\r\n\r\n2;;;\r\n".encode("utf-8-sig")
    assert read(data) == [
        {"Guid": "1", "SmtpClientAuthenticationDisabled": True},
        {"Guid": "2", "SmtpClientAuthenticationDisabled": None},
    ]


def test_a_line_break_inside_quotes_belongs_to_the_cell() -> None:
    assert read(b'Guid,DisplayName\n1,"two\nlines"\n') == [{"Guid": "1", "DisplayName": "two\nlines"}]


def test_lines_are_counted_as_in_the_file() -> None:
    rows = table('#TYPE x\nGuid,Name\n1,"a\nb"\n2,c\n')
    assert [line for line, _ in rows] == [4, 5]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no column names"),
        ("\n1,2\n", "no column names"),
        ("a,b,A\n1,2,3\n", "same name twice"),
        ("a,,b\n1,2,3\n", "without a name"),
        ("a,b\n1\n", "line 2 has 1 fields"),
        ("#TYPE x\na,b\n1,2\n1,2,3\n", "line 4 has 3 fields"),
        ('a,b\n1,"open\n', "line 2"),
        ('a,b\n1,"x"y\n', "line 2"),
    ],
)
def test_a_damaged_table_names_its_line(text: str, words: str) -> None:
    with pytest.raises(Damaged, match=words):
        list(table(text))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"Guid\n1\n\xff\xfa\n", "line 3 is no utf-8"),
        ("Straße\n".encode("cp1252"), "line 1 is no utf-8"),
        (b"\xff\xfea\0b", "utf-16"),
    ],
)
def test_an_unknown_encoding_is_damage_and_never_guessed(data: bytes, words: str) -> None:
    with pytest.raises(Damaged, match=words):
        decode(data)


@pytest.mark.parametrize("text", ["", "{", '{"a":1}\n]', "[" * 100_000])
def test_damaged_json(text: str) -> None:
    with pytest.raises(Damaged, match=r"line \d+ is no JSON|nested too deeply"):
        parse_json(text)


def test_words_for_true_and_false_never_meet() -> None:
    assert TRUE.isdisjoint(FALSE)
    assert all(word == word.lower() for word in TRUE | FALSE)


@pytest.mark.parametrize("name", sorted(BOOLEANS))
def test_empty_is_null_and_never_false(name: str) -> None:
    assert from_cells({name.upper(): "  "}, "", silent) == {name: None}


def test_booleans_are_made_only_where_the_property_is_one() -> None:
    cells = {"DisplayName": "True", "smtpClientAuthenticationDisabled": "True"}
    assert from_cells(cells, "", silent) == {"DisplayName": "True", "SmtpClientAuthenticationDisabled": True}


def test_an_odd_boolean_is_kept_and_told() -> None:
    told: list[str] = []
    record = from_cells({"AllowBasicAuthSmtp": "perhaps"}, "policies.csv: line 2", told.append)
    assert record == {"AllowBasicAuthSmtp": "perhaps"}
    assert told == ["policies.csv: line 2: AllowBasicAuthSmtp is “perhaps”, neither true nor false."]


@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("AccessRights", "{FullAccess}", ["FullAccess"]),
        ("AccessRights", "{FullAccess, ReadPermission}", ["FullAccess", "ReadPermission"]),
        ("AccessRights", "SendAs", ["SendAs"]),
        ("EmailAddresses", "SMTP:a@x smtp:b@x", ["SMTP:a@x", "smtp:b@x"]),
        ("EmailAddresses", "{SMTP:a@x, smtp:b@x}", ["SMTP:a@x", "smtp:b@x"]),
        ("SenderIPAddresses", "{}", []),
    ],
)
def test_lists_are_split(name: str, text: str, values: list[str]) -> None:
    assert name in LISTS
    assert from_cells({name: text}, "", silent) == {name: values}


@pytest.mark.parametrize("text", ["System.Collections.ArrayList", "System.String[]", "Microsoft.Exchange.Data.X`1[A]"])
def test_the_name_of_a_type_is_no_value(text: str) -> None:
    told: list[str] = []
    assert normalise({"AccessRights": text, "Identity": "a"}, "f.csv: line 2", told.append) == {"Identity": "a"}
    assert "counts as not read" in told[0]


def test_json_values_that_are_right_already_stay() -> None:
    record = {"SmtpClientAuthenticationDisabled": False, "Unknown": {"a": [1]}, "AccessRights": ["SendAs"]}
    assert normalise(record, "", silent) == record


def test_known_names_have_one_spelling() -> None:
    assert all(key == name.lower() for key, name in KNOWN.items())
