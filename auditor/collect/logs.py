"""The logs and usage reports: windows of time, filters that the service may not manage, tables behind a redirect."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from itertools import islice

import msgspec

from auditor.catalogue import Dataset
from auditor.clock import iso
from auditor.collect.base import Job, Outcome, ended, shaped
from auditor.collect.sink import Sink
from auditor.collect.writer import Place
from auditor.graph.once import Once, whole_line
from auditor.graph.refusal import ReadError
from auditor.graph.requests import beta_url, from_url, request_for
from auditor.graph.throttle import Patience

SLICE_DAYS = 7
UNFILTERED_ROWS = 50_000
"""how many sign-ins of any kind are looked through where the service cannot filter"""

UNFILTERED = "unfiltered"
"""the step of the last way to read them; the others are the whole window and its weeks"""

_IMPATIENT = Patience(attempts=2)
"""A filter that times out (504 after two minutes) is not asked again and again: a narrower one is."""


class _SignIn(msgspec.Struct):
    id: str = ""
    createdDateTime: str = ""  # noqa: N815 - Graph's name
    clientAppUsed: str | None = None  # noqa: N815


class _ReportRow(msgspec.Struct):
    column: str | None = msgspec.field(name="User Principal Name", default=None)
    userPrincipalName: str | None = None  # noqa: N815


async def sign_ins(job: Job, dataset: Dataset, sink: Sink) -> Outcome:
    """SMTP sign-ins of the window. One filtered query first; where the service gives up on it, a week at a time; where
    it gives up on that too, unfiltered and newest first, looked through here up to a cap.

    https://learn.microsoft.com/graph/api/signin-list"""
    days = job.config.config.audit.sign_in_days
    source = f"v1.0{dataset.path}, {days} days"
    weeks = [f"week {number}" for number in range(1, -(-days // SLICE_DAYS) + 1)]
    reached = sink.place.step
    if reached not in (*weeks, UNFILTERED):
        error = await _window(job, dataset, sink, "", job.since(days), "")
        if not _gave_up(error, sink):
            return ended(dataset, sink, error, source)
    if reached != UNFILTERED:
        error = await _slices(job, dataset, sink, weeks, days)
        if not _gave_up(error, sink):
            note = "read a week at a time, because the service gave up on the whole window"
            return ended(dataset, sink, error, source, [note])
    return await _unfiltered(job, dataset, sink, job.since(days), source)


def _gave_up(error: ReadError | None, sink: Sink) -> bool:
    """The service, not the network and not a right, ended it before the first record."""
    return error is not None and sink.records == 0 and error.kind in ("service", "request")


async def _window(job: Job, dataset: Dataset, sink: Sink, step: str, since: str, until: str) -> ReadError | None:
    filter_ = dataset.filter.replace("{since}", since)
    if until:
        filter_ = f"createdDateTime lt {until} and {filter_}"
    request = request_for(job.session.client, dataset, filter_=filter_)
    return await job.read(dataset, request, sink, step=step, patience=_IMPATIENT)


async def _slices(job: Job, dataset: Dataset, sink: Sink, weeks: Sequence[str], days: int) -> ReadError | None:
    """Newest first, so that the order of the file is the service's."""
    started = datetime.fromisoformat(job.writer.started)
    for week in sink.remaining(weeks):
        back = weeks.index(week) * SLICE_DAYS
        since = iso(started - timedelta(days=min(back + SLICE_DAYS, days)))
        until = iso(started - timedelta(days=back)) if back else ""
        error = await _window(job, dataset, sink, week, since, until)
        if error:
            return error
    return None


async def _unfiltered(job: Job, dataset: Dataset, sink: Sink, since: str, source: str) -> Outcome:
    notes = ["read without a filter and searched here, because the service gave up on the filter"]
    start = sink.start(UNFILTERED)
    looked = int(sink.place.memo.get("looked", 0)) if start else 0
    if start is None:
        return ended(dataset, sink, None, source, notes)
    pages = job.reader.pages(request_for(job.session.client, dataset), dataset.bucket, start=start)
    try:
        async with aclosing(pages):
            async for page in pages:
                looked += len(page.records)
                found, older = _smtp_since(page.records, since)
                await sink.page(found, Place(UNFILTERED, "" if older else page.link, {"looked": looked}))
                if older:
                    break
                if looked >= UNFILTERED_ROWS and page.link:
                    reason = f"Only the newest {looked} sign-ins of all kinds were looked through."
                    return Outcome.cut(dataset, reason, source, notes)
    except ReadError as error:
        return ended(dataset, sink, error, source, notes)
    return ended(dataset, sink, None, source, notes)


def _smtp_since(records: Sequence[bytes], since: str) -> tuple[list[bytes], bool]:
    """The SMTP sign-ins of a page in the window, and whether the page reaches beyond it."""
    found = []
    older = False
    for record in records:
        entry = shaped(record, _SignIn)
        if entry.createdDateTime < since:
            older = True
        elif (entry.clientAppUsed or "").lower() in ("authenticated smtp", "smtp"):
            found.append(record)
    return found, older


async def directory_audits(job: Job, dataset: Dataset, sink: Sink) -> Outcome:
    """App passwords created or deleted in the window."""
    days = job.config.config.audit.sign_in_days
    request = request_for(job.session.client, dataset, filter_=job.filled(dataset, days))
    error = await job.read(dataset, request, sink)
    return ended(dataset, sink, error, f"v1.0{dataset.path}, {days} days")


async def csv_report(job: Job, dataset: Dataset, sink: Sink) -> Outcome:
    """A report that v1.0 gives as CSV behind a redirect to an address of its own, which never gets our token."""
    from auditor.graph.usage_csv import pages

    source = f"v1.0{dataset.path} (CSV)"
    sink.once = Once(sink.lines, whole_line)  # a row has no id
    failed: ReadError | None = None
    try:
        answer = await job.reader.get(request_for(job.session.client, dataset), dataset.bucket)
        address = answer.headers.get("location", "")
        for page in pages(await job.reader.download(address, dataset.bucket) if address else answer.body):
            await sink.page(page, Place())
    except ReadError as error:
        failed = error
    return ended(dataset, sink, failed, source, _concealed(sink))


async def json_report(job: Job, dataset: Dataset, sink: Sink) -> Outcome:
    """A report as beta's JSON, which holds the recipient type that the CSV lacks."""
    sink.once = Once(sink.lines, whole_line)  # a row has no id
    query = {"$format": "application/json", "$top": str(dataset.page_size)}
    error = await job.read(dataset, from_url(beta_url(job.session.where.graph, dataset.path, query)), sink)
    return ended(dataset, sink, error, f"beta{dataset.path}", _concealed(sink))


def _concealed(sink: Sink) -> list[str]:
    """A note where the tenant hides names in reports, so that no row can be joined to an account
    (https://learn.microsoft.com/microsoft-365/admin/activity-reports/activity-reports)."""
    rows = [shaped(record, _ReportRow) for record in islice(sink.lines(), 20)]
    if rows and not any("@" in (row.column or row.userPrincipalName or "") for row in rows):
        return ["the tenant conceals names in usage reports: the rows cannot be joined to accounts"]
    return []
