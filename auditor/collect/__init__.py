"""Runs the catalogue into a snapshot: the only part of the main job that talks to Graph and Exchange.

Each dataset ends complete, cut, denied, failed or not-asked, and the manifest on disk says so after every one of them,
so that an interrupted collection is gone on with (`resume`) without reading anything twice. Service code is imported
when a collection starts, not with this module.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from auditor.catalogue import BY_NAME, CATALOGUE, Dataset
from auditor.clock import Clock, SystemClock, iso
from auditor.collect.base import Job, Keep, Outcome, Progress, Silent, ended
from auditor.collect.brought import smtp_replies
from auditor.config import LoadedConfig, TenantConfig
from auditor.errors import ServiceError, SignInError
from auditor.snapshot import Entry, SnapshotWriter
from auditor.tenant import DatasetStatus

if TYPE_CHECKING:
    from auditor.exchange.base import ExchangeSource
    from auditor.graph.session import GraphSession

__all__ = ["READ_ORDER", "CollectResult", "Progress", "collect"]

Read = Callable[[Job, Dataset, Keep], Awaitable[Outcome]]

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
    "whatIf": ("users", "conditionalAccessPolicies", "roleAssignments", "groupMembers"),
}
"""What a dataset is derived from: read anew, it makes the dataset be read anew as well."""


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
    from auditor.graph.reader import Reader
    from auditor.graph.session import GraphSession
    from auditor.graph.throttle import Gates

    clock = clock or SystemClock()
    began = (clock.monotonic(), time.process_time())
    writer = SnapshotWriter.open(folder, configured_tenant=tenant.tenant_id, cloud=tenant.cloud, resume=resume)
    session = session or GraphSession.open(config, tenant, clock=clock)
    async with session:
        reader = Reader(session, Gates(clock, config.config.audit.quota_share))
        job = Job(config, tenant, session, reader, writer, cross_check)
        access = Access(
            tenant.tenant_id,
            session.where.exchange,
            session.http_client(),
            session.token,
            clock.sleep,
            reader,
            session.service_now,
            tenant.cloud in NATIONAL,
        )
        source = make_source(config, access)
        await _Run(job, source, progress or Silent(), writer.requests).all()
    taken = (clock.monotonic() - began[0], time.process_time() - began[1])
    return CollectResult(
        folder, writer.tenant_id, dict(writer.entries), writer.requests, {"collect": taken}, tuple(source.notes())
    )


@dataclass
class _Run:
    """Every dataset in turn. `before`: requests of the runs that a resume goes on with."""

    job: Job
    exchange: ExchangeSource
    progress: Progress
    before: int

    async def all(self) -> None:
        writer = self.job.writer
        kept = set(writer.entries)
        writer.complete = False
        anew: set[str] = set()
        for name in READ_ORDER:
            if name in kept and not anew & set(INPUTS.get(name, ())):
                self.progress.finished(name, writer.entries[name].status)
                continue
            anew.add(name)
            await self._one(BY_NAME[name])
            self._stop_if_unreachable()
        self._nothing_read()
        writer.complete = True
        writer.write_manifest()

    async def _one(self, dataset: Dataset) -> None:
        from auditor.graph.session import counting

        writer = self.job.writer
        self.progress.started(dataset.name)
        with counting() as tally, writer.dataset(dataset.name) as file:

            def keep(records: Sequence[bytes]) -> None:
                file.keep(records)
                self.progress.page(dataset.name, file.records)

            outcome = await self._read(dataset, keep)
        self._clock()
        status = replace(outcome.status, records=file.records)
        if status.asked and not status.as_of:
            status = replace(status, as_of=writer.ended)
        writer.requests = self.before + self.job.session.wire.requests
        writer.finish(Entry(status, tally.requests, tally.inner_requests, outcome.notes), file)
        if dataset.name == "organization":
            self._organization()
        self.progress.finished(dataset.name, status)

    async def _read(self, dataset: Dataset, keep: Keep) -> Outcome:
        from auditor.graph.clouds import NATIONAL

        if not dataset.national and self.job.tenant.cloud in NATIONAL:
            return Outcome.not_asked(dataset, "This service does not exist in national clouds.")
        if dataset.name == "smtpReplies":
            return smtp_replies(self.job.config, dataset, keep)
        if dataset.service in ("exchange", "brought"):
            return await self._exchange(dataset, keep)
        return await _reads().get(dataset.name, _plain)(self.job, dataset, keep)

    async def _exchange(self, dataset: Dataset, keep: Keep) -> Outcome:
        senders = [sender.account for sender in self.job.config.config.senders]
        read = await self.exchange.read(dataset, senders, keep)
        return Outcome(
            DatasetStatus(dataset.name, read.state, read.records, read.reason, read.permission, read.source, read.as_of)
        )

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


async def _plain(job: Job, dataset: Dataset, keep: Keep) -> Outcome:
    """A dataset that is one object or one collection of Graph, as the catalogue describes it."""
    from auditor.graph.requests import request_for
    from auditor.graph.throttle import resource_units

    request = request_for(job.session.client, dataset)
    if dataset.shape == "singleton":
        reading = await job.reader.singleton(request, dataset.bucket, keep)
    else:
        cost = 1
        if dataset.bucket == "directory":
            cost = resource_units(dataset.path, selects=bool(dataset.select), top=dataset.page_size)
        reading = await job.reader.collection(request, dataset.bucket, keep, cost=cost)
    return ended(dataset, reading, f"v1.0{dataset.path}")


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
