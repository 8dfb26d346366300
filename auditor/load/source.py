"""The snapshot while it is being loaded: which datasets may decide, their records, and what was wrong with them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial, reduce
from operator import or_
from types import NoneType
from typing import Any, Generic, TypeVar, cast, get_args

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from auditor.catalogue import EXCHANGE_DATASETS
from auditor.errors import UsageError
from auditor.load.shapes import LISTS, LOOKUPS
from auditor.load.values import moment
from auditor.snapshot import Snapshot, lines_in
from auditor.tenant import DataProblem, DatasetStatus

EVIDENCE_ONLY = frozenset(
    {"signIns", "directoryAudits", "emailAppUsage", "smtpAuthClients", "authenticationMethods", "smtpReplies", "whatIf"}
)
"""Pure evidence may only add (contract, the law): it is used as far as it was read."""

STOOD_IN = frozenset({"conditionalAccessPolicies"})
"""Datasets in which something unknown stands for a record that cannot be used (`load`), so that they stay complete."""

DEEPEST = 64
"""Levels of lists and objects in a record. Microsoft's hold some ten; whoever reads them goes down each level."""

NAMED_AT_MOST = 50
"""Objects named one by one for the same problem; the rest are counted in one more entry."""

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""How msgspec refuses a line."""

MISFIT = (msgspec.ValidationError, UnicodeEncodeError)
"""How it refuses a value: the second where a lone surrogate stands in place of something else than text."""

Record = TypeVar("Record", bound=msgspec.Struct)
Item = TypeVar("Item")
_NOTHING_BAD: frozenset[str] = frozenset()
_ANY_OBJECT = msgspec.json.Decoder(dict[str, Any])
_MISSING = "missing: it was not read"


@dataclass(frozen=True, slots=True)
class Block(Generic[Item]):
    """Objects of a dataset in the order of the file, each with the number of its line, from 1. `bad`: by position in
    `records` the names of the malformed properties, which are UNSET. `whole`: all were decoded as the stricter kind."""

    records: list[Item]
    numbers: Sequence[int]
    bad: Mapping[int, frozenset[str]]
    whole: bool = False

    def malformed(self, position: int) -> frozenset[str]:
        return self.bad.get(position, _NOTHING_BAD)

    def place(self, position: int) -> str:
        """ "record 7", for want of an id."""
        return f"record {self.numbers[position]}"


Lenient = Callable[[bytes, int], tuple[Item, frozenset[str]] | None]
"""(line, its number) → the object without its malformed properties, and their names; None where it is no object."""


def _at_once(chunk: bytes, kind: msgspec.json.Decoder[Item]) -> list[Item] | None:
    """The objects, if all of them are as they should be and each stands on a line of its own."""
    try:
        records = kind.decode_lines(chunk)
    except UNREADABLE:
        return None
    return records if len(records) == _borders(chunk) else None


def _borders(chunk: bytes) -> int:
    """How many lines are an object each; -1 where a line does not end with one or the next does not begin with one.
    `}` and `{` never follow each other within an object, so that one between them ends there."""
    text = np.frombuffer(chunk, dtype=np.uint8)
    ends = np.flatnonzero(text == ord("\n"))
    if not len(ends) or ends[0] == 0 or ends[-1] != len(text) - 1:
        return -1
    each = (text[ends - 1] == ord("}")).all() and (text[ends[:-1] + 1] == ord("{")).all()
    return len(ends) if each else -1


def as_answered(kind: type[Record], never_null: Collection[str] = ()) -> type[Record]:
    """The stricter kind of an object as Microsoft answers it: every property that is read is there, and null only where
    it is not among `never_null`."""
    fields = [
        (field.name, _narrowed(field.type, field.name in never_null), msgspec.field(name=field.encode_name))
        for field in msgspec.structs.fields(kind)
    ]
    return cast(type[Record], msgspec.defstruct(f"Whole{kind.__name__}", fields, bases=(kind,), gc=False, kw_only=True))


def _narrowed(kind: Any, never_null: bool) -> Any:
    without = (UnsetType, NoneType) if never_null else (UnsetType,)
    return reduce(or_, [one for one in get_args(kind) if one not in without])


def _with_care(
    lines: Sequence[bytes], numbers: Sequence[int], kind: msgspec.json.Decoder[Item], lenient: Lenient[Item]
) -> Block[Item]:
    records: list[Item] = []
    kept: list[int] = []
    bad: dict[int, frozenset[str]] = {}
    for line, number in zip(lines, numbers, strict=True):
        found = _one(line, number, kind, lenient)
        if found is None:
            continue
        record, malformed = found
        if malformed:
            bad[len(kept)] = malformed
        records.append(record)
        kept.append(number)
    return Block(records, kept, bad)


def _one(
    line: bytes, number: int, kind: msgspec.json.Decoder[Item], lenient: Lenient[Item]
) -> tuple[Item, frozenset[str]] | None:
    try:
        return kind.decode(line), _NOTHING_BAD
    except UNREADABLE:
        return lenient(line, number)


class Problems:
    """Collects what is not as Microsoft documents it: each cause once, in an order that no input order changes."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], set[str]] = {}

    def add(self, dataset: str, object_id: str, name: str, problem: str) -> None:
        self._found.setdefault((dataset, name, problem), set()).add(object_id)

    def missing(self, dataset: str, object_id: str, name: str) -> None:
        """A property that the object lacks; where every object lacks it, it is told once for the dataset."""
        self.add(dataset, object_id, name, _MISSING)

    def result(self, objects: dict[str, int]) -> tuple[DataProblem, ...]:
        """`objects`: how many different objects of each dataset were read."""
        told = []
        for (dataset, name, problem), ids in sorted(self._found.items()):
            if problem == _MISSING and len(ids) == objects.get(dataset):
                told.append(DataProblem(dataset, "", name, "missing from every object: it was not read"))
                continue
            named = sorted(ids)
            told += [DataProblem(dataset, object_id, name, problem) for object_id in named[:NAMED_AT_MOST]]
            if len(named) > NAMED_AT_MOST:
                rest = f"{problem} (and {len(named) - NAMED_AT_MOST} more objects)"
                told.append(DataProblem(dataset, "", name, rest))
        return tuple(told)


class Source:
    """A snapshot's records with the status that the judgement must use.

    `status` starts as the manifest says; Exchange exports that are too old, and datasets whose rows turn out not to
    name anybody, lose their completeness here, with the reason."""

    def __init__(self, snapshot: Snapshot, now: datetime, max_age_days: int) -> None:
        self.snapshot = snapshot
        self.now = now
        self.problems = Problems()
        self.records: dict[str, int] = {}
        self.distinct: dict[str, int] = {}
        """how many different objects a reader saw, set by those that tell missing properties"""
        self._lost: dict[str, int] = {}
        self.status: dict[str, DatasetStatus] = dict(snapshot.status)
        for name, status in snapshot.status.items():
            if status.complete and status.records and next(snapshot.lines(name), None) is None:
                self.distrust(name, f"the manifest counts {status.records} records, the file is missing or empty")
        for name in EXCHANGE_DATASETS:
            self._age(name, max_age_days)

    def _age(self, name: str, max_age_days: int) -> None:
        status = self.status[name]
        taken_before = not status.source or status.exported or status.configuration_snapshot
        if not (status.complete and status.as_of and taken_before):
            return
        taken = moment(status.as_of)
        if taken is None:
            self.problems.add(name, "", "as_of", f"`{status.as_of}` is no time")
            self.distrust(name, f"the time of the {_what(status)}, `{status.as_of}`, cannot be read")
        elif (self.now - taken).total_seconds() > max_age_days * 86400:
            # its date, not its age: what did not change reads the same next quarter
            self.distrust(name, f"the {_what(status)} of {taken.date()} is older than max_age_days = {max_age_days}")

    def distrust(self, name: str, reason: str) -> None:
        """From here on the dataset decides nothing but `unknown`."""
        self.status[name] = dataclasses.replace(self.status[name], state="cut", reason=reason)

    def complete(self, name: str) -> bool:
        return self.status[name].complete

    def usable(self, name: str) -> bool:
        """May its records be used at all? Complete datasets, and pure evidence as far as it was read."""
        return self.complete(name) or (name in EVIDENCE_ONLY and self.status[name].asked)

    def lose(self, name: str) -> None:
        """Counts a record that cannot be used at all, so that the dataset's silence about an account proves nothing."""
        self._lost[name] = self._lost.get(name, 0) + 1

    def lost(self, name: str) -> int:
        return self._lost.get(name, 0)

    def _counted(self, name: str, count: int) -> None:
        self.records[name] = count
        promised = self.snapshot.status[name].records
        if self.complete(name) and count < promised:
            self.distrust(name, f"the manifest counts {promised} records, the file holds {count}")

    def finish(self) -> dict[str, DatasetStatus]:
        """The status of every dataset; a hand-made folder has no counts, so those read here stand in."""
        if not self.snapshot.manifest:
            for name, count in self.records.items():
                self.status[name] = dataclasses.replace(self.status[name], records=count)
        return self.status

    def blocks(self, name: str, kind: type[Record], whole: type[Record] | None = None) -> Iterator[Block[Record]]:
        """The objects of a dataset as `kind`, some hundred at a time. Those that are as they should be are decoded at
        once, as `whole` where it is given, a stricter `kind` that most objects fit; only a block that holds anything
        else is looked at object by object, and what is malformed is a problem. What is no object is left out. Raises
        UsageError where a line is no JSON."""
        strict = None if whole is None else msgspec.json.Decoder(whole)
        return self._blocks(name, msgspec.json.Decoder(kind), partial(self._lenient, name, kind), strict)

    def objects(self, name: str, whole: type[msgspec.Struct] | None = None) -> Iterator[Block[Any]]:
        """The raw objects in the same way, as dicts where they are not all `whole`; nothing where the dataset may not
        be used."""
        if not self.usable(name):
            return iter(())
        strict = None if whole is None else msgspec.json.Decoder[Any](whole)
        return self._blocks(name, cast(msgspec.json.Decoder[Any], _ANY_OBJECT), partial(self._object, name), strict)

    def _blocks(
        self,
        name: str,
        kind: msgspec.json.Decoder[Item],
        lenient: Lenient[Item],
        whole: msgspec.json.Decoder[Item] | None = None,
    ) -> Iterator[Block[Item]]:
        count = 0
        for chunk in self.snapshot.chunks(name):
            strict = _at_once(chunk, whole) if whole else None
            records = strict or _at_once(chunk, kind)
            if records is None:
                lines = lines_in(chunk)
                numbers = range(count + 1, count + 1 + len(lines))
                yield _with_care(lines, numbers, kind, lenient)
            else:
                numbers = range(count + 1, count + 1 + len(records))
                yield Block(records, numbers, {}, strict is not None)
            count += len(numbers)
        self._counted(name, count)

    def decoded(self, name: str, kind: type[Record]) -> Iterator[tuple[Record, frozenset[str], str]]:
        """The objects of `blocks` one by one, each with the names of its malformed properties and its place."""
        for block in self.blocks(name, kind):
            for position, record in enumerate(block.records):
                yield record, block.malformed(position), block.place(position)

    def _lenient(self, name: str, kind: type[Record], line: bytes, number: int) -> tuple[Record, frozenset[str]] | None:
        found = self._object(name, line, number)
        if found is None:
            return None
        given = {}
        bad = set()
        for field, value in self._fields(name, kind, found[0], f"record {number}"):
            if value is UNSET:
                bad.add(field.encode_name)
            elif field.encode_name in found[0]:
                given[field.name] = value
        return kind(**given), frozenset(bad)

    def _object(self, name: str, line: bytes, number: int) -> tuple[dict[str, Any], frozenset[str]] | None:
        record = self._json(name, line, number)
        if isinstance(record, dict):
            return record, _NOTHING_BAD
        self.problems.add(name, f"record {number}", "", f"no object but {_kind(record)}")
        self.lose(name)
        return None

    def _fields(
        self, name: str, kind: type[msgspec.Struct], record: dict[str, Any], place: str
    ) -> Iterator[tuple[msgspec.structs.FieldInfo, object]]:
        """Each field of `kind` that the record holds, with its value: UNSET where it is malformed (or needed and
        absent), and then a problem names it."""
        label = next((text for key in ("id", "Identity") if isinstance(text := record.get(key), str) and text), place)
        for field in msgspec.structs.fields(kind):
            if field.encode_name not in record:
                if field.required:
                    self.problems.add(name, label, field.encode_name, _MISSING)
                    yield field, UNSET
                continue
            try:
                yield field, msgspec.convert(record[field.encode_name], field.type)
            except MISFIT as error:
                self.problems.add(name, label, field.encode_name, f"malformed: {error}")
                yield field, UNSET

    def _json(self, name: str, line: bytes, number: int) -> object:
        try:
            return json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(
                f"{self.snapshot.folder / name}: line {number} is no JSON: {error}.",
                remedy="`auditor verify` tells more.",
            ) from error

    def objects_of(self, name: str) -> list[dict[str, Any]]:
        """The raw objects of a dataset that may be used, exact duplicates once; empty where it may not.

        Their properties are checked (`shapes`). A record that cannot be used at all could say anything about anybody,
        so that the dataset decides nothing any more."""
        if not self.usable(name):
            return []
        found: dict[bytes, dict[str, Any] | None] = {}
        count = 0
        for count, line in enumerate(self.snapshot.lines(name), 1):
            key = hashlib.blake2b(line, digest_size=16).digest()
            if key not in found:
                record = self._record(name, line, count)
                found[key] = None if record is None else self._checked(name, record, f"record {count}")
        self._counted(name, count)
        if self.lost(name) and name not in STOOD_IN:
            self.distrust(name, f"{self.lost(name)} of its records cannot be read")
        return [record for record in found.values() if record is not None] if self.usable(name) else []

    def _record(self, name: str, line: bytes, number: int) -> dict[str, Any] | None:
        found = _one(line, number, _ANY_OBJECT, partial(self._object, name))
        if found is None:
            return None
        record = found[0]
        if line.count(b"[") + line.count(b"{") > DEEPEST and _depth(record) > DEEPEST:
            problem = f"nested deeper than {DEEPEST} levels: the record cannot be used"
            self.problems.add(name, f"record {number}", "", problem)
            self.lose(name)
            return None
        return record

    def _checked(self, name: str, record: dict[str, Any], place: str) -> dict[str, Any] | None:
        """The record without its malformed properties; None, and lost, where it cannot be used without them."""
        kind = LOOKUPS.get(name) or LISTS.get(name)
        if kind is None:
            return record
        try:
            msgspec.convert(record, kind)
        except MISFIT:
            bad = [field for field, value in self._fields(name, kind, record, place) if value is UNSET]
            if name in LISTS or any(field.required for field in bad):
                self.lose(name)
                return None
            return {key: value for key, value in record.items() if key not in {field.encode_name for field in bad}}
        return record

    def first(self, name: str) -> dict[str, Any] | None:
        """The one object of a singleton. None where it may not be used, is missing or contradicts another."""
        if not self.complete(name):
            return None
        objects = self.objects_of(name)
        if len(objects) != 1:
            problem = "holds no object" if not objects else f"holds {len(objects)} different objects, not one"
            self.problems.add(name, "", "", problem)
            return None
        return objects[0]

    def indexed(self, name: str, *keys: str) -> dict[str, dict[str, Any]]:
        """Objects by each of the properties `keys`, in lower case. Of two that differ only what they agree on is left,
        and a problem says so."""
        found: dict[str, dict[str, Any]] = {}
        for record in self.objects_of(name):
            identity = str(record[keys[0]]).lower()
            other = found.setdefault(identity, record)
            if other is not record:
                self.problems.add(name, identity, "", CONTRADICTED)
                found[identity] = agreed(other, record)
        index: dict[str, dict[str, Any]] = {}
        for record in found.values():
            for key in keys:
                value = record.get(key)
                if isinstance(value, str) and value:
                    index.setdefault(value.lower(), record)
        return index


CONTRADICTED = "stands twice with different values: only what both say is used"


def agreed(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The properties that two objects of one id agree on; the id itself in any letter case."""
    return {key: value for key, value in one.items() if key == "id" or (key in other and other[key] == value)}


def _depth(value: object) -> int:
    depth, level = 0, [value]
    while level := [inner for one in level for inner in _inner(one)]:
        depth += 1
    return depth


def _inner(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _what(status: DatasetStatus) -> str:
    return "configuration snapshot" if status.configuration_snapshot else "export"


def _kind(value: object) -> str:
    return {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(type(value), "a number")
