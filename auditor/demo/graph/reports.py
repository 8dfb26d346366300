"""Microsoft 365 usage reports: the CSV behind a redirect, the JSON of beta, and concealed names.

https://learn.microsoft.com/graph/api/reportroot-getemailappusageuserdetail
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware

from auditor.demo.graph.call import bad_request
from auditor.demo.graph.directory import Directory
from auditor.demo.rows import Rows
from auditor.demo.wire import RequestLog, Sealer, service_app

PERIODS = ("D7", "D30", "D90", "D180")
BOM = "\ufeff"
PIECE = 1000
"""rows of a CSV written at a time"""
LIFETIME = 300
"""seconds that a download address works"""

_EMAIL_APPS = (
    "Report Refresh Date", "User Principal Name", "Display Name", "Is Deleted", "Deleted Date", "Last Activity Date",
    "Mail For Mac", "Outlook For Mac", "Outlook For Windows", "Outlook For Mobile", "Other For Mobile",
    "Outlook For Web", "POP3 App", "IMAP4 App", "SMTP App", "Report Period",
)  # fmt: skip
_MAILBOXES = (
    "Report Refresh Date", "User Principal Name", "Display Name", "Is Deleted", "Deleted Date", "Created Date",
    "Last Activity Date", "Item Count", "Storage Used (Byte)", "Issue Warning Quota (Byte)",
    "Prohibit Send Quota (Byte)", "Prohibit Send/Receive Quota (Byte)", "Deleted Item Count",
    "Deleted Item Size (Byte)", "Deleted Item Quota (Byte)", "Has Archive", "Report Period",
)  # fmt: skip

REPORTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "getEmailAppUsageUserDetail": ("emailAppUsage", _EMAIL_APPS),
    "getMailboxUsageDetail": ("mailboxUsage", _MAILBOXES),
}
"""function → (dataset of the tenant, columns of its CSV)"""

_NAMES = frozenset({"User Principal Name", "userPrincipalName", "Display Name", "displayName"})

_JSON_NAMES = {
    "POP3 App": "pop3App",
    "IMAP4 App": "imap4App",
    "SMTP App": "smtpApp",
    "Storage Used (Byte)": "storageUsedInBytes",
    "Issue Warning Quota (Byte)": "issueWarningQuotaInBytes",
    "Prohibit Send Quota (Byte)": "prohibitSendQuotaInBytes",
    "Prohibit Send/Receive Quota (Byte)": "prohibitSendReceiveQuotaInBytes",
    "Deleted Item Size (Byte)": "deletedItemSizeInBytes",
    "Deleted Item Quota (Byte)": "deletedItemQuota",
}


def json_name(column: str) -> str:
    """The JSON property of a CSV column: `Display Name` → `displayName`."""
    if column in _JSON_NAMES:
        return _JSON_NAMES[column]
    first, *rest = column.split()
    return first.lower() + "".join(word.capitalize() for word in rest)


def check_period(period: str) -> str:
    """The period's days; raises GraphError 400 for one that does not exist."""
    if period not in PERIODS:
        raise bad_request(f"Invalid period value specified. Must be one of {', '.join(PERIODS)}.")
    return period[1:]


def shown(row: Mapping[str, Any], *, concealed: bool) -> dict[str, Any]:
    """A row with names as the tenant shows them."""
    return {
        name: _concealed(str(value)) if concealed and value and name in _NAMES else value for name, value in row.items()
    }


def _concealed(name: str) -> str:
    """What a tenant that hides names shows instead: 32 hex digits that join with nothing."""
    return hashlib.sha256(f"concealed\n{name.lower()}".encode()).hexdigest()[:32].upper()


def as_csv(report: str, rows: Iterable[Mapping[str, Any]], days: str) -> Iterator[bytes]:
    """The report as the service writes it, piece by piece: UTF-8 with BOM, CRLF."""
    columns = REPORTS[report][1]
    text = io.StringIO(BOM, newline="")
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for number, row in enumerate(rows, 1):
        writer.writerow([days if name == "Report Period" else _cell(row, name) for name in columns])
        if number % PIECE == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _cell(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column, row.get(json_name(column)))
    if isinstance(value, list):
        return ";".join(str(part) for part in value)
    return "" if value is None else str(value)


def as_json(report: str, row: Mapping[str, Any], days: str) -> dict[str, Any]:
    """A row as beta's JSON names it; properties beyond the CSV's columns (recipientType) stay."""
    columns = REPORTS[report][1]
    named = {json_name(name) if name in columns else name: value for name, value in row.items()}
    return {**named, "reportPeriod": days}


@dataclass(frozen=True)
class Downloads:
    """The host that serves a report's CSV: its addresses are authenticated by themselves and work for minutes."""

    directory: Directory
    sealer: Sealer
    url: str
    clock: Callable[[], float] = time.time

    def address(self, report: str, period: str) -> str:
        token = self.sealer.seal({"report": report, "period": period, "until": self.clock() + LIFETIME})
        return f"{self.url}/data/download/{token}"

    def application(self, log: RequestLog, *before: Middleware) -> web.Application:
        app = service_app("reports", self.directory.tenant.now, log, *before)
        app.router.add_get("/data/download/{token}", self._download)
        return app

    async def _download(self, request: web.Request) -> web.Response:
        if "Authorization" in request.headers:
            return web.Response(status=400, text="This address is already authenticated; send no Authorization header.")
        content = self.sealer.open(request.match_info["token"])
        if content is None or "report" not in content or content["until"] < self.clock():
            return web.Response(status=403, text="The address is invalid or has expired.")
        report, period = content["report"], content["period"]
        concealed = self.directory.tenant.concealed_names
        stored = self.directory.records(REPORTS[report][0])
        pieces = as_csv(report, (shown(row, concealed=concealed) for row in stored), check_period(period))
        return web.Response(
            body=_streamed(pieces) if isinstance(stored, Rows) else b"".join(pieces),
            content_type="application/octet-stream",
            headers={"Content-Disposition": f'attachment; filename="{report.removeprefix("get")}.csv"'},
        )


async def _streamed(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
        await asyncio.sleep(0)  # a long report lets others be served
