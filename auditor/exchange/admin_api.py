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
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from auditor.catalogue import BY_NAME, EXCHANGE_DATASETS, Dataset
from auditor.errors import ServiceError, SignInError
from auditor.exchange.base import PERMISSION, ExchangeRead, GetToken, Keep, ReadState, hidden_cmdlet, stamp
from auditor.exchange.properties import PARAMETERS, SELECTED, SINGLE
from auditor.graph.gates import Gate
from auditor.graph.refusal import Kind, ReadError
from auditor.graph.signin import is_passing
from auditor.graph.throttle import Throttled, retry_after, retrying, service_time

LABEL = "Exchange admin API (InvokeCommand), not documented by Microsoft"

CMDLETS = frozenset(BY_NAME[name].path for name in EXCHANGE_DATASETS)
"""The only cmdlets this program ever sends: those of the catalogue, each of them a Get-."""

PAGE_SIZE = 1000
BATCH = 10
"""calls in one request, as public tools send them; where the service takes no batch, each call is made by itself"""
PER_MAILBOX = "mailboxPermissions"
"""the dataset that takes a call for each mailbox"""
TIMEOUT = httpx.Timeout(30.0, read=300.0)

_LATER = (429, 500, 502, 503, 504)
_ANCHOR = "APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}"


class _Page(msgspec.Struct):
    """One answer; each record stays the exact bytes that Exchange sent."""

    value: list[msgspec.Raw] | None = None
    next_link: str | None = msgspec.field(default=None, name="@odata.nextLink")
    warnings: list[Any] | None = msgspec.field(default=None, name="@adminapi.warnings")


class _Inner(msgspec.Struct):
    """One answer within the answer to a batch."""

    id: str
    status: int
    body: msgspec.Raw = msgspec.Raw(b"null")


class _Batch(msgspec.Struct):
    responses: list[_Inner]


_decode_page = msgspec.json.Decoder(_Page).decode


@dataclass
class _Progress:
    """What one `read` has done so far."""

    records: int = 0
    requests: int = 0
    as_of: str = ""


class _Stopped(Exception):  # noqa: N818 - carries a state, not an error of the program
    """Reading cannot go on: with which state and why. `kind`: of what may pass."""

    def __init__(self, state: ReadState, reason: str, permission: str = "", kind: Kind | None = None) -> None:
        super().__init__(reason)
        self.state: ReadState = state
        self.reason = reason
        self.permission = permission
        self.kind = kind


@dataclass
class AdminApiSource:
    """Reads by `POST {exchange_url}/adminapi/beta/{tenant_id}/InvokeCommand`.

    `client` comes without authentication of its own; the token that `get_token` gives for this host is sent to this
    host only, and after `renew` it gives a new one. Requests pass `gate`; `now` gives the service's clock. Nothing is
    sent before the first `read`."""

    tenant_id: str
    exchange_url: str
    client: httpx.AsyncClient
    get_token: GetToken
    gate: Gate
    now: Callable[[], datetime]
    renew: Callable[[], None]
    _home: httpx.URL = field(init=False)
    _token: str = field(default="", init=False, repr=False)
    _answered: bool = field(default=False, init=False)
    _accepted: bool = field(default=False, init=False)
    """the token in use, by an answer that it brought"""
    _takes_batches: bool = field(default=True, init=False)

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
            await self._commands(dataset, wanted, keep, progress)
        except _Stopped as stop:
            return self._ended(dataset, progress, stop, begun=bool(progress.records or keep.start))
        if not progress.records and dataset.name in SINGLE:
            nothing = _Stopped("failed", f"Exchange answered {dataset.path} with no object.")
            return self._ended(dataset, progress, nothing, begun=False)
        source = f"{LABEL}: {dataset.path}"
        return ExchangeRead("complete", progress.records, "", "", progress.requests, source, progress.as_of)

    def _ended(self, dataset: Dataset, progress: _Progress, stop: _Stopped, *, begun: bool) -> ExchangeRead:
        """`begun`: records were kept, now or by the read that this one goes on with."""
        state: ReadState = "cut" if begun else stop.state
        source, reason = f"{LABEL}: {dataset.path}", self._without_token(stop.reason)
        error = ReadError(stop.kind, reason) if stop.kind else None
        sent, as_of = progress.requests, progress.as_of
        return ExchangeRead(state, progress.records, reason, stop.permission, sent, source, as_of, error=error)

    def _without_token(self, text: str) -> str:
        """A service, or a proxy before it, may repeat what it was sent; reasons stand in reports."""
        if len(self._token) > len("****"):
            text = re.sub(re.escape(self._token), "****", text, flags=re.IGNORECASE)
        return re.sub(r"\beyJ[\w-]{8,}[\w.-]*", "****", text, flags=re.IGNORECASE)

    async def _commands(
        self, dataset: Dataset, wanted: Sequence[Mapping[str, Any]], keep: Keep, progress: _Progress
    ) -> None:
        """One call for each set of parameters, in their order. Raises _Stopped."""
        for start in range(0, len(wanted), BATCH):
            part = wanted[start : start + BATCH]
            answers = await self._batch(dataset, part, progress)
            for number, parameters in enumerate(part):
                await self._command(dataset, parameters, keep, progress, answers.get(number))

    async def _batch(
        self, dataset: Dataset, wanted: Sequence[Mapping[str, Any]], progress: _Progress
    ) -> Mapping[int, httpx.Response]:
        """First answers by position, as far as they settle their call: a page, or that there is no such mailbox. Every
        other call has to be made by itself. Raises _Stopped."""
        if len(wanted) < 2 or not self._takes_batches:
            return {}
        call = {"method": "POST", "url": str(self._address(dataset)), "headers": await self._headers(dataset)}
        requests = [{"id": str(number), **call, "body": _input(dataset, one)} for number, one in enumerate(wanted)]
        body = json.dumps({"requests": requests}).encode()
        response = await self._send(dataset, self._url("$batch"), body, progress, calls=len(wanted))
        answers = _settled(response)
        self._takes_batches = bool(answers)
        return answers

    async def _command(
        self,
        dataset: Dataset,
        parameters: Mapping[str, Any],
        keep: Keep,
        progress: _Progress,
        answer: httpx.Response | None,
    ) -> None:
        """Run one cmdlet to its last page. `answer`: the first, where it is here already. Raises _Stopped."""
        body = json.dumps(_input(dataset, parameters)).encode()
        url = first = self._address(dataset)
        visited = {str(url)}
        if keep.start:
            url = self._next(url, keep.start, visited)
        while True:
            answer = answer or await self._send(dataset, url, body, progress)
            page = self._page(dataset, answer, progress, followed=url != first)
            answer = None
            if page is None:
                return
            records = [_one_line(bytes(record)) for record in page.value or ()]
            if not all(record.startswith(b"{") for record in records):
                raise _Stopped("failed", f"Exchange answered {dataset.path} with something that is no object.")
            await keep(records, "" if dataset.name == PER_MAILBOX else page.next_link or "")
            progress.records += len(records)
            if not page.next_link:
                _refuse_cut(page.warnings or ())
                return
            url = self._next(url, page.next_link, visited)

    def _url(self, end: str) -> httpx.URL:
        return self._home.join(f"/adminapi/beta/{quote(self.tenant_id, safe='')}/{end}")

    def _address(self, dataset: Dataset) -> httpx.URL:
        """Where a dataset's cmdlet is called, with the properties that are wanted of its objects."""
        selected = SELECTED.get(dataset.name)
        url = self._url("InvokeCommand")
        return url.copy_with(query=b"$select=" + ",".join(selected).encode()) if selected else url

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

    def _page(self, dataset: Dataset, response: httpx.Response, progress: _Progress, *, followed: bool) -> _Page | None:
        """One page; None where a single mailbox that was asked for does not exist. `followed`: it is what another page
        led to, and a service that does not know it has forgotten it. Raises _Stopped."""
        moment = service_time(response.headers)
        progress.as_of = stamp(moment) if moment else progress.as_of
        if response.status_code != 200:
            if dataset.name == PER_MAILBOX and _is_missing_object(response):
                return None
            raise _refusal(response, followed=followed)
        try:
            page = _decode_page(response.content)
        except msgspec.DecodeError as error:
            raise _Stopped("failed", f"Exchange's answer to {dataset.path} could not be read: {error}.") from error
        if page.value is None:
            said = "; ".join(map(str, page.warnings or ())) or "nothing else"
            raise _Stopped("failed", f"Exchange answered {dataset.path} without a list of objects: {said}.")
        return page

    async def _send(
        self, dataset: Dataset, url: httpx.URL, body: bytes, progress: _Progress, *, calls: int = 1
    ) -> httpx.Response:
        """One answer that is not "try again later", nor damaged on the way. `calls`: how many are in it; those of a
        batch that fails are better made one by one. Raises _Stopped when patience ends."""
        later = _LATER if calls == 1 else (429,)

        async def attempt() -> httpx.Response:
            headers = await self._headers(dataset)
            progress.requests += 1
            try:
                response = await self.client.post(
                    url, content=body, headers=headers, timeout=TIMEOUT, follow_redirects=False
                )
            except httpx.RequestError as error:
                final = _no_answer(dataset, f"{type(error).__name__}: {error}", "network")
                raise Throttled(final) if is_passing(error, answered=self._answered) else final from None
            self._answered = True
            if response.status_code == 401 and self._accepted:  # it ran out or was revoked while it lived
                self._accepted = False
                self.renew()
                raise Throttled(_refusal(response), after=0.0)
            if response.status_code == 200:
                self._accepted = True
                if calls == 1 and (damage := _damage(response)):
                    reason = f"Exchange's answer to {dataset.path} could not be read: {damage}."
                    raise Throttled(_Stopped("failed", reason, kind="malformed"))
            if response.status_code not in later:
                return response
            wait = retry_after(response.headers, self.now())
            said = (f"HTTP {response.status_code}", _message(response), f"wait {wait:.0f} seconds" if wait else "")
            final = _no_answer(dataset, ", ".join(part for part in said if part), "service")
            raise Throttled(final, after=wait, refused=response.status_code == 429)

        return await retrying(attempt, self.gate, cost=calls)

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
    if dataset.name != PER_MAILBOX:
        return [common]
    # An empty identity would ask for something else than one mailbox.
    mailboxes = sorted({identity.strip().lower() for identity in identities} - {""})
    return [{"Identity": mailbox, **common} for mailbox in mailboxes]


def _input(dataset: Dataset, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a call."""
    return {"CmdletInput": {"CmdletName": dataset.path, "Parameters": parameters}}


def _one_line(record: bytes) -> bytes:
    """The record as sent; line breaks outside strings, where an answer is indented, would end a JSON line."""
    return msgspec.json.format(record, indent=-1) if b"\n" in record or b"\r" in record else record


def _refuse_cut(warnings: Sequence[Any]) -> None:
    """The cmdlets end at their limit with a mere warning: a cut list must not pass for a whole one."""
    for warning in map(str, warnings):
        if "more results" in warning.lower():
            raise _Stopped("cut", f"Exchange says the list is not whole: {warning}")


def _settled(response: httpx.Response) -> dict[int, httpx.Response]:
    """The answers in the answer to a batch that settle their call, by the number that it was sent with."""
    try:
        batch = msgspec.json.decode(response.content, type=_Batch)
    except msgspec.DecodeError:
        return {}
    date = {"Date": response.headers.get("Date", "")}
    answers = {one.id: httpx.Response(one.status, content=bytes(one.body), headers=date) for one in batch.responses}
    return {
        int(number): answer
        for number, answer in answers.items()
        if number.isdecimal() and (_is_missing_object(answer) or _is_page(answer))
    }


def _damage(response: httpx.Response) -> str:
    """What makes an answer no JSON; empty where it is."""
    try:
        msgspec.json.decode(response.content, type=msgspec.Raw)
    except msgspec.DecodeError as error:
        return str(error)
    return ""


def _is_page(answer: httpx.Response) -> bool:
    return answer.status_code == 200 and answer.content.startswith(b"{")


def _no_answer(dataset: Dataset, cause: str, kind: Kind) -> _Stopped:
    return _Stopped("failed", f"Exchange gave no answer to {dataset.path} ({cause}).", kind=kind)


def _refusal(response: httpx.Response, *, followed: bool = False) -> _Stopped:
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
    reason = f"Exchange answered HTTP {status}{said or ' without a text'}."
    return _Stopped("failed", reason, kind="expired" if followed and status in (400, 404, 410) else None)


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
