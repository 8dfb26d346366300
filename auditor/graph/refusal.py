"""What Graph said no with: one error type for every way a read can end early, classified once.

The same cause comes as different codes from different services behind Graph, so the class is taken from status and
code together, and the service's own text is kept. Sources: https://learn.microsoft.com/graph/errors and the reference
pages of the reporting services.
"""

from __future__ import annotations

import re
from typing import Literal

from auditor.catalogue import Dataset
from auditor.tenant import DatasetStatus

Kind = Literal["permission", "licence", "token", "not-found", "expired", "request", "service", "network", "malformed"]
"""`expired`: a nextLink that the service no longer knows; the collection has to be read from its start"""

_LICENCE_CODES = frozenset(
    {"authentication_requestfromnonpremiumtenantorb2ctenant", "aadpremiumlicenserequired", "premiumlicenserequired"}
)

_EXPIRED_CODES = frozenset({"directory_expiredpagetoken", "expiredpagetoken", "syncstatenotfound"})
_EXPIRED = re.compile(
    r"(skip ?token|page ?token|paging token).*(expired|not valid|invalid)|expired.*(skip|page) ?token"
)


class ReadError(Exception):
    """Why a read ended. `text` is one sentence for people, without a full stop; `status` 0 where no answer came."""

    def __init__(self, kind: Kind, text: str, *, status: int = 0, code: str = "") -> None:
        super().__init__(text)
        self.kind: Kind = kind
        self.text = text
        self.status = status
        self.code = code


def refusal(status: int, code: str, message: str) -> ReadError:
    """The answer of an HTTP error as a ReadError; `message` is the service's text and is shown shortened."""
    told = " ".join(part for part in (f"HTTP {status}", code) if part)
    said = _short(message)
    text = f"Graph answered {told}" + (f": {said}" if said else "")
    return ReadError(_kind(status, code.lower(), message.lower()), text, status=status, code=code)


def _kind(status: int, code: str, message: str) -> Kind:
    if code in _LICENCE_CODES or (status in (400, 403) and "premium license" in message):
        return "licence"
    if status == 401:
        return "token"
    if status == 403:
        return "permission"
    if status == 404:
        return "not-found"
    if status == 410 or (status == 400 and (code in _EXPIRED_CODES or _EXPIRED.search(message))):
        return "expired"
    if status == 429 or status in (500, 502, 503, 504):
        return "service"
    return "request"


def _short(message: str) -> str:
    """One line of at most 200 characters; nothing that looks like a token."""
    line = re.sub(r"\beyJ[\w-]+\.[\w.-]+", "…", " ".join(message.split())).rstrip(".")
    return line if len(line) <= 200 else f"{line[:199]}…"


def status_of(dataset: Dataset, error: ReadError, records: int, source: str = "", as_of: str = "") -> DatasetStatus:
    """How a dataset stands after an error: `cut` once records were kept, else `denied` or `failed`.

    A licence refusal is never shown as a missing consent: its permission column names the licence."""
    if error.kind == "licence":
        licence = dataset.licence or "Entra ID P1"
        reason = f"The tenant has no {licence} licence, which this needs ({error.text})."
        return DatasetStatus(dataset.name, _ended(records, "denied"), records, reason, licence, source, as_of)
    if error.kind == "permission":
        permission = _scope(error.text, dataset) or dataset.permission
        reason = f"The app lacks {permission} ({error.text})."
        return DatasetStatus(dataset.name, _ended(records, "denied"), records, reason, permission, source, as_of)
    return DatasetStatus(dataset.name, _ended(records, "failed"), records, f"{error.text}.", "", source, as_of)


def _ended(records: int, otherwise: str) -> str:
    return "cut" if records else otherwise


def _scope(text: str, dataset: Dataset) -> str:
    """The scope that a reporting service names, where it is another than those the catalogue knows."""
    named = re.findall(r"\b[A-Z][\w-]*\.Read(?:Write)?\.[A-Z]\w*", text)
    known = {dataset.permission, *dataset.accepted}
    return "" if not named or known & set(named) else named[0]
