"""What every way of reading Exchange Online has in common: the question, the answer, and how an answer can end.

One dataset is read by one call. Records go to `keep` page by page, as the exact bytes of one JSON object each, so that
a tenant of any size fits into memory and nothing that Exchange said is lost on the way to the snapshot.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from auditor.catalogue import Dataset
from auditor.graph.refusal import ReadError

ReadState = Literal["complete", "cut", "denied", "failed", "not-asked"]


class Keep(Protocol):
    """Takes the next records of the dataset, in order: each the UTF-8 bytes of one JSON object, without a line break.

    `link`: the page after them, where reading may go on later; empty at the end, and where a source begins anew."""

    start: str
    """the page at which a source that gives links goes on; empty where the dataset is read from its beginning"""

    async def __call__(self, records: Sequence[bytes], link: str = "") -> None: ...


GetToken = Callable[[str], Awaitable[str]]
"""scope (`https://outlook.office365.com/.default`) → bearer token; raises SignInError where it is refused,
ServiceError where nobody answers"""

PERMISSION = "Exchange.ManageAsApp and a directory role such as Global Reader"
"""What opens the Exchange admin API: the application permission alone gives nothing."""


@dataclass(frozen=True, slots=True)
class ExchangeRead:
    """How reading one dataset ended; the records themselves went to `keep`.

    `cut`: some records were kept and more exist. `denied` and `failed` without a single record. `not-asked`: this
    source does not hold the dataset. Only `complete` may decide anything."""

    state: ReadState
    records: int = 0
    """how many were given to `keep`"""
    reason: str = ""
    """one plain sentence, empty when complete"""
    permission: str = ""
    """what would open it, when denied"""
    requests: int = 0
    """HTTP requests sent, repeats included"""
    source: str = ""
    """where the records come from, for the manifest: a cmdlet and its interface, or an exported file's name"""
    as_of: str = ""
    """ISO 8601 UTC: when the service answered, or when the file was exported; empty if nobody knows"""
    coarse: bool = False
    """it says less of each object than the cmdlet: another source is preferred"""
    error: ReadError | None = None
    """what ended it early, where that may pass: the network, the service, a page that it no longer knows"""


class ExchangeSource(Protocol):
    """One way of reading Exchange Online: files, the admin API, configuration snapshots, several of them, or none."""

    @property
    def label(self) -> str:
        """A line for coverage sheets and logs: which way, and what Microsoft says of it."""

    async def read(self, dataset: Dataset, identities: Sequence[str], keep: Keep) -> ExchangeRead:
        """Read one dataset of service `exchange` (or `smtpAuthClients`) to the end.

        `identities`: the mailboxes (UPN, address or object id) of the declared senders; only `mailboxPermissions` is
        read per mailbox. What the service or a file answers, or a token that could not be had, is the returned state
        and never an exception."""

    def notes(self) -> Sequence[str]:
        """What the person should be told of this source, e.g. files that were not recognised."""


def hidden_cmdlet(text: str) -> bool:
    """Exchange hides the cmdlets that a role does not hold: they are "not recognized"."""
    return "is not recognized as" in text or "CommandNotFoundException" in text


def moment(value: Any) -> datetime | None:
    """ISO 8601 (a time without zone is UTC, any number of decimals) or `/Date(milliseconds)/`, else None."""
    if not isinstance(value, str):
        return None
    try:
        if ticks := re.fullmatch(r"/Date\((-?\d+)\)/", value):
            return datetime.fromtimestamp(int(ticks[1]) / 1000, UTC)
        found = datetime.fromisoformat(value.strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def stamp(when: datetime) -> str:
    """ISO 8601 UTC with seconds, as `as_of` is written."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
