"""Runs the catalogue into a snapshot: the only part of the main job that talks to Graph and Exchange.

Each dataset ends complete, cut, denied, failed or not-asked, and the manifest on disk says so after every one of them,
so that an interrupted collection is gone on with (`resume`) without reading anything twice. Service code is imported
when a collection starts, not with this module.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from auditor.catalogue import BY_NAME, CATALOGUE, Dataset
from auditor.clock import Clock, SystemClock, iso
from auditor.collect.base import Job, Outcome, ended, shaped
from auditor.collect.brought import smtp_replies
from auditor.collect.progress import Pace, Progress, Silent
from auditor.collect.sink import Sink
from auditor.collect.writer import Entry, Place, SnapshotWriter, alone
from auditor.config import LoadedConfig, TenantConfig
from auditor.errors import AuditorError, ServiceError, SignInError
from auditor.graph.once import Once, whole_line
from auditor.tenant import DatasetStatus

if TYPE_CHECKING:
    from auditor.exchange.base import ExchangeSource
    from auditor.graph.session import GraphSession

__all__ = ["READ_ORDER", "CollectResult", "Progress", "collect"]

Read = Callable[[Job, Dataset, Sink], Awaitable[Outcome]]

_LAST = (
    "appRoleAssignments", "servicePrincipals", "perUserMfa", "authenticationMethods",
    *(dataset.name for dataset in CATALOGUE if dataset.service in ("exchange", "brought")),
    "groups", "groupMembers", "whatIf",
)  # fmt: skip
READ_ORDER: tuple[str, ...] = (*(dataset.name for dataset in CATALOGUE if dataset.name not in _LAST), *_LAST)
"""Catalogue order, but what builds on others comes after them."""

INPUTS: Mapping[str, tuple[str, ...]] = {
    "authenticationMethods": ("users",),
    "perUserMfa": ("users",),
    "servicePrincipals": ("appRoleAssignments", "oauth2PermissionGrants"),
    "groups": ("conditionalAccessPolicies", "roleAssignments", "recipientPermissions", "users"),
    "groupMembers": ("groups",),
    "whatIf": tuple(name for name in READ_ORDER if name != "whatIf"),
}
"""What a dataset is derived from: it is read after them, and anew where one of them is. All others are read at once."""

FIRST = "organization"
"""Read before all others: it proves that the service answers, gives its clock, and tells how large the tenant is."""

PER_ACCOUNT = ("users", "perUserMfa", "userRegistrationDetails")
"""one record for each account, more or less"""

RESTARTS = 2
"""how often a dataset is read from its start because a nextLink had expired"""

PASSING = ("service", "network", "token", "malformed")
"""what ended a read early that may go on later from where it was"""


@dataclass(frozen=True)
class CollectResult:
    """What `run.json` needs. `requests`: all HTTP requests, also those of the runs before a resume; `stages`: name →
    (seconds, CPU seconds) of this run."""

    folder: Path
    tenant_id: str
    datasets: Mapping[str, Entry]
    requests: int
    stages: Mapping[str, tuple[float, float]]
    notes: tuple[str, ...] = ()


async def collect(
    config: LoadedConfig,
    tenant: TenantConfig,
    folder: Path,
    *,
    clock: Clock | None = None,
    progress: Progress | None = None,
    resume: bool = False,
    session: GraphSession | None = None,
    cross_check: int = 0,
) -> CollectResult:
    """Reads every dataset of the catalogue into `folder`. `session`: one that is made but not yet opened, to read
    through instead of the config's. `cross_check`: how many accounts to ask Microsoft's What If action about.

    With `resume` the complete datasets of an unfinished snapshot are kept; it starts anew where there is none. Raises
    ConfigError, SignInError (refused, or nothing at all may be read), ServiceError (not reachable) and UsageError (the
    folder)."""
    from auditor.exchange import Access, make_source
    from auditor.graph.clouds import NATIONAL
    from auditor.graph.gates import Gates
    from auditor.graph.reader import Reader
    from auditor.graph.session import GraphSession

    clock = clock or SystemClock()
    began = (clock.monotonic(), time.process_time())
    with alone(folder):
        writer = SnapshotWriter.open(folder, configured_tenant=tenant.tenant_id, cloud=tenant.cloud, resume=resume)
        async with session or GraphSession.open(config, tenant, clock=clock) as session:
            reader = Reader(session, Gates(clock, config.config.audit.quota_share))
            access = Access(
                tenant.tenant_id,
                session.where.exchange,
                session.http_client(),
                session.token,
                session.renew,
                reader.gates["exchange"],
                reader,
                session.service_now,
                tenant.cloud in NATIONAL,
            )
            source = make_source(config, access)
            job = Job(config, tenant, session, reader, writer, cross_check)
            await _Run(job, source, progress or Silent()).all()
    taken = (clock.monotonic() - began[0], time.process_time() - began[1])
    return CollectResult(
        folder, writer.tenant_id, dict(writer.entries), writer.requests, {"collect": taken}, tuple(source.notes())
    )


class _Run:
    """Every dataset as a task of its own that starts when what it is derived from has ended. What keeps them apart are
    the gates of the services and the reader's budget of pages; Exchange is asked one thing at a time."""

    def __init__(self, job: Job, exchange: ExchangeSource, progress: Progress) -> None:
        self.job = job
        self.exchange = exchange
        self.progress = progress
        self._kept = frozenset(job.writer.entries)
        self._anew: set[str] = set()
        self._ended = {name: asyncio.Event() for name in READ_ORDER}
        self._exchange_turn = asyncio.Lock()
        job.others = self._others

    async def all(self) -> None:
        writer = self.job.writer
        writer.complete = False
        await self._task(FIRST)
        self._stop_if_unreachable()
        if writer.accounts is not None:
            self.job.reader.gates.size(writer.accounts)
        try:
            async with asyncio.TaskGroup() as tasks:
                for name in READ_ORDER:
                    if name != FIRST:
                        tasks.create_task(self._task(name), name=name)
        except* AuditorError as errors:
            raise _first(errors) from None
        self._nothing_read()
        writer.complete = True
        writer.write_manifest()

    async def _task(self, name: str) -> None:
        inputs = INPUTS.get(name, ())
        for before in inputs:
            await self._ended[before].wait()
        anew = bool(self._anew & set(inputs))
        if name in self._kept and not anew:
            self.progress.finished(name, self.job.writer.entries[name].status)
        else:
            if anew:  # what an interrupted run left rests on what is no more
                self.job.writer.forget((name,))
            self._anew.add(name)
            async with self._exchange_turn if BY_NAME[name].service == "exchange" else nullcontext():
                await self._one(BY_NAME[name])
        self._ended[name].set()

    async def _others(self, name: str) -> None:
        """Waits until all datasets but the named one, and what waits for everything, have ended."""
        for other in READ_ORDER:
            if other not in (name, "whatIf"):
                await self._ended[other].wait()

    async def _one(self, dataset: Dataset) -> None:
        from auditor.graph.session import counting

        writer = self.job.writer
        self.progress.started(dataset.name)
        with counting() as tally:
            if dataset.name == FIRST and writer.accounts is None:
                writer.accounts = await self._accounts()
            with writer.dataset(dataset.name) as file:
                sink = Sink(dataset.name, file, tally, self._pace(dataset, file.records), self.progress)
                outcome = await self._read(dataset, sink)
                for _ in range(RESTARTS):
                    if outcome.error is None or outcome.error.kind != "expired":
                        break
                    sink.restart()
                    outcome = await self._read(dataset, sink)
        self._clock()
        status = replace(outcome.status, records=file.records)
        if status.asked and not status.as_of:
            status = replace(status, as_of=writer.ended)
        resumable = outcome.error is not None and outcome.error.kind in PASSING
        writer.finish(Entry(status, tally.requests, tally.inner_requests, outcome.notes), file, resumable=resumable)
        if dataset.name == FIRST:
            self._organization()
        self.progress.finished(dataset.name, status)

    async def _accounts(self) -> int | None:
        """How many users the directory has, guests included; None where it does not say. It decides how much may be
        asked of it at once, whether files are compressed, and what is left to do."""
        from auditor.graph.refusal import ReadError
        from auditor.graph.requests import configured

        headers = {"ConsistencyLevel": "eventual"}
        request = configured(self.job.session.client.users, select=("id",), top=1, count=True, headers=headers)
        try:
            answer = await self.job.reader.get(request, "directory")
            return shaped(answer.body, _Counted).count
        except ReadError:
            return None

    def _pace(self, dataset: Dataset, earlier: int) -> Pace:
        gate = None if dataset.bucket == "none" else self.job.reader.gates[dataset.bucket]
        expected = self.job.writer.accounts if dataset.name in PER_ACCOUNT else None
        return Pace(self.job.session.clock, expected, earlier, gate)

    async def _read(self, dataset: Dataset, sink: Sink) -> Outcome:
        from auditor.graph.clouds import NATIONAL

        if not dataset.national and self.job.tenant.cloud in NATIONAL:
            return Outcome.not_asked(dataset, "This service does not exist in national clouds.")
        if dataset.name == "smtpReplies":
            return smtp_replies(self.job.config, dataset, sink.keep)
        if dataset.service in ("exchange", "brought"):
            return await self._exchange(dataset, sink)
        return await _reads().get(dataset.name, _plain)(self.job, dataset, sink)

    async def _exchange(self, dataset: Dataset, sink: Sink) -> Outcome:
        senders = [sender.account for sender in self.job.senders]
        way = self.exchange.label
        if sink.place.step not in ("", way):  # an earlier run read it otherwise
            sink.restart()
        read = await self.exchange.read(dataset, senders, _Keep(sink, way, dataset))
        asked_for = None
        if dataset.name == "mailboxPermissions":  # the only one that is read per mailbox
            asked_for = frozenset(sender.strip().lower() for sender in senders)
        status = DatasetStatus(
            dataset.name, read.state, read.records, read.reason, read.permission, read.source, read.as_of, asked_for
        )
        return Outcome(status, tuple(sink.once.notes()), read.error)

    def _organization(self) -> None:
        """The snapshot's tenant id is the organisation's own, not what the config calls it."""
        found = next(self.job.records("organization", _Organization), None)
        if found and found.id:
            self.job.writer.tenant_id = found.id
            self.job.writer.write_manifest()

    def _clock(self) -> None:
        """The window of a collection by the service's clock; this machine's where no answer carried one."""
        writer, wire = self.job.writer, self.job.session.wire
        fallback = self.job.session.clock.now()
        writer.started = writer.started or iso(wire.first_seen or fallback)
        writer.ended = iso(wire.last_seen) if wire.last_seen else writer.ended or iso(fallback)

    def _stop_if_unreachable(self) -> None:
        """Where nothing has answered yet, nothing will: better one clear error than thirty."""
        wire = self.job.session.wire
        if wire.requests and not wire.answers:
            reasons = [entry.status.reason for entry in self.job.writer.entries.values() if entry.status.reason]
            raise ServiceError(
                reasons[0] if reasons else f"{self.job.session.where.graph_host} did not answer.",
                remedy="Check the network, the proxy and the tenant's cloud; --resume goes on.",
            )

    def _nothing_read(self) -> None:
        """Raises where Graph gave nothing at all: that is no audit."""
        states = [entry.status for name, entry in self.job.writer.entries.items() if _of_graph(name)]
        if any(status.complete or status.records for status in states):
            return
        name = self.job.tenant.name
        denied = [status for status in states if status.state == "denied"]
        if denied or self.job.reader.token_refused or not any(status.state == "failed" for status in states):
            wanted = ", ".join(sorted({status.permission for status in denied if status.permission}))
            raise SignInError(
                f"tenant {name}: signed in, but the app may read nothing.",
                remedy=f"Grant it and give admin consent: {wanted}." if wanted else "`auditor doctor` tells more.",
            )
        reason = next(status.reason for status in states if status.state == "failed")
        raise ServiceError(f"tenant {name}: nothing could be read: {reason}", remedy="Try again; --resume goes on.")


class _Organization(msgspec.Struct):
    id: str = ""


def _of_graph(name: str) -> bool:
    return BY_NAME[name].service not in ("exchange", "brought")


class _Keep:
    """Exchange's records on their way to disk, each once, safe after every page that another follows. A report that
    somebody brought may well say the same of two rows."""

    def __init__(self, sink: Sink, way: str, dataset: Dataset) -> None:
        self.start = sink.start(way) or ""
        self._sink = sink
        self._way = way
        self._brought = dataset.service == "brought"
        sink.once = Once(sink.lines, whole_line)

    async def __call__(self, records: Sequence[bytes], link: str = "") -> None:
        if self._brought:
            self._sink.keep(records)
        else:
            await self._sink.page(records, Place(self._way, link) if link else Place())


class _Counted(msgspec.Struct):
    count: int | None = msgspec.field(name="@odata.count", default=None)


async def _plain(job: Job, dataset: Dataset, sink: Sink) -> Outcome:
    """A dataset that is one object or one collection of Graph, as the catalogue describes it."""
    from auditor.graph.refusal import ReadError
    from auditor.graph.requests import request_for

    request = request_for(job.session.client, dataset)
    error: ReadError | None = None
    if dataset.shape == "singleton":
        try:
            sink.keep([await job.reader.singleton(request, dataset.bucket)])
        except ReadError as refused:
            error = refused
    else:
        error = await job.read(dataset, request, sink)
    return ended(dataset, sink, error, f"v1.0{dataset.path}")


def _first(errors: BaseExceptionGroup[AuditorError]) -> AuditorError:
    """Of errors that came from several tasks: one is enough to tell."""
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


def _reads() -> Mapping[str, Read]:
    from auditor.collect import apps, groups, logs, methods, what_if

    return {
        "signIns": logs.sign_ins,
        "directoryAudits": logs.directory_audits,
        "emailAppUsage": logs.csv_report,
        "mailboxUsage": logs.json_report,
        "perUserMfa": methods.per_user_mfa,
        "authenticationMethods": methods.sender_methods,
        "groups": groups.groups,
        "groupMembers": groups.group_members,
        "appRoleAssignments": apps.app_role_assignments,
        "oauth2PermissionGrants": apps.permission_grants,
        "servicePrincipals": apps.service_principals,
        "whatIf": what_if.what_if,
    }
