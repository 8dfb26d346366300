"""Pages: bytes in, exact records out. A read is complete only when the service itself said that there is no more.

The SDK builds, signs and sends; the body stays bytes. Its PageIterator is not used: it stops at the first empty page
and loses headers and errors after the first.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin

import msgspec

from auditor.catalogue import Bucket
from auditor.errors import AuditorError, ServiceError
from auditor.graph.gates import Gates
from auditor.graph.refusal import ReadError, refusal
from auditor.graph.requests import from_url
from auditor.graph.session import GraphSession
from auditor.graph.signin import is_passing, unreachable
from auditor.graph.throttle import Patience, Throttled, retry_after, retrying

if TYPE_CHECKING:
    import httpx
    from kiota_abstractions.request_information import RequestInformation

T = TypeVar("T")

POLITE = {"x-ms-throttle-priority": "low", "Prefer": "include-unknown-enum-members"}
"""Sent with every request: an audit waits for others, and wants values newer than the service's first enum."""

MAX_EMPTY_PAGES = 1000
"""consecutive; Graph may send some (filtered logs), a service that only ever links onwards must not hold us for ever"""

IN_FLIGHT = 4
"""pages in memory at once, over all datasets: a page of 999 users with many plans is 13 MB"""

_PASSING = (429, 500, 502, 503, 504)


class _Page(msgspec.Struct):
    value: list[msgspec.Raw]
    next_link: str | None = msgspec.field(name="@odata.nextLink", default=None)


@dataclass(frozen=True, slots=True)
class Answer:
    """A successful answer. Header names are lower case."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Page:
    """Records, each the bytes of one JSON object on one line; `link` as the service gave it, empty where it gave none:
    then the collection ends here."""

    records: list[bytes]
    link: str


class _TokenRefused(Exception):  # noqa: N818 - never leaves this module
    """`token`: how often it had been renewed; `final`: what to raise where no other will do."""

    def __init__(self, final: ReadError, token: int) -> None:
        super().__init__(str(final))
        self.final = final
        self.token = token


class Reader:
    """Reads through the gates of one tenant, with one budget of pages in flight over everything that is read at once:
    from the moment that a request leaves until its page is on disk.

    After a broken connection, further requests try once until one succeeds, so that a lost network ends a run in
    minutes, not hours."""

    def __init__(self, session: GraphSession, gates: Gates) -> None:
        self.session = session
        self.gates = gates
        self.token_refused = False
        """Graph refused a token that was as new as can be, and has accepted none since"""
        self.budget = asyncio.Semaphore(IN_FLIGHT)
        self._offline = False
        self._plain: httpx.AsyncClient | None = None

    async def get(
        self, info: RequestInformation, bucket: Bucket, *, cost: float = 1.0, patience: Patience | None = None
    ) -> Answer:
        """One request, repeated while the service asks for patience. Raises ReadError."""

        async def attempt() -> Answer:
            async with self.budget:
                return await self._send(info, bucket, cost)

        return await self._patiently(attempt, bucket, cost, patience)

    async def singleton(self, info: RequestInformation, bucket: Bucket) -> bytes:
        """One object. Raises ReadError."""

        async def attempt() -> bytes:
            async with self.budget:
                return _whole(decode_object, await self._send(info, bucket, 1.0))

        return await self._patiently(attempt, bucket, 1.0, None)

    async def download(self, url: str, bucket: Bucket) -> bytes:
        """A pre-authenticated address, fetched without any credential. Raises ReadError; the address is a secret and
        stands in no message."""
        if not url.lower().startswith("https://"):
            raise ReadError("malformed", "the report's download address is not https")
        return await self._patiently(lambda: self._fetch(url), bucket, 0.0, None)

    async def pages(
        self,
        info: RequestInformation,
        bucket: Bucket,
        *,
        start: str = "",
        cost: float = 1.0,
        headers: Mapping[str, str] | None = None,
        patience: Patience | None = None,
    ) -> AsyncGenerator[Page, None]:
        """Page by page, empty ones too; ends where the service gives no nextLink. The next page is on its way while
        the caller works on one. Raises ReadError.

        `start`: the nextLink to go on from, instead of `info`. `headers` are sent again with each following page (a
        nextLink carries none). A caller that may stop before the end closes it (`contextlib.aclosing`)."""
        seen: set[str] = set()
        empty = 0
        before: tuple[int, bytes, bytes] | None = None

        def ahead(info: RequestInformation) -> asyncio.Task[Page]:
            return asyncio.create_task(self._page(info, bucket, cost, patience))

        coming: asyncio.Task[Page] | None = ahead(from_url(self._checked(start), headers) if start else info)
        try:
            while coming:
                page = await coming
                empty = 0 if page.records else empty + 1
                if page.records:
                    same = (len(page.records), page.records[0], page.records[-1])
                    if same == before:  # the first page has no link by which it could be known
                        self.budget.release()
                        coming = None
                        raise ReadError("malformed", "a page came twice: the pages go round in a circle")
                    before = same
                broken = self._broken_chain(page.link, seen, empty)
                seen.add(page.link)
                coming = ahead(from_url(page.link, headers)) if page.link and not broken else None
                try:
                    yield page
                finally:
                    self.budget.release()
                if broken:
                    raise broken
        finally:
            if coming:
                await self._abandon(coming)

    async def collection(
        self,
        info: RequestInformation,
        bucket: Bucket,
        keep: Callable[[Page], Awaitable[None]],
        *,
        start: str = "",
        cost: float = 1.0,
        headers: Mapping[str, str] | None = None,
        patience: Patience | None = None,
    ) -> ReadError | None:
        """A whole collection into `keep`; see `pages`. Returns why it ended early, None where it is complete."""
        pages = self.pages(info, bucket, start=start, cost=cost, headers=headers, patience=patience)
        try:
            async with aclosing(pages):
                async for page in pages:
                    await keep(page)
        except ReadError as error:
            return error
        return None

    async def _page(self, info: RequestInformation, bucket: Bucket, cost: float, patience: Patience | None) -> Page:
        """A page, which holds its place in the budget until somebody gives it back."""
        base = info.url if info.url_template is None else f"{self.session.where.graph}/v1.0/"

        async def attempt() -> Page:
            await self.budget.acquire()
            try:
                return _whole(lambda body: decode_page(body, base), await self._send(info, bucket, cost))
            except BaseException:
                self.budget.release()
                raise

        return await self._patiently(attempt, bucket, cost, patience)

    async def _abandon(self, coming: asyncio.Task[Page]) -> None:
        """Nobody wants this page any more."""
        coming.cancel()
        await asyncio.wait((coming,))
        if not coming.cancelled() and coming.exception() is None:
            self.budget.release()

    def _broken_chain(self, link: str, seen: set[str], empty: int) -> ReadError | None:
        """Why the chain of pages cannot be followed further; None where it can, or ends."""
        if not link:
            return None
        if empty >= MAX_EMPTY_PAGES:
            return ReadError("malformed", f"{empty} empty pages in a row, each with a further nextLink")
        if link in seen:
            return ReadError("malformed", "a nextLink came twice: the pages go round in a circle")
        try:
            self._checked(link)
        except ReadError as error:
            return error
        return None

    def _checked(self, link: str) -> str:
        """A nextLink on the Graph origin. Raises ReadError for every other host, port or scheme."""
        from auditor.graph.wire import origin

        try:
            there = origin(link)
        except ValueError:
            raise ReadError("malformed", "a nextLink is no address") from None
        if there != origin(self.session.where.graph) or "@" in link.split("/")[2]:
            raise ReadError(
                "malformed",
                f"a nextLink points to {there[0]}://{there[1]}:{there[2]}, which is not Graph; not followed",
            )
        return link

    async def _patiently(
        self, attempt: Callable[[], Awaitable[T]], bucket: Bucket, cost: float, patience: Patience | None
    ) -> T:
        if self._offline:
            patience = Patience(attempts=1)
        renewed = False

        async def tried() -> T:
            """A token that ran out or was revoked while it lived is replaced, once for each request: that of another
            may have been refused on its own account."""
            nonlocal renewed
            try:
                return await attempt()
            except _TokenRefused as refused:
                if refused.token == self.session.renewals:
                    if renewed or self.token_refused:
                        self.token_refused = True
                        raise refused.final from None
                    renewed = True
                    self.session.renew()
                raise Throttled(refused.final, after=0.0) from None

        try:
            result = await retrying(tried, self.gates[bucket], cost=cost, patience=patience or Patience())
        except ReadError as error:
            self._offline = error.kind == "network"
            raise
        self._offline = False
        return result

    async def _send(self, info: RequestInformation, bucket: Bucket, cost: float) -> Answer:
        import httpx
        from kiota_abstractions.api_error import APIError
        from kiota_http.middleware.options import HeadersInspectionHandlerOption
        from msgraph.generated.models.o_data_errors.o_data_error import ODataError

        for name, value in POLITE.items():
            info.headers.try_add(name, value)
        # Anew each time: a repeated request must not show the headers of the one before, nor send its old token.
        info.headers.remove("Authorization")
        inspection = HeadersInspectionHandlerOption(inspect_request_headers=False)
        info.add_request_options([inspection])
        token = self.session.renewals
        try:
            body = await self.session.client.request_adapter.send_primitive_async(info, "bytes", {"XXX": ODataError})
        except APIError as error:
            raise self._refused(error, bucket, cost, token) from None
        except AuditorError as error:
            raise _no_token(error) from None
        except httpx.RequestError as error:
            raise self._unreachable(self.session.where.graph_host, error) from None
        headers = {name.lower(): ", ".join(values) for name, values in inspection.response_headers.get_all().items()}
        self.token_refused = False
        self.gates[bucket].heed(cost, headers)
        return Answer(body or b"", headers)

    def _refused(self, error: Any, bucket: Bucket, cost: float, token: int) -> Exception:
        headers = {name.lower(): value for name, value in (error.response_headers or {}).items()}
        main = getattr(error, "error", None)
        status = error.response_status_code or 0
        final = refusal(status, getattr(main, "code", None) or "", getattr(main, "message", None) or "")
        if final.kind == "token":
            return _TokenRefused(final, token)
        if final.kind != "service":
            return final
        self.gates[bucket].heed(cost, headers)
        return Throttled(final, after=retry_after(headers, self.session.service_now()), refused=status == 429)

    async def _fetch(self, url: str) -> bytes:
        import httpx

        if self._plain is None:
            self._plain = self.session.http_client()
        host = httpx.URL(url).host
        try:
            async with self.budget:
                response = await self._plain.get(url)
        except httpx.RequestError as error:
            raise self._unreachable(host, error) from None
        if response.status_code == 200:
            return response.content
        final = ReadError("service", f"the report's download from {host} answered HTTP {response.status_code}")
        if response.status_code in _PASSING:
            raise Throttled(final, after=retry_after(response.headers, self.session.service_now()))
        raise final

    def _unreachable(self, host: str, error: Exception) -> Exception:
        final = ReadError("network", unreachable(host, error).message.rstrip("."))
        return Throttled(final) if is_passing(error, answered=bool(self.session.wire.answers)) else final


def _whole(decode: Callable[[bytes], T], answer: Answer) -> T:
    """What was damaged on the way is worth asking for again."""
    try:
        return decode(answer.body)
    except ReadError as error:
        raise Throttled(error) from None


def decode_page(body: bytes, base: str = "") -> Page:
    """A page from its bytes; a relative nextLink is resolved against `base`, its address. Raises ReadError
    (malformed)."""
    try:
        page = msgspec.json.decode(body, type=_Page)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ReadError("malformed", f"a page is no JSON of Graph ({error})") from None
    records = [bytes(raw) for raw in page.value]
    if b"\n" in body or b"\r" in body:
        records = [_one_line(record) for record in records]
    if not all(record.startswith(b"{") for record in records):
        raise ReadError("malformed", "a page holds something that is no object")
    return Page(records, _absolute(base, page.next_link) if page.next_link else "")


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
    return record.replace(b"\r", b" ").replace(b"\n", b" ")


def _absolute(base: str, link: str) -> str:
    try:
        return urljoin(base, link)
    except ValueError:
        return link


def _no_token(error: AuditorError) -> Exception:
    """A token that could not be renewed in the middle of a run."""
    final = ReadError("network" if isinstance(error, ServiceError) else "token", error.message.rstrip("."))
    return Throttled(final) if isinstance(error, ServiceError) else final
