"""Who bears a user principal name or a mail address."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from auditor.compact import TextLists, Texts
from auditor.load.source import Source
from auditor.load.users import Users


class AddressBook(Mapping[str, int]):
    """UPN or any SMTP address, lower case → row of Accounts. UPNs win, then the first account in the dataset's order.

    Holds hashes only: the texts stand in the columns, and every hit is checked against them."""

    def __init__(self, principals: Texts, addresses: TextLists) -> None:
        self._principals = principals
        self._addresses = addresses
        everybody = np.arange(len(principals), dtype=np.int32)
        own = _hashes(map(str.lower, principals))
        named = principals.lengths() > 0
        others, rows = _hashes(addresses.texts), np.repeat(everybody, addresses.counts())
        # of the addresses those that are no UPN of the same account, which is found by that
        more = (others != own[rows]) | ~named[rows]
        hashes, rows = np.concatenate([own[named], others[more]]), np.concatenate([everybody[named], rows[more]])
        order = np.argsort(hashes, kind="stable")
        hashes = hashes[order]
        self._hashes = array("q", hashes.tobytes())
        self._rows = array("i", rows[order].tobytes())
        # hashes are spread evenly: where those begin that share their first bits is nearly the place of each
        bits = len(order).bit_length()
        self._shift = 64 - bits
        firsts = np.arange(-(1 << bits) // 2, (1 << bits) // 2)
        self._starts = np.searchsorted(hashes >> self._shift, firsts).astype(np.int32)

    def bearers(self, name: str) -> list[int]:
        """The rows of all accounts that bear a lower-case name, each once: first those whose UPN it is."""
        return list(dict.fromkeys(row for row in self._perhaps(name) if name in self._names(row)))

    def principals(self, name: str) -> list[int]:
        """The rows of all accounts whose UPN a lower-case name is."""
        return [row for row in self._perhaps(name) if self._principals[row].lower() == name]

    def first_principals(self, names: Sequence[str]) -> list[int]:
        """For many lower-case names at once: the row of an account whose UPN each is, found at the first try; -1 where
        `principals` must look closer."""
        if not self._hashes:
            return [-1] * len(names)
        known, wanted = np.frombuffer(self._hashes, dtype=np.int64), _hashes(names)
        last = len(known) - 1
        places = np.minimum(self._starts[(wanted >> self._shift) + len(self._starts) // 2], last)
        while (behind := (known[places] < wanted) & (places < last)).any():
            places += behind
        rows = np.frombuffer(self._rows, dtype=np.int32)[places]
        near, principals = (known[places] == wanted).tolist(), self._principals.take(rows)
        return [
            row if same and (principal == name or principal.lower() == name) else -1
            for name, row, same, principal in zip(names, rows.tolist(), near, principals, strict=True)
        ]

    def owners(self, name: str) -> list[int]:
        """The rows of all accounts that have a lower-case name among their addresses."""
        return [row for row in self.bearers(name) if name in self._addresses[row]]

    def _perhaps(self, name: str) -> Iterator[int]:
        """Rows with a name of the same hash."""
        wanted = hash(name)
        place = bisect_left(self._hashes, wanted)
        while place < len(self._hashes) and self._hashes[place] == wanted:
            yield self._rows[place]
            place += 1

    def shared(self) -> Iterator[str]:
        """The names that more than one account bears."""
        hashes = np.array(self._hashes, dtype=np.int64)
        for place in np.flatnonzero(hashes[1:] == hashes[:-1]).tolist():
            rows = self._rows[place], self._rows[place + 1]
            if rows[0] != rows[1]:
                yield from set(self._names(rows[0])) & set(self._names(rows[1]))

    def _names(self, row: int) -> tuple[str, ...]:
        return (self._principals[row].lower(), *self._addresses[row])

    def __getitem__(self, name: str) -> int:
        for row in self._perhaps(name):
            if name in self._names(row):
                return row
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        seen = set()
        for row, principal in enumerate(self._principals):
            name = principal.lower()
            if name and self[name] == row and name not in seen:
                seen.add(name)
                yield name
        for row, mine in enumerate(self._addresses):
            for address in mine:
                if address not in seen and self[address] == row:
                    seen.add(address)
                    yield address

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _hashes(texts: Iterable[str]) -> NDArray[np.int64]:
    return np.fromiter(map(hash, texts), dtype=np.int64)


def tell_shared(book: AddressBook, users: Users, source: Source) -> None:
    """A problem for each account that bears another's UPN as its own, or shares an address that is nobody's UPN."""
    for name in set(book.shared()):
        principals = book.principals(name)
        for row in (principals or book.bearers(name))[1:]:
            told = users.user_principal_name[row] if principals else name
            prop = "userPrincipalName" if principals else "proxyAddresses"
            source.problems.add("users", users.id[row], prop, f"`{told}` belongs to another user too")
