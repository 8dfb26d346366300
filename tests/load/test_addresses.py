"""Whoever bears a name is found by it, in a tenant of any size."""

from __future__ import annotations

import pytest

from auditor.compact import TextLists, Texts
from auditor.load.addresses import AddressBook


@pytest.mark.parametrize("size", [0, 1, 2, 3, 255, 256, 5000])
def test_many_names_are_found_at_once_as_one_by_one(size):
    upns = [f"Person{number}@contoso.example" for number in range(size)]
    names = [upn.lower() for upn in upns]
    book = AddressBook(Texts(upns), TextLists([(name, f"other-{name}") for name in names]))
    strangers = [f"stranger-{number}" for number in range(size + 1)]
    assert book.first_principals([*names, *strangers]) == [*range(size), *[-1] * len(strangers)]
    assert [book.principals(name) for name in names] == [[row] for row in range(size)]
    assert [book[f"other-{name}"] for name in names] == list(range(size))


def test_an_address_that_is_nobodys_upn_is_left_to_a_closer_look():
    book = AddressBook(
        Texts(["one@contoso.example", ""]), TextLists([("two@contoso.example",), ("three@contoso.example",)])
    )
    assert book.first_principals(["two@contoso.example", "three@contoso.example", ""]) == [-1, -1, -1]
