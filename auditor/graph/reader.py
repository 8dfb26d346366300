"""Pages: bytes in, exact records out. A read is complete only when the service itself said that there is no more.

The SDK builds, signs and sends; the body stays bytes. Its PageIterator is not used: it stops at the first empty page
and loses headers and errors after the first.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import msgspec

from auditor.catalogue import Bucket
from auditor.errors import AuditorError, ServiceError
from auditor.graph.refusal import ReadError, refusal
from auditor.graph.requests import from_url
from auditor.graph.session import GraphSession
from auditor.graph.signin import trouble, unreachable
from auditor.graph.throttle import Gates, Patience, Throttled, retry_after, retrying

if TYPE_CHECKING:
    import httpx
    from kiota_abstractions.request_information import RequestInformation

Keep = Callable[[Sequence[bytes]], None]
"""Takes the next records, each the bytes of one JSON object on one line."""

POLITE = {"x-ms-throttle-priority": "low", "Prefer": "include-unknown-enum-members"}
"""Sent with every request: an audit waits for others, and wants values newer than the service's first enum."""

MAX_EMPTY_PAGES = 1000
"""consecutive; Graph may send some (filtered logs), a service that only ever links onwards must not hold us for ever"""


class _Page(msgspec.Struct):
    value: list[msgspec.Raw]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)


class _Id(msgspec.Struct):
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer. Header names are lower case."""

    body: bytes
    headers: Mapping[str, str]


@dataclass
class Reading:
    """How a read went: `records` were given on; `error` is None where it is complete."""

    records: int = 0
    error: ReadError | None = None
    notes: list[str] = field(default_factory=list)


class Reader:
    """Reads through the gates of one tenant. After a broken connection, further requests try once until one succeeds,
    so that a lost network ends a run in minutes, not hours."""

    def __init__(self, session: GraphSession, gates: Gates) -> None:
        self.session = session
        self.gates = gates
        self.token_refused = False
        """Graph refused the token itself at least once"""
        self._offline = False
        self._plain: httpx.AsyncClient | None = None

    async def get(
        self, info: RequestInformation, bucket: Bucket, *, cost: float = 1.0, patience: Patience | None = None
    ) -> Answer:
        """One request, repeated while the service asks for patience. Raises ReadError."""
        for name, value in POLITE.items():
            info.headers.try_add(name, value)
        return await self._patiently(lambda: self._send(info), bucket, cost, patience)

    async def download(self, url: str, bucket: Bucket) -> bytes:
        """A pre-authenticated address, fetched without any credential. Raises ReadError; the address is a secret and
        stands in no message."""
        if not url.lower().startswith("https://"):
            raise ReadError("malformed", "the report's download address is not https")
        answer = await self._patiently(lambda: self._fetch(url), bucket, 0.0, None)
        return answer.body

    async def pages(
        self,
        info: RequestInformation,
        bucket: Bucket,
        *,
        cost: float = 1.0,
        headers: Mapping[str, str] | None = None,
        patience: Patience | None = None,
    ) -> AsyncIterator[list[bytes]]:
        """The records page by page, empty pages too; ends where the service gives no nextLink. Raises ReadError.

        `headers` are sent again with each following page (a nextLink carries none)."""
        seen: set[str] = set()
        empty = 0
        while True:
            url = info.url if info.url_template is None else ""
            answer = await self.get(info, bucket, cost=cost, patience=patience)
            records, link = decode_page(answer.body)
            yield records
            if not link:
                return
            empty = 0 if records else empty + 1
            if empty >= MAX_EMPTY_PAGES:
                raise ReadError("malformed", f"{empty} empty pages in a row, each with a further nextLink")
            link = self._checked_link(link, url)
            if link in seen:
                raise ReadError("malformed", "a nextLink came twice: the pages go round in a circle")
            seen.add(link)
            info = from_url(link, headers)

    async def collection(
        self,
        info: RequestInformation,
        bucket: Bucket,
        keep: Keep,
        *,
        cost: float = 1.0,
        headers: Mapping[str, str] | None = None,
        patience: Patience | None = None,
    ) -> Reading:
        """A whole collection into `keep`; exact repetitions of a record are dropped and noted. Raises nothing of
        Graph's: the outcome is in the result."""
        reading = Reading()
        once = Once()
        try:
            async for records in self.pages(info, bucket, cost=cost, headers=headers, patience=patience):
                fresh = once.new(records)
                keep(fresh)
                reading.records += len(fresh)
        except ReadError as error:
            reading.error = error
        reading.notes = once.notes()
        return reading

    async def singleton(self, info: RequestInformation, bucket: Bucket, keep: Keep) -> Reading:
        """One object into `keep`."""
        try:
            body = (await self.get(info, bucket)).body
            keep([decode_object(body)])
        except ReadError as error:
            return Reading(error=error)
        return Reading(records=1)

    def _checked_link(self, link: str, base: str) -> str:
        """An absolute nextLink on the Graph origin. Raises ReadError for every other host, port or scheme."""
        from auditor.graph.wire import origin

        try:
            absolute = urljoin(base or f"{self.session.where.graph}/v1.0/", link)
            there = origin(absolute)
        except ValueError:
            raise ReadError("malformed", "a nextLink is no address") from None
        if there != origin(self.session.where.graph) or "@" in absolute.split("/")[2]:
            raise ReadError(
                "malformed",
                f"a nextLink points to {there[0]}://{there[1]}:{there[2]}, which is not Graph; not followed",
            )
        return absolute

    async def _patiently(
        self, attempt: Callable[[], Awaitable[Answer]], bucket: Bucket, cost: float, patience: Patience | None
    ) -> Answer:
        if self._offline:
            patience = Patience(attempts=1)
        try:
            answer = await retrying(
                attempt, self.gates[bucket], self.gates.clock, cost=cost, patience=patience or Patience()
            )
        except ReadError as error:
            self._offline = error.kind == "network"
            self.token_refused |= error.kind == "token"
            raise
        self._offline = False
        return answer

    async def _send(self, info: RequestInformation) -> Answer:
        import httpx
        from kiota_abstractions.api_error import APIError
        from kiota_http.middleware.options import HeadersInspectionHandlerOption
        from msgraph.generated.models.o_data_errors.o_data_error import ODataError

        # Anew each time: a repeated request must not show the headers of the one before, nor send its old token.
        info.headers.remove("Authorization")
        inspection = HeadersInspectionHandlerOption(inspect_request_headers=False)
        info.add_request_options([inspection])
        try:
            body = await self.session.client.request_adapter.send_primitive_async(info, "bytes", {"XXX": ODataError})
        except APIError as error:
            raise self._refused(error) from None
        except AuditorError as error:
            raise _no_token(error) from None
        except httpx.RequestError as error:
            raise _broken(self.session.where.graph_host, error) from None
        headers = {name.lower(): ", ".join(values) for name, values in inspection.response_headers.get_all().items()}
        return Answer(body or b"", headers)

    def _refused(self, error: Any) -> Exception:
        headers = dict(error.response_headers or {})
        main = getattr(error, "error", None)
        status = error.response_status_code or 0
        final = refusal(status, getattr(main, "code", None) or "", getattr(main, "message", None) or "")
        if final.kind != "service":
            return final
        after = retry_after(headers, self.session.service_now())
        return Throttled(final, after=after, closes_gate=status == 429)

    async def _fetch(self, url: str) -> Answer:
        import httpx

        if self._plain is None:
            self._plain = self.session.http_client()
        host = httpx.URL(url).host
        try:
            response = await self._plain.get(url)
        except httpx.RequestError as error:
            raise _broken(host, error) from None
        if response.status_code == 200:
            return Answer(response.content, {name.lower(): value for name, value in response.headers.items()})
        final = ReadError("service", f"the report's download from {host} answered HTTP {response.status_code}")
        if response.status_code in (429, 500, 502, 503, 504):
            raise Throttled(final, after=retry_after(response.headers, self.session.service_now()))
        raise final


class Once:
    """Drops a record that is byte for byte one that came before under the same id, and says so. One that differs is
    kept: it is evidence that the object changed while we read."""

    def __init__(self) -> None:
        self._first: dict[str, int] = {}
        self._others: set[tuple[str, int]] = set()
        self._repeated = 0

    def new(self, records: Sequence[bytes]) -> list[bytes]:
        return [record for record in records if not self._came_before(record)]

    def _came_before(self, record: bytes) -> bool:
        identity = _identity(record)
        if identity is None:
            return False
        digest = hash(record)
        if identity not in self._first:
            self._first[identity] = digest
            return False
        if self._first[identity] == digest or (identity, digest) in self._others:
            self._repeated += 1
            return True
        self._others.add((identity, digest))
        return False

    def notes(self) -> list[str]:
        notes = []
        if self._repeated:
            notes.append(f"{self._repeated} records came twice and are kept once")
        if self._others:
            notes.append(
                f"{len(self._others)} objects came again with other values (changed while being read); all are kept"
            )
        return notes


def decode_page(body: bytes) -> tuple[list[bytes], str | None]:
    """The records of a page, each as its own bytes on one line, and the nextLink. Raises ReadError (malformed)."""
    try:
        page = msgspec.json.decode(body, type=_Page)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ReadError("malformed", f"a page is no JSON of Graph ({error})") from None
    records = [_one_line(bytes(raw)) for raw in page.value]
    if any(not record.startswith(b"{") for record in records):
        raise ReadError("malformed", "a page holds something that is no object")
    return records, page.next_link or None


def decode_object(body: bytes) -> bytes:
    """A single object's bytes on one line. Raises ReadError (malformed)."""
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ReadError("malformed", f"the answer is no JSON ({error})") from None
    if not isinstance(decoded, dict):
        raise ReadError("malformed", "the answer is no object")
    return _one_line(body.strip())


def _one_line(record: bytes) -> bytes:
    """Line breaks in JSON can only stand between tokens (in strings they are escaped), so a blank says the same."""
    if b"\n" in record or b"\r" in record:
        return record.replace(b"\r", b" ").replace(b"\n", b" ")
    return record


def _identity(record: bytes) -> str | None:
    try:
        return msgspec.json.decode(record, type=_Id).id
    except msgspec.ValidationError:
        return None


def _no_token(error: AuditorError) -> Exception:
    """A token that could not be renewed in the middle of a run."""
    final = ReadError("network" if isinstance(error, ServiceError) else "token", error.message.rstrip("."))
    return Throttled(final) if isinstance(error, ServiceError) else final


def _broken(host: str, error: Exception) -> Exception:
    final = ReadError("network", unreachable(host, error).message.rstrip("."))
    return final if trouble(error) in ("tls", "dns") else Throttled(final)
