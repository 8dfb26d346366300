"""Exchange Online from a configuration snapshot that the customer already takes in Microsoft Graph.

Tenant configuration management (https://learn.microsoft.com/graph/api/resources/configurationsnapshotjob) takes
snapshots by itself or on request and keeps them for at most seven days. This module only reads: the list of jobs, and
the result of the newest finished one that holds the wanted type. It never takes one: that would need
ConfigurationMonitoring.ReadWrite.All, and each mailbox in it costs one of the tenant's 20,000 resources a month.

What it can prove is narrower than what a cmdlet says:

- Its booleans know no null, and how a mailbox without a setting of its own comes out is not documented. A `true` of the
  mailbox switch stands; a `false` decides nothing (`DatasetStatus.configuration_snapshot`).
- Of mailboxes it lists the shared ones only, so that list is always cut.
- A partly successful job says in free text what it left out, perhaps for want of quota: what the text may mean is cut.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from auditor.catalogue import CONFIGURATION, CONFIGURATION_TYPES, Dataset
from auditor.exchange.base import ExchangeRead, Keep, ReadState, moment, stamp
from auditor.exchange.properties import SINGLE
from auditor.exchange.tables import normalise

if TYPE_CHECKING:
    from auditor.graph.reader import Page, Reader

LABEL = "Graph configuration snapshot"
JOB_PROPERTIES = ("id", "displayName", "status", "resources", "completedDateTime", "resourceLocation", "errorDetails")
"""Some of them only come when they are asked for by name."""
FINISHED = frozenset({"succeeded", "partiallySuccessful"})

COARSE = frozenset({"casMailboxes", "authenticationPolicies", "organizationConfig"})
"""Datasets that lack what the cmdlet shows: the third state of the switch, GUIDs, RejectDirectSend."""

ONLY_SHARED = "A configuration snapshot lists the shared mailboxes only."
IN_PARTS = "The snapshot's result names a further part, which was not read."

_IDENTITY_IS: dict[str, str] = {
    "authenticationPolicies": "Name",
    "inboundConnectors": "Name",
    "acceptedDomains": "DomainName",
    "casMailboxes": "UserPrincipalName",
}
"""Dataset → the property of the cmdlet's object that the snapshot calls Identity."""


class _Job(msgspec.Struct, rename="camel"):
    """configurationSnapshotJob, as far as it is used; a year-one time stands for "not yet"."""

    id: str
    display_name: str | None = None
    status: str | None = None
    resources: list[str] | None = None
    completed_date_time: str | None = None
    resource_location: str | None = None
    error_details: list[str] | None = None


class _Resource(msgspec.Struct, rename="camel"):
    resource_type: str = ""
    properties: dict[str, Any] | None = None


class _Result(msgspec.Struct):
    """configurationBaseline: the snapshot itself."""

    resources: list[_Resource]
    next_link: str | None = msgspec.field(name="resources@odata.nextLink", default=None)


class _Unread(Exception):  # noqa: N818 - carries a state, not an error of the program
    def __init__(self, state: ReadState, reason: str, permission: str = "") -> None:
        super().__init__(reason)
        self.state: ReadState = state
        self.reason = reason
        self.permission = permission


@dataclass(frozen=True, slots=True)
class _Taken:
    """A finished job and when it was completed."""

    job: _Job
    completed: datetime

    @property
    def name(self) -> str:
        return self.job.display_name or self.job.id

    def holds(self, kind: str) -> bool:
        return kind in {named.lower() for named in self.job.resources or ()}


@dataclass
class ConfigurationSnapshotSource:
    """Reads through `reader`. `now` gives the service's clock; snapshots older than `max_age_days` are passed over.

    The list of jobs and each result are asked for once. Nothing is sent before the first `read`."""

    reader: Reader
    now: Callable[[], datetime]
    max_age_days: int
    _taken: list[_Taken] | None = None
    _results: dict[str, _Result] = field(default_factory=dict)
    _notes: dict[str, None] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return LABEL

    def notes(self) -> Sequence[str]:
        return tuple(self._notes)

    async def read(self, dataset: Dataset, identities: Sequence[str], keep: Keep) -> ExchangeRead:  # noqa: ARG002
        """See `ExchangeSource.read`."""
        kind = CONFIGURATION_TYPES.get(dataset.name)
        if kind is None:
            return ExchangeRead("not-asked", reason=f"A configuration snapshot does not hold {dataset.name}.")
        try:
            taken = await self._newest(kind)
        except _Unread as unread:
            return ExchangeRead(unread.state, reason=unread.reason, permission=unread.permission)
        source, as_of = f"{LABEL}: {kind} of {taken.name}", stamp(taken.completed)
        try:
            result = await self._result(taken.job)
        except _Unread as unread:
            return ExchangeRead(unread.state, 0, unread.reason, unread.permission, 0, source, as_of)
        objects = [one.properties for one in result.resources if one.resource_type.lower() == kind and one.properties]
        records = [self._record(dataset, properties, f"{taken.name}: {kind}") for properties in objects]
        if not records and dataset.name in SINGLE:
            return ExchangeRead("failed", 0, f"The snapshot {taken.name} holds no {kind}.", "", 0, source, as_of)
        await keep(records)
        missing = _missing(dataset, kind, taken.job, result)
        state: ReadState = "cut" if missing else "complete"
        return ExchangeRead(state, len(records), missing, "", 0, source, as_of, coarse=dataset.name in COARSE)

    async def _newest(self, kind: str) -> _Taken:
        """The newest finished job that holds the type. Raises _Unread."""
        if self._taken is None:
            self._taken = await self._jobs()
        if not self._taken:
            raise _Unread(
                "failed",
                f"The tenant has no finished configuration snapshot of the last {self.max_age_days} days; Graph keeps "
                "one for at most 7 days.",
            )
        found = [taken for taken in self._taken if taken.holds(kind)]
        if not found:
            raise _Unread("not-asked", f"No recent configuration snapshot holds {kind}.")
        return max(found, key=lambda taken: taken.completed)

    async def _jobs(self) -> list[_Taken]:
        """Every finished job that is recent enough. Raises _Unread."""
        from auditor.graph.requests import configured

        jobs = self.reader.session.client.admin.configuration_management.configuration_snapshot_jobs
        kept: list[bytes] = []

        async def keep(page: Page) -> None:
            kept.extend(page.records)

        error = await self.reader.collection(configured(jobs, select=JOB_PROPERTIES), "exchange", keep)
        if error is not None:
            raise _refused(error.kind, error.text)
        try:
            found = [msgspec.json.decode(record, type=_Job) for record in kept]
        except msgspec.ValidationError as error:
            raise _Unread("failed", f"A snapshot job is not of the documented form ({error}).") from None
        return list(self._recent(found))

    def _recent(self, jobs: Iterable[_Job]) -> Iterable[_Taken]:
        oldest = self.now() - timedelta(days=self.max_age_days)
        for job in jobs:
            completed = moment(job.completed_date_time)
            if job.status in FINISHED and job.resource_location and completed and completed >= oldest:
                yield _Taken(job, completed)

    async def _result(self, job: _Job) -> _Result:
        """What a job brought. Only the id is taken from its `resourceLocation`, so that the token goes to this
        tenant's Graph and nowhere else. Raises _Unread."""
        from auditor.graph.refusal import ReadError
        from auditor.graph.requests import configured

        found = re.search(r"/configurationSnapshots(?:/|\(')([\w-]+)(?:'\))?$", job.resource_location or "")
        if found is None:
            raise _Unread("failed", "A finished snapshot job names no place of its result that is understood.")
        if found[1] not in self._results:
            snapshots = self.reader.session.client.admin.configuration_management.configuration_snapshots
            request = configured(snapshots.by_configuration_baseline_id(found[1]))
            try:
                baseline = await self.reader.singleton(request, "exchange")
                self._results[found[1]] = msgspec.json.decode(baseline, type=_Result)
            except ReadError as error:
                raise _refused(error.kind, error.text) from None
            except msgspec.ValidationError as error:
                raise _Unread("failed", f"The snapshot is not of the documented form ({error}).") from None
        return self._results[found[1]]

    def _record(self, dataset: Dataset, properties: dict[str, Any], where: str) -> bytes:
        """The snapshot's properties under the cmdlet's names; nothing is left out."""
        record = normalise(properties, where, lambda note: self._notes.setdefault(note))
        identity, name = record.get("Identity"), _IDENTITY_IS.get(dataset.name)
        if name and isinstance(identity, str) and (name != "UserPrincipalName" or "@" in identity):
            record.setdefault(name, identity)
        if dataset.name == "mailboxes":
            record.setdefault("RecipientTypeDetails", "SharedMailbox")
        return msgspec.json.encode(record)


def _missing(dataset: Dataset, kind: str, job: _Job, result: _Result) -> str:
    """Why the objects may not be all, as a sentence; empty where they are."""
    if dataset.name == "mailboxes":
        return ONLY_SHARED
    if result.next_link:
        return IN_PARTS
    if job.status == "succeeded" or dataset.name in SINGLE:
        return ""
    details = [" ".join(detail.split()) for detail in job.error_details or () if detail.strip()]
    others = {named.lower() for named in job.resources or ()} - {kind}
    if details and all(not _names(detail, kind) and any(_names(detail, one) for one in others) for detail in details):
        return ""
    said = _short("; ".join(details)) or "it does not say what is missing"
    return f"The snapshot was only partly successful: {said}."


def _names(detail: str, kind: str) -> bool:
    """Whether an error's text speaks of a type, as a word of its own (mailbox is no mailboxplan)."""
    return re.search(rf"\b{re.escape(kind.rpartition('.')[2])}\b", detail.lower()) is not None


def _short(text: str) -> str:
    return (text if len(text) <= 300 else f"{text[:299]}…").rstrip(".")


def _refused(kind: str, text: str) -> _Unread:
    if kind == "permission":
        return _Unread("denied", f"The app lacks {CONFIGURATION} ({text}).", CONFIGURATION)
    if kind == "not-found":
        return _Unread("failed", f"The snapshot is gone, or the tenant does not use configuration management ({text}).")
    return _Unread("failed", f"{text}.")
