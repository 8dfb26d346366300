"""All accounts of the company as one sequence: the special ones as they are, filler made when it is asked for.

The filler's draws are kept as columns (some 30 bytes an account). Accounts that are alike in what decides where they
are listed share a *sort*, with one representative each, so that a million accounts are chosen from by looking at a few
thousand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import overload

import numpy as np
from numpy.typing import NDArray

from auditor.demo.tenant.account import Account
from auditor.demo.tenant.people import FIRST, KINDS, LAST, filler

Positions = NDArray[np.int32]

_DRAWS = 6
"""random numbers an account: kind, first name, last name, and three dice"""
_BINS = (2, 10, 20)
"""how finely each die tells sorts apart: every share by which people.py deals out mailboxes, methods and licences"""
_PIECE = 1000
"""accounts made at a time where all are walked through"""
_NUMBER = re.compile(r"[a-z]+(\d+)")


@dataclass(frozen=True, slots=True)
class Sorts:
    """A representative of each sort, where the sort first occurs, and the sort `of` each account."""

    representatives: list[Account]
    first: Positions
    of: Positions


class Crowd(Sequence[Account]):
    """`count` ordinary accounts, each drawn from `rng` in turn: the first n are the same whatever the size.

    `identify` gives the id of an account with a key, `finish` the account with its id and whatever else it lacks; it
    may not change what the account is listed for."""

    def __init__(
        self, count: int, rng: Random, identify: Callable[[str], str], finish: Callable[[Account], None]
    ) -> None:
        state = rng.getstate()[1]
        draws = np.random.RandomState()
        draws.set_state(("MT19937", np.array(state[:-1], dtype=np.uint32), state[-1], 0, 0.0))
        columns = draws.random_sample((count, _DRAWS))
        self._kinds = _dealt(columns[:, 0], len(KINDS))
        self._first = _dealt(columns[:, 1], len(FIRST))
        self._last = _dealt(columns[:, 2], len(LAST))
        self._dice = columns[:, 3:].copy()
        self._identify = identify
        self._finish = finish

    def __len__(self) -> int:
        return len(self._kinds)

    @overload
    def __getitem__(self, place: int) -> Account: ...
    @overload
    def __getitem__(self, place: slice) -> list[Account]: ...
    def __getitem__(self, place: int | slice) -> Account | list[Account]:
        if isinstance(place, slice):
            return self.at(_numbers(range(len(self))[place]))
        return self.at(np.array([range(len(self))[place]], dtype=np.int32))[0]

    def at(self, numbers: Positions) -> list[Account]:
        """Accounts by their numbers."""
        columns = (self._kinds, self._first, self._last, self._dice)
        kinds, first, last, dice = (column[numbers].tolist() for column in columns)
        made = [
            filler(number, KINDS[kind], FIRST[one], LAST[two], three)
            for number, kind, one, two, three in zip(numbers.tolist(), kinds, first, last, dice, strict=True)
        ]
        for account in made:
            self._finish(account)
        return made

    @cached_property
    def sorts(self) -> Sorts:
        names = sorted(set(KINDS))
        code = np.array([names.index(kind) for kind in KINDS], dtype=np.int32)[self._kinds]
        for die, bins in enumerate(_BINS):
            code = code * bins + (self._dice[:, die] * bins).astype(np.int32)
        return self._sorted(code)

    @cached_property
    def numbered_sorts(self) -> Sorts:
        """The sorts, divided by the last digit of the account's number."""
        return self._sorted(self.sorts.of * 10 + np.arange(len(self), dtype=np.int32) % 10)

    def _sorted(self, code: Positions) -> Sorts:
        _, first, inverse = np.unique(code, return_index=True, return_inverse=True)
        positions = first.astype(np.int32)
        return Sorts(self.at(positions), positions, inverse.astype(np.int32))

    def find(self, object_id: str) -> int | None:
        """The number of the account with an id."""
        wanted = object_id.lower()
        try:
            key = np.uint64(_key(wanted))
        except ValueError:
            return None
        keys, order = self._index
        for place in range(int(keys.searchsorted(key)), len(keys)):
            if keys[place] != key:
                break
            number = int(order[place])
            if self.identity(number) == wanted:
                return number
        return None

    def identity(self, number: int) -> str:
        """Without making the account."""
        return self._identify(f"{self._prefixes[self.sorts.of[number]]}{number}")

    @cached_property
    def _prefixes(self) -> list[str]:
        """What the keys of each sort begin with."""
        return [account.key.rstrip("0123456789") for account in self.sorts.representatives]

    @cached_property
    def _index(self) -> tuple[NDArray[np.uint64], Positions]:
        keys = np.fromiter((_key(self.identity(number)) for number in range(len(self))), np.uint64, len(self))
        order = np.argsort(keys, kind="stable").astype(np.int32)
        return keys[order], order

    def named(self, principal_name: str) -> int | None:
        """The number of the account with a user principal name: filler carries its number in it."""
        match = _NUMBER.match(principal_name.lower())
        number = int(match.group(1)) if match and len(match.group(1)) < 10 else -1
        known = 0 <= number < len(self) and self[number].upn.lower() == principal_name.lower()
        return number if known else None


def _key(object_id: str) -> int:
    """An id's first 48 bits: few accounts share them."""
    return int(object_id[:8] + object_id[9:13], 16)


def _numbers(places: range) -> Positions:
    return np.arange(places.start, places.stop, places.step, dtype=np.int32)


def _dealt(draws: NDArray[np.float64], choices: int) -> NDArray[np.uint8]:
    """What `int(draw * choices)` gives."""
    return (draws * choices).astype(np.uint8)


class Accounts(Sequence[Account]):
    """The accounts in the order in which the services list them: those before the crowd, of the crowd those at
    `positions` (None: all), and those who came later."""

    def __init__(
        self, before: Sequence[Account], crowd: Crowd, after: Sequence[Account], positions: Positions | None = None
    ) -> None:
        self._before = before
        self._crowd = crowd
        self._after = after
        self._positions = positions
        self._drawn = len(crowd) if positions is None else len(positions)

    def __len__(self) -> int:
        return len(self._before) + self._drawn + len(self._after)

    @overload
    def __getitem__(self, place: int) -> Account: ...
    @overload
    def __getitem__(self, place: slice) -> list[Account]: ...
    def __getitem__(self, place: int | slice) -> Account | list[Account]:
        if isinstance(place, int):
            known = range(len(self))[place]
            return self[known : known + 1][0]
        places = _numbers(range(len(self))[place]) - len(self._before)
        drawn = places[(places >= 0) & (places < self._drawn)]
        return [
            *(self._before[one] for one in (places[places < 0] + len(self._before)).tolist()),
            *self._crowd.at(drawn if self._positions is None else self._positions[drawn]),
            *(self._after[one] for one in (places[places >= self._drawn] - self._drawn).tolist()),
        ]

    def __iter__(self) -> Iterator[Account]:
        for start in range(0, len(self), _PIECE):
            yield from self[start : start + _PIECE]

    def where(self, test: Callable[[Account], object]) -> Accounts:
        """Those that pass. Of filler, `test` may look at mailbox, exchange, licences, methods, groups, user type and
        whatever is the same for all of it."""
        return self.by(lambda account: ("",) if test(account) else ()).get("", self.none())

    def by(self, keys: Callable[[Account], Iterable[str]], *, numbered: bool = False) -> dict[str, Accounts]:
        """The accounts under each key that they have; the rule for `keys` is that of `where`. `numbered`: it may also
        look at the last digit of the number, and at the department, which goes by it."""
        before, after = _listed(self._before, keys), _listed(self._after, keys)
        sorts = self._crowd.numbered_sorts if numbered else self._crowd.sorts
        having: dict[str, list[int]] = {}
        for sort, account in enumerate(sorts.representatives):
            for key in dict.fromkeys(keys(account)):
                having.setdefault(key, []).append(sort)
        own = sorts.of if self._positions is None else sorts.of[self._positions]
        found: dict[str, Accounts] = {}
        for key in dict.fromkeys((*before, *having, *after)):
            chosen = np.zeros(len(sorts.representatives), dtype=bool)
            chosen[having.get(key, [])] = True
            places = np.flatnonzero(chosen[own]).astype(np.int32)
            positions = places if self._positions is None else self._positions[places]
            found[key] = Accounts(before.get(key, ()), self._crowd, after.get(key, ()), positions)
        return found

    def ids(self) -> Iterator[str]:
        """Each account's id, without making the account."""
        yield from (account.id for account in self._before)
        numbers = range(len(self._crowd)) if self._positions is None else self._positions.tolist()
        yield from map(self._crowd.identity, numbers)
        yield from (account.id for account in self._after)

    def followed_by(self, account: Account) -> Accounts:
        return Accounts(self._before, self._crowd, (*self._after, account), self._positions)

    def tally(self) -> Iterator[tuple[Account, int]]:
        """An account of each sort with how many there are, in the order in which the sorts first occur. Only of all
        accounts, not of a part."""
        sorts = self._crowd.sorts
        yield from ((account, 1) for account in self._before)
        counts = np.bincount(sorts.of, minlength=len(sorts.representatives))
        for sort in np.argsort(sorts.first):
            yield sorts.representatives[sort], int(counts[sort])
        yield from ((account, 1) for account in self._after)

    def lookup(self, key: str, by: str = "id") -> Account | None:
        """By `id` or `userPrincipalName`, without letter case. Only among all accounts, not a part."""
        if (by, key.lower()) in self._special:
            return self._special[by, key.lower()]
        number = self._crowd.find(key) if by == "id" else self._crowd.named(key)
        return None if number is None else self._crowd[number]

    @cached_property
    def _special(self) -> dict[tuple[str, str], Account]:
        """Those who are not of the crowd, by property and value in lower case."""
        named = {("id", account.id.lower()): account for account in (*self._before, *self._after)}
        upns = {("userPrincipalName", account.upn.lower()): account for account in named.values()}
        return named | upns

    def has(self, object_id: str) -> bool:
        """An account with this id is among these."""
        if ("id", object_id) in self._special:
            return True
        number = self._crowd.find(object_id)
        if number is None or self._positions is None:
            return number is not None
        place = int(np.searchsorted(self._positions, number))
        return place < len(self._positions) and int(self._positions[place]) == number

    def none(self) -> Accounts:
        return Accounts((), self._crowd, (), np.empty(0, dtype=np.int32))


def _listed(accounts: Iterable[Account], keys: Callable[[Account], Iterable[str]]) -> dict[str, list[Account]]:
    found: dict[str, list[Account]] = {}
    for account in accounts:
        for key in keys(account):
            found.setdefault(key, []).append(account)
    return found
