"""How every ticket system is spoken to: one connection with TLS, a credential, patience, and texts free of secrets.

A request that only reads, or sets what it set before, is repeated after a broken connection. One that makes something
is not: whether the system made it is then unknown (`OutcomeUnknown`), and who sent it looks for its marker first.
Only what the system certainly did not take is sent again: a connection that never stood, a 429, a 503 that names when
to come back.
"""

from __future__ import annotations

import json as jsonlib
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar

import httpx
import msgspec
from tenacity import RetryCallState, Retrying, retry_if_exception_type

from auditor import __version__
from auditor.clock import BlockingClock
from auditor.errors import ConfigError, OutcomeUnknown, TicketError, TicketRefusal
from auditor.graph.throttle import retry_after, service_time
from auditor.report.html.visible import visible
from auditor.tickets.base import TOOL
from auditor.tickets.pace import Pace, Window
from auditor.tickets.settings import TicketSettings

T = TypeVar("T")

ATTEMPTS = 6
"""of one request, the first included"""
LONGEST_WAIT = 300.0
"""seconds of one wait; a system that asks for more is given up until the next sync"""
PATIENCE = 900.0
"""seconds of all waits of one request"""
TIMEOUT = httpx.Timeout(60.0, connect=15.0)

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})
_GATEWAY = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})
_REASON_LIMIT = 300
_ECHO = 24
"""characters in a row that a refusal may share with what was sent before they are taken out"""


# --- credentials -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Credential:
    """The headers that sign a request in, and the texts that no error may show."""

    headers: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


def secret(environ: Mapping[str, str], settings: TicketSettings, key: str) -> str:
    """What the environment variable named by `key` of the settings holds. Raises ConfigError where the key is empty,
    the variable missing, or its value no header's."""
    variable: str = getattr(settings, key)
    place = f'[[tickets]] "{settings.name}": {key}'
    if not variable:
        raise ConfigError(f"{place} is missing.", remedy="Name the environment variable that holds the credential.")
    value = environ.get(variable, "").strip()
    if not value:
        raise ConfigError(f"{place}: the environment variable {variable} is empty or not set.", remedy="Set it.")
    if not (value.isascii() and value.isprintable()):
        raise ConfigError(
            f"{place}: what {variable} holds cannot stand in a header.", remedy="Copy the credential again."
        )
    return value


def bearer(token: str, scheme: str = "Bearer") -> Credential:
    return Credential({"Authorization": f"{scheme} {token}"}, (token,))


def basic(user: str, password: str) -> Credential:
    encoded = b64encode(f"{user}:{password}".encode()).decode()
    return Credential({"Authorization": f"Basic {encoded}"}, (password, encoded))


def header(name: str, value: str) -> Credential:
    return Credential({name: value}, (value,))


# --- the connection --------------------------------------------------------------------------------------------------


class _Again(Exception):  # noqa: N818 - carries what to raise when no attempt is left
    """`after`: seconds to wait; None: `first`, and twice as long each time."""

    def __init__(self, final: TicketError, after: float | None = None, first: float = 1.0) -> None:
        super().__init__(str(final))
        self.final = final
        self.after = after
        self.first = first


def too_many(response: httpx.Response) -> bool:
    """How most systems say that they are throttling."""
    return response.status_code == HTTPStatus.TOO_MANY_REQUESTS


def message_of(body: Any) -> str:
    """What most systems write in a refusal's body."""
    return str(body.get("message") or body.get("error") or "") if isinstance(body, dict) else ""


class Connection:
    """One ticket system. `requests` counts what was sent.

    `explain` takes the decoded JSON of a refusal and gives the system's own words; `throttled` tells a refusal that
    only asks to come back later, `throttled_wait` how long to wait first where it names no time; `pace` bounds requests
    that make something; `sign` adds a signature to every try of a request. Raises ConfigError for an address that is
    none, or would send the credential in clear."""

    def __init__(
        self,
        settings: TicketSettings,
        credential: Credential,
        clock: BlockingClock,
        *,
        explain: Callable[[Any], str] = message_of,
        throttled: Callable[[httpx.Response], bool] = too_many,
        pace: Sequence[Window] = (),
        throttled_wait: float = 1.0,
        headers: Mapping[str, str] | None = None,
        sign: Callable[[httpx.Request], None] | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._place = f'[[tickets]] "{settings.name}"'
        self.base = _address(self._place, settings.url)
        self.requests = 0
        self._clock = clock
        self._secrets = credential.secrets
        self._explain = explain
        self._throttled = throttled
        self._throttled_wait = throttled_wait
        self._sign = sign
        self._pace = Pace(pace, clock)
        self._client = httpx.Client(
            verify=_tls(self._place, settings.ca_bundle),
            timeout=TIMEOUT,
            follow_redirects=False,
            transport=transport,
            headers={
                "Accept": "application/json",
                "User-Agent": f"{TOOL}/{__version__}",
                **(headers or {}),
                **credential.headers,
            },
        )

    def json(self, kind: type[T], method: str, path: str, **sent: Any) -> T:
        """As `send`, and the answer's JSON in the shape that is expected. Raises TicketError where it has another."""
        return self.decode(kind, self.send(method, path, **sent))

    def decode(self, kind: type[T], response: httpx.Response) -> T:
        """An answer's JSON; raises as `json`."""
        try:
            return msgspec.json.decode(response.content, type=kind)
        except msgspec.DecodeError:
            raise self.error(
                f"{response.request.method} {response.request.url.path} was answered with something unexpected",
                "Check url and credential: a sign-in page, a proxy or another kind of system may stand there.",
            ) from None

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        content: bytes | None = None,
        files: Mapping[str, tuple[str, bytes, str]] | None = None,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Iterable[int] = (),
        repeatable: bool | None = None,
    ) -> httpx.Response:
        """One request, repeated while that is safe. `path` follows the settings' url, or is an address on the same
        host that the system named. `accept`: refusals that the caller reads itself. `repeatable`: that sending it twice
        does what sending it once does; None: by the method.

        Raises TicketRefusal, OutcomeUnknown, and TicketError where the system is not reached or stays throttled."""
        url = self._url(path)
        sent_headers = dict(headers or {})
        if json is not None:
            content = jsonlib.dumps(json, separators=(",", ":")).encode()
            sent_headers.setdefault("Content-Type", "application/json")
        safe = method in _REPEATABLE if repeatable is None else repeatable
        allowed = frozenset(accept)

        def attempt() -> httpx.Response:
            request = self._client.build_request(
                method, url, params=params, content=content, files=files, data=data, headers=sent_headers
            )
            if self._sign:
                self._sign(request)
            response = self._sent(request, safe=safe)
            if response.is_success or response.status_code in allowed:
                return response
            raise self._failed(response, safe=safe, sent=tuple(texts((json, data))))

        retrying = Retrying(
            sleep=self._clock.pause,
            retry=retry_if_exception_type(_Again),
            wait=_wait,
            stop=_give_up,
            reraise=True,
        )
        try:
            return retrying(attempt)
        except _Again as again:
            raise again.final from None

    def _sent(self, request: httpx.Request, *, safe: bool) -> httpx.Response:
        what = f"{request.method} {request.url.path}"
        self._take_turn(what, makes=not safe)
        self.requests += 1
        try:
            response = self._client.send(request)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise self._not_reached(error) from None
        except httpx.TransportError as error:
            problem = f"the connection broke during {what} ({type(error).__name__})"
            if safe:
                raise _Again(self.error(problem, "Run the sync again.")) from None
            raise self._unknown(problem) from None
        if response.is_success and (asked := retry_after(response.headers, self._clock.now())):
            self._pace.close(min(asked, LONGEST_WAIT))  # Azure DevOps slows down before it refuses
        return response

    def _take_turn(self, what: str, *, makes: bool) -> None:
        wait = self._pace.wait(makes=makes)
        if wait > LONGEST_WAIT:
            raise self.error(
                f"{what} would break the service's limit for the next {wait:.0f} seconds", "Run the sync again then."
            )
        if wait:
            self._clock.pause(wait)
        self._pace.sent(makes=makes)

    # --- what went wrong ---

    def _failed(self, response: httpx.Response, *, safe: bool, sent: Sequence[str]) -> Exception:
        status, what = response.status_code, f"{response.request.method} {response.request.url.path}"
        asked = self._asked(response)
        if self._throttled(response):
            when = f" and asks to wait {asked:.0f} seconds" if asked is not None else ""
            final = self.error(f"it still throttles {what}{when}", "Run the sync again later.")
            return _Again(final, asked, self._throttled_wait)
        if response.is_redirect:
            target = self._hidden(_location(response))
            return self.error(f"{what} is redirected to {target}", "Write the address that holds in url.")
        if status in _GATEWAY and (safe or (status == HTTPStatus.SERVICE_UNAVAILABLE and asked is not None)):
            return _Again(self.error(f"{what} was answered with HTTP {status}", "Run the sync again later."), asked)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR and not safe:
            return self._unknown(f"{what} was answered with HTTP {status}")
        return self.refusal(response, sent)

    def refusal(self, response: httpx.Response, sent: Sequence[str] = ()) -> TicketRefusal:
        """The error for an answer that refuses. `sent`: our texts, which it must not repeat."""
        status = response.status_code
        try:
            reason = self.words(self._explain(msgspec.json.decode(response.content)), sent)
        except msgspec.DecodeError:
            reason = ""
        what = f"{response.request.method} {response.request.url.path}"
        problem = f"{what} was refused with HTTP {status}" + (f": {reason.rstrip('.')}" if reason else "")
        return TicketRefusal(
            f"{self._place}: {problem}.",
            status=status,
            reason=reason or f"HTTP {status}",
            remedy=_REMEDIES.get(status, ""),
        )

    def words(self, told: str, sent: Sequence[str]) -> str:
        """The system's own words on one line, without any secret and without what it repeats of ours."""
        line = " ".join(visible(self._hidden(without(told, sent))).split())
        return line if len(line) <= _REASON_LIMIT else f"{line[:_REASON_LIMIT]}…"

    def _asked(self, response: httpx.Response) -> float | None:
        """Seconds that the service asks to wait: Retry-After, or until the reset of a limit that is used up."""
        asked = retry_after(response.headers, self._clock.now())
        if asked is None and response.headers.get("x-ratelimit-remaining") == "0":
            reset = response.headers.get("x-ratelimit-reset", "")
            now = service_time(response.headers) or self._clock.now()
            return max(0.0, float(reset) - now.timestamp()) if reset.isdecimal() else None
        return asked

    def _hidden(self, text: str) -> str:
        for one in self._secrets:
            text = text.replace(one, "…")
        return text

    def _not_reached(self, error: httpx.TransportError) -> Exception:
        problem = f"{self.base.host} was not reached ({self._hidden(str(error)) or type(error).__name__})"
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return self.error(problem, "Name the certificate authority in ca_bundle; never go on without verification.")
        return _Again(self.error(problem, "Check url, the network and HTTPS_PROXY."))

    def error(self, problem: str, remedy: str = "") -> TicketError:
        """An error that names the entry of the config."""
        return TicketError(f"{self._place}: {problem}.", remedy=remedy)

    def _unknown(self, problem: str) -> OutcomeUnknown:
        return OutcomeUnknown(
            f"{self._place}: {problem}; whether it was carried out is unknown.",
            remedy="Run the sync again: it looks for the ticket before it makes one.",
        )

    # --- addresses ---

    def _url(self, path: str) -> httpx.URL:
        if "://" not in path:
            return httpx.URL(f"{self.base}/{path.lstrip('/')}") if path else self.base
        url = httpx.URL(path)
        if _origin(url) != _origin(self.base):
            raise self.error(f"it named an address on another host ({url.host})", "Nothing was sent there. Check url.")
        return url


_REMEDIES: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: "Check the credential: it may be wrong or have run out.",
    HTTPStatus.FORBIDDEN: "Check the rights of the credential; the page of the system in docs/tickets names the least.",
    HTTPStatus.NOT_FOUND: "Check url and project; many systems answer so where the credential may not see them.",
}


def _again(state: RetryCallState) -> _Again:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, _Again)
    return error


def _wait(state: RetryCallState) -> float:
    again = _again(state)
    doubled = again.first * 2.0 ** (state.attempt_number - 1)
    return again.after if again.after is not None else min(LONGEST_WAIT, doubled)


def _give_up(state: RetryCallState) -> bool:
    wait = state.upcoming_sleep
    return state.attempt_number >= ATTEMPTS or wait > LONGEST_WAIT or state.idle_for + wait > PATIENCE


def _address(place: str, text: str) -> httpx.URL:
    try:
        url = httpx.URL(text.rstrip("/"))
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("https", "http") or not url.host or url.userinfo or url.query or url.fragment:
        raise ConfigError(
            f"{place}: url is no address of a service.", remedy="Write it as https://host or https://host/path."
        )
    if url.scheme == "http" and url.host not in LOOPBACK:
        raise ConfigError(f"{place}: url would send the credential in clear.", remedy="Write https://.")
    return url


def _tls(place: str, ca_bundle: str) -> ssl.SSLContext:
    if not ca_bundle:
        return httpx.create_ssl_context()
    try:
        return ssl.create_default_context(cafile=ca_bundle)
    except OSError as error:  # ssl.SSLError is one too
        raise ConfigError(
            f"{place}: ca_bundle cannot be read ({error.strerror}).",
            remedy="Name a file with the certificate authority in PEM form.",
        ) from None


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)


def _location(response: httpx.Response) -> str:
    """Where a redirect points, without its query."""
    try:
        url = response.request.url.join(response.headers.get("location", ""))
    except httpx.InvalidURL:
        return "something that is no address"
    return f"{url.scheme}://{url.netloc.decode('ascii')}{url.path}"


def texts(value: Any) -> Iterator[str]:
    """Every text in what was sent; names of fields are none of ours."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, Iterable) and not isinstance(value, bytes):
        for inner in value:
            yield from texts(inner)


def without(told: str, sent: Iterable[str]) -> str:
    """What a system says, without the texts of ours (whole, from four characters on, or any long piece) it repeats."""
    told = told[: _REASON_LIMIT * 4]
    for text in sent:
        if len(text) >= 4:
            told = told.replace(text, "…")
        position = 0
        while position + _ECHO <= len(told):
            if told[position : position + _ECHO] in text:
                end = position + _ECHO
                while end < len(told) and told[position : end + 1] in text:
                    end += 1
                told = f"{told[:position]}…{told[end:]}"
            position += 1
    return told
