"""What can go wrong, as data: each fault says where and when it strikes, and what it does.

A plan is a TOML or JSON file, or made in Python from the same classes:

    seed = 7                      # of every `probability`

    [[faults]]
    what = "status"               # which of the classes below
    service = "graph"             # login, graph, exchange or reports (the host of the usage reports' CSV)
    path = "/users"               # a pattern (`*`, `?`, `[…]`) over the path behind the version; for Exchange the
                                  # cmdlet (`/Get-Mailbox`), for login and reports the whole path
    method = "*"
    nth = 2                       # strikes from the second matching request on, …
    every = 1                     # … then each so-many-th of them, …
    times = 3                     # … three times at most (0: without end), …
    probability = 1.0             # … each time with this chance
    status = 429                  # the rest belongs to the kind of fault
    retry_after = "date+180"

Requests are counted where they arrive, repeated ones too. A fault of the kind `status` also strikes the inner
calls of a `$batch`, which are counted like requests of their own.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from auditor.errors import UsageError

Service = Literal["login", "graph", "exchange", "reports"]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="what"):
    """Where and when; see the module's text."""

    service: Service = "graph"
    path: str = "*"
    method: str = "*"
    nth: Count = 1
    every: Count = 1
    times: Annotated[int, msgspec.Meta(ge=0)] = 1
    probability: Share = 1.0


class Status(Fault, frozen=True, tag="status"):
    """Refuses with `status` and the service's own form of error. `retry_after`: 30, 2.128, "date+180" (an HTTP date
    so many seconds after the service's Date), any other text as it stands; absent: no such header."""

    status: Annotated[int, msgspec.Meta(ge=400, le=599)] = 429
    retry_after: int | float | str | None = None
    code: str = ""


class Reset(Fault, frozen=True, tag="reset"):
    """Resets the connection after `at` of the body; 0: before any byte of the answer."""

    at: Share = 0.5


class Truncated(Fault, frozen=True, tag="truncated"):
    """A complete HTTP answer whose body ends after `at` of what it should hold."""

    at: Share = 0.5


class Garbled(Fault, frozen=True, tag="invalid-json"):
    """A body of the right length in bytes that is no JSON."""


class Slow(Fault, frozen=True, tag="slow"):
    """The answer takes `seconds` longer, on the emulator's clock."""

    seconds: Annotated[float, msgspec.Meta(ge=0)] = 120.0


class NoCloseNotify(Fault, frozen=True, tag="no-close-notify"):
    """An answer without a length that ends with the connection, which is closed without TLS's close_notify after
    `at` of the body: below 1 a cut that only TLS can tell from the end."""

    at: Share = 0.5


class Certificate(Fault, frozen=True, tag="certificate"):
    """From this answer on the service shows another certificate, of the same authority or of a foreign one, and ends
    each open connection with its next answer. `connections`: how many see it before the first one is back; 0: all."""

    authority: Literal["same", "foreign"] = "same"
    connections: Annotated[int, msgspec.Meta(ge=0)] = 0


class DeadToken(Fault, frozen=True, tag="dead-token"):
    """The page token of this request has expired and stays so until somebody begins at the first page again; a request
    without a token passes. 400 is `Directory_ExpiredPageToken`, 410 `syncStateNotFound`."""

    status: Literal[400, 410] = 400


class EmptyPage(Fault, frozen=True, tag="empty-page"):
    """An empty page whose nextLink leads to the page that was asked for."""


class LinkLoop(Fault, frozen=True, tag="link-loop"):
    """A page whose nextLink leads to itself."""


class ForeignLink(Fault, frozen=True, tag="foreign-link"):
    """A page whose nextLink leads to another `host` (a port may follow)."""

    host: str = "graph.example.invalid"


class RelativeLink(Fault, frozen=True, tag="relative-link"):
    """A page whose nextLink holds neither scheme nor host."""


class Duplicates(Fault, frozen=True, tag="duplicates"):
    """A page that begins with the last `records` of the page served before it at the same path."""

    records: Count = 1


class TokenRevoked(Fault, frozen=True, tag="token-revoked"):
    """401: the access token of this request is refused from now on, a new one is taken. With `claims` as continuous
    access evaluation asks for it, in a claims challenge; without, as an expired token."""

    claims: bool = True


class UserDeleted(Fault, frozen=True, tag="user-deleted"):
    """Between two pages an administrator deletes a user: the first of this page (else the one with the id `user`).
    From now on no list shows it and its own paths answer 404."""

    user: str = ""


AnyFault = (
    Status | Reset | Truncated | Garbled | Slow | NoCloseNotify | Certificate | DeadToken | EmptyPage | LinkLoop
    | ForeignLink | RelativeLink | Duplicates | TokenRevoked | UserDeleted
)  # fmt: skip


class FaultPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    faults: tuple[AnyFault, ...] = ()
    seed: int = 1


def load(path: Path) -> FaultPlan:
    """A plan from a TOML file, or JSON where its name ends so. Raises UsageError that names the file and the place."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}).", remedy="Name a plan of faults.") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: is not UTF-8.", remedy="Save the file as UTF-8.") from error
    try:
        document: Any = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
        return msgspec.convert(document, FaultPlan)
    except msgspec.ValidationError as error:
        raise UsageError(f"{path}: {error}.", remedy="docs/emulator.md describes every fault.") from error
    except ValueError as error:
        kind = "JSON" if path.suffix.lower() == ".json" else "TOML"
        raise UsageError(f"{path}: no valid {kind}: {error}.", remedy="Mend that line and try again.") from error
