"""`pseudonymise = true`: ids instead of names, in everything that leaves for a ticket system. Pure.

Not names are looked for, which would miss the one that nobody thought of: only values of a known shape are kept (ids,
numbers, times, the program's own words), and texts that a rule writes about every tenant alike. All else is withheld.
The workbook says who is meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from auditor.blockers import BLOCKERS
from auditor.catalogue import CATALOGUE
from auditor.diff import Document
from auditor.exits import EXITS
from auditor.findings import RULES
from auditor.findings.base import finding_id
from auditor.states import VERDICT_WORDS
from auditor.tickets.source import Source, text
from auditor.triage import Triage
from auditor.verdict import EXPOSURE_WORDS

WITHHELD = "(withheld)"

_RULES = {rule.id: rule for rule in RULES}
_STATES = ("blocks", "clear", "conditional", "unknown", "not_applicable")
_WORDS = frozenset({
    *_STATES, *VERDICT_WORDS, *EXPOSURE_WORDS, *EXITS, *(blocker.id for blocker in BLOCKERS),
    "true", "false", "yes", "no", "none", "blank", "listed", "not listed", "enabled", "disabled", "enforced", "basic",
    "oauth", "mfa", "block", "federated", "managed", "enabledforreportingbutnotenforced",
})  # fmt: skip
"""The program's own words, and Microsoft's, as values of evidence; in lower case."""
_SHAPE = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # an id of the directory
    r"|\d{4}-\d\d-\d\d(t\d\d:\d\d(:\d\d(\.\d+)?)?z)?"  # a day or a moment
    r"|\d{1,9}"  # a count; longer numbers may be telephones
)
_DATASETS = frozenset(dataset.name for dataset in CATALOGUE)
_ACCOUNT_NAMES = ("user_principal_name", "display_name")


def pseudonymised(source: Source) -> Source:
    """The run without any name: accounts and objects by their ids, senders by the digits of their marker. Markers and
    finding ids, which are digests of ids, stay; so does the reason why a finding is gone, but for names in it."""
    run = source.run
    gone = {identity: {**_document(entry, source), "reason": ""} for identity, entry in run.gone.items()}
    senders = {
        sender_pseudonym(key, run.tenant_id): {
            name: value for name, value in sender.items() if name not in ("name", "account")
        }
        for key, sender in (run.senders or {}).items()
    }
    return replace(
        source,
        run=replace(
            run,
            findings={identity: _document(document, source) for identity, document in run.findings.items()},
            gone=gone,
            senders=senders if run.senders is not None else None,
            accounts={key: (key, *facts[1:]) for key, facts in run.accounts.items()} if run.accounts else run.accounts,
            policies=None,
        ),
        triage={identity: Triage(due=mine.due) for identity, mine in source.triage.items()},
        headings={marker: marker for marker in source.headings},
        owners={},
        accounts={key: _account(row) for key, row in source.accounts.items()},
    )


def sender_pseudonym(key: str, tenant: str) -> str:
    """A sender is declared by a name of its own, so its id is one."""
    return "sender-" + finding_id("by-sender", tenant, key).rpartition("-")[2]


def _document(document: Document, source: Source) -> dict[str, Any]:
    rule = _RULES.get(text(document, "rule"))
    shown = _object(document, source)
    title = f"{rule.title if rule else text(document, 'rule')} ({shown})"
    hidden = {
        "object_id": shown,
        "object_name": shown,
        "title": title,
        "remedy": rule.remedy if rule else "",
        "remedy_risk": rule.remedy_risk if rule else "",
    }
    kept = {name: value for name, value in document.items() if name not in ("evidence", "triage", "reason")}
    evidence = document.get("evidence")
    return {**kept, **hidden, "evidence": None if evidence is None else [_fact(fact) for fact in evidence]}


def _object(document: Document, source: Source) -> str:
    identity = text(document, "object_id")
    if text(document, "object_type") == "sender":
        return sender_pseudonym(identity, source.run.tenant_id)
    known = _SHAPE.fullmatch(identity.lower()) or identity in _DATASETS
    return identity if known else f"object-{document['id'].rpartition('-')[2]}"


def _fact(fact: Mapping[str, str]) -> dict[str, str]:
    """A fact's name may quote a policy's: the quotation is cut."""
    name = str(fact.get("name", "")).partition("'")[0].strip()
    return {"name": name, "value": _value(str(fact.get("value", ""))), "dataset": str(fact.get("dataset", ""))}


def _value(value: str) -> str:
    state = value.partition(":")[0]
    if state in _STATES:
        return state
    parts = value.lower().split(", ") if value else []
    return value if all(part in _WORDS or _SHAPE.fullmatch(part) for part in parts) else WITHHELD


def _account(row: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in row.items() if name not in _ACCOUNT_NAMES}
