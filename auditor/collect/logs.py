"""The logs and usage reports: windows of time, filters that the service may not manage, tables behind a redirect."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from auditor.catalogue import Dataset
from auditor.clock import iso
from auditor.collect.base import Job, Keep, Outcome, ended, shaped
from auditor.graph.reader import Reading
from auditor.graph.refusal import ReadError
from auditor.graph.requests import beta_url, from_url, request_for
from auditor.graph.throttle import Patience

SLICE_DAYS = 7
UNFILTERED_ROWS = 50_000
"""how many sign-ins of any kind are looked through where the service cannot filter"""

_IMPATIENT = Patience(attempts=2)
"""A filter that times out (504 after two minutes) is not asked again and again: a narrower one is."""


class _SignIn(msgspec.Struct):
    id: str = ""
    createdDateTime: str = ""  # noqa: N815 - Graph's name
    clientAppUsed: str | None = None  # noqa: N815


class _ReportRow(msgspec.Struct):
    column: str | None = msgspec.field(name="User Principal Name", default=None)
    userPrincipalName: str | None = None  # noqa: N815


async def sign_ins(job: Job, dataset: Dataset, keep: Keep) -> Outcome:
    """SMTP sign-ins of the window. One filtered query first; where the service gives up on it, a week at a time; where
    it gives up on that too, unfiltered and newest first, looked through here up to a cap.

    https://learn.microsoft.com/graph/api/signin-list"""
    days = job.config.config.audit.sign_in_days
    source = f"v1.0{dataset.path}, {days} days"
    since = job.since(days)
    reading = await _window(job, dataset, keep, since, "")
    if _gave_up(reading):
        reading = await _slices(job, dataset, keep, days)
    if _gave_up(reading):
        return await _unfiltered(job, dataset, keep, since, source)
    return ended(dataset, reading, source)


def _gave_up(reading: Reading) -> bool:
    """The service, not the network and not a right, ended it before the first record."""
    return reading.error is not None and reading.records == 0 and reading.error.kind in ("service", "request")


async def _window(job: Job, dataset: Dataset, keep: Keep, since: str, until: str) -> Reading:
    filter_ = dataset.filter.replace("{since}", since)
    if until:
        filter_ = f"createdDateTime lt {until} and {filter_}"
    request = request_for(job.session.client, dataset, filter_=filter_)
    return await job.reader.collection(request, dataset.bucket, keep, patience=_IMPATIENT)


async def _slices(job: Job, dataset: Dataset, keep: Keep, days: int) -> Reading:
    """Newest first, so that the order of the file is the service's."""
    total = Reading(notes=["read a week at a time, because the service gave up on the whole window"])
    started = datetime.fromisoformat(job.writer.started)
    for back in range(0, days, SLICE_DAYS):
        since = iso(started - timedelta(days=min(back + SLICE_DAYS, days)))
        until = iso(started - timedelta(days=back)) if back else ""
        reading = await _window(job, dataset, keep, since, until)
        total.records += reading.records
        total.notes += reading.notes
        total.error = reading.error
        if reading.error:
            break
    return total


async def _unfiltered(job: Job, dataset: Dataset, keep: Keep, since: str, source: str) -> Outcome:
    looked = 0
    kept = 0
    notes = ["read without a filter and searched here, because the service gave up on the filter"]
    request = request_for(job.session.client, dataset)
    try:
        async for records in job.reader.pages(request, dataset.bucket):
            looked += len(records)
            found, older = _smtp_since(records, since)
            keep(found)
            kept += len(found)
            if older:
                return Outcome.complete(dataset, source, notes)
            if looked >= UNFILTERED_ROWS:
                reason = f"Only the newest {looked} sign-ins of all kinds were looked through."
                return Outcome.cut(dataset, reason, source, notes)
    except ReadError as error:
        return ended(dataset, Reading(kept, error, notes), source)
    return Outcome.complete(dataset, source, notes)


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


async def directory_audits(job: Job, dataset: Dataset, keep: Keep) -> Outcome:
    """App passwords created or deleted in the window."""
    days = job.config.config.audit.sign_in_days
    request = request_for(job.session.client, dataset, filter_=job.filled(dataset, days))
    reading = await job.reader.collection(request, dataset.bucket, keep)
    return ended(dataset, reading, f"v1.0{dataset.path}, {days} days")


async def csv_report(job: Job, dataset: Dataset, keep: Keep) -> Outcome:
    """A report that v1.0 gives as CSV behind a redirect to an address of its own, which never gets our token."""
    from auditor.graph.usage_csv import rows

    source = f"v1.0{dataset.path} (CSV)"
    try:
        answer = await job.reader.get(request_for(job.session.client, dataset), dataset.bucket)
        address = answer.headers.get("location", "")
        found = rows(await job.reader.download(address, dataset.bucket) if address else answer.body)
    except ReadError as error:
        return ended(dataset, Reading(error=error), source)
    keep(found)
    return Outcome.complete(dataset, source, _concealed(found))


async def json_report(job: Job, dataset: Dataset, keep: Keep) -> Outcome:
    """A report as beta's JSON, which holds the recipient type that the CSV lacks."""
    query = {"$format": "application/json", "$top": str(dataset.page_size)}
    request = from_url(beta_url(job.session.where.graph, dataset.path, query))
    first: list[bytes] = []

    def watched(records: Sequence[bytes]) -> None:
        first.extend(records[:20] if not first else ())
        keep(records)

    reading = await job.reader.collection(request, dataset.bucket, watched)
    reading.notes += _concealed(first)
    return ended(dataset, reading, f"beta{dataset.path}")


def _concealed(records: Sequence[bytes]) -> list[str]:
    """A note where the tenant hides names in reports, so that no row can be joined to an account
    (https://learn.microsoft.com/microsoft-365/admin/activity-reports/activity-reports)."""
    rows = [shaped(record, _ReportRow) for record in records[:20]]
    if rows and not any("@" in (row.column or row.userPrincipalName or "") for row in rows):
        return ["the tenant conceals names in usage reports: the rows cannot be joined to accounts"]
    return []
