"""Exchange Online through the admin API's `InvokeCommand`, the interface that Microsoft's own PowerShell module calls.

**Not documented by Microsoft**, so it is opt-in and says so wherever it is named; files exported by an administrator
(`export.py`) are the supported way. It can run any cmdlet, so this module refuses in code whatever is not on its list
of reading cmdlets. Permission: Office 365 Exchange Online `Exchange.ManageAsApp` and a directory role on the app's
service principal, for instance Global Reader
(https://learn.microsoft.com/powershell/exchange/app-only-auth-powershell-v2).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from auditor.catalogue import BY_NAME, EXCHANGE_DATASETS, Dataset
from auditor.errors import ServiceError, SignInError
from auditor.exchange.base import PERMISSION, ExchangeRead, GetToken, Keep, ReadState, Sleep, hidden_cmdlet, stamp
from auditor.exchange.properties import PARAMETERS, SELECTED, SINGLE

LABEL = "Exchange admin API (InvokeCommand), not documented by Microsoft"

CMDLETS = frozenset(BY_NAME[name].path for name in EXCHANGE_DATASETS)
"""The only cmdlets this program ever sends: those of the catalogue, each of them a Get-."""

PAGE_SIZE = 1000
ATTEMPTS = 5
"""of one request, the first included"""
LONGEST_WAIT = 300.0
"""seconds; a service that asks for more is given up"""
TIMEOUT = httpx.Timeout(30.0, read=300.0)

_ANCHOR = "APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}"


class _Page(msgspec.Struct):
    """One answer; each record stays the exact bytes that Exchange sent."""

    value: list[msgspec.Raw] | None = None
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")
    warnings: list[Any] | None = msgspec.field(default=None, name="@adminapi.warnings")


_decode_page = msgspec.json.Decoder(_Page).decode


@dataclass
class _Progress:
    """What one `read` has done so far."""

    records: int = 0
    requests: int = 0
    as_of: str = ""


class _Stopped(Exception):  # noqa: N818 - carries a state, not an error of the program
    """Reading cannot go on: with which state and why."""

    def __init__(self, state: ReadState, reason: str, permission: str = "") -> None:
        super().__init__(reason)
        self.state: ReadState = state
        self.reason = reason
        self.permission = permission


@dataclass
class AdminApiSource:
    """Reads by `POST {exchange_url}/adminapi/beta/{tenant_id}/InvokeCommand`.

    `client` comes without authentication of its own; the token that `get_token` gives for this host is sent to this
    host only. `sleep` takes seconds. Nothing is sent before the first `read`."""

    tenant_id: str
    exchange_url: str
    client: httpx.AsyncClient
    get_token: GetToken
    sleep: Sleep
    _home: httpx.URL = field(init=False)
    _token: str = field(default="", init=False, repr=False)

    def __post_init__(self) -> None:
        self._home = httpx.URL(self.exchange_url)

    @property
    def label(self) -> str:
        return LABEL

    def notes(self) -> Sequence[str]:
        return (f"Exchange was read through an interface that is {LABEL.partition(', ')[2]}; it may change any day.",)

    async def read(self, dataset: Dataset, identities: Sequence[str], keep: Keep) -> ExchangeRead:
        """See `ExchangeSource.read`. Raises ValueError for a cmdlet that is not on the list."""
        if dataset.service != "exchange":
            return ExchangeRead("not-asked", reason=f"No cmdlet gives {dataset.name}; it can only be exported by hand.")
        if dataset.path not in CMDLETS:
            raise ValueError(f"{dataset.path} is not on the list of reading cmdlets")
        wanted = _parameters(dataset, identities)
        if not wanted:
            return ExchangeRead("not-asked", reason="No declared sender: nobody's mailbox permissions are needed.")
        progress = _Progress()
        try:
            for parameters in wanted:
                await self._command(dataset, parameters, keep, progress)
        except _Stopped as stop:
            state: ReadState = "cut" if progress.records else stop.state
            return self._result(dataset, progress, state, stop.reason, stop.permission)
        if not progress.records and dataset.name in SINGLE:
            return self._result(dataset, progress, "failed", f"Exchange answered {dataset.path} with no object.")
        return self._result(dataset, progress, "complete")

    def _result(
        self, dataset: Dataset, progress: _Progress, state: ReadState, reason: str = "", permission: str = ""
    ) -> ExchangeRead:
        source = f"{LABEL}: {dataset.path}"
        reason = self._without_token(reason)
        return ExchangeRead(state, progress.records, reason, permission, progress.requests, source, progress.as_of)

    def _without_token(self, text: str) -> str:
        """A service, or a proxy before it, may repeat what it was sent; reasons stand in reports."""
        if len(self._token) > len("****"):
            text = re.sub(re.escape(self._token), "****", text, flags=re.IGNORECASE)
        return re.sub(r"\beyJ[\w-]{8,}[\w.-]*", "****", text, flags=re.IGNORECASE)

    async def _command(self, dataset: Dataset, parameters: Mapping[str, Any], keep: Keep, progress: _Progress) -> None:
        """Run one cmdlet to its last page. Raises _Stopped."""
        body = json.dumps({"CmdletInput": {"CmdletName": dataset.path, "Parameters": parameters}}).encode()
        url = self._home.join(f"/adminapi/beta/{quote(self.tenant_id, safe='')}/InvokeCommand")
        if selected := SELECTED.get(dataset.name):
            url = url.copy_with(query=b"$select=" + ",".join(selected).encode())
        visited = {str(url)}
        while True:
            page = await self._page(dataset, url, body, progress)
            if page is None:
                return
            records = [_one_line(bytes(record)) for record in page.value or ()]
            if not all(record.startswith(b"{") for record in records):
                raise _Stopped("failed", f"Exchange answered {dataset.path} with something that is no object.")
            keep(records)
            progress.records += len(records)
            if not page.next_link:
                _refuse_cut(page.warnings or ())
                return
            url = self._next(url, page.next_link, visited)

    def _next(self, current: httpx.URL, link: str, visited: set[str]) -> httpx.URL:
        """The next page's address: on the same host, and never one that was read before."""
        try:
            url = current.join(link)
        except httpx.InvalidURL as error:
            raise _Stopped("failed", f"Exchange named a next page that is no address: {error}.") from error
        if (url.scheme, url.host, url.port) != (self._home.scheme, self._home.host, self._home.port):
            raise _Stopped("failed", f"Exchange named a next page on another host ({url.host}); it gets no token.")
        if str(url) in visited:
            raise _Stopped("failed", "Exchange named a next page that was read already; reading stopped.")
        visited.add(str(url))
        return url

    async def _page(self, dataset: Dataset, url: httpx.URL, body: bytes, progress: _Progress) -> _Page | None:
        """One page; None where a single mailbox that was asked for does not exist. Raises _Stopped."""
        response = await self._send(dataset, url, body, progress)
        progress.as_of = _service_time(response) or progress.as_of
        if response.status_code != 200:
            stop = _refusal(response)
            if dataset.name == "mailboxPermissions" and _is_missing_object(response):
                return None
            raise stop
        try:
            page = _decode_page(response.content)
        except msgspec.DecodeError as error:
            raise _Stopped("failed", f"Exchange's answer to {dataset.path} could not be read: {error}.") from error
        if page.value is None:
            said = "; ".join(map(str, page.warnings or ())) or "nothing else"
            raise _Stopped("failed", f"Exchange answered {dataset.path} without a list of objects: {said}.")
        return page

    async def _send(self, dataset: Dataset, url: httpx.URL, body: bytes, progress: _Progress) -> httpx.Response:
        """One answer that is not "try again later". Raises _Stopped when patience ends."""
        for attempt in range(1, ATTEMPTS + 1):
            headers = await self._headers(dataset)
            progress.requests += 1
            try:
                response = await self.client.post(
                    url, content=body, headers=headers, timeout=TIMEOUT, follow_redirects=False
                )
            except httpx.RequestError as error:
                wait, cause = _backoff(attempt), f"{type(error).__name__}: {error}"
            else:
                if response.status_code not in (429, 500, 502, 503, 504):
                    return response
                wait, cause = _retry_after(response) or _backoff(attempt), f"HTTP {response.status_code}"
                if text := _message(response):
                    cause = f"{cause}, {text}"
            if wait > LONGEST_WAIT:
                raise _Stopped("failed", f"Exchange asked to wait {wait:.0f} seconds ({cause}).")
            if attempt < ATTEMPTS:
                await self.sleep(wait)
        raise _Stopped("failed", f"Exchange gave no answer to {dataset.path} in {ATTEMPTS} attempts ({cause}).")

    async def _headers(self, dataset: Dataset) -> dict[str, str]:
        scope = f"{self.exchange_url.rstrip('/')}/.default"
        try:
            self._token = await self.get_token(scope)
        except SignInError as error:
            raise _Stopped("denied", f"No token for Exchange: {error.message}", PERMISSION) from error
        except ServiceError as error:
            raise _Stopped("failed", f"No token for Exchange: {error.message}") from error
        return {
            "Authorization": f"Bearer {self._token}",
            "Content-Type": "application/json; charset=utf-8",
            "Accept": "application/json",
            "Prefer": f"odata.maxpagesize={PAGE_SIZE}",
            "X-AnchorMailbox": f"{_ANCHOR}@{self.tenant_id}",
            "X-CmdletName": dataset.path,
            "X-ResponseFormat": "json",
        }


def _parameters(dataset: Dataset, identities: Sequence[str]) -> list[dict[str, Any]]:
    """The parameters of each call: one call, but one per mailbox (in key order) for mailbox permissions."""
    common = dict(PARAMETERS.get(dataset.name, {}))
    if dataset.name != "mailboxPermissions":
        return [common]
    # An empty identity would ask for something else than one mailbox.
    mailboxes = sorted({identity.strip().lower() for identity in identities} - {""})
    return [{"Identity": mailbox, **common} for mailbox in mailboxes]


def _one_line(record: bytes) -> bytes:
    """The record as sent; line breaks outside strings, where an answer is indented, would end a JSON line."""
    return msgspec.json.format(record, indent=-1) if b"\n" in record or b"\r" in record else record


def _refuse_cut(warnings: Sequence[Any]) -> None:
    """The cmdlets end at their limit with a mere warning: a cut list must not pass for a whole one."""
    for warning in map(str, warnings):
        if "more results" in warning.lower():
            raise _Stopped("cut", f"Exchange says the list is not whole: {warning}")


def _backoff(attempt: int) -> float:
    return float(2**attempt)


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds that the service asks to wait: a number, or an HTTP date measured against its own clock."""
    value = response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", value):
        return float(value)
    try:
        until, now = parsedate_to_datetime(value), parsedate_to_datetime(response.headers.get("Date", ""))
        return max((until - now).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return None


def _service_time(response: httpx.Response) -> str:
    """The service's clock as ISO 8601 UTC, empty where the answer carries none."""
    try:
        return stamp(parsedate_to_datetime(response.headers.get("Date", "")))
    except ValueError:
        return ""


def _refusal(response: httpx.Response) -> _Stopped:
    """An answer that is neither a page nor "later" as state, reason and what would open it."""
    status, text = response.status_code, _message(response)
    said = f": {text}" if text else ""
    if status in (401, 403):
        return _Stopped(
            "denied",
            f"Exchange refused (HTTP {status}{said}). The app needs {PERMISSION}; an organisation whose only Exchange "
            "plan is Exchange Foundation is refused as well.",
            PERMISSION,
        )
    if hidden_cmdlet(text):
        return _Stopped("denied", f"The app's Exchange role does not hold this cmdlet{said}", PERMISSION)
    if 300 <= status < 400:
        return _Stopped("failed", f"Exchange sent us to another address (HTTP {status}), which gets no token.")
    return _Stopped("failed", f"Exchange answered HTTP {status}{said or ' without a text'}.")


def _is_missing_object(response: httpx.Response) -> bool:
    return response.status_code in (400, 404) and any(
        "ManagementObjectNotFoundException" in text or "couldn't be found" in text or "could not be found" in text
        for text in _texts(response)
    )


def _message(response: httpx.Response) -> str:
    """The most telling text of an error body, on one line and of bearable length; empty where there is none."""
    text = re.sub(r"^\|[\w.]+\|", "", next(_texts(response), ""))
    return " ".join(text.split())[:400]


def _texts(response: httpx.Response) -> Iterator[str]:
    """Every text of an error body, the most telling first: details, then the inner exceptions, then the head, which
    mostly says "Invalid Operation". Some refusals are only NUL bytes."""
    body = response.content.replace(b"\0", b"").strip()
    try:
        error = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError):
        if body and not body.lstrip().startswith(b"<"):
            yield body.decode("utf-8", "replace")
        return
    if not isinstance(error, dict):
        yield str(error)
        return
    for detail in error.get("details") or ():
        if isinstance(detail, dict) and detail.get("message"):
            yield str(detail["message"])
    inner = error.get("innererror")
    if isinstance(inner, dict):
        exception = inner.get("internalexception") or inner.get("internalException")
        for part in (exception, inner):
            if isinstance(part, dict):
                yield from (str(part[key]) for key in ("message", "type") if part.get(key))
    yield from (str(error[key]) for key in ("message", "code") if error.get(key))
