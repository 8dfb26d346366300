"""The rows of the page as one JSON document: accounts, findings, blockers with their reasons, senders.

Everything a person may search, filter or open stands here; the page's script draws only what is looked at. The document
is made in slices, so that a large tenant needs little more memory than its tables.

    accounts   columns in the order of urgency, and per blocker one code into its reasons
    findings   columns in the order of urgency; `facts` and `accounts` are lists of numbers
    blockers   in the order of work; reasons are [state, text, [[property, value]…], [dataset…], likely reply]
    senders    every declared sender whose account exists: its account's row and one reason code per blocker
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from auditor import accounts
from auditor.blockers import BLOCKERS
from auditor.evaluate import Evaluation
from auditor.findings.base import SEVERITIES, Finding
from auditor.report.figures import EXPOSURES, OUTCOMES, VERDICTS, sender_rows
from auditor.report.html.columns import (
    CodedColumn,
    Interned,
    base64_codes,
    deltas,
    dumps,
    text_column,
)
from auditor.report.html.visible import visible
from auditor.report.order import by_urgency
from auditor.report.standings import likely_reply
from auditor.states import VERDICT_WORDS, Reason
from auditor.tenant import YES
from auditor.triage import ACCEPTED, NONE, OPEN, STATUSES, Triage
from auditor.verdict import EXPOSURE_WORDS, Judgement

CHANGES = ("new", "changed", "returned", "persisting")
_TRUTH = ("true", "unknown", "false")
_ORDERS = {
    "basic": VERDICTS,
    "oauth": VERDICTS,
    "exposure": EXPOSURES,
    "password_guessing": ("open", "unknown", "closed"),
    "is_admin": _TRUTH,
    "sender": ("true", "false"),
    "breaks_at_retirement": _TRUTH,
    "deciding_blocker": ("", *(blocker.id for blocker in BLOCKERS)),
}
"""Columns whose words have an order of their own."""

_TEXTS = ("user_id", "user_principal_name", "display_name", "password_last_changed")
"""Columns that differ from row to row."""


def data_block(evaluation: Evaluation) -> Iterator[str]:
    """The JSON document in slices of text. The same evaluation gives the same text."""
    judgement = evaluation.judgement
    order = np.array(account_order(judgement), dtype=np.int32)
    places = np.empty_like(order)
    places[order] = np.arange(len(order), dtype=np.int32)
    yield '{"accounts":'
    yield from _accounts(judgement, order, places)
    yield ',"findings":'
    yield from _findings(evaluation, places)
    yield ',"blockers":'
    yield dumps([_blocker(judgement, number) for number in range(len(BLOCKERS))])
    yield ',"senders":'
    yield dumps([_sender(judgement, case, places) for case in judgement.sender_cases()])
    yield "}"


def account_order(judgement: Judgement) -> list[int]:
    """Rows of Accounts, the most exposed first; administrators and senders first among equals, then by name."""
    people = judgement.tenant.accounts
    rank = [EXPOSURES.index(word) for word in EXPOSURE_WORDS]
    exposure = [rank[code] for code in judgement.exposure.tolist()]
    administrator = (people.is_admin == YES).tolist()
    senders = sender_rows(judgement)
    rows = sorted(range(len(people)), key=people.id.__getitem__)
    rows.sort(key=lambda row: people.user_principal_name[row].lower())
    rows.sort(key=lambda row: 4 * exposure[row] + 2 * (not administrator[row]) + (row not in senders))
    return rows


# ---------------------------------------------------------------------------------------------------- accounts


def _accounts(judgement: Judgement, order: NDArray[np.int32], places: NDArray[np.int32]) -> Iterator[str]:
    people = judgement.tenant.accounts
    texts = {
        "user_id": people.id,
        "user_principal_name": people.user_principal_name,
        "display_name": people.display_name,
        "password_last_changed": people.password_changed,
    }
    yield f'{{"count":{len(order)},"columns":{{'
    for name in _TEXTS:
        yield f'"{name}":'
        yield from text_column(texts[name][row] for row in order.tolist())
        yield ","
    yield from _joined(_coded_columns(judgement, places))
    yield '},"reasons":['
    for number, blocker in enumerate(BLOCKERS):
        codes = _row_codes(judgement, blocker.id)[order]
        yield '"' if not number else ',"'
        yield from base64_codes(codes, len(judgement.columns[blocker.id].reasons))
        yield '"'
    yield "]}"


def _coded_columns(judgement: Judgement, places: NDArray[np.int32]) -> dict[str, CodedColumn]:
    """The columns of accounts.csv but the texts and the blockers' states, each with the row's place on the page."""
    size = len(places)
    names = [name for name in accounts.COLUMNS if name not in _TEXTS and name not in accounts.BLOCKER_IDS]
    columns = {name: CodedColumn(size, _ORDERS.get(name, ())) for name in names}
    puts = [(columns[name].put, accounts.COLUMNS.index(name)) for name in names]
    by_id = sorted(range(size), key=judgement.tenant.accounts.id.__getitem__)
    for row, values in zip(by_id, accounts.rows(judgement), strict=True):
        place = int(places[row])
        for put, index in puts:
            put(place, values[index])
    return columns


def _row_codes(judgement: Judgement, blocker: str) -> NDArray[np.int32]:
    """Per account the code of the reason that explains the state its row shows."""
    column = judgement.columns[blocker]
    codes = column.codes[: judgement.cases.accounts].copy()
    for row in sender_rows(judgement):
        codes[row] = column.codes[judgement.row_case(blocker, row)]
    return codes


def _joined(columns: dict[str, CodedColumn]) -> Iterator[str]:
    separator = ""
    for name, column in columns.items():
        yield f'{separator}"{name}":'
        yield from column.json()
        separator = ","


# ---------------------------------------------------------------------------------------------------- findings


def _findings(evaluation: Evaluation, places: NDArray[np.int32]) -> Iterator[str]:
    findings = by_urgency(evaluation.findings)
    orders = {
        "severity": SEVERITIES, "outcome": OUTCOMES, "change": CHANGES, "rule": (), "object_type": (), "remedy": (),
        "remedy_risk": (), "first_seen": (),
    }  # fmt: skip
    coded = {name: CodedColumn(len(findings), words) for name, words in orders.items()}
    for row, finding in enumerate(findings):
        for name, column in coded.items():
            column.put(row, getattr(finding, name))
    coded |= _triage(findings, evaluation.triage)
    facts, lists = Interned(), Interned()
    yield f'{{"count":{len(findings)},"columns":{{'
    for name in ("id", "title", "object_name", "object_id"):
        yield f'"{name}":'
        yield from text_column(getattr(finding, name) for finding in findings)
        yield ","
    yield from _joined(coded)
    yield '},"facts":'
    yield from _lists([facts.number(_texts(fact.name, fact.value, fact.dataset)) for fact in finding.evidence]
                      for finding in findings)  # fmt: skip
    yield ',"accounts":'
    yield from _lists(deltas(int(places[row]) for row in finding.accounts) for finding in findings)
    yield ',"references":'
    yield from _lists([lists.number(_texts(*finding.references)), lists.number(_texts(*finding.controls))]
                      for finding in findings)  # fmt: skip
    yield ',"known_facts":'
    yield from facts.json()
    yield ',"known_references":'
    yield from lists.json()
    yield "}"


def _triage(findings: Sequence[Finding], triage: Mapping[str, Triage]) -> dict[str, CodedColumn]:
    """What analysts wrote beside the findings; no column where nobody wrote anything."""
    if not any(triage.get(finding.id) for finding in findings):
        return {}
    columns = {
        name: CodedColumn(len(findings), STATUSES if name == "status" else ("",))
        for name in ("status", "owner", "due", "ticket", "comment")
    }
    for row, finding in enumerate(findings):
        mine = triage.get(finding.id, NONE)
        status = mine.status or (ACCEPTED if finding.outcome == "waived" else OPEN)
        for name, column in columns.items():
            column.put(row, status if name == "status" else getattr(mine, name))
    return columns


def _texts(*values: str) -> tuple[str, ...]:
    return tuple(visible(value) for value in values)


def _lists(rows: Iterator[list[int]]) -> Iterator[str]:
    """One list of numbers per row."""
    first = next(rows, None)
    yield "[" if first is None else "[" + dumps(first)
    yield from chain.from_iterable((",", dumps(row)) for row in rows)
    yield "]"


# ---------------------------------------------------------------------------------------------------- blockers


def _blocker(judgement: Judgement, number: int) -> dict[str, object]:
    blocker = BLOCKERS[number]
    return {
        "id": blocker.id,
        "title": blocker.title,
        "channels": sorted(blocker.channels),
        "remedy": blocker.remedy,
        "risk": blocker.remedy_risk,
        "sources": list(blocker.source),
        "reasons": [_reason(blocker.id, reason) for reason in judgement.columns[blocker.id].reasons],
    }


def _reason(blocker: str, reason: Reason) -> list[object]:
    facts = [_texts(name, value) for name, value in reason.facts]
    return [reason.state.word, visible(reason.text), facts, list(reason.datasets), likely_reply(blocker, reason)]


def _sender(judgement: Judgement, case: int, places: NDArray[np.int32]) -> dict[str, object]:
    sender = judgement.cases.senders[case]
    assert sender is not None, "sender cases carry their sender"
    return {
        "name": visible(sender.name),
        "auth": sender.auth,
        "account": int(places[judgement.cases.account[case]]),
        "basic": VERDICT_WORDS[int(judgement.basic_cases[case])],
        "oauth": VERDICT_WORDS[int(judgement.oauth_cases[case])],
        "reasons": [int(judgement.columns[blocker.id].codes[case]) for blocker in BLOCKERS],
    }
